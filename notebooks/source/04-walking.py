# %% [markdown]
# # 4. Walking along an attribute
#
# *About 40 minutes. Before this: [1. From pixels to points](01-from-pixels-to-points.ipynb); the derivative as a limit.*
#
# ![Arrows on a plane, one at each face of a person, the energy over the scale, and the faces of one arrow](attachment:first.png)
#
# Change one attribute of a face step by step, and its embedding walks along a **curve** in a space of 128 dimensions. Is the curve straight? Does it have a direction at all? This notebook walks along such curves, measures them, and ends with a **field**: an arrow at every face that shows where an attribute pushes it.

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

# %% [markdown]
# You will
#
# - distinguish the length of a curve from the distance between its ends,
# - estimate the direction of a curve with finite differences,
# - choose a step that is neither lost in noise nor bent by curvature,
# - read a vector field and its projection.

# %% [markdown]
# ## 1. Predict
#
# The head of person 0 turns from 30° on one side to 30° on the other. **For each angle, draw how far the embedding is from that of the face looking straight ahead.**

# %% tags=["widget"] alt="Empty axes, head angle against distance, in which a curve can be drawn, and a button that commits it"
guess = Prediction(
    "How far from the face at 0°?", "curve", x=angles, low=0, high=0.6,
    x_label="head angle in degrees", y_label="distance",
)
guess

# %% tags=["solution"]
guess.commit(list(0.3 * (angles / 30) ** 2))

# %%
turning = fr.sweep(faces, model, 0, "head_angle", steps=angles)
course.reveal(guess, turning["distance"])

# %%
course.after(guess, turning.set_index("strength")[["distance", "same_person"]].round(2))

# %% [markdown]
# <details><summary>After your guess</summary>
#
# What surprises most people: the curve is not a parabola. Near 0° it rises like a V. A *distance* is a length, so it grows linearly from zero even if the embedding moves smoothly. Compare the two sides as well: a face is not quite symmetric, and the lamp stays where it is, so they need not be equal.
#
# </details>

# %% [markdown]
# ## 2. How long is the path?
#
# Let $x_0, x_1, \dots, x_n$ be the embeddings at neighbouring strengths. The **length** of the path is $\sum_{i} \lVert x_{i+1} - x_i\rVert$; the **chord** is the straight line from start to end, $\lVert x_n - x_0\rVert$. The quotient, chord divided by length, is 1 for a straight line and near 0 for a path that returns to its start.
#
# ### Exercise 4a: straightness

# %% tags=["exercise"]
def straightness(points):
    """Chord divided by length of a curve through the points (n, dim), in order -> a number from 0 to 1."""
    # BEGIN SOLUTION: the length of each step from one point to the next; then the chord divided by their sum.
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
# (Thirteen faces on each path; mean, minimum and maximum over three people.) A long path with a short chord *wanders*: the embedding moves at every step, but hardly ever twice in the same direction. That is what near-invariance looks like from close up: not standing still, but getting nowhere. Only part of the wandering comes from the model, as section 4 shows.

# %% [markdown]
# ## 3. Which direction? Finite differences
#
# Let $f(s)$ be the embedding at strength $s$. Its **tangent** is the derivative $f'(s)$: the direction and the speed. We cannot differentiate the renderer, but we can take a step of size $h$ to either side:
#
# $$v = f(s+h) - f(s-h) \;\approx\; 2h\, f'(s) .$$
#
# This is the **central difference**; the paper computes it at every face. It has a length, the **magnitude** $\lVert v\rVert$, and a **direction** $v / \lVert v\rVert$. Why not use the simpler *forward difference* $f(s+h) - f(s)$? Because in the central difference the effect of curvature cancels: the error shrinks with $h^2$ instead of $h$.
#
# ### Exercise 4b: magnitude and direction

# %% tags=["exercise"]
def central_difference(below, middle, above):
    """(magnitude, direction) of the central difference.

    below, middle, above: embeddings (dim,) one step below the base point, at it, and one step above it.
    """
    # BEGIN SOLUTION: the difference of two of the three; its length; the difference divided by its length.
    v = above - below
    magnitude = np.linalg.norm(v)
    return magnitude, v / magnitude
    # END SOLUTION

# %% tags=["check"]
course.check("04b", central_difference)

