# %% [markdown]
# # 10. Scaling up
#
# *About 40 minutes. Before this: [5. Alignment energy](05-alignment-energy.ipynb). For researchers.*
#
# ![Seven hundred arrows along the two arms of a spiral, and the energy over the scale](attachment:first.png)
#
# A lesson uses a few hundred faces. A study may use ten million pictures, a thousand models, or a cloud of a million points. Which parts of the library still work at that size, and what does it cost? Everything here is small enough for a laptop; what matters are the *rules* by which the costs grow.

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

# %% [markdown]
# You will
#
# - measure the cost per picture in seconds, and scale it up on paper before you start,
# - see that time grows much faster than the number of points, but memory only slowly,
# - judge an approximate search by what it misses and by how this changes the energy,
# - fill a store that can be interrupted, use a cluster, and save a file that others can check.

# %%
extras = {"zarr": "zarr", "dask": "distributed", "ann": "faiss"}  # extra: a package that it installs
there = {extra: find_spec(package) is not None for extra, package in extras.items()}
for extra, found in there.items():
    print(f"{extra:5}", "is installed" if found else f'is not installed: pip install "fr-explore[{extra}]"')

# %% [markdown]
# Cells that need a missing extra say so, and the notebook continues without them.

# %% [markdown]
# ## 1. Predict, then measure
#
# You embed ten million pictures with one small network on **one core**. How many hours does the embedding alone take?

# %%
faces = fr.Avatars(identities=2, seed=0)
model = fr.load_model("controlled/all-varied")

# %% tags=["widget"] alt="A number of hours from 0 to 500 to be guessed, and a button that commits the guess"
guess = Prediction("Core hours for ten million pictures", "number", unit="h", low=0, high=500)
guess

# %% tags=["solution"]
guess.commit(20)

# %%
start = time.process_time()  # of all cores together
pictures = [faces.render(0, {"age": age}, size=64) for age in np.linspace(20, 70, 12)]
rendered = time.process_time()
model.embed(pictures)
seconds = {"render": (rendered - start) / 12, "embed": (time.process_time() - rendered) / 12}
with course.after(guess):
    for what, value in seconds.items():
        print(f"{what}: {1000 * value:.1f} ms a picture")

# %%
course.reveal(guess, 1e7 * seconds["embed"] / 3600)

# %% [markdown]
# <details><summary>After your guess</summary>
#
# Twelve pictures are few and the first call includes warm-up, so this is only an order of magnitude for *this* machine at this moment. Larger networks take longer: FaceNet takes several times as long as dlib.
#
# </details>
#
# ### Exercise 10a: on paper

# %% tags=["exercise"]
def cost(pictures, models, seconds, cores, dim):
    """Hours and GB (10**9 bytes) for all pictures and models; `seconds` per picture on one core, float32."""
    # BEGIN SOLUTION: work divided by cores; four bytes for each stored number.
    return pictures * models * seconds / cores / 3600, pictures * models * dim * 4 / 1e9
    # END SOLUTION

# %% tags=["check"]
course.check("10a", cost)

# %% [markdown]
# At 0.02 s and 512 numbers per picture, with 64 cores, CelebA takes a minute and 0.4 GB for one model, ten million pictures take an hour and 20 GB, and CelebA with a thousand models takes 18 hours and 415 GB. (The documentation of `fr_explore.scale.distributed` has the table; [cluster.py](https://github.com/fr-explore/fr-explore/blob/main/benchmarks/cluster.py) measures it on your machine.) Processor time is the first limit, disk space the second.

# %% [markdown]
# ## 2. All pairs, but not all in memory
#
# The energy needs the distances between all points of one person. As a matrix, they would exhaust most computers' memory.
#
# ### Exercise 10b: how many points?

# %% tags=["exercise"]
def most_points(memory):
    """The largest number of points whose full matrix of float64 distances fits into `memory` bytes."""
    # BEGIN SOLUTION: n * n numbers of eight bytes.
    return int(np.sqrt(memory / 8))
    # END SOLUTION

