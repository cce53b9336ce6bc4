"""Where a field flows: towards the person's centre, along the cloud, downhill or round; columns beside the energy.

All of them stay the same if the field, or the embedding space, is scaled.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from ..base.cores import host
from .hodge import hodge_shares
from .null import groups, tidy, unit_vectors

__all__ = ["flow"]


def flow(field: xr.Dataset, seed: int = 0) -> pd.DataFrame:
    """Gravity, spread and Hodge shares of each identity and attribute.

        gravity = mean_i u_i · (b - x_i) / |b - x_i|      b the mean of the points, u_i the direction at x_i
        spread  = m' C m / (tr C / dim)                   C the covariance of the points, m the unit mean of the u_i

    Columns: identity, attribute; `gravity`, 1 if all moves lead to the person's centre and -1 away from it (random
    directions: mean 0, sd 1/sqrt(points · dim)); `spread`, the variance of the points along the mean direction over
    that along a random direction; and those of `hodge_shares`. NaN without a direction.
    """
    shape = (field.sizes["identity"], field.sizes["attribute"])
    gravity, spread = np.full(shape, np.nan), np.full(shape, np.nan)
    for group in groups(field, "euclidean", "cpu"):
        if not group.cloud.n:
            continue
        points = host(group.cloud.raw).astype(np.float64)
        centred = points - points.mean(0)
        inwards, total = unit_vectors(-centred)[0], (centred**2).sum()
        for a, units in zip(group.attributes, group.directions, strict=True):
            mean, known = unit_vectors(units.mean(0, dtype=np.float64))
            gravity[group.identity, a] = np.einsum("nd,nd->n", units, inwards).mean()
            if known and total > 0:
                spread[group.identity, a] = ((centred @ mean) ** 2).sum() / total * points.shape[1]
    table = tidy(field, {"gravity": gravity, "spread": spread}, {})
    return table.merge(hodge_shares(field, seed=seed), on=["identity", "attribute"], validate="one_to_one")
