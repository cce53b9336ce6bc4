"""What several charts share: axes of numbers, attributes as colours and marks, the null model's word, quartiles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import altair as alt
import pandas as pd

from .style import GREY, Table, attribute_scales

__all__ = ["DASHED", "attribute_axis", "attribute_channels", "fill_where", "quantity", "quartiles", "tips", "variant"]

DASHED: dict[str, Any] = {"strokeDash": [4, 3], "strokeWidth": 1.5, "color": GREY}  # the null model's lines


def quantity(channel: type, field: str, title: str | None, domain: Sequence[float], **axis: Any) -> Any:
    """The channel (`alt.X`, `alt.Y`) of a column of numbers, over exactly this domain."""
    scale = alt.Scale(domain=[float(end) for end in domain], nice=False, zero=False)
    return channel(f"{field}:Q", title=title, scale=scale, axis=alt.Axis(**axis))


def variant(channel: Any, field: str | None = None, **changes: Any) -> Any:
    """The same channel on the same scale, for another column or with other properties."""
    copy = channel.copy()
    if field is not None:
        copy["shorthand"] = f"{field}:Q"
    for name, value in changes.items():
        copy[name] = value
    return copy


def attribute_axis(labels: list[str], **axis: Any) -> alt.Y:
    """One row for each attribute, in this order from the top."""
    look = alt.Axis(ticks=False, **axis)
    return alt.Y("label:N", sort=labels, title=None, scale=alt.Scale(padding=0), axis=look)


def attribute_channels(names: Iterable[object]) -> dict[str, Any]:
    """Colour and shape of each attribute, for a column `label`; the chart names them itself, without a legend."""
    colors, shapes = attribute_scales(names)
    return {
        "color": alt.Color("label:N", scale=colors, legend=None),
        "shape": alt.Shape("label:N", scale=shapes, legend=None),
    }


def fill_where(field: str, values: list, color: alt.Color) -> dict[str, Any]:
    """Marks filled with their colour where the column has the second of two values, hollow where it has the first."""
    return {
        "fill": alt.Fill("label:N", scale=color["scale"], legend=None),
        "fillOpacity": alt.FillOpacity(f"{field}:N", scale=alt.Scale(domain=values, range=[0, 1]), legend=None),
    }


def tips(table: Table, format: str, *fields: str) -> list[alt.Tooltip]:
    """A tooltip for each of these columns of numbers that the table has, after the attribute's name."""
    numbers = [alt.Tooltip(f"{name}:Q", format=format) for name in fields if name in table.columns]
    return [alt.Tooltip("label:N", title="attribute"), *numbers]


def quartiles(table: Table, by: list[str], field: str) -> Table:
    """Median, lower and upper quartile and number of rows of each group: `field`, `lower`, `upper`, `identities`."""
    groups = table.groupby(by, sort=False)[field]
    rows: Table = pd.concat([groups.median(), groups.quantile(0.25), groups.quantile(0.75), groups.size()], axis=1)
    return rows.set_axis([field, "lower", "upper", "identities"], axis=1).reset_index()
