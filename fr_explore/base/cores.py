"""Where and how the work of many tiles runs: on all cores with one BLAS thread each, or on a GPU.

One Python thread per core and one BLAS thread per tile beats BLAS's own threads, because what comes after a product
(weights, sums, selection) then runs on all cores too; NumPy lets go of the interpreter meanwhile.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np

__all__ = ["cores", "host", "over", "resolve_device", "row_blocks"]

FEW = 2e9  # multiply-adds below which a GPU is not worth the copies
MANY = 1e11  # multiply-adds from which importing torch to look for a GPU is worth its two seconds


def resolve_device(device, work: float):
    """None for NumPy on the CPU, or a torch device.

    device : "cpu"; a torch device or its name; None or "auto" for a CUDA device, where there is one and `work`, in
        multiply-adds, is worth the way there.
    """
    device = None if isinstance(device, str) and device == "auto" else device
    if isinstance(device, str) and device == "cpu":
        return None
    if device is None and work < (FEW if "torch" in sys.modules else MANY):
        return None
    import torch

    if device is None:
        return torch.device("cuda") if torch.cuda.is_available() else None
    device = torch.device(device)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device {str(device)!r}: this machine has no CUDA device; leave device=None or give 'cpu'.")
    if device.type == "mps":
        raise ValueError("device 'mps' has no float64, which exact distances need: give 'cpu'.")
    return device


def host(array) -> np.ndarray:
    """The array in the memory of the CPU."""
    return array if isinstance(array, np.ndarray) else array.cpu().numpy()


def row_blocks(n: int, width: int) -> list[slice]:
    """0 ... n in slices of `width`."""
    return [slice(s, min(s + width, n)) for s in range(0, n, width)]


def cores() -> int:
    """How many cores this process may use, no more than its BLAS was told to (OMP_NUM_THREADS and the like)."""
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min([here, *(library["num_threads"] for library in _blas().info() if library["user_api"] == "blas")])


@cache
def _blas():
    """Found once: looking for the BLAS libraries takes longer than a tile."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def over(items: list, work: Callable[[Any], None], progress: bool = False, device=None) -> None:
    """Call `work` on each item, on all CPU cores with one BLAS thread each; one after the other on a GPU.

    A single item does without BLAS's threads too: once woken, they spin for a tenth of a second and take that time
    from whatever comes next.
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
