"""Macroscale tables -> which attributes shape the space, against how constant they are within a person."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from .channels import attribute_channels, fill_where, quantity, tips
from .style import GREY, NULL_WORD, WIDTH, Chart, Table, check_columns, finish, inline, label_of

__all__ = ["ks_against_entropy"]

PLOT, HEIGHT = WIDTH - 70, 320
LETTER, LINE = 6.6, 15  # a letter's mean width and a line's height in pixels
LEFT = 0.03  # room to the left of entropy 0, as a share of the axis
MARGIN = 32  # how far a name may extend beyond the plot
SIDES: dict[str, dict[str, Any]] = {
    "right": {"align": "left", "dx": 10},
    "left": {"align": "right", "dx": -10},
    "above": {"dy": -17},
    "below": {"dy": 17},
}
AXES = {
    "intra_entropy": "intra-entropy (nats): 0 = never changes within a person",
    "inter_entropy": "inter-entropy (nats): 0 = all people alike",
}


def ks_against_entropy(macroscale: pd.DataFrame, entropy: str = "intra_entropy"):
    """Each attribute's KS against its entropy: attributes that are constant within a person shape the space most.

    A filled mark differs from the permutations (p at most 0.05), a hollow one does not; the grey tick below it is the
    KS that its number of people shows by chance. Names that would overlap appear only in the tooltip.

    Parameters
    ----------
    macroscale : the table of `fr.macroscale`.
    entropy : "intra_entropy" or "inter_entropy".

    Raises ValueError for an unknown entropy, a missing column, or a table in which no attribute has a KS.
    """
    if entropy not in AXES:
        raise ValueError(f"unknown entropy {entropy!r}: choose from {', '.join(AXES)}.")
    table: Table = check_columns(macroscale, ["attribute", "ks_mean", entropy, "n"], "fr.macroscale(...)")
    missing = {"null_mean": np.nan, "p_value": np.nan}
    table = table.assign(label=table["attribute"].map(label_of), **{k: v for k, v in missing.items() if k not in table})
    table = table.dropna(subset=["ks_mean", entropy])
    if table.empty:
        raise ValueError("no attribute has a KS: each needs two people with it and two without.")
    table = table.assign(clear=table["p_value"] <= 0.05)
    right = max(0.1, table[entropy].max() * 1.08)
    top = table[["ks_mean", "null_mean"]].max().max() * 1.12
    x = quantity(alt.X, entropy, AXES[entropy], (-LEFT * right, right))
    y = quantity(alt.Y, "ks_mean", "KS, mean of both modalities", (0, top))
    layers = [*_null_ticks(table, x), *_marks(table, x, y), *_names(table, entropy, right, top, x, y)]
    chart = alt.layer(*layers).properties(width=PLOT, height=HEIGHT)
    found = table.attrs.get("spearman", {}).get(entropy, {})
    words = [table.attrs.get("model")]
    if np.isfinite(found.get("rho", np.nan)):
        words.append(f"Spearman's ρ = {found['rho']:.2f}".replace("-", "−"))
        words.append(f"p = {found['p_value']:.2g}, {found['attributes']} attributes")
    return finish(chart, "Do attributes that are constant within a person shape the space?", *words)


def _marks(table: Table, x: alt.X, y: alt.Y) -> list[Chart]:
    """A mark per attribute in its colour and shape, filled if it differs from the null."""
    marks = attribute_channels(table["attribute"])
    tooltip = tips(table, ".3f", "ks_mean", "null_mean", "p_value", "intra_entropy", "inter_entropy")
    tooltip.append(alt.Tooltip("n:Q", title="people in each group"))
    mark = alt.Chart(inline(table)).mark_point(size=90, strokeWidth=2, opacity=1)
    return [mark.encode(x=x, y=y, tooltip=tooltip, **marks, **fill_where("clear", [False, True], marks["color"]))]


def _null_ticks(table: Table, x: alt.X) -> list[Chart]:
    """The mean KS of each attribute under the null model, as a grey tick."""
    null = table.dropna(subset=["null_mean"])
    tooltip = [alt.Tooltip("label:N", title="attribute"), alt.Tooltip("null_mean:Q", title="null", format=".3f")]
    ticks = alt.Chart(inline(null)).mark_tick(orient="horizontal", size=16, thickness=2, color=GREY, opacity=1)
    return [ticks.encode(x=x, y=alt.Y("null_mean:Q"), tooltip=tooltip)] if len(null) else []


def _names(table: Table, entropy: str, right: float, top: float, x: alt.X, y: alt.Y) -> list[Chart]:
    """Names that fit to the right, left, above or below their mark, the strongest attribute first.

    The word "null" comes last, once, at a tick that has room for it.
    """
    names = table.sort_values("ks_mean", ascending=False)[[entropy, "ks_mean", "label"]]
    null = table.dropna(subset=["null_mean"]).sort_values(entropy, ascending=False)
    null = null[[entropy, "null_mean"]].set_axis([entropy, "ks_mean"], axis=1).assign(label="null")

    def pixels(row: dict) -> tuple[float, float]:
        return PLOT * (row[entropy] / right + LEFT) / (1 + LEFT), HEIGHT * (1 - row["ks_mean"] / top)

    taken = []
    for rows, tall in ((names, 8), (null, 2)):
        taken += [(px - 9, px + 9, py - tall, py + tall) for px, py in map(pixels, rows.to_dict("records"))]
    layers: list[Chart] = []
    for rows, most in ((names, len(names)), (null, 1)):
        placed: list[dict] = []
        for row in rows.to_dict("records"):
            if len(placed) < most and (side := _free_side(*pixels(row), row["label"], taken)):
                placed.append(row | {"side": side})
        soft = {key: value for key, value in NULL_WORD.items() if key != "text"} if rows is null else {}
        for side, look in SIDES.items():
            here = [row for row in placed if row["side"] == side]
            if here:
                text = alt.Chart(inline(pd.DataFrame(here))).mark_text(**look, **soft)
                layers.append(text.encode(x=x, y=y, text="label:N"))
    return layers


def _free_side(x: float, y: float, label: str, taken: list[tuple[float, float, float, float]]) -> str | None:
    """The side of the mark where the label overlaps nothing, which is added to `taken`; None if there is none."""
    width = LETTER * len(label)
    boxes = {
        "right": (x + 10, x + 10 + width, y - LINE / 2, y + LINE / 2),
        "left": (x - 10 - width, x - 10, y - LINE / 2, y + LINE / 2),
        "above": (x - width / 2, x + width / 2, y - 10 - LINE, y - 10),
        "below": (x - width / 2, x + width / 2, y + 10, y + 10 + LINE),
    }
    for side, (x0, x1, y0, y1) in boxes.items():
        inside = x0 >= 0 and x1 <= PLOT + MARGIN and y0 >= 0 and y1 <= HEIGHT
        if inside and not any(x0 < b and a < x1 and y0 < d and c < y1 for a, b, c, d in taken):
            taken.append((x0, x1, y0, y1))
            return side
    return None
