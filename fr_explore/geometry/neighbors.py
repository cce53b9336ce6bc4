"""Who counts as a neighbour: all pairs, the k nearest, a ball; twins with the same words and the same result.

A neighbourhood turns a cloud of points into a weighted graph w_ij, and the graph gives, for any set of unit
directions u, the sums that the energy is made of: s_i = sum_j w_ij u_i·u_j and the weights W_i = sum_j w_ij.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from ..base.distance import METRICS, check_metric
from .neighbor_graph import Graph, NearestGraph, PairGraph, inverse_power, nearest, nearly_nearest, squared_edges
from .tiles import Cloud

__all__ = ["AllPairs", "Ball", "Nearest", "Neighborhood", "all_pairs", "as_neighborhood", "ball", "knn", "need_points"]


class Neighborhood(Protocol):
    """A rule for who counts as a neighbour."""

    @property
    def metric(self) -> str | None: ...

    @property
    def include_self(self) -> bool: ...

    def graph(self, cloud: Cloud, progress: bool = False) -> Graph: ...


@dataclass(frozen=True, slots=True, repr=False)
class AllPairs:
    """Every other point, with weight 1/d^power."""

    power: float = 1
    metric: str | None = None
    include_self: bool = False

    def __repr__(self) -> str:
        return _spell("all_pairs", None if self.power == 1 else _number(self.power), self)

    def graph(self, cloud: Cloud, progress: bool = False) -> Graph:
        half = self.power if cloud.metric == "cosine" else self.power / 2  # d^power = q^half
        cloud = cloud.in_double() if half > 1 else cloud  # float32 would overflow
        return PairGraph(
            cloud, lambda q, rows, cols: inverse_power(q, half, cloud.xp), self.include_self and self.power == 0
        )


@dataclass(frozen=True, slots=True, repr=False)
class Ball:
    """Every other point within a distance."""

    radius: float
    relative: bool = True
    metric: str | None = None
    include_self: bool = False

    def __repr__(self) -> str:
        return _spell("ball", _number(self.radius), self, () if self.relative else ("absolute",))

    def graph(self, cloud: Cloud, progress: bool = False) -> Graph:
        radius = self.radius * (cloud.mean_distance(progress) if self.relative else 1)
        edge = float(squared_edges(cloud, [radius])[0])
        return PairGraph(cloud, lambda q, rows, cols: cloud.within(q, rows, cols, edge), self.include_self)


@dataclass(frozen=True, slots=True, repr=False)
class Nearest:
    """The k nearest other points."""

    k: int
    metric: str | None = None
    include_self: bool = False
    approximate: int | None = None

    def __repr__(self) -> str:
        more = () if self.approximate is None else ("approximate", f"{self.approximate}")
        return _spell("knn", f"{self.k}", self, more)

    def graph(self, cloud: Cloud, progress: bool = False) -> Graph:
        k = self.k - self.include_self
        found = nearest(cloud, k, progress) if self.approximate is None else nearly_nearest(cloud, k, self.approximate)
        return NearestGraph(*found, self.include_self)


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


def knn(k: int, *, metric: str | None = None, include_self: bool = False, approximate: int | None = None) -> Nearest:
    """The k nearest other points are neighbours, with equal weight; ties go to the lower index.

    Distances that agree to 12 digits are ties. `metric` as in `all_pairs`.
    include_self : the point itself is the first of its k, as in scikit-learn's `kneighbors_graph`.
    approximate : for hundreds of thousands of points, where all distances take too long: how many candidates each
        search keeps, at least k; 32 is quick, 256 nearly exact. benchmarks/approximate.py prints what it costs the
        energy. Needs the extra `ann`. None, the default, is exact.
    """
    if int(k) != k or k < 1 + include_self:
        raise ValueError(f"k = {k!r}: give a whole number of neighbours, at least {1 + include_self}.")
    if approximate is not None and (int(approximate) != approximate or approximate < k):
        raise ValueError(f"approximate = {approximate!r}: give a whole number of candidates, at least k = {k}.")
    return Nearest(int(k), _known(metric), include_self, None if approximate is None else int(approximate))


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
    name, *rest = neighborhood.split(":")
    words = {"absolute": ("relative", False), "self": ("include_self", True)} | {m: ("metric", m) for m in METRICS}
    options: dict[str, Any] = dict(words[w] for w in rest if w in words)
    try:
        if "approximate" in rest[:-1]:
            at = rest.index("approximate")
            options["approximate"] = float(rest.pop(at + 1))
            rest.pop(at)
        numbers: list[Any] = [float(w) for w in rest if w not in words]
        if name == "knn" and len(numbers) == 1 and "relative" not in options:
            return knn(*numbers, **options)
        if name == "ball" and len(numbers) == 1 and "approximate" not in options:
            return ball(*numbers, **options)
        if name == "all_pairs" and len(numbers) <= 1 and not {"relative", "approximate"} & options.keys():
            return all_pairs(power=(*numbers, 1)[0], **options)
    except ValueError as error:
        raise ValueError(f"neighbourhood {neighborhood!r}: {error}") from None
    raise ValueError(f"neighbourhood {neighborhood!r} is unknown: write knn:10, ball:0.6 or all_pairs.")


def need_points(neighborhood: Neighborhood, n: int) -> None:
    """ValueError where n points are too few for the neighbourhood's k."""
    k = getattr(neighborhood, "k", 0)
    if k and n <= k:
        raise ValueError(
            f"{neighborhood!r} needs more than {k} points, there are {n}: take a smaller k or more curves."
        )


def _known(metric: str | None) -> str | None:
    return None if metric is None else check_metric(metric)


def _number(value: float) -> str:
    short = f"{value:g}"
    return short if float(short) == value else repr(float(value))


def _spell(name: str, number: str | None, rule, more: tuple[str, ...] = ()) -> str:
    options = [*more, *([rule.metric] if rule.metric else []), *(["self"] if rule.include_self else [])]
    return ":".join([name, *([number] if number else []), *options])
