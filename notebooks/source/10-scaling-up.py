# %% [markdown]
# # 10. Scaling up
#
# *About 30 minutes. Before this: [5. Alignment energy](05-alignment-energy.ipynb). For researchers.*
#
# A lesson has a few hundred faces. A study has ten million pictures, a thousand models, a cloud of a million points. What of the library still works then, what does it cost, and what stays the same? Everything here is small enough for a laptop; the *rules* by which it grows are what counts.
#
# You will
#
# - measure unit costs in seconds, and scale them up on paper before you start,
# - see time grow with the square of the points, and memory only slowly,
# - judge an approximate search by what it misses and by what the energy makes of it,
# - fill a store that may be interrupted, on a cluster, and leave a file that others can check.

# %%
import tempfile
import time
import tracemalloc
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

import fr_explore as fr
from fr_explore.cli import main as fr_explore_command
from fr_explore_widgets import FieldExplorer, Prediction, course

# %%
extras = {"zarr": "zarr", "dask": "distributed", "ann": "faiss"}  # name of the extra: a package it brings
there = {extra: find_spec(package) is not None for extra, package in extras.items()}
for extra, found in there.items():
    print(f"{extra:5}", "is here" if found else f'is not here: pip install "fr-explore[{extra}]"')

# %% [markdown]
# Cells that need an extra you lack say so, and the notebook goes on without them.

# %% [markdown]
# ## 1. Predict, then measure
#
# Ten million pictures, one small network, **one core**: how many hours, embedding alone?

# %% tags=["widget"] alt="A number of hours from 0 to 500 to be guessed, and a button that commits the guess"
guess = Prediction("Core hours for ten million pictures", "number", unit="h", low=0, high=500)
guess

# %% tags=["solution"]
guess.commit(20)

# %%
faces = fr.Avatars(identities=2, seed=0)
model = fr.load_model("controlled/all-varied")
start = time.perf_counter()
pictures = [faces.render(0, {"age": age}, size=64) for age in np.linspace(20, 70, 12)]
rendered = time.perf_counter()
model.embed(pictures)
seconds = {"render": (rendered - start) / 12, "embed": (time.perf_counter() - rendered) / 12}
print({what: f"{1000 * value:.1f} ms a picture" for what, value in seconds.items()})

# %%
course.reveal(guess, 1e7 * seconds["embed"] / 3600)

# %% [markdown]
# Twelve pictures are few and the first call warms up, so take this as an order of magnitude of *this* machine, in this minute. Larger networks take longer: for FaceNet's count with several times dlib's.
#
# ### Exercise 10a: on paper

# %% tags=["exercise"]
def cost(pictures, models, seconds, cores, dim):
    """Hours and GB (10**9 bytes) to embed all pictures with all models, float32; `seconds` each, one core."""
    # BEGIN SOLUTION: work divided by cores; four bytes for each number that is kept.
    return pictures * models * seconds / cores / 3600, pictures * models * dim * 4 / 1e9
    # END SOLUTION

# %% tags=["check"]
course.check("10a", cost)

# %% [markdown]
# At 0.02 s and 512 numbers, with 64 cores: CelebA once takes a minute and 0.4 GB; ten million pictures an hour and 20 GB; CelebA with a thousand models 18 hours and 415 GB. (`help(fr_explore.distributed)` has the table, `benchmarks/cluster.py` measures it for your machine.) Processor time limits first, the disk second.

# %% [markdown]
# ## 2. All pairs, without all pairs in memory
#
# The energy looks at distances between all points of one person. Kept as a matrix, they would be the end of many computers.
#
# ### Exercise 10b: how many points?

# %% tags=["exercise"]
def most_points(memory):
    """The largest number of points whose whole matrix of distances, float64, fits into `memory` bytes."""
    # BEGIN SOLUTION: n * n numbers of eight bytes.
    return int(np.sqrt(memory / 8))
    # END SOLUTION

# %% tags=["check"]
course.check("10b", most_points)

