"""`MacroscaleExplorer`: which binary attributes shape the distances between people, one attribute at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import traitlets

from ..core.base import LabWidget, WidgetError
from ..core.job_queue import Desk, Job
from .cache import Survey, steps
from .export import Showing, check_state

__all__ = ["MacroscaleExplorer"]


class MacroscaleExplorer(Showing, LabWidget):
    """Pick an attribute: the map coloured by it, its three distributions of distances, its place among all attributes.

    Parameters
    ----------
    embeddings, identities, labels : (images, dim), (images,), and a table of binary attributes, as `fr.macroscale`
        takes them, with `metric`, `permutations`, `sampling`, `limit` and `seed`.
    pictures : shown when a point is pointed at: one for each image (a `Face`, pixels, a path), or a function of its
        number.
    table : what `fr.macroscale` made of these data, to spare the time. Without it the attributes are measured in the
        background: `wait()` returns when `table` is complete.

    `attribute` can be set and observed. Five lines get there with avatars, whose labels are known:

    >>> faces, rng = fr.Avatars(identities=40), np.random.default_rng(0)
    >>> who = [i for i in faces.identities for _ in range(3)]
    >>> recipes = [{"age": rng.uniform(18, 75), "expression": rng.random(), "glasses": rng.random()} for _ in who]
    >>> pictures = faces.render_batch(who, recipes, size=112)
    >>> MacroscaleExplorer(model.embed(pictures), who, faces.labels(who, recipes), pictures=pictures)

    Raises ValueError where the data do not fit together, with what to give.
    """

    files, title = "macroscale", "Which attributes shape the space?"

    attribute = traitlets.Unicode()
    setup = traitlets.Dict().tag(sync=True)
    points = traitlets.Bytes().tag(sync=True)
    umap_points = traitlets.Bytes().tag(sync=True)
    labels = traitlets.Bytes().tag(sync=True)
    results = traitlets.Dict().tag(sync=True)
    summary = traitlets.Dict().tag(sync=True)
    curves = traitlets.Bytes().tag(sync=True)
    progress = traitlets.Dict().tag(sync=True)
    reply = traitlets.Dict().tag(sync=True)

    def __init__(
        self, embeddings: Any, identities: Any, labels: Any, *, attribute: str | None = None, pictures: Any = None,
        table: pd.DataFrame | None = None, metric: str | None = None, permutations: int = 200,
        sampling: str = "apart", limit: int = 500, seed: int = 0,
    ) -> None:  # fmt: skip
        method = {"metric": metric, "permutations": permutations, "sampling": sampling, "limit": limit, "seed": seed}
        self._survey = survey = Survey(embeddings, identities, labels, pictures, table, **method)
        self._problem: Exception | None = None
        super().__init__()
        xy, caption = survey.pca()
        signs = survey.labels.to_numpy(np.int8)[survey.shown].T
        self.points, self.labels = xy.tobytes(), np.ascontiguousarray(signs).tobytes()
        self.setup = survey.describe() | {"caption": caption}
        self.state = {"attribute": attribute or survey.names[0]}
        survey.look(self.attribute)  # the first one is there at once
        self._publish()
        self._desk = Desk(lambda: self.asked_at)
        self._desk.give("survey", Job(self._measure(), 2, failed=self._failed))

    def set(self, **state: Any) -> MacroscaleExplorer:
        """Choose what the page chooses: `attribute`, `projection` ("pca" or "umap")."""
        with self._lock:
            self.state = {**self.state, **state}
        return self

    @property
    def table(self) -> pd.DataFrame:
        """As `fr.macroscale` gives it; of the attributes measured so far until `wait()` has returned."""
        with self._lock:
            return self._survey.table

    def probe(self, attribute: str | None = None) -> MacroscaleExplorer:
        """Score a linear probe of an attribute, in the background; `wait()` for it."""
        name = self.attribute if attribute is None else attribute
        check_state({"attribute": name}, self._survey.names)
        steps_ = self._run(f"Training a linear probe of {name}", self._survey.probe, name)
        self._desk.give(f"probe {name}", Job(steps_, 1, failed=self._failed))
        return self

    def wait(self, timeout: float | None = None) -> MacroscaleExplorer:
        """Return when all that was asked for is there; raises what stopped it, or TimeoutError."""
        if not self._desk.wait(timeout):
            raise TimeoutError(f"not ready after {timeout:g} s: wait longer, or give fewer attributes or permutations.")
        if self._problem is not None:
            raise self._problem
        return self

    def close(self) -> None:
        """Stop the work in the background and take the widget off the page."""
        if desk := vars(self).get("_desk"):
            desk.stop()
        super().close()

    def _measure(self) -> Iterator[None]:
        total = len(self._survey.names)
        for done in steps(self._survey, lambda: self.attribute):
            self._tell("Measuring attributes", done, total)
            self._publish()
            yield
        self._tell("", 0, 0)

    def _run(self, what: str, act: Any, *arguments: Any) -> Iterator[None]:
        self._tell(what, 0, 0)
        yield
        act(*arguments)
        self._publish()
        self._tell("", 0, 0)

    def _fit_umap(self) -> None:
        found = self._survey.umap().tobytes()
        with self._lock:
            self.umap_points = found

    def _tell(self, what: str, done: int, total: int) -> None:
        with self._lock:
            self.progress = {"what": what, "done": done, "all": total} if what else {}

    def _publish(self) -> None:
        results, summary, curves = self._survey.for_browser()
        with self._lock, self.hold_sync():
            self.curves, self.summary, self.results = curves, summary, results

    def _failed(self, problem: Exception) -> None:
        self._problem = WidgetError("This could not be computed.", "What is shown stays; mend the cause and ask again.")
        self._problem.__cause__ = problem
        with self._lock:
            self.progress = {}
            self._show_error(self._problem, "", 0)

    def _handle(self, request: Mapping[str, Any]) -> None:
        action, place = request["action"], request.get("place")
        told: dict[str, Any] = {"client": request.get("client"), "seq": request.get("seq"), "action": action}
        if action == "picture" and self._survey.picture is not None:
            pixels = self._survey.picture(int(self._survey.shown[place]))
            told |= {"place": place, "shape": list(pixels.shape[:2])}
            with self.hold_sync():
                self.frame, self.reply = pixels.tobytes(), told
            return
        if action != "probe":
            raise ValueError(f"request {action!r}: this widget answers picture and probe.")
        self.probe()
        self.reply = told

    @traitlets.validate("state")
    def _check_state(self, proposal: Mapping[str, Any]) -> dict[str, Any]:
        return check_state(proposal["value"], self._survey.names)

    @traitlets.observe("state")
    def _on_state(self, change: Mapping[str, Any]) -> None:
        self.attribute = change["new"]["attribute"]
        # the constructor's own state comes before the desk
        if change["new"]["projection"] == "umap" and not self.umap_points and "_desk" in vars(self):
            what = "UMAP is being fitted, the first time about half a minute"
            self._desk.give("umap", Job(self._run(what, self._fit_umap), 1, failed=self._failed))

    @traitlets.observe("attribute")
    def _on_attribute(self, change: Mapping[str, Any]) -> None:
        if change["new"] != self.state["attribute"]:
            self.set(attribute=change["new"])
