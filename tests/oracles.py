"""Slow, plain versions of the library's formulas: loops over pairs in float64, written from the definitions."""

import math

import numpy as np


def distance(x, y, metric):
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if metric == "euclidean":
        return math.sqrt(math.fsum((x - y) ** 2))
    x, y = x / math.sqrt(math.fsum(x * x)), y / math.sqrt(math.fsum(y * y))
    chord2 = math.fsum((x - y) ** 2)
    # the same direction, but for rounding
    chord2 = 0.0 if chord2 < 1e-28 else chord2
    return chord2 / 2 if metric == "cosine" else math.sqrt(chord2)


def cosine(v, w):
    v, w = np.asarray(v, dtype=np.float64), np.asarray(w, dtype=np.float64)
    return math.fsum(v * w) / math.sqrt(math.fsum(v * v) * math.fsum(w * w))


def mean_distance(points, metric):
    n = len(points)
    if n < 2:
        return 0.0
    return math.fsum(distance(points[i], points[j], metric) for i in range(n) for j in range(i)) / (n * (n - 1) / 2)


def weights(points, rule, metric, curve=None):
    """w[i][j] of a rule: ("knn", k), ("ball", radius) in mean distances, or ("all_pairs", power)."""
    n = len(points)
    name, number = rule
    d = [[distance(points[i], points[j], metric) for j in range(n)] for i in range(n)]
    allowed = [[i != j and (curve is None or curve[i] != curve[j]) for j in range(n)] for i in range(n)]
    w = [[0.0] * n for _ in range(n)]
    radius = number * mean_distance(points, metric) if name == "ball" else None
    for i in range(n):
        others = [j for j in range(n) if allowed[i][j]]
        if name == "knn":
            for j in sorted(others, key=lambda j: (round_to_12_digits(d[i][j]), j))[:number]:
                w[i][j] = 1.0
        for j in others:
            if name == "ball":
                w[i][j] = float(d[i][j] <= radius * (1 + 1e-12))
            if name == "all_pairs":
                w[i][j] = 1.0 if number == 0 else (0.0 if d[i][j] == 0 else d[i][j] ** -number)
    return w


def round_to_12_digits(value):
    return 0.0 if value == 0 else round(value, 11 - math.floor(math.log10(value)))


def point_energies(points, directions, rule, metric="euclidean", curve=None):
    """E_i by a double loop; None where i has no direction or no neighbour that has one."""
    usable = [i for i, v in enumerate(directions) if np.isfinite(v).all() and np.any(v)]
    inside = weights([points[i] for i in usable], rule, metric, None if curve is None else [curve[i] for i in usable])
    energies = [None] * len(points)
    for a, i in enumerate(usable):
        total = math.fsum(inside[a])
        if total > 0:
            gaps = (inside[a][b] * (1 - cosine(directions[i], directions[j])) for b, j in enumerate(usable))
            energies[i] = math.fsum(gaps) / total
    return energies


def energy(points, directions, rule, metric="euclidean", curve=None):
    """Mean of the point energies that are there; None where none is."""
    there = [e for e in point_energies(points, directions, rule, metric, curve) if e is not None]
    return math.fsum(there) / len(there) if there else None
