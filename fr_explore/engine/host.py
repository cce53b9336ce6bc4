"""Draw faces and edit pictures with the engine in Python; `README.md` describes the interface of its module.

A call borrows an instance for itself, so threads run at the same time, without the GIL.
"""

from __future__ import annotations

import atexit
import ctypes
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np

from ..base.cores import cores, spare_core
from ..base.memory import at_release
from .instance import EngineError, Instance

__all__ = ["Renderer", "adjust", "grain", "render", "render_run"]

SMALLEST_HALVED = 64  # side of a picture in pixels: a smaller one takes longer in two threads
KEPT = 256 << 20  # bytes of memory above which an instance is dropped after its call: memory never shrinks


class Renderer(Instance):
    """One instance of the module that draws faces. Use it in one thread at a time."""

    def __init__(self) -> None:
        super().__init__("renderer")
        self._head: bytes | None = None
        self._people: dict[bytes, int] = {}  # blob -> slot; the one used last is at the end
        self._slots = range(self._call("slots"))
        lines = self._text(self._call("parameters")).splitlines()
        self.rules = {name: tuple(map(float, rest)) for name, *rest in (line.split() for line in lines)}
        self._values = self._view(self._call("values"), len(lines)).copy()

    def bytes_used(self) -> int:
        """Size of the instance's memory."""
        return self._memory.data_len(self._store)

    def knows(self, person: bytes) -> bool:
        """Whether a person is attached."""
        return person in self._people

    def render(
        self, head: bytes, person: bytes, values: Mapping[str, float], size: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw a person; return float32 pixels (size, size, 3) and landmarks (5, 2). See `render` of this module."""
        self.draw(head, person, values, size, 0, size)
        return self.finish(size)

    def draw(self, head: bytes, person: bytes, values: Mapping[str, float], size: int, top: int, bottom: int) -> None:
        """Draw rows of a person's picture, without its image attributes."""
        slot = self._slot(head, person)
        self._set(values)
        self._check(self._call("rows", slot, size, top, bottom))

    def rows(self, size: int, top: int) -> np.ndarray:
        """A view of the picture's rows from `top` on, valid until the next call."""
        return self._view(self._call("out"), size * size * 3)[top * size * 3 :]

    def finish(self, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Apply the image attributes to the picture that was drawn; return what `render` returns."""
        self._check(self._call("finish"))
        marks = self._view(self._call("landmarks"), 10).reshape(5, 2).copy()
        return self._result(size, size), marks

    def adjust(self, pixels: np.ndarray, values: Mapping[str, float], seed: int) -> np.ndarray:
        """Apply image attributes to a picture (height, width, 3); return float32 pixels in [0, 1]."""
        height, width = pixels.shape[:2]
        at = self._call("picture", width, height)
        if not at:
            raise EngineError(f"a picture of {width} x {height} px: {self._words(1)}; reduce it first.")
        self._view(at, pixels.size)[:] = np.asarray(pixels, np.float32).ravel()
        self._set(values)
        self._check(self._call("adjust", seed))
        return self._result(height, width)

    def grain(self, height: int, width: int, seed: int) -> np.ndarray:
        """Return the grain (height, width, 3) of a seed: standard normal values."""
        self._check(self._call("grain", width, height, seed))
        return self._result(height, width)

    def rgba(self, height: int, width: int) -> np.ndarray:
        """Return the last picture in 8 bits (height, width, 4)."""
        return self._view(self._call("rgba"), height * width * 4, ctypes.c_uint8).reshape(height, width, 4).copy()

    def _slot(self, head: bytes, person: bytes) -> int:
        """Return the slot of a person, who is attached if necessary; the one not used for longest makes room."""
        if self._head is not head and self._head != head:
            self._call("reset")
            self._head = None
            self._people.clear()
            self._attach(head, "attach_head")
            self._head = head
        slot = self._people.pop(person, None)
        if slot is None:
            free = len(self._people) < len(self._slots)
            slot = len(self._people) if free else self._people.pop(next(iter(self._people)))
            self._attach(person, "attach_person", slot)
        self._people[person] = slot
        return slot

    def _attach(self, blob: bytes, function: str, *arguments: int) -> None:
        if not self._put(blob):
            raise EngineError(f"{function}, {len(blob)} bytes: {self._words(1)}.")
        self._check(self._call(function, len(blob), *arguments))

    def _set(self, values: Mapping[str, float]) -> None:
        for i, (name, rule) in enumerate(self.rules.items()):
            self._values[i] = values.get(name, rule[2])
        self._view(self._call("values"), len(self.rules))[:] = self._values

    def _result(self, height: int, width: int) -> np.ndarray:
        return self._view(self._call("out"), height * width * 3).reshape(height, width, 3).copy()

    def _check(self, code: int) -> None:
        if code:
            about = self._text(self._call("subject"))
            raise EngineError(f"{self._words(code)}{f' ({about})' if about else ''}.")


_idle: list[Renderer] = []
_lent = 0  # how many instances are in use
_lock = threading.Lock()


@atexit.register
def _release() -> None:
    """Free the instances before their modules, which `instance` frees."""
    _idle.clear()


@at_release
def _keep_one() -> None:
    """Each idle instance keeps some 50 MB; another one is ready after some 50 ms, when a face is drawn."""
    with _lock:
        del _idle[1:]


@contextmanager
def _borrowed(person: bytes = b"") -> Iterator[Renderer]:
    """Lend an idle instance, if possible one that knows the person; an instance that failed is not used again."""
    global _lent
    with _lock:
        known = next((i for i, idle in enumerate(_idle) if idle.knows(person)), 0)
        renderer = _idle.pop(known) if _idle else None
        _lent += 1
    try:
        renderer = renderer or Renderer()
        yield renderer
        if renderer.bytes_used() <= KEPT:
            with _lock:
                _idle.insert(0, renderer)  # the one used last is lent first
                # more than one for each core, or two for a picture's halves, would only wait for each other
                if len(_idle) > 2:
                    del _idle[max(2, cores()) :]
    finally:
        with _lock:
            _lent -= 1


def render(head: bytes, person: bytes, values: Mapping[str, float], size: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw a person; return float32 pixels (size, size, 3) in [0, 1] and landmarks (5, 2).

    Parameters
    ----------
    head, person : blobs. Pass the same objects again, so that the engine need not read them again.
    values : parameter -> value; parameters not given are neutral.
    size : 32 to 2048.

    Raises
    ------
    EngineError : a blob, value or size that the module does not accept.
    """
    if not _halves(size):
        with _borrowed(person) as renderer:
            return renderer.render(head, person, values, size)
    middle = size // 2
    with _borrowed(person) as upper, _borrowed(person) as lower, ThreadPoolExecutor(1) as second:
        rest = second.submit(lower.draw, head, person, values, size, middle, size)
        upper.draw(head, person, values, size, 0, middle)
        rest.result()
        upper.rows(size, middle)[:] = lower.rows(size, middle)
        return upper.finish(size)


def _halves(size: int) -> bool:
    """Whether to draw the halves of a picture at the same time: not of the first, and not on a busy machine."""
    return bool(_idle) and not _lent and size >= SMALLEST_HALVED and spare_core()


def render_run(
    head: bytes, run: Sequence[tuple[bytes, Mapping[str, float]]], size: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Draw several (person, values) in one instance, which reuses what neighbours have in common; see `render`."""
    with _borrowed(run[0][0]) as renderer:
        return [renderer.render(head, person, values, size) for person, values in run]


def adjust(pixels: np.ndarray, values: Mapping[str, float], seed: int) -> np.ndarray:
    """Apply image attributes to a picture (height, width, 3); return float32 pixels in [0, 1]."""
    with _borrowed() as renderer:
        return renderer.adjust(pixels, values, seed)


def grain(height: int, width: int, seed: int) -> np.ndarray:
    """Return the grain (height, width, 3) of a seed: standard normal values."""
    with _borrowed() as renderer:
        return renderer.grain(height, width, seed)
