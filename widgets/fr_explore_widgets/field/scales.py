"""Alignment energies of a field at many scales, computed by the library and kept, so that a browser only looks up."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

import fr_explore as fr
from fr_explore.geometry.alignment import energies_at_scales
from fr_explore.geometry.neighbors import KINDS, as_neighborhood
from fr_explore.geometry.profile import scale_profile

from .planes import Cell, planes

__all__ = ["Profile", "Scales", "plain", "spelled"]

RANGED = ("knn", "ball")  # the kinds with many scales; every other kind has one, that of its example
# round numbers, closer where fewer neighbours make more of a difference
DEFAULT_KS = (*range(1, 11), 12, 14, 16, 20, 25, 30, 40, 50, 60, 80, 100, 120, 150, 200, 250, 300, 400, 500)
DEFAULT_RADII = np.round(np.arange(1, 31) * 0.05, 2)
KEPT = 64  # tables of point energies that are kept; the energies of whole cells are kept for all
NULL_EVERY = 2  # the null is drawn at every second scale: its spread changes smoothly in between

Key = tuple[int, int, str]  # places of identity and attribute, kind of neighbourhood


class Profile(NamedTuple):
    """Energy and coverage (scales,): the means over points that the library's table gives."""

    energy: np.ndarray
    coverage: np.ndarray


def spelled(kind: str, scale: float) -> str:
    """A neighbourhood as the library spells it: "knn:10", "ball:0.6", "all_pairs"."""
    return f"{kind}:{scale:g}" if kind in RANGED else KINDS[kind].example


def plain(value: Any) -> Any:
    """None in place of every NaN, in lists and dicts too: JSON has no NaN, and Jupyter would send the text "nan"."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


class Scales:
    """Point energies, profiles and nulls of a field, for every kind of neighbourhood on its grid of scales.

    Parameters
    ----------
    field : from `fr.vector_field`. ks, radii : the scales; None for about 30 of each.
    draws, seed : of the Gaussian null.
    """

    def __init__(self, field: xr.Dataset, ks: Any, radii: Any, draws: int, seed: int) -> None:
        if draws < 0 or draws == 1:
            raise ValueError(f"null_draws = {draws}: give 0 for none, or at least 2.")
        self.field, self.draws, self.seed = _check(field), draws, seed
        self.identities, self.attributes = (_labels(field, name) for name in ("identity", "attribute"))
        self.curves = field.sizes["curve"]
        most = self.curves - 1
        given = [k for k in (*DEFAULT_KS, min(most, DEFAULT_KS[-1])) if k <= most] if ks is None else ks
        self.grid = {
            "knn": _grid("ks", given, 1, most, whole=True),
            "ball": _grid("radii", DEFAULT_RADII if radii is None else radii, 0, np.inf),
        }
        self.grid |= {kind: [1.0] for kind in KINDS if kind not in RANGED}
        self.kinds = list(self.grid)
        self._points: OrderedDict[Key, np.ndarray] = OrderedDict()
        self._profiles: dict[Key, Profile] = {}
        # asked for again with every sheet and every picture
        self.planes = lru_cache(KEPT)(lambda identity, attribute: planes(self.cell(identity, attribute)))
        self.magnitude = lru_cache(None)(self._magnitude)
        self._busy = threading.RLock()

    def cell(self, identity: int, attribute: int) -> Cell:
        """The arrays of one identity and attribute."""
        part = self.field.isel(identity=identity, attribute=attribute).transpose("curve", "dim")
        points, directions = (np.asarray(part[name].values) for name in ("point", "direction"))
        known = np.asarray(np.isfinite(points).all(1) & np.isfinite(directions).all(1) & directions.any(1))
        curve = part["curve"].values if "curve" in part.coords else np.arange(len(points))
        return Cell(points, directions, np.asarray(part["magnitude"].values, np.float64), known, curve)

    def steps(self, identity: int, attribute: int, kind: str) -> Iterator[None]:
        """Compute the point energies of one cell at all scales, unless they are known; yields once."""
        key = identity, attribute, kind
        if key in self._points:
            return
        cell, grid = self.cell(identity, attribute), self.possible(identity, attribute, kind)
        table = np.full((len(self.grid[kind]), self.curves), np.nan)
        if grid:
            table[: len(grid)] = energies_at_scales(
                cell.points, cell.directions, spelled(kind, grid[0]), grid if kind in RANGED else None,
                metric=self.field.attrs.get("metric", "euclidean"), curve=cell.curve,
            )  # fmt: skip
        yield
        there = np.isfinite(table)
        with np.errstate(invalid="ignore"):
            energy = np.nansum(table, 1) / there.sum(1)
        with self._busy:
            self._points[key] = table.astype(np.float32)
            self._profiles[key] = Profile(energy, there.sum(1) / max(1, int(cell.known.sum())))
            while len(self._points) > KEPT:
                self._points.popitem(last=False)

    def possible(self, identity: int, attribute: int, kind: str) -> list[Any]:
        """The scales for which enough points have a direction: fewer may have one than there are curves."""
        known = int(self.cell(identity, attribute).known.sum())
        return [scale for scale in self.grid[kind] if kind != "knn" or scale < known]

    def points(self, identity: int, attribute: int, kind: str) -> np.ndarray:
        """Energies of the points, float32 (scales, curves), NaN without a direction or a neighbour."""
        with self._busy:
            for _ in self.steps(identity, attribute, kind):
                pass
            self._points.move_to_end((identity, attribute, kind))
            return self._points[identity, attribute, kind]

    def profile(self, identity: int, attribute: int, kind: str) -> Profile:
        """Energy and coverage at each scale."""
        if (identity, attribute, kind) not in self._profiles:
            self.points(identity, attribute, kind)
        return self._profiles[identity, attribute, kind]

    def known_profile(self, identity: int, attribute: int, kind: str) -> Profile | None:
        """The same, where it was computed already."""
        return self._profiles.get((identity, attribute, kind))

    def null_steps(self, identity: int, attribute: int, kind: str) -> Iterator[tuple[int, float, float] | None]:
        """(place of the scale, mean, standard deviation) of the energy of random fields, at every second scale."""
        profile, grid = self.profile(identity, attribute, kind), self.grid[kind]
        there = np.flatnonzero(np.isfinite(profile.energy)).tolist()
        chosen = sorted({*there[::NULL_EVERY], *there[-1:]})
        if chosen:
            part = self.field.isel(identity=[identity], attribute=[attribute])
            scales = [grid[place] for place in chosen]
            rule = as_neighborhood(spelled(kind, scales[0]))
            if kind in RANGED:
                table = scale_profile(part, rule, scales, self.draws, self.seed)
            else:
                table = fr.alignment(part, rule, self.draws, self.seed)
            yield from zip(chosen, table["null_mean"].tolist(), table["null_sd"].tolist(), strict=True)

    def _magnitude(self, identity: int, attribute: int) -> float:
        """The library's magnitude: the median |v| over the mean distance of two points; NaN without a neighbour."""
        cell = self.cell(identity, attribute)
        if cell.known.sum() < 2 or len(np.unique(cell.curve[cell.known])) < 2:
            return float("nan")
        part = self.field.isel(identity=[identity], attribute=[attribute])
        return float(fr.alignment(part, "all_pairs:0")["magnitude"].iloc[0])


