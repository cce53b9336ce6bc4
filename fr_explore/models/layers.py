"""The layers of dlib's network and of SFace, for the engine; torch is not needed. `networks` has them in torch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..engine.network import Activation, Network, Value

__all__ = ["DLIB_BLOCKS", "SFACE_PAIRS", "describe_dlib", "describe_sface"]

# output channels of each residual block, and whether it halves the resolution
DLIB_BLOCKS = [(32, False)] * 3 + [(64, True)] + [(64, False)] * 3 + [(128, True)] + [(128, False)] * 2
DLIB_BLOCKS += [(256, True)] + [(256, False)] * 2 + [(256, True)]
# output channels of each pair, and the step of its first convolution
SFACE_PAIRS = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]


def describe_dlib(convolutions: Iterable[tuple[np.ndarray, np.ndarray]], fc: np.ndarray) -> Network:
    """The network for the engine, of weight and bias of each convolution, in order, and the last layer's matrix."""
    network, layers = Network(150, 150), iter(convolutions)

    def convolved(x: Value, step: int = 1, padding: int = 1, activation: Activation = "none") -> Value:
        return network.convolution(x, *next(layers), step=step, padding=padding, activation=activation)

    x = network.largest(convolved(network.picture, 2, 0, "relu"), 3, step=2)
    for _, halves in DLIB_BLOCKS:
        y = convolved(x, 2, 0, "relu") if halves else convolved(x, activation="relu")
        x = network.add(network.mean(x, 2) if halves else x, convolved(y), activation="relu")
    network.result(network.dense(network.mean(x), fc))
    return network


def describe_sface(layers: Iterable[tuple[np.ndarray, ...]], weight: np.ndarray, bias: np.ndarray) -> Network:
    """The network for the engine, of weight, bias and slope of each convolution, in order, and the linear layer."""
    network = Network(112, 112)
    x, steps = network.picture, [1, *(step for _, pair in SFACE_PAIRS for step in (pair, 1))]
    for step, (kernels, shift, slope) in zip(steps, layers, strict=True):
        how: dict[str, Any] = {"depthwise": kernels.shape[1] == 1, "padding": kernels.shape[2] // 2, "step": step}
        x = network.convolution(x, kernels, shift, activation="prelu", slope=slope, **how)
    network.result(network.dense(x, weight, bias))
    return network
