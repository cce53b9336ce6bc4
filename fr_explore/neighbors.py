"""Who counts as a neighbour: all pairs, the k nearest, a ball; twins with the same words and the same result.

A neighbourhood turns a cloud of points into a weighted graph w_ij, and the graph gives, for any set of unit
directions u, the sums that the energy is made of: s_i = sum_j w_ij u_i·u_j and the weights W_i = sum_j w_ij.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from ._blocks import METRICS, Cloud, over, row_blocks, sweep

__all__ = [
    "AllPairs",
    "Ball",
    "Graph",
    "Nearest",
    "Neighborhood",
    "Sums",
    "all_pairs",
    "as_neighborhood",
    "ball",
    "knn",
]


class Sums(NamedTuple):
    """What a graph says about directions: `aligned` (fields, n), `weight` (n,), `count` of neighbours (n,)."""

    aligned: np.ndarray
    weight: np.ndarray
    count: np.ndarray


class Graph(Protocol):
    """Weighted neighbours of a cloud."""

    def sums(self, fields: list[np.ndarray], progress: bool = False) -> Sums: ...


class Neighborhood(Protocol):
    """A rule for who counts as a neighbour."""

    metric: str | None
    include_self: bool

    def graph(self, cloud: Cloud, progress: bool = False) -> Graph: ...


@dataclass(frozen=True, slots=True, repr=False)
class AllPairs:
    """Every other point, with weight 1/d^power."""

    power: float = 1
    metric: str | None = None
    include_self: bool = False

    def __repr__(self) -> str:
        return _spell("all_pairs", None if self.power == 1 else f"{self.power:g}", self)

    def graph(self, cloud: Cloud, progress: bool = False) -> Graph:
        half = self.power if cloud.metric == "cosine" else self.power / 2  # d^power = q^half
        return PairGraph(cloud, lambda q: _inverse_power(q, half, cloud.xp), self.include_self and self.power == 0)


@dataclass(frozen=True, slots=True, repr=False)
class Ball:
    """Every other point within a distance."""

    radius: float
    relative: bool = True
    metric: str | None = None
    include_self: bool = False

    def __repr__(self) -> str:
        return _spell("ball", f"{self.radius:g}", self, () if self.relative else ("absolute",))

    def graph(self, cloud: Cloud, progress: bool = False) -> Graph:
        radius = self.radius * (cloud.mean_distance(progress) if self.relative else 1)
        edge = squared_edges(cloud, [radius])[0]
        return PairGraph(cloud, lambda q: q <= edge, self.include_self, (edge,))


@dataclass(frozen=True, slots=True, repr=False)
class Nearest:
    """The k nearest other points."""

    k: int
    metric: str | None = None
    include_self: bool = False

    def __repr__(self) -> str:
        return _spell("knn", f"{self.k}", self)

    def graph(self, cloud: Cloud, progress: bool = False) -> Graph:
        return NearestGraph(*nearest(cloud, self.k - self.include_self, progress), self.include_self)


def all_pairs(*, power: float = 1, metric: str | None = None, include_self: bool = False) -> AllPairs:
    """Every other point is a neighbour, with weight 1/d^power; pairs at distance 0 carry none.

    power : 0 ... 16; 0 weighs all pairs alike, duplicates included.
    metric : "euclidean", "cosine" (1 - cos) or "chord" (sqrt(2 (1 - cos))); None takes that of the data.
    include_self : count the point as its own neighbour; matters for power=0 only, where the energy of n unit
        vectors is then 1 - |mean u|².
    """
    if not 0 <= power <= 16:
        raise ValueError(f"power = {power!r}: give a number from 0 (all alike) to 16.")
    return AllPairs(power, _known(metric), include_self)


def knn(k: int, *, metric: str | None = None, include_self: bool = False) -> Nearest:
    """The k nearest other points are neighbours, with equal weight; ties go to the lower index.

    Distances that agree to 12 digits are ties. `metric` as in `all_pairs`.
    include_self : the point itself is the first of its k, as in scikit-learn's `kneighbors_graph`.
    """
    if int(k) != k or k < 1 + include_self:
        raise ValueError(f"k = {k!r}: give a whole number of neighbours, at least {1 + include_self}.")
    return Nearest(int(k), _known(metric), include_self)


def ball(radius: float, *, relative: bool = True, metric: str | None = None, include_self: bool = False) -> Ball:
    """All other points within `radius` (its edge counts) are neighbours, with equal weight.

    radius : in units of the mean pairwise distance if `relative`, else in units of the metric. The same number
        means another scale in another metric: a cosine radius r is about a chord radius sqrt(r).
    metric : as in `all_pairs`.
    include_self : count the point as its own neighbour, as the paper's reference code does; its energy is then
        pulled down by one in |B|, and an isolated point scores 0.
    """
    if not radius >= 0:
        raise ValueError(f"radius = {radius!r}: give a number of at least 0.")
    return Ball(float(radius), relative, _known(metric), include_self)


def as_neighborhood(neighborhood: Neighborhood | str) -> Neighborhood:
    """The neighbourhood that a text such as "knn:10", "ball:0.6" or "all_pairs" spells; others pass through."""
    if not isinstance(neighborhood, str):
        return neighborhood
    name, *rest = neighborhood.replace(",", ":").split(":")
    words = {"absolute": ("relative", False), "self": ("include_self", True)} | {m: ("metric", m) for m in METRICS}
    options = dict(words[w] for w in rest if w in words)
    numbers = [w for w in rest if w not in words]
    try:
        if name == "knn" and len(numbers) == 1:
            return knn(int(numbers[0]), **options)
        if name == "ball" and len(numbers) == 1:
            return ball(float(numbers[0]), **options)
        if name == "all_pairs" and len(numbers) <= 1:
            return all_pairs(**({"power": float(numbers[0])} if numbers else {}), **options)
    except TypeError:  # an option that this neighbourhood does not have
        pass
    raise ValueError(f"neighbourhood {neighborhood!r} is unknown: write knn:10, ball:0.6 or all_pairs.")


def _known(metric: str | None) -> str | None:
    if metric is not None and metric not in METRICS:
        raise ValueError(f"metric {metric!r} is unknown: choose from {', '.join(METRICS)}.")
    return metric


def _spell(name: str, number: str | None, rule, more: tuple[str, ...] = ()) -> str:
    options = [*more, *([rule.metric] if rule.metric else []), *(["self"] if rule.include_self else [])]
    return ":".join([name, *([number] if number else []), *options])


def _inverse_power(q, half: float, xp):
    """q^-half, 0 for excluded pairs (q infinite) and, unless half is 0, for pairs at distance 0."""
    if half == 0:
        return xp.isfinite(q)
    q[q == 0] = np.inf
    if half == 0.5:
        return 1 / xp.sqrt(q)
    return 1 / (q if half == 1 else q**half)


def squared_edges(cloud: Cloud, radii) -> np.ndarray:
    """Radii as squared distances of the cloud, a hair wider, so that a point on the edge counts as inside."""
    edges = np.array([cloud.squared(r) for r in radii], dtype=np.float64) * (1 + 1e-12)
    return np.minimum(edges, 1e30)  # excluded pairs are infinite


class PairGraph:
    """Weights that are a function of the squared distance; computed tile by tile, never kept."""

    def __init__(self, cloud: Cloud, weigh, include_self: bool, edges: tuple[float, ...] = ()):
        self.cloud, self.weigh, self.include_self, self.edges = cloud, weigh, include_self, edges

    def sums(self, fields: list[np.ndarray], progress: bool = False) -> Sums:
        cloud, xp = self.cloud, self.cloud.xp
        put = [cloud._put(np.asarray(u, cloud.precision)) for u in fields]
        # each point counts itself from the start, with weight 1 and cosine 1, or not at all
        aligned = np.full((len(put), cloud.n), float(self.include_self))
        weight, count = aligned[:1].repeat(2, 0) if len(put) else np.full((2, cloud.n), float(self.include_self))
        lock = threading.Lock()

        def visit(q, rows: slice, cols: slice) -> None:
            cloud.settle(q, rows, cols, self.edges)
            cloud.exclude(q, rows, cols)
            w = self.weigh(q)
            there = w > 0 if w.dtype != xp.bool else w
            sides = [(rows, 1)] if rows == cols else [(rows, 1), (cols, 0)]
            if not bool(there.any()):
                return
            w = xp.asarray(w, dtype=q.dtype)
            found = [(w.sum(axis), there.sum(axis)) for _, axis in sides]
            dots = [u[rows] @ u[cols].T for u in put]
            parts = [[xp.einsum(("ij,ij->j", "ij,ij->i")[axis], w, c) for _, axis in sides] for c in dots]
            with lock:
                for side, (points, _) in enumerate(sides):
                    weight[points] += _host(found[side][0])
                    count[points] += _host(found[side][1])
                    for f in range(len(put)):
                        aligned[f, points] += _host(parts[f][side])

        sweep(cloud, visit, progress)
        return Sums(aligned, weight, count)


class NearestGraph:
    """A fixed number of neighbours a point: indices (n, k), and which of them are there."""

    def __init__(self, index: np.ndarray, there: np.ndarray, include_self: bool):
        self.index, self.there, self.include_self = index, there, include_self

    def sums(self, fields: list[np.ndarray], progress: bool = False) -> Sums:
        from scipy.sparse import csr_array

        n = len(self.index)
        count = self.there.sum(1).astype(np.float64)
        starts = np.concatenate([[0], np.cumsum(self.there.sum(1))])
        column = self.index[self.there]
        aligned = np.full((len(fields), n), float(self.include_self))
        for f, u in enumerate(fields):
            for p in row_blocks(n, 4096):
                part = slice(starts[p.start], starts[p.stop])
                a = csr_array(
                    (np.ones(part.stop - part.start, u.dtype), column[part], starts[p.start : p.stop + 1] - part.start),
                    shape=(p.stop - p.start, n),
                )
                aligned[f, p] += np.einsum("id,id->i", u[p], a @ u)
        count += self.include_self
        return Sums(aligned, count, count)


def nearest(cloud: Cloud, k: int, progress: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest neighbours of each point: indices (n, k), sorted by distance, and which of them exist.

    A tile gives a few more candidates than needed; their exact distances decide. Where a point left out could
    still belong in, by the error bound of the tile, all that could are compared exactly.
    """
    k = max(0, min(k, cloud.n - 1))
    index, there = np.zeros((cloud.n, k), np.int64), np.zeros((cloud.n, k), bool)
    if k == 0:
        return index, there
    spare = min(k + max(6, k // 2), cloud.n - 1)
    everyone = slice(0, cloud.n)
    slack = cloud.rounding * _host(cloud.length2 + cloud.length2.max())
    width = max(16, (64_000_000 if cloud.device is None else 400_000_000) // cloud.n)

    roots: list[float] = []

    def work(rows: slice) -> None:
        q = cloud.tile(rows, everyone, refine=False)
        roots.append(float(cloud.xp.sqrt(q).sum()))  # the mean distance comes along
        cloud.exclude(q, rows, everyone)
        candidate, value = _smallest(q, spare, cloud)
        index[rows], there[rows], kth = _decide(cloud, rows, candidate, k)
        last = value.max(1) if spare < cloud.n - 1 else np.full(len(value), np.inf)
        doubtful = np.isfinite(last) & (kth >= last - slack[rows])
        for i in np.nonzero(doubtful)[0]:
            reach = np.partition(value[i], k - 1)[k - 1] + 2 * slack[rows][i]
            row = slice(rows.start + i, rows.start + i + 1)
            index[row], there[row], _ = _decide(cloud, row, np.nonzero(_host(q[i] <= reach))[0][None], k)

    over(row_blocks(cloud.n, min(256, width)), work, progress, cloud.device)
    cloud.set_mean(sum(roots))
    return index, there


def _smallest(q, count: int, cloud: Cloud) -> tuple[np.ndarray, np.ndarray]:
    """Columns and values of the `count` smallest entries of each row, in no order."""
    if cloud.device is None:
        columns = np.argpartition(q, count - 1, axis=1)[:, :count]
        return columns, np.take_along_axis(q, columns, 1)
    values, columns = q.topk(count, dim=1, largest=False, sorted=False)
    return _host(columns), _host(values)


def _decide(cloud: Cloud, rows: slice, candidate: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The k nearest among candidates (rows, m): indices, which exist, and the squared distance of the last."""
    row = np.arange(rows.start, rows.stop).repeat(candidate.shape[1])
    q = _host(cloud.exact(row, candidate.ravel()))
    curve = np.arange(cloud.n) if cloud.curve is None else _host(cloud.curve)
    q[curve[row] == curve[candidate.ravel()]] = np.inf
    q = _round(q).reshape(candidate.shape)
    order = np.lexsort((candidate, q), axis=1)[:, :k]
    q = np.take_along_axis(q, order, 1)
    return np.take_along_axis(candidate, order, 1), np.isfinite(q), q[:, -1]


def _round(q: np.ndarray) -> np.ndarray:
    """q to 40 binary digits, so that distances equal but for rounding are ties, which the index then breaks."""
    mantissa, exponent = np.frexp(q)
    return np.ldexp(np.round(mantissa * 2.0**40), exponent - 40)


def _host(array) -> np.ndarray:
    return array if isinstance(array, np.ndarray) else array.cpu().numpy()
