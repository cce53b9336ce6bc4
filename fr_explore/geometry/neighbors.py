"""Who counts as a neighbour: all pairs, the k nearest, a ball; twins with the same words and the same result.

To add a neighbourhood, subclass `Neighborhood` as a frozen dataclass with a `kind`, an `example`, `words` and `graph`.
That one class is enough: its text form ("kind:number:option"), its repr and its checks by dataclass field follow from
it, and every place that takes a neighbourhood, as an object or as text, then accepts it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar

import numpy as np

from ..base.distance import METRICS, check_metric
from ..base.shapes import Num
from .nearest import NearestGraph, RankedGraph, nearest, nearly_nearest
from .neighbor_graph import Graph, PairGraph, ShellGraph, inverse_power, squared_edges
from .tiles import Cloud

__all__ = ["AllPairs", "Ball", "Nearest", "Neighborhood", "all_pairs", "as_neighborhood", "ball", "knn"]

KINDS: dict[str, type[Neighborhood]] = {}


@dataclass(frozen=True, repr=False)
class Neighborhood(ABC):
    """A rule for who counts as a neighbour.

    A subclass adds its numbers as positional fields and its options as keyword fields. In text, a number stands for
    itself, a bool appears as the `word` in the field's metadata when it is not the default, and any other option as
    its name and its value.

    Parameters
    ----------
    metric : "euclidean", "cosine" (1 - cos) or "chord" (sqrt(2 (1 - cos))); None takes that of the data.
    include_self : count the point as its own neighbour.
    """

    kind: ClassVar[str]  # the first word of its text form
    example: ClassVar[str]  # a text form for error messages

    metric: str | None = field(default=None, kw_only=True)
    include_self: bool = field(default=False, kw_only=True, metadata={"word": "self"})

    def __init_subclass__(cls) -> None:
        KINDS[cls.kind] = cls

    def __post_init__(self) -> None:
        if self.metric is not None:
            check_metric(self.metric)

    @abstractmethod
    def graph(self, cloud: Cloud, progress: bool = False, scales: Num[Any, " scales"] | None = None) -> Graph:
        """The weighted neighbours of a cloud, in the cloud's metric.

        scales : values of the rule's number, ascending, to be used in one pass in place of its own. A rule without a
            range of scales may leave this parameter out.
        """

    @property
    @abstractmethod
    def words(self) -> str:
        """The rule as people say it, such as "10 nearest neighbours"."""

    @property
    def exact(self) -> bool:
        """Whether the neighbours are exact, which needs the distances of all pairs."""
        return True

    def check_size(self, n: int) -> None:
        """ValueError if n points are too few."""
        if n <= self.least:
            raise ValueError(
                f"{self!r} needs more than {self.least} points, there are {n}: take a smaller k or more curves."
            )

    @property
    def least(self) -> int:
        """The number of other points that the rule needs."""
        return -1

    def __repr__(self) -> str:
        parts, values, grammar = [self.kind], asdict(self), _Grammar(type(self))
        changed = {option.name for option in fields(self) if values[option.name] != option.default}
        parts += [_number(values[name]) for name in grammar.numbers if name in changed]
        for name in grammar.options:
            parts += [name, _number(values[name])] if name in changed else []
        parts += [word for word, name in grammar.words.items() if name in changed and name != "include_self"]
        parts += [self.metric] if self.metric else []
        return ":".join([*parts, *(["self"] if self.include_self else [])])


class _Grammar:
    """How a kind of neighbourhood is written: its numbers, its options with a value, its words."""

    def __init__(self, rule: type[Neighborhood]) -> None:
        own = [option for option in fields(rule) if option.name != "metric"]
        self.words = {option.metadata["word"]: option.name for option in own if "word" in option.metadata}
        rest = [option for option in own if "word" not in option.metadata]
        self.numbers = [option.name for option in rest if option.metadata.get("number", not option.kw_only)]
        self.options = [option.name for option in rest if option.name not in self.numbers]
        self.defaults = {option.name: option.default for option in own}

    def read(self, words: list[str]) -> dict[str, Any]:
        """The values that the words spell; ValueError if there are too many numbers or an unknown word."""
        values: dict[str, Any] = {}
        numbers, rest = iter(self.numbers), iter(words)
        for word in rest:
            if word in METRICS:
                values["metric"] = word
            elif word in self.words:
                values[self.words[word]] = not self.defaults[self.words[word]]
            else:
                name, number = (word, next(rest, "")) if word in self.options else (next(numbers, None), word)
                try:
                    values[name or ""] = float(number)
                except ValueError:
                    known = ", ".join([*METRICS, *self.words, *(f"{option}:NUMBER" for option in self.options)])
                    raise ValueError(f"{word!r} is neither a number nor one of {known}") from None
        return values


@dataclass(frozen=True, repr=False)
class AllPairs(Neighborhood):
    """Every other point is a neighbour, with weight 1/d^power; pairs at distance 0 carry none.

    Parameters
    ----------
    power : 0 ... 16; 0 weighs all pairs alike, duplicates included.
    metric : "euclidean", "cosine" (1 - cos) or "chord" (sqrt(2 (1 - cos))); None takes that of the data.
    include_self : count the point as its own neighbour; matters for power=0 only, where the energy of n unit
        vectors is then 1 - |mean u|².
    """

    kind, example = "all_pairs", "all_pairs"
    power: float = field(default=1, kw_only=True, metadata={"number": True})

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.power <= 16:
            raise ValueError(f"power = {self.power!r}: give a number from 0 (all alike) to 16.")

    @property
    def words(self) -> str:
        return "all pairs"

    def graph(self, cloud: Cloud, progress: bool = False, scales: None = None) -> Graph:
        half = self.power if cloud.metric == "cosine" else self.power / 2  # d^power = q^half
        cloud = cloud.in_double() if half > 1 else cloud  # float32 would overflow
        return PairGraph(
            cloud, lambda q, rows, cols: inverse_power(q, half, cloud.xp), self.include_self and self.power == 0
        )


@dataclass(frozen=True, repr=False)
class Ball(Neighborhood):
    """All other points within `radius` (its edge counts) are neighbours, with equal weight.

    Parameters
    ----------
    radius : in units of the mean pairwise distance if `relative`, else in units of the metric. The same number
        means another scale in another metric: a cosine radius r is about a chord radius sqrt(r).
    metric : as in `all_pairs`.
    include_self : count the point as its own neighbour, as the paper's reference code does; its energy is then
        pulled down by one in |B|, and an isolated point scores 0.
    """

    kind, example = "ball", "ball:0.6"
    radius: float
    relative: bool = field(default=True, kw_only=True, metadata={"word": "absolute"})

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.radius >= 0:
            raise ValueError(f"radius = {self.radius!r}: give a number of at least 0.")

    @property
    def words(self) -> str:
        return f"ball of radius {_number(self.radius)}{' × mean distance' if self.relative else ''}"

    def graph(self, cloud: Cloud, progress: bool = False, scales: Num[Any, " scales"] | None = None) -> Graph:
        unit = cloud.mean_distance(progress) if self.relative else 1
        edges = squared_edges(cloud, [radius * unit for radius in ([self.radius] if scales is None else scales)])
        if scales is not None:
            return ShellGraph(cloud, edges, self.include_self)
        edge = float(edges[0])
        return PairGraph(cloud, lambda q, rows, cols: cloud.within(q, rows, cols, edge), self.include_self)


@dataclass(frozen=True, repr=False)
class Nearest(Neighborhood):
    """The k nearest other points are neighbours, with equal weight; ties go to the lower index.

    Distances that agree to 12 digits are ties.

    Parameters
    ----------
    metric : as in `all_pairs`.
    include_self : the point itself is the first of its k, as in scikit-learn's `kneighbors_graph`.
    approximate : for hundreds of thousands of points, where all distances take too long: how many candidates each
        search keeps, at least k; 32 is quick, 256 nearly exact. benchmarks/approximate.py prints what it costs the
        energy. Needs the extra `ann`. None, the default, is exact.
    """

    kind, example = "knn", "knn:10"
    k: int
    approximate: int | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if int(self.k) != self.k or self.k < 1 + self.include_self:
            raise ValueError(f"k = {self.k!r}: give a whole number of neighbours, at least {1 + self.include_self}.")
        object.__setattr__(self, "k", int(self.k))
        few = self.approximate
        if few is not None and (int(few) != few or few < self.k):
            raise ValueError(f"approximate = {few!r}: give a whole number of candidates, at least k = {self.k}.")
        object.__setattr__(self, "approximate", None if few is None else int(few))

    @property
    def words(self) -> str:
        return f"{self.k} nearest neighbour{'' if self.k == 1 else 's'}"

    @property
    def exact(self) -> bool:
        return self.approximate is None

    @property
    def least(self) -> int:
        return self.k

    def graph(self, cloud: Cloud, progress: bool = False, scales: Num[Any, " scales"] | None = None) -> Graph:
        if scales is not None:
            return RankedGraph(cloud, np.array(scales, int) - self.include_self, self.include_self)
        k = self.k - self.include_self
        found = nearest(cloud, k, progress) if self.approximate is None else nearly_nearest(cloud, k, self.approximate)
        return NearestGraph(cloud, *found, self.include_self)


all_pairs, ball, knn = AllPairs, Ball, Nearest


def as_neighborhood(neighborhood: Neighborhood | str) -> Neighborhood:
    """The neighbourhood that a text such as "knn:10", "ball:0.6" or "all_pairs" spells; others pass through."""
    if not isinstance(neighborhood, str):
        return neighborhood
    kind, *rest = neighborhood.split(":")
    examples = ", ".join(rule.example for rule in KINDS.values())
    unknown = ValueError(f"neighbourhood {neighborhood!r} is unknown: write it like {examples}.")
    if kind not in KINDS:
        raise unknown
    try:
        return KINDS[kind](**_Grammar(KINDS[kind]).read(rest))
    except TypeError:  # a number is missing, or there is one too many
        raise unknown from None
    except ValueError as error:
        raise ValueError(f"neighbourhood {neighborhood!r}: {error}") from None


def _number(value: float) -> str:
    short = f"{value:g}"
    return short if float(short) == value else repr(float(value))
