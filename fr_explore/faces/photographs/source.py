"""`Photographs`: pictures of real people as a face source, edited in memory and never written anywhere."""

from __future__ import annotations

import copy
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from ...attributes import ATTRIBUTES, PHOTOGRAPH_ATTRIBUTES, Attribute, check_strengths
from ..base import Face
from .decode import PictureError, check_array, decode, digest, read_bytes
from .detect import Detection, find_faces
from .edits import placement, retouch
from .photo_inputs import collect
from .portrait_crop import Cutout, square

__all__ = ["Photographs"]

EDITOR = "1"  # goes into the fingerprint: raise it whenever the same request would give other pixels


@dataclass(frozen=True, slots=True, eq=False)
class _Photograph:
    """One photograph with a face; `source` is its path, or its bytes or pixels where there is no file."""

    identity: Hashable
    name: str
    source: Path | bytes | np.ndarray
    content: str
    size: tuple[int, int]
    faces: tuple[Detection, ...]
    face: int
    remarks: tuple[str, ...]

    def pixels(self) -> np.ndarray:
        """Read anew, because pixels of many photographs do not fit into memory."""
        data, content = _load(self.source)
        if content != self.content:
            raise PictureError(f"{self.name} has changed since it was read: make a new Photographs")
        return _decode(data)[0]


class Photographs:
    """Faces in photographs, as a source of faces whose pictures can be edited.

    Photographs stay where they are and are read when needed; nothing about them is written to disk, and `fr.embed`
    keeps none of their embeddings there unless it is told to, because they identify a person.

    Parameters
    ----------
    photos : a folder, a file, bytes of a file, an array (height, width[, 3 or 4]), several of these, or a mapping
        from identity to one or several of these. In a folder, the pictures in a sub-folder show one identity, named
        after it; the others are named after their files. Hidden files are passed over.
    progress : show a progress bar while faces are looked for, at about 0.1 s each.

    Attributes
    ----------
    table : one row for each photograph with a face: identity, file, which one stands for its identity (shown), how
        many faces it has and which one is used, sizes in pixels, notes.
    problems : one row for each that is left out: file and reason.
    private : True; `fr.embed` relies on it.

    Raises
    ------
    ValueError : no photograph shows a face; the text gives the reasons. FileNotFoundError : no such folder.

    >>> photos = Photographs("holiday/")
    >>> photos.render("anna", {"rotation": 10, "mask": 1})
    Face(160 x 160 px, landmarks known)
    """

    private = True

    def __init__(self, photos: Any, *, progress: bool = True) -> None:
        named = collect(photos)
        self._photos: list[_Photograph] = []
        problems: list[tuple[str, str]] = []
        for identity, name, source in tqdm(named, unit="photo", desc="find faces", disable=not progress):
            try:
                self._photos.append(_examine(identity, name, source))
            except PictureError as error:
                problems.append((name, str(error)))
        self.problems = pd.DataFrame(problems, columns=["file", "reason"])
        if not self._photos:
            reasons = "; ".join(f"{name}: {reason}" for name, reason in problems[:5]) or "no files"
            raise ValueError(f"none of {len(named)} photographs shows a face that can be used: {reasons}.")
        self._shown = {photo.identity: i for i, photo in reversed(list(enumerate(self._photos)))}
        self._recent = _Recent(6)

    @property
    def attributes(self) -> Mapping[str, Attribute]:
        """What a photograph takes: the image attributes, and those of `PHOTOGRAPH_ATTRIBUTES` besides."""
        return {name: ATTRIBUTES[name] for name in PHOTOGRAPH_ATTRIBUTES}

    @property
    def identities(self) -> tuple[Hashable, ...]:
        return tuple(dict.fromkeys(photo.identity for photo in self._photos))

    @property
    def fingerprint(self) -> str:
        """Follows from the content of the photographs and the faces chosen in them, not from where they lie."""
        state = hashlib.sha256(EDITOR.encode())
        for identity in self.identities:
            photo = self._photos[self._shown[identity]]
            state.update(f"{identity!r} {photo.content}".encode())
            state.update(photo.faces[photo.face].landmarks.tobytes())
        return state.hexdigest()[:16]

    @property
    def table(self) -> pd.DataFrame:
        """One row for each photograph with a face, see the class."""
        return pd.DataFrame([self._row(i, photo) for i, photo in enumerate(self._photos)])

    def __repr__(self) -> str:
        found, lost = len(self._photos), len(self.problems)
        return f"Photographs({len(self.identities)} identities, {found} photographs, {lost} problems)"

    def render(self, identity: Hashable, strengths: Mapping[str, float] | None = None, size: int = 160) -> Face:
        """The portrait of one identity; with no strengths, the untouched crop around its face."""
        values = check_strengths(strengths, PHOTOGRAPH_ATTRIBUTES)
        return self._portrait(self._index(identity), values, size)

    def render_batch(
        self, identities: Sequence[Hashable], strengths: Sequence[Mapping[str, float]], size: int = 160
    ) -> list[Face]:
        """Many portraits."""
        if len(identities) != len(strengths):
            raise ValueError(f"{len(identities)} identities and {len(strengths)} strengths: give as many of each.")
        return [self.render(identity, values, size) for identity, values in zip(identities, strengths, strict=True)]

    def faces_of(self, identity: Hashable, size: int = 160) -> list[Face]:
        """Every face in the photograph that stands for an identity, the largest first, to choose with `with_face`."""
        photo = self._photos[self._index(identity)]
        pixels = photo.pixels()
        return [Face(*Cutout(pixels, found.landmarks, size).portrait()) for found in photo.faces]

    def with_face(self, identity: Hashable, face: int = 0, photograph: int = 0) -> Photographs:
        """A copy in which another face (0: the largest) of another photograph (0: the first) stands for an identity."""
        own = [
            i for i, photo in enumerate(self._photos) if photo.identity == self._photos[self._index(identity)].identity
        ]
        if photograph not in range(len(own)):
            raise ValueError(f"photograph = {photograph!r}: {identity!r} has {len(own)}, counted from 0.")
        i = own[photograph]
        if face not in range(len(self._photos[i].faces)):
            raise ValueError(
                f"face = {face!r}: {self._photos[i].name} shows {len(self._photos[i].faces)}, counted from 0."
            )
        other = copy.copy(self)
        other._photos = [replace(photo, face=face) if j == i else photo for j, photo in enumerate(self._photos)]
        other._shown = {**self._shown, identity: i}
        other._recent = _Recent(6)
        return other

    # as a set of images: every photograph once, unedited ------------------------------------------------------------

    @property
    def labels(self) -> pd.DataFrame:
        """No labels: one row for each photograph, no column."""
        return pd.DataFrame(index=pd.Index([photo.name for photo in self._photos], name="file"))

    def content(self, i: int) -> str:
        """What decides the pixels of photograph i."""
        photo = self._photos[i]
        return f"photograph {EDITOR} {photo.content} {photo.faces[photo.face].landmarks.tolist()}"

    def face(self, i: int, size: int = 160) -> Face:
        """The untouched portrait from photograph i of `table`."""
        return self._portrait(i, check_strengths({}, PHOTOGRAPH_ATTRIBUTES), size)

    def _portrait(self, i: int, values: Mapping[str, float], size: int) -> Face:
        photo = self._photos[i]
        landmarks = photo.faces[photo.face].landmarks
        cutout = self._recent.get((i, size), lambda: Cutout(photo.pixels(), landmarks, size))
        moves = any(values[name] != ATTRIBUTES[name].neutral for name in ("rotation", "zoom", "shift"))
        pixels, landmarks = cutout.portrait(placement(values, size) if moves else None)
        return Face(retouch(pixels, landmarks, values, seed=int(photo.content[:8], 16)), landmarks)

    def _index(self, identity: Hashable) -> int:
        try:
            return self._shown[identity]
        except (KeyError, TypeError):
            some = ", ".join(map(repr, self.identities[:10])) + (", ..." if len(self.identities) > 10 else "")
            raise ValueError(f"unknown identity {identity!r}: choose from {some}.") from None

    def _row(self, i: int, photo: _Photograph) -> dict[str, object]:
        used = photo.faces[photo.face]
        notes = list(photo.remarks)
        if len(photo.faces) > 1:
            which = "the largest" if photo.face == 0 else f"number {photo.face}"
            notes.insert(0, f"{len(photo.faces)} faces: {which} is used, others by with_face")
        side = square(used.landmarks)[2]
        if side < 80:
            notes.append(f"small face: the portrait is {side:.0f} px wide in the photograph")
        return {
            "identity": photo.identity,
            "file": photo.name,
            "shown": self._shown[photo.identity] == i,
            "faces": len(photo.faces),
            "face": photo.face,
            "width": photo.size[0],
            "height": photo.size[1],
            "portrait_width": round(side),
            "certainty": round(used.score, 3),
            "notes": "; ".join(notes),
        }


