"""Give memory back: after many faces, the C library keeps tens of megabytes that nothing uses."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import TypeVar

__all__ = ["at_release", "passing", "release", "return_large"]

T = TypeVar("T")
_CLEARS: list[Callable[[], object]] = []

_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1  # of mallopt, from malloc.h
LARGE = 4 << 20  # below it, a network would ask for its intermediate arrays again and again, which takes longer


def return_large() -> None:
    """From now on, give arrays of 4 MB or more back to the system as soon as they are freed.

    By default glibc learns to keep them, in each thread apart: a kernel that had drawn twelve people on several threads
    kept 180 MB that nothing used and that `release` could not give back. Nothing happens without glibc.
    """
    with suppress(OSError, TypeError, AttributeError):
        for threshold in (_MMAP_THRESHOLD, _TRIM_THRESHOLD):
            ctypes.CDLL(None).mallopt(threshold, LARGE)


def passing(maxsize: int = 1) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """Like `lru_cache`, for results that are soon computed again: `release` forgets them."""

    def decorate(function: Callable[..., T]) -> Callable[..., T]:
        cached = lru_cache(maxsize)(function)
        _CLEARS.append(cached.cache_clear)
        return cached

    return decorate


def at_release(clear: Callable[[], None]) -> Callable[[], None]:
    """Call a function whenever memory is released; a decorator."""
    _CLEARS.append(clear)
    return clear


def release() -> None:
    """Forget `passing` results, call what is registered `at_release`, and return freed memory to the system.

    The last needs glibc.
    """
    for clear in _CLEARS:
        clear()
    with suppress(OSError, TypeError, AttributeError):  # TypeError: Windows has no library without a name
        ctypes.CDLL(None).malloc_trim(0)
