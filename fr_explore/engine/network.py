"""Packs a network for the page: a description, layer by layer, as the bytes that `network.c` runs.

A model of `fr_explore.models` describes its torch network with a `Network`; torch itself is not needed here:

    net = Network(height=150, width=150)
    x = net.convolution(net.picture, weight, bias, step=2, activation="relu")
    x = net.largest(x, 3, step=2)
    net.result(net.dense(net.mean(x), matrix))
    blob = net.pack("int8")

Methods that add a layer return a `Value`, the tensor that the layer computes; its `shape` is (height, width, channels).
Weights are ordered as torch orders them. Batch normalisation has no layer: fold it into the convolution before
(`folded`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np

__all__ = ["Activation", "Network", "Precision", "Value", "folded"]

Activation: TypeAlias = Literal["none", "relu", "prelu", "sigmoid"]
Precision: TypeAlias = Literal["float32", "float16", "int8"]

# the numbers of the format, as in network.c
_MAGIC, _VERSION, _NO_ARRAY = 0x54454E46, 2, -1
_OPERATIONS = ("convolution", "depthwise", "largest", "largest_partial", "mean", "enlarge", "add", "normalise")
_ACTIVATIONS = ("none", "relu", "prelu", "sigmoid")
_TYPES = ("float32", "float16", "int8")
_MOST_SLOTS = 64
_LARGEST_HALF = 65504
_FINER: dict[Precision, Precision] = {"float32": "float32", "float16": "float32", "int8": "float16"}
_FINER_SHARE = 0.1  # of the weights


@dataclass(frozen=True)
class Value:
    """A tensor between layers: the number of the layer that computes it (-1: the picture), and its shape."""

    layer: int
    shape: tuple[int, int, int]


@dataclass
class _Layer:
    operation: str
    inputs: tuple[Value, ...]
    shape: tuple[int, int, int]
    kernel: tuple[int, int] = (0, 0)
    step: int = 0
    padding: int = 0
    activation: str = "none"
    weight: np.ndarray | None = None
    bias: np.ndarray | None = None
    slope: np.ndarray | None = None


@dataclass
class _Arrays:
    """The table of arrays, and their bytes, each at a multiple of four."""

    table: list[tuple[int, int, int, int]] = field(default_factory=list)  # offsets from the start of `data`
    data: bytearray = field(default_factory=bytearray)

    def add(self, array: np.ndarray | None, precision: Precision) -> int:
        """The place of the array in the table."""
        if array is None:
            return _NO_ARRAY
        array = np.asarray(array)
        if not np.isfinite(array).all():
            raise ValueError("a weight of the network is not finite: it cannot be packed.")
        if precision == "float16" and np.abs(array).max() > _LARGEST_HALF:
            raise ValueError(
                f"a weight of {np.abs(array).max():g} exceeds float16's {_LARGEST_HALF}: pack the network as float32."
            )
        if precision == "int8":
            scale, numbers = _int8(array.astype(np.float32))
            data = scale.tobytes() + numbers.tobytes()
        else:
            data = array.astype("<f2" if precision == "float16" else "<f4").tobytes()
        self.table.append((_TYPES.index(precision), len(array), array.size, len(self.data)))
        self.data += data + bytes(-len(data) % 4)
        return len(self.table) - 1


class Network:
    """A network under construction. `picture` is its input, (height, width, 3), normalised as the model's card says."""

    def __init__(self, height: int, width: int, channels: int = 3) -> None:
        self.picture = Value(-1, (height, width, channels))
        self._layers: list[_Layer] = []
        self._results: list[Value] = []

    def convolution(
        self,
        x: Value,
        weight: np.ndarray,
        bias: np.ndarray | None = None,
        *,
        depthwise: bool = False,
        step: int = 1,
        padding: int = 0,
        activation: Activation = "none",
        slope: np.ndarray | None = None,
    ) -> Value:
        """A convolution with weights (outputs, inputs, rows, columns); `slope`: of "prelu", one number per output.

        With `depthwise`, each channel has a kernel of its own: weights (channels, 1, rows, columns).
        """
        weight, channels = np.asarray(weight), x.shape[2]
        outputs, inputs = (channels, 1) if depthwise else (len(weight), channels)
        if weight.ndim != 4 or weight.shape[:2] != (outputs, inputs):
            wanted = f"({channels}, 1, rows, columns)" if depthwise else f"(outputs, {channels}, rows, columns)"
            raise ValueError(
                f"weights of a {'depthwise ' if depthwise else ''}convolution have shape {weight.shape}: give "
                f"{wanted}, as its input has {channels} channels."
            )
        for name, array in (("bias", bias), ("slope", slope)):
            if array is not None and np.shape(array) != (outputs,):
                raise ValueError(f"{name} has shape {np.shape(array)}: give one number for each of {outputs} channels.")
        kernel = (weight.shape[2], weight.shape[3])
        shape = (*_windows(x, kernel, step, padding), outputs)
        operation = "depthwise" if depthwise else "convolution"
        return self._add(_Layer(operation, (x,), shape, kernel, step, padding, activation, weight, bias, slope))

    def dense(
        self,
        x: Value,
        weight: np.ndarray,
        bias: np.ndarray | None = None,
        *,
        activation: Activation = "none",
        slope: np.ndarray | None = None,
    ) -> Value:
        """A linear map (outputs, inputs) of all numbers of x, in torch's order: channel, row, column."""
        height, width, channels = x.shape
        weight = np.asarray(weight)
        if weight.ndim != 2 or weight.shape[1] != height * width * channels:
            raise ValueError(
                f"weights of a dense layer have shape {weight.shape}: give (outputs, {height * width * channels}), as "
                f"its input has shape {x.shape}."
            )
        kernels = weight.reshape(len(weight), channels, height, width)
        return self.convolution(x, kernels, bias, activation=activation, slope=slope)

    def largest(self, x: Value, size: int, *, step: int, padding: int = 0, partial: bool = False) -> Value:
        """Max pooling over windows of `size` x `size`; what is outside the input does not count.

        With `partial`, a last window that begins in the input and ends outside counts too (torch's `ceil_mode`).
        """
        shape = (*_windows(x, (size, size), step, padding, partial), x.shape[2])
        operation = "largest_partial" if partial else "largest"
        return self._add(_Layer(operation, (x,), shape, (size, size), step, padding))

    def mean(self, x: Value, size: int | None = None) -> Value:
        """Average pooling over windows of `size` x `size` side by side; without a size, over all pixels."""
        kernel = (size, size) if size else x.shape[:2]
        shape = (*_windows(x, kernel, kernel[0], 0), x.shape[2])
        return self._add(_Layer("mean", (x,), shape, kernel, kernel[0]))

    def enlarge(self, x: Value) -> Value:
        """Doubles height and width; each pixel becomes four."""
        height, width, channels = x.shape
        return self._add(_Layer("enlarge", (x,), (2 * height, 2 * width, channels)))

    def add(self, x: Value, y: Value, *, activation: Activation = "none") -> Value:
        """The sum. Where shapes differ, zeros fill the smaller one at the bottom, at the right and in the channels."""
        height, width, channels = (max(a, b) for a, b in zip(x.shape, y.shape, strict=True))
        return self._add(_Layer("add", (x, y), (height, width, channels), activation=activation))

    def normalise(self, x: Value) -> Value:
        """Each pixel's vector of channels at length 1."""
        return self._add(_Layer("normalise", (x,), x.shape))

    def result(self, x: Value) -> None:
        """Make `x` a result of the network: the next one in order."""
        self._results.append(x)

    def pack(self, precision: Precision = "float16") -> bytes:
        """The network's bytes, with weights in the given precision; biases and slopes remain float32.

        "int8" has one scale per output channel. The smallest layers, with a tenth of the weights, are one precision
        finer: they cost little and are the first and the narrow ones, whose errors all later layers inherit.
        """
        if precision not in _TYPES:
            raise ValueError(f"precision {precision!r}: give one of {', '.join(_TYPES)}.")
        if not self._results:
            raise ValueError("the network has no result: call `result(value)` for each of its outputs.")
        slots, count = self._slots()
        finer, arrays, records = self._smallest(_FINER_SHARE), _Arrays(), []
        for i, layer in enumerate(self._layers):
            weight = arrays.add(layer.weight, _FINER[precision] if i in finer else precision)
            places = (weight, *(arrays.add(array, "float32") for array in (layer.bias, layer.slope)))
            first, second = slots[layer.inputs[0].layer], slots[layer.inputs[-1].layer]
            records.append((
                _OPERATIONS.index(layer.operation), first, second, slots[i], *layer.kernel, layer.step, layer.padding,
                layer.shape[2], _ACTIVATIONS.index(layer.activation), self._border(i), *places,
            ))  # fmt: skip
        head = (len(records), len(arrays.table), count, len(self._results), *self.picture.shape, self._border(-1))
        results = [slots[value.layer] for value in self._results]
        numbers = [_MAGIC, _VERSION, *head, *results, *(n for record in records for n in record)]
        start = 4 * (len(numbers) + 4 * len(arrays.table))
        numbers += [n for kind, rows, values, offset in arrays.table for n in (kind, rows, values, start + offset)]
        return np.array(numbers, "<i4").tobytes() + bytes(arrays.data)

    def _add(self, layer: _Layer) -> Value:
        if layer.activation not in _ACTIVATIONS:
            raise ValueError(f"activation {layer.activation!r}: give one of {', '.join(_ACTIVATIONS)}.")
        if (layer.activation == "prelu") != (layer.slope is not None):
            raise ValueError("slopes belong to the activation 'prelu', and it needs them: one number per channel.")
        self._layers.append(layer)
        return Value(len(self._layers) - 1, layer.shape)

    def _smallest(self, share: float) -> set[int]:
        """The layers with the fewest weights, which together have at most a share of all weights."""
        sizes = sorted((layer.weight.size, i) for i, layer in enumerate(self._layers) if layer.weight is not None)
        sums = np.cumsum([size for size, _ in sizes])
        return {i for (_, i), total in zip(sizes, sums, strict=True) if total <= share * sums[-1]}

    def _border(self, layer: int) -> int:
        """How many zero pixels the convolutions that read a layer's tensor need around it."""
        readers = [other for other in self._layers if any(value.layer == layer for value in other.inputs)]
        return max((other.padding for other in readers if other.weight is not None), default=0)

    def _slots(self) -> tuple[dict[int, int], int]:
        """The slot of each layer's tensor, and how many slots there are: a slot is free after its last reader."""
        last = {value.layer: i for i, layer in enumerate(self._layers) for value in layer.inputs}
        last |= {value.layer: len(self._layers) for value in self._results}
        slots, free, count = {-1: 0}, [], 1
        for i, layer in enumerate(self._layers):
            if not free:
                free.append(count)
                count += 1
            slots[i] = free.pop()
            ended = {value.layer for value in layer.inputs if last[value.layer] == i}
            free += sorted({slots[value] for value in ended} | ({slots[i]} if i not in last else set()), reverse=True)
        if count > _MOST_SLOTS:
            raise ValueError(f"the network keeps {count} tensors at once, more than {_MOST_SLOTS}.")
        return slots, count


