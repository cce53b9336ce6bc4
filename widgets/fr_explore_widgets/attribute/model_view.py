"""A model with all that a widget knows through it: embeddings of the faces it compares with, the map, typical sizes."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fr_explore.base.distance import distance
from fr_explore.models.card import ModelCard

from ..core.base import WidgetError
from ..core.gallery import Gallery

__all__ = ["STAYS", "Judge", "as_models"]

STAYS = "The figures stay at the last face that worked: move a slider to try again; the widget's .traceback says more."
_KEPT = 8  # embeddings of references, snapshots and neutral faces that are asked for again and again
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


class Judge:
    """One model. Its `gallery` and `energies` come later, from the desk."""

    def __init__(self, name: str, model: Any) -> None:
        self.name, self.model = name, model
        self.card: ModelCard = model.card
        self.gallery: Gallery | None = None
        self.energies: dict[str, Any] | None = None
        self._kept: dict[Any, np.ndarray] = {}
        # the browser's requests, the desk and a cell may all ask: not every network takes two callers
        self._lock = threading.Lock()

    def describe(self) -> dict[str, Any]:
        """The card's facts for the browser."""
        facts = {key: getattr(self.card, key) for key in _FACTS}
        return {"name": self.name, **facts, "weaknesses": list(self.card.weaknesses)}

    def embed(self, faces: Sequence[Any]) -> np.ndarray:
        """Embeddings (n, dim) of float pixels; WidgetError if the model fails or gives no finite numbers."""
        try:
            with self._lock:
                vectors = self.model.embed(faces)
            if not np.isfinite(vectors).all():
                raise ValueError("the embedding holds NaN or infinity.")
        except Exception as problem:
            raise WidgetError("The model could not embed this face.", STAYS) from problem
        return vectors

    def keep(self, key: Any, face: Any) -> np.ndarray:
        """The embedding of `face()`, computed once for `key`."""
        if (vector := self._kept.get(key)) is None:
            vector = self.embed([face()])[0]
            while len(self._kept) >= _KEPT:
                self._kept.pop(next(iter(self._kept)), None)
            self._kept[key] = vector
        return vector

    def distance(self, a: np.ndarray, b: np.ndarray) -> float:
        """The distance that the model's card names."""
        return float(distance(a, b, self.card.metric))

    def project(self, vector: np.ndarray) -> list[float] | None:
        """Where an embedding falls on the map, or None before there is one."""
        return None if self.gallery is None else [float(v) for v in self.gallery.project(vector)]
