"""Shows a state: renders the face, publishes the picture, then the figures, then what takes longer.

- The picture is published first and never waits for a model. During a drag the face is rendered smaller and its figures
  come from a background job, of the newest face only. A committed face has full size and its figures come with it.
- The second model, the tangent, the maps and the estimate of energies are background jobs, less urgent in this order.
- Every face has a serial number. Figures of an older face than the one last published are dropped.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from ..core.base import reply_tag
from ..core.faces import pick, to_bytes
from ..core.session import History, State
from ..core.supply import Supply
from .changes import Change, Shown
from .engine import Engine, ModelView
from .measurements import FIGURES, MAP, PACK, PROGRESS_EVERY, REST, SECOND, TANGENT, Measurements, reason
from .samples import Gallery, collect

__all__ = ["Display"]

MOST_IDENTITIES = 24
MAP_PATIENCE = 1.0  # the map is computed even if requests never pause
# Between the picture of a drag and its figures: on two cores the network would delay the picture on its way to the
# page, and a newer picture makes these figures unnecessary.
YIELD_SECONDS = 0.012


class Display:
    """Sets the traits of an `AttributeExplorer`, in the right order."""

    def __init__(self, widget: Any, engine: Engine, first: State, variations: int, seed: int) -> None:
        self.widget, self.engine, self.state, self.history = widget, engine, first, History([first])
        self.variations, self.seed = variations, seed
        self.measurements = Measurements(widget, engine, lambda: self.state, self._start, seed)
        self._serial = self._published = 0  # of the newest picture, and of the newest figures
        self._snapshots: Any = None  # those that the browser has
        models = {name: view.model for name, view in engine.views.items()}
        self._supply = Supply(engine.faces, list(engine.places), models)
        self._greeting: tuple[State, ...] = ()  # the steps to the face that an untouched widget shows to a page

    # --- a state and its figures --------------------------------------------------------------------------------------

    @property
    def greeting(self) -> tuple[State, ...]:
        """The steps to the face that a page was greeted with, as long as it is shown; empty afterwards."""
        return self._greeting if self._greeting and self.state is self._greeting[-1] else ()

    @property
    def settled(self) -> State:
        """What Python code builds on: the state shown, but not a greeting that nobody has touched."""
        return self.history.current if self.greeting else self.state

    def greet(self, tag: Mapping[str, Any]) -> None:
        """Show a page a face that has moved a little, unless somebody has moved the widget already."""
        moved = None
        if self._serial == 1:
            moved, steps = self.engine.greeting(self.state)
            self._greeting = tuple(steps)
        self.show(self._greeting[-1] if moved else self.state, Change(moved, "step", tag=tag))
        self._start_tangent(self.state, moved, self._serial)

    def dismiss(self) -> None:
        """Show the state before the greeting, if one is shown."""
        if self.greeting:
            self.show(self.history.current, Change(phase="step", fresh=True))

    def show(self, state: State, change: Change) -> None:
        """Render the face and publish the picture; then the figures, in a background job during a drag."""
        widget, engine, drag = self.widget, self.engine, change.phase == "drag"
        new_models = (state.model, state.compare) != (self.state.model, self.state.compare)
        fresh = change.fresh or (state.identity, state.model) != (self.state.identity, self.state.model)
        self._serial += 1
        size = engine.drag_size if drag else engine.size
        face = engine.render(state.face, size)
        tag = {**change.tag, "serial": self._serial, "moved": change.moved, "drag": drag}
        with widget.hold_sync():  # picture and values in one message
            if not (drag and change.drawn):
                widget.frame = to_bytes(face.pixels).tobytes()
            widget.reply = {
                **tag,
                "drawn": drag and change.drawn,
                "place": engine.places[state.identity],
                "strengths": dict(state.strengths),
                "shape": list(face.pixels.shape[:2]),
            }
        shown = Shown(state, face, size, tag | {"fresh": fresh, "phase": change.phase})
        if drag:
            self.state = state  # the next request builds on this one, although its figures are still to come
            self._start("figures", FIGURES, self._figures(shown), self._drag_failed(shown))
            return
        reading = engine.read(engine.shown_by(state)[0], state, face, size)
        self.state = state
        if change.phase == "commit" and change.record:
            self.history.commit(state, change.moved)
        self._publish(state, {**reading, **self._way(engine.shown_by(state)[0])}, shown.tag)
        if state.compare and change.tag:
            self._start("second", SECOND, self._second(shown))
        elif state.compare:  # Python code reads w.distances next
            self._publish_second(shown)
        if change.phase == "commit":
            self._start_tangent(state, change.moved, self._serial)
        if new_models:
            self.prepare()

    def _figures(self, shown: Shown) -> Iterator[None]:
        """The figures of a drag. The model works without the widget's lock."""
        time.sleep(YIELD_SECONDS)
        yield
        state = shown.state
        reading = self.engine.read(self.engine.shown_by(state)[0], state, shown.face, shown.size)
        with self.widget._lock:
            self._publish(state, reading, shown.tag)
        if state.compare:
            yield
            self._publish_second(shown)

    def _drag_failed(self, shown: Shown) -> Callable[[Exception], None]:
        def failed(problem: Exception) -> None:
            with self.widget._lock:
                if shown.tag["serial"] > self._published:  # no newer face has worked
                    self.widget._show_error(problem, **reply_tag(shown.tag))

        return failed

    def _publish(self, state: State, reading: Mapping[str, Any], tag: Mapping[str, Any]) -> None:
        """Publish the figures of a state to the browser, then to Python observers, unless newer ones were published."""
        if tag["serial"] < self._published:
            return
        self._published, engine, widget = tag["serial"], self.engine, self.widget
        who, strengths = engine.reference_of(state)
        pixels = engine.picture((who, strengths))
        reference = {"place": engine.places[who], "strengths": dict(strengths), "shape": list(pixels.shape[:2])}
        kept = {name: value for name, value in widget.distances.items() if name == state.compare}
        observed = {
            "identity": state.identity,
            "strengths": dict(state.strengths),
            "distances": {reading["model"]: reading["distance"], **kept},
            "distance": reading["distance"],
        }
        with widget.hold_sync():
            widget.reference_frame = pixels.tobytes()
            widget.figures = {
                **tag,
                **reading,
                "reference": {**reference, "pinned": state.reference is not None},
                "compare": state.compare,
                "can": {"undo": self.history.can_undo, "redo": self.history.can_redo},
            }
            if tag["phase"] == "commit":
                observed["state"] = state.to_dict()
                if (wanted := (state.snapshots, state.model)) != self._snapshots:
                    widget.snapshots, widget.snapshot_frame = engine.snapshots(state)
                    self._snapshots = wanted
            for name, value in observed.items():
                if self._published == tag["serial"]:  # else an observer moved the widget, and newer values are set
                    widget.assign(name, value)

    def _second(self, shown: Shown) -> Iterator[None]:
        self._publish_second(shown)
        yield

    def _publish_second(self, shown: Shown) -> None:
        """Publish the second model's reading of the same face."""
        view, widget = self.engine.views[shown.state.compare or ""], self.widget
        reading = self.engine.read(view, shown.state, shown.face, shown.size)
        with widget._lock:
            newer = shown.tag["serial"] >= widget.second.get("serial", 0)
            if newer and shown.state.compare == self.state.compare:
                widget.second = {**shown.tag, **reading}
                widget.distances = {**widget.distances, view.name: reading["distance"]}

    def _publish_again(self) -> None:
        """Publish the figures of the current face again, after a map has been computed."""
        engine, state = self.engine, self.state
        tag = {"serial": self._serial, "moved": None, "fresh": False, "drag": False, "phase": "again"}
        if self.greeting:
            tag["moved"] = engine.greeting(state)[0]
            self._start_tangent(state, tag["moved"], self._serial)
        for view in engine.shown_by(state):
            reading = {**engine.reading(view, state, engine.vector(view, state.face)), **self._way(view)}
            with self.widget._lock:
                if state is not self.state:
                    return  # a newer face was shown meanwhile, already with the map
                if view.name == state.model:
                    self._publish(state, reading, tag)
                else:
                    self.widget.second = {**tag, **reading}

    def _way(self, view: ModelView) -> dict[str, Any]:
        """The greeting's path on a map, which no page has seen."""
        if not self.greeting or view.gallery is None:
            return {}
        return {"path": [view.project(self.engine.vector(view, state.face)) for state in self.greeting]}

    # --- background jobs ----------------------------------------------------------------------------------------------

    def _start(self, name: str, rank: int, steps: Iterator, failed: Callable[[Exception], None] | None = None) -> None:
        patience = MAP_PATIENCE if rank == MAP else math.inf
        failed = failed or self.widget._show_error
        self.widget.jobs.start(name, steps, rank, rest=REST[rank], patience=patience, failed=failed)

    def prepare(self) -> None:
        """Show the maps and energies of the current models, and start the missing maps."""
        views: list[ModelView | None] = [*self.engine.shown_by(self.state), None]
        for trait, view in zip(("gallery", "second_gallery"), views, strict=False):
            if view is None:
                self.widget.set_trait(trait, {})
            elif view.gallery is not None:
                self.widget.set_trait(trait, view.gallery.for_browser(self.engine.places, self.engine.people()))
            else:
                self.widget.set_trait(trait, {"done": 0, "all": 0})
                self._start(f"map {view.name}", MAP, self._map(view), self._map_failed(view))
        self.widget.energies = self.engine.shown_by(self.state)[0].energies or {}

    def _map_trait(self, view: ModelView) -> str:
        return "gallery" if view.name == self.state.model else "second_gallery"

    def _map(self, view: ModelView) -> Iterator[None]:
        engine, widget = self.engine, self.widget
        identities = pick(list(engine.places), MOST_IDENTITIES)
        for step in collect(engine, view, identities, self.variations, self.seed):
            if isinstance(step, Gallery):
                view.gallery = step
                with widget._lock, widget.hold_sync():
                    widget.sprite = np.ascontiguousarray(step.thumbs).tobytes()
                    widget.set_trait(self._map_trait(view), step.for_browser(engine.places, engine.people()))
                self._publish_again()
            elif step[0] % PROGRESS_EVERY == 0:
                widget.set_trait(self._map_trait(view), {"done": step[0], "all": step[1]})
            yield

    def _map_failed(self, view: ModelView) -> Callable[[Exception], None]:
        def failed(problem: Exception) -> None:
            self.widget.problem = problem
            self.widget.set_trait(self._map_trait(view), {"failed": reason(problem)})

        return failed

    def _start_tangent(self, state: State, moved: str | None, serial: int) -> None:
        view = self.engine.shown_by(state)[0]
        if moved and moved in self.engine.faces.attributes and view.gallery is not None:
            steps = self._tangent(view, view.gallery, state, moved, serial)
            self._start("tangent", TANGENT, steps, lambda problem: None)

    def _tangent(self, view: ModelView, gallery: Gallery, state: State, moved: str, serial: int) -> Iterator[None]:
        """The finite difference along the attribute that moved, one default step both ways, projected on the map."""
        ends = []
        for place in self.engine.span(state, moved):
            ends.append(view.embed([self.engine.render(place)])[0])
            yield
        flat, share = gallery.project_step(*ends)
        length = view.distance(*ends)
        self.widget.tangent = {
            "serial": serial, "name": moved, "vector": flat.tolist(), "share": share, "length": length,
        }  # fmt: skip

    def give(self, content: Mapping[str, Any], send: Callable[..., None]) -> None:
        """Answer a page that asks for what it needs to draw faces itself."""

        def start(name: str, steps: Iterator) -> None:
            self._start(name, PACK, steps, lambda problem: None)  # the kernel's pictures do it

        self._supply.answer(content, send, start, lambda keys: self.widget.set_trait("packed", keys))

    # --- undo ---------------------------------------------------------------------------------------------------------

    def walk(self, by: int, tag: Mapping[str, Any] | None = None) -> None:
        """Show the state `by` steps along the history; if that fails, stay where it was."""
        place = self.history.place
        try:
            self.show(self.history.step(by), Change(record=False, tag=tag or {}))
        except Exception:
            self.history.place = place
            raise
