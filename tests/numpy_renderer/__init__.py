"""The renderer of version 0.1, in numpy, frozen with its asset: an oracle for the engine, and tools for the bake.

`picture` is what `Avatars(seed=seed).render(number, strengths, size)` returned.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from fr_explore.attributes import AVATAR_ATTRIBUTES, IMAGE_ATTRIBUTES, check_strengths

from .appearance import skin_fields
from .head import load_head
from .identity import draw_identity
from .image_attributes import apply_image_attributes
from .portrait import Portrait

__all__ = ["picture", "portrait"]


@lru_cache(maxsize=1)
def _fields() -> dict[str, np.ndarray]:
    return skin_fields(load_head())


@lru_cache(maxsize=32)
def portrait(seed: int, number: int) -> Portrait:
    """An identity, ready to be drawn."""
    return Portrait(load_head(), draw_identity(load_head(), seed, number), _fields())


def picture(seed: int, number: int, strengths: Mapping[str, float], size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return pixels (size, size, 3) and landmarks (5, 2)."""
    values = check_strengths(strengths, AVATAR_ATTRIBUTES)
    pixels, landmarks = portrait(seed, number).picture(values, size)
    image = {name: values[name] for name in IMAGE_ATTRIBUTES}
    return apply_image_attributes(pixels.astype(np.float32), image, portrait(seed, number).identity.seed), landmarks
