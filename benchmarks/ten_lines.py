"""README's ten lines on a cold cache: time of each step and peak memory, beside the same faces from numpy's renderer.

    python benchmarks/ten_lines.py              # 12 identities x 200 curves, a few minutes
    python benchmarks/ten_lines.py --brief      # a tenth of the curves, times ten

Each part is a process of its own with an empty cache, so that start-up and compilation count and peak memory is its
own. The baseline draws the faces as version 0.1 did, with the renderer in numpy that the tests keep as their oracle,
for a tenth of the curves; its time is multiplied by ten.
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
from collections.abc import Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from figures import figure

IDENTITIES, CURVES, LIMIT = 12, 200, 150
TESTS = Path(__file__).parents[1] / "tests"


def lines(curves: int, baseline: bool) -> dict[str, float]:
    """Seconds of each step in README's order, faces, and the peak memory in MiB."""
    start = time.perf_counter()
    import fr_explore as fr

    seconds: dict[str, float] = {}

    def done(step: str) -> None:
        seconds[step] = time.perf_counter() - start - sum(seconds.values())

    faces = numpy_avatars() if baseline else fr.Avatars(identities=IDENTITIES, seed=0)
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


def numpy_avatars():
    """`fr.Avatars` as in version 0.1: each face drawn by numpy, on as many threads as there are cores."""
    sys.path.insert(0, str(TESTS))
    from numpy_renderer import picture

    import fr_explore as fr
    from fr_explore.base.cores import cores

    class NumpyAvatars(fr.Avatars):
        def render(self, identity: Hashable, strengths: Mapping[str, float] | None = None, size: int = 160) -> fr.Face:
            return fr.Face(*picture(0, int(identity), strengths or {}, size))

        def render_batch(
            self, identities: Sequence[Hashable], strengths: Sequence[Mapping[str, float]], size: int = 160
        ) -> list[fr.Face]:
            with ThreadPoolExecutor(min(cores(), 8)) as pool:
                return list(pool.map(self.render, identities, strengths, [size] * len(identities)))

    return NumpyAvatars(identities=IDENTITIES, seed=0)


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
    parser.add_argument("--baseline", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--curves", type=int, default=CURVES, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(lines(args.curves, args.baseline)))
        return
    tenth = str(CURVES // 10)
    ours = measured("--curves", tenth if args.brief else str(CURVES))
    theirs = measured("--curves", tenth, "--baseline")
    steps = [name for name in ours if name not in ("peak", "faces")]
    times = 10 if args.brief else 1
    print(
        f"{IDENTITIES} identities, {CURVES} curves: {ours['faces'] * times:,.0f} faces; load {os.getloadavg()[0]:.1f}"
    )
    print(f"{'seconds':34s}{'ours':>8s}{'numpy':>8s}")
    totals = [0.0, 0.0]
    for step in steps:
        # only embedding grows with the number of curves; a cold start counts once
        row = [found[step] * (grows if step == "embed" else 1) for found, grows in ((ours, times), (theirs, 10))]
        totals = [total + seconds for total, seconds in zip(totals, row, strict=True)]
        print(f"{step:34s}{row[0]:8.1f}{row[1]:8.1f}")
    print(f"{'all':34s}{totals[0]:8.1f}{totals[1]:8.1f}")
    print(f"peak memory: {ours['peak']:.0f} MiB")
    target = f"<= {LIMIT} s"
    figure("README's ten lines, cold cache", totals[0], "s", totals[1], "numpy's renderer", target, totals[0] <= LIMIT)
    figure("README's ten lines, peak memory", ours["peak"], "MiB")


if __name__ == "__main__":
    main()
