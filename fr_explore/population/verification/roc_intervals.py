"""The ROC curve of all pairs and of each group, with bootstrap intervals of both rates at every threshold."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .rates import Rates

__all__ = ["Bands"]


class Bands:
    """Collects the rates of bootstrap draws at fixed thresholds.

    table : pairs with distance (ascending), same and, where there are groups, group (a category).
    """

    def __init__(self, table: pd.DataFrame) -> None:
        distances, same = table["distance"].to_numpy(), table["same"].to_numpy(bool)
        self._parts: dict[str | None, np.ndarray] = {None: np.ones(len(table), bool)}
        if "group" in table:
            self._parts |= {name: (table["group"] == name).to_numpy() for name in table["group"].cat.categories}
        self._same = same
        self._thresholds = {
            name: Rates.of(distances[own], same[own]).thinned().thresholds if _both(same[own]) else distances[:0]
            for name, own in self._parts.items()
        }
        self._ends = {name: np.searchsorted(distances, cuts, side="right") for name, cuts in self._thresholds.items()}
        self._drawn: dict[str | None, list[np.ndarray]] = {name: [] for name in self._parts}
        self._whole = {name: self._rates(name, np.ones(len(table))) for name in self._parts}

    def add(self, weights: np.ndarray) -> None:
        """One draw, in which pair i counts `weights[i]` times."""
        for name, drawn in self._drawn.items():
            drawn.append(self._rates(name, weights).astype(np.float32))

    def curves(self, level: float) -> dict[str | None, pd.DataFrame]:
        """By group, None for all pairs: threshold, far, tar, frr, far_probit, frr_probit, and _low, _high of the rates.

        Empty for a group that lacks one kind of pair; NaN as intervals without draws.
        """
        from scipy.special import ndtri

        found = {}
        for name, (far, frr) in self._whole.items():
            curve = {"threshold": self._thresholds[name], "far": far, "tar": 1 - frr, "frr": frr}
            curve |= {"far_probit": ndtri(far), "frr_probit": ndtri(frr)}
            edges = np.full((2, 2, len(far)), np.nan)
            if self._drawn[name] and len(far):
                # a draw may hold no pair of a small group
                drawn = np.stack(self._drawn[name])
                edges = np.nanquantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
            for column, rate in enumerate(("far", "frr")):
                curve |= {f"{rate}_low": edges[0, column], f"{rate}_high": edges[1, column]}
            found[name] = pd.DataFrame(curve)
        return found

    def _rates(self, name: str | None, weights: np.ndarray) -> np.ndarray:
        """far and frr at the thresholds of a part, (2, m); NaN where the draw holds no pair of the kind."""
        found = np.full((2, len(self._ends[name])), np.nan)
        for row, kind in enumerate((~self._same, self._same)):
            counted = np.concatenate([[0.0], np.cumsum(weights * (kind & self._parts[name]))])
            if counted[-1] > 0:
                share = counted[self._ends[name]] / counted[-1]
                found[row] = 1 - share if row else share
        return found


def _both(same: np.ndarray) -> bool:
    return bool(same.any() and not same.all())
