"""Faces behind VerificationExplorer: a gallery, and the genuine pairs again with one attribute set to some strength.

Each identity gives some images: the first neutral, the others varied at random over the middle half of the ranges. An
attribute then moves the first one, and its distances to the others are measured anew; the impostor pairs stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

import fr_explore as fr
from fr_explore.base.distance import distance

from ..core.gallery import middle_strengths, pick
from .pairs import Pairs

__all__ = ["Rows", "Shift", "shift_table"]

MOST = 40  # identities
CHUNK = 4  # faces at a time
GRID = 9


@dataclass(eq=False)
class Shift:
    """Genuine distances with an attribute at each of some strengths: rows of `distances`, NaN where not yet known."""

    strengths: list[float]
    distances: np.ndarray
    done: list[bool] = field(default_factory=list)


class Rows:
    """A face source and a model, and the images of each identity that were rendered and embedded."""

    def __init__(self, faces: Any, model: Any, groups: Any, images: int, size: int, seed: int) -> None:
        if images < 2:
            raise ValueError(f"images = {images}: give at least 2 of each identity, a genuine pair needs two.")
        names = list(faces.identities)
        self.identities = pick(names, MOST)
        if len(self.identities) < 2:
            raise ValueError("the source has one identity: impostor pairs need at least two.")
        self.groups = None if groups is None else _groups(groups, names, self.identities)
        self.faces, self.model, self.images, self.size, self.seed = faces, model, images, size, seed
        self.vectors: np.ndarray | None = None
        self.shifts: dict[str, Shift] = {}

    @property
    def total(self) -> int:
        return len(self.identities) * self.images

    def gallery(self) -> Iterator[int]:
        """Render and embed the images, (identities, images, dim); yields how many are done."""
        rng = np.random.default_rng(self.seed)
        strengths = [middle_strengths(self.faces.attributes, rng) if k % self.images else {} for k in range(self.total)]
        who = [name for name in self.identities for _ in range(self.images)]
        vectors = []
        for start, some in self._embedded(who, strengths):
            vectors.append(some)
            yield start
        self.vectors = np.concatenate(vectors).reshape(len(self.identities), self.images, -1)

    def pairs(self, draws: int) -> Pairs:
        """The pairs of the gallery, by `fr.verification`."""
        assert self.vectors is not None, "the gallery comes first"
        card = self.model.card
        who = np.repeat(np.arange(len(self.identities)), self.images)
        attrs = {"metric": card.metric, "model": card.name}
        data = xr.DataArray(self.vectors.reshape(len(who), -1), dims=("image", "dim"), attrs=attrs)
        if self.groups is not None:
            data = data.assign_coords(group=("image", np.repeat(np.array(self.groups, dtype=object), self.images)))
        found = fr.verification(
            data, identities=who, by=None if self.groups is None else "group", published=card.threshold, draws=draws
        )
        return Pairs.of(found, card.title)

    def grid(self, attribute: str) -> list[float]:
        """Strengths from one end of the range to the other, the neutral one among them."""
        record = self.faces.attributes[attribute]
        values = np.linspace(record.low, record.high, GRID)
        values[np.argmin(np.abs(values - record.neutral))] = record.neutral
        return [float(v) for v in values]

    def shift(self, attribute: str) -> Iterator[tuple[int, int]]:
        """Measure the genuine pairs along an attribute, neutral first; yields (done, all) faces."""
        assert self.vectors is not None, "the gallery comes first"
        strengths, neutral = self.grid(attribute), self.faces.attributes[attribute].neutral
        count = len(self.identities)
        found = Shift(strengths, np.full((GRID, count * (self.images - 1)), np.nan, np.float32), [False] * GRID)
        order = sorted(range(GRID), key=lambda k: abs(strengths[k] - neutral))
        self._keep(found, order[0], self.vectors[:, 0])
        self.shifts[attribute] = found
        for step, k in enumerate(order[1:]):
            vectors = []
            for start, some in self._embedded(self.identities, [{attribute: strengths[k]}] * count):
                vectors.append(some)
                yield step * count + start, (GRID - 1) * count
            self._keep(found, k, np.concatenate(vectors))
        yield (GRID - 1) * count, (GRID - 1) * count

    def describe(self) -> list[dict[str, Any]]:
        """The attributes as the browser's sliders take them."""
        records = self.faces.attributes.values()
        return [asdict(record) | {"grid": self.grid(record.name)} for record in records]

    def for_browser(self) -> tuple[dict[str, Any], bytes]:
        """What was measured along each attribute: which strengths are done, and the distances one after the other."""
        told = {
            name: {"place": place, "done": shift.done.copy(), "pairs": shift.distances.shape[1],
                   "people": len(self.identities)}
            for place, (name, shift) in enumerate(self.shifts.items())
        }  # fmt: skip
        return told, b"".join(shift.distances.tobytes() for shift in self.shifts.values())

    def _keep(self, found: Shift, k: int, moved: np.ndarray) -> None:
        assert self.vectors is not None
        gaps = distance(moved[:, None], self.vectors[:, 1:], self.model.card.metric)
        found.distances[k] = np.sort(gaps.ravel()).astype(np.float32)
        found.done[k] = True

    def _embedded(self, who: Sequence, strengths: Sequence[Mapping[str, float]]) -> Iterator[tuple[int, np.ndarray]]:
        for start in range(0, len(who), CHUNK):
            some = slice(start, start + CHUNK)
            rendered = self.faces.render_batch(list(who[some]), list(strengths[some]), size=self.size)
            vectors = self.model.embed(rendered)
            if not np.isfinite(vectors).all():
                raise ValueError("the model gave NaN or infinity for a face of the gallery.")
            yield start + len(rendered), vectors


def shift_table(shifts: Mapping[str, Shift], threshold: float) -> pd.DataFrame:
    """One row per strength that was measured: attribute, strength, genuine, rejected, frr at the threshold."""
    rows = []
    for name, shift in shifts.items():
        for strength, distances, done in zip(shift.strengths, shift.distances, shift.done, strict=True):
            if done:
                rejected = int((distances.astype(float) > threshold).sum())
                row = {"attribute": name, "strength": strength, "genuine": len(distances), "rejected": rejected}
                rows.append(row | {"frr": rejected / len(distances)})
    return pd.DataFrame(rows, columns=["attribute", "strength", "genuine", "rejected", "frr"])


def _groups(groups: Any, names: list, chosen: Sequence) -> list[str]:
    """The group of each chosen identity, from a mapping or from one value for each identity of the source."""
    if not isinstance(groups, Mapping):
        values = list(groups)
        if len(values) != len(names):
            raise ValueError(f"{len(values)} groups for {len(names)} identities: give one for each.")
        groups = dict(zip(names, values, strict=True))
    missing = [name for name in chosen if name not in groups]
    if missing:
        raise ValueError(f"identity {missing[0]!r} has no group: give one for each of the {len(names)} identities.")
    return [str(groups[name]) for name in chosen]
