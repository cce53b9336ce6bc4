"""Tables that people and data sets bring, read strictly: a fault names the line, the field and what was expected."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ...base.optional import import_extra

__all__ = ["read_lines", "read_table", "sign_column", "whole_number"]

_WITH, _WITHOUT = ("1", "+1", "1.0", "true", "yes"), ("0", "0.0", "false", "no")
_MINUS, _UNKNOWN = ("-1", "-1.0"), ("", "nan", "none", "na", "<na>")


def read_table(path: Path, needed: Sequence[str]) -> pd.DataFrame:
    """A CSV or parquet file as it stands; the index counts lines as an editor does, or in parquet rows from 1.

    attrs["unit"] says which, "line" or "row".

    Raises
    ------
    ValueError : not UTF-8, no header, a line of another length, a column that is needed and missing, a gap in one.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no such table: {str(path)!r}.")
    parquet = path.suffix.lower() in (".parquet", ".pq")
    table = _read_parquet(path) if parquet else _read_csv(path)
    table.attrs = {"unit": "row" if parquet else "line"}
    for name in needed:
        if name not in table.columns:
            raise ValueError(
                f"{path.name} has no column {name!r}: it has {', '.join(map(str, table.columns))}; say which one to "
                "take by file=... and identity=..."
            )
        gaps = table[name].isna() | (table[name].astype(str).str.strip() == "")
        if gaps.any():
            raise ValueError(
                f"{path.name}, {table.attrs['unit']} {gaps.idxmax()}, field {name!r}: empty, expected a value."
            )
    if table.empty:
        raise ValueError(f"{path.name} has a header and no lines below it.")
    return table


def sign_column(values: pd.Series, where: str, strict: bool) -> np.ndarray | None:
    """A binary attribute as int8 +1, -1, 0; None if the column is something else, ValueError if `strict`.

    `where` has a place for the line that is at fault.
    """
    text = values.astype(str).str.strip().str.lower().mask(values.isna(), "")
    known = text.isin((*_WITH, *_WITHOUT, *_MINUS, *_UNKNOWN))
    if not known.all():
        if strict:
            line = (~known).idxmax()
            raise ValueError(
                f"{where.format(line)}: {text[line]!r}, expected 1, -1, 0, true, false, yes, no or nothing."
            )
        return None
    minus = text.isin(_MINUS)
    signs = np.where(text.isin(_WITH), 1, np.where(minus, -1, 0))
    if not minus.any():
        signs = np.where(text.isin(_WITHOUT), -1, signs)
    return signs.astype(np.int8)


def read_lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Number and fields of each line that is not blank, separated by white space, of a text file."""
    if not path.is_file():
        raise FileNotFoundError(f"no such file: {str(path)!r}.")
    for line, text in enumerate(io.StringIO(_text(path)), 1):
        if fields := text.split():
            yield line, fields


def whole_number(text: str, where: str, low: int = 0) -> int:
    """`text` as a whole number of at least `low`; ValueError says where it stands."""
    if not (text.isascii() and text.isdigit() and int(text) >= low):
        raise ValueError(f"{where}: {text!r}, expected a whole number from {low}.")
    return int(text)


def _text(path: Path) -> str:
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ValueError(f"{path.name}, line {line}: not UTF-8 text; save it as UTF-8.") from None


def _read_csv(path: Path) -> pd.DataFrame:
    lines = list(io.StringIO(_text(path), newline=""))
    if not lines or not lines[0].strip():
        raise ValueError(f"{path.name}, line 1: empty, expected a header that names the columns.")
    separator = max(",;\t", key=lines[0].count)
    reader = csv.reader(lines, delimiter=separator, strict=True)
    rows: list[list[str]] = []
    numbers: list[int] = []
    start = 1  # a quoted field may hold line breaks: a row is named after its first line
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                if rows and len(row) != len(rows[0]):
                    raise ValueError(
                        f"{path.name}, line {start}: {len(row)} fields, expected {len(rows[0])} ({', '.join(rows[0])})."
                    )
                rows.append([cell.strip() for cell in row])
                numbers.append(start)
            start = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(
            f"{path.name}, line {reader.line_num}: {error}; expected fields separated by {separator!r}."
        ) from None
    if rows[0][0] == "" and len(rows[0]) > 1:  # pandas writes its row numbers into a column without a name
        rows = [row[1:] for row in rows]
    header = rows[0]
    for position, name in enumerate(header):
        if not name or name in header[:position]:
            raise ValueError(f"{path.name}, line 1, field {position + 1}: {name!r}, expected a column name of its own.")
    table = pd.DataFrame(rows[1:], columns=header, index=numbers[1:], dtype=object)
    return pd.DataFrame({name: _numbers(table.loc[:, name]) for name in header}, index=table.index)


def _numbers(column: pd.Series) -> pd.Series:
    """Whole columns of plain numbers as numbers ("007" is a name), others as text."""
    text = column.astype(str)
    if text.str.fullmatch(r"-?(0|[1-9]\d{0,15})").all():
        return column.astype(np.int64)
    if text.str.fullmatch(r"(-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?)?").all() and text.any():
        return pd.Series([float(cell or "nan") for cell in text], column.index, np.float64)
    return column


def _read_parquet(path: Path) -> pd.DataFrame:
    import_extra("pyarrow", "parquet", "Reading a parquet table")
    try:
        table = pd.read_parquet(path, engine="pyarrow")
    except Exception as error:  # pyarrow raises its own classes and OSError alike
        raise ValueError(f"{path.name} is not a readable parquet file: {error}") from None
    return table.reset_index(drop=True).set_axis(range(1, len(table) + 1))
