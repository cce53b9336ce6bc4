"""One thread for all that must not hold up a picture: figures of a drag, the map, tangents, estimates.

- A job is an iterator of short steps. The most urgent job goes first, and its place is asked for again after every
  step; a job that is given again under its name replaces the one that waits.
- A job may wait until the hand rests, because on two cores a busy thread is felt under a slider.
- One thread for all of them, so that a face source and a model meet two callers at most.
"""

from __future__ import annotations

import atexit
import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

__all__ = ["Desk", "Job"]

IDLE_SECONDS = 20.0  # without work for this long the thread ends; the next job starts another


@dataclass(eq=False)
class Job:
    """Steps, and when they may be taken.

    Parameters
    ----------
    rank : lower goes first. rest : seconds without a request before a step; patience : seconds after which it takes a
        step all the same. failed : told of an exception, which ends the job.
    """

    steps: Iterator
    rank: int
    rest: float = 0.0
    patience: float = math.inf
    failed: Callable[[Exception], None] = lambda problem: None
    last: float = field(default_factory=time.monotonic)


class Desk:
    """Takes jobs by name. `asked_at()` gives the time.monotonic() of the last request of a hand."""

    def __init__(self, asked_at: Callable[[], float]) -> None:
        self._asked_at = asked_at
        self._jobs: dict[str, Job] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopped = False

    def give(self, name: str, job: Job) -> None:
        """Add a job, or replace the one of this name."""
        with self._changed:
            if self._stopped:
                return
            self._jobs[name] = job
            self._changed.notify_all()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="fr-explore desk", daemon=True)
                # a thread inside torch while the interpreter takes itself apart can crash it
                atexit.register(self.stop)
                self._thread.start()

    def has(self, name: str) -> bool:
        """Whether a job of this name waits or works."""
        with self._changed:
            return name in self._jobs

    def drop(self, name: str) -> None:
        """Forget a job; a step that runs ends first."""
        with self._changed:
            self._jobs.pop(name, None)
            self._changed.notify_all()

    def wait(self, timeout: float | None = None, rank: float = math.inf) -> bool:
        """Return True once nothing of a lower `rank` is left to do, False after `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: all(job.rank >= rank for job in self._jobs.values()), timeout)

    def stop(self) -> None:
        """Forget all jobs and wait for the thread to end its step."""
        with self._changed:
            self._stopped, thread = True, self._thread
            self._jobs.clear()
            self._changed.notify_all()
        atexit.unregister(self.stop)
        if thread and thread is not threading.current_thread():
            thread.join(timeout=10)

    def _run(self) -> None:
        while (taken := self._next()) is not None:
            name, job = taken
            ended, problem = True, None
            try:
                ended = next(job.steps, self) is self
            except Exception as raised:
                problem = raised
            job.last = time.monotonic()
            if problem is not None:
                job.failed(problem)
            with self._changed:
                if ended and self._jobs.get(name) is job:
                    del self._jobs[name]
                    self._changed.notify_all()

    def _next(self) -> tuple[str, Job] | None:
        """The most urgent job that may take a step now, waited for; None to end the thread."""
        idle = time.monotonic() + IDLE_SECONDS
        with self._changed:
            while True:
                now = time.monotonic()
                if self._stopped or (not self._jobs and now > idle):
                    self._thread = None
                    atexit.unregister(self.stop)
                    return None
                quiet = now - self._asked_at()
                ready = [(n, j) for n, j in self._jobs.items() if quiet >= j.rest or now - j.last >= j.patience]
                if ready:
                    return min(ready, key=lambda item: item[1].rank)
                self._changed.wait(0.05 if self._jobs else IDLE_SECONDS)
