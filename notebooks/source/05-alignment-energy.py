# %% [markdown]
# # 5. Alignment energy
#
# *About 40 minutes. Before this: [4. Walking along an attribute](04-walking.ipynb).*
#
# ![A grid of arrows that point away from the middle with some noise, a disc around one of them, and the energy of its neighbours](attachment:first.png)
#
# Put an arrow on every face: the direction in which an attribute moves its embedding. If all arrows agree, the model **depends** on that attribute; if they point in random directions, it is, as far as direction goes, **invariant** to it. Physicists have measured the agreement of arrows in magnets for a hundred years. This notebook borrows their energy.

# %%
import numpy as np
import pandas as pd

import fr_explore as fr
from fr_explore_widgets import EnergyPlayground, Prediction, course

person = fr.Avatars(identities=1, seed=0)
varied = ["head_angle", "illumination", "expression"]
_, looks = course.snapshots(person, each=3, spread=0.6, seed=3, attributes=varied)
steps = [{**look, "age": age} for look in looks for age in (30, 60)]
sides = [face.pixels for face in person.render_batch([0] * 6, steps, size=112)]
shown = [fr.Face(np.concatenate(sides[i : i + 2], axis=1)) for i in (0, 2, 4)]
course.show_faces(shown, ["from 30 to 60 years"] * 3, alt="A face, and the same face older:", width=224)

# %% [markdown]
# You will
#
# - compute the alignment energy by hand and find its closed form,
# - learn what random arrows give, to tell order from luck,
# - see how the energy of one field depends on who counts as a neighbour,
# - read a profile over scales with its coverage and its spread over people.

# %% [markdown]
# ## 1. Predict: a whirlpool
#
# Place arrows on a ring, each pointing along it, like leaves in a whirlpool. Let $u_i$ be the arrow at position $i$, of length 1, and compare it with *every other* arrow: compute $1 - \cos\theta_{ij}$, where $\theta_{ij}$ is the angle between $u_i$ and $u_j$. The result is 0 for parallel arrows, 1 for a right angle and 2 for opposite arrows. **What is the mean over all pairs?**

# %% tags=["widget"] alt="A number from 0 to 2 to be guessed, the energy of a whirlpool, and a button that commits the guess"
guess = Prediction("The mean of 1 - cos over all pairs of arrows in a whirlpool", "number", low=0, high=2)
guess

# %% tags=["solution"]
guess.commit(0.3)

# %%
whirlpool = EnergyPlayground("tangential", rule="all")
course.reveal(guess, whirlpool.energy())

# %% [markdown]
# <details><summary>After your guess</summary>
#
# The arrows look perfectly ordered, and yet they score like noise, because every arrow has an opposite. (A little above 1, because an arrow is not compared with itself: exercise 5b.)
#
# </details>

# %% [markdown] tags=["open"]
# Now compare each arrow only with its close neighbours. Change the *radius* of the neighbourhood, then try the other presets and *order*.

# %% tags=["widget"] alt="Arrows on a ring, a disc that shows the neighbourhood of one of them, sliders for order and radius, and the energy with its formula"
playground = EnergyPlayground("tangential", rule="ball", radius=0.6)
course.after(guess, playground)

# %%
rules = {"2 nearest": fr.knn(2), "radius 0.6": fr.ball(0.6), "radius 1": fr.ball(1)}
rules["all others"] = fr.all_pairs(power=0)
with course.after(guess):
    for name, rule in rules.items():
        print(f"{name:10} {fr.alignment_energy(*playground.arrows(), rule):.2f}")

# %% [markdown]
# <details><summary>After your guess</summary>
#
# **The same arrows can have any energy from nearly 0 to about 1.** Order depends on scale: a whirlpool is ordered locally and disordered as a whole. So is a magnet: all spins agree inside one domain, but over the whole piece of iron they cancel.
#
# </details>

# %% [markdown]
# ## 2. The energy
#
# Let $B(i)$ be the set of neighbours of $i$, and $|B(i)|$ their number. Then
#
# $$E_i = \frac{1}{|B(i)|} \sum_{j \in B(i)} (1 - u_i \cdot u_j),$$
#
# and $E$ is the mean of all $E_i$.
#
# ($u_i \cdot u_j = \cos\theta_{ij}$, because both have length 1.) A point is never its own neighbour: that would add a spurious zero.
#
# ### Exercise 5a: the energy by hand


# %% tags=["exercise"]
def energy(directions, neighbors):
    """E of unit arrows (n, dim); neighbors[i] holds the indices of the neighbours of i, never i itself."""
    # BEGIN SOLUTION: for each arrow the mean of 1 - cosine over its neighbours; then the mean over arrows.
    return np.mean([np.mean(1 - directions[near] @ u) for u, near in zip(directions, neighbors, strict=True)])
    # END SOLUTION


# %% tags=["check"]
course.check("05a", energy)

# %% [markdown]
# ### Exercise 5b: all pairs at once
#
# If *every other* arrow is a neighbour, no loop is needed. Let $m = \frac1n \sum_i u_i$ be the mean arrow, the **magnetisation** as a vector. Expand $|m|^2$, remove the $n$ terms with $i = j$, and express $E$ in terms of $n$ and $|m|$ alone.


# %% tags=["exercise"]
def energy_of_all_pairs(directions):
    """E of unit arrows (n, dim) if every other arrow is a neighbour, without forming pairs."""
    # BEGIN SOLUTION: from n and the length of the mean arrow; check it with three arrows by hand.
    n = len(directions)
    return n / (n - 1) * (1 - np.sum(directions.mean(axis=0) ** 2))
    # END SOLUTION


