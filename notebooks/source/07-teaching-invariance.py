# %% [markdown]
# # 7. Teaching invariance
#
# *About 30 minutes. Before this: [6. Where the truth is known](06-controlled-models.ipynb); what a gradient step does.*
#
# A network that never saw the light change in its training takes a darker picture for another person. Can it be taught, afterwards, that brightness says nothing about who someone is, and can it keep all else it knows? This is **targeted fine-tuning**: Leroy and others used it to turn what they had measured into a remedy.
#
# You will
#
# - write the loss that pulls pictures of one person together and pushes others away,
# - predict, and then watch, what a minute of training does to one attribute,
# - ask of a result *compared with what?*, and choose the control,
# - read the table of the full experiment, with what it confirms and what it does not.

# %% [markdown]
# ## 1. The patient
#
# `controlled/fixed-brightness` of notebook 6: brightness was neutral in every picture of its training. Move the slider *brightness* and watch the distance, beside the network `all-varied`, which saw everything vary.

# %%
from pathlib import Path

import numpy as np
import pandas as pd
from IPython.display import display

import fr_explore as fr
from fr_explore_widgets import AttributeExplorer, Prediction, course

model = fr.load_model("controlled/fixed-brightness")
healthy = fr.load_model("controlled/all-varied")

# %% tags=["widget"] alt="The laboratory with two networks: a reference face and a live face, a map of embeddings for each network, the distance between the two faces, and a slider for brightness"
explorer = AttributeExplorer(fr.Avatars(identities=4, seed=7), model, compare=healthy, size=96, variations=3)
explorer.set(brightness=0.7)
explorer

# %% [markdown]
# ## 2. The lesson
#
# Take a **base picture** of each of a few people, at a random pose, age and light. Make **copies** of it that differ from it in brightness *alone*. Now say two things to the network.
#
# **Copies belong together.** For a picture $x$ let $d^+$ be the distance to the *farthest* picture of the same set (base and copies), and $d^-$ the distance to the *nearest* picture of another person. With a margin $m$ the **triplet loss** of $x$ is
#
# $$\max(0,\; m + d^+ - d^-) ,$$
#
# and the loss of a batch is its mean over all pictures: zero once everybody else is farther away than one's own, by $m$. Taking the farthest and the nearest is called *batch-hard*: the easy pairs teach nothing.
#
# **Stay where you are.** Let $f_0$ be the network as it was given. A second term, the **preservation**, is the mean squared distance between where a picture lies now and where $f_0$ had its base picture. Without it the network could satisfy the triplets by rearranging everybody.
#
# Two base pictures of one person are never compared. So nothing is said about age or pose: the lesson has one subject.
#
# ### Exercise 7a: the triplet loss

# %% tags=["exercise"]
def triplet_loss(vectors, who, margin):
    """Batch-hard triplet loss: vectors (pictures, dim), who (pictures,) the person in each, margin a number."""
    # BEGIN SOLUTION: all distances; for each picture the farthest of the same and the nearest of the others.
    gaps = np.linalg.norm(vectors[:, None] - vectors, axis=-1)
    mine = who[:, None] == who
    farthest, nearest = np.where(mine, gaps, 0).max(axis=1), np.where(mine, np.inf, gaps).min(axis=1)
    return np.maximum(0, margin + farthest - nearest).mean()
    # END SOLUTION

# %% tags=["check"]
course.check("07a", triplet_loss)

# %% [markdown]
# ## 3. Predict
#
# Eighty steps, with eight people and four pictures each in a step; twenty avatars in all, four of whom are kept back to check on. We then measure on four *other* avatars whom no training saw. The **magnitude** of brightness is how far one step of brightness moves an embedding, over the mean distance between faces of that person. **How much of it will be left, in per cent?**

# %% tags=["widget"] alt="A number from 0 to 150 per cent to be guessed, and a button that commits the guess"
guess = Prediction("Magnitude of brightness after, in per cent of before", "number", unit="%", low=0, high=150)
guess

# %% tags=["solution"]
guess.commit(20)

# %% [markdown]
# `fr.finetune` draws the batches, takes the steps, checks the held-out people every 20 steps, and calls `on_check` with the history so far. The chart below grows while you wait (half a minute to a minute).

