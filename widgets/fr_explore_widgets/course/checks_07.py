"""Checks for notebook 7: the triplet loss, the change of a ratio, the control that a result needs."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import fmean

import numpy as np

from .checking import Check, choice

__all__ = ["CHECKS"]


def _batches():
    for seed, people, views, scale in ((12, 4, 3, 0.4), (13, 6, 4, 0.6), (14, 3, 2, 0.5)):
        rng = np.random.default_rng(seed)
        centers = rng.standard_normal((people, 1, 4))
        vectors = (centers + scale * rng.standard_normal((people, views, 4))).reshape(-1, 4)
        order = rng.permutation(people * views)
        yield vectors[order], np.repeat(np.arange(people), views)[order], 1.0


def _losses(
    vectors, who, term, far: Callable = max, near: Callable = min, with_self=False, anyone=False, power=1
) -> list[float]:
    """For each picture, `term` of its distances to pictures of the same person and of others."""
    found = []
    for i, x in enumerate(vectors):
        mine = [math.dist(x, y) ** power for j, y in enumerate(vectors) if who[j] == who[i] and (with_self or j != i)]
        others = [math.dist(x, y) ** power for j, y in enumerate(vectors) if (anyone and j != i) or who[j] != who[i]]
        found.append(term(far(mine), near(others)))
    return found


def _hinge(margin):
    return lambda plus, minus: max(0.0, margin + plus - minus)


def _triplet(vectors, who, margin, **how):
    return fmean(_losses(vectors, who, _hinge(margin), **how))


def _shares():
    yield from ((-0.15, -0.14), (-0.5, 0.25), (0.2, 0.0), (0.0, -0.2), (0.3, 0.1))


CHECKS = {
    "a": Check(
        cases=_batches,
        truth=_triplet,
        praise="Right. It acts only where somebody else comes too close, and ignores all other pictures.",
        otherwise="With one person at 0 and 1 on a line, another at 2 and 4, and margin 1, the loss must be 0.75.",
        mistakes={
            "Pictures that are far enough apart push your loss below zero. They should add nothing.": lambda v, w, m: (
                fmean(_losses(v, w, lambda p, n: m + p - n))
            ),
            "You cut at zero after the mean, so good pictures compensate for bad ones.": lambda v, w, m: max(
                0.0, fmean(_losses(v, w, lambda p, n: m + p - n))
            ),
            "You use the nearest picture of the same person. Use the farthest one.": lambda v, w, m: _triplet(
                v, w, m, far=min
            ),
            "You average over pictures of the same person. Use the farthest one.": lambda v, w, m: _triplet(
                v, w, m, far=fmean
            ),
            "You use the farthest picture of the others. The nearest one is the danger.": lambda v, w, m: _triplet(
                v, w, m, near=max
            ),
            "You average over the others. The nearest one is the danger.": lambda v, w, m: _triplet(
                v, w, m, near=fmean
            ),
            "Your nearest picture may show the same person. It must show another one.": lambda v, w, m: _triplet(
                v, w, m, anyone=True
            ),
            "Your nearest picture is the picture itself. It must show another person.": lambda v, w, m: (
                m + fmean(_losses(v, w, lambda p, n: p))
            ),
            "It is the wrong way round: yours is small if other people are close.": lambda v, w, m: fmean(
                _losses(v, w, lambda p, n: max(0.0, m + n - p))
            ),
            "The margin is missing.": lambda v, w, m: _triplet(v, w, 0.0),
            "That is the sum over pictures, not the mean.": lambda v, w, m: math.fsum(_losses(v, w, _hinge(m))),
            "Those are squared distances. The margin is not squared.": lambda v, w, m: _triplet(v, w, m, power=2),
        },
    ),
    "b": Check(
        cases=_shares,
        truth=lambda a, b: math.exp(math.log1p(a) - math.log1p(b)) - 1,
        praise="Right. If both fall by nearly the same share, the magnitude hides a change that the threshold sees.",
        otherwise="If both the length (a = 1) and the distance (b = 1) double, the magnitude changes by 0.",
        mistakes={
            "Close, as long as both are small. Try a = -0.5 and b = 0.25.": lambda a, b: a - b,
            "That is the new magnitude divided by the old one. The exercise asks for the change.": lambda a, b: (
                (1 + a) / (1 + b)
            ),
            "The distance is in the denominator.": lambda a, b: (1 + a) * (1 + b) - 1,
            "Upside down: a longer step must raise the magnitude.": lambda a, b: (1 + b) / (1 + a) - 1,
            "That is the length alone. Its denominator has changed, too.": lambda a, b: a,
            "The sign is wrong: a rise must be positive.": lambda a, b: 1 - (1 + a) / (1 + b),
            "That is in per cent. The result must be a share, like a and b.": lambda a, b: (
                100 * ((1 + a) / (1 + b) - 1)
            ),
        },
    ),
    "c": choice(
        "a",
        "Right. The change after a lesson in another attribute shows what training alone does to brightness.",
        b="That would show whether it was learnt by heart, but not what another training would have done.",
        c="A small p says that something changed. Would it have changed after any training of that length?",
    ),
}
