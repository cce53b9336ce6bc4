"""Macroscale tables -> which attributes shape the space, against how tightly they are tied to a person."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from .style import GREY, NULL_WORD, WIDTH, Chart, Table, attribute_scales, check_columns, finish, inline, label_of

__all__ = ["ks_against_entropy"]

PLOT, HEIGHT = WIDTH - 70, 320
LETTER, LINE = 6.6, 15  # a letter's mean width and a line's height in pixels
LEFT = 0.03  # room left of entropy 0, as a share of the axis
MARGIN = 32  # a name may reach so far beyond the plot
SIDES: dict[str, dict[str, Any]] = {
    "right": {"align": "left", "dx": 10},
    "left": {"align": "right", "dx": -10},
    "above": {"dy": -17},
    "below": {"dy": 17},
}
AXES = {
    "intra_entropy": "intra-entropy (nats): 0 = never changes in a person",
    "inter_entropy": "inter-entropy (nats): 0 = all people alike",
}


def ks_against_entropy(macroscale: pd.DataFrame, entropy: str = "intra_entropy"):
    """Each attribute's KS against its entropy: what is tied to a person shapes the space most.

    A filled mark stands out from the permutations (p at most 0.05), a hollow one does not; the grey tick below it is
    the KS that its number of people shows by chance. Names that would overlap are left to the pointer.

    Parameters
    ----------
    macroscale : the table of `fr.macroscale`.
    entropy : "intra_entropy" or "inter_entropy".
    """
    if entropy not in AXES:
        raise ValueError(f"entropy {entropy!r} is unknown: choose from {', '.join(AXES)}.")
    table: Table = check_columns(macroscale, ["attribute", "ks_mean", entropy, "n"], "fr.macroscale(...)")
    missing = {"null_mean": np.nan, "p_value": np.nan}
    table = table.assign(label=table["attribute"].map(label_of), **{k: v for k, v in missing.items() if k not in table})
    table = table.dropna(subset=["ks_mean", entropy])
    if table.empty:
        raise ValueError("no attribute has a KS: each needs two people with it and two without.")
    table = table.assign(clear=table["p_value"] <= 0.05)
    right = max(0.1, table[entropy].max() * 1.08)
    top = table[["ks_mean", "null_mean"]].max().max() * 1.12
    x = alt.X(
        f"{entropy}:Q", title=AXES[entropy], scale=alt.Scale(domain=[-LEFT * float(right), float(right)], nice=False)
    )
    y = alt.Y("ks_mean:Q", title="KS, mean of both modalities", scale=alt.Scale(domain=[0, float(top)], nice=False))
    layers = [*_null_ticks(table, x), *_marks(table, x, y), *_names(table, entropy, right, top, x, y)]
    chart = alt.layer(*layers).properties(width=PLOT, height=HEIGHT)
    found = table.attrs.get("spearman", {}).get(entropy, {})
    words = [str(table.attrs["model"])] if table.attrs.get("model") else []
    if np.isfinite(found.get("rho", np.nan)):
        words.append(f"Spearman's ρ = {found['rho']:.2f}".replace("-", "−"))
        words.append(f"p = {found['p_value']:.2g}, {found['attributes']} attributes")
    return finish(chart, "Does what is tied to a person shape the space?", ", ".join(words))


def _marks(table: Table, x: alt.X, y: alt.Y) -> list[Chart]:
    """A mark per attribute in its colour and shape, filled where it stands out from the null."""
    colors, shapes = attribute_scales(table["attribute"])
    color = alt.Color("label:N", scale=colors, legend=None)
    tooltip = [
        alt.Tooltip("label:N", title="attribute"),
        *(
            alt.Tooltip(f"{name}:Q", format=".3f")
            for name in ("ks_mean", "null_mean", "p_value", "intra_entropy", "inter_entropy")
            if name in table
        ),
        alt.Tooltip("n:Q", title="people in each group"),
    ]
    mark = alt.Chart(inline(table)).mark_point(size=90, strokeWidth=2, opacity=1)
    fill = alt.FillOpacity("clear:N", scale=alt.Scale(domain=[False, True], range=[0, 1]), legend=None)
    encoded = mark.encode(x=x, y=y, color=color, shape=alt.Shape("label:N", scale=shapes, legend=None), tooltip=tooltip)
    return [encoded.encode(fill=alt.Fill("label:N", scale=colors, legend=None), fillOpacity=fill)]


def _null_ticks(table: Table, x: alt.X) -> list[Chart]:
    """What each attribute's KS would be by chance, a grey tick."""
    null = table.dropna(subset=["null_mean"])
    tooltip = [alt.Tooltip("label:N", title="attribute"), alt.Tooltip("null_mean:Q", title="null", format=".3f")]
    ticks = alt.Chart(inline(null)).mark_tick(orient="horizontal", size=16, thickness=2, color=GREY, opacity=1)
    return [ticks.encode(x=x, y=alt.Y("null_mean:Q"), tooltip=tooltip)] if len(null) else []


def _names(table: Table, entropy: str, right: float, top: float, x: alt.X, y: alt.Y) -> list[Chart]:
    """Names where they fit, the strongest attribute first: to the right, left, above or below its mark, else nowhere.

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
    """The side of the mark at which the label meets nothing; the place is then taken."""
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
