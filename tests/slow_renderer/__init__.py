"""A slow renderer of avatars in numpy, the oracle of the engine: written from the formulas, in double precision, with
every triangle at every sample. It shares no code with the engine but the head's asset and the people drawn from it.

`picture` is what `host.render` gives for the same head, identity, strengths and size.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fr_explore.attributes import AVATAR_ATTRIBUTES, IMAGE_ATTRIBUTES, check_strengths
from fr_explore.faces.avatars.head import Head
from fr_explore.faces.avatars.identity import Identity

from .color import Colors
from .image_attributes import apply_image_attributes
from .samples import blended
from .shape import Shape

__all__ = ["picture"]


def picture(head: Head, identity: Identity, strengths: Mapping[str, float], size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return pixels (size, size, 3) and landmarks (5, 2)."""
    values = check_strengths(strengths, AVATAR_ATTRIBUTES)
    shape = Shape(head, identity, values, size)
    colors = Colors(head, identity, values, shape)
    light = blended(shape, colors, size)
    for axis in (0, 1):  # a tent two pixels wide
        light = np.moveaxis(light, axis, 0)
        rim = np.concatenate([light[:1], light, light[-1:]])
        light = np.moveaxis(0.25 * (rim[:-2] + rim[2:]) + 0.5 * light, 0, axis)
    image = {name: values[name] for name in IMAGE_ATTRIBUTES}
    return apply_image_attributes(_display(light).astype(np.float32), image, identity.seed), shape.landmarks()


def _display(light: np.ndarray) -> np.ndarray:
    """Linear light as sRGB values; bright light approaches white smoothly."""
    x = np.where(light > 0.7, 1 - 0.3 * np.exp((0.7 - np.maximum(light, 0.7)) / 0.3), light)
    return np.where(x <= 0.0031308, 12.92 * x, 1.055 * np.maximum(x, 1e-9) ** (1 / 2.4) - 0.055)
