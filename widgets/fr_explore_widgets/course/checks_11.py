"""Checks for notebook 11: a dimension from the lengths of trees, the loop of a regular polygon."""

from __future__ import annotations

import math

import numpy as np

from .checking import Check

__all__ = ["CHECKS"]


def _trees():
    """Sizes, total lengths that follow a power law with a little noise, alpha."""
    rng = np.random.default_rng(11)
    for d, alpha, sizes in (
        (3.0, 1.0, (200, 400, 800)),
        (20.0, 1.0, (125, 250, 500, 1000)),
        (8.0, 2.0, (50, 300, 900)),
    ):
        n = np.array(sizes, float)
        yield n, 0.7 * n ** (1 - alpha / d) * np.exp(rng.normal(0, 0.01, len(n))), float(alpha)


def _slope(x, y):
    """Of the least-squares line, from sums."""
    a, b = x - math.fsum(x) / len(x), y - math.fsum(y) / len(y)
    return math.fsum(a * b) / math.fsum(a * a)


def _m(n, lengths):
    return _slope(np.log(n), np.log(lengths))


def _ends(n, lengths, alpha):
    return alpha / (1 - math.log(lengths[-1] / lengths[0]) / math.log(n[-1] / n[0]))


def _chord(n, r, steps):
    """The distance between two points on the circle, so many steps apart."""
    return math.dist((r, 0), (r * math.cos(2 * math.pi * steps / n), r * math.sin(2 * math.pi * steps / n)))


def _loop(n, r, death=None, factor=1.0):
    # the longest side of the most even triangle around the centre
    steps = next(s for s in range(1, n) if 3 * s >= n) if death is None else death(n)
    return factor * _chord(n, r, 1), factor * _chord(n, r, steps)


CHECKS = {
    "a": Check(
        cases=_trees,
        truth=lambda n, lengths, alpha: alpha / (1 - _m(n, lengths)),
        praise="Right. If someone squares the lengths and forgets that alpha is then 2, the dimension is halved.",
        otherwise="For sizes [10, 100], lengths [1, 10**0.5] and alpha 1, the slope is 1/2 and the dimension 2.",
        mistakes={
            "The slope m is not yet the dimension: solve m = 1 - alpha/d for d.": lambda n, lengths, alpha: (
                _m(n, lengths)
            ),
            "Alpha is missing from your numerator. It is 1 in most of the tries, but not in all.": (
                lambda n, lengths, alpha: 1 / (1 - _m(n, lengths))
            ),
            "You have exchanged numerator and denominator.": lambda n, lengths, alpha: (1 - _m(n, lengths)) / alpha,
            "That is a line through the numbers themselves. A power law is straight in the logarithms of both.": (
                lambda n, lengths, alpha: alpha / (1 - _slope(n, lengths))
            ),
            "Only the lengths are logarithms. A power law is straight in the logarithms of both.": (
                lambda n, lengths, alpha: alpha / (1 - _slope(n, np.log(lengths)))
            ),
            "Your axes are exchanged: the length depends on the number of points.": (
                lambda n, lengths, alpha: alpha / (1 - _slope(np.log(lengths), np.log(n)))
            ),
            "Nearly. You use the first and the last tree only; fit a line through all.": _ends,
            "Check the sign: with m = 1 - alpha/d, what is alpha/d?": (
                lambda n, lengths, alpha: alpha / (_m(n, lengths) - 1)
            ),
        },
    ),
    "b": Check(
        cases=lambda: ((4, 1.0), (6, 1.0), (10, 2.0), (11, 0.5), (30, 1.0)),
        truth=_loop,
        praise="Right. With more points the birth goes to 0, while the death stays near 1.73 r: a long bar.",
        otherwise="For four points on a circle of radius 1, the sides are 1.414 long and the loop dies at 2.",
        mistakes={
            "The steps of a triangle are whole numbers. Which way must n/3 be rounded, if its longest side decides?": (
                lambda n, r: _loop(n, r, lambda n: n / 3)
            ),
            "You round n/3 down. That triangle does not reach round the centre.": (
                lambda n, r: _loop(n, r, lambda n: n // 3)
            ),
            "You round n/3 to the nearest number. The longest side decides.": (
                lambda n, r: _loop(n, r, lambda n: round(n / 3))
            ),
            "A triangle fills the ring before the distance reaches the diameter.": lambda n, r: (
                _chord(n, r, 1),
                2 * r,
            ),
            "You give half of both distances: radii of balls. Here the points themselves are joined.": (
                lambda n, r: _loop(n, r, factor=0.5)
            ),
            "Those are arcs along the circle. The distance of two points is the chord.": lambda n, r: (
                2 * math.pi * r / n, 2 * math.pi * r * math.ceil(n / 3) / n,
            ),
            "You ignore the radius.": lambda n, r: _loop(n, 1.0),
            "You have exchanged birth and death.": lambda n, r: _loop(n, r)[::-1],
        },
    ),
}  # fmt: skip
