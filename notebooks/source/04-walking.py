# %% [markdown]
# # 4. Walking along an attribute
#
# *About 30 minutes. Before this: [1. From pixels to points](01-from-pixels-to-points.ipynb); the derivative as a limit.*
#
# Change one attribute of a face, little by little, and its embedding walks along a **curve** through a space of 128 dimensions. Is the curve straight? Has it a direction at all? This notebook walks, measures, and ends with a **field**: an arrow at every face, which says where an attribute pushes it.
#
# You will
#
# - tell the length of a curve from the distance between its ends,
# - estimate the direction of a curve with finite differences,
# - choose a step that is neither lost in noise nor bent by curvature,
# - read a vector field and its projection.

# %% [markdown]
# ## 1. Predict
#
# The head of person 0 turns from 30° to one side to 30° to the other. **Draw how far the embedding is from the one of the face that looks straight ahead**, at each angle.

# %%
import altair as alt
import numpy as np
import pandas as pd

import fr_explore as fr
from fr_explore_widgets import FieldExplorer, Prediction, course

faces = fr.Avatars(identities=3, seed=0)
model = fr.load_model("dlib")
angles = np.linspace(-30, 30, 13)
course.show_faces(
    [faces.render(0, {"head_angle": a}) for a in angles[::3]], [f"{a:g}°" for a in angles[::3]],
    alt="The head turns:",
)

# %% tags=["widget"] alt="Empty axes, head angle against distance, in which a curve can be drawn, and a button that commits it"
guess = Prediction(
    "How far from the face at 0° ?", "curve", x=angles, low=0, high=0.6,
    x_label="head angle in degrees", y_label="distance",
)
guess

# %% tags=["solution"]
guess.commit(list(0.3 * (angles / 30) ** 2))

# %%
turning = fr.sweep(faces, model, 0, "head_angle", steps=angles)
course.reveal(guess, turning["distance"])

# %%
turning[["strength", "distance", "same_person"]].set_index("strength").round(2).T

# %% [markdown]
# Two things surprise most people. The curve is no parabola: near 0° it rises like a V, because a *distance* is a length, and a length leaves zero at once, however smooth the way is. And it is not the same on both sides: one half of a face is not the other, and the lamp stays where it is.

# %% [markdown]
# ## 2. How long is the way?
#
# Let $x_0, x_1, \dots, x_n$ be the embeddings at neighbouring strengths. The **length** of the way is $\sum_{i} \lVert x_{i+1} - x_i\rVert$; the **chord** is the straight line from start to end, $\lVert x_n - x_0\rVert$. Their quotient, chord by length, is 1 for a straight line and near 0 for a walk that comes back to its start.
#
# ### Exercise 4a: straightness

# %% tags=["exercise"]
def straightness(points):
    """Chord by length of a curve through the points (n, dim), in their order -> a number from 0 to 1."""
    # BEGIN SOLUTION: the lengths of all steps, from each point to the next; the chord divided by them.
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    return np.linalg.norm(points[-1] - points[0]) / steps.sum()
    # END SOLUTION

# %% tags=["check"]
course.check("04a", straightness)

# %%
rows = []
for name in ("age", "head_angle", "illumination", "expression", "hue"):
    record = faces.attributes[name]
    for person in faces.identities:
        recipes = [{name: s} for s in np.linspace(record.low, record.high, 13)]
        way = model.embed(faces.render_batch([person] * 13, recipes, size=96), batch_size=8)
        length = np.linalg.norm(np.diff(way, axis=0), axis=1).sum()
        chord = np.linalg.norm(way[-1] - way[0])
        rows.append({
            "attribute": name, "person": person,
            "length": length, "chord": chord, "straightness": chord / length,
        })
walks = pd.DataFrame(rows)
walks.groupby("attribute", sort=False)[["length", "chord", "straightness"]].agg(["mean", "min", "max"]).round(2)

# %% [markdown]
# (Thirteen faces on each way; mean, least and largest of three people.) A long way with a short chord *wanders*: at every step the embedding moves, but hardly ever twice in the same direction. That is what near-invariance looks like from close by: not standing still, but getting nowhere. Only part of the wandering is the model's doing, as section 4 shows.

# %% [markdown]
# ## 3. Which way? Finite differences
#
# Let $f(s)$ be the embedding at the strength $s$. Its **tangent** is the derivative $f'(s)$: which way, and how fast. We cannot differentiate a renderer, but we can take a step of size $h$ to either side:
#
# $$v = f(s+h) - f(s-h) \;\approx\; 2h\, f'(s) .$$
#
# This is the **central difference**; the paper uses it at every face. It has a length, the **magnitude** $\lVert v\rVert$, and a **direction** $v / \lVert v\rVert$. Why not the simpler *forward difference* $f(s+h) - f(s)$? Because to either side the curvature cancels: the error shrinks with $h^2$ instead of $h$.
#
# ### Exercise 4b: magnitude and direction

# %% tags=["exercise"]
def central_difference(below, middle, above):
    """(magnitude, direction) of the central difference.

    below, middle, above: embeddings (dim,) one step below the base point, at it, and one step above.
    """
    # BEGIN SOLUTION: the difference of two of the three; its length; the difference divided by it.
    v = above - below
    magnitude = np.linalg.norm(v)
    return magnitude, v / magnitude
    # END SOLUTION

# %% tags=["check"]
course.check("04b", central_difference)

# %% [markdown]
# ## 4. How small a step?
#
# Mathematics says: the smaller $h$, the better. Let us try steps from tiny to huge, and look at the **speed** $\lVert v\rVert / 2h$, how far the embedding moves per year or per degree. Where $h$ is a good choice, the speed does not depend on it. We do it twice: with the exact pixels, and with pixels rounded to 8 bits as in any picture file.

