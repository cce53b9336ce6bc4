"""Checks of notebook 10: what a large run costs, what distances take in memory, what a quick search misses."""

from __future__ import annotations

import math

import numpy as np

from .checking import Check, Mistake

__all__ = ["CHECKS"]


def _jobs():
    """Pictures, models, seconds a picture, cores, length of an embedding."""
    yield 202_599, 1, 0.02, 64, 512
    yield 10_000_000, 3, 0.013, 16, 128
    yield 50_000, 1_000, 0.05, 8, 256


def _cost(n, m, c, w, d, per=3600, byte=4, giga=1e9, stored=None):
    return n * m * c / w / per, n * (m if stored is None else stored) * d * byte / giga


def _most(memory, byte=8):
    """The largest n with n² numbers in memory."""
    return math.isqrt(int(memory) // byte)


def _found():
    rng = np.random.default_rng(4)
    for n, k, candidates in ((20, 5, 8), (50, 10, 14), (12, 3, 6)):
        exact = np.array([rng.permutation(n)[:candidates] for _ in range(n)])
        wrong = np.array([rng.permutation(row)[:k] for row in exact])
        yield exact[:, :k], wrong


def _recall(exact, found):
    return math.fsum(len(set(a) & set(b)) for a, b in zip(exact.tolist(), found.tolist(), strict=True)) / exact.size


CHECKS = {
    "a": Check(
        cases=_jobs,
        truth=_cost,
        praise="Right. Four numbers that can be measured in a minute tell what a week of computing will bring.",
        otherwise="1,000 pictures, 1 model, 0.036 s each, 1 core, length 250: 0.01 hours and 0.001 GB.",
        mistakes=(
            Mistake(
                lambda n, m, c, w, d: _cost(n, m, c, 1, d),
                "The cores do not enter in your hours: that is the time of one core alone.",
            ),
            Mistake(lambda *job: _cost(*job, per=1), "Your first number is in seconds; hours are asked for."),
            Mistake(lambda *job: _cost(*job, per=60), "Your first number is in minutes; hours are asked for."),
            Mistake(lambda *job: _cost(*job, byte=8), "Eight bytes a number is float64; embeddings are float32."),
            Mistake(lambda *job: _cost(*job, byte=1), "You count numbers, not bytes: a float32 takes more than one."),
            Mistake(lambda *job: _cost(*job, giga=2**30), "That is in GiB, of 1024³ bytes. A GB is 10⁹ bytes."),
            Mistake(
                lambda *job: _cost(*job, stored=1),
                "Each model leaves embeddings of its own: the storage in yours is for one model only.",
            ),
            Mistake(
                lambda n, m, c, w, d: (n * m * c * w / 3600, n * m * d * 4 / 1e9),
                "More cores make it slower in yours.",
            ),
        ),
    ),
    "b": Check(
        cases=lambda: ((2e9,), (16e9,), (450e6,), (1e12,)),
        truth=_most,
        praise="Right. Memory grows with the square, so eight times the memory is not even three times the points.",
        otherwise="800 bytes hold 100 numbers of float64: the distances of 10 points, each with each.",
        mistakes=(
            Mistake(
                lambda b: _most(b, 4),
                "Four bytes a number is float32, or half of the matrix: the exercise says the whole, in float64.",
            ),
            Mistake(lambda b: _most(b, 1), "A float64 takes more than one byte."),
            Mistake(lambda b: b // 8, "That many numbers fit. How many points have so many distances, each with each?"),
        ),
        # a point more or less, and a fraction, are not the point
        tolerance=1e-3,
    ),
    "c": Check(
        cases=_found,
        truth=_recall,
        praise="Right. Whether a neighbour was missed is one question; whether the energy cares is another. See below.",
        otherwise="True neighbours [1, 2] and [3, 4], found [2, 5] and [4, 3]: three of four, 0.75.",
        mistakes=(
            Mistake(
                lambda e, f: np.mean(e == f),
                "You compare place by place. A neighbour that is found in another place is found nevertheless.",
            ),
            Mistake(
                lambda e, f: np.mean([set(a) == set(b) for a, b in zip(e.tolist(), f.tolist(), strict=True)]),
                "That is the share of points whose neighbours are all right; one missed spoils a point in yours.",
            ),
            Mistake(
                lambda e, f: np.mean(
                    [len(set(a) & set(b)) / len(set(a) | set(b)) for a, b in zip(e.tolist(), f.tolist(), strict=True)]
                ),
                "You divide by all that either search gave. Of the true neighbours, which share was found?",
            ),
            Mistake(
                lambda e, f: np.isin(f, e).mean(),
                "You look for a neighbour among those of all points. It counts only where it is that point's own.",
            ),
            Mistake(lambda e, f: 1 - _recall(e, f), "That is the share that was missed."),
            Mistake(
                lambda e, f: _recall(e, f) * e.shape[1],
                "That is a number of neighbours for each point. As a share of them?",
            ),
        ),
    ),
}
