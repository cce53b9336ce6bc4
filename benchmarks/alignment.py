"""Time and memory of the alignment energy, beside scikit-learn doing what the reference code does.

    python benchmarks/alignment.py                      5,000 points x 512 dimensions, about five minutes
    python benchmarks/alignment.py --quick              1,000 points x 128 dimensions, under a minute
    python benchmarks/alignment.py --large              100,000 points x 512, ours alone, with progress bars
    python benchmarks/alignment.py --interleaved        eleven interleaved runs in one process: the whole call of
                                                        `fr.alignment`, the bare energy, scikit-learn in two precisions

Each measurement is a process of its own, because its peak memory must be its own; the rounds go through all items in
turn and print medians, so a load that comes and goes affects all of them. --interleaved prints medians and minima of
the wall clock, and the processor time, which a busy machine disturbs least.

Baselines: scikit-learn in float64, as in the reference, and in float32, in which we compute. All pairs use whole
distance matrices, nearest neighbours whole matrices or scikit-learn's search, the ball `RadiusNeighborsTransformer` and
paired cosine distances, gathered 100,000 pairs at a time because all at once do not fit into memory. "products" is the
unavoidable part: X X' and U U' in float32, halved by symmetry for all pairs. Data: points of 16 intrinsic dimensions
with noise, arrows that depend on the place, with a drift.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from functools import partial

import numpy as np
from figures import figure

RADIUS, K = 0.8, 10
RADII = np.linspace(0.1, 1.5, 30)


def data(n: int, dim: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    inner, outer = rng.standard_normal((n, 16), np.float32), rng.standard_normal((16, dim), np.float32)
    points = inner @ outer + 0.5 * rng.standard_normal((n, dim), np.float32)
    v = rng.standard_normal((n, dim), np.float32) + 0.5
    v += 0.05 * points
    return points, v


# --- baselines ----------------------------------------------------------------------------------------------------


def baseline_all_pairs(x, v, precision=np.float64):
    from sklearn.metrics.pairwise import cosine_distances, euclidean_distances

    d, c = euclidean_distances(x.astype(precision)), cosine_distances(v.astype(precision))
    w = np.divide(1, d, out=np.zeros_like(d), where=d > 0)
    return float(((w * c).sum(1) / w.sum(1)).mean())


def baseline_knn(x, v):
    from sklearn.metrics.pairwise import cosine_distances, euclidean_distances

    d, c = euclidean_distances(x.astype(np.float64)), cosine_distances(v.astype(np.float64))
    np.fill_diagonal(d, np.inf)
    return float(np.take_along_axis(c, np.argsort(d, axis=1)[:, :K], 1).mean())


def baseline_knn_search(x, v, precision=np.float64):
    """scikit-learn's fastest way: its fused search, and the cosines of the pairs that are needed."""
    from sklearn.metrics.pairwise import paired_cosine_distances
    from sklearn.neighbors import NearestNeighbors

    index = NearestNeighbors(n_neighbors=K, algorithm="brute").fit(x.astype(precision)).kneighbors()[1]
    v = v.astype(precision)
    return float(paired_cosine_distances(np.repeat(v, K, axis=0), v[index.ravel()]).mean())


def baseline_ball(x, v):
    from sklearn.metrics.pairwise import euclidean_distances, paired_cosine_distances
    from sklearn.neighbors import RadiusNeighborsTransformer

    x, v, n = x.astype(np.float64), v.astype(np.float64), len(x)
    mean = euclidean_distances(x).sum() / (n * (n - 1))
    graph = RadiusNeighborsTransformer(radius=RADIUS * mean, mode="connectivity").fit_transform(x).tocoo()
    total, count = np.zeros(n), np.bincount(graph.row, minlength=n) - 1  # it counts the point itself
    for start in range(0, graph.nnz, 100_000):
        i, j = graph.row[start : start + 100_000], graph.col[start : start + 100_000]
        total += np.bincount(i, paired_cosine_distances(v[i], v[j]), minlength=n)
    return float((total[count > 0] / count[count > 0]).mean())


# --- ours ---------------------------------------------------------------------------------------------------------


