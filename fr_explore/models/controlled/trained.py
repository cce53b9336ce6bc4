"""The network of the trained controlled models: one architecture for all regimes, small enough to train on two cores.

A residual network of three stages on crops of 64 x 64 pixels: 0.71 million parameters, 26 million multiplications per
face. The last layer of features is 4 x 4; a depthwise convolution weights each position separately, since the parts of
an aligned face are at fixed positions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from ...engine.network import Activation, Network, Value, folded

__all__ = ["ControlledNet"]

_WIDTHS = (24, 48, 96, 192)


class _Block(nn.Module):
    """Halves the resolution: two 3 x 3 convolutions in parallel with an average and a 1 x 1 convolution."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.skip = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.norm3 = nn.BatchNorm2d(outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        return F.relu(y + self.norm3(self.skip(F.avg_pool2d(x, 2))))


class ControlledNet(nn.Module):
    """(n, 3, 64, 64), preprocessed as the card says -> (n, dim), not of unit length."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, _WIDTHS[0], 5, stride=2, padding=2, bias=False)
        self.norm = nn.BatchNorm2d(_WIDTHS[0])
        self.blocks = nn.Sequential(*[_Block(_WIDTHS[i], _WIDTHS[i + 1]) for i in range(3)])
        self.places = nn.Conv2d(_WIDTHS[3], _WIDTHS[3], 4, groups=_WIDTHS[3], bias=False)
        self.norm_places = nn.BatchNorm2d(_WIDTHS[3])
        self.fc = nn.Linear(_WIDTHS[3], dim, bias=False)
        self.norm_out = nn.BatchNorm1d(dim)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.blocks(F.relu(self.norm(self.stem(x))))
        return self.norm_out(self.fc(self.norm_places(self.places(x)).flatten(1)))

    def describe(self) -> Network:
        """The same network for the engine, which runs it in a page."""
        side = self.places.kernel_size[0] * 2 ** (1 + len(self.blocks))  # the stem and each block halve it
        network = Network(side, side)

        def convolved(x: Value, layer: Any, norm: Any, activation: Activation = "none") -> Value:
            weight, bias = _folded(layer, norm)
            how = {"depthwise": layer.groups > 1, "step": layer.stride[0], "padding": layer.padding[0]}
            return network.convolution(x, weight, bias, activation=activation, **how)

        x = convolved(network.picture, self.stem, self.norm, "relu")
        blocks: Any = self.blocks
        for block in blocks:
            y = convolved(convolved(x, block.conv1, block.norm1, "relu"), block.conv2, block.norm2)
            x = network.add(y, convolved(network.mean(x, 2), block.skip, block.norm3), activation="relu")
        places = convolved(x, self.places, self.norm_places)
        network.result(network.dense(places, *_folded(self.fc, self.norm_out)))
        return network


def _folded(layer: Any, norm: Any) -> tuple[np.ndarray, np.ndarray]:
    """Weights and bias of a layer together with the batch normalisation behind it."""
    tensors = (layer.weight, norm.weight, norm.bias, norm.running_mean, norm.running_var)
    weight, gamma, beta, mean, variance = (tensor.detach().cpu().numpy() for tensor in tensors)
    return folded(weight, gamma, beta, mean, variance, norm.eps)
