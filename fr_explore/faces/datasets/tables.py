"""Strict readers of tables and lists: an error names the file, the line, the field and the expected value."""

from __future__ import annotations

import codecs
import csv
import io
import os
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ...base.optional import import_extra
from ...base.paths import as_path, shown
from ...base.values import as_text, signs

__all__ = [
    "Table",
    "beside",
    "check_fields",
    "check_folder",
    "check_header",
    "check_new",
    "read_lines",
    "read_table",
    "whole_number",
]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The content of a CSV or parquet file.

    Parameters
    ----------
    rows : its cells; the index counts lines from 1 as an editor does, or rows from 1 in a parquet file.
    source, unit : name of the file, and what its index counts ("line" or "row"), for error messages.
    decimal : the decimal point of numbers in cells of text.
    """

    rows: pd.DataFrame
    source: str
    unit: str
    decimal: str = "."

    def where(self, line: int, field: str) -> str:
        """Return the place of a cell, for an error message."""
        return f"{self.source}, {self.unit} {line}, field {field!r}"

    def column(self, name: str, hint: str = "") -> pd.Series:
        """Return a column; raise ValueError with the hint if the table does not have it."""
        if name not in self.rows.columns:
            raise ValueError(f"{self.source} has no column {name!r}: it has {', '.join(map(str, self.rows))}{hint}.")
        return self.rows.loc[:, name]

    def names(self, name: str, hint: str = "") -> list[str]:
        """Return a column as text, so that 1.10 and 1.1 are two names; raise ValueError for an empty cell."""
        return as_text(self.column(name, hint), lambda i: self.where(self.rows.index[i], name)).tolist()

    def values(self, name: str, hint: str = "") -> pd.Series:
        """Return a column as numbers if all its cells are plain numbers ("007" is a name), else unchanged."""
        column = self.column(name, hint)
        if not all(isinstance(cell, str) for cell in column):
            return column
        if column.str.fullmatch(r"-?(0|[1-9]\d{0,15})").all():
            return column.astype(np.int64)
        plain = column.str.replace(self.decimal, ".", regex=False)
        number = r"(-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?)?"
        if plain.str.fullmatch(number).all() and (plain != "").any():
            return plain.replace("", "nan").astype(np.float64)
        return column

    def signs(self, name: str, *, strict: bool) -> np.ndarray | None:
        """Return a binary column as int8 +1, -1 and 0 (unknown), see `fr_explore.base.values.signs`.

        0 means unknown if -1 occurs in the column, and -1 otherwise. A column that is not binary gives None, or
        ValueError if `strict`.
        """
        try:
            return signs(self.values(name), lambda i: self.where(self.rows.index[i], name), zero="without")
        except ValueError:
            if strict:
                raise
            return None


def check_folder(folder: str | os.PathLike) -> Path:
    """Return the folder as a path; raise FileNotFoundError if there is none."""
    path = as_path(folder, "folder")
    if not os.path.isdir(path):
        raise FileNotFoundError(f"no such folder: {str(path)!r}.")
    return path


def beside(folder: Path, table: str | os.PathLike) -> Path:
    """Return the path of a table: as given, or a name in the folder if there is none."""
    path = as_path(table, "table")
    return path if os.path.isfile(path) else folder / path


def check_header(names: Sequence[str], where: str, reserved: Collection[str] = ()) -> None:
    """Raise ValueError for an empty, repeated or reserved column name; `where` is the place of the header."""
    for position, name in enumerate(names):
        if not name or name in names[:position] or name in reserved:
            other = f" other than {', '.join(reserved)}" if reserved else ""
            raise ValueError(f"{where}, field {position + 1}: {name!r}, expected a unique column name{other}.")


def check_fields(fields: Sequence[str], names: Sequence[str], where: str) -> None:
    """Raise ValueError unless a line has as many fields as there are names."""
    if len(fields) != len(names):
        raise ValueError(f"{where}: {len(fields)} fields, expected {len(names)} ({', '.join(names)}).")


def check_new(name: str, line: int, seen: dict[str, int], where: str, unit: str = "line") -> None:
    """Add a name to those `seen`, name -> line; raise ValueError if another line has it."""
    if seen.setdefault(name, line) != line:
        raise ValueError(f"{where}: {name!r} is already in {unit} {seen[name]}.")


def read_table(path: Path) -> Table:
    """Read a CSV file (UTF-8 or UTF-16, with a header; commas, semicolons or tabs) or a parquet file.

    Raises
    ------
    FileNotFoundError; ValueError : not UTF-8, no header, an invalid header, no rows, a line with another number of
    fields.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(f"no such table: {str(path)!r}.")
    if path.suffix.lower() in (".parquet", ".pq"):
        table = Table(_read_parquet(path), shown(path.name), "row")
    else:
        rows, separator = _read_csv(path)
        # programs that write decimal commas separate the columns by something else
        table = Table(rows, shown(path.name), "line", "." if separator == "," else ",")
    if table.rows.empty:
        raise ValueError(f"{table.source} has a header but no rows.")
    return table