# %% tags=["check"]
course.check("10b", most_points)

# %% [markdown]
# So the library stores no matrix: it computes the distances block by block, uses each block and discards it. The points and arrows here are artificial; only their number matters.

# %%
rng = np.random.default_rng(0)
place = rng.uniform(-1, 1, (8000, 4))
points = np.tanh(place @ rng.standard_normal((4, 64))).astype("f4")
arrows = np.cos(2 * place @ rng.standard_normal((4, 64))) + 0.5

# %%
rows = []
fr.alignment_energy(points[:1000], arrows[:1000], "knn:10")  # the first call takes longer
for n in (1000, 2000, 4000, 8000):
    start = time.process_time()  # of the processor, whatever else the machine does
    energy = fr.alignment_energy(points[:n], arrows[:n], "knn:10")
    seconds = time.process_time() - start
    tracemalloc.start()  # it would slow the call down, so memory is measured in a second one
    fr.alignment_energy(points[:n], arrows[:n], "knn:10")
    rows.append((n, seconds, tracemalloc.get_traced_memory()[1] / 1e6, n * n * 8 / 1e6, energy))
    tracemalloc.stop()
costs = pd.DataFrame(rows, columns=["points", "seconds", "peak MB", "matrix MB", "energy"]).set_index("points")
costs["slower"] = costs["seconds"] / costs["seconds"].shift()
costs.round({"seconds": 3, "peak MB": 1, "energy": 3, "slower": 1})

# %% [markdown]
# If you double the points, there are four times as many distances, and the matrix would need four times the memory. `matrix MB` is what it would take; `slower` says how many times as long each row took as the row above: on most computers 1.5 to 4, since only a part of the work grows with the square at these sizes. Compare the first row with the last: eight times the points take more than eight times the seconds. The peak memory grows only slowly. Time is the limit of an exact search: a million points in one cloud have $10^{12}$ distances, which take days on one core. (The energy also changes with $n$: among more points, the ten nearest neighbours are *nearer*. Compare equal numbers of points.)

# %% [markdown]
# ## 3. Approximate neighbours
#
# `fr.knn(10, approximate=64)` does not compare all points. It walks through a graph from neighbour to neighbour and keeps 64 candidates, so it may miss some neighbours. **Recall** is the share of the true neighbours that it finds, averaged over all points.
#
# ### Exercise 10c: recall

# %% tags=["exercise"]
def recall(exact, found):
    """Share of true neighbours that were found; exact, found: (points, k) indices of neighbours, any order."""
    # BEGIN SOLUTION: for each point, the share of its true neighbours that are in both rows.
    return np.mean([np.isin(true, got).mean() for true, got in zip(exact, found)])
    # END SOLUTION

# %% tags=["check"]
course.check("10c", recall)

# %% [markdown]
# How do the misses change the energy, for few and for many candidates?

# %%
if there["ann"]:
    exact = fr.alignment_energy(points, arrows, fr.knn(10))
    for candidates in (10, 32, 128):
        start = time.perf_counter()
        near = fr.alignment_energy(points, arrows, fr.knn(10, approximate=candidates))
        took = time.perf_counter() - start
        print(f"{candidates:4} candidates: energy {near:.5f}, off by {near - exact:+.1g}, {took:.1f} s")
else:
    print('Left out here: approximate neighbours need pip install "fr-explore[ann]".')

# %% [markdown]
# A missed neighbour is replaced by one that is hardly further away, and its arrow points in almost the same direction. So the energy can be nearly right even if the recall is low. At 8,000 points an exact search is fast too; from a hundred thousand points on, the difference matters: see [approximate.py](https://github.com/fr-explore/fr-explore/blob/main/benchmarks/approximate.py). Report the number of candidates with the result, and try twice as many: does the energy change?

# %% [markdown]
# ## 4. A store that survives interruptions
#
# With `store=`, embeddings are written to a **Zarr** store: a folder of plain files, split by identity, each written completely or not at all. If you stop the run and start it again, finished parts are not recomputed. With `client=`, the workers of a Dask cluster fill the store, on this machine or on a hundred.

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
    print('Kept in memory: a store needs pip install "fr-explore[zarr]".')
    embeddings = fr.embed(lattice, model, size=64, progress=False)

