# %% [markdown]
# # 5. Alignment energy
#
# *About 30 minutes. Before this: [4. Walking along an attribute](04-walking.ipynb).*
#
# Put an arrow on every face: the direction in which an attribute moves its embedding. If all arrows agree, the model has a direction for that attribute: it **depends** on it. If they point anywhere, it has none: it is **invariant** to it, as far as direction goes. Physicists have measured agreement of arrows for a hundred years, in magnets. This notebook borrows their energy.
#
# You will
#
# - compute the alignment energy by hand and find its closed form,
# - learn what random arrows give, so that you can tell order from luck,
# - see one field score 0 and 1, depending on who counts as a neighbour,
# - read a profile over scales, with its coverage and its spread over people.

# %% [markdown]
# ## 1. Predict: a whirlpool
#
# Arrows stand on a ring, each pointing along it, like leaves in a whirlpool. Let $u_i$ be the arrow at place $i$, of length 1, and compare it with *every other* arrow: $1 - \cos\theta_{ij}$, with $\theta_{ij}$ the angle between $u_i$ and $u_j$. It is 0 for parallel arrows, 1 at a right angle, 2 for opposite ones. **What is the mean over all pairs?**

# %%
import numpy as np
import pandas as pd

import fr_explore as fr
from fr_explore_widgets import EnergyPlayground, Prediction, course

# %% tags=["widget"] alt="A number from 0 to 2 to be guessed, the energy of a whirlpool, and a button that commits the guess"
guess = Prediction("The mean of 1 - cos over all pairs of arrows of a whirlpool", "number", low=0, high=2)
guess

# %% tags=["solution"]
guess.commit(0.3)

# %%
whirlpool = EnergyPlayground("tangential", rule="all")
course.reveal(guess, whirlpool.energy())

# %% [markdown]
# The arrows are perfectly ordered, to the eye, and yet they score like noise: for every arrow there is an opposite one. Now let each arrow look at its close neighbours only. Turn the *radius* of the neighbourhood, then try the other presets and *order*.

# %% tags=["widget"] alt="Arrows on a ring, a disc that shows the neighbourhood of one of them, sliders for order and radius, and the energy with its formula"
playground = EnergyPlayground("tangential", rule="ball", radius=0.6)
playground

# %%
for rule in ("knn:2", "ball:0.6", "ball:1", "all_pairs"):
    print(f"{rule:10} {fr.alignment_energy(*playground.arrows(), rule):.2f}")

# %% [markdown]
# **The same arrows, and any energy between 0 and 1.** Order has a scale: a whirlpool is ordered nearby and disordered as a whole. A magnet knows this too: inside one domain all spins agree, over the whole piece of iron they cancel.

# %% [markdown]
# ## 2. The energy
#
# Let $B(i)$ be the neighbours of $i$, and $|B(i)|$ their number. Then
#
# $$E_i = \frac{1}{|B(i)|} \sum_{j \in B(i)} (1 - u_i \cdot u_j), \qquad E = \text{mean of the } E_i \text{ over all } i .$$
#
# ($u_i \cdot u_j = \cos\theta_{ij}$, because both have length 1.) A point is never its own neighbour: it would add a zero of its own making.
#
# ### Exercise 5a: the energy by hand

# %% tags=["exercise"]
def energy(directions, neighbors):
    """E of unit arrows (n, dim); neighbors[i] holds the numbers of the neighbours of i, never i itself."""
    # BEGIN SOLUTION: for each arrow the mean of 1 - cosine over its neighbours; then the mean over arrows.
    return np.mean([np.mean(1 - directions[near] @ u) for u, near in zip(directions, neighbors, strict=True)])
    # END SOLUTION

# %% tags=["check"]
course.check("05a", energy)

# %% [markdown]
# ### Exercise 5b: all pairs at once
#
# If *every other* arrow is a neighbour, no loop is needed. Let $m = \frac1n \sum_i u_i$ be the mean arrow, the **magnetisation** as a vector. Expand $|m|^2$, mind that the $n$ terms with $i = j$ are not wanted, and find $E$ from $n$ and $|m|$ alone.

# %% tags=["exercise"]
def energy_of_all_pairs(directions):
    """E of unit arrows (n, dim) where every other arrow is a neighbour, without forming pairs."""
    # BEGIN SOLUTION: from n and the length of the mean arrow; check it with three arrows by hand.
    n = len(directions)
    return n / (n - 1) * (1 - np.sum(directions.mean(axis=0) ** 2))
    # END SOLUTION

# %% tags=["check"]
course.check("05b", energy_of_all_pairs)

# %% [markdown]
# ## 3. What does chance give?
#
# Draw arrows at random, on the same places, and compute $E$; again and again. That is the **null model**. Its mean is 1 in any dimension. Its spread is not: in many dimensions two random arrows are almost always nearly at a right angle.

