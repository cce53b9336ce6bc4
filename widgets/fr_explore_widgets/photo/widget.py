"""`PhotoInput`: pictures from a file or the camera, kept in the kernel's memory until they are discarded."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import traitlets

import fr_explore as fr

from ..core.base import LabWidget, WidgetError
from ..core.faces import to_bytes
from ..core.page import Offline
from ..core.picture import Part

__all__ = ["PhotoInput"]

THUMB = 96
SMALL = 80  # px: a portrait of fewer is enlarged before a model sees it
LONGEST_NAME = 40


@dataclass(frozen=True, slots=True, eq=False)
class _Picture:
    """One picture as it came, with what was found in it; `source` is None where no face was."""

    key: int
    name: str
    source: Any
    thumb: bytes
    note: str
    todo: str = ""

    def for_browser(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "name": self.name,
            "ok": self.source is not None,
            "note": self.note,
            "todo": self.todo,
        }


class PhotoInput(LabWidget):
    """Take pictures of faces from files or from the camera; `photos` is what `fr.Photographs` makes of them.

    The browser reduces a picture to at most 1024 px before it sends it. The picture stays in the memory of this
    kernel, is written nowhere, and is gone after `discard()` or `close()`. Every picture is one identity, named
    after its file, or "you 1", "you 2" from the camera.

    Attributes
    ----------
    photos : `fr.Photographs`, or None while no picture shows a face; `observe(..., "photos")` tells of changes.
    items : one record for each picture: key, name, ok, note (what was found, or the reason why not), todo.

    >>> w = PhotoInput()
    >>> w.add("portrait.jpg")  # what the buttons do, without a browser
    'portrait'
    >>> w.photos.identities
    ('portrait',)
    """

    files = "photo"
    title = "Your photographs"
    keeps_picture = False  # a saved notebook holds no photograph

    photos = traitlets.Any()
    items = traitlets.List().tag(sync=True)
    sprite = traitlets.Bytes().tag(sync=True)
    reply = traitlets.Dict().tag(sync=True)
    # the bytes of one file, beside the request that names it; the comm hands them over as a memoryview
    upload = traitlets.Bytes().tag(sync=True, echo_update=False, from_json=lambda value, _: bytes(value))

    def __init__(self) -> None:
        self._pictures: list[_Picture] = []
        self._keys, self._built, self._closed = itertools.count(1), [], False
        super().__init__()

    def add(self, photo: Any, name: str | None = None) -> str:
        """Add the bytes of a picture file, a path, or an array (h, w[, 3 or 4]); returns the name of its identity.

        Raises ValueError, and changes nothing, where no face can be used; the text gives the reason.
        """
        with self._lock:
            picture = self._look(photo, name)
            if picture.source is None:
                raise ValueError(f"{picture.name}: {picture.note} {picture.todo}")
            self._change([*self._pictures, picture])
            return picture.name

    def remove(self, name: str) -> None:
        """Discard the picture of one identity; ValueError names those that are there."""
        with self._lock:
            left = [picture for picture in self._pictures if picture.name != name]
            if len(left) == len(self._pictures):
                known = ", ".join(repr(picture.name) for picture in self._pictures) or "none, no picture was added"
                raise ValueError(f"no picture is named {name!r}: choose from {known}.")
            self._change(left)

    def discard(self) -> None:
        """Discard every picture: nothing of them stays in this widget."""
        with self._lock:
            self._change([])

    def close(self) -> None:
        """Discard every picture and take the widget off the page."""
        if not vars(self).get("_closed", True):  # the constructor may have failed before that
            self.discard()
            self._closed = True
        super().close()

    def _tables(self) -> dict[str, pd.DataFrame]:
        """One row per picture: name, ok, note, todo."""
        return {"pictures": pd.DataFrame(self.items, columns=["name", "ok", "note", "todo"])}

    def _words(self) -> str:
        # goes into the notebook: no names, which may be those of persons
        good = sum(picture.source is not None for picture in self._pictures)
        return (
            f"{good} pictures with a face, {len(self._pictures) - good} without. Pictures stay in the kernel's memory; "
            "none is kept in the notebook."
        )

    def _picture(self, kept: bool) -> Sequence[Sequence[Part]]:
        shape, usable = (THUMB, THUMB, 3), [] if kept else [one for one in self._pictures if one.thumb]
        faces = [(np.frombuffer(one.thumb, np.uint8).reshape(shape), f"{one.name}: {one.note}") for one in usable]
        return [[self._words()], *(faces[i : i + 6] for i in range(0, len(faces), 6))]

    def _offline(self, **resolution: Any) -> Offline:
        raise ValueError(
            "PhotoInput has no page: the pictures stay in the kernel's memory, and a page would write them to disk. "
            "to_png writes them where you ask for it."
        )

    def _handle(self, request: Mapping[str, Any]) -> None:
        try:
            match request["action"]:
                case "add":
                    self._receive(request)
                case "show":
                    self._change(self._pictures)
                case "remove":
                    # a click that came twice finds nothing the second time
                    self._change([picture for picture in self._pictures if picture.key != request["key"]])
                case "discard":
                    self.discard()
        finally:
            self.upload = b""
        self.reply = {"client": request["client"], "seq": request["seq"]}

    def _receive(self, request: Mapping[str, Any]) -> None:
        if len(self.upload) != request["size"]:
            raise WidgetError("The picture did not arrive in one piece.", "Choose it again, one at a time.")
        # the browser asks with "show" for the photographs of all that it sent: each change of them is a new search
        self._change([*self._pictures, self._look(self.upload, request.get("name"))], build=False)

    def _look(self, photo: Any, name: str | None) -> _Picture:
        """Find the face; a picture without one comes back with the reason."""
        if self._closed:
            raise WidgetError("This widget is closed and keeps no pictures.", "Make a new PhotoInput().")
        source = Path(photo) if isinstance(photo, (str, os.PathLike)) else photo
        name = self._free_name(name or (source.name if isinstance(source, Path) else ""))
        key = next(self._keys)
        try:
            photos = fr.Photographs({name: source}, progress=False)
        except ValueError as problem:
            reason = str(problem).partition(f": {name}: ")[2].rstrip(".") or str(problem)
            return _Picture(key, name, None, b"", *_advice(reason))
        thumb = to_bytes(photos.render(name, size=THUMB).pixels).tobytes()
        return _Picture(key, name, source, thumb, _found(photos.table.iloc[0]))

    def _free_name(self, wanted: str) -> str:
        """The name without folders and ending, told from those that are taken; without a name, "you 1", "you 2"."""
        stem = Path(wanted.replace("\\", "/")).stem.strip()[:LONGEST_NAME]
        taken = {picture.name for picture in self._pictures}
        numbered = (f"{stem or 'you'} {i}" for i in itertools.count(2 if stem else 1))
        return next(one for one in itertools.chain([stem] if stem else [], numbered) if one not in taken)

    def _change(self, pictures: list[_Picture], *, build: bool = True) -> None:
        self._pictures = pictures
        usable = [picture for picture in pictures if picture.source is not None]
        with self.hold_sync():
            self.sprite = b"".join(picture.thumb for picture in usable)
            self.items = [picture.for_browser() for picture in pictures]
        keys = [picture.key for picture in usable]
        if build and keys != self._built:
            sources = {picture.name: picture.source for picture in usable}
            self._built = keys
            self.photos = fr.Photographs(sources, progress=False) if sources else None


def _found(row: Mapping[str, Any]) -> str:
    """What to tell about a picture with a face, from its row of `Photographs.table`."""
    several, width = int(row["faces"]), int(row["portrait_width"])
    note = f"{several} faces: the largest is used." if several > 1 else "One face found."
    return note + (f" It is small, {width} px wide: figures will be coarse." if width < SMALL else "")


def _advice(reason: str) -> tuple[str, str]:
    """The reader's reason as a sentence, and what to do about it."""
    if reason == "no face found":
        return "No face found.", "Use a picture of one face, upright, seen from the front, and well lit."
    return f"It cannot be read: {reason}.", "Choose another file, or save it as JPEG or PNG first."