# %% [markdown]
# Now the same on a cluster. The cluster here is the smallest possible, one thread inside this kernel, so that it runs anywhere. On a workstation, write `with fr.local_cluster(workers=8) as client:`; on a real cluster, `client = distributed.Client("address of the scheduler")`.

# %%
if there["zarr"] and there["dask"]:
    from distributed import Client

    other = store.with_name("cluster.zarr")
    with Client(processes=False, n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0") as client:
        remote = fr.embed(lattice, model, size=64, store=other, client=client, progress=False)
    gap = float(abs(remote - embeddings).max())
    print(f"largest difference from the run without a cluster: {gap:.1g}")
else:
    print('Left out here: a cluster needs pip install "fr-explore[dask]".')

# %% [markdown]
# Wherever they were computed, the embeddings are the same labelled array, and every function you know accepts them. Change the scale below: there are two people with ten base points each.

# %% tags=["widget"] alt="Points and arrows of a field in a plane, with sliders for attribute, identity and scale, and the energy as the scale slides"
field = fr.vector_field(embeddings.load())
explorer = FieldExplorer(field, lattice, null_draws=10)
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
# The last command writes one page with faces, energies, profiles, verification, cards and the command that reproduces it. With `--json`, the output is for other programs. Here is the second command on the store from above:

# %%
if there["zarr"]:
    fr_explore_command(["energy", str(store), "--neighborhood", "knn:3", "--null-draws", "20", "--quiet"])
else:
    print('Left out here: it reads a store, pip install "fr-explore[zarr]".')

# %% [markdown]
# ## 6. Results that others can check
#
# A number without its context cannot be checked. `fr.save_results` saves arrays and tables in one file together with the model cards, the lattice with its seed, and the versions of all packages. Reading the file runs no code from it: nothing is pickled.

# %%
energies = fr.alignment(field, neighborhood="knn:3", null_draws=20, seed=0)
if there["zarr"]:
    path = fr.save_results(
        store.with_name("study.zarr.zip"), energies=energies, models=[model], lattice=lattice,
        about="Lesson 10: two avatars, ten base points.",
    )
    again = fr.load_results(path)
    same = again["energies"].equals(energies)
    print(f"{path.stat().st_size / 1e3:.0f} kB; the same table: {same}; saved with it:")
    print(", ".join(again.attrs))
else:
    print('Left out here: saving needs pip install "fr-explore[zarr]".')

# %%
folder.cleanup()

# %% [markdown]
# ## 7. What does not scale
#
# More pictures make the energy of *these people* more precise. They do not add people: ten thousand base points on three avatars are still three avatars. Before you rent a cluster, ask where your uncertainty comes from: the spread over people, or the number of base points for each. To find out, compute the energy on two random halves of the base points.

# %% [markdown]
# ## Take away
#
# - Measure the seconds per picture, calculate the total on paper, then start.
# - Exact energies: for large clouds, time grows with the square of the points per person, memory only slowly.
# - Approximate neighbours: report the number of candidates, double it once, and look at the energy, not only at the recall.
# - A store can be interrupted and resumed; a cluster changes where numbers are computed, not the numbers.
# - Save results with their context. And count people, not pictures.
#
# This was the last notebook of the course, apart from the optional [11. The shape of the cloud](11-shape.ipynb); [the cheat sheet](CHEATSHEET.md) has all calls on one page. Further reading: Malkov and Yashunin, *Efficient and robust approximate nearest neighbor search using Hierarchical Navigable Small World graphs*, 2016, [arXiv 1603.09320](https://arxiv.org/abs/1603.09320); Rocklin, *Dask: parallel computation with blocked algorithms and task scheduling*, 2015, [doi 10.25080/Majora-7b98e3ed-013](https://doi.org/10.25080/Majora-7b98e3ed-013); [the format of Zarr stores](https://zarr.readthedocs.io).
