"""Distances between many points, tile by tile: fast, exact where it matters, and no n x n matrix is kept.

Design:
- Every metric is a squared Euclidean distance q = |z_i|² + |z_j|² - 2 z_i·z_j of prepared points z, so a tile costs
  one matrix product. Euclidean: z = x. Chord and cosine: z = x/|x|, chord = sqrt(q), cosine = q/2.
- That formula loses digits where q is much smaller than |z|². The points are therefore centred, and pairs that come
  out too close are recomputed: a float32 tile with many of them in float64, single pairs as a plain float64
  difference. Duplicates have distance 0, not rounding noise. Small clouds use float64 tiles, large ones float32.
- The Euclidean distance follows from a cosine tile, |x_i - x_j|² = (|x_i| - |x_j|)² + |x_i| |x_j| chord², so any pass
  over all pairs also yields the mean Euclidean distance.
- On a CPU the arrays are NumPy's, two to three times as fast here as torch's CPU arrays; on a GPU the same lines run
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
from ..base.shapes import Float, Num, Shaped
from .prepared import CHUNK, as_real_matrix, curve_ids, standardize

__all__ = ["SAMPLED", "Cloud", "sweep"]

SMALL = 2e9  # clouds whose full product takes at most so many multiply-adds use float64 tiles: about 0.1 s
# pairs with a smaller q / (|z_i|² + |z_j|²) are recomputed; the error bound of a tile in the same unit
CLOSE = {"float32": 2e-2, "float64": 1e-8}
ROUNDING = {"float32": 2e-6, "float64": 1e-13}
FEW = 3e-3  # share of close pairs up to which they are recomputed one by one
DUPLICATE = 1e-28  # smaller squared distances, at mean |z|² = 1, are rounding errors of equal points
SAMPLED = 2_000  # more points than this may have a sampled mean distance: a million pairs give it to about 0.1 %


class Cloud:
    """n points prepared for tiles of squared distances.

    Parameters
    ----------
    points : (n, dim), finite.
    metric : "euclidean", "cosine" or "chord", see `base.distance`.
    curve : (n,) ids; points with the same id are not neighbours. None: each point has its own.
    device : see `base.cores.resolve_device`.
    precision : "float32" or "float64" for the tiles; None chooses float64 for a small cloud.
    """

    def __init__(
        self,
        points: Num[Any, "n dim"],
        metric: str = "euclidean",
        curve: Shaped[Any, " n"] | None = None,
        device: Any = None,
        precision: str | None = None,
    ) -> None:
        check_metric(metric)
        raw = as_real_matrix(points, "points")
        self.metric, self.device = metric, resolve_device(device, raw.shape[0] ** 2 * raw.shape[1])
        self.n, self.dim = raw.shape
        self.precision = precision or ("float64" if self.n * self.n * self.dim <= SMALL else "float32")
        self.close, self.rounding = CLOSE[self.precision], ROUNDING[self.precision]
        self.norm, mean, self.scale, z = standardize(raw, metric != "euclidean", self.precision)
        self.raw, self.mean, self.z = (self.put(a) for a in (raw, mean, z))
        self.unit = None if self.norm is None else self.put(self.norm)
        if self.norm is not None:  # lengths in units of the longest, and of the longest times the scale
            self.longest = float(self.norm.max(initial=0)) or 1.0
            length = self.norm / self.longest
            self._length, self._scaled = (self.put(a.astype(self.precision)) for a in (length, length / self.scale))
        self.length2 = self.xp.einsum("ij,ij->i", self.z, self.z)
        ids = None if curve is None else curve_ids(curve, self.n)
        self.curve = None if ids is None or len(np.unique(ids)) == self.n else self.put(ids)
        self.totals: dict[str, float] = {}  # sums of distances over ordered pairs, known after a pass over all

    def in_double(self) -> Cloud:
        """This cloud with float64 tiles."""
        if self.precision == "float64":
            return self
        curve = None if self.curve is None else host(self.curve)
        return Cloud(host(self.raw), self.metric, curve, self.device or "cpu", "float64")

    @cached_property
    def xp(self) -> Any:
        """numpy, or torch for a cloud on a torch device."""
        if self.device is None:
            return np
        import torch

        return torch

    def put(self, array: np.ndarray) -> Any:
        """The array on the cloud's device."""
        return array if self.device is None else self.xp.as_tensor(array, device=self.device)

    def tile(self, rows: Any, cols: slice, refine: bool = True) -> Any:
        """Squared distances (rows, cols) in units of the cloud's scale.

        `refine` recomputes close pairs exactly; without it, `rows` may also be an array of indices.
        """
        q = _gram(self.z[rows], self.z[cols], self.length2[rows], self.length2[cols], self.xp)
        q = self._refine(q, rows, cols) if refine else q
        if isinstance(rows, slice) and rows == cols:
            index = self.put(np.arange(len(q)))
            q[index, index] = 0
        return q

    def _refine(self, q: Any, rows: slice, cols: slice, close: float | None = None) -> Any:
        threshold = self.close if close is None else close
        a, b = self.length2[rows], self.length2[cols]
        if float(q.min()) >= threshold * float(a.max() + b.max()) and rows != cols:
            return q
        i, j = _positions(q < threshold * (a[:, None] + b), self.xp)
        apart = i + rows.start != j + cols.start
        i, j = i[apart], j[apart]
        if close is None and self.precision == "float32" and len(i) > FEW * len(a) * len(b):
            a, b = self._double(rows), self._double(cols)
            q = _gram(a, b, (a * a).sum(1), (b * b).sum(1), self.xp)
            return self.xp.asarray(self._refine(q, rows, cols, CLOSE["float64"]), dtype=self.z.dtype)
        q[i, j] = self.xp.asarray(self.exact(i + rows.start, j + cols.start), dtype=q.dtype)
        return q

    def slack(self, rows: slice, cols: slice) -> float:
        """Upper bound of the rounding error of all entries of a tile."""
        return self.rounding * float(self.length2[rows].max() + self.length2[cols].max())

    def within(self, q: Any, rows: slice, cols: slice, edge: float) -> Any:
        """Which pairs of a tile have a squared distance of at most `edge`; decided exactly near the edge."""
        inside = q <= edge
        gap = abs(q - edge)
        i, j = _positions(gap <= self.slack(rows, cols), self.xp)
        if len(i):  # most of them only because a far point of the tile widens the bound
            unsure = gap[i, j] <= self.rounding * (self.length2[rows][i] + self.length2[cols][j])
            i, j = i[unsure], j[unsure]
            inside[i, j] = self.exact(i + rows.start, j + cols.start) <= edge
        return inside

    def shells(self, q: Any, rows: slice, cols: slice, edges: Float[np.ndarray, " radii"]) -> Any:
        """For each pair of a tile, how many of the ascending squared `edges` it lies beyond; exact near an edge."""
        slack = self.slack(rows, cols)
        low = self.put(np.zeros(q.shape, np.uint8 if len(edges) < 255 else np.int32))
        high = low + 0
        for edge in edges.tolist():
            low += q > edge + slack
            high += q > edge - slack
        i, j = _positions(low != high, self.xp)
        if len(i):
            exact = host(self.exact(i + rows.start, j + cols.start))
            low[i, j] = self.put(np.searchsorted(edges, exact, side="left").astype(host(low[:1, :1]).dtype))
        return low

    def _double(self, index):
        x = self.xp.asarray(self.raw[index], dtype=self.xp.float64)
        if self.unit is not None:
            x = x / self.unit[index][:, None]
        return (x - self.mean) / self.scale

    def exact(self, i, j):
        """Squared distances of the pairs (i, j) as plain float64 differences, (pairs,)."""
        xp, parts = self.xp, []
        for p in row_blocks(len(i), max(1, CHUNK // self.dim)):
            a, b = (xp.asarray(self.raw[k[p]], dtype=xp.float64) for k in (i, j))
            if self.unit is not None:
                a /= self.unit[i[p]][:, None]
                b /= self.unit[j[p]][:, None]
            a -= b
            a /= self.scale
            parts.append(xp.einsum("ij,ij->i", a, a))
        q = xp.concatenate(parts) if parts else xp.asarray(i, dtype=xp.float64)
        q[q < DUPLICATE] = 0
        return q

    def exclude(self, q, rows: slice, cols: slice):
        """Set pairs that cannot be neighbours, self and same curve, to infinity, in place."""
        if self.curve is not None:
            q[self.curve[rows][:, None] == self.curve[cols]] = np.inf
        elif rows.start < cols.stop and cols.start < rows.stop:
            both = np.arange(max(rows.start, cols.start), min(rows.stop, cols.stop))
            q[self.put(both - rows.start), self.put(both - cols.start)] = np.inf
        return q

    def squared(self, distance: float) -> float:
        """A distance in the metric as a squared distance in units of the cloud's scale."""
        return 2 * distance / self.scale**2 if self.metric == "cosine" else (distance / self.scale) ** 2

    def mean_distance(self, progress: bool = False) -> float:
        """Mean distance in the metric over all pairs i != j; 0 for fewer than two points."""
        if self.metric == "cosine" and self.n > 1:  # closed form, because z is centred
            return float(self.length2.sum() * self.scale**2 / (self.n - 1))
        return self._total(self.metric, progress) / max(self.n * (self.n - 1), 1)

    def euclidean_total(self, progress: bool = False) -> float:
        """Sum of the Euclidean distances of all ordered pairs, whatever the metric."""
        return self._total("euclidean", progress)

    def sampled_mean(self) -> float:
        """Mean distance over a million random pairs i != j, not for the cosine metric."""
        i = np.random.default_rng(0).integers(self.n, size=(2, 1_000_000))
        i[1] = (i[0] + 1 + i[1] % (self.n - 1)) % self.n  # another point than the first
        q = self.exact(self.put(i[0]), self.put(i[1])) * self.scale**2
        return float((q**0.5).mean())

    def _total(self, metric: str, progress: bool) -> float:
        if metric not in self.totals:
            sweep(self, lambda q, rows, cols: None, progress)
        return self.totals[metric]

    def distance_sums(self, q: Any, rows: slice, cols: slice) -> dict[str, float]:
        """Sums of the distances of a tile in the Euclidean and, unless it has a closed form, in the own metric."""
        found = {}
        if self.metric != "cosine":
            found[self.metric] = self._sum(self.xp.sqrt(q)) * self.scale
        if self.norm is not None:
            squared = q * self._length[rows][:, None]
            squared *= self._length[cols]
            gap = self._scaled[rows][:, None] - self._scaled[cols]
            gap *= gap
            squared += gap
            found["euclidean"] = self._sum(self.xp.sqrt(squared, out=squared)) * self.scale * self.longest
        return found

    def _sum(self, tile: Any) -> float:
        # NumPy adds in pairs; torch would lose a digit, and with it who is at the edge of a relative ball
        return float(tile.sum() if self.device is None else tile.double().sum())


def _gram(a, b, a2, b2, xp):
    q = a @ b.T
    q *= -2
    q += a2[:, None]
    q += b2
    return xp.clip(q, 0, None, out=q)


def _positions(mask: Any, xp: Any) -> tuple[Any, Any]:
    """Rows and columns where a mask is true."""
    # twenty times as fast as nonzero of two dimensions
    return np.divmod(np.flatnonzero(mask), mask.shape[1]) if xp is np else xp.where(mask)


def sweep(
    cloud: Cloud,
    visit: Callable[[Any, slice, slice], None],
    progress: bool = False,
    refine: bool = True,
    first: int | None = None,
) -> dict[str, float]:
    """Call visit(q, rows, cols) for the tiles of the upper triangle; returns the sums of distances over ordered pairs.

    `visit` may change q in place. It runs in several threads and must lock what it adds to.
    first : visit only pairs of which one point is among the first so many.
    """
    width = 512 if cloud.device is None else 8192
    few = cloud.n if first is None else first
    blocks = [
        slice(b.start + few * k, b.stop + few * k)
        for k, n in enumerate((few, cloud.n - few))
        for b in row_blocks(n, width)
    ]
    pairs = [(r, c) for k, r in enumerate(blocks) for c in blocks[k:] if r.start < few]
    lock, totals = threading.Lock(), dict.fromkeys(("euclidean", cloud.metric), 0.0)

    def work(pair: tuple[slice, slice]) -> None:
        rows, cols = pair
        q = cloud.tile(rows, cols, refine)
        sums = cloud.distance_sums(q, rows, cols)
        with lock:
            for metric, total in sums.items():
                totals[metric] += total * (1 if rows == cols else 2)
        visit(q, rows, cols)

    over(pairs, work, progress, cloud.device)
    if first is None:
        cloud.totals = totals
    return totals
