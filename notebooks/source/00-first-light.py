# %% [markdown]
# # 0. First light
#
# *About 30 minutes. Before this: nothing; some Python helps.*
#
# ![The laboratory: a reference face, the same face older, turned and smiling, sliders, a map of people, and the distance 0.28 of 0.60: still judged the same person](attachment:first.png)
#
# A face-recognition model turns a picture of a face into a list of numbers, its **embedding**. Two pictures count as the same person if the distance between their embeddings is at most a **threshold**. Here you change one **attribute** of a face at a time and watch how far its embedding moves. Run the cell below: it shows you the laboratory.

# %% tags=["widget"] alt="The laboratory: a reference face and a live face side by side, a map of embeddings, the distance between the two faces against the threshold, and sliders for every attribute"
import fr_explore as fr
from fr_explore_widgets import AttributeExplorer, Prediction, course

faces = fr.Avatars(identities=12, seed=0)
model = fr.load_model("dlib")
explorer = AttributeExplorer(faces, model)
explorer

# %% [markdown]
# You will
#
# - slide an attribute and see the face, its embedding and the model's decision change,
# - predict which attribute moves a face furthest, then check your prediction,
# - write the model's decision rule yourself, in one line,
# - meet the **alignment energy**: does an attribute move all faces the same way?

# %% [markdown]
# ## 1. Slide
#
# The faces are generated, so nobody's photograph is needed. The model is real: dlib's face-recognition network, trained on photographs of thousands of people.

# %% [markdown]
# In the laboratory above, drag *expression* and undo it. (Leave the other sliders alone until section 2 has asked you for a guess.) The bar at the top shows the distance between the two embeddings; if it is at most the threshold, the model says "same person". Compare it with the distance to *other people*, too: the threshold was chosen on photographs.

# %% [markdown]
# ## 2. Predict
#
# Each of the paper's eight attributes can go from one end of its range to the other. **Which one moves the embedding of identity 0 furthest from its starting point?** Drag the names into order and commit your guess. Until then, the cells below keep their outputs to themselves; even a wrong guess teaches something.

# %% tags=["widget"] alt="Eight attributes in a list, to be dragged into an order, and a button that commits the guess"
guess = Prediction("Which attribute moves this face furthest?", "ranking", list(fr.PAPER_ATTRIBUTES))
guess

# %% tags=["solution"]
guess.commit(["age", "head_angle", "hair_color", "illumination", "brightness", "expression", "contrast", "hue"])

# %% [markdown]
# Now the answer. `fr.sweep` sets one attribute to several strengths, here the two ends of its range, and returns the distance from each to the unchanged face.

# %%
explorer.wait()  # until the explorer's map is complete
ends = [fr.sweep(faces, model, 0, name, steps=2) for name in fr.PAPER_ATTRIBUTES]
furthest = {table["attribute"][0]: table["distance"].max() for table in ends}
course.reveal(guess, furthest)

# %%
with course.after(guess):
    for place, name in enumerate(sorted(furthest, key=furthest.get, reverse=True), 1):
        print(f"{place}. {faces.attributes[name].label:13} {furthest[name]:.2f}")
    print(f"The model says 'same person' up to and including {model.card.threshold}.")

# %% [markdown]
# <details><summary>After your guess</summary>
#
# You can also set the sliders from code. The next cell moves the first of the list to the end of its range where the distance is larger. Run it again after your guess, scroll up and look at the face.
#
# </details>

# %%
winner = max(furthest, key=furthest.get)
sweep = fr.sweep(faces, model, 0, winner, steps=2)
end = sweep.loc[sweep["distance"].idxmax()]
if guess.answered:
    explorer.set(**{winner: end["strength"]})
with course.after(guess):
    print(f"{winner} = {end['strength']:g}: distance {end['distance']:.2f}")

# %% [markdown]
# ### Exercise 0a: the decision
#
# The model's decision is a single comparison. dlib uses the **Euclidean** distance: for embeddings $a$ and $b$ of $d$ numbers each, $\lVert a - b\rVert = \sqrt{\sum_{i=1}^{d} (a_i - b_i)^2}$. Two faces are judged the same person if their distance is *at most* the threshold.

# %% tags=["exercise"]
import numpy as np


def same_person(a, b, threshold):
    """True if the model judges the embeddings a and b, arrays (d,), to be the same person."""
    # BEGIN SOLUTION: compute the Euclidean distance between a and b, and compare it with the threshold.
    return np.linalg.norm(a - b) <= threshold
    # END SOLUTION

# %% tags=["check"]
course.check("00a", same_person)

