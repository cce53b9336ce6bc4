"""Speed and memory of embedding extraction: our batches beside the bare network, one by one, and dlib itself.

python benchmarks/extraction.py            # speed: some seconds
python benchmarks/extraction.py --memory   # 10,000 renders through fr.embed: some minutes
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable

import numpy as np
import psutil
import torch

import fr_explore as fr
from fr_explore.models import dlib_resnet


def milliseconds(function: Callable[[], object], images: int, repeats: int = 5) -> float:
    """Median time per image."""
    function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times)) / images


def speed(images: int, batch_size: int) -> None:
    import dlib

    model = fr.load_model("dlib", device="cpu")
    crops = np.random.default_rng(0).integers(0, 256, (images, 150, 150, 3), dtype=np.uint8)
    tensor = torch.from_numpy(crops.astype(np.float32) / 255).permute(0, 3, 1, 2)
    reference = dlib.face_recognition_model_v1(str(dlib_resnet.weights_path()))
    difference = np.abs(model.embed(crops[:4]) - [reference.compute_face_descriptor(crop) for crop in crops[:4]]).max()

    def bare() -> None:
        with torch.inference_mode():
            for start in range(0, images, batch_size):
                model.module(tensor[start : start + batch_size].contiguous(memory_format=torch.channels_last))

    ours = milliseconds(lambda: model.embed(crops, batch_size), images)
    rows = [
        (f"fr-explore, batches of {batch_size}", ours),
        ("the bare network on ready tensors", milliseconds(bare, images)),
        (
            "fr-explore, one by one",
            milliseconds(lambda: [model.embed(crops[i : i + 1]) for i in range(images)], images),
        ),
        ("dlib itself", milliseconds(lambda: [reference.compute_face_descriptor(c) for c in crops[:8]], 8, 2)),
    ]
    print(f"{torch.get_num_threads()} threads; largest difference to dlib {difference:.1e} (target: below 1e-5)")
    for name, value in rows:
        print(f"{name:36s} {value:7.2f} ms per image   {value / ours:6.2f} x ours")
    print("target: at most 10 ms per image in batches on two cores")


def memory(faces: int) -> None:
    """Resident memory while `fr.embed` works through many renders."""
    curves = faces // (4 * 5)
    avatars, model = fr.Avatars(identities=4, seed=0), fr.load_model("dlib", device="cpu")
    process, samples = psutil.Process(), []
    original = type(model).embed

    def sampled(self, *args, **kwargs):
        vectors = original(self, *args, **kwargs)
        samples.append(process.memory_info().rss / 2**20)
        return vectors

    type(model).embed = sampled
    lattice = fr.sample_lattice(avatars, ["age", "head_angle"], curves=curves, seed=0)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FR_EXPLORE_CACHE"] = folder
        embeddings = fr.embed(lattice, model)
    seconds = time.perf_counter() - start
    tenth = len(samples) // 10
    early, late = max(samples[tenth : 2 * tenth]), max(samples[-tenth:])
    print(f"{4 * curves * 5} renders in {seconds:.0f} s ({4 * curves * 5 / seconds:.0f} a second)")
    print(f"resident memory {early:.0f} MiB after a tenth, {late:.0f} MiB at the end, growth {late - early:+.0f} MiB")
    print(f"of it the result itself: {embeddings.nbytes / 2**20:.1f} MiB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--memory", action="store_true", help="memory over many renders instead of speed")
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--renders", type=int, default=10_000)
    options = parser.parse_args()
    if options.memory:
        memory(options.renders)
    else:
        speed(options.images, options.batch_size)
