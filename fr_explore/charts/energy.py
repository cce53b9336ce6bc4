"""Energy tables -> one row of dots per attribute."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from .channels import DASHED, attribute_axis, attribute_channels, quantity, tips, variant
from .style import INK, NULL_WORD, Chart, Table, check_columns, finish, inline, label_of, sample_words

__all__ = ["energy_by_attribute"]

TITLE = "How consistently does each attribute move the faces?"
ROW = 34  # height of one attribute in pixels
FEW = 3  # up to this many identities, each one matters more than their median


def energy_by_attribute(energies: pd.DataFrame, magnitude: bool = True):
    """One dot per identity and a bar at the median, per attribute; the model depends most on the topmost.

    Energy 0: the attribute moves all faces of a person the same way, so the model depends on it. At the null (grey,
    dashed) the movements agree no more than random ones, so the model is invariant.

    Parameters
    ----------
    energies : the table of `fr.alignment`: identity, attribute, energy, null_mean, magnitude, ...
    magnitude : draw the size of the movement beside the energy. The energy alone can mislead: if an attribute hardly
        moves the faces, the directions mean little.

    Returns an `alt.HConcatChart` (or `alt.LayerChart` without the magnitude), about 560 px wide. Raises ValueError for
    a table without rows or without one of the columns.
    """
    needed = ["identity", "attribute", "energy"] + (["magnitude"] if magnitude else [])
    check_columns(energies, needed, "fr.alignment(...)")
    table = _spread(energies).assign(label=energies["attribute"].map(label_of))
    order = table.groupby("label", sort=False)["energy"].median().sort_values(kind="stable").index.tolist()
    y = attribute_axis(order, domain=False, labelFontSize=13)
    chart = _energy_panel(table, y, order, width=300 if magnitude else 430)
    if magnitude:
        chart = alt.hconcat(chart, _magnitude_panel(table, variant(y, axis=None), order), spacing=24)
    return finish(chart, TITLE, sample_words(energies))


def _energy_panel(table: Table, y: alt.Y, labels: list[str], width: int) -> Chart:
    """Dots, medians and the null line over one common energy axis."""
    high = float(np.nanmax([1.0, *table["energy"], *table.get("null_mean", [])]))
    low = min(0.0, float(table["energy"].min(skipna=True)))
    x = quantity(alt.X, "energy", "alignment energy E (0 = all move alike)", (low, 1.12 * high), tickCount=6)
    layers = [*_null_layers(table, y, labels), *_strip(table, "energy", x, y)]
    undefined = table.groupby("label", sort=False)["energy"].count()
    empty = pd.DataFrame({"label": undefined.index[undefined == 0]})
    if len(empty):
        text = alt.Chart(inline(empty)).mark_text(align="left", dx=4, color=INK, opacity=0.75)
        layers.append(text.encode(x=alt.XDatum(low), y=y, text=alt.value("no direction: nothing moves")))
    return alt.layer(*layers).properties(width=width, height=ROW * len(labels))


def _strip(table: Table, field: str, x: alt.X, y: alt.Y) -> list[Chart]:
    """A dot per row of the table, spread a little across its band, and a thick tick at the median."""
    marks = attribute_channels(table["attribute"])  # of all attributes: both panels share these scales
    table = table.dropna(subset=[field])
    name, *numbers = tips(table, ".3g", "null_mean", "z", "coverage", "magnitude")
    tooltip = [name, alt.Tooltip("identity:N"), alt.Tooltip("energy:Q", format=".3f"), *numbers]
    each = len(table) / max(1, table["label"].nunique())
    opacity = 0.5 if each > 12 else 0.7 if each > FEW else 0.95
    across = alt.YOffset("across:Q", scale=alt.Scale(domain=[-1, 1], range=[0, ROW]))
    dot = alt.Chart(inline(table)).mark_point(filled=True, size=42, opacity=opacity)
    dots = dot.encode(x=x, y=y, yOffset=across, tooltip=tooltip, **marks)
    medians = table.groupby("label", sort=False, as_index=False)[field].median()
    thickness = 4 if each > FEW else 1.5
    tick = alt.Chart(inline(medians)).mark_tick(thickness=thickness, opacity=1, size=ROW - 4, orient="vertical")
    median = alt.Tooltip(f"{field}:Q", title=f"median {field}", format=".3f")
    ticks = tick.encode(x=x, y=y, color=marks["color"], tooltip=[name, median])
    # many dots must not hide the median, and the median must not hide a few dots
    return [dots, ticks] if each > FEW else [ticks, dots]


def _null_layers(table: Table, y: alt.Y, labels: list[str]) -> list[Chart]:
    """The null's mean as a dashed grey line with its word; one segment per attribute, because they may differ.

    Without null draws the line is at 1, the mean for independent random arrows, unless points are their own neighbours.
    """
    null: Table = table.assign(null_mean=table.get("null_mean", np.nan))
    null = null.groupby("label", sort=False, as_index=False)["null_mean"].mean()
    if null["null_mean"].isna().all():
        if "self" in str(table.attrs.get("neighborhood", "")).split(":"):
            return []
        null["null_mean"] = 1.0
    null = null.dropna()
    # from the band's upper edge (y) to its lower edge (y2), so that equal values join into one line
    line = alt.Chart(inline(null)).mark_rule(**DASHED)
    # the word goes to the topmost of the values furthest right, where no dot is in the way
    right = null["null_mean"].max() - 0.02
    top = next(label for label in labels if label in set(null.loc[null["null_mean"] >= right, "label"]))
    word = alt.Chart(inline(null[null["label"] == top])).mark_text(
        **NULL_WORD, align="left", baseline="top", dx=4, dy=-ROW // 2 + 1
    )
    x, edges = alt.X("null_mean:Q"), {"y": variant(y, bandPosition=0), "y2": alt.Y2("label", bandPosition=1)}
    tip = [alt.Tooltip("label:N", title="attribute"), alt.Tooltip("null_mean:Q", title="null, mean", format=".3f")]
    return [line.encode(x=x, **edges, tooltip=tip), word.encode(x=x, y=y)]


def _magnitude_panel(table: Table, y: alt.Y, order: list[str]) -> Chart:
    """The same strip for the size of the movement, from zero."""
    high = float(np.nanmax([1e-12, *table["magnitude"]]))
    x = quantity(alt.X, "magnitude", "movement / mean distance", (0, 1.08 * high), tickCount=3)
    layers = _strip(table, "magnitude", x, y)
    return alt.layer(*layers).properties(width=140, height=ROW * len(order))


def _spread(table: Table) -> Table:
    """A copy with a column `across` in [-0.6, 0.6], the dot's position across its band, so that equal values show.

    Golden-ratio steps instead of random ones: evenly spread, and the same every time.
    """
    groups = table.groupby("attribute", sort=False)["attribute"]
    across = 1.2 * (np.mod(groups.cumcount().to_numpy() * 0.6180339887498949 + 0.5, 1.0) - 0.5)
    return table.assign(across=np.where(groups.transform("size").to_numpy() > 3, across, 0.0))
