"""Pairs of faces for VerificationExplorer: distances, named thresholds and intervals, for Python and for the browser.

- The browser counts: it receives the ascending distances once, so that a threshold moves without a round trip.
- They are sent as float64. In float32 a threshold equal to a distance could decide differently from Python.
- Intervals are those of `fr.verification`, which resamples people. Without any error, or with nothing but errors, every
  resample has the same rate. There, and without resampling, the interval is Wilson's, with one observation per person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

import fr_explore as fr
from fr_explore.base.distance import same_person
from fr_explore.base.values import truths
from fr_explore.population.verification.rates import Rates

__all__ = ["Pairs", "pairs_of", "wilson"]

FEW_PAIRS, FEW_PEOPLE = 30, 10  # below this a group's rate says little
RATES = ("far", "frr")
Z = 1.959964  # of a two-sided 95 % interval


@dataclass(frozen=True, eq=False)
class Pairs:
    """All pairs, and the groups among them.

    Parameters
    ----------
    table : one row per pair, distances ascending: same, distance, and group where there are groups.
    curves : by group, None for all: threshold, far_low, far_high, frr_low, frr_high.
    marks : named thresholds: name, at, and low, high where known. eer : rate, low, high, at.
    people : number of people in each group's pairs, None if unknown.
    """

    table: pd.DataFrame
    metric: str
    curves: dict[str | None, pd.DataFrame]
    marks: list[dict[str, Any]]
    eer: dict[str, Any]
    people: Mapping[str | None, int | None]
    level: float = 0.95
    title: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, found: fr.Verification, title: str = "") -> Pairs:
        """From the result of `fr.verification`."""
        a, rates = found.attrs, found.rates.sort_values("name")
        marks = [{"name": row["name"], "at": row["threshold"]} for row in rates.to_dict("records")]
        marks[0] |= {"low": found.threshold_low, "high": found.threshold_high}
        curves = {None: found.curve, **found.group_curves}
        people = {name: _people(_part(found.pairs, name), found.pairs) for name in curves}
        # without an error no resample has one
        edges = wilson(0, people[None]) if found.eer == 0 else (found.eer_low, found.eer_high)
        eer = {"rate": found.eer, "low": edges[0], "high": edges[1], "at": _eer(found.pairs)[1]}
        facts = {"draws": a["draws"], "resampled": a["resampled"], "target": a["target"]}
        return cls(found.pairs, a["metric"], curves, marks, eer, people, a["level"], title, facts)

    @classmethod
    def of_distances(cls, table: pd.DataFrame, published: float | None, title: str = "") -> Pairs:
        """From the table of `fr.pair_distances`: the people are unknown, so nothing is resampled."""
        same = truths(table["pair"], "the column pair")
        distances = table["distance"].to_numpy(float)
        if not (distances >= 0).all():
            raise ValueError("the column distance has NaN or numbers below 0: leave these pairs out.")
        rows = pd.DataFrame({"same": same, "distance": distances})
        rows = rows.sort_values("distance", kind="stable", ignore_index=True)
        if same.all() or not same.any():
            raise ValueError(
                f"there are {same.sum()} genuine and {(~same).sum()} impostor pairs: both kinds are needed; give the "
                "table of fr.pair_distances, unchanged."
            )
        rate, at = _eer(rows)
        marks = [{"name": "calibrated", "at": at}]
        if published is not None:
            marks.append({"name": "published", "at": published})
        empty = pd.DataFrame(columns=["threshold", *(f"{r}_{side}" for r in RATES for side in ("low", "high"))])
        eer = {"rate": rate, "at": at}
        metric = table.attrs.get("metric", "euclidean")
        return cls(rows, metric, {None: empty}, marks, eer, {None: None}, title=title, facts={"draws": 0})

    @property
    def start(self) -> float:
        """The initial threshold: the published one, or else the calibrated one."""
        return float(self.marks[-1]["at"])

    @property
    def groups(self) -> list[str]:
        return [str(name) for name in self.curves if name is not None]

    def rates(self, threshold: float) -> pd.DataFrame:
        """One row for all pairs and for each group: counts, rates and their intervals at a threshold."""
        rows = []
        for name, curve in self.curves.items():
            part = _part(self.table, name)
            same, near = part["same"].to_numpy(bool), np.asarray(same_person(part["distance"], threshold), bool)
            row: dict[str, Any] = {"group": "all pairs" if name is None else name, "threshold": threshold}
            row |= {"people": self.people[name], "impostor": int((~same).sum()), "accepted": int((near & ~same).sum())}
            row |= {"genuine": int(same.sum()), "rejected": int((~near & same).sum())}
            for rate, bad, among in (("far", "accepted", "impostor"), ("frr", "rejected", "genuine")):
                low, high = self._interval(name, rate, curve, threshold, row[bad], row[among])
                row |= {rate: row[bad] / row[among] if row[among] else np.nan, f"{rate}_low": low, f"{rate}_high": high}
            row["few"] = self.few(row)
            rows.append(row)
        return pd.DataFrame(rows)

    @staticmethod
    def few(row: dict[str, Any]) -> bool:
        """Too few pairs or people of a kind for its rate to say much."""
        few_pairs = any(0 < row[kind] < FEW_PAIRS for kind in ("genuine", "impostor"))
        return few_pairs or (row["people"] or FEW_PEOPLE) < FEW_PEOPLE

    def _interval(self, name: str | None, rate: str, curve: pd.DataFrame, threshold: float, bad: int, among: int):
        place = int(np.searchsorted(curve["threshold"].to_numpy(float), threshold, side="right")) - 1
        if 0 < bad < among and place >= 0:
            low, high = curve[f"{rate}_low"].iloc[place], curve[f"{rate}_high"].iloc[place]
            if np.isfinite(low):
                return float(low), float(high)
        return wilson(bad / among, min(among, self.people[name] or among)) if among else (np.nan, np.nan)

    def for_browser(self) -> tuple[dict[str, Any], bytes]:
        """Plain JSON, and the arrays that it describes: see `decode` in data.js."""
        same = self.table["same"].to_numpy(bool)
        distance = self.table["distance"].to_numpy(np.float64)
        columns = ["threshold", *(f"{rate}_{side}" for rate in RATES for side in ("low", "high"))]
        blocks = [distance[same], distance[~same]]
        blocks += [curve[column].to_numpy(np.float64) for curve in self.curves.values() for column in columns]
        if self.groups:
            codes = self.table["group"].cat.codes.to_numpy().astype(np.uint8)
            blocks += [codes[same], codes[~same]]
        setup = {
            "title": self.title, "metric": self.metric, "marks": [_plain(m) for m in self.marks],
            "eer": _plain(self.eer), "genuine": int(same.sum()), "impostor": int((~same).sum()),
            "groups": self.groups, "people": list(self.people.values()), "level": self.level,
            "curves": [len(curve) for curve in self.curves.values()], "facts": self.facts,
        }  # fmt: skip
        return setup, b"".join(np.ascontiguousarray(block).tobytes() for block in blocks)


def pairs_of(source: Any, identities: Any, groups: Any, published: float | None, draws: int, seed: int) -> Pairs:
    """Pairs from any accepted source; TypeError or ValueError for anything else."""
    attrs = getattr(source, "attrs", {})
    title = str(attrs.get("model_title", attrs.get("model", "")))
    if isinstance(source, fr.Verification):
        return Pairs.of(source, title)
    if isinstance(source, pd.DataFrame):
        if not {"pair", "distance"} <= set(source.columns):
            raise ValueError(
                f"the table has the columns {', '.join(map(repr, source.columns))}: give the table of "
                "fr.pair_distances, or embeddings and identities."
            )
        return Pairs.of_distances(source, published, title)
    if np.ndim(source) < 2:
        raise TypeError(
            f"got {type(source).__name__}: give the result of fr.verification, embeddings (images, dim) and "
            "identities, or a face source and a model."
        )
    by = groups if isinstance(groups, str) else None
    if groups is not None and by is None:
        source, by = _with_groups(source, groups), "group"
    found = fr.verification(source, identities=identities, by=by, published=published, draws=draws, seed=seed)
    return Pairs.of(found, title)


def _with_groups(embeddings: Any, groups: Any) -> xr.DataArray:
    """Embeddings of images with their groups as a coordinate."""
    values = np.asarray(groups).astype(str).astype(object)
    if not isinstance(embeddings, xr.DataArray):
        embeddings = xr.DataArray(np.asarray(embeddings), dims=("image", "dim"))
    outer = [dim for dim in embeddings.dims if dim != "dim"]
    if len(outer) != 1 or values.shape != (embeddings.sizes[outer[0]],):
        raise ValueError(
            f"the groups have shape {values.shape} and the embeddings {dict(embeddings.sizes)}: give embeddings "
            "(images, dim) and one group for each image."
        )
    return embeddings.assign_coords(group=(outer[0], values))


def wilson(share: float, count: float) -> tuple[float, float]:
    """Wilson's 95 % interval of a share of `count` independent observations (Wilson 1927)."""
    if not count:
        return float("nan"), float("nan")
    middle = (share + Z**2 / (2 * count)) / (1 + Z**2 / count)
    half = Z / (1 + Z**2 / count) * np.sqrt(share * (1 - share) / count + Z**2 / (4 * count**2))
    # exactly 0 or 1 where the share is, without rounding errors
    return 0.0 if share == 0 else float(middle - half), 1.0 if share == 1 else float(middle + half)


def _part(table: pd.DataFrame, name: str | None) -> pd.DataFrame:
    return table if name is None else table.loc[table["group"] == name]


def _people(part: pd.DataFrame, everyone: pd.DataFrame) -> int:
    """Number of people in some pairs: images connected by genuine pairs belong to one person."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    same = everyone[everyone["same"]]
    images = int(everyone[["first", "second"]].to_numpy().max()) + 1
    ties = coo_array((np.ones(len(same)), (same["first"], same["second"])), shape=(images, images))
    who = connected_components(ties, directed=False)[1]
    return len(np.unique(who[part[["first", "second"]].to_numpy().ravel()]))


def _eer(table: pd.DataFrame) -> tuple[float, float]:
    return Rates.of(table["distance"].to_numpy(), table["same"].to_numpy(bool)).equal_error()


def _plain(facts: dict[str, Any]) -> dict[str, Any]:
    """Without unknown values: JSON has no NaN."""
    return {key: value for key, value in facts.items() if not (isinstance(value, float) and np.isnan(value))}
