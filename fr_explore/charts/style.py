"""What all charts share: the attributes' colours and marks, and a look that follows the host's theme.

- Text and lines are `currentColor`, and the chart requests the SVG renderer: the browser then draws them in the
  notebook's own text colour, light or dark, even if the theme changes later. A fixed grey cannot replace this: no
  colour has a contrast of 4.5 : 1 with both white and near-black.
- The background is transparent.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, TypeAlias

import altair as alt
import pandas as pd

from ..attributes import ATTRIBUTES
from ..geometry.neighbors import as_neighborhood

__all__ = [
    "DIFFERENT",
    "GREY",
    "INK",
    "NULL_WORD",
    "SAME",
    "WIDTH",
    "Chart",
    "Table",
    "apart",
    "attribute_scales",
    "check_columns",
    "color_of",
    "finish",
    "inline",
    "label_of",
    "rows_of",
    "sample_words",
    "scale_words",
    "side_by_side",
]

# Any of altair's chart classes, and a pandas table: the type checker cannot infer either library's results.
Chart: TypeAlias = Any
Table: TypeAlias = Any

INK = "currentColor"
GREY = "#7d7d7d"  # lines of the null model: 4.1 : 1 on white, 4.6 : 1 on #111
# the word on the null's line, in a softer text colour
NULL_WORD: dict[str, Any] = {"text": "null", "color": INK, "opacity": 0.75, "fontStyle": "italic"}
SAME, DIFFERENT = "#17708c", "#b3541e"  # same and different person, as in the widgets
WIDTH = 560
FONT = "system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif"

# For attributes that are not in our vocabulary. Contrast of at least 3 : 1 with white and with #111, distinguishable
# for colour-blind readers in this order; the marks are the second cue.
FALLBACK = (
    ("#3b7dd8", "circle"), ("#c2571a", "square"), ("#2f8f4e", "diamond"), ("#c43d7e", "triangle-up"),
    ("#a67c00", "cross"), ("#8a5cd6", "triangle-down"), ("#1f8a9e", "triangle-right"), ("#6f7b8a", "triangle-left"),
)  # fmt: skip
PLAIN = ("#6f7b8a", "circle")


def label_of(name: object) -> str:
    """The name shown for an attribute: its record's label, else its name with spaces for underscores."""
    text = str(name)
    record = ATTRIBUTES.get(text)
    return record.label if record else _one_line(text.replace("_", " "))


def _one_line(text: object) -> str:
    """The text with spaces for any other white space: Vega, before version 6, cannot read a line separator (U+2028)."""
    return " ".join(str(text).split())


def attribute_scales(names: Iterable[object]) -> tuple[alt.Scale, alt.Scale]:
    """Colour and shape scales over the attributes' labels; a known attribute has the same ones everywhere.

    Other attributes take the fallback colours in turn. If there are more of them than colours, all of them look alike,
    because a colour that is used twice would be ambiguous.
    """
    texts = list(dict.fromkeys(str(name) for name in names))
    taken = {ATTRIBUTES[text].color for text in texts if text in ATTRIBUTES}
    free = [pair for pair in FALLBACK if pair[0] not in taken]
    unknown = sum(text not in ATTRIBUTES for text in texts)
    ours = iter(free if unknown <= len(free) else [PLAIN] * unknown)
    labels, colors, shapes = [], [], []
    for text in texts:
        record = ATTRIBUTES.get(text)
        color, shape = (record.color, record.shape) if record else next(ours)
        labels.append(label_of(text))
        colors.append(color)
        shapes.append(shape)
    return alt.Scale(domain=labels, range=colors), alt.Scale(domain=labels, range=shapes)


def color_of(name: object, among: Iterable[object] = ()) -> str:
    """One attribute's colour in `attribute_scales` of these names."""
    color: Any = attribute_scales([*among, name])[0].to_dict()
    return color["range"][color["domain"].index(label_of(name))]


def scale_words(neighborhood: object) -> str:
    """A neighbourhood in words: "10 nearest neighbours" for "knn:10"; other texts unchanged."""
    try:
        rule = as_neighborhood(str(neighborhood))
    except ValueError:
        return str(neighborhood)
    return rule.words + (", self included" if rule.include_self else "")


