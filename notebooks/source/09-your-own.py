# %% [markdown]
# # 9. Your own faces, your own model
#
# *About 45 minutes. Before this: [1. From pixels to points](01-from-pixels-to-points.ipynb).*
#
# ![Two pictures of a generated person, twenty-seven years apart, judged the same person in a page that sends nothing anywhere](attachment:first.png)
#
# So far, the faces belonged to nobody. Now they may be yours, and so may the model. That changes three things: a photograph is **personal data**, a wrong setting gives wrong numbers without an error message, and every error happens *to somebody*.

# %%
import numpy as np
import pandas as pd

import fr_explore as fr
from fr_explore_widgets import PhotoExplorer, Prediction, VerificationExplorer, course

model = fr.load_model("dlib")
faces = fr.Avatars(identities=12, seed=0)
course.show_faces(faces.render_batch(range(6), [{}] * 6), alt="Six of twelve people who do not exist:")

# %% [markdown]
# You will
#
# - explore a photograph of your own, and know where it is stored,
# - find out what a wrong model card does,
# - compute what a tiny error rate means for a crowd, and what zero errors in a small test prove,
# - measure error rates by group, with their uncertainty.

# %% [markdown]
# ## 1. Before you add a photograph
#
# - **Whose face is it?** Use your own, or ask the person and explain what you are going to do. A face is not free to use just because it is on the internet.
# - **Where does it go?** Into the memory of this kernel and nowhere else. Nothing is written to disk, not even the embeddings, and `discard()` removes it. The kernel may run on your own computer; on Binder it runs on *their* computer, so use a generated face there.
# - **An embedding is biometric data.** It identifies a person like a fingerprint, even though it does not look like a picture. Delete it with the picture.
# - **No strangers.** Nothing here identifies strangers, and you should not build that on top of it.
#
# The widget starts with a stand-in: an avatar treated as a photograph. Its face must be detected first, and its picture can only be edited, not posed.

# %% tags=["widget"] alt="Buttons to add a photograph from a file or the camera, the stand-in picture, and the laboratory for it with sliders for picture rotation, mask and others"
photos = PhotoExplorer(model, size=112, variations=2)
photos.add((faces.render(0, size=160).pixels * 255).astype(np.uint8), "stand-in")
photos

# %% [markdown]
# Things to try: how far does a *face mask* move the stand-in? Which moves it further, a rotation of the picture by 20° or a JPEG quality of 10? `fr.sweep` gives the numbers.

# %%
photos.explorer.wait()  # until the explorer's map is complete
edits = ["mask", "sunglasses", "rotation", "jpeg_quality", "resolution"]
losses = pd.concat([fr.sweep(photos.photos, model, "stand-in", edit, steps=5, size=112) for edit in edits])
losses.groupby("attribute", sort=False)["distance"].max().round(2).to_frame("largest distance")

# %% [markdown]
# Rotation costs almost nothing, because the landmarks rotate with the picture and alignment rotates it back. The largest distances come from changes that alignment cannot undo, such as lost detail. For comparison: the nearest other person is a few tenths away, as section 2 shows.
#
# If you have added a picture of your own, press *Discard all* or call `photos.discard()` when you are done. The kernel then keeps neither the picture nor its landmarks and embeddings.

# %% [markdown]
# ## 2. Your own model, and the silent error
#
# Any torch network or `.onnx` file works once a **card** describes the input it expects: [First light](00-first-light.ipynb) shows one. What happens if the card is wrong? The most common mistake is to feed blue, green, red to a network that expects red, green, blue. (It has happened in published code.) **How far does the embedding of an ordinary face move if red and blue are swapped?** For comparison, this is the distance between the nearest two of our twelve people:

# %%
neutral = [faces.render(person, size=96) for person in faces.identities]
embeddings = model.embed(neutral, batch_size=4)
between = np.linalg.norm(embeddings[:, None] - embeddings[None], axis=-1)
apart = between[np.triu_indices(12, 1)]
print(f"nearest two people: {apart.min():.2f}, median: {np.median(apart):.2f}")

