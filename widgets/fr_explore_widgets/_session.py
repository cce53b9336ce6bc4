"""What a widget shows, as one small value, and the line of such values that undo and redo walk along."""

from __future__ import annotations

import time
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["STATE_VERSION", "History", "State"]

STATE_VERSION = 1
# commits of one attribute that follow each other this closely (a held arrow key) make one step of undo
MERGE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class State:
    """A face (`identity`, `strengths`) and the face it is compared with.

    `reference` is None while it follows the identity, as its neutral face, else (identity, strengths) as pinned.
    """

    identity: Hashable
    strengths: Mapping[str, float]
    reference: tuple[Hashable, Mapping[str, float]] | None = None

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON, with a version, for a bookmark."""
        reference = self.reference and {"identity": self.reference[0], "strengths": dict(self.reference[1])}
        return {
            "version": STATE_VERSION,
            "identity": self.identity,
            "strengths": dict(self.strengths),
            "reference": reference,
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
        reference = (pinned["identity"], dict(pinned["strengths"])) if pinned else None
        return cls(given["identity"], dict(given["strengths"]), reference)


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
