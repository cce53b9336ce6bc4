"""Crop a portrait out of a photograph: the square around a face, and its pixels, optionally rotated or moved.

The landmarks define the square, so that photographs are framed like avatars, with the eyes a quarter of the width
apart. A margin around the square is kept, so that a rotated or moved portrait has no blank corners.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from PIL import Image

from ..base import Face, check_size

__all__ = ["FRAME", "MARGIN", "PortraitCrop", "by_channel", "square"]

# positions of the five landmarks of an upright face in the portrait, as shares of its side
FRAME = np.array([[0.38, 0.42], [0.62, 0.42], [0.5, 0.56], [0.4, 0.68], [0.6, 0.68]])
# margin on each side, as a share of the side: enough for any rotation, zoom and shift within their ranges
MARGIN = 0.8


class PortraitCrop:
    """The neighbourhood of one face, resampled once; `portrait` crops pictures out of it.

    Parameters
    ----------
    pixels : the photograph (height, width, 3), uint8 or float32 in [0, 1]; it is not kept.
    landmarks : (5, 2) of the face, in pixels of the photograph.
    size : side of the portraits, in pixels.
    margin : margin to keep around the portrait, as a share of its side. 0 is six times as fast, for portraits that
        will not be moved.
    """

    def __init__(self, pixels: np.ndarray, landmarks: np.ndarray, size: int, margin: float = MARGIN) -> None:
        self.size = check_size(size)
        # small portraits are sampled twice as finely and then averaged, so that rotating does not blur them
        self._finer = 2 if size <= 256 else 1
        self._margin = math.ceil(margin * size) * self._finer
        left, top, side = square(landmarks)
        step = side / (size * self._finer)
        origin = np.array([left, top]) - self._margin * step
        self._pixels = _window(pixels, origin, step, size * self._finer + 2 * self._margin)
        self.landmarks = ((landmarks - (left, top)) * (size / side)).astype(np.float32)

    def portrait(self, placement: np.ndarray | None = None) -> Face:
        """Crop the portrait; `placement` is a (2, 3) matrix that moves its pixels and landmarks."""
        fine, start = self.size * self._finer, self._margin
        if placement is None:
            picture, landmarks = self._pixels[start : start + fine, start : start + fine], self.landmarks
        else:
            picture = self._moved(placement, fine)
            landmarks = (self.landmarks @ placement[:, :2].T + placement[:, 2]).astype(np.float32)
        if self._finer == 2:
            rows = picture[::2] + picture[1::2]
            picture = (rows[:, ::2] + rows[:, 1::2]) * np.float32(0.25)
        return Face(np.ascontiguousarray(picture), landmarks)

    def _moved(self, placement: np.ndarray, fine: int) -> np.ndarray:
        back = np.linalg.inv(np.vstack([placement, [0, 0, 1]]))[:2]
        offset = back[:, 2] * self._finer + self._margin
        matrix = (*back[0, :2], offset[0], *back[1, :2], offset[1])
        how = (fine, fine), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR
        return by_channel(self._pixels, lambda channel: channel.transform(*how))


def by_channel(pixels: np.ndarray, edit: Callable[[Image.Image], Image.Image]) -> np.ndarray:
    """Edit a float picture with Pillow, which takes 32-bit pictures only one channel at a time."""
    channels = [edit(Image.fromarray(np.ascontiguousarray(pixels[..., c]))) for c in range(3)]
    return np.stack([np.asarray(channel) for channel in channels], -1)


def square(landmarks: np.ndarray) -> tuple[float, float, float]:
    """Return left, top and side of the portrait in the photograph's pixels.

    The side is proportional to the spread of the landmarks around their mean, which does not depend on the tilt of
    the face.
    """
    middle = landmarks.mean(0)
    spread = np.sqrt(((landmarks - middle) ** 2).sum())
    side = float(spread / np.sqrt(((FRAME - FRAME.mean(0)) ** 2).sum()))
    left, top = middle - FRAME.mean(0) * side
    return float(left), float(top), side


def _window(pixels: np.ndarray, origin: np.ndarray, step: float, count: int) -> np.ndarray:
    """Sample `count` x `count` points from `origin` on, `step` source pixels apart; the photograph's edge is repeated.

    Only points inside the photograph are resampled, so that a face that fills the photograph costs no more than any
    other.
    """
    spans = []
    for length, start in zip((pixels.shape[1], pixels.shape[0]), origin, strict=True):
        first = int(np.clip(math.ceil(-start / step), 0, count - 1))
        last = int(np.clip(math.floor((length - start) / step), first + 1, count))
        spans.append((first, last, max(start + first * step, 0.0), min(start + last * step, float(length))))
    (i0, i1, left, right), (j0, j1, top, bottom) = spans
    inside = _resample(pixels, (left, top, right, bottom), (i1 - i0, j1 - j0))
    return np.pad(inside, ((j0, count - j1), (i0, count - i1), (0, 0)), mode="edge")


def _resample(pixels: np.ndarray, box: tuple[float, float, float, float], size: tuple[int, int]) -> np.ndarray:
    """Resample a box (left, top, right, bottom) of the photograph to `size`, anti-aliased, as float32 in [0, 1]."""
    left, top = math.floor(box[0]), math.floor(box[1])
    part = pixels[top : math.ceil(box[3]), left : math.ceil(box[2])]
    box = box[0] - left, box[1] - top, box[2] - left, box[3] - top
    factor = int(min((box[2] - box[0]) / size[0], (box[3] - box[1]) / size[1]) / 2)
    if part.dtype == np.uint8:
        if factor > 1:  # many more pixels than needed: first average blocks, in 8 bits
            part = np.asarray(Image.fromarray(np.ascontiguousarray(part)).reduce(factor))
            box = box[0] / factor, box[1] / factor, box[2] / factor, box[3] / factor
        part = part / np.float32(255)
    box = box[0], box[1], min(box[2], part.shape[1]), min(box[3], part.shape[0])
    return np.clip(by_channel(part, lambda c: c.resize(size, Image.Resampling.BICUBIC, box=box)), 0, 1)