def field(x, v):
    import xarray as xr

    dims = ("identity", "attribute", "curve", "dim")
    return xr.Dataset(
        {"point": (dims, x[None, None]), "direction": (dims, v[None, None])}, attrs={"metric": "euclidean"}
    )


def energy(rule: str):
    def run(x, v):
        import fr_explore as fr

        return float(fr.alignment(field(x, v), rule, device="cpu")["energy"].iloc[0])

    return run


def bare(rule: str):
    def run(x, v):
        import fr_explore as fr

        return fr.alignment_energy(x, v, rule, device="cpu")

    return run


def profile(x, v):
    import fr_explore as fr

    return float(fr.alignment_profile(field(x, v), RADII, device="cpu")["energy"].iloc[-1])


def products(x, v):
    """X X' and U U' in float32, rows at a time so that their results fit."""
    y, u = np.ascontiguousarray(x[::-1]), np.ascontiguousarray(v[::-1])  # not the same array: no symmetric shortcut
    rows = max(1, min(len(x), 50_000_000 // len(x)))
    result = np.empty((rows, len(x)), np.float32)
    # of a large cloud the first tenth of the rows, times ten
    last = len(x) if len(x) <= 20_000 else len(x) // 10
    for a, b in ((x, y), (v, u)):
        for start in range(0, last, rows):
            part = a[start : min(start + rows, last)]
            np.matmul(part, b.T, out=result[: len(part)])
    return float(len(x) / last)  # what the time is to be multiplied with


RUNS = {
    "products": products,
    "all pairs": energy("all_pairs"),
    "all pairs, scikit-learn": baseline_all_pairs,
    "all pairs, scikit-learn float32": partial(baseline_all_pairs, precision=np.float32),
    "k-NN": energy(f"knn:{K}"),
    "k-NN, scikit-learn": baseline_knn,
    "k-NN, scikit-learn's search": baseline_knn_search,
    "k-NN, scikit-learn's search float32": partial(baseline_knn_search, precision=np.float32),
    "ball": energy(f"ball:{RADIUS}"),
    "ball, scikit-learn": baseline_ball,
    "profile of 30 radii": profile,
}


def measure(name: str, n: int, dim: int) -> None:
    """Run one item in this process and print its seconds, its value and the peak of the memory.

    The median of up to five runs, as many as fit into some seconds: the first pays for fresh memory.
    """
    x, v = data(n, dim)
    RUNS[name](*data(60, dim))  # imports, thread pools
    times = []
    while len(times) < 5 and sum(times) < 4:
        start = time.perf_counter()
        value = RUNS[name](x, v)
        times.append(time.perf_counter() - start)
    seconds = statistics.median(times)
    if name == "products":
        seconds *= value
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 if sys.platform == "darwin" else 1024)
    print(json.dumps({"seconds": seconds, "value": value, "peak": peak}))


def rounds(names: list[str], n: int, dim: int, repeat: int) -> dict[str, dict]:
    found: dict[str, list[dict]] = {name: [] for name in names}
    for _ in range(repeat):
        for name in names:
            command = [sys.executable, __file__, "--item", name, "--points", str(n), "--dim", str(dim)]
            out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            found[name].append(json.loads(out.strip().splitlines()[-1]))
    return {
        name: {"seconds": statistics.median(r["seconds"] for r in runs), "value": runs[0]["value"],
               "peak": max(r["peak"] for r in runs)}
        for name, runs in found.items()
    }  # fmt: skip


def report(found: dict[str, dict], n: int, dim: int) -> None:
    two = found["products"]["seconds"]
    print(f"{n:,} points x {dim} dimensions, {len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}\n")
    print(f"{'':36}{'seconds':>9}{'peak MB':>9}{'x baseline':>12}{'of products':>13}   energy")
    for name, row in found.items():
        base = [found[b]["seconds"] / row["seconds"] for b in found if b.startswith(name + ", ")]
        for other in (b for b in found if b.startswith(name + ", ")):
            figure(f"{name}, {n:,} x {dim}", row["seconds"], "s", found[other]["seconds"], other.partition(", ")[2])
        speed = " / ".join(f"{ratio:.1f}" for ratio in base)
        ours = name in ("all pairs", "k-NN", "ball")
        share = f"{row['seconds'] / (two / 2 if name == 'all pairs' else two):.2f}" if ours else ""
        value = "" if name == "products" else f"{row['value']:.7f}"
        print(f"{name:36}{row['seconds']:9.3f}{row['peak']:9.0f}{speed:>12}{share:>13}   {value}")
    if "profile of 30 radii" in found:
        ratio = found["profile of 30 radii"]["seconds"] / found["ball"]["seconds"]
        print(f"\nprofile of 30 radii: {ratio:.2f} times one ball energy")
        figure(
            "profile of 30 radii", found["profile of 30 radii"]["seconds"], "s", found["ball"]["seconds"], "one ball"
        )


def interleaved(n: int, dim: int, repeat: int) -> None:
    """The whole call beside the bare energy and scikit-learn, in turn and with the same number of threads."""
    x, v = data(n, dim)
    ways = {
        "all pairs": ("all_pairs", partial(baseline_all_pairs), 1.6),
        "k-NN": (f"knn:{K}", partial(baseline_knn_search), 3.2),
    }
    print(f"{n:,} points x {dim}, {repeat} interleaved runs, load {os.getloadavg()[0]:.1f}; seconds")
    print(f"{'':46}{'median':>9}{'minimum':>9}{'CPU time':>9}")
    for name, (rule, baseline, wanted) in ways.items():
        runs = {
            "whole call": energy(rule),
            "bare energy": bare(rule),
            "whole call, cosine": energy(f"{rule}:cosine"),
            "bare energy, cosine": bare(f"{rule}:cosine"),
            "scikit-learn float32": partial(baseline, precision=np.float32),
            "scikit-learn float64": partial(baseline, precision=np.float64),
        }
        times: dict[str, list[tuple[float, float]]] = {item: [] for item in runs}
        for turn in range(repeat + 1):
            for item, run in runs.items():
                wall, cpu = time.perf_counter(), time.process_time()
                run(x, v)
                if turn:  # the first one pays for imports and fresh memory
                    times[item].append((time.perf_counter() - wall, time.process_time() - cpu))
        median = {item: np.median(found, axis=0) for item, found in times.items()}
        least = {item: np.min(found, axis=0) for item, found in times.items()}
        for item in runs:
            print(f"{name + ', ' + item:46}{median[item][0]:9.3f}{least[item][0]:9.3f}{median[item][1]:9.3f}")
        for suffix in ("", ", cosine"):
            ratio = median[f"whole call{suffix}"] / median[f"bare energy{suffix}"]
            print(f"  whole / bare{suffix}: {ratio[0]:.2f} (CPU {ratio[1]:.2f}), wanted <= 1.1")
        speed = median["scikit-learn float32"] / median["whole call"]
        print(f"  scikit-learn float32 / whole: {speed[0]:.1f} (CPU {speed[1]:.1f}), wanted >= {wanted}")
        figure(
            f"{name}, whole call, {n:,} x {dim}", median["whole call"][0], "s", median["scikit-learn float32"][0],
            "scikit-learn float32", f">= {wanted} x as fast", bool(speed[0] >= wanted),
        )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int)
    parser.add_argument("--dim", type=int)
    parser.add_argument("--repeat", type=int, help="rounds; medians are printed")
    parser.add_argument("--quick", action="store_true", help="1,000 points x 128 dimensions")
    parser.add_argument("--large", action="store_true", help="100,000 points x 512 dimensions, ours alone, one round")
    parser.add_argument("--interleaved", action="store_true", help="eleven interleaved runs in one process")
    parser.add_argument("--item", choices=list(RUNS), help="one measurement in this process, as JSON")
    args = parser.parse_args()
    n = args.points or (100_000 if args.large else 1_000 if args.quick else 5_000)
    dim = args.dim or (128 if args.quick else 512)
    if args.item:
        return measure(args.item, n, dim)
    if args.interleaved:
        return interleaved(n, dim, args.repeat or 11)
    names = [name for name in RUNS if not (args.large and "scikit" in name)]
    report(rounds(names, n, dim, args.repeat or (1 if args.large else 3)), n, dim)
    return None


if __name__ == "__main__":
    main()