def _labels(field: xr.Dataset, dim: str) -> list[Any]:
    """Labels that JSON can hold: numbers and texts as they are, others as text."""
    values = field[dim].values.tolist() if dim in field.coords else list(range(field.sizes[dim]))
    return [value if isinstance(value, (int, float, str)) else str(value) for value in values]


def _check(field: xr.Dataset) -> xr.Dataset:
    """`field`, if it can be explored; ValueError says what is missing and what to do."""
    absent = [name for name in ("point", "direction", "magnitude") if name not in getattr(field, "data_vars", {})]
    if absent:
        raise ValueError(f"the field lacks {', '.join(absent)}: make it with fr.vector_field(embeddings).")
    absent = [name for name in ("identity", "attribute", "curve", "dim") if name not in field["point"].dims]
    if absent:
        raise ValueError(
            f"the field's points have dimensions {tuple(map(str, field['point'].dims))} and lack {', '.join(absent)}: "
            "keep all four, for example with .isel(identity=[0]) in place of .isel(identity=0)."
        )
    if field.sizes["curve"] < 2:
        raise ValueError(
            f"the field has {field.sizes['curve']} curve: neighbours need at least two, and a picture of a field some "
            "fifty; sample a lattice with more, fr.sample_lattice(..., curves=100)."
        )
    if not bool(field["point"].notnull().all("dim").any()):
        raise ValueError("every point of the field holds NaN or infinity: find out why the model gave no numbers.")
    return field


def _grid(name: str, values: Sequence[float] | np.ndarray, low: float, high: float, whole: bool = False) -> list[Any]:
    """`values` ascending, each once; ValueError for one out of bounds."""
    grid = np.unique(np.asarray(values, np.float64))
    if not grid.size or not (grid >= low).all() or not (grid <= high).all() or (whole and (grid % 1).any()):
        kind = f"whole numbers from {low:g} to {high:g} (one less than the curves)" if whole else "numbers from 0 up"
        raise ValueError(f"{name} = {values!r}: give {kind}.")
    return [int(value) if whole else float(value) for value in grid]
