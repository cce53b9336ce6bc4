"""`verification`: a threshold calibrated on your own pairs, with its interval, compared with the published one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from ...base.distance import same_person
from ...base.shapes import Num, Shaped
from ..labels import recorded
from .embedded_images import EmbeddedImages
from .pairs import distances_of, pair_indices
from .rates import Rates
from .roc_intervals import RocIntervals

__all__ = ["Verification", "verification"]

Target: TypeAlias = Literal["eer"] | float


@dataclass(frozen=True, slots=True, eq=False)
class Verification:
    """The result of `verification`.

    Parameters
    ----------
    threshold : the calibrated one, with interval `threshold_low` to `threshold_high`; two faces count as the same
        person if their distance is at most this.
    eer : equal error rate, with interval `eer_low` to `eer_high`.
    rates : one row per threshold (calibrated, published): threshold, far (impostor pairs accepted), frr (genuine pairs
        rejected), accuracy (1 - their mean), and _low, _high of each.
    tar_at_far : one row per requested false acceptance rate: far, tar, tar_low, tar_high, threshold; NaN if there are
        fewer than 1 / far impostor pairs.
    curve : the ROC and the DET curve: threshold, far, tar, frr; far_probit and frr_probit, the normal quantiles used
        as axes of a DET plot; and _low, _high of far and frr at each threshold; thinned to about 3,000 points.
    groups : one row per group: number of genuine and impostor pairs, far and frr at both thresholds, intervals for the
        calibrated one; None without groups.
    group_curves : the same columns as `curve`, by name of the group; in a group without genuine or without impostor
        pairs, the rate of that kind is NaN.
    pairs : one row per pair: first, second (row numbers of the images), same, distance, and group.
    attrs : metric, numbers of pairs, how the intervals were computed; left_out, the number of given pairs that name an
        image without an embedding, and left_out_images, the names.
    """

    threshold: float
    threshold_low: float
    threshold_high: float
    eer: float
    eer_low: float
    eer_high: float
    rates: pd.DataFrame
    tar_at_far: pd.DataFrame
    curve: pd.DataFrame
    groups: pd.DataFrame | None
    group_curves: dict[str, pd.DataFrame]
    pairs: pd.DataFrame
    attrs: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        a, drawn = self.attrs, self.attrs["draws"] > 0
        left_out = f", {a['left_out']:,} pair{'s' * (a['left_out'] > 1)} left out" if a["left_out"] else ""
        threshold = f" [{self.threshold_low:.3g}, {self.threshold_high:.3g}]" if drawn else ""
        eer = f" [{self.eer_low:.2%}, {self.eer_high:.2%}]" if drawn else ""
        return (
            f"Verification(threshold {self.threshold:.3g}{threshold}, EER {self.eer:.2%}{eer}, "
            f"{a['genuine']:,} genuine and {a['impostor']:,} impostor pairs, {a['metric']}{left_out})"
        )

    def _repr_html_(self) -> str:
        from html import escape

        tables = [self.rates, self.tar_at_far, *([] if self.groups is None else [self.groups])]
        return f"<p>{escape(repr(self))}</p>" + "".join(t.to_html(index=False, float_format="%.4g") for t in tables)


def verification(
    embeddings: Num[Any, "*images dim"],
    pairs: pd.DataFrame | None = None,
    *,
    identities: Shaped[Any, " n"] | None = None,
    target: Target = "eer",
    at_far: Sequence[float] = (0.1, 0.01, 0.001),
    by: str | None = None,
    metric: str | None = None,
    published: float | None = None,
    draws: int = 500,
    level: float = 0.95,
    max_pairs: int = 200_000,
    seed: int = 0,
) -> Verification:
    """Error rates of "same person?" on your own pairs, and a threshold calibrated on them.

    Parameters
    ----------
    embeddings : (images, dim), array or DataArray; a DataArray of more dimensions, as `fr.embed` returns it for a
        lattice, is flattened to one image per combination of its other coordinates.
    pairs : columns first and second, which name images by the coordinate `file` or `image`, or by row number, and
        same (True or False, 1 or 0, 1 or -1, "same" or "different"), which is optional if identities are known. Other
        columns can serve as `by`. Pairs that name an image without an embedding are left out and counted.
        None: all pairs of images, or a random sample of `max_pairs` of each kind.
    identities : (images,) identity of each image; by default the coordinate `identity`.
    target : what the threshold is calibrated for: the equal error rate, or a false acceptance rate such as 0.001.
    at_far : false acceptance rates at which tar, the true acceptance rate, is reported.
    by : a column of `pairs`, or a coordinate of the images (pairs whose images differ in it count as "mixed"): the
        rates of each group show which group the threshold rejects more often.
    metric, published : "euclidean" or "cosine", and the published threshold; by default those in `embeddings.attrs`
        (the threshold only if it was published for this metric).
    draws, level, seed : of the bootstrap percentile intervals. If identities are known, people are resampled and a
        pair counts as often as its people were drawn (vertex bootstrap, Snijders and Borgatti 1999), because the
        pairs of one person are not independent. Otherwise genuine and impostor pairs are resampled separately.

    Raises
    ------
    ValueError : no genuine or no impostor pair, an unknown image, metric or column, a rate or level that is not
        between 0 and 1.

    >>> fr.verification(embeddings, identities=names).threshold
    """
    _check_rates(target, at_far, level)
    images = EmbeddedImages.of(embeddings, identities, metric)
    rng = np.random.default_rng(seed)
    table, left_out = _table(images, pairs, by, max_pairs, rng)
    distances, same = table["distance"].to_numpy(), table["same"].to_numpy(bool)
    facts = recorded(embeddings)
    if published is None and facts.get("metric", images.metric) == images.metric:
        published = facts.get("threshold")
    rates = Rates.of(distances, same)
    thresholds = {"calibrated": _calibrated(rates, target)} | ({} if published is None else {"published": published})
    measure = _Measure(target, at_far, thresholds, table)
    intervals, rows = RocIntervals(table), []
    for weights in _draws(images, table, draws, rng):
        rows.append(measure(Rates.of(distances, same, weights), weights))
        intervals.add(weights)
    value = measure(rates, np.ones(len(table)))
    drawn = pd.DataFrame(rows, columns=pd.Index(value), dtype=float)
    found = _Intervals(value, drawn.quantile((1 - level) / 2), drawn.quantile((1 + level) / 2))
    curve, group_curves = intervals.curves(level)
    return Verification(
        **found.of("threshold"),
        **found.of("eer"),
        rates=_rates(thresholds, found),
        tar_at_far=_tar_at_far(rates, at_far, found, int((~same).sum())),
        curve=curve,
        groups=_groups(table, thresholds, found) if by is not None else None,
        group_curves=group_curves,
        pairs=table,
        attrs={
            "metric": images.metric, "genuine": int(same.sum()), "impostor": int((~same).sum()), "target": target,
            "draws": draws, "level": level, "resampled": "pairs" if images.codes is None else "identities",
            "seed": seed, **left_out,
        },
    )  # fmt: skip


def _calibrated(rates: Rates, target: Target) -> float:
    return rates.equal_error()[1] if target == "eer" else rates.at_far(float(target))[1]


class _Measure:
    """All reported numbers as one flat mapping, computed in the same way for all pairs and for a bootstrap draw.

    The rates are those of fixed thresholds, by name, so each threshold judges the pairs only once.
    """

    def __init__(self, target: Target, at_far: Sequence[float], thresholds: dict[str, float], table: pd.DataFrame):
        self._target: Target = target
        self._at_far, self._thresholds = at_far, thresholds
        same = table["same"].to_numpy(bool)
        self._kinds = {"far": ~same, "frr": same}
        self._group = table["group"].cat.codes.to_numpy() if "group" in table else None
        self._wrong = {
            name: np.asarray(same_person(table["distance"], value), bool) != same for name, value in thresholds.items()
        }

    def __call__(self, rates: Rates, weights: np.ndarray) -> dict[str, float]:
        found = {"eer": rates.equal_error()[0], "threshold": _calibrated(rates, self._target)}
        found |= {f"tar {far:g}": rates.at_far(far)[0] for far in self._at_far}
        for name, threshold in self._thresholds.items():
            far, frr = rates.at(threshold)
            found |= {f"{name} far": far, f"{name} frr": frr, f"{name} accuracy": 1 - (far + frr) / 2}
            if self._group is not None:
                for rate, kind in self._kinds.items():
                    counted = np.bincount(self._group, weights * kind)
                    wrong = np.bincount(self._group, weights * kind * self._wrong[name])
                    shares = np.divide(wrong, counted, out=np.full(len(counted), np.nan), where=counted > 0)
                    found |= {f"{name} {rate} group {i}": float(share) for i, share in enumerate(shares)}
        return found


@dataclass(frozen=True, slots=True)
class _Intervals:
    """Each number of `_Measure` with the ends of its interval, NaN without draws."""

    value: dict[str, float]
    low: Any  # pandas Series with the keys of `value`
    high: Any

    def of(self, key: str, name: str = "") -> dict[str, float]:
        """The three under `name`, `name`_low and `name`_high; by default the key is the name."""
        name = name or key
        return {name: self.value[key], f"{name}_low": self.low[key], f"{name}_high": self.high[key]}


def _check_rates(target: Any, at_far: Sequence[float], level: float) -> None:
    rates = [("level", level), *(("a rate of at_far", far) for far in at_far)]
    rates += [] if target == "eer" else [("target", target)]
    for name, value in rates:
        if isinstance(value, str) or not 0 < value < 1:
            also = "'eer', or " if name == "target" else ""
            raise ValueError(f"{name} is {value!r}: give {also}a number between 0 and 1.")


def _table(
    images: EmbeddedImages, pairs: pd.DataFrame | None, by: str | None, max_pairs: int, rng
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """first, second, same, distance and group of each pair, distances ascending; and what was left out."""
    left_out: dict[str, Any] = {"left_out": 0, "left_out_images": []}
    if pairs is None:
        if images.codes is None:
            raise ValueError("neither pairs nor identities are known: give pairs=, or identities= for each image.")
        kinds = pair_indices(images.codes, max_pairs, rng)
        first, second = (np.concatenate([kind[side] for kind in kinds.values()]) for side in (0, 1))
        same = np.repeat([True, False], [len(kinds["genuine"][0]), len(kinds["impostor"][0])])
    else:
        found = images.find(pairs)
        pairs, left_out = pairs.loc[found.kept], found.attrs
        first, second, same = found.first, found.second, found.same
    if not same.any() or same.all():
        raise ValueError(f"there are {same.sum()} genuine and {(~same).sum()} impostor pairs: give some of both kinds.")
    distance = distances_of(images.points, first, second, images.metric)
    table = pd.DataFrame({"first": first, "second": second, "same": same, "distance": distance})
    if by is not None:
        values = pairs[by].to_numpy() if pairs is not None and by in pairs else images.shared(by, first, second)
        table["group"] = pd.Series(values).astype(object).where(pd.notna(values), "unknown").astype("category")
    return table.sort_values("distance", kind="stable", ignore_index=True), left_out


def _draws(images: EmbeddedImages, table: pd.DataFrame, draws: int, rng) -> Iterator[np.ndarray]:
    """Weights of the pairs in each bootstrap draw; a draw without genuine or without impostor pairs is repeated."""
    same = table["same"].to_numpy(bool)
    if images.codes is not None:
        people = images.codes.max() + 1
        first, second = (images.codes[table[side].to_numpy()] for side in ("first", "second"))
    while draws:
        if images.codes is None:
            weights = np.zeros(len(table))
            for kind in (same, ~same):
                weights[kind] = rng.multinomial(kind.sum(), np.full(kind.sum(), 1 / kind.sum()))
        else:
            times = np.bincount(rng.integers(people, size=people), minlength=people)
            weights = np.where(same, times[first], times[first] * times[second]).astype(float)
        if weights[same].any() and weights[~same].any():
            draws -= 1
            yield weights


def _rates(thresholds: dict[str, float], found: _Intervals) -> pd.DataFrame:
    rows = []
    for name, threshold in thresholds.items():
        row: dict[str, Any] = {"name": name, "threshold": threshold}
        for rate in ("far", "frr", "accuracy"):
            row |= found.of(f"{name} {rate}", rate)
        rows.append(row)
    return pd.DataFrame(rows)


def _tar_at_far(rates: Rates, at_far: Sequence[float], found: _Intervals, impostors: int) -> pd.DataFrame:
    rows = [{"far": far, **found.of(f"tar {far:g}", "tar"), "threshold": rates.at_far(far)[1]} for far in at_far]
    table = pd.DataFrame(rows, columns=["far", "tar", "tar_low", "tar_high", "threshold"])
    too_few = impostors * table["far"] < 1 - 1e-9
    table.loc[too_few, table.columns != "far"] = np.nan
    return table


def _groups(table: pd.DataFrame, thresholds: dict[str, float], found: _Intervals) -> pd.DataFrame:
    rows = []
    for i, group in enumerate(table["group"].cat.categories):
        same = table.loc[table["group"] == group, "same"]
        row: dict[str, Any] = {"group": group, "genuine": int(same.sum()), "impostor": int((~same).sum())}
        for rate in ("frr", "far"):
            row |= found.of(f"calibrated {rate} group {i}", rate)
            if "published" in thresholds:
                row[f"{rate}_published"] = found.value[f"published {rate} group {i}"]
        rows.append(row)
    return pd.DataFrame(rows)
