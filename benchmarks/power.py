"""How much data finds what a network was never taught? `python benchmarks/power.py`; `--brief` takes a minute.

The controlled networks are the ground truth: in each of the four `fixed` ones, one attribute never varied. An
instrument names one of the eight attributes: the one with the highest magnitude, the lowest energy (three scales), the
highest KS or the highest accuracy of a linear probe. It does so `alone`, from the network itself, or `compared`, from
the difference to all-varied, a network of the same recipe that was taught all eight. `named` is the share of samples in
which it names the right one; by chance 1/8.

Energies and magnitudes are resampled from one set of embeddings, that of `controlled.py` (24 avatars x 40 curves):
people with replacement, curves without. KS and probes take subsets of 600 avatars with two pictures each. A sample's
people and curves are the same for all networks. Predictions E1 to E6 of PREDICTIONS.md. Writes `power.csv`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from controlled import BASE, RESULTS, embedded, held_out, labelled, networks
from directions import FIXED
from figures import figure

import fr_explore as fr

NAMES = list(fr.PAPER_ATTRIBUTES)
SCALES = {"energy, 10 nearest": "knn:10", "energy, ball 1": "ball:1", "energy, all pairs": "all_pairs"}
SIGNS = {"magnitude": 1, "KS": 1, "probe": 1, **dict.fromkeys(SCALES, -1)}
Values = dict[str, np.ndarray]  # network -> values, the attributes last


def measured(field: xr.Dataset, curves: int) -> Values:
    """(identities, attributes) of each instrument from the field."""
    found = {}
    for name, scale in SCALES.items():
        if scale == "knn:10" and curves <= 10:
            continue
        table = fr.alignment(field, neighborhood=scale)
        found[name] = table.pivot(index="identity", columns="attribute", values="energy")[NAMES].to_numpy()
    found["magnitude"] = table.pivot(index="identity", columns="attribute", values="magnitude")[NAMES].to_numpy()
    return found


def named(values: Values, instrument: str, reference: bool) -> dict[str, bool]:
    """Does the instrument name the attribute never taught? By network; values are (attributes,)."""
    sign, found = SIGNS[instrument], {}
    for net in FIXED:
        score = sign * (values[net] - values[BASE] if reference else values[net])
        score = np.where(np.isfinite(score), score, -np.inf)
        found[net] = NAMES[int(score.argmax())] == net.partition("-")[2]
    return found


def walks(arrays: Mapping[str, xr.DataArray], people: list[int], curves: list[int], sets: int, draws: int,
          rng: np.random.Generator) -> Iterator[dict]:  # fmt: skip
    """Rows of magnitude and energies: `sets` choices of curves, and `draws` of people for each."""
    fields = {net: fr.vector_field(array) for net, array in arrays.items()}
    total, count = arrays[BASE].sizes["curve"], arrays[BASE].sizes["identity"]
    for c in curves:
        for _ in range(sets if c < total else 1):
            chosen = np.sort(rng.choice(total, c, replace=False))
            found = {net: measured(field.isel(curve=chosen), c) for net, field in fields.items()}
            for n in people:
                for _ in range(draws * (1 if c < total else sets)):
                    who = rng.integers(count, size=n)
                    for instrument in found[BASE]:
                        means = {net: np.nanmean(values[instrument][who], axis=0) for net, values in found.items()}
                        yield from rows(means, instrument, n, c)


def populations(vectors: Values, who: np.ndarray, labels: pd.DataFrame, people: list[int], draws: int,
                rng: np.random.Generator) -> Iterator[dict]:  # fmt: skip
    """Rows of KS and probes: subsets of the people."""
    for n in people:
        for draw in range(draws):
            some = np.isin(who, rng.choice(np.unique(who), n, replace=False))
            ks = {net: fr.macroscale(points[some], who[some], labels[some], "euclidean", 0, seed=draw)
                  .set_index("attribute")["ks_mean"][NAMES].to_numpy() for net, points in vectors.items()}  # fmt: skip
            yield from rows(ks, "KS", n, 0)
            if draw >= max(2, draws // 6):  # a probe takes much longer
                continue
            probes = {net: fr.linear_probe(points[some], who[some], labels[some], folds=5, seed=draw)
                      .set_index("attribute")["balanced_accuracy"][NAMES].to_numpy()
                      for net, points in vectors.items()}  # fmt: skip
            yield from rows(probes, "probe", n, 0)


def rows(values: Values, instrument: str, people: int, curves: int) -> Iterator[dict]:
    for rule in ("alone", "compared"):
        for net, right in named(values, instrument, rule == "compared").items():
            yield {"instrument": instrument, "rule": rule, "network": net, "people": people, "curves": curves,
                   "named": right}  # fmt: skip


def advice(table: pd.DataFrame, level: float = 0.9) -> pd.DataFrame:
    """The least pictures with which an instrument names each network's attribute in `level` of the samples, compared.

    The pictures of a network are people x curves x (8 attributes x 2 steps + 1), or people x 2 for KS and probes.
    """
    found = []
    for (rule, instrument), part in table.groupby(["rule", "instrument"], sort=False):
        worst = part.groupby(["people", "curves"])["named"].agg(["min", "mean"]).reset_index()
        worst["pictures"] = worst["people"] * np.where(worst["curves"] > 0, worst["curves"] * 17, 2)
        for what in ("mean", "min"):
            enough = worst[worst[what] >= level].sort_values("pictures")
            least = enough.iloc[0] if len(enough) else None
            found.append({
                "rule": rule, "instrument": instrument, "networks": "all four" if what == "min" else "on average",
                "people": "-" if least is None else int(least["people"]),
                "curves": "-" if least is None else int(least["curves"]), "best": worst[what].max(),
            })  # fmt: skip
    return pd.DataFrame(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--identities", type=int, default=24)
    parser.add_argument("--curves", type=int, default=40)
    parser.add_argument("--people", type=int, default=600, help="avatars for KS and probes")
    parser.add_argument("--sets", type=int, default=8, help="choices of curves")
    parser.add_argument("--draws", type=int, default=25, help="draws of people for each; of KS's people")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--brief", action="store_true", help="4 avatars x 10 curves, 48 people; writes no table")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    if args.brief:
        args.identities, args.curves, args.people, args.sets, args.draws = 4, 10, 48, 2, 4
    nets, rng = networks(), np.random.default_rng(args.seed)
    arrays = {net: array for net, array in embedded(held_out(args.identities, args.curves, 1, args.seed), nets).items()
              if net in (BASE, *FIXED)}  # fmt: skip
    sizes = [n for n in (2, 4, 8, 16, 24) if n <= args.identities]
    curves = [c for c in (5, 10, 20, 40) if c <= args.curves]
    found = list(walks(arrays, sizes, curves, args.sets, args.draws, rng))
    crowds = [n for n in (24, 48, 96, 192, 400) if n <= args.people]
    vectors, who, labels = labelled(args.people, args.seed, nets["shipped"])
    found += populations({net: vectors[net] for net in arrays}, who, labels, crowds, args.draws, rng)
    case = ["instrument", "rule", "network", "people", "curves"]
    table = pd.DataFrame(found).groupby(case, sort=False)["named"].agg(["mean", "size"]).reset_index()
    table = table.rename(columns={"mean": "named", "size": "samples"})
    report(table)
    if not args.brief:
        args.out.mkdir(parents=True, exist_ok=True)
        table.to_csv(args.out / "power.csv", index=False, float_format="%.4g")


def report(table: pd.DataFrame) -> None:
    for rule, part in table.groupby("rule", sort=False):
        wide = part.groupby(["instrument", "people", "curves"], sort=False)["named"].mean().unstack("people")
        print(f"\n{rule}: share of samples in which the attribute never taught is named, mean of four networks")
        print(wide.to_string(float_format="%.2f", na_rep="-"))
    print("\nLeast people and curves that name it in 90 % of the samples")
    print(advice(table).to_string(index=False, float_format="%.2f"))
    best = table[(table["instrument"] == "magnitude") & (table["rule"] == "compared")]
    best = best[best["people"] * best["curves"] == (best["people"] * best["curves"]).max()]
    figure("magnitude against all-varied names the attribute never taught", f"{best['named'].mean():.0%} of samples",
           target=">= 90 %", met=bool(best["named"].mean() >= 0.9))  # fmt: skip


if __name__ == "__main__":
    main()
