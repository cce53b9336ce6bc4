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

    The model compares the changed face with the neutral face of `reference`, of the same identity by default. A change
    flips the decision if the model decides otherwise about the unchanged face.

    >>> flips = Flips(faces, model, 3, reference=0)
    >>> flips.score(explorer.strengths)      # the sliders as they are now
    >>> flips.best                           # per cent of the picture, None so far
    """

    def __init__(
        self, faces: Any, model: Any, identity: Hashable, size: int = 160, *, reference: Hashable | None = None
    ) -> None:
        if model.card.threshold is None:
            raise ValueError(f"{model.card.name} has no threshold, so nothing decides: choose another model.")
        self._faces, self._model, self._identity, self._size = faces, model, identity, size
        self._start = faces.render(identity, {}, size=size)
        other = self._start if reference is None else faces.render(reference, {}, size=size)
        self._vector = model.embed([other])[0]
        self._same = self._judge(self._start)[1]
        self.best: float | None = None

    def _judge(self, face: Any) -> tuple[float, bool]:
        """The distance of a face from the reference, and whether the model takes them for one person."""
        card = self._model.card
        far = float(distance(self._vector, self._model.embed([face])[0], card.metric))
        return far, bool(same_person(far, card.threshold))

    def score(self, strengths: Mapping[str, float]) -> Feedback:
        """Whether the model decides otherwise about the face with these strengths, and how much of it changed."""
        face = self._faces.render(self._identity, dict(strengths), size=self._size)
        far, same = self._judge(face)
        changed = (np.abs(face.pixels - self._start.pixels) > VISIBLE).any(axis=-1)
        share = 100 * float(changed.mean())
        facts = f"{share:.1f} % of the picture changed, distance {far:.2f} of {self._model.card.threshold:g}"
        if same == self._same:
            return Feedback("not yet", f"Still {'the same person' if same else 'different people'}: {facts}.")
        if self.best is not None and share >= self.best:
            return Feedback("right", f"Flipped: {facts}. Your best is {self.best:.1f} %.")
        self.best = share
        return Feedback("right", f"Flipped, your best so far: {facts}. Can you do it with less?")