def folded(
    weight: np.ndarray, gamma: np.ndarray, beta: np.ndarray, mean: np.ndarray, variance: np.ndarray, epsilon: float
) -> tuple[np.ndarray, np.ndarray]:
    """Weights and bias that do the work of a layer without bias and of the batch normalisation behind it.

    gamma (W x - mean) / sqrt(variance + epsilon) + beta = (g W) x + (beta - g mean)
    with g = gamma / sqrt(variance + epsilon)
    """
    gain = np.asarray(gamma, np.float64) / np.sqrt(np.asarray(variance, np.float64) + epsilon)
    scaled = np.asarray(weight, np.float64) * gain.reshape(-1, *[1] * (np.ndim(weight) - 1))
    return scaled.astype(np.float32), (beta - gain * mean).astype(np.float32)


def _int8(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One scale for each output channel, and whole numbers from -127 to 127 with weight = scale * number.

    Rounding to the nearest would shift the mean of an output, because inputs behind a ReLU are all positive. So numbers
    are rounded such that their errors cancel in each kernel, and then in each row of kernels: some are rounded the
    other way, those closest to the middle between two numbers. The idea is that of C. Guo et al., SQuant, ICLR 2022.
    """
    kernels = weight.reshape(len(weight), weight.shape[1], -1)
    largest = np.abs(kernels).max(axis=(1, 2), keepdims=True)
    scale = np.where(largest > 0, largest / 127, 1).astype("<f4")
    exact = kernels / scale
    numbers = np.rint(exact)
    numbers += _corrections(exact - numbers)
    error = exact - numbers
    move = _corrections(error.sum(axis=2))[..., None]  # which kernels change by one, in the number that helps most
    place = np.argmax(error * move, axis=2)[..., None]
    np.put_along_axis(numbers, place, np.take_along_axis(numbers, place, 2) + move, 2)
    return scale, np.clip(numbers, -127, 127).astype(np.int8)


def _corrections(error: np.ndarray) -> np.ndarray:
    """-1, 0 or 1 for each number of (..., n), such that the errors minus these sum to at most 0.5, either way."""
    excess = np.rint(error.sum(axis=-1, keepdims=True))
    sign = np.sign(excess)
    rank = np.argsort(np.argsort(-error * sign, axis=-1), axis=-1)
    return np.where(rank < np.abs(excess), sign, 0)


def _windows(x: Value, kernel: Sequence[int], step: int, padding: int, partial: bool = False) -> tuple[int, int]:
    """How many windows fit in each direction; `partial`: or begin in the input."""
    sides = [(length + 2 * padding - size) // step + 1 for length, size in zip(x.shape[:2], kernel, strict=True)]
    if partial and min(sides) >= 1:
        most = [(length + padding - 1) // step + 1 for length in x.shape[:2]]
        up = [-(-(length + 2 * padding - size) // step) + 1 for length, size in zip(x.shape[:2], kernel, strict=True)]
        sides = [min(pair) for pair in zip(up, most, strict=True)]
    if min(sides) < 1:
        raise ValueError(f"a kernel of {kernel[0]} x {kernel[1]} does not fit into a tensor of shape {x.shape}.")
    return sides[0], sides[1]
