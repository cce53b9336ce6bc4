"""One curve of a field looked at: who its neighbours are at each scale, and its three faces."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from .planes import Cell
from .scales import Scales

__all__ = ["Near", "Pictures", "near"]

_AT_ONCE = 4_000_000  # numbers in a block of distances


class Near(NamedTuple):
    """`order`: the other curves, nearest first; `counts`: how many of them are neighbours at each scale of a kind."""

    order: np.ndarray
    counts: dict[str, list[int]]


def near(scales: Scales, identity: int, attribute: int, curve: int) -> Near:
    """The neighbours of one curve among those with a direction, in the field's metric; ties to the lower index."""
    cell = scales.cell(identity, attribute)
    if not cell.known[curve]:
        return Near(np.zeros(0, np.int32), {kind: [0] * len(grid) for kind, grid in scales.grid.items()})
    cosine = scales.field.attrs.get("metric") == "cosine"
    points = _prepared(cell, cosine)
    others = np.flatnonzero(cell.known & (cell.curve != cell.curve[curve]))
    distance = _distance(points[curve], points[others], cosine)
    place = np.argsort(distance, kind="stable")
    order, distance = others[place], distance[place]
    mean = _mean_distance(points[cell.known], cosine)
    within = np.searchsorted(distance, np.asarray(scales.grid["ball"]) * mean * (1 + 1e-12), side="right")
    nearest = [min(k, len(order)) for k in scales.grid["knn"]]
    return Near(order.astype(np.int32), {"knn": nearest, "ball": within.tolist()})


def _prepared(cell: Cell, cosine: bool) -> np.ndarray:
    points = cell.points.astype(np.float64)
    return points / np.linalg.norm(points, axis=1, keepdims=True) if cosine else points


def _distance(a: np.ndarray, b: np.ndarray, cosine: bool) -> np.ndarray:
    """Euclidean, or 1 - cos of unit vectors, as half of a squared distance."""
    q = ((a - b) ** 2).sum(-1)
    return q / 2 if cosine else np.sqrt(q)


def _mean_distance(points: np.ndarray, cosine: bool) -> float:
    """Over all pairs of different points."""
    n = len(points)
    if n < 2:
        return 0.0
    centred = points - points.mean(0)
    lengths = (centred**2).sum(1)
    if cosine:
        return float(lengths.sum() / (n - 1))
    total, rows = 0.0, max(1, _AT_ONCE // n)
    for start in range(0, n, rows):
        part = slice(start, start + rows)
        q = lengths[part, None] + lengths - 2 * centred[part] @ centred.T
        total += float(np.sqrt(q.clip(0)).sum())
    return total / (n * (n - 1))


class Pictures:
    """The faces one step below, at, and one step above the base point of a curve, from the lattice of the field.

    Raises ValueError where the lattice is not the one that the field was made from.
    """

    def __init__(self, lattice: Any, field: xr.Dataset, scales: Scales, size: int) -> None:
        self.lattice, self.size = lattice, size
        curves = lattice.shape[2]
        if scales.curves != curves and "curve" not in field.coords:
            raise ValueError(
                f"the lattice has {curves} curves, the field {scales.curves}: give the lattice that the field was "
                "made from."
            )
        labels = field["curve"].values.tolist() if "curve" in field.coords else range(scales.curves)
        self._curves = [int(label) if isinstance(label, (int, np.integer)) else -1 for label in labels]
        if not all(0 <= curve < curves for curve in self._curves):
            raise ValueError(f"the field's curves are not numbers from 0 to {curves - 1}, as the lattice's: give none.")
        own = [*lattice.identities], [*lattice.attributes]
        self._places = []
        for dim, wanted, there in zip(
            ("identity", "attribute"), (scales.identities, scales.attributes), own, strict=True
        ):
            names = [str(name) for name in there]
            absent = [str(name) for name in wanted if str(name) not in names]
            if absent:
                raise ValueError(f"the lattice lacks the field's {dim} {', '.join(absent)}: it has {', '.join(names)}.")
            self._places.append([names.index(str(name)) for name in wanted])
        absent = sorted({-1, 0, 1} - set(lattice.steps))
        if absent:
            raise ValueError(f"the lattice has the steps {lattice.steps}: three faces need -1, 0 and 1.")
        self._steps = [lattice.steps.index(step) for step in (-1, 0, 1)]

    def strengths(self, identity: int, attribute: int, curve: int) -> list[float]:
        """Of the attribute, at the three faces."""
        who, what, name = self._places[0][identity], self._places[1][attribute], self.lattice.attributes
        at = [self.lattice.strengths(who, what, self._curves[curve], step) for step in self._steps]
        return [float(one[name[what]]) for one in at]

    def faces(self, identity: int, attribute: int, curve: int) -> np.ndarray:
        """uint8 (3 * size, size, 3): the three faces beneath each other."""
        who, what = self._places[0][identity], self._places[1][attribute]
        recipes = [self.lattice.strengths(who, what, self._curves[curve], step) for step in self._steps]
        names = [self.lattice.identities[who]] * len(recipes)
        faces = self.lattice.faces.render_batch(names, recipes, size=self.size)
        pixels = [(np.clip(face.pixels, 0, 1) * 255 + 0.5).astype(np.uint8) for face in faces]
        return np.concatenate([_square(one, self.size) for one in pixels])


def _square(pixels: np.ndarray, size: int) -> np.ndarray:
    """Pictures of any shape at one size, so that three of them fit beneath each other."""
    if pixels.shape[:2] == (size, size):
        return pixels
    from PIL import Image

    return np.asarray(Image.fromarray(pixels).resize((size, size), Image.Resampling.BOX))
