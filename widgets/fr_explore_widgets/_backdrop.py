"""The gallery made in the background, so that the first face is there at once and the map follows."""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ._engine import Engine
from ._gallery import Gallery, collect, pick

__all__ = ["Backdrop"]

MOST_IDENTITIES = 24
PROGRESS_EVERY = 8
# seconds: a hand that has not moved a slider for this long rests; the map waits at most this long for it, each time
HAND_RESTS = 0.3
LONGEST_PAUSE = 1.0


class Backdrop:
    """Runs `collect` on a thread under the widget's lock, chunk by chunk, and publishes the result in its traits."""

    def __init__(self, engine: Engine, variations: int, seed: int) -> None:
        if variations < 2:
            raise ValueError(f"variations = {variations}: give at least 2, a variation is a distance between two.")
        identities = pick(list(engine.places), MOST_IDENTITIES)
        self._engine = engine
        self._steps = collect(engine.faces, engine.model, identities, variations, engine.size, seed)
        self._stop, self._done = threading.Event(), threading.Event()
        self._problem: Exception | None = None
        self._thread: threading.Thread | None = None
        self.gallery: Gallery | None = None

    def start(self, widget: Any, ready: Callable[[], None]) -> None:
        """Begin; `ready` is called once the map stands."""
        self._thread = threading.Thread(target=self._run, args=(widget, ready), name="gallery", daemon=True)
        # a thread inside torch while the interpreter takes itself apart can crash it
        atexit.register(self.stop)
        self._thread.start()

    def project(self, vector: np.ndarray) -> list[float] | None:
        """Where an embedding falls on the map, or None before there is one."""
        return None if self.gallery is None else [float(v) for v in self.gallery.project(vector)]

    def wait(self, timeout: float | None = None) -> None:
        """Return when the map stands; raise what stopped it, or TimeoutError."""
        if not self._done.wait(timeout):
            raise TimeoutError(f"the gallery was not ready after {timeout:g} s: wait longer, or give fewer variations.")
        if self._problem is not None:
            raise self._problem

    def stop(self) -> None:
        """End the thread at its next chunk and wait for it."""
        self._stop.set()
        atexit.unregister(self.stop)
        if self._thread and self._thread is not threading.current_thread():
            self._thread.join(timeout=10)

    def _run(self, widget: Any, ready: Callable[[], None]) -> None:
        try:
            while not self._stop.is_set():
                with widget._lock:
                    step = next(self._steps)
                    if isinstance(step, Gallery):
                        self._publish(widget, step)
                        ready()
                        return
                    if step[0] % PROGRESS_EVERY == 0:
                        widget.gallery = {"done": step[0], "all": step[1]}
                _give_way(widget)
        except Exception as problem:
            self._problem = problem
            widget.gallery = {"failed": f"{type(problem).__name__}: {problem}"}
        finally:
            self._done.set()

    def _publish(self, widget: Any, gallery: Gallery) -> None:
        self.gallery = gallery
        with widget.hold_sync():
            widget.sprite = np.ascontiguousarray(gallery.thumbs).tobytes()
            widget.gallery = gallery.for_browser(self._engine.places)


def _give_way(widget: Any) -> None:
    """Let the sliders go first: a lock is not fair, and the map can wait while a hand moves, a second per chunk."""
    time.sleep(0.002)
    end = time.monotonic() + LONGEST_PAUSE
    while time.monotonic() < end and time.monotonic() - widget.asked_at < HAND_RESTS:
        time.sleep(0.05)
