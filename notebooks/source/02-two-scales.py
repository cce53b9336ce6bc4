# %% [markdown]
# # 2. Two scales
#
# *About 30 minutes. Before this: [1. From pixels to points](01-from-pixels-to-points.ipynb).*
#
# ![A map of twelve people as small faces, each with grey dots around it for other pictures of the same person](attachment:first.png)
#
# From far away a galaxy is a dot; from close up it is made of stars. The embedding space of a face-recognition model is similar. From far away each person is a dot: this is the **macroscale**. From close up the dot is a cloud of pictures of that person: this is the **microscale**.

# %%
import altair as alt
import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist

import fr_explore as fr
from fr_explore_widgets import AttributeExplorer, Prediction, course

faces = fr.Avatars(identities=12, seed=0)
model = fr.load_model("dlib")
who, strengths = course.snapshots(faces, each=8, spread=0.6, seed=2)
pictures = faces.render_batch(who.tolist(), strengths, size=96)
points = model.embed(pictures, batch_size=8)
course.show_faces(pictures[::8], [f"person {p}" for p in range(12)], alt="One picture of each:", width=80)

# %% [markdown]
# You will
#
# - measure both scales, and the ratio between them,
# - see what this ratio depends on,
# - find out what a two-dimensional map hides, and how to notice.

# %% [markdown]
# ## 1. Predict
#
# Take twelve people and eight random pictures of each. Let $d_\text{in}$ be the mean distance between two pictures of the *same* person, and $d_\text{out}$ the mean distance between pictures of *different* people. **How many times larger is $d_\text{out}$ than $d_\text{in}$?** Look at six pictures of each of two people first.

# %%
course.show_faces(
    pictures[:6] + pictures[8:14], [f"person {p}" for p in [0] * 6 + [1] * 6],
    alt="Random pictures:", width=80,
)

# %% tags=["widget"] alt="A number to be guessed, the ratio of distances between and within people, and a button that commits the guess"
guess = Prediction(
    "How many times larger is the distance between people?", "number", low=0.5, high=20,
)
guess

# %% tags=["solution"]
guess.commit(6)

# %% [markdown]
# ### Exercise 2a: measure both scales

# %% tags=["exercise"]
def two_scales(points, who):
    """(d_in, d_out): mean Euclidean distance between pictures of the same person, and of different people.

    points: (images, dim); who: (images,), the person in each. A picture does not form a pair with itself.
    """
    # BEGIN SOLUTION: all pairwise distances, two masks, without the diagonal.
    distances = cdist(points, points)
    same = who[:, None] == who[None, :]
    others = ~np.eye(len(points), dtype=bool)
    return distances[same & others].mean(), distances[~same].mean()
    # END SOLUTION

# %% tags=["check"]
course.check("02a", two_scales)

# %% [markdown]
# `fr.overlap` returns the same figures as `genuine_mean` and `impostor_mean`.

# %%
scales = fr.overlap(points, who, metric="euclidean")
course.reveal(guess, scales.ratio)

# %%
without = [fr.overlap(points[who != p], who[who != p], metric="euclidean").ratio for p in faces.identities]
with course.after(guess):
    print(f"d_in = {scales.genuine_mean:.3f}, d_out = {scales.impostor_mean:.3f}")
    print(f"ratio {scales.ratio:.2f}; with any one person left out,")
    print(f"between {min(without):.2f} and {max(without):.2f}")

# %% [markdown]
# ## 2. What the ratio depends on
#
# The ratio is not a constant of the model. It also reflects how much the pictures of one person vary. The next cell takes the same people with pictures that use a fifth, half and all of the range of each attribute.

# %%
rows = []
for spread in (0.2, 0.5, 1.0):
    people, recipes = course.snapshots(faces, each=4, spread=spread, seed=3)
    some = model.embed(faces.render_batch(people.tolist(), recipes, size=96), batch_size=8)
    found = fr.overlap(some, people, metric="euclidean")
    means = {"d_in": found.genuine_mean, "d_out": found.impostor_mean, "ratio": found.ratio}
    rows.append({"spread": spread, **means})
