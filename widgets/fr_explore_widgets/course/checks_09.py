"""Checks of notebook 9: a false alarm in a crowd, what zero errors prove, rates by group."""

from __future__ import annotations

import math

import numpy as np

from .checking import Check, Mistake

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
        praise="Right. With one in ten thousand, ten thousand people raise an alarm more often than not.",
        otherwise="Two people at a rate of one half: the chance of at least one alarm must be 3/4.",
        mistakes=(
            Mistake(
                lambda rate, n: rate * n,
                "That is the expected number of alarms. A chance cannot exceed 1; two alarms are no two chances.",
            ),
            Mistake(lambda rate, n: min(1, rate * n), "Cutting the expected number at 1 does not make it a chance."),
            Mistake(lambda rate, n: (1 - rate) ** n, "That is the chance that all of them pass: the opposite event."),
            Mistake(lambda rate, n: rate**n, "That is the chance that every one of them raises an alarm."),
            Mistake(
                lambda rate, n: n * rate * (1 - rate) ** (n - 1),
                "That is the chance of exactly one alarm. Two or more count as well.",
            ),
        ),
    ),
    "b": Check(
        cases=_tests,
        truth=lambda n, chance: -math.expm1(math.log(chance) / n),
        praise="Right. With 300 pairs it is one in a hundred, and not zero.",
        otherwise="With one pair and a chance of 5 % the rate can be as large as 0.95.",
        mistakes=(
            Mistake(
                lambda n, chance: 0.0, "That is the rate you observed. Other rates would have shown no error either."
            ),
            Mistake(lambda n, chance: 1 / n, "At that rate no error has a chance of about 37 %, not of 5 %."),
            Mistake(
                lambda n, chance: 3 / n,
                "Close, for many pairs: that is the approximation. The equation itself holds for one pair, too.",
            ),
            Mistake(
                lambda n, chance: -math.log(chance) / n,
                "Close, for many pairs: you took the logarithm of 1 - r for -r. One pair then gives a rate above 1.",
            ),
            Mistake(
                lambda n, chance: chance / n, "That divides the chance by the pairs; the chance is a power of 1 - r."
            ),
            Mistake(
                lambda n, chance: chance ** (1 / n), "That is 1 - r, the chance of one pair to pass without an error."
            ),
            Mistake(
                lambda n, chance: 1 - (1 - chance) ** (1 / n),
                "You exchanged the chance and its opposite: at this rate no error has a chance of 95 %.",
            ),
        ),
    ),
    "c": Check(
        cases=_groups,
        truth=lambda d, g, t: _rates(d, g, lambda v: v <= t),
        praise="Right. Each group is measured against its own pairs. Still missing, and in the next cells: intervals.",
        otherwise="Four pairs, 0.1 and 0.9 in each of two groups, threshold 0.5: the answer must be [0.5, 0.5].",
        mistakes=(
            Mistake(
                lambda d, g, t: _rates(d, g, lambda v: v <= t, len(d)),
                "You divide by all pairs, so a small group looks safe because it is small.",
            ),
            Mistake(
                lambda d, g, t: _rates(d, g, lambda v: v > t),
                "Those are the pairs told apart rightly. A false match lies at or below the threshold.",
            ),
            Mistake(lambda d, g, t: _rates(d, g, lambda v: v < t), "A distance that equals the threshold is a match."),
            Mistake(lambda d, g, t: _rates(d, g, lambda v: v <= t, 1), "Those are numbers of pairs, not rates."),
            Mistake(
                lambda d, g, t: _rates(d, g, lambda v: v <= t, sum(v <= t for v in d.tolist())),
                "Those are shares of all false matches. A rate is a share of the group's own pairs.",
            ),
            Mistake(lambda d, g, t: _rates(d, g, lambda v: v <= t)[::-1], "The groups are in the other order."),
        ),
    ),
}
