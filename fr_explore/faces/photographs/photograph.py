"""One photograph with the faces that were found in it; its pixels are read again when they are needed."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from .decode import NO_FACE, PictureError, check_array, decode, digest, from_pil, read_bytes
from .detect import Detection, find_faces
from .portrait_crop import square

__all__ = ["Photograph", "examined"]

SMALL = 80  # width in pixels below which a note calls a portrait small


@dataclass(frozen=True, slots=True, eq=False)
class Photograph:
    """One photograph with a face; `source` is its path, or its bytes or pixels if there is no file."""

    identity: Hashable
    name: str
    source: Path | bytes | np.ndarray
    content: str
    size: tuple[int, int]
    faces: tuple[Detection, ...]
    face: int
    notes: tuple[str, ...]

    @property
    def landmarks(self) -> np.ndarray:
        """Landmarks (5, 2) of the face in use, in pixels of the photograph."""
        return self.faces[self.face].landmarks

    def pixels(self) -> np.ndarray:
        """Decode the photograph again, because the pixels of many photographs do not fit into memory."""
        data = _load(self.source)
        if digest(data) != self.content:
            raise PictureError(f"{self.name} has changed since it was read: create a new Photographs")
        return _decoded(data)[0]

    def row(self, shown: bool) -> dict[str, object]:
        """Return the photograph's row of `Photographs.table`."""
        notes = list(self.notes)
        if len(self.faces) > 1:
            which = "the largest" if self.face == 0 else f"number {self.face}"
            notes.insert(0, f"{len(self.faces)} faces: {which} is used; choose another with with_face")
        side = square(self.landmarks)[2]
        if side < SMALL:
            notes.append(f"small face: the portrait is {side:.0f} px wide in the photograph")
        return {
            "identity": self.identity,
            "file": self.name,
            "shown": shown,
            "faces": len(self.faces),
            "face": self.face,
            "width": self.size[0],
            "height": self.size[1],
            "portrait_width": round(side),
            "certainty": round(self.faces[self.face].score, 3),
            "found_by": self.faces[self.face].found_by,
            "notes": "; ".join(notes),
        }


def examined(identity: Hashable, name: str, source: Any) -> Photograph:
    """Decode a photograph and detect its faces; raise PictureError if it is not usable."""
    data = _load(source)
    pixels, notes = _decoded(data)
    found = find_faces(pixels)
    if not found:
        raise PictureError(NO_FACE)
    height, width = pixels.shape[:2]
    kept = source if isinstance(source, Path) else data
    return Photograph(identity, name, kept, digest(data), (width, height), tuple(found), 0, tuple(notes))


def _load(source: Any) -> bytes | np.ndarray:
    """Return the bytes of a file, or the pixels of an array or PIL image."""
    if isinstance(source, PictureError):
        raise source
    if isinstance(source, Path):
        return read_bytes(source)
    if isinstance(source, Image.Image):
        return from_pil(source)
    return source if isinstance(source, bytes) else check_array(source)


def _decoded(data: bytes | np.ndarray) -> tuple[np.ndarray, list[str]]:
    return decode(data) if isinstance(data, bytes) else (data, [])
