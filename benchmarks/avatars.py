"""Figures of the parametric faces, each beside its target: `python benchmarks/avatars.py [different same ends ...]`.

Embeddings are those of dlib's network (`fr.load_model("dlib")`); the detector is dlib-bin's (development only).
"""

from __future__ import annotations

import argparse
import gzip
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import avatar_pairs
import numpy as np
from avatar_pairs import drawn, report

import fr_explore as fr
from fr_explore import ATTRIBUTES, PAPER_ATTRIBUTES
from fr_explore.engine import host
from fr_explore.faces.avatars.head import load_head
from fr_explore.faces.avatars.identity import draw_identity
from fr_explore.faces.avatars.packing import hair_sections, person_sections
from fr_explore.faces.avatars.source import head_blob, person_blob


def speed(seed: int = 3, count: int = 40) -> None:
    """Times of the engine: one face, changes that it draws from what it kept, a batch."""
    rng = np.random.default_rng(seed)
    faces = fr.Avatars(12, seed=0)
    who = rng.integers(12, size=count).tolist()
    requests = [(i, drawn(rng)) for i in who]
    for i in faces.identities:  # draws the identities
        faces.render(i)
    for side, most in ((160, 9), (80, 5)):
        within(
            f"one face of {side} px, median", timed(lambda i, s, side=side: faces.render(i, s, side), requests)[0], most
        )
        clock, processor = timed(lambda i, s, side=side: in_one_thread(i, s, side), requests)
        report("  drawn in one thread", f"{clock:.1f} ms, {processor:.1f} ms on the processor", "-", True)
    for name in ("illumination", "hair_color", "skin_tone", "facial_hair", "makeup"):
        record = ATTRIBUTES[name]
        drag = [(who[0], {name: float(v)}) for v in np.linspace(record.low, record.high, count)]
        within(f"  {record.label} alone, 160 px", timed(faces.render, drag)[0], 5)
    batches(faces, requests * 3)
    if hasattr(os, "getloadavg"):
        load = f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
        report("  load of the machine while measuring", load, "-", True)


def in_one_thread(identity: int, strengths: Mapping[str, float], side: int) -> None:
    host.render_run(head_blob(), [(person_blob(0, identity), strengths)], side)


def timed(function: Callable, requests: list[tuple]) -> tuple[float, float]:
    """Median milliseconds of a request, by the clock and on the processor."""
    clock, processor = [], []
    for request in requests:
        start, used = time.perf_counter(), time.thread_time()
        function(*request)
        clock.append(1e3 * (time.perf_counter() - start))
        processor.append(1e3 * (time.thread_time() - used))
    return float(np.median(clock)), float(np.median(processor))


def within(name: str, milliseconds: float, most: float) -> None:
    report(name, f"{milliseconds:.1f} ms", f"<= {most:g} ms", milliseconds <= most)


def batches(faces: fr.Avatars, requests: list[tuple], repeats: int = 5, least: float = 200) -> None:
    """Faces a second in a batch on all cores."""
    who, strengths = map(list, zip(*requests, strict=True))
    rates = []
    for _ in range(repeats):
        start = time.perf_counter()
        faces.render_batch(who, strengths)
        rates.append(len(who) / (time.perf_counter() - start))
    rate = float(np.median(rates))
    report("batch of 160 px, median of 5", f"{rate:.0f} faces/s", f">= {least:g} faces/s", rate >= least)


FIRST = """
import sys, time
from pathlib import Path
def memory():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6
start = time.perf_counter()
import fr_explore as fr
imported = time.perf_counter()
light = not {"torch", "wasmtime"} & set(sys.modules)
before = memory()
fr.Avatars(1, seed=0).render(0)
print(imported - start, time.perf_counter() - imported, light)
fr.Avatars(8, seed=0).render_batch(range(8), [{}] * 8)
print(memory() - before)
"""


def first(repeats: int = 7) -> None:
    """The first face of a process, the import before it, and the memory of eight faces; medians of fresh processes."""
    runs = [
        subprocess.run([sys.executable, "-c", FIRST], capture_output=True, text=True, check=True).stdout.split()
        for _ in range(repeats)
    ]
    imported, face = (float(np.median([float(run[k]) for run in runs])) for k in (0, 1))
    light, memory = all(run[2] == "True" for run in runs), float(np.median([float(run[3]) for run in runs]))
    report("import fr_explore", f"{imported:.3f} s", "<= 0.3 s", imported <= 0.3)
    report("  without torch and wasmtime", str(light), "True", light)
    report("first face of a process, after the import", f"{face:.3f} s", "<= 0.4 s", face <= 0.4)
    report("  memory of the first eight faces", f"{memory:.0f} MB", "-", True)


def steps(seed: int = 5, people: int = 6, points: int = 6) -> None:
    """Median cosine between the field's directions at the default step and at half the step."""
    model = fr.load_model("dlib")
    faces = fr.Avatars(people, seed=0)
    for name in PAPER_ATTRIBUTES:
        rng = np.random.default_rng(seed)
        record = ATTRIBUTES[name]
        identities, strengths = [], []
        for identity in np.repeat(np.arange(people), points).tolist():
            base = drawn(rng, middle=True)
            base[name] = min(max(base[name], record.low + record.step), record.high - record.step)
            for width in (record.step, record.step / 2):
                for sign in (-1, 1):
                    identities.append(identity)
                    strengths.append({**base, name: base[name] + sign * width})
        vectors = model.embed(faces.render_batch(identities, strengths)).reshape(people * points, 2, 2, -1)
        change = (vectors[:, :, 1] - vectors[:, :, 0]).astype(np.float64)
        change /= np.linalg.norm(change, axis=-1, keepdims=True)
        cosine = float(np.median((change[:, 0] * change[:, 1]).sum(axis=-1)))
        label = f"half the step of {record.label} ({record.step:g} {record.unit})"
        report(label, f"median cosine {cosine:.3f}", ">= 0.9", cosine >= 0.9)


def size(people: int = 12) -> None:
    """Size of the baked asset, and of what a page takes, compressed as it is sent."""
    path = Path(fr.__file__).parent / "assets" / "avatar.npz"
    megabytes = path.stat().st_size / 1e6
    report("baked asset", f"{megabytes:.2f} MB", "<= 10 MB", megabytes <= 10)

    def kilobytes(arrays: Iterable[np.ndarray]) -> float:
        return sum(len(gzip.compress(array.tobytes(), 6)) for array in arrays) / 1e3

    head = load_head()
    styles = {name: kilobytes(hair_sections(head, name).values()) for name in head.hair_names}
    largest = max(styles, key=lambda name: styles[name])
    report(f"largest hair style in a page, {largest}", f"{styles[largest]:.0f} kB", "<= 150 kB", styles[largest] <= 150)
    sections = [person_sections(head, draw_identity(head, 0, number)) for number in range(people)]
    for part, names, most in (("geometry", ("young", "ageing"), 60), ("texture", ("paint",), 150)):
        found = max(kilobytes(each[name] for name in names) for each in sections)
        report(f"  a person's {part}, largest of {people}", f"{found:.0f} kB", f"<= {most} kB", found <= most)


CHECKS = avatar_pairs.CHECKS | {check.__name__: check for check in (speed, first, steps, size)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checks", nargs="*", choices=[*CHECKS, []], help=f"which of {', '.join(CHECKS)}; all if none")
    for name in parser.parse_args().checks or CHECKS:
        CHECKS[name]()


if __name__ == "__main__":
    main()
