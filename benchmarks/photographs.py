"""Time and quality of finding faces, time to edit a portrait, and to stream a data set into embeddings.

python benchmarks/photographs.py                 # some minutes, with 300 avatars for the quality of landmarks
python benchmarks/photographs.py --avatars 60    # about a minute

All times are CPU times of one thread, so that other programs do not count.
"""

from __future__ import annotations

import argparse
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
from fr_explore.base.distance import distance
from fr_explore.faces.base import Face, to_uint8
from fr_explore.faces.photographs.detect import _by_mtcnn, find_faces, load_detector


def milliseconds(function: Callable[[], object], rounds: int = 7) -> float:
    """Median CPU time of several calls after a warm-up."""
    times = []
    for _ in range(rounds + 1):
        start = time.process_time()
        function()
        times.append(1000 * (time.process_time() - start))
    return float(np.median(times[1:]))


def detection(count: int) -> None:
    """Find faces, compared with MTCNN on the whole picture, and on the reduced copy that version 0.1 used."""
    print("finding faces, ms a picture     ours   MTCNN, reduced copy   MTCNN, whole picture")
    for side in (512, 1200, 2048, 4000):
        picture = np.asarray(Image.fromarray(data.astronaut()).resize((side, side)))
        ours, reduced, whole = (
            milliseconds(lambda call=call, picture=picture: call(picture), 5 if side < 2000 else 2)
            for call in (find_faces, _by_mtcnn, load_detector().detect)
        )
        print(f"  {side:5d} x {side:<5d}              {ours:8.0f} {reduced:21.0f} {whole:22.0f}")
        promised = side == 1200
        for against, base, share in (("the whole picture", whole, 8), ("a reduced copy, as in 0.1", reduced, 3)):
            target, met = (f"<= 1/{share} of it", ours <= base / share) if promised else ("", True)
            figure(f"finding faces, {side} x {side} px", ours, "ms", base, f"MTCNN on {against}", target, met)
    quality(count)


def looked_for(count: int) -> tuple[pd.DataFrame, dict[str, list], list[np.ndarray]]:
    """Avatars of four sizes, turned and lit, somewhere in a picture; the errors of both finders; their landmarks."""
    avatars, rng = fr.Avatars(identities=max(2, count // 10), seed=7), np.random.default_rng(0)
    finders = {"ours": find_faces, "MTCNN": lambda picture: _by_mtcnn(to_uint8(picture))}
    rows, pictures = [], []
    marks: dict[str, list] = {name: [] for name in finders}
    for i in range(count):
        size, who = (48, 80, 160, 320)[i % 4], avatars.identities[i // 4 % len(avatars.identities)]
        at = {"head_angle": float(rng.uniform(-30, 30)), "illumination": float(rng.uniform(-60, 60))}
        face = avatars.render(who, at, size=size)
        canvas = np.full((400, 560, 3), 0.55, np.float32)
        left, top = int(rng.integers(0, 560 - size)), int(rng.integers(0, 400 - size))
        canvas[top : top + size, left : left + size] = face.pixels
        truth = face.landmarks + np.array([left, top])
        row = {"who": who, "size": size, "turn": abs(at["head_angle"]), "light": abs(at["illumination"])}
        for name, finder in finders.items():
            largest = max(finder(canvas), key=lambda one: one.area, default=None)
            points = np.full((5, 2), np.nan) if largest is None else largest.landmarks
            error = np.linalg.norm(points - truth, axis=1).mean() / np.linalg.norm(truth[0] - truth[1])
            row[name] = 100 * error if error < 0.5 else np.nan  # somewhere else: not found
            marks[name].append(points)
        rows.append(row)
        pictures.append(canvas)
    return pd.DataFrame(rows), marks, pictures


def quality(count: int) -> None:
    """Landmarks against the truth, found faces and distances of one person, each beside MTCNN on the same avatars."""
    table, marks, pictures = looked_for(count)
    print(f"of {count} avatars: found, and landmarks' error in % of the eyes' distance where both found one")
    turn, light = pd.cut(table.turn, [-1, 10, 20, 90]), pd.cut(table.light, [-1, 20, 40, 90])
    for title, groups in (("size, px", table["size"]), ("turn, degrees", turn), ("light, degrees", light)):
        for value, part in table.groupby(groups, observed=True):
            cells = [f"{n} {part[n].notna().sum():3d} {part.dropna()[n].mean():5.1f} %" for n in marks]
            print(f"  {title:15s} {value!s:>9s} {len(part):4d}   " + "   ".join(cells))
    both, found = table.dropna(), table[list(marks)].notna().sum()
    same = (both.who.to_numpy()[:, None] == both.who.to_numpy()) & ~np.eye(len(both), dtype=bool)
    model, within = fr.load_model("dlib", device="cpu"), {}
    for name, points in marks.items():
        v = model.embed([Face(pictures[i], points[i].astype(np.float32)) for i in both.index])
        within[name] = float(np.median(distance(v[:, None], v[None], "euclidean")[same]))
        print(f"  {name}: {found[name]} found, error {both[name].mean():.2f} %, within a person {within[name]:.3f}")
    ours, theirs = both["ours"].mean(), both["MTCNN"].mean()
    figure("landmarks' error", ours, "% of the eyes' distance", theirs, "MTCNN", "<= 1.1 of it", ours <= 1.1 * theirs)
    target, met = f">= MTCNN's {found['MTCNN']}", bool(found["ours"] >= found["MTCNN"])
    figure(f"faces found of {count} avatars", str(found["ours"]), target=target, met=met)
    figure("median distance of two pictures of one person", within["ours"], "", within["MTCNN"], "MTCNN")


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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--avatars", type=int, default=300, help="how many faces show the quality of landmarks")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        os.environ["FR_EXPLORE_CACHE"] = str(folder / "cache")
        (folder / "pictures").mkdir()
        detection(arguments.avatars)
        editing()
        streaming(folder / "pictures")
