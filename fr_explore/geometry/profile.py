"""The alignment energy over a range of scales, which one energy at one scale hides."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from ..base.distance import data_metric
from .neighbors import Neighborhood, ball
from .null import DIMS, check_null, groups, mean_energy, null_columns, null_fields, tidy

__all__ = ["alignment_profile", "check_radii", "scale_profile"]


def alignment_profile(
    field: xr.Dataset,
    radii: Any = None,
    *,
    relative: bool = True,
    metric: str | None = None,
    null_draws: int = 0,
    seed: int = 0,
    null: str = "gaussian",
    device: Any = None,
    progress: bool | None = None,
) -> pd.DataFrame:
    """`fr.alignment_profile` of a field in memory, see `by_identity.alignment_profile`: Dataset in, DataFrame out."""
    rule, edges = ball(0, relative=relative, metric=metric), check_radii(radii, relative)
    table = scale_profile(field, rule, edges, null_draws, seed, null, device, progress)
    table.attrs["radius"] = "mean pairwise distance" if relative else "metric"
    return table.rename(columns={"scale": "radius"})


def check_radii(radii: Any, relative: bool) -> np.ndarray:
    """Radii in ascending order, each once; None: 30 from 0.05 to 1.5, which only relative radii have."""
    if radii is None and not relative:
        raise ValueError("radii in units of the metric have no default: give radii, or relative=True.")
    edges = np.unique(np.asarray(np.linspace(0.05, 1.5, 30) if radii is None else radii, dtype=np.float64))
    if edges.size == 0 or not (edges >= 0).all():
        raise ValueError(f"radii = {radii!r}: give at least one number, none below 0.")
    return edges


def scale_profile(
    field: xr.Dataset,
    rule: Neighborhood,
    scales: Any,
    null_draws: int = 0,
    seed: int = 0,
    null: str = "gaussian",
    device: Any = None,
    progress: bool | None = None,
) -> pd.DataFrame:
    """Energies of a field at several scales of a neighbourhood, `ball` or `knn`, from one pass over the distances.

    scales : ascending values for the rule's number. The other parameters are those of `alignment`; random fields are
        the same at all scales.

    Returns a DataFrame with one row per identity, attribute and scale: energy, NaN where coverage is 0; null_mean,
    null_sd, z; coverage, the share of points with a direction that have a neighbour; neighbors, their mean number.
    """
    check_null(null, null_draws)
    metric = rule.metric or data_metric(field)
    shape = (*(field.sizes[d] for d in DIMS[:2]), len(scales))
    progress = field.sizes["curve"] >= 20_000 if progress is None else progress
    energy, draws = np.full(shape, np.nan), np.full((*shape, null_draws), np.nan)
    coverage, neighbors = np.zeros(shape), np.zeros(shape)
    for group in groups(field, metric, device):
        i, graph = group.identity, rule.graph(group.cloud, progress, scales)
        sums = graph.sums(group.directions, progress)
        energy[i, group.attributes] = mean_energy(sums.energies)
        if group.cloud.n:
            coverage[i, group.attributes] = (sums.weight > 0).mean(1)
            neighbors[i, group.attributes] = sums.weight.mean(1)
        for some, fields, where in null_fields(group, null, null_draws, seed):
            found = mean_energy(graph.sums(fields).energies)
            for a in some:
                draws[i, a, :, where] = found.T
    columns = {"energy": energy, **null_columns(energy, draws), "coverage": coverage, "neighbors": neighbors}
    used = {"metric": metric, "null": null, "null_draws": null_draws, "seed": seed}
    return tidy(field, columns, used, {"scale": np.asarray(scales)})
