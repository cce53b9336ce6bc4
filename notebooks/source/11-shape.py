# %% [markdown]
# # 11. The shape of the cloud
#
# *About 45 minutes. Before this: [5. Alignment energy](05-alignment-energy.ipynb). Advanced and optional.*
#
# ![Arrows on a grid that turn around its middle, with some noise, a disc around one of them, and the energy of its neighbours](attachment:first.png)
#
# The pictures of a person form a cloud of points, and so do people. Three numbers promise to describe its shape: how many dimensions it has, how many loops, and whether its arrows run downhill or round in circles. All three are easy to compute and easy to misread, so we first measure clouds whose shape we know, and faces last.

# %% tags=["widget"] alt="Arrows on a ring that follow each other round like a whirlpool, with a disc around one of them, sliders for order and radius, and the energy"
import altair as alt
import numpy as np
import pandas as pd
import xarray as xr

import fr_explore as fr
from fr_explore_widgets import EnergyPlayground, Prediction, course

whirlpool = EnergyPlayground("tangential", rule="ball", radius=0.6)
whirlpool

# %% [markdown]
# You will
#
# - find out why two published dimensions, 20 and 32, cannot be set side by side, and how to make them comparable,
# - count the loops of a cloud that has no shape, and compare a diagram with such clouds,
# - split a field of arrows into a drift and two kinds of circulation, and see what this adds to the energy.

# %% [markdown]
# ## 1. Predict: 20 and 32
#
# Take the mean embedding of each of many people. In how many dimensions does this cloud of people extend? The **intrinsic dimension** of such a cloud has been estimated as about 20 for FaceNet and about 32 for ArcFace. Both models place their embeddings on a sphere around the origin. FaceNet was measured with **Euclidean** distances and ArcFace with **cosines**, $1 - \cos\theta$.
#
# Suppose that each cloud were spread evenly over a sphere of its own dimension, with 1,000 people. **How many times as many dimensions would the second sphere have as the first?**

# %% tags=["widget"] alt="A number from 0.5 to 10 to be guessed, the ratio of two dimensions, and a button that commits the guess"
guess = Prediction("Dimensions of the second sphere, divided by those of the first", "number", low=0.5, high=10)
guess

# %% tags=["solution"]
guess.commit(1.6)

# %% [markdown]
# ### How the estimate works
#
# Join $n$ points by the shortest possible network: their **minimum spanning tree**. More points need a longer tree, but each new point is closer to the others. On a line, the total length soon stops growing; in many dimensions it grows almost like $n$. In general
#
# $$L_\alpha(n) = \sum_{\text{edges}} \text{length}^\alpha \;\sim\; n^m$$
#
# with $m = 1 - \alpha / d$, where $d$ is the dimension and $\alpha$ a weight for long edges, usually 1.
#
# ### Exercise 11a: from lengths to a dimension

# %% tags=["exercise"]
def tree_dimension(sizes, lengths, alpha=1.0):
    """d, by a straight line through the logarithms.

    sizes, lengths: (trees,), the number of points of each spanning tree and its L_alpha.
    """
    # BEGIN SOLUTION: fit log L over log n by a straight line; its slope is m; solve the formula for d.
    slope, _ = np.polyfit(np.log(sizes), np.log(lengths), 1)
    return alpha / (1 - slope)
    # END SOLUTION

# %% tags=["check"]
course.check("11a", tree_dimension)

# %% [markdown]
# ### A ruler
#
# Before you trust a scale, put a known weight on it. The next cell measures evenly spread points on spheres of known dimension, with both kinds of distance. `fr.intrinsic_dimension` uses the chord by default; on a sphere around the origin, the chord *is* the Euclidean distance.

# %%
rng = np.random.default_rng(0)


def sphere(dimension, n=1000):
    points = rng.standard_normal((n, dimension + 1))
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def estimate(points, metric="euclidean"):
    return fr.intrinsic_dimension(points, metric=metric, draws=0)["dimension"][0]


ruler = pd.DataFrame({"dimension": [5, 10, 20, 40, 80, 160, 320]})
for metric in ("euclidean", "cosine"):
    ruler[metric] = [estimate(sphere(d), metric) for d in ruler["dimension"]]

# %%
first = np.interp(20, ruler["euclidean"], ruler["dimension"])
second = np.interp(32, ruler["cosine"], ruler["dimension"])
published = pd.DataFrame({"dimension": [first, second], "estimate": [20, 32]})
long = ruler.melt("dimension", var_name="distances", value_name="estimate")

