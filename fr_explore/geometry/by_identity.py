"""`fr.alignment` and `fr.alignment_profile`: for a field in memory, for a store, and on a cluster.

The pure functions of the same names in `alignment` and `profile` compute; `scale.distributed` maps them over the
identities of a store or of a field that a Dask client shares out.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import xarray as xr

from ..scale.distributed import each_identity
from . import alignment as energies
from . import flow as flows
from . import profile
from .field import vector_field
from .neighbors import Neighborhood, as_neighborhood, ball
from .null import check_null

__all__ = ["alignment", "alignment_profile"]


def alignment(
    field: Any,
    neighborhood: Neighborhood | str = "knn:10",
    null_draws: int = 0,
    seed: int = 0,
    device: Any = None,
    point_energies: bool = False,
    null: str = "gaussian",
    progress: bool | None = None,
    client: Any = None,
    flow: bool = False,
) -> Any:
    """Alignment energy of each identity and attribute, as a tidy table.

        E = mean_i E_i,   E_i = sum_j w_ij (1 - u_i·u_j) / sum_j w_ij

    u_i is the direction in which the attribute moves the embedding at point i, w_ij the weight of neighbour j. E = 0:
    all directions are parallel; E = 1: no order, as for random directions; E > 1: neighbours oppose each other.
    `fr_explore.geometry.alignment` explains the energy and the null models.

    How much data: the least that named the attribute which a network was never taught in 90 % of the samples, of eight,
    on average over four controlled networks (`python benchmarks/power.py`):

        compared with a network that was taught it      alone
        magnitude            2 people x 5 curves        never (81 %)
        energy, all pairs    4 people x 40 curves       never (15 %)
        energy, 10 nearest   4 people x 40 curves       never (50 %)
        energy, ball 1       8 people x 40 curves       never (50 %)

    So compare two models, person by person, and read the magnitude first.

    Parameters
    ----------
    field : from `vector_field`, or the path of a store of `fr.embed(..., store=...)`, read one identity at a time; a
        call on a store that was interrupted resumes when it is repeated. Points with the same value of the coordinate
        `curve` are not neighbours.
    neighborhood : `knn(10)`, `ball(0.6)`, `all_pairs()`, or the same as text. Without a metric of its own it uses
        field.attrs["metric"], or Euclidean.
    null_draws : random fields to compare with, 0 or at least 2; the attributes of an identity share Gaussian ones.
    seed : of the random fields.
    device : None (a GPU for a large cloud if there is one), "cpu" or a torch device.
    point_energies : also return a Dataset with `energy` of each point and `null_energy`, the draws.
    null : "gaussian", independent random directions, or "permutation", the same directions shuffled over the points.
    progress : show a bar; None shows it from 20,000 points on.
    client : a Dask client that computes.
    flow : also where the field flows: columns gravity, spread, and gradient, curl and harmonic with their null, see
        `fr_explore.geometry.flow` and `hodge_shares`; needs 60 curves.

    Returns
    -------
    DataFrame with one row per identity and attribute: energy; null_mean, null_sd, z (NaN without null_draws);
    coverage and isolated, the shares of the points with a direction that have, or lack, a neighbour; zero_direction,
    the share of points without a direction (zero or NaN), which take no part; magnitude, the median |v| over the mean
    pairwise Euclidean distance of the identity's points; points, the number of curves. attrs record what was used.
    Where no point has a neighbour, the energy is NaN and a warning names the row.

    Raises ValueError for a field with k curves or fewer, an unknown metric or null model, or a single draw.

    Source: Leroy, Mastropietro, Nurisso, Vaccarino, ICML 2025, arXiv 2507.11372.
    """
    how = {
        "neighborhood": as_neighborhood(neighborhood), "null_draws": null_draws, "seed": seed, "device": device,
        "null": null, "point_energies": point_energies,
    }  # fmt: skip
    compute = _with_flow if flow else energies.alignment
    if client is None and isinstance(field, xr.Dataset):
        return compute(field, progress=progress, **how)
    pure = partial(compute, progress=False, **how)
    return each_identity(pure, field, vector_field, client, progress is not False)


def _with_flow(field: xr.Dataset, *, seed: int, point_energies: bool, **how: Any) -> Any:
    """`alignment` with the columns of `flow`."""
    columns = flows.flow(field, seed)
    table, details = energies.alignment(field, seed=seed, point_energies=True, **how)
    merged = table.merge(columns, on=["identity", "attribute"], validate="one_to_one")
    merged.attrs = table.attrs
    return (merged, details) if point_energies else merged


def alignment_profile(
    field: Any,
    radii: Any = None,
    *,
    relative: bool = True,
    metric: str | None = None,
    null_draws: int = 0,
    seed: int = 0,
    null: str = "gaussian",
    device: Any = None,
    progress: bool | None = None,
    client: Any = None,
) -> pd.DataFrame:
    """Energy of `ball(radius)` for many radii, in one pass over the distances.

        E(r) = mean_i mean_{j != i: d_ij <= r} (1 - u_i·u_j)

    over the points i that have a neighbour within r. Relative radii need the mean distance first: one more pass,
    except for the cosine metric, which has a closed form. As r grows, E(r) becomes the energy of all pairs alike,
    n/(n-1) (1 - |mean u|²).

    Parameters
    ----------
    field : from `vector_field`, or the path of a store of `fr.embed(..., store=...)`, read one identity at a time.
    radii : in any order; None: 30 values from 0.05 to 1.5, if they are relative.
    relative : radii are in units of the mean pairwise distance, otherwise in units of the metric.
    metric : of the points, "euclidean", "cosine" or "chord"; None takes that of the field.
    null_draws, seed, null, device, progress, client : as in `alignment`.

    Returns
    -------
    DataFrame with one row per identity, attribute and radius (ascending): energy, NaN where coverage is 0;
    null_mean, null_sd, z (NaN without null_draws); coverage, the share of the points with a direction that have a
    neighbour; neighbors, their mean number over all points with a direction. attrs record what was used.
    """
    check_null(null, null_draws)
    how = {"radii": profile.check_radii(radii, relative), "relative": relative, "null_draws": null_draws, "seed": seed}
    how |= {"null": null, "metric": ball(0, metric=metric).metric, "device": device}
    if client is None and isinstance(field, xr.Dataset):
        return profile.alignment_profile(field, progress=progress, **how)
    pure = partial(profile.alignment_profile, progress=False, **how)
    return each_identity(pure, field, vector_field, client, progress is not False)
