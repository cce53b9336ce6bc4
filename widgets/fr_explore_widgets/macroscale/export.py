"""What MacroscaleExplorer says and shows without a browser: its words, tables, picture and page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from fr_explore.charts.style import label_of

from ..core.export import Offline
from ..core.picture import Part, Plot
from .cache import Survey, sentence

__all__ = ["Showing", "check_state"]

STATE_VERSION = 1
PROJECTIONS = ("pca", "umap")


class Showing:
    """The hooks of `Exports` for a widget with `_survey` and `attribute`."""

    _survey: Survey
    attribute: Any

    def _tables(self) -> Mapping[str, pd.DataFrame]:
        curves = self._survey.curves.get(self.attribute)
        return {"macroscale": self._survey.table} | ({} if curves is None else {"curves": curves})

    def _words(self) -> str:
        table = self._survey.table.set_index("attribute", drop=False)
        if self.attribute not in table.index:
            return f"{label_of(self.attribute)} is still being measured."
        return sentence(table.loc[self.attribute].to_dict(), len(self._survey.names))

    def _picture(self, kept: bool) -> Sequence[Sequence[Part]]:
        plots, curves = [], self._survey.curves.get(self.attribute)
        if curves is not None:
            color = {"within positive": "#17708c", "within negative": "#6f7b8a", "across": "#111111"}
            word = {"within positive": "both with it", "within negative": "both without it", "across": "one of each"}
            lines = [(own["distance"].tolist(), own["cdf"].tolist(), color[str(name)], word[str(name)])
                     for name, own in curves.groupby("pairs", sort=False)]  # fmt: skip
            plots.append(Plot("distance", f"share of pairs, {label_of(self.attribute)}", lines=lines, low=0, high=1))
        known = self._survey.table.dropna(subset=["ks_mean", "intra_entropy"])
        spots = [([row["intra_entropy"]], [row["ks_mean"]], "#111111", label_of(row["attribute"]))
                 for row in known.to_dict("records")]  # fmt: skip
        plots.append(Plot("intra-entropy (nats)", "KS", points=spots, low=0))
        return [plots, [self._words()]]

    def _offline(self) -> Offline:
        left = len(self._survey.names) - len(self._survey.rows)
        if left:
            raise RuntimeError(f"{left} attributes are still being measured: call w.wait() first.")
        return Offline(what=f"{len(self._survey.shown):,} points", reduce="give fewer images or attributes")


def check_state(given: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """The state with what is left open filled in; ValueError for a version or a name that is not right."""
    state = {"version": STATE_VERSION, "attribute": names[0], "projection": "pca", **given}
    if odd := set(state) - {"version", "attribute", "projection"}:
        raise ValueError(f"{sorted(odd)[0]!r} is unknown: the state has attribute and projection.")
    if state["version"] != STATE_VERSION:
        raise ValueError(
            f"state has version {state['version']!r}, this release reads version {STATE_VERSION}: give a value that "
            "w.state returned."
        )
    if state["attribute"] not in names:
        raise ValueError(f"unknown attribute {state['attribute']!r}: choose from {', '.join(names)}.")
    if state["projection"] not in PROJECTIONS:
        raise ValueError(f"projection = {state['projection']!r}: choose from {', '.join(PROJECTIONS)}.")
    return state
