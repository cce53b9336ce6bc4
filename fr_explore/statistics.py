"""Statistics over identities: spread, intervals, paired tests. The unit of resampling is the identity.

The curves of one person are not independent samples of "a person", and the error of one energy is small compared with
the differences between people. Every interval and test here therefore resamples whole identities.

The bootstrap is our own, three lines, because all rows must use the same resampled identities and identities without a
number are left out row by row; `scipy.stats.bootstrap` does neither.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
import xarray as xr

from .base.corrections import adjust_p_values

__all__ = ["adjust_p_values", "compare", "null_test", "summarize"]

KEYS = ("model", "attribute", "radius")
EXACT = 14  # identities up to which all 2^n sign flips are tried
STATISTICS: dict[str, Callable[..., np.ndarray]] = {"median": np.median, "mean": np.mean}


def summarize(
    table: pd.DataFrame,
    value: str = "energy",
    *,
    by: Sequence[str] | None = None,
    statistic: str = "median",
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Each attribute's distribution over identities, with a bootstrap interval of the median or mean.

    Parameters
    ----------
    table : tidy, with a column `identity`, such as from `alignment` or `alignment_profile`.
    value : the column to summarize.
    by : columns that identify a row of the result; None: those of model, attribute, radius that the table has.
    statistic : "median" or "mean".
    level, draws, seed : of the percentile bootstrap. All rows use the same resampled identities. Percentile intervals
        of few identities are too short: at ten they cover about 90 % instead of 95 %.

    Returns
    -------
    DataFrame: the columns of `by`, `value` (its median or mean), low and high (the interval, NaN for one identity),
    minimum, q25, q75, maximum, identities (how many have a number; the others are left out).
    """
    middle = _statistic(statistic)
    if not 0 < level < 1 or draws < 1:
        raise ValueError(f"level = {level}, draws = {draws}: give a level between 0 and 1 and at least one draw.")
    keys = _keys(table, value, by)
    wide = _wide(table, keys, "identity", value)
    chance = np.random.default_rng(seed).random((draws, wide.shape[1]))
    rows = []
    for values in wide.to_numpy():
        known = values[np.isfinite(values)]
        row = dict.fromkeys((value, "low", "high", "minimum", "q25", "q75", "maximum"), np.nan)
        if len(known):
            names = ("minimum", "q25", "q75", "maximum")
            row |= {value: float(middle(known))} | dict(zip(names, np.quantile(known, (0, 0.25, 0.75, 1)), strict=True))
        if len(known) > 1:
            row["low"], row["high"] = _interval(known, middle, chance, level)
        rows.append(row | {"identities": len(known)})
    result = pd.DataFrame(rows, index=wide.index).reset_index()
    result.attrs = {**table.attrs, "statistic": statistic, "level": level, "draws": draws, "seed": seed}
    return result


def compare(
    table: pd.DataFrame,
    between: str = "attribute",
    value: str = "energy",
    *,
    by: Sequence[str] | None = None,
    correction: str = "holm",
    level: float = 0.95,
    draws: int = 10_000,
    seed: int = 0,
) -> pd.DataFrame:
    """Paired tests between attributes, or between models, over the identities that both have.

    For each pair of levels of `between`, the differences within identities are tested against 0 by flipping their
    signs: if the two levels were exchangeable, each sign would be a coin toss. Up to 14 identities, all 2^n sign
    patterns are tried and p is exact (n identities cannot give less than 2/2^n). With more identities, p = (1 + number
    of `draws` random patterns at least as far from 0) / (1 + draws). Two-sided, on the mean difference.

    Parameters
    ----------
    table : tidy, with columns `identity`, `between` and `value`; for models, `pd.concat` the tables with a column
        `model`.
    by : columns within whose combinations pairs are formed; None: those of model, attribute, radius that the table
        has, except `between`.
    correction : for the number of rows of the result, see `adjust_p_values`: "holm", "bonferroni", "fdr" or "none".
    level : of the percentile bootstrap interval of the mean difference.

    Returns
    -------
    DataFrame: the columns of `by`, first, second, difference (mean of first - second), low, high, p, p_adjusted,
    identities. p is 1 and the interval NaN where fewer than two identities have both.
    """
    keys = _keys(table, value, [k for k in KEYS if k != between and k in table] if by is None else by, between)
    rng = np.random.default_rng(seed)
    rows = []
    for name, part in _parts(table, keys):
        wide = _wide(part, ["identity"], between, value)
        chance = rng.random((draws, len(wide)))
        for first, second in combinations(wide.columns, 2):
            gap = (wide[first] - wide[second]).to_numpy()
            gap = gap[np.isfinite(gap)]
            low, high = _interval(gap, np.mean, chance, level) if len(gap) > 1 else (np.nan, np.nan)
            row = dict(zip(keys, name, strict=True)) | {"first": first, "second": second}
            row |= {"difference": gap.mean() if len(gap) else np.nan, "low": low, "high": high}
            rows.append(row | {"p": _sign_flip(gap, chance), "identities": len(gap)})
    if not rows:
        raise ValueError(f"column {between!r} has fewer than two values to compare: {sorted(set(table[between]))}.")
    result = pd.DataFrame(rows)
    result.insert(len(result.columns) - 1, "p_adjusted", adjust_p_values(result["p"], correction))
    result.attrs = {**table.attrs, "test": "sign flips of paired differences", "correction": correction, "seed": seed}
    return result


