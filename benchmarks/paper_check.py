"""Compare our energies of dlib, SFace (and FaceNet, where its weights are) on avatars with the published ones.

    python benchmarks/paper_check.py

Prints the median over identities of each of the eight attributes, and Spearman's rank correlation with the published
all-pairs medians of FaceNet and ArcFace (Leroy et al., ICML 2025, read from their figure): over the five attributes of
the face and over all eight, with a bootstrap interval over identities. Repeats this with one change at a time: the
neighbourhood, the number of people, the step, the base points, the definition of the image attributes.
Prints how the order flips with the scale, and the ratio of distances between and within people. The numbers themselves
need not agree, because models and faces differ. Predictions D1 to D4 and D7 of PREDICTIONS.md.

Writes benchmarks/results/paper_check*.csv. Embeddings are cached, so an interrupted run can be resumed; those of the
main table are the ones that finetuning.py computes.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from finetuning import EXAMINED, RESULTS, Remembered, embed_all, evaluation_lattice, write
from scipy.spatial.distance import pdist, squareform
from scipy.stats import spearmanr

import fr_explore as fr
from fr_explore.base.distance import normalized
from fr_explore.lattice import Lattice

# medians over identities, read from the paper's figure of all-pairs energies
PUBLISHED = pd.DataFrame(
    {"FaceNet": [0.915, 0.635, 0.615, 0.945, 0.755, 0.60, 0.835, 0.595],
     "ArcFace": [0.87, 0.735, 0.765, 0.91, 0.825, 0.72, 0.91, 0.76]},
    index=list(fr.PAPER_ATTRIBUTES),
)  # fmt: skip
FACE = ["head_angle", "age", "hair_color", "illumination", "expression"]
NETWORKS = ("dlib", "sface", "facenet-vggface2")
RULES = ("all_pairs:0", "all_pairs:2", "all_pairs:cosine", "knn:5", "ball:0.6", "ball:0.8", "ball:1", "ball:0.6:self")
SETS = {"5 of the face": FACE, "all 8": list(fr.PAPER_ATTRIBUTES)}


def by_identity(embeddings: xr.DataArray, neighborhood="all_pairs") -> pd.DataFrame:
    """Energies, one row per identity, one column per attribute."""
    table = fr.alignment(fr.vector_field(embeddings), neighborhood=neighborhood)
    return table.pivot(index="identity", columns="attribute", values="energy")[list(fr.PAPER_ATTRIBUTES)]


def correlations(wide: pd.DataFrame, draws: int = 2000) -> dict[str, float]:
    """Spearman's rho of the medians with each published column, and its interval over identities."""
    rng, values = np.random.default_rng(0), wide.to_numpy()
    picks = rng.integers(len(values), size=(draws, len(values)))
    drawn = pd.DataFrame(np.median(values[picks], axis=1), columns=wide.columns)
    found = {}
    for name, attributes in SETS.items():
        middle, ranks = wide.median()[attributes], drawn[attributes].rank(axis=1).to_numpy()
        for model in PUBLISHED:
            theirs = PUBLISHED.loc[attributes, model]
            found[f"{model}, {name}"] = float(spearmanr(middle, theirs).statistic)
            ours, known = ranks - ranks.mean(1, keepdims=True), theirs.rank().to_numpy()
            known = known - known.mean()
            with np.errstate(invalid="ignore"):
                rho = ours @ known / np.sqrt((ours**2).sum(1) * (known**2).sum())
            found |= dict(zip((f"{model}, {name}, low", f"{model}, {name}, high"), np.nanquantile(rho, (0.025, 0.975)),
                              strict=True))  # fmt: skip
    return found


def other_definitions(pixels: np.ndarray, strengths: Mapping[str, float]) -> np.ndarray:
    """Image attributes as other toolboxes define them, at our strengths.

    Brightness is added, contrast scales the distance from mid grey, hue is rotated in HSV.
    """
    from skimage.color import hsv2rgb, rgb2hsv

    out = pixels
    if strengths.get("hue", 0) != 0:
        hsv = rgb2hsv(out)
        hsv[..., 0] = (hsv[..., 0] + strengths["hue"] / 360) % 1
        out = hsv2rgb(hsv)
    out = 0.5 + strengths.get("contrast", 1) * (out - 0.5)
    return np.clip(out + 0.5 * (strengths.get("brightness", 1) - 1), 0, 1).astype(np.float32)


def steps_apart(identities: int, curves: int) -> dict[str, Lattice]:
    """The same base points with steps of 0.5 to 4 times the default, all within the attributes' ranges."""
    faces = Remembered(fr.Avatars(identities, seed=EXAMINED))
    sizes = {name: faces.attributes[name].step for name in fr.PAPER_ATTRIBUTES}
    widest = fr.sample_lattice(faces, curves=curves, seed=0, step_sizes={name: 4 * s for name, s in sizes.items()})
    return {
        f"step x {factor:g}": replace(widest, step_sizes={name: factor * s for name, s in sizes.items()})
        for factor in (0.5, 1, 4)
    }


