"""Bars of persistent homology -> a diagram of births and deaths, with the null behind."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from ..geometry.persistence import BARS
from .channels import DASHED, quantity
from .style import DIFFERENT, GREY, INK, SAME, Chart, Table, check_columns, finish, inline

__all__ = ["persistence"]

SIDE, SHOWN = 400, 3  # pixels of the plot; clouds of the null that are drawn
COLORS = {0: SAME, 1: DIFFERENT}


def persistence(bars: pd.DataFrame):
    """Births and deaths of clusters and loops; grey: those of random clouds of the same covariance.

    A filled mark lies outside the null, a hollow one does not. Everything below the dashed line is what loops of
    random clouds look like.

    Parameters
    ----------
    bars : the table of `fr.persistence`.

    Raises ValueError for a missing column or a table that lacks its attrs.
    """
    needed = ["cloud", "draw", "dimension", "birth", "death", "outside"]
    table: Table = check_columns(bars, needed, "fr.persistence(...)")
    if "edge" not in table.attrs:
        raise ValueError("the table lacks attrs['edge']: pass the table of fr.persistence(...) unchanged.")
    top = 1.05 * float(table["death"].max())
    x, y = (quantity(kind, name, f"{name} (distance)", (0, top))
            for kind, name in ((alt.X, "birth"), (alt.Y, "death")))  # fmt: skip
    table = table.assign(label=table["dimension"].map(BARS))
    names = list(BARS.values())
    null = table[(table["cloud"] == "null") & (table["draw"] < SHOWN)][["label", "birth", "death"]]
    own = table[table["cloud"] == "observed"][["label", "birth", "death", "outside"]]
    colors = alt.Scale(domain=names, range=list(COLORS.values()))
    legend = alt.Legend(title=None, orient="top", symbolOpacity=1)
    shape = alt.Shape("label:N", scale=alt.Scale(domain=names, range=["circle", "triangle-up"]), legend=legend)
    tooltip = [alt.Tooltip("label:N", title="bar"), *(alt.Tooltip(f"{n}:Q", format=".3f") for n in ("birth", "death"))]
    filled = alt.condition("datum.outside", alt.value(1), alt.value(0))
    edge = float(table.attrs["edge"][1])
    end = alt.Chart(inline(pd.DataFrame({"birth": [top / edge], "death": [top]})))
    word = end.mark_text(align="right", baseline="top", dx=-8, color=INK, opacity=0.75, text="null")
    layers: list[Chart] = [
        alt.Chart(inline(null)).mark_point(size=14, color=GREY, opacity=0.5).encode(x=x, y=y, shape=shape),
        _line(1.0, top, {"color": INK, "strokeWidth": 1, "opacity": 0.5}, x, y),
        _line(edge, top, DASHED, x, y),
        word.encode(x=x, y=y),
        alt.Chart(inline(own)).mark_point(size=50, strokeWidth=1.5, opacity=1).encode(
            x=x, y=y, shape=shape, color=alt.Color("label:N", scale=colors, legend=legend),
            fill=alt.Fill("label:N", scale=colors, legend=legend), fillOpacity=filled, tooltip=tooltip,
        ),
    ]  # fmt: skip
    chart = alt.layer(*layers).properties(width=SIDE, height=SIDE)
    words: Any = table.attrs["words"].split(" are longer ")
    return finish(chart, "Clusters and loops: births and deaths", f"{words[0]} outside the null")


def _line(slope: float, top: float, look: dict[str, Any], x: alt.X, y: alt.Y) -> Chart:
    """The line death = slope · birth."""
    ends = pd.DataFrame({"birth": [0, top / slope], "death": [0, top]})
    return alt.Chart(inline(ends)).mark_line(**look).encode(x=x, y=y)
