"""Edits of photographs besides the image attributes: move, light from the side, cover, compress, reduce.

Pure functions of float32 (height, width, 3) pictures. The neutral strength returns the same pixels, and every edit is
continuous in its strength, because finite differences are taken along it.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image

from ...attributes import IMAGE_ATTRIBUTES
from ..base import to_uint8
from ..image_attributes import apply_image_attributes
from .occlusion import draw_mask, draw_sunglasses
from .portrait_crop import by_channel

__all__ = ["apply_edits", "compress", "light_from_side", "placement", "reduce_resolution"]


def apply_edits(pixels: np.ndarray, landmarks: np.ndarray, strengths: Mapping[str, float], seed: int = 0) -> np.ndarray:
    """Apply all edits that do not move pixels, in their physical order: the face, its light, the picture.

    Parameters
    ----------
    pixels : float32 (height, width, 3) in [0, 1].
    landmarks : (5, 2) as in `Face`.
    strengths : every attribute of `PHOTOGRAPH_ATTRIBUTES`; rotation, zoom and shift are ignored, see `placement`.
    seed : of the grain that `noise` adds.
    """
    pixels = draw_mask(pixels, landmarks, strengths["mask"])
    pixels = draw_sunglasses(pixels, landmarks, strengths["sunglasses"])
    pixels = light_from_side(pixels, landmarks, strengths["side_light"])
    pixels = apply_image_attributes(pixels, {name: strengths[name] for name in IMAGE_ATTRIBUTES}, seed)
    pixels = reduce_resolution(pixels, strengths["resolution"])
    return compress(pixels, strengths["jpeg_quality"])


def placement(strengths: Mapping[str, float], size: int) -> np.ndarray:
    """Matrix (2, 3) by which rotation, zoom and shift move the pixels of a picture of `size` px.

    It maps a point p to zoom R (p - c) + c + (shift size, 0), where c is the middle of the picture and R the clockwise
    rotation.
    """
    angle, zoom = math.radians(strengths["rotation"]), strengths["zoom"]
    cosine, sine = zoom * math.cos(angle), zoom * math.sin(angle)
    linear = np.array([[cosine, -sine], [sine, cosine]])  # y points down, so positive angles turn clockwise
    middle = np.full(2, size / 2)
    return np.column_stack([linear, middle - linear @ middle + np.array([strengths["shift"] * size, 0])])


def light_from_side(pixels: np.ndarray, landmarks: np.ndarray, strength: float) -> np.ndarray:
    """Brighten one side of the face and darken the other by the factor exp(0.8 s tanh(x) - 0.45 s^2) of strength s.

    x is the horizontal distance from the middle between the eyes, in units of the distance between eyes and mouth, so
    that the light varies over the face and is constant far from it. The square term limits clipping on the bright
    side.
    """
    if strength == 0:
        return pixels
    eyes, mouth = landmarks[:2].mean(0), landmarks[3:].mean(0)
    unit = max(float(np.hypot(*(mouth - eyes))), 1e-6)
    x = (np.arange(pixels.shape[1]) + 0.5 - eyes[0]) / unit
    factor = np.exp(0.8 * strength * np.tanh(x) - 0.45 * strength**2).astype(np.float32)
    return np.minimum(pixels * factor[:, None], 1)


def reduce_resolution(pixels: np.ndarray, share: float) -> np.ndarray:
    """Reduce a picture to this share of its width by averaging, then enlarge it again."""
    height, width = pixels.shape[:2]

    def reduced(columns: int) -> np.ndarray:
        if columns >= width:
            return pixels
        small = columns, max(1, round(columns * height / width))
        box, linear = Image.Resampling.BOX, Image.Resampling.BILINEAR
        return by_channel(pixels, lambda channel: channel.resize(small, box).resize((width, height), linear))

    return _interpolated(reduced, share * width)


def compress(pixels: np.ndarray, quality: float) -> np.ndarray:
    """Save a picture as JPEG of this quality (colour at half resolution, as cameras do) and read it again."""

    def compressed(whole: int) -> np.ndarray:
        if whole >= 100:
            return pixels
        buffer = io.BytesIO()
        Image.fromarray(to_uint8(pixels)).save(buffer, "JPEG", quality=whole, subsampling="4:2:0")
        return np.asarray(Image.open(buffer), np.float32) / np.float32(255)

    return _interpolated(compressed, quality)


def _interpolated(edit: Callable[[int], np.ndarray], value: float) -> np.ndarray:
    """Evaluate an edit that takes only whole numbers at any value: interpolate between the two nearest."""
    below = math.floor(value)
    rest = np.float32(value - below)
    return edit(below) if rest == 0 else (1 - rest) * edit(below) + rest * edit(below + 1)
