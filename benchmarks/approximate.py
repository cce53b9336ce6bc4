"""Approximate nearest neighbours: what they save, and what they cost the energy.

python benchmarks/approximate.py                                        # 20,000 and 100,000 points x 128, two minutes
python benchmarks/approximate.py --points 1000000 --candidates 32 64    # some minutes for each setting
python benchmarks/approximate.py --brief                                # 100,000 points, 32 and 64 candidates, 40 s

Points of 10 intrinsic dimensions with noise, as the faces of one person with ten attributes are; arrows that turn
with the place, with a drift, so that the energy depends on who is taken for a neighbour. Recall is the share of the
exact neighbours that were found, of 2,000 points drawn at random; beyond 200,000 points, exact energies are those of
these 2,000 alone, and the error is theirs.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
from figures import figure

import fr_explore as fr
from fr_explore.geometry.tiles import Cloud

CANDIDATES, K, QUERIES, WHOLE = (10, 32, 64, 128, 256), 10, 2000, 200_000


def data(n: int, dim: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    place = rng.uniform(-1, 1, (n, 10)).astype(np.float32)
    first, turn = (rng.standard_normal((10, size)).astype(np.float32) for size in (256, dim))
    weights = rng.standard_normal((256, dim)).astype(np.float32) / 16
    points = np.concatenate([np.tanh(place[i : i + 10_000] @ first) @ weights for i in range(0, n, 10_000)])
    points += 0.05 * rng.standard_normal((n, dim), np.float32)
    arrows = np.cos(2 * place @ turn) + 0.5 + 0.3 * rng.standard_normal((n, dim), np.float32)
    return points, arrows / np.linalg.norm(arrows, axis=1, keepdims=True)


def timed(points: np.ndarray, arrows: np.ndarray, rule) -> tuple[float, np.ndarray, np.ndarray]:
    """Seconds, the energy of each point, its neighbours: what `fr.alignment_energy` does, with the neighbours kept."""
    start = time.perf_counter()
    graph = rule.graph(Cloud(points))
    energies = graph.sums([arrows]).energies[0, 0]
    return time.perf_counter() - start, energies, graph.index


def by_hand(points: np.ndarray, arrows: np.ndarray, queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Energies and neighbours of some points, exact, from all distances in double precision."""
    near = np.empty((len(queries), K), np.int64)
    points = points.astype(np.float64)
    squares = np.einsum("id,id->i", points, points)
    for at in range(0, len(queries), 100):
        some = queries[at : at + 100]
        distances = squares - 2 * (points[some] @ points.T)
        distances[np.arange(len(some)), some] = np.inf
        near[at : at + 100] = np.argpartition(distances, K, axis=1)[:, :K]
    return 1 - np.einsum("qd,qkd->qk", arrows[queries], arrows[near]).mean(1), near


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, nargs="+", default=[20_000, 100_000])
    parser.add_argument("--candidates", type=int, nargs="+", default=CANDIDATES)
    parser.add_argument("--dim", type=int, default=128)
    parser.add_argument("--brief", action="store_true", help="100,000 points, 32 and 64 candidates")
    args = parser.parse_args()
    for n in [100_000] if args.brief else args.points:
        compare(*data(n, args.dim), [32, 64] if args.brief else args.candidates)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10:,.0f} MiB")


def compare(points: np.ndarray, arrows: np.ndarray, settings: list[int]) -> None:
    n, dim = points.shape
    queries = np.random.default_rng(1).choice(n, QUERIES, replace=False)
    exact, near = by_hand(points, arrows, queries)
    seconds = None
    if n <= WHOLE:
        seconds, whole, index = timed(points, arrows, fr.knn(K))
        assert np.allclose(whole[queries], exact, atol=1e-5)
        assert recall(index[queries], near) > 0.9999
        queries, exact = np.arange(n), whole
        print(f"\n{n:,} points x {dim}: exact E = {exact.mean():.6f} in {seconds:.1f} s")
    else:
        print(f"\n{n:,} points x {dim}: exact E of {QUERIES:,} of them = {exact.mean():.6f}")
    print(
        f"{'candidates':>12}{'seconds':>9}{'x exact':>9}{'E':>10}{'error of E':>12}{'points changed':>16}{'recall':>9}"
    )
    for candidates in settings:
        took, energies, index = timed(points, arrows, fr.knn(K, approximate=candidates))
        found = energies[queries]
        error, changed = found.mean() - exact.mean(), np.mean(abs(found - exact) > 1e-6)
        times = "–" if seconds is None else f"{seconds / took:.1f}"
        share = recall(index[np.random.default_rng(1).choice(n, QUERIES, replace=False)], near)
        print(
            f"{candidates:12d}{took:9.1f}{times:>9}{found.mean():10.6f}{error:+12.1e}{changed:16.2%}{share:9.2%}",
            flush=True,
        )
        if candidates == 64:
            figure(f"approximate energy of {n:,} points, error {error:+.0e}", took, "s", seconds, "exact")


def recall(found: np.ndarray, near: np.ndarray) -> float:
    """Share of the exact neighbours that are among those found."""
    return float((found[:, :, None] == near[:, None, :]).any(1).mean())


if __name__ == "__main__":
    main()
