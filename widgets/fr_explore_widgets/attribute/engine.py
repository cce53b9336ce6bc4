"""Renders the face of a state, embeds it and compares it. Knows the face source and the models, but no widget."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Mapping, Sequence
from copy import copy
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from fr_explore.attributes import check_strengths
from fr_explore.base.distance import distance
from fr_explore.faces.base import Face
from fr_explore.models.card import ModelCard

from ..core.base import WidgetError
from ..core.faces import first_page, main_attributes, to_bytes
from ..core.session import SNAPSHOTS, Place, State
from .samples import Gallery

__all__ = ["Engine", "ModelView", "as_models"]

# During a drag the face is rendered smaller: half the time, distances off by about 0.01. On release it is full size.
DRAG_SHARE = 0.5
GREETING_SHARE, GREETING_STEPS = 0.75, 4
PICTURES, EMBEDDINGS = 4, 8  # how many are cached, of references, snapshots and neutral faces
ADVICE = (
    "The figures still show the last face that worked: move a slider to try again, or read the widget's .traceback."
)
_FACTS = ("title", "metric", "threshold", "threshold_source", "dim", "accuracy", "trained_on", "licence", "weaknesses")


def as_models(models: Any) -> dict[str, Any]:
    """Models by name, from one, a sequence or a mapping; ValueError for none, or two of one name."""
    if isinstance(models, Mapping):
        named = {str(name): model for name, model in models.items()}
    else:
        some = list(models) if isinstance(models, Sequence) else [models]
        named = {model.card.name: model for model in some}
        if len(named) < len(some):
            names = ", ".join(model.card.name for model in some)
            raise ValueError(f"the models are called {names}: give a mapping from names of your own to models.")
    if not named:
        raise ValueError("no model: give one, several, or a mapping from names to models.")
    return named


def _cached(cache: dict[Any, np.ndarray], most: int, key: Any, make: Callable[[], np.ndarray]) -> np.ndarray:
    """`make()`, computed once for `key`; the oldest of more than `most` entries is dropped."""
    if (value := cache.get(key)) is None:
        value = make()
        while len(cache) >= most:
            cache.pop(next(iter(cache)), None)
        cache[key] = value
    return value


def _key(place: Place) -> Any:
    return place[0], tuple(sorted(place[1].items()))


class ModelView:
    """A model as the widget uses it. Its `gallery` and `energies` are computed later, in the background."""

    def __init__(self, name: str, model: Any) -> None:
        self.name, self.model = name, model
        self.card: ModelCard = model.card
        self.gallery: Gallery | None = None
        self.energies: dict[str, Any] | None = None
        self.cache: dict[Any, np.ndarray] = {}
        # requests, background jobs and cells may call at the same time; not every network allows that
        self._lock = threading.Lock()

    def describe(self) -> dict[str, Any]:
        """The card's facts for the browser."""
        facts = {key: getattr(self.card, key) for key in _FACTS}
        return {"name": self.name, **facts, "weaknesses": list(self.card.weaknesses)}

    def embed(self, faces: Sequence[Any]) -> np.ndarray:
        """Embeddings (n, dim) of float pixels; WidgetError if the model fails or returns NaN or infinity."""
        try:
            with self._lock:
                vectors = self.model.embed(faces, batch_size=8)  # more at once would only need more memory
            if not np.isfinite(vectors).all():
                raise ValueError("the embedding contains NaN or infinity.")
        except Exception as problem:
            raise WidgetError("The model could not embed this face.", ADVICE) from problem
        return vectors

    def distance(self, a: np.ndarray, b: np.ndarray) -> float:
        """The distance in the metric of the model's card."""
        return float(distance(a, b, self.card.metric))

    def project(self, vector: np.ndarray) -> list[float] | None:
        """The point of an embedding on the map; None before there is a map."""
        return None if self.gallery is None else [float(v) for v in self.gallery.project(vector)]


