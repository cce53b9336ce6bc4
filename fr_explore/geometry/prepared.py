"""Points and curves as the computation needs them: checked, centred, scaled."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..base.cores import row_blocks
from ..base.shapes import Float, Int, Num, Shaped
from ..base.vectors import as_array

__all__ = ["CHUNK", "as_real_matrix", "curve_ids", "finite_points", "standardize"]

CHUNK = 200_000  # numbers in a temporary array, few enough to stay in the processor's cache
NOT_FINITE = "the points hold NaN or infinity: leave these points out first."


def as_real_matrix(values: Num[Any, "n dim"], name: str) -> Float[np.ndarray, "n dim"]:
    """`values` as float32 or float64; half precision becomes float32, integers become float64."""
    array = as_array(values)
    if array.ndim != 2:
        raise ValueError(f"{name} have shape {array.shape}: give two dimensions, (points, dim).")
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{name} have type {array.dtype}: give real numbers, such as float32.")
    if array.dtype == np.float32:
        return array
    return array.astype(np.float32 if array.dtype == np.float16 else np.float64, copy=False)


def finite_points(points: Num[Any, "n dim"]) -> Float[np.ndarray, "n dim"]:
    """`as_real_matrix` of points that all are numbers; otherwise ValueError."""
    cloud = as_real_matrix(points, "points")
    if not np.isfinite(cloud).all():
        raise ValueError(NOT_FINITE)
    return cloud


def curve_ids(curve: Shaped[Any, " n"], n: int) -> Int[np.ndarray, " n"]:
    """The curve of each of n points as an integer from 0."""
    curve = np.asarray(curve)
    if curve.shape != (n,):
        raise ValueError(f"curve has shape {curve.shape}: give one id for each of the {n} points.")
    return np.unique(curve, return_inverse=True)[1].astype(np.int64)


def standardize(raw: np.ndarray, unit: bool, precision: str):
    """Norms, mean, scale and the centred, scaled points; computed in chunks to avoid a float64 copy."""
    n, dim = raw.shape
    parts = row_blocks(n, max(1, CHUNK // max(dim, 1)))
    norm = None
    if unit:
        norm = np.concatenate([np.linalg.norm(raw[p].astype(np.float64), axis=1) for p in parts] or [np.ones(0)])
        if (norm == 0).any():
            raise ValueError(
                f"point {int(np.argmin(norm))} has length 0, which has no cosine: leave it out or use the "
                "euclidean metric."
            )

    def centred(p, mean: Any = 0.0):
        return (raw[p] if norm is None else raw[p] / norm[p][:, None]) - mean

    if norm is None:
        mean = raw.mean(0, dtype=np.float64) if n else np.zeros(dim)
        far = float(max((raw.max(0) - mean).max(), (mean - raw.min(0)).max())) if raw.size else 0.0
    else:
        mean, far = sum((centred(p).sum(0) for p in parts), np.zeros(dim)) / max(n, 1), 2.0
    if not np.isfinite(far):
        raise ValueError(NOT_FINITE)
    # squares of numbers up to 1 neither overflow nor vanish
    far = far or 1.0
    square = 0.0
    for p in parts:
        part = centred(p, mean)
        part /= far
        square += float(np.einsum("ij,ij->", part, part))
    scale = far * float(np.sqrt(square / max(n, 1))) or 1.0
    z = np.empty((n, dim), precision)
    for p in parts:
        np.divide(centred(p, mean), scale, out=z[p], casting="same_kind")
    return norm, mean, scale, z
