"""List what a caller passes as photographs: who each one shows, its name in tables, and where its content is."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ...base.paths import as_path, is_system_file, shown
from ...base.values import check_unlike
from .decode import PictureError

__all__ = ["Item", "collect"]

# identity, name in tables, source, and whether it is said who the identity is: by a key or a folder, not a file name
Item = tuple[Hashable, str, object, bool]


def collect(photos: Any) -> list[Item]:
    """Return what `Item` says of each photograph; its source is a path, bytes, an array, a PIL image or a reason.

    Parameters
    ----------
    photos : a folder, a file, bytes, an array, a PIL image, several of these, or a mapping from identity to one or
        several.

    Raises
    ------
    FileNotFoundError : no such folder or file.
    TypeError : anything else.
    """
    if isinstance(photos, (str, os.PathLike)):
        path = as_path(photos, "photos")
        if not os.path.exists(path):
            raise FileNotFoundError(f"no such folder or file: {str(path)!r}.")
        return _in_folder(path) if path.is_dir() else [(shown(path.stem), shown(path.name), path, False)]
    if isinstance(photos, Mapping):
        check_unlike(photos)
        several = [(identity, k, each) for identity, photo in photos.items() for k, each in enumerate(_each(photo))]
        calls = [f"{identity} {k}" if k else str(identity) for identity, k, _ in several]
        return _named([identity for identity, _, _ in several], [source for _, _, source in several], calls, True)
    alone = isinstance(photos, (bytes, bytearray, memoryview, Image.Image)) or hasattr(photos, "read")
    if alone or (isinstance(photos, np.ndarray) and photos.ndim in (2, 3)):
        photos = [photos]
    if not isinstance(photos, Iterable):
        raise TypeError(
            f"photos is of type {type(photos).__name__}: give a folder, files, bytes, arrays, PIL images, or a "
            "mapping from identity to one or several of these."
        )
    sources = [_source(photo) for photo in photos]
    stems = _unique_names([source for source in sources if isinstance(source, Path)])
    identities = [stems[source] if isinstance(source, Path) else i for i, source in enumerate(sources)]
    kinds = {bytes: "bytes", Image.Image: "image"}
    calls = [
        f"{next((word for kind, word in kinds.items() if isinstance(source, kind)), 'array')} {i}"
        for i, source in enumerate(sources)
    ]
    return _named(identities, sources, calls, False)


def _each(photo: object) -> Iterator[object]:
    """Yield the sources of one identity; a folder stands for its pictures."""
    for source in map(_source, photo if isinstance(photo, (list, tuple)) else [photo]):
        if isinstance(source, Path) and os.path.isdir(source):
            yield from (found for _, found in _walk(source))
        else:
            yield source


def _source(photo: Any) -> object:
    if isinstance(photo, (str, os.PathLike)):
        return as_path(photo, "photos")
    photo = photo.read() if hasattr(photo, "read") else photo
    return bytes(photo) if isinstance(photo, (bytearray, memoryview)) else photo


def _named(identities: Sequence[Hashable], sources: list[object], calls: list[str], known: bool) -> list[Item]:
    """Name a file by its name, or by its path if another file has the same name; name other sources by `calls`."""
    counts = Counter(source.name for source in sources if isinstance(source, Path))
    names = [
        call if not isinstance(source, Path) else shown(source.name if counts[source.name] == 1 else str(source))
        for source, call in zip(sources, calls, strict=True)
    ]
    return [(*one, known) for one in zip(identities, names, sources, strict=True)]


def _in_folder(folder: Path) -> list[Item]:
    """List a folder: a sub-folder's files show one identity, named after it; other files are an identity each."""
    found = [(path, path.relative_to(folder), source) for path, source in _walk(folder)]
    people = {shown(below.parts[0]) for _, below, _ in found if len(below.parts) > 1}
    names = _unique_names([path for path, below, _ in found if len(below.parts) == 1], people)
    return [
        (names.get(path, shown(below.parts[0])), shown(below.as_posix()), source, len(below.parts) > 1)
        for path, below, source in found
    ]


def _walk(folder: Path) -> Iterator[tuple[Path, Path | PictureError]]:
    """Yield the files that are not hidden, sorted, with their path or the reason why they are left out.

    Linked folders are read after the others, and each folder once. A folder that cannot be listed is yielded itself.
    """
    closed: list[Path] = []
    links, read = [folder], set()
    for start in links:
        target, around = os.path.realpath(start), [os.path.realpath(path) for path in (folder, start.parent)]
        if start != folder and any(os.path.commonpath([target, path]) == target for path in around):
            yield start, PictureError("a link to a folder that contains it: not followed")
            continue
        for root, folders, names in os.walk(start, onerror=lambda error: closed.append(Path(error.filename))):
            if (real := os.path.realpath(root)) in read:
                folders.clear()
                yield Path(root), PictureError("a link to a folder that is read already")
                continue
            read.add(real)
            below = [Path(root, name) for name in sorted(folders) if not is_system_file(name)]
            links += [path for path in below if path.is_symlink()]
            folders[:] = [path.name for path in below if not path.is_symlink()]
            files = [Path(root, name) for name in sorted(names) if not is_system_file(name)]
            yield from zip(files, files, strict=True)
    yield from ((path, path) for path in closed)


def _unique_names(paths: list[Path], taken: Iterable[str] = ()) -> dict[Path, str]:
    """Name each file by its stem, its name or its path: the first of them that no other file has and none `taken`."""
    choices = {path: [shown(name) for name in (path.stem, path.name, str(path))] for path in paths}
    counts = Counter(taken)
    for names in choices.values():
        counts.update(set(names[:2]))
    return {path: next((name for name in names[:2] if counts[name] == 1), names[2]) for path, names in choices.items()}
