"""Targeted fine-tuning: each attribute augmented alone, and what that does to all eight.

    python benchmarks/finetuning.py --targets brightness illumination head_angle --seed 0

The prediction, fixed before any run: the target's magnitude falls and its energy rises; the others change less.

For each target, dlib's network is fine-tuned on avatars of one seed (fr.finetune with its defaults) and compared with
the original network on other avatars, which were never used in training: energies at 10 nearest neighbours and over all
pairs, magnitudes, and profiles over the scale, paired over identities. Sign-flip tests; Holm's correction covers all
rows of a quantity (targets x attributes). With --step 4 the same is measured over longer steps.
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

import fr_explore as fr
from fr_explore.faces.image_attributes import apply_image_attributes
from fr_explore.lattice import Lattice
from fr_explore.statistics import adjust_p_values

RESULTS = Path(__file__).parent / "results"
TRAINED, EXAMINED = 101, 202  # seeds of the people to train on and to evaluate on: nobody is in both
LATE = ("hue", "contrast", "brightness")  # applied to a finished picture, without rendering
SCALES = {"knn:10": "10 nearest neighbours", "all_pairs": "all pairs"}


class Remembered:
    """Avatars that render each picture once for all models and step sizes; the pictures of one person are kept."""

    def __init__(self, faces: fr.Avatars, adjust=apply_image_attributes) -> None:
        self.faces, self.adjust = faces, adjust
        self.attributes, self.identities, self.fingerprint = faces.attributes, faces.identities, faces.fingerprint
        if adjust is not apply_image_attributes:
            self.fingerprint += f" {adjust.__name__}"
        self.memory: dict[tuple, fr.Face] = {}
        self.person: object = None

    def render(self, identity, strengths=None, size: int = 160) -> fr.Face:
        return self.render_batch([identity], [strengths or {}], size)[0]

    def render_batch(self, identities, strengths, size: int = 160) -> list[fr.Face]:
        if set(identities) != {self.person}:
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
    """The paper's eight attributes on people never used in training; steps of `factor` times the default."""
    faces = Remembered(fr.Avatars(identities, seed=EXAMINED))
    sizes = {name: factor * faces.attributes[name].step for name in fr.PAPER_ATTRIBUTES}
    return fr.sample_lattice(faces, curves=curves, seed=0, step_sizes=sizes)


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


def changes(table: pd.DataFrame, targets: Sequence[str]) -> pd.DataFrame:
    """Before and after for each target, attribute and quantity, tested over identities."""
    rows = []
    for quantity in [f"energy {scale}" for scale in SCALES] + ["magnitude", "length"]:
        pairs = []
        for target in targets:
            for model, when in ((f"dlib+{target}", "after"), ("dlib", "before")):
                pairs.append(table[table["model"] == model].assign(target=target, model=when))
        both = pd.concat(pairs)
        tested = fr.compare(both, "model", quantity, by=["target", "attribute"])
        middle = both.groupby(["target", "attribute", "model"])[quantity].median().unstack()
        tested = tested.merge(middle.reset_index(), on=["target", "attribute"]).assign(quantity=quantity)
        rows.append(tested[["quantity", "target", "attribute", "before", "after", "difference", "low", "high", "p",
                            "p_adjusted", "identities"]])  # fmt: skip
    return pd.concat(rows, ignore_index=True)


def against_others(table: pd.DataFrame, targets: Sequence[str]) -> pd.DataFrame:
    """Is the target's own change larger than each other attribute's, identity by identity?

    The change of an energy is after - before, that of magnitude and length the logarithm of after / before.
    """
    rows = []
    wide = table.set_index(["model", "identity", "attribute"]).sort_index()
    for quantity in [f"energy {scale}" for scale in SCALES] + ["magnitude", "length"]:
        found = []
        for target in targets:
            after, before = wide.loc[f"dlib+{target}", quantity], wide.loc["dlib", quantity]
            change = after - before if quantity.startswith("energy") else np.log(after / before)
            tidy = change.rename("change").reset_index()
            for other in [name for name in fr.PAPER_ATTRIBUTES if name != target]:
                two = pd.concat([tidy[tidy["attribute"] == name] for name in (target, other)])
                found.append(fr.compare(two, "attribute", "change").assign(target=target))
        tested = pd.concat(found).assign(quantity=quantity, p_adjusted=lambda t: adjust_p_values(t["p"]))
        rows.append(tested[["quantity", "target", "second", "difference", "low", "high", "p", "p_adjusted",
                            "identities"]].rename(columns={"second": "other"}))  # fmt: skip
    return pd.concat(rows, ignore_index=True)


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
    """AUC, equal error rate and TAR of each model, and how far its embeddings moved from dlib's."""
    from sklearn.metrics import roc_auc_score

    rows, given = [], embeddings["dlib"].values.reshape(-1, embeddings["dlib"].sizes["dim"]).astype(float)
    for model, array in embeddings.items():
        found = fr.verification(array, draws=200, at_far=(0.01,))
        points = array.values.reshape(given.shape).astype(float)
        tar = found.tar_at_far.iloc[0]
        impostor = found.pairs.loc[~found.pairs["same"], "distance"]
        published = found.rates.set_index("name").loc["published"]
        rows.append({
            "pictures": name, "model": model,
            "auc": roc_auc_score(found.pairs["same"], -found.pairs["distance"]),
            "eer": found.eer, "eer_low": found.eer_low, "eer_high": found.eer_high,
            "tar_at_far_0.01": tar["tar"], "tar_low": tar["tar_low"], "tar_high": tar["tar_high"],
            "threshold": found.threshold, "far_at_0.6": published["far"], "frr_at_0.6": published["frr"],
            "moved": np.linalg.norm(points - given, axis=1).mean() / impostor.mean(),
            "images": len(points), "genuine": found.attrs["genuine"], "impostor": found.attrs["impostor"],
        })  # fmt: skip
    return pd.DataFrame(rows)


