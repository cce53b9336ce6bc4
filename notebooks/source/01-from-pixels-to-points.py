# %% [markdown]
# # 1. From pixels to points
#
# *About 40 minutes. Before this: [0. First light](00-first-light.ipynb); vectors and their length.*
#
# ![Two densities of distances, of the same person and of different people, a threshold between them, and the faces of the two pairs nearest to it](attachment:first.png)
#
# A picture is a list of numbers, and so is an embedding. Why not compare the pictures directly? This notebook follows a face from its pixels to a point in the embedding space, and a distance from its value to a decision that can be wrong in two ways.

# %%
import numpy as np
import pandas as pd

import fr_explore as fr
from fr_explore_widgets import Prediction, VerificationExplorer, course

faces = fr.Avatars(identities=12, seed=0)
model = fr.load_model("dlib")
course.show_faces(faces.render_batch(range(6), [{}] * 6), alt="Six of twelve generated people:")

# %% [markdown]
# You will
#
# - see why distances between *pixels* say little about people,
# - compute Euclidean and cosine distances, and learn which of the two a threshold belongs to,
# - trade false matches against false non-matches by moving a threshold,
# - state how certain a threshold is, with an interval.

# %% [markdown]
# ## 1. A face is a list of numbers
#
# A picture of $h \times w$ pixels has $3hw$ numbers: red, green and blue for each pixel, all between 0 and 1.

# %%
picture = faces.render(0)
print(f"pixels {picture.pixels.shape}: {picture.pixels.size:,} numbers")
print(f"embedding: {model.card.dim} numbers")

# %% [markdown]
# The model does not look at the whole picture. Five **landmarks** (eyes, nose, mouth corners) locate the face; the picture is rotated, scaled and cropped to put them where the model expects them. This is the **alignment** of the picture. Do not confuse it with the alignment *energy* of later notebooks.

# %%
turned = [picture, faces.render(0, {"head_angle": 20}), faces.render(0, {"illumination": 60})]
course.show_faces(
    [fr.show_crops(turned, model)], width=420,
    alt="Top: three pictures of one person with their landmarks marked; "
    "bottom: the crop of each that the model sees",
)

# %% [markdown]
# ## 2. Predict: which picture is nearest?
#
# Start from one picture of person 11. Here are four others: three of the same person, and one of **another person**. (We chose these two people because their skin and hair have similar colours.)

# %%
start = faces.render(11)
options = {
    "same, darker picture": faces.render(11, {"brightness": 0.6}),
    "same, head turned": faces.render(11, {"head_angle": 25}),
    "same, 35 years older": faces.render(11, {"age": 70}),
    "another person": faces.render(3),
}
course.show_faces([start, *options.values()], ["the start", *options], alt="Five faces:")

# %% [markdown]
# The **pixel distance** is the Euclidean norm of the difference between two pictures, $\sqrt{\sum_j (p_j - q_j)^2}$, where $p_j$ and $q_j$ are the $j$-th numbers of each. **Which of the four is nearest to the start in pixels?** Put the nearest at the top.

# %% tags=["widget"] alt="Four pictures to be ranked by their pixel distance, and a button that commits the guess"
guess = Prediction("Pixel distance, nearest at the top", "ranking", list(options), ascending=True)
guess

# %% tags=["solution"]
guess.commit(["same, darker picture", "same, 35 years older", "same, head turned", "another person"])

# %%
point = model.embed(start)
distances = pd.DataFrame({
    "pixels": {name: float(np.linalg.norm(face.pixels - start.pixels)) for name, face in options.items()},
    "embedding": {name: float(np.linalg.norm(model.embed(face) - point)) for name, face in options.items()},
})
course.reveal(guess, distances["pixels"])

# %%
course.after(guess, distances.sort_values("pixels").round(2))

# %% [markdown]
# <details><summary>After your guess</summary>
#
# Compare the order of the two columns. Pixel distance measures how much *paint* has to change: a darker picture costs more than a different nose. The embedding was trained to do the opposite: ignore the light and attend to the nose. An embedding is not a compressed picture: it was not made for reconstructing the picture, and two pictures that look alike may be far apart in it.
#
# </details>

# %% [markdown]
# ## 3. Two distances
#
# You can compare two embeddings $a$ and $b$ by the straight line between them or by the angle $\theta$ between them:
#
# - **Euclidean distance** $\lVert a - b\rVert$: the length of the straight line.
# - **Cosine distance** $1 - \cos\theta$, with $\cos\theta = \dfrac{a \cdot b}{\lVert a\rVert\,\lVert b\rVert}$: 0 for the same direction, 1 for a right angle, 2 for opposite directions. The lengths of $a$ and $b$ do not matter.
#
# Which one to use depends on how the model was trained; it is not a matter of taste. The model's card gives the distance, and the threshold is valid only for that distance.

# %%
fr.list_models().loc[["dlib", "facenet-vggface2"], ["metric", "threshold"]]

# %% [markdown]
# ### Exercise 1a: cosine distance

# %% tags=["exercise"]
def cosine_distance(a, b):
    """1 - cos of the angle between the vectors a and b, (d,) each -> a number from 0 to 2."""
    # BEGIN SOLUTION: divide the inner product of a and b by both lengths, and subtract the result from 1.
    return 1 - a @ b / (np.linalg.norm(a) * np.linalg.norm(b))
    # END SOLUTION

