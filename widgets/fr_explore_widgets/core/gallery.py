"""The backdrop of the map: a gallery of identities, the plane fitted on it, and how much each identity varies."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from fr_explore.attributes import PAPER_ATTRIBUTES
from fr_explore.base.distance import distance, unit
from fr_explore.geometry.projection import Projection, pca

__all__ = ["THUMB", "Gallery", "collect", "middle_strengths", "pick", "thumbnail"]

THUMB = 48
CHUNK = 2  # faces between two chances for a slider to get its turn


def pick(identities: Sequence[Hashable], most: int) -> list[Hashable]:
    """At most `most` identities, spread evenly over the sequence."""
    count = min(most, len(identities))
    return [identities[int(i)] for i in np.linspace(0, len(identities) - 1, count).round()]


def middle_strengths(attributes: Mapping[str, Any], rng: np.random.Generator) -> dict[str, float]:
    """Random strengths of the paper's attributes (of all, where a source has none), over the middle half of each range.

    The others stay neutral: half a mask or half a pair of glasses is no natural variation of a person.
    """
    names = [name for name in attributes if name in PAPER_ATTRIBUTES] or list(attributes)
    return {name: float(rng.uniform(*attributes[name].middle)) for name in names}


def thumbnail(pixels: np.ndarray, side: int = THUMB) -> np.ndarray:
    """uint8 (side, side, 3): the mean over the source pixels that fall into each small one."""
    from PIL import Image

    image = Image.fromarray((np.clip(pixels, 0, 1) * 255 + 0.5).astype(np.uint8))
    return np.asarray(image.resize((side, side), Image.Resampling.BOX))


@dataclass(frozen=True, slots=True, eq=False)
class Gallery:
    """Embeddings of `identities`, the first of each with neutral strengths, the others varied in the middle range.

    Parameters
    ----------
    vectors : (identities, 1 + variations, dim); thumbs : uint8 (identities, side, side, 3) of the neutral faces.
    metric : "euclidean" or "cosine"; with the latter the plane is fitted on the unit sphere.
    """

    identities: Sequence[Hashable]
    vectors: np.ndarray
    thumbs: np.ndarray
    metric: str
    plane: Projection

    @classmethod
    def fit(cls, identities: Sequence[Hashable], vectors: np.ndarray, thumbs: np.ndarray, metric: str) -> Gallery:
        """Fit the plane of the two principal axes on all vectors."""
        return cls(identities, vectors, thumbs, metric, pca(_on_sphere(vectors, metric)))

    def project(self, vectors: np.ndarray) -> np.ndarray:
        """(..., 2): where vectors (..., dim) fall in the plane."""
        return self.plane.transform(_on_sphere(vectors, self.metric))

    def project_step(self, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, float]:
        """How the step from `low` to `high` (dim,) looks in the plane (2,), and its share of the step's true length.

        A difference of two points has no mean to subtract: the axes alone.
        """
        step = _on_sphere(high, self.metric) - _on_sphere(low, self.metric)
        flat, length = self.plane.project_vectors(step), float(np.linalg.norm(step))
        return flat, float(np.linalg.norm(flat)) / length if length else 0.0

    def nearest(self, vector: np.ndarray, count: int = 3) -> list[tuple[int, float]]:
        """Rows of the identities whose neutral faces lie nearest to `vector`, with their true distances."""
        all_of_them = distance(self.vectors[:, 0], vector, self.metric)
        return [(int(row), float(all_of_them[row])) for row in np.argsort(all_of_them, kind="stable")[:count]]

    def natural_variation(self) -> dict[int, float]:
        """Per identity (by its place), the median distance between two of its varied faces."""
        varied = self.vectors[:, 1:]
        i, j = np.triu_indices(varied.shape[1], 1)
        if not len(i):
            return {}
        medians = np.median(distance(varied[:, i], varied[:, j], self.metric), axis=1)
        return {place: float(value) for place, value in enumerate(medians)}

    def natural_variation_of(self, identity: Hashable) -> float | None:
        """The natural variation of one identity; None for one that is not in the gallery."""
        return (
            self.natural_variation().get(list(self.identities).index(identity)) if identity in self.identities else None
        )

    def table(self) -> pd.DataFrame:
        """One row per face of the gallery: identity, whether it is the neutral one, its place on the map."""
        xy, count = self.project(self.vectors), self.vectors.shape[1]
        who = [identity for identity in self.identities for _ in range(count)]
        neutral = [column == 0 for _ in self.identities for column in range(count)]
        return pd.DataFrame({"identity": who, "neutral": neutral, "x": xy[..., 0].ravel(), "y": xy[..., 1].ravel()})

    def between_people(self) -> float | None:
        """The median distance between the neutral faces of two identities; None for a single one."""
        i, j = np.triu_indices(len(self.vectors), 1)
        if not len(i):
            return None
        return float(np.median(distance(self.vectors[i, 0], self.vectors[j, 0], self.metric)))

    def for_browser(self, places: Mapping[Hashable, int]) -> dict[str, Any]:
        """Plain JSON: points as [x, y, identity's place, 1 if neutral], shares of variance, typical distances."""
        xy = self.project(self.vectors)
        natural = self.natural_variation()
        own = [places[identity] for identity in self.identities]
        points = [
            [round(float(x), 5), round(float(y), 5), own[row], int(column == 0)]
            for row, line in enumerate(xy)
            for column, (x, y) in enumerate(line)
        ]
        return {
            "points": points,
            "caption": self.plane.caption,
            "natural": {str(own[row]): value for row, value in natural.items()},
            "between": self.between_people(),
            "order": own,
            "thumb": self.thumbs.shape[1],
        }


def collect(
    engine: Any, judge: Any, identities: Sequence[Hashable], variations: int, seed: int
) -> Iterator[tuple[int, int] | Gallery]:
    """Render and embed the gallery, a few faces at a time.

    Yields (done, all) after each chunk, so that the caller can let others have their turn, and the `Gallery` last.
    The varied strengths depend on `seed` alone.
    """
    rng = np.random.default_rng(seed)
    each = 1 + variations
    jobs = [
        (identity, middle_strengths(engine.faces.attributes, rng) if varied else {})
        for identity in identities
        for varied in range(each)
    ]
    vectors, thumbs = [], []
    for start in range(0, len(jobs), CHUNK):
        some = jobs[start : start + CHUNK]
        rendered = engine.render_some([job[0] for job in some], [job[1] for job in some])
        vectors.append(judge.embed(rendered))
        thumbs += [thumbnail(face.pixels) for at, face in enumerate(rendered, start) if at % each == 0]
        yield start + len(some), len(jobs)
    stacked = np.concatenate(vectors).reshape(len(identities), each, -1)
    yield Gallery.fit(identities, stacked, np.stack(thumbs), judge.card.metric)


def _on_sphere(vectors: np.ndarray, metric: str) -> np.ndarray:
    return unit(vectors) if metric == "cosine" else np.asarray(vectors, np.float64)
