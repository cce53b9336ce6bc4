"""Checks of notebook 0: the decision, and a yardstick for a distance."""

from __future__ import annotations

import math

import numpy as np

from .checking import Check, Mistake

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


CHECKS = {
    "a": Check(
        cases=_pairs,
        truth=lambda a, b, t: _distance(a, b) <= t,
        praise="Right. That comparison is all that 'verification' means: everything else happens in the embedding.",
        otherwise="Print your distance and the threshold for a = [0, 0] and b = [3, 4]: the distance must be 5.",
        mistakes=(
            Mistake(lambda a, b, t: _distance(a, b) > t, "The other way round: close together means the same person."),
            Mistake(
                lambda a, b, t: _distance(a, b) < t,
                "Almost: look at two faces whose distance is exactly the threshold, and at the words 'at most'.",
            ),
            Mistake(
                lambda a, b, t: sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) <= t,
                "That is the squared distance. The threshold belongs to the distance itself.",
            ),
            Mistake(
                lambda a, b, t: sum(abs(x - y) for x, y in zip(a, b, strict=True)) <= t,
                "That adds absolute differences (the city-block distance). The Euclidean one squares them first.",
            ),
            Mistake(lambda a, b, t: _distance(a, b), "That is the distance. The exercise asks for the decision."),
            Mistake(
                lambda a, b, t: 1 - a @ b / max(np.linalg.norm(a) * np.linalg.norm(b), 1e-12) <= t,
                "That is the cosine distance. It has its own thresholds; dlib's belongs to the Euclidean one.",
            ),
        ),
    ),
    "b": Check(
        truth=lambda furthest, others: sum(d > float(np.min(others)) for d in furthest.values()),
        praise="Right. An attribute can move a face further than a change of person does: "
        "the space is shaped by both, and the next notebooks take them apart.",
        otherwise="Take the smallest of the distances to the others, and count the attributes that lie above it.",
        mistakes=(
            Mistake(
                lambda furthest, others: sum(d > float(np.max(others)) for d in furthest.values()),
                "That counts against the farthest other person. The nearest one is the first who could be confused.",
            ),
            Mistake(
                lambda furthest, others: sum(d > float(np.mean(others)) for d in furthest.values()),
                "That counts against the mean of the other people. The nearest one is the first who could be confused.",
            ),
            Mistake(
                lambda furthest, others: sum(d > 0.6 for d in furthest.values()),
                "That counts against the threshold. The yardstick here is a person: the nearest other one.",
            ),
            Mistake(
                lambda furthest, others: sum(d <= float(np.min(others)) for d in furthest.values()),
                "That counts those that stay nearer. The question is about those that go further.",
            ),
        ),
    ),
}
