"""Checks for notebook 6: the energy of drift and noise, a paired difference, why predictions failed."""

from __future__ import annotations

import math
from statistics import mean, median, pstdev, stdev, variance

import numpy as np

from .checking import Check, choice

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
        praise="Right. Without drift it is 1. It depends on the square of the drift, so a small drift hardly shows.",
        otherwise="With a drift as long as the noise, say v = [1, 1, 0] and v' = [1, 0, 1], the energy must be 0.5.",
        mistakes={
            "That is the cosine itself, which is 1 if all agree. The energy is then 0.": lambda s: 1 - _by_vectors(s),
            "You add the lengths of drift and noise. They are orthogonal: think of Pythagoras.": lambda s: 1 / (1 + s),
            "Both arrows have that length: divide by the product of both.": lambda s: 1 / math.hypot(1, s),
            "You compare an arrow with the drift. Compare it with another arrow.": lambda s: 1 - s / math.hypot(1, s),
            "The arrows are longer than 1: divide their inner product by both lengths.": lambda s: 1 - s**2,
            "That is right for noise alone. What do the two arrows have in common?": lambda s: 1.0,
            "That is right for drift alone. Each arrow also has its own noise.": lambda s: 0.0,
        },
    ),
    "b": Check(
        cases=_pairs,
        truth=_paired,
        praise="Right. Differences between people that are the same in both networks cancel.",
        otherwise="For three people with differences 1, 2 and 3, the mean is 2 and its standard error 0.577.",
        mistakes={
            "The sign is wrong: a rise from before to after must be positive.": lambda b, a: _paired(a, b),
            "You treat them as two groups of different people. Take the differences first.": _unpaired,
            "That is the spread of single people. Divide it by the root of n.": lambda b, a: _paired(b, a, stdev),
            "Nearly. Divide the sum of squares by n - 1, not by n.": lambda b, a: _paired(
                b, a, lambda d: pstdev(d) / math.sqrt(len(d))
            ),
            "That is the spread of single people, computed with n instead of n - 1.": lambda b, a: _paired(
                b, a, pstdev
            ),
            "That is the square of the standard error: it has the wrong unit.": lambda b, a: _paired(
                b, a, lambda d: variance(d) / len(d)
            ),
            "You divide by n. The error of a mean falls only with the root of n.": lambda b, a: _paired(
                b, a, lambda d: stdev(d) / len(d)
            ),
            "That is the median difference. The exercise asks for the mean.": lambda b, a: _paired(b, a, middle=median),
        },
    ),
    "c": choice(
        "b",
        "Right. Energy cannot see that a step became longer; magnitude does, in both tables.",
        a="The same number of avatars was enough at other scales, and for other attributes.",
        c="The second table is for the same network in a narrower range, where its faces agree well. Noise would not.",
    ),
}
