"""Gaussian blur in numpy: SciPy's image functions take longer to import than the first face to draw."""

from __future__ import annotations

import numpy as np

from ...base.memory import passing

__all__ = ["smooth"]


def smooth(values: np.ndarray, sigma: tuple[float, float], wrap: bool = False) -> np.ndarray:
    """Blur (rows, columns) by a Gaussian with standard deviations down and across, cut at four of them.

    wrap : whether the values continue on the other side; otherwise they are mirrored at the border.
    """
    return _blur(_blur(values, sigma[0], wrap).T, sigma[1], wrap).T


# multiply-adds of a product that BLAS computes in one thread; others would spin for a while afterwards, beside the one
# that compiles the engine
FEW = 250_000


def _blur(values: np.ndarray, sigma: float, wrap: bool) -> np.ndarray:
    """Blur the columns, some rows at a time: each takes part in the blur of its neighbours only."""
    size, width = values.shape
    matrix, radius = _matrix(size, sigma, wrap), size if wrap else _radius(sigma)
    near = min(2 * radius, size)
    block = max(int(np.sqrt((near / 2) ** 2 + FEW / width) - near / 2), 1)  # block * (block + near) * width <= FEW
    out = np.empty(values.shape)
    for start in range(0, size, block):
        rows, reached = slice(start, start + block), slice(max(start - radius, 0), start + block + radius)
        np.matmul(matrix[rows, reached], values[reached], out=out[rows])
    return out


def _radius(sigma: float) -> int:
    return int(4 * sigma + 0.5)


@passing(64)
def _matrix(size: int, sigma: float, wrap: bool) -> np.ndarray:
    """Matrix (size, size) that blurs a column."""
    radius = _radius(sigma)
    bell = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    own, out = np.arange(size), np.zeros((size, size))
    for weight, step in zip(bell / bell.sum(), range(-radius, radius + 1), strict=True):
        place = (own + step) % (size if wrap else 2 * size)
        out[own, np.minimum(place, 2 * size - 1 - place)] += weight
    return out
