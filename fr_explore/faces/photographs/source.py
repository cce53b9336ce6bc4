"""`Photographs`: pictures of real people as a face source, edited in memory and never written to disk."""

from __future__ import annotations

import copy
import functools
import hashlib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
from tqdm.auto import tqdm

from ...attributes import ATTRIBUTES, PHOTOGRAPH_ATTRIBUTES, Attribute, check_strengths
from ..base import Face, paired
from .decode import PictureError
from .edits import apply_edits, placement
from .photo_inputs import collect
from .photograph import Photograph, examined
from .portrait_crop import PortraitCrop

__all__ = ["Photographs"]

EDITOR = "2"  # part of the fingerprint: raise it whenever the same request would give other pixels
RECENT = 6  # crops kept in memory, for a slider that asks for the same face again and again


class Photographs:
    """Faces in photographs, as a face source whose pictures can be edited.

    Photographs stay in their place and are read when needed. Nothing about them is written to disk. As embeddings
    identify a person, `fr.embed` does not cache them on disk unless it is called with `cache=True`.

    Parameters
    ----------
    photos : a folder, a file, the bytes of a file, an array (height, width[, 3 or 4]), a PIL image, several of these,
        or a mapping from identity to one or several of these. In a folder, the pictures of a sub-folder show one
        identity, named after it; the other pictures are an identity each, named after the file. Linked folders are
        read once. Hidden files are ignored.
    progress : show a progress bar while faces are detected, which takes about 0.05 s each.

    Attributes
    ----------
    table : one row for each photograph with a face: identity, person (who it is, None if not known), file, whether it
        represents its identity (shown), the number of faces in it and which one is used, sizes in pixels, how certain
        the face is and who found it, notes.
    problems : file and reason of each photograph that is left out.
    private : True; `fr.embed` relies on it.

    Raises
    ------
    FileNotFoundError : no such folder or file.
    ValueError : no photograph shows a face; the message gives the reasons.

    >>> photos = Photographs("holiday/")
    >>> photos.render("anna", {"rotation": 10, "mask": 1})
    Face(160 x 160 px, landmarks known)
    """

    private = True

    def __init__(self, photos: Any, *, progress: bool = True) -> None:
        items = collect(photos)
        usable: list[Photograph] = []
        problems: list[tuple[str, str]] = []
        for identity, name, source, _ in tqdm(items, unit="photo", desc="find faces", disable=not progress):
            try:
                usable.append(examined(identity, name, source))
            except PictureError as error:
                problems.append((name, str(error)))
        self.problems = pd.DataFrame(problems, columns=["file", "reason"])
        if not usable:
            reasons = "; ".join(f"{name}: {reason}" for name, reason in problems[:5]) or "no files"
            raise ValueError(f"none of {len(items)} photographs shows a usable face: {reasons}.")
        self._use(usable, {photo.identity: i for i, photo in reversed(list(enumerate(usable)))})
        self._people = {identity: identity if known else None for identity, _, _, known in items}

    def _use(self, photos: list[Photograph], shown: dict[Hashable, int]) -> None:
        """Set the photographs, and which one represents each identity."""
        self._photos, self._shown = photos, shown
        self._crop = functools.lru_cache(maxsize=RECENT)(functools.partial(_crop, photos))

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in vars(self).items() if name != "_crop"}

    def __setstate__(self, state: dict[str, object]) -> None:
        vars(self).update(state)
        self._use(self._photos, self._shown)

    @property
    def attributes(self) -> Mapping[str, Attribute]:
        """The attributes of photographs, by name: the image attributes, and edits that only photographs have."""
        return {name: ATTRIBUTES[name] for name in PHOTOGRAPH_ATTRIBUTES}

    @property
    def identities(self) -> tuple[Hashable, ...]:
        """The identities, in the order of their first photograph."""
        return tuple(dict.fromkeys(photo.identity for photo in self._photos))

    @property
    def fingerprint(self) -> str:
        """A hash of the photographs' content and of the faces in use, whatever the files are called."""
        state = hashlib.sha256(EDITOR.encode())
        for identity in self.identities:
            photo = self._photos[self._shown[identity]]
            state.update(f"{identity!r} {photo.content}".encode())
            state.update(photo.landmarks.tobytes())
        return state.hexdigest()[:16]

    @property
    def table(self) -> pd.DataFrame:
        """One row for each photograph with a face, see the class."""
        rows = [photo.row(shown=self._shown[photo.identity] == i) for i, photo in enumerate(self._photos)]
        table = pd.DataFrame(rows)
        people = [self._people[photo.identity] for photo in self._photos]
        table.insert(1, "person", pd.Series(people, dtype=object))  # None stays None
        return table

    def person(self, identity: Hashable) -> Hashable | None:
        """Who the photographs of an identity show; None if nobody said so.

        A key of a mapping and a sub-folder's name say who it is; a file's name or a number do not, as two of them may
        show one person.
        """
        self._index(identity)
        return self._people[identity]

    def with_people(self, people: Mapping[Hashable, Hashable | None]) -> Photographs:
        """Return a copy that knows who some identities are: identities with equal values are one person.

        Raises
        ------
        ValueError : unknown identity.

        >>> photos = Photographs(["a.jpg", "b.jpg"]).with_people({"a": "Anna", "b": "Anna"})
        >>> photos.person("b")
        'Anna'
        """
        for identity in people:
            self._index(identity)
        other = copy.copy(self)
        other._people = {**self._people, **people}
        return other

    def __repr__(self) -> str:
        found, lost = len(self._photos), len(self.problems)
        return f"Photographs({len(self.identities)} identities, {found} photographs, {lost} problems)"

    def render(self, identity: Hashable, strengths: Mapping[str, float] | None = None, size: int = 160) -> Face:
        """Edit the portrait of one identity; without strengths, return the unedited crop around its face.

        Parameters
        ----------
        identity : one of `identities`.
        strengths : attribute -> value in its unit; attributes not given keep their neutral value.
        size : side of the portrait in pixels, 32 to 2048.

        Raises
        ------
        ValueError : unknown identity, attribute or size, a value out of range, or a file that has changed.
        """
        values = check_strengths(strengths, PHOTOGRAPH_ATTRIBUTES)
        return self._portrait(self._index(identity), values, size)

    def render_batch(
        self, identities: Sequence[Hashable], strengths: Sequence[Mapping[str, float]], size: int = 160
    ) -> list[Face]:
        """Render many portraits; the pixels equal those of `render`."""
        return [self.render(identity, values, size) for identity, values in paired(identities, strengths)]

    def faces_of(self, identity: Hashable, size: int = 160) -> list[Face]:
        """Crop every face in the photograph that represents an identity, the largest first, as `with_face` counts."""
        photo = self._photos[self._index(identity)]
        pixels = photo.pixels()
        return [PortraitCrop(pixels, found.landmarks, size).portrait() for found in photo.faces]

    def with_face(self, identity: Hashable, face: int = 0, photograph: int = 0) -> Photographs:
        """Return a copy in which another face or photograph represents an identity.

        Parameters
        ----------
        identity : one of `identities`.
        face : number of the face in the photograph; 0 is the largest.
        photograph : number of the photograph among those of the identity, from 0.

        Raises
        ------
        ValueError : unknown identity, photograph or face.
        """
        known = self._photos[self._index(identity)].identity
        own = [i for i, photo in enumerate(self._photos) if photo.identity == known]
        if photograph not in range(len(own)):
            raise ValueError(f"photograph = {photograph!r}: {identity!r} has {len(own)}, counted from 0.")
        i = own[photograph]
        chosen = self._photos[i]
        if face not in range(len(chosen.faces)):
            raise ValueError(f"face = {face!r}: {chosen.name} shows {len(chosen.faces)}, counted from 0.")
        photos = list(self._photos)
        photos[i] = replace(chosen, face=face)
        other = copy.copy(self)
        other._use(photos, {**self._shown, identity: i})
        return other

    # as a set of images, every photograph once and unedited, for `fr.embed` -----------------------------------------

    @property
    def labels(self) -> pd.DataFrame:
        """One row for each photograph and no column, as photographs have no labels."""
        return pd.DataFrame(index=pd.Index([photo.name for photo in self._photos], name="file"))

    def content(self, i: int) -> str:
        """Return a text that identifies the pixels of the portrait from photograph i."""
        photo = self._photos[i]
        return f"photograph {EDITOR} {photo.content} {photo.landmarks.tolist()}"

    def face(self, i: int, size: int = 160) -> Face:
        """Crop the unedited portrait from photograph i of `table`."""
        return self._portrait(i, check_strengths({}, PHOTOGRAPH_ATTRIBUTES), size)

    def _portrait(self, i: int, values: Mapping[str, float], size: int) -> Face:
        moved = any(values[name] != ATTRIBUTES[name].neutral for name in ("rotation", "zoom", "shift"))
        face = self._crop(i, size).portrait(placement(values, size) if moved else None)
        assert face.landmarks is not None
        seed = int(self._photos[i].content[:8], 16)
        return Face(apply_edits(face.pixels, face.landmarks, values, seed), face.landmarks)

    def _index(self, identity: Hashable) -> int:
        try:
            return self._shown[identity]
        except (KeyError, TypeError):
            some = ", ".join(map(repr, self.identities[:10])) + (", ..." if len(self.identities) > 10 else "")
            raise ValueError(f"unknown identity {identity!r}: choose from {some}.") from None


def _crop(photos: list[Photograph], i: int, size: int) -> PortraitCrop:
    return PortraitCrop(photos[i].pixels(), photos[i].landmarks, size)