class Engine:
    """Renders faces and embeds them with the models; caches the pictures shown beside the moving one."""

    def __init__(self, faces: Any, models: Mapping[str, Any], size: int) -> None:
        self.faces, self.size = faces, size
        self.drag_size = max(32, 16 * round(DRAG_SHARE * size / 16)) if size > 64 else size
        self.views = {name: ModelView(name, model) for name, model in models.items()}
        self.places: dict[Hashable, int] = {identity: place for place, identity in enumerate(faces.identities)}
        self.private = bool(getattr(faces, "private", False))  # photographs of people: a notebook must not keep them
        self.neutral = check_strengths(None, faces.attributes)
        self._pictures: dict[Any, np.ndarray] = {}
        self._lock = threading.Lock()  # not every face source allows two callers at the same time

    def part(self, identities: Sequence[Hashable], models: Sequence[str]) -> Engine:
        """An engine with only these identities and models, which shares what this one has computed."""
        part = copy(self)
        part.places = {identity: place for place, identity in enumerate(identities)}
        part.views = {name: self.views[name] for name in models}
        return part

    def describe(self) -> dict[str, Any]:
        """What stays constant during a widget's life, as plain JSON for the browser."""
        return {
            "attributes": [asdict(record) for record in self.faces.attributes.values()],
            "main": first_page(self.faces.attributes),
            "identities": [str(identity) for identity in self.places],
            "people": self.people(),
            "models": [view.describe() for view in self.views.values()],
            "size": self.size,
            "drag_size": self.drag_size,
        }

    def people(self) -> list[int | None]:
        """Who the identities are: one number for each person, in the order of `places`; None if it is not known.

        A source without the method `person` shows another person in each identity.
        """
        person = getattr(self.faces, "person", lambda identity: identity)
        numbers: dict[Hashable, int] = {}
        found = [person(identity) for identity in self.places]
        return [None if who is None else numbers.setdefault(who, len(numbers)) for who in found]

    def check_identity(self, identity: Hashable) -> Hashable:
        """`identity` if the source has it; otherwise ValueError lists some that exist."""
        if identity not in self.places:
            some = ", ".join(map(repr, list(self.places)[:12])) + (", ..." if len(self.places) > 12 else "")
            raise ValueError(f"unknown identity {identity!r}: choose from {some}.")
        return identity

    def check_strengths(self, strengths: Mapping[str, float] | None) -> dict[str, float]:
        """Every attribute's strength; ValueError for an unknown attribute or a value out of range."""
        return check_strengths(strengths, self.faces.attributes)

    def check_model(self, name: str | None) -> str | None:
        """`name` if there is such a model, or None; otherwise ValueError lists the models."""
        if name is not None and name not in self.views:
            raise ValueError(f"unknown model {name!r}: choose from {', '.join(self.views)}.")
        return name

    def check(self, state: State) -> State:
        """`state` with all strengths filled in; ValueError if any part of it is unknown."""
        model = self.check_model(state.model) or next(iter(self.views))
        compare = self.check_model(state.compare)
        if compare == model:
            raise ValueError(f"compare = {compare!r} is the model that is shown already: choose another, or None.")
        if unknown := set(state.snapshots) - set(SNAPSHOTS):
            raise ValueError(f"unknown snapshot {min(unknown)!r}: there are {' and '.join(SNAPSHOTS)}.")
        return State(
            *self._place(state.face),
            state.reference and self._place(state.reference),
            {name: self._place(state.snapshots[name]) for name in SNAPSHOTS if name in state.snapshots},
            model,
            compare,
        )

    def _place(self, place: Place) -> Place:
        return self.check_identity(place[0]), self.check_strengths(place[1])

    def after(self, now: State, action: str, options: Mapping[str, Any]) -> State:
        """The checked state after an action of the user, with the fields of its request; ValueError if impossible."""
        match action:
            case "set":
                strengths = {**now.strengths, **options["values"]}
                more = {key: options[key] for key in ("identity", "model", "compare") if key in options}
                state = replace(now, strengths=strengths, **more)
            case "identity":
                state = replace(now, identity=list(self.places)[int(options["place"])])
            case "models":
                state = replace(now, model=options["model"], compare=options["compare"] or None)
            case "reset":
                state = replace(now, strengths=self.neutral, reference=None)
            case "pin":
                state = replace(now, reference=now.face)
            case "unpin":
                state = replace(now, reference=None)
            case "store":
                state = replace(now, snapshots={**now.snapshots, options["snapshot"]: now.face})
            case "recall":
                name = options["snapshot"]
                if name not in now.snapshots:
                    raise ValueError(f"snapshot {name!r} is empty: store a face there first, w.store({name!r}).")
                identity, strengths = now.snapshots[name]
                state = replace(now, identity=identity, strengths=strengths)
            case "forget":
                state = replace(now, snapshots={})
            case _:
                raise ValueError(f"unknown action {action!r}.")
        return self.check(state)

    def shown_by(self, state: State) -> list[ModelView]:
        """The model of a checked `state`, followed by the second one if there is one."""
        return [self.views[name] for name in (state.model, state.compare) if name]

    def reference_of(self, state: State) -> Place:
        """The face that `state` is compared with: the pinned one, or the identity's neutral face."""
        return state.reference or (state.identity, self.neutral)

    def greeting(self, state: State) -> tuple[str, list[State]]:
        """The first attribute, and the steps by which it moves a little from `state`, towards the farther end."""
        name = main_attributes(self.faces.attributes)[0]
        record, now = self.faces.attributes[name], state.strengths[name]
        far = max(record.high, record.low, key=lambda end: abs(end - now))
        goal = round(now + GREETING_SHARE * (far - now), 1 if record.high - record.low < 20 else 0)
        values = [now + (goal - now) * step / GREETING_STEPS for step in range(1 + GREETING_STEPS)]
        return name, [replace(state, strengths={**state.strengths, name: value}) for value in values]

    def render(self, place: Place, size: int | None = None) -> Face:
        """The face in float pixels; WidgetError if the source fails."""
        try:
            with self._lock:
                return self.faces.render(*place, size=size or self.size)
        except Exception as problem:
            raise WidgetError("This face could not be rendered.", ADVICE) from problem

    def render_batch(self, identities: Sequence[Hashable], strengths: Sequence[Mapping[str, float]]) -> list[Face]:
        """Several faces at once; exceptions of the source pass through."""
        with self._lock:
            return self.faces.render_batch(identities, strengths, size=self.size)

    def picture(self, place: Place) -> np.ndarray:
        """uint8 (h, w, 3) of a reference or a snapshot, rendered once."""
        return _cached(self._pictures, PICTURES, _key(place), lambda: to_bytes(self.render(place).pixels))

    def vector(self, view: ModelView, place: Place, size: int | None = None) -> np.ndarray:
        """The embedding (dim,) of a reference, snapshot or neutral face, computed once."""
        key = _key(place), size or self.size
        return _cached(view.cache, EMBEDDINGS, key, lambda: view.embed([self.render(place, size)])[0])

    def read(self, view: ModelView, state: State, face: Face, size: int) -> dict[str, Any]:
        """What one model computes from the face of `state`, rendered at `size`: see `reading`.

        The embedding of a smaller face is corrected by the shift that the size alone causes on this identity's neutral
        face. For dlib and one attribute moved over its range, that reduces the mean error of the distance from 0.07 to
        0.015; with every attribute moved at once the error stays at 0.06. The exact distance follows on release.
        """
        vector = view.embed([face])[0]
        if size != self.size:
            neutral = (state.identity, self.neutral)
            vector = vector + (self.vector(view, neutral) - self.vector(view, neutral, size))
        return self.reading(view, state, vector)

    def reading(self, view: ModelView, state: State, vector: np.ndarray) -> dict[str, Any]:
        """Distance to the reference, point on the map and nearest identities of an embedding, as plain JSON."""
        reference, gallery = self.vector(view, self.reference_of(state)), view.gallery
        near = gallery.nearest(vector) if gallery else []
        return {
            "model": view.name,
            "distance": view.distance(vector, reference),
            "point": view.project(vector),
            "reference_point": view.project(reference),
            "nearest": [[self.places[identity], value] for identity, value in near],
        }

    def snapshots(self, state: State) -> tuple[dict[str, Any], bytes]:
        """The stored faces and, if there are two, their distance; their pictures, one after the other."""
        view, pictures = self.shown_by(state)[0], {n: self.picture(place) for n, place in state.snapshots.items()}
        stored: dict[str, Any] = {
            name: {"place": self.places[who], "strengths": dict(at), "shape": list(pictures[name].shape[:2])}
            for name, (who, at) in state.snapshots.items()
        }
        if len(stored) == len(SNAPSHOTS):
            stored["distance"] = view.distance(*(self.vector(view, state.snapshots[name]) for name in SNAPSHOTS))
        return stored, b"".join(pixels.tobytes() for pixels in pictures.values())

    def span(self, state: State, name: str) -> list[Place]:
        """The faces one default step below and above `state` along an attribute, moved inwards at a range's end."""
        record = self.faces.attributes[name]
        middle = min(max(state.strengths[name], record.low + record.step), record.high - record.step)
        return [
            replace(state, strengths={**state.strengths, name: middle + sign * record.step}).face for sign in (-1, 1)
        ]
