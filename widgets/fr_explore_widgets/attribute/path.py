"""The path of a sweep: the distances between all its steps, as `fr.sweep_distances` gives them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from fr_explore.embedding.inspection import path_distances

from ..core.session import State
from .engine import Engine, ModelView

__all__ = ["path"]

STEPS = 15


def path(engine: Engine, view: ModelView, state: State, name: str) -> Iterator[dict[str, Any]]:
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
