"""Fields as spins on sites: groups of attributes that share their points, random fields on them, tidy tables."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from ..base.cores import host
from ..base.shapes import Bool, Float, Shaped
from .tiles import SAMPLED, Cloud, sweep

__all__ = [
    "DIMS",
    "Group",
    "check_null",
    "energy_table",
    "groups",
    "labels",
    "mean_energy",
    "mean_euclidean",
    "null_columns",
    "null_fields",
    "tidy",
    "unit_vectors",
]

DIMS = ("identity", "attribute", "curve", "dim")
DRAWN_AT_ONCE = 32_000_000  # numbers in the random fields held at one time


class Group(NamedTuple):
    """Attributes of one identity that have the same points.

    `identity` and `attributes` are positions. `known` (curves,) says which points have a direction: `cloud` holds
    these m points, `directions` their unit vectors (m, dim), one array per attribute, and `others` the finite points
    without a direction. `streams` are the numbers of the identity and of the attributes that seed random draws.
    """

    identity: int
    attributes: list[int]
    known: np.ndarray
    cloud: Cloud
    directions: list[np.ndarray]
    others: np.ndarray
    streams: tuple[int, list[int]]


def groups(field: xr.Dataset, metric: str, device: Any = None) -> Iterator[Group]:
    """The groups of a field, identity by identity; distances are computed once for each."""
    missing = [name for name in ("point", "direction") if name not in field]
    if missing:
        raise ValueError(f"the field lacks {', '.join(missing)}: make it with vector_field(embeddings).")
    curve = labels(field, "curve")
    # a part of a larger field knows its places in it, and gets the random draws that the whole would get
    places = [field.get(f"{dim}_place", np.arange(field.sizes[dim])) for dim in DIMS[:2]]
    numbers = [np.asarray(place).tolist() for place in places]
    for identity in range(field.sizes["identity"]):
        part = field[["point", "direction"]].isel(identity=identity).transpose(*DIMS[1:])
        points, (units, known) = part["point"].values, unit_vectors(part["direction"].values)
        finite = np.asarray(np.isfinite(points).all(-1))
        known &= finite
        left = list(range(field.sizes["attribute"]))
        while left:
            first = left[0]
            same = [a for a in left if a == first or _alike(points, known, first, a)]
            left = [a for a in left if a not in same]
            use = known[first]
            cloud = Cloud(points[first][use], metric, curve[use], device)
            streams = (numbers[0][identity], [numbers[1][a] for a in same])
            others = points[first][finite[first] & ~use]
            yield Group(identity, same, use, cloud, [units[a][use] for a in same], others, streams)


def mean_euclidean(group: Group, exact: bool, progress: bool = False) -> float:
    """Mean Euclidean distance of all pairs of finite points, with or without direction; 0 for fewer than two.

    The pairs of points with a direction come from a pass that the energy has made. Unless `exact`, the mean over many
    points is that of a sample of pairs.
    """
    cloud, few = group.cloud, len(group.others)
    n = cloud.n + few
    if n < 2:
        return 0.0
    if not exact and n > SAMPLED:
        return Cloud(np.concatenate([host(cloud.raw), group.others]), device=cloud.device or "cpu").sampled_mean()
    total = cloud.euclidean_total(progress)
    if few:
        whole = Cloud(np.concatenate([group.others, host(cloud.raw)]), device=cloud.device or "cpu")
        total += sweep(whole, lambda q, rows, cols: None, progress, first=few)["euclidean"]
    return total / (n * (n - 1))


def _alike(points: np.ndarray, known: np.ndarray, a: int, b: int) -> bool:
    return np.array_equal(known[a], known[b]) and np.array_equal(points[a], points[b], equal_nan=True)


def unit_vectors(
    vectors: Shaped[np.ndarray, "*points dim"],
) -> tuple[Float[np.ndarray, "*points dim"], Bool[np.ndarray, "*points"]]:
    """Vectors at length 1, and which of them have a direction; 0 in place of those that are zero, NaN or infinite."""
    vectors = vectors.astype(np.float32) if vectors.dtype.itemsize < 4 else vectors
    with np.errstate(invalid="ignore"):
        largest = np.abs(vectors).max(-1, initial=0, keepdims=True)
    known = np.isfinite(largest) & (largest > 0)
    # divide by the largest component first: squares then neither overflow nor vanish
    scaled = np.where(known, vectors, 0) / np.where(known, largest, 1)
    length = np.sqrt(np.einsum("...d,...d->...", scaled, scaled))[..., None]
    scaled /= np.where(known, length, 1)
    return scaled, known[..., 0]


def labels(field: xr.Dataset, dim: str) -> np.ndarray:
    """The coordinate of a dimension, or 0, 1, ... where it has none."""
    return field[dim].values if dim in field.coords else np.arange(field.sizes[dim])


def _magnitudes(field: xr.Dataset, spread: np.ndarray) -> np.ndarray:
    """Median |v| over the curves in units of the spread of the identity's points: (identity, attribute)."""
    if "magnitude" not in field:
        return np.full(spread.shape, np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a row without any number stays NaN
        median = np.nanmedian(field["magnitude"].transpose(*DIMS[:3]).values.astype(np.float64), axis=2)
    return median / np.where(spread > 0, spread, np.nan)


def check_null(null: str, draws: int) -> None:
    """ValueError for an unknown null model, or for a single draw, which has no spread."""
    if null not in ("gaussian", "permutation"):
        raise ValueError(f"null {null!r} is unknown: choose 'gaussian' or 'permutation'.")
    if draws < 0 or draws == 1:
        raise ValueError(f"null_draws = {draws}: give 0 for none, or at least 2.")


def null_fields(group: Group, null: str, draws: int, seed: int) -> Iterator[tuple[list[int], list[np.ndarray], slice]]:
    """Random fields on a group's points, a few at a time: the attributes they serve, the fields, the draws.

    Gaussian fields are independent and isotropic and serve all attributes; permutations are of each attribute's own
    field.
    """
    n, dim = group.directions[0].shape
    step = max(1, DRAWN_AT_ONCE // max(n * dim, 1))
    identity, streams = group.streams
    each = [(group.attributes, 0, None)]
    if null == "permutation":
        each = [([a], s, u) for a, s, u in zip(group.attributes, streams, group.directions, strict=True)]
    for attributes, stream, own in each:
        rng = np.random.default_rng([seed, identity, stream])
        for start in range(0, draws, step):
            where = slice(start, min(start + step, draws))
            if own is None:
                fields = [unit_vectors(rng.standard_normal((n, dim), np.float32))[0] for _ in range(draws)[where]]
            else:
                fields = [rng.permutation(own) for _ in range(draws)[where]]
            yield attributes, fields, where


def null_columns(energy: np.ndarray, draws: np.ndarray) -> dict[str, np.ndarray]:
    """Mean and standard deviation of the draws (..., draws), and z, the energy's distance from the mean in sd."""
    if draws.shape[-1] == 0:
        return {name: np.full(energy.shape, np.nan) for name in ("null_mean", "null_sd", "z")}
    mean, sd = draws.mean(-1), draws.std(-1, ddof=1)
    return {"null_mean": mean, "null_sd": sd, "z": (energy - mean) / np.where(sd > 0, sd, np.nan)}


def tidy(field: xr.Dataset, columns: dict[str, np.ndarray], used: dict, more: dict | None = None) -> pd.DataFrame:
    """Columns (identity, attribute, ...) as one row per cell; attrs are those of the field and `used`."""
    coords = {dim: labels(field, dim) for dim in DIMS[:2]} | (more or {})
    index = pd.MultiIndex.from_product(list(coords.values()), names=list(coords))
    table = pd.DataFrame({name: np.ravel(values) for name, values in columns.items()}, index=index).reset_index()
    table.attrs = {**field.attrs, **used}
    return table


def mean_energy(energies: Float[np.ndarray, "*fields n"]) -> Float[Any, "*fields"]:
    """E = mean_i E_i over the points that have a neighbour; NaN if none has."""
    with np.errstate(invalid="ignore"):
        return np.nansum(energies, -1) / np.isfinite(energies).sum(-1)


def energy_table(
    field: xr.Dataset, energy: np.ndarray, known: np.ndarray, draws: np.ndarray, spread: np.ndarray, used: dict
) -> pd.DataFrame:
    """The table that `alignment` returns; warns about rows without an energy."""
    n = energy.shape[2]
    covered, has = np.isfinite(energy).sum(2), known.sum(2)
    columns = {"energy": mean_energy(energy), **null_columns(mean_energy(energy), draws)}
    columns |= {"coverage": covered / np.maximum(has, 1), "isolated": 1 - covered / np.maximum(has, 1)}
    columns |= {"zero_direction": 1 - has / n, "magnitude": _magnitudes(field, spread), "points": np.full(has.shape, n)}
    table = tidy(field, columns, used | {"magnitude": "median |v| / mean pairwise Euclidean distance"})
    gaps = table.loc[table["energy"].isna(), ["identity", "attribute"]].astype(str).agg(" ".join, axis=1)
    if len(gaps):
        warnings.warn(
            f"no point has a neighbour with a direction for {', '.join(gaps)}: the energy there is NaN; see the "
            "columns coverage and zero_direction.",
            stacklevel=4,
        )
    return table
