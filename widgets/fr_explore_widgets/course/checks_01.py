"""Checks for notebook 1: cosine distance, the two error rates, a threshold with a guarantee."""

from __future__ import annotations

import math

import numpy as np

from .checking import Check

__all__ = ["CHECKS"]


def _vectors():
    rng = np.random.default_rng(1)
    for length in (1.0, 0.4, 7.0):
        a, b = rng.standard_normal((2, 16))
        yield length * a, b
    a = rng.standard_normal(16)
    yield a, -2 * a


def _cos(a, b):
    return math.fsum(a * b) / math.sqrt(math.fsum(a * a) * math.fsum(b * b))


def _distances():
    rng = np.random.default_rng(2)
    for shift, n, m in ((0.5, 40, 200), (0.1, 30, 30), (1.5, 25, 60)):
        genuine, impostor = np.round(rng.gamma(6, 0.05, n), 2), np.round(shift + rng.gamma(6, 0.05, m), 2)
        yield genuine, impostor, float(impostor[0])  # at the threshold itself
        yield genuine, impostor, float(genuine[0])


def _count(values, holds):
    return sum(1 for v in values if holds(v)) / len(values)


def _rates(genuine, impostor, t):
    return _count(genuine, lambda d: d > t), _count(impostor, lambda d: d <= t)


def _guarantees():
    rng = np.random.default_rng(3)
    for n, rate in ((500, 0.01), (64, 0.1), (200, 0.25), (30, 0.01)):
        yield rng.gamma(9, 0.06, n), rate


def _allowed(impostor, rate):
    return int(rate * len(impostor) + 1e-9)


CHECKS = {
    "a": Check(
        cases=_vectors,
        truth=lambda a, b: 1 - _cos(a, b),
        praise="Right. Scaling a or b changes nothing: only the angle counts.",
        otherwise="Try two vectors at a right angle, [1, 0] and [0, 2]: the result must be 1.",
        mistakes={
            "That is the cosine, which is 1 for the same direction. A distance must be 0 there.": _cos,
            "The vectors need not have length 1: divide by their lengths.": lambda a, b: 1 - a @ b,
            "That is the inner product, which grows with the lengths.": lambda a, b: a @ b,
            "That is the angle in radians. The cosine distance uses its cosine.": lambda a, b: math.acos(
                max(-1.0, min(1.0, _cos(a, b)))
            ),
            "That is the angle in degrees. The cosine distance uses its cosine.": lambda a, b: math.degrees(
                math.acos(max(-1.0, min(1.0, _cos(a, b))))
            ),
            "You subtract the mean of each vector: that is one minus the correlation.": lambda a, b: (
                1 - _cos(a - a.mean(), b - b.mean())
            ),
            "That is the Euclidean distance.": lambda a, b: np.linalg.norm(a - b),
        },
    ),
    "b": Check(
        cases=_distances,
        truth=_rates,
        praise="Right. Each rate has its own kind of pair in the denominator, so the two need not add up to anything.",
        otherwise="Genuine pairs fail if they are too far apart, impostor pairs pass if they are close. Divide by the "
        "number of pairs of each kind.",
        mistakes={
            "The two rates are in the wrong order: FNMR comes first.": lambda g, i, t: _rates(g, i, t)[::-1],
            "Those are the shares of right decisions. The errors are the rest.": lambda g, i, t: (
                _count(g, lambda d: d <= t),
                _count(i, lambda d: d > t),
            ),
            "Consider a distance that equals the threshold: it counts as the same person.": lambda g, i, t: (
                _count(g, lambda d: d >= t),
                _count(i, lambda d: d < t),
            ),
            "Those are numbers of pairs. A rate is a share of the pairs of its kind.": lambda g, i, t: (
                sum(d > t for d in g),
                sum(d <= t for d in i),
            ),
            "You divide by all pairs. Each rate is a share of its own kind of pair.": lambda g, i, t: tuple(
                v / (len(g) + len(i)) for v in (sum(d > t for d in g), sum(d <= t for d in i))
            ),
        },
    ),
    "c": Check(
        cases=_guarantees,
        # all thresholds between two neighbouring distances lead to the same decisions
        reads=lambda threshold, impostor, rate: int(np.sum(impostor <= float(threshold))),
        truth=_allowed,
        praise="Right. The guarantee holds for these impostors; section 5 asks what it is worth for others.",
        otherwise="Count how many of these impostor pairs your threshold accepts, and how many the rate allows.",
        mistakes={
            "A quantile lies between two distances: for some samples it lets one impostor too many pass. Count the "
            "pairs that may pass instead.": lambda i, rate: int(np.sum(i <= np.quantile(i, rate))),
            "One impostor too many: a pair exactly at the threshold passes as well.": lambda i, rate: (
                _allowed(i, rate) + 1
            ),
            "Your threshold keeps the guarantee by rejecting everybody. A larger one keeps it too.": lambda i, rate: 0,
            "Your threshold keeps the guarantee with room to spare: one more impostor may pass.": lambda i, rate: max(
                _allowed(i, rate) - 1, 0
            ),
            "You start from the wrong end: small distances pass.": lambda i, rate: len(i) - _allowed(i, rate),
            "You compare the distances with the rate itself.": lambda i, rate: int(np.sum(i <= rate)),
        },
    ),
}
