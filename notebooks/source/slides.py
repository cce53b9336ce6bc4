# %% [markdown] plans=["one", "two", "four"]
# # What does a face model see?
#
# fr-explore: the geometry of face-recognition embeddings. The faces are generated; the networks are real.

# %% tags=["hidden"]
import numpy as np

import fr_explore as fr
from fr_explore_widgets import AttributeExplorer, EnergyPlayground, FieldExplorer, MacroscaleExplorer
from fr_explore_widgets import Prediction, VerificationExplorer, course

faces = fr.Avatars(identities=12, seed=0)
model = fr.load_model("dlib")

# %% [markdown] plans=["one", "two", "four"]
# ## Who is who?
#
# Three people, two pictures of each. Which belong together, and **what did you look at**?

# %% plans=["one", "two", "four"]
order = [(0, {"age": 25}), (4, {"head_angle": 20}), (9, {}), (4, {"age": 65}), (9, {"illumination": 60}), (0, {"expression": 1})]
course.show_faces([faces.render(*one, size=224) for one in order], list("ABCDEF"), alt="Six faces of three people:", width=150)

# %% [markdown] plans=["one", "two", "four"]
# ## The same, for a computer
#
# 1. A picture becomes a list of numbers, its **embedding**.
# 2. Two embeddings have a **distance**.
# 3. *Same person* if the distance is at most a **threshold**.
#
# Who chooses the threshold? On whose faces?

# %% [markdown] plans=["one", "two", "four"]
# ## Guess first
#
# Commit a guess, then send your code.

# %% plans=["one", "two", "four"] tags=["widget"] alt="Eight attributes to be ranked by how far each moves one face" zoom=1.25
ends = {name: fr.sweep(faces, model, 0, name, steps=2)["distance"].max() for name in fr.PAPER_ATTRIBUTES}
further = Prediction("Which attribute moves this face furthest?", "ranking", list(ends), truth=ends)
further

# %% [markdown] plans=["one", "two", "four"]
# ## Then look

# %% plans=["one", "two", "four"] tags=["widget"] alt="A face with sliders, its embedding on a map, and the distance against the threshold" zoom=1.15
explorer = AttributeExplorer(fr.Avatars(identities=4, seed=0), model, variations=2)
explorer

# %% [markdown] plans=["one", "two", "four"]
# ## One threshold, two errors

# %% plans=["one", "two", "four"] tags=["widget"] alt="Distances of pairs of the same and of different people, and a threshold to slide"
who, strengths = course.snapshots(faces, each=6, spread=0.6, seed=1)
embeddings = model.embed(faces.render_batch(who.tolist(), strengths, size=112), batch_size=8)
pairs = fr.pair_distances(embeddings, who, metric="euclidean")
errors = VerificationExplorer(pairs, published=model.card.threshold)
errors

# %% [markdown] plans=["one", "two", "four"]
# ## Where would you put it?
#
# - for your telephone,
# - for a border,
# - for sorting holiday pictures.
#
# Defend your choice: **who bears each error?**

# %% [markdown] plans=["two", "four"]
# ## Two scales
#
# - **Macroscale**: people. Each person is a dot.
# - **Microscale**: the pictures of one person. The dot is a cloud.
#
# Do attributes shape the first, the second, or both?

# %% [markdown] plans=["two", "four"]
# ## Does a label shape the macroscale?
#
# $$\mathrm{KS} = \sup_t \left| F_a(t) - F_\times(t) \right|$$
#
# The largest gap between two curves:
#
# - $F_a$: the share of pairs *inside* a group whose distance is at most $t$,
# - $F_\times$: the same for pairs *across* groups, one person with the label and one without.
#
# Is that a lot? Compare it with the KS of shuffled labels.

# %% [markdown] plans=["two", "four"]
# ## Which label shapes it most?

# %% plans=["two", "four"] tags=["widget"] alt="A map of people coloured by a label, and curves of the distances inside and across groups" zoom=0.7
many = fr.Avatars(identities=30, seed=0)
whose, looks = course.snapshots(many, each=3, spread=0.6, seed=4)
points = model.embed(many.render_batch(whose.tolist(), looks, size=96), batch_size=8)
labels = many.labels(whose.tolist(), looks)[["feminine", "long_hair", "old"]]
macro = MacroscaleExplorer(points, whose, labels, metric="euclidean")
macro

