"""Give memory back: after many faces, the C library keeps tens of megabytes that nothing uses."""

from __future__ import annotations

import ctypes
from contextlib import suppress

__all__ = ["release"]


def release() -> None:
    """Return freed memory to the system; nothing happens where the C library is not glibc."""
    with suppress(OSError, TypeError, AttributeError):  # TypeError: Windows has no library without a name
        ctypes.CDLL(None).malloc_trim(0)
