"""Weighted neighbours, and the sums over them that energies are made of.

For any unit directions u, a graph gives the sums s_i = sum_j w_ij u_i·u_j and the weights W_i = sum_j w_ij, at one
scale or at several. The graphs here compute the weights of all pairs tile by tile, in the same pass as the products
u_i·u_j; the k nearest are few enough to keep, see `nearest`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np

from ..base.cores import host
from ..base.shapes import Float, Num
from .tiles import Cloud, sweep

__all__ = ["Graph", "PairGraph", "ShellGraph", "Sums", "inverse_power", "squared_edges"]


class Sums(NamedTuple):
    """`aligned` (fields, scales, n) and `weight` (scales, n), which is 0 for an isolated point."""

    aligned: Float[np.ndarray, "fields scales n"]
    weight: Num[np.ndarray, "scales n"]

    @property
    def energies(self) -> Float[np.ndarray, "fields scales n"]:
        """E_i = 1 - s_i / W_i, which needs no difference of any pair; NaN without a neighbour."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.clip(1 - self.aligned / self.weight, 0, 2)


class Graph(Protocol):
    """Weighted neighbours of the points of a cloud."""

    def sums(self, fields: list[Float[np.ndarray, "n dim"]], progress: bool = False) -> Sums: ...


def inverse_power(q: Any, half: float, xp: Any) -> Any:
    """q^-half in place; 0 for excluded pairs (q infinite) and, unless half is 0, for pairs at distance 0."""
    if half == 0:
        return xp.isfinite(q)
    q[q == 0] = np.inf
    if half == 0.5:
        q = xp.sqrt(q, out=q)
    elif half != 1:
        q **= half
    return xp.reciprocal(q, out=q)


def squared_edges(cloud: Cloud, radii: Any) -> Float[np.ndarray, " radii"]:
    """Radii as squared distances of the cloud, with a small tolerance: a point on the edge counts as inside."""
    edges = np.array([cloud.squared(r) for r in radii], dtype=np.float64) * (1 + 1e-12)
    return np.minimum(edges, 1e30)  # excluded pairs are infinite


class PairGraph:
    """One scale; weights that are a function of the squared distance, computed tile by tile and never kept.

    weigh(q, rows, cols) gives the weights of a tile, as numbers or as a mask; q is infinite for excluded pairs.
    """

    def __init__(self, cloud: Cloud, weigh: Callable[[Any, slice, slice], Any], include_self: bool = False) -> None:
        self.cloud, self.weigh, self.include_self = cloud, weigh, include_self

    def sums(self, fields: list[Float[np.ndarray, "n dim"]], progress: bool = False) -> Sums:
        cloud = self.cloud
        units = [cloud.put(np.asarray(u, cloud.precision)) for u in fields]
        own = float(self.include_self)  # a point that counts itself starts with weight 1 and cosine 1
        aligned, weight = np.full((len(units), 1, cloud.n), own), np.full((1, cloud.n), own)
        lock = threading.Lock()

        def visit(q, rows: slice, cols: slice) -> None:
            w = self.weigh(cloud.exclude(q, rows, cols), rows, cols)
            if w.dtype == cloud.xp.bool:
                if not bool(w.any()):
                    return
                w = cloud.xp.asarray(w, dtype=q.dtype)
            ends = [(rows, 1, "ij,ij->i")] if rows == cols else [(rows, 1, "ij,ij->i"), (cols, 0, "ij,ij->j")]
            found = [(points, host(w.sum(axis))) for points, axis, _ in ends]
            dots = []
            for u in units:
                c = u[rows] @ u[cols].T
                dots.append([host(cloud.xp.einsum(rule, w, c)) for _, _, rule in ends])
            with lock:
                for end, (points, total) in enumerate(found):
                    weight[0, points] += total
                    for f, dot in enumerate(dots):
                        aligned[f, 0, points] += dot[end]

        sweep(cloud, visit, progress)
        return Sums(aligned, weight)


class ShellGraph:
    """Balls of several radii at once: sums over the shells between them, then added up from the smallest radius on.

    edges : ascending squared radii, see `squared_edges`.
    """

    def __init__(self, cloud: Cloud, edges: Float[np.ndarray, " scales"], include_self: bool = False) -> None:
        self.cloud, self.edges, self.include_self = cloud, edges, include_self

    def sums(self, fields: list[Float[np.ndarray, "n dim"]], progress: bool = False) -> Sums:
        cloud, xp, bins = self.cloud, self.cloud.xp, len(self.edges) + 1
        units = [cloud.put(np.asarray(u, cloud.precision)) for u in fields]
        aligned, weight = np.zeros((len(units), cloud.n, bins)), np.zeros((cloud.n, bins))
        lock = threading.Lock()

        def histogram(shell: Any, axis: int, weights: Any = None) -> np.ndarray:
            points = shell.shape[axis]
            first_bin = cloud.put(np.arange(points) * bins)
            flat = (shell + (first_bin[:, None] if axis == 0 else first_bin)).ravel()
            found = xp.bincount(flat, None if weights is None else weights.ravel(), minlength=points * bins)
            return host(found).reshape(points, bins)

        def visit(q: Any, rows: slice, cols: slice) -> None:
            shell = cloud.shells(cloud.exclude(q, rows, cols), rows, cols, self.edges)
            cosines = [u[rows] @ u[cols].T for u in units]
            for points, axis in [(rows, 0)] if rows == cols else [(rows, 0), (cols, 1)]:
                number, parts = histogram(shell, axis), [histogram(shell, axis, c) for c in cosines]
                with lock:
                    weight[points] += number
                    for f, part in enumerate(parts):
                        aligned[f, points] += part

        sweep(cloud, visit, progress)
        own = float(self.include_self)
        aligned, weight = (np.moveaxis(a.cumsum(-1)[..., :-1], -1, -2) for a in (aligned, weight))
        return Sums(aligned + own, weight + own)
