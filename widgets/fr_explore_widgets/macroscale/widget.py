"""`MacroscaleExplorer`: which binary attributes shape the distances between people, one attribute at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import traitlets

from fr_explore.charts.style import label_of

from ..core.base import reply_tag
from ..core.job_queue import BackgroundWidget
from ..core.page import Offline
from ..core.picture import Part
from . import export
from .cache import Measurements, sentence

__all__ = ["MacroscaleExplorer"]


class MacroscaleExplorer(BackgroundWidget):
    """Choose an attribute: a map coloured by it, three distributions of distances, and a comparison of all attributes.

    Parameters
    ----------
    embeddings, identities, labels : (images, dim), (images,), and a table of binary attributes, as `fr.macroscale`
        takes them, with `metric`, `permutations`, `sampling`, `limit` and `seed`.
    pictures : shown when the pointer is over a point: one for each image (a `Face`, pixels, a path), or a function of
        its index.
    table : the table of `fr.macroscale` for these data, if you have it. Without it the attributes are measured in the
        background: `wait()` returns when `table` is complete.

    `attribute` can be set and observed. An example with avatars, whose labels are known:

    >>> faces, rng = fr.Avatars(identities=40), np.random.default_rng(0)
    >>> who = [i for i in faces.identities for _ in range(3)]
    >>> recipes = [{"age": rng.uniform(18, 75), "expression": rng.random(), "glasses": rng.random()} for _ in who]
    >>> pictures = faces.render_batch(who, recipes, size=112)
    >>> MacroscaleExplorer(model.embed(pictures), who, faces.labels(who, recipes), pictures=pictures)

    Raises ValueError if the data do not fit together.
    """

    files, title = "macroscale", "Which attributes shape the space?"
    late = "not ready after {timeout:g} s: wait longer, or give fewer attributes or permutations."
    failure = ("This could not be computed.", "The results shown remain. Fix the cause and try again.")

    attribute = traitlets.Unicode()
    setup = traitlets.Dict().tag(sync=True)
    points = traitlets.Bytes().tag(sync=True)
    umap_points = traitlets.Bytes().tag(sync=True)
    labels = traitlets.Bytes().tag(sync=True)
    results = traitlets.Dict().tag(sync=True)
    summary = traitlets.Dict().tag(sync=True)
    curves = traitlets.Bytes().tag(sync=True)
    reply = traitlets.Dict().tag(sync=True)

    def __init__(
        self, embeddings: Any, identities: Any, labels: Any, *, attribute: str | None = None, pictures: Any = None,
        table: pd.DataFrame | None = None, metric: str | None = None, permutations: int = 200,
        sampling: str = "apart", limit: int = 500, seed: int = 0,
    ) -> None:  # fmt: skip
        method = {"metric": metric, "permutations": permutations, "sampling": sampling, "limit": limit, "seed": seed}
        self._measured = measured = Measurements(embeddings, identities, labels, pictures, table, **method)
        super().__init__()
        xy, caption = measured.pca()
        signs = measured.labels.to_numpy(np.int8)[measured.shown].T
        self.points, self.labels = xy.tobytes(), np.ascontiguousarray(signs).tobytes()
        self.setup = measured.describe() | {"caption": caption}
        self.state = {"attribute": attribute or measured.names[0]}
        measured.measure(self.attribute)  # the first one is shown at once
        self._publish()
        self.jobs.start("attributes", self._measure_all(), 2)

    def set(self, **state: Any) -> MacroscaleExplorer:
        """Set what the page sets: `attribute`, `projection` ("pca" or "umap")."""
        with self._lock:
            self.state = {**self.state, **state}
        return self

    @property
    def table(self) -> pd.DataFrame:
        """As returned by `fr.macroscale`; until `wait()` has returned, of the attributes measured so far."""
        with self._lock:
            return self._measured.table

    def probe(self, attribute: str | None = None) -> MacroscaleExplorer:
        """Score a linear probe of an attribute in the background; `wait()` for it."""
        name = self.attribute if attribute is None else attribute
        export.check_state({"attribute": name}, self._measured.names)
        steps = self._run(f"Training a linear probe of {name}", lambda: self._measured.probe(name))
        self.jobs.start(f"probe {name}", steps, 1)
        return self

    # --- in the background --------------------------------------------------------------------------------------------

    def _measure_all(self) -> Iterator[None]:
        for done in self._measured.measure_all(lambda: self.attribute):
            self._report("Measuring attributes", done, len(self._measured.names))
            self._publish()
            yield
        self._report()

    def _run(self, what: str, act: Callable[[], None]) -> Iterator[None]:
        self._report(what)
        yield
        act()
        self._publish()
        self._report()

    def _fit_umap(self) -> None:
        points = self._measured.umap().tobytes()
        with self._lock:
            self.umap_points = points

    def _publish(self) -> None:
        results, summary, curves = self._measured.for_browser()
        with self._lock, self.hold_sync():
            self.curves, self.summary, self.results = curves, summary, results

    # --- requests and state -------------------------------------------------------------------------------------------

    def _handle(self, request: Mapping[str, Any]) -> None:
        action = request["action"]
        reply = reply_tag(request) | {"action": action}
        if action == "probe":
            self.probe()
            self.reply = reply
        elif action == "picture" and self._measured.picture is not None:
            place = request["place"]
            pixels = self._measured.picture(int(self._measured.shown[place]))
            with self.hold_sync():
                self.frame = pixels.tobytes()
                self.reply = reply | {"place": place, "shape": list(pixels.shape[:2])}
        else:
            raise ValueError(f"request {action!r}: this widget answers picture and probe.")

    @traitlets.validate("state")
    def _check_state(self, proposal: Mapping[str, Any]) -> dict[str, Any]:
        return export.check_state(proposal["value"], self._measured.names)

    @traitlets.observe("state")
    def _on_state(self, change: Mapping[str, Any]) -> None:
        self.attribute = change["new"]["attribute"]
        if change["new"]["projection"] == "umap" and not self.umap_points:
            what = "Fitting UMAP, the first time about half a minute"
            self.jobs.start("umap", self._run(what, self._fit_umap), 1)

    @traitlets.observe("attribute")
    def _on_attribute(self, change: Mapping[str, Any]) -> None:
        if change["new"] != self.state["attribute"]:
            self.set(attribute=change["new"])

    # --- exports ------------------------------------------------------------------------------------------------------

    def _tables(self) -> Mapping[str, pd.DataFrame]:
        curves = self._measured.curves.get(self.attribute)
        return {"macroscale": self._measured.table} | ({} if curves is None else {"curves": curves})

    def _words(self) -> str:
        table = self._measured.table.set_index("attribute", drop=False)
        if self.attribute not in table.index:
            return f"{label_of(self.attribute)} is still being measured."
        return sentence(table.loc[self.attribute].to_dict(), len(self._measured.names))

    def _picture(self, kept: bool) -> Sequence[Sequence[Part]]:
        return [export.picture(self._measured, self.attribute), [self._words()]]

    def _offline(self) -> Offline:
        left = len(self._measured.names) - len(self._measured.rows)
        if left:
            raise RuntimeError(f"{left} attributes are still being measured: call w.wait() first.")
        return Offline(what=f"{len(self._measured.shown):,} points", reduce="give fewer images or attributes")