course.after(guess, pd.DataFrame(rows).set_index("spread").round(2))

# %% [markdown]
# <details><summary>After your guess</summary>
#
# $d_\text{in}$ grows with the spread; $d_\text{out}$ hardly changes. The paper reports a ratio of two to three on photographs of celebrities taken in the wild. So compare the ratios of two models only on *the same* pictures.
#
# </details>

# %% [markdown]
# Do the two scales overlap? Compare the largest distance within a person with the smallest distance between people.

# %%
pairs = fr.pair_distances(points, who, metric="euclidean")
course.after(guess, fr.charts.genuine_impostor(pairs, threshold=scales.threshold))

# %% [markdown]
# ## 3. The map, and what it hides
#
# Nobody can see 128 dimensions. A **principal component analysis** (PCA) rotates the cloud until its widest side faces us, and we look at its shadow on the plane of the two widest directions. The text under the title gives the share of the **variance** (the mean squared distance from the mean) that the shadow keeps.

# %%
plane = fr.pca(points)
shadow = plane.transform(points)
table = pd.DataFrame({"first": shadow[:, 0], "second": shadow[:, 1], "person": who.astype(str)})
words = "A scatter plot: a cloud of dots for each person, below the person's number, many of them overlapping"
dots = alt.Chart(table, description=words).mark_circle(size=50, opacity=0.8).encode(
    x=alt.X("first", title="first axis (embedding units)"), y=alt.Y("second", title="second axis"),
    color=alt.Color("person", legend=None, scale=alt.Scale(scheme="tableau20")), tooltip=["person"],
)
numbers = dots.mark_text(fontSize=13, fontWeight=700, dy=-14).encode(
    x="mean(first)", y="max(second)", text="person", color=alt.value("currentColor"), detail="person",
)
map_of_all = alt.layer(dots, numbers).properties(width=480, height=340)
fr.charts.style.finish(map_of_all, "96 pictures of 12 people", plane.caption)

# %% [markdown]
# A shadow can only shorten distances: two points that are far apart can fall on the same spot, never the other way round. Each dot below is one pair of pictures. On the diagonal, the distance on the map would equal the true distance.

# %%
rng = np.random.default_rng(0)
i, j = rng.integers(len(points), size=(2, 600))
sample = pd.DataFrame({
    "true distance": np.linalg.norm(points[i] - points[j], axis=1),
    "on the map": np.linalg.norm(shadow[i] - shadow[j], axis=1),
    "pair": np.where(who[i] == who[j], "same person", "different people"),
})[i != j]

# %%
words = "Distances on the map against true distances: all dots lie below the diagonal"
hues = alt.Color("pair", title=None, scale=alt.Scale(range=[fr.charts.style.DIFFERENT, fr.charts.style.SAME]))
dots = alt.Chart(sample, description=words).mark_point(filled=True, opacity=0.6).encode(
    x=alt.X("true distance", title="true distance"), y=alt.Y("on the map", title="distance on the map"),
    color=hues, shape=alt.Shape("pair", title=None),
)
honest = alt.Chart(pd.DataFrame({"d": [0, sample["true distance"].max()]})).mark_line(
    strokeDash=[4, 4], color=fr.charts.style.GREY).encode(x="d", y="d")
both = alt.layer(honest, dots).properties(width=480, height=280)
course.after(guess, fr.charts.style.finish(both, "The map shortens", "600 pairs of pictures"))

# %% [markdown]
# ### Exercise 2b: nearest neighbours
#
# Does the map at least keep neighbours together? Write a function that finds the nearest *other* point for each point. Then compare the neighbours on the map with the true neighbours.