# %% [markdown]
# ## 4. How small a step?
#
# In theory, the smaller $h$ is, the better. Let us try steps from tiny to huge and look at the **speed** $\lVert v\rVert / 2h$: how far the embedding moves per year or per degree. Where $h$ is a good choice, the speed does not depend on it. We do this twice: with exact pixels, and with pixels rounded to 8 bits, as in an ordinary picture file.

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
log = alt.Scale(type="log", nice=False)
grey = {"symbolStrokeColor": "gray", "symbolFillColor": "gray", "symbolOpacity": 1}
strokes = alt.Legend(symbolType="stroke", symbolSize=300, symbolStrokeWidth=2, **grey)
lines = alt.Chart(table, description=words).mark_line(point=True).encode(
    x=alt.X("h", scale=log, title="step h (years, degrees)", axis=alt.Axis(tickCount=4)),
    y=alt.Y("speed", scale=log, title="speed (distance per unit)", axis=alt.Axis(tickCount=4)),
    color=alt.Color("attribute", scale=colors, title=None), strokeDash=alt.StrokeDash("pixels", legend=strokes),
).properties(width=480, height=280)
fr.charts.style.finish(lines, "How fast does the embedding move?", "one face, steps of different sizes")

# %% [markdown]
# Read the chart from right to left. On the far right the step is so long that the curve bends within it. In the middle, *age* has a plateau: the speed does not depend on the step. On the far left the lines rise: such a small step changes only a few pixels, by amounts that depend on where edges fall between them, and the model responds to that. Rounding to 8 bits makes this much worse. *Head angle* hardly has a plateau: even a small turn moves every edge in the picture.
#
# So "the direction of the curve" is a statement *at a given step size*. The library's default steps (`faces.attributes["age"].step`) are well above the noise and small enough to avoid curvature. A finding worth reporting should hold at half and at double the step.

# %%
records = [faces.attributes[name] for name in fr.PAPER_ATTRIBUTES]
steps = {record.label: f"{record.step:g} {record.unit}".replace(" °", "°") for record in records}
pd.Series(steps).to_frame("default step")

# %% [markdown]
# ## 5. A field
#
# Now take many faces instead of one: random **base points** in the space of attributes, all of one person. At each, take one step to either side along an attribute and draw an arrow. The result is a **vector field**: `point` (where), `direction` (which way, length 1) and `magnitude` (how far).

# %%
walked = ["age", "head_angle", "brightness"]
lattice = fr.sample_lattice(faces, walked, curves=14, seed=0)
field = fr.vector_field(fr.embed(lattice, model, size=112, batch_size=8, progress=False))
parts = {name: [field[name].shape, ", ".join(field[name].dims)] for name in field}
pd.DataFrame(parts, index=["shape", "of"]).T

# %%
fr.charts.field_quiver(field, identity=0)

# %% [markdown]
# An arrow that looks short points mostly *out of the plane*: the second line of the title says how little of the arrows the plane shows. So do not trust your eye too much; whether two arrows agree is computed in all dimensions. Hover over an arrow to see its three faces and the neighbours with which it is compared.

# %% tags=["widget"] alt="A plane with an arrow at every base point, the three faces of the chosen one, and a curve of energy over scale"
explorer = FieldExplorer(field, lattice)
explorer

# %% [markdown]
# ### Exercise 4c: do two attributes push the same way?
#
# Brightness and age both change how light a face looks. Compare the two arrows at every base point: compute the mean over base points of $\cos\theta$, where $\theta$ is the angle between them.

# %% tags=["exercise"]
def mean_cosine(first, second):
    """Mean over points of the cosine between two fields of unit directions, each (n, dim)."""
    # BEGIN SOLUTION: the inner product of the two arrows at each point, then the mean over points.
    return (first * second).sum(axis=1).mean()
    # END SOLUTION

# %% tags=["check"]
course.check("04c", mean_cosine)

# %%
fr.charts.field_similarity(fr.field_similarity(field))

# %% [markdown]
# The chart shows the mean of $1 - \cos\theta$ over base points and identities: 0 for the same direction, 1 for unrelated directions, 2 for opposite directions. In 128 dimensions unrelated arrows are nearly at right angles, so chance gives values near 1; with fourteen base points, a value between 0.9 and 1.1 says nothing.

# %% [markdown]
# ## Take away
#
# - Along an attribute the embedding follows a curve. The length says how much it moves, the chord how far it gets.
# - A direction is measured at a step size. Too small: noise. Too large: curvature. Report the step you used, and try half and double.
# - A field is an arrow at each of many faces. A plane shows only a little of it; compare arrows in all dimensions.
# - Three people, one network, generated faces: the pattern is worth noticing, but the numbers are specific to them.
#
# Next: [5. Alignment energy](05-alignment-energy.ipynb). Further reading: Leroy and others, ICML 2025, [arXiv 2507.11372](https://arxiv.org/abs/2507.11372); Fornberg, *Generation of finite difference formulas on arbitrarily spaced grids*, Mathematics of Computation 51, 1988, [doi 10.1090/S0025-5718-1988-0935077-0](https://doi.org/10.1090/S0025-5718-1988-0935077-0).
