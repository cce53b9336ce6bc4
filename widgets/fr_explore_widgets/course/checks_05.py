"""Checks for notebook 5: the energy by hand, its closed form, and how to read it with the magnitude."""

from __future__ import annotations

import math

import numpy as np

from .checking import Check, choice

__all__ = ["CHECKS"]


def _units(seed, n, dim, drift=0.7):
    v = np.random.default_rng(seed).standard_normal((n, dim)) + drift
    return v / np.linalg.norm(v, axis=1, keepdims=True)


def _graphs():
    rng = np.random.default_rng(9)
    for seed, n, dim in ((1, 8, 3), (2, 15, 16)):
        sizes = rng.integers(1, 5, n)  # numbers of neighbours differ
        near = [rng.choice(np.delete(np.arange(n), i), k, replace=False) for i, k in enumerate(sizes)]
        yield _units(seed, n, dim), near


def _cases():
    for seed, n, dim in ((3, 3, 2), (4, 12, 8), (5, 30, 128)):
        yield (_units(seed, n, dim),)


def _cos(a, b):
    return max(-1.0, min(1.0, math.fsum(a * b)))


def _energy(u, near, gap=lambda c: 1 - c, with_self=False, pooled=False):
    """The energy from one pair at a time; `gap` replaces 1 - cosine, `pooled` averages over all pairs at once."""
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
        praise="Right. First take the mean over each arrow's neighbours, then over arrows: each arrow has one vote.",
        otherwise="For the arrows [1, 0], [1, 0] and [-1, 0], each with the other two as neighbours, E must be 4/3.",
        mistakes={
            "Each arrow is among its own neighbours, which adds a zero to each mean.": lambda u, near: _energy(
                u, near, with_self=True
            ),
            "That is the mean cosine: 1 for parallel arrows, for which the energy must be 0.": lambda u, near: _energy(
                u, near, lambda c: c
            ),
            "You average over all pairs at once. Average over each arrow's neighbours first.": lambda u, near: _energy(
                u, near, pooled=True
            ),
            "Those are angles in radians. The energy uses one minus the cosine.": lambda u, near: _energy(
                u, near, math.acos
            ),
            "That is the sum over pairs. Two means are missing.": lambda u, near: sum(
                sum(1 - _cos(u[i], u[j]) for j in js) for i, js in enumerate(near)
            ),
            "That is the distance between the tips of the arrows, not one minus the cosine.": lambda u, near: _energy(
                u, near, lambda c: math.sqrt(2 - 2 * c)
            ),
            "You subtract the mean arrow, which is exactly what the energy measures.": lambda u, near: _energy(
                u - u.mean(0), near
            ),
            "You count opposite arrows as parallel.": lambda u, near: _energy(u, near, lambda c: 1 - abs(c)),
        },
    ),
    "b": Check(
        cases=_cases,
        truth=lambda u: _energy(u, _others(u)),
        praise="Right. A large |m| means order, as in a magnet. Without pairs, even a million faces are feasible.",
        otherwise="|m|² is a mean of inner products over all n² ordered pairs. Which must go, and what do they add?",
        mistakes={
            "Nearly. You count the n pairs of an arrow with itself, each a zero.": lambda u: 1 - _m(u) ** 2,
            "|m| must be squared: expand the inner product of m with itself.": lambda u: 1 - _m(u),
            "|m| must be squared, as the inner product of m with itself.": lambda u: (
                len(u) / (len(u) - 1) * (1 - _m(u))
            ),
            "The correction goes the other way: without self-pairs the mean is larger.": lambda u: (
                (len(u) - 1) / len(u) * (1 - _m(u) ** 2)
            ),
            "That is the order, not the disorder: it is 1 if all arrows agree.": lambda u: _m(u) ** 2,
            "That is the magnetisation: it is 1 if all arrows agree, for which E must be 0.": _m,
        },
    ),
    "c": choice(
        "b",
        "Right. Far, but each in a different direction: the uncomfortable corner of the table below.",
        a="The energy sees only directions. What does the magnitude say about how far faces move?",
        c="Three standard deviations rule out chance. But how large is the common part, if 1 means none at all?",
    ),
}
