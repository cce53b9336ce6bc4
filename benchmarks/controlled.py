"""Predictions for the trained controlled models, on avatars never used in training: `python benchmarks/controlled.py`.

The protocol, fixed before the first result:

- 24 avatars (seed 20263), 40 base points each over the whole ranges of the eight attributes, default steps, pictures of
  80 px; Euclidean distances of the normalised embeddings. All networks see the same pictures.
- Prediction 1, for each attribute k that was constant in training: compared with the all-varied network, paired over
  the 24 avatars, the magnitude of k is higher and its energy lower (all pairs, 10 nearest, and balls of four radii, 0.6
  to 1.2 mean distances). Sign-flip tests of the paired differences, Holm's correction over all of them; p below 0.01.
- Prediction 2: of the eight attributes, k has the largest change, in the mean over the 24 avatars. The table also gives
  the share of 2,000 bootstrap samples of the avatars in which it does.
- Prediction 3: in a network with one attribute tied to identity, that attribute has the largest KS of the macroscale.
  600 avatars (seed 20264), two pictures each with all eight attributes drawn at random; an attribute's label says
  whether it is above the middle of its range; intervals over 40 random halves of the avatars.

Tables are written to `benchmarks/results/controlled*.csv`. Two options were added after the first result, in which the
energies of head angle and illumination in wide balls contradicted the prediction: `--spread 0.3`, with base points in
the middle 30 % of every range, tests whether the width of the ranges is the reason; `--twin FILE`, with a second
all-varied network (`tools/train_controlled.py --seed 1 --out FOLDER all-varied`), shows how much two trainings of one
regime differ. The regimes `degraded` and `triplet` came later still, with the predictions in PREDICTIONS.md: does the
order of the eight attributes follow the data or the loss?
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import xarray as xr
from finetuning import Remembered, embed_all
from scipy.stats import rankdata, spearmanr

import fr_explore as fr
from fr_explore.base.corrections import adjust_p_values
from fr_explore.lattice import Lattice
from fr_explore.models.base import Model
from fr_explore.models.controlled.cards import CARDS, DIM, REGIMES, load

RESULTS = Path(__file__).parent / "results"
RADII = (0.6, 0.8, 1.0, 1.2)
SCALES = {"all pairs": fr.all_pairs(), "10 nearest": fr.knn(10)}
BASE = "all-varied"
PICTURE = 80


class Together(torch.nn.Module):
    """Several networks on the same crops, their normalised embeddings side by side."""

    def __init__(self, networks: Iterable[torch.nn.Module]) -> None:
        super().__init__()
        self.networks = torch.nn.ModuleList(networks)

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        return torch.cat([torch.nn.functional.normalize(network(crops)) for network in self.networks], 1)


def together(nets: Mapping[str, torch.nn.Module]) -> Model:
    one = CARDS[f"controlled/{BASE}"]
    card = fr.ModelCard(
        name=", ".join(nets), title="trained controlled models, side by side", input_size=one.input_size,
        dim=DIM * len(nets), metric="euclidean", template=one.template, licence=one.licence,
    )  # fmt: skip
    return fr.load_model(Together(nets.values()), card=card)


def networks(twin: Path | None = None) -> dict[str, Model]:
    """All shipped networks as one model, which aligns each picture once, and the twin as another."""
    found = {"shipped": together({name: fr.load_model(f"controlled/{name}", device="cpu").module for name in REGIMES})}
    if twin is not None:
        found["twin"] = together({"twin": load(f"controlled/{BASE}", twin)})
    return found


def held_out(identities: int, curves: int, spread: float, seed: int) -> Lattice:
    faces = Remembered(fr.Avatars(identities, seed=20263))
    return fr.sample_lattice(faces, curves=curves, seed=seed, spread=spread)


def embedded(lattice: Lattice, models: Mapping[str, Model]) -> dict[str, xr.DataArray]:
    """Embeddings by each network; every picture is rendered once, and the result is in the cache for the next time."""
    arrays, found = embed_all([lattice], models, PICTURE)[0], {}
    for array in arrays.values():
        found |= {name: array.isel(dim=some) for name, some in places(array.attrs["model"]).items()}
    return found


def places(names: str) -> dict[str, slice]:
    """Where the embedding of each network lies in that of a model made by `together`, from its name."""
    return {name: slice(i * DIM, (i + 1) * DIM) for i, name in enumerate(names.split(", "))}


def figures(embeddings: xr.DataArray) -> pd.DataFrame:
    """Tidy: identity, attribute, measure, value; magnitude and energies at every scale."""
    field = fr.vector_field(embeddings)
    parts = []
    for scale, neighborhood in SCALES.items():
        table = fr.alignment(field, neighborhood)
        if not parts:
            parts.append(table.assign(measure="magnitude", value=table["magnitude"]))
        parts.append(table.assign(measure=f"energy, {scale}", value=table["energy"]))
    table = fr.alignment_profile(field, RADII)
    parts.append(table.assign(measure=[f"energy, ball {r:g}" for r in table["radius"]], value=table["energy"]))
    return pd.concat([part[["identity", "attribute", "measure", "value"]] for part in parts], ignore_index=True)


def changes(table: pd.DataFrame, regime: str, seed: int) -> pd.DataFrame:
    """Regime minus all-varied, for every measure and attribute: mean, interval, p; which attribute changes most."""
    pair = table[table["model"].isin([regime, BASE])]
    own = regime.partition("-")[2]
    rows = []
    for measure, part in pair.groupby("measure", sort=False):
        part = part.sort_values("model", key=lambda names: names != regime, kind="stable")
        found = fr.compare(part, "model", "value", by=["attribute"], correction="none", seed=seed)
        level = part[part["model"] == BASE].groupby("attribute")["value"].mean()
        found = found.assign(regime=regime, measure=measure, base=found["attribute"].map(level))
        wide = part.pivot(index=["model", "identity"], columns="attribute", values="value")
        gap = (wide.loc[regime] - wide.loc[BASE]) * (1 if measure == "magnitude" else -1)
        found["largest"] = found["attribute"] == gap.mean().fillna(-np.inf).idxmax()
        found["share_largest"] = found["attribute"].map(shares(gap, seed))
        rows.append(found.assign(own=found["attribute"] == own))
    return pd.concat(rows, ignore_index=True)


def shares(gap: pd.DataFrame, seed: int, draws: int = 2000) -> pd.Series:
    """Share of bootstrap samples of the rows (identities) in which each column has the largest mean."""
    picks = np.random.default_rng(seed).integers(len(gap), size=(draws, len(gap)))
    drawn = np.ma.masked_invalid(gap.to_numpy()[picks]).mean(axis=1).filled(-np.inf)
    best = drawn.argmax(1)
    return pd.Series(np.bincount(best, minlength=gap.shape[1]) / draws, gap.columns)


def within(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Predictions 1 and 2 as a table, with p corrected over the tests of prediction 1."""
    others = [name for name in table["model"].unique() if name != BASE]
    result = pd.concat([changes(table, regime, seed) for regime in others], ignore_index=True)
    # a small ball may have no neighbours for any avatar: then there is nothing to test
    tested = result["own"] & result["regime"].str.startswith("fixed") & (result["identities"] > 1)
    result["p_adjusted"] = adjust_p_values(result["p"].where(tested), "holm")
    columns = ["regime", "measure", "attribute", "own", "base", "difference", "low", "high", "p", "p_adjusted",
               "largest", "share_largest", "identities"]  # fmt: skip
    return result[columns]


