"""Directions and lengths, apart: why did the energy of the head angle not fall? `python benchmarks/directions.py`.

Energy compares directions, magnitude lengths. This takes the arrows v_i of one attribute at the faces i of one person
apart into what is common to all faces and the rest:

    common² = mean over i != j of v_i·v_j,   rest² = mean |v_i|² - common²,   share = common² / mean |v_i|²

(the mean over i != j, so that noise adds nothing to the common part). Lengths are divided by the person's mean distance
between faces. For each attribute that was constant in training, the network is compared with all-varied, paired over
the avatars of `controlled.py`, with intervals: do both parts grow, or one? `near` is the share among faces whose own
strengths of the attribute differ by less than a sixth of the range: if it is higher, the direction turns along the
attribute. Base points are drawn from the whole ranges and from their middle 30 %; ten minutes on two cores. Predictions
B1 and B2 of PREDICTIONS.md. Writes `benchmarks/results/directions.csv`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from controlled import BASE, RESULTS, embedded, held_out, networks
from scipy.spatial.distance import pdist

import fr_explore as fr
from fr_explore.models.controlled.cards import REGIMES

FIXED = [regime for regime in REGIMES if regime.startswith("fixed")]
MEASURES = ("common", "rest", "share", "near")


def parts(arrows: np.ndarray, strengths: np.ndarray, span: float, unit: float) -> dict[str, float]:
    """Common part, rest and shares of one person's arrows (n, dim), whose lengths are divided by `unit`."""
    products = arrows @ arrows.T
    total, apart = np.diag(products).mean(), ~np.eye(len(arrows), dtype=bool)
    common = products[apart].mean()
    near = apart & (np.abs(strengths[:, None] - strengths) < span)
    return {
        "common": np.sqrt(max(common, 0)) / unit, "rest": np.sqrt(max(total - common, 0)) / unit,
        "share": common / total, "near": products[near].mean() / total if near.any() else np.nan,
    }  # fmt: skip


def table(arrays: dict[str, xr.DataArray], base: xr.DataArray) -> pd.DataFrame:
    """Tidy: model, identity, attribute, measure, value: each fixed attribute in its own network and in all-varied."""
    rows = []
    for model, array in arrays.items():
        field = fr.vector_field(array)
        arrows = (field["direction"] * field["magnitude"]).fillna(0)
        for regime in FIXED:
            name = regime.partition("-")[2]
            if model not in (regime, BASE):
                continue
            record = fr.ATTRIBUTES[name]
            for i, identity in enumerate(array["identity"].values):
                points = field["point"].isel(identity=i).sel(attribute=name).values
                found = parts(
                    arrows.isel(identity=i).sel(attribute=name).values.astype(float),
                    base.isel(identity=i).sel(attribute=name).values, (record.high - record.low) / 6,
                    float(pdist(points).mean()),
                )  # fmt: skip
                rows += [{"model": model, "regime": regime, "identity": identity, "attribute": name, "measure": m,
                          "value": found[m]} for m in MEASURES]  # fmt: skip
    return pd.DataFrame(rows)


def compared(found: pd.DataFrame) -> pd.DataFrame:
    """Each fixed network minus all-varied, by measure: mean over people, interval, p."""
    order = found.assign(first=found["model"] == BASE).sort_values("first", kind="stable")
    order["model"] = np.where(order["first"], BASE, "fixed")
    case = ["attribute", "measure"]
    tested = fr.compare(order, "model", "value", by=case)
    means = order.groupby([*case, "model"])["value"].mean().unstack().rename(columns={BASE: "all_varied"})
    columns = [*case, "all_varied", "fixed", "difference", "low", "high", "p", "p_adjusted", "identities"]
    return tested.merge(means.reset_index(), on=case)[columns]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--identities", type=int, default=24)
    parser.add_argument("--curves", type=int, default=40)
    parser.add_argument("--spreads", type=float, nargs="+", default=[1, 0.3], help="as --spread of controlled.py")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    nets, rows = networks(), []
    for spread in args.spreads:
        lattice = held_out(args.identities, args.curves, spread, args.seed)
        result = compared(table(embedded(lattice, nets), lattice.base))
        rows.append(result.assign(spread=spread))
        print(f"\nBase points in {spread:.0%} of every range; lengths in units of a person's mean distance of faces")
        print(result.to_string(index=False, float_format="%.3f"))
    args.out.mkdir(parents=True, exist_ok=True)
    pd.concat(rows).to_csv(args.out / "directions.csv", index=False, float_format="%.5g")


if __name__ == "__main__":
    main()