class _Recent:
    """The last few things that were made, for a slider that asks for the same face again and again."""

    def __init__(self, limit: int) -> None:
        self._limit, self._items, self._lock = limit, OrderedDict(), threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        with self._lock:
            if key in self._items:
                self._items.move_to_end(key)
                return self._items[key]
        made = make()
        with self._lock:
            self._items[key] = made
            while len(self._items) > self._limit:
                self._items.popitem(last=False)
        return made

    def __reduce__(self):  # a copy in another process starts empty
        return _Recent, (self._limit,)


def _examine(identity: Hashable, name: str, source: Any) -> _Photograph:
    data, content = _load(source)
    pixels, remarks = _decode(data)
    found = find_faces(pixels)
    if not found:
        raise PictureError("no face found")
    height, width = pixels.shape[:2]
    kept = data if not isinstance(source, Path) else source
    return _Photograph(identity, name, kept, content, (width, height), tuple(found), 0, tuple(remarks))


def _load(source: Any) -> tuple[bytes | np.ndarray, str]:
    """The content of a source and its hash."""
    if isinstance(source, Path):
        source = read_bytes(source)
    elif isinstance(source, (bytes, bytearray, memoryview)):
        source = bytes(source)
    else:
        source = check_array(source)
    return source, digest(source)


def _decode(data: bytes | np.ndarray) -> tuple[np.ndarray, list[str]]:
    return decode(data) if isinstance(data, bytes) else (data, [])
