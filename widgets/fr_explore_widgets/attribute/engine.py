"""From a state to what is shown of it: render, embed, compare. Knows the face source and the models, no widget."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from fr_explore.attributes import check_strengths
from fr_explore.faces.base import Face

from ..core.base import WidgetError
from ..core.session import SNAPSHOTS, Place, State
from .model_view import STAYS, Judge

__all__ = ["Engine", "to_bytes"]

# A drag is shown smaller: half the time, and distances off by about .01. On release the face is rendered in full.
DRAG_SHARE = 0.5
_KEPT = 4


class Engine:
    """Renders faces and has them judged; keeps the pictures that stay beside the moving one."""

    def __init__(self, faces: Any, models: Mapping[str, Any], size: int) -> None:
        self.faces, self.size = faces, size
        self.drag_size = max(32, 16 * round(DRAG_SHARE * size / 16)) if size > 64 else size
        self.judges = {name: Judge(name, model) for name, model in models.items()}
        self.places: dict[Hashable, int] = {identity: place for place, identity in enumerate(faces.identities)}
        self.neutral = check_strengths(None, faces.attributes)
        self._pictures: dict[Any, np.ndarray] = {}
        self._lock = threading.Lock()  # not every source takes two callers

    def describe(self) -> dict[str, Any]:
        """What never changes while a widget lives, as plain JSON for the browser."""
        return {
            "attributes": [asdict(record) for record in self.faces.attributes.values()],
            "identities": [str(identity) for identity in self.places],
            "models": [judge.describe() for judge in self.judges.values()],
            "size": self.size,
        }

    def check_identity(self, identity: Hashable) -> Hashable:
        """`identity` if the source has it; ValueError names some that it has."""
        if identity not in self.places:
            some = ", ".join(map(repr, list(self.places)[:12])) + (", ..." if len(self.places) > 12 else "")
            raise ValueError(f"unknown identity {identity!r}: choose from {some}.")
        return identity

    def check_strengths(self, strengths: Mapping[str, float] | None) -> dict[str, float]:
        """Every attribute's strength; ValueError for an unknown attribute or a value out of range."""
        return check_strengths(strengths, self.faces.attributes)

    def check_model(self, name: str | None) -> str | None:
        """`name` if there is such a model, or None; ValueError names those that there are."""
        if name is not None and name not in self.judges:
            raise ValueError(f"unknown model {name!r}: choose from {', '.join(self.judges)}.")
        return name

    def check(self, state: State) -> State:
        """`state` with all strengths filled in; ValueError if any part of it is unknown here."""
        model = self.check_model(state.model) or next(iter(self.judges))
        compare = self.check_model(state.compare)
        if compare == model:
            raise ValueError(f"compare = {compare!r} is the model that is shown already: choose another, or None.")
        if unknown := set(state.snapshots) - set(SNAPSHOTS):
            raise ValueError(f"unknown snapshot {min(unknown)!r}: there are {' and '.join(SNAPSHOTS)}.")
        return State(
            *self._place((state.identity, state.strengths)),
            state.reference and self._place(state.reference),
            {name: self._place(state.snapshots[name]) for name in SNAPSHOTS if name in state.snapshots},
            model,
            compare,
        )

    def _place(self, place: Place) -> Place:
        return self.check_identity(place[0]), self.check_strengths(place[1])

    def judge_of(self, state: State) -> Judge:
        """The model that a checked `state` shows."""
        return self.judges[state.model or next(iter(self.judges))]

    def reference_of(self, state: State) -> Place:
        """What `state` is compared with: what was pinned, or the identity's neutral face."""
        return state.reference or (state.identity, self.neutral)

    def render(self, place: Place, size: int | None = None) -> Face:
        """The face in float pixels; WidgetError if the source fails."""
        try:
            with self._lock:
                return self.faces.render(*place, size=size or self.size)
        except Exception as problem:
            raise WidgetError("This face could not be rendered.", STAYS) from problem

    def render_some(self, identities: Sequence[Hashable], strengths: Sequence[Mapping[str, float]]) -> list[Face]:
        """A few faces at once; what the source raises goes through."""
        with self._lock:
            return self.faces.render_batch(identities, strengths, size=self.size)

    def picture(self, place: Place) -> np.ndarray:
        """uint8 (h, w, 3) of a face that is shown for a while, rendered once."""
        key = _key(place)
        if (pixels := self._pictures.get(key)) is None:
            pixels = to_bytes(self.render(place).pixels)
            while len(self._pictures) >= _KEPT:
                self._pictures.pop(next(iter(self._pictures)), None)
            self._pictures[key] = pixels
        return pixels

    def vector(self, judge: Judge, place: Place, size: int | None = None) -> np.ndarray:
        """The embedding (dim,) of a face that is compared with for a while, computed once."""
        return judge.keep((_key(place), size or self.size), lambda: self.render(place, size))

    def measure(self, judge: Judge, state: State, face: Face, size: int) -> np.ndarray:
        """The embedding (dim,) of the face of `state`, rendered at `size`.

        One rendered smaller is shifted by what the size alone does to this identity's neutral face. For dlib and
        one attribute moved over its range that brings the mean error of the distance from 0.07 to 0.015; with every
        attribute moved at once it stays at 0.06. The exact one comes when the hand lets go.
        """
        vector = judge.embed([face])[0]
        if size == self.size:
            return vector
        neutral = (state.identity, self.neutral)
        return vector + (self.vector(judge, neutral) - self.vector(judge, neutral, size))

    def reading(self, judge: Judge, state: State, vector: np.ndarray) -> dict[str, Any]:
        """What one model says of a face, as plain JSON: distance to the reference, place on the map, neighbours."""
        reference = self.vector(judge, self.reference_of(state))
        gallery = judge.gallery
        near = gallery.nearest(vector) if gallery else []
        return {
            "model": judge.name,
            "distance": judge.distance(vector, reference),
            "point": judge.project(vector),
            "reference_point": judge.project(reference),
            "nearest": [[self.places[gallery.identities[row]], value] for row, value in near] if gallery else [],
        }

    def snapshots(self, state: State) -> tuple[dict[str, Any], bytes]:
        """The stored faces and, where there are two, the distance between them; their pictures, one after the other."""
        judge, pictures = self.judge_of(state), {n: self.picture(place) for n, place in state.snapshots.items()}
        told: dict[str, Any] = {
            name: {"place": self.places[who], "strengths": dict(at), "shape": list(pictures[name].shape[:2])}
            for name, (who, at) in state.snapshots.items()
        }
        if len(told) == len(SNAPSHOTS):
            a, b = (self.vector(judge, state.snapshots[name]) for name in SNAPSHOTS)
            told["distance"] = judge.distance(a, b)
        return told, b"".join(pixels.tobytes() for pixels in pictures.values())

    def span(self, state: State, name: str) -> tuple[Place, Place]:
        """The two faces one default step below and above `state` along an attribute, moved inwards at a range's end."""
        record = self.faces.attributes[name]
        middle = min(max(state.strengths[name], record.low + record.step), record.high - record.step)
        ends = (replace(state, strengths={**state.strengths, name: middle + s * record.step}) for s in (-1, 1))
        low, high = ((end.identity, end.strengths) for end in ends)
        return low, high


def _key(place: Place) -> Any:
    return place[0], tuple(sorted(place[1].items()))


def to_bytes(pixels: np.ndarray) -> np.ndarray:
    """uint8 (h, w, 3) of float pixels in [0, 1], for the eye only."""
    return (np.clip(pixels, 0, 1) * 255 + 0.5).astype(np.uint8)
