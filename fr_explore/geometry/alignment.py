"""The alignment energy: does an attribute move all faces of a person the same way?

The analogy
-----------
Put a unit arrow on every base point x_i of the embedding space: u_i = v_i/|v_i|, the direction in which the
attribute moves the embedding there. That is a system of spins.

    spins            the directions u_i, in as many dimensions as the embedding
    sites            the points x_i, the embeddings of the base faces
    interaction      w_ij: which sites feel each other (`knn`, `ball`, `all_pairs`); its range is the scale
    energy           E_i = sum_j w_ij (1 - u_i·u_j) / sum_j w_ij,   E = mean_i E_i
    order parameter  m = |mean_i u_i|, the magnetisation; with all pairs alike and self counted, E = 1 - m²
    temperature      what disorders the spins: arrows drawn around a common drift s times as long as their noise
                     have E = 1/(1 + s²); s -> infinity is the frozen, s = 0 the hot limit

E = 0: all arrows are parallel, the attribute moves every image the same way, the model depends on it. E = 1: no order,
as for independent random arrows. E > 1: neighbours oppose each other. A short range sees local order (a vortex looks
aligned), a long one global order only, so a ranking of attributes can flip with the range: see `alignment_profile`.
Small E is not large effect: a model may move little but always the same way, so read the magnitude beside it.

Null models. "gaussian": independent random arrows on the same sites, the hot limit; mean 1 and, for w summing to
1 in each row, variance sum_{i<j} (w_ij + w_ji)²/(dim n²). "permutation": the same arrows shuffled over the sites;
it keeps the magnetisation and removes what depends on place. z = (E - null mean)/null sd: negative is aligned.

After Leroy, Mastropietro, Nurisso, Vaccarino, "Attributes Shape the Embedding Space of Face Recognition Models",
ICML 2025, arXiv 2507.11372; unlike there, a point is not its own neighbour and isolated points are not averaged in.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from ..base.distance import data_metric
from ..scale.distributed import each_identity
from .field import vector_field
from .neighbor_graph import Graph
from .neighbors import Neighborhood, as_neighborhood, need_points
from .null import (
    DIMS,
    check_null,
    energy_table,
    groups,
    labels,
    mean_energy,
    null_fields,
    unit_vectors,
)
from .tiles import Cloud, as_real_matrix, curve_ids

__all__ = ["alignment", "alignment_energy"]

DRAWN_AT_ONCE = 32_000_000  # numbers in the random fields held at one time


def alignment_energy(
    points,
    directions,
    neighborhood: Neighborhood | str = "knn:10",
    *,
    metric: str = "euclidean",
    curve=None,
    device=None,
    point_energies: bool = False,
) -> Any:
    """Energy of bare arrays: a float, NaN where no point has a neighbour.

    points : (n, dim), where the arrows sit; directions : (n, any dim), the arrows, of any length.
    neighborhood, device : as in `alignment`; metric : of the points, unless the neighbourhood names its own.
    curve : (n,) ids or None; points with the same id are never each other's neighbours.
    point_energies : give the (n,) array of E_i instead, NaN for a point without a direction or a neighbour.
    """
    rule = as_neighborhood(neighborhood)
    points, directions = as_real_matrix(points, "points"), as_real_matrix(directions, "directions")
    if len(points) != len(directions):
        raise ValueError(f"{len(points)} points and {len(directions)} directions: give each point one direction.")
    need_points(rule, len(points))
    unit, known = unit_vectors(directions)
    known &= np.isfinite(points).all(1)
    energies = np.full(len(points), np.nan)
    if known.any():
        ids = None if curve is None else curve_ids(curve, len(points))[known]
        graph = rule.graph(Cloud(points[known], rule.metric or metric, ids, device))
        energies[known] = _energies(graph, [unit[known]])[0]
    return energies if point_energies else float(mean_energy(energies))


def alignment(
    field: Any,
    neighborhood: Neighborhood | str = "knn:10",
    null_draws: int = 0,
    seed: int = 0,
    device=None,
    point_energies: bool = False,
    null: str = "gaussian",
    progress: bool | None = None,
    client: Any = None,
) -> Any:
    """Alignment energy of each identity and attribute, as a tidy table.

    field : from `vector_field`, or the store of `fr.embed(..., store=...)`, read by identity; a call that was stopped
        goes on from there. Points with the same value in its coordinate `curve` are no neighbours.
    neighborhood : `knn(10)`, `ball(0.6)`, `all_pairs()`, or the same as text; where it names no metric,
        field.attrs["metric"], and where that is missing, Euclidean.
    null_draws, seed : random fields to compare with, 0 or at least 2; the attributes of an identity share the
        Gaussian ones. null : "gaussian" or "permutation", see the top of this module.
    device : None (a GPU for a large cloud where there is one), "cpu" or a torch device.
    point_energies : also return a Dataset, `energy` of each point and `null_energy`, the draws.
    progress : show a bar; None shows it from 20,000 points on. client : a Dask client to share the work out.

    Returns a DataFrame with one row per identity x attribute: energy; null_mean, null_sd, z (NaN without null_draws);
    coverage and isolated, the shares of the points with a direction that have, or lack, a neighbour; zero_direction,
    the share of points that have none (zero or NaN) and take no part; magnitude, the median |v| over the mean pairwise
    Euclidean distance of the identity's points; points, the number of curves. attrs say what was used. Energy is NaN,
    and a warning names the row, where no point has a neighbour. ValueError where a field has no more than k curves.
    """
    rule = as_neighborhood(neighborhood)
    if client is not None or not isinstance(field, xr.Dataset):
        how = {"null_draws": null_draws, "seed": seed, "device": device, "null": null, "point_energies": point_energies}
        each = partial(alignment, neighborhood=rule, progress=False, **how)
        return each_identity(each, field, vector_field, client, progress is not False)
    metric, shape = rule.metric or data_metric(field), tuple(field.sizes[d] for d in DIMS[:3])
    check_null(null, null_draws)
    need_points(rule, shape[2])
    progress = shape[2] >= 20_000 if progress is None else progress
    energy, known = np.full(shape, np.nan), np.zeros(shape, bool)
    draws, spread = np.full((*shape[:2], null_draws), np.nan), np.zeros(shape[:2])
    for group in groups(field, metric, device):
        graph, i = rule.graph(group.cloud, progress), group.identity
        for a, points in zip(group.attributes, _energies(graph, group.directions, progress), strict=True):
            energy[i, a, group.known], known[i, a] = points, group.known
        spread[i, group.attributes] = group.whole.mean_distance(progress, getattr(rule, "approximate", None) is None)
        for some, fields, where in null_fields(group, null, null_draws, seed, DRAWN_AT_ONCE):
            draws[i, some, where] = mean_energy(_energies(graph, fields))
    used = {"neighborhood": repr(rule), "metric": metric, "null": null, "null_draws": null_draws, "seed": seed}
    table = energy_table(field, energy, known, draws, spread, used)
    if not point_energies:
        return table
    parts = {"energy": (DIMS[:3], energy), "null_energy": ((*DIMS[:2], "draw"), draws)}
    return table, xr.Dataset(parts, {dim: labels(field, dim) for dim in DIMS[:3]}, table.attrs)


def _energies(graph: Graph, directions: list[np.ndarray], progress: bool = False) -> np.ndarray:
    """E_i = 1 - u_i·(A U)_i / deg_i, which needs no difference of any pair: (fields, n); NaN without a neighbour."""
    sums = graph.sums(directions, progress)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.clip(1 - sums.aligned / sums.weight, 0, 2)
