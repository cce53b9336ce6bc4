"""The HTML around a report: one file, styled for screen, dark screen and paper."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

__all__ = ["details", "figure", "page", "section", "table"]

# marks in a name that would reverse the text after it
DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")
MINUS = re.compile(r"(?<!\w)-(?=[\d.])")
# no scripts and no downloads: text from files is harmless even if the escaping missed it
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def page(title: str, parts: list[str]) -> str:
    """The whole document; `parts` are sections."""
    style = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    document = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title><style>{style}</style></head>\n"
        f"<body><main><h1>{escape(title)}</h1>\n{''.join(parts)}</main></body></html>\n"
    )
    return DIRECTION.sub("\ufffd", document)


def section(heading: str, *parts: str) -> str:
    return f"<section><h2>{escape(heading)}</h2>\n{''.join(parts)}</section>\n"


def figure(content: str, caption: str, number: int) -> str:
    """`content` is our own HTML; the caption is text."""
    return (
        f'<figure><div class="scroll">{content}</div>'
        f"<figcaption><b>Figure {number}.</b> {escape(caption)}</figcaption></figure>\n"
    )


def table(rows: pd.DataFrame, caption: str, number: int) -> str:
    """All cells as text; columns of numbers are right-aligned."""
    numeric = [pd.api.types.is_numeric_dtype(rows[name]) or _looks_numeric(rows[name]) for name in rows]
    kinds = [' class="number"' if flag else "" for flag in numeric]
    head = "".join(f'<th scope="col"{kind}>{escape(str(name))}</th>' for name, kind in zip(rows, kinds, strict=True))
    lines = []
    for row in rows.itertuples(index=False, name=None):
        shown = [MINUS.sub("−", _text(value)) if kind else _text(value) for value, kind in zip(row, kinds, strict=True)]
        cells = "".join(f"<td{kind}>{escape(text)}</td>" for text, kind in zip(shown, kinds, strict=True))
        lines.append(f"<tr>{cells}</tr>")
    return (
        f"<figure><figcaption><b>Table {number}.</b> {escape(caption)}</figcaption>"
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div></figure>\n"
    )


def details(rows: dict[str, Any]) -> str:
    """Names and their values, as a list of definitions."""
    items = "".join(f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in rows.items())
    return f"<dl>{items}</dl>\n"


def _looks_numeric(column: Any) -> bool:
    return bool(column.astype(str).str.match(r"^(–$|[-+]?[\d.])").all())


def _text(value: Any) -> str:
    if isinstance(value, float):
        return "–" if value != value else f"{value:.3g}"
    return str(value)