def null_test(details: xr.Dataset, correction: str = "holm") -> pd.DataFrame:
    """The probability of an energy at most as high as the measured one under the null model.

    Parameters
    ----------
    details : the second return value of `alignment(..., null_draws=n, point_energies=True)`.
    correction : for the number of rows, see `adjust_p_values`.

    Returns
    -------
    DataFrame: identity, attribute, energy, p = (1 + number of draws at most the energy) / (1 + draws), one-sided, and
    p_adjusted over all rows.
    """
    draws = details["null_energy"]
    if draws.sizes["draw"] == 0:
        raise ValueError("there are no draws: call alignment(..., null_draws=200, point_energies=True).")
    energy = details["energy"].mean("curve")
    p = ((draws <= energy).sum("draw") + 1) / (draws.sizes["draw"] + 1)
    table = xr.Dataset({"energy": energy, "p": p.where(energy.notnull())}).to_dataframe().reset_index()
    return pd.DataFrame(table).assign(p_adjusted=adjust_p_values(table["p"], correction))


def _sign_flip(gap: np.ndarray, chance: np.ndarray) -> float:
    """Two-sided p of the mean of `gap` under random signs."""
    n = len(gap)
    if n < 2:
        return 1.0
    scale = np.abs(gap).max()
    if scale == 0:
        return 1.0
    observed = abs(gap.sum()) - 1e-12 * scale * n  # tolerance: a pattern that gives the same sum must count
    if n <= EXACT:
        signs = 1 - 2 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
        return float((np.abs(signs @ gap) >= observed).mean())
    sums = np.where(chance[:, :n] < 0.5, gap, -gap).sum(1)
    return float((1 + (np.abs(sums) >= observed).sum()) / (1 + len(chance)))


def _interval(values: np.ndarray, middle: Callable[..., np.ndarray], chance: np.ndarray, level: float) -> np.ndarray:
    """Percentile bootstrap interval; `chance` in [0, 1) chooses the values of each draw."""
    picks = (chance[:, : len(values)] * len(values)).astype(int)
    return np.quantile(middle(values[picks], axis=1), ((1 - level) / 2, (1 + level) / 2))


def _statistic(name: str) -> Callable[..., np.ndarray]:
    if name not in STATISTICS:
        raise ValueError(f"statistic {name!r} is unknown: choose from {', '.join(STATISTICS)}.")
    return STATISTICS[name]


def _wide(table: pd.DataFrame, rows: list[str], columns: str, value: str) -> pd.DataFrame:
    """`value` with one row per combination of `rows` and one column per value of `columns`, in order of appearance."""
    index = [*rows, columns]
    if table.duplicated(index).any():
        first = table.loc[table.duplicated(index), index].iloc[0].to_dict()
        raise ValueError(
            f"the table has several rows for {first}: add a column that distinguishes them, such as model."
        )
    # not by `unstack(sort=False)`, which misplaces values in pandas 2.2
    places, names = pd.factorize(table[columns])
    labels = table.drop_duplicates(rows).set_index(rows).index
    wide = np.full((len(labels), len(names)), np.nan)
    wide[table.groupby(rows, sort=False, dropna=False).ngroup(), places] = table[value].to_numpy(float)
    return pd.DataFrame(wide, index=labels, columns=pd.Index(names, name=columns))


def _parts(table: pd.DataFrame, keys: list[str]) -> list[tuple[tuple, pd.DataFrame]]:
    """Each combination of `keys` and its rows."""
    if not keys:
        return [((), table)]
    return [(name if isinstance(name, tuple) else (name,), part) for name, part in table.groupby(keys, sort=False)]


def _keys(table: pd.DataFrame, value: str, by: Sequence[str] | None, *more: str) -> list[str]:
    keys = [name for name in KEYS if name in table] if by is None else list(by)
    missing = [name for name in ("identity", value, *keys, *more) if name not in table]
    if missing:
        raise ValueError(f"the table has columns {list(map(str, table.columns))} and lacks {', '.join(missing)}.")
    return keys