def read_lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield line number and fields of each line of a text file that is not blank.

    Fields are separated by tabs, in a line without tabs by white space; in a .csv file as in `read_table`.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(f"no such file: {str(path)!r}.")
    if path.suffix.lower() == ".csv":
        yield from _csv_rows(path)[0].items()
        return
    for line, text in enumerate(io.StringIO(_text(path)), 1):
        if text.strip():
            yield line, [field.strip() for field in text.strip().split("\t")] if "\t" in text else text.split()


def whole_number(text: str, where: str, low: int = 0) -> int:
    """Return `text` as a whole number of at least `low`; raise ValueError with its place otherwise."""
    if not (text.isascii() and text.isdigit() and int(text) >= low):
        raise ValueError(f"{where}: {text!r}, expected a whole number, {low} or larger.")
    return int(text)


def _text(path: Path) -> str:
    data = path.read_bytes()
    encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ValueError(f"{shown(path.name)}, line {line}: not UTF-8 text; save it as UTF-8.") from None
    if "\0" in text:  # UTF-16 without its mark, or a spreadsheet's own format
        line = text[: text.index("\0")].count("\n") + 1
        raise ValueError(f"{shown(path.name)}, line {line}: not a text file; save it as CSV in UTF-8.")
    return text


def _csv_rows(path: Path) -> tuple[dict[int, list[str]], str]:
    """Return the rows of a CSV file by the number of their first line, without blank ones, and the separator."""
    source, lines = shown(path.name), list(io.StringIO(_text(path), newline=""))
    named = re.match(r"sep=(.)\s*$", lines[0]) if lines else None  # Excel's line that names the separator
    start = 2 if named else 1
    lines = lines[start - 1 :]
    separator = named[1] if named else max(",;\t", key=lines[0].count if lines else len)
    reader = csv.reader(lines, delimiter=separator, strict=True)
    rows: dict[int, list[str]] = {}
    first, line = start, start  # a quoted field may contain line breaks
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows[line] = [cell.strip() for cell in row]
            line = reader.line_num + first
    except csv.Error as error:
        expected = f"fields separated by {separator!r}"
        raise ValueError(f"{source}, line {reader.line_num + first - 1}: {error}; expected {expected}.") from None
    if first not in rows:
        raise ValueError(f"{source}, line {first}: empty, expected a header that names the columns.")
    for line, row in rows.items():
        check_fields(row, rows[first], f"{source}, line {line}")
    return rows, separator


def _read_csv(path: Path) -> tuple[pd.DataFrame, str]:
    rows, separator = _csv_rows(path)
    line = min(rows)
    header = rows.pop(line)
    unnamed = int(header[0] == "" and len(header) > 1)  # pandas writes its row numbers into a column without a name
    check_header(header[unnamed:], f"{shown(path.name)}, line {line}")
    table = pd.DataFrame(list(rows.values()), index=list(rows), columns=header, dtype=object).iloc[:, unnamed:]
    return table, separator


def _read_parquet(path: Path) -> pd.DataFrame:
    import_extra("pyarrow", "parquet", "Reading a parquet table")
    try:
        table = pd.read_parquet(path, engine="pyarrow")
    except Exception as error:  # pyarrow raises its own classes as well as OSError
        raise ValueError(f"{shown(path.name)} is not a readable parquet file: {error}") from None
    return table.reset_index(drop=True).set_axis(range(1, len(table) + 1))
