"""Samples of faces, rendered in the background: the gallery behind the map, and the lattice of the quick estimate."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from fr_explore.base.distance import distance, normalized
from fr_explore.geometry.alignment import alignment
from fr_explore.geometry.field import vector_field
from fr_explore.geometry.neighbors import all_pairs
from fr_explore.geometry.projection import Projection, pca
from fr_explore.lattice import Lattice, sample_lattice

from ..core.faces import main_attributes, middle_strengths, pick, thumbnail

__all__ = ["FIRST", "Gallery", "collect", "energies_from", "estimate", "estimate_lattice"]

CHUNK = 2  # faces rendered between two chances for the slider
# the estimate's lattice; it is shown after FIRST curves of each identity, and again with all
IDENTITIES, CURVES, FIRST = 3, 8, 4
NULL_DRAWS = 50


@dataclass(frozen=True, slots=True, eq=False)
class Gallery:
    """Embeddings of `identities`: the first face of each is neutral, the others vary within the middle of the ranges.

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
        return cls(identities, vectors, thumbs, metric, pca(normalized(vectors, metric)))

    def project(self, vectors: np.ndarray) -> np.ndarray:
        """(..., 2): the points of vectors (..., dim) in the plane."""
        return self.plane.transform(normalized(vectors, self.metric))

    def project_step(self, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, float]:
        """The step from `low` to `high` (dim,) in the plane (2,), and its share of the step's true length.

        A difference of two points has no mean to subtract: only the axes are applied.
        """
        step = normalized(high, self.metric) - normalized(low, self.metric)
        flat, length = self.plane.project_vectors(step), float(np.linalg.norm(step))
        return flat, float(np.linalg.norm(flat)) / length if length else 0.0

    def nearest(self, vector: np.ndarray, count: int = 3) -> list[tuple[Hashable, float]]:
        """The identities whose neutral faces are nearest to `vector`, with their true distances."""
        distances = distance(self.vectors[:, 0], vector, self.metric)
        return [(self.identities[row], float(distances[row])) for row in np.argsort(distances, kind="stable")[:count]]

    def natural_variation(self) -> dict[Hashable, float]:
        """Per identity, the median distance between two of its varied faces."""
        varied = self.vectors[:, 1:]
        i, j = np.triu_indices(varied.shape[1], 1)
        if not len(i):
            return {}
        medians = np.median(distance(varied[:, i], varied[:, j], self.metric), axis=1)
        return dict(zip(self.identities, medians.tolist(), strict=True))

    def between_people(self, people: Sequence[int | None] | None = None) -> float | None:
        """The median distance between the neutral faces of two people; None if there are no two.

        `people` says who each identity is, see `Engine.people`; without it, each is another person.
        """
        who = np.array([np.nan if one is None else one for one in people or range(len(self.vectors))], float)
        i, j = np.triu_indices(len(self.vectors), 1)
        other = np.abs(who[i] - who[j]) > 0  # not NaN: who is not known may be the same person
        i, j = i[other], j[other]
        if not len(i):
            return None
        return float(np.median(distance(self.vectors[i, 0], self.vectors[j, 0], self.metric)))

    def table(self) -> pd.DataFrame:
        """One row per face of the gallery: identity, neutral, and its point x, y on the map."""
        points, count = self.project(self.vectors).reshape(-1, 2), self.vectors.shape[1]
        who = [identity for identity in self.identities for _ in range(count)]
        neutral = [column == 0 for _ in self.identities for column in range(count)]
        return pd.DataFrame({"identity": who, "neutral": neutral, "x": points[:, 0], "y": points[:, 1]})

    def for_browser(self, places: Mapping[Hashable, int], people: Sequence[int | None] | None = None) -> dict[str, Any]:
        """Plain JSON: points as [x, y, identity's place, 1 if neutral], shares of variance, typical distances."""
        points = [
            [round(float(x), 5), round(float(y), 5), places[identity], int(column == 0)]
            for identity, row in zip(self.identities, self.project(self.vectors), strict=True)
            for column, (x, y) in enumerate(row)
        ]
        return {
            "points": points,
            "caption": self.plane.caption,
            "natural": {str(places[identity]): value for identity, value in self.natural_variation().items()},
            "between": self.between_people([people[places[who]] for who in self.identities] if people else None),
            "order": [places[identity] for identity in self.identities],
            "thumb": self.thumbs.shape[1],
        }


