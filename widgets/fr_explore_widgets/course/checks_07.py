"""Checks of notebook 7: the triplet loss, a change of a ratio, which control a result needs."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from .checking import Check, Mistake

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
    """One picture at a time: `term` of its distance to its own and to the others."""
    found = []
    for i, x in enumerate(vectors):
        mine = [math.dist(x, y) ** power for j, y in enumerate(vectors) if who[j] == who[i] and (with_self or j != i)]
        others = [math.dist(x, y) ** power for j, y in enumerate(vectors) if (anyone and j != i) or who[j] != who[i]]
        found.append(term(far(mine), near(others)))
    return found


def _hinge(margin):
    return lambda plus, minus: max(0.0, margin + plus - minus)


def _mean(values):
    return math.fsum(values) / len(values)


def _triplet(vectors, who, margin, **how):
    return _mean(_losses(vectors, who, _hinge(margin), **how))


def _shares():
    yield from ((-0.15, -0.14), (-0.5, 0.25), (0.2, 0.0), (0.0, -0.2), (0.3, 0.1))


CHECKS = {
    "a": Check(
        cases=_batches,
        truth=_triplet,
        praise="Right. It pulls only where somebody else comes too close; whoever is far enough is left alone.",
        otherwise="On a line, one person at 0 and 1, another at 2 and 4, margin 1: the loss must be 0.75.",
        mistakes=(
            Mistake(
                lambda v, w, m: _mean(_losses(v, w, lambda p, n: m + p - n)),
                "Pictures that are far enough apart lower your loss below zero. They should add nothing.",
            ),
            Mistake(
                lambda v, w, m: max(0.0, _mean(_losses(v, w, lambda p, n: m + p - n))),
                "You cut at zero after the mean, so good pictures pay for bad ones. Cut each one first.",
            ),
            Mistake(
                lambda v, w, m: _triplet(v, w, m, far=min),
                "You take the nearest of the same person, the easy one. The farthest is asked for.",
            ),
            Mistake(
                lambda v, w, m: _triplet(v, w, m, far=_mean),
                "You take the mean over the same person's pictures. The farthest one is asked for.",
            ),
            Mistake(
                lambda v, w, m: _triplet(v, w, m, near=max),
                "You take the farthest of the others, who is no danger. The nearest one is.",
            ),
            Mistake(
                lambda v, w, m: _triplet(v, w, m, near=_mean),
                "You take the mean over the others. The nearest one is the one who could be confused.",
            ),
            Mistake(
                lambda v, w, m: _triplet(v, w, m, anyone=True),
                "The nearest picture may show the same person in yours. It must be of another one.",
            ),
            Mistake(
                lambda v, w, m: m + _mean(_losses(v, w, lambda p, n: p)),
                "Your nearest picture is the picture itself, at distance 0. It must be of another person.",
            ),
            Mistake(
                lambda v, w, m: _mean(_losses(v, w, lambda p, n: max(0.0, m + n - p))),
                "The wrong way round: yours is small where other people are close.",
            ),
            Mistake(lambda v, w, m: _triplet(v, w, 0.0), "The margin is missing."),
            Mistake(
                lambda v, w, m: math.fsum(_losses(v, w, _hinge(m))), "That is the sum over pictures, not their mean."
            ),
            Mistake(
                lambda v, w, m: _triplet(v, w, m, power=2),
                "Those are squared distances. The margin is a distance, not a square.",
            ),
        ),
    ),
    "b": Check(
        cases=_shares,
        truth=lambda a, b: math.exp(math.log1p(a) - math.log1p(b)) - 1,
        praise="Right. If both fall by nearly the same share, the magnitude hides a change that a threshold would see.",
        otherwise="The length doubles (a = 1) and so does the distance (b = 1): the magnitude does not change, 0.",
        mistakes=(
            Mistake(
                lambda a, b: a - b,
                "Close, while both are small. Try a length that halves and a distance that rises by a quarter.",
            ),
            Mistake(lambda a, b: (1 + a) / (1 + b), "That is the new magnitude over the old one; the change is asked."),
            Mistake(lambda a, b: (1 + a) * (1 + b) - 1, "The distance stands below the fraction line."),
            Mistake(lambda a, b: (1 + b) / (1 + a) - 1, "Upside down: a longer step must raise the magnitude."),
            Mistake(lambda a, b: a, "That is the length alone. What it is divided by has changed, too."),
            Mistake(lambda a, b: 1 - (1 + a) / (1 + b), "The sign: a rise must be positive."),
            Mistake(
                lambda a, b: 100 * ((1 + a) / (1 + b) - 1), "That is in per cent; a and b are shares, and so is this."
            ),
        ),
    ),
    "c": Check(
        cases=lambda: [()],
        truth=lambda: "a",
        praise="Right. What brightness does after a lesson in something else is what training alone does to it.",
        otherwise='Answer with one of the letters "a", "b", "c".',
        mistakes=(
            Mistake(
                lambda: "b",
                "That would tell whether it was learnt by heart. It would not tell what another training would have "
                "done.",
            ),
            Mistake(
                lambda: "c",
                "A small p says that something changed. Would it have changed after any training of that length?",
            ),
        ),
    ),
}