# %%
sizes = np.geomspace(0.02, 12, 8)
centers = {"age": 47, "head_angle": 5}


def speeds(name, round_pixels):
    recipes = [{name: centers[name] + side * h} for h in sizes for side in (-1, 1)]
    shown = faces.render_batch([0] * 16, recipes, size=112)
    if round_pixels:
        shown = [fr.Face((face.pixels * 255).round().astype("float32") / 255, face.landmarks) for face in shown]
    ends = model.embed(shown, batch_size=8).reshape(len(sizes), 2, -1)
    return np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1) / (2 * sizes)

# %%
table = pd.concat([
    pd.DataFrame({
        "attribute": name, "pixels": "8 bits" if coarse else "exact", "h": sizes, "speed": speeds(name, coarse),
    })
    for name in centers for coarse in (False, True)
])

# %%
words = "Speed against step size, on logarithmic axes: for small steps it rises, more so with 8-bit pixels"
colors = alt.Scale(domain=list(centers), range=[fr.ATTRIBUTES[name].color for name in centers])
log, grey = alt.Scale(type="log", nice=False), alt.Legend(symbolFillColor="gray", symbolStrokeColor="gray")
lines = alt.Chart(table, description=words).mark_line(point=True).encode(
    x=alt.X("h", scale=log, title="step h (years, degrees)", axis=alt.Axis(tickCount=4)),
    y=alt.Y("speed", scale=log, title="speed (distance per unit)", axis=alt.Axis(tickCount=4)),
    color=alt.Color("attribute", scale=colors, title=None), strokeDash=alt.StrokeDash("pixels", legend=None),
    shape=alt.Shape("pixels", scale=alt.Scale(range=["square", "circle"]), legend=grey),
).properties(width=480, height=280)
fr.charts.style.finish(lines, "How fast does the embedding move?", "one face, steps of different sizes")

# %% [markdown]
# Read it from right to left. Far right the step is so long that the curve bends under it. In the middle, *age* has a plateau: a speed that the step does not change. Far left the lines climb: a step so small changes a few pixels only, by amounts that depend on where edges fall between them, and the model answers to that. Rounding to 8 bits makes it far worse. *Head angle* has hardly a plateau: every little turn moves every edge in the picture.
#
# So "the direction of the curve" is a statement *at a step size*. The library's default steps (`faces.attributes["age"].step`) lie well above the noise and below the curvature, and a finding worth reporting should survive half and double the step.

# %%
records = [faces.attributes[name] for name in fr.PAPER_ATTRIBUTES]
pd.DataFrame({record.name: f"{record.step:g} {record.unit}" for record in records}, index=["default step"])

# %% [markdown]
# ## 5. A field
#
# Now take not one face but many: random **base points** in the space of attributes, all of one person. At each, one step to either side along an attribute, and one arrow. That is a **vector field**: `point` (where), `direction` (which way, length 1), `magnitude` (how far).

# %%
walked = ["age", "head_angle", "brightness"]
lattice = fr.sample_lattice(faces, walked, curves=14, seed=0)
field = fr.vector_field(fr.embed(lattice, model, size=112, batch_size=8, progress=False))
field

# %%
fr.charts.field_quiver(field, identity=0)

# %% [markdown]
# An arrow that looks short points mostly *out of the plane*: the second line says how little of the arrows the plane shows. So judge by eye with care; whether two arrows agree is computed in all dimensions. Hover over an arrow to see its three faces, and the neighbours it is compared with.

# %% tags=["widget"] alt="A plane with an arrow at every base point, the three faces of the chosen one, and a curve of energy over scale"
explorer = FieldExplorer(field, lattice)
explorer

# %% [markdown]
# ### Exercise 4c: do two attributes push the same way?
#
# Brightness and age both change how light a face looks. At every base point compare the two arrows, and take the mean over base points of $\cos\theta$, with $\theta$ the angle between them.

# %% tags=["exercise"]
def mean_cosine(first, second):
    """Mean over points of the cosine between two fields of directions, (n, dim) each, all of length 1."""
    # BEGIN SOLUTION: the inner product of the two arrows at each point, then the mean over points.
    return (first * second).sum(axis=1).mean()
    # END SOLUTION

# %% tags=["check"]
course.check("04c", mean_cosine)

# %%
fr.charts.field_similarity(fr.field_similarity(field))

# %% [markdown]
# The chart shows $1 - \cos\theta$, mean over base points and identities: 0 the same way, 1 unrelated, 2 opposite ways. In 128 dimensions unrelated arrows are nearly at right angles, so values near 1 are what chance gives; with fourteen base points a value between 0.9 and 1.1 says nothing.

# %% [markdown]
# ## Take away
#
# - Along an attribute the embedding walks a curve. Length says how much it moves, the chord how far it gets.
# - A direction is measured at a step size. Too small: noise. Too large: curvature. Say which one you took, and try its half and double.
# - A field is an arrow at each of many faces. A plane shows little of it; compare arrows in all dimensions.
# - Three people, one network, generated faces: the pattern is worth noticing, the numbers are theirs.
#
# Next: [5. Alignment energy](05-alignment-energy.ipynb). To read: Leroy and others, ICML 2025, [arXiv 2507.11372](https://arxiv.org/abs/2507.11372); Fornberg, *Generation of finite difference formulas on arbitrarily spaced grids*, Mathematics of Computation 51, 1988, [doi 10.1090/S0025-5718-1988-0935077-0](https://doi.org/10.1090/S0025-5718-1988-0935077-0).