# %% [markdown]
# So the library keeps no matrix: it computes distances block by block, uses each block and forgets it. Points and arrows here are artificial; only their number matters.

# %%
rng = np.random.default_rng(0)
place = rng.uniform(-1, 1, (8000, 4))
points = np.tanh(place @ rng.standard_normal((4, 64))).astype("f4")
arrows = np.cos(2 * place @ rng.standard_normal((4, 64))) + 0.5

# %%
rows = []
for n in (1000, 2000, 4000, 8000):
    tracemalloc.start()
    start = time.perf_counter()
    energy = fr.alignment_energy(points[:n], arrows[:n], "knn:10")
    seconds, peak = time.perf_counter() - start, tracemalloc.get_traced_memory()[1] / 1e6
    rows.append((n, seconds, peak, n * n * 8 / 1e6, energy))
    tracemalloc.stop()
pd.DataFrame(rows, columns=["points", "seconds", "peak MB", "matrix would take MB", "energy"]).round(3)

# %% [markdown]
# Double the points: the matrix takes four times as much, and the time goes the same way in the end, for every distance is still computed. The peak grows only slowly. Time is what ends an exact search: a million points in one cloud are $10^{12}$ distances, days of a core. (And the energy changes with $n$: ten nearest neighbours of more points are *nearer*. Compare equal numbers of points.)

# %% [markdown]
# ## 3. Approximate neighbours
#
# `fr.knn(10, approximate=64)` does not look at all points. It walks through a graph from neighbour to neighbour and keeps 64 candidates. It may miss some. **Recall** is the share of the true neighbours that were found, over all points.
#
# ### Exercise 10c: recall

# %% tags=["exercise"]
def recall(exact, found):
    """Share of true neighbours that were found; exact, found: (points, k) numbers of neighbours, any order."""
    # BEGIN SOLUTION: for each point, how many of its own neighbours are in both rows.
    return np.mean([np.isin(true, got).mean() for true, got in zip(exact, found)])
    # END SOLUTION

# %% tags=["check"]
course.check("10c", recall)

# %% [markdown]
# What the energy makes of the misses, for few and for many candidates:

# %%
if there["ann"]:
    exact = fr.alignment_energy(points, arrows, fr.knn(10))
    for candidates in (10, 32, 128):
        start = time.perf_counter()
        near = fr.alignment_energy(points, arrows, fr.knn(10, approximate=candidates))
        took = time.perf_counter() - start
        print(f"{candidates:4} candidates: energy {near:.5f}, off by {near - exact:+.1e}, {took:.1f} s")
else:
    print('Left out here: approximate neighbours need pip install "fr-explore[ann]".')

# %% [markdown]
# A missed neighbour is replaced by one that is hardly further away, and its arrow points almost the same way. So the energy can be nearly right where recall is not. At 8,000 points an exact search is quick too; at a hundred thousand and more the difference counts: `benchmarks/approximate.py`. Give the number of candidates with the result, and try twice as many: does the energy move?

# %% [markdown]
# ## 4. A store that survives
#
# With `store=`, embeddings go to a **Zarr** store: a folder of plain files, cut by identity, each written whole or not at all. Stop the run, start it again: what is there is not computed twice. With `client=`, the workers of a Dask cluster fill it, on this machine or on a hundred.

# %%
folder = tempfile.TemporaryDirectory()
store = Path(folder.name) / "run.zarr"
lattice = fr.sample_lattice(faces, ["age", "hue"], curves=10, seed=0)
if there["zarr"]:
    for attempt in ("first", "second"):
        start = time.perf_counter()
        embeddings = fr.embed(lattice, model, size=64, store=store, progress=False)
        print(f"{attempt} call: {time.perf_counter() - start:.2f} s")
else:
    print('In memory, for a store needs pip install "fr-explore[zarr]".')
    embeddings = fr.embed(lattice, model, size=64, progress=False)

# %% [markdown]
# The same on a cluster. Here it is the smallest there is, one thread inside this kernel, so that it fits anywhere; on a workstation write `with fr.local_cluster(workers=8) as client:`, on a real cluster `client = distributed.Client("address of the scheduler")`.

