"""The store of computed embeddings: content-addressed files that survive a kill at any moment.

- Where: the folder named by the environment variable FR_EXPLORE_CACHE, else the user's cache folder.
- A key is a hash of all that determines the numbers (model, card, faces, strengths, size); there is nothing to
  invalidate, and two processes that compute the same thing write the same file.
- Written to a temporary file beside the target, then moved into place: a half-written entry is never seen.
- Plain .npy files without pickle; one that does not load is thrown away and computed again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

import numpy as np
import pooch

__all__ = ["clear", "folder", "key", "load", "size", "store"]


def folder() -> Path:
    """The folder of the cache; not created before something is stored."""
    return Path(os.environ.get("FR_EXPLORE_CACHE") or pooch.os_cache("fr-explore"))


def key(*parts: object) -> str:
    """A file name for whatever `parts` say; arrays by type, shape and bytes, other things by their repr."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(f"{part.dtype.str}{part.shape}".encode())
            digest.update(np.ascontiguousarray(part).tobytes())
        else:
            digest.update(repr(part).encode())
        digest.update(b"\0")
    return digest.hexdigest()[:40]


def load(name: str, shape: tuple[int, ...]) -> np.ndarray | None:
    """The stored array of this key and shape, or None."""
    path = _path(name)
    try:
        array = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, EOFError):
        array = None
    if array is None or array.shape != shape:
        path.unlink(missing_ok=True)
        return None
    return array


def store(name: str, array: np.ndarray) -> None:
    """Keep an array under a key. A full or read-only disk costs the cache, never the result."""
    path = _path(name)
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
            temporary = Path(file.name)
            np.save(file, array, allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def size() -> int:
    """Bytes that the cached embeddings take."""
    return sum(path.stat().st_size for path in _entries())


def clear() -> int:
    """Delete the cached embeddings and return how many bytes that freed."""
    freed = size()
    for path in _entries():
        path.unlink(missing_ok=True)
    return freed


def _path(name: str) -> Path:
    return folder() / "embeddings" / name[:2] / f"{name}.npy"


def _entries() -> list[Path]:
    return [path for path in (folder() / "embeddings").glob("*/*") if path.suffix in (".npy", ".part")]
