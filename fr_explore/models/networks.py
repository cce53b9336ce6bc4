"""dlib's residual network and SFace in torch; `layers` describes them for the engine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from ..engine.network import Network
from .layers import DLIB_BLOCKS, SFACE_PAIRS, describe_dlib, describe_sface

__all__ = ["DlibResNet", "SFace"]

# pictures at a time on a CPU: tensors of so few stay in its cache, which nearly doubles the speed of batches of 32
_TOGETHER = 4


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
    """The network: (n, 3, 150, 150), normalised as in its card, -> (n, 128), not of unit length."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 7, stride=2)
        widths = [32] + [outputs for outputs, _ in DLIB_BLOCKS]
        blocks = [_Block(inputs, *block) for inputs, block in zip(widths, DLIB_BLOCKS, strict=False)]
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.Linear(256, 128, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.max_pool2d(F.relu(self.stem(x)), 3, stride=2)
        return self.fc(self.blocks(x).mean((2, 3)))

    @classmethod
    def of(cls, convolutions: Iterable[tuple[np.ndarray, np.ndarray]], fc: np.ndarray) -> DlibResNet:
        """The network with weight and bias of each convolution, in order, and the last layer's matrix."""
        with torch.device("meta"):  # without memory for parameters: one that is not set below would be an error
            network = cls()
        for layer, (weight, bias) in zip(network._convolutions(), convolutions, strict=True):
            # the layout that `Model` wants
            weights = torch.from_numpy(weight).contiguous(memory_format=torch.channels_last)
            layer.weight, layer.bias = nn.Parameter(weights), nn.Parameter(torch.from_numpy(bias))
        network.fc.weight = nn.Parameter(torch.from_numpy(fc))
        return network

    def describe(self) -> Network:
        """The same network for the engine, which runs it in a page."""

        def array(tensor: torch.Tensor) -> np.ndarray:
            return tensor.detach().cpu().numpy()

        layers = [(array(layer.weight), array(layer.bias)) for layer in self._convolutions()]
        return describe_dlib(layers, array(self.fc.weight))

    def _convolutions(self) -> list[Any]:
        return [module for module in self.modules() if isinstance(module, nn.Conv2d)]


class SFace(nn.Module):
    """The network: (n, 3, 112, 112), normalised as in its card, -> (n, 128), not of unit length."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, 32, 3, padding=1), nn.PReLU(32)]
        inputs = 32
        for outputs, step in SFACE_PAIRS:
            layers += [nn.Conv2d(inputs, inputs, 3, step, padding=1, groups=inputs), nn.PReLU(inputs)]
            layers += [nn.Conv2d(inputs, outputs, 1), nn.PReLU(outputs)]
            inputs = outputs
        self.layers = nn.Sequential(*layers)
        self.fc = nn.Linear(inputs * 7 * 7, 128)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if len(x) > _TOGETHER and x.device.type == "cpu" and torch.is_inference_mode_enabled():
            return torch.cat([self.forward(part) for part in x.split(_TOGETHER)])
        return self.fc(torch.flatten(self.layers(x), 1))

    @classmethod
    def of(cls, layers: Iterable[tuple[np.ndarray, ...]], weight: np.ndarray, bias: np.ndarray) -> SFace:
        """The network with weight, bias and slope of each convolution, in order, and the linear layer's."""
        with torch.device("meta"):  # without memory for parameters: one that is not set below would be an error
            network = cls()

        def put(layer: Any, **arrays: np.ndarray) -> None:
            for part, array in arrays.items():
                setattr(layer, part, nn.Parameter(torch.from_numpy(np.require(array, requirements=["C", "W"]))))

        for (conv, activation), (kernels, shift, slope) in zip(network._pairs(), layers, strict=True):
            put(conv, weight=kernels, bias=shift)
            put(activation, weight=slope)
        put(network.fc, weight=weight, bias=bias)
        return network

    def describe(self) -> Network:
        """The same network for the engine, which runs it in a page."""

        def arrays(*tensors: torch.Tensor) -> tuple[np.ndarray, ...]:
            return tuple(tensor.detach().cpu().numpy() for tensor in tensors)

        layers = [arrays(conv.weight, conv.bias, activation.weight) for conv, activation in self._pairs()]
        return describe_sface(layers, *arrays(self.fc.weight, self.fc.bias))

    def _pairs(self) -> list[tuple[Any, Any]]:
        layers = list(self.layers)
        return list(zip(layers[::2], layers[1::2], strict=True))
