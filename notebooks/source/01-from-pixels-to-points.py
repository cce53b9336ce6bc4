# %% [markdown]
# # 1. From pixels to points
#
# *About 25 minutes. Before this: [0. First light](00-first-light.ipynb); vectors and their length.*
#
# A picture is a list of numbers, and so is an embedding. Why not compare the pictures themselves? This notebook follows a face on its way from pixels to a point, and a distance on its way to a decision with two kinds of error.
#
# You will
#
# - see why distances between *pixels* know little about persons,
# - compute Euclidean and cosine distances, and know which one a threshold belongs to,
# - trade false matches against false non-matches by moving a threshold,
# - say how sure you are of a threshold, with an interval.

# %% [markdown]
# ## 1. A face is a list of numbers
#
# A picture of $h \times w$ pixels holds $3hw$ numbers: red, green and blue, each between 0 and 1.

# %%
import numpy as np
import pandas as pd

import fr_explore as fr
from fr_explore_widgets import Prediction, VerificationExplorer, course

faces = fr.Avatars(identities=12, seed=0)
model = fr.load_model("dlib")
picture = faces.render(0)
print(f"pixels {picture.pixels.shape}: {picture.pixels.size:,} numbers; embedding: {model.card.dim} numbers")

# %% [markdown]
# The model does not look at the whole picture. Five **landmarks** (eyes, nose, mouth corners) say where the face is; the picture is turned, scaled and cut so that they lie where the model expects them. This is **alignment** of the picture (not to be confused with the alignment *energy* of later notebooks).

# %%
turned = [picture, faces.render(0, {"head_angle": 20}), faces.render(0, {"illumination": 60})]
course.show_faces(
    [fr.show_crops(turned, model)], width=420,
    alt="Above, three pictures of one person with their landmarks marked; "
    "below, the crop of each that the model sees",
)

# %% [markdown]
# ## 2. Predict: who is the nearest?
#
# Start from one picture of person 4. Here are four others: three of the same person, and one of **another person**. (The two people were chosen because their pictures are alike; with others the surprise is smaller.)

# %%
start = faces.render(4)
options = {
    "same, darker picture": faces.render(4, {"brightness": 0.6}),
    "same, head turned": faces.render(4, {"head_angle": 25}),
    "same, 35 years older": faces.render(4, {"age": 70}),
    "another person": faces.render(9),
}
course.show_faces([start, *options.values()], ["the start", *options], alt="Five faces:")

# %% [markdown]
# The **pixel distance** is the Euclidean length of the difference of two pictures, $\sqrt{\sum_j (p_j - q_j)^2}$, where $p_j$ and $q_j$ are the $j$-th numbers of each. **In pixels, which of the four lies nearest to the start?** Nearest on top.

# %% tags=["widget"] alt="Four pictures to be ranked by their pixel distance, and a button that commits the guess"
guess = Prediction("Nearest in pixels, nearest on top", "ranking", list(options), ascending=True)
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
distances.sort_values("pixels").round(2)

# %% [markdown]
# Compare the order of the two columns. Pixels measure how much *paint* has to change: a darker picture costs more than a different nose. The embedding was trained to do the opposite: to ignore the light and to care about the nose. It is not a compressed picture. No picture can be read back from it, and two pictures that look alike may lie far apart in it.

# %% [markdown]
# ## 3. Two distances
#
# Two embeddings $a$ and $b$ can be compared by the straight line between them, or by the angle $\theta$ between them:
#
# - **Euclidean distance** $\lVert a - b\rVert$: the length of the straight line.
# - **cosine distance** $1 - \cos\theta$, with $\cos\theta = \dfrac{a \cdot b}{\lVert a\rVert\,\lVert b\rVert}$: 0 for the same direction, 1 for a right angle, 2 for opposite directions. The lengths of $a$ and $b$ do not matter.
#
# Which one to use is a fact about the model, not a matter of taste: it stands on its card, and the threshold is only good for that one.

# %%
for name in ("dlib", "facenet-vggface2"):
    card = fr.list_models().loc[name]
    print(f"{name:17} metric {card['metric']:10} threshold {card['threshold']}")

# %% [markdown]
# ### Exercise 1a: cosine distance

# %% tags=["exercise"]
def cosine_distance(a, b):
    """1 - cos of the angle between the vectors a and b, (d,) each -> a number from 0 to 2."""
    # BEGIN SOLUTION: divide the inner product of a and b by both lengths, and take it from 1.
    return 1 - a @ b / (np.linalg.norm(a) * np.linalg.norm(b))
    # END SOLUTION

# %% tags=["check"]
course.check("01a", cosine_distance)

