"""Looking closely: what a model sees of a face, and whether it still sees the same person along an attribute."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from ..attributes import check_attributes
from ..base.distance import distance
from ..faces.base import Face, FaceSource
from ..models.base import Model

__all__ = ["show_crops", "sweep"]


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
    """Identity retention: how far a face moves from its unedited self as an attribute runs through its range.

    Parameters
    ----------
    faces : avatars, photographs, or a source of your own.
    attribute : one or several, each swept alone.
    steps : how many strengths, evenly over the whole range; or the strengths themselves, in the attribute's unit.
    at : strengths of the unedited face; neutral where nothing is given.
    size : side of the rendered pictures, in pixels.

    Returns
    -------
    One row for each strength: identity, attribute, unit, strength, distance to the unedited face in the model's
    metric, threshold and same_person (distance at most the threshold; missing where the model's card has no threshold).
    attrs["metric"], attrs["model"], attrs["threshold_source"]. Nothing is stored on disk.

    >>> sweep(fr.Photographs("anna.jpg"), model, "anna", ["mask", "rotation"])
    """
    names = check_attributes(attribute, faces.attributes)
    start = dict(at or {})
    rows, recipes = [], [start]
    for name in names:
        record = faces.attributes[name]
        values = np.linspace(record.low, record.high, steps) if isinstance(steps, int) else np.asarray(steps, float)
        for value in values.tolist():
            rows.append({"identity": identity, "attribute": name, "unit": record.unit, "strength": value})
            recipes.append({**start, name: value})
    if len(recipes) < 2:
        raise ValueError(f"steps = {steps!r}, attributes = {names}: at least one strength of one attribute is needed.")
    vectors = model.embed(faces.render_batch([identity] * len(recipes), recipes, size=size))
    card = model.card
    distances = distance(vectors[0], vectors[1:], card.metric)
    table = pd.DataFrame(rows).assign(distance=distances, threshold=card.threshold)
    table["same_person"] = card.same_person(distances)
    table["threshold"] = table["threshold"].astype(float)
    table.attrs = {"metric": card.metric, "model": card.name, "threshold_source": card.threshold_source}
    return table


def show_crops(faces: Face | Sequence[Face], model: Model, side: int = 160) -> Face:
    """One picture: the faces above, with their landmarks marked, and below each the crop that the model is shown.

    A wrong crop is the commonest reason for wrong embeddings. `side` is the side of each picture in pixels.
    """
    faces = [faces] if isinstance(faces, Face) else list(faces)
    if not faces:
        raise ValueError("no faces: give one or several.")
    above = [np.asarray(_marked(face).resize((side, side)), np.float32) / 255 for face in faces]
    crops = [Face(np.ascontiguousarray(crop)) for crop in model.align(faces).permute(0, 2, 3, 1).cpu().numpy()]
    below = [np.asarray(crop.to_image().resize((side, side)), np.float32) / 255 for crop in crops]
    return Face(np.concatenate([np.concatenate(above, 1), np.concatenate(below, 1)]))


def _marked(face: Face):
    from PIL import ImageDraw

    image = face.to_image()
    draw, radius = ImageDraw.Draw(image), max(1, image.width / 80)
    for x, y in face.landmarks if face.landmarks is not None else ():
        draw.ellipse([x - 0.5 - radius, y - 0.5 - radius, x - 0.5 + radius, y - 0.5 + radius], "white", "black")
    return image
