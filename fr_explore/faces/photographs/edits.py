"""What photographs take besides the image attributes: moved, lit from the side, covered, compressed, coarsened.

Pure functions on float32 (height, width, 3) pictures; the neutral strength gives back the same pixels, and every
one is continuous in its strength, because finite differences are taken along it.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image

from ...attributes import IMAGE_ATTRIBUTES
from ..adjust import adjust
from .occlusion import draw_mask, draw_sunglasses

__all__ = ["coarsen", "compress", "light_from_side", "placement", "retouch"]


def retouch(pixels: np.ndarray, landmarks: np.ndarray, strengths: Mapping[str, float], seed: int = 0) -> np.ndarray:
    """All edits that leave the geometry alone, in the order in which they would happen to a face.

    Parameters
    ----------
    pixels : float32 (height, width, 3) in [0, 1]; landmarks : (5, 2) as in `Face`.
    strengths : every attribute of `PHOTOGRAPH_ATTRIBUTES`; the geometric ones are passed over.
    seed : of the grain that `noise` adds.
    """
    pixels = draw_mask(pixels, landmarks, strengths["mask"])
    pixels = draw_sunglasses(pixels, landmarks, strengths["sunglasses"])
    pixels = light_from_side(pixels, landmarks, strengths["side_light"])
    pixels = adjust(pixels, {name: strengths[name] for name in IMAGE_ATTRIBUTES}, seed)
    pixels = coarsen(pixels, strengths["resolution"])
    return compress(pixels, strengths["jpeg_quality"])


def placement(strengths: Mapping[str, float], size: int) -> np.ndarray:
    """The 2 x 3 matrix that rotation, zoom and shift apply to the pixels' places in a picture of `size` px.

    p -> zoom R (p - c) + c + (shift size, 0), with c the middle of the picture and R the clockwise rotation.
    """
    angle, zoom = math.radians(strengths["rotation"]), strengths["zoom"]
    cosine, sine = zoom * math.cos(angle), zoom * math.sin(angle)
    linear = np.array([[cosine, -sine], [sine, cosine]])  # y points down: positive angles turn clockwise
    middle = np.full(2, size / 2)
    return np.column_stack([linear, middle - linear @ middle + np.array([strengths["shift"] * size, 0])])


def light_from_side(pixels: np.ndarray, landmarks: np.ndarray, strength: float) -> np.ndarray:
    """Brighter towards one side of the face, darker towards the other: a factor exp(0.8 s tanh(x) - 0.45 s^2).

    x runs across the picture, 0 between the eyes, in units of the distance from the eyes to the mouth, so that the
    light falls off over the face and levels out beyond it; the square keeps the bright side from burning out.
    """
    if strength == 0:
        return pixels
    eyes, mouth = landmarks[:2].mean(0), landmarks[3:].mean(0)
    unit = max(float(np.hypot(*(mouth - eyes))), 1e-6)
    x = (np.arange(pixels.shape[1]) + 0.5 - eyes[0]) / unit
    factor = np.exp(0.8 * strength * np.tanh(x) - 0.45 * strength**2).astype(np.float32)
    return np.minimum(pixels * factor[:, None], 1)


def coarsen(pixels: np.ndarray, share: float) -> np.ndarray:
    """Reduced to this share of its width by averaging, then enlarged again."""
    height, width = pixels.shape[:2]

    def through(columns: int) -> np.ndarray:
        if columns >= width:
            return pixels
        small = _resize(pixels, columns, max(1, round(columns * height / width)), Image.Resampling.BOX)
        return _resize(small, width, height, Image.Resampling.BILINEAR)

    return _between(through, share * width)


def compress(pixels: np.ndarray, quality: float) -> np.ndarray:
    """Written as JPEG of this quality (colour at half resolution, as cameras do) and read again."""

    def through(whole: int) -> np.ndarray:
        if whole >= 100:
            return pixels
        buffer = io.BytesIO()
        image = Image.fromarray((np.clip(pixels, 0, 1) * 255 + 0.5).astype(np.uint8))
        image.save(buffer, "JPEG", quality=whole, subsampling="4:2:0")
        return np.asarray(Image.open(buffer), np.float32) / np.float32(255)

    return _between(through, quality)


def _between(edit: Callable[[int], np.ndarray], value: float) -> np.ndarray:
    """An edit that takes whole numbers only, at a value between two of them: the mixture of both."""
    below = math.floor(value)
    rest = np.float32(value - below)
    return edit(below) if rest == 0 else (1 - rest) * edit(below) + rest * edit(below + 1)


def _resize(pixels: np.ndarray, width: int, height: int, how: Image.Resampling) -> np.ndarray:
    """Float picture to another size; Pillow resamples 32-bit pictures one channel at a time."""
    channels = [Image.fromarray(np.ascontiguousarray(pixels[..., c])).resize((width, height), how) for c in range(3)]
    return np.stack([np.asarray(channel) for channel in channels], -1)