# %%
chart = display("The first check comes in a moment.", display_id=True)
tuned = fr.finetune(
    model, fr.Avatars(identities=20, seed=1), {"brightness": True},
    steps=80, pictures=3, size=80, check_every=20,
    on_check=lambda history: chart.update(fr.charts.training(history)), progress=False,
)  # fmt: skip
tuned.history.round(3)

# %% [markdown]
# *AUC*: how often a genuine pair lies closer than an impostor pair, with copies among the pictures. *Copies move*: the distance of a copy from its base picture, over the mean distance between people; dashed, what it was before. *Loss*: the two terms. If it verifies people as well as before and the copies move less, the lesson was learnt, on these four people and on generated faces. The model's card says what was done to it, for whoever is handed the file:

# %%
print(tuned.card.title)
print(tuned.card.trained_on)
print(*tuned.card.weaknesses[-1:])

# %% [markdown]
# ## 4. Before and after
#
# Four avatars, ten faces of each, three attributes of the image; and `all-varied` as the goal.

# %%
others = fr.Avatars(identities=4, seed=5)
lattice = fr.sample_lattice(others, ["brightness", "contrast", "hue"], curves=10, seed=0)
tables = []
for name, network in {"before": model, "after": tuned, "all-varied": healthy}.items():
    field = fr.vector_field(fr.embed(lattice, network, size=80, progress=False))
    length = field["magnitude"].median("curve").to_series().rename("length").reset_index()
    table = fr.alignment(field, neighborhood=fr.all_pairs()).merge(length, on=["identity", "attribute"])
    tables.append(table.assign(model=name))
live = pd.concat(tables)

# %%
middle = live.groupby(["model", "attribute"])["magnitude"].median().unstack()
course.reveal(guess, float(100 * middle.loc["after", "brightness"] / middle.loc["before", "brightness"]))

# %%
columns = ["length", "magnitude", "energy"]
middles = live.pivot_table(index="attribute", columns="model", values=columns, aggfunc="median").round(2)
middles.reindex(columns=["before", "after", "all-varied"], level="model")

# %%
fr.charts.before_after(live[live["model"] != "all-varied"], target="brightness")

# %% [markdown]
# `length` is the bare length of a step, in the network's own unit. In the chart: hollow before, filled after; lines from the lower to the upper quartile of four people. The **prediction** of targeted fine-tuning is: the target's magnitude falls, its energy rises towards 1 (what movement is left agrees less), and the other attributes change less. `all-varied` shows how far there would be to go: eighty steps are a first lesson. Look at contrast as well: it changes how light a picture is, too, so a network that overlooks the one may overlook some of the other.

# %% [markdown]
# ### Over what?
#
# A magnitude is a ratio: the length of a step, over the mean distance between faces of that person. Fine-tuning changes *both*. Let the length change by a share $a$ ($-0.15$: it fell by 15 per cent) and the mean distance by a share $b$.
#
# ### Exercise 7b: by what share does the magnitude change?

# %% tags=["exercise"]
def magnitude_change(a, b):
    """Relative change of length / mean distance, if the length changes by the share a and the distance by b."""
    # BEGIN SOLUTION: the new ratio over the old one, less one.
    return (1 + a) / (1 + b) - 1
    # END SOLUTION

# %% tags=["check"]
course.check("07b", magnitude_change)

# %% [markdown]
# Look back at the table: compare the fall of brightness's *length* with the fall of its *magnitude*. A network can learn to be moved less by an attribute, and its magnitude stay as it was, because the faces of a person have moved closer together as a whole. Whether that is invariance is a matter of what you want to know: a share of the person's own spread, or a distance that a threshold sees. Report both.

# %% [markdown]
# ## 5. The full experiment
#
# The same was done with dlib's network, once for each of three targets (brightness, illumination, head angle), 200 steps each; then measured on twenty avatars, twenty-four faces of each. The prediction was fixed before any run.

# %%
results = Path("../benchmarks/results")
there = (results / "finetune.csv").exists()
if there:
    changes = pd.read_csv(results / "finetune.csv", comment="#")
    own = changes[changes["attribute"] == changes["target"]].set_index(["quantity", "target"])
    display(own[["before", "after", "difference", "low", "high", "p_adjusted"]].round(3))
