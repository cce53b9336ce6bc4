"""Profiles -> energy over the whole range of scales."""

from __future__ import annotations

import altair as alt
import pandas as pd

from .channels import DASHED, attribute_channels, quantity, quartiles, variant
from .style import NULL_WORD, WIDTH, Chart, Table, apart, check_columns, finish, inline, label_of, sample_words

__all__ = ["profile"]

PLOT = WIDTH - 150  # the names of the lines are to the right of it
HEIGHT = 250
FEW = 3  # up to this many identities are drawn one by one
METRICS = {"euclidean": "Euclidean distance", "cosine": "distance 1 − cos", "chord": "chord √(2 − 2 cos)"}


def profile(profiles: pd.DataFrame, coverage: bool = True):
    """Energy over the scale: up to which distance do neighbours move alike? Below it, the coverage.

    One line per attribute at the median over identities, with a band from the lower to the upper quartile; up to three
    identities are drawn as thin lines instead. The coverage is the share of points that have a neighbour. If it is
    small, the energy means little.

    Parameters
    ----------
    profiles : the table of `fr.alignment_profile`: identity, attribute, radius, energy, coverage, and null_mean if it
        was drawn (otherwise the null is at 1, the mean for independent random arrows); attrs["radius"] and
        attrs["metric"] say what the radius is.
    coverage : draw the lower panel.

    Raises ValueError for a table without rows or without one of the columns.
    """
    needed = ["identity", "attribute", "radius", "energy"] + (["coverage"] if coverage else [])
    table: Table = check_columns(profiles, needed, "fr.alignment_profile(...)")
    table = table.assign(label=table["attribute"].map(label_of))
    metric = METRICS.get(str(table.attrs.get("metric")), "distance")
    title = f"radius ({metric})" if table.attrs.get("radius") == "metric" else f"radius / mean distance ({metric})"
    x = quantity(alt.X, "radius", title, (0, table["radius"].max()), tickCount=8)
    marks = attribute_channels(table["attribute"])
    if not coverage:
        chart = _energy_panel(table, x, marks)
    else:
        bare = variant(x, axis=alt.Axis(labels=False, ticks=False, tickCount=8), title=None)
        y = quantity(alt.Y, "coverage", "coverage", (0, 1), format="%", values=[0, 0.5, 1])
        lower = alt.layer(*_lines(table, "coverage", x, y, marks)).properties(width=PLOT, height=70)
        chart = alt.vconcat(_energy_panel(table, bare, marks), lower, spacing=10).resolve_scale(x="shared")
    return finish(chart, "At which distances do faces move alike?", sample_words(table))


def _energy_panel(table: Table, x: alt.X, marks: dict) -> Chart:
    """Lines and bands, the null line with its word, and each attribute's mark and name at the end of its line."""
    known = table.dropna(subset=["energy"])
    low, high = min(0.0, known["energy"].min()), max(1.0, known["energy"].max()) * 1.06
    y = quantity(alt.Y, "energy", "alignment energy E", (low, high))
    layers: list[Chart] = [*_null_layers(known, x, variant(y, "null_mean")), *_lines(known, "energy", x, y, marks)]
    ends = _medians(known, "energy").groupby("label", sort=False).tail(1)
    gap = 14 * (high - low) / HEIGHT
    ends = alt.Chart(inline(ends.assign(place=apart(ends["energy"], gap, low + gap / 2, high - gap / 2))))
    place = variant(y, "place")
    layers.append(ends.mark_point(filled=True, size=50, opacity=1).encode(x=alt.value(PLOT + 12), y=place, **marks))
    layers.append(ends.mark_text(align="left").encode(x=alt.value(PLOT + 22), y=place, text="label:N"))
    return alt.layer(*layers).properties(width=PLOT, height=HEIGHT)


def _null_layers(known: Table, x: alt.X, y: alt.Y) -> list[Chart]:
    """The null as a grey dashed line, one per attribute if they differ, with its word once."""
    word = alt.Chart().mark_text(**NULL_WORD, align="left", dx=4, dy=-8)
    drawn = known.dropna(subset=["null_mean"]) if "null_mean" in known.columns else known.head(0)
    if drawn.empty:
        rule = alt.Chart().mark_rule(**DASHED).encode(y=alt.YDatum(1.0))
        return [rule, word.encode(x=alt.value(0), y=alt.YDatum(1.0))]
    rows = drawn.groupby(["label", "radius"], sort=False, as_index=False)["null_mean"].median()
    lines = alt.Chart(inline(rows)).mark_line(**DASHED).encode(x=x, y=y, detail="label:N")
    first = rows[rows["radius"] == rows["radius"].min()]["null_mean"].max()
    return [lines, word.encode(x=alt.value(0), y=alt.YDatum(float(first)))]


def _medians(table: Table, field: str) -> Table:
    """Median and quartiles over identities, one row per attribute and radius, radii ascending."""
    return quartiles(table, ["label", "radius"], field).sort_values("radius", kind="stable")


def _lines(table: Table, field: str, x: alt.X, y: alt.Y, marks: dict) -> list[Chart]:
    """Band or thin lines for the identities, the median on top, with a few marks whose shape identifies it."""
    medians, color = _medians(table, field), marks["color"]
    layers = []
    if table["identity"].nunique() > FEW:
        band = alt.Chart(inline(medians)).mark_area(opacity=0.16)
        layers.append(band.encode(x=x, y=variant(y, "lower"), y2="upper:Q", color=color))
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
    target = alt.Chart(inline(medians)).mark_point(size=120, opacity=0)  # shows the tooltip at every radius
    return [
        *layers,
        line.encode(x=x, y=y, color=color),
        few.encode(x=x, y=y, **marks),
        target.encode(x=x, y=y, tooltip=tooltip),
    ]
