"""From points to weighted neighbours to sums over them: the graphs that the neighbourhoods of `neighbors` stand for.

A graph gives, for any sets of unit directions u, what the energy is made of: the sums s_i = sum_j w_ij u_i·u_j and
the weights W_i = sum_j w_ij. Weights that depend on the distance of all pairs are computed tile by tile in the
same pass as the products u_i·u_j; the k nearest are few enough to keep.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np

from ..base.cores import cores, host, over, row_blocks
from ..base.optional import import_extra
from .tiles import Cloud, sweep

__all__ = ["Graph", "NearestGraph", "PairGraph", "Sums", "inverse_power", "nearest", "nearly_nearest", "squared_edges"]


SEED = 16  # a row's first bound is the (k + 1)-th of 16 (k + 1) columns
PATIENCE = 3  # how many times as many as are held may wait to be compared
TIE = 1e-11  # relative difference below which squared distances may be rounded to the same number


class Sums(NamedTuple):
    """What a graph says about directions: `aligned` (fields, n) and `weight` (n,), 0 for an isolated point."""

    aligned: np.ndarray
    weight: np.ndarray


class Graph(Protocol):
    """Weighted neighbours of the points of a cloud."""

    def sums(self, fields: list[np.ndarray], progress: bool = False) -> Sums: ...


def inverse_power(q, half: float, xp):
    """q^-half in place; 0 for excluded pairs (q infinite) and, unless half is 0, for pairs at distance 0."""
    if half == 0:
        return xp.isfinite(q)
    q[q == 0] = np.inf
    if half == 0.5:
        q = xp.sqrt(q, out=q)
    elif half != 1:
        q **= half
    return xp.reciprocal(q, out=q)


def squared_edges(cloud: Cloud, radii) -> np.ndarray:
    """Radii as squared distances of the cloud, a hair wider, so that a point on the edge counts as inside."""
    edges = np.array([cloud.squared(r) for r in radii], dtype=np.float64) * (1 + 1e-12)
    return np.minimum(edges, 1e30)  # excluded pairs are infinite


class PairGraph:
    """Weights that are a function of the squared distance; computed tile by tile, never kept."""

    def __init__(self, cloud: Cloud, weigh: Callable[[Any, slice, slice], Any], include_self: bool = False) -> None:
        self.cloud, self.weigh, self.include_self = cloud, weigh, include_self

    def sums(self, fields: list[np.ndarray], progress: bool = False) -> Sums:
        cloud = self.cloud
        units = [cloud.put(np.asarray(u, cloud.precision)) for u in fields]
        # a point that counts itself starts with weight 1 and cosine 1
        aligned, weight = np.full((len(units), cloud.n), float(self.include_self)), np.zeros(cloud.n)
        weight += self.include_self
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
                    weight[points] += total
                    for f, dot in enumerate(dots):
                        aligned[f, points] += dot[end]

        sweep(cloud, visit, progress)
        return Sums(aligned, weight)


class NearestGraph:
    """Equal weights on the neighbours `index` (n, k), where `there`."""

    def __init__(self, index: np.ndarray, there: np.ndarray, include_self: bool = False) -> None:
        self.index, self.there, self.include_self = index, there, include_self

    def sums(self, fields: list[np.ndarray], progress: bool = False) -> Sums:
        from scipy.sparse import csr_array

        n, count = len(self.index), self.there.sum(1)
        starts, column = np.concatenate([[0], np.cumsum(count)]), self.index[self.there]
        aligned = np.full((len(fields), n), float(self.include_self))

        def work(p: slice) -> None:
            first, last = starts[p.start], starts[p.stop]
            for f, u in enumerate(fields):
                parts = (np.ones(last - first, u.dtype), column[first:last], starts[p.start : p.stop + 1] - first)
                aligned[f, p] += np.einsum("id,id->i", u[p], csr_array(parts, shape=(p.stop - p.start, n)) @ u)

        over(row_blocks(n, 1024), work)
        return Sums(aligned, count + float(self.include_self))


def nearest(cloud: Cloud, k: int, progress: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest neighbours of each point: indices (n, k), in no order, and which of them exist.

    A tile's entries are known to within an error bound. Where that bound leaves open who is among the k, all that
    could be are compared by their exact distances, and ties go to the lower index.
    """
    k = max(0, min(k, cloud.n - 1))
    index, there = np.zeros((cloud.n, k), np.int64), np.ones((cloud.n, k), bool)
    if k == 0:
        return index, there
    slack = cloud.rounding * cloud.length2  # the entry (i, j) is wrong by at most slack_i + slack_j
    lower, column = _candidates(cloud, slack, k, progress)
    own = host(slack)
    upper = (lower[:, :k] + 2 * own[column[:, :k]]).max(1)
    reach = (upper + 2 * own) * (1 + TIE)
    index[:] = column[:, :k]
    open_rows = np.nonzero(~(lower[:, k] > reach))[0]

    def work(part: slice) -> None:
        rows = open_rows[part]
        q = host(cloud.tile(rows, slice(0, cloud.n), refine=False) - slack)
        for i, row in zip(rows, q, strict=True):
            index[i], there[i] = _decide(cloud, i, np.nonzero(row <= reach[i])[0], k)

    over(row_blocks(len(open_rows), max(1, min(256, 16_000_000 // cloud.n))), work, False, cloud.device)
    return index, there


def nearly_nearest(cloud: Cloud, k: int, candidates: int) -> tuple[np.ndarray, np.ndarray]:
    """What `nearest` gives, but for a few neighbours, by a search in a graph of 32 links for each point (HNSW).

    Malkov and Yashunin, "Efficient and robust approximate nearest neighbor search using hierarchical navigable small
    world graphs", TPAMI 2020. The graph is built by one thread, so that it is the same every time.
    """
    faiss = import_extra("faiss", "ann", "An approximate neighbourhood")
    k = max(0, min(k, cloud.n - 1))
    points = np.ascontiguousarray(host(cloud.z), np.float32)
    curve = np.arange(cloud.n) if cloud.curve is None else host(cloud.curve)
    wanted = min(cloud.n, k + int(np.bincount(curve).max(initial=0)))
    index = faiss.IndexHNSWFlat(cloud.dim, 16)
    threads = faiss.omp_get_max_threads()
    try:
        faiss.omp_set_num_threads(1)
        index.add(points)
        faiss.omp_set_num_threads(cores())
        found = index.search(points, wanted, params=faiss.SearchParametersHNSW(efSearch=max(candidates, wanted)))[1]
    finally:
        faiss.omp_set_num_threads(threads)
    # itself and its curve go to the end; what is left in front is in order of distance
    out = (found < 0) | (curve[found] == curve[:, None])
    order = np.argsort(out, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(found, order, 1), ~np.take_along_axis(out, order, 1)


def _candidates(cloud: Cloud, slack, k: int, progress: bool) -> tuple[np.ndarray, np.ndarray]:
    """Lower bounds and indices (n, k + 1) of the k + 1 points that may be nearest, the last one the furthest of them.

    The bounds still lack the row's own slack. Each tile of the upper triangle serves its rows and its columns.
    """
    best = np.full((cloud.n, k + 1), np.inf, cloud.precision)
    column = np.zeros(best.shape, np.int64)
    lists: dict[int, _Shortlist] = {}

    def visit(q, rows: slice, cols: slice) -> None:
        cloud.exclude(q, rows, cols)
        for here, others, tile in [(rows, cols, q), (cols, rows, q.T)][: 1 if rows == cols else 2]:
            mine = lists.setdefault(here.start, _Shortlist(best[here], column[here]))
            if cloud.device is None:
                row, where, value = _below(tile, slack[others], mine.bound, k)
            else:
                value, where = (host(a).ravel() for a in _topk(tile - slack[others], k))
                row = np.repeat(np.arange(len(tile)), len(value) // len(tile))
            mine.add(row, where + others.start, value)

    sweep(cloud, visit, progress, refine=False)
    for mine in lists.values():
        mine.settle()
    return best, column


class _Shortlist:
    """The k + 1 nearest so far of some rows, in the arrays `best` and `column`, and what waits to be compared.

    A comparison costs more than finding what is below a bound that is not the latest: it is put off until as many
    wait as are held a few times over. Another thread may lower the bound of a row meanwhile.
    """

    def __init__(self, best: np.ndarray, column: np.ndarray) -> None:
        self.best, self.column, self.bound = best, column, best.max(1)
        self.waiting: list[tuple[np.ndarray, ...]] = []
        self.lock = threading.Lock()

    def add(self, row: np.ndarray, column: np.ndarray, value: np.ndarray) -> None:
        with self.lock:
            self.waiting.append((row.astype(np.uint16), column, value))
            first = np.isinf(self.bound[0])
            if first or sum(len(value) for *_, value in self.waiting) > PATIENCE * self.best.size:
                self.settle()

    def settle(self) -> None:
        n, width = self.best.shape
        held = (np.repeat(np.arange(n, dtype=np.uint16), width), self.column.ravel(), self.best.ravel())
        row, column, value = (np.concatenate(parts) for parts in zip(held, *self.waiting, strict=True))
        self.waiting = []
        order = np.argsort(row, kind="stable")  # of 16 bits: in linear time
        row, count = row[order], np.bincount(row, minlength=n)
        place = np.arange(len(row)) - (np.cumsum(count) - count)[row]
        values = np.full((n, count.max()), np.inf, value.dtype)
        columns = np.zeros(values.shape, np.int64)
        values[row, place], columns[row, place] = value[order], column[order]
        order = np.argpartition(values, width - 1, axis=1)[:, :width]
        self.best[:], self.column[:] = (np.take_along_axis(a, order, 1) for a in (values, columns))
        self.bound = self.best[:, -1].copy()


def _topk(tile, k: int):
    """Values and columns of the k + 1 smallest entries of each row, or of all, if they are fewer; torch's."""
    return tile.topk(min(k + 1, tile.shape[1]), dim=1, largest=False, sorted=False)


def _below(tile: np.ndarray, slack: np.ndarray, bound: np.ndarray, k: int) -> tuple[np.ndarray, ...]:
    """Rows, columns and values of all entries below the bound of their row.

    Few are left once a row has seen some tiles, and finding them costs a fraction of a selection. A row that has
    seen none takes its first bound from some columns: the k + 1 smallest of them are no nearer than those of all.
    """
    if np.isinf(bound).any():
        some = slice(0, min(tile.shape[1], SEED * (k + 1)))
        if some.stop > k:
            bound = np.minimum(bound, np.partition(tile[:, some] - slack[some], k, axis=1)[:, k])
    if tile.flags.c_contiguous:
        row, column = np.divmod(np.flatnonzero(tile <= (bound + slack.max())[:, None]), tile.shape[1])
    else:  # the lower triangle's view of a tile, read in the order of the memory
        column, row = np.divmod(np.flatnonzero(bound + slack.max() >= tile.T), tile.shape[0])
    return row, column, tile[row, column] - slack[column]


def _decide(cloud: Cloud, i: int, among: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest of point i among some others, by exact distance and then by index, and which of them exist."""
    q = _round(host(cloud.exact(np.full(len(among), i), among)))
    curve = np.arange(cloud.n) if cloud.curve is None else host(cloud.curve)
    q[curve[among] == curve[i]] = np.inf
    order = np.lexsort((among, q))[:k]
    return among[order], np.isfinite(q[order])


def _round(q: np.ndarray) -> np.ndarray:
    """q to 40 binary digits, so that distances equal but for rounding are ties, which the index then breaks."""
    mantissa, exponent = np.frexp(q)
    return np.ldexp(np.round(mantissa * 2.0**40), exponent - 40)
