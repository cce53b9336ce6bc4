"""Checks of notebook 2: the two scales, and the nearest other point."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np

from .checking import Check, Mistake

__all__ = ["CHECKS"]


def _clouds():
    for seed, sizes in ((1, (4, 3, 5)), (2, (2, 6)), (3, (3, 3, 3, 3))):
        rng = np.random.default_rng(seed)
        who = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
        yield rng.standard_normal((len(who), 8)) + 3 * rng.standard_normal((len(sizes), 8))[who], who


def _means(points, who, gap=math.dist, self_pairs=False):
    """Mean over pairs, one by one; `self_pairs` counts each pair in both orders and each point with itself."""
    inside, outside = [], []
    for i, j in combinations(range(len(points)), 2):
        kind = inside if who[i] == who[j] else outside
        kind += [gap(points[i], points[j])] * (2 if self_pairs else 1)
    inside += [0.0] * (len(points) if self_pairs else 0)
    return sum(inside) / len(inside), sum(outside) / len(outside)


def _middles(points, who):
    """Distances to and between the means of people."""
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
    """The point at a place of each one's list of others, nearest first."""
    out = []
    for i, x in enumerate(points):
        others = sorted((j for j in range(len(points)) if j != i), key=lambda j: math.dist(x, points[j]))
        out.append(others[place])
    return out


CHECKS = {
    "a": Check(
        cases=_clouds,
        truth=_means,
        praise="Right. Both scales in two means; how much they overlap is another question, in section 2.",
        otherwise="Take two people with two pictures each, at 0, 1 and 10, 11 on a line: d_in must be 1, d_out 10.",
        mistakes=(
            Mistake(
                lambda points, who: _means(points, who, self_pairs=True),
                "A picture and itself are in your average: each adds a distance of zero, and d_in comes out too small.",
            ),
            Mistake(lambda points, who: _means(points, who)[::-1], "The two are in the other order: d_in comes first."),
            Mistake(
                _middles, "You use the distances to and between the mean points of people; the pairs are of pictures."
            ),
            Mistake(
                lambda points, who: _means(points, who, lambda a, b: math.dist(a, b) ** 2),
                "Those are squared distances: their mean is not the mean distance.",
            ),
            Mistake(_all_outside, "d_out holds all pairs, those of the same person too."),
            Mistake(
                lambda points, who: _means(points, who)[1] / _means(points, who)[0],
                "That is the ratio. The exercise asks for the two distances.",
            ),
        ),
    ),
    "b": Check(
        cases=_scattered,
        truth=lambda points: _ranked(points, 0),
        praise="Right. To leave the point itself out by its number, not by its distance of zero, also works when two "
        "points coincide.",
        otherwise="Draw four points on a line, at 0, 1, 3, 7: the answer must be [1, 0, 1, 2].",
        mistakes=(
            Mistake(
                lambda points: list(range(len(points))),
                "Every point chose itself: its distance to itself is zero, the smallest there is.",
            ),
            Mistake(lambda points: _ranked(points, -1), "Those are the farthest points."),
            Mistake(lambda points: _ranked(points, 1), "Those are the second nearest: you skipped one too many."),
            Mistake(
                lambda points: [min(math.dist(x, y) for y in points if y is not x) for x in points],
                "Those are the distances. The exercise asks for the numbers of the points.",
            ),
        ),
    ),
}