# %%
log, axis = alt.Scale(type="log"), alt.Axis(values=[1, 3, 10, 30, 100, 300, 1000])
x = alt.X("dimension", title="dimension of the sphere", scale=log, axis=axis)
y = alt.Y("estimate", title="estimate", scale=log, axis=axis)
colors = alt.Scale(range=[fr.charts.style.DIFFERENT, fr.charts.style.SAME])
hues, dashes = alt.Color("distances", title=None, scale=colors), alt.StrokeDash("distances", title=None)
words = "Estimates against true dimensions, one line for each kind of distance, both below the true dimension"
lines = alt.Chart(long, description=words).mark_line(point=True).encode(x=x, y=y, color=hues, strokeDash=dashes)
marks = {"shape": "diamond", "size": 160, "filled": True, "color": "currentColor"}
stars = alt.Chart(published).mark_point(**marks).encode(x=x, y=y)
both = alt.layer(lines, stars).properties(width=420, height=280)
calibration = fr.charts.style.finish(both, "A ruler made of spheres", "diamonds: 20 and 32")

# %%
course.reveal(guess, second / first)

# %%
course.after(guess, calibration)

# %% [markdown]
# <details><summary>After your guess</summary>
#
# Three things happen at once.
#
# - **The metric.** The cosine of two points on a sphere is half their *squared* chord. Squared lengths follow the formula with $\alpha = 2$, so anyone who divides by $1 - m$ as if $\alpha$ were 1 gets half the dimension.
# - **The bias.** Even the line for Euclidean distances stays below the true dimension, and more so the higher it is: in many dimensions, a thousand points are too few to fill a sphere.
# - **The number of points.** The bias depends on $n$, as the next cell shows for one and the same sphere of 40 dimensions.
#
# </details>

# %%
sizes = [250, 500, 1000]
means = [np.mean([estimate(sphere(40, n)) for _ in range(4)]) for n in sizes]
course.after(guess, pd.DataFrame({"points": sizes, "estimate": means}).set_index("points").round(1))

# %% [markdown]
# <details><summary>After your guess</summary>
#
# So a dimension without its metric and its number of points says nothing, and two of them can be compared only as readings on the same ruler. These readings are not the dimensions of FaceNet and ArcFace either: their clouds are not spheres, and were not measured with 1,000 people. What they show is how far apart two numbers can be that look alike.
#
# </details>

# %% [markdown]
# ### Faces on the ruler
#
# Now faces, in clouds about which we know something: 220 random pictures of one person who does not exist, in which one, two or all eight attributes vary. Pictures that differ in age alone lie on a **curve**, and a curve has one dimension, in whatever space it bends. Two attributes span a **surface**. dlib's network gives 128 numbers for each picture.
#
# `fr.intrinsic_dimension` gives an interval, and in the column `sphere` the reading on the ruler: the sphere that would give the same estimate from as many points. It refuses fewer than 200 points.

# %%
model = fr.load_model("dlib")
person = fr.Avatars(identities=1, seed=0)
eight = ["age", "head_angle", "hue", "illumination", "expression", "hair_color", "brightness", "contrast"]
clouds, shown = {}, []
for count in (1, 2, 8):
    _, strengths = course.snapshots(person, each=220, spread=1, seed=1, attributes=eight[:count])
    parts = []
    for start in range(0, 220, 20):  # all at once would need much memory
        pictures = person.render_batch([0] * 20, strengths[start : start + 20], size=96)
        parts.append(model.embed(pictures, batch_size=8))
    clouds[count] = np.concatenate(parts)
    shown += pictures[:3]

# %% tags=["open"]
words = [f"{count} varied" for count in clouds for _ in range(3)]
course.show_faces(shown, words, alt="Three clouds:", width=84)

# %%
rows = {}
for count, points in clouds.items():
    for metric in ("chord", "cosine"):
        rows[count, metric] = fr.intrinsic_dimension(points, metric=metric).iloc[0]
table = pd.DataFrame(rows).T.rename_axis(["attributes", "distances"])
table = table[["dimension", "low", "high", "sphere", "sphere_low", "sphere_high"]].astype(float)
course.after(guess, table.round(1))

# %% [markdown]
# Compare the two lines of each cloud: the points are the same, so the estimates should be, and yet only the spheres nearly agree. (A reading is missing where the estimate is below that of a circle.) Then go down the table: does the dimension follow the number of attributes that vary? It need not follow exactly: a sheet that bends sharply looks thicker than it is, and an attribute that hardly moves the embedding adds less than a dimension. The intervals come from half of the points at a time, so they say how much other random pictures would change the result.

