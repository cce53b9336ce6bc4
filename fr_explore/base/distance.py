"""The distance between two embeddings, and the decision that follows from it.

This module defines the metrics, checks their names and normalises vectors for them. With x and y embeddings and
cos = x·y / (|x| |y|):

    euclidean   |x - y|
    cosine      1 - cos
    chord       sqrt(2 (1 - cos)), the Euclidean distance of the two unit vectors

A model card and `attrs["metric"]` of embeddings or of a field name one of the first two; a neighbourhood may also use
the chord, which orders pairs as the cosine does but is a true metric.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["METRICS", "MODEL_METRICS", "check_metric", "data_metric", "distance", "normalized", "same_person", "unit"]

METRICS = ("euclidean", "cosine", "chord")
MODEL_METRICS = METRICS[:2]


def distance(first: Any, second: Any, metric: str, *, units: bool = False) -> np.ndarray:
    """Distance along the last axis in float64, (..., dim) and (..., dim) -> (...).

    For "cosine" and "chord" both follow from |a - b|² of the unit vectors a and b, which is exactly 0 for equal vectors
    and keeps its digits for nearly parallel ones, where 1 - a·b would lose them. A vector of length 0 has cos = 0 with
    every other.

    Parameters
    ----------
    units : the vectors already have length 1, as `normalized` returns them; has no effect on "euclidean".

    Raises ValueError for an unknown metric.
    """
    check_metric(metric)
    a, b = (np.asarray(values, np.float64) for values in (first, second))
    if not units:
        a, b = normalized(a, metric), normalized(b, metric)
    gap = a - b
    squared = np.einsum("...i,...i->...", gap, gap)
    if metric != "euclidean" and not units:
        squared = np.where(a.any(-1) & b.any(-1), squared, 2.0)
    return squared / 2 if metric == "cosine" else np.sqrt(squared)


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
    """Vectors (..., dim) scaled to length 1, float64; vectors of length 0 stay 0."""
    vectors = np.asarray(vectors, np.float64)
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(length > 0, length, 1)


def normalized(vectors: np.ndarray, metric: str) -> np.ndarray:
    """Vectors (..., dim) as the metric compares them: unchanged for "euclidean", at length 1 for the others."""
    return np.asarray(vectors) if metric == "euclidean" else unit(vectors)


def check_metric(metric: Any, known: tuple[str, ...] = METRICS, owner: str = "") -> str:
    """The metric, if it is one of `known`; otherwise ValueError, which names the `owner` too."""
    if metric not in known:
        raise ValueError(f"metric {metric!r}{owner and f' of {owner}'} is unknown: choose from {', '.join(known)}.")
    return metric


def data_metric(data: Any, metric: str | None = None) -> str:
    """`metric`, or without one `data.attrs["metric"]`, or "euclidean"; ValueError unless it is a model's metric."""
    return check_metric(metric or getattr(data, "attrs", {}).get("metric", "euclidean"), MODEL_METRICS)
