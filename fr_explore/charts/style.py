"""What all charts share: the attributes' colours and marks, and a look that follows the host's theme.

- Text and lines are `currentColor`, and the chart asks for the SVG renderer: the browser then paints them in the
  notebook's own text colour, light or dark, also when the theme changes later. One fixed grey cannot do it: no
  colour reaches a contrast of 4.5 : 1 on white and on near-black at the same time.
- The background is transparent.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any, TypeAlias

import altair as alt
import pandas as pd

from ..attributes import ATTRIBUTES

__all__ = [
    "GREY",
    "INK",
    "WIDTH",
    "Chart",
    "Table",
    "attribute_scales",
    "check_columns",
    "finish",
    "label_of",
    "side_by_side",
]

# Any of altair's chart classes, and a pandas table: the type checker sees neither library's results sharply enough.
Chart: TypeAlias = Any
Table: TypeAlias = Any

INK = "currentColor"
GREY = "#7d7d7d"  # the null model: 4.2 : 1 on white, 4.6 : 1 on #111
WIDTH = 560
FONT = "system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif"

# For attributes that are not in our vocabulary. At least 3 : 1 on white and on #111, and told apart by colour-blind
# eyes in this order; the marks are the second cue.
FALLBACK = (
    ("#3b7dd8", "circle"), ("#c2571a", "square"), ("#2f8f4e", "diamond"), ("#c43d7e", "triangle-up"),
    ("#a67c00", "cross"), ("#8a5cd6", "triangle-down"), ("#1f8a9e", "triangle-right"), ("#6f7b8a", "triangle-left"),
)  # fmt: skip


def label_of(name: object) -> str:
    """What a person reads for an attribute: its record's label, else its name with spaces for underscores."""
    text = str(name)
    record = ATTRIBUTES.get(text)
    return record.label if record else text.replace("_", " ")


def attribute_scales(names: Iterable[object]) -> tuple[alt.Scale, alt.Scale]:
    """Colour and shape scales over the attributes' labels: each known attribute keeps its own everywhere."""
    texts = list(dict.fromkeys(str(name) for name in names))
    taken = {ATTRIBUTES[text].color for text in texts if text in ATTRIBUTES}
    free = itertools.cycle([pair for pair in FALLBACK if pair[0] not in taken] or FALLBACK)
    labels, colors, shapes = [], [], []
    for text in texts:
        record = ATTRIBUTES.get(text)
        color, shape = (record.color, record.shape) if record else next(free)
        labels.append(label_of(text))
        colors.append(color)
        shapes.append(shape)
    return alt.Scale(domain=labels, range=colors), alt.Scale(domain=labels, range=shapes)


def check_columns(table: pd.DataFrame, needed: Iterable[str], source: str) -> pd.DataFrame:
    """The table itself where it is one with rows and has the columns; else an error that names their source."""
    if not isinstance(table, pd.DataFrame):
        raise TypeError(f"got {type(table).__name__}: this chart draws the table that {source} gives.")
    missing = [name for name in needed if name not in table.columns]
    if missing:
        raise ValueError(
            f"the table lacks the column{'s' if len(missing) > 1 else ''} {', '.join(map(repr, missing))} "
            f"(it has {', '.join(map(repr, table.columns))}): this chart draws the table that {source} gives."
        )
    if table.empty:
        raise ValueError(f"the table has no rows: nothing to draw; look at what went into {source}.")
    return table


def finish(chart: Chart, title: str | None = None, subtitle: str = "") -> Chart:
    """The chart with the common look; the last step of each function that gives a chart."""
    if title:
        chart = chart.properties(title=alt.Title(title, subtitle=subtitle or alt.Undefined))
    return chart.properties(
        background="transparent",
        usermeta={"embedOptions": {"renderer": "svg", "actions": {"export": True, "source": False,
                                                                  "compiled": False, "editor": False}}},
        config=_config(),
    )  # fmt: skip


def side_by_side(*charts: Chart, spacing: int = 32) -> Chart:
    """Charts of this module next to each other, each with its own colours: two models, for instance.

    Altair's `a | b` refuses finished charts, because each brings its own look; here they share one.
    """
    if not charts:
        raise ValueError("side_by_side() got no chart: give at least one.")
    bare = []
    for chart in charts:
        copy = chart.copy(deep=True)
        for name in ("background", "usermeta", "config"):
            copy[name] = alt.Undefined
        bare.append(copy)
    joined = alt.hconcat(*bare, spacing=spacing).resolve_scale(color="independent", shape="independent")
    return finish(joined)


def _config() -> alt.Config:
    """Sizes and colours of axes, titles and legends."""
    small, large = 12, 14
    return alt.Config(
        font=FONT,
        view=alt.ViewConfig(stroke=None),
        axis=alt.AxisConfig(
            labelColor=INK, titleColor=INK, domainColor=INK, tickColor=INK, gridColor=INK, gridOpacity=0.12,
            domainOpacity=0.5, tickOpacity=0.5, labelFontSize=small, titleFontSize=small, titleFontWeight="normal",
            labelFontWeight="normal", titlePadding=8, labelPadding=4, tickSize=4,
        ),
        legend=alt.LegendConfig(
            labelColor=INK, titleColor=INK, labelFontSize=small, titleFontSize=small, titleFontWeight="normal",
            symbolStrokeWidth=2,
        ),
        header=alt.HeaderConfig(labelColor=INK, titleColor=INK, labelFontSize=small, titleFontSize=small),
        title=alt.TitleConfig(
            color=INK, subtitleColor=INK, fontSize=large, subtitleFontSize=small, fontWeight=600, anchor="start",
            offset=10, subtitlePadding=4,
        ),
        text=alt.MarkConfig(color=INK, fontSize=small),
    )  # fmt: skip
