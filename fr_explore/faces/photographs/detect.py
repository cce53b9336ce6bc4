"""Detect faces in a picture by MTCNN (Zhang et al. 2016), whose weights are part of facenet-pytorch.

Detection runs on a reduced copy, because its time is proportional to the number of pixels (1 s at 2048 px, 0.2 s at
1200 px). Boxes and landmarks are scaled back.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
from PIL import Image

from ..base import to_uint8

__all__ = ["DETECTOR", "Detection", "find_faces", "load_detector"]

# long side of the reduced copy; the second, larger one is tried if the first shows no face
_SIDES = (800, 1600)
# pictures whose long side is shorter are enlarged first, because MTCNN finds no face below 20 px
_SMALLEST = 160
_WINDOW = 20
_CERTAIN = 0.9
# what decides where faces are found: part of the keys of embeddings
DETECTOR = f"MTCNN {version('facenet-pytorch')} {_SIDES} {_SMALLEST} {_WINDOW} {_CERTAIN}"


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """A detected face.

    Parameters
    ----------
    box : left, top, right and bottom in pixels; a pixel's centre is at +0.5.
    landmarks : float32 (5, 2), in the order and the coordinates of `Face`.
    score : the detector's confidence, 0.9 to 1.
    """

    box: tuple[float, float, float, float]
    landmarks: np.ndarray
    score: float

    @property
    def area(self) -> float:
        """Area of the box in square pixels."""
        return (self.box[2] - self.box[0]) * (self.box[3] - self.box[1])

    def offset(self, width: int, height: int) -> float:
        """Distance in pixels between the middle of the box and the middle of a picture of this size."""
        return float(np.hypot((self.box[0] + self.box[2] - width) / 2, (self.box[1] + self.box[3] - height) / 2))


def find_faces(pixels: np.ndarray) -> list[Detection]:
    """Detect the faces in a picture (height, width, 3), uint8 or float in [0, 1]; the largest comes first."""
    long = max(pixels.shape[:2])
    sides = [side for i, side in enumerate(_SIDES) if i == 0 or long > _SIDES[i - 1]]
    for side in sides:
        small = _resized(pixels, min(1.0, side / long) if long >= _SMALLEST else _SMALLEST / long)
        found = _detect(small)
        if not found or any(_is_cut(face, *small.shape[:2]) for face in found):
            # a face cut off by the frame is missed, or its landmarks are wrong (4 px at 160): add room around it
            found = _detect(small, room=max(small.shape[:2]) // 4) or found
        if found:
            ratio = np.array([pixels.shape[1] / small.shape[1], pixels.shape[0] / small.shape[0]])
            return sorted((_scaled(face, ratio) for face in found), key=lambda face: -face.area)
    return []


def _is_cut(face: Detection, height: int, width: int) -> bool:
    left, top, right, bottom = face.box
    return left < 1 or top < 1 or right > width - 1 or bottom > height - 1


def _resized(pixels: np.ndarray, scale: float) -> np.ndarray:
    """Return an 8-bit copy, reduced or enlarged."""
    image = pixels if pixels.dtype == np.uint8 else to_uint8(pixels)
    if scale == 1:
        return image
    height, width = image.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    picture = Image.fromarray(np.ascontiguousarray(image))
    return np.asarray(picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0))


def _detect(image: np.ndarray, room: int = 0) -> list[Detection]:
    """Detect faces in an 8-bit picture, after extending it on all sides by `room` px of repeated edge."""
    if room:
        image = np.pad(image, ((room, room), (room, room), (0, 0)), mode="edge")
    if min(image.shape[:2]) < _WINDOW:  # MTCNN raises an error for such pictures
        return []
    found: tuple = load_detector().detect(np.ascontiguousarray(image), landmarks=True)
    boxes, scores, points = found
    if boxes is None:
        return []
    # MTCNN returns object arrays, because pictures have different numbers of faces
    boxes, scores = np.array(boxes.tolist(), np.float64), np.array(scores.tolist(), np.float64)
    points = np.array(points.tolist(), np.float64)
    # in MTCNN, as in its original in Matlab, the centre of the first pixel is at 1; here it is at 0.5
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
def load_detector():
    """Return MTCNN, on a GPU if there is one."""
    import torch
    from facenet_pytorch import MTCNN

    return MTCNN(keep_all=True, device=torch.device("cuda" if torch.cuda.is_available() else "cpu"))
