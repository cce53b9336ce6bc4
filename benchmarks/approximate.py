"""Approximate nearest neighbours: what they save, and what they cost the energy.

python benchmarks/approximate.py            # 20,000 and 100,000 points x 128
python benchmarks/approximate.py --brief    # 20,000 points, under a minute

Points of 10 intrinsic dimensions with noise, as the faces of one person with ten attributes are; arrows that turn
with the place, with a drift, so that the energy depends on who is taken for a neighbour.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
from figures import figure

import fr_explore as fr

CANDIDATES = (10, 32, 64, 128, 256)


def data(n: int, dim: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    place = rng.uniform(-1, 1, (n, 10)).astype(np.float32)
    first, turn = (rng.standard_normal((10, size)).astype(np.float32) for size in (256, dim))
    points = np.tanh(place @ first) @ rng.standard_normal((256, dim)).astype(np.float32) / 16
    points += 0.05 * rng.standard_normal((n, dim)).astype(np.float32)
    arrows = np.cos(2 * place @ turn) + 0.5 + 0.3 * rng.standard_normal((n, dim)).astype(np.float32)
    return points, arrows


def timed(points: np.ndarray, arrows: np.ndarray, rule) -> tuple[float, np.ndarray]:
    start = time.perf_counter()
    energies = fr.alignment_energy(points, arrows, rule, point_energies=True)
    return time.perf_counter() - start, energies


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, nargs="+", default=[20_000, 100_000])
    parser.add_argument("--dim", type=int, default=128)
    parser.add_argument("--brief", action="store_true", help="20,000 points alone")
    args = parser.parse_args()
    for n in [20_000] if args.brief else args.points:
        points, arrows = data(n, args.dim)
        seconds, exact = timed(points, arrows, fr.knn(10))
        print(f"\n{n:,} points x {args.dim}: exact E = {exact.mean():.6f} in {seconds:.1f} s")
        print(f"{'candidates':>12}{'seconds':>9}{'x exact':>9}{'E':>10}{'error of E':>12}{'points changed':>16}")
        for candidates in CANDIDATES:
            took, found = timed(points, arrows, fr.knn(10, approximate=candidates))
            error, changed = found.mean() - exact.mean(), np.mean(abs(found - exact) > 1e-6)
            print(
                f"{candidates:12d}{took:9.1f}{seconds / took:9.1f}{found.mean():10.6f}{error:+12.1e}{changed:16.2%}",
                flush=True,
            )
            if candidates == 64:
                figure(f"approximate energy of {n:,} points, error {error:+.0e}", took, "s", seconds, "exact")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10:,.0f} MiB")


if __name__ == "__main__":
    main()
