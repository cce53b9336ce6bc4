# %% [markdown]
# # 3. Attributes shape the macroscale
#
# *About 40 minutes. Before this: [2. Two scales](02-two-scales.ipynb); cumulative distributions.*
#
# ![A map of ninety pictures of thirty people, with dark hair and without, and how far apart the two groups are](attachment:first.png)
#
# The model was never taught about glasses, beards or gender; its training labels said only who is in each picture. Do such **attributes** still shape the embedding space? Leroy and others (ICML 2025) found that some do. Here you measure this on people whose labels are known exactly, and find out what it does *not* mean.

# %%
import numpy as np
import pandas as pd

import fr_explore as fr
from fr_explore_widgets import MacroscaleExplorer, Prediction, course

faces = fr.Avatars(identities=30, seed=0)
model = fr.load_model("dlib")
course.show_faces(faces.render_batch(range(6), [{}] * 6), alt="Six of thirty generated people:")

# %% [markdown]
# You will
#
# - measure how strongly an attribute shapes the distances between people (KS),
# - measure how tightly an attribute is tied to a person (intra-entropy),
# - judge a number against the value expected by chance,
# - see what a linear probe detects that KS misses, and the reverse.

# %% [markdown]
# ## 1. People with labels
#
# Take thirty people and three pictures of each. Some labels belong to the **person** (feminine, long hair); some change from **picture to picture** (old, smiling, glasses). An avatar, unlike you, can be 20 in one picture and 70 in the next.

# %%
who, strengths = course.snapshots(faces, each=3, spread=0.6, seed=4, attributes=fr.PAPER_ATTRIBUTES)
rng = np.random.default_rng(0)
record = faces.attributes["age"]
for recipe in strengths:
    recipe["age"] = rng.uniform(record.low, record.high)  # years
    recipe["expression"] = rng.uniform(0, 1)  # 0 neutral, 1 a full smile
    recipe["glasses"] = float(rng.random() < 0.4)  # picture by picture
labels = faces.labels(who.tolist(), strengths)[["feminine", "long_hair", "old", "smiling", "glasses"]]
labels.head(4)

# %%
pictures = faces.render_batch(who.tolist(), strengths, size=96)
rows = [np.concatenate([picture.pixels for picture in pictures[i : i + 6]], axis=1) for i in (0, 6, 12)]
course.show_faces([fr.Face(np.concatenate(rows))], alt="Three pictures of each of six people", width=576)

# %% [markdown]
# ## 2. Predict
#
# Take one picture of each person. Split the pictures by a label, say *smiling*: one group has it ($a$), the other does not ($\bar a$). If the attribute shapes the space, two people who share the label lie closer together than two who do not. **Which label shapes the space most?**

# %% tags=["widget"] alt="Five labels to be ranked by how much they shape the space, and a button that commits the guess"
guess = Prediction("Which label shapes the distances between people most?", "ranking", list(labels))
guess

# %% tags=["solution"]
guess.commit(["feminine", "old", "long_hair", "glasses", "smiling"])

# %%
embeddings = model.embed(pictures, batch_size=8)
result = fr.macroscale(embeddings, who, labels, metric="euclidean", permutations=200, seed=0)
course.reveal(guess, result.set_index("attribute")["ks_mean"])

# %% [markdown]
# ## 3. The Kolmogorov-Smirnov statistic
#
# Let $F_a(t)$ be the share of the pairs *inside* group $a$ whose distance is at most $t$, and $F_\times(t)$ the same share of the pairs *across* groups, one person with the label and one without. Both are **cumulative distributions**: they rise from 0 to 1. The statistic is the largest gap between them:
#
# $$\mathrm{KS}(a, \times) = \sup_t \left| F_a(t) - F_\times(t) \right| .$$
#
# 0 means that the label makes no difference to the distances. 1 means that every pair inside is closer (or every pair inside is farther apart) than every pair across. The bracket in the chart marks the gap.

# %%
most = result.loc[result["ks_mean"].idxmax(), "attribute"]
distances = fr.modality_distances(embeddings, who, labels, most, metric="euclidean", seed=0)
course.after(guess, fr.charts.distance_cdfs(distances))

# %% [markdown]
# ### Exercise 3a: the largest gap


