"""Checks of notebook 6: the energy of drift and noise, a paired difference, why wide balls disagree."""

from __future__ import annotations

import math
from statistics import mean, median, pstdev, stdev, variance

import numpy as np

from .checking import Check, Mistake

__all__ = ["CHECKS"]


def _drifts():
    yield from ((0.5,), (1.0,), (2.0,), (0.0,), (3.0,))


def _by_vectors(s):
    v, w = np.array([s, 1.0, 0.0]), np.array([s, 0.0, 1.0])
    return 1 - math.fsum(v * w) / math.sqrt(math.fsum(v * v) * math.fsum(w * w))


def _pairs():
    rng = np.random.default_rng(11)
    for n, effect in ((4, 0.3), (10, -0.1), (24, 0.05)):
        before = rng.gamma(8, 0.05, n)
        yield before, before * rng.uniform(0.9, 1.1, n) + rng.normal(effect, 0.03, n)


def _gaps(before, after):
    return [float(b) - float(a) for a, b in zip(before, after, strict=True)]


def _paired(before, after, spread=lambda d: stdev(d) / math.sqrt(len(d)), middle=mean):
    d = _gaps(before, after)
    return middle(d), spread(d)


def _unpaired(before, after):
    parts = [variance(map(float, values)) / len(values) for values in (before, after)]
    return mean(_gaps(before, after)), math.sqrt(sum(parts))


CHECKS = {
    "a": Check(
        cases=_drifts,
        truth=_by_vectors,
        praise="Right. Without drift it is 1, and it falls with the square of the drift: half a drift hardly shows.",
        otherwise="With a drift as long as the noise, v = [1, 1, 0] and v' = [1, 0, 1]: the energy must be 0.5.",
        mistakes=(
            Mistake(
                lambda s: 1 - _by_vectors(s), "That is the cosine itself: 1 where all agree. The energy is 0 there."
            ),
            Mistake(
                lambda s: 1 / (1 + s),
                "You add the lengths of drift and noise. They stand at a right angle: think of Pythagoras.",
            ),
            Mistake(
                lambda s: 1 / math.hypot(1, s),
                "Both arrows have that length, so their product enters, not one of them alone.",
            ),
            Mistake(
                lambda s: 1 - s / math.hypot(1, s),
                "That compares an arrow with the drift. The energy compares it with another arrow, noise and all.",
            ),
            Mistake(
                lambda s: 1 - s**2,
                "The arrows are longer than 1: divide their inner product by both lengths. With s = 2 yours is -3.",
            ),
            Mistake(lambda s: 1.0, "That holds for noise alone. What do the two arrows have in common?"),
            Mistake(lambda s: 0.0, "That holds for drift alone. Each arrow has noise of its own, too."),
        ),
    ),
    "b": Check(
        cases=_pairs,
        truth=_paired,
        praise="Right. That some people move far and others little in both networks has dropped out of it.",
        otherwise="Three people with differences 1, 2 and 3: the mean is 2, its standard error 0.577.",
        mistakes=(
            Mistake(lambda b, a: _paired(a, b), "The sign: a rise from before to after must be positive."),
            Mistake(
                _unpaired,
                "You treat them as two groups of different people. They are the same ones: take the differences first.",
            ),
            Mistake(
                lambda b, a: _paired(b, a, stdev),
                "That is the spread of single people. The mean of n of them is known better, by the root of n.",
            ),
            Mistake(
                lambda b, a: _paired(b, a, lambda d: pstdev(d) / math.sqrt(len(d))),
                "Nearly: the mean was taken from the same differences, so the sum of squares is divided by n - 1.",
            ),
            Mistake(lambda b, a: _paired(b, a, pstdev), "That is the spread of single people, and with n, not n - 1."),
            Mistake(
                lambda b, a: _paired(b, a, lambda d: variance(d) / len(d)),
                "That is the square of the standard error: it has the wrong unit.",
            ),
            Mistake(
                lambda b, a: _paired(b, a, lambda d: stdev(d) / len(d)),
                "You divide by n. The error of a mean falls with the root of n only.",
            ),
            Mistake(lambda b, a: _paired(b, a, middle=median), "That is the median difference; the mean is asked for."),
        ),
    ),
    "c": Check(
        cases=lambda: [()],
        truth=lambda: "b",
        praise="Right. In the middle of the ranges, where directions hardly turn, nearly every prediction holds.",
        otherwise='Answer with one of the letters "a", "b", "c".',
        mistakes=(
            Mistake(
                lambda: "a",
                "The same number of avatars was enough for the same attributes at other scales, and in the middle of "
                "the ranges.",
            ),
            Mistake(
                lambda: "c",
                "Look at the second table: the same two networks, with base points in a narrower range. Noise would "
                "not become orderly there.",
            ),
        ),
    ),
}
