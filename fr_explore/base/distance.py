"""The distance between two embeddings, and the decision that rests on it: the one home of both."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["METRICS", "check_metric", "distance", "same_person", "unit"]

METRICS = ("euclidean", "cosine")


def distance(first: Any, second: Any, metric: str, *, units: bool = False) -> np.ndarray:
    """Distance along the last axis in float64, (..., dim) and (..., dim) -> (...): |a - b|, or 1 - cos for "cosine".

    1 - cos is computed as |a - b|² / 2 of the unit vectors, which keeps its digits where the two nearly agree and is
    exactly 0 for equal ones; it is 1 where one of them has length 0. `units`: they are unit vectors already.
    """
    check_metric(metric)
    a, b = (np.asarray(values, np.float64) for values in (first, second))
    if metric == "cosine" and not units:
        a, b = unit(a), unit(b)
    gap = a - b
    squared = np.einsum("...i,...i->...", gap, gap)
    if metric == "euclidean":
        return np.sqrt(squared)
    return squared / 2 if units else np.where(a.any(-1) & b.any(-1), squared / 2, 1.0)


def same_person(distance: Any, threshold: float | None) -> Any:
    """Whether two embeddings are judged the same person: `distance <= threshold`.

    Parameters
    ----------
    distance : one distance, or a one-dimensional array of them. None, NaN and pandas.NA are missing.
    threshold : the largest distance at which two faces count as the same person, or None.

    Returns
    -------
    True, False or pandas.NA for one distance; a pandas array of dtype "boolean" for several. The decision is missing
    where the distance or the threshold is.

    >>> same_person([0.59, 0.6, 0.61], 0.6)
    <BooleanArray>
    [True, True, False]
    Length: 3, dtype: boolean
    """
    import pandas as pd

    values = pd.array(np.atleast_1d(distance), dtype="Float64").to_numpy(float, na_value=np.nan)
    limit = np.nan if threshold is None or pd.isna(threshold) else float(threshold)
    judged = pd.arrays.BooleanArray(values <= limit, np.isnan(values) | np.isnan(limit))
    if np.ndim(distance):
        return judged
    return pd.NA if judged.isna()[0] else bool(judged[0])


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors (..., dim) at length 1, float64; those of length 0 stay."""
    vectors = np.asarray(vectors, np.float64)
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(length > 0, length, 1)


def check_metric(metric: object) -> None:
    """ValueError for any other metric than those there are."""
    if metric not in METRICS:
        raise ValueError(f"metric = {metric!r}: give 'euclidean' or 'cosine'.")
