"""Energy tables -> a strip of identities per attribute."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from .style import (
    GREY,
    INK,
    NULL_WORD,
    Chart,
    Table,
    attribute_scales,
    check_columns,
    finish,
    inline,
    label_of,
    sample_words,
)

__all__ = ["energy_by_attribute"]

TITLE = "How evenly does each attribute move the faces?"
ROW = 34  # height of one attribute in pixels
FEW = 3  # identities up to which each one matters more than their median


def energy_by_attribute(energies: pd.DataFrame, magnitude: bool = True):
    """One dot per identity and a bar at the median, per attribute; the model depends most on the topmost.

    Energy 0: the attribute moves all faces of a person the same way, the model depends on it. At the null (grey,
    dashed) the movements agree no more than random ones: the model is invariant.

    Parameters
    ----------
    energies : the table of `fr.alignment`: identity, attribute, energy, null_mean, magnitude, ...
    magnitude : draw the size of the movement beside the energy. An energy alone can mislead: where nothing moves,
        the direction of what is left says little.

    Gives an `alt.HConcatChart` (or `alt.LayerChart` without the magnitude), about 560 px wide.
    """
    needed = ["identity", "attribute", "energy"] + (["magnitude"] if magnitude else [])
    check_columns(energies, needed, "fr.alignment(...)")
    table = _spread(energies, "attribute")
    order = table.groupby("attribute", sort=False)["energy"].median().sort_values(kind="stable").index
    table["label"] = table["attribute"].map(label_of)
    labels = [label_of(name) for name in order]
    y = alt.Y(
        "label:N",
        sort=labels,
        title=None,
        scale=alt.Scale(padding=0),
        axis=alt.Axis(ticks=False, domain=False, labelFontSize=13),
    )
    left = _energy_panel(table, y, labels, width=300 if magnitude else 430)
    if not magnitude:
        return finish(left, TITLE, sample_words(energies))
    right = _magnitude_panel(table, y.copy(), order)
    return finish(alt.hconcat(left, right, spacing=24), TITLE, sample_words(energies))


def _energy_panel(table: Table, y: alt.Y, labels: list[str], width: int) -> Chart:
    """Dots, medians and the null line over one common energy axis."""
    high = float(np.nanmax([1.0, *table["energy"], *table.get("null_mean", [])]))
    low = min(0.0, float(table["energy"].min(skipna=True)))
    x = alt.X("energy:Q", title="alignment energy E (0 = all move alike)",
              scale=alt.Scale(domain=[low, 1.12 * high], nice=False), axis=alt.Axis(tickCount=6))  # fmt: skip
    drawn = table.dropna(subset=["energy"])
    layers = [*_null_layers(table, y, labels), *_strip(drawn, "energy", x, y, table["attribute"])]
    undefined = table.groupby("label", sort=False)["energy"].count()
    empty = pd.DataFrame({"label": undefined.index[undefined == 0]})
    if len(empty):
        text = alt.Chart(inline(empty)).mark_text(align="left", dx=4, color=INK, opacity=0.75)
        layers.append(text.encode(x=alt.XDatum(low), y=y, text=alt.value("no direction: nothing moves")))
    return alt.layer(*layers).properties(width=width, height=ROW * len(labels))


def _strip(table: Table, field: str, x: alt.X, y: alt.Y, names: Any) -> list[Chart]:
    """A dot per row of the table, spread a little across its band, and a thick tick at the median."""
    colors, shapes = attribute_scales(names)
    color = alt.Color("label:N", scale=colors, legend=None)
    tooltip = [
        alt.Tooltip("label:N", title="attribute"), alt.Tooltip("identity:N"),
        alt.Tooltip("energy:Q", format=".3f"),
        *(alt.Tooltip(f"{name}:Q", format=".3g") for name in ("null_mean", "z", "coverage", "magnitude")
          if name in table.columns),
    ]  # fmt: skip
    each = len(table) / max(1, table["label"].nunique())
    opacity = 0.5 if each > 12 else 0.7 if each > FEW else 0.95
    dots = alt.Chart(inline(table)).mark_point(filled=True, size=42, opacity=opacity).encode(
        x=x, y=y, color=color, shape=alt.Shape("label:N", scale=shapes, legend=None), tooltip=tooltip,
        yOffset=alt.YOffset("across:Q", scale=alt.Scale(domain=[-1, 1], range=[0, ROW])),
    )  # fmt: skip
    medians = table.groupby("label", sort=False, as_index=False)[field].median()
    tick = alt.Chart(inline(medians)).mark_tick(
        thickness=4 if each > FEW else 1.5, opacity=1, size=ROW - 4, orient="vertical"
    )
    ticks = tick.encode(x=x, y=y, color=color,
                        tooltip=[alt.Tooltip("label:N", title="attribute"),
                                 alt.Tooltip(f"{field}:Q", title=f"median {field}", format=".3f")])  # fmt: skip
    # a crowd must not hide the median, nor the median one of a few
    return [dots, ticks] if each > FEW else [ticks, dots]


def _null_layers(table: Table, y: alt.Y, labels: list[str]) -> list[Chart]:
    """The null's mean as a dashed grey line with its word on it; one piece per attribute, since they may differ.

    Where none was drawn it stands at 1, what independent random arrows give, unless points count themselves.
    """
    null: Table = table.assign(null_mean=table.get("null_mean", np.nan))
    null = null.groupby("label", sort=False, as_index=False)["null_mean"].mean()
    if null["null_mean"].isna().all():
        if "self" in str(table.attrs.get("neighborhood", "")).split(":"):
            return []
        null["null_mean"] = 1.0
    null = null.dropna()
    # y at the band's upper edge, y2 at its lower one, so that equal values join into one line
    line = alt.Chart(inline(null)).mark_rule(strokeDash=[4, 3], strokeWidth=1.5, color=GREY)
    # the topmost of those furthest right, where no dot is in the way
    right = null["null_mean"].max() - 0.02
    top = next(label for label in labels if label in set(null.loc[null["null_mean"] >= right, "label"]))
    word = alt.Chart(inline(null[null["label"] == top])).mark_text(
        **NULL_WORD, align="left", baseline="top", dx=4, dy=-ROW // 2 + 1
    )
    edge = y.copy()
    edge["bandPosition"] = 0
    x = alt.X("null_mean:Q")
    tip = [alt.Tooltip("label:N", title="attribute"), alt.Tooltip("null_mean:Q", title="null, mean", format=".3f")]
    return [line.encode(x=x, y=edge, y2=alt.Y2("label", bandPosition=1), tooltip=tip), word.encode(x=x, y=y)]


def _magnitude_panel(table: Table, y: alt.Y, order: Any) -> Chart:
    """The same strip for the size of the movement, from zero."""
    y["axis"] = None
    high = float(np.nanmax([1e-12, *table["magnitude"]]))
    x = alt.X("magnitude:Q", title="movement / mean distance", axis=alt.Axis(tickCount=3),
              scale=alt.Scale(domain=[0, 1.08 * high], nice=False))  # fmt: skip
    layers = _strip(table.dropna(subset=["magnitude"]), "magnitude", x, y, table["attribute"])
    return alt.layer(*layers).properties(width=140, height=ROW * len(order))


def _spread(table: Table, by: str) -> Table:
    """A copy with a column `across` in [-0.6, 0.6]: where in its band a dot lies, so that equal values show.

    Golden-ratio steps instead of random ones: even, and the same picture every time.
    """
    rank = table.groupby(by, sort=False).cumcount().to_numpy()
    size = table.groupby(by, sort=False)[by].transform("size").to_numpy()
    across = 1.2 * (np.mod(rank * 0.6180339887498949 + 0.5, 1.0) - 0.5)
    return table.assign(across=np.where(size > 3, across, 0.0))
