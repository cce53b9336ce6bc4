"""The rendered gallery of VerificationExplorer, and its genuine pairs with an attribute set to some strength.

Each identity has some images: the first neutral, the others varied at random in the middle half of the ranges. An
attribute changes the first image, and its distances to the others are computed again; the impostor pairs stay the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

import fr_explore as fr
from fr_explore.base.distance import distance, same_person
from fr_explore.engine.network import Precision

from ..core import live
from ..core.faces import middle_strengths, pick, thumbnail
from .pairs import Pairs

__all__ = ["FaceGallery", "Shift", "shift_table"]

MOST_IDENTITIES = 40
BATCH = 4  # faces per step
GRID = 9  # strengths of an attribute
MOST = 3  # pairs of a kind whose faces are shown


@dataclass(eq=False)
class Shift:
    """Genuine distances (strengths, pairs), ascending, with an attribute at each strength; NaN if not computed yet."""

    strengths: list[float]
    distances: np.ndarray

    @property
    def done(self) -> list[bool]:
        """Which strengths are computed."""
        return [bool(np.isfinite(row).all()) for row in self.distances]


class FaceGallery:
    """The images of each identity of a face source, rendered and embedded by a model."""

    def __init__(self, faces: Any, model: Any, groups: Any, images: int, size: int, seed: int) -> None:
        if images < 2:
            raise ValueError(f"images = {images}: give at least 2 for each identity, a genuine pair needs two.")
        names = list(faces.identities)
        self.identities = pick(names, MOST_IDENTITIES)
        if len(self.identities) < 2:
            raise ValueError("the source has one identity: impostor pairs need at least two.")
        self.groups = None if groups is None else _groups(groups, names, self.identities)
        self.faces, self.model, self.images, self.size, self.seed = faces, model, images, size, seed
        self.vectors = np.zeros((0, images, 0))
        self._recipes: list[dict[str, float]] = []  # the strengths of each image
        self.shifts: dict[str, Shift] = {}

    @property
    def total(self) -> int:
        """Number of images."""
        return len(self.identities) * self.images

    def render(self) -> Iterator[int]:
        """Render and embed the images into `vectors` (identities, images, dim); yields how many are done."""
        rng = np.random.default_rng(self.seed)
        self._recipes = [
            middle_strengths(self.faces.attributes, rng) if k % self.images else {} for k in range(self.total)
        ]
        who = [name for name in self.identities for _ in range(self.images)]
        vectors = []
        for done, some in self._embedded(who, self._recipes):
            vectors.append(some)
            yield done
        self.vectors = np.concatenate(vectors).reshape(len(self.identities), self.images, -1)

    def pairs(self, draws: int) -> Pairs:
        """The pairs of the gallery, by `fr.verification`."""
        card = self.model.card
        who = np.repeat(np.arange(len(self.identities)), self.images)
        attrs = {"metric": card.metric, "model": card.name}
        data = xr.DataArray(self.vectors.reshape(len(who), -1), dims=("image", "dim"), attrs=attrs)
        by = None if self.groups is None else "group"
        if self.groups is not None:
            data = data.assign_coords(group=("image", np.repeat(np.array(self.groups, dtype=object), self.images)))
        found = fr.verification(data, identities=who, by=by, published=card.threshold, draws=draws)
        return Pairs.of(found, card.title)

    def faces_at(self, pairs: Pairs, distance: float, reach: float = 0.0) -> tuple[list[dict[str, Any]], bytes]:
        """The genuine and the impostor pair nearest to a distance, as plain JSON, and the pixels of their faces.

        Of each kind also the next nearest pairs within `reach`, `MOST` in all.
        """
        found, pixels = [], b""
        for same in (True, False):
            part = pairs.table[pairs.table["same"] == same]
            away = np.abs(np.asarray(part["distance"]) - distance)
            nearest = np.argsort(away, kind="stable")[:MOST]
            for row in part.iloc[[k for place, k in enumerate(nearest) if place == 0 or away[k] <= reach]].itertuples():
                images = [int(row.first), int(row.second)]
                people = [self.identities[k // self.images] for k in images]
                faces = self.faces.render_batch(people, [self._recipes[k] for k in images], size=self.size)
                pixels += b"".join(thumbnail(face.pixels, self.size).tobytes() for face in faces)
                names = [str(person) for person in people]
                found.append({"distance": float(row.distance), "images": images, "people": names, "same": same})
        return found, pixels

    def grid(self, attribute: str) -> list[float]:
        """Strengths from one end of the range to the other, including the neutral one."""
        record = self.faces.attributes[attribute]
        values = np.linspace(record.low, record.high, GRID)
        values[np.argmin(np.abs(values - record.neutral))] = record.neutral
        return [float(v) for v in values]

    def shift(self, attribute: str) -> Iterator[tuple[int, int]]:
        """Compute the genuine distances along an attribute, neutral first; yields (done, all) faces."""
        strengths, neutral = self.grid(attribute), self.faces.attributes[attribute].neutral
        count = len(self.identities)
        found = Shift(strengths, np.full((GRID, count * (self.images - 1)), np.nan))
        order = sorted(range(GRID), key=lambda k: abs(strengths[k] - neutral))
        found.distances[order[0]] = self._genuine(self.vectors[:, 0])
        self.shifts[attribute] = found
        for step, k in enumerate(order[1:]):
            vectors = []
            for done, some in self._embedded(self.identities, [{attribute: strengths[k]}] * count):
                vectors.append(some)
                yield step * count + done, (GRID - 1) * count
            found.distances[k] = self._genuine(np.concatenate(vectors))
        yield (GRID - 1) * count, (GRID - 1) * count

    def describe(self) -> list[dict[str, Any]]:
        """The attributes for the page's slider."""
        records = self.faces.attributes.values()
        return [asdict(record) | {"grid": self.grid(record.name)} for record in records]

    def for_browser(self) -> tuple[dict[str, Any], bytes]:
        """For each attribute, which strengths are done; and all distances (attributes, strengths, pairs) as float64."""
        records = {}
        for place, (name, shift) in enumerate(self.shifts.items()):
            facts = {"place": place, "done": shift.done, "pairs": shift.distances.shape[1]}
            records[name] = facts | {"people": len(self.identities)}
        return records, b"".join(shift.distances.tobytes() for shift in self.shifts.values())

    def for_page(self, precision: Precision) -> tuple[live.Live | None, str]:
        """What a page needs to compute shifts itself, None if it cannot; and a sentence about it for the reader."""
        if why := live.refusal(self.faces, [self.model]):
            return None, f"Attributes that were not computed before cannot be changed in this page: {why}"
        name = self.model.card.name
        found = live.live(self.faces, self.identities, {name: self.model}, precision)
        vectors = np.ascontiguousarray(self.vectors, "<f4")
        found.data["gallery"] = {"size": self.size, "images": self.images, "dim": vectors.shape[2]}
        found.data["gallery"] |= {"vectors": vectors.tobytes(), "recipes": self._recipes}
        found.data["gallery"]["names"] = [str(name) for name in self.identities]
        return found, live.note(name, precision)

    def _genuine(self, moved: np.ndarray) -> np.ndarray:
        """Ascending distances of changed first images (identities, dim) to the other images of their identities."""
        return np.sort(distance(moved[:, None], self.vectors[:, 1:], self.model.card.metric).ravel())

    def _embedded(self, who: Sequence, strengths: Sequence[Mapping[str, float]]) -> Iterator[tuple[int, np.ndarray]]:
        for start in range(0, len(who), BATCH):
            some = slice(start, start + BATCH)
            rendered = self.faces.render_batch(list(who[some]), list(strengths[some]), size=self.size)
            vectors = self.model.embed(rendered)
            if not np.isfinite(vectors).all():
                raise ValueError("the model returned NaN or infinity for a face of the gallery.")
            yield start + len(rendered), vectors


def shift_table(shifts: Mapping[str, Shift], threshold: float) -> pd.DataFrame:
    """One row per computed strength: attribute, strength, genuine, rejected, frr at the threshold."""
    rows = []
    for name, shift in shifts.items():
        for strength, distances, done in zip(shift.strengths, shift.distances, shift.done, strict=True):
            if done:
                rejected = int((~same_person(distances, threshold)).sum())
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
