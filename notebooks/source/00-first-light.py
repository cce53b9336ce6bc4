# %% [markdown]
# # 0. First light
#
# *About 20 minutes. Before this: nothing; some Python helps.*
#
# A face-recognition model turns a picture of a face into a list of numbers, its **embedding**. Two pictures count as the same person when their embeddings lie close together: closer than a **threshold**. Here you change one **attribute** of a face at a time and watch how far its embedding moves.
#
# You will
#
# - slide an attribute and see the face, its embedding and the model's decision change,
# - predict which attribute moves a face furthest, then check,
# - write the model's decision yourself, in one line,
# - meet the **alignment energy**: does an attribute move all faces the same way?

# %% [markdown]
# ## 1. Slide
#
# The faces are generated, so nobody's photograph is needed. The model is real: dlib's face-recognition network, trained on photographs of thousands of people.

# %%
import fr_explore as fr
from fr_explore_widgets import AttributeExplorer, Prediction, course

faces = fr.Avatars(identities=12, seed=0)
model = fr.load_model("dlib")
model

# %% [markdown]
# Run the next cell, then drag *head angle*, *age*, *illumination*. On the right stands the distance between the two embeddings; below the threshold the model says "same person". Compare it with the distance to *other people*, too: the threshold was chosen on photographs, and generated faces lie closer together than people do.

# %% tags=["widget"] alt="The laboratory: a reference face and a live face side by side, a map of embeddings, the distance between the two faces against the threshold, and sliders for every attribute"
explorer = AttributeExplorer(faces, model)
explorer

# %% [markdown]
# ## 2. Predict
#
# Each of the paper's eight attributes can go from one end of its range to the other. **Which one moves the face of identity 0 furthest from where it started?** Drag the names into your order and commit it before you run on. A guess that may be wrong teaches more than none.

# %% tags=["widget"] alt="Eight attributes in a list, to be dragged into an order, and a button that commits the guess"
guess = Prediction("Which attribute moves this face furthest?", "ranking", list(fr.PAPER_ATTRIBUTES))
guess

# %% tags=["solution"]
guess.commit(["age", "head_angle", "hair_color", "illumination", "brightness", "expression", "contrast", "hue"])

# %% [markdown]
# Now the truth. `fr.sweep` sets one attribute to several strengths, here the two ends of its range, and gives the distance to the face with nothing changed.

# %%
explorer.wait()  # until the explorer's map is complete
ends = [fr.sweep(faces, model, 0, name, steps=2) for name in fr.PAPER_ATTRIBUTES]
furthest = {table["attribute"][0]: table["distance"].max() for table in ends}
course.reveal(guess, furthest)

# %%
for place, name in enumerate(sorted(furthest, key=furthest.get, reverse=True), 1):
    print(f"{place}. {faces.attributes[name].label:13} {furthest[name]:.2f}")
print(f"The model says 'same person' below {model.card.threshold}.")

# %% [markdown]
# The explorer can be moved from code as well: here it takes the winner to the end of its range that lies further away. Scroll up and look at the face.

# %%
winner = max(furthest, key=furthest.get)
sweep = fr.sweep(faces, model, 0, winner, steps=2)
explorer.set(**{winner: sweep.loc[sweep["distance"].idxmax(), "strength"]})
print(f"{winner} = {explorer.strengths[winner]:g}: distance {explorer.distance:.2f}")

# %% [markdown]
# ### Exercise 0a: the decision
#
# The model's whole decision is one comparison. dlib's distance is the **Euclidean** one: for embeddings $a$ and $b$ of $d$ numbers each, $\lVert a - b\rVert = \sqrt{\sum_{i=1}^{d} (a_i - b_i)^2}$. Two faces are judged the same person where it is *at most* the threshold.

# %% tags=["exercise"]
import numpy as np


def same_person(a, b, threshold):
    """True where the model takes the embeddings a and b, arrays (d,), for the same person."""
    # BEGIN SOLUTION: take the Euclidean distance of a and b, and compare it with the threshold.
    return np.linalg.norm(a - b) <= threshold
    # END SOLUTION

