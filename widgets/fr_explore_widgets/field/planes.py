"""Projection planes of a field: positions of points and directions, and how much of both each plane shows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

import fr_explore as fr

__all__ = ["PLANES", "Cell", "Plane", "planes"]

PLANES = ("points", "directions", "mean")


class Cell(NamedTuple):
    """One identity and attribute: points, directions (curves, dim), magnitude (curves,); `known`: has a direction."""

    points: np.ndarray
    directions: np.ndarray
    magnitude: np.ndarray
    known: np.ndarray
    curve: np.ndarray


class Plane(NamedTuple):
    """`xy` (curves, 2); `arrows` (curves, 2): projections of unit directions; and what the plane shows, in [0, 1].

    `variance` is the share of the points' variance, `seen` the mean share of a direction's squared length.
    """

    xy: np.ndarray
    arrows: np.ndarray
    variance: float
    seen: float


def planes(cell: Cell) -> dict[str, Plane]:
    """The three planes of one identity and attribute.

    points : the two principal axes of the base points.
    directions : the two principal axes of the directions about zero, that is of the directions and their opposites
        together: a direction is a vector, so no mean is subtracted.
    mean : the mean direction, and orthogonal to it the first principal axis of the points.

    Arrows are projected without subtracting a mean. A point with NaN remains NaN.
    """
    points = cell.points.astype(np.float64)
    whole = np.isfinite(points).all(1)
    base = fr.pca(points[whole])
    units = cell.directions.astype(np.float64)[cell.known]
    axes = {"points": base.axes}
    if len(units):
        axes["directions"] = fr.pca(np.concatenate([units, -units])).axes
        axes["mean"] = _along(units.mean(0), axes["directions"][0], base.axes)
    return {name: _plane(axes.get(name, base.axes), points - base.mean, units, cell.known) for name in PLANES}


def _along(mean: np.ndarray, fallback: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Two orthonormal rows: the mean direction, and the first axis of the points that is not parallel to it."""
    length = np.linalg.norm(mean)
    first = mean / length if length > 1e-9 else fallback
    for axis in axes:
        second = axis - (axis @ first) * first
        if (size := np.linalg.norm(second)) > 1e-6:
            return np.stack([first, second / size])
    return axes


def _plane(axes: np.ndarray, centred: np.ndarray, units: np.ndarray, known: np.ndarray) -> Plane:
    xy, arrows = centred @ axes.T, np.full((len(centred), 2), np.nan)
    arrows[known] = units @ axes.T
    total = float(np.nansum(centred**2))
    variance = float(np.nansum(xy**2)) / total if total > 0 else 0.0
    seen = float((arrows[known] ** 2).sum(1).mean()) if len(units) else float("nan")
    return Plane(xy, arrows, variance, seen)
