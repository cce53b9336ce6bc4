"""What a person or a page asks of `AttributeExplorer`: each button as a method, and the answers to requests."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import Any

import traitlets

from ..core.base import reply_tag
from ..core.session import State
from .core import ExplorerCore

__all__ = ["ExplorerActions"]


class ExplorerActions(ExplorerCore):
    """Every step is one committed state. `set` comes first; the widget adds what measures: sweep, estimate, wait."""

    def set(
        self, identity: Hashable | None = None, *, model: str | None = None, compare: str | bool | None = None,
        **strengths: float,
    ) -> None:  # fmt: skip
        """Move sliders: `w.set(age=60)`; choose a person with `identity=`, a model and a second one by their names.

        `compare=False` takes the second model away. Raises ValueError, and changes nothing, for an unknown attribute,
        identity or model, or a value out of range.
        """
        with self._lock:
            now = self._state
            beside = now.compare if compare is None else compare or None
            beside = None if beside == model and compare is None else beside
            wanted = replace(
                now,
                identity=now.identity if identity is None else identity,
                strengths={**now.strengths, **strengths},
                model=model or now.model,
                compare=beside,
            )
            moved = next(iter(strengths)) if len(strengths) == 1 else None
            self._go(self._engine.check(wanted), moved)

    def reset(self) -> None:
        """Every attribute back to neutral; the reference is this identity's neutral face again."""
        with self._lock:
            self._go(replace(self._state, strengths=self._engine.neutral, reference=None), fresh=True)

    def pin(self) -> None:
        """Keep the present face as the reference, also when the identity changes."""
        with self._lock:
            self._show(replace(self._state, reference=(self._state.identity, self._state.strengths)))

    def unpin(self) -> None:
        """Let the reference be the present identity's neutral face again."""
        with self._lock:
            self._show(replace(self._state, reference=None))

    def store(self, snapshot: str) -> None:
        """Keep the present face as snapshot "A" or "B", to compare the two."""
        with self._lock:
            now = self._state
            stored = {**now.snapshots, snapshot: (now.identity, now.strengths)}
            self._show(self._engine.check(replace(now, snapshots=stored)))

    def recall(self, snapshot: str) -> None:
        """Show a stored face again; ValueError if there is none."""
        with self._lock:
            if snapshot not in self._state.snapshots:
                raise ValueError(f"snapshot {snapshot!r} is empty: store a face there first, w.store({snapshot!r}).")
            who, strengths = self._state.snapshots[snapshot]
            self._go(replace(self._state, identity=who, strengths=strengths))

    def forget(self) -> None:
        """Empty both snapshots."""
        with self._lock:
            self._show(replace(self._state, snapshots={}))

    def undo(self) -> None:
        """One step back along what was committed."""
        self._walk(-1)

    def redo(self) -> None:
        """One step forward again."""
        self._walk(1)

    def _go(self, state: State, moved: str | None = None, *, fresh: bool = False, record: bool = True) -> None:
        """Show a state that may have another identity or other models."""
        now = self._state
        models = (state.model, state.compare) != (now.model, now.compare)
        fresh = fresh or state.identity != now.identity or state.model != now.model
        self._show(state, moved=moved, fresh=fresh, record=record)
        if models:
            self._prepare()

    def _walk(self, by: int) -> None:
        with self._lock:
            place = self._history.place
            try:
                self._go(self._history.step(by), record=False)
            except Exception:
                self._history.place = place
                raise

    def _handle(self, request: Mapping[str, Any]) -> None:
        self._at = reply_tag(request)
        try:
            self._answer(request["action"], request)
        finally:
            self._at = {}

    def _answer(self, action: str, request: Mapping[str, Any]) -> None:
        if action == "set":
            values = self._engine.check_strengths({**self._state.strengths, **request["values"]})
            phase = request.get("phase", "commit")
            self._show(replace(self._state, strengths=values), moved=request.get("moved"), phase=phase)
        elif action == "identity":
            self.set(identity=list(self._engine.places)[int(request["place"])])
        elif action == "models":
            self.set(model=request["model"], compare=request["compare"] or False)
        elif action in ("store", "recall"):
            getattr(self, action)(request["snapshot"])
        else:
            {"reset": self.reset, "pin": self.pin, "unpin": self.unpin, "undo": self.undo, "redo": self.redo,
             "forget": self.forget, "estimate": self._estimate}[action]()  # fmt: skip

    @traitlets.observe("identity", "strengths", "state")
    def _set_from_outside(self, change: Mapping[str, Any]) -> None:
        if self._is_told(change["name"], change["new"]):
            return
        if change["name"] == "state":
            with self._lock:
                self._go(self._engine.check(State.from_dict(change["new"])), fresh=True)
        elif change["name"] == "identity":
            self.set(identity=change["new"])
        else:
            self.set(**change["new"])
