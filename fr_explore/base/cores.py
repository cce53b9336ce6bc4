"""Run work on many tiles: on all cores with one BLAS thread each, or on a GPU.

One Python thread per core and one BLAS thread per tile beats BLAS's own threads, because the steps after a product
(weights, sums, selection) then run on all cores too; NumPy releases the interpreter lock meanwhile.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np

from .devices import torch_device
from .optional import has_torch, import_torch

__all__ = ["LIBRARIES", "cores", "host", "over", "resolve_device", "row_blocks", "spare_core"]

# Held while shared libraries are listed or one is loaded. Python keeps the interpreter's lock while it loads a library,
# and listing them keeps the loader's lock while it calls Python for each: together, they would wait forever
LIBRARIES = threading.Lock()

FEW = 2e9  # multiply-adds below which a GPU is not worth the copies
MANY = 1e11  # multiply-adds from which looking for a GPU is worth the two seconds that importing torch takes


def resolve_device(device: Any, work: float) -> Any:
    """None for NumPy on the CPU, or a torch device.

    device : "cpu"; a torch device or its name; None or "auto" for a CUDA device, if there is one and `work`, in
        multiply-adds, is worth the copies.
    """
    name = device.strip().lower() if isinstance(device, str) else device
    if name == "cpu":
        return None
    device = None if name == "auto" else device
    if device is None and work < (FEW if "torch" in sys.modules else MANY):
        return None
    if device is None and not has_torch():
        return None
    torch = import_torch(f"device {str(device)!r}")
    if device is None:
        return torch.device("cuda") if torch.cuda.is_available() else None
    if str(device).startswith("mps"):
        raise ValueError("device 'mps' has no float64, which exact distances need: give 'cpu'.")
    return torch_device(device)


def host(array: Any) -> np.ndarray:
    """The array in CPU memory."""
    return array if isinstance(array, np.ndarray) else array.cpu().numpy()


def row_blocks(n: int, width: int) -> list[slice]:
    """0 ... n in slices of `width`."""
    return [slice(s, min(s + width, n)) for s in range(0, n, width)]


def cores() -> int:
    """How many cores this process may use, at most as many as its BLAS may (OMP_NUM_THREADS and the like)."""
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min([here, *(library["num_threads"] for library in _blas().info() if library["user_api"] == "blas")])


def spare_core() -> bool:
    """Whether a second core seems to have nothing to do: the machine's load is below the number of cores."""
    return (count := cores()) > 1 and (not hasattr(os, "getloadavg") or os.getloadavg()[0] < count)


@cache
def _blas():
    """Cached, because finding the BLAS libraries takes longer than computing a tile."""
    from threadpoolctl import ThreadpoolController

    with LIBRARIES:
        return ThreadpoolController()


def over(items: list, work: Callable[[Any], None], progress: bool = False, device: Any = None) -> None:
    """Call `work` on each item, on all CPU cores with one BLAS thread each; in turn on a GPU.

    Even a single item uses one BLAS thread: others would spin for a tenth of a second afterwards and slow down
    whatever comes next.
    """
    from tqdm.auto import tqdm

    workers = cores()
    if device is not None or workers == 1:
        for item in tqdm(items, disable=not progress, leave=False):
            work(item)
        return
    with _blas().limit(limits=1, user_api="blas"), ThreadPoolExecutor(workers) as pool:
        for _ in tqdm(pool.map(work, items), total=len(items), disable=not progress, leave=False):
            pass
