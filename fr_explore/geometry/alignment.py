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

from typing import Any

import numpy as np
import xarray as xr

from ..base.distance import data_metric
from ..base.shapes import Float, Num, Shaped
from .neighbors import Neighborhood, as_neighborhood
from .null import (
    DIMS,
    check_null,
    energy_table,
    groups,
    labels,
    mean_energy,
    mean_euclidean,
    null_fields,
    unit_vectors,
)
from .prepared import as_real_matrix, curve_ids
from .tiles import Cloud

__all__ = ["alignment", "alignment_energy", "energies_at_scales"]


def alignment_energy(
    points: Num[Any, "n dim"],
    directions: Num[Any, "n dim_2"],
    neighborhood: Neighborhood | str = "knn:10",
    *,
    metric: str = "euclidean",
    curve: Shaped[Any, " n"] | None = None,
    device: Any = None,
    point_energies: bool = False,
) -> float | Float[np.ndarray, " n"]:
    """Energy of bare arrays: a float, NaN if no point has a neighbour.

    Parameters
    ----------
    points : where the arrows are; directions : the arrows, of any length.
    neighborhood, device : as in `alignment`; metric : of the points, unless the neighbourhood names its own.
    curve : ids; points with the same id are never each other's neighbours.
    point_energies : return the E_i instead, NaN for a point without a direction or a neighbour.
    """
    rule = as_neighborhood(neighborhood)
    rule.check_size(len(points))
    energies = energies_at_scales(points, directions, rule, None, metric=metric, curve=curve, device=device)[0]
    return energies if point_energies else float(mean_energy(energies))


def energies_at_scales(
    points: Num[Any, "n dim"],
    directions: Num[Any, "n dim_2"],
    neighborhood: Neighborhood | str,
    scales: Any,
    *,
    metric: str = "euclidean",
    curve: Shaped[Any, " n"] | None = None,
    device: Any = None,
) -> Float[np.ndarray, "scales n"]:
    """Energies E_i of the points at several scales, from one pass over the distances.

    scales : ascending values for the neighbourhood's number, k or radius; None: its own alone. The other parameters
        are those of `alignment_energy`. E_i is NaN for a point without a direction or a neighbour.
    """
    rule = as_neighborhood(neighborhood)
    points, directions = as_real_matrix(points, "points"), as_real_matrix(directions, "directions")
    if len(points) != len(directions):
        raise ValueError(f"{len(points)} points and {len(directions)} directions: give each point one direction.")
    unit, known = unit_vectors(directions)
    known &= np.isfinite(points).all(1)
    energies = np.full((1 if scales is None else len(scales), len(points)), np.nan)
    if known.any():
        ids = None if curve is None else curve_ids(curve, len(points))[known]
        cloud = Cloud(points[known], rule.metric or metric, ids, device)
        graph = rule.graph(cloud) if scales is None else rule.graph(cloud, scales=scales)
        energies[:, known] = graph.sums([unit[known]]).energies[0]
    return energies


def alignment(
    field: xr.Dataset,
    neighborhood: Neighborhood | str = "knn:10",
    null_draws: int = 0,
    seed: int = 0,
    device: Any = None,
    point_energies: bool = False,
    null: str = "gaussian",
    progress: bool | None = None,
) -> Any:
    """`fr.alignment` of a field in memory, see `by_identity.alignment`: Dataset in, DataFrame out."""
    rule = as_neighborhood(neighborhood)
    metric, shape = rule.metric or data_metric(field), tuple(field.sizes[d] for d in DIMS[:3])
    check_null(null, null_draws)
    rule.check_size(shape[2])
    progress = shape[2] >= 20_000 if progress is None else progress
    energy, known = np.full(shape, np.nan), np.zeros(shape, bool)
    draws, spread = np.full((*shape[:2], null_draws), np.nan), np.zeros(shape[:2])
    for group in groups(field, metric, device):
        graph, i = rule.graph(group.cloud, progress), group.identity
        for a, points in zip(group.attributes, graph.sums(group.directions, progress).energies, strict=True):
            energy[i, a, group.known], known[i, a] = points[0], group.known
        spread[i, group.attributes] = mean_euclidean(group, rule.exact, progress)
        for some, fields, where in null_fields(group, null, null_draws, seed):
            draws[i, some, where] = mean_energy(graph.sums(fields).energies[:, 0])
    used = {"neighborhood": repr(rule), "metric": metric, "null": null, "null_draws": null_draws, "seed": seed}
    table = energy_table(field, energy, known, draws, spread, used)
    if not point_energies:
        return table
    parts = {"energy": (DIMS[:3], energy), "null_energy": ((*DIMS[:2], "draw"), draws)}
    return table, xr.Dataset(parts, {dim: labels(field, dim) for dim in DIMS[:3]}, table.attrs)
