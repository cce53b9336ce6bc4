"""README's ten lines on a cold cache: time of each step and peak memory.

    python benchmarks/ten_lines.py              # 12 identities x 200 curves, a few minutes
    python benchmarks/ten_lines.py --brief      # a tenth of the curves, times ten

The lines run in a process of their own with an empty cache, so that start-up and compilation count and peak memory is
their own. Version 0.1, which drew its simpler faces in numpy, took 549 s on two cores.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

from figures import figure

IDENTITIES, CURVES, LIMIT = 12, 200, 150


def lines(curves: int) -> dict[str, float]:
    """Seconds of each step in README's order, faces, and the peak memory in MiB."""
    start = time.perf_counter()
    import fr_explore as fr

    seconds: dict[str, float] = {}

    def done(step: str) -> None:
        seconds[step] = time.perf_counter() - start - sum(seconds.values())

    faces = fr.Avatars(identities=IDENTITIES, seed=0)
    model = fr.load_model("dlib")
    lattice = fr.sample_lattice(faces, ["age", "hair_color", "head_angle"], curves=curves, seed=0)
    done("import, faces, model, lattice")
    embeddings = fr.embed(lattice, model)
    done("embed")
    field = fr.vector_field(embeddings)
    energies = fr.alignment(field, neighborhood=fr.knn(10), null_draws=200, seed=0)
    done("field and energies")
    fr.charts.energy_by_attribute(energies).to_json()
    done("chart")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    people, attributes, count, steps = lattice.shape
    return seconds | {"peak": peak, "faces": people * count * (attributes * (steps - 1) + 1)}


def measured(*options: str) -> dict[str, float]:
    """`lines` in a process of its own, whose progress bar is shown."""
    with tempfile.TemporaryDirectory() as cache:
        environment = os.environ | {"FR_EXPLORE_CACHE": cache}
        command = [sys.executable, __file__, "--child", *options]
        out = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
    return json.loads(out.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--brief", action="store_true", help="a tenth of the curves, times ten")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--curves", type=int, default=CURVES, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(lines(args.curves)))
        return
    tenth = str(CURVES // 10)
    ours = measured("--curves", tenth if args.brief else str(CURVES))
    steps = [name for name in ours if name not in ("peak", "faces")]
    times = 10 if args.brief else 1
    print(
        f"{IDENTITIES} identities, {CURVES} curves: {ours['faces'] * times:,.0f} faces; load {os.getloadavg()[0]:.1f}"
    )
    total = 0.0
    for step in steps:
        seconds = ours[step] * (times if step == "embed" else 1)  # only embedding grows with the number of curves
        total += seconds
        print(f"{step:34s}{seconds:8.1f} s")
    print(f"{'all':34s}{total:8.1f} s")
    print(f"peak memory: {ours['peak']:.0f} MiB")
    figure("README's ten lines, cold cache", total, "s", target=f"<= {LIMIT} s", met=total <= LIMIT)
    figure("README's ten lines, peak memory", ours["peak"], "MiB")


if __name__ == "__main__":
    main()