# %%
if there["zarr"] and there["dask"]:
    from distributed import Client

    other = store.with_name("cluster.zarr")
    with Client(processes=False, n_workers=1, threads_per_worker=1, dashboard_address=None) as client:
        remote = fr.embed(lattice, model, size=64, store=other, client=client, progress=False)
    gap = float(abs(remote - embeddings).max())
    print(f"largest difference to the run without a cluster: {gap:.1e}")
else:
    print('Left out here: a cluster needs pip install "fr-explore[dask]".')

# %% [markdown]
# Whatever wrote them, the embeddings are the same labelled array, and everything you know takes them. Turn the scale: two people, ten base points each.

# %% tags=["widget"] alt="Points and arrows of a field in a plane, with sliders for attribute, identity and scale, and the energy as the scale slides"
field = fr.vector_field(embeddings.load())
explorer = FieldExplorer(field, null_draws=10)
explorer

# %% [markdown]
# ## 5. Without a notebook
#
# The command `fr-explore` does the same in a terminal or a batch queue:
#
# ```console
# fr-explore embed avatars:200 --model dlib --attributes age,hue --curves 500 --out run.zarr --workers 8
# fr-explore energy run.zarr --neighborhood knn:10 --workers 8 --out energies.csv
# fr-explore report dlib controlled/all-varied --out report.html
# ```
#
# The last writes one page with faces, energies, profiles, verification, cards and the command that repeats it. With `--json` the numbers go to programs. On the store from above:

# %%
if there["zarr"]:
    fr_explore_command(["energy", str(store), "--neighborhood", "knn:3", "--null-draws", "20", "--quiet"])
else:
    print('Left out here: it reads a store, pip install "fr-explore[zarr]".')

# %% [markdown]
# ## 6. Results that others can check
#
# A number without its circumstances cannot be checked. `fr.save_results` keeps arrays and tables in one file together with model cards, the lattice and its seed, and the versions of all packages. It is read without running any code of the file's own: nothing is pickled.

# %%
energies = fr.alignment(field, neighborhood="knn:3", null_draws=20, seed=0)
if there["zarr"]:
    path = fr.save_results(
        store.with_name("study.zarr.zip"), energies=energies, models=[model], lattice=lattice,
        about="Lesson 10: two avatars, ten base points.",
    )
    again = fr.load_results(path)
    same = again["energies"].equals(energies)
    print(f"{path.stat().st_size / 1e3:.0f} kB; the same table: {same}; kept beside it:")
    print(", ".join(again.attrs))
else:
    print('Left out here: saving needs pip install "fr-explore[zarr]".')

# %%
folder.cleanup()

# %% [markdown]
# ## 7. What does not scale
#
# More pictures make the energy of *these people* more precise. They do not add people: ten thousand base points on three avatars are three avatars. Before you rent a cluster, ask which of the two your uncertainty comes from: the spread over people, or the number of base points for each. Half of the base points, drawn twice, tell.

# %% [markdown]
# ## Take away
#
# - Measure seconds for one picture, do the sum on paper, then start.
# - Exact energies: time grows with the square of one person's points, memory only slowly.
# - Approximate neighbours: state the candidates, double them once, look at the energy and not at recall alone.
# - A store can be interrupted and resumed; a cluster changes where numbers are computed, not what they are.
# - Save results with their circumstances. And count people, not pictures.
#
# This was the last notebook; [the cheat sheet](CHEATSHEET.md) has all calls on one page. To read: Malkov and Yashunin, *Efficient and robust approximate nearest neighbor search using Hierarchical Navigable Small World graphs*, 2016, [arXiv 1603.09320](https://arxiv.org/abs/1603.09320); Rocklin, *Dask: parallel computation with blocked algorithms and task scheduling*, 2015, [doi 10.25080/Majora-7b98e3ed-013](https://doi.org/10.25080/Majora-7b98e3ed-013); [the format of Zarr stores](https://zarr.readthedocs.io).
