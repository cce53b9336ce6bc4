"""The alignment energy over a whole range of scales: the figure that one energy at one scale hides."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from ..base.cores import host
from ..base.distance import data_metric
from ..scale.distributed import each_identity
from .field import vector_field
from .neighbor_graph import squared_edges
from .neighbors import ball
from .null import DIMS, check_null, groups, null_columns, null_fields, tidy
from .tiles import Cloud, sweep

__all__ = ["alignment_profile"]

DRAWN_AT_ONCE = 32_000_000  # numbers in the random fields held at one time


def alignment_profile(
    field: Any,
    radii=None,
    *,
    relative: bool = True,
    metric: str | None = None,
    null_draws: int = 0,
    seed: int = 0,
    null: str = "gaussian",
    device=None,
    progress: bool | None = None,
    client: Any = None,
) -> pd.DataFrame:
    """Energy of `ball(radius)` for many radii, in one pass over the distances.

        E(r) = mean_i mean_{j != i: d_ij <= r} (1 - u_i·u_j)

    over the points i that have a neighbour within r; relative radii need the mean distance first, which is one more
    pass, in closed form for the cosine metric. As r grows, E(r) becomes the energy of all pairs alike,
    n/(n-1) (1 - |mean u|²).

    Parameters
    ----------
    field : from `vector_field`, or the store of `fr.embed(..., store=...)`, read one identity at a time.
    radii : any order; None: 30 values from 0.05 to 1.5, or to 1.5 mean distances in units of the metric.
    relative : radii in units of the mean pairwise distance, else in units of the metric.
    metric : of the points, "euclidean", "cosine" or "chord"; None takes that of the field.
    null_draws, seed, null, device, progress, client : as in `alignment`.

    Returns
    -------
    DataFrame with one row for each identity, attribute and radius (ascending): energy, NaN where coverage is 0;
    null_mean, null_sd, z (NaN without null_draws); coverage, the share of the points with a direction that have a
    neighbour; neighbors, their mean number over all points with a direction. attrs say what was used.
    """
    check_null(null, null_draws)
    named = ball(0, metric=metric).metric
    if radii is None and not relative:
        raise ValueError("radii in units of the metric have no default: give radii, or relative=True.")
    edges = _check_radii(np.linspace(0.05, 1.5, 30) if radii is None else radii)
    if client is not None or not isinstance(field, xr.Dataset):
        how = {"radii": edges, "relative": relative, "null_draws": null_draws, "seed": seed, "null": null}
        each = partial(alignment_profile, **how, metric=named, device=device, progress=False)
        return each_identity(each, field, vector_field, client, progress is not False)
    metric = named or data_metric(field)
    shape = tuple(field.sizes[d] for d in DIMS[:2])
    progress = field.sizes["curve"] >= 20_000 if progress is None else progress
    energy, draws = np.full((*shape, len(edges)), np.nan), np.full((*shape, len(edges), null_draws), np.nan)
    coverage, neighbors = np.zeros((*shape, len(edges))), np.zeros((*shape, len(edges)))
    for group in groups(field, metric, device):
        i, cloud = group.identity, group.cloud
        scaled = squared_edges(cloud, edges * (cloud.mean_distance(progress) if relative else 1))
        energies, count = _energies(cloud, group.directions, scaled, progress)
        energy[i, group.attributes] = energies
        coverage[i, group.attributes] = (count > 0).mean(0) if cloud.n else 0
        neighbors[i, group.attributes] = count.mean(0) if cloud.n else 0
        for some, fields, where in null_fields(group, null, null_draws, seed, DRAWN_AT_ONCE):
            for a in some:
                draws[i, a, :, where] = _energies(cloud, fields, scaled, False)[0].T
    columns = {"energy": energy, **null_columns(energy, draws), "coverage": coverage, "neighbors": neighbors}
    unit = "mean pairwise distance" if relative else "metric"
    used = {"metric": metric, "radius": unit, "null": null, "null_draws": null_draws, "seed": seed}
    return tidy(field, columns, used, {"radius": edges})


def _check_radii(radii) -> np.ndarray:
    edges = np.unique(np.asarray(radii, dtype=np.float64))
    if edges.size == 0 or not (edges >= 0).all():
        raise ValueError(f"radii = {radii!r}: give at least one number, none below 0.")
    return edges


def _energies(
    cloud: Cloud, fields: list[np.ndarray], edges: np.ndarray, progress: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Energies (fields, radii) and numbers of neighbours (n, radii)."""
    total, count = _shells(cloud, fields, edges, progress)
    count = count.cumsum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        points = np.clip(1 - total.cumsum(2) / count, 0, 2)
        return np.nansum(points, 1) / (count > 0).sum(0), count


def _shells(cloud: Cloud, fields: list[np.ndarray], edges: np.ndarray, progress: bool) -> tuple[np.ndarray, np.ndarray]:
    """Sums of cosines (fields, n, radii) and numbers (n, radii) of the neighbours in each shell between two radii."""
    xp, bins = cloud.xp, len(edges) + 1
    units = [cloud.put(np.asarray(u, cloud.precision)) for u in fields]
    total, count = np.zeros((len(units), cloud.n, bins)), np.zeros((cloud.n, bins))
    lock = threading.Lock()

    def histogram(shell, points: int, axis: int, weights=None) -> np.ndarray:
        where = cloud.put(np.arange(points) * bins)
        flat = (shell + (where[:, None] if axis == 0 else where)).ravel()
        found = xp.bincount(flat, None if weights is None else weights.ravel(), minlength=points * bins)
        return host(found).reshape(points, bins)

    def visit(q, rows: slice, cols: slice) -> None:
        cloud.exclude(q, rows, cols)
        shell = _shell(cloud, q, rows, cols, edges)
        ends = [(rows, 0)] if rows == cols else [(rows, 0), (cols, 1)]
        cosines = [u[rows] @ u[cols].T for u in units]
        for points, axis in ends:
            size = points.stop - points.start
            parts = [histogram(shell, size, axis, c) for c in cosines]
            number = histogram(shell, size, axis)
            with lock:
                count[points] += number
                for f, part in enumerate(parts):
                    total[f, points] += part

    sweep(cloud, visit, progress)
    return total[:, :, :-1], count[:, :-1]


def _shell(cloud: Cloud, q, rows: slice, cols: slice, edges: np.ndarray):
    """Number of the shell of each pair, len(edges) beyond the last; exact next to an edge."""
    slack = cloud.slack(rows, cols)
    small = cloud.put(np.zeros(q.shape, np.uint8 if len(edges) < 255 else np.int32))
    low, high = small, small + 0
    for edge in edges.tolist():
        low += q > edge + slack
        high += q > edge - slack
    i, j = cloud.xp.where(low != high)
    if len(i):
        exact = host(cloud.exact(i + rows.start, j + cols.start))
        low[i, j] = cloud.put(np.searchsorted(edges, exact, side="left").astype(host(low[:1, :1]).dtype))
    return low
