"""Run packed networks in Python: `network.wasm` through wasmtime, the same bits on every machine, without torch."""

from __future__ import annotations

import numpy as np

from ..base.shapes import Float32
from .instance import EngineError, Instance

__all__ = ["Runner"]


class Runner(Instance):
    """One packed network (`Network.pack`); EngineError if the module refuses it. Use it in one thread at a time."""

    def __init__(self, network: bytes) -> None:
        super().__init__("network")
        if not self._put(network):
            raise EngineError(f"a network of {len(network)} bytes: {self._words(1)}.")
        self._check(self._call("load", len(network)))
        self.shape = tuple(self._call("input_size", axis) for axis in range(3))

    def run(self, picture: Float32[np.ndarray, "height width channels"]) -> Float32[np.ndarray, "rows columns dim"]:
        """The network's first result for a picture, normalised as its model's card says."""
        if picture.shape != self.shape:
            raise EngineError(f"a picture of shape {picture.shape}: this network takes {self.shape}.")
        self._view(self._call("input"), picture.size)[:] = picture.ravel()
        self._check(self._call("run"))
        shape = tuple(self._call("output_size", 0, axis) for axis in range(3))
        return self._view(self._call("output", 0), int(np.prod(shape))).reshape(shape).copy()

    def _check(self, code: int) -> None:
        if code:
            raise EngineError(f"{self._words(code)} (layer {self._call('subject')}).")