# %% tags=["exercise"]
def ks(inside, across):
    """The Kolmogorov-Smirnov statistic of two samples of distances, (n,) and (m,) -> a number from 0 to 1."""
    # BEGIN SOLUTION: evaluate both shares at every distance that occurs, then take the largest absolute gap.
    at = np.concatenate([inside, across])
    share_inside = np.searchsorted(np.sort(inside), at, side="right") / len(inside)
    share_across = np.searchsorted(np.sort(across), at, side="right") / len(across)
    return np.abs(share_inside - share_across).max()
    # END SOLUTION


# %% tags=["check"]
course.check("03a", ks)

# %% [markdown]
# ### Is that a lot?
#
# With a dozen people in a group, KS is never 0, even if the label means nothing. So we compute it for a meaningless label: shuffle the labels among the people, 200 times (the **null model**). `p_value` is the share of shuffles that give at least as large a KS, including the observed one; with 200 shuffles it cannot be below 1/201.

# %%
columns = ["attribute", "n", "ks_mean", "null_mean", "null_sd", "p_value", "intra_entropy"]
course.after(guess, result[columns].set_index("attribute").sort_values("ks_mean", ascending=False).round(3))

# %% [markdown]
# `ks_mean` is the mean of KS$(a, \times)$ and KS$(\bar a, \times)$; `n` is the number of people in each group. Five labels are five chances to be lucky: one $p$ of 0.04 among five is weak evidence. And no $p$-value says how *large* an effect is; for that, compare KS with `null_mean`.

# %% [markdown]
# Now explore: colour the map by a label and watch the curves below.

# %% tags=["widget"] alt="A map of people coloured by one label, and below it the cumulative distributions of distances inside each group and across, with their gap as a bracket"
explorer = MacroscaleExplorer(embeddings, who, labels, metric="euclidean", table=result)
course.after(guess, explorer)

# %% [markdown]
# ## 4. How tightly is a label tied to a person?
#
# Let $p$ be the share of a person's pictures that show the label. The **entropy** $-p \ln p - (1-p)\ln(1-p)$ is 0 if she always or never shows it, and $\ln 2 \approx 0.69$ if it is a coin toss. Its unit is the **nat**, because the logarithm is the natural one. (If $p$ is 0 or 1, take $0 \ln 0$ as 0.) The mean over people is the **intra-entropy**.
#
# ### Exercise 3b: intra-entropy


# %% tags=["exercise"]
def intra_entropy(label, who):
    """Mean over people of the entropy of a label within their pictures, in nats.

    label: (images,), +1 with and -1 without; who: (images,), the person in each. All people count equally.
    """
    # BEGIN SOLUTION: for each person the share of +1 and its entropy; then the mean over people.
    p = np.array([np.mean(label[who == person] == 1) for person in np.unique(who)])
    parts = [np.where(q > 0, -q * np.log(np.where(q > 0, q, 1)), 0) for q in (p, 1 - p)]
    return np.mean(parts[0] + parts[1])
    # END SOLUTION


# %% tags=["check"]
course.check("03b", intra_entropy)

# %%
course.after(guess, fr.charts.ks_against_entropy(result))

# %% [markdown]
# <details><summary>After your guess</summary>
#
# On photographs of celebrities, the paper finds that the points fall from upper left to lower right: baldness and gender (low entropy) shape the space; a smile or an open mouth (high entropy) does not. Spearman's rank correlation is between $-0.56$ and $-0.66$ for five models. Five labels and thirty avatars are too few to show a correlation or its absence. But one point deserves a closer look: *glasses* change from picture to picture here. Where does their KS lie among the five?
#
# </details>

# %% [markdown]
# ## 5. Why low entropy and high KS go together
#
# Let us make glasses a **habit**: the same people, the same poses and light, but now each person wears them in all pictures or in none. The intra-entropy of glasses falls to 0. What happens to their KS? Who wears them, and when, is drawn twenty times for each way, because a single draw of thirty people may be lucky.

