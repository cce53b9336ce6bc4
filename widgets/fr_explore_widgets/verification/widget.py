"""`VerificationExplorer`: genuine and impostor distances, and what a threshold makes of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
import traitlets

from ..core.base import LabWidget
from ..core.job_queue import Desk, Job
from .export import Showing, check_state
from .faces import Rows, shift_table
from .live import Live
from .pairs import Pairs, pairs_of

__all__ = ["VerificationExplorer"]


class VerificationExplorer(Live, Showing, LabWidget):
    """Move the threshold and see who is accepted: densities, both error rates, the ROC, groups side by side.

    Parameters
    ----------
    source : what `fr.verification` or `fr.pair_distances` returned; or embeddings (images, dim); or a face source.
    identities : with embeddings, who is shown, (images,); with a face source, the model.
    groups : with embeddings, the group of each image, or the name of a coordinate; with a face source, the group of
        each identity, as a mapping or in their order. Pairs of two groups count as "mixed".
    threshold : where to start; by default the published one, else the calibrated one.
    published : the model's own threshold, where neither the data nor a card names it.
    images, size, seed : of the gallery rendered from a face source: images of each of up to 40 identities, one neutral
        and the others varied, `size` pixels wide. It is made in the background: `wait()` returns when it is there.
    draws : of the bootstrap over people.

    `threshold` can be set and observed; `rates()` gives counts, rates and intervals there. With a face source an
    attribute's slider moves one image of each identity, and the genuine distances with it:

    >>> w = VerificationExplorer(fr.Avatars(), model).wait()
    >>> w.set(threshold=0.5, attribute="age", strength=75).wait().shifted()[["strength", "frr"]]

    Raises ValueError, TypeError where `source` is none of these, with what to give.
    """

    files, title = "verification", "Same person or not?"

    threshold = traitlets.Float(math.nan)
    setup = traitlets.Dict().tag(sync=True)
    data = traitlets.Bytes().tag(sync=True)
    shifts = traitlets.Dict().tag(sync=True)
    shift_data = traitlets.Bytes().tag(sync=True)
    progress = traitlets.Dict().tag(sync=True)

    def __init__(
        self, source: Any, identities: Any = None, groups: Any = None, *, threshold: float | None = None,
        published: float | None = None, images: int = 4, size: int = 112, seed: int = 0, draws: int = 300,
    ) -> None:  # fmt: skip
        self._rows: Rows | None = None
        self._pairs: Pairs | None = None
        self._problem: Exception | None = None
        self._draws, self._jobs = draws, dict[str, Job]()
        live = hasattr(source, "render_batch")
        if live:
            if not hasattr(identities, "embed"):
                raise TypeError("a face source needs a model: VerificationExplorer(faces, fr.load_model('dlib')).")
            self._rows = Rows(source, identities, groups, images, size, seed)
        else:
            self._pairs = pairs_of(source, identities, groups, published, draws, seed)
        super().__init__()
        self._desk = Desk(lambda: self.asked_at)
        if self._pairs is not None:
            self._publish()
        self.state = {"threshold": threshold}
        if live:
            self._desk.give("gallery", Job(self._gallery(), 0, failed=self._failed))

    @classmethod
    def of(cls, faces: Any, model: Any, groups: Any = None, **options: Any) -> VerificationExplorer:
        """From a face source and a model, with a gallery rendered in the background."""
        return cls(faces, model, groups, **options)

    def set(self, **state: Any) -> VerificationExplorer:
        """Move what the page moves: `threshold`, `attribute` (or None), `strength` (to the nearest of the grid)."""
        with self._lock:
            if state.get("attribute") and "strength" not in state:
                state["strength"] = None
            self.state = {**self.state, **state}
        return self

    def rates(self) -> pd.DataFrame:
        """At the present threshold, one row for all pairs and one per group: counts, far, frr, and their intervals."""
        return self._ready().rates(self.threshold)

    def shifted(self) -> pd.DataFrame:
        """The same along each attribute that was measured: attribute, strength, genuine, rejected, frr."""
        return shift_table({} if self._rows is None else self._rows.shifts, self.threshold)

    def wait(self, timeout: float | None = None) -> VerificationExplorer:
        """Return when the gallery, and the attribute asked for, are there; raises what stopped it, or TimeoutError."""
        if not self._desk.wait(timeout):
            raise TimeoutError(f"the gallery was not ready after {timeout:g} s: wait longer, or give fewer images.")
        if self._problem is not None:
            raise self._problem
        return self

    def close(self) -> None:
        """Stop the work in the background and take the widget off the page."""
        if desk := vars(self).get("_desk"):
            desk.stop()
        super().close()

    def _ready(self) -> Pairs:
        if self._pairs is None:
            raise RuntimeError("the gallery is still being rendered: call w.wait() first.")
        return self._pairs

    def _publish(self) -> None:
        pairs = self._ready()
        setup, data = pairs.for_browser()
        attributes = self._rows.describe() if self._rows else []
        with self.hold_sync():
            self.data = data
            self.setup = setup | {"start": pairs.start, "attributes": attributes}

    def _handle(self, request: Mapping[str, Any]) -> None:
        raise ValueError(f"request {request.get('action')!r}: the page counts for itself and asks for nothing.")

    @traitlets.validate("state")
    def _check_state(self, proposal: Mapping[str, Any]) -> dict[str, Any]:
        start = None if self._pairs is None else self._pairs.start
        return check_state(proposal["value"], self._rows, start)

    @traitlets.observe("state")
    def _on_state(self, change: Mapping[str, Any]) -> None:
        with self._lock:
            state = change["new"]
            if state["threshold"] is not None:
                self.threshold = state["threshold"]
            wanted = state["attribute"]
            for name, job in self._jobs.items():
                job.rank = 1 if name == wanted else 2
            if wanted and wanted not in self._jobs:
                self._jobs[wanted] = job = Job(self._shift(wanted), 1, failed=self._failed)
                self._desk.give(f"shift {wanted}", job)

    @traitlets.observe("threshold")
    def _on_threshold(self, change: Mapping[str, Any]) -> None:
        if self.state and change["new"] != self.state["threshold"]:
            self.set(threshold=change["new"])
