"""Images and charts of a report as text: inline SVG in the colours of the page, PNG as data."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from ..base.optional import import_extra
from ..charts.channels import DASHED, attribute_channels, quantity
from ..charts.style import INK, NULL_WORD, finish, inline, label_of

__all__ = ["comparison", "picture", "svg"]

PANEL, ROW = 200, 30


def svg(chart: Any, number: int, words: str) -> str:
    """A chart as an SVG element that inherits the page's text colour; `number` makes the ids of charts unique."""
    text = import_extra("vl_convert", "report", "A report's charts").vegalite_to_svg(chart.to_dict())
    text = re.sub(r'\bid="', f'id="c{number}-', text)
    text = re.sub(r"url\(#", f"url(#c{number}-", text)
    text = re.sub(r'(xlink:)?href="#', f'href="#c{number}-', text)
    head = f'<svg role="img" aria-label="{words}"'
    return text[text.index("<svg") :].replace("<svg", head, 1)


def picture(rows: Sequence[Sequence[Any]], words: str, gap: int = 4) -> str:
    """Faces in rows, as one PNG embedded in the page."""
    from PIL import Image

    images = [[face.to_image() for face in row] for row in rows]
    cell = images[0][0].width + gap
    sheet = Image.new("RGBA", (max(map(len, rows)) * cell - gap, len(rows) * cell - gap))
    for r, row in enumerate(images):
        for c, image in enumerate(row):
            sheet.paste(image, (c * cell, r * cell))
    buffer = io.BytesIO()
    sheet.save(buffer, format="PNG", optimize=True)
    data = base64.b64encode(buffer.getvalue()).decode()
    return f'<img alt="{words}" width="{sheet.width}" height="{sheet.height}" src="data:image/png;base64,{data}">'


def comparison(summaries: dict[str, pd.DataFrame]) -> Any:
    """Median energy with its interval for each attribute, one panel per model, all with the same order of rows."""
    tables = [table.assign(model=name, label=table["attribute"].map(label_of)) for name, table in summaries.items()]
    whole: Any = pd.concat(tables, ignore_index=True)
    order = whole.groupby("label", sort=False)["energy"].median().sort_values().index.tolist()
    marks = attribute_channels(whole["attribute"])
    domain = (0, np.nanmax([1.1, whole["high"].max(), whole["energy"].max() * 1.02]))
    x = quantity(alt.X, "energy", "alignment energy E", domain, values=[0, 0.25, 0.5, 0.75, 1], format=".2g")
    panels = []
    for k, (name, rows) in enumerate(whole.groupby("model", sort=False)):
        y = alt.Y("label:N", sort=order, title=None, axis=alt.Axis(labels=k % 3 == 0, ticks=False, labelLimit=180))
        base = alt.Chart(inline(rows)).encode(y=y)
        null = rows["null_mean"].dropna().median()
        at = alt.XDatum(float(null) if null == null else 1.0)
        layers: list[Any] = [
            alt.Chart().mark_rule(**DASHED).encode(x=at),
            alt.Chart().mark_text(**NULL_WORD, align="center", dy=-8).encode(x=at, y=alt.value(0)),
            base.mark_rule(strokeWidth=3, opacity=0.55).encode(x=alt.X("low:Q"), x2="high:Q", color=marks["color"]),
            base.mark_point(filled=True, size=70, opacity=1).encode(x=x, **marks),
        ]
        title = alt.Title(str(name), fontSize=13, fontWeight=600, anchor="start", color=INK, offset=16, limit=PANEL)
        panels.append(alt.layer(*layers).properties(width=PANEL, height=ROW * len(order), title=title))
    return finish(alt.concat(*panels, columns=3, spacing=18).resolve_scale(color="shared", shape="shared"))
