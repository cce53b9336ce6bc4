"""What MacroscaleExplorer shows without a browser, and the check of its state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fr_explore.charts.style import label_of

from ..core.base import check_version
from ..core.picture import Part, Plot
from .cache import Measurements

__all__ = ["check_state", "picture"]

STATE_VERSION = 1
PROJECTIONS = ("pca", "umap")
CURVES = {
    "within positive": ("#17708c", "both with it"),
    "within negative": ("#6f7b8a", "both without it"),
    "across": ("#111111", "one of each"),
}


def picture(measured: Measurements, attribute: str) -> list[Part]:
    """The distributions of the attribute, and KS against intra-entropy for all attributes."""
    plots: list[Part] = []
    curves = measured.curves.get(attribute)
    if curves is not None:
        lines = []
        for name, own in curves.groupby("pairs", sort=False):
            lines.append((own["distance"].tolist(), own["cdf"].tolist(), *CURVES[str(name)]))
        plots.append(Plot("distance", f"share of pairs, {label_of(attribute)}", lines=lines, low=0, high=1))
    known = measured.table.dropna(subset=["ks_mean", "intra_entropy"])
    points = []
    for row in known.to_dict("records"):
        points.append(([row["intra_entropy"]], [row["ks_mean"]], "#111111", label_of(row["attribute"])))
    return [*plots, Plot("intra-entropy (nats)", "KS", points=points, low=0)]


def check_state(given: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """The complete state; ValueError for a wrong version or name."""
    state = {"version": STATE_VERSION, "attribute": names[0], "projection": "pca"}
    if unknown := sorted(set(given) - set(state)):
        raise ValueError(f"{unknown[0]!r} is unknown: the state has attribute and projection.")
    check_version(given, STATE_VERSION)
    state |= given
    if state["attribute"] not in names:
        raise ValueError(f"unknown attribute {state['attribute']!r}: choose from {', '.join(names)}.")
    if state["projection"] not in PROJECTIONS:
        raise ValueError(f"projection = {state['projection']!r}: choose from {', '.join(PROJECTIONS)}.")
    return state
