"""`AttributeExplorer`: slide an attribute and see the face, its embedding and the model's verdict move."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import traitlets

from ._backdrop import Backdrop
from ._base import LabWidget
from ._engine import Engine, to_bytes
from ._session import History, State

__all__ = ["AttributeExplorer"]


class AttributeExplorer(LabWidget):
    """The live laboratory: sliders, the face beside a reference, the distance, and the embedding's path on a map.

    Parameters
    ----------
    faces : a face source, such as `fr.Avatars()`; its `attributes` become the sliders.
    model : what `fr.load_model` gives; metric and threshold come from its card.
    identity : the first one of the source by default.
    size : side of the rendered picture in pixels, the same for the eye and for the model.
    variations : varied faces per identity in the map's gallery (at least 2), from which the natural variation of an
        identity is measured; seed : of their random strengths.

    The gallery is rendered in the background: `wait()` returns when the map is there. `identity` and `strengths`
    can be set, `distance` and every other trait observed, and `state` keeps all of it as plain JSON:

    >>> w = AttributeExplorer(faces, model)
    >>> w.set(age=60)
    >>> w.strengths["age"], w.distance < model.card.threshold
    (60.0, True)
    """

    files = "attribute_explorer"

    identity = traitlets.Any()
    strengths = traitlets.Dict()
    distance = traitlets.Float(math.nan)

    setup = traitlets.Dict().tag(sync=True)
    reply = traitlets.Dict().tag(sync=True)
    figures = traitlets.Dict().tag(sync=True)
    reference_frame = traitlets.Bytes().tag(sync=True)
    gallery = traitlets.Dict().tag(sync=True)
    sprite = traitlets.Bytes().tag(sync=True)

    def __init__(
        self,
        faces: Any,
        model: Any,
        identity: Hashable | None = None,
        *,
        size: int = 160,
        variations: int = 5,
        seed: int = 0,
    ) -> None:
        self._engine = engine = Engine(faces, model, size)
        self._inside, self._at = False, {}
        first = engine.check(State(next(iter(engine.places)) if identity is None else identity, {}))
        self._state, self._history, self._serial = first, History([first]), 0
        self._backdrop = Backdrop(engine, variations, seed)
        super().__init__(setup=engine.describe())
        with self._lock:
            self._show(first, fresh=True)
        self._backdrop.start(self, self._map_ready)

    def set(self, identity: Hashable | None = None, **strengths: float) -> None:
        """Move sliders: `w.set(age=60)`, and with `identity=` choose a person.

        Raises ValueError, and changes nothing, for an unknown attribute or identity or a value out of range.
        """
        with self._lock:
            now = self._state
            merged = self._engine.check_strengths({**now.strengths, **strengths})
            who = now.identity if identity is None else self._engine.check_identity(identity)
            moved = next(iter(strengths)) if len(strengths) == 1 else None
            self._show(replace(now, identity=who, strengths=merged), moved=moved, fresh=who != now.identity)

    def reset(self) -> None:
        """Every attribute back to neutral; the reference is this identity's neutral face again."""
        with self._lock:
            self._show(State(self._state.identity, self._engine.check_strengths(None)), fresh=True)

    def pin(self) -> None:
        """Keep the present face as the reference, also when the identity changes."""
        with self._lock:
            self._show(replace(self._state, reference=(self._state.identity, self._state.strengths)))

    def unpin(self) -> None:
        """Let the reference be the present identity's neutral face again."""
        with self._lock:
            self._show(replace(self._state, reference=None))

    def undo(self) -> None:
        """One step back along what was committed."""
        self._walk(-1)

    def redo(self) -> None:
        """One step forward again."""
        self._walk(1)

    def wait(self, timeout: float | None = None) -> AttributeExplorer:
        """Return when the gallery is embedded and the map fitted; raises what stopped it, or TimeoutError."""
        self._backdrop.wait(timeout)
        return self

    def close(self) -> None:
        """Stop the gallery's thread and take the widget off the page."""
        if backdrop := vars(self).get("_backdrop"):  # none yet if the constructor refused its arguments
            backdrop.stop()
        super().close()

    def _handle(self, request: Mapping[str, Any]) -> None:
        action, at = request["action"], {"client": str(request["client"]), "seq": int(request["seq"])}
        self._at = at
        try:
            if action == "set":
                values = self._engine.check_strengths({**self._state.strengths, **request["values"]})
                drag = request.get("phase") == "drag"
                self._show(replace(self._state, strengths=values), moved=request.get("moved"), drag=drag)
            elif action == "identity":
                self.set(identity=list(self._engine.places)[int(request["place"])])
            else:
                {"reset": self.reset, "pin": self.pin, "unpin": self.unpin, "undo": self.undo, "redo": self.redo}[
                    action
                ]()
        finally:
            self._at = {}

    def _walk(self, by: int) -> None:
        with self._lock:
            place = self._history.place
            try:
                target = self._history.step(by)
                self._show(target, fresh=target.identity != self._state.identity, record=False)
            except Exception:
                self._history.place = place
                raise

    def _show(
        self, state: State, *, moved: str | None = None, fresh: bool = False, drag: bool = False, record: bool = True
    ) -> None:
        """Render, send the picture, embed, send the figures; only then is `state` the present one."""
        engine, self._serial = self._engine, self._serial + 1
        face = engine.render(state.identity, state.strengths)
        tag = {**self._at, "serial": self._serial, "moved": moved}
        with self.hold_sync():  # picture and values in one message
            self.frame = to_bytes(face.pixels).tobytes()
            self.reply = {
                **tag,
                "place": engine.places[state.identity],
                "strengths": dict(state.strengths),
                "shape": list(face.pixels.shape[:2]),
            }
        # the picture is on its way while the model works
        vector = engine.embed(face)
        reference = engine.reference(state)
        self._state, self._vector = state, vector
        if not drag and record:
            self._history.commit(state, moved)
        self._tell(tag | {"drag": drag, "fresh": fresh}, reference)

    def _tell(self, tag: Mapping[str, Any], reference: Any) -> None:
        """Send the figures of the present state, and set the traits that Python code observes."""
        state, engine = self._state, self._engine
        who, strengths = engine.reference_of(state)
        distance = engine.distance(self._vector, reference.vector)
        with self._from_inside(), self.hold_sync():
            self.reference_frame = reference.pixels.tobytes()
            self.figures = {
                **tag,
                "distance": distance,
                "reference": {
                    "place": engine.places[who],
                    "strengths": dict(strengths),
                    "pinned": state.reference is not None,
                    "shape": list(reference.pixels.shape[:2]),
                },
                "point": self._backdrop.project(self._vector),
                "reference_point": self._backdrop.project(reference.vector),
                "can": {"undo": self._history.can_undo, "redo": self._history.can_redo},
            }
            if not tag.get("drag"):
                self.state = state.to_dict()
            self.identity, self.strengths, self.distance = state.identity, dict(state.strengths), distance

    def _map_ready(self) -> None:
        with self._lock:
            self._tell({"serial": self._serial, "moved": None, "fresh": True}, self._engine.reference(self._state))

    @contextlib.contextmanager
    def _from_inside(self) -> Iterator[None]:
        self._inside = True
        try:
            yield
        finally:
            self._inside = False

    @traitlets.validate("identity", "strengths", "state")
    def _check(self, proposal: Mapping[str, Any]) -> Any:
        name, value = proposal["trait"].name, proposal["value"]
        if self._inside:
            return value
        if name == "state":
            return self._engine.check(State.from_dict(value)).to_dict()
        return getattr(self._engine, f"check_{name}")(value)

    @traitlets.observe("identity", "strengths", "state")
    def _set_from_outside(self, change: Mapping[str, Any]) -> None:
        if self._inside:
            return
        if change["name"] == "state":
            with self._lock:
                self._show(State.from_dict(change["new"]), fresh=True)
        elif change["name"] == "identity":
            self.set(identity=change["new"])
        else:
            self.set(**change["new"])
