"""Targeted fine-tuning of two networks: each attribute augmented alone, and what that does to all attributes.

    python benchmarks/finetuning.py --networks dlib sface --targets brightness illumination head_angle glasses --seed 0

The predictions, fixed before any run, are in PREDICTIONS.md: the target's step becomes shorter, its magnitude falls and
its energy rises, the others change less, and the same recipe does the same to both networks.

For each target, each network is fine-tuned on avatars of one seed (fr.finetune, with the batches of BATCH and 80 steps)
and compared with the original network on other avatars, never used in training: energies at 5 nearest neighbours and
over all pairs, magnitudes, and profiles over the scale, paired over identities, for the paper's eight attributes and
glasses. Sign-flip tests; Holm's correction covers all rows of a quantity (networks x targets x attributes).
With --step 4 the same is measured over longer steps. Every picture is rendered once for all networks.
Tables are written to benchmarks/results/finetune*.csv, with the command in their first line.

A killed run resumes: it reads weights from the checkpoints under --work, and embeddings from the cache.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import spearmanr

import fr_explore as fr
from fr_explore.base import cache
from fr_explore.base.distance import normalized
from fr_explore.faces.image_attributes import apply_image_attributes
from fr_explore.lattice import Lattice
from fr_explore.models.base import Model
from fr_explore.statistics import adjust_p_values

RESULTS = Path(__file__).parent / "results"
TRAINED, EXAMINED = 101, 202  # seeds of the people to train on and to evaluate on: nobody is in both
MEASURED = (*fr.PAPER_ATTRIBUTES, "glasses")
QUANTITIES = ("energy knn:5", "energy all_pairs", "magnitude", "length")
BATCH = {"people": 5, "views": 3}  # smaller than the defaults: SFace's depthwise layers train slowly on a CPU
LATE = ("hue", "contrast", "brightness")  # applied to a finished picture, without rendering
SCALES = {"knn:5": "5 nearest neighbours", "all_pairs": "all pairs"}


class Remembered:
    """Avatars that render each picture once for all models and step sizes.

    keep : the pictures of all people, otherwise only of the last one.
    """

    def __init__(self, faces: fr.Avatars, adjust=apply_image_attributes, keep: bool = False) -> None:
        self.faces, self.adjust, self.keep = faces, adjust, keep
        self.attributes, self.identities, self.fingerprint = faces.attributes, faces.identities, faces.fingerprint
        if adjust is not apply_image_attributes:
            self.fingerprint += f" {adjust.__name__}"
        self.memory: dict[tuple, fr.Face] = {}
        self.person: object = None

    def render(self, identity, strengths=None, size: int = 160) -> fr.Face:
        return self.render_batch([identity], [strengths or {}], size)[0]

    def render_batch(self, identities, strengths, size: int = 160) -> list[fr.Face]:
        if not self.keep and set(identities) != {self.person}:
            self.person = identities[0]
            self.memory.clear()
        early = [{k: v for k, v in some.items() if k not in LATE} for some in strengths]
        keys = [(who, size, *map(str, some.items())) for who, some in zip(identities, early, strict=True)]
        missing = {key: i for i, key in enumerate(keys) if key not in self.memory}
        places = list(missing.values())
        new = self.faces.render_batch([identities[i] for i in places], [early[i] for i in places], size=size)
        self.memory |= dict(zip(missing, new, strict=True))
        shown = []
        for key, some in zip(keys, strengths, strict=True):
            face, late = self.memory[key], {k: v for k, v in some.items() if k in LATE}
            shown.append(fr.Face(self.adjust(face.pixels, late), face.landmarks))
        return shown


def embed_all(lattices: Sequence[Lattice], models: Mapping[str, object], size: int = 160) -> list[dict]:
    """Embeddings of each lattice by each model, person by person, to render each picture once."""
    parts: list[dict[str, list]] = [{name: [] for name in models} for _ in lattices]
    count, start = len(lattices[0].identities), time.perf_counter()
    for i in range(count):
        for lattice, found in zip(lattices, parts, strict=True):
            one = replace(lattice, base=lattice.base.isel(identity=[i]))
            for name, model in models.items():
                found[name].append(fr.embed(one, model, size=size, progress=False))
        print(f"  embedded person {i + 1} of {count}, {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
    return [{name: xr.concat(arrays, "identity") for name, arrays in found.items()} for found in parts]


def evaluation_lattice(identities: int, curves: int, factor: float = 1) -> Lattice:
    """The measured attributes on people never used in training; steps of `factor` times the default."""
    faces = Remembered(fr.Avatars(identities, seed=EXAMINED))
    sizes = {name: factor * faces.attributes[name].step for name in MEASURED}
    return fr.sample_lattice(faces, MEASURED, curves=curves, seed=0, step_sizes=sizes)


def energies(embeddings: Mapping[str, xr.DataArray]) -> pd.DataFrame:
    """One row per model, identity and attribute: an energy per scale, magnitude, and the length of a step."""
    tables = []
    for name, array in embeddings.items():
        field = fr.vector_field(array)
        first = None
        for scale in SCALES:
            table = fr.alignment(field, neighborhood=scale).rename(columns={"energy": f"energy {scale}"})
            kept = ["identity", "attribute", f"energy {scale}", *([] if first is not None else ["magnitude"])]
            first = table[kept] if first is None else first.merge(table[kept], on=["identity", "attribute"])
        length = field["magnitude"].median("curve").to_dataframe("length").reset_index()
        tables.append(first.merge(length, on=["identity", "attribute"]).assign(model=name))
    return pd.concat(tables, ignore_index=True)


def changes(table: pd.DataFrame, networks: Sequence[str], targets: Sequence[str]) -> pd.DataFrame:
    """Before and after for each network, target, attribute and quantity, tested over identities."""
    pairs = []
    for network in networks:
        for target in targets:
            for model, when in ((f"{network}+{target}", "after"), (network, "before")):
                part = table[table["model"] == model]
                pairs.append(part.assign(network=network, target=target, model=when))
    both, case, rows = pd.concat(pairs), ["network", "target", "attribute"], []
    for quantity in QUANTITIES:
        tested = fr.compare(both, "model", quantity, by=case)
        middle = both.groupby([*case, "model"])[quantity].median().unstack()
        tested = tested.merge(middle.reset_index(), on=case).assign(quantity=quantity)
        rows.append(tested[["quantity", *case, "before", "after", "difference", "low", "high", "p", "p_adjusted",
                            "identities"]])  # fmt: skip
    return pd.concat(rows, ignore_index=True)


def against_others(table: pd.DataFrame, networks: Sequence[str], targets: Sequence[str]) -> pd.DataFrame:
    """Is the target's own change larger than each other attribute's, identity by identity?

    The change of an energy is after - before, that of magnitude and length the logarithm of after / before.
    """
    rows = []
    for quantity in QUANTITIES:
        found = []
        for network in networks:
            for target in targets:
                tidy = change(table, network, target, quantity).rename("change").reset_index()
                for other in [name for name in MEASURED if name != target]:
                    two = pd.concat([tidy[tidy["attribute"] == name] for name in (target, other)])
                    found.append(fr.compare(two, "attribute", "change").assign(network=network, target=target))
        tested = pd.concat(found).assign(quantity=quantity, p_adjusted=lambda t: adjust_p_values(t["p"]))
        rows.append(tested[["quantity", "network", "target", "second", "difference", "low", "high", "p", "p_adjusted",
                            "identities"]].rename(columns={"second": "other"}))  # fmt: skip
    return pd.concat(rows, ignore_index=True)


def change(table: pd.DataFrame, network: str, target: str, quantity: str) -> pd.Series:
    """Change by (identity, attribute): after - before of an energy, the logarithm of after / before otherwise."""
    wide = table.set_index(["model", "identity", "attribute"]).sort_index()[quantity]
    after, before = wide.loc[f"{network}+{target}"], wide.loc[network]
    return after - before if quantity.startswith("energy") else np.log(after / before)


def agreement(table: pd.DataFrame, networks: Sequence[str], targets: Sequence[str], draws: int = 2000) -> pd.DataFrame:
    """Does the same recipe do the same to two networks? Over targets x attributes, of the changes' medians.

    rho : Spearman's rank correlation, with its interval over people; same_sign : the share of pairs of changes with one
    sign; others_rho : rho without the attributes that were augmented.
    """
    rng, rows = np.random.default_rng(0), []
    for quantity in QUANTITIES:
        parts = [
            np.stack([change(table, net, t, quantity).unstack()[list(MEASURED)].to_numpy() for t in targets])
            for net in networks
        ]  # (targets, identities, attributes) for each network
        picks = rng.integers(parts[0].shape[1], size=(draws, parts[0].shape[1]))
        one, two = (np.median(part, axis=1) for part in parts)
        drawn = [spearmanr(*(np.median(p[:, pick], axis=1).ravel() for p in parts)).statistic for pick in picks]
        others = np.array([[name != target for name in MEASURED] for target in targets])
        low, high = np.quantile(drawn, (0.025, 0.975))
        rows.append({
            "quantity": quantity, "first": networks[0], "second": networks[1],
            "rho": spearmanr(one.ravel(), two.ravel()).statistic, "low": low, "high": high,
            "others_rho": spearmanr(one[others], two[others]).statistic,
            "same_sign": (np.sign(one) == np.sign(two)).mean(), "changes": one.size,
        })  # fmt: skip
    return pd.DataFrame(rows)


def profiles(embeddings: Mapping[str, xr.DataArray], radii: np.ndarray) -> pd.DataFrame:
    """Median energy over identities, with its interval, at each radius, attribute and model."""
    tables = [fr.alignment_profile(fr.vector_field(array), radii).assign(model=n) for n, array in embeddings.items()]
    table = pd.concat(tables, ignore_index=True)
    coverage = table.groupby(["model", "attribute", "radius"], sort=False)["coverage"].mean().reset_index()
    found = fr.summarize(table.dropna(subset=["energy"]))
    return found.merge(coverage, on=["model", "attribute", "radius"])[
        ["model", "attribute", "radius", "energy", "low", "high", "coverage", "identities"]
    ]


def verifications(embeddings: Mapping[str, xr.DataArray], name: str) -> pd.DataFrame:
    """AUC, equal error rate and TAR of each model, and how far its embeddings moved from its original network's."""
    from sklearn.metrics import roc_auc_score

    rows = []
    for model, array in embeddings.items():
        given = unit(embeddings[model.partition("+")[0]])
        found = fr.verification(array, draws=200, at_far=(0.01,))
        points = unit(array)
        tar = found.tar_at_far.iloc[0]
        published = found.rates.set_index("name").loc["published"]
        apart = np.linalg.norm(given - given.mean(0), axis=1).mean() * 2**0.5  # about the mean distance of two pictures
        rows.append({
            "pictures": name, "model": model,
            "auc": roc_auc_score(found.pairs["same"], -found.pairs["distance"]),
            "eer": found.eer, "eer_low": found.eer_low, "eer_high": found.eer_high,
            "tar_at_far_0.01": tar["tar"], "tar_low": tar["tar_low"], "tar_high": tar["tar_high"],
            "threshold": found.threshold, "far_published": published["far"], "frr_published": published["frr"],
            "moved": np.linalg.norm(points - given, axis=1).mean() / apart,
            "images": len(points), "genuine": found.attrs["genuine"], "impostor": found.attrs["impostor"],
        })  # fmt: skip
    return pd.DataFrame(rows)


