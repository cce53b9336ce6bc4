"""Checks for notebook 0: the decision rule, and what a distance is compared with."""

from __future__ import annotations

import math

import numpy as np

from .checking import Check

__all__ = ["CHECKS"]


def _pairs():
    rng = np.random.default_rng(0)
    for scale in (0.05, 0.06, 0.5):
        a = rng.standard_normal(128) * 0.1
        yield a, a + scale * rng.standard_normal(128), 0.6
    point = np.zeros(4)
    yield point, point + 0.25, 0.5  # at the threshold
    yield point, point + 0.3, 0.5
    yield point, point - 0.26, 0.5
    yield point, np.array([0.4, 0.4, 0.0, 0.0]), 0.6


def _distance(a, b):
    return math.sqrt(sum((float(x) - float(y)) ** 2 for x, y in zip(a, b, strict=True)))


def _further(furthest, limit):
    """How many attributes move the face further than `limit`."""
    return sum(d > float(limit) for d in furthest.values())


CHECKS = {
    "a": Check(
        cases=_pairs,
        truth=lambda a, b, t: _distance(a, b) <= t,
        praise="Right. This comparison is all there is to 'verification': everything else happens in the embedding.",
        otherwise="Print your distance for a = [0, 0] and b = [3, 4]: it must be 5.",
        mistakes={
            "It is the other way round: close together means the same person.": lambda a, b, t: _distance(a, b) > t,
            "Almost. Consider a distance of exactly the threshold, and the words 'at most'.": lambda a, b, t: (
                _distance(a, b) < t
            ),
            "That is the squared distance. The threshold applies to the distance itself.": lambda a, b, t: (
                sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) <= t
            ),
            "That sums absolute differences (city-block distance). The Euclidean one squares them.": lambda a, b, t: (
                sum(abs(x - y) for x, y in zip(a, b, strict=True)) <= t
            ),
            "That is the distance. The exercise asks for the decision.": lambda a, b, t: _distance(a, b),
            "That is the cosine distance. The threshold of dlib applies to the Euclidean one.": lambda a, b, t: (
                1 - a @ b / max(np.linalg.norm(a) * np.linalg.norm(b), 1e-12) <= t
            ),
        },
    ),
    "b": Check(
        truth=lambda furthest, others: _further(furthest, np.min(others) / 2),
        praise="Right. If each of two people can move half way, a threshold between them confuses them or rejects "
        "them. Attributes and people both shape the space, and the next notebooks separate them.",
        otherwise="Halve the smallest of the distances to the others, and count the attributes above it.",
        mistakes={
            "You compare with the whole distance to the nearest person. Take half of it.": lambda furthest, others: (
                _further(furthest, np.min(others))
            ),
            "You compare with the farthest other person. Use the nearest one.": lambda furthest, others: _further(
                furthest, np.max(others) / 2
            ),
            "You compare with the mean of the other people. Use the nearest one.": lambda furthest, others: _further(
                furthest, np.mean(others) / 2
            ),
            "You compare with the threshold. Use the nearest other person.": lambda furthest, others: _further(
                furthest, 0.6
            ),
            "You count those that stay nearer. The exercise asks for the others.": lambda furthest, others: (
                len(furthest) - _further(furthest, np.min(others) / 2)
            ),
        },
    ),
}
