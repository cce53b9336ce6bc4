"""Pack named arrays into a blob for `renderer.wasm`; `memory.h` reads it."""

from __future__ import annotations

import struct
from collections.abc import Mapping

import numpy as np

__all__ = ["pack"]

VERSION = 2
ALIGNMENT = 16
KINDS = ("u1", "i1", "<u2", "<i2", "<i4", "<f2", "<f4")  # their order is that of `Kind` in memory.h
_HEADER, _SECTION = struct.Struct("<4s4sIII12x"), struct.Struct("<16sIII4x")


def pack(what: str, sections: Mapping[str, np.ndarray]) -> bytes:
    """Return a blob of a kind (four letters) with these sections: names of at most 15 letters -> arrays.

    The shape of an array is not stored. Its type must be one of `KINDS`.
    """
    kinds = [np.dtype(kind) for kind in KINDS]
    place = _HEADER.size + _SECTION.size * len(sections)
    table, data = [], []
    for name, array in sections.items():
        content = np.ascontiguousarray(array)
        if len(name) > 15 or content.dtype not in kinds:
            raise ValueError(f"section {name!r} of type {content.dtype}: use a name of at most 15 letters and {KINDS}.")
        gap = -place % ALIGNMENT
        table.append(_SECTION.pack(name.encode(), kinds.index(content.dtype), content.size, place + gap))
        data += [bytes(gap), content.tobytes()]
        place += gap + content.nbytes
    return b"".join([_HEADER.pack(b"FREX", what.encode(), VERSION, place, len(sections)), *table, *data])
