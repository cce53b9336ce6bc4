"""A portrait cut out of a photograph: which square around the face, and its pixels, perhaps turned or moved.

The square is the same for every face in terms of its landmarks, so that photographs and avatars look alike: eyes a
quarter of the width apart. Around it some of the photograph is kept, for turning and moving the picture without
blank corners.
"""

from __future__ import annotations

import math
from operator import index

import numpy as np
from PIL import Image

__all__ = ["FRAME", "MARGIN", "Cutout", "check_size"]

# where the five landmarks of an upright face lie in the portrait, as shares of its side
FRAME = np.array([[0.38, 0.42], [0.62, 0.42], [0.5, 0.56], [0.4, 0.68], [0.6, 0.68]])
# kept on each side, as a share of the side: enough for the farthest corner at the ends of rotation, zoom and shift
MARGIN = 0.8


class Cutout:
    """The neighbourhood of one face, resampled once; `portrait` cuts pictures out of it.

    Parameters
    ----------
    pixels : the photograph (height, width, 3), uint8 or float32 in [0, 1]; not kept.
    landmarks : (5, 2) of the face, in its pixels.
    size : side of the portraits, in pixels.
    margin : what is kept around it, as a share of its side; 0 where nothing will be moved, which is six times faster.
    """

    def __init__(self, pixels: np.ndarray, landmarks: np.ndarray, size: int, margin: float = MARGIN) -> None:
        self.size = check_size(size)
        # small portraits are sampled twice as finely and averaged, so that turning them does not blur them
        self._finer = 2 if size <= 256 else 1
        self._margin = math.ceil(margin * size) * self._finer
        left, top, side = square(landmarks)
        step = side / (size * self._finer)
        origin = np.array([left, top]) - self._margin * step
        self._pixels = _window(pixels, origin, step, size * self._finer + 2 * self._margin)
        self.landmarks = ((landmarks - (left, top)) * (size / side)).astype(np.float32)

    def portrait(self, placement: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Pixels float32 (size, size, 3) and landmarks (5, 2), moved by a 2 x 3 matrix if there is one."""
        fine, start = self.size * self._finer, self._margin
        if placement is None:
            picture, landmarks = self._pixels[start : start + fine, start : start + fine], self.landmarks
        else:
            picture = self._moved(placement, fine)
            landmarks = (self.landmarks @ placement[:, :2].T + placement[:, 2]).astype(np.float32)
        if self._finer == 2:
            rows = picture[::2] + picture[1::2]
            picture = (rows[:, ::2] + rows[:, 1::2]) * np.float32(0.25)
        return np.ascontiguousarray(picture), landmarks

    def _moved(self, placement: np.ndarray, fine: int) -> np.ndarray:
        back = np.linalg.inv(np.vstack([placement, [0, 0, 1]]))[:2]
        offset = back[:, 2] * self._finer + self._margin
        matrix = (*back[0, :2], offset[0], *back[1, :2], offset[1])
        how = Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR
        channels = [np.ascontiguousarray(self._pixels[..., c]) for c in range(3)]
        return np.stack(
            [np.asarray(Image.fromarray(channel).transform((fine, fine), *how)) for channel in channels], -1
        )


def square(landmarks: np.ndarray) -> tuple[float, float, float]:
    """Left, top and side of the portrait in the photograph's pixels.

    The side follows from the landmarks' spread around their mean, which does not change when the face is tilted.
    """
    middle = landmarks.mean(0)
    spread = np.sqrt(((landmarks - middle) ** 2).sum())
    side = float(spread / np.sqrt(((FRAME - FRAME.mean(0)) ** 2).sum()))
    left, top = middle - FRAME.mean(0) * side
    return float(left), float(top), side


def check_size(size: int) -> int:
    """The side of a portrait in pixels, a whole number from 32 to 2048; ValueError otherwise."""
    try:
        pixels = index(size)
    except TypeError:
        pixels = 0
    if not 32 <= pixels <= 2048:
        raise ValueError(f"size = {size!r}: give the picture's side as a whole number of pixels from 32 to 2048.")
    return pixels


def _window(pixels: np.ndarray, origin: np.ndarray, step: float, count: int) -> np.ndarray:
    """`count` x `count` samples, `step` source pixels wide, from `origin` on; beyond the photograph its edge repeats.

    Only what lies in the photograph is resampled, so that a face that fills it costs no more than any other.
    """
    spans, before, after = [], [], []
    for length, start in zip((pixels.shape[1], pixels.shape[0]), origin, strict=True):
        first = int(np.clip(math.ceil(-start / step), 0, count - 1))
        last = int(np.clip(math.floor((length - start) / step), first + 1, count))
        spans.append((first, last, max(start + first * step, 0.0), min(start + last * step, float(length))))
        before.append(first)
        after.append(count - last)
    (i0, i1, left, right), (j0, j1, top, bottom) = spans
    inside = _resample(pixels, (left, top, right, bottom), (i1 - i0, j1 - j0))
    return np.pad(inside, ((before[1], after[1]), (before[0], after[0]), (0, 0)), mode="edge")


def _resample(pixels: np.ndarray, box: tuple[float, float, float, float], size: tuple[int, int]) -> np.ndarray:
    """A box of the photograph at another size, anti-aliased, float32 in [0, 1]."""
    left, top = math.floor(box[0]), math.floor(box[1])
    part = pixels[top : math.ceil(box[3]), left : math.ceil(box[2])]
    box = box[0] - left, box[1] - top, box[2] - left, box[3] - top
    factor = int(min((box[2] - box[0]) / size[0], (box[3] - box[1]) / size[1]) / 2)
    if part.dtype == np.uint8:
        if factor > 1:  # far more pixels than needed: average blocks first, in 8 bits
            part = np.asarray(Image.fromarray(np.ascontiguousarray(part)).reduce(factor))
            box = box[0] / factor, box[1] / factor, box[2] / factor, box[3] / factor
        part = part / np.float32(255)
    box = box[0], box[1], min(box[2], part.shape[1]), min(box[3], part.shape[0])
    channels = [Image.fromarray(np.ascontiguousarray(part[..., c])) for c in range(3)]
    resized = [np.asarray(channel.resize(size, Image.Resampling.BICUBIC, box=box)) for channel in channels]
    return np.clip(np.stack(resized, -1), 0, 1)
