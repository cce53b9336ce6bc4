"""What a reader asks for, computed in the background: the estimate of energies, and the path of a sweep."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from fr_explore.attributes import check_attributes
from fr_explore.embedding.inspection import path_distances

from ..core.base import WidgetError
from ..core.session import State
from .engine import Engine, ModelView
from .samples import estimate

__all__ = [
    "ENERGIES",
    "FIGURES",
    "MAP",
    "PACK",
    "PROGRESS_EVERY",
    "REST",
    "SECOND",
    "TANGENT",
    "Measurements",
    "reason",
]

# ranks of the background jobs, and for how many seconds no request may come before one of their steps
FIGURES, SECOND, PACK, MAP, TANGENT, ENERGIES = range(6)
REST = {FIGURES: 0.0, SECOND: 0.0, PACK: 0.0, MAP: 0.3, TANGENT: 0.15, ENERGIES: 1.0}
PROGRESS_EVERY = 8
STEPS = 15  # of a path


class Measurements:
    """Sets the traits `energies` and `path`. `state` returns the state shown, `start` starts a background job."""

    def __init__(
        self, widget: Any, engine: Engine, state: Callable[[], State], start: Callable[..., None], seed: int
    ) -> None:
        self.widget, self.engine, self.seed = widget, engine, seed
        self._state, self._start = state, start

    def estimate(self, tag: Mapping[str, Any] | None = None) -> None:
        """Start the estimate of the current model's energies unless they are known; `tag` answers a request."""
        view = self.engine.shown_by(self._state())[0]
        if view.energies is None and not self.widget.jobs.has(f"energies {view.name}"):
            self._start(f"energies {view.name}", ENERGIES, self._estimate(view), self._estimate_failed)
        self.widget.energies = {**self.widget.energies, **(tag or {})}

    def _estimate(self, view: ModelView) -> Iterator[None]:
        for step in estimate(self.engine, view, self.seed):
            if "rows" in step:
                view.energies = step if step["done"] == step["all"] else None
            if view.name == self._state().model and ("rows" in step or step["done"] % PROGRESS_EVERY == 0):
                before = {key: value for key, value in self.widget.energies.items() if key != "failed"}
                self.widget.energies = {**before, **step}
            yield

    def _estimate_failed(self, problem: Exception) -> None:
        self.widget.energies = {"failed": reason(problem)}

    def path(self, attribute: str, tag: Mapping[str, Any]) -> None:
        """Compute the path of an attribute's sweep from the current face; `tag` answers the request."""
        (name,) = check_attributes(attribute, self.engine.faces.attributes)
        steps = path_of(self.engine, self.engine.shown_by(self._state())[0], self._state(), name)
        self.widget.path = {**next(steps), **tag}
        self._start("path", TANGENT, self._path(steps), self._path_failed)

    def _path(self, steps: Iterator[dict[str, Any]]) -> Iterator[None]:
        for self.widget.path in steps:
            yield

    def _path_failed(self, problem: Exception) -> None:
        self.widget.path = {**self.widget.path, "failed": reason(problem)}


def path_of(engine: Engine, view: ModelView, state: State, name: str) -> Iterator[dict[str, Any]]:
    """The trait `path` as plain JSON: progress before each face, then the distances; None for an infinite `bend`."""
    record = engine.faces.attributes[name]
    values = np.linspace(record.low, record.high, STEPS).tolist()
    where = {"name": name, "model": view.name, "place": engine.places[state.identity], "at": dict(state.strengths)}
    vectors = []
    for value in values:
        yield {**where, "done": len(vectors), "all": STEPS}
        vectors.append(view.embed([engine.render((state.identity, {**state.strengths, name: value}))])[0])
    matrix, bend, reach = path_distances(np.stack(vectors), view.card.metric)
    figures = {key: value if math.isfinite(value) else None for key, value in (("bend", bend), ("reach", reach))}
    yield {**where, "strengths": values, "distances": matrix.tolist(), **figures}


def reason(problem: Exception) -> str:
    """What went wrong, for a sentence."""
    cause = problem.__cause__ if isinstance(problem, WidgetError) else problem
    return f"{type(cause).__name__}: {cause}"
