"""The engine's modules in Python through wasmtime: compiled once, with an instance for each that needs its memory.

The first call, not the package, imports `wasmtime` and compiles a module; `prepare` does both in the background.
"""

from __future__ import annotations

import atexit
import ctypes
import threading
from contextlib import suppress
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np

from ..base.cores import LIBRARIES

__all__ = ["EngineError", "Instance", "prepare"]


class EngineError(RuntimeError):
    """The engine refused a blob, a size or a parameter, or failed."""


_compiling = threading.Lock()  # held while a module is compiled


def prepare() -> None:
    """Begin to compile the renderer in the background, once per process; an error comes with the first call."""
    if not _compiled.cache_info().currsize and not _compiling.locked():
        threading.Thread(target=_compile_quietly, name="fr-explore-engine", daemon=True).start()


def _compile_quietly() -> None:
    with suppress(ImportError, EngineError), _compiling:
        _compiled("renderer")


@lru_cache
def _compiled(name: str) -> tuple[Any, Any]:
    """Return wasmtime's engine and the compiled module of a name."""
    try:
        with LIBRARIES:
            import wasmtime
    except (ImportError, OSError) as reason:  # OSError: the library inside the wheel does not load
        raise ImportError(
            f"the engine, which draws faces, needs the package wasmtime, which cannot be loaded here ({reason}): run "
            "'pip install wasmtime'. If it has no wheel for this machine, use Linux, macOS or Windows on x86-64 or "
            "ARM64, or read embeddings that were computed elsewhere (fr.read_lattice)."
        ) from reason
    code = resources.files("fr_explore.engine").joinpath(f"{name}.wasm").read_bytes()
    try:
        engine = wasmtime.Engine()
        return engine, wasmtime.Module(engine, code)
    except wasmtime.WasmtimeError as reason:
        from importlib import metadata  # slow to import

        text = f"cannot compile the engine ({_first_line(reason)}): run 'pip install -U wasmtime'."
        raise EngineError(f"wasmtime {metadata.version('wasmtime')} {text}") from None


@atexit.register
def _release() -> None:
    """Free the modules while wasmtime can still do it: at exit, its own modules disappear first."""
    with _compiling:
        _compiled.cache_clear()


def _first_line(reason: Exception) -> str:
    return str(reason).splitlines()[0] if str(reason) else type(reason).__name__


class Instance:
    """One instance of a module: its calls and its memory. Use it in one thread at a time."""

    def __init__(self, module: str) -> None:
        import wasmtime

        with _compiling:
            engine, compiled = _compiled(module)
        try:
            self._store = wasmtime.Store(engine)
            self._exports: Any = wasmtime.Instance(self._store, compiled, []).exports(self._store)
        except wasmtime.WasmtimeError as reason:
            raise EngineError(
                f"the engine gets no memory ({_first_line(reason)}): it reserves 4 GB of addresses. Raise "
                "a limit such as `ulimit -v`, or use fewer threads."
            ) from None
        self._memory = self._exports["memory"]

    def _put(self, data: bytes) -> bool:
        """Copy data into the module's inbox; False if it gets no memory for it."""
        if at := self._call("inbox", len(data)):
            self._view(at, len(data), ctypes.c_uint8)[:] = np.frombuffer(data, np.uint8)
        return bool(at)

    def _call(self, function: str, *arguments: int) -> int:
        from wasmtime import Trap, WasmtimeError

        try:
            result = self._exports[function](self._store, *(x - 2**32 if x >= 2**31 else x for x in arguments))
        except (Trap, WasmtimeError) as reason:
            text = f"the engine failed in {function}: {_first_line(reason)}. Please report it with the request."
            raise EngineError(text) from None
        return 0 if result is None else result & 0xFFFFFFFF

    def _words(self, code: int) -> str:
        return self._text(self._call("words", code))

    def _text(self, at: int) -> str:
        return ctypes.string_at(self._address(at)).decode()

    def _address(self, at: int) -> int:
        return ctypes.addressof(self._memory.data_ptr(self._store).contents) + at

    def _view(self, at: int, count: int, kind: Any = ctypes.c_float) -> np.ndarray:
        """An array over the module's memory; valid until the next call."""
        return np.ctypeslib.as_array((kind * count).from_address(self._address(at)))
