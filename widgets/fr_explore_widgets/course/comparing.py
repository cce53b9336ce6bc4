"""Compare two results: numbers in any form (float, list, numpy, torch, pandas, xarray), words and lists of words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["progress", "same", "wrong_form"]


def same(got: Any, right: Any, tolerance: float = 1e-4) -> bool:
    """Whether two results are equal, up to rounding, axes of length one and the spelling of words."""
    if words := _words(right):
        return _words(got) == words
    numbers, wanted = _numbers(got), _numbers(right)
    if numbers is None or wanted is None or numbers.shape != wanted.shape:
        return False
    scale = float(np.nanmax(np.abs(wanted), initial=0))
    return bool(np.allclose(numbers, wanted, rtol=tolerance, atol=1e-6 * scale + 1e-9, equal_nan=True))


def wrong_form(got: Any, right: Any) -> str | None:
    """What is wrong with the form of a result, regardless of its values; None if nothing is."""
    if got is None:
        return "Your function returns nothing. Is a return statement missing?"
    if _words(right):
        return None if _words(got) else f"Expected words, such as a name from the list; got {type(got).__name__}."
    numbers, wanted = _numbers(got), _numbers(right)
    assert wanted is not None
    if numbers is None:
        return f"Expected {_form(wanted)}; got {type(got).__name__}, which cannot be read as numbers."
    if numbers.shape != wanted.shape:
        return f"Expected {_form(wanted)}; got {_form(numbers)}."
    if np.isnan(numbers).any() and not np.isnan(wanted).any():
        return "Your result contains NaN (not a number): look for a division by zero, or for a NaN in what you average."
    return None


def progress(results: Sequence[Any], expected: Sequence[Any]) -> str:
    """How many of several cases are right; it reveals no value."""
    right = sum(same(a, b) for a, b in zip(results, expected, strict=True))
    return f"Right in {right} of {len(results)} tries. " if 0 < right < len(results) else "Not yet right. "


def _words(value: Any) -> list[str]:
    """The words in a result, without case, outer spaces and underscores; empty if there are none."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    values = [value] if isinstance(value, str) else list(value) if isinstance(value, (list, tuple)) else []
    return [v.strip().lower().replace("_", " ") for v in values if isinstance(v, str)]


def _numbers(value: Any) -> np.ndarray | None:
    """A result as float64 without axes of length one; None if it cannot be read as numbers."""
    value = value.detach().cpu() if hasattr(value, "detach") else value
    try:
        return np.squeeze(np.asarray(value, dtype=np.float64))
    except (TypeError, ValueError):
        return None


def _form(numbers: np.ndarray) -> str:
    if numbers.ndim == 0:
        return "one number"
    return f"{numbers.size} numbers" if numbers.ndim == 1 else f"an array of shape {numbers.shape}"
