"""Checks for notebook 4: straightness of a curve, the central difference, the mean cosine of two fields."""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import fmean

import numpy as np

from .checking import Check

__all__ = ["CHECKS"]


def _curves():
    for seed, n in ((1, 5), (2, 12), (3, 3)):
        yield (np.cumsum(np.random.default_rng(seed).standard_normal((n, 6)) + 0.5, axis=0),)


def _steps(points):
    return [math.dist(a, b) for a, b in pairwise(points)]


def _chord(points):
    return math.dist(points[0], points[-1])


def _stencils():
    for seed in (4, 5, 6):
        yield tuple(np.random.default_rng(seed).standard_normal((3, 7)))


def _of(v, scale=1.0, unit=True):
    """Magnitude and direction in one row, in the form of `_row`."""
    length = math.sqrt(math.fsum(v * v))
    return np.concatenate([[scale * length], v / length if unit else v])


def _row(result, *_):
    """A pair (number, vector) as one row; anything else unchanged."""
    try:
        magnitude, direction = result
        return np.concatenate([[float(magnitude)], np.asarray(direction, dtype=float)])
    except (TypeError, ValueError):
        return result


def _fields():
    for seed, n in ((7, 9), (8, 4)):
        a, b = np.random.default_rng(seed).standard_normal((2, n, 5)) + 0.3
        yield a / np.linalg.norm(a, axis=1, keepdims=True), b / np.linalg.norm(b, axis=1, keepdims=True)


def _cosines(a, b):
    return [math.fsum(x * y) for x, y in zip(a, b, strict=True)]


CHECKS = {
    "a": Check(
        cases=_curves,
        truth=lambda p: _chord(p) / sum(_steps(p)),
        praise="Right. With more faces on the path, the length grows and the chord does not: report their number.",
        otherwise="For the path [0, 0], [3, 0], [3, 4], the length is 7 and the chord 5: the answer must be 0.714.",
        mistakes={
            "Upside down: yours is 1 or more, and grows with each detour.": lambda p: sum(_steps(p)) / _chord(p),
            "That is the length alone.": lambda p: sum(_steps(p)),
            "That is the chord alone.": _chord,
            "You divide by the mean step. The length is the sum of all steps.": lambda p: _chord(p) / fmean(_steps(p)),
            "You sum distances from the start. A step goes from one point to the next.": lambda p: (
                _chord(p) / sum(math.dist(p[0], q) for q in p[1:])
            ),
            "Your length is one norm of the whole array. Each step needs its own (axis=1).": lambda p: (
                _chord(p) / float(np.linalg.norm(np.diff(p, axis=0)))
            ),
        },
    ),
    "b": Check(
        cases=_stencils,
        reads=_row,
        truth=lambda below, middle, above: _of(above - below),
        praise="Right. The middle face is where the arrow starts; its embedding does not enter the difference.",
        otherwise="For below = [0, 0] and above = [3, 4], the magnitude must be 5 and the direction [0.6, 0.8].",
        mistakes={
            "That is the forward difference, from middle to above: curvature biases it.": lambda b, m, a: _of(a - m),
            "That is the backward difference, from below to middle.": lambda b, m, a: _of(m - b),
            "Your arrow points backwards: it must go from below to above.": lambda b, m, a: _of(b - a),
            "Your magnitude is half as long. The definition does not divide by two.": lambda b, m, a: _of(a - b, 0.5),
            "Your direction is v itself. A direction has length 1.": lambda b, m, a: _of(a - b, unit=False),
            "That is the second difference, which measures how the curve bends.": lambda b, m, a: _of(a - 2 * m + b),
        },
    ),
    "c": Check(
        cases=_fields,
        truth=lambda a, b: fmean(_cosines(a, b)),
        praise="Right. The chart below shows one minus this.",
        otherwise="Two equal fields must give 1; a field and its opposite must give -1.",
        mistakes={
            "That is one minus the mean cosine.": lambda a, b: 1 - fmean(_cosines(a, b)),
            "You compare every arrow with all others. Compare those at the same point.": lambda a, b: float(
                (a @ b.T).mean()
            ),
            "That is the sum over points, not the mean.": lambda a, b: sum(_cosines(a, b)),
            "You average over dimensions as well. The inner product sums over them.": lambda a, b: float(
                (a * b).mean()
            ),
            "You drop the sign, so opposite arrows count as equal.": lambda a, b: fmean(
                [abs(c) for c in _cosines(a, b)]
            ),
            "Those are angles in radians. Take their cosine.": lambda a, b: fmean(
                [math.acos(max(-1.0, min(1.0, c))) for c in _cosines(a, b)]
            ),
            "You average the arrows first. Average the cosines instead.": lambda a, b: (
                math.fsum(a.mean(0) * b.mean(0)) / math.dist(a.mean(0), 0 * a[0]) / math.dist(b.mean(0), 0 * b[0])
            ),
        },
    ),
}
