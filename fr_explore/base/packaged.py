"""Weights inside installed packages: a file is found without importing its package, checked by its SHA-256, and read.

`read_onnx` reads ONNX files (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto) whose weights are stored in them,
in float32 or in int8 by blocks. Fifty lines do what is needed here, so that no package is needed for it.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Node", "packaged_file", "read_onnx"]

_TYPES = {1: "<f4", 3: "i1", 7: "<i8"}  # onnx.proto, TensorProto.DataType


class Node(NamedTuple):
    """One node of an ONNX graph: its operation, the names of what it reads and writes, its whole-number attributes."""

    operation: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    numbers: dict[str, int]


def packaged_file(package: str, name: str, sha256: str) -> bytes | None:
    """The bytes of a file of an installed package, which is not imported; None if the package is not installed.

    Raises
    ------
    ValueError : the package lacks the file, or the file is not the one with this SHA-256.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / name
    if not path.is_file():
        raise ValueError(f"the package {package!r} has no {name}: another version is needed; install it again.")
    data = path.read_bytes()
    if (found := hashlib.sha256(data).hexdigest()) != sha256:
        raise ValueError(
            f"{path.name} has SHA-256 {found}, expected {sha256}: it is damaged or another file; install {package!r} "
            "again."
        )
    return data


def read_onnx(data: bytes) -> tuple[list[Node], dict[str, np.ndarray]]:
    """The nodes of an ONNX graph that compute something, and its arrays by name.

    Arrays stored as int8 come as float32: value = (number - zero point) * scale, one scale for each block of numbers
    in a row. Nodes that only restore arrays (DequantizeLinear, Reshape) are not returned; their results are arrays.
    """
    graph = _one(data, 7)
    arrays = dict(_array(field) for number, field in _fields(graph) if number == 5)
    nodes = []
    for node in (_node(field) for number, field in _fields(graph) if number == 1):
        given = [arrays.get(name) for name in node.inputs]
        if node.operation == "DequantizeLinear":
            arrays[node.outputs[0]] = _dequantised(*(arrays[name] for name in node.inputs), node.numbers["block_size"])
        elif node.operation == "Reshape" and given[0] is not None and given[1] is not None:
            arrays[node.outputs[0]] = given[0].reshape(given[1])
        else:
            nodes.append(node)
    return nodes, arrays


def _dequantised(numbers: np.ndarray, scale: np.ndarray, zero: np.ndarray, block: int) -> np.ndarray:
    """Numbers (..., n) with a scale and a zero point for each `block` of them; the last block may be shorter."""
    scale, zero = (np.repeat(values, block, -1)[..., : numbers.shape[-1]] for values in (scale, zero))
    return (numbers.astype(np.float32) - zero) * scale


def _array(data: bytes) -> tuple[str, np.ndarray]:
    """A TensorProto: its name and its numbers."""
    shape: list[int] = []
    kind, name, raw = 0, "", b""
    for number, value in _fields(data):
        if number == 1:  # packed, or one at a time
            shape += list(_varints(value)) if isinstance(value, bytes) else [value]
        elif number == 2:
            kind = value
        elif number == 8:
            name = value.decode()
        elif number in (4, 5, 7, 9):  # float_data, int32_data, int64_data (packed), raw_data
            raw = np.array(list(_varints(value)), _TYPES[kind]).tobytes() if number in (5, 7) else value
    if kind not in _TYPES:
        raise ValueError(f"the ONNX array {name!r} has type {kind}: only float32, int8 and int64 are read.")
    return name, np.frombuffer(raw, _TYPES[kind]).reshape(shape)


def _node(data: bytes) -> Node:
    texts: dict[int, list[str]] = {1: [], 2: [], 4: []}
    numbers = {}
    for number, value in _fields(data):
        if number in texts:
            texts[number].append(value.decode())
        elif number == 5 and 3 in (attribute := dict(_fields(value))):
            numbers[attribute[1].decode()] = attribute[3]
    return Node(texts[4][0], tuple(texts[1]), tuple(texts[2]), numbers)


def _one(data: bytes, wanted: int) -> bytes:
    return next(value for number, value in _fields(data) if number == wanted)


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """The fields of a protobuf message: number, and bytes or an integer."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(data, at)
        else:
            length, at = _varint(data, at) if kind == 2 else ({1: 8, 5: 4}[kind], at)
            value, at = data[at : at + length], at + length
        yield key >> 3, value


def _varints(data: bytes) -> Iterator[int]:
    at = 0
    while at < len(data):
        value, at = _varint(data, at)
        yield value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """The integer at a place, seven bits a byte, and the place after it."""
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 128:
            return value, at
