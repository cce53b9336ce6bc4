"""Profiles -> energy over the whole range of scales."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from .style import (
    GREY,
    NULL_WORD,
    WIDTH,
    Chart,
    Table,
    apart,
    attribute_scales,
    check_columns,
    finish,
    inline,
    label_of,
    sample_words,
)

__all__ = ["profile"]

PLOT = WIDTH - 150  # the names of the lines stand to the right of it
HEIGHT = 250
FEW = 3  # identities that are drawn one by one


def profile(profiles: pd.DataFrame, coverage: bool = True):
    """Energy over the scale: up to which distance do neighbours move alike? Under it, the coverage.

    A line per attribute at the median over identities, with a band from the lower to the upper quartile; up to three
    identities are drawn as thin lines instead. Where few points have a neighbour the energy says little, so the
    coverage (the share of points that have one) stands under it on the same axis.

    Parameters
    ----------
    profiles : the table of `fr.alignment_profile`: identity, attribute, radius, energy, coverage, and null_mean
        where it was drawn (else the null stands at 1, what independent random arrows give); attrs["radius"] and
        attrs["metric"] say what the radius is.
    coverage : draw the lower panel.
    """
    needed = ["identity", "attribute", "radius", "energy"] + (["coverage"] if coverage else [])
    table: Table = check_columns(profiles, needed, "fr.alignment_profile(...)")
    table = table.assign(label=table["attribute"].map(label_of))
    x = alt.X(
        "radius:Q",
        title=_radius_words(table.attrs),
        scale=alt.Scale(domain=[0, float(table["radius"].max())], nice=False),
        axis=alt.Axis(tickCount=8),
    )
    colors, shapes = attribute_scales(table["attribute"])
    color, shape = alt.Color("label:N", scale=colors, legend=None), alt.Shape("label:N", scale=shapes, legend=None)
    chart = _energy_panel(table, x, color, shape, bare=coverage)
    if coverage:
        chart = alt.vconcat(chart, _coverage_panel(table, x, color, shape), spacing=10).resolve_scale(x="shared")
    return finish(chart, "At which distances do faces move alike?", sample_words(table))


def _radius_words(attrs: dict) -> str:
    """Title of the radius axis, with its unit."""
    words = {"euclidean": "Euclidean distance", "cosine": "distance 1 − cos", "chord": "chord √(2 − 2 cos)"}
    metric = words.get(str(attrs.get("metric")), "distance")
    return f"radius ({metric})" if attrs.get("radius") == "metric" else f"radius / mean distance ({metric})"


def _energy_panel(table: Table, x: alt.X, color: alt.Color, shape: alt.Shape, bare: bool) -> Chart:
    """Lines and bands, the null line with its word, and each attribute's mark and name at the end of its line."""
    known = table.dropna(subset=["energy"])
    low, high = min(0.0, known["energy"].min()), max(1.0, known["energy"].max()) * 1.06
    x = x.copy()
    if bare:
        x["axis"], x["title"] = alt.Axis(labels=False, ticks=False, tickCount=8), None
    scale = alt.Scale(domain=[float(low), float(high)], nice=False)
    y = alt.Y("energy:Q", title="alignment energy E", scale=scale)
    layers: list[Chart] = [*_null_layers(known, x, scale), *_lines(known, "energy", x, y, color, shape)]
    ends = _medians(known, "energy").groupby("label", sort=False).tail(1)
    gap = 14 * (high - low) / HEIGHT
    ends = alt.Chart(inline(ends.assign(place=apart(ends["energy"], gap, low + gap / 2, high - gap / 2))))
    place = alt.Y("place:Q", scale=scale, title="alignment energy E")
    marks = ends.mark_point(filled=True, size=50, opacity=1)
    layers.append(marks.encode(x=alt.value(PLOT + 12), y=place, color=color, shape=shape))
    layers.append(ends.mark_text(align="left").encode(x=alt.value(PLOT + 22), y=place, text="label:N"))
    return alt.layer(*layers).properties(width=PLOT, height=HEIGHT)