def unit(array: xr.DataArray) -> np.ndarray:
    """Embeddings (images, dim) as their metric compares them."""
    return normalized(array.values.reshape(-1, array.sizes["dim"]), array.attrs["metric"]).astype(float)


def write(table: pd.DataFrame, name: str, command: str, folder: Path) -> None:
    """Write a CSV whose first line is the command that makes it; read it with pd.read_csv(path, comment="#")."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.csv"
    path.write_text(f"# {command}\n" + table.to_csv(index=False, float_format="%.5g", lineterminator="\n"))
    print(f"wrote {path.name}: {len(table)} rows")


def tune(model, target: str, faces: Remembered, args: argparse.Namespace):
    """The fine-tuned model, from its checkpoint if there is one."""
    name = model.card.name
    path = args.work / f"finetune-{name}-{target}-{args.people}-{args.steps}-{args.seed}.pt"
    start = time.process_time()
    tuned = fr.finetune(
        model, faces, {target: True}, steps=args.steps, check_every=max(1, args.steps // 2), seed=args.seed,
        checkpoint=path, progress=False, **BATCH,
    )  # fmt: skip
    tuned.history.insert(0, "model", tuned.card.name)
    seconds = time.process_time() - start
    print(f"\n{tuned.card.name}: {seconds:.0f} s\n{tuned.history.to_string(index=False)}", flush=True)
    return tuned


def tuned_models(args: argparse.Namespace) -> dict[str, Model]:
    """The given networks and the fine-tuned ones by name; the pictures of a target serve all networks."""
    given = {name: fr.load_model(name) for name in args.networks}
    models: dict[str, Model] = dict(given)
    for target in args.targets:
        faces = Remembered(fr.Avatars(args.people, seed=TRAINED), keep=True)
        models |= {f"{name}+{target}": tune(model, target, faces, args) for name, model in given.items()}
    return models


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", default=["dlib", "sface"], help="two: their changes are compared")
    parser.add_argument("--targets", nargs="+", default=["brightness", "illumination", "head_angle", "glasses"])
    parser.add_argument("--seed", type=int, default=0, help="of the training")
    parser.add_argument("--people", type=int, default=64, help="avatars to train on, including held-out ones")
    parser.add_argument("--steps", type=int, default=80)
    parser.add_argument("--identities", type=int, default=16, help="avatars to evaluate on")
    parser.add_argument("--curves", type=int, default=8)
    parser.add_argument("--step", type=float, default=1.0, help="factor of the default step sizes")
    parser.add_argument("--photographs", type=Path, help="a folder of photographs, laid out as LFW: name/name_0001.jpg")
    parser.add_argument("--work", type=Path, default=cache.folder() / "finetuning", help="folder of the checkpoints")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the tables")
    args = parser.parse_args()
    command = f"python benchmarks/finetuning.py --networks {' '.join(args.networks)} --targets {' '.join(args.targets)}"
    for name in ("seed", "people", "steps", "identities", "curves", "step"):
        if getattr(args, name) != parser.get_default(name):
            command += f" --{name} {getattr(args, name):g}"

    models = tuned_models(args)
    history = pd.concat([tuned.history for tuned in models.values() if hasattr(tuned, "history")])
    embeddings = embed_all([evaluation_lattice(args.identities, args.curves, args.step)], models)[0]
    table = energies(embeddings)
    changed = changes(table, args.networks, args.targets)
    others = against_others(table, args.networks, args.targets)
    verified = verifications({name: array.isel(attribute=0).sel(step=0) for name, array in embeddings.items()},
                             "avatars")  # fmt: skip
    if args.photographs:
        pictures = fr.read_lfw(args.photographs, private=True)
        verified = pd.concat([
            verified, verifications({name: fr.embed(pictures, m) for name, m in models.items()}, "photographs")
        ])  # fmt: skip
    parts = {"": changed, "_others": others, "_identities": table, "_verification": verified, "_history": history,
             "_profiles": profiles(embeddings, np.arange(0.3, 1.55, 0.2))}  # fmt: skip
    if len(args.networks) == 2:
        parts["_agreement"] = agreement(table, args.networks, args.targets)
        print(parts["_agreement"].to_string(index=False, float_format="%.3f"))
    report(changed, others, verified)
    suffix = "" if args.step == 1 else f"_step{args.step:g}"
    for name, part in parts.items():
        write(part, f"finetune{suffix}{name}", command, args.results)


def report(changed: pd.DataFrame, others: pd.DataFrame, verified: pd.DataFrame) -> None:
    """Summaries of the tables, and whether the predictions held."""
    pd.set_option("display.width", 200)
    print("\nverification on pictures never used in training")
    print(verified.to_string(index=False, float_format="%.4f"))
    print("\nPredictions: the target's length and magnitude fall, its energies rise, the others change less")
    for (network, target), part in changed.groupby(["network", "target"], sort=False):
        for quantity, rows in part.groupby("quantity", sort=False):
            sign, rows = 1 if quantity.startswith("energy") else -1, rows.set_index("attribute")
            own, gap = rows.loc[target], rows["difference"].abs()
            held = own["p_adjusted"] < 0.01 and np.sign(own["difference"]) == sign
            relative = gap if sign > 0 else (rows["after"] / rows["before"] - 1).abs()
            rank = int(relative.rank(ascending=False)[target])
            beaten = others.query("network == @network and target == @target and quantity == @quantity")
            wins = int(((np.sign(beaten["difference"]) == sign) & (beaten["p_adjusted"] < 0.01)).sum())
            print(f"  {network:6} {target:13} {quantity:17} {own['before']:.3f} -> {own['after']:.3f}  p "
                  f"{own['p_adjusted']:.4f}  {'held' if held else 'NOT held'}; its change is number {rank} of "
                  f"{len(rows)}, larger than {wins} of {len(beaten)} others (p < 0.01)")  # fmt: skip


if __name__ == "__main__":
    main()
