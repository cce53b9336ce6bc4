"""Checks of notebook 3: the KS statistic, the intra-entropy, and where their correlation comes from."""

from __future__ import annotations

import math

import numpy as np

from .checking import Check, Mistake

__all__ = ["CHECKS"]


def _samples():
    rng = np.random.default_rng(5)
    yield np.round(rng.normal(0.4, 0.1, 40), 2), np.round(rng.normal(0.5, 0.1, 60), 2)
    yield rng.normal(0.6, 0.05, 25), rng.normal(0.5, 0.1, 30)  # the gap is negative
    yield rng.normal(0.5, 0.02, 30), np.concatenate([rng.normal(0.5, 0.2, 20)])
    yield np.array([0.1, 0.2, 0.3]), np.array([0.15, 0.9])  # the largest gap lies at an element of the first only
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


def _mean(values):
    return sum(values) / len(values)


CHECKS = {
    "a": Check(
        cases=_samples,
        truth=lambda a, b: float(np.abs(_gaps(a, b)).max()),
        praise="Right. The gap is looked for at every distance of both samples, on either side.",
        otherwise="Try [1, 2, 3] against [2.5, 3.5]: the largest gap must be 2/3, between 2 and 2.5.",
        mistakes=(
            Mistake(
                lambda a, b: float(_gaps(a, b).max()),
                "You keep the sign, so a gap on the other side is lost: take its absolute value.",
            ),
            Mistake(
                lambda a, b: float(np.abs(_gaps(a, b, a)).max()),
                "You look at the distances of the first sample only; the widest gap may open at one of the second.",
            ),
            Mistake(
                lambda a, b: float(np.abs(_gaps(a, b, b)).max()),
                "You look at the distances of the second sample only; the widest gap may open at one of the first.",
            ),
            Mistake(
                lambda a, b: abs(_mean(a) - _mean(b)), "That is the difference of the means, which misses the shape."
            ),
            Mistake(
                lambda a, b: abs(float(np.median(a) - np.median(b))),
                "That is the difference of the medians: a distance, where a share is asked for.",
            ),
            Mistake(
                lambda a, b: float(np.abs(_gaps(a, b)).mean()), "That is the mean gap. The statistic is the largest."
            ),
            Mistake(
                lambda a, b: 1 - float(np.abs(_gaps(a, b)).max()), "That is what is left when the gap is taken from 1."
            ),
        ),
    ),
    "b": Check(
        cases=_labels,
        truth=lambda label, who: _mean(_by_person(label, who)),
        praise="Right. 0 for what a person always is, ln 2 for what changes like a coin.",
        otherwise="A person with the labels +1, -1 has the entropy ln 2, one with +1, +1 has 0; their mean is 0.347.",
        mistakes=(
            Mistake(
                lambda label, who: _mean(_by_person(label, who, math.log2)),
                "That is in bits: the logarithm to base 2. Nats use the natural one.",
            ),
            Mistake(
                lambda label, who: _entropy(_mean([v == 1 for v in label])),
                "That is the entropy of all pictures together: it mixes what differs between people with what "
                "changes within one.",
            ),
            Mistake(lambda label, who: sum(_by_person(label, who)), "That is the sum over people, not the mean."),
            Mistake(
                lambda label, who: float(
                    np.average(_by_person(label, who), weights=np.unique(who, return_counts=True)[1])
                ),
                "People with many pictures weigh more in your mean. All people count alike.",
            ),
            Mistake(
                lambda label, who: -_mean(_by_person(label, who)), "The sign is the other way: no entropy is below 0."
            ),
            Mistake(
                lambda label, who: _mean(
                    [
                        -p * math.log(p) if (p := _mean([v == 1 for v in label[who == w]])) > 0 else 0
                        for w in set(who.tolist())
                    ]
                ),
                "One of the two terms is missing: the pictures without the label count as well.",
            ),
        ),
    ),
    "c": Check(
        cases=lambda: [()],
        truth=lambda: "b",
        praise="Right. The entropy acts through training, so it is the data of the training that matters, not those of "
        "the test. Notebook 6 trains small networks where this can be tried.",
        otherwise='Answer with one of the letters "a", "b", "c".',
        mistakes=(
            Mistake(
                lambda: "a",
                "More pictures would make KS steadier. But each person still enters a comparison with one of them.",
            ),
            Mistake(
                lambda: "c",
                "Another metric gives other distances, still between single pictures: no metric can see what a person "
                "wears in her other pictures.",
            ),
        ),
    ),
}