# %% [markdown] plans=["two", "four"]
# ## Readable is not important
#
# - A **probe** asks whether a label *can be read*.
# - **KS** asks whether it changes the *distances*.
#
# "The model encodes $x$" and "the model groups people by $x$" are two claims.

# %% [markdown] plans=["one", "two", "four"]
# ## A whirlpool
#
# Arrows on a ring, each pointing along it. Compare every arrow with every other by $1 - \cos\theta$.

# %% plans=["one", "two", "four"] tags=["widget"] alt="A number from 0 to 2 to be guessed" zoom=1.8
whirlpool = EnergyPlayground("tangential", rule="all")
mean = Prediction("The mean of 1 - cos over all pairs of arrows", "number", low=0, high=2, truth=whirlpool.energy())
mean

# %% [markdown] plans=["one", "two", "four"]
# ## Order depends on scale

# %% plans=["one", "two", "four"] tags=["widget"] alt="Arrows on a ring, a disc that shows a neighbourhood, and the energy" zoom=0.77
playground = EnergyPlayground("tangential", rule="ball", radius=0.6)
playground

# %% [markdown] plans=["one", "two", "four"]
# ## The alignment energy
#
# $$E = \text{mean over neighbours of } 1 - \cos\theta$$
#
# - $E = 0$: the attribute moves all faces the same way. The model **depends** on it.
# - $E = 1$: as random as noise. As far as direction goes, it is **invariant**.
#
# Magnitude says *how far*, energy says *how consistently*.

# %% [markdown] plans=["two", "four"]
# ## Arrows in a real network

# %% plans=["two", "four"] tags=["widget"] alt="A plane with an arrow at every face, and the energy over the scale" zoom=0.83
lattice = fr.sample_lattice(fr.Avatars(identities=3, seed=0), ["age", "head_angle", "brightness"], curves=14, seed=0)
field = fr.vector_field(fr.embed(lattice, model, size=96, batch_size=8, progress=False))
arrows = FieldExplorer(field, lattice)
arrows

# %% [markdown] plans=["two", "four"]
# ## What did it never see?
#
# A network without a name. Slide, then **accuse** one attribute.

# %% plans=["two", "four"] tags=["widget"] alt="A face with sliders for a network without a name" zoom=1.05
game = course.never_saw(7)
game.explorer

# %% [markdown] plans=["two", "four"]
# ## Accuse

# %% plans=["two", "four"] tags=["widget"] alt="The attributes that one may accuse" zoom=1.8
accusation = game.accusation
accusation

# %% [markdown] plans=["four"]
# ## Teaching invariance
#
# - Vary **one** attribute; pull the copies together; keep everything else in place.
# - Compared with what? With the same lesson in *another* attribute.
#
# Reliable, large, and due to the lesson are three claims.

# %% [markdown] plans=["four"]
# ## Comparing models
#
# - The same faces, the same steps, each person compared with herself.
# - With $n$ people, $p$ cannot fall below $2 / 2^n$.
# - "Not shown" is not "equal".
# - A rank correlation of eight attributes has a sample size of eight.

# %% [markdown] plans=["one", "two", "four"]
# ## A small rate meets a crowd
#
# False match rate 1 in 10,000; 100,000 people pass a camera; the wanted person is not among them.
#
# How many alarms? How many of them are right?

# %% [markdown] plans=["one", "two", "four"]
# ## Zero errors prove little
#
# After $n$ independent pairs without an error, the rate may still be about $3 / n$.

# %% [markdown] plans=["one", "two", "four"]
# ## To discuss
#
# - "99.4 % accurate": on which pairs, at whose threshold?
# - Should a model be blind to age? To make-up? To expression? Who loses in each case?
# - Generated faces violate nobody's privacy. What do they hide from us?

# %% [markdown] plans=["one", "two", "four"]
# ## Take away
#
# - A distance means something only with its metric, its threshold, and the faces it was chosen on.
# - *How far* and *how consistently* are two questions.
# - Count people, not pictures.
