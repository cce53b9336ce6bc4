"""What VerificationExplorer does in the background: render the gallery, then the attributes that are slid."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..core.base import WidgetError
from .faces import Rows

__all__ = ["Live"]


class Live:
    """Jobs for a `Desk`, for a widget with `_rows`; each is an iterator of short steps and publishes what it found."""

    _rows: Rows | None
    _draws: int
    _lock: Any
    _publish: Any
    _show_error: Any
    hold_sync: Any

    def _gallery(self) -> Iterator[None]:
        rows = self._rows
        assert rows is not None
        for done in rows.gallery():
            self._tell("Rendering faces and embedding them", done, rows.total)
            yield
        pairs = rows.pairs(self._draws)
        with self._lock, self.hold_sync():
            self._pairs, self.progress = pairs, {}
            self._publish()
            self.state = dict(self.state)

    def _shift(self, attribute: str) -> Iterator[None]:
        rows = self._rows
        assert rows is not None
        for done, total in rows.shift(attribute):
            if done % len(rows.identities) == 0:
                self._publish_shifts()
            self._tell(f"Rendering {rows.faces.attributes[attribute].label}", done, total)
            yield
        self._publish_shifts()
        self._tell("", 0, 0)

    def _tell(self, what: str, done: int, total: int) -> None:
        with self._lock:
            self.progress = {"what": what, "done": done, "all": total} if what else {}

    def _failed(self, problem: Exception) -> None:
        self._problem = WidgetError(
            "The faces could not be rendered or embedded.",
            "What was measured before stays; mend the cause and make the widget again, or choose another attribute.",
        )
        self._problem.__cause__ = problem
        with self._lock:
            self.progress = {}
            self._show_error(self._problem, "", 0)

    def _publish_shifts(self) -> None:
        assert self._rows is not None
        told, data = self._rows.for_browser()
        with self._lock, self.hold_sync():
            self.shift_data, self.shifts = data, told
