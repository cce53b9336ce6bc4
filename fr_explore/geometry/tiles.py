"""Distances between many points, tile by tile: fast, exact where it matters, never an n x n matrix kept.

Why it looks as it does:
- All metrics are one squared Euclidean distance q = |z_i|² + |z_j|² - 2 z_i·z_j of prepared points z, so that a
  tile costs one matrix product. Euclidean: z = x; chord and cosine: z = x/|x|, with chord = sqrt(q), cosine = q/2.
- That formula loses digits where q is much smaller than |z|². The points are centred, large clouds use float32
  tiles, and pairs that come out too close are computed again: a tile with many of them in float64, single pairs as
  a plain difference in float64. Duplicates therefore have distance 0, not rounding noise.
- On a CPU the arrays are NumPy's, which was two to three times as fast here as torch; on a GPU the same lines run
  with `xp = torch`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from ..base.cores import host, over, resolve_device, row_blocks
from ..base.distance import check_metric

__all__ = ["Cloud", "as_real_matrix", "curve_ids", "sweep"]

SMALL = 2e9  # multiply-adds of one full product up to which everything is done in float64: about 0.1 s
# q / (|z_i|² + |z_j|²) below which a pair is computed again, and the error bound of a tile in the same unit
CLOSE = {"float32": 2e-2, "float64": 1e-8}
ROUNDING = {"float32": 2e-6, "float64": 1e-13}
FEW = 3e-3  # share of close pairs up to which they are recomputed one by one
DUPLICATE = 1e-28  # squared distances below this, at mean |z|² = 1, are rounding of the same point
SAMPLED = 2_000  # points above which a mean distance need not be exact: a million pairs give it to about 0.1 %
CHUNK = 200_000  # numbers in a temporary array of exact differences: they stay in the processor's cache


def as_real_matrix(values: Any, name: str) -> np.ndarray:
    """`values` as a float32 or float64 array (n, dim); half precision becomes float32, integers float64."""
    array = np.asarray(values)
    if array.ndim != 2:
        raise ValueError(f"{name} have shape {array.shape}: give two dimensions, (points, dim).")
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{name} have type {array.dtype}: give real numbers, such as float32.")
    if array.dtype == np.float32:
        return array
    return array.astype(np.float32 if array.dtype == np.float16 else np.float64, copy=False)


def curve_ids(curve: Any, n: int) -> np.ndarray:
    """The curve of each of n points as whole numbers from 0."""
    curve = np.asarray(curve)
    if curve.shape != (n,):
        raise ValueError(f"curve has shape {curve.shape}: give one id for each of the {n} points.")
    return np.unique(curve, return_inverse=True)[1].astype(np.int64)


class Cloud:
    """n points prepared for tiles of squared distances.

    Parameters
    ----------
    points : (n, dim), finite.
    metric : "euclidean", "cosine" (1 - cos) or "chord" (sqrt(2 (1 - cos))).
    curve : (n,) or None; pairs with the same value are no neighbours of each other. None: each point is its own.
    device : None for NumPy on the CPU, otherwise a torch device.
    precision : "float32" or "float64" for the tiles; None chooses float64 for a small cloud.
    """

    def __init__(self, points, metric: str = "euclidean", curve=None, device=None, precision: str | None = None):
        check_metric(metric)
        raw = as_real_matrix(points, "points")
        self.metric, self.device = metric, resolve_device(device, raw.shape[0] ** 2 * raw.shape[1])
        self.n, self.dim = raw.shape
        self.precision = precision or ("float64" if self.n * self.n * self.dim <= SMALL else "float32")
        self.close, self.rounding = CLOSE[self.precision], ROUNDING[self.precision]
        self.norm, mean, self.scale, z = _standardise(raw, metric != "euclidean", self.precision)
        self.raw, self.mean, self.z = (self.put(a) for a in (raw, mean, z))
        self.unit = None if self.norm is None else self.put(self.norm)
        self.length2 = self.xp.einsum("ij,ij->i", self.z, self.z)
        ids = None if curve is None else curve_ids(curve, self.n)
        self.curve = None if ids is None or len(np.unique(ids)) == self.n else self.put(ids)
        self._mean_root: float | None = None

    def in_double(self) -> Cloud:
        """The same cloud with float64 tiles."""
        if self.precision == "float64":
            return self
        curve = None if self.curve is None else host(self.curve)
        return Cloud(host(self.raw), self.metric, curve, self.device or "cpu", "float64")

    @cached_property
    def xp(self) -> Any:
        """numpy, or torch where the cloud lives on a torch device."""
        if self.device is None:
            return np
        import torch

        return torch

    def put(self, array: np.ndarray) -> Any:
        return array if self.device is None else self.xp.as_tensor(array, device=self.device)

    def tile(self, rows, cols: slice, refine: bool = True):
        """Squared distances in units of the cloud's scale, (rows, cols); close pairs exact if `refine`.

        Without it, `rows` may also be an array of indices.
        """
        q = _gram(self.z[rows], self.z[cols], self.length2[rows], self.length2[cols], self.xp)
        return self._refine(q, rows, cols) if refine else q

    def _refine(self, q, rows: slice, cols: slice, close: float | None = None):
        xp = self.xp
        threshold = self.close if close is None else close
        a, b = self.length2[rows], self.length2[cols]
        if float(q.min()) >= threshold * float(a.max() + b.max()) and rows != cols:
            return q
        i, j = xp.where(q < threshold * (a[:, None] + b))
        apart = i + rows.start != j + cols.start
        i, j = i[apart], j[apart]
        if close is None and self.precision == "float32" and len(i) > FEW * len(a) * len(b):
            a, b = self._double(rows), self._double(cols)
            q = _gram(a, b, (a * a).sum(1), (b * b).sum(1), xp)
            return self.xp.asarray(self._refine(q, rows, cols, CLOSE["float64"]), dtype=self.z.dtype)
        q[i, j] = xp.asarray(self.exact(i + rows.start, j + cols.start), dtype=q.dtype)
        if rows == cols:
            index = self.put(np.arange(len(a)))
            q[index, index] = 0
        return q

    def slack(self, rows: slice, cols: slice) -> float:
        """Bound of the rounding error of every entry of a tile."""
        return self.rounding * float(self.length2[rows].max() + self.length2[cols].max())

    def within(self, q, rows: slice, cols: slice, edge: float):
        """Which pairs of a tile have a squared distance of at most `edge`; exact where rounding could decide."""
        inside = q <= edge
        gap = abs(q - edge)
        i, j = self.xp.where(gap <= self.slack(rows, cols))
        if len(i):  # most of them only because a far point of the tile widens the bound
            unsure = gap[i, j] <= self.rounding * (self.length2[rows][i] + self.length2[cols][j])
            i, j = i[unsure], j[unsure]
            inside[i, j] = self.exact(i + rows.start, j + cols.start) <= edge
        return inside

    def _double(self, index):
        x = self.xp.asarray(self.raw[index], dtype=self.xp.float64)
        if self.unit is not None:
            x = x / self.unit[index][:, None]
        return (x - self.mean) / self.scale

    def exact(self, i, j):
        """Squared distances of the pairs (i, j) as plain float64 differences, (pairs,)."""
        xp = self.xp
        parts = []
        step = max(1, CHUNK // self.dim)
        for start in range(0, len(i), step):
            a, b = (xp.asarray(self.raw[k[start : start + step]], dtype=xp.float64) for k in (i, j))
            if self.unit is not None:
                a /= self.unit[i[start : start + step]][:, None]
                b /= self.unit[j[start : start + step]][:, None]
            a -= b
            a /= self.scale
            parts.append(xp.einsum("ij,ij->i", a, a))
        q = xp.concatenate(parts) if parts else xp.asarray(i, dtype=xp.float64)
        q[q < DUPLICATE] = 0
        return q

    def exclude(self, q, rows: slice, cols: slice):
        """Set the pairs that are no neighbours, self and same curve, to infinity, in place."""
        if self.curve is not None:
            q[self.curve[rows][:, None] == self.curve[cols]] = np.inf
        elif rows.start < cols.stop and cols.start < rows.stop:
            both = np.arange(max(rows.start, cols.start), min(rows.stop, cols.stop))
            q[self.put(both - rows.start), self.put(both - cols.start)] = np.inf
        return q

    def squared(self, distance: float) -> float:
        """A distance of the metric as a squared distance in units of the cloud's scale."""
        return 2 * distance / self.scale**2 if self.metric == "cosine" else (distance / self.scale) ** 2

    def set_mean(self, total: float) -> None:
        """Keep the mean distance, from the sum of sqrt(q) over all ordered pairs that a pass came by."""
        self._mean_root = total / max(self.n * (self.n - 1), 1)

    def mean_distance(self, progress: bool = False, exact: bool = True) -> float:
        """Mean over all pairs i != j, in the metric, or unless `exact` over a million of them; 0 for one point."""
        if self.n < 2:
            return 0.0
        if self.metric == "cosine":  # mean of |z_i - z_j|² over pairs in closed form: z is centred
            return float(self.length2.sum() * self.scale**2 / (self.n - 1))
        if not exact and self.n > SAMPLED:
            i = np.random.default_rng(0).integers(self.n, size=(2, 1_000_000))
            i[1] = (i[0] + 1 + i[1] % (self.n - 1)) % self.n  # another point than the first
            q = self.exact(self.put(i[0]), self.put(i[1])) * self.scale**2
            return float((q**0.5).mean())
        if self._mean_root is None:
            sweep(self, lambda q, rows, cols: None, progress)
        return float(self._mean_root or 0.0) * self.scale


