"""A Dask cluster on this machine, for a `with` block.

Workers are processes that import the main script again (Python's start method "spawn"). A script that starts a cluster
when it is imported would start one in each worker, so `local_cluster` refuses such a script before anything starts.
"""

from __future__ import annotations

import ast
import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from ..base.optional import import_extra

__all__ = ["local_cluster"]

_ADVICE = (
    "every worker imports the script again, so keep it in a file, with the code that starts the cluster below "
    '`if __name__ == "__main__":`.'
)


@contextlib.contextmanager
def local_cluster(workers: int | None = None, memory: str = "2 GiB", dashboard: bool = False) -> Iterator[Any]:
    """A Dask client with its own worker processes on this machine, one thread each, for a `with` block.

    Parameters
    ----------
    workers : by default one per core.
    memory : limit of a worker. Dask pauses it at 80 % and restarts it at 95 %.
    dashboard : serve Dask's dashboard at the loopback address `client.dashboard_link`. It has no password or token,
        so every user who is logged in on this machine can read it: do not use it on a shared machine. To see the
        dashboard of a remote machine, forward its port P: `ssh -L P:127.0.0.1:P machine`, then open 127.0.0.1:P.

    All ports are on the loopback interface. Scheduler and workers require a key that is made for this cluster and kept
    in memory, because anyone who reaches a scheduler can run code.

    Call it in a notebook, or in a script below `if __name__ == "__main__":`. RuntimeError elsewhere in a script, and if
    the workers do not start.

    >>> with fr.local_cluster(workers=4) as client:
    ...     embeddings = fr.embed(lattice, model, store="run.zarr", client=client)
    """
    _check_script(sys._getframe())
    distributed = import_extra("distributed", "dask", "A local cluster")
    config = import_extra("dask.config", "dask", "A local cluster")
    # by default Dask makes the C library return every freed block at once, which makes torch and NumPy three times as
    # slow, because they need the next block right away
    settings: dict[str, Any] = {"distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": None}
    if not dashboard:  # serve no pages at all
        settings["distributed.scheduler.http.routes"] = []
    with config.set(settings), _words_for_failure():
        cluster = distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            memory_limit=memory,
            host="127.0.0.1",
            protocol="tls",
            security=distributed.Security.temporary(),
            dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": dashboard},
            worker_dashboard_address="127.0.0.1:0",
        )
    with cluster, cluster.get_client() as client:
        yield client


@contextlib.contextmanager
def _words_for_failure() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise RuntimeError(f"the workers of the cluster did not start ({error}). In a script, {_ADVICE}") from error


def _check_script(frame: FrameType | None) -> None:
    """Raise RuntimeError if this call comes from the top level of the main script without its guard, or in a worker."""
    while frame is not None:
        name, at_top = frame.f_globals.get("__name__"), frame.f_code.co_name == "<module>"
        if at_top and (name == "__mp_main__" or (name == "__main__" and not _is_guarded(frame))):
            where = f"{frame.f_code.co_filename}, line {frame.f_lineno}"
            raise RuntimeError(f"{where} starts a cluster of processes: {_ADVICE}")
        frame = frame.f_back


def _is_guarded(frame: FrameType) -> bool:
    """Whether the current line is in an `if` about `__name__`, or the workers have no file to import."""
    file = frame.f_globals.get("__file__")
    if not file or frame.f_code.co_filename != file:  # a notebook's cell, `python -c`
        return True
    try:
        tree = ast.parse(Path(file).read_bytes())
    except (OSError, SyntaxError):  # standard input, a program in a zip file: workers cannot import them either
        return False
    here = [part for part in tree.body if part.lineno <= frame.f_lineno <= (part.end_lineno or part.lineno)]
    return any(isinstance(part, ast.If) and "__name__" in ast.unparse(part.test) for part in here)
