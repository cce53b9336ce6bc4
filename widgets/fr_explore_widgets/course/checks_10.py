"""Checks for notebook 10: the cost of a large run, the memory for all distances, the recall of a fast search."""

from __future__ import annotations

import math

import numpy as np

from .checking import Check

__all__ = ["CHECKS"]


def _jobs():
    """Pictures, models, seconds per picture, cores, length of an embedding."""
    yield 202_599, 1, 0.02, 64, 512
    yield 10_000_000, 3, 0.013, 16, 128
    yield 50_000, 1_000, 0.05, 8, 256


def _cost(n, m, c, w, d, per=3600, byte=4, giga=1e9, stored=None):
    return n * m * c / w / per, n * (m if stored is None else stored) * d * byte / giga


def _most(memory, byte=8):
    """The largest n such that n² numbers fit into memory."""
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
        praise="Right. A few numbers that you can measure in a minute predict the cost of a week of computing.",
        otherwise="For 1,000 pictures, 1 model, 0.036 s each, 1 core and length 250: 0.01 hours and 0.001 GB.",
        mistakes={
            "You ignore the number of cores: that is the time on one core.": lambda n, m, c, w, d: _cost(n, m, c, 1, d),
            "Your first number is in seconds. The exercise asks for hours.": lambda *job: _cost(*job, per=1),
            "Your first number is in minutes. The exercise asks for hours.": lambda *job: _cost(*job, per=60),
            "Eight bytes per number is float64. Embeddings are float32.": lambda *job: _cost(*job, byte=8),
            "You count numbers, not bytes. A float32 takes more than one byte.": lambda *job: _cost(*job, byte=1),
            "That is in GiB, 1024³ bytes. One GB is 10⁹ bytes.": lambda *job: _cost(*job, giga=2**30),
            "Each model has its own embeddings: your storage is for one model only.": lambda *job: _cost(
                *job, stored=1
            ),
            "In your formula, more cores make it slower.": lambda n, m, c, w, d: (
                n * m * c * w / 3600,
                n * m * d * 4 / 1e9,
            ),
        },
    ),
    "b": Check(
        cases=lambda: ((2e9,), (16e9,), (450e6,), (1e12,)),
        truth=_most,
        praise="Right. Memory grows with the square: eight times the memory is not even three times the points.",
        otherwise="800 bytes hold 100 float64 numbers: all distances between 10 points.",
        mistakes={
            "Four bytes per number is float32. The exercise asks for float64.": lambda b: _most(b, 4),
            "A float64 takes more than one byte.": lambda b: _most(b, 1),
            "That many numbers fit. How many points have that many distances?": lambda b: b // 8,
        },
        # rounding, and one point more or less, do not matter
        tolerance=1e-3,
    ),
    "c": Check(
        cases=_found,
        truth=_recall,
        praise="Right. How many neighbours are missed is one question, how much the energy changes is another.",
        otherwise="For the true neighbours [1, 2] and [3, 4] and the found ones [2, 5] and [4, 3], the recall is 0.75.",
        mistakes={
            "You compare position by position. The order does not matter.": lambda e, f: np.mean(e == f),
            "That is the share of points for which all neighbours were found.": lambda e, f: np.mean(
                [set(a) == set(b) for a, b in zip(e.tolist(), f.tolist(), strict=True)]
            ),
            "You divide by the union of both. Divide by the number of true neighbours.": lambda e, f: np.mean(
                [len(set(a) & set(b)) / len(set(a) | set(b)) for a, b in zip(e.tolist(), f.tolist(), strict=True)]
            ),
            "You search among the neighbours of all points. Compare point by point.": lambda e, f: np.isin(f, e).mean(),
            "That is the share that was missed.": lambda e, f: 1 - _recall(e, f),
            "That is a number of neighbours per point. The exercise asks for a share.": lambda e, f: (
                _recall(e, f) * e.shape[1]
            ),
        },
    ),
}
