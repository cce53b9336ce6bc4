"""`verification`: a threshold calibrated on your own pairs, with its interval, beside the published one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from ...base.distance import same_person
from .images import Images
from .pairs import distances_of, pair_indices
from .rates import Rates
from .roc_intervals import Bands

__all__ = ["Verification", "verification"]


@dataclass(frozen=True, slots=True, eq=False)
class Verification:
    """What `verification` found.

    Parameters
    ----------
    threshold : the calibrated one, with interval `threshold_low` to `threshold_high`; two faces count as the same
        person where their distance is at most this.
    eer : equal error rate, with interval `eer_low` to `eer_high`.
    rates : one row per threshold (calibrated, published): threshold, far (impostor pairs accepted), frr (genuine pairs
        rejected), accuracy (1 - their mean), and _low, _high of each.
    tar_at_far : one row per false acceptance rate asked for: far, tar, tar_low, tar_high, threshold; NaN where there
        are fewer than 1 / far impostor pairs.
    curve : the ROC and the DET curve: threshold, far, tar, frr, and far_probit, frr_probit, the normal quantiles that
        are a DET plot's axes, and _low, _high of far and frr at each threshold; thinned to about 3,000 points.
    groups : one row per group: genuine and impostor pairs, far and frr at both thresholds, intervals for the
        calibrated one; None where no groups were asked for.
    group_curves : the same columns as `curve` for each group, by its name, empty for one that lacks a kind of pair.
    pairs : one row per pair: first, second (row numbers of the images), same, distance, and group.
    attrs : metric, numbers of pairs, how the intervals were drawn.
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
        threshold = f" [{self.threshold_low:.3g}, {self.threshold_high:.3g}]" if drawn else ""
        eer = f" [{self.eer_low:.2%}, {self.eer_high:.2%}]" if drawn else ""
        return (
            f"Verification(threshold {self.threshold:.3g}{threshold}, EER {self.eer:.2%}{eer}, "
            f"{a['genuine']:,} genuine and {a['impostor']:,} impostor pairs, {a['metric']})"
        )

    def _repr_html_(self) -> str:
        from html import escape

        tables = [self.rates, self.tar_at_far, *([] if self.groups is None else [self.groups])]
        return f"<p>{escape(repr(self))}</p>" + "".join(t.to_html(index=False, float_format="%.4g") for t in tables)


