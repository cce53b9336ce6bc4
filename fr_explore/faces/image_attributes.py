"""Image attributes of any picture: blur, hue, saturation, contrast, brightness and noise.

The engine applies them, in this order, and clips once, to [0, 1], at the end; see `engine/adjust.c`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..attributes import IMAGE_ATTRIBUTES, check_strengths
from ..engine import host

__all__ = ["LUMA", "adjust", "apply_image_attributes", "grain"]

LUMA = np.array([0.2126, 0.7152, 0.0722])  # ITU-R BT.709


def grain(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """A fixed grain pattern: standard normal values, float32 (height, width, 3)."""
    height, width, _ = shape
    return host.grain(height, width, seed % 2**32)


def apply_image_attributes(
    pixels: np.ndarray, strengths: Mapping[str, float] | None = None, seed: int = 0
) -> np.ndarray:
    """Apply image attributes to a picture.

    Parameters
    ----------
    pixels : float (height, width, 3), RGB in [0, 1].
    strengths : of image attributes only; attributes not given keep their neutral value.
    seed : of the grain; the pattern is the same at every strength of the noise.

    Returns
    -------
    float32 (height, width, 3) in [0, 1].

    Raises
    ------
    ValueError : another shape, or a strength that `check_strengths` rejects.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.size == 0:
        raise ValueError(f"pixels have shape {pixels.shape}: give one RGB picture (height, width, 3).")
    values = check_strengths(strengths, IMAGE_ATTRIBUTES)
    return host.adjust(pixels, values, seed % 2**32)


adjust = apply_image_attributes  # its name in version 0.1
