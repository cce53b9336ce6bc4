"""One curve of a field: its neighbours at each scale, and its three faces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from fr_explore.base.distance import distance
from fr_explore.geometry.tiles import Cloud

from ..core.faces import thumbnail
from .scales import Scales

__all__ = ["Neighbors", "Pictures", "neighbors_of"]


class Neighbors(NamedTuple):
    """`order`: the other curves, nearest first; `counts`: number of neighbours at each scale of each kind.

    The count is None for a kind whose neighbours are not the nearest curves: the page then shows none of them.
    """

    order: np.ndarray
    counts: Mapping[str, list[int] | list[None]]


def neighbors_of(scales: Scales, identity: int, attribute: int, curve: int) -> Neighbors:
    """The neighbours of a curve among those with a direction, in the field's metric; ties go to the lower index."""
    cell = scales.cell(identity, attribute)
    if not cell.known[curve]:
        return Neighbors(np.zeros(0, np.int32), {kind: [0] * len(grid) for kind, grid in scales.grid.items()})
    metric = scales.field.attrs.get("metric", "euclidean")
    points = cell.points.astype(np.float64)
    others = np.flatnonzero(cell.known & (cell.curve != cell.curve[curve]))
    away = distance(points[others], points[curve], metric)
    nearest_first = np.argsort(away, kind="stable")
    radii = np.asarray(scales.grid["ball"]) * Cloud(points[cell.known], metric).mean_distance()
    within = np.searchsorted(away[nearest_first], radii * (1 + 1e-12), side="right")
    nearest = [min(k, len(others)) for k in scales.grid["knn"]]
    counts = {kind: [None] for kind in scales.kinds}
    known = {"knn": nearest, "ball": within.tolist(), "all_pairs": [len(others)]}
    return Neighbors(others[nearest_first].astype(np.int32), {**counts, **known})


class Pictures:
    """The faces one step below, at, and one step above the base point of a curve, from the field's lattice.

    `redrawn` says that the lattice's faces are not those that were embedded, such as those of an earlier renderer.

    Raises ValueError if the field was not made from this lattice.
    """

    def __init__(self, lattice: Any, field: xr.Dataset, scales: Scales, size: int) -> None:
        self.lattice, self.size = lattice, size
        self.redrawn = field.attrs.get("faces", lattice.faces.fingerprint) != lattice.faces.fingerprint
        curves = lattice.shape[2]
        if scales.curves != curves and "curve" not in field.coords:
            raise ValueError(
                f"the lattice has {curves} curves, the field {scales.curves}: give the lattice of this field."
            )
        labels = field["curve"].values.tolist() if "curve" in field.coords else range(scales.curves)
        self._curves = [int(label) if isinstance(label, (int, np.integer)) else -1 for label in labels]
        if not all(0 <= curve < curves for curve in self._curves):
            raise ValueError(
                f"the field's curves are not numbers from 0 to {curves - 1} as in the lattice: leave them out."
            )
        own = [*lattice.identities], [*lattice.attributes]
        self._places = []
        parts = {"identity": scales.identities, "attribute": scales.attributes}
        for (dim, wanted), available in zip(parts.items(), own, strict=True):
            names = [str(name) for name in available]
            absent = [str(name) for name in wanted if str(name) not in names]
            if absent:
                raise ValueError(f"the lattice lacks the field's {dim} {', '.join(absent)}: it has {', '.join(names)}.")
            self._places.append([names.index(str(name)) for name in wanted])
        absent = sorted({-1, 0, 1} - set(lattice.steps))
        if absent:
            raise ValueError(f"the lattice has the steps {lattice.steps}: three faces need -1, 0 and 1.")
        self._steps = [lattice.steps.index(step) for step in (-1, 0, 1)]

    def strengths(self, identity: int, attribute: int, curve: int) -> list[float]:
        """The attribute's strength in the three faces."""
        name = self.lattice.attributes[self._places[1][attribute]]
        return [float(one[name]) for one in self._recipes(identity, attribute, curve)]

    def faces(self, identity: int, attribute: int, curve: int) -> np.ndarray:
        """uint8 (3 * size, size, 3): the three faces in one column, each resized to a square."""
        recipes = self._recipes(identity, attribute, curve)
        names = [self.lattice.identities[self._places[0][identity]]] * len(recipes)
        faces = self.lattice.faces.render_batch(names, recipes, size=self.size)
        return np.concatenate([thumbnail(face.pixels, self.size) for face in faces])

    def for_page(self) -> dict[str, Any]:
        """The lattice as field/live.js reads it: base points by identity, and one step of each attribute."""
        lattice, (people, attributes) = self.lattice, self._places
        names = [lattice.attributes[place] for place in attributes]
        return {
            "names": lattice.base.attribute.values.tolist(), "base": lattice.base.values[people].tolist(),
            "steps": [{"name": name, "step": lattice.step_sizes[name]} for name in names],
            "curves": self._curves, "size": self.size,
        }  # fmt: skip

    @property
    def people(self) -> list[Any]:
        """The field's identities, as the lattice names them."""
        return [self.lattice.identities[place] for place in self._places[0]]

    def _recipes(self, identity: int, attribute: int, curve: int) -> list[dict[str, float]]:
        who, what = self._places[0][identity], self._places[1][attribute]
        return [self.lattice.strengths(who, what, self._curves[curve], step) for step in self._steps]