def write(table: pd.DataFrame, name: str, command: str, folder: Path) -> None:
    """Write a CSV whose first line is the command that makes it; read it with pd.read_csv(path, comment="#")."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.csv"
    path.write_text(f"# {command}\n" + table.to_csv(index=False, float_format="%.5g", lineterminator="\n"))
    print(f"wrote {path.name}: {len(table)} rows")


def tune(model, target: str, args: argparse.Namespace):
    """The fine-tuned model, from its checkpoint if there is one."""
    faces = fr.Avatars(args.people, seed=TRAINED)
    path = args.work / f"finetune-{target}-{args.people}-{args.steps}-{args.seed}.pt"
    start = time.perf_counter()
    tuned = fr.finetune(model, faces, {target: True}, steps=args.steps, seed=args.seed, checkpoint=path)
    tuned.history.insert(0, "model", tuned.card.name)
    print(f"\n{tuned.card.name}: {time.perf_counter() - start:.0f} s\n{tuned.history.to_string(index=False)}")
    print(tuned.card.accuracy)
    return tuned


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--targets", nargs="+", default=["brightness", "illumination", "head_angle"])
    parser.add_argument("--seed", type=int, default=0, help="of the training")
    parser.add_argument("--people", type=int, default=64, help="avatars to train on, including held-out ones")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--identities", type=int, default=20, help="avatars to evaluate on")
    parser.add_argument("--curves", type=int, default=24)
    parser.add_argument("--step", type=float, default=1.0, help="factor of the default step sizes")
    parser.add_argument("--photographs", type=Path, help="a folder of photographs, laid out as LFW: name/name_0001.jpg")
    parser.add_argument("--work", type=Path, default=fr_cache() / "finetuning", help="folder of the checkpoints")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the tables")
    args = parser.parse_args()
    command = f"python benchmarks/finetuning.py --targets {' '.join(args.targets)} --seed {args.seed}"
    for name in ("people", "steps", "identities", "curves", "step"):
        if getattr(args, name) != parser.get_default(name):
            command += f" --{name} {getattr(args, name):g}"

    model = fr.load_model("dlib")
    models = {"dlib": model} | {f"dlib+{target}": tune(model, target, args) for target in args.targets}
    history = pd.concat([tuned.history for tuned in list(models.values())[1:]])
    embeddings = embed_all([evaluation_lattice(args.identities, args.curves, args.step)], models)[0]
    table = energies(embeddings)
    changed, others = changes(table, args.targets), against_others(table, args.targets)
    verified = verifications({name: array.isel(attribute=0).sel(step=0) for name, array in embeddings.items()},
                             "avatars")  # fmt: skip
    if args.photographs:
        pictures = fr.read_lfw(args.photographs, private=True)
        verified = pd.concat([
            verified, verifications({name: fr.embed(pictures, m) for name, m in models.items()}, "photographs")
        ])  # fmt: skip
    report(changed, others, verified, args.targets)
    parts = {"": changed, "_others": others, "_identities": table, "_verification": verified, "_history": history,
             "_profiles": profiles(embeddings, np.arange(0.3, 1.55, 0.1))}  # fmt: skip
    suffix = "" if args.step == 1 else f"_step{args.step:g}"
    for name, part in parts.items():
        write(part, f"finetune{suffix}{name}", command, args.results)


def fr_cache() -> Path:
    from fr_explore.base import cache

    return cache.folder()


def report(changed: pd.DataFrame, others: pd.DataFrame, verified: pd.DataFrame, targets: Sequence[str]) -> None:
    """Summaries of the tables, and whether the prediction held."""
    pd.set_option("display.width", 200)
    for target in targets:
        for quantity, part in changed[changed["target"] == target].groupby("quantity", sort=False):
            shown = part.assign(relative=part["after"] / part["before"] - 1)
            print(f"\n{quantity}, {target} augmented (median over identities; difference is the mean, paired)")
            print(shown.drop(columns=["quantity", "target"]).to_string(index=False, float_format="%.3f"))
    print("\nverification on pictures never used in training")
    print(verified.to_string(index=False, float_format="%.4f"))
    print("\nPrediction: the target's magnitude falls, its energy rises, the others change less")
    for target in targets:
        for quantity, sign in (("magnitude", -1), ("energy knn:10", 1), ("energy all_pairs", 1)):
            rows = changed[(changed["target"] == target) & (changed["quantity"] == quantity)].set_index("attribute")
            own, gap = rows.loc[target], rows["difference"].abs()
            held = own["p_adjusted"] < 0.01 and np.sign(own["difference"]) == sign
            relative = (rows["after"] / rows["before"] - 1).abs() if quantity == "magnitude" else gap
            rank = int(relative.rank(ascending=False)[target])
            beaten = others[(others["target"] == target) & (others["quantity"] == quantity)]
            wins = int(((np.sign(beaten["difference"]) == sign) & (beaten["p_adjusted"] < 0.01)).sum())
            print(f"  {target:13} {quantity:17} {own['before']:.3f} -> {own['after']:.3f}  p {own['p_adjusted']:.4f}  "
                  f"{'held' if held else 'NOT held'}; its change is number {rank} of {len(rows)}, larger than "
                  f"{wins} of {len(beaten)} others (p < 0.01)")  # fmt: skip


if __name__ == "__main__":
    main()