def sample_words(table: Table) -> str:
    """What a table was computed on, for a chart's subtitle: "dlib, 12 identities, 10 nearest neighbours"."""
    count = table["identity"].nunique()
    words = [f"{count} identit{'y' if count == 1 else 'ies'}"]
    if table.attrs.get("model"):
        words.insert(0, str(table.attrs["model"]))
    if table.attrs.get("neighborhood"):
        words.append(scale_words(table.attrs["neighborhood"]))
    return ", ".join(words)


def inline(table: Table) -> Any:
    """A table's rows as data inside the chart: no separate file, no limit on rows, NaN as null.

    Identities that are not numbers become text.
    """
    data: Any = alt.InlineData(values=[])
    # Altair validates each row given to its constructor against every alternative of the schema, and copies lists with
    # every layer. It leaves a tuple that is set afterwards alone: 0.3 s instead of 3.4 s for 6,000 rows
    data["values"] = tuple(rows_of(table))
    return data


def rows_of(table: Table) -> list[dict[str, Any]]:
    """The rows as plain Python values."""
    return json.loads(table.to_json(orient="records", double_precision=9, default_handler=str))


def apart(values: Iterable[float], gap: float, low: float, high: float) -> list[float]:
    """Positions for the names at the ends of lines: the values, moved as little as needed to be `gap` apart.

    They keep their order and stay in [low, high] if they fit.
    """
    values = [float(value) for value in values]
    order = sorted(range(len(values)), key=values.__getitem__)
    # blocks of labels that touch, each centred on the mean of its values
    blocks: list[list[int]] = []
    middle: list[float] = []
    for index in order:
        blocks.append([index])
        middle.append(values[index])
        while len(blocks) > 1 and middle[-1] - middle[-2] < gap * (len(blocks[-1]) + len(blocks[-2])) / 2:
            joined = blocks[-2] + blocks[-1]
            blocks[-2:], middle[-2:] = [joined], [sum(values[k] for k in joined) / len(joined)]
    places = [c + gap * (k - (len(b) - 1) / 2) for b, c in zip(blocks, middle, strict=True) for k in range(len(b))]
    for k in reversed(range(len(places))):
        places[k] = min(places[k], high - gap * (len(places) - 1 - k))
    for k in range(len(places)):
        places[k] = max(places[k], low + gap * k)
    moved = dict(zip(order, places, strict=True))
    return [moved[index] for index in range(len(values))]


def check_columns(table: pd.DataFrame, needed: Iterable[str], source: str) -> pd.DataFrame:
    """The table, if it has rows and these columns; otherwise an error that names the function that returns such one."""
    if not isinstance(table, pd.DataFrame):
        raise TypeError(f"got {type(table).__name__}: this chart draws the table that {source} returns.")
    missing = [name for name in needed if name not in table.columns]
    if missing:
        raise ValueError(
            f"the table lacks the column{'s' if len(missing) > 1 else ''} {', '.join(map(repr, missing))} "
            f"(it has {', '.join(map(repr, table.columns))}): this chart draws the table that {source} returns."
        )
    if table.empty:
        raise ValueError(f"the table has no rows, so there is nothing to draw: check the input of {source}.")
    return table


def finish(chart: Chart, title: str | None = None, *subtitle: object) -> Chart:
    """The chart with the common look; the last step of each chart function. Empty parts of a subtitle are left out."""
    if title:
        words = _one_line(", ".join(str(part) for part in subtitle if part))
        chart = chart.properties(title=alt.Title(_one_line(title), subtitle=words or alt.Undefined))
    return chart.properties(
        background="transparent",
        usermeta={"embedOptions": {"renderer": "svg", "actions": {"export": True, "source": False,
                                                                  "compiled": False, "editor": False}}},
        config=_config(),
    )  # fmt: skip


def side_by_side(*charts: Chart, spacing: int = 32) -> Chart:
    """Charts of this package next to each other, each with its own colours: two models, for instance.

    Altair's `a | b` rejects finished charts, because each has its own configuration; here they share one.
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
