"""Crops by a face's box, for models that were trained on a detector's boxes and not on upright faces.

FaceNet was trained on the boxes of MTCNN: not turned, widened by a margin, and stretched to a square. Here the box
is derived from the five landmarks, by one rule for avatars (which need no detector) and for photographs (whose
landmarks MTCNN found), so that both are cut alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

__all__ = ["box_crops", "face_boxes"]

# MTCNN's box, in units of the landmarks' spread (root mean square distance from their mean): its width, its height,
# how far its centre lies below the landmarks' mean, and how far it moves aside per distance of the nose from that
# mean. When a head turns, the five points crowd to one side while the box keeps the cheek: hence the last one.
# Fitted to MTCNN's boxes of turned avatars and of two photographs; tests/test_facenet.py holds the agreement.
_WIDTH, _HEIGHT, _DOWN, _ASIDE = 3.35, 4.3, -0.2, -1.9


def face_boxes(landmarks: np.ndarray, margin: float = 0.0) -> np.ndarray:
    """The upright box that MTCNN would draw around each face, from its five landmarks.

    Parameters
    ----------
    landmarks : (n, 5, 2) in pixels, order as in `Face`.
    margin : share of the widened box, in each direction, that lies outside of MTCNN's: facenet-pytorch's
        margin / image_size.

    Returns
    -------
    float64 (n, 4): left, top, right, bottom, in pixels; it may reach beyond the picture.
    """
    points = np.asarray(landmarks, np.float64)
    middle = points.mean(1)
    spread = np.sqrt(((points - middle[:, None]) ** 2).sum(2).mean(1))[:, None]
    if not np.all(spread > 0):  # also catches NaN
        raise ValueError("landmarks coincide or are not finite: five distinct points are needed to find a face's box.")
    centre = middle + spread * [0, _DOWN]
    centre[:, 0] += _ASIDE * (points[:, 2, 0] - middle[:, 0])
    half = spread * [_WIDTH, _HEIGHT] / (2 * (1 - margin))
    return np.concatenate([centre - half, centre + half], axis=1)


def box_crops(pixels: torch.Tensor, boxes: np.ndarray, size: int) -> torch.Tensor:
    """Cut one box from each picture and resize it to `size` x `size`, as Pillow's bilinear filter does.

    The filter is a triangle as wide as a pixel of the crop or of the picture, whichever is wider, so that detail is
    averaged and not skipped; separable, so a crop is two matrix products, differentiable with respect to the pixels.

    Parameters
    ----------
    pixels : (n, 3, height, width), any range.
    boxes : (n, 4) left, top, right, bottom, in pixels; a pixel's centre lies at +0.5.

    Returns
    -------
    (n, 3, size, size) of the type and on the device of `pixels`; outside of the picture its edge is repeated.
    """
    import torch

    crops = []
    for picture, (left, top, right, bottom) in zip(pixels, boxes, strict=True):
        rows, y = _triangles(top, bottom, size, picture.shape[1])
        columns, x = _triangles(left, right, size, picture.shape[2])
        rows, columns = (torch.from_numpy(weights).to(picture) for weights in (rows, columns))
        crops.append(rows @ picture[:, y, x] @ columns.T)
    return torch.stack(crops)


def _triangles(start: float, end: float, size: int, length: int) -> tuple[np.ndarray, slice]:
    """Weights (size, m) of the pixels that matter, each row of sum 1, and which pixels of the `length` these are."""
    scale = (end - start) / size
    reach = max(scale, 1.0)
    # a centre outside is moved onto the outermost pixel
    centres = np.clip(start + (np.arange(size) + 0.5) * scale, 0.5, length - 0.5)
    low, high = max(int(centres[0] - reach), 0), min(int(np.ceil(centres[-1] + reach)), length)
    weights = np.maximum(1 - np.abs(np.arange(low, high) + 0.5 - centres[:, None]) / reach, 0)
    return weights / weights.sum(1, keepdims=True), slice(low, high)
