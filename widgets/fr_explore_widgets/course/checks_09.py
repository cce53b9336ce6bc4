"""Checks for notebook 9: a false alarm in a crowd, what zero errors prove, rates by group."""

from __future__ import annotations

import math

import numpy as np

from .checking import Check

__all__ = ["CHECKS"]


def _crowds():
    yield from ((1e-4, 10_000), (0.01, 250), (0.3, 3), (1e-3, 1))


def _tests():
    yield from ((300, 0.05), (30, 0.05), (1000, 0.01), (1, 0.05))


def _groups():
    rng = np.random.default_rng(10)
    for sizes in ((20, 50), (7, 30, 12)):
        names = np.repeat(np.array(["darker", "lighter", "one of each"])[: len(sizes)], sizes)
        order = rng.permutation(len(names))
        distances = np.round(rng.normal(0.5, 0.1, len(names)), 2)
        yield distances, names[order], float(np.sort(distances)[len(names) // 3])


def _rates(distances, groups, match, of=None):
    out = []
    for name in sorted(set(groups.tolist())):
        own = [d for d, g in zip(distances.tolist(), groups.tolist(), strict=True) if g == name]
        out.append(sum(1 for d in own if match(d)) / (of or len(own)))
    return out


CHECKS = {
    "a": Check(
        cases=_crowds,
        truth=lambda rate, n: -math.expm1(n * math.log1p(-rate)),
        praise="Right. At one in ten thousand, a crowd of ten thousand raises an alarm more often than not.",
        otherwise="For two people and a rate of one half, the probability of an alarm must be 3/4.",
        mistakes={
            "That is the expected number of alarms, which can exceed 1.": lambda rate, n: rate * n,
            "Cutting the expected number at 1 does not make it a probability.": lambda rate, n: min(1, rate * n),
            "That is the probability that all of them pass: the opposite event.": lambda rate, n: (1 - rate) ** n,
            "That is the probability that every one of them raises an alarm.": lambda rate, n: rate**n,
            "That is the probability of exactly one alarm. Two or more count as well.": lambda rate, n: (
                n * rate * (1 - rate) ** (n - 1)
            ),
        },
    ),
    "b": Check(
        cases=_tests,
        truth=lambda n, chance: -math.expm1(math.log(chance) / n),
        praise="Right. With 300 pairs the rate may be as large as one in a hundred.",
        otherwise="With one pair and a chance of 5 %, the rate can be as large as 0.95.",
        mistakes={
            "That is the observed rate. Other rates could have shown no error either.": lambda n, chance: 0.0,
            "At that rate, the probability of no error is about 37 %, not 5 %.": lambda n, chance: 1 / n,
            "That is the approximation for many pairs. Solve the equation itself.": lambda n, chance: 3 / n,
            "That is good for many pairs, but gives a rate above 1 for one pair.": lambda n, chance: (
                -math.log(chance) / n
            ),
            "You divide the chance by the number of pairs, but it is a power of 1 - r.": lambda n, chance: chance / n,
            "That is 1 - r, the probability of no error in one pair.": lambda n, chance: chance ** (1 / n),
            "At this rate, the probability of no error is 95 %, not 5 %.": lambda n, chance: (
                1 - (1 - chance) ** (1 / n)
            ),
        },
    ),
    "c": Check(
        cases=_groups,
        truth=lambda d, g, t: _rates(d, g, lambda v: v <= t),
        praise="Right. Each group is measured by its own pairs. The next cells add the intervals.",
        otherwise="For distances 0.1 and 0.9 in each of two groups and threshold 0.5, the answer must be [0.5, 0.5].",
        mistakes={
            "You divide by all pairs, so a small group looks safe because it is small.": lambda d, g, t: _rates(
                d, g, lambda v: v <= t, len(d)
            ),
            "Those are correct rejections. A false match is at or below the threshold.": lambda d, g, t: _rates(
                d, g, lambda v: v > t
            ),
            "A distance equal to the threshold is a match.": lambda d, g, t: _rates(d, g, lambda v: v < t),
            "Those are numbers of pairs, not rates.": lambda d, g, t: _rates(d, g, lambda v: v <= t, 1),
            "Those are shares of all false matches. A rate is a share of the group's pairs.": lambda d, g, t: _rates(
                d, g, lambda v: v <= t, sum(v <= t for v in d.tolist())
            ),
            "The groups are in the wrong order.": lambda d, g, t: _rates(d, g, lambda v: v <= t)[::-1],
        },
    ),
}