# %% [markdown]
# ### Exercise 0b: how much is that?
#
# Look at the list of distances above. A distance alone says little: it needs something to compare with. The next cell prints the distances from identity 0 to the eleven other people, all with a neutral face. If two people could both move *half* of the way to each other, they would meet, and no threshold could tell them apart. **How many of the eight attributes can move this face further than half the distance to the *nearest other person*?**

# %%
neutral = model.embed(faces.render_batch(faces.identities, [{}] * 12), batch_size=8)
others = np.linalg.norm(neutral[1:] - neutral[0], axis=1)
with course.after(guess):
    print("distances to the other people:", np.sort(others).round(2))

# %% tags=["exercise"]
# BEGIN SOLUTION: count them, in code or by eye
how_many = sum(distance > others.min() / 2 for distance in furthest.values())
# END SOLUTION

# %% tags=["check"]
course.check("00b", how_many, furthest, others)

# %% [markdown]
# ### How little is enough?
#
# The nearest other person is *too* near: at most at the threshold, so the model takes two people for one. That is a **false match**. The next cell keeps identity 0 as the reference of the laboratory above and chooses the neighbour; run it again after your guess. Then make the model tell the two apart, with as little change of the neighbour's *picture* as you can. Use one or two sliders; the button "11 more" has further ones.

# %%
nearest = 1 + int(others.argmin())
flips = course.Flips(faces, model, nearest, reference=0)
if guess.answered:
    explorer.reset()
    explorer.pin()
    explorer.set(nearest)

# %% [markdown] tags=["open"]
# The last cell of this section says what share of the picture changed. Run it after each attempt: it keeps your best, `flips.best`. Who in your class needs least?

# %%
course.after(guess, flips.score(explorer.strengths))

# %% [markdown]
# ## 3. Do all faces move the same way?
#
# *How far* an embedding moves is one question; *in which direction* is another. Take many random faces of one person, change one attribute a little, and compare the directions in which the embeddings move. The **alignment energy** $E$ is the mean of $1 - \cos\theta$, where $\theta$ is the angle between the moves of two neighbouring faces:
#
# - $E = 0$: all embeddings move the same way. The model has a direction for this attribute: it **depends** on it.
# - $E = 1$: the directions are as random as noise, which is the **null model**. As far as direction goes, the model is **invariant** to the attribute.
#
# The next cell renders about five hundred faces and embeds them. This takes about half a minute, once: the result is cached on disk.

# %%
lattice = fr.sample_lattice(fr.Avatars(identities=3, seed=0), fr.PAPER_ATTRIBUTES, curves=10, seed=0)
embeddings = fr.embed(lattice, model, batch_size=8, progress=False)

# %%
field = fr.vector_field(embeddings)
energies = fr.alignment(field, neighborhood=fr.knn(5), null_draws=50, seed=0)
fr.charts.energy_by_attribute(energies)

# %% [markdown]
# Each mark is one identity. The dashed line is the energy of random directions.
#
# A low energy does not imply a large move, and a large move does not imply a low energy. Always read `energy` together with `magnitude`, the length of the move relative to the mean distance between faces of that identity.

# %%
energies.groupby("attribute", sort=False)[["energy", "magnitude"]].mean().round(2)

# %% [markdown]
# ## Your own model
#
# Any torch network or `.onnx` file can replace dlib once a **card** describes the input it expects (size, colour order, scaling, position of the landmarks) and the distance it was trained for. The network below is untrained, so its answers mean nothing yet; replace it with yours.

# %%
import torch

from fr_explore.models import PRESETS

layers = torch.nn.Conv2d(3, 16, 7, stride=4), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()
card = fr.ModelCard(
    name="mine", title="My untrained network", input_size=112, dim=16, metric="cosine",
    color_order="RGB", mean=(127.5,) * 3, std=(127.5,) * 3,  # the network sees (255 x - mean) / std
    template=PRESETS["arcface"].template,  # positions of the five landmarks in the crop
)
mine = fr.load_model(torch.nn.Sequential(*layers), card=card)  # or fr.load_model("net.onnx", card="arcface")
mine.embed(faces.render(0)).shape

# %% [markdown]
# ## Take away
#
# - When an attribute of a face changes, its embedding moves; the threshold decides how far is too far.
# - *How far* (magnitude) and *how consistently* (energy) are two different questions.
# - These were three generated identities, one network and one neighbourhood size: enough to make you curious, not enough to draw conclusions. The rest of the course is about how many identities, which scale and which null model you need.
#
# Next: [1. From pixels to points](01-from-pixels-to-points.ipynb). New terms are in [the glossary](GLOSSARY.md).
#
# The quantities are defined in Leroy, Mastropietro, Nurisso and Vaccarino, *Attributes Shape the Embedding Space of Face Recognition Models*, ICML 2025, [arXiv 2507.11372](https://arxiv.org/abs/2507.11372).