def verification(
    embeddings: Any,
    pairs: pd.DataFrame | None = None,
    *,
    identities: Any = None,
    target: Literal["eer"] | float = "eer",
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
    embeddings : (images, dim), array or DataArray; a DataArray of more dimensions, as `fr.embed` gives it for a
        lattice, is laid out as one image per combination of its other coordinates.
    pairs : columns first and second, which name images by the coordinate `file` or `image`, or by row number, and
        same (True or False), which may be left out where identities are known. Other columns can serve as `by`.
        None: all pairs of images, or `max_pairs` of each kind drawn at random.
    identities : (images,) who is shown; by default the coordinate `identity`.
    target : what the threshold is calibrated for: the equal error rate, or a false acceptance rate such as 0.001.
    at_far : false acceptance rates at which tar, the true acceptance rate, is reported.
    by : a column of `pairs`, or a coordinate of the images (pairs whose images differ in it count as "mixed"): the
        rates of each group show whom or what the threshold rejects more often.
    metric, published : "euclidean" or "cosine", and the published threshold; by default those in `embeddings.attrs`
        (the threshold only where the metric is the one it was published for).
    draws, level, seed : of the bootstrap intervals (percentiles). Where identities are known, people are drawn with
        replacement and a pair counts as often as its people were drawn (vertex bootstrap, Snijders and Borgatti
        1999), because the pairs of one person are not independent; else pairs are drawn, of each kind apart.

    Raises
    ------
    ValueError : no genuine or no impostor pair, an image that is not there, unknown metric or column, a rate or level
        that is not between 0 and 1.

    >>> fr.verification(embeddings, identities=names).threshold
    """
    _check_rates(target, at_far, level)
    images = Images.of(embeddings, identities, metric)
    rng = np.random.default_rng(seed)
    table = _table(images, pairs, by, max_pairs, rng)
    attrs = getattr(embeddings, "attrs", {})
    if published is None and attrs.get("metric", images.metric) == images.metric:
        published = attrs.get("threshold")
    distances, same = table["distance"].to_numpy(), table["same"].to_numpy(bool)
    measure = _Measure(target, tuple(at_far), published, table)
    found = measure(Rates.of(distances, same), np.ones(len(table)))
    # the groups' rates and those of the table are of the threshold found, not of one found anew in each draw
    measure = _Measure(target, tuple(at_far), published, table, found["threshold"])
    bands, rows = Bands(table), []
    for weights in _draws(images, table, draws, rng):
        rows.append(measure(Rates.of(distances, same, weights), weights))
        bands.add(weights)
    drawn = pd.DataFrame(rows)
    edges = [(1 - level) / 2, (1 + level) / 2]
    low, high = (drawn.quantile(edge) if draws else pd.Series(np.nan, found.keys()) for edge in edges)
    facts = {
        "metric": images.metric, "genuine": int(same.sum()), "impostor": int((~same).sum()), "target": target,
        "draws": draws, "level": level, "resampled": "pairs" if images.codes is None else "identities", "seed": seed,
    }  # fmt: skip
    return _report(table, measure, found, low, high, bands.curves(level), facts)


@dataclass(frozen=True, slots=True)
class _Measure:
    """Everything that is reported, as one flat mapping, so that each bootstrap draw gives the same numbers."""

    target: Literal["eer"] | float
    at_far: tuple[float, ...]
    published: float | None
    table: pd.DataFrame
    fixed: float | None = None

    def __call__(self, rates: Rates, weights: np.ndarray) -> dict[str, float]:
        eer, threshold = rates.equal_error()
        if self.target != "eer":
            threshold = rates.at_far(float(self.target))[1]
        found = {"eer": eer, "threshold": threshold}
        found |= {f"tar {far:g}": rates.at_far(far)[0] for far in self.at_far}
        for name, value in (
            ("calibrated", threshold if self.fixed is None else self.fixed),
            ("published", self.published),
        ):
            if value is None:
                continue
            far, frr = rates.at(value)
            found |= {f"{name} far": far, f"{name} frr": frr, f"{name} accuracy": 1 - (far + frr) / 2}
            found |= self._of_groups(name, value, weights)
        return found

    def _of_groups(self, name: str, threshold: float, weights: np.ndarray) -> dict[str, float]:
        if "group" not in self.table:
            return {}
        group = self.table["group"].cat.codes.to_numpy()
        count = len(self.table["group"].cat.categories)
        same = self.table["same"].to_numpy(bool)
        wrong = np.asarray(same_person(self.table["distance"], threshold), bool) != same
        found = {}
        for rate, kind in (("far", ~same), ("frr", same)):
            all_ = np.bincount(group, weights * kind, count)
            bad = np.bincount(group, weights * kind * wrong, count)
            values = np.divide(bad, all_, out=np.full(count, np.nan), where=all_ > 0)
            found |= {f"{name} {rate} group {i}": float(value) for i, value in enumerate(values)}
        return found


def _check_rates(target: Any, at_far: Sequence[float], level: float) -> None:
    rates = [("level", level), *(("a rate of at_far", far) for far in at_far)]
    rates += [] if target == "eer" else [("target", target)]
    for name, value in rates:
        if isinstance(value, str) or not 0 < value < 1:
            also = "'eer', or " if name == "target" else ""
            raise ValueError(f"{name} is {value!r}: give {also}a number between 0 and 1.")


def _table(images: Images, pairs: pd.DataFrame | None, by: str | None, max_pairs: int, rng) -> pd.DataFrame:
    """first, second, same, distance and group of each pair, distances ascending."""
    if pairs is None:
        if images.codes is None:
            raise ValueError("neither pairs nor identities are known: give pairs=, or identities= for each image.")
        kinds = pair_indices(images.codes, max_pairs, rng)
        first, second = (np.concatenate([kind[side] for kind in kinds.values()]) for side in (0, 1))
        same = np.repeat([True, False], [len(kinds["genuine"][0]), len(kinds["impostor"][0])])
    else:
        first, second, same = images.rows(pairs)
    if not same.any() or same.all():
        raise ValueError(
            f"there are {same.sum()} genuine and {(~same).sum()} impostor pairs: some of both kinds are needed."
        )
    distance = distances_of(images.points, first, second, images.metric)
    table = pd.DataFrame({"first": first, "second": second, "same": same, "distance": distance})
    if by is not None:
        values = pairs[by].to_numpy() if pairs is not None and by in pairs else images.shared(by, first, second)
        table["group"] = pd.Series(values).astype(object).where(pd.notna(values), "unknown").astype("category")
    return table.sort_values("distance", kind="stable", ignore_index=True)


def _draws(images: Images, table: pd.DataFrame, draws: int, rng) -> Iterator[np.ndarray]:
    """Weights of the pairs in each bootstrap draw; one without any pair of a kind is drawn again."""
    same = table["same"].to_numpy(bool)
    for _ in range(draws):
        while True:
            if images.codes is None:
                weights = np.zeros(len(table))
                for kind in (same, ~same):
                    weights[kind] = rng.multinomial(kind.sum(), np.full(kind.sum(), 1 / kind.sum()))
            else:
                people = images.codes.max() + 1
                times = np.bincount(rng.integers(people, size=people), minlength=people)
                one, other = (times[images.codes[table[side].to_numpy()]] for side in ("first", "second"))
                weights = np.where(same, one, one * other).astype(float)
            if (weights * same).any() and (weights * ~same).any():
                break
        yield weights


def _report(table: pd.DataFrame, measure: _Measure, found: dict, low, high, curves: dict, facts: dict) -> Verification:
    rows = []
    for name, value in (("calibrated", found["threshold"]), ("published", measure.published)):
        if value is not None:
            row = {"name": name, "threshold": value}
            for rate in ("far", "frr", "accuracy"):
                key = f"{name} {rate}"
                row |= {rate: found[key], f"{rate}_low": low[key], f"{rate}_high": high[key]}
            rows.append(row)
    rates = Rates.of(table["distance"].to_numpy(), table["same"].to_numpy(bool))
    return Verification(
        threshold=found["threshold"], threshold_low=low["threshold"], threshold_high=high["threshold"],
        eer=found["eer"], eer_low=low["eer"], eer_high=high["eer"],
        rates=pd.DataFrame(rows),
        tar_at_far=_tar_at_far(rates, measure.at_far, found, low, high, facts["impostor"]),
        curve=curves.pop(None),
        groups=_groups(table, measure, found, low, high) if "group" in table else None,
        group_curves=curves,
        pairs=table,
        attrs=facts,
    )  # fmt: skip


def _tar_at_far(rates: Rates, at_far: tuple[float, ...], found: dict, low, high, impostors: int) -> pd.DataFrame:
    rows = []
    for far in at_far:
        key, known = f"tar {far:g}", impostors * far >= 1 - 1e-9
        values = [found[key], low[key], high[key], rates.at_far(far)[1]] if known else [np.nan] * 4
        rows.append(dict(zip(("far", "tar", "tar_low", "tar_high", "threshold"), [far, *values], strict=True)))
    return pd.DataFrame(rows)


def _groups(table: pd.DataFrame, measure: _Measure, found: dict, low, high) -> pd.DataFrame:
    rows = []
    for i, group in enumerate(table["group"].cat.categories):
        members = table["group"].cat.codes == i
        row = {"group": group, "genuine": int((members & table["same"]).sum())}
        row["impostor"] = int(members.sum()) - row["genuine"]
        for rate in ("frr", "far"):
            key = f"calibrated {rate} group {i}"
            row |= {rate: found[key], f"{rate}_low": low[key], f"{rate}_high": high[key]}
            if measure.published is not None:
                row[f"{rate}_published"] = found[f"published {rate} group {i}"]
        rows.append(row)
    return pd.DataFrame(rows)
