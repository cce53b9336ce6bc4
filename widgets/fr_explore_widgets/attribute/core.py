"""The machinery of `AttributeExplorer`: from a state to the traits that the browser shows, in the right order.

- The picture goes first; a model never holds it up. While a hand drags, the face is rendered smaller and its figures
  come from the desk, the newest only; what is committed is rendered in full and its figures come with the answer.
- The second model, the tangent, the maps and the estimate of energies are jobs of the desk, less urgent in this order.
- `_told` is the serial number of the newest figures, so that what comes late is dropped.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import traitlets

from ..core.base import WidgetError, reply_tag
from ..core.gallery import Gallery, collect, pick
from ..core.job_queue import BackgroundWidget
from ..core.session import History, State
from .engine import Engine, to_bytes
from .estimate import estimate
from .model_view import Judge

__all__ = ["ENERGIES", "ExplorerCore"]

MOST_IDENTITIES = 24
PROGRESS_EVERY = 8
# ranks of the desk's jobs, and how long the hand must rest before their steps, in seconds
FIGURES, SECOND, MAP, TANGENT, ENERGIES = range(5)
REST = {FIGURES: 0.0, SECOND: 0.0, MAP: 0.3, TANGENT: 0.15, ENERGIES: 1.0}
# between the picture of a drag and its figures: on two cores the network would take the processor from the picture's
# way to the page, and a newer picture makes these figures needless
YIELD_SECONDS = 0.012
MAP_PATIENCE = 1.0  # the map comes in spite of a hand that never rests


class ExplorerCore(BackgroundWidget):
    """Traits and their order. `AttributeExplorer` adds what a person calls."""

    identity = traitlets.Any()
    strengths = traitlets.Dict()
    distance = traitlets.Float(math.nan)
    distances = traitlets.Dict()  # model's name -> distance; the second model's follows the first's

    setup = traitlets.Dict().tag(sync=True)
    reply = traitlets.Dict().tag(sync=True)
    figures = traitlets.Dict().tag(sync=True)
    second = traitlets.Dict().tag(sync=True)
    reference_frame = traitlets.Bytes().tag(sync=True)
    snapshots = traitlets.Dict().tag(sync=True)
    snapshot_frame = traitlets.Bytes().tag(sync=True)
    gallery = traitlets.Dict().tag(sync=True)
    second_gallery = traitlets.Dict().tag(sync=True)
    sprite = traitlets.Bytes().tag(sync=True)
    tangent = traitlets.Dict().tag(sync=True)
    energies = traitlets.Dict().tag(sync=True)
    retention = traitlets.Dict().tag(sync=True)

    def __init__(self, engine: Engine, first: State, variations: int, seed: int) -> None:
        if variations < 2:
            raise ValueError(f"variations = {variations}: give at least 2, a variation is a distance between two.")
        self._engine, self._variations, self._seed = engine, variations, seed
        self._telling: dict[str, Any] = {}  # the traits that it sets itself; others come from outside
        self._at: dict[str, Any] = {}
        self._state, self._history, self._serial, self._told = first, History([first]), 0, 0
        self._stored: Any = None  # the snapshots that the browser has
        super().__init__(setup=engine.describe())
        with self._lock:
            self._show(first, fresh=True)

    # --- a state, shown -----------------------------------------------------------------------------------------------

    def _show(
        self,
        state: State,
        *,
        moved: str | None = None,
        fresh: bool = False,
        phase: str = "commit",
        record: bool = True,
    ) -> None:
        """Render and send the picture, then the figures; a `commit` is a step of undo, a `drag` or `step` is none."""
        engine, self._serial = self._engine, self._serial + 1
        drag = phase == "drag"
        size = engine.drag_size if drag else engine.size
        face = engine.render((state.identity, state.strengths), size)
        tag = {**self._at, "serial": self._serial, "moved": moved, "drag": drag}
        with self.hold_sync():  # picture and values in one message
            self.frame = to_bytes(face.pixels).tobytes()
            self.reply = {
                **tag,
                "place": engine.places[state.identity],
                "strengths": dict(state.strengths),
                "shape": list(face.pixels.shape[:2]),
            }
        tag |= {"fresh": fresh, "phase": phase}
        if drag:
            # what moves next builds on this, though its figures are still to come
            self._state = state
            self._give("figures", FIGURES, self._follow(state, face, size, tag), self._drag_failed(tag))
            return
        vector = engine.measure(engine.judge_of(state), state, face, size)
        reading = engine.reading(engine.judge_of(state), state, vector)
        self._state = state
        if record and phase == "commit":
            self._history.commit(state, moved)
        self._tell(state, reading, tag)
        if state.compare and self._at:
            self._give("second", SECOND, self._judge_second(state, face, size, tag))
        elif state.compare:  # Python code reads w.distances next
            list(self._judge_second(state, face, size, tag))
        if phase == "commit":
            self._point_along(state, moved, tag["serial"])

    def _follow(self, state: State, face: Any, size: int, tag: Mapping[str, Any]) -> Iterator[None]:
        """The figures of a drag, on the desk's thread: the model works without the widget's lock."""
        engine, judge = self._engine, self._engine.judge_of(state)
        time.sleep(YIELD_SECONDS)
        yield
        reading = engine.reading(judge, state, engine.measure(judge, state, face, size))
        with self._lock:
            self._tell(state, reading, tag)
        if state.compare:
            yield
            yield from self._judge_second(state, face, size, tag)

    def _drag_failed(self, tag: Mapping[str, Any]) -> Callable[[Exception], None]:
        def failed(problem: Exception) -> None:
            if tag["serial"] > self._told:  # else a newer face worked
                self._show_error(problem, **reply_tag(tag))

        return failed

    def _judge_second(self, state: State, face: Any, size: int, tag: Mapping[str, Any]) -> Iterator[None]:
        """The second model's reading of the same face, after the first one's."""
        engine, judge = self._engine, self._engine.judges[state.compare or ""]
        reading = engine.reading(judge, state, engine.measure(judge, state, face, size))
        with self._lock:
            if tag["serial"] >= self.second.get("serial", 0) and state.compare == self._state.compare:
                self.second = {**tag, **reading}
                self.distances = {**self.distances, judge.name: reading["distance"]}
        return
        yield  # an iterator, as the desk takes it

    def _tell(self, state: State, reading: Mapping[str, Any], tag: Mapping[str, Any]) -> None:
        """Send the figures of a state, and set the traits that Python code observes."""
        if tag["serial"] < self._told:
            return
        self._told, engine = tag["serial"], self._engine
        who, strengths = engine.reference_of(state)
        pixels = engine.picture((who, strengths))
        with self.hold_sync():
            self.reference_frame = pixels.tobytes()
            self.figures = {
                **tag,
                **reading,
                "reference": {
                    "place": engine.places[who],
                    "strengths": dict(strengths),
                    "pinned": state.reference is not None,
                    "shape": list(pixels.shape[:2]),
                },
                "compare": state.compare,
                "can": {"undo": self._history.can_undo, "redo": self._history.can_redo},
            }
            if tag.get("phase") == "commit":
                self._tell_snapshots(state)
            self._tell_observers(state, reading, tag)

    def _tell_observers(self, state: State, reading: Mapping[str, Any], tag: Mapping[str, Any]) -> None:
        """Set what Python code observes: the distance when the face is known, the state last.

        An observer may move the widget: what that shows is newer than the rest.
        """
        kept = {n: d for n, d in self.distances.items() if n == state.compare}
        told = {
            "identity": state.identity,
            "strengths": dict(state.strengths),
            "distances": {reading["model"]: reading["distance"], **kept},
            "distance": reading["distance"],
        }
        if tag.get("phase") == "commit":
            told["state"] = state.to_dict()
        for name, value in told.items():
            if self._told == tag["serial"]:
                self._telling[name] = value
                try:
                    setattr(self, name, value)
                finally:
                    self._telling.pop(name, None)

    def _tell_snapshots(self, state: State) -> None:
        wanted = (state.snapshots, state.model)
        if wanted != self._stored:
            self.snapshots, self.snapshot_frame = self._engine.snapshots(state)
            self._stored = wanted

    def _tell_again(self) -> None:
        """The same face with what has become known meanwhile: a map, a second model."""
        engine, state, serial = self._engine, self._state, self._serial
        tag = {"serial": serial, "moved": None, "fresh": False, "drag": False, "phase": "again"}
        for name in filter(None, (state.model, state.compare)):
            judge = engine.judges[name]
            reading = engine.reading(judge, state, engine.vector(judge, (state.identity, state.strengths)))
            with self._lock:
                if state is not self._state:
                    return  # something newer was shown meanwhile, and it knew already
                if name == state.model:
                    self._tell(state, reading, tag)
                else:
                    self.second = {**tag, **reading}

    # --- jobs of the desk ---------------------------------------------------------------------------------------------

    def _give(self, name: str, rank: int, steps: Iterator, failed: Callable[[Exception], None] | None = None) -> None:
        patience = MAP_PATIENCE if rank == MAP else math.inf
        self.jobs.start(name, steps, rank, rest=REST[rank], patience=patience, failed=failed or self._show_error)

    def _prepare(self) -> None:
        """Have the maps made that the present models lack; show those that are there."""
        engine, state = self._engine, self._state
        for trait, name in (("gallery", state.model), ("second_gallery", state.compare)):
            judge = engine.judges.get(name or "")
            if judge is None:
                setattr(self, trait, {})
            elif judge.gallery is not None:
                setattr(self, trait, judge.gallery.for_browser(engine.places))
            else:
                setattr(self, trait, {"done": 0, "all": 0})
                self._give(f"map {judge.name}", MAP, self._map_steps(judge), self._map_failed(trait))
        self.energies = engine.judge_of(state).energies or {}

    def _map_steps(self, judge: Judge) -> Iterator[None]:
        engine = self._engine
        identities = pick(list(engine.places), MOST_IDENTITIES)
        for step in collect(engine, judge, identities, self._variations, self._seed):
            trait = "gallery" if judge.name == self._state.model else "second_gallery"
            if isinstance(step, Gallery):
                judge.gallery = step
                with self._lock, self.hold_sync():
                    self.sprite = np.ascontiguousarray(step.thumbs).tobytes()
                    setattr(self, trait, step.for_browser(engine.places))
                self._tell_again()
            elif step[0] % PROGRESS_EVERY == 0:
                setattr(self, trait, {"done": step[0], "all": step[1]})
            yield

    def _map_failed(self, trait: str) -> Callable[[Exception], None]:
        def failed(problem: Exception) -> None:
            self._problem = problem
            setattr(self, trait, {"failed": _reason(problem)})

        return failed

    def _point_along(self, state: State, moved: str | None, serial: int) -> None:
        """Ask the desk for the tangent of the attribute that moved, at the present face."""
        if moved and moved in self._engine.faces.attributes and self._engine.judge_of(state).gallery is not None:
            self._give("tangent", TANGENT, self._tangent_steps(state, moved, serial), lambda problem: None)

    def _tangent_steps(self, state: State, moved: str, serial: int) -> Iterator[None]:
        """The finite difference over the attribute's default step both ways, and how it looks on the map."""
        engine, judge = self._engine, self._engine.judge_of(state)
        ends = []
        for place in engine.span(state, moved):
            ends.append(judge.embed([engine.render(place)])[0])
            yield
        if judge.gallery is not None:
            flat, share = judge.gallery.project_step(*ends)
            length = judge.distance(*ends)
            self.tangent = {"serial": serial, "name": moved, "vector": flat.tolist(), "share": share, "length": length}

    def _estimate(self) -> None:
        """Have the energies of the present model estimated, unless they are known."""
        judge = self._engine.judge_of(self._state)
        if judge.energies is None and not self.jobs.has(f"energies {judge.name}"):
            self._give(f"energies {judge.name}", ENERGIES, self._energy_steps(judge), self._energies_failed)
        self.energies = {**self.energies, **self._at}  # the answer that the page's next request waits for

    def _energy_steps(self, judge: Judge) -> Iterator[None]:
        for step in estimate(self._engine, judge, self._seed):
            if "rows" in step:
                judge.energies = step if step["done"] == step["all"] else None
            if judge is self._engine.judge_of(self._state) and ("rows" in step or step["done"] % PROGRESS_EVERY == 0):
                self.energies = {**{k: v for k, v in self.energies.items() if k != "failed"}, **step}
            yield

    def _energies_failed(self, problem: Exception) -> None:
        self.energies = {"failed": _reason(problem)}

    # --- traits set from outside --------------------------------------------------------------------------------------

    def _is_told(self, name: str, value: Any) -> bool:
        """Whether the widget is setting this trait itself; an equal value from elsewhere changes nothing either."""
        return name in self._telling and bool(self._telling[name] == value)

    @traitlets.validate("identity", "strengths", "state")
    def _check(self, proposal: Mapping[str, Any]) -> Any:
        name, value = proposal["trait"].name, proposal["value"]
        if self._is_told(name, value):
            return value
        if name == "state":
            return self._engine.check(State.from_dict(value)).to_dict()
        return getattr(self._engine, f"check_{name}")(value)


def _reason(problem: Exception) -> str:
    cause = problem.__cause__ if isinstance(problem, WidgetError) else problem
    return f"{type(cause).__name__}: {cause}"