def _standardise(raw: np.ndarray, unit: bool, precision: str):
    """Norms, mean, scale and the centred, scaled points; in chunks, so that no float64 copy is held."""
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
        raise ValueError("the points hold NaN or infinity: leave these points out first.")
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


def _gram(a, b, a2, b2, xp):
    q = a @ b.T
    q *= -2
    q += a2[:, None]
    q += b2
    return xp.clip(q, 0, None, out=q)


def sweep(
    cloud: Cloud, visit: Callable[[Any, slice, slice], None], progress: bool = False, refine: bool = True
) -> None:
    """Call visit(q, rows, cols) for the tiles of the upper triangle; q is the visitor's to change.

    The mean distance comes along for free. Visitors run in several threads: they lock what they add to.
    """
    blocks = row_blocks(cloud.n, 512 if cloud.device is None else 8192)
    lock, total = threading.Lock(), [0.0]

    def work(pair: tuple[slice, slice]) -> None:
        rows, cols = pair
        q = cloud.tile(rows, cols, refine)
        # NumPy adds in pairs; torch would lose a digit, and with it who is at the edge of a relative ball
        roots = cloud.xp.sqrt(q)
        part = float(roots.sum() if cloud.device is None else roots.double().sum()) * (1 if rows == cols else 2)
        with lock:
            total[0] += part
        visit(q, rows, cols)

    over([(r, c) for k, r in enumerate(blocks) for c in blocks[k:]], work, progress, cloud.device)
    cloud.set_mean(total[0])
