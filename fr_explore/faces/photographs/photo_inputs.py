"""What a person hands over as "photographs", listed: who is in it, what to call it, where its content is."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["collect"]

Item = tuple[Hashable, str, Any]


def collect(photos: Any) -> list[Item]:
    """Identity, name in tables, and source (path, bytes or array) of each photograph.

    Takes a folder, a file, bytes, an array, several of these, or a mapping from identity to one or several of
    these. Raises FileNotFoundError for a folder that is not there, TypeError for anything else.
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
    stems = _names([source for source in sources if isinstance(source, Path)])
    calls = [f"{'bytes' if isinstance(source, bytes) else 'array'} {i}" for i, source in enumerate(sources)]
    return _named(
        [stems[source] if isinstance(source, Path) else i for i, source in enumerate(sources)], sources, calls
    )


def _each(photo: Any) -> Sequence[Any]:
    return photo if isinstance(photo, (list, tuple)) else [photo]


def _named(identities: list[Hashable], sources: list[Any], calls: list[str]) -> list[Item]:
    """Files go by their names in tables, or by their paths where two have the same name; others by `calls`."""
    counts = Counter(source.name for source in sources if isinstance(source, Path))
    names = [
        call if not isinstance(source, Path) else source.name if counts[source.name] == 1 else str(source)
        for source, call in zip(sources, calls, strict=True)
    ]
    return list(zip(identities, names, sources, strict=True))


def _source(photo: Any) -> Any:
    if isinstance(photo, (str, os.PathLike)):
        return Path(photo)
    return bytes(photo) if isinstance(photo, (bytearray, memoryview)) else photo


def _in_folder(folder: Path) -> list[Item]:
    paths = list(_walk(folder))
    below = [path.relative_to(folder) for path in paths]
    names = _names(
        [path for path in paths if path.parent == folder],
        taken={part.parts[0] for part in below if len(part.parts) > 1},
    )
    return [
        (names[path] if path.parent == folder else part.parts[0], str(part), path)
        for path, part in zip(paths, below, strict=True)
    ]


def _walk(folder: Path) -> Iterator[Path]:
    """The files that are not hidden, in order; a folder that cannot be listed comes as itself, to be reported."""
    closed: list[Path] = []
    for root, folders, names in os.walk(folder, onerror=lambda error: closed.append(Path(error.filename))):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(root, name) for name in sorted(names) if not name.startswith("."))
    yield from closed


def _names(paths: list[Path], taken: Iterable[str] = ()) -> dict[Path, str]:
    """A name for each file: its stem, or as much of its path as tells it from the others and from those taken."""
    counts = Counter(taken)
    for path in set(paths):
        counts.update({path.stem, path.name})
    return {path: next((name for name in (path.stem, path.name) if counts[name] == 1), str(path)) for path in paths}
