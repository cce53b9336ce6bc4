"""What AttributeExplorer shows, as one small value, and the history of such values for undo and redo.

History exists here because the kernel owns this widget's state and `w.undo()` works from Python. Where the page owns
the state, `shared/history.js` does the same.
"""

from __future__ import annotations

import time
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .base import check_version

__all__ = ["SNAPSHOTS", "STATE_VERSION", "History", "Place", "State"]

STATE_VERSION = 1
SNAPSHOTS = ("A", "B")
# commits of one attribute within this time, such as a held arrow key, make one step of undo
MERGE_SECONDS = 1.0
LIMIT = 200

Place = tuple[Hashable, Mapping[str, float]]  # an identity and its strengths: one face


@dataclass(frozen=True, slots=True)
class State:
    """A face (`identity`, `strengths`), the face it is compared with, the stored faces, and the models.

    `reference` is (identity, strengths) if pinned; None: the neutral face of the current identity. `snapshots` contains
    "A" and "B" if stored. `model` and `compare` are names; None: the first model, and no second one.
    """

    identity: Hashable
    strengths: Mapping[str, float]
    reference: Place | None = None
    snapshots: Mapping[str, Place] = field(default_factory=dict)
    model: str | None = None
    compare: str | None = None

    @property
    def face(self) -> Place:
        """The identity and its strengths."""
        return self.identity, self.strengths

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON with a version, for a bookmark."""
        return {
            "version": STATE_VERSION,
            **_to_json(self.face),
            "reference": self.reference and _to_json(self.reference),
            "snapshots": {name: _to_json(place) for name, place in self.snapshots.items()},
            "model": self.model,
            "compare": self.compare,
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> State:
        """The inverse of `to_dict`; ValueError for another version or a missing part."""
        check_version(given, STATE_VERSION)
        if missing := [key for key in ("version", "identity", "strengths") if key not in given]:
            raise ValueError(f"state lacks {', '.join(missing)}: give a value that w.state returned.")
        pinned = given.get("reference")
        return cls(
            *_from_json(given),
            _from_json(pinned) if pinned else None,
            {str(name): _from_json(face) for name, face in (given.get("snapshots") or {}).items()},
            given.get("model"),
            given.get("compare"),
        )


def _to_json(place: Place) -> dict[str, Any]:
    return {"identity": place[0], "strengths": dict(place[1])}


def _from_json(face: Mapping[str, Any]) -> Place:
    return face["identity"], dict(face["strengths"])


@dataclass(slots=True)
class History:
    """Committed states, oldest first, and the place of the current one among them."""

    states: list[State]
    place: int = 0
    _last: tuple[str | None, float] = (None, 0.0)

    @property
    def current(self) -> State:
        """The committed state that undo and redo have reached."""
        return self.states[self.place]

    def commit(self, state: State, moved: str | None = None, now: float | None = None) -> None:
        """Make `state` the current one; undone states are forgotten. `moved`: the only attribute that changed."""
        if state == self.states[self.place]:
            return
        now = time.monotonic() if now is None else now
        merge = self.place > 0 and moved is not None and moved == self._last[0] and now - self._last[1] < MERGE_SECONDS
        self.states[self.place + (not merge) :] = [state]
        del self.states[:-LIMIT]
        self.place = len(self.states) - 1
        self._last = (moved, now)

    @property
    def can_undo(self) -> bool:
        return self.place > 0

    @property
    def can_redo(self) -> bool:
        return self.place < len(self.states) - 1

    def step(self, by: int) -> State:
        """The state `by` steps away (-1 undo, +1 redo), or the first or last one."""
        self.place = min(max(self.place + by, 0), len(self.states) - 1)
        self._last = (None, 0.0)
        return self.states[self.place]
