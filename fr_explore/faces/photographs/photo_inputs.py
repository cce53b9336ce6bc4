"""List what a caller passes as photographs: who each one shows, its name in tables, and where its content is."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["Item", "collect"]

Item = tuple[Hashable, str, object]


def collect(photos: Any) -> list[Item]:
    """Return identity, name in tables, and source (path, bytes or array) of each photograph.

    Parameters
    ----------
    photos : a folder, a file, bytes, an array, several of these, or a mapping from identity to one or several.

    Raises
    ------
    FileNotFoundError : no such folder or file.
    TypeError : anything else.
    """
    if isinstance(photos, (str, os.PathLike)):
        path = Path(photos)
        if not path.exists():
            raise FileNotFoundError(f"no such folder or file: {str(photos)!r}.")
        return _in_folder(path) if path.is_dir() else [(path.stem, path.name, path)]
    if isinstance(photos, Mapping):
        several = [(identity, k, each) for identity, photo in photos.items() for k, each in enumerate(_each(photo))]
        calls = [f"{identity} {k}" if k else str(identity) for identity, k, _ in several]
        return _named([identity for identity, _, _ in several], [_source(photo) for _, _, photo in several], calls)
    if isinstance(photos, (bytes, bytearray, memoryview)) or (isinstance(photos, np.ndarray) and photos.ndim in (2, 3)):
        photos = [photos]
    if not isinstance(photos, Iterable):
        raise TypeError(
            f"photos is of type {type(photos).__name__}: give a folder, files, bytes, arrays, or a mapping from "
            "identity to one or several of these."
        )
    sources = [_source(photo) for photo in photos]
    stems = _unique_names([source for source in sources if isinstance(source, Path)])
    identities = [stems[source] if isinstance(source, Path) else i for i, source in enumerate(sources)]
    calls = [f"{'bytes' if isinstance(source, bytes) else 'array'} {i}" for i, source in enumerate(sources)]
    return _named(identities, sources, calls)


def _each(photo: object) -> Sequence[object]:
    return photo if isinstance(photo, (list, tuple)) else [photo]


def _source(photo: object) -> object:
    if isinstance(photo, (str, os.PathLike)):
        return Path(photo)
    return bytes(photo) if isinstance(photo, (bytearray, memoryview)) else photo


def _named(identities: Sequence[Hashable], sources: list[object], calls: list[str]) -> list[Item]:
    """Name a file by its name, or by its path if another file has the same name; name other sources by `calls`."""
    counts = Counter(source.name for source in sources if isinstance(source, Path))
    names = [
        call if not isinstance(source, Path) else source.name if counts[source.name] == 1 else str(source)
        for source, call in zip(sources, calls, strict=True)
    ]
    return list(zip(identities, names, sources, strict=True))


def _in_folder(folder: Path) -> list[Item]:
    """List a folder: a sub-folder's files show one identity, named after it; other files are an identity each."""
    paths = [(path, path.relative_to(folder)) for path in _walk(folder)]
    people = {below.parts[0] for _, below in paths if len(below.parts) > 1}
    names = _unique_names([path for path, below in paths if len(below.parts) == 1], people)
    return [(names.get(path, below.parts[0]), str(below), path) for path, below in paths]


def _walk(folder: Path) -> Iterator[Path]:
    """Yield the files that are not hidden, sorted; a folder that cannot be listed is yielded itself, to be reported."""
    closed: list[Path] = []
    for root, folders, names in os.walk(folder, onerror=lambda error: closed.append(Path(error.filename))):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(root, name) for name in sorted(names) if not name.startswith("."))
    yield from closed


def _unique_names(paths: list[Path], taken: Iterable[str] = ()) -> dict[Path, str]:
    """Name each file by its stem, its name or its path: the first of them that no other file has and none `taken`."""
    counts = Counter(taken)
    for path in set(paths):
        counts.update({path.stem, path.name})
    return {path: next((name for name in (path.stem, path.name) if counts[name] == 1), str(path)) for path in paths}
