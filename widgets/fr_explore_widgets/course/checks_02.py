"""Checks for notebook 2: the two scales, and the nearest other point."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np

from .checking import Check

__all__ = ["CHECKS"]


def _clouds():
    for seed, sizes in ((1, (4, 3, 5)), (2, (2, 6)), (3, (3, 3, 3, 3))):
        rng = np.random.default_rng(seed)
        who = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
        yield rng.standard_normal((len(who), 8)) + 3 * rng.standard_normal((len(sizes), 8))[who], who


def _means(points, who, gap=math.dist, self_pairs=False):
    """Means over pairs; `self_pairs` counts each pair in both orders and each point with itself."""
    inside, outside = [], []
    for i, j in combinations(range(len(points)), 2):
        kind = inside if who[i] == who[j] else outside
        kind += [gap(points[i], points[j])] * (2 if self_pairs else 1)
    inside += [0.0] * (len(points) if self_pairs else 0)
    return sum(inside) / len(inside), sum(outside) / len(outside)


def _middles(points, who):
    """Mean distance to, and between, the means of people."""
    means = {p: points[who == p].mean(axis=0) for p in np.unique(who)}
    inside = [math.dist(x, means[p]) for x, p in zip(points, who, strict=True)]
    outside = [math.dist(a, b) for a, b in combinations(means.values(), 2)]
    return sum(inside) / len(inside), sum(outside) / len(outside)


def _all_outside(points, who):
    inside, _ = _means(points, who)
    return inside, sum(math.dist(a, b) for a, b in combinations(points, 2)) / math.comb(len(points), 2)


def _scattered():
    for seed, n in ((4, 12), (5, 7), (6, 30)):
        yield (np.random.default_rng(seed).standard_normal((n, 5)),)


def _ranked(points, place):
    """For each point, the other point at a given rank, nearest first."""
    out = []
    for i, x in enumerate(points):
        others = sorted((j for j in range(len(points)) if j != i), key=lambda j: math.dist(x, points[j]))
        out.append(others[place])
    return out


CHECKS = {
    "a": Check(
        cases=_clouds,
        truth=_means,
        praise="Right. Two means describe both scales; section 2 asks how much they overlap.",
        otherwise="For two people with pictures at 0, 1 and at 10, 11 on a line, d_in must be 1 and d_out 10.",
        mistakes={
            "You pair each picture with itself, which adds zeros to d_in.": lambda points, who: _means(
                points, who, self_pairs=True
            ),
            "The two are in the wrong order: d_in comes first.": lambda points, who: _means(points, who)[::-1],
            "You use distances to and between the means of people. Use pairs of pictures.": _middles,
            "Those are squared distances. Their mean is not the mean distance.": lambda points, who: _means(
                points, who, lambda a, b: math.dist(a, b) ** 2
            ),
            "Your d_out includes the pairs of the same person.": _all_outside,
            "That is the ratio. The exercise asks for the two distances.": lambda points, who: (
                _means(points, who)[1] / _means(points, who)[0]
            ),
        },
    ),
    "b": Check(
        cases=_scattered,
        truth=lambda points: _ranked(points, 0),
        praise="Right. To exclude the point by its index, not by its zero distance, works for equal points too.",
        otherwise="For four points on a line, at 0, 1, 3 and 7, the answer must be [1, 0, 1, 2].",
        mistakes={
            "Every point chose itself: its distance to itself is zero.": lambda points: list(range(len(points))),
            "Those are the farthest points.": lambda points: _ranked(points, -1),
            "Those are the second nearest points: you skipped one too many.": lambda points: _ranked(points, 1),
            "Those are the distances. The exercise asks for the indices of the points.": lambda points: [
                min(math.dist(x, y) for y in points if y is not x) for x in points
            ],
        },
    ),
}