# %% tags=["widget"] alt="A distance to be guessed, from 0 to 1, and a button that commits the guess"
guess = Prediction("Median distance by which swapping red and blue moves a face", "number", low=0, high=1)
guess

# %% tags=["solution"]
guess.commit(0.4)

# %%
swapped = [fr.Face(np.ascontiguousarray(face.pixels[..., ::-1]), face.landmarks) for face in neutral]
moved = np.linalg.norm(model.embed(swapped, batch_size=4) - embeddings, axis=1)
course.reveal(guess, np.median(moved))

# %%
captions = ["as it is", "red and blue swapped"]
course.after(guess, course.show_faces([neutral[0], swapped[0]], captions, alt="One face in two colour orders:"))

# %% [markdown]
# <details><summary>After your guess</summary>
#
# There is no error and no warning: every distance is a little wrong, and the threshold no longer fits. So check a new model before you trust it: look at its crops (`fr.show_crops`), compare one embedding with that of the model's reference code, and reproduce a published accuracy with `fr.fold_accuracy`.
#
# </details>

# %% [markdown]
# ## 3. What an error rate means
#
# Suppose that the **false match rate** (FMR) is one in ten thousand, which is excellent. A camera compares each passer-by with *one* wanted person. **What is the probability that at least one of $n$ innocent people raises an alarm?** Treat the comparisons as independent.
#
# ### Exercise 9a: the crowd

# %% tags=["exercise"]
def false_alarm(rate, people):
    """Probability of at least one false match among `people` people, each with the false match rate `rate`."""
    # BEGIN SOLUTION: first find the probability that all of them pass without an alarm.
    return 1 - (1 - rate) ** people
    # END SOLUTION

# %% tags=["check"]
course.check("09a", false_alarm)

# %%
crowd = pd.DataFrame({"people": [1, 100, 1_000, 10_000, 100_000]})
crowd["expected false matches"] = crowd["people"] * 1e-4
crowd["chance of at least one"] = -np.expm1(crowd["people"] * np.log1p(-1e-4))
crowd.set_index("people").round(3)

# %% [markdown]
# A station sees a hundred thousand people a day. If the wanted person is not among them, *every* alarm is false. That is the effect of the **base rate**: how common the event is that you are looking for. The same network that unlocks a telephone well is a poor witness.
#
# ### Exercise 9b: zero errors prove little
#
# You test 300 impostor pairs, and none of them match. Is the rate zero? With a rate $r$, the probability of no error in $n$ independent pairs is $(1-r)^n$. **The upper end of the interval is the largest rate at which this probability is still 5 %.**

# %% tags=["exercise"]
def largest_rate(pairs, chance=0.05):
    """The rate at which the probability of no error in `pairs` independent pairs equals `chance`."""
    # BEGIN SOLUTION: set (1 - r)^pairs equal to the chance, and solve for r.
    return 1 - chance ** (1 / pairs)
    # END SOLUTION

# %% tags=["check"]
course.check("09b", largest_rate)

# %% [markdown]
# This is roughly $3/n$: the **rule of three**. To claim one in ten thousand, you need thirty thousand independent pairs without a single error, *for each group* that the claim covers.

# %% [markdown]
# ## 4. Who bears the errors?
#
# Divide our twelve people into two groups: those with more, and those with less melanin in their skin than the median. Photograph them as a cheap camera does: blurred, noisy, from above or below, in bad and coloured light. (On good pictures this network confuses hardly any of the twelve, and there would be nothing to compare.) Use one threshold for all: the one at which both error rates are equal overall. In which group are different people mistaken for each other more often?
#
# ### Exercise 9c: rates by group

# %% tags=["exercise"]
def false_match_rates(distances, groups, threshold):
    """False match rate of each group, in the alphabetical order of their names.

    distances, groups: (pairs,), impostor pairs only; a pair matches if its distance is at most the threshold.
    """
    # BEGIN SOLUTION: for each name, the share of that group's own pairs at or below the threshold.
    return [np.mean(distances[groups == name] <= threshold) for name in np.unique(groups)]
    # END SOLUTION

