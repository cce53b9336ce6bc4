"""Checks of notebook 5: the energy by hand, its closed form, and how to read it beside the magnitude."""

from __future__ import annotations

import math

import numpy as np

from .checking import Check, Mistake

__all__ = ["CHECKS"]


def _units(seed, n, dim, drift=0.7):
    v = np.random.default_rng(seed).standard_normal((n, dim)) + drift
    return v / np.linalg.norm(v, axis=1, keepdims=True)


def _graphs():
    rng = np.random.default_rng(9)
    for seed, n, dim in ((1, 8, 3), (2, 15, 16)):
        sizes = rng.integers(1, 5, n)  # a different number of neighbours each
        near = [rng.choice(np.delete(np.arange(n), i), k, replace=False) for i, k in enumerate(sizes)]
        yield _units(seed, n, dim), near


def _cases():
    for seed, n, dim in ((3, 3, 2), (4, 12, 8), (5, 30, 128)):
        yield (_units(seed, n, dim),)


def _cos(a, b):
    return max(-1.0, min(1.0, math.fsum(a * b)))


def _energy(u, near, gap=lambda c: 1 - c, with_self=False, pooled=False):
    """One pair at a time."""
    each = [[gap(_cos(u[i], u[j])) for j in [*js, *([i] if with_self else [])]] for i, js in enumerate(near)]
    if pooled:
        each = [[value for values in each for value in values]]
    return math.fsum(math.fsum(values) / len(values) for values in each) / len(each)


def _others(u):
    return [[j for j in range(len(u)) if j != i] for i in range(len(u))]


def _m(u):
    return math.dist(u.mean(0), 0 * u[0])


CHECKS = {
    "a": Check(
        cases=_graphs,
        truth=_energy,
        praise="Right. First the mean over each arrow's neighbours, then over arrows: each arrow has one vote.",
        otherwise="Three arrows, [1, 0], [1, 0], [-1, 0], each with the other two as neighbours: E must be 4/3.",
        mistakes=(
            Mistake(
                lambda u, near: _energy(u, near, with_self=True),
                "Each arrow is among its own neighbours: that adds a zero to each mean, and the energy is too small.",
            ),
            Mistake(
                lambda u, near: _energy(u, near, lambda c: c),
                "That is the mean cosine: 1 for parallel arrows, where the energy must be 0.",
            ),
            Mistake(
                lambda u, near: _energy(u, near, pooled=True),
                "You average over all pairs at once, so arrows with many neighbours weigh more. Each has one vote.",
            ),
            Mistake(
                lambda u, near: _energy(u, near, math.acos),
                "Those are angles in radians. The energy takes one minus the cosine.",
            ),
            Mistake(
                lambda u, near: sum(sum(1 - _cos(u[i], u[j]) for j in js) for i, js in enumerate(near)),
                "That is the sum over pairs: two means are missing.",
            ),
            Mistake(
                lambda u, near: _energy(u, near, lambda c: math.sqrt(2 - 2 * c)),
                "That is the distance between the tips of the arrows, not one minus the cosine.",
            ),
            Mistake(
                lambda u, near: _energy(u - u.mean(0), near),
                "You take the mean arrow away first. It is just what the energy is to see.",
            ),
            Mistake(
                lambda u, near: _energy(u, near, lambda c: 1 - abs(c)), "Opposite arrows count as parallel in yours."
            ),
        ),
    ),
    "b": Check(
        cases=_cases,
        truth=lambda u: _energy(u, _others(u)),
        praise="Right. A large m is a magnet. And no pair had to be formed: so a million faces become feasible.",
        otherwise="|m|² is a mean of inner products over all n² ordered pairs. Which must go, and what are they?",
        mistakes=(
            Mistake(
                lambda u: 1 - _m(u) ** 2,
                "Nearly: that counts the n pairs of an arrow with itself, each with a zero. Leave them out.",
            ),
            Mistake(lambda u: 1 - _m(u), "The length of m enters squared: expand the inner product of m with itself."),
            Mistake(
                lambda u: len(u) / (len(u) - 1) * (1 - _m(u)),
                "The length of m enters squared: expand the inner product of m with itself.",
            ),
            Mistake(
                lambda u: (len(u) - 1) / len(u) * (1 - _m(u) ** 2),
                "The correction goes the other way: without the zeros of self-pairs the mean is larger.",
            ),
            Mistake(lambda u: _m(u) ** 2, "That is the order, not the disorder: 1 where all arrows agree."),
            Mistake(_m, "That is the magnetisation: 1 where all arrows agree, where E must be 0."),
        ),
    ),
    "c": Check(
        cases=lambda: [()],
        truth=lambda: "b",
        praise="Right. Far, and each in its own way. That is the uncomfortable corner of the table below.",
        otherwise='Answer with one of the letters "a", "b", "c".',
        mistakes=(
            Mistake(
                lambda: "a", "The energy sees directions only. What does the magnitude say about how far faces move?"
            ),
            Mistake(
                lambda: "c",
                "Three standard deviations show that it is not chance. How large is the common part, though, if 1 is "
                "none at all?",
            ),
        ),
    ),
}
