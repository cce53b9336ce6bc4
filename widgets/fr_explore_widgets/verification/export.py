"""What VerificationExplorer says and shows without a browser: its words, tables, picture and page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ..core.export import Offline
from ..core.picture import Part, Plot
from .pairs import Pairs

__all__ = ["Showing", "check_state"]

STATE_VERSION = 1
SAME_DIFFERENT = ("#17708c", "#b3541e")
BINS = 60


class Showing:
    """The hooks of `Exports` for a widget with `_pairs`, `_rows`, `state`, `threshold`, `rates` and `shifted`."""

    state: Any
    threshold: Any
    _pairs: Any
    _rows: Any
    _ready: Any
    _publish_shifts: Any
    rates: Any
    shifted: Any

    def _tables(self) -> Mapping[str, pd.DataFrame]:
        self._ready()
        tables = {"rates": self.rates()}
        moved = self.shifted()
        return tables | ({"attributes": moved} if len(moved) else {})

    def _words(self) -> str:
        if self._pairs is None:
            return "The faces are still being rendered; there are no pairs yet."
        row = self.rates().iloc[0]
        text = (
            f"At {self.threshold:.3g}, {row['accepted']:,} of {row['impostor']:,} impostor pairs are accepted "
            f"({_share(row, 'far')}) and {row['rejected']:,} of {row['genuine']:,} genuine pairs are rejected "
            f"({_share(row, 'frr')})."
        )
        moved = self.shifted()
        here = moved[(moved["attribute"] == self.state["attribute"]) & (moved["strength"] == self.state["strength"])]
        for one in here.to_dict("records"):
            text += (
                f" With {one['attribute'].replace('_', ' ')} at {one['strength']:.3g}, {one['rejected']} of "
                f"{one['genuine']} genuine pairs are rejected."
            )
        return text

    def _picture(self, kept: bool) -> Sequence[Sequence[Part]]:
        if self._pairs is None:
            return [[self._words()]]
        pairs: Pairs = self._pairs
        same = pairs.table["same"].to_numpy(bool)
        distance = pairs.table["distance"].to_numpy()
        edges = np.linspace(0, float(distance.max()) * 1.02 or 1.0, BINS + 1)
        lines = []
        for kind, color, name in zip((same, ~same), SAME_DIFFERENT, ("same person", "different people"), strict=True):
            heights = np.histogram(distance[kind], edges, density=True)[0]
            lines.append((np.repeat(edges, 2)[1:-1], np.repeat(heights, 2), color, name))
        mark = (self.threshold, "#111111", f"threshold {self.threshold:.3g}")
        density = Plot("distance", "density", lines=lines, marks=[mark])
        curve = pairs.curves[None]
        if "far" not in curve:
            return [[density], [self._words()]]
        known = curve["far"] > 0
        roc = (np.log10(curve.loc[known, "far"]), curve.loc[known, "tar"], "#111111", "ROC")
        return [[density, Plot("log10 of the false match rate", "share accepted", lines=[roc], low=0, high=1)],
                [self._words()]]  # fmt: skip

    def _offline(self, attributes: Sequence[str] = ()) -> Offline:
        """The page counts for itself; `attributes` are measured first, so that their sliders move there too."""
        self._ready()
        for name in attributes:
            if self._rows is None:
                raise ValueError("attributes= needs a face source: these pairs were computed before.")
            check_state({**self.state, "attribute": name, "strength": None}, self._rows, None)
            if not all(self._rows.shifts[name].done if name in self._rows.shifts else [False]):
                for _ in self._rows.shift(name):
                    pass
        if attributes:
            self._publish_shifts()
        return Offline(what=f"{len(self._pairs.table):,} pairs", reduce="give fewer pairs")


def check_state(given: Mapping[str, Any], rows: Any, start: float | None) -> dict[str, Any]:
    """The state with all that is left open filled in; ValueError for a version, name or number that is not right."""
    state = {"version": STATE_VERSION, "threshold": None, "attribute": None, "strength": None, **given}
    odd = set(state) - {"version", "threshold", "attribute", "strength"}
    if odd:
        raise ValueError(f"{sorted(odd)[0]!r} is unknown: the state has threshold, attribute and strength.")
    if state["version"] != STATE_VERSION:
        raise ValueError(
            f"state has version {state['version']!r}, this release reads version {STATE_VERSION}: give a value that "
            "w.state returned."
        )
    threshold = start if state["threshold"] is None else state["threshold"]
    if threshold is not None:
        if isinstance(threshold, bool | str) or not math.isfinite(threshold) or threshold < 0:
            raise ValueError(f"threshold = {threshold!r}: give a distance, 0 or larger.")
        threshold = float(threshold)
    attribute, strength = state["attribute"], state["strength"]
    if attribute is None:
        return {"version": STATE_VERSION, "threshold": threshold, "attribute": None, "strength": None}
    if rows is None:
        raise ValueError(
            f"attribute = {attribute!r}: these pairs were computed before; give a face source and a model to move one."
        )
    if attribute not in rows.faces.attributes:
        raise ValueError(f"unknown attribute {attribute!r}: choose from {', '.join(rows.faces.attributes)}.")
    grid, neutral = rows.grid(attribute), rows.faces.attributes[attribute].neutral
    wanted = neutral if strength is None else strength
    if isinstance(wanted, bool | str) or not min(grid) - 1e-9 <= wanted <= max(grid) + 1e-9:
        raise ValueError(f"strength = {strength!r}: {attribute} goes from {min(grid):g} to {max(grid):g}.")
    nearest = min(grid, key=lambda value: abs(value - wanted))
    return {"version": STATE_VERSION, "threshold": threshold, "attribute": attribute, "strength": nearest}


def _share(row: Any, rate: str) -> str:
    return f"{100 * row[rate]:.3g} %, 95 % interval {100 * row[f'{rate}_low']:.3g} to {100 * row[f'{rate}_high']:.3g} %"
