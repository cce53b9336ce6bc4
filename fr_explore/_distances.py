"""The distance between two embeddings, in the metric that a model's card names; its one home."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["METRICS", "check_metric", "distance", "unit"]

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


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors (..., dim) at length 1, float64; those of length 0 stay."""
    vectors = np.asarray(vectors, np.float64)
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(length > 0, length, 1)


def check_metric(metric: object) -> None:
    """ValueError for any other metric than those there are."""
    if metric not in METRICS:
        raise ValueError(f"metric = {metric!r}: give 'euclidean' or 'cosine'.")
