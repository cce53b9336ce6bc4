"""Checks for notebook 8: a paired sign-flip test, the number of people it needs, and how little eight ranks show."""

from __future__ import annotations

import itertools
import math

import numpy as np
from scipy import stats

from .checking import Check

__all__ = ["CHECKS"]


def _gaps():
    for seed, n, shift in ((0, 5, 0.8), (1, 8, 0.4), (2, 10, 0.6), (3, 6, -0.9)):
        yield (np.random.default_rng(seed).normal(shift, 1, n),)


def _p(gaps, tail=abs, beyond=lambda a, b: a >= b - 1e-12):
    """The sign-flip test, one combination of signs at a time."""
    found = [
        beyond(tail(math.fsum(s * g for s, g in zip(signs, gaps, strict=True))), tail(math.fsum(gaps)))
        for signs in itertools.product((1, -1), repeat=len(gaps))
    ]
    return sum(found) / len(found)


def _people(tests, level, sides=2):
    """The smallest n with tests * sides / 2**n <= level."""
    n = 1
    while tests * sides > level * 2**n:
        n += 1
    return n


def _share(n, rho, both=False, of=None, beyond=np.greater_equal):
    """The share of orders, with Spearman's rho from the differences of ranks."""
    orders = np.array(list(itertools.permutations(range(n))))
    found = of(orders) if of else 1 - 6 * ((orders - np.arange(n)) ** 2).sum(1) / (n * (n * n - 1))
    return np.mean(beyond(np.abs(found) if both else found, rho))


def _kendall(orders):
    n = orders.shape[1]
    pairs = list(itertools.combinations(range(n), 2))
    return sum(np.sign(orders[:, j] - orders[:, i]) for i, j in pairs) / len(pairs)


CHECKS = {
    "a": Check(
        cases=_gaps,
        truth=_p,
        praise="Right. The test assumes no distribution, only that a coin could have named the two models.",
        otherwise="For two people with gaps of 1 and 1, two of the four combinations are as far from 0, so p = 1/2.",
        mistakes={
            "That is one side only. A mean as far below 0 counts as well.": lambda g: _p(g, tail=lambda s: s),
            "That is the lower side only. Count both sides.": lambda g: _p(g, tail=lambda s: -s),
            "The observed signs are one of the combinations: those as far from 0 count too.": lambda g: _p(
                g, beyond=lambda a, b: a > b + 1e-12
            ),
            "That is the share of means nearer to 0 than the observed one.": lambda g: _p(
                g, beyond=lambda a, b: a < b - 1e-12
            ),
            "That is one side only, the nearer one. Count both sides.": lambda g: _p(g) / 2,
            "That is a t test, which assumes a normal distribution. Flip the signs instead.": lambda g: (
                stats.ttest_1samp(g, 0)[1]
            ),
        },
    ),
    "b": Check(
        cases=lambda: ((1, 0.05), (4, 0.05), (8, 0.05), (36, 0.01)),
        truth=_people,
        praise="Right. Decide on the number of people in advance: it determines what you can find.",
        otherwise="For one test at the level 0.05, five people give p = 1/16 at best, six give 1/32: the answer is 6.",
        mistakes={
            "One person too few: count all signs plus as well as all signs minus.": lambda m, level: _people(
                m, level, 1
            ),
            "You ignore the number of tests.": lambda m, level: _people(1, level),
            "The number of people must be whole. Rounded down, yours is too small.": lambda m, level: math.log2(
                2 * m / level
            ),
        },
    ),
    "c": Check(
        # with n = 4, the rho of the same order is exactly 1 in any arithmetic: "at least" and "more than" differ there
        cases=lambda: ((4, 0.75), (4, 1), (5, 0.65), (6, 0.62), (7, 0.55)),
        truth=_share,
        praise="Right. Report such a share with any correlation over a handful of ranks.",
        otherwise="Of the 24 orders of four, one is perfect and three swap two neighbours (0.8), so 1/6 reach 0.75.",
        mistakes={
            "You count both ends. Reversed orders do not show agreement.": lambda n, rho: _share(n, rho, both=True),
            "At least r: an order whose rho equals r counts as well.": lambda n, rho: _share(n, rho, beyond=np.greater),
            "That is Kendall's tau, which counts swapped pairs. Use Spearman's rho.": lambda n, rho: _share(
                n, rho, of=_kendall
            ),
            "That is the number of orders. What share of all orders is it?": lambda n, rho: (
                _share(n, rho) * math.factorial(n)
            ),
            "That is the share of orders below r. Count those at or above it.": lambda n, rho: 1 - _share(n, rho),
        },
    ),
}