# %% [markdown]
# For vectors of length 1 the two distances tell the same story: $\lVert a - b\rVert^2 = 2(1 - \cos\theta)$. So a cosine distance of 0.18 is a Euclidean one of $\sqrt{0.36} = 0.6$, and a threshold carried from one to the other without that formula is simply wrong.

# %% [markdown]
# ## 4. From distances to errors
#
# Twelve people, six pictures each: random age, light, expression and the rest of the paper's attributes, at most 60 % of the way from neutral to either end. Two pictures of one person make a **genuine** pair, of two people an **impostor** pair.

# %%
who, strengths = course.snapshots(faces, each=6, spread=0.6, seed=1)
embeddings = model.embed(faces.render_batch(who.tolist(), strengths, size=112), batch_size=8)
pairs = fr.pair_distances(embeddings, who, metric="euclidean")
pairs.groupby("pair")["distance"].describe()[["count", "mean", "std", "min", "max"]].round(3)

# %%
fr.charts.genuine_impostor(pairs, threshold=model.card.threshold)

# %% [markdown]
# At the published threshold, 0.6, look at the two rates that the chart prints:
#
# - **false non-match rate** (FNMR): share of *genuine* pairs above the threshold. A person is not recognised.
# - **false match rate** (FMR): share of *impostor* pairs at or below it. Two people are taken for one.
#
# The threshold was chosen on photographs of real people. Generated faces lie closer together, so it lets most impostors pass. **A threshold belongs to a model *and* to the faces it was chosen on.**

# %% [markdown]
# Drag the handle below until you would let the machine open your front door. Then until you would let it sort your holiday pictures.

# %% tags=["widget"] alt="Two overlapping densities of distances, same person and different people, with a threshold handle between them and the two error rates it causes"
explorer = VerificationExplorer(pairs, published=model.card.threshold)
explorer

# %% [markdown]
# ### Exercise 1b: the two rates

# %% tags=["exercise"]
def error_rates(genuine, impostor, threshold):
    """(false non-match rate, false match rate) of arrays of distances; the same person: <= threshold."""
    # BEGIN SOLUTION: one mean of a comparison for each kind of pair, in the order (FNMR, FMR).
    return np.mean(genuine > threshold), np.mean(impostor <= threshold)
    # END SOLUTION

# %% tags=["check"]
course.check("01b", error_rates)

# %% [markdown]
# ### Exercise 1c: a threshold with a promise
#
# A door needs a promise: *at most one impostor in a hundred gets in*. **Give the largest threshold, among the impostor distances themselves or just below one, at which the false match rate is still at most `rate`.** Any number with the same decisions counts as right.

# %% tags=["exercise"]
def threshold_for(impostor, rate):
    """The largest threshold (or one that decides alike) at which at most a share `rate` is <= threshold."""
    # BEGIN SOLUTION: sort the distances; count how many may pass; stop just before the first that may not.
    ordered = np.sort(impostor)
    allowed = int(np.floor(rate * len(ordered) + 1e-9))
    return np.nextafter(ordered[allowed], -np.inf)
    # END SOLUTION

# %% tags=["check"]
course.check("01c", threshold_for)

# %% [markdown]
# ## 5. How sure is that threshold?
#
# Sixty-six pairs of people sound like much, but they are twelve people. Draw other people and the threshold moves. `fr.verification` calibrates it where both rates are equal (the **equal error rate**, EER), and repeats that on people drawn anew, with replacement, 200 times (a **bootstrap**): the middle 95 % of the results are its interval.

# %%
result = fr.verification(embeddings, identities=who, metric="euclidean", published=0.6, draws=200, seed=0)
print(result)
result.rates[["name", "threshold", "far", "far_low", "far_high", "frr", "frr_low", "frr_high"]].round(3)

# %% [markdown]
# (`far` and `frr`, false acceptance and false rejection, are other names for FMR and FNMR.) People are resampled, not pairs: the fifteen pairs of one person share her pictures and are no fifteen independent observations. Resampling pairs would give an interval that is too narrow.
#
# One thing an interval cannot show: that these are generated faces. It says how much *other avatars* would change the result, not what happens with people.

# %% [markdown]
# ## Take away
#
# - Pixel distance measures paint, embedding distance measures (mostly) persons.
# - A distance means something only with its metric, its threshold and the faces that the threshold was chosen on.
# - A threshold trades two errors; where to put it is a decision about consequences, not about mathematics.
# - State a threshold with an interval over *people*.
#
# Next: [2. Two scales](02-two-scales.ipynb). To read: King, *High quality face recognition with deep metric learning*, [dlib's blog, 2017](http://blog.dlib.net/2017/02/high-quality-face-recognition-with-deep.html), on the network used here; Snijders and Borgatti, *Non-parametric standard errors and tests for network statistics*, Connections 22, 1999, on why people are resampled.
