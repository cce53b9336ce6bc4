"""Intrinsic dimension of a cloud: from the lengths of spanning trees, from two nearest neighbours, and what they mean.

- An estimate depends on the number of points: in many dimensions all estimators are biased low. Each estimate is
  therefore calibrated: which sphere, with as many points, would give it?
- A bootstrap would draw points twice, and a point at distance 0 changes every nearest neighbour. The interval comes
  from subsamples without replacement instead, whole identities at a time (delete-d jackknife, Shao and Wu 1989).
- Why Prim's algorithm is here and not SciPy's: SciPy sorts all n² distances first, which takes a hundred times as
  long, and reads a distance of 0 as a missing edge.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

from ..base.shapes import Float, Num, Shaped
from ..base.values import check_identities
from .prepared import finite_points
from .tiles import Cloud, sweep

__all__ = ["distance_matrix", "intrinsic_dimension", "tree_dimension", "tree_edges", "two_nn"]

LEAST = 200  # with 33 points, the middle half of repeated estimates is 7 to 21
PARTS = (1, 2, 4, 8)  # trees of all points, of both halves, ...: geometric sizes, each of which uses every point
SUBSAMPLE = 1000  # points in a subsample, at most
AVERAGED = 2000  # points of all spheres of a dimension, unless a single one has more
LARGEST = 1024  # dimension of the largest sphere
METHODS = ("spanning tree", "two nearest neighbours")


def intrinsic_dimension(
    points: Num[Any, "n dim"],
    identities: Shaped[Any, " n"] | None = None,
    *,
    metric: str = "chord",
    alpha: float = 1.0,
    draws: int = 20,
    level: float = 0.95,
    limit: int = 5000,
    seed: int = 0,
) -> pd.DataFrame:
    """In how many dimensions a cloud of embeddings extends, by two methods, with intervals and a calibration.

        spanning tree             L(n) = Σ length^alpha over the minimum spanning tree of n points ~ n^m
                                  d = alpha / (1 - m)
        two nearest neighbours    P(r₂ / r₁ > x) = x^-d, r₁ and r₂ the distances to the two nearest points

    Dimensions in different metrics cannot be compared: the cosine is a squared chord and halves a dimension. The chord
    is therefore used whatever the metric of the model.

    Parameters
    ----------
    points : at least 200 different embeddings: of one person, of many, or one mean embedding for each person.
    identities : whose they are. The interval then resamples identities, otherwise single points.
    metric : "chord", "euclidean" or "cosine", see `fr_explore.base.distance`.
    alpha : weight of long edges, above 0 and below the dimension.
    draws, level : number of subsamples and level of the interval; 0 draws for none.
    limit : of more points, so many are drawn at random.

    Returns
    -------
    One row per method: `dimension` with `low` and `high`; `sphere`, the dimension of the sphere on which as many
    uniform points give the same estimate, with `sphere_low` and `sphere_high` (NaN below a circle's, infinite above
    1,024); `points`. attrs: metric, alpha, seed, `duplicates` that were left out, `spheres`, the calibration curve.

    Raises ValueError for fewer than 200 different points, points with NaN, identities of another length.

    Sources: Schweinhart 2020, arXiv 1808.02196 (fractal dimension and trees); Facco and others 2017, arXiv 1803.06992.
    """
    cloud = finite_points(points)
    people = np.arange(len(cloud)) if identities is None else pd.factorize(check_identities(identities))[0]
    if len(people) != len(cloud):
        raise ValueError(f"{len(people)} identities and {len(cloud)} points: give one for each point.")
    if alpha <= 0 or draws < 0 or draws == 1 or not 0 < level < 1 or limit < LEAST:
        raise ValueError(
            f"alpha = {alpha}, draws = {draws}, level = {level}, limit = {limit}: give alpha above 0, 0 draws or at "
            f"least 2, a level between 0 and 1, and a limit of at least {LEAST}."
        )
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(cloud))[:limit]
    distances, kept = _distinct(distance_matrix(cloud[chosen], metric))
    found = _estimates(distances, alpha)
    spread = _spread(distances, people[chosen][kept], alpha, draws, rng) * NormalDist().inv_cdf((1 + level) / 2)
    ends = np.stack([found, np.clip(found - spread, 0, None), found + spread])
    spheres = _spheres(np.where(np.isfinite(ends), ends, found), kept.sum(), metric, alpha, rng)
    table = pd.DataFrame({"method": METHODS, **dict(zip(("dimension", "low", "high"), ends, strict=True))})
    for name, values in zip(("sphere", "sphere_low", "sphere_high"), ends, strict=True):
        table[name] = [_inverse(spheres, method, v) for method, v in zip(METHODS, values, strict=True)]
    table["points"] = kept.sum()
    table.attrs = {"metric": metric, "alpha": alpha, "level": level, "draws": draws, "seed": seed,
                   "duplicates": int((~kept).sum()), "identities": len(np.unique(people)),
                   "spheres": spheres.to_dict("list")}  # fmt: skip
    return table


def _distinct(distances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distances between different points, and which these are."""
    kept = ~np.tril(distances == 0, -1).any(axis=1)
    if kept.sum() < LEAST:
        raise ValueError(
            f"{kept.sum()} different points: an estimate of the dimension needs at least {LEAST}; with fewer it says "
            "more about the sample than about the cloud."
        )
    return (distances if kept.all() else distances[np.ix_(kept, kept)]), kept