def orders(table: pd.DataFrame, seed: int, draws: int = 2000) -> pd.DataFrame:
    """Does a network order the eight attributes as all-varied does? Spearman's rho of the means over the avatars.

    low, high : interval over avatars, which are the same in both networks; largest : largest absolute difference of the
    eight means, and its attribute.
    """
    rng, rows = np.random.default_rng(seed), []
    for measure in ("magnitude", "energy, 10 nearest", "energy, ball 1", "energy, all pairs"):
        part = table[table["measure"] == measure].pivot(
            index=["model", "identity"], columns="attribute", values="value"
        )
        base = part.loc[BASE].to_numpy()
        picks = rng.integers(len(base), size=(draws, len(base)))
        for regime in [name for name in table["model"].unique() if name != BASE]:
            own = part.loc[regime].to_numpy()
            ranks = [rankdata(np.nanmean(values[picks], axis=1), axis=1) for values in (own, base)]
            one, two = (r - r.mean(1, keepdims=True) for r in ranks)
            drawn = (one * two).sum(1) / np.sqrt((one**2).sum(1) * (two**2).sum(1))
            gap = pd.Series(np.nanmean(own, 0) - np.nanmean(base, 0), part.columns)
            low, high = np.quantile(drawn, (0.025, 0.975))
            rows.append({
                "regime": regime, "measure": measure, "low": low, "high": high, "largest": gap.abs().max(),
                "rho": spearmanr(np.nanmean(own, 0), np.nanmean(base, 0)).statistic, "attribute": gap.abs().idxmax(),
            })  # fmt: skip
    return pd.DataFrame(rows)[["regime", "measure", "rho", "low", "high", "largest", "attribute"]]


