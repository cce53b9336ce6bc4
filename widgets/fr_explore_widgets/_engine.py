"""From a state to what is shown of it: render, embed, compare. Knows the face source and the model, no widget."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fr_explore.attributes import check_strengths

from ._base import WidgetError
from ._gallery import distance
from ._session import State

__all__ = ["Engine", "Shown"]

_STAYS = "The figures stay at the last face that worked: move a slider to try again; the widget's .traceback says more."


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A face as the eye gets it (`pixels`, uint8) and as the model sees it (`vector`)."""

    pixels: np.ndarray
    vector: np.ndarray


class Engine:
    """Renders and embeds one face at a time; keeps the reference, which is asked for again and again."""

    def __init__(self, faces: Any, model: Any, size: int) -> None:
        self.faces, self.model, self.size = faces, model, size
        self.places: dict[Hashable, int] = {identity: place for place, identity in enumerate(faces.identities)}
        self._reference: tuple[tuple[Hashable, Mapping[str, float]], Shown] | None = None

    def describe(self) -> dict[str, Any]:
        """What never changes while a widget lives, as plain JSON for the browser."""
        card = self.model.card
        return {
            "attributes": [asdict(record) for record in self.faces.attributes.values()],
            "identities": [str(identity) for identity in self.places],
            "model": {key: getattr(card, key) for key in ("name", "title", "metric", "threshold", "dim")}
            | {"threshold_source": card.threshold_source},
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

    def check(self, state: State) -> State:
        """`state` with all strengths filled in; ValueError if any part of it is unknown to this source."""
        reference = state.reference and (
            self.check_identity(state.reference[0]),
            self.check_strengths(state.reference[1]),
        )
        return State(self.check_identity(state.identity), self.check_strengths(state.strengths), reference)

    def reference_of(self, state: State) -> tuple[Hashable, Mapping[str, float]]:
        """What `state` is compared with: what was pinned, or the identity's neutral face."""
        return state.reference or (state.identity, self.check_strengths(None))

    def render(self, identity: Hashable, strengths: Mapping[str, float]) -> Any:
        """The `Face`, in float pixels; WidgetError if the source fails."""
        try:
            return self.faces.render(identity, strengths, size=self.size)
        except Exception as problem:
            raise WidgetError(
                "This face could not be rendered.",
                _STAYS,
            ) from problem

    def embed(self, face: Any) -> np.ndarray:
        """The embedding (dim,) of float pixels; WidgetError if the model fails or gives no finite numbers."""
        try:
            vector = self.model.embed([face])[0]
            if not np.isfinite(vector).all():
                raise ValueError("the embedding holds NaN or infinity.")
        except Exception as problem:
            raise WidgetError(
                "The model could not embed this face.",
                _STAYS,
            ) from problem
        return vector

    def reference(self, state: State) -> Shown:
        """The reference of `state`, rendered and embedded once."""
        wanted = self.reference_of(state)
        if self._reference is None or self._reference[0] != wanted:
            face = self.render(*wanted)
            self._reference = wanted, Shown(to_bytes(face.pixels), self.embed(face))
        return self._reference[1]

    def distance(self, a: np.ndarray, b: np.ndarray) -> float:
        """The distance that the model's card names; exactly 0 for equal vectors."""
        return 0.0 if np.array_equal(a, b) else float(distance(a, b, self.model.card.metric))


def to_bytes(pixels: np.ndarray) -> np.ndarray:
    """uint8 (h, w, 3) of float pixels in [0, 1], for the eye only."""
    return (np.clip(pixels, 0, 1) * 255 + 0.5).astype(np.uint8)
