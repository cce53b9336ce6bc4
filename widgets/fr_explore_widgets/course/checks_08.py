"""Checks of notebook 8: a paired test by sign flips, how many people it needs, and how little eight ranks say."""

from __future__ import annotations

import itertools
import math

import numpy as np
from scipy import stats

from .checking import Check, Mistake

__all__ = ["CHECKS"]


def _gaps():
    for seed, n, shift in ((0, 5, 0.8), (1, 8, 0.4), (2, 10, 0.6), (3, 6, -0.9)):
        yield (np.random.default_rng(seed).normal(shift, 1, n),)


def _p(gaps, tail=abs, beyond=lambda a, b: a >= b - 1e-12):
    """One tossing of coins at a time."""
    found = [
        beyond(tail(math.fsum(s * g for s, g in zip(signs, gaps, strict=True))), tail(math.fsum(gaps)))
        for signs in itertools.product((1, -1), repeat=len(gaps))
    ]
    return sum(found) / len(found)


def _people(tests, level, sides=2):
    """How many coins must fall alike until `tests` such events together are rarer than `level`."""
    n = 1
    while tests * sides > level * 2**n:
        n += 1
    return n


def _share(n, rho, both=False, of=None):
    """All orders at once: Spearman's from the differences of ranks."""
    orders = np.array(list(itertools.permutations(range(n))))
    found = of(orders) if of else 1 - 6 * ((orders - np.arange(n)) ** 2).sum(1) / (n * (n * n - 1))
    return np.mean((np.abs(found) if both else found) >= rho)


def _kendall(orders):
    n = orders.shape[1]
    pairs = list(itertools.combinations(range(n), 2))
    return sum(np.sign(orders[:, j] - orders[:, i]) for i, j in pairs) / len(pairs)


CHECKS = {
    "a": Check(
        cases=_gaps,
        truth=_p,
        praise="Right. No curve of Gauss was assumed: only that a coin might have named the two models.",
        otherwise="Two people, gaps of 1 and 1: two of the four tosses lie as far from 0 as what was seen, so p = 1/2.",
        mistakes=(
            Mistake(
                lambda g: _p(g, tail=lambda s: s),
                "One end only. A mean as far below 0 would have surprised you as well: count both.",
            ),
            Mistake(
                lambda g: _p(g, tail=lambda s: -s),
                "One end only, and the lower one. Count the tosses that lie as far from 0 on either side.",
            ),
            Mistake(
                lambda g: _p(g, beyond=lambda a, b: a > b + 1e-12),
                "The toss that happened is one of all tosses: those as far from 0 as it count too.",
            ),
            Mistake(
                lambda g: _p(g, beyond=lambda a, b: a < b - 1e-12),
                "That is the share of tosses nearer to 0 than what was seen: large where p must be small.",
            ),
            Mistake(
                lambda g: _p(g) / 2, "One end only, the nearer one. Count the tosses that lie as far out on the other."
            ),
            Mistake(
                lambda g: stats.ttest_1samp(g, 0)[1],
                "That is a t test, which assumes a normal distribution. Toss the signs instead.",
            ),
        ),
    ),
    "b": Check(
        cases=lambda: ((1, 0.05), (4, 0.05), (8, 0.05), (36, 0.01)),
        truth=_people,
        praise="Right. Decide the number of people before you look: it decides what you are able to find.",
        otherwise="One test, level 0.05: five people give p = 1/16 at best, six give 1/32. So the answer is 6.",
        mistakes=(
            Mistake(
                lambda m, level: _people(m, level, 1),
                "One person too few: two tosses lie as far out as can be, all signs plus and all signs minus.",
            ),
            Mistake(lambda m, level: _people(1, level), "The number of tests does not enter in yours, and it must."),
            Mistake(
                lambda m, level: math.log2(2 * m / level),
                "People come whole. With the number you give, rounded down, no result could pass.",
            ),
        ),
    ),
    "c": Check(
        cases=lambda: ((4, 0.75), (5, 0.65), (6, 0.62), (7, 0.55)),
        truth=_share,
        praise="Right. A correlation over a handful of ranks needs such a sentence beside it.",
        otherwise="Of the 24 orders of four, one is perfect and three swap two neighbours (0.8): so 1/6 reach 0.75.",
        mistakes=(
            Mistake(
                lambda n, rho: _share(n, rho, both=True),
                "Both ends count in yours. Orders that run the other way do not speak for agreement.",
            ),
            Mistake(
                lambda n, rho: _share(n, rho, of=_kendall),
                "That is Kendall's tau, which counts swapped pairs. Here Spearman's rho is wanted.",
            ),
            Mistake(
                lambda n, rho: _share(n, rho) * math.factorial(n),
                "That is how many orders. Which share of all orders are they?",
            ),
            Mistake(lambda n, rho: 1 - _share(n, rho), "That is the share of orders below. Those at or above count."),
        ),
    ),
}