else:
    print("The tables are not beside this notebook. They are in the repository of fr-explore, in the folder")
    print("benchmarks/results, as finetune*.csv; python benchmarks/finetuning.py makes them anew.")

# %% [markdown]
# Medians over people before and after; `difference` is the mean over people, paired, with its 95 % interval; `p_adjusted` is corrected for all 24 tests of that quantity. `length` is the step's bare length; `energy knn:10` is taken among the 10 nearest faces. A prediction holds if its sign is right and $p < 0.01$:

# %%
if there:
    for quantity, sign in {"length": -1, "magnitude": -1, "energy knn:10": 1, "energy all_pairs": 1}.items():
        for target, row in own.loc[quantity].iterrows():
            held = np.sign(row["difference"]) == sign and row["p_adjusted"] < 0.01
            wanted = "falls" if sign < 0 else "rises"
            verdict = "holds" if held else "does NOT hold"
            print(f"{target:13} {quantity:17} {wanted}: {verdict}  ({row['difference']:+.3f})")

# %% [markdown]
# Where the length fell and the magnitude did not, exercise 7b says how that can be. And an energy may rise by a reliable and yet *tiny* amount: a target that was near 1 before had little left to rise.
#
# ### Compared with what?
#
# Training changes a network, whatever it is trained on. So *before against after* is not enough to say that it was brightness in the lesson that did it.
#
# ### Exercise 7c: choose the control
#
# Beside which number would you put the change of brightness after the lesson in brightness?
#
# - `"a"`: the change of brightness after a lesson of the same length in *another* attribute.
# - `"b"`: the same change, measured again on the avatars that were trained on.
# - `"c"`: none: its $p$ is small enough.

# %% tags=["exercise"]
# BEGIN SOLUTION: "a", "b" or "c"
control = "a"
# END SOLUTION

# %% tags=["check"]
course.check("07c", control)

# %%
if there:
    percent = 100 * (changes["after"] / changes["before"] - 1)
    columns = ["quantity", "target"]
    wide = changes.assign(percent=percent).pivot(index="attribute", columns=columns, values="percent")
    display(wide[["magnitude", "length"]].round(0).astype(int).loc[fr.PAPER_ATTRIBUTES, :])

# %% [markdown]
# Change of the median, in per cent. Read it along the rows: each attribute after three lessons. If the lesson is targeted, the lowest number of the row *brightness* stands under brightness, and so on. Where it does not, the lesson was not as targeted as its name. (Head angle and illumination both change what is in shadow.)

# %%
if there:
    people = pd.read_csv(results / "finetune_identities.csv", comment="#")
    people = people[people["model"].isin(["dlib", "dlib+brightness"])]
    people = people.rename(columns={"energy all_pairs": "energy"})
    display(fr.charts.before_after(people, target="brightness"))

# %% [markdown]
# And what did it cost? Verification of people whom no training saw, with 95 % intervals; `moved` is how far a picture lies from where dlib has it, over the mean distance between people.

# %%
if there:
    verified = pd.read_csv(results / "finetune_verification.csv", comment="#")
    columns = ["pictures", "model", "auc", "eer", "eer_low", "eer_high"]
    columns += ["tar_at_far_0.01", "tar_low", "tar_high", "moved"]
    display(verified[columns].round(3))

# %% [markdown]
# ## Take away
#
# - Targeted fine-tuning varies one attribute alone, pulls the copies to where their base picture was, and keeps everything else in its place.
# - Measure on people whom no training saw, and on *all* attributes: the others are the price.
# - A magnitude is a ratio; look at its numerator as well.
# - Reliable, large and due to the lesson are three claims: $p$ for the first, the size for the second, a control for the third.
# - One seed, two networks and generated faces. Nothing here says that it works on photographs: verify on your own pairs.
#
# Next: [8. Comparing models](08-comparing-models.ipynb). To read: Leroy and others, ICML 2025, [arXiv 2507.11372](https://arxiv.org/abs/2507.11372); batch-hard triplets: Hermans, Beyer, Leibe, *In Defense of the Triplet Loss for Person Re-Identification*, 2017, [arXiv 1703.07737](https://arxiv.org/abs/1703.07737).
