"""Time to find faces, to edit a portrait, and to stream a data set into embeddings.

python benchmarks/photographs.py          # about a minute

All times are CPU times of one thread, so that other programs do not count.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import torch
from figures import figure
from PIL import Image
from skimage import data

import fr_explore as fr
from fr_explore.attributes import PHOTOGRAPH_ATTRIBUTES
from fr_explore.base import cache
from fr_explore.faces.photographs.detect import find_faces, load_detector


def milliseconds(function: Callable[[], object], rounds: int = 7) -> float:
    """Median CPU time of several calls after a warm-up."""
    times = []
    for _ in range(rounds + 1):
        start = time.process_time()
        function()
        times.append(1000 * (time.process_time() - start))
    return float(np.median(times[1:]))


def detection() -> None:
    """Find faces on a reduced copy, compared with MTCNN on the whole picture."""
    print("finding faces, ms a picture     ours   MTCNN on the whole picture")
    for side in (512, 1200, 2048, 4000):
        picture = np.asarray(Image.fromarray(data.astronaut()).resize((side, side)))
        ours = milliseconds(lambda picture=picture: find_faces(picture), 3)
        whole = milliseconds(lambda picture=picture: load_detector().detect(picture), 3)
        print(f"  {side:5d} x {side:<5d}              {ours:8.0f} {whole:8.0f}")
        figure(f"finding faces, {side} x {side} px", ours, "ms", whole, "MTCNN on the whole picture")


def editing() -> None:
    """Edit one portrait of 160 px whose photograph is in memory, as during a drag of a slider."""
    photos = fr.Photographs(data.astronaut(), progress=False)
    times = {}
    for name in PHOTOGRAPH_ATTRIBUTES:
        record = fr.ATTRIBUTES[name]
        value = record.low if record.low != record.neutral else record.high
        times[name] = milliseconds(lambda name=name, value=value: photos.render(0, {name: value}))
    print("editing a portrait, ms: " + ", ".join(f"{name} {value:.1f}" for name, value in times.items()))


def streaming(folder: Path, images: int = 400) -> None:
    """From JPEG files of CelebA's size to embeddings, compared with the network alone on ready crops."""
    faces = fr.Avatars(identities=8, seed=0)
    renders = [faces.render(i) for i in faces.identities]
    for i in range(images):
        canvas = np.full((218, 178, 3), (i % 250, 150, 150), np.uint8)
        canvas[40:200, 9:169] = np.asarray(renders[i % 8].to_image())
        Image.fromarray(canvas).save(folder / f"{i:06d}.jpg", quality=95)
    table = pd.DataFrame({"file": [f"{i:06d}.jpg" for i in range(images)], "identity": [i % 8 for i in range(images)]})
    landmarks = np.stack([renders[i % 8].landmarks + np.array([9, 40]) for i in range(images)])
    model = fr.load_model("dlib", device="cpu")
    crops = np.zeros((images, 150, 150, 3), np.uint8)
    sets = {
        "landmarks known": fr.LabelledImages(folder, table, landmarks=landmarks),
        "faces looked for": fr.LabelledImages(folder, table),
    }
    alone = milliseconds(lambda: model.embed(crops), 1) / images
    print(f"streaming {images} pictures of 178 x 218, ms a picture: network alone on crops {alone:.1f}")
    for name, one in sets.items():
        start = time.process_time()
        fr.embed(one, model, progress=False)
        first = time.process_time() - start
        start = time.process_time()
        fr.embed(one, model, progress=False)
        again = time.process_time() - start
        print(f"  {name:17s} {1000 * first / images:5.1f}   again, from the cache {1000 * again / images:.2f}")
        figure(f"a picture from file to embedding, {name}", 1000 * first / images, "ms", alone, "network alone")
    memory = psutil.Process().memory_info
    before = memory().rss
    for _ in range(5):
        fr.embed(sets["landmarks known"], model, progress=False, cache=False)
    print(f"  memory after five more runs without the cache: {(memory().rss - before) / 1e6:+.0f} MB")
    print(f"  cache: {len(cache.entries())} entries, {cache.size() / images / len(sets):.0f} bytes a picture")


if __name__ == "__main__":
    torch.set_num_threads(1)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        os.environ["FR_EXPLORE_CACHE"] = str(folder / "cache")
        (folder / "pictures").mkdir()
        detection()
        editing()
        streaming(folder / "pictures")
