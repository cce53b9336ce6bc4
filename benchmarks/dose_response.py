"""KS against intra-entropy, with the tie of a label to identity set by hand: `python benchmarks/dose_response.py`.

The paper finds over the label table of CelebA that KS falls with a label's intra-entropy (Spearman's rho -0.56 to -0.66
over five networks): what never changes in a person shapes the space. On photographs the tie cannot be changed. Here it
can: each avatar has its own value of a label, and a picture shows it with probability (1 + dose) / 2, so that dose 0 is
a coin toss in every picture and dose 1 means always or never. Everything else in the pictures varies and is the same at
every dose; half of the avatars have each value, because KS by chance depends on the sizes of the groups. Two
questions: does KS follow the dose in a network that is given (dlib, SFace, all-varied)? Does it differ between networks
that were trained with the label tied (dose 1: tied-hue, tied-hair_color) and without (all-varied)?

Each dose is drawn many times, from random halves of the avatars; intervals are over these draws. Predictions D5 and D6
of PREDICTIONS.md. Writes `benchmarks/results/dose_response*.csv`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from finetuning import RESULTS, write
from scipy.stats import spearmanr

import fr_explore as fr
from fr_explore.models.base import Model

NETWORKS = ("dlib", "sface", "controlled/all-varied", "controlled/tied-hue", "controlled/tied-hair_color")
# label -> the strengths of a picture without and with it
LABELS = {"glasses": (0.0, 1.0), "hair_color": (-0.6, 0.6), "hue": (-25.0, 25.0)}
DOSES = (0.0, 0.25, 0.5, 0.75, 1.0)


def embedded(people: int, each: int, size: int, seed: int) -> dict[str, dict[str, np.ndarray]]:
    """network -> label -> (people, each, 2, dim): every picture without and with the label."""
    faces, rng = fr.Avatars(people, seed=20265), np.random.default_rng(seed)
    names = fr.PAPER_ATTRIBUTES
    low, high = (np.array([getattr(faces.attributes[n], end) for n in names]) for end in ("low", "high"))
    base = [dict(zip(names, row.tolist(), strict=True)) for row in low + (high - low) * rng.random((people * each, 8))]
    who = np.repeat(np.arange(people), each).tolist()
    models = {name: fr.load_model(name) for name in NETWORKS}
    found: dict[str, dict[str, list]] = {name: {label: [] for label in LABELS} for name in models}
    for label, values in LABELS.items():
        for start in range(0, len(who), 60):
            some = slice(start, start + 60)
            recipes = [{**recipe, label: value} for recipe in base[some] for value in values]
            pictures = faces.render_batch([person for person in who[some] for _ in values], recipes, size=size)
            for name, model in models.items():
                found[name][label].append(normal(model, model.embed(pictures)))
    shape = (people, each, 2, -1)
    return {n: {label: np.concatenate(p).reshape(shape) for label, p in parts.items()} for n, parts in found.items()}


def normal(model: Model, vectors: np.ndarray) -> np.ndarray:
    """As the metric compares them, so that Euclidean distances serve every network."""
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True) if model.card.metric == "cosine" else vectors


def respond(found: dict[str, dict[str, np.ndarray]], draws: int, seed: int) -> pd.DataFrame:
    """Tidy: network, label, dose, draw, intra_entropy, ks."""
    rows = []
    for network, parts in found.items():
        for label, vectors in parts.items():
            people, each = vectors.shape[:2]
            for draw in range(draws):
                rng = np.random.default_rng([seed, draw])  # the same people and coins for every network and dose
                some = rng.permutation(people)[: people // 2]
                own, coin, which = rng.permutation(len(some)) % 2 == 0, rng.random((len(some), each)), np.arange(each)
                for dose in DOSES:
                    shown = np.where(coin < (1 + dose) / 2, own[:, None], ~own[:, None]).astype(int)
                    points = vectors[some[:, None], which, shown].reshape(len(some) * each, -1)
                    labels = pd.DataFrame({label: np.where(shown.ravel() == 1, 1, -1)})
                    who = np.repeat(np.arange(len(some)), each)
                    ks = fr.macroscale(points, who, labels, "euclidean", 0, seed=draw).iloc[0]
                    rows.append({"network": network, "label": label, "dose": dose, "draw": draw,
                                 "intra_entropy": ks["intra_entropy"], "ks": ks["ks_mean"]})  # fmt: skip
    return pd.DataFrame(rows)


def slopes(table: pd.DataFrame) -> pd.DataFrame:
    """Slope of KS over the dose, and rho of KS with intra-entropy over the doses; intervals over the draws."""
    rows = []
    for (network, label), part in table.groupby(["network", "label"], sort=False):
        wide = part.pivot(index="draw", columns="dose", values="ks")
        slope = np.polyfit(wide.columns.to_numpy(), wide.to_numpy().T, 1)[0]
        low, high = np.quantile(slope, (0.025, 0.975))
        rows.append({"network": network, "label": label, "ks": part["ks"].mean(), "slope": slope.mean(), "low": low,
                     "high": high, "rho": spearmanr(part["ks"], part["intra_entropy"]).statistic})  # fmt: skip
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=120)
    parser.add_argument("--each", type=int, default=3, help="pictures of each")
    parser.add_argument("--draws", type=int, default=40)
    parser.add_argument("--size", type=int, default=80, help="side of the pictures")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--results", type=Path, default=RESULTS)
    args = parser.parse_args()
    table = respond(embedded(args.people, args.each, args.size, args.seed), args.draws, args.seed)
    groups = table.groupby(["network", "label", "dose"], sort=False)
    edges = groups["ks"].quantile([0.025, 0.975]).unstack().set_axis(["low", "high"], axis=1)
    curve = groups[["intra_entropy", "ks"]].mean().join(edges)
    print("KS by dose, mean over the draws")
    print(curve["ks"].unstack("dose").to_string(float_format="%.3f"))
    slope = slopes(table)
    print("\nslope of KS over the dose, its 95 % interval, rho of KS with intra-entropy")
    print(slope.to_string(index=False, float_format="%.3f"))
    command = f"python benchmarks/dose_response.py --people {args.people} --draws {args.draws} --seed {args.seed}"
    write(curve.reset_index(), "dose_response", command, args.results)
    write(slope, "dose_response_slopes", command, args.results)


if __name__ == "__main__":
    main()