# %% tags=["check"]
course.check("05b", energy_of_all_pairs)

# %% [markdown]
# ## 3. What would chance give?
#
# Draw random arrows at the same positions, compute $E$, and repeat. This is the **null model**. Its mean is 1 in any dimension. Its spread depends on the dimension: in many dimensions, two random arrows are almost always nearly at right angles.

# %%
rng = np.random.default_rng(0)
places = rng.standard_normal((40, 2))
draws = {
    dim: [fr.alignment_energy(places, rng.standard_normal((40, dim)), "knn:5") for _ in range(200)]
    for dim in (2, 16, 128)
}
pd.DataFrame(draws).rename_axis(columns="dimensions").agg(["mean", "std"]).round(3)

# %% [markdown]
# In 128 dimensions, forty random arrows score 1 to within a few hundredths. So an energy of 0.9 can be *significant* and still mean that there is almost no common direction. Significant is not the same as large.

# %% [markdown]
# ## 4. A real field
#
# We take three people, twenty random faces of each, four attributes and dlib's network. This takes about half a minute, once: the result is cached on disk.

# %%
faces = fr.Avatars(identities=3, seed=0)
model = fr.load_model("dlib")
lattice = fr.sample_lattice(faces, ["age", "head_angle", "brightness", "contrast"], curves=20, seed=0)
field = fr.vector_field(fr.embed(lattice, model, size=96, batch_size=8, progress=False))

# %%
near = fr.alignment(field, neighborhood=fr.knn(3), null_draws=100, seed=0)
far = fr.alignment(field, neighborhood=fr.all_pairs(power=0), null_draws=100, seed=0)
each = near.groupby("attribute", sort=False)
pd.DataFrame(
    {
        "3 nearest": each["energy"].median(),
        "least": each["energy"].min(),
        "largest": each["energy"].max(),
        "all pairs": far.groupby("attribute", sort=False)["energy"].median(),
        "magnitude": each["magnitude"].median(),
    }
).round(2)

# %% [markdown]
# The table shows medians over three people; `least` and `largest` are the extremes over people for the three nearest neighbours. **This** spread is the error bar to quote, because it shows how much another person would change the result. `magnitude` is the median length of the arrows, in units of the mean distance between faces of the same person. `power=0` gives all pairs the same weight, as in section 1; by default, `fr.all_pairs()` weighs a pair by one over its distance, so that near faces count more.

# %%
fr.charts.energy_by_attribute(near)

# %% [markdown]
# ## 5. A number for every scale
#
# `fr.ball(r)` takes all faces within $r$ times the person's mean pairwise distance as neighbours. If $r$ varies, the energy becomes a curve: the **profile**. The chart below it shows the **coverage**, the share of faces that have any neighbour. Where it is low, the curve rests on a few crowded faces.

# %%
profile = fr.alignment_profile(field, np.linspace(0.3, 1.5, 13), null_draws=50, seed=0)
fr.charts.profile(profile)

# %% [markdown]
# Do the lines cross? Then the ranking of the attributes depends on the scale, and a paper that quotes one radius quotes one of many rankings. In the paper's own figures, head angle is the *most* ordered of eight attributes for the five nearest neighbours, and one of the two *least* ordered for all pairs. Neither result is wrong. The next table ranks our four attributes at three radii: 1 is the lowest energy, the most ordered.

# %%
order = profile.groupby(["radius", "attribute"])["energy"].median().unstack().dropna()
order.rank(axis=1).iloc[::4].astype(int).rename_axis(columns="rank")

# %% [markdown]
# ## 6. Why one number is not enough
#
# ### Exercise 5c: read the pair
#
# An attribute has $E = 0.97$, null $1.00 \pm 0.01$, and a magnitude of $0.4$. How does the model treat it?
#
# - `"a"`: it ignores the attribute, since $E$ is nearly 1.
# - `"b"`: the attribute moves embeddings far, but each face in a different direction.
# - `"c"`: it depends on the attribute, since $E$ is three standard deviations below the null.

# %% tags=["exercise"]
# BEGIN SOLUTION: "a", "b" or "c"
reading = "b"
# END SOLUTION

# %% tags=["check"]
course.check("05c", reading)

# %% [markdown]
# | | small magnitude | large magnitude |
# |---|---|---|
# | **low energy** | a weak but consistent trace: readable by a probe, harmless to recognition | the model depends on the attribute in the same way everywhere |
# | **high energy** | true invariance: little movement, in no particular direction | sensitive, but each face in its own way: errors cannot be predicted from other faces |
#
# In a perfectly invariant model the arrows have length 0, so they have no direction and no energy: the library excludes them and reports their share as `zero_direction`.

# %% [markdown]
# ## Take away
#
# - $E$ is the mean of $1 - \cos$ between an arrow and its neighbours' arrows: 0 if parallel, 1 if random.
# - It depends on who counts as a neighbour. Report the scale or, better, the whole profile with its coverage.
# - For significance, compare with random arrows; for size, look at the magnitude; for certainty, at the spread over people.
# - These were three avatars and one network. The paper's own numbers rest on forty identities.
#
# Next: [6. Where the truth is known](06-controlled-models.ipynb) tests it on models for which we *know* what they depend on. Further reading: Leroy and others, ICML 2025, [arXiv 2507.11372](https://arxiv.org/abs/2507.11372); on the physics behind it: Kosterlitz and Thouless, *Ordering, metastability and phase transitions in two-dimensional systems*, J. Phys. C 6, 1973, [doi 10.1088/0022-3719/6/7/010](https://doi.org/10.1088/0022-3719/6/7/010).
