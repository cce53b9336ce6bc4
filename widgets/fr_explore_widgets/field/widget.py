"""`FieldExplorer`: a field's points and arrows in a plane, and its alignment energy as a function of the scale."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import traitlets
import xarray as xr

from fr_explore.lattice import Lattice

from ..core.base import reply_tag
from ..core.job_queue import BackgroundWidget
from . import export, payload
from .curve import Pictures
from .scales import Scales, plain
from .state import check, first, places

__all__ = ["FieldExplorer"]


class FieldExplorer(BackgroundWidget):
    """Show in which direction an attribute moves the embedding at each base point, and whether neighbours move alike.

    Parameters
    ----------
    field : from `fr.vector_field`, with all four dimensions.
    lattice : the lattice of the field; a curve then shows its three faces, unless another version of the face source
        drew the faces that were embedded.
    ks, radii : the scales of the slider, in neighbours and in mean distances; about 30 of each by default.
    null_draws, seed : of the random directions that E is compared with. size : width of the faces in pixels.

    When a cell of the field is first shown, the kernel computes the energies of all points at all scales; the page
    looks them up while the slider moves. `wait()` returns when the work in the background is done.

    >>> w = FieldExplorer(fr.vector_field(embeddings), lattice)
    >>> w.set(attribute="age", kind="ball", scale=0.6)
    >>> w.energy, w.coverage
    (0.25, 0.81)
    """

    files = "field"
    title = "Field explorer"
    late = "the background work was not done after {timeout:g} s: wait longer."

    energy = traitlets.Float(float("nan"))
    coverage = traitlets.Float(0.0)

    setup = traitlets.Dict().tag(sync=True)
    payload = traitlets.Dict().tag(sync=True)
    payload_data = traitlets.Bytes().tag(sync=True)
    neighbors = traitlets.Dict().tag(sync=True)
    neighbor_data = traitlets.Bytes().tag(sync=True)
    curve_view = traitlets.Dict().tag(sync=True)
    nulls = traitlets.Dict().tag(sync=True)
    identity_energies = traitlets.Dict().tag(sync=True)

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
        redrawn = self._pictures is not None and self._pictures.redrawn
        if redrawn:
            self._pictures = None
        state = first(self.scales, payload.middle(self.scales, 0, 0))
        cell = payload.cell_payload(self.scales, 0, 0, state["kind"])
        super().__init__(setup=payload.describe(self.scales, self._pictures, redrawn), state=state, **cell)

    def set(self, **changes: Any) -> None:
        """Change what is shown: `identity`, `attribute`, `plane`, `kind`, `scale`, `length`, `curve`.

        `kind` is the first word of a neighbourhood: "knn", "ball", "all_pairs", or one of your own.

        Raises ValueError, and changes nothing, for an unknown name or scale.
        """
        with self._lock:
            now = dict(self.state)
            if changes.get("kind", now["kind"]) != now["kind"]:
                now["scale"] = None
            self.state = check(self.scales, now | changes)

    def _handle(self, request: Mapping[str, Any]) -> None:
        place = {name: int(value) for name, value in request["values"].items()}
        cell, tag = (place["identity"], place["attribute"]), reply_tag(request)
        match request["action"]:
            case "load_cell":
                traits = payload.cell_payload(self.scales, *cell, self.scales.kinds[place["kind"]])
                self._publish(traits | {"payload": traits["payload"] | tag})
            case "view_curve":
                self._publish(payload.neighbors(self.scales, *cell, place["curve"]))
                # the neighbours are sent before the faces are rendered
                traits = payload.curve_view(self._pictures, *cell, place["curve"])
                self._publish(traits | {"curve_view": traits["curve_view"] | tag})
            case action:
                raise ValueError(f"request {action!r}: this widget answers load_cell and view_curve.")

    def _publish(self, traits: Mapping[str, Any]) -> None:
        with self.hold_sync():
            for name, value in traits.items():
                self.set_trait(name, value)

    @traitlets.validate("state")
    def _check_state(self, proposal: Mapping[str, Any]) -> dict[str, Any]:
        return check(self.scales, proposal["value"])

    @traitlets.observe("state")
    def _on_state(self, change: Mapping[str, Any]) -> None:
        """Set the figures of the new state, and start the computation of the null and the other identities."""
        with self._lock:
            now = change["new"]
            identity, attribute, scale = places(self.scales, now)
            profile = self.scales.profile(identity, attribute, now["kind"])
            self.energy, self.coverage = float(profile.energy[scale]), float(profile.coverage[scale])
            for rank, kind in enumerate(sorted(self.scales.kinds, key=lambda kind: kind != now["kind"])):
                self.jobs.start(f"rank {rank}", self._compute_around(identity, attribute, kind), rank)

    def _compute_around(self, identity: int, attribute: int, kind: str) -> Iterator[None]:
        """The null of one cell, then the energies of the other identities for the same attribute."""
        key = f"{identity},{attribute},{kind}"
        yield from self.scales.steps(identity, attribute, kind)
        if key not in self.nulls and self.scales.draws:
            null = []
            for one in self.scales.null_steps(identity, attribute, kind):
                null.append(one)
                yield
            self.nulls = {**self.nulls, key: null}
        everyone = range(len(self.scales.identities))
        for other in everyone:
            if self.scales.known_profile(other, attribute, kind) is None:
                yield from self.scales.steps(other, attribute, kind)
        rows = [plain(self.scales.profile(i, attribute, kind).energy.tolist()) for i in everyone]
        self.identity_energies = {**self.identity_energies, f"{attribute},{kind}": rows}

    # --- exports ------------------------------------------------------------------------------------------------------

    def _words(self) -> str:
        return export.words(self.scales, self.state)

    def _tables(self) -> Mapping[str, Any]:
        return export.tables(self.scales, self.state)

    def _picture(self, kept: bool) -> Sequence[Sequence[Any]]:
        identity, attribute, _ = places(self.scales, dict(self.state))
        curve, faces = self.state["curve"], None
        # rendering takes too long for a picture in the notebook, and the faces may be photographs
        if not kept and curve is not None and self._pictures:
            faces = self._pictures.faces(identity, attribute, curve)
        return export.picture(self.scales, self.state, faces)

    def _offline(self, **resolution: Any) -> Any:
        """The page draws the faces of all curves itself, if they are avatars.

        curves : store the faces of so many curves of each identity and attribute instead; by default 24 of faces that
            are not avatars.
        """
        unknown = sorted(set(resolution) - {"curves"})
        if unknown:
            raise ValueError(f"{', '.join(unknown)} is unknown: FieldExplorer's page takes curves=.")
        return export.offline(self.scales, self._pictures, self.state, resolution.get("curves"))
