"""`PhotoExplorer`: an `AttributeExplorer` of your own pictures, from files or the camera."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import traitlets

from fr_explore.engine.network import Precision

from ..attribute.widget import AttributeExplorer
from ..camera.page import write_camera_page
from ..core.base import LabWidget
from ..core.cells import this_cell
from ..core.picture import Part
from .widget import PhotoInput

__all__ = ["PhotoExplorer"]


class PhotoExplorer(PhotoInput):
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

    # of the explorer, whose view the front end shows below its own; "" without one
    below = traitlets.Unicode().tag(sync=True)
    # the page sets it when the explorer's face has moved: marimo runs cells again that depend on this widget
    moved = traitlets.Int().tag(sync=True, echo_update=False)

    def __init__(self, model: Any, *, size: int = 160, variations: int = 5, seed: int = 0) -> None:
        self._model, self._options = model, {"size": size, "variations": variations, "seed": seed}
        self.explorer: AttributeExplorer | None = None
        self._cell = this_cell()
        super().__init__()
        self.observe(self._replace, "photos")

    @property
    def input(self) -> PhotoInput:
        """The `PhotoInput`: this widget itself."""
        return self

    @property
    def children(self) -> tuple[LabWidget, ...]:
        """The input and, if there is one, the explorer."""
        return (self, self.explorer) if self.explorer else (self,)

    def open(self) -> None:
        """Open the comms to the browsers unless they are open; the explorer's first, which this widget's view needs."""
        if self.explorer:
            self.explorer.open()
        super().open()

    def _rest(self, roll: int) -> None:
        super()._rest(roll)
        if self.resting and self.explorer:
            self.explorer._rest(self.explorer.roll)

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

    def _tables(self) -> dict[str, pd.DataFrame]:
        """The pictures, and the tables of the explorer."""
        return super()._tables() | (self.explorer._tables() if self.explorer else {})

    def _picture(self, kept: bool) -> Sequence[Sequence[Part]]:
        own = super()._picture(kept)
        return own if kept or self.explorer is None else [*own, *self.explorer._picture(kept)]

    def _replace(self, change: Mapping[str, Any]) -> None:
        photos, old = change["new"], self.explorer
        shown = _identity_to_show(photos, change["old"], old)
        same = old and photos is not None and photos.identities == change["old"].identities  # only who they are is new
        state = old.state if old and same else None
        self.explorer, self.below = None, ""
        if old:
            old.close()
        if photos is not None:
            with self._cell():
                self.explorer = AttributeExplorer(photos, self._model, shown, **self._options)
            if state:
                self.explorer.state = state
            self.below = self.explorer.model_id


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
