"""Checks of notebook 4: straightness of a curve, the central difference, the mean cosine of two fields."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from .checking import Check, Mistake

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
    """Magnitude and direction in one row, as `_row` reads them."""
    length = math.sqrt(math.fsum(v * v))
    return np.concatenate([[scale * length], v / length if unit else v])


def _row(result, *_):
    """A pair (number, vector) as one row; anything else as it is."""
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


def _mean(values):
    return sum(values) / len(values)


CHECKS = {
    "a": Check(
        cases=_curves,
        truth=lambda p: _chord(p) / sum(_steps(p)),
        praise="Right. The length grows if you look at more faces on the way, the chord does not: say how many.",
        otherwise="Walk [0, 0], [3, 0], [3, 4]: the length is 7, the chord 5, so the answer must be 0.714.",
        mistakes=(
            Mistake(
                lambda p: sum(_steps(p)) / _chord(p), "Upside down: yours is 1 or more, and grows with the detours."
            ),
            Mistake(lambda p: sum(_steps(p)), "That is the length alone."),
            Mistake(_chord, "That is the chord alone."),
            Mistake(
                lambda p: _chord(p) / _mean(_steps(p)),
                "You divide by the mean step; the length is the sum of all steps.",
            ),
            Mistake(
                lambda p: _chord(p) / sum(math.dist(p[0], q) for q in p[1:]),
                "You add up distances from the start. A step goes from each point to the next one.",
            ),
            Mistake(
                lambda p: _chord(p) / float(np.linalg.norm(np.diff(p, axis=0))),
                "Your length is one norm over the whole array of steps: each step needs its own (axis=1).",
            ),
        ),
    ),
    "b": Check(
        cases=_stencils,
        reads=_row,
        truth=lambda below, middle, above: _of(above - below),
        praise="Right. The middle face is where the arrow stands; its embedding does not enter the difference.",
        otherwise="For below = [0, 0] and above = [3, 4] the magnitude must be 5 and the direction [0.6, 0.8].",
        mistakes=(
            Mistake(
                lambda b, m, a: _of(a - m),
                "That is the forward difference, from the middle to above: it leans with the curvature.",
            ),
            Mistake(lambda b, m, a: _of(m - b), "That is the backward difference, from below to the middle."),
            Mistake(lambda b, m, a: _of(b - a), "The arrow points backwards: it goes from below to above."),
            Mistake(
                lambda b, m, a: _of(a - b, 0.5),
                "Your magnitude is half of it. The definition above has no division by two: |v| spans both steps.",
            ),
            Mistake(lambda b, m, a: _of(a - b, unit=False), "Your direction is v itself. A direction has length 1."),
            Mistake(
                lambda b, m, a: _of(a - 2 * m + b), "That is the second difference: it measures how the curve bends."
            ),
        ),
    ),
    "c": Check(
        cases=_fields,
        truth=lambda a, b: _mean(_cosines(a, b)),
        praise="Right. One minus that is the chart below.",
        otherwise="Two equal fields must give 1, a field and its opposite -1.",
        mistakes=(
            Mistake(lambda a, b: 1 - _mean(_cosines(a, b)), "That is one minus the mean cosine."),
            Mistake(
                lambda a, b: float((a @ b.T).mean()),
                "You compare every arrow with all arrows of the other field. Compare those at the same point.",
            ),
            Mistake(lambda a, b: sum(_cosines(a, b)), "That is the sum over points, not the mean."),
            Mistake(
                lambda a, b: float((a * b).mean()),
                "You take the mean over dimensions as well: the inner product adds them up.",
            ),
            Mistake(
                lambda a, b: _mean([abs(c) for c in _cosines(a, b)]),
                "You drop the sign, so opposite arrows count as equal ones.",
            ),
            Mistake(
                lambda a, b: _mean([math.acos(max(-1.0, min(1.0, c))) for c in _cosines(a, b)]),
                "Those are angles in radians: take their cosine.",
            ),
            Mistake(
                lambda a, b: (
                    math.fsum(a.mean(0) * b.mean(0)) / math.dist(a.mean(0), 0 * a[0]) / math.dist(b.mean(0), 0 * b[0])
                ),
                "You average the arrows first. Where they disagree among themselves, that is another number.",
            ),
        ),
    ),
}
