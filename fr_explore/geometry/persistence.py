"""Persistent homology of a cloud: its clusters and loops, beside those that a cloud without any shape would have.

Balls grow around the points. A cluster dies when its ball meets another; a loop is born when balls close a ring, and
dies when they fill it. A bar is this span of radii (here: of distances between points). Gaussian clouds have hundreds
of such bars too, which mean nothing: the more dimensions, the more bars and the shorter. So a bar counts only if it is
longer than every bar of clouds with the same number of points, mean and covariance.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..base.distance import normalized
from ..base.optional import import_extra
from ..base.shapes import Num
from .prepared import finite_points

__all__ = ["persistence"]

LEAST = 5
BARS = {0: "clusters", 1: "loops"}


def persistence(
    points: Num[Any, "n dim"], *, metric: str = "chord", null_draws: int = 20, limit: int = 300, seed: int = 0
) -> pd.DataFrame:
    """The bars of the Vietoris-Rips filtration in dimensions 0 and 1, with those of random clouds.

    Parameters
    ----------
    points : embeddings of one person, or one mean embedding for each person.
    metric : "chord" or "euclidean"; the cosine is not a metric.
    null_draws : Gaussian clouds of the points' mean and covariance, at least 1.
    limit : of more points, so many are drawn at random; loops take the cube of their number.

    Returns
    -------
    One row per bar: `cloud`, "observed" or "null"; `draw`, the number of the null's cloud (0 for the observed);
    `dimension`, 0 for clusters and 1 for loops; `birth`, `death`; `outside`, whether an observed bar lies outside the
    null. Clusters are compared by death, loops by death / birth, with the largest of all draws: without any shape, a
    dimension has a bar outside with probability 1 / (1 + draws). The one cluster that never dies is left out. attrs:
    `words`, the result as a sentence, `edge`, the largest value of the null for each dimension, metric, points.

    Needs the extra `topology`. Raises ValueError for another metric, fewer than five points, or no draw.

    Sources: Edelsbrunner, Letscher, Zomorodian 2002; Tralie, Saul, Bar-On 2018 (ripser); Bobrowski and Skraba 2023,
    arXiv 2207.03926 (death / birth).
    """
    cloud = finite_points(points).astype(np.float64)
    if metric not in ("chord", "euclidean"):
        raise ValueError(f"metric {metric!r}: choose 'chord' or 'euclidean'; 1 - cos is not a metric, its chord is.")
    if len(cloud) < LEAST or null_draws < 1 or limit < LEAST:
        raise ValueError(
            f"{len(cloud)} points, null_draws = {null_draws}, limit = {limit}: give at least {LEAST} points, one draw "
            f"and a limit of {LEAST}."
        )
    rng = np.random.default_rng(seed)
    cloud = normalized(cloud[rng.permutation(len(cloud))[:limit]], metric)
    mean, n = cloud.mean(0), len(cloud)
    parts = [_bars(cloud).assign(cloud="observed", draw=0)]
    for draw in range(null_draws):
        # weights of the centred points give their covariance without a matrix of dim x dim
        random = mean + rng.standard_normal((n, n)) @ (cloud - mean) / np.sqrt(n - 1)
        parts.append(_bars(normalized(random, metric)).assign(cloud="null", draw=draw))
    table: Any = pd.concat(parts, ignore_index=True)
    length = table["death"].where(table["dimension"] == 0, table["death"] / table["birth"].where(table["birth"] > 0))
    null = table["cloud"] == "null"
    edge = {k: float(length[null & (table["dimension"] == k)].max()) for k in BARS}
    edge[1] = edge[1] if edge[1] == edge[1] else 1.0  # no loop in any draw: every loop is outside
    table["outside"] = ~null & (length > table["dimension"].map(edge) * (1 + 1e-6))
    table = table[["cloud", "draw", "dimension", "birth", "death", "outside"]]
    table.attrs = {"metric": metric, "points": n, "null_draws": null_draws, "seed": seed, "edge": edge,
                   "words": _words(table, null_draws)}  # fmt: skip
    return table


def _bars(cloud: np.ndarray) -> pd.DataFrame:
    from scipy.spatial.distance import pdist, squareform

    ripser = import_extra("ripser", "topology", "Persistent homology")
    diagrams = ripser.ripser(squareform(pdist(cloud)), maxdim=1, distance_matrix=True)["dgms"]
    bars = [
        pd.DataFrame(d, columns=["birth", "death"], dtype=float).assign(dimension=k) for k, d in enumerate(diagrams)
    ]
    table: Any = pd.concat(bars, ignore_index=True)
    return table[np.isfinite(table["death"])]


def _words(table: Any, draws: int) -> str:
    observed = table[table["cloud"] == "observed"]
    parts = []
    for k, name in BARS.items():
        own = observed[observed["dimension"] == k]
        parts.append(f"{int(own['outside'].sum())} of {len(own)} {name}")
    return f"{' and '.join(parts)} are longer than any in {draws} Gaussian clouds of the same covariance"
