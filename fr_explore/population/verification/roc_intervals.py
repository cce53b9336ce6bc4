"""The ROC curve of all pairs and of each group, with bootstrap intervals of both rates at every threshold."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ...base.shapes import Num
from .rates import Rates

__all__ = ["RocIntervals"]


class RocIntervals:
    """Collects the rates of bootstrap draws at fixed thresholds.

    SciPy's `bootstrap` resamples rows; here a draw reweights pairs by their people, and several tables share it.

    table : pairs with distance (ascending), same and, if there are groups, group (a category).
    """

    def __init__(self, table: pd.DataFrame) -> None:
        distances, same = table["distance"].to_numpy(), table["same"].to_numpy(bool)
        self._parts: dict[str | None, np.ndarray] = {None: np.ones(len(table), bool)}
        if "group" in table:
            self._parts |= {name: (table["group"] == name).to_numpy() for name in table["group"].cat.categories}
        self._same = same
        self._thresholds = {name: _thresholds(distances[own], same[own]) for name, own in self._parts.items()}
        self._ends = {name: np.searchsorted(distances, cuts, side="right") for name, cuts in self._thresholds.items()}
        self._drawn: dict[str | None, list[np.ndarray]] = {name: [] for name in self._parts}
        self._whole = {name: self._rates(name, np.ones(len(table))) for name in self._parts}

    def add(self, weights: Num[np.ndarray, " pairs"]) -> None:
        """Add one draw, in which pair i counts `weights[i]` times."""
        for name, drawn in self._drawn.items():
            drawn.append(self._rates(name, weights).astype(np.float32))

    def curves(self, level: float) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
        """For all pairs and by group: threshold, far, tar, frr, far_probit, frr_probit, and _low, _high of the rates.

        In a group without genuine or without impostor pairs, the rate of that kind is NaN; so are the intervals without
        draws.
        """
        curves = {name: self._curve(name, level) for name in self._parts}
        return curves[None], {name: curve for name, curve in curves.items() if name is not None}

    def _curve(self, name: str | None, level: float) -> pd.DataFrame:
        from scipy.special import ndtri

        far, frr = self._whole[name]
        curve = {"threshold": self._thresholds[name], "far": far, "tar": 1 - frr, "frr": frr}
        curve |= {"far_probit": ndtri(far), "frr_probit": ndtri(frr)}
        drawn = np.array(self._drawn[name], np.float32).reshape(len(self._drawn[name]), 2, len(far))
        for column, rate in enumerate(("far", "frr")):
            # leave out draws without any such pair, as happens in a small group; `nanquantile` is many times as slow
            rows = drawn[~np.isnan(drawn[:, column]).any(axis=1), column]
            edges = np.full((2, len(far)), np.nan)
            if rows.size:
                edges = np.quantile(rows, [(1 - level) / 2, (1 + level) / 2], axis=0)
            curve |= {f"{rate}_low": edges[0], f"{rate}_high": edges[1]}
        return pd.DataFrame(curve)

    def _rates(self, name: str | None, weights: np.ndarray) -> np.ndarray:
        """far and frr at the thresholds of a part, (2, m); NaN if the draw has no pair of the kind."""
        found = np.full((2, len(self._ends[name])), np.nan)
        for row, kind in enumerate((~self._same, self._same)):
            counted = np.concatenate([[0.0], np.cumsum(weights * (kind & self._parts[name]))])
            if counted[-1] > 0:
                share = counted[self._ends[name]] / counted[-1]
                found[row] = 1 - share if row else share
        return found


def _thresholds(distances: np.ndarray, same: np.ndarray, points: int = 1000) -> np.ndarray:
    """The distances at which the rates of a part are kept: the corners of its ROC, or even steps of its only rate."""
    if same.any() and not same.all():
        return Rates.of(distances, same).thinned(points).thresholds
    occurring = np.unique(distances)
    return occurring[np.unique(np.linspace(0, len(occurring) - 1, min(len(occurring), points)).astype(int))]