# %% tags=["check"]
course.check("01a", cosine_distance)

# %% [markdown]
# For vectors of length 1 the two distances are equivalent: $\lVert a - b\rVert^2 = 2(1 - \cos\theta)$. A cosine distance of 0.18 is a Euclidean distance of $\sqrt{0.36} = 0.6$. A threshold transferred from one to the other without this formula is simply wrong.

# %% [markdown]
# ## 4. From distances to errors
#
# Take twelve people with six pictures each. Age, light, expression and the paper's other attributes are random over their whole ranges. Two pictures of one person are a **genuine pair**; pictures of two different people are an **impostor pair**.

# %%
who, strengths = course.snapshots(faces, each=6, spread=1.0, seed=1)
embeddings = model.embed(faces.render_batch(who.tolist(), strengths, size=112), batch_size=8)
pairs = fr.pair_distances(embeddings, who, metric="euclidean")
pairs.groupby("pair")["distance"].agg(["size", "mean", "min", "max"]).round(3)

# %%
fr.charts.genuine_impostor(pairs, threshold=model.card.threshold)

# %% [markdown]
# The chart prints two error rates at the published threshold, 0.6:
#
# - **false non-match rate** (FNMR): the share of *genuine* pairs above the threshold. A person is not recognised.
# - **false match rate** (FMR): the share of *impostor* pairs at or below the threshold. Two people are mistaken for one.
#
# The threshold was chosen on photographs of real people. Generated faces lie closer together, so it accepts more impostors than it does on photographs. **A threshold belongs to a model *and* to the faces it was chosen on.**

# %% [markdown]
# Drag the handle below to a threshold at which you would let this system open your front door. Then find one at which you would let it sort your holiday pictures. (The range in brackets beside each rate says how uncertain the rate is: section 5 explains such intervals.)

# %% tags=["widget"] alt="Two overlapping densities of distances, same person and different people, with a threshold handle between them and the two error rates it causes"
explorer = VerificationExplorer(pairs, published=model.card.threshold)
explorer

# %% [markdown]
# ### Exercise 1b: the two rates

# %% tags=["exercise"]
def error_rates(genuine, impostor, threshold):
    """(false non-match rate, false match rate) of two arrays of distances; same person: <= threshold."""
    # BEGIN SOLUTION: the mean of a comparison for each kind of pair, in the order (FNMR, FMR).
    return np.mean(genuine > threshold), np.mean(impostor <= threshold)
    # END SOLUTION

# %% tags=["check"]
course.check("01b", error_rates)

# %% [markdown]
# ### Exercise 1c: a threshold with a guarantee
#
# A door needs a guarantee: *at most one impostor in a hundred gets in*. **Find the largest threshold at which the false match rate is still at most `rate`: one of the impostor distances, or a value just below one.** Any number that leads to the same decisions is correct.

# %% tags=["exercise"]
def threshold_for(impostor, rate):
    """The largest threshold (or one that decides the same) at which at most a share `rate` is <= threshold."""
    # BEGIN SOLUTION: sort the distances; count how many may pass; stop just before the next one.
    ordered = np.sort(impostor)
    allowed = int(np.floor(rate * len(ordered) + 1e-9))
    return np.nextafter(ordered[allowed], -np.inf)
    # END SOLUTION

# %% tags=["check"]
course.check("01c", threshold_for)

# %% [markdown]
# ## 5. How sure is that threshold?
#
# Sixty-six pairs of people sound like a lot, but come from only twelve people. With other people, the threshold would move. `fr.verification` sets it where both rates are equal (the **equal error rate**, EER). It then repeats this 200 times on people resampled with replacement (a **bootstrap**); the middle 95 % of the results are the interval.

# %%
result = fr.verification(embeddings, identities=who, metric="euclidean", published=0.6, draws=200, seed=0)
print(result)
columns = ["threshold", "far", "far_low", "far_high", "frr", "frr_low", "frr_high"]
result.rates.set_index("name")[columns].round(3).T

# %% [markdown]
# (`far` and `frr`, false acceptance and false rejection rate, are other names for FMR and FNMR.) We resample people, not pairs: the fifteen pairs of one person share her pictures and are not fifteen independent observations. Resampling pairs would give an interval that is too narrow.
#
# The interval cannot account for the fact that these faces are generated. It says how much *other avatars* would change the result, not what would happen with real people.

# %% [markdown]
# ## Take away
#
# - Pixel distance measures paint; embedding distance measures (mostly) identity.
# - A distance means something only together with its metric, its threshold and the faces on which the threshold was chosen.
# - A threshold trades one error against the other; where to put it is a decision about consequences, not mathematics.
# - Report a threshold with an interval over *people*.
#
# Next: [2. Two scales](02-two-scales.ipynb). Further reading: King, *High quality face recognition with deep metric learning*, [dlib's blog, 2017](http://blog.dlib.net/2017/02/high-quality-face-recognition-with-deep.html), on the network used here; Snijders and Borgatti, *Non-parametric standard errors and tests for network statistics*, Connections 22, 1999, on why people are resampled.
