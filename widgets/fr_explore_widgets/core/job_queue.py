"""Work in the background of a widget: one thread for each widget, jobs in short steps, the most urgent job first.

How to use it
- Derive the widget from `BackgroundWidget`. Write each job as a generator: compute a little, publish it (set traits
  while holding `self._lock`), yield. Between two steps a more urgent job and the user's requests get their turn.
- Start a job with `self.jobs.start(name, steps, rank)`. Starting another job of the same name replaces the first one.
- `self._report("Rendering faces", done, total)` sets the `progress` trait, `self._report()` clears it.
- An exception ends its job. The widget shows it with the advice in `failure`, and `wait()` raises it. A job that needs
  another treatment passes `failed=`.
- `wait` and `close` are inherited. A subclass sets what `wait` says on a timeout in `late`.

Why one thread: a face source and a model then have at most two callers, the user's requests and this thread.
"""

from __future__ import annotations

import atexit
import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar, Self

import traitlets

from fr_explore.base import memory

from .base import LabWidget, WidgetError

__all__ = ["BackgroundWidget", "Job", "JobQueue"]

IDLE_SECONDS = 20.0  # the thread ends after this long without work; the next job starts another thread


@dataclass(eq=False)
class Job:
    """Steps, and when they may run.

    Parameters
    ----------
    rank : lower ranks run first. rest : seconds without a user request before a step may run, because on two cores a
        busy thread makes the slider lag. patience : seconds after which a step runs without such a rest.
    failed : called with the exception that ended the job.
    """

    steps: Iterator
    rank: float
    rest: float
    patience: float
    failed: Callable[[Exception], None]
    last_step: float = field(default_factory=time.monotonic)


class JobQueue:
    """Runs jobs by name. `last_request()` is the `time.monotonic()` of the user's last request."""

    def __init__(self, last_request: Callable[[], float], failed: Callable[[Exception], None]) -> None:
        self._last_request, self._failed = last_request, failed
        self._jobs: dict[str, Job] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopped = False
        memory.return_large()  # a kernel stays small beside others

    def start(
        self,
        name: str,
        steps: Iterator,
        rank: float = 0,
        *,
        rest: float = 0.0,
        patience: float = math.inf,
        failed: Callable[[Exception], None] | None = None,
    ) -> Job:
        """Add a job, or replace the one of this name; see `Job`. After `stop` it does nothing."""
        job = Job(steps, rank, rest, patience, failed or self._failed)
        with self._changed:
            if self._stopped:
                return job
            self._jobs[name] = job
            self._changed.notify_all()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="fr-explore jobs", daemon=True)
                # a thread that is inside torch while the interpreter shuts down can crash it
                atexit.register(self.stop)
                self._thread.start()
        return job

    def has(self, name: str) -> bool:
        """Whether a job of this name is waiting or running."""
        with self._changed:
            return name in self._jobs

    def wait(self, timeout: float | None = None, below: float = math.inf) -> bool:
        """Return True once no job with a rank lower than `below` is left, False after `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: all(job.rank >= below for job in self._jobs.values()), timeout)

    def stop(self) -> None:
        """Drop all jobs and wait until the thread has finished its step."""
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
            ended = True
            try:
                ended = next(job.steps, self) is self
            except Exception as problem:
                job.failed(problem)
            job.last_step = time.monotonic()
            with self._changed:
                if ended and self._jobs.get(name) is job:
                    del self._jobs[name]
                    self._changed.notify_all()
            if ended and not self._jobs:
                memory.release()

    def _next(self) -> tuple[str, Job] | None:
        """Wait for the most urgent job that may run a step now; None ends the thread."""
        idle = time.monotonic() + IDLE_SECONDS
        with self._changed:
            while True:
                now = time.monotonic()
                if self._stopped or (not self._jobs and now > idle):
                    self._thread = None
                    atexit.unregister(self.stop)
                    return None
                quiet = now - self._last_request()
                ready = [(n, j) for n, j in self._jobs.items() if quiet >= j.rest or now - j.last_step >= j.patience]
                if ready:
                    return min(ready, key=lambda item: item[1].rank)
                self._changed.wait(0.05 if self._jobs else IDLE_SECONDS)


class BackgroundWidget(LabWidget):
    """A `LabWidget` with a job queue, `self.jobs`, that exists before any trait is set."""

    # what happened and what to do, where a job fails
    failure: ClassVar[tuple[str, str]] = ("This could not be computed.", "Fix the cause and try again.")
    late: ClassVar[str] = "the computation was not ready after {timeout:g} s: wait longer."
    awaited: ClassVar[float] = math.inf  # `wait` ignores jobs of this rank and above

    progress = traitlets.Dict().tag(sync=True)  # {what, done, all}, or empty

    def __init__(self, **traits: object) -> None:
        self.jobs = JobQueue(lambda: self.asked_at, self._job_failed)
        self.problem: Exception | None = None  # what `wait` raises
        super().__init__(**traits)

    def wait(self, timeout: float | None = None) -> Self:
        """Return when the work in the background is done. Raises what stopped it, or TimeoutError."""
        if not self.jobs.wait(timeout, self.awaited):
            raise TimeoutError(self.late.format(timeout=timeout))
        if self.problem is not None:
            raise self.problem
        return self

    def close(self) -> None:
        """Stop the work in the background and remove the widget from every page."""
        if jobs := vars(self).get("jobs"):  # a constructor that refused its arguments may have set none
            jobs.stop()
        super().close()

    def _report(self, what: str = "", done: int = 0, total: int = 0) -> None:
        with self._lock:
            self.progress = {"what": what, "done": done, "all": total} if what else {}

    def _job_failed(self, problem: Exception) -> None:
        shown = problem if isinstance(problem, WidgetError) else WidgetError(*self.failure)
        if shown is not problem:
            shown.__cause__ = problem
        self.problem = shown
        with self._lock:
            self.progress = {}
            self._show_error(shown)
