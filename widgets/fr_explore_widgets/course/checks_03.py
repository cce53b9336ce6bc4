"""Checks for notebook 3: the KS statistic, the intra-entropy, and the origin of their correlation."""

from __future__ import annotations

import math
from statistics import fmean

import numpy as np

from .checking import Check, choice

__all__ = ["CHECKS"]


def _samples():
    rng = np.random.default_rng(5)
    yield np.round(rng.normal(0.4, 0.1, 40), 2), np.round(rng.normal(0.5, 0.1, 60), 2)
    yield rng.normal(0.6, 0.05, 25), rng.normal(0.5, 0.1, 30)  # the gap is negative
    yield rng.normal(0.5, 0.02, 30), np.concatenate([rng.normal(0.5, 0.2, 20)])
    yield np.array([0.1, 0.2, 0.3]), np.array([0.15, 0.9])  # the largest gap is at an element of the first sample only
    yield np.array([0.15, 0.9]), np.array([0.1, 0.2, 0.3])


def _gaps(inside, across, at=None):
    """F_inside - F_across, by counting."""
    at = [*inside, *across] if at is None else at
    share = [[sum(v <= t for v in values) / len(values) for t in at] for values in (inside, across)]
    return np.array(share[0]) - np.array(share[1])


def _labels():
    rng = np.random.default_rng(6)
    for sizes in ((4, 4, 4, 4), (2, 9, 5), (1, 3, 8, 2)):
        who = rng.permutation(np.repeat(np.arange(len(sizes)) + 10, sizes))
        yield rng.choice([-1, 1], len(who)), who
    who = np.repeat([0, 1, 2], 6)
    yield np.repeat([1, -1, 1, -1], [6, 6, 2, 4]), who


def _entropy(p, log=math.log):
    return sum(-q * log(q) for q in (p, 1 - p) if q > 0)


def _by_person(label, who, log=math.log):
    shares = [sum(1 for v in label[who == p] if v == 1) / sum(who == p) for p in sorted(set(who.tolist()))]
    return [_entropy(share, log) for share in shares]


CHECKS = {
    "a": Check(
        cases=_samples,
        truth=lambda a, b: float(np.abs(_gaps(a, b)).max()),
        praise="Right. The gap can be at any distance of either sample, and in either direction.",
        otherwise="For [1, 2, 3] and [2.5, 3.5], the largest gap must be 2/3, between 2 and 2.5.",
        mistakes={
            "You keep the sign and miss a gap in the other direction: take the absolute value.": lambda a, b: float(
                _gaps(a, b).max()
            ),
            "You use the distances of the first sample only. The gap may be at one of the second.": lambda a, b: float(
                np.abs(_gaps(a, b, a)).max()
            ),
            "You use the distances of the second sample only. The gap may be at one of the first.": lambda a, b: float(
                np.abs(_gaps(a, b, b)).max()
            ),
            "That is the difference of the means, which ignores the shape.": lambda a, b: abs(fmean(a) - fmean(b)),
            "That is the difference of the medians: a distance, not a share.": lambda a, b: abs(
                float(np.median(a) - np.median(b))
            ),
            "That is the mean gap. The statistic is the largest gap.": lambda a, b: float(np.abs(_gaps(a, b)).mean()),
            "That is 1 minus the largest gap.": lambda a, b: 1 - float(np.abs(_gaps(a, b)).max()),
        },
    ),
    "b": Check(
        cases=_labels,
        truth=lambda label, who: fmean(_by_person(label, who)),
        praise="Right. It is 0 for a label that never changes in a person, ln 2 for one that is a coin toss.",
        otherwise="A person with the labels +1, -1 has the entropy ln 2, one with +1, +1 has 0. The mean is 0.347.",
        mistakes={
            "That is in bits, with the logarithm to base 2. Nats use the natural logarithm.": lambda label, who: fmean(
                _by_person(label, who, math.log2)
            ),
            "That is the entropy of all pictures together. Compute it per person.": lambda label, who: _entropy(
                fmean([v == 1 for v in label])
            ),
            "That is the sum over people, not the mean.": lambda label, who: sum(_by_person(label, who)),
            "People with more pictures weigh more in your mean. All people count equally.": lambda label, who: float(
                np.average(_by_person(label, who), weights=np.unique(who, return_counts=True)[1])
            ),
            "The sign is wrong: an entropy is never negative.": lambda label, who: -fmean(_by_person(label, who)),
            "One of the two terms is missing: pictures without the label count as well.": lambda label, who: fmean(
                [
                    -p * math.log(p) if (p := fmean([v == 1 for v in label[who == w]])) > 0 else 0
                    for w in set(who.tolist())
                ]
            ),
        },
    ),
    "c": choice(
        "b",
        "Right. Entropy acts through training, so it is the training data that matter, not the test data. Notebook 6 "
        "trains small networks to test such things.",
        a="More pictures would make KS steadier, but each person still enters a comparison with one picture.",
        c="Another metric gives other distances, still between single pictures: no metric can see the other pictures.",
    ),
}
