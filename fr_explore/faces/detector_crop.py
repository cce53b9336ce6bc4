"""Crops by a face's box, for models trained on the boxes of a face detector rather than on aligned faces.

FaceNet was trained on MTCNN's boxes: not rotated, widened by a margin, stretched to a square. Here one rule derives
the box from the five landmarks, for avatars (which need no detector) and for photographs (whose landmarks O-Net finds)
alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..base.shapes import Float, Float64, Num

if TYPE_CHECKING:
    import torch

__all__ = ["box_crops", "face_boxes"]

# MTCNN's box, in units of the landmarks' spread (root mean square distance from their mean): its width, its height,
# how far its centre lies below the landmarks' mean, and how far it moves sideways per horizontal distance of the nose
# from that mean. The last one is needed because the five points of a turned head crowd to one side, while the box
# still covers the cheek. Fitted to MTCNN's boxes of turned avatars and of two photographs; test_facenet.py checks it.
_WIDTH, _HEIGHT, _DOWN, _ASIDE = 3.35, 4.3, -0.2, -1.9


def face_boxes(landmarks: Num[np.ndarray, "n 5 2"], margin: float = 0.0) -> Float64[np.ndarray, "n 4"]:
    """The upright box that MTCNN would draw around each face, from its five landmarks.

    Parameters
    ----------
    landmarks : (n, 5, 2) in pixels, order as in `Face`.
    margin : share of the widened box, in each direction, that lies outside MTCNN's; margin / image_size in
        facenet-pytorch.

    Returns
    -------
    float64 (n, 4): left, top, right, bottom, in pixels. A box may extend beyond the picture.

    Raises
    ------
    ValueError : the landmarks of a face coincide, or some are not finite.
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


def box_crops(
    pixels: Float[torch.Tensor, "n 3 height width"], boxes: Num[np.ndarray, "n 4"], size: int
) -> Float[torch.Tensor, "n 3 size size"]:
    """Cut one box from each picture and resize it to `size` x `size`, as Pillow's bilinear filter does.

    The filter is a triangle as wide as a pixel of the crop or of the picture, whichever is wider: when the box is
    shrunk, detail is averaged. The filter is separable, so a crop is two matrix products.

    Parameters
    ----------
    pixels : (n, 3, height, width), any range; the result is differentiable with respect to them.
    boxes : (n, 4) left, top, right, bottom, in pixels; pixel centres lie at +0.5.

    Returns
    -------
    (n, 3, size, size) with the dtype and device of `pixels`. Outside the picture, its edge pixels are repeated.
    """
    import torch

    crops = []
    for picture, (left, top, right, bottom) in zip(pixels, boxes, strict=True):
        rows, y = _filter(top, bottom, size, picture.shape[1])
        columns, x = _filter(left, right, size, picture.shape[2])
        rows, columns = (torch.from_numpy(weights).to(picture) for weights in (rows, columns))
        crops.append(rows @ picture[:, y, x] @ columns.T)
    return torch.stack(crops)


def _filter(start: float, end: float, size: int, length: int) -> tuple[np.ndarray, slice]:
    """Weights (size, m) of m picture pixels, each row summing to 1, and the slice of the `length` pixels they are."""
    scale = (end - start) / size
    reach = max(scale, 1.0)
    # a centre outside the picture moves to the outermost pixel
    centres = np.clip(start + (np.arange(size) + 0.5) * scale, 0.5, length - 0.5)
    low, high = max(int(centres[0] - reach), 0), min(int(np.ceil(centres[-1] + reach)), length)
    weights = np.maximum(1 - np.abs(np.arange(low, high) + 0.5 - centres[:, None]) / reach, 0)
    return weights / weights.sum(1, keepdims=True), slice(low, high)
