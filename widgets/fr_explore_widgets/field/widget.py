"""`FieldExplorer`: a field's points and arrows in a plane, and its alignment energy as the scale slides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import traitlets
import xarray as xr

from fr_explore.lattice import Lattice

from ..core.base import LabWidget
from ..core.job_queue import Desk, Job
from . import export as export
from . import payload as sheets
from .curve import Pictures
from .scales import KINDS, Scales, plain
from .state import check, first, places

__all__ = ["FieldExplorer"]


class FieldExplorer(LabWidget):
    """See which way an attribute moves the embedding at each base point, and whether neighbours move alike.

    Parameters
    ----------
    field : from `fr.vector_field`, with all four dimensions.
    lattice : the lattice that the field was made from; a curve then shows its three faces.
    ks, radii : the scales to slide over, in neighbours and in mean distances; about 30 of each by default.
    null_draws, seed : of the random directions that E is compared with. size : side of the faces in pixels.

    The kernel computes the energies of all points at all scales, when a cell of the field is first looked at; the page
    looks them up while the slider moves. `wait()` returns when what goes on in the background is done.

    >>> w = FieldExplorer(fr.vector_field(embeddings), lattice)
    >>> w.set(attribute="age", kind="ball", scale=0.6)
    >>> w.energy, w.coverage
    (0.25, 0.81)
    """

    files = "field"
    title = "Field explorer"

    energy = traitlets.Float(float("nan"))
    coverage = traitlets.Float(0.0)

    setup = traitlets.Dict().tag(sync=True)
    sheet = traitlets.Dict().tag(sync=True)
    sheet_data = traitlets.Bytes().tag(sync=True)
    near = traitlets.Dict().tag(sync=True)
    near_data = traitlets.Bytes().tag(sync=True)
    look = traitlets.Dict().tag(sync=True)
    nulls = traitlets.Dict().tag(sync=True)
    strip = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        field: xr.Dataset,
        lattice: Lattice | None = None,
        *,
        ks: Sequence[int] | None = None,
        radii: Sequence[float] | None = None,
        null_draws: int = 20,
        seed: int = 0,
        size: int = 96,
    ) -> None:
        self.scales = Scales(field, ks, radii, null_draws, seed)
        self._pictures = None if lattice is None else Pictures(lattice, self.scales.field, self.scales, size)
        state = first(self.scales, sheets.middle(self.scales, 0, 0))
        super().__init__(
            setup=sheets.describe(self.scales, self._pictures),
            state=state,
            **sheets.sheet(self.scales, 0, 0, state["kind"]),
        )
        self._desk = Desk(lambda: self.asked_at)
        self._show()

    def set(self, **changes: Any) -> None:
        """Look elsewhere: `identity`, `attribute`, `plane`, `kind` ("knn", "ball"), `scale`, `length`, `curve`.

        Raises ValueError, and changes nothing, for a name or a scale that there is not.
        """
        with self._lock:
            now = dict(self.state)
            if changes.get("kind", now["kind"]) != now["kind"]:
                now["scale"] = None
            self.state = check(self.scales, now | changes)

    def wait(self, timeout: float | None = None) -> FieldExplorer:
        """Return when the null and the energies of the other identities are computed; TimeoutError after `timeout`."""
        if not self._desk.wait(timeout):
            raise TimeoutError(f"the background was not done after {timeout:g} s: wait longer.")
        return self

    def close(self) -> None:
        """Stop what goes on in the background and take the widget off the page."""
        if desk := vars(self).get("_desk"):  # none yet if the constructor refused its arguments
            desk.stop()
        super().close()

    def _handle(self, request: Mapping[str, Any]) -> None:
        place = {name: int(value) for name, value in request["values"].items()}
        tag = {"client": request["client"], "seq": request["seq"]}
        who = place["identity"], place["attribute"]
        if request["action"] == "sheet":
            self._send_traits(sheets.sheet(self.scales, *who, KINDS[place["kind"]]), "sheet", tag)
        else:
            self._send_traits(sheets.neighbors(self.scales, *who, place["curve"]))
            # the neighbours are on their way while the faces are rendered
            self._send_traits(sheets.faces(self._pictures, *who, place["curve"]), "look", tag)

    def _send_traits(self, traits: dict[str, Any], reply: str = "", tag: Mapping[str, Any] | None = None) -> None:
        if tag:
            traits[reply] = traits[reply] | tag
        with self.hold_sync():
            for name, value in traits.items():
                setattr(self, name, value)

    def _show(self) -> None:
        """Set the figures of the present state, and have its surroundings computed."""
        now = dict(self.state)
        identity, attribute, scale = places(self.scales, now)
        profile = self.scales.profile(identity, attribute, now["kind"])
        self.energy, self.coverage = float(profile.energy[scale]), float(profile.coverage[scale])
        for rank, kind in enumerate(sorted(KINDS, key=lambda kind: kind != now["kind"])):
            job = Job(self._surroundings(identity, attribute, kind), rank, failed=self._failed)
            self._desk.give(f"{rank}", job)

    def _failed(self, problem: Exception) -> None:
        self._show_error(problem, "", 0)

    def _surroundings(self, identity: int, attribute: int, kind: str) -> Iterator[None]:
        """The null of one cell, then the energies of the other identities for the same attribute."""
        key = f"{identity},{attribute},{kind}"
        for _ in self.scales.steps(identity, attribute, kind):
            yield
        if key not in self.nulls and self.scales.draws:
            found = []
            for one in self.scales.null_steps(identity, attribute, kind):
                found.append(one)
                yield
            self.nulls = {**self.nulls, key: found}
        for other in range(len(self.scales.identities)):
            if self.scales.known_profile(other, attribute, kind) is None:
                for _ in self.scales.steps(other, attribute, kind):
                    yield
        everyone = range(len(self.scales.identities))
        rows = [plain(self.scales.profile(i, attribute, kind).energy.tolist()) for i in everyone]
        self.strip = {**self.strip, f"{attribute},{kind}": rows}

    @traitlets.validate("state")
    def _check_state(self, proposal: Mapping[str, Any]) -> dict[str, Any]:
        return check(self.scales, proposal["value"])

    @traitlets.observe("state")
    def _on_state(self, change: Mapping[str, Any]) -> None:
        if "_desk" not in vars(self):
            return
        with self._lock:
            try:
                self._show()
            except Exception as problem:
                self._failed(problem)

    # --- exports ------------------------------------------------------------------------------------------------------

    def _words(self) -> str:
        return export.words(self.scales, self.state)

    def _tables(self) -> Mapping[str, Any]:
        return export.tables(self.scales, self.state)

    def _picture(self, kept: bool) -> Sequence[Sequence[Any]]:
        identity, attribute, _ = places(self.scales, dict(self.state))
        curve, faces = self.state["curve"], None
        # rendering takes longer than a kept picture may, and faces may be photographs
        if not kept and curve is not None and self._pictures:
            faces = self._pictures.faces(identity, attribute, curve)
        return export.picture(self.scales, self.state, faces)

    def _offline(self, **resolution: Any) -> Any:
        """`curves`: how many curves of each identity and attribute bring their faces, 24 by default."""
        unknown = sorted(set(resolution) - {"curves"})
        if unknown:
            raise ValueError(f"{', '.join(unknown)} is unknown: FieldExplorer's page takes curves=.")
        return export.offline(self.scales, self._pictures, self.state, int(resolution.get("curves", 24)))