# %%
recipes = [[{**recipe, "glasses": g} for recipe in strengths] for g in (0.0, 1.0)]
without, worn = (model.embed(faces.render_batch(who.tolist(), some, size=96), batch_size=8) for some in recipes)
rows = []
for draw in range(20):
    rng = np.random.default_rng(draw)
    ways = {"picture by picture": rng.random(len(who)) < 0.4, "a habit": (rng.random(30) < 0.4)[who]}
    for way, on in ways.items():
        label = pd.DataFrame({"glasses": np.where(on, 1, -1)})
        points = np.where(on[:, None], worn, without)
        found = fr.macroscale(points, who, label, metric="euclidean", permutations=50, seed=draw)
        rows.append(found.assign(glasses=way))

# %%
columns = ["intra_entropy", "ks_mean", "null_mean", "ks_scaled"]
over_draws = pd.concat(rows).groupby("glasses", sort=False)[columns]
course.after(guess, over_draws.agg(["mean", "std"]).round(2).T)

# %% [markdown]
# <details><summary>After your guess</summary>
#
# The entropy went from one extreme to the other. Compare KS with what chance gives in groups of that size: `ks_scaled` is the quotient, and `std` its standard deviation over the draws. Did it move? It has no reason to: KS uses *one* picture of each person, so it cannot know what she wears in the next one. A trained network sees only pixels.
#
# </details>
#
# ### Exercise 3c: where, then, does the paper's correlation come from?
#
# - `"a"`: from the number of pictures. With more pictures of each person, KS would depend on the entropy.
# - `"b"`: from training. Pictures of one person were pulled together whatever she wore in them. A network trained on people who take their glasses off learns to ignore glasses, and keeps what never changes.
# - `"c"`: from the metric. With cosine distances, KS would fall with the entropy.

# %% tags=["exercise"]
# BEGIN SOLUTION: "a", "b" or "c"
origin = "b"
# END SOLUTION

# %% tags=["check"]
course.check("03c", origin)

# %% [markdown]
# <details><summary>After the exercise</summary>
#
# We tested both halves of that answer on 120 other avatars ([dose_response.py](https://github.com/fr-explore/fr-explore/blob/main/benchmarks/dose_response.py)). Three labels were tied to the person in five steps, from a coin toss in every picture to always the same. In networks that were *given* (dlib, SFace and `controlled/all-varied`, which saw every attribute vary), 9 of 9 intervals of the slope of KS over the tie contain 0: KS does not see it. In `controlled/tied-hue`, which was *trained* on people who each had one hue, the KS of hue is 0.19; in `all-varied` it is 0.05, whatever the tie in the test pictures.
#
# </details>

# %% [markdown]
# ## 6. Probes: can a linear classifier read the label?
#
# A **linear probe** is a logistic regression from the embedding to the label, tested on people it was not trained on. `balanced_accuracy` is the mean of the accuracies in the two groups, 0.5 by chance; `..._sd` is its standard deviation over five folds of people.

# %%
probes = fr.linear_probe(embeddings, who, labels, folds=5, seed=0)
beside = probes.merge(result[["attribute", "ks_mean", "p_value"]], on="attribute")
columns = ["balanced_accuracy", "balanced_accuracy_sd", "ks_mean", "p_value"]
course.after(guess, beside.set_index("attribute")[columns].round(3))

# %% [markdown]
# A label can be *readable* without *shaping* the space: a probe finds one direction in 128 dimensions, however little of the distance lies along it; KS asks whether the label changes the distances themselves. "The model encodes $x$" and "the model groups people by $x$" are two claims. This table tests both; a label may pass one and fail the other.

# %% [markdown]
# ## Take away
#
# - KS says how strongly a label shapes the distances between people; it means something only in comparison with the KS of shuffled labels.
# - Intra-entropy says how tightly a label is tied to a person. It is a fact about the *data*.
# - The correlation between the two is a trace of *training*: what never changes in a person is worth keeping.
# - A probe says whether a label can be read from the embedding at all. Readable is not the same as important.
# - Thirty avatars, three pictures each, one network: the intervals are wide, and avatars are not real people.
#
# Next: [4. Walking along an attribute](04-walking.ipynb). Further reading: Leroy, Mastropietro, Nurisso, Vaccarino, *Attributes Shape the Embedding Space of Face Recognition Models*, ICML 2025, [arXiv 2507.11372](https://arxiv.org/abs/2507.11372); Alain and Bengio, *Understanding intermediate layers using linear classifier probes*, 2016, [arXiv 1610.01644](https://arxiv.org/abs/1610.01644).