def variants(identities: int, curves: int) -> dict[str, Lattice]:
    """The lattice to render by the name of the variant."""
    faces = Remembered(fr.Avatars(identities, seed=EXAMINED))
    usual = fr.sample_lattice(faces, curves=curves, seed=0)
    plain = usual.base.copy()
    for name in ("brightness", "contrast", "hue"):
        plain.loc[{"attribute": name}] = faces.attributes[name].neutral
    other = Remembered(fr.Avatars(identities, seed=EXAMINED), other_definitions)
    return {
        **steps_apart(identities, curves),
        "base points' image attributes neutral": replace(usual, base=plain),
        "image attributes of other toolboxes": replace(usual, faces=other),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--identities", type=int, default=16, help="avatars in the main table, as in finetuning.py")
    parser.add_argument("--curves", type=int, default=8)
    parser.add_argument("--fewer", type=int, nargs=2, default=(8, 6), metavar=("IDENTITIES", "CURVES"),
                        help="for the variants that need their own renderings; 0 0 skips them")  # fmt: skip
    parser.add_argument("--results", type=Path, default=RESULTS)
    args = parser.parse_args()
    command = "python benchmarks/paper_check.py"
    for name in ("identities", "curves"):
        command += f" --{name} {getattr(args, name)}" * (getattr(args, name) != parser.get_default(name))
    command += f" --fewer {args.fewer[0]} {args.fewer[1]}" * (tuple(args.fewer) != parser.get_default("fewer"))

    here = fr.list_models()["available"] == "now"
    models = {name: fr.load_model(name) for name in NETWORKS if here[name]}
    print("\n".join(f"{name}: its weights are not on this machine" for name in NETWORKS if not here[name]))
    embeddings = embed_all([evaluation_lattice(args.identities, args.curves)], models)[0]
    rows, whole = [], {}
    for name, array in embeddings.items():
        wide = whole[name] = by_identity(array)
        rows.append(row(name, "as it is", wide, args.curves))
        rows += [row(name, rule, by_identity(array, rule), args.curves) for rule in RULES]
        rows += [row(name, f"the first {count} people", wide.iloc[:count], args.curves) for count in (4, 8)]
    if all(args.fewer):
        chosen = variants(*args.fewer)
        for variant, found in zip(chosen, embed_all(list(chosen.values()), models), strict=True):
            rows += [row(name, variant, by_identity(array), args.fewer[1]) for name, array in found.items()]
    table = pd.DataFrame(rows)
    ratio = pd.DataFrame([ratios(name, array) for name, array in embeddings.items()])
    report(whole, table, ratio)
    write(table, "paper_check", command, args.results)
    write(ratio, "paper_check_ratios", command, args.results)
    people = pd.concat([wide.assign(network=name) for name, wide in whole.items()])
    write(people.reset_index(), "paper_check_identities", command, args.results)


def row(network: str, variant: str, wide: pd.DataFrame, curves: int) -> dict[str, object]:
    return {"network": network, "variant": variant, "identities": len(wide), "curves": curves, **medians(wide)}


def ratios(network: str, embeddings: xr.DataArray, draws: int = 1000) -> dict[str, object]:
    """Mean distance between people over that within a person (their base points), with an interval over people."""
    points = embeddings.isel(attribute=0).sel(step=0)
    count, curves = points.sizes["identity"], points.sizes["curve"]
    vectors = normalized(points.values.reshape(count * curves, -1), embeddings.attrs["metric"])
    apart = squareform(pdist(vectors)).reshape(count, curves, count, curves)
    block = apart.sum((1, 3))  # sums over the pairs of pictures of two people
    rng, found = np.random.default_rng(0), []
    for some in [np.arange(count), *rng.integers(count, size=(draws, count))]:
        others = some[:, None] != some
        between = block[some[:, None], some][others].mean() / curves**2
        found.append(between / (block[some, some].mean() / (curves * (curves - 1))))
    low, high = np.quantile(found[1:], (0.025, 0.975))
    return {"network": network, "ratio": found[0], "low": low, "high": high, "identities": count, "curves": curves}


def medians(wide: pd.DataFrame) -> dict[str, float]:
    return {**wide.median().to_dict(), **correlations(wide)}


def report(whole: Mapping[str, pd.DataFrame], table: pd.DataFrame, ratio: pd.DataFrame) -> None:
    pd.set_option("display.width", 220)
    shown = PUBLISHED.copy()
    for name, wide in whole.items():
        summary = fr.summarize(wide.melt(ignore_index=False, value_name="energy").reset_index()).set_index("attribute")
        shown = shown.join(summary[["energy", "low", "high"]].add_prefix(f"{name} "))
    print("All-pairs energy: published medians; ours over identities with a 95 % interval")
    print(shown.to_string(float_format="%.3f"))
    for name, attributes in SETS.items():
        rho = float(spearmanr(*PUBLISHED.loc[attributes].to_numpy().T).statistic)
        print(f"for comparison, {name}: Spearman's rho of the published FaceNet with ArcFace {rho:.2f}")
    print("\nSpearman's rho with the published medians, 95 % interval over identities")
    for row in table.to_dict("records"):
        parts = [
            f"{model} {row[f'{model}, {name}']:+.2f} [{row[f'{model}, {name}, low']:+.2f}, "
            f"{row[f'{model}, {name}, high']:+.2f}]"
            for name in SETS for model in PUBLISHED
        ]  # fmt: skip
        print(f"  {row['network']:6} {row['variant']:38} {row['identities']:3} x {row['curves']:3}  5: {parts[0]}  "
              f"{parts[1]}   8: {parts[2]}  {parts[3]}")  # fmt: skip
    print("\nRank of each attribute's energy among the eight (1: the lowest), by the scale")
    scales = table[table["variant"].isin(["knn:5", "ball:0.6", "ball:0.8", "ball:1", "as it is"])]
    print(scales.set_index(["network", "variant"])[list(fr.PAPER_ATTRIBUTES)].rank(axis=1).to_string())
    print("\nMean distance between people over that within a person (published: about 2 to 3)")
    print(ratio.to_string(index=False, float_format="%.2f"))
    print("\nmedians of each variant")
    print(table[["network", "variant", *fr.PAPER_ATTRIBUTES]].to_string(index=False, float_format="%.3f"))


if __name__ == "__main__":
    main()