# %% [markdown]
# ## 2. Predict: loops from nothing
#
# **Persistent homology** looks for loops. Let a distance grow from 0 and join any two points that are closer than it. At some distance the joined points close a ring: a loop is **born**. As the distance grows, triangles of joined points fill the ring, and the loop **dies**. The span from birth to death is a **bar**. A real ring gives a long bar.
#
# Draw 200 points from the most boring cloud of all: a Gaussian, the same in each of 32 directions. It has no ring and no hole. **How many loops does the method find?**

# %% tags=["widget"] alt="A number from 0 to 1,000 to be guessed, the number of loops in a cloud without shape, and a button that commits the guess"
guess_loops = Prediction("Loops of 200 points of a Gaussian cloud", "number", low=0, high=1000)
guess_loops

# %% tags=["solution"]
guess_loops.commit(10)

# %% [markdown]
# ### Exercise 11b: one real loop
#
# Place $n$ points evenly on a circle. Neighbours are joined first, all at the same distance. The loop dies when the first triangle that contains the centre is complete: its *longest* side decides. Work out both distances on paper; a chord that spans the angle $\varphi$ has the length $2 r \sin(\varphi/2)$.

# %% tags=["exercise"]
def loop_of_polygon(n, r=1.0):
    """(birth, death) of the loop of n >= 4 points, evenly on a circle of radius r."""
    # BEGIN SOLUTION: birth is one side; the most even triangle around the centre has sides of n/3 steps, rounded up.
    steps = -(-n // 3)
    return 2 * r * np.sin(np.pi / n), 2 * r * np.sin(np.pi * steps / n)
    # END SOLUTION

# %% tags=["check"]
course.check("11b", loop_of_polygon)

# %% [markdown]
# The loops of a cloud need the extra `topology`. Without it, the cells of this section say so, and the notebook continues.

# %%
def persistence(points, **options):
    """`fr.persistence`, or None where its package is missing."""
    try:
        return fr.persistence(points, **options)
    except ImportError as problem:
        print(problem)


boring = persistence(rng.standard_normal((200, 32)), metric="euclidean")

loops = None if boring is None else int((boring["cloud"].eq("observed") & boring["dimension"].eq(1)).sum())

# %%
if loops:
    display(course.reveal(guess_loops, loops))

# %%
if boring is not None:
    course.after(guess_loops, fr.charts.persistence(boring))

# %% [markdown]
# <details><summary>After your guess</summary>
#
# Every filled mark would be a bar outside the **null**: clouds of as many points, with the same mean and covariance and no other shape. Grey marks are such clouds. The bars of a boring cloud lie among them, just above the diagonal: each is born, and dies at once. More dimensions give more bars, and shorter ones. A study of real embeddings that reports a thousand loops, without such clouds beside them, has reported that its points have many dimensions.
#
# </details>

# %% [markdown] tags=["open"]
# Now hide a ring in the same 32 dimensions, with noise in all of them.

# %%
angle = rng.uniform(0, 2 * np.pi, 120)
ring = 0.1 * rng.standard_normal((120, 32))
ring[:, 0] += np.cos(angle)
ring[:, 1] += np.sin(angle)
hidden = persistence(ring, metric="euclidean")
if hidden is not None:
    course.after(guess_loops, fr.charts.persistence(hidden))

# %% [markdown]
# <details><summary>After your guess</summary>
#
# The method works: what is there stands out, although most of its bars still mean nothing. And the pictures of the person?
#
# </details>

# %%
with course.after(guess_loops):
    for count, points in clouds.items():
        bars = persistence(points)
        print(f"{count} varied: {bars.attrs['words'] if bars is not None else 'not measured'}.")

# %% [markdown]
# <details><summary>After your guess</summary>
#
# With 20 random clouds, a cloud without any shape has a bar outside in one of 21 tries, for clusters and again for loops. You have just read six such counts. A single loop outside is a reason to draw another sample, not a discovery. And "outside" means no more than "unlike a Gaussian": a thin sheet of pictures is unlike one too, and has small gaps, but no hole that means anything.
#
# </details>

# %% [markdown]
# ## 3. Predict: the parts of a whirl
#
# In the whirlpool above, each arrow follows the one before it. Follow them once round, and you gain at every step and are back where you started: no landscape has such a slope. A field is therefore split into three parts that add up to it:
#
# - **gradient**: downhill in some landscape, such as a drift or a sink,
# - **curl**: circulation around small triangles of neighbours,
# - **harmonic**: circulation around holes, where there are no triangles.
#
# 300 points are spread evenly over a disc, and the arrows turn around its centre. Each point is joined to its ten nearest neighbours. **Rank the three parts of this whirl, the largest first.**

# %% tags=["widget"] alt="Three parts of a field to be ranked, gradient, curl and harmonic, and a button that commits the ranking"
guess_parts = Prediction("Which part of the whirl is largest?", "ranking", ["gradient", "curl", "harmonic"])
guess_parts

# %% tags=["solution"]
guess_parts.commit(["curl", "harmonic", "gradient"])

# %%
def field_of(points, arrows):
    """A field as `fr.vector_field` gives it, of one identity and one attribute."""
    steps = np.stack([points - arrows, points, points + arrows], axis=-2)[None, None]
    names = ("identity", "attribute", "curve", "step", "dim")
    labels = {"identity": [0], "attribute": ["arrows"], "step": [-1, 0, 1]}
    return fr.vector_field(xr.DataArray(steps, labels, names, attrs={"metric": "euclidean"}))


radius, turn = np.sqrt(rng.uniform(size=300)), rng.uniform(0, 2 * np.pi, 300)
disc = np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=1)
arrows = {
    "drift": np.tile([1.0, 0.0], (300, 1)), "sink": -disc, "whirl": disc[:, ::-1] * [-1, 1],
    "random": rng.standard_normal(disc.shape),
}
shares = pd.concat([fr.hodge_shares(field_of(disc, 0.01 * v)) for v in arrows.values()], keys=arrows)

