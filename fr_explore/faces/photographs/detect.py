"""Where the faces in a picture are: MTCNN (Zhang et al. 2016), whose weights facenet-pytorch brings along.

Detection runs on a reduced copy, because its time grows with the number of pixels (1 s at 2048 px, 0.2 s at
1200 px); boxes and landmarks are scaled back.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from PIL import Image

__all__ = ["Detection", "find_faces"]

# long side of the reduced copy; the second, larger one is tried where the first shows no face
_SIDES = (800, 1600)
# a long side below which a picture is enlarged first: MTCNN's smallest window is 20 px of face
_SMALLEST = 160
_WINDOW = 20
_CERTAIN = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """One face that was found.

    Parameters
    ----------
    box : x, y of the left top and of the right bottom corner, in pixels, a pixel's centre at +0.5.
    landmarks : float32 (5, 2) in the order of `Face`, in the same pixels.
    score : the detector's certainty, 0.9 to 1.
    """

    box: tuple[float, float, float, float]
    landmarks: np.ndarray
    score: float

    @property
    def area(self) -> float:
        """Area of the box in square pixels."""
        return (self.box[2] - self.box[0]) * (self.box[3] - self.box[1])

    def offset(self, width: int, height: int) -> float:
        """How far the middle of the box lies from the middle of a picture of this size, in pixels."""
        return float(np.hypot((self.box[0] + self.box[2] - width) / 2, (self.box[1] + self.box[3] - height) / 2))


def find_faces(pixels: np.ndarray) -> list[Detection]:
    """The faces in a picture (height, width, 3), uint8 or float in [0, 1], the largest first; perhaps none."""
    long = max(pixels.shape[:2])
    sides = [side for i, side in enumerate(_SIDES) if i == 0 or long > _SIDES[i - 1]]
    for side in sides:
        small = _resized(pixels, min(1.0, side / long) if long >= _SMALLEST else _SMALLEST / long)
        found = _detect(small)
        if not found or any(_is_cut(face, *small.shape[:2]) for face in found):
            # a face cut by the frame is missed, or its landmarks slide (4 px at 160): give it room
            found = _detect(small, room=max(small.shape[:2]) // 4) or found
        if found:
            ratio = np.array([pixels.shape[1] / small.shape[1], pixels.shape[0] / small.shape[0]])
            return sorted((_scaled(face, ratio) for face in found), key=lambda face: -face.area)
    return []


def _is_cut(face: Detection, height: int, width: int) -> bool:
    left, top, right, bottom = face.box
    return left < 1 or top < 1 or right > width - 1 or bottom > height - 1


def _resized(pixels: np.ndarray, scale: float) -> np.ndarray:
    """An 8-bit copy, reduced or enlarged."""
    image = pixels if pixels.dtype == np.uint8 else (pixels * 255 + 0.5).astype(np.uint8)
    if scale == 1:
        return image
    height, width = image.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    picture = Image.fromarray(np.ascontiguousarray(image))
    return np.asarray(picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0))


def _detect(image: np.ndarray, room: int = 0) -> list[Detection]:
    """Faces in an 8-bit picture, after adding `room` px of repeated edge all round."""
    if room:
        image = np.pad(image, ((room, room), (room, room), (0, 0)), mode="edge")
    if min(image.shape[:2]) < _WINDOW:  # MTCNN fails on slivers
        return []
    found: tuple = _detector().detect(np.ascontiguousarray(image), landmarks=True)
    boxes, scores, points = found
    if boxes is None:
        return []
    # object arrays, because pictures have different numbers of faces
    boxes, scores = np.array(boxes.tolist(), np.float64), np.array(scores.tolist(), np.float64)
    points = np.array(points.tolist(), np.float64)
    # MTCNN's code counts from 1, as its original did: the centre of the first pixel is 1 there, 0.5 here
    boxes, points = boxes - 0.5 - room, points - 0.5 - room
    return [
        Detection((box[0], box[1], box[2], box[3]), five.astype(np.float32), float(score))
        for box, five, score in zip(boxes.tolist(), points, scores, strict=True)
        if score >= _CERTAIN
    ]


def _scaled(face: Detection, ratio: np.ndarray) -> Detection:
    left, top, right, bottom = (np.array(face.box) * np.tile(ratio, 2)).tolist()
    return Detection((left, top, right, bottom), (face.landmarks * ratio).astype(np.float32), face.score)


@functools.lru_cache(maxsize=1)
def _detector():
    import torch
    from facenet_pytorch import MTCNN

    return MTCNN(keep_all=True, device=torch.device("cuda" if torch.cuda.is_available() else "cpu"))
