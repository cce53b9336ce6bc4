"""`VerificationExplorer`: genuine and impostor distances, and the errors at a threshold."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
import traitlets

from fr_explore.engine.network import Precision

from ..core.base import reply_tag
from ..core.job_queue import BackgroundWidget, Job
from ..core.page import Offline
from ..core.picture import Part
from . import export
from .faces import FaceGallery, shift_table
from .pairs import Pairs, pairs_of

__all__ = ["VerificationExplorer"]


class VerificationExplorer(BackgroundWidget):
    """Move the threshold and see which pairs are accepted: densities, both error rates, the ROC, and groups.

    Parameters
    ----------
    source : the result of `fr.verification` or `fr.pair_distances`; or embeddings (images, dim); or a face source.
    identities : with embeddings, the identity of each image, (images,); with a face source, the model.
    groups : with embeddings, the group of each image, or the name of a coordinate; with a face source, the group of
        each identity, as a mapping or in their order. Pairs across two groups are in the group "mixed".
    threshold : the initial threshold; by default the published one, or else the calibrated one.
    published : the model's own threshold, if neither the data nor a card gives it.
    images, size, seed : of the gallery rendered from a face source: the number of images of each of up to 40
        identities, one neutral and the others varied, and their width in pixels. It is rendered in the background:
        `wait()` returns when it is ready.
    draws : of the bootstrap over people.

    `threshold` can be set and observed; `rates()` returns counts, rates and intervals there. With a face source, the
    slider of an attribute changes one image of each identity, and with it the genuine distances:

    >>> w = VerificationExplorer(fr.Avatars(), model).wait()
    >>> w.set(threshold=0.5, attribute="age", strength=75).wait().shifted()[["strength", "frr"]]

    Raises ValueError or TypeError for any other `source`.
    """

    files, title = "verification", "Same person or not?"
    late = "the gallery was not ready after {timeout:g} s: wait longer, or give fewer images."
    failure = (
        "The faces could not be rendered or embedded.",
        "Earlier results remain. Fix the cause and create the widget again, or choose another attribute.",
    )

    threshold = traitlets.Float(math.nan)
    setup = traitlets.Dict().tag(sync=True)
    data = traitlets.Bytes().tag(sync=True)
    shifts = traitlets.Dict().tag(sync=True)
    shift_data = traitlets.Bytes().tag(sync=True)
    pairs_view = traitlets.Dict().tag(sync=True)  # of the faces in `frame`

    def __init__(
        self, source: Any, identities: Any = None, groups: Any = None, *, threshold: float | None = None,
        published: float | None = None, images: int = 4, size: int = 112, seed: int = 0, draws: int = 300,
    ) -> None:  # fmt: skip
        self._gallery: FaceGallery | None = None
        self._pairs: Pairs | None = None
        self._shift_jobs: dict[str, Job] = {}
        if hasattr(source, "render_batch"):
            if not hasattr(identities, "embed"):
                raise TypeError("a face source needs a model: VerificationExplorer(faces, fr.load_model('dlib')).")
            self._gallery = FaceGallery(source, identities, groups, images, size, seed)
        else:
            self._pairs = pairs_of(source, identities, groups, published, draws, seed)
        super().__init__()
        if self._pairs is not None:
            self._publish_pairs(self._pairs)
        self.state = {"threshold": threshold}
        if self._gallery is not None:
            self.jobs.start("gallery", self._render_gallery(self._gallery, draws))

    @classmethod
    def of(cls, faces: Any, model: Any, groups: Any = None, **options: Any) -> VerificationExplorer:
        """From a face source and a model, with a gallery rendered in the background."""
        return cls(faces, model, groups, **options)

    def set(self, **state: Any) -> VerificationExplorer:
        """Set what the page sets: `threshold`, `attribute` (or None), `strength` (the nearest of the grid)."""
        with self._lock:
            if state.get("attribute") and "strength" not in state:
                state["strength"] = None
            self.state = {**self.state, **state}
        return self

    def rates(self) -> pd.DataFrame:
        """At the current threshold, one row for all pairs and one per group: counts, far, frr, and their intervals."""
        return self._ready().rates(self.threshold)

    def shifted(self) -> pd.DataFrame:
        """The rejected genuine pairs along each computed attribute: attribute, strength, genuine, rejected, frr."""
        return shift_table({} if self._gallery is None else self._gallery.shifts, self.threshold)

    def _ready(self) -> Pairs:
        if self._pairs is None:
            raise RuntimeError("the gallery is still being rendered: call w.wait() first.")
        return self._pairs

    # --- in the background --------------------------------------------------------------------------------------------

    def _render_gallery(self, gallery: FaceGallery, draws: int) -> Iterator[None]:
        for done in gallery.render():
            self._report("Rendering and embedding faces", done, gallery.total)
            yield
        pairs = gallery.pairs(draws)
        with self._lock, self.hold_sync():
            self._pairs, self.progress = pairs, {}
            self._publish_pairs(pairs)
            self.state = dict(self.state)

    def _shift(self, gallery: FaceGallery, attribute: str) -> Iterator[None]:
        for done, total in gallery.shift(attribute):
            if done % len(gallery.identities) == 0:
                self._publish_shifts(gallery)
            self._report(f"Rendering {gallery.faces.attributes[attribute].label}", done, total)
            yield
        self._report()

    def _publish_pairs(self, pairs: Pairs) -> None:
        setup, data = pairs.for_browser()
        attributes = self._gallery.describe() if self._gallery else []
        with self.hold_sync():
            self.data = data
            size = self._gallery.size if self._gallery else 0
            self.setup = setup | {"start": pairs.start, "attributes": attributes, "size": size}

    def _publish_shifts(self, gallery: FaceGallery) -> None:
        records, data = gallery.for_browser()
        with self._lock, self.hold_sync():
            self.shift_data, self.shifts = data, records

    # --- the state ----------------------------------------------------------------------------------------------------

    def _handle(self, request: Mapping[str, Any]) -> None:
        if request.get("action") != "view_pairs":
            raise ValueError(f"request {request.get('action')!r}: this widget answers view_pairs.")
        if self._gallery is None:
            raise ValueError("these distances are precomputed, without faces to show.")
        values = request["values"]
        found, pixels = self._gallery.faces_at(self._ready(), float(values["distance"]), float(values.get("reach", 0)))
        with self.hold_sync():
            self.frame, self.pairs_view = pixels, {**reply_tag(request), "pairs": found}

    @traitlets.validate("state")
    def _check_state(self, proposal: Mapping[str, Any]) -> dict[str, Any]:
        start = None if self._pairs is None else self._pairs.start
        return export.check_state(proposal["value"], self._gallery, start)

    @traitlets.observe("state")
    def _on_state(self, change: Mapping[str, Any]) -> None:
        with self._lock:
            state = change["new"]
            if state["threshold"] is not None:
                self.threshold = state["threshold"]
            wanted = state["attribute"]
            for name, job in self._shift_jobs.items():
                job.rank = 1 if name == wanted else 2
            if wanted and self._gallery and wanted not in self._shift_jobs:
                steps = self._shift(self._gallery, wanted)
                self._shift_jobs[wanted] = self.jobs.start(f"shift {wanted}", steps, 1)

    @traitlets.observe("threshold")
    def _on_threshold(self, change: Mapping[str, Any]) -> None:
        if self.state and change["new"] != self.state["threshold"]:
            self.set(threshold=change["new"])

    # --- exports ------------------------------------------------------------------------------------------------------

    def _tables(self) -> Mapping[str, pd.DataFrame]:
        tables = {"rates": self.rates()}
        shifted = self.shifted()
        return tables | ({"attributes": shifted} if len(shifted) else {})

    def _words(self) -> str:
        if self._pairs is None:
            return "The faces are still being rendered; there are no pairs yet."
        return export.words(self._pairs, self.state, self.shifted())

    def _picture(self, kept: bool) -> Sequence[Sequence[Part]]:
        return [[] if self._pairs is None else export.picture(self._pairs, self.threshold), [self._words()]]

    def _offline(
        self, attributes: Sequence[str] = (), live: bool | None = None, precision: Precision = "int8"
    ) -> Offline:
        """The page counts everything itself.

        A live page draws and embeds the faces of a changed attribute; `attributes` are computed here, exactly.
        live : False leaves the engine out, which makes a small page. precision : of the network in it.
        """
        pairs = self._ready()
        for name in attributes:
            export.check_state({**self.state, "attribute": name, "strength": None}, self._gallery, None)
            assert self._gallery is not None  # check_state refuses an attribute without a gallery
            if name not in self._gallery.shifts or not all(self._gallery.shifts[name].done):
                for _ in self._gallery.shift(name):
                    pass
            self._publish_shifts(self._gallery)
        found, note = None, ""
        if live is not False and self._gallery:
            found, note = self._gallery.for_page(precision)
        if live and found is None:
            raise ValueError(f"live = True: {note or 'these distances are precomputed, without faces to change.'}")
        what, reduce = f"{len(pairs.table):,} pairs", "give fewer pairs, fewer identities, or live=False"
        return Offline(what=what, reduce=reduce, live=found, note=note)
