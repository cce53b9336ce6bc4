"""What cells mean: truth values, labels and identities, checked here for the whole library.

- A truth value is True or False, 1 or 0, 1 or -1, or a word ("yes", "same", ...). A gap is invalid.
- A label is +1 with, -1 without, 0 unknown. A number 0 means unknown in a column in which -1 occurs. In a
  column of 0 and 1, it means without if it was read from a file (`zero="without"`); from a caller it is refused.
- An identity is text or a whole number, and one column has one kind. What a caller passes keeps its type. What is read
  from a file is text, so that 1.10 and 1.1, or 12e4 and 120e3, stay two people.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from .shapes import Bool, Int, Shaped

__all__ = ["as_text", "check_identities", "check_unlike", "signs", "truths"]

# a column's name, or a function from a cell's position to its place in words, for error messages
Where: TypeAlias = str | Callable[[int], str]

_WORDS: dict[str, int] = dict.fromkeys(("true", "yes", "same", "genuine", "match"), 1)
_WORDS |= dict.fromkeys(("false", "no", "different", "impostor", "mismatch"), -1)
_GAPS = ("", "nan", "none", "na", "<na>", "n/a", "null", "unknown")
_GAP, _ZERO, _MINUS, _OTHER = 0, 2, -2, 9  # a missing value, a number 0, a number -1, anything else
_NUMBERS = {1.0: 1, 0.0: _ZERO, -1.0: _MINUS}
_DIGITS = 2.0**53  # from here on, a float no longer holds every whole number


def truths(values: Shaped[Any, " n"], where: Where = "value") -> Bool[np.ndarray, " n"]:
    """Truth values as bool.

    Raises ValueError for a gap, for any other value, and for a column with both 0 and -1.
    """
    codes = _codes(values)
    expected = "True or False, 1 or 0, 1 or -1, 'same' or 'different', 'yes' or 'no'"
    _refuse(where, values, (codes == _OTHER) | (codes == _GAP), expected)
    if (codes == _MINUS).any():
        _refuse(where, values, codes == _ZERO, "1 or -1, because -1 occurs in this column")
    return codes == 1


def signs(
    values: Shaped[Any, " n"], where: Where = "label", *, zero: Literal["refused", "without"] = "refused"
) -> Int[np.ndarray, " n"]:
    """Labels as int8: +1 with, -1 without, 0 unknown.

    zero : what a number 0 means in a column without -1.

    Raises ValueError for any other value.
    """
    codes = _codes(values)
    expected = "+1 with, -1 without, NaN or 0 unknown; or True, False; or 'yes', 'no'"
    _refuse(where, values, codes == _OTHER, expected)
    if (codes == _MINUS).any():
        codes[codes == _ZERO] = _GAP
    elif zero == "refused":
        expected = "-1, or True and False, because a 0 may mean unknown: if it means 'without', pass "
        _refuse(where, values, codes == _ZERO, expected + 'labels.astype("boolean")')
    return np.select([codes == 1, codes == _GAP], [1, 0], -1).astype(np.int8)


def check_identities(values: Shaped[Any, " n"]) -> Shaped[np.ndarray, " n"]:
    """Identities that a caller passes, unchanged, as an array of numbers or of objects.

    Raises ValueError for a missing or empty one, for a column of several kinds (1 and "1"), for numbers that cannot
    name people (a fraction, a float with too many digits), and for names that differ in white space or Unicode form
    only.
    """
    values = _bare(values)
    if isinstance(values, np.ndarray) and values.dtype.kind in "iu":
        return values
    cells = _objects(values)
    gaps = np.asarray(pd.isna(cells))
    gaps[~gaps] = [one == "" for one in cells[~gaps]]
    if gaps.any():
        raise ValueError(f"{gaps.sum()} images have no identity: leave them out.")
    kinds = {_kind(one): one for one in {type(one): one for one in cells}.values()}
    if len(kinds) > 1:
        listed = " and ".join(f"{one!r} ({kind})" for kind, one in kinds.items())
        raise ValueError(f"the identities {listed} are of different kinds: give only text, or only whole numbers.")
    if "number" in kinds:
        return _whole(np.asarray(cells.tolist()))
    if "text" in kinds:
        check_unlike(pd.unique(cells).tolist())
    return cells


def check_unlike(identities: Iterable[Any]) -> None:
    """Raise ValueError for two identities that a table or a file could not tell apart, such as 1 and "1"."""
    seen: dict[str, Any] = {}
    for one in identities:
        if (other := seen.setdefault(_clean(str(one)), one)) != one:
            raise ValueError(
                f"the identities {other!r} and {one!r} differ only in type, white space or Unicode form: write them "
                "alike, or give them different names."
            )


def as_text(values: Shaped[Any, " n"], where: Where = "identity") -> Shaped[np.ndarray, " n"]:
    """Identities read from a file, as text without white space around it, in Unicode's composed form.

    "NA", "nan" and "None" are names like any other. Raises ValueError for an empty cell, and for a float with a
    fraction or too many digits, because the file has lost what was written.
    """
    cells = _objects(values)
    lost = [isinstance(one, (float, np.floating)) and not (pd.isna(one) or _is_whole(one)) for one in cells]
    _refuse(where, cells, np.array(lost, bool), "text: store this column as text, not as numbers with a fraction")
    texts = np.array(["" if pd.isna(one) else _clean(_written(one)) for one in cells], object)
    _refuse(where, cells, texts == "", "a value")
    return texts


def _codes(values: Any) -> np.ndarray:
    """What each cell means: 1 yes, -1 no, or one of the constants above."""
    values = _bare(values)
    places, known = pd.factorize(values if hasattr(values, "dtype") else _objects(values))
    return np.array([*map(_code, known), _GAP])[places]  # the place of a gap is -1


def _code(cell: Any) -> int:
    if isinstance(cell, (bool, np.bool_)):
        return 1 if cell else -1
    if isinstance(cell, str):
        text = cell.strip().lower()
        if text in _WORDS or text in _GAPS:
            return _WORDS.get(text, _GAP)
        cell = pd.to_numeric(text, errors="coerce")
    return _NUMBERS.get(float(cell), _OTHER) if isinstance(cell, (int, float, np.number)) else _OTHER


def _refuse(where: Where, values: Any, wrong: np.ndarray, expected: str) -> None:
    if wrong.any():
        position = int(np.argmax(wrong))
        place = f"{where}, row {position}" if isinstance(where, str) else where(position)
        raise ValueError(f"{place}: {_objects(values)[position]!r}, expected {expected}.")


def _bare(values: Any) -> Any:
    return values.values if isinstance(getattr(values, "values", None), np.ndarray) else values


def _objects(values: Any) -> np.ndarray:
    """The cells as objects; NumPy would turn a list of 1 and "1", or of "a" and NaN, into text."""
    values = _bare(values)
    return pd.Series(values if hasattr(values, "dtype") else list(values), dtype=object).to_numpy(object)


def _kind(one: Any) -> str:
    if isinstance(one, (bool, np.bool_)):
        return "truth value"
    return "number" if isinstance(one, (int, float, np.number)) else "text" if isinstance(one, str) else "other"


def _is_whole(number: Any) -> Any:
    return (np.trunc(number) == number) & (abs(number) < _DIGITS)


def _whole(numbers: np.ndarray) -> np.ndarray:
    if numbers.dtype.kind == "f" and (wrong := ~_is_whole(numbers)).any():
        raise ValueError(
            f"the identity {numbers[wrong].tolist()[0]!r} is a number with a fraction or with too many digits, so two "
            "people may have become one: read that column as text, such as pd.read_csv(file, dtype={'identity': str})."
        )
    return numbers


def _written(one: Any) -> str:
    return str(int(one)) if isinstance(one, (float, np.floating)) else str(one)


def _clean(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip())