def _null_layers(known: Table, x: alt.X, scale: alt.Scale) -> list[Chart]:
    """The null as a grey dashed line, one per attribute where they differ, and its word once."""
    dashed: dict[str, Any] = {"strokeDash": [4, 3], "strokeWidth": 1.5, "color": GREY}
    y = alt.Y("null_mean:Q", scale=scale, title="alignment energy E")
    word = alt.Chart().mark_text(**NULL_WORD, align="left", dx=4, dy=-8)
    drawn = known.dropna(subset=["null_mean"]) if "null_mean" in known.columns else known.head(0)
    if drawn.empty:
        rule = alt.Chart().mark_rule(**dashed).encode(y=alt.YDatum(1.0))
        return [rule, word.encode(x=alt.value(0), y=alt.YDatum(1.0))]
    rows = drawn.groupby(["label", "radius"], sort=False, as_index=False)["null_mean"].median()
    lines = alt.Chart(inline(rows)).mark_line(**dashed).encode(x=x, y=y, detail="label:N")
    first = rows[rows["radius"] == rows["radius"].min()]["null_mean"].max()
    return [lines, word.encode(x=alt.value(0), y=alt.YDatum(float(first)))]


def _coverage_panel(table: Table, x: alt.X, color: alt.Color, shape: alt.Shape) -> Chart:
    """Share of points that have a neighbour, with no names: the colours are those above."""
    scale = alt.Scale(domain=[0, 1], nice=False)
    axis = alt.Axis(format="%", values=[0, 0.5, 1])
    y = alt.Y("coverage:Q", title="coverage", scale=scale, axis=axis)
    return alt.layer(*_lines(table, "coverage", x, y, color, shape)).properties(width=PLOT, height=70)


def _medians(table: Table, field: str) -> Table:
    """Median and quartiles over identities, one row per attribute and radius."""
    by = table.groupby(["label", "radius"], sort=False)[field]
    rows = pd.concat([by.median(), by.quantile(0.25), by.quantile(0.75), by.size()], axis=1)
    rows.columns = [field, "lower", "upper", "identities"]
    return rows.reset_index().sort_values("radius", kind="stable")


def _lines(table: Table, field: str, x: alt.X, y: alt.Y, color: alt.Color, shape: alt.Shape) -> list[Chart]:
    """Band or thin lines for the identities, the median on top, and a few marks along it, which tell it by shape."""
    medians = _medians(table, field)
    layers = []
    if table["identity"].nunique() > FEW:
        spread = y.copy()
        spread["shorthand"] = "lower:Q"
        band = alt.Chart(inline(medians)).mark_area(opacity=0.16)
        layers.append(band.encode(x=x, y=spread, y2="upper:Q", color=color))
    elif table["identity"].nunique() > 1:
        thin = alt.Chart(inline(table[["label", "identity", "radius", field]]))
        layers.append(thin.mark_line(strokeWidth=1, opacity=0.45).encode(x=x, y=y, color=color, detail="identity:N"))
    tooltip = [
        alt.Tooltip("label:N", title="attribute"),
        alt.Tooltip("radius:Q", format=".3g"),
        alt.Tooltip(f"{field}:Q", title=f"median {field}", format=".3f"),
        alt.Tooltip("identities:Q"),
    ]
    radii = sorted(medians["radius"].unique())[:: max(1, medians["radius"].nunique() // 6)]
    few = alt.Chart(inline(medians[medians["radius"].isin(radii)])).mark_point(filled=True, size=36, opacity=1)
    line = alt.Chart(inline(medians)).mark_line(strokeWidth=2.2)
    answer = alt.Chart(inline(medians)).mark_point(size=120, opacity=0)  # a target for the pointer at every radius
    return [
        *layers,
        line.encode(x=x, y=y, color=color),
        few.encode(x=x, y=y, color=color, shape=shape),
        answer.encode(x=x, y=y, tooltip=tooltip),
    ]