# %% tags=["exercise"]
def nearest(points):
    """Index of the nearest other point for each point, (n, dim) -> (n,)."""
    # BEGIN SOLUTION: pairwise distances; make sure that no point is its own neighbour.
    distances = cdist(points, points)
    np.fill_diagonal(distances, np.inf)
    return distances.argmin(axis=1)
    # END SOLUTION

# %% tags=["check"]
course.check("02b", nearest)

# %%
from sklearn.neighbors import NearestNeighbors


def neighbor(points):
    return NearestNeighbors(n_neighbors=1).fit(points).kneighbors(return_distance=False)[:, 0]


true, mapped = neighbor(points), neighbor(shadow)
print(f"the nearest neighbour on the map is the true one for {np.mean(true == mapped):.0%} of the pictures")
print(f"the nearest picture shows the same person: {np.mean(who[true] == who):.0%} "
      f"in {points.shape[1]} dimensions, {np.mean(who[mapped] == who):.0%} on the map")

# %% [markdown]
# That is why the laboratory shows the true distance beside its map, in all dimensions of the model, together with the natural variation of the same person. Try it: find two faces that touch on the map and read their true distance. Then drag *age* from end to end: does the trail leave the cloud of its own person?

# %% tags=["widget"] alt="The laboratory: faces, a map of embeddings with one cloud per person, the true distance beside it, sliders"
explorer = AttributeExplorer(faces, model, variations=4)
explorer

# %% [markdown]
# ## 4. Dots of dots
#
# At the macroscale a person is one dot: the mean of her pictures, the **barycentre**. How well does the dot represent its cloud? For each person, the next cell compares the mean distance from her pictures to her barycentre with the distance from there to the nearest other barycentre.

# %%
middles = np.stack([points[who == p].mean(axis=0) for p in faces.identities])
radius = [np.linalg.norm(points[who == p] - middles[p], axis=1).mean() for p in faces.identities]
gaps = np.sort(cdist(middles, middles), axis=1)[:, 1]
cloud = pd.DataFrame({"person": faces.identities, "radius of the cloud": radius, "nearest other person": gaps})
course.after(guess, cloud.assign(quotient=gaps / np.array(radius)).set_index("person").round(2))

# %% [markdown]
# At a quotient of two, two clouds of equal radius would touch. The larger the quotient, the better the dot stands for its cloud, and the more room there is for a threshold. With wider ranges, as in section 2, the clouds grow and the room shrinks. No single scale separates *pictures* from *people*; each has a distribution.

# %% [markdown]
# ## 5. A number that cannot be compared
#
# In how many dimensions does a cloud really extend? The length of the shortest tree that joins $n$ points grows like $n^m$, and $d = 1/(1-m)$ estimates the **intrinsic dimension**. Estimates of about 20 for FaceNet and 32 for ArcFace have been published, but one was measured with Euclidean distances and the other with cosines. The cosine is a squared chord, and squaring the distances *halves* the estimate, so the two numbers cannot be set side by side. `fr.intrinsic_dimension(points, who)` therefore uses the chord for every model. It also says which sphere, with as many points, would give the same estimate, because all estimates are too low in many dimensions. Below 200 points it refuses: our twelve people are too few for any such number.

# %% [markdown]
# ## Take away
#
# - Macroscale: people. Microscale: the pictures of one person. The ratio of the two says how well a model separates people *on these pictures*.
# - The ratio depends on how the pictures were taken; compare models only on the same pictures.
# - A map is a shadow. It shows groups, not distances; read the share of variance and the true distance beside it.
# - These were twelve avatars; leaving one out moved the ratio by the range printed above.
#
# Next: [3. Attributes shape the macroscale](03-macroscale.ipynb). The two scales come from Leroy and others, ICML 2025, [arXiv 2507.11372](https://arxiv.org/abs/2507.11372). On maps: Chari and Pachter, *The specious art of single-cell genomics*, 2023, [doi 10.1371/journal.pcbi.1011288](https://doi.org/10.1371/journal.pcbi.1011288).
