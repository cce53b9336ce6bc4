"""The cell of a widget that makes other widgets later: marimo makes widgets only while a cell runs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

__all__ = ["this_cell"]


def this_cell() -> Callable[[], AbstractContextManager]:
    """Return a context in which widgets belong to the cell that runs now; outside marimo, an empty context.

    A widget that a browser's message makes has no cell. marimo then refuses it, because it keeps a widget's module
    until its cell runs again.
    """
    marimo = sys.modules.get("marimo._runtime.context")
    if marimo is None:
        return nullcontext
    try:
        context = marimo.get_context()
        cell = context.cell_id
    except marimo.ContextNotInitializedError:  # marimo is imported, and this is not its kernel
        return nullcontext
    return nullcontext if cell is None else lambda: context.with_cell_id(cell)
