"""`PhotoInput`: pictures from files or the camera, kept in the kernel's memory until they are discarded."""

from __future__ import annotations

import itertools
import os
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import traitlets

import fr_explore as fr
from fr_explore.base.paths import as_path, shown

from ..core.base import LabWidget, WidgetError, reply_tag
from ..core.faces import to_bytes
from ..core.page import Offline
from ..core.picture import Part

__all__ = ["PhotoInput"]

THUMB = 96
SMALL = 80  # px: a narrower portrait is enlarged for the model
LONGEST_NAME = 40


@dataclass(frozen=True, slots=True, eq=False)
class _Picture:
    """One picture as received, and the result of the face detection; `source` is None without a face."""

    key: int
    name: str
    source: Any
    thumb: bytes
    note: str
    todo: str = ""
    person: str = ""  # who it shows, as the user says; empty if nobody said so

    def for_browser(self) -> dict[str, Any]:
        found = {"key": self.key, "name": self.name, "ok": self.source is not None, "person": self.person}
        return found | {"note": self.note, "todo": self.todo}


class PhotoInput(LabWidget):
    """Pictures of faces from files or the camera; `photos` is the `fr.Photographs` of them.

    The browser reduces a picture to at most 1024 px before sending it. The picture remains in the memory of this
    kernel, is never written to disk, and is deleted by `discard()` or `close()`. Every picture is one identity of
    `photos`, named after its file, or "you 1", "you 2" from the camera. Who it shows is known once its name field is
    filled, or `add` is given a name: pictures of one name show one person (`photos.person`).

    Attributes
    ----------
    photos : `fr.Photographs`, or None without a face; use `observe(..., "photos")` to follow changes.
    items : one record for each picture: key, name, ok, person, note (what was found, or why nothing was), todo.

    >>> w = PhotoInput()
    >>> w.add("portrait.jpg")  # the same as the buttons, without a browser
    'portrait'
    >>> w.photos.identities
    ('portrait',)
    """

    files = "photo"
    title = "Your photographs"
    keeps_picture = False  # a saved notebook contains no photograph
    _face_traits = ("sprite",)
    _private = True

    photos = traitlets.Any()
    items = traitlets.List().tag(sync=True)
    sprite = traitlets.Bytes().tag(sync=True)
    reply = traitlets.Dict().tag(sync=True)
    # the bytes of one file, sent with the request that names it; the comm delivers a memoryview
    upload = traitlets.Bytes().tag(sync=True, echo_update=False, from_json=lambda value, _: bytes(value))

    def __init__(self) -> None:
        self._pictures: list[_Picture] = []
        self._keys, self._built, self._closed = itertools.count(1), [], False
        super().__init__()

    def add(self, photo: Any, name: str | None = None) -> str:
        """Add the bytes of a picture file, a path, or an array (h, w[, 3 or 4]); return the name of its identity.

        `name` says who it is: a second picture of "anna" becomes the identity "anna 2" of the same person. Raises
        ValueError with the reason, and changes nothing, if no face can be used.
        """
        with self._lock:
            picture = self._detect(photo, name)
            if picture.source is None:
                raise ValueError(f"{picture.name}: {picture.note} {picture.todo}")
            self._change([*self._pictures, self._of(picture, _stem(name or ""))])
            return picture.name

    def say_who(self, people: Mapping[str, str]) -> None:
        """Say who pictures show, `w.say_who({"you 1": "Anna"})`, as in their name fields; "" if that is not known.

        Raises ValueError, and changes nothing, for a picture that does not exist.
        """
        with self._lock:
            for name in people:
                self._check_name(name)
            self._change([
                self._of(picture, people[picture.name]) if picture.name in people else picture
                for picture in self._pictures
            ])  # fmt: skip

    def remove(self, name: str) -> None:
        """Discard the picture of one identity; ValueError for an unknown name."""
        with self._lock:
            self._check_name(name)
            self._change([picture for picture in self._pictures if picture.name != name])

    def _check_name(self, name: str) -> None:
        if name not in {picture.name for picture in self._pictures}:
            known = ", ".join(repr(picture.name) for picture in self._pictures) or "none, no picture was added"
            raise ValueError(f"no picture is named {name!r}: choose from {known}.")

    def discard(self) -> None:
        """Discard every picture; no part of them remains in this widget."""
        with self._lock:
            self._change([])

    def close(self) -> None:
        """Discard every picture and remove the widget from the page."""
        if not vars(self).get("_closed", True):  # the constructor may have failed earlier
            self.discard()
            self._closed = True
        super().close()

    def _tables(self) -> dict[str, pd.DataFrame]:
        """One row per picture: name, person, ok, note, todo."""
        return {"pictures": pd.DataFrame(self.items, columns=["name", "person", "ok", "note", "todo"])}

    def _words(self) -> str:
        # saved in the notebook, so without names, which may be those of people
        good = sum(picture.source is not None for picture in self._pictures)
        return (
            f"{good} pictures with a face, {len(self._pictures) - good} without. Pictures remain in the memory of the "
            "kernel; none is saved in the notebook."
        )

    def _picture(self, kept: bool) -> Sequence[Sequence[Part]]:
        shape, usable = (THUMB, THUMB, 3), [] if kept else [one for one in self._pictures if one.thumb]
        faces = [(np.frombuffer(one.thumb, np.uint8).reshape(shape), f"{one.name}: {one.note}") for one in usable]
        return [[self._words()], *(faces[i : i + 6] for i in range(0, len(faces), 6))]

    def _offline(self, **resolution: Any) -> Offline:
        raise ValueError(
            "PhotoInput has no page: the pictures remain in the kernel's memory, and a page would write them to disk. "
            "Use to_png to write them."
        )

    def _handle(self, request: Mapping[str, Any]) -> None:
        try:
            match request["action"]:
                case "add":
                    self._receive(request)
                case "update_photos":
                    self._change(self._pictures)
                case "remove":
                    # the second of two clicks finds nothing
                    self._change([picture for picture in self._pictures if picture.key != request["key"]])
                case "name":
                    known = [p.name for p in self._pictures if p.key == request["key"]]
                    self.say_who(dict.fromkeys(known, str(request["person"])))
                case "discard":
                    self.discard()
        finally:
            self.upload = b""
        self.reply = reply_tag(request)

    def _receive(self, request: Mapping[str, Any]) -> None:
        if len(self.upload) != request["size"]:
            raise WidgetError("The picture arrived incomplete.", "Choose it again, one at a time.")
        # "update_photos" follows the last picture: each change of `photos` repeats the face detection
        self._change([*self._pictures, self._detect(self.upload, request.get("name"))], build=False)

    def _detect(self, photo: Any, name: str | None) -> _Picture:
        """The picture with its face, or with the reason why there is none."""
        if self._closed:
            raise WidgetError("This widget is closed and keeps no pictures.", "Create a new PhotoInput().")
        source = as_path(photo, "photos") if isinstance(photo, (str, os.PathLike)) else photo
        name = self._free_name(name or (shown(source.name) if isinstance(source, Path) else ""))
        key = next(self._keys)
        try:
            photos = fr.Photographs({name: source}, progress=False)
        except ValueError as problem:
            reason = str(problem).partition(f": {name}: ")[2].rstrip(".") or str(problem)
            return _Picture(key, name, None, b"", *_advice(reason))
        thumb = to_bytes(photos.render(name, size=THUMB).pixels).tobytes()
        return _Picture(key, name, source, thumb, _found(photos.table.iloc[0]))

    def _of(self, picture: _Picture, person: str) -> _Picture:
        """The picture of a person; small and capital letters make no difference between two people."""
        typed = " ".join(person.split())[:LONGEST_NAME]
        known = {other.person.casefold(): other.person for other in self._pictures if other.key != picture.key}
        return replace(picture, person=known.get(typed.casefold(), typed))

    def _free_name(self, wanted: str) -> str:
        """The name without folders and suffix, numbered if it is taken; "you 1", "you 2" without a name."""
        stem = _stem(wanted)
        taken = {picture.name for picture in self._pictures}
        numbered = (f"{stem or 'you'} {i}" for i in itertools.count(2 if stem else 1))
        return next(one for one in itertools.chain([stem] if stem else [], numbered) if one not in taken)

    def _change(self, pictures: list[_Picture], *, build: bool = True) -> None:
        self._pictures = pictures
        usable = [picture for picture in pictures if picture.source is not None]
        with self.hold_sync():
            self.sprite = b"".join(picture.thumb for picture in usable)
            self.items = [picture.for_browser() for picture in pictures]
        people: dict[Hashable, str | None] = {picture.name: picture.person or None for picture in usable}
        keys, before = [picture.key for picture in usable], self.photos
        if build and keys != self._built:
            sources = {picture.name: picture.source for picture in usable}
            self._built = keys
            self.photos = fr.Photographs(sources, progress=False).with_people(people) if sources else None
        elif keys == self._built and before and any(before.person(name) != who for name, who in people.items()):
            self.photos = before.with_people(people)  # without another search for faces


def _stem(name: str) -> str:
    """A file's name without folders and suffix."""
    return Path(name.replace("\\", "/")).stem.strip()[:LONGEST_NAME]


def _found(row: Mapping[str, Any]) -> str:
    """The note on a picture with a face, from its row of `Photographs.table`."""
    several, width = int(row["faces"]), int(row["portrait_width"])
    note = f"{several} faces: the largest is used." if several > 1 else "One face found."
    return note + (f" It is small, {width} px wide, so the figures are imprecise." if width < SMALL else "")


def _advice(reason: str) -> tuple[str, str]:
    """The decoder's reason as a sentence, and what to do about it."""
    if reason == "no face found":
        return "No face found.", "Use a picture of one upright, frontal and well-lit face."
    return f"It cannot be read: {reason}.", "Choose another file, or save it as JPEG or PNG first."
