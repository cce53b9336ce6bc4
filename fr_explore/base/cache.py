"""The store of computed embeddings: content-addressed files that survive a kill at any moment.

- Where: the folder named by the environment variable FR_EXPLORE_CACHE, else the user's cache folder.
- A key is a hash of everything that determines the numbers (model, card, weights, faces, strengths or pictures, size).
  Entries never become invalid, and two processes that compute the same thing write the same file.
- An entry is written to a temporary file beside the target and moved into place: nobody sees a half-written one.
- Entries of an earlier FORMAT are never read: `outdated` says how many bytes they take, `clear` deletes them.
- Entries are .npz files without pickle. The zip's checksum detects damage; a damaged entry is deleted and recomputed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pooch

from .paths import as_path

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["clear", "entries", "folder", "key", "load", "outdated", "size", "store"]

FORMAT = 2  # raise it when the keys or the entries change their meaning
_DAMAGED = (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error)


def folder() -> Path:
    """The folder of the cache; it is created when something is stored."""
    return as_path(os.environ.get("FR_EXPLORE_CACHE") or pooch.os_cache("fr-explore"), "FR_EXPLORE_CACHE")


def key(*parts: object) -> str:
    """A file name derived from `parts`: arrays by type, shape and bytes, other objects by their repr."""
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
    """The stored array of this key, or None if there is none of this shape."""
    path = _path(name)
    try:
        array = _read(path)[0]
    except (FileNotFoundError, NotADirectoryError):
        return None
    except _DAMAGED:
        array = None
    if array is None or array.shape != shape:
        _remove(path)
        return None
    return array


def store(name: str, array: np.ndarray, about: Mapping[str, str] | None = None) -> None:
    """Store an array under a key; a full or read-only disk raises no error.

    about : facts for `entries` to show, such as {"model": "dlib"}.
    """
    path = _path(name)
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
            temporary = Path(file.name)
            np.savez(file, array=array, about=np.array(json.dumps(dict(about or {}))))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        if temporary is not None:
            _remove(temporary)


def entries() -> pd.DataFrame:
    """The cache's entries, newest first: one row for each stored block of embeddings.

    Columns: key, model, source (what was embedded), faces (how many), dim, bytes, stored (time), file.
    """
    import pandas as pd

    columns = ["key", "model", "source", "faces", "dim", "bytes", "stored", "file"]
    rows = [row for path in _files(".npz") if (row := _describe(path)) is not None]
    table = pd.DataFrame(rows, columns=columns).sort_values("stored", ascending=False, ignore_index=True)
    return table.assign(stored=pd.to_datetime(table["stored"], unit="s", utc=True))


def size() -> int:
    """Bytes on disk, including temporary files that a killed process left behind."""
    return sum(_bytes(path) for path in _files(".npz", ".part"))


def outdated() -> int:
    """Bytes of entries that an earlier version stored and this one never reads."""
    return sum(_bytes(path) for path in _earlier())


def clear(older_than_days: float = 0, only_outdated: bool = False) -> int:
    """Delete the cached embeddings, and return how many bytes that freed.

    older_than_days : delete only those of a certain age. only_outdated : delete only those of an earlier version.
    """
    freed, now = 0, time.time()
    for path in [*_earlier(), *([] if only_outdated else _files(".npz", ".part"))]:
        with contextlib.suppress(OSError):  # another process may clear at the same time
            status = path.stat()
            if older_than_days <= 0 or now - status.st_mtime > older_than_days * 86400:
                path.unlink()
                freed += status.st_size
    return freed


def _read(path: Path) -> tuple[np.ndarray, dict[str, str]]:
    """An entry and the facts stored with it; raises one of _DAMAGED for an incomplete file."""
    with path.open("rb") as file:
        entry = np.load(file, allow_pickle=False)
        if not isinstance(entry, np.lib.npyio.NpzFile):
            raise ValueError(f"{path.name} is not an .npz file")
        with entry:
            return entry["array"], json.loads(str(entry["about"]))


def _describe(path: Path) -> dict[str, object] | None:
    """One row of `entries`; None for a file that is damaged or was deleted meanwhile."""
    try:
        status = path.stat()
        array, about = _read(path)
    except _DAMAGED:
        return None
    return {
        "key": path.stem,
        "model": about.get("model", ""),
        "source": about.get("source", ""),
        "faces": array.shape[0] if array.ndim else 1,
        "dim": array.shape[-1] if array.ndim else 1,
        "bytes": status.st_size,
        "stored": status.st_mtime,
        "file": str(path),
    }


def _path(name: str) -> Path:
    return _home() / name[:2] / f"{name}.npz"


def _files(*suffixes: str) -> Iterator[Path]:
    return (path for path in _home().glob("*/*") if path.suffix in suffixes)


def _home() -> Path:
    return folder() / f"embeddings-{FORMAT}"


def _earlier() -> list[Path]:
    """Files of entries in earlier formats; version 0.1 kept them in `embeddings`."""
    names = ["embeddings", *(f"embeddings-{number}" for number in range(2, FORMAT))]
    return [path for name in names for path in (folder() / name).glob("*/*") if path.suffix in (".npz", ".part")]


def _bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # cleared by another process in the meantime
        return 0


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
