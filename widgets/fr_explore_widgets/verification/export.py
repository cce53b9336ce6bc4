"""What VerificationExplorer shows without a browser: its words and picture; and the check of its state."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ..core.base import check_version
from ..core.picture import Part, Plot
from .faces import FaceGallery
from .pairs import Pairs

__all__ = ["check_state", "picture", "words"]

STATE_VERSION = 1
COLORS = {True: "#17708c", False: "#b3541e"}
NAMES = {True: "same person", False: "different people"}
BINS = 60


def words(pairs: Pairs, state: Mapping[str, Any], shifted: pd.DataFrame) -> str:
    """Counts, rates and intervals at the threshold; with an attribute, the rejected pairs at its strength."""
    row = pairs.rates(state["threshold"]).iloc[0]
    text = (
        f"At {state['threshold']:.3g}, {row['accepted']:,} of {row['impostor']:,} impostor pairs are accepted "
        f"({_share(row, 'far')}) and {row['rejected']:,} of {row['genuine']:,} genuine pairs are rejected "
        f"({_share(row, 'frr')})."
    )
    here = (shifted["attribute"] == state["attribute"]) & (shifted["strength"] == state["strength"])
    for one in shifted.loc[here].itertuples():
        name = str(one.attribute).replace("_", " ")
        text += f" With {name} at {one.strength:.3g}, {one.rejected} of {one.genuine} genuine pairs are rejected."
    return text


def picture(pairs: Pairs, threshold: float) -> list[Part]:
    """Both densities with the threshold, and the ROC where there is one."""
    same = pairs.table["same"].to_numpy(bool)
    distance = pairs.table["distance"].to_numpy()
    edges = np.linspace(0, float(distance.max()) * 1.02 or 1.0, BINS + 1)
    lines = []
    for kind, color in COLORS.items():
        heights = np.histogram(distance[same == kind], edges, density=True)[0]
        lines.append((np.repeat(edges, 2)[1:-1], np.repeat(heights, 2), color, NAMES[kind]))
    mark = (threshold, "#111111", f"threshold {threshold:.3g}")
    parts: list[Part] = [Plot("distance", "density", lines=lines, marks=[mark])]
    curve = pairs.curves[None]
    if "far" in curve:
        known = curve[curve["far"] > 0]
        roc = (np.log10(known["far"]).tolist(), known["tar"].tolist(), "#111111", "ROC")
        parts.append(Plot("log10 of the false match rate", "share accepted", lines=[roc], low=0, high=1))
    return parts


def check_state(given: Mapping[str, Any], gallery: FaceGallery | None, start: float | None) -> dict[str, Any]:
    """The complete state; ValueError for a wrong version, name or number. `start` replaces a missing threshold."""
    state = {"version": STATE_VERSION, "threshold": None, "attribute": None, "strength": None}
    if unknown := sorted(set(given) - set(state)):
        raise ValueError(f"{unknown[0]!r} is unknown: the state has threshold, attribute and strength.")
    check_version(given, STATE_VERSION)
    state |= given
    threshold = start if state["threshold"] is None else state["threshold"]
    if threshold is not None:
        if isinstance(threshold, bool | str) or not math.isfinite(threshold) or threshold < 0:
            raise ValueError(f"threshold = {threshold!r}: give a distance, 0 or larger.")
        threshold = float(threshold)
    state["threshold"] = threshold
    attribute, strength = state["attribute"], state["strength"]
    if attribute is None:
        return state | {"strength": None}
    if gallery is None:
        raise ValueError(
            f"attribute = {attribute!r}: these distances are precomputed; give a face source and a model to vary one."
        )
    if attribute not in gallery.faces.attributes:
        raise ValueError(f"unknown attribute {attribute!r}: choose from {', '.join(gallery.faces.attributes)}.")
    grid, neutral = gallery.grid(attribute), gallery.faces.attributes[attribute].neutral
    wanted = neutral if strength is None else strength
    if isinstance(wanted, bool | str) or not min(grid) - 1e-9 <= wanted <= max(grid) + 1e-9:
        raise ValueError(f"strength = {strength!r}: {attribute} has a range from {min(grid):g} to {max(grid):g}.")
    return state | {"strength": min(grid, key=lambda value: abs(value - wanted))}


def _share(row: Mapping[str, Any], rate: str) -> str:
    return f"{100 * row[rate]:.3g} %, 95 % interval {100 * row[f'{rate}_low']:.3g} to {100 * row[f'{rate}_high']:.3g} %"
