"""A close look at a model: the crops that it sees, and whether it recognises a person along an attribute."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from ..attributes import Attribute, check_attributes
from ..base.distance import distance
from ..base.shapes import Num
from ..faces.base import Face, FaceSource
from ..models.base import Model

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["path_distances", "show_crops", "sweep", "sweep_distances"]


def sweep(
    faces: FaceSource,
    model: Model,
    identity: Hashable,
    attribute: str | Iterable[str],
    steps: int | Sequence[float] = 9,
    *,
    at: Mapping[str, float] | None = None,
    size: int = 160,
) -> pd.DataFrame:
    """Identity retention: distance of a face's embedding from the unedited face's, along one attribute's range.

    Parameters
    ----------
    faces : avatars, photographs, or a source of your own.
    attribute : one or several, each varied alone.
    steps : number of strengths, evenly spaced over the whole range; or the strengths themselves, in the attribute's
        unit.
    at : strengths of the unedited face; all others are neutral.
    size : side of the rendered pictures, in pixels.

    Returns
    -------
    One row per strength: identity, attribute, unit, strength, distance to the unedited face in the model's metric,
    threshold, and same_person, which is `card.same_person(distance)`: missing if the card has no threshold.
    attrs["metric"], attrs["model"], attrs["threshold_source"]. Nothing is stored on disk.

    Raises
    ------
    ValueError : an unknown identity or attribute, a strength outside its range, or no strength at all.

    >>> sweep(fr.Photographs("anna.jpg"), model, "anna", ["mask", "rotation"])
    """
    names = check_attributes(attribute, faces.attributes)
    start = dict(at or {})
    rows, recipes = [], [start]
    for name in names:
        record = faces.attributes[name]
        for value in _strengths(record, steps):
            rows.append({"identity": identity, "attribute": name, "unit": record.unit, "strength": value})
            recipes.append({**start, name: value})
    if len(recipes) < 2:
        raise ValueError(f"steps = {steps!r}, attributes = {names}: give at least one strength of one attribute.")
    vectors = model.embed(faces.render_batch([identity] * len(recipes), recipes, size=size))
    card = model.card
    distances = distance(vectors[0], vectors[1:], card.metric)
    threshold = np.nan if card.threshold is None else float(card.threshold)
    table = pd.DataFrame(rows).assign(distance=distances, threshold=threshold, same_person=card.same_person(distances))
    table.attrs = {"metric": card.metric, "model": card.name, "threshold_source": card.threshold_source}
    return table


def sweep_distances(
    faces: FaceSource,
    model: Model,
    identity: Hashable,
    attribute: str,
    steps: int | Sequence[float] = 15,
    *,
    at: Mapping[str, float] | None = None,
    size: int = 160,
) -> xr.DataArray:
    """The path of one face's embedding along an attribute: the distances between all its steps.

    Parameters
    ----------
    As in `sweep`; one attribute and at least three strengths.

    Returns
    -------
    DataArray (strength, strength_2), distances in the model's metric. attrs: `bend`, the length of the path over the
    distance between its ends (1: straight; large: it bends, or comes back), and `reach`, the distance of the ends over
    the largest distance between any two steps (1: it goes away; 0: it comes back to where it started), both in chords
    if the metric is the cosine; attribute, unit, identity, metric, model.
    """
    (name,) = check_attributes([attribute], faces.attributes)
    record = faces.attributes[name]
    values = _strengths(record, steps)
    if len(values) < 3:
        raise ValueError(f"steps = {steps!r}: a path needs at least three strengths of {name!r}.")
    recipes = [{**dict(at or {}), name: value} for value in values]
    vectors = model.embed(faces.render_batch([identity] * len(recipes), recipes, size=size))
    metric = model.card.metric
    matrix, bend, reach = path_distances(vectors, metric)
    attrs = {"bend": bend, "reach": reach, "attribute": name, "unit": record.unit, "identity": identity,
             "metric": metric, "model": model.card.name}  # fmt: skip
    return xr.DataArray(matrix, {"strength": values, "strength_2": values}, name="distance", attrs=attrs)


def path_distances(vectors: Num[np.ndarray, "steps dim"], metric: str) -> tuple[np.ndarray, float, float]:
    """The distances (steps, steps) of a path of embeddings, and its `bend` and `reach`: see `sweep_distances`."""
    matrix = distance(vectors[:, None], vectors[None], metric)
    lengths = np.sqrt(2 * matrix) if metric == "cosine" else matrix
    ends, largest, walked = float(lengths[0, -1]), float(lengths.max()), float(np.diagonal(lengths, 1).sum())
    return matrix, walked / ends if ends else np.inf, ends / largest if largest else np.nan


def _strengths(record: Attribute, steps: int | Sequence[float]) -> list[float]:
    values = np.linspace(record.low, record.high, steps) if isinstance(steps, int) else np.asarray(steps, float)
    return values.tolist()


def show_crops(faces: Face | Sequence[Face], model: Model, side: int = 160) -> Face:
    """One picture: the faces with their landmarks in the upper row, the crops that the model sees of them below.

    A wrong crop is the most common reason for wrong embeddings. `side` is the side of each picture in pixels.
    """
    faces = [faces] if isinstance(faces, Face) else list(faces)
    if not faces:
        raise ValueError("no faces: give at least one.")
    crops = [Face(crop) for crop in model.crops(faces)]
    rows = ([_marked(face) for face in faces], [crop.to_image() for crop in crops])
    shown = [np.concatenate([np.asarray(image.resize((side, side))) for image in row], axis=1) for row in rows]
    return Face(np.concatenate(shown).astype(np.float32) / 255)


def _marked(face: Face) -> Image:
    from PIL import ImageDraw

    image = face.to_image()
    draw, radius = ImageDraw.Draw(image), max(1, image.width / 80)
    for x, y in face.landmarks if face.landmarks is not None else ():
        draw.ellipse([x - 0.5 - radius, y - 0.5 - radius, x - 0.5 + radius, y - 0.5 + radius], "white", "black")
    return image