# %% tags=["check"]
course.check("00a", same_person)

# %% [markdown]
# ### Exercise 0b: how much is that?
#
# Look at the list of distances above. One number alone says little: it needs a yardstick. Below, the distances from identity 0 to eleven other people, all with a neutral face. **How many of the eight attributes can move this face further than the *nearest other person* is away?**

# %%
neutral = model.embed(faces.render_batch(faces.identities, [{}] * 12), batch_size=8)
others = np.linalg.norm(neutral[1:] - neutral[0], axis=1)
print("distances to the others:", np.sort(others).round(2))

# %% tags=["exercise"]
# BEGIN SOLUTION: count them, in code or by eye
how_many = sum(distance > others.min() for distance in furthest.values())
# END SOLUTION

# %% tags=["check"]
course.check("00b", how_many, furthest, others)

# %% [markdown]
# ## 3. Do all faces move the same way?
#
# *How far* is one thing, *in which direction* is another. Take many random faces of one person, change an attribute a little, and compare the directions in which the embeddings move. The **alignment energy** $E$ is the mean of $1 - \cos\theta$, where $\theta$ is the angle between the moves of two neighbouring faces:
#
# - $E = 0$: all move the same way. The model has a direction for this attribute: it **depends** on it.
# - $E = 1$: the directions are as random as noise, the **null model**. As far as direction goes, the model is **invariant** to it.
#
# One cell renders some five hundred faces and embeds them (about half a minute, once: the result is kept on disk).

# %%
lattice = fr.sample_lattice(fr.Avatars(identities=3, seed=0), fr.PAPER_ATTRIBUTES, curves=10, seed=0)
embeddings = fr.embed(lattice, model, batch_size=8, progress=False)

# %%
field = fr.vector_field(embeddings)
energies = fr.alignment(field, neighborhood=fr.knn(5), null_draws=50, seed=0)
fr.charts.energy_by_attribute(energies)

# %% [markdown]
# Each mark is one identity. The dashed line is where directions would be if they were random.
#
# A low energy does not mean a large move, and a large move does not mean a low energy: read `magnitude` (the length of the move, relative to the mean distance between faces of that identity) beside `energy`.

# %%
energies.groupby("attribute", sort=False)[["energy", "magnitude", "null_mean", "coverage"]].mean().round(2)

# %% [markdown]
# ## Your own model
#
# Any torch network, or an `.onnx` file, takes dlib's place once a **card** says how it wants its faces: size, colour order, scaling, where the landmarks lie, and which distance it was trained for. This one is untrained, so its answers mean nothing yet; put yours in its place.

# %%
import torch

from fr_explore.models import PRESETS

layers = torch.nn.Conv2d(3, 16, 7, stride=4), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()
card = fr.ModelCard(
    name="mine", title="My untrained network", input_size=112, dim=16, metric="cosine",
    color_order="RGB", mean=(127.5,) * 3, std=(127.5,) * 3,  # the network sees (255 x - mean) / std
    template=PRESETS["arcface"].template,  # where the five landmarks lie in the crop
)
mine = fr.load_model(torch.nn.Sequential(*layers), card=card)  # or fr.load_model("net.onnx", card="arcface")
mine.embed(faces.render(0)).shape

# %% [markdown]
# ## Take away
#
# - An embedding moves when an attribute of the face changes; the threshold decides when that is too far.
# - *How far* (magnitude) and *how orderly* (energy) are two different questions.
# - These are three generated identities, one network and one neighbourhood size: enough to be curious, not enough to conclude. How many identities, which scale and which null model it takes is what the rest of the course is about.
#
# Next: [1. From pixels to points](01-from-pixels-to-points.ipynb). Words that are new: [the glossary](GLOSSARY.md).
#
# The quantities are those of Leroy, Mastropietro, Nurisso and Vaccarino, *Attributes Shape the Embedding Space of Face Recognition Models*, ICML 2025, [arXiv 2507.11372](https://arxiv.org/abs/2507.11372).
