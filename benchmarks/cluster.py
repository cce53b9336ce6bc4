"""Work on a Dask cluster: speed-up, memory of each worker, kill -9, and what large jobs would cost.

python benchmarks/cluster.py            # some minutes
python benchmarks/cluster.py --brief    # two or three minutes

One and two workers of one thread each, on this machine, in turn; the serial run has one thread too. "On paper" scales
the measured unit costs up; it is arithmetic, no measurement.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import tempfile
import threading
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import xarray as xr
import zarr
from figures import figure

import fr_explore as fr

# images, embedding length, models of that work
JOBS = {"CelebA": (202_599, 512, 1), "10 million images": (10_000_000, 512, 1), "1,000 models": (202_599, 512, 1000)}


def peak() -> float:
    """Largest resident memory of this process so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def warm_up() -> None:
    """Import what the work needs; within, because the function travels without this file's globals."""
    import fr_explore as library

    library.load_model("dlib", device="cpu")
    library.Avatars(1).render(0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--brief", action="store_true", help="fewer faces and points")
    parser.add_argument("--memory", default="2 GiB", help="limit of each worker (%(default)s)")
    args = parser.parse_args()
    identities, curves, points = (6, 8, 1500) if args.brief else (12, 40, 4000)
    lattice = fr.sample_lattice(fr.Avatars(identities, seed=0), ["age", "hue"], curves=curves, seed=0)
    model, faces = fr.load_model("dlib", device="cpu"), identities * curves * 5
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start = time.perf_counter()
        serial = fr.embed(lattice, model, cache=False, progress=False)
        alone = time.perf_counter() - start
        field = clouds(identities, points)
        times = {workers: on_cluster(workers, args.memory, lattice, model, serial, field, folder) for workers in (1, 2)}
        print(f"\n{faces} faces, {identities} identities x {points:,} points x 128, 20 null draws; seconds")
        print(f"{'':12}{'serial':>10}{'1 worker':>10}{'2 workers':>11}{'speed-up':>10}")
        start = time.perf_counter()
        fr.alignment(field, "knn:10", null_draws=20, progress=False)
        energies = time.perf_counter() - start
        for row, own, k in (("embeddings", alone, 0), ("energies", energies, 1)):
            one, two = times[1][k], times[2][k]
            print(f"{row:12}{own:10.1f}{one:10.1f}{two:11.1f}{one / two:10.2f}")
            figure(f"{row} on two workers", two, "s", one, "one worker")
        killed(args.memory, lattice, model, serial, folder)
        size = sum(path.stat().st_size for path in (folder / "2.zarr").rglob("*") if path.is_file())
    on_paper(alone / faces, energies / identities / points**2, size / (identities * curves * 2 * 3 * 128 * 4))


def clouds(identities: int, points: int) -> xr.Dataset:
    rng = np.random.default_rng(0)
    place = rng.standard_normal((identities, 1, points, 128)).astype(np.float32)
    dims = ("identity", "attribute", "curve", "dim")
    arrows = rng.standard_normal(place.shape).astype(np.float32) + 0.3
    return xr.Dataset({"point": (dims, place), "direction": (dims, arrows), "magnitude": (dims[:3], arrows[..., 0])})


def on_cluster(workers: int, memory: str, lattice, model, serial, field, folder: Path) -> tuple[float, float]:
    """Seconds of embeddings and of energies; the workers have imported everything before the clock starts."""
    with fr.local_cluster(workers, memory) as client:
        client.run(warm_up)
        start = time.perf_counter()
        found = fr.embed(lattice, model, store=folder / f"{workers}.zarr", client=client, progress=False)
        embed = time.perf_counter() - start
        gap = float(abs(found - serial).max() / np.linalg.norm(serial, axis=-1).max())
        start = time.perf_counter()
        fr.alignment(field, "knn:10", null_draws=20, client=client, progress=False)
        energies = time.perf_counter() - start
        used = ", ".join(f"{value:,.0f}" for value in client.run(peak).values())
    print(
        f"{workers} workers: peak memory {used} MiB of {memory} each; largest difference to serial {gap:.1e}",
        flush=True,
    )
    return embed, energies


def killed(memory: str, lattice, model, serial, folder: Path) -> None:
    """kill -9 for one of two workers after the first identity is done."""
    path = folder / "killed.zarr"
    with fr.local_cluster(2, memory) as client:
        pids = client.run(os.getpid)

        def kill() -> None:
            while not (path.exists() and np.asarray(zarr.open_group(str(path), mode="r")["complete"]).any()):
                time.sleep(0.01)
            busy = next((worker for worker, tasks in client.processing().items() if tasks), next(iter(pids)))
            os.kill(pids[busy], signal.SIGKILL)

        thread = threading.Thread(target=kill)
        thread.start()
        found = fr.embed(lattice, model, store=path, client=client, progress=False)
        thread.join()
        gone = set(pids.values()) - set(client.run(os.getpid).values())
    gap = float(abs(found - serial).max() / np.linalg.norm(serial, axis=-1).max())
    print(
        f"kill -9 of worker {gone}: all {lattice.shape[0]} identities there, largest difference {gap:.1e}", flush=True
    )


def on_paper(face: float, pair: float, overhead: float) -> None:
    """Large jobs from unit costs: seconds a face, seconds a pair of points with 20 draws, bytes stored a byte."""
    print(f"\nOn paper, one core, from {1000 * face:.1f} ms a face and {1e9 * pair:.0f} ns a pair of points:")
    print(f"{'':20}{'core hours':>12}{'with 64':>10}{'storage':>10}{'exact energy of all images':>30}")
    for name, (images, dim, models) in JOBS.items():
        hours, storage = images * models * face / 3600, images * models * dim * 4 * overhead / 2**30
        energy = images**2 * pair * dim / 128 * models / 3600
        print(f"{name:20}{hours:12,.0f}{hours / 64:10,.1f}{storage:7,.1f} GiB{energy:20,.0f} core hours")


if __name__ == "__main__":
    main()
