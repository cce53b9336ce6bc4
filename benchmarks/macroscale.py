"""Speed of one attribute's KS statistics and null model, compared with scikit-learn and SciPy as in the reference code.

python benchmarks/macroscale.py            # about half a minute
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
from figures import figure
from scipy.stats import ks_2samp
from sklearn.metrics import pairwise_distances

import fr_explore as fr


def reference(points: np.ndarray, positive: np.ndarray, negative: np.ndarray) -> float:
    """Mean KS of one labelling, with full distance matrices and a two-sample test."""
    inside = [pairwise_distances(points[side])[np.triu_indices(len(side), 1)] for side in (positive, negative)]
    across = pairwise_distances(points[positive], points[negative]).ravel()
    tests: list[Any] = [ks_2samp(values, across, method="asymp") for values in inside]
    return float(np.mean([test.statistic for test in tests]))


def seconds(function, rounds: int) -> float:
    """Median time over the rounds, after one round to warm up."""
    times = []
    for turn in range(rounds + 1):
        start = time.perf_counter()
        function()
        if turn:
            times.append(time.perf_counter() - start)
    return float(np.median(times))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=500, help="number of people in each modality")
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--permutations", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    count = 2 * args.people
    points = rng.normal(size=(count, args.dim)).astype(np.float32)
    side = rng.permutation(np.arange(count) < args.people)
    labels = np.where(side, 1, -1)[:, None]
    positive, negative = np.flatnonzero(side), np.flatnonzero(~side)
    ours = fr.macroscale(points, np.arange(count), labels, permutations=0)["ks_mean"].item()
    theirs = reference(points.astype(np.float64), positive, negative)
    print(f"{args.people} + {args.people} people, {args.dim} dimensions; mean KS {ours:.6f} and {theirs:.6f}")
    one = seconds(lambda: reference(points, positive, negative), args.rounds)
    ready = seconds(lambda: fr.macroscale(points, np.arange(count), labels, permutations=0), args.rounds)
    full = seconds(lambda: fr.macroscale(points, np.arange(count), labels, permutations=args.permutations), args.rounds)
    draw = (full - ready) / args.permutations
    print(
        f"one labelling      reference {one:7.3f} s   fr.macroscale {ready:7.3f} s   {one / ready:5.1f} times as fast"
    )
    print(f"each permutation   reference {one:7.3f} s   fr.macroscale {draw:7.4f} s   {one / draw:5.1f} times as fast")
    figure("KS of one labelling", ready, "s", one, "scikit-learn and SciPy")
    figure("each permutation", draw, "s", one, "scikit-learn and SciPy")
    print(f"an attribute with {args.permutations} permutations: {full:.2f} s; a table of 40: {40 * full / 60:.1f} min")


if __name__ == "__main__":
    main()
