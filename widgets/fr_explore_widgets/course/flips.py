"""`Flips`: how small a visible change of a face flips a model's decision?"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np

from fr_explore.base.distance import distance, same_person

from .checking import Feedback

__all__ = ["Flips"]

VISIBLE = 8 / 255  # a smaller change of a colour is not seen


class Flips:
    """Scores changes of one face by the share of the picture that they change; the smallest that flips counts.

    >>> flips = Flips(faces, model, 0)
    >>> flips.score(explorer.strengths)      # the sliders as they are now
    >>> flips.best                           # per cent of the picture, None so far
    """

    def __init__(self, faces: Any, model: Any, identity: Hashable, size: int = 160) -> None:
        if model.card.threshold is None:
            raise ValueError(f"{model.card.name} has no threshold, so nothing decides: choose another model.")
        self._faces, self._model, self._identity, self._size = faces, model, identity, size
        self._reference = faces.render(identity, {}, size=size)
        self._vector = model.embed([self._reference])[0]
        self.best: float | None = None

    def score(self, strengths: Mapping[str, float]) -> Feedback:
        """Whether the face with these strengths is another person to the model, and how much of the picture changed."""
        face = self._faces.render(self._identity, dict(strengths), size=self._size)
        card = self._model.card
        far = float(distance(self._vector, self._model.embed([face])[0], card.metric))
        changed = (np.abs(face.pixels - self._reference.pixels) > VISIBLE).any(axis=-1)
        share = 100 * float(changed.mean())
        facts = f"{share:.1f} % of the picture changed, distance {far:.2f} of {card.threshold:g}"
        if same_person(far, card.threshold):
            return Feedback("not yet", f"Still the same person: {facts}.")
        if self.best is not None and share >= self.best:
            return Feedback("right", f"Flipped: {facts}. Your best is {self.best:.1f} %.")
        self.best = share
        return Feedback("right", f"Flipped, your best so far: {facts}. Can you do it with less?")
