"""Work on a Dask cluster: speed-up, memory of each worker, kill -9, and what large jobs would cost.

python benchmarks/cluster.py                   # four minutes
python benchmarks/cluster.py --brief           # one minute
python benchmarks/cluster.py --parts speed     # or kills, paper: these alone

One and two workers of one thread each, on this machine, in turn; the serial run has one thread too. "On paper" scales
the measured unit costs up; it is arithmetic, no measurement.
"""

from __future__ import annotations

import argparse
import dataclasses
import multiprocessing
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import xarray as xr
import zarr
from dask import config
from dask.utils import parse_bytes
from figures import figure
from PIL import Image

import fr_explore as fr  # and nothing that loads torch: workers import this file, and their memory is measured

# images and models of that work; embeddings of 512 numbers
JOBS = {"CelebA": (202_599, 1), "10 million images": (10_000_000, 1), "1,000 models": (202_599, 1000)}
DIM = 512
QUICK = {"null_draws": 20, "progress": False}


def peak() -> float:
    """Largest resident memory of this process so far, in MiB; getrusage would count its parent's."""
    from pathlib import Path

    lines = Path("/proc/self/status").read_text().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) / 2**10


def warm_up(used: Callable[[], float]) -> list[float]:
    """Import what the work needs: peak memory before, with torch, with everything. It travels without this file."""
    sizes = [used()]
    import torch  # noqa: F401  its memory is measured

    sizes.append(used())
    import fr_explore as library

    library.load_model("dlib", device="cpu")
    library.Avatars(1).render(0)
    return [*sizes, used()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--brief", action="store_true", help="fewer faces and points")
    parser.add_argument("--memory", default="2 GiB", help="limit of each worker (%(default)s)")
    parser.add_argument("--parts", nargs="+", choices=("speed", "kills", "paper"), default=("speed", "kills", "paper"))
    args = parser.parse_args()
    # a worker that was killed leaves others with half a message, which they would report at length
    config.set({"logging": {"distributed": "critical", "distributed.worker": "critical"}})
    identities, curves, points = (8, 10, 2500) if args.brief else (12, 40, 5000)
    faces: Any = fr.Avatars(identities, seed=0)  # pyright does not see that a cached property is a property
    lattice = fr.sample_lattice(faces, ["age", "hue"], curves=curves, seed=0)
    field, model = clouds(identities, points), fr.load_model("dlib", device="cpu")
    with tempfile.TemporaryDirectory() as name:
        if "speed" in args.parts:
            speed(lattice, model, field, Path(name), args.memory)
        if "kills" in args.parts:
            kills(lattice, model, field, Path(name), args.memory)
        if "paper" in args.parts:
            on_paper(Path(name), 1024)


def clouds(identities: int, points: int, dim: int = 128) -> xr.Dataset:
    rng = np.random.default_rng(0)
    place = rng.standard_normal((identities, 1, points, dim), np.float32)
    dims = ("identity", "attribute", "curve", "dim")
    arrows = rng.standard_normal(place.shape, np.float32) + 0.3
    return xr.Dataset({"point": (dims, place), "direction": (dims, arrows), "magnitude": (dims[:3], arrows[..., 0])})


def half(lattice) -> float:
    """Seconds of every second identity in a process of its own, after a warm-up."""
    model = fr.load_model("dlib", device="cpu")
    warm_up(peak)
    part = dataclasses.replace(lattice, base=lattice.base[::2])
    return timed(fr.embed, part, model, cache=False, progress=False)[0]


def timed(function: Callable[..., Any], *args: Any, **options: Any) -> tuple[float, Any]:
    start = time.perf_counter()
    found = function(*args, **options)
    return time.perf_counter() - start, found


def speed(lattice, model, field, folder: Path, memory: str) -> None:
    """Seconds in this process, with one worker and with two, which have imported everything before the clock starts."""
    identities, attributes, curves, steps = lattice.shape
    fr.Avatars(1).render(0)
    alone, serial = timed(fr.embed, lattice, model, cache=False, progress=False)
    energies, _ = timed(fr.alignment, field, "knn:10", **QUICK)
    rows = {"embeddings": [alone], "energies": [energies]}
    for workers in (1, 2):
        with fr.local_cluster(workers, memory) as client:
            stages = [client.run(warm_up, peak)]
            took, found = timed(
                fr.embed, lattice, model, store=folder / f"{workers}.zarr", client=client, progress=False
            )
            rows["embeddings"].append(took)
            stages.append({worker: [used] for worker, used in client.run(peak).items()})
            rows["energies"].append(timed(fr.alignment, field, "knn:10", client=client, **QUICK)[0])
            stages.append({worker: [used] for worker, used in client.run(peak).items()})
        for worker in stages[0]:
            sizes = [f"{size:,.0f}" for stage in stages for size in stage[worker]]
            print(
                f"{workers} workers, peak memory of each, MiB of {memory}: Dask alone {sizes[0]}, with torch "
                f"{sizes[1]}, with model and avatars {sizes[2]}, after extraction {sizes[3]}, after energies {sizes[4]}"
            )
        print(f"  largest difference of embeddings to the serial ones {gap(found, serial):.1e}", flush=True)
    most, limit = max(max(stages[-1].values())), parse_bytes(memory) / 2**20
    figure("two workers, peak memory of each", most, "MiB", target=f"<= {limit:,.0f} MiB", met=most <= limit)
    faces, points = identities * curves * (attributes * (steps - 1) + 1), field.sizes["curve"]
    print(
        f"\n{faces} faces; {identities} identities x {points:,} points x 128, {QUICK['null_draws']} null draws; seconds"
    )
    print(f"{'':12}{'serial':>10}{'1 worker':>10}{'2 workers':>11}{'speed-up':>10}")
    for row, (own, one, two) in rows.items():
        print(f"{row:12}{own:10.1f}{one:10.1f}{two:11.1f}{one / two:10.2f}")
        figure(f"{row} on two workers", two, "s", one, "one worker")
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        both = max(pool.map(half, [lattice] * 2))
    print(f"this machine: two processes that know nothing of each other and of Dask, {both:.1f} s for the embeddings,")
    print(f"  {alone / both:.2f} times as fast as one", flush=True)


def gap(found, expected) -> float:
    """Largest difference, in lengths of the longest embedding."""
    return float(abs(found - expected).max() / np.linalg.norm(expected, axis=-1).max())


def kills(lattice, model, field, folder: Path, memory: str) -> None:
    """kill -9 for one of two workers, once during extraction and once during energies."""
    serial = fr.embed(lattice, model, cache=False, progress=False)
    expected = fr.alignment(field, "knn:10", **QUICK)
    path = folder / "killed.zarr"

    def one_is_done() -> bool:
        return path.exists() and bool(np.asarray(zarr.open_group(str(path), mode="r")["complete"]).any())

    with fr.local_cluster(2, memory) as client:
        client.run(warm_up, peak)
        with killed(client, one_is_done):
            found = fr.embed(lattice, model, store=path, client=client, progress=False)
        left("extraction", len(serial), "identities", gap(found, serial), 1e-5)
        client.wait_for_workers(2)
        with killed(client, lambda: any(client.processing().values())):
            table = fr.alignment(field, "knn:10", client=client, **QUICK)
        far = float(abs(table["energy"] - expected["energy"]).max())
        left("energies", len(table), "rows", far, 1e-9)


def left(during: str, count: int, what: str, far: float, most: float) -> None:
    print(f"kill -9 of a worker during {during}: all {count} {what} there, largest difference {far:.1e}", flush=True)
    figure(f"kill -9 during {during}, largest difference", far, target=f"<= {most:.0e}", met=far <= most)


@contextmanager
def killed(client, when: Callable[[], bool]) -> Iterator[None]:
    """kill -9 for a worker that has a task, once `when()`; an error where Dask lost no task by it."""
    pids = client.run(os.getpid)

    def work() -> None:
        while not when():
            time.sleep(0.005)
        busy = [worker for worker, tasks in client.processing().items() if tasks]
        os.kill(pids[busy[0]], signal.SIGKILL)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    yield
    thread.join()
    deaths = [event for _, event in client.get_events("all") if event["action"] == "remove-worker"]
    if not deaths or not deaths[-1]["processing-tasks"]:
        raise RuntimeError("the work was over before a worker could be killed: give it more to do.")


def on_paper(folder: Path, images: int) -> None:
    """Large jobs from unit costs, which one thread of this process has."""
    pictures = like_celeba(folder, images)
    costs: dict[str, float] = {}
    for name, model in models().items():
        fr.embed(pictures.take(range(8)), model, cache=False, progress=False)  # warm-up
        some = pictures if model.card.dim < DIM else pictures.take(range(images // 16))
        store = folder / f"{model.card.dim}.zarr"
        costs[name] = timed(fr.embed, some, model, store=store, progress=False)[0] / len(some)
    size = sum(path.stat().st_size for path in (folder / "128.zarr").rglob("*") if path.is_file()) / (images * 128 * 4)
    points = 40_000
    pair = timed(fr.alignment, clouds(1, points, DIM), "knn:10", progress=False)[0] / points**2
    print("\nOn paper, one thread of one core, a picture of 178 x 218 px read, aligned, embedded and stored: ", end="")
    print(", ".join(f"{1000 * cost:.1f} ms ({name})" for name, cost in costs.items()))
    print(f"exact energy among 10 neighbours: {1e9 * pair:.1f} ns a pair of {points:,} points x {DIM}")
    hours = "".join(f"{f'hours, {name}':>18}{'on 64 cores':>13}" for name in costs)
    print(f"{'':20}{hours}{'storage':>12}{'energy, one cloud':>20}")
    for name, (count, networks) in JOBS.items():
        row = [count * networks * cost / 3600 for cost in costs.values()]
        shown = "".join(f"{value:18,.1f}{value / 64:13,.2f}" for value in row)
        storage = count * networks * DIM * 4 * size / 1e9
        energy = count**2 * pair * networks / 3600
        print(f"{name:20}{shown}{storage:9,.1f} GB{energy:18,.2f} h")
    even = [f"{cost / pair:,.0f} ({name})" for name, cost in costs.items()]
    print(f"one cloud of so many points takes as long for its exact energy as for its embeddings: {', '.join(even)}")
    print(f"storage: 4 bytes a number, {size:.3f} times as much measured for {images:,} pictures x 128")


def like_celeba(folder: Path, images: int) -> Any:
    """Pictures of the size, kind and landmarks of CelebA's aligned ones; avatars, because only the time counts."""
    from fr_explore.faces.datasets.labelled import LabelledImages

    faces, table, points = fr.Avatars(4, seed=0), [], []
    for i in range(images):
        face = faces.render(i % 4, size=160)
        assert face.landmarks is not None
        Image.fromarray(np.asarray(face.to_image())).resize((178, 218)).save(folder / f"{i:06d}.jpg", quality=95)
        table.append({"file": f"{i:06d}.jpg", "identity": i % 4})
        points.append(face.landmarks * [178 / 160, 218 / 160])
    problems = pd.DataFrame({"file": [], "reason": []})
    return LabelledImages(folder, pd.DataFrame(table), (), problems, np.array(points, np.float32))


def models() -> dict[str, Any]:
    """The quickest and the slowest of the networks that come with the library; FaceNet untrained is as fast."""
    from facenet_pytorch import InceptionResnetV1

    from fr_explore.models import facenet

    card = facenet.CARDS["facenet-vggface2"]
    return {
        "dlib": fr.load_model("dlib", device="cpu"),
        "FaceNet": fr.load_model(InceptionResnetV1(), card=card, device="cpu"),
    }


if __name__ == "__main__":
    main()