# %% tags=["check"]
course.check("09c", false_match_rates)

# %%
camera = ["head_pitch", "light_strength", "blur", "noise"]
who, strengths = course.snapshots(faces, each=4, spread=0.8, seed=5, attributes=[*fr.PAPER_ATTRIBUTES, *camera])
pictures = faces.render_batch(who.tolist(), strengths, size=96)
course.show_faces(pictures[:8], alt="Pictures of two people, blurred, noisy and badly lit:", width=84)

# %%
points = model.embed(pictures, batch_size=4)
melanin = faces.traits["melanin"]
group = np.where(melanin > melanin.median(), "darker", "lighter")
print(", ".join(f"{name}: {count} people" for name, count in pd.Series(group).value_counts().items()))

# %%
pairs = pd.DataFrame(dict(zip(("first", "second"), np.triu_indices(len(who), 1), strict=True)))
one, other = group[who[pairs["first"]]], group[who[pairs["second"]]]
pairs["same"] = who[pairs["first"]] == who[pairs["second"]]
pairs["skin"] = np.where(one == other, one, "one of each")
result = fr.verification(
    points, pairs, identities=who, metric="euclidean", published=0.6, by="skin", draws=200, seed=0,
)
columns = ["group", "genuine", "impostor", "far", "far_low", "far_high", "frr", "frr_low", "frr_high"]
result.groups[columns].round(3)

# %% [markdown]
# The widget shows the same pairs live; its lower part gives the error rates of each group with their intervals. **Slide the threshold. Is there a value at which neither group bears more false matches than the other? What does it do to the false non-matches?** Then press the mark of the published threshold, 0.6, which was chosen on photographs: avatars are more alike than real people, and bad pictures of anybody are more alike than good ones.

# %% tags=["widget"] alt="Distances of pairs of the same and of different people, a threshold to slide, and both error rates with intervals for darker, lighter and mixed pairs"
VerificationExplorer(result, threshold=result.threshold)

# %% [markdown]
# `far` is the false match rate, `frr` the false non-match rate; `_low` and `_high` are the ends of 95 % intervals from resampled *people*. Read the intervals before the rates. (Do not trust an interval from 0 to 0: resampling the same people cannot show an error that none of them made. Exercise 9b says what zero errors are worth.) If the intervals of two groups overlap widely, six people in each are too few to say which group is worse, however many pairs they form. If you see a gap nevertheless, ask what else differs between the groups: hair, for example, or how brightly the lamp lights them.
#
# And if a gap is real? A single threshold means that one group bears more of the errors. A threshold for each group requires that you know everybody's group. Choosing between them is not a technical question.

# %% [markdown]
# ## 5. Limits
#
# - Avatars show what a model does *on avatars*. Nothing here is a finding about a group of people.
# - "Group" is a label in a table. Melanin, gender presentation and age are not natural categories, and the labels of real data sets were assigned by somebody who looked at a picture.
# - The model's card, `model.card`, says what it was trained on and where it is known to be weak.
# - Where a wrong match can cost somebody their freedom, a distance is a hint, never proof.

# %%
print("trained on:", model.card.trained_on)
for weakness in model.card.weaknesses:
    print("weak:", weakness)

# %% [markdown]
# ## Take away
#
# - A photograph and its embedding are personal data: ask, keep them in memory, delete them.
# - A wrong card raises no error. Check a model against something known.
# - Small rates meet large crowds; zero errors in a small test prove little (rule of three).
# - Measure errors by group, with intervals over people, and report who bears them.
#
# Next: [10. Scaling up](10-scaling-up.ipynb). Further reading: Grother, Ngan, Hanaoka, *Face Recognition Vendor Test, Part 3: Demographic Effects*, 2019, [NIST IR 8280](https://doi.org/10.6028/NIST.IR.8280); Hanley and Lippman-Hand, *If nothing goes wrong, is everything all right?*, JAMA 249, 1983, [doi 10.1001/jama.1983.03330370053031](https://doi.org/10.1001/jama.1983.03330370053031), on the rule of three.
