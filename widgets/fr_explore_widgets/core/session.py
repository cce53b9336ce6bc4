"""What a widget shows, as one small value, and the line of such values that undo and redo walk along."""

from __future__ import annotations

import time
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["SNAPSHOTS", "STATE_VERSION", "History", "Place", "State"]

STATE_VERSION = 1
SNAPSHOTS = ("A", "B")
# commits of one attribute that follow each other this closely (a held arrow key) make one step of undo
MERGE_SECONDS = 1.0

Place = tuple[Hashable, Mapping[str, float]]  # an identity and its strengths: one face


@dataclass(frozen=True, slots=True)
class State:
    """A face (`identity`, `strengths`), the face it is compared with, the stored ones, and by which models.

    `reference` is None while it follows the identity, as its neutral face, else (identity, strengths) as pinned.
    `snapshots` holds "A" and "B" where they were stored. `model` and `compare` are names; None: the first model, and
    no second one.
    """

    identity: Hashable
    strengths: Mapping[str, float]
    reference: Place | None = None
    snapshots: Mapping[str, Place] = field(default_factory=dict)
    model: str | None = None
    compare: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON, with a version, for a bookmark."""
        return {
            "version": STATE_VERSION,
            "identity": self.identity,
            "strengths": dict(self.strengths),
            "reference": self.reference and _face(self.reference),
            "snapshots": {name: _face(place) for name, place in self.snapshots.items()},
            "model": self.model,
            "compare": self.compare,
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> State:
        """The inverse of `to_dict`; ValueError for another version or a missing part."""
        if given.get("version") != STATE_VERSION:
            raise ValueError(
                f"state has version {given.get('version')!r}, this release reads version {STATE_VERSION}: "
                "give a value that w.state returned."
            )
        missing = [key for key in ("identity", "strengths") if key not in given]
        if missing:
            raise ValueError(f"state lacks {', '.join(missing)}: give a value that w.state returned.")
        pinned = given.get("reference")
        return cls(
            given["identity"],
            dict(given["strengths"]),
            _place(pinned) if pinned else None,
            {str(name): _place(face) for name, face in (given.get("snapshots") or {}).items()},
            given.get("model"),
            given.get("compare"),
        )


def _face(place: Place) -> dict[str, Any]:
    return {"identity": place[0], "strengths": dict(place[1])}


def _place(face: Mapping[str, Any]) -> Place:
    return face["identity"], dict(face["strengths"])


@dataclass(slots=True)
class History:
    """Committed states, oldest first, and the place of the present one among them."""

    states: list[State]
    place: int = 0
    limit: int = 200
    _last: tuple[str | None, float] = field(default=(None, 0.0))

    def commit(self, state: State, moved: str | None = None, now: float | None = None) -> None:
        """Make `state` the present one; what had been undone is forgotten."""
        if state == self.states[self.place]:
            return
        now = time.monotonic() if now is None else now
        del self.states[self.place + 1 :]
        merge = self.place > 0 and moved is not None and moved == self._last[0]
        if merge and now - self._last[1] < MERGE_SECONDS:
            self.states[-1] = state
        else:
            self.states.append(state)
            del self.states[: -self.limit]
        self.place = len(self.states) - 1
        self._last = (moved, now)

    @property
    def can_undo(self) -> bool:
        return self.place > 0

    @property
    def can_redo(self) -> bool:
        return self.place < len(self.states) - 1

    def step(self, by: int) -> State:
        """The state `by` steps away (-1 undo, +1 redo), or the present one at either end."""
        self.place = min(max(self.place + by, 0), len(self.states) - 1)
        self._last = (None, 0.0)
        return self.states[self.place]
