"""The engine's networks in wasmtime: what the page does, for tests and benchmarks that compare it with torch."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import wasmtime

ENGINE = Path(__file__).parents[1] / "fr_explore" / "engine"


class Refused(ValueError):
    """A code other than 0, with the module's words."""


@functools.cache
def compiled(build: str) -> tuple[wasmtime.Engine, wasmtime.Module]:
    """The engine and the module of a build."""
    config = wasmtime.Config()
    config.wasm_relaxed_simd = True
    config.consume_fuel = build == "network-limited"
    engine = wasmtime.Engine(config)
    return engine, wasmtime.Module.from_file(engine, str(ENGINE / f"{build.removesuffix('-limited')}.wasm"))


class Host:
    """One packed network. `build`: "network", "network_relaxed", or "network-limited", which stops after `fuel`."""

    def __init__(self, blob: bytes, build: str = "network", fuel: int | None = None) -> None:
        engine, module = compiled(build)
        self._store = wasmtime.Store(engine)
        if fuel is not None:
            self._store.set_fuel(fuel)
        self.exports: Any = wasmtime.Instance(self._store, module, []).exports(self._store)
        self._memory = self.exports["memory"]
        at = self.call("inbox", len(blob))
        if at:
            self._memory.write(self._store, blob, at)
        self._check(self.call("load", len(blob)))
        self.shape = tuple(self.call("input_size", axis) for axis in range(3))

    def call(self, name: str, *arguments: int) -> int:
        """Call an export."""
        return self.exports[name](self._store, *arguments)

    def run(self, picture: np.ndarray, result: int = 0) -> np.ndarray:
        """One result of the network, (height, width, channels), for a normalised picture (height, width, 3)."""
        assert picture.shape == self.shape
        self._memory.write(self._store, np.ascontiguousarray(picture, "<f4").tobytes(), self.call("input"))
        self._check(self.call("run"))
        shape = tuple(self.call("output_size", result, axis) for axis in range(3))
        return np.frombuffer(self._read(self.call("output", result), 4 * int(np.prod(shape))), "<f4").reshape(shape)

    def embed(self, crops: np.ndarray) -> np.ndarray:
        """The vectors (n, dim) of normalised crops (n, 3, height, width)."""
        return np.stack([self.run(crop.transpose(1, 2, 0))[0, 0] for crop in crops])

    def words(self, code: int) -> str:
        """The module's words for a code."""
        data = bytes(self._read(self.call("words", code), 200))
        return data[: data.index(0)].decode()

    def _read(self, at: int, length: int) -> bytearray:
        return self._memory.read(self._store, at, at + length)

    def _check(self, code: int) -> None:
        if code:
            layer = self.call("subject")
            raise Refused(self.words(code) + (f" (layer {layer})" if layer >= 0 else ""))