# %%
rng = np.random.default_rng(0)
places = rng.standard_normal((40, 2))
draws = {
    dim: [fr.alignment_energy(places, rng.standard_normal((40, dim)), "knn:5") for _ in range(200)]
    for dim in (2, 16, 128)
}
pd.DataFrame(draws).rename_axis(columns="dimensions").agg(["mean", "std"]).round(3)

# %% [markdown]
# In 128 dimensions forty random arrows score 1 within a few hundredths. So an energy of 0.9 can be *significant*, and still say that there is next to no common direction. Significant is not the same as large.

# %% [markdown]
# ## 4. A real field
#
# Three people, twenty random faces of each, four attributes, dlib's network (about half a minute, once: the result is kept on disk).

# %%
faces = fr.Avatars(identities=3, seed=0)
model = fr.load_model("dlib")
lattice = fr.sample_lattice(faces, ["age", "head_angle", "brightness", "contrast"], curves=20, seed=0)
field = fr.vector_field(fr.embed(lattice, model, size=96, batch_size=8, progress=False))

# %%
near = fr.alignment(field, neighborhood=fr.knn(3), null_draws=100, seed=0)
far = fr.alignment(field, neighborhood=fr.all_pairs(power=0), null_draws=100, seed=0)
each = near.groupby("attribute", sort=False)
pd.DataFrame({
    "3 nearest": each["energy"].median(), "least": each["energy"].min(), "largest": each["energy"].max(),
    "all pairs": far.groupby("attribute", sort=False)["energy"].median(),
    "magnitude": each["magnitude"].median(),
}).round(2)

# %% [markdown]
# Medians over three people; `least` and `largest` are the extremes over them for the three nearest: **that** spread is the error bar to quote, for it says what another person would change. `magnitude` is the median length of the arrows, in units of the mean distance between faces of that person.

# %%
fr.charts.energy_by_attribute(near)

# %% [markdown]
# ## 5. A number for every scale
#
# `fr.ball(r)` makes neighbours of all faces within $r$ times the person's mean pairwise distance. Let $r$ run, and the energy becomes a curve: the **profile**. Beneath it stands the **coverage**, the share of faces that have a neighbour at all. Where it is low, the curve rests on a few crowded faces.

# %%
profile = fr.alignment_profile(field, np.linspace(0.3, 1.5, 13), null_draws=50, seed=0)
fr.charts.profile(profile)

# %% [markdown]
# Do lines cross? Then a ranking of attributes depends on the scale, and a paper that quotes one radius has quoted one of many rankings. In the paper's own figures, head angle is the *most* ordered of eight attributes among the five nearest neighbours and one of the two *least* ordered over all pairs. Neither is wrong.

# %%
order = profile.groupby(["radius", "attribute"])["energy"].median().unstack().dropna()
order.rank(axis=1).iloc[::4].astype(int).rename_axis(columns="rank of energy, 1 = most aligned")

# %% [markdown]
# ## 6. Why one number is not enough
#
# ### Exercise 5c: read the pair
#
# An attribute has $E = 0.97$, null $1.00 \pm 0.01$, and a magnitude of $0.4$. What does the model do with it?
#
# - `"a"`: it ignores the attribute, since $E$ is nearly 1.
# - `"b"`: the attribute moves embeddings far, but each face in its own direction.
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
# | **low energy** | a faint, orderly trace: readable by a probe, harmless to recognition | the model depends on the attribute, everywhere alike |
# | **high energy** | true invariance: little moves, and nowhere in particular | sensitive, but each face in its own way: errors nobody can predict from another face |
#
# A perfectly invariant model has arrows of length 0, which have no direction and no energy: the library leaves them out and reports their share as `zero_direction`.

# %% [markdown]
# ## Take away
#
# - $E$ is the mean of $1 - \cos$ between an arrow and its neighbours' arrows: 0 parallel, 1 as random.
# - It depends on who is a neighbour. Give the scale, or better the whole profile with its coverage.
# - Compare with random arrows for significance, look at the magnitude for size, at the spread over people for certainty.
# - These were three avatars and one network. The paper's own numbers rest on forty identities.
#
# Next: [6. Where the truth is known](06-controlled-models.ipynb) tries it on models of which we *know* what they depend on. To read: Leroy and others, ICML 2025, [arXiv 2507.11372](https://arxiv.org/abs/2507.11372); the magnet behind it: Kosterlitz and Thouless, *Ordering, metastability and phase transitions in two-dimensional systems*, J. Phys. C 6, 1973, [doi 10.1088/0022-3719/6/7/010](https://doi.org/10.1088/0022-3719/6/7/010).
