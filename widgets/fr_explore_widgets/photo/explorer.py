"""`PhotoExplorer`: an `AttributeExplorer` of your own pictures, from files or the camera."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import ipywidgets

from fr_explore.engine.network import Precision

from ..attribute.widget import AttributeExplorer
from ..camera.page import write_camera_page
from .widget import PhotoInput

__all__ = ["PhotoExplorer"]


class PhotoExplorer(ipywidgets.VBox):
    """A `PhotoInput` with an `AttributeExplorer` of its pictures below it, as soon as one contains a face.

    Parameters
    ----------
    model : from `fr.load_model`.
    size, variations, seed : as for `AttributeExplorer`.

    Attributes
    ----------
    input : the `PhotoInput`. explorer : the `AttributeExplorer`, or None without a face. Each change of the pictures
        creates a new one, because the identities of an explorer are fixed. Two pictures of one name are one person;
        where a name is missing, the explorer says what the model decides and not whether that is right.

    >>> w = PhotoExplorer(fr.load_model("dlib"))
    >>> w.add("portrait.jpg")
    'portrait'
    >>> w.explorer.set(mask=1)
    """

    def __init__(self, model: Any, *, size: int = 160, variations: int = 5, seed: int = 0) -> None:
        self._model, self._options = model, {"size": size, "variations": variations, "seed": seed}
        self.explorer: AttributeExplorer | None = None
        self.input = PhotoInput()
        super().__init__([self.input])
        self.input.observe(self._replace, "photos")

    @property
    def photos(self) -> Any:
        """`fr.Photographs` of the pictures, or None."""
        return self.input.photos

    def add(self, photo: Any, name: str | None = None) -> str:
        """Add a picture; see `PhotoInput.add`."""
        return self.input.add(photo, name)

    def say_who(self, people: Mapping[str, str]) -> None:
        """Say who pictures show; see `PhotoInput.say_who`."""
        self.input.say_who(people)

    def to_html(self, path: str | Path, *, precision: Precision = "int8", max_megabytes: float = 20) -> Path:
        """Write one file in which anyone compares faces from a camera or from files; return its path.

        The page finds, aligns, embeds and judges faces itself and edits them by sliders. It contains none of the
        pictures of this widget, opens from disk, and its policy forbids it every connection.

        Raises
        ------
        ImportError : the package with YuNet's weights is not installed.
        ValueError : the model cannot run in a page, or the page is larger than `max_megabytes`.
        """
        return write_camera_page(path, self._model, precision=precision, max_megabytes=max_megabytes)

    def discard(self) -> None:
        """Discard every picture and close the explorer."""
        self.input.discard()

    def close(self) -> None:
        """Discard every picture and remove both widgets from the page."""
        if own := vars(self).get("input"):
            own.close()
        super().close()

    def _replace(self, change: Mapping[str, Any]) -> None:
        photos, old = change["new"], self.explorer
        shown = _identity_to_show(photos, change["old"], old)
        same = old and photos is not None and photos.identities == change["old"].identities  # only who they are is new
        state = old.state if old and same else None
        self.explorer, self.children = None, (self.input,)
        if old:
            old.close()
        if photos is not None:
            self.explorer = AttributeExplorer(photos, self._model, shown, **self._options)
            if state:
                self.explorer.state = state
            self.children = (self.input, self.explorer)


def _identity_to_show(photos: Any, before: Any, explorer: AttributeExplorer | None) -> Hashable | None:
    """The newest picture, else the identity shown before, else the first."""
    if photos is None:
        return None
    known = set(before.identities) if before is not None else set()
    new = [identity for identity in photos.identities if identity not in known]
    if new:
        return new[-1]
    shown = explorer.identity if explorer else None
    return shown if shown in photos.identities else None
