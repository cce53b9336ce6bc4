"""Image attributes of any picture: blur, hue, saturation, contrast, brightness and noise.

The engine applies them, in this order, and clips once, to [0, 1], at the end; see `engine/adjust.c`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..attributes import IMAGE_ATTRIBUTES, check_strengths
from ..engine import host

__all__ = ["LUMA", "apply_image_attributes", "color_matrix", "grain"]

LUMA = np.array([0.2126, 0.7152, 0.0722])  # ITU-R BT.709


def color_matrix(hue: float = 0.0, saturation: float = 1.0) -> np.ndarray:
    """Matrix (3, 3) that rotates colours by `hue` degrees about the grey axis, then scales their distance from grey.

    The rotation is Rodrigues' formula about (1, 1, 1) / sqrt(3): it leaves greys unchanged, and rotations add up.
    For the saturation, the grey of a colour is its BT.709 luma.
    """
    angle = np.radians(hue)
    cross = np.array([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3)
    turn = np.cos(angle) * np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) / 3
    grey = np.outer(np.ones(3), LUMA)
    return (grey + saturation * (np.eye(3) - grey)) @ turn


def grain(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """A fixed grain pattern: standard normal values, float32 (height, width, 3)."""
    height, width, _ = shape
    return host.grain(height, width, seed)


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
    if pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ValueError(f"pixels have shape {pixels.shape}: give one RGB picture (height, width, 3).")
    values = check_strengths(strengths, IMAGE_ATTRIBUTES)
    return host.adjust(pixels, values, seed)