def labelled(people: int, seed: int, model: Model) -> tuple[dict[str, np.ndarray], np.ndarray, pd.DataFrame]:
    """Embeddings by network, identities and labels: two pictures of each avatar, all eight attributes at random."""
    rng = np.random.default_rng([seed, 4])
    records = [fr.ATTRIBUTES[name] for name in fr.PAPER_ATTRIBUTES]
    low, high = (np.array([getattr(record, end) for record in records]) for end in ("low", "high"))
    values = low + (high - low) * rng.random((2 * people, len(records)))
    who = np.repeat(np.arange(people), 2)
    faces, found = fr.Avatars(people, seed=20264), []
    recipes = [dict(zip(fr.PAPER_ATTRIBUTES, row.tolist(), strict=True)) for row in values]
    for start in range(0, len(who), 120):
        some = slice(start, start + 120)
        found.append(model.embed(faces.render_batch(who[some].tolist(), recipes[some], size=PICTURE)))
    labels = pd.DataFrame(np.where(values > (low + high) / 2, 1, -1), columns=list(fr.PAPER_ATTRIBUTES))
    points = np.concatenate(found)
    return {name: points[:, some] for name, some in places(model.card.name).items()}, who, labels


def between(people: int, seed: int, model: Model) -> pd.DataFrame:
    """Prediction 3 as a table: KS of every attribute, with the range over random halves of the avatars."""
    vectors, who, labels = labelled(people, seed, model)
    rng = np.random.default_rng([seed, 5])
    halves = [rng.permutation(people) < people // 2 for _ in range(40)]
    rows = []
    for regime, points in vectors.items():
        whole = fr.macroscale(points, who, labels, metric="euclidean", permutations=200, seed=seed)
        drawn = [
            fr.macroscale(points[half[who]], who[half[who]], labels[half[who]], "euclidean", 0, seed=seed)["ks_mean"]
            for half in halves
        ]
        drawn = np.stack(drawn)
        best = np.bincount(drawn.argmax(1), minlength=labels.shape[1]) / len(drawn)
        edges = np.quantile(drawn, (0.025, 0.975), axis=0)
        rows.append(whole[["attribute", "n", "ks_mean", "ks_scaled", "p_value"]].assign(
            regime=regime, half_low=edges[0], half_high=edges[1], share_largest=best,
            largest=whole["ks_mean"] == whole["ks_mean"].max(),
            own=regime.startswith("tied") & (whole["attribute"] == regime.partition("-")[2]),
        ))  # fmt: skip
    return pd.concat(rows, ignore_index=True)


def report(micro: pd.DataFrame, macro: pd.DataFrame) -> None:
    print("\nVerification of 300 held-out avatars, from the training tool")
    for regime in REGIMES:
        print(f"  {regime:20s} {CARDS[f'controlled/{regime}'].accuracy}")
    print("\nAttribute constant in training: its difference to all-varied, mean over avatars")
    for row in micro[micro["own"] & micro["regime"].str.startswith("fixed")].itertuples():
        rise = row.measure == "magnitude"
        holds = (row.difference > 0) == rise and row.p_adjusted < 0.01
        verdict = "as predicted" if holds else "NOT as predicted"
        print(f"  {row.regime:20s} {row.measure:18s} {row.base:6.3f} {row.difference:+.3f} [{row.low:+.3f}, "
              f"{row.high:+.3f}]  p {row.p_adjusted:.4f}  {verdict}; largest of eight: "
              f"{'yes' if row.largest else 'NO'} ({row.share_largest:.0%} of draws)")  # fmt: skip
    print("\nMacroscale: mean KS, [95 % of random halves], the attribute with the largest")
    for regime in REGIMES:
        part = macro[macro["regime"] == regime].sort_values("ks_mean", ascending=False)
        line = ", ".join(f"{r.attribute} {r.ks_mean:.3f}" for r in part.head(3).itertuples())
        top = part.iloc[0]
        print(f"  {regime:20s} {line}; first [{top.half_low:.3f}, {top.half_high:.3f}], largest in "
              f"{top.share_largest:.0%} of halves")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--identities", type=int, default=24)
    parser.add_argument("--curves", type=int, default=40)
    parser.add_argument(
        "--spread", type=float, default=1.0, help="share of each range, around its middle, for base points"
    )
    parser.add_argument("--people", type=int, default=600, help="number of avatars for the macroscale")
    parser.add_argument("--twin", type=Path, help="weights of another training of all-varied")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)

    def write(part: pd.DataFrame, name: str) -> None:
        kind = "" if args.spread == 1 else f"_spread_{args.spread:g}"
        part.to_csv(args.out / f"controlled{name}{kind}.csv", index=False, float_format="%.5g")

    nets = networks(args.twin)
    arrays = embedded(held_out(args.identities, args.curves, args.spread, args.seed), nets)
    table = pd.concat([figures(array).assign(model=regime) for regime, array in arrays.items()], ignore_index=True)
    micro, order = within(table, args.seed), orders(table, args.seed)
    write(micro[micro["regime"] != "twin"], "")
    write(order, "_orders")
    if args.twin:
        write(micro[micro["regime"] == "twin"], "_twin")
    macro = between(args.people, args.seed, nets["shipped"])
    if args.spread == 1:
        write(macro, "_macroscale")
    report(micro, macro)
    print("\nOrder of the eight attributes compared with all-varied")
    print(order.to_string(index=False, float_format="%.3f"))


if __name__ == "__main__":
    main()