def distance_matrix(points: Num[Any, "n dim"], metric: str) -> Float[np.ndarray, "n n"]:
    """All distances in the metric in float32, up to a common factor; exactly 0 for equal points."""
    cloud = Cloud(points, metric)
    matrix = np.empty((cloud.n, cloud.n), np.float32)

    def visit(q: Any, rows: slice, cols: slice) -> None:
        matrix[rows, cols] = q if metric == "cosine" else np.sqrt(q)
        matrix[cols, rows] = matrix[rows, cols].T

    sweep(cloud, visit)
    return matrix


def tree_edges(distances: Float[np.ndarray, "n n"]) -> Float[np.ndarray, " edges"]:
    """The n - 1 lengths in the minimum spanning tree, in the order in which Prim's algorithm adds them."""
    near, inside = distances[0].copy(), np.zeros(len(distances), distances.dtype)
    near[0] = inside[0] = np.inf  # infinite for points that the tree has reached
    edges = np.empty(len(near) - 1, distances.dtype)
    for k in range(len(edges)):
        j = near.argmin()
        edges[k], inside[j] = near[j], np.inf
        np.minimum(near, distances[j], out=near)
        np.maximum(near, inside, out=near)
    return edges


def tree_dimension(distances: Float[np.ndarray, "n n"], alpha: float = 1.0) -> float:
    """d = alpha / (1 - m), m the slope of log L over log n; the points must be in random order."""
    n = len(distances)
    sizes, lengths = [], []
    for parts in PARTS:
        size = n // parts
        blocks = [distances[k : k + size, k : k + size] for k in range(0, size * parts, size)]
        sizes.append(size)
        lengths.append(np.mean([(tree_edges(block).astype(np.float64) ** alpha).sum() for block in blocks]))
    slope = np.polyfit(np.log(sizes), np.log(lengths), 1)[0]
    return alpha / (1 - slope) if slope < 1 else np.inf


def two_nn(distances: Float[np.ndarray, "n n"]) -> float:
    """Slope of -log(1 - F) over log(r₂/r₁) through the origin, without the largest tenth, which has the most noise."""
    n, rows = len(distances), np.arange(len(distances))
    apart = distances.copy()
    apart[rows, rows] = np.inf
    first = apart.argmin(axis=1)
    nearest = apart[rows, first].astype(np.float64)
    apart[rows, first] = np.inf
    ratios = np.sort(np.log(apart.min(axis=1) / nearest))[: int(0.9 * n)]
    target = -np.log1p(-np.arange(1, len(ratios) + 1) / n)
    return float(ratios @ target / (ratios @ ratios)) if ratios.any() else np.inf


def _estimates(distances: np.ndarray, alpha: float) -> np.ndarray:
    return np.array([tree_dimension(distances, alpha), two_nn(distances)])


def _spread(distances: np.ndarray, people: np.ndarray, alpha: float, draws: int, rng: Any) -> np.ndarray:
    """Standard error of both estimates."""
    names, share = np.unique(people), min(0.5, SUBSAMPLE / len(people))
    if not draws or len(names) < 4:
        return np.full(2, np.nan)
    found = []
    for _ in range(draws):
        some = np.flatnonzero(np.isin(people, rng.permutation(names)[: max(2, round(share * len(names)))]))
        some = rng.permutation(some)
        found.append(_estimates(distances[np.ix_(some, some)], alpha))
    # Shao and Wu: the variance over subsamples, times their size over the number of points left out
    return np.std(found, axis=0, ddof=1) * np.sqrt(share / (1 - share))


def _spheres(ends: np.ndarray, n: int, metric: str, alpha: float, rng: Any) -> pd.DataFrame:
    """Estimates on uniform points of spheres whose dimensions enclose the ends of the intervals."""
    rows = []
    for dimension in _dimensions(0.8 * np.min(ends)):
        repeats = []
        for _ in range(max(1, AVERAGED // n)):
            sphere = rng.standard_normal((n, dimension + 1))
            sphere /= np.linalg.norm(sphere, axis=1, keepdims=True)
            repeats.append(_estimates(distance_matrix(sphere, metric), alpha))
        rows.append([dimension, *np.mean(repeats, axis=0)])
        if (rows[-1][1:] > ends.max(0)).all():
            break
    return pd.DataFrame(rows, columns=["dimension", *METHODS])


def _dimensions(first: float) -> Iterator[int]:
    dimension = int(np.clip(first, 1, LARGEST // 2))
    while dimension <= LARGEST:
        yield dimension
        dimension = max(dimension + 1, round(1.4 * dimension))


def _inverse(spheres: pd.DataFrame, method: str, value: float) -> float:
    estimates = np.maximum.accumulate(spheres[method].to_numpy())
    if not np.isfinite(value) or value < estimates[0]:
        return np.nan if not value > estimates[0] else np.inf
    if value > estimates[-1]:
        return np.inf
    return float(np.exp(np.interp(np.log(value), np.log(estimates), np.log(spheres["dimension"]))))