def collect(
    engine: Any, view: Any, identities: Sequence[Hashable], variations: int, seed: int
) -> Iterator[tuple[int, int] | Gallery]:
    """Render and embed the gallery, a few faces at a time.

    Yields (done, all) after each chunk, and the `Gallery` last. The varied strengths depend on `seed` alone.
    """
    rng = np.random.default_rng(seed)
    jobs = [
        (identity, middle_strengths(engine.faces.attributes, rng) if varied else {})
        for identity in identities
        for varied in range(1 + variations)
    ]
    vectors, thumbs = [], []
    for start in range(0, len(jobs), CHUNK):
        chunk = jobs[start : start + CHUNK]
        rendered = engine.render_batch([identity for identity, _ in chunk], [strengths for _, strengths in chunk])
        vectors.append(view.embed(rendered))
        thumbs += [thumbnail(face.pixels) for at, face in enumerate(rendered, start) if at % (1 + variations) == 0]
        yield start + len(chunk), len(jobs)
    stacked = np.concatenate(vectors).reshape(len(identities), 1 + variations, -1)
    yield Gallery.fit(identities, stacked, np.stack(thumbs), view.card.metric)


def energies_from(table: Any, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """What the browser shows of a table from `fr.alignment`; ValueError says what is missing.

    Energies and magnitudes are means over identities; `spread` is the standard deviation of the energy over them.
    """
    if not isinstance(table, pd.DataFrame) or {"attribute", "energy", "magnitude"} - set(table.columns):
        found = ", ".join(map(str, table.columns)) if isinstance(table, pd.DataFrame) else type(table).__name__
        raise ValueError(f"energies: {found}: give the table of fr.alignment, with attribute, energy and magnitude.")
    known = pd.DataFrame(table[table["attribute"].isin(list(attributes))])
    if known.empty:
        raise ValueError(
            f"energies: none of the attributes {', '.join(map(str, table['attribute'].unique()))} belongs to this "
            f"source: {', '.join(attributes)}."
        )
    rows = [
        {
            "name": name,
            "energy": _plain(part["energy"].mean()),
            "spread": _plain(part["energy"].std()),
            "magnitude": _plain(part["magnitude"].mean()),
            "null": _plain(part["null_mean"].mean() if "null_mean" in part else np.nan),
        }
        for name, part in known.groupby("attribute", sort=False)
    ]
    return {
        "source": "table",
        "rows": rows,
        "curves": int(np.nanmedian(known["points"])) if "points" in known else None,
        "identities": len(set(known["identity"])) if "identity" in known else None,
        "neighborhood": str(table.attrs.get("neighborhood", "")),
    }


def _plain(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def estimate_lattice(engine: Any, seed: int) -> tuple[Lattice, list[int]]:
    """The lattice of the estimate, and the positions of the identities in it that are rendered."""
    faces = engine.faces
    lattice = sample_lattice(faces, main_attributes(faces.attributes), curves=CURVES, seed=seed)
    return lattice, [lattice.identities.index(identity) for identity in pick(list(engine.places), IDENTITIES)]


def estimate(engine: Any, view: Any, seed: int) -> Iterator[dict[str, Any]]:
    """Render and embed a small lattice of the paper's attributes, one face at a time, and compute its energies.

    Yields {"done", "all"} after each face, and the estimate when enough curves are complete.
    """
    lattice, chosen = estimate_lattice(engine, seed)
    faces, names = engine.faces, lattice.attributes
    low, middle, high = (lattice.steps.index(s) for s in (-1, 0, 1))
    cells = [(a, s) for a in range(len(names)) for s in (low, high)]
    vectors = np.empty((len(chosen), len(names), CURVES, len(lattice.steps), view.card.dim), np.float32)
    embeddings = xr.DataArray(
        vectors,
        {
            "identity": [lattice.identities[i] for i in chosen],
            "attribute": list(lattice.attributes),
            "step": list(lattice.steps),
        },
        ("identity", "attribute", "curve", "step", "dim"),
        attrs={"metric": view.card.metric},
    )
    done, total = 0, len(chosen) * CURVES * (1 + len(cells))
    for curve in range(CURVES):
        for row, identity in enumerate(chosen):
            for a, s in [(slice(None), middle), *cells]:
                at = lattice.strengths(identity, 0 if s == middle else a, curve, s)
                vectors[row, a, curve, s] = view.embed([engine.render((lattice.identities[identity], at))])[0]
                done += 1
                yield {"done": done, "all": total}
        if curve + 1 in (FIRST, CURVES):
            found = _energies(embeddings.isel(curve=slice(curve + 1)), seed)
            yield {**energies_from(found, faces.attributes), "source": "estimate", "done": done, "all": total}


def _energies(embeddings: xr.DataArray, seed: int) -> pd.DataFrame:
    with warnings.catch_warnings():
        # an attribute that moves no face has no energy: the bars show a dash
        warnings.filterwarnings("ignore", "no point has a neighbour", UserWarning)
        return alignment(vector_field(embeddings), all_pairs(), null_draws=NULL_DRAWS, seed=seed, progress=False)
