"""The kinds of predictions: number, choice, ranking, curve. Each checks a guess and a truth, and scores the guess."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any, Protocol

from fr_explore.attributes import ATTRIBUTES

from ..core.base import check_version

__all__ = ["VERSION", "Choice", "Curve", "Kind", "Number", "Ranking", "check_state", "make_kind"]

VERSION = 1


class Kind(Protocol):
    """Values are plain JSON: `guess` and `truth` check them, `stored_truth` checks a truth from a state."""

    def setup(self) -> dict[str, Any]: ...

    def guess(self, value: Any) -> Any: ...

    def truth(self, value: Any) -> Any: ...

    def stored_truth(self, stored: Any, /) -> Any: ...

    def score(self, guess: Any, truth: Any) -> dict[str, Any]: ...

    def words(self, guess: Any, truth: Any) -> str: ...


@dataclass(frozen=True)
class Number:
    """One number; a guess is between `low` and `high`, if given."""

    unit: str = ""
    low: float | None = None
    high: float | None = None

    def setup(self) -> dict[str, Any]:
        return {"kind": "number", "unit": self.unit, "low": self.low, "high": self.high}

    def guess(self, value: Any) -> float:
        number = _number(value, "guess")
        low, high = -math.inf if self.low is None else self.low, math.inf if self.high is None else self.high
        if not low <= number <= high:
            raise ValueError(f"guess {number:g}: give a number from {low:g} to {high:g}.")
        return number

    def truth(self, value: Any) -> float:
        return _number(value, "truth")

    stored_truth = truth

    def score(self, guess: float, truth: float) -> dict[str, Any]:
        """absolute_error |g - t|, and relative_error |g - t|/|t|, which is None for t = 0."""
        error = abs(guess - truth)
        return {"absolute_error": error, "relative_error": error / abs(truth) if truth else None}

    def words(self, guess: float, truth: float) -> str:
        unit, error = f" {self.unit}".rstrip(), abs(guess - truth)
        start = f"You said {guess:.4g}{unit}, it is {truth:.4g}{unit}"
        if error <= 1e-9 * max(abs(truth), 1e-300):
            return f"{start}: exactly right."
        way = f"too {'high' if guess > truth else 'low'}"
        if self.unit == "%":  # a relative error in per cent would be ambiguous
            return f"{start}: {error:.3g} percentage points {way}."
        share = f", {100 * error / abs(truth):.0f} % of the truth" if truth else ""
        return f"{start}: {error:.3g}{unit} {way}{share}."


@dataclass(frozen=True)
class Choice:
    """One of some options."""

    options: tuple[str, ...]

    def setup(self) -> dict[str, Any]:
        return {"kind": "choice", **_named(self.options)}

    def guess(self, value: Any) -> str:
        if value not in self.options:
            raise ValueError(f"choice {value!r}: give one of {', '.join(self.options)}.")
        return str(value)

    truth = stored_truth = guess

    def score(self, guess: str, truth: str) -> dict[str, Any]:
        """right: whether the guess is the truth."""
        return {"right": guess == truth}

    def words(self, guess: str, truth: str) -> str:
        labels = dict(zip(self.options, self.setup()["labels"], strict=True))
        return f"Right: {labels[truth]}." if guess == truth else f"You chose {labels[guess]}; it is {labels[truth]}."


@dataclass(frozen=True)
class Ranking:
    """Options in an order; values are ranked with the largest on top, with `ascending` the smallest."""

    options: tuple[str, ...]
    ascending: bool = False

    def setup(self) -> dict[str, Any]:
        return {"kind": "ranking", **_named(self.options)}

    def guess(self, value: Any) -> list[str]:
        order = [] if isinstance(value, str) else [str(name) for name in value]
        if sorted(order) != sorted(self.options):
            raise ValueError(f"ranking {value!r}: give each of {', '.join(self.options)} once, the first on top.")
        return order

    def truth(self, value: Any) -> dict[str, Any]:
        """From an order, or from a mapping or Series of values."""
        if not hasattr(value, "items"):
            return {"order": self.guess(value), "values": None}
        values = {str(name): _number(number, f"value of {name}") for name, number in value.items()}
        sign = 1 if self.ascending else -1
        order = sorted(self.guess(values), key=lambda name: (sign * values[name], self.options.index(name)))
        return {"order": order, "values": [values[name] for name in order]}

    def stored_truth(self, stored: Mapping[str, Any], /) -> dict[str, Any]:
        order, values = stored["order"], stored.get("values")
        return self.truth(order if values is None else dict(zip(order, values, strict=True)))

    def score(self, guess: Sequence[str], truth: Mapping[str, Any]) -> dict[str, Any]:
        """kendall_tau = 1 - 2 swaps/pairs; swaps: pairs in the wrong order; pairs: without ties of the truth."""
        order, values = truth["order"], truth["values"]
        place = {name: i for i, name in enumerate(guess)}
        ordered = [(i, j) for i, j in combinations(range(len(order)), 2) if values is None or values[i] != values[j]]
        swaps = sum(place[order[i]] > place[order[j]] for i, j in ordered)
        return {"kendall_tau": 1 - 2 * swaps / max(len(ordered), 1), "swaps": swaps, "pairs": len(ordered)}

    def words(self, guess: Sequence[str], truth: Mapping[str, Any]) -> str:
        score = self.score(guess, truth)
        if not score["swaps"]:
            return "Every pair is in the right order."
        pairs = "pair" if score["pairs"] == 1 else "pairs"
        return f"{score['swaps']} of {score['pairs']} {pairs} in the wrong order."


@dataclass(frozen=True)
class Curve:
    """Values from `low` to `high` at each of `x`."""

    x: tuple[float, ...]
    low: float
    high: float
    x_label: str = "x"
    y_label: str = ""

    def setup(self) -> dict[str, Any]:
        axes = {"x": list(self.x), "low": self.low, "high": self.high}
        return {"kind": "curve", **axes, "x_label": self.x_label, "y_label": self.y_label}

    def guess(self, value: Any) -> list[float]:
        curve = [_number(y, "guess") for y in self._sized(value, "guess")]
        wrong = next((y for y in curve if not self.low <= y <= self.high), None)
        if wrong is not None:
            raise ValueError(f"guess {wrong:g}: give numbers from {self.low:g} to {self.high:g}.")
        return curve

    def truth(self, value: Any) -> list[float | None]:
        """None (or NaN) where the truth is not defined; the score excludes such places."""
        curve = [None if y is None or math.isnan(y) else _number(y, "truth") for y in self._sized(value, "truth")]
        if all(y is None for y in curve):
            raise ValueError(f"truth {value!r}: it is defined nowhere; give at least one number.")
        return curve

    stored_truth = truth

    def score(self, guess: Sequence[float], truth: Sequence[float | None]) -> dict[str, Any]:
        """mean_absolute_distance where the truth is defined; the largest distance, and the x of it."""
        gaps = [(abs(g - t), x) for g, t, x in zip(guess, truth, self.x, strict=True) if t is not None]
        largest, at = max(gaps)
        return {"mean_absolute_distance": math.fsum(d for d, _ in gaps) / len(gaps), "largest": largest, "at": at}

    def words(self, guess: Sequence[float], truth: Sequence[float | None]) -> str:
        score = self.score(guess, truth)
        span = 100 * score["mean_absolute_distance"] / (self.high - self.low)
        text = f"On average {score['mean_absolute_distance']:.3g} away, {span:.0f} % of the axis"
        return f"{text}; farthest at {self.x_label} {score['at']:g}, by {score['largest']:.3g}."

    def _sized(self, value: Any, what: str) -> list[Any]:
        curve = list(value)
        if len(curve) != len(self.x):
            raise ValueError(f"{what} has {len(curve)} values: give {len(self.x)}, one for each {self.x_label}.")
        return curve


def _named(options: Sequence[str]) -> dict[str, Any]:
    """Options with the labels and colours of those that are attributes."""
    known = [ATTRIBUTES.get(name) for name in options]
    labels = [a.label if a else name for name, a in zip(options, known, strict=True)]
    return {"options": list(options), "labels": labels, "colors": [a.color if a else "" for a in known]}


def _number(value: Any, what: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{what} {value!r}: give a finite number.")
    return number


def check_state(kind: Kind, given: Mapping[str, Any]) -> dict[str, Any]:
    """`given` as the state of a prediction, plain JSON; ValueError for another version or an invalid value."""
    check_version({"version": None, **given}, VERSION)
    missing = [key for key in ("tries", "open", "truth") if key not in given]
    if missing:
        raise ValueError(f"state lacks {', '.join(missing)}: give a value that w.state returned.")
    tries = [{"guess": kind.guess(t["guess"]), "after_reveal": bool(t["after_reveal"])} for t in given["tries"]]
    truth = None if given["truth"] is None else kind.stored_truth(given["truth"])
    skipped = bool(given.get("skipped", False))  # missing in states of version 0.1
    is_open = bool(given["open"]) or not (tries or skipped)
    return {"version": VERSION, "tries": tries, "open": is_open, "skipped": skipped, "truth": truth}


def make_kind(
    kind: str,
    options: Sequence[str] | None,
    ascending: bool,
    number: tuple[str, float | None, float | None],
    x: Sequence[float] | None,
    labels: tuple[str, str],
) -> Kind:
    """The kind for the arguments of a `Prediction`; ValueError if they are invalid."""
    _, low, high = number
    if low is not None and high is not None and not low < high:
        raise ValueError(f"low = {low!r}, high = {high!r}: give low < high.")
    if kind == "number":
        return Number(*number)
    if kind in ("choice", "ranking"):
        names = tuple(map(str, options or ()))
        if len(names) < 2 or len(set(names)) != len(names):
            raise ValueError(f"options = {options!r}: a {kind} needs at least two, all different.")
        return Choice(names) if kind == "choice" else Ranking(names, ascending)
    if kind == "curve":
        places = tuple(map(float, () if x is None else x))
        if len(places) < 2 or any(b <= a for a, b in pairwise(places)):
            raise ValueError(f"x = {x!r}: a curve needs at least two places, in ascending order.")
        return Curve(places, 0.0 if low is None else low, 1.0 if high is None else high, *labels)
    raise ValueError(f"kind = {kind!r}: choose from number, choice, ranking, curve.")
