"""Are two results the same? Numbers in any form (float, list, numpy, torch, pandas, xarray), words, lists of words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["describe", "differs", "same"]


def same(got: Any, right: Any, tolerance: float = 1e-4) -> bool:
    """Whether `got` says what `right` says; axes of length one do not count."""
    if _is_words(right):
        return _words(got) == _words(right)
    numbers, wanted = _numbers(got), _numbers(right)
    if numbers is None or wanted is None or numbers.shape != wanted.shape:
        return False
    scale = float(np.nanmax(np.abs(wanted), initial=0))
    return bool(np.allclose(numbers, wanted, rtol=tolerance, atol=1e-6 * scale + 1e-9, equal_nan=True))


def differs(got: Any, right: Any) -> str | None:
    """What is wrong about the form of a result, whatever its values; None if its form fits."""
    if got is None:
        return "Your function gives nothing back. Is its return missing?"
    if _is_words(right):
        return None if _words(got) else f"Expected words, such as a name from the list; got {type(got).__name__}."
    numbers, wanted = _numbers(got), _numbers(right)
    assert wanted is not None
    if numbers is None:
        return f"Expected {_form(wanted)}; got {type(got).__name__}, which does not read as numbers."
    if numbers.shape != wanted.shape:
        return f"Expected {_form(wanted)}; got {_form(numbers)}."
    if np.isnan(numbers).any() and not np.isnan(wanted).any():
        return "There is NaN (not a number) in your result: look for a division by zero or a NaN in what you average."
    return None


def describe(results: Sequence[Any], expected: Sequence[Any]) -> str:
    """How many cases are right already, where there are several; it tells no value."""
    right = sum(same(a, b) for a, b in zip(results, expected, strict=True))
    return f"Right in {right} of {len(results)} tries. " if 0 < right < len(results) else "Not yet right. "


def _is_words(value: Any) -> bool:
    return isinstance(value, str) or (
        isinstance(value, (list, tuple)) and len(value) > 0 and all(isinstance(v, str) for v in value)
    )


def _words(value: Any) -> list[str]:
    """Words without regard to case, spaces or underscores; empty where there are none."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    values = [value] if isinstance(value, str) else list(value) if isinstance(value, (list, tuple)) else []
    return [v.strip().lower().replace("_", " ") for v in values if isinstance(v, str)]


def _numbers(value: Any) -> np.ndarray | None:
    """As float64 without axes of length one; None where there are no numbers."""
    value = value.detach().cpu() if hasattr(value, "detach") else value
    try:
        return np.squeeze(np.asarray(value, dtype=np.float64))
    except (TypeError, ValueError):
        return None


def _form(numbers: np.ndarray) -> str:
    if numbers.ndim == 0:
        return "one number"
    return f"{numbers.size} numbers" if numbers.ndim == 1 else f"an array of shape {numbers.shape}"
