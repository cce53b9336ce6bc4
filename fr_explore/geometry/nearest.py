"""The k nearest neighbours: the search, exact or approximate, and the graphs that they make.

A tile knows its entries to within an error bound. Where the bound leaves open who is among the k nearest, the
candidates are compared by their exact distances, and ties go to the lower index.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from ..base.cores import cores, host, over, row_blocks
from ..base.optional import import_extra
from ..base.shapes import Bool, Float, Int
from .neighbor_graph import Sums
from .tiles import Cloud, sweep

__all__ = ["NearestGraph", "RankedGraph", "nearest", "nearly_nearest"]

SEED = 16  # a row's first bound is the (k + 1)-th smallest of 16 (k + 1) columns
PATIENCE = 3  # candidates that wait to be compared, in multiples of those held
TIE = 1e-11  # relative difference below which squared distances may round to the same number
ROW_BLOCK = 16_000_000  # numbers in a block of complete rows of the distance matrix


class NearestGraph:
    """Equal weights on the neighbours `index` of each point, where `there`."""

    def __init__(
        self,
        cloud: Cloud,
        index: Int[np.ndarray, "n k"],
        there: Bool[np.ndarray, "n k"],
        include_self: bool = False,
    ) -> None:
        self.precision, self.index, self.there, self.include_self = cloud.precision, index, there, include_self

    def sums(self, fields: list[Float[np.ndarray, "n dim"]], progress: bool = False) -> Sums:
        from scipy.sparse import csr_array

        n, count = len(self.index), self.there.sum(1)
        starts, column = np.concatenate([[0], np.cumsum(count)]), self.index[self.there]
        units = [np.asarray(u, self.precision) for u in fields]
        aligned = np.full((len(fields), 1, n), float(self.include_self))

        def work(p: slice) -> None:
            first, last = starts[p.start], starts[p.stop]
            for f, u in enumerate(units):
                parts = (np.ones(last - first, u.dtype), column[first:last], starts[p.start : p.stop + 1] - first)
                aligned[f, 0, p] += np.einsum("id,id->i", u[p], csr_array(parts, shape=(p.stop - p.start, n)) @ u)

        over(row_blocks(n, 1024), work)
        return Sums(aligned, count[None] + float(self.include_self))


class RankedGraph:
    """The k nearest for several k at once: each point's neighbours in order of distance, and sums along that order."""

    def __init__(self, cloud: Cloud, ks: Int[np.ndarray, " scales"], include_self: bool = False) -> None:
        self.cloud, self.ks, self.include_self = cloud.in_double(), ks, include_self

    def sums(self, fields: list[Float[np.ndarray, "n dim"]], progress: bool = False) -> Sums:
        cloud, ks = self.cloud, self.ks
        last = min(int(ks.max(initial=0)), cloud.n - 1)
        ends = np.minimum(ks, last)
        units = [np.asarray(u, np.float64) for u in fields]
        own = float(self.include_self)
        aligned, weight = np.full((len(units), len(ks), cloud.n), own), np.full((len(ks), cloud.n), own)

        def cumulated(values: np.ndarray) -> np.ndarray:
            padded = np.zeros((len(values), last + 1))
            np.cumsum(values, axis=1, out=padded[:, 1:])
            return padded[:, ends].T

        def work(rows: slice) -> None:
            index, there = _ranked(cloud, rows, last)
            weight[:, rows] += cumulated(there)
            for f, u in enumerate(units):
                cosines = np.take_along_axis(u[rows] @ u.T, index, axis=1)
                aligned[f, :, rows] += cumulated(np.where(there, cosines, 0))

        blocks = row_blocks(cloud.n, max(1, min(256, ROW_BLOCK // max(cloud.n, 1))))
        over(blocks, work, progress, cloud.device)
        return Sums(aligned, weight)


def nearest(cloud: Cloud, k: int, progress: bool = False) -> tuple[Int[np.ndarray, "n k"], Bool[np.ndarray, "n k"]]:
    """The k nearest neighbours of each point: their indices, in no order, and which of them exist."""
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

    over(row_blocks(len(open_rows), max(1, min(256, ROW_BLOCK // cloud.n))), work, False, cloud.device)
    return index, there


def _ranked(cloud: Cloud, rows: slice, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest of some points in order of distance, then index: indices (rows, k), and which of them exist."""
    q = host(cloud.exclude(cloud.tile(rows, slice(0, cloud.n), refine=False), rows, slice(0, cloud.n)))
    kept = min(k + 1, cloud.n)
    index = np.argpartition(q, kept - 1, axis=1)[:, :kept]
    values = np.take_along_axis(q, index, axis=1)
    order = np.argsort(values, axis=1)
    index, values = (np.take_along_axis(a, order, axis=1) for a in (index, values))
    there = np.isfinite(values[:, :k])
    lengths = host(cloud.length2)
    slack = cloud.rounding * (lengths[rows] + lengths.max(initial=0))
    reach = (values[:, min(k, kept - 1)] + 2 * slack) * (1 + TIE)
    with np.errstate(invalid="ignore"):  # infinity minus infinity, for missing neighbours
        close = np.diff(values, axis=1) <= 2 * slack[:, None] + TIE * values[:, 1:]
    for i in np.flatnonzero((close & np.isfinite(values[:, 1:])).any(axis=1)).tolist():
        index[i, :k], there[i] = _decide(cloud, rows.start + i, np.flatnonzero(q[i] <= reach[i]), k)
    return index[:, :k], there


def nearly_nearest(cloud: Cloud, k: int, candidates: int) -> tuple[np.ndarray, np.ndarray]:
    """What `nearest` gives except for a few neighbours: a search in a graph of 32 links per point (HNSW).

    One thread builds the graph, which makes it reproducible. Source: Malkov and Yashunin, "Efficient and robust
    approximate nearest neighbor search using hierarchical navigable small world graphs", TPAMI 2020.
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
    # move the point and its curve to the end; the rest stays in order of distance
    out = (found < 0) | (curve[found] == curve[:, None])
    order = np.argsort(out, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(found, order, 1), ~np.take_along_axis(out, order, 1)


def _candidates(cloud: Cloud, slack, k: int, progress: bool) -> tuple[np.ndarray, np.ndarray]:
    """Lower bounds and indices (n, k + 1) of the k + 1 points that may be nearest, the furthest of them last.

    The bounds do not include the row's own slack. Each tile of the upper triangle serves its rows and its columns.
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
    """The k + 1 nearest so far of some rows, in the arrays `best` and `column`, and candidates that wait.

    Comparing candidates costs more than collecting some too many with an outdated bound, so they wait until there are
    a few times as many as are held. Another thread may lower the bound of a row in the meantime.
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
        order = np.argsort(row, kind="stable")  # linear time for 16 bits
        row, count = row[order], np.bincount(row, minlength=n)
        place = np.arange(len(row)) - (np.cumsum(count) - count)[row]
        values = np.full((n, count.max()), np.inf, value.dtype)
        columns = np.zeros(values.shape, np.int64)
        values[row, place], columns[row, place] = value[order], column[order]
        order = np.argpartition(values, width - 1, axis=1)[:, :width]
        self.best[:], self.column[:] = (np.take_along_axis(a, order, 1) for a in (values, columns))
        self.bound = self.best[:, -1].copy()


def _topk(tile: Any, k: int) -> Any:
    """Values and columns of the k + 1 smallest entries of each row of a torch tensor, or of all if there are fewer."""
    return tile.topk(min(k + 1, tile.shape[1]), dim=1, largest=False, sorted=False)


def _below(tile: np.ndarray, slack: np.ndarray, bound: np.ndarray, k: int) -> tuple[np.ndarray, ...]:
    """Rows, columns and values of all entries below the bound of their row.

    Few are left once a row has seen some tiles, and finding them costs a fraction of a selection. A row's first bound
    comes from a few columns, whose k + 1 smallest entries are at least as large as those of all columns.
    """
    if np.isinf(bound).any():
        some = slice(0, min(tile.shape[1], SEED * (k + 1)))
        if some.stop > k:
            bound = np.minimum(bound, np.partition(tile[:, some] - slack[some], k, axis=1)[:, k])
    if tile.flags.c_contiguous:
        row, column = np.divmod(np.flatnonzero(tile <= (bound + slack.max())[:, None]), tile.shape[1])
    else:  # the transposed view of a tile, read in memory order
        column, row = np.divmod(np.flatnonzero(bound + slack.max() >= tile.T), tile.shape[0])
    return row, column, tile[row, column] - slack[column]


def _decide(cloud: Cloud, i: int, among: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest of point i among some others, in order of exact distance and then index; which of them exist."""
    q = _round(host(cloud.exact(np.full(len(among), i), among)))
    curve = np.arange(cloud.n) if cloud.curve is None else host(cloud.curve)
    q[curve[among] == curve[i]] = np.inf
    order = np.lexsort((among, q))[:k]
    return among[order], np.isfinite(q[order])


def _round(q: np.ndarray) -> np.ndarray:
    """q to 40 binary digits: distances that differ by rounding only become ties, which the index breaks."""
    mantissa, exponent = np.frexp(q)
    return np.ldexp(np.round(mantissa * 2.0**40), exponent - 40)