# %%
parts = ["gradient", "curl", "harmonic"]
course.reveal(guess_parts, shares.loc["whirl", parts].iloc[0])

# %%
columns = [*parts, *(f"{part}_null" for part in parts)]
course.after(guess_parts, shares.droplevel(1)[columns].astype(float).round(2))

# %% [markdown]
# <details><summary>After your guess</summary>
#
# The drift and the sink are all gradient. The whirl is not, but look where it went: the graph of neighbours has gaps between its triangles, and a smooth rotation runs around *them*. The word "curl" is then misleading, and the graph decides between curl and harmonic, not the field. Two readings survive:
#
# - the gradient, **against its null**. Random arrows are not one third of each part: compare the line `random` with the columns of the null, which are random arrows on the same points;
# - the harmonic part, if it is far above its null: something circulates.
#
# </details>

# %% [markdown]
# ### The arrows of an attribute
#
# What do the parts add to the energy of notebook 5? Take sixty random faces of the same person, and two attributes.

# %%
lattice = fr.sample_lattice(person, ["age", "head_angle"], curves=60, seed=0)
field = fr.vector_field(fr.embed(lattice, model, size=96, batch_size=8, progress=False))
flow = fr.alignment(field, fr.knn(10), null_draws=100, seed=0, flow=True).set_index("attribute")
columns = ["energy", "null_mean", "gradient", "gradient_null", "gradient_sd", "harmonic", "harmonic_null"]
course.after(guess_parts, flow[columns].round(2))

# %% [markdown]
# Read each line twice. Is the energy far below 1? Is the gradient share far above its null? If both answers agree for every attribute, then the parts have told you nothing new, and the simpler number wins. That is to be expected: all arrows of an attribute follow one coordinate of the faces, so where they agree they also run downhill in it. The parts would matter for a field that circulates, and an attribute rarely does. And 60 points in 128 dimensions are few: nearly all of them are neighbours of each other.

# %% [markdown]
# ## Take away
#
# - A dimension has a metric, a number of points and a bias. Compare readings on the same ruler, never bare numbers.
# - Clouds without any shape have hundreds of loops. Only what lies outside clouds of the same covariance is a finding.
# - Shares of gradient, curl and harmonic part mean nothing without the shares of random arrows on the same points.
# - A new number must tell you something that a simpler one does not. These were pictures of one avatar in one network.
#
# The estimates are those of Schweinhart, *Fractal dimension and the persistent homology of random geometric complexes*, 2020, [arXiv 1808.02196](https://arxiv.org/abs/1808.02196), and Facco and others, *Estimating the intrinsic dimension of datasets by a minimal neighborhood information*, 2017, [arXiv 1803.06992](https://arxiv.org/abs/1803.06992). On loops of random clouds: Bobrowski and Skraba, 2023, [arXiv 2207.03926](https://arxiv.org/abs/2207.03926). On gradient, curl and harmonic parts: Jiang and others, *Statistical ranking and combinatorial Hodge theory*, 2011, [arXiv 0811.1067](https://arxiv.org/abs/0811.1067).
