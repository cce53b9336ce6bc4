"""`EnergyPlayground`: arrows on a ring, a grid or random points, and their alignment energy, without a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import traitlets

from ..core.base import LabWidget
from ..core.page import Offline
from ..core.picture import Part, Plot
from .arrows import arrows, check_settings, neighborhood

__all__ = ["EnergyPlayground"]

ARROW = "#17708c"
PRESETS = ("parallel", "tangential", "radial", "random", "opposed")


class EnergyPlayground(LabWidget):
    """Order or disorder some arrows and compare the alignment energy with its closed form and its null.

    Parameters
    ----------
    preset : "parallel", "tangential", "radial", "random" or "opposed", without noise; None starts from the settings.
    settings : any of `layout` ("ring", "grid", "random"), `pattern`, `order` (0 only noise ... 1 no noise), `rule`
        ("ball", "knn", "all", "all_weighted" by 1/distance), `radius` in mean distances, `k`, `include_self`,
        `dim` (2 ... 128), `seed`, `selected` (the arrow whose neighbourhood is shown).

    The browser computes everything, so the widget works without a kernel. `state` contains the settings as plain JSON,
    follows the page and can be set. `arrows()` returns the arrows on the page, for the library:

    >>> w = EnergyPlayground("tangential", radius=0.6)
    >>> points, directions = w.arrows()
    >>> round(fr.alignment_energy(points, directions, w.neighborhood), 2) == round(w.energy(), 2)
    True

    Raises ValueError for an unknown setting or a value out of range.
    """

    files = "energy"
    title = "Energy playground"

    def __init__(self, preset: str | None = None, **settings: Any) -> None:
        super().__init__(state=check_settings({**_of_preset(preset), **settings}))

    def set(self, preset: str | None = None, **settings: Any) -> None:
        """Change settings, like the sliders: `w.set(order=0.5)`, `w.set("radial")`."""
        self.state = dict(self.state) | _of_preset(preset) | settings

    @property
    def neighborhood(self) -> str:
        """The current neighbourhood as the library spells it, such as "ball:0.6"."""
        return neighborhood(self.state)

    def arrows(self) -> tuple[np.ndarray, np.ndarray]:
        """The points (n, 2) and unit directions (n, dim) on the page."""
        return arrows(self.state)

    def energy(self) -> float:
        """The alignment energy of the current arrows, by the library; NaN if no arrow has a neighbour."""
        import fr_explore as fr

        return float(fr.alignment_energy(*self.arrows(), self.neighborhood))

    def _tables(self) -> dict[str, pd.DataFrame]:
        """One row per arrow: arrow, x, y, direction_1 ... direction_dim, energy (empty without a neighbour)."""
        import fr_explore as fr

        points, directions = self.arrows()
        names = ["arrow", "x", "y", *(f"direction_{k + 1}" for k in range(directions.shape[1])), "energy"]
        each = fr.alignment_energy(points, directions, self.neighborhood, point_energies=True)
        rows = np.column_stack([np.arange(len(points)) + 1, points, directions, each])
        return {"arrows": pd.DataFrame(rows, columns=names).astype({"arrow": int})}

    def _words(self) -> str:
        state, energy = self.state, self.energy()
        value = "is not defined: no arrow has a neighbour" if np.isnan(energy) else f"= {energy:.3f}"
        return (
            f"{state['pattern'].capitalize()} arrows on a {state['layout']} with order {state['order']:g} in "
            f"{state['dim']} dimensions; alignment energy E {value} with the neighbourhood {self.neighborhood}."
        ).replace("on a random", "at random points")

    def _picture(self, kept: bool) -> Sequence[Sequence[Part]]:
        points, directions = self.arrows()
        steps = 0.08 * directions[:, :2]
        across = steps[:, ::-1] * (-1, 1)
        parts = (points - steps, points + steps, points + 0.4 * (steps + across), points + 0.4 * (steps - across))
        paths = np.stack([parts[k] for k in (0, 1, 2, 1, 3)], 1)  # the shaft, then both barbs
        lines = [(*path.T.tolist(), ARROW, "") for path in paths]
        return [[Plot(lines=lines, axes=False, size=(320, 320)), self._words()]]

    def _offline(self, **resolution: Any) -> Offline:
        if resolution:
            raise ValueError(f"{', '.join(resolution)}: the page computes everything and has no resolution to set.")
        return Offline()

    def _handle(self, request: Mapping[str, Any]) -> None:
        raise ValueError(f"request {request.get('action')!r}: the page computes everything and sends no requests.")

    @traitlets.validate("state")
    def _check_state(self, proposal: Mapping[str, Any]) -> dict[str, Any]:
        return check_settings(proposal["value"])


def _of_preset(preset: str | None) -> dict[str, Any]:
    if preset is None:
        return {}
    if preset not in PRESETS:
        raise ValueError(f"preset {preset!r} is unknown: choose from {', '.join(PRESETS)}.")
    return {"order": 0} if preset == "random" else {"pattern": preset, "order": 1}
