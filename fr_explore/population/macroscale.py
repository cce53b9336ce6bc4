"""The macroscale: which binary attributes shape the distances between different people.

For an attribute such as "bald", people with it and people without it are compared by distances only: within the
modality with it (d_a), within the modality without it (d_ā), and across the two (d_×). If the attribute shapes the
space, the distances within a modality are distributed differently from those across; the Kolmogorov-Smirnov statistic

    KS(d_a, d_×) = sup_t |F_a(t) - F_×(t)|

measures how differently. Leroy et al., ICML 2025 (arXiv 2507.11372), section 4.

Differences from the paper's reference code, and why:
- The n(n-1)/2 distances of n images are not independent, so the p-value of a two-sample KS test is meaningless. We
  permute the labels over identities instead, which also shows how large a KS this n gives without any effect.
- An identity contributes one image to one modality. Otherwise a person who sometimes smiles would be in both
  modalities, and a same-person distance would count as "across". `sampling="reference"` samples as the paper does.
- The paper's code shuffles the images without a seed, so its KS differs from run to run. Ours is seeded, and the spread
  over repeated samples is reported.
- Missing labels are left out and counted, never filled in.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..base.corrections import adjust_p_values
from ..base.shapes import Num, Shaped
from .density import GRID, bandwidth, density
from .labels import (
    check_images,
    check_labels,
    entropy_between,
    entropy_within,
    identity_means,
    inter_entropy,
    intra_entropy,
    recorded,
    sample,
)
from .sorted_pairs import SortedPairs, against_null, permuted_ks

__all__ = [
    "attribute_generator",
    "entropy_correlation",
    "inter_entropy",
    "intra_entropy",
    "macroscale",
    "modality_distances",
]

SIGNS = {"positive": 1, "negative": -1, "unknown": 0}
FIGURES = ("ks_positive", "ks_negative", "ks_mean", "ks_max", "ks_weighted", "ks_repeated", "ks_sd", "null_mean",
           "null_sd", "ks_scaled", "p_value", "distance_positive", "distance_negative", "distance_across",
           "distance_ratio")  # fmt: skip


def macroscale(
    embeddings: Num[Any, "images dim"],
    identities: Shaped[Any, " images"],
    labels: pd.DataFrame | Shaped[Any, "images attributes"],
    metric: str | None = None,
    permutations: int = 200,
    sampling: str = "apart",
    limit: int = 500,
    seed: int = 0,
    repeats: int | None = None,
) -> pd.DataFrame:
    """How much each binary attribute shapes the distances between people, and how constant it is within a person.

    >>> fr.macroscale(embeddings, identities, labels)[["attribute", "ks_mean", "p_value", "intra_entropy"]]

    Parameters
    ----------
    embeddings : (images, dim), array or DataArray.
    identities : (images,), the identity in each image, numbers or names.
    labels : (images, attributes), DataFrame (its columns name the attributes) or array; +1 with, -1 without, NaN or
        0 unknown; or True and False, "yes" and "no". A column of 0 and 1 only is refused, because 0 means unknown.
    metric : "euclidean" or "cosine" (1 - cos); by default the DataArray's attrs["metric"], else "euclidean".
    permutations : draws of the null model, in which the labels are permuted over identities; 0 for none.
    sampling : "apart": an identity contributes one random image to one modality; "reference": a random image of each
        identity in each modality, as in the paper's code, so an identity may be in both; "first": the same without a
        shuffle, the first image of each identity in each modality.
    limit : maximum number of images per modality; both modalities always have the same number.
    seed : an attribute's row depends only on the seed, not on the other attributes of the table.
    repeats : samples of images over which the spread of ks_mean is taken; all other columns are those of the first
        sample. None: 10 for "reference", otherwise 1.

    Returns
    -------
    One row per attribute: `n` images in each modality; `ks_positive` = KS(d_a, d_×), `ks_negative` = KS(d_ā, d_×),
    their mean and maximum, and `ks_weighted`, their mean weighted by the numbers of images, `positive` and `negative`;
    `ks_repeated` and `ks_sd`, mean and standard deviation of ks_mean over the repeats (NaN for one); `null_mean` and
    `null_sd` of the mean KS over the permutations; `ks_scaled` = ks_mean / null_mean (1: no more than this n shows by
    chance); `p_value` = (1 + draws at least as large) / (1 + draws);
    `p_corrected`, the same after Holm's correction for the number of attributes that have a p-value (it cannot fall
    below attributes / (1 + permutations), so use more permutations for many attributes);
    the mean distances and `distance_ratio` = across / mean of the two within; `intra_entropy`, `inter_entropy` in
    nats; how many images are `positive`, `negative` and `unknown`. An attribute with fewer than two identities in a
    modality has NaN as KS and is listed in attrs["too_few"]. attrs["null_draws"] holds the raw draws,
    attrs["repeats"] the ks_mean of each sample, attrs["spearman"] the result of `entropy_correlation`.

    Raises
    ------
    ValueError : invalid embeddings, identities or labels, an unknown metric or sampling, or a number below its minimum.
    """
    points, codes, metric = check_images(embeddings, identities, metric, labels)
    table = check_labels(labels, len(points))
    if permutations < 0 or limit < 2:
        raise ValueError(f"permutations = {permutations}, limit = {limit}: give at least 0 and at least 2.")
    repeats = (10 if sampling == "reference" else 1) if repeats is None else repeats
    if repeats < 1 or (repeats > 1 and sampling == "first"):
        raise ValueError(f"repeats = {repeats}: give at least 1, and only 1 for sampling='first', which is not random.")
    rows, draws, samples = [], {}, {}
    for name in table.columns:
        signs = table[name].to_numpy()
        rng = attribute_generator(seed, name)
        index, side = sample(codes, signs, sampling, limit, rng)
        row: dict[str, Any] = {"attribute": name, "n": len(index) // 2} | dict.fromkeys(FIGURES, np.nan)
        if row["n"] >= 2:
            pairs = SortedPairs(points[index], metric)
            draws[name] = permuted_ks(pairs, codes[index], side, permutations, rng)
            row |= pairs.figures(side)
            row |= against_null(row["ks_mean"], draws[name])
            again = [sample(codes, signs, sampling, limit, rng) for _ in range(repeats - 1)]
            more = [np.mean(SortedPairs(points[index], metric).ks(side)) for index, side in again]
            samples[name] = [row["ks_mean"], *map(float, more)]
            if more:
                row |= {"ks_repeated": np.mean(samples[name]), "ks_sd": np.std(samples[name], ddof=1)}
        rows.append(_of_label(row, codes, signs))
    result = pd.DataFrame(rows)
    result.insert(list(result.columns).index("p_value") + 1, "p_corrected", adjust_p_values(result["p_value"]))
    result.attrs = {
        "metric": metric, "permutations": permutations, "sampling": sampling, "limit": limit, "seed": seed,
        "identities": int(codes.max()) + 1, "images": len(points),
        "too_few": result.loc[result["n"] < 2, "attribute"].tolist(),
        "null_draws": {name: values.tolist() for name, values in draws.items()}, "repeats": samples,
        **_model(embeddings),
    }  # fmt: skip
    result.attrs["spearman"] = entropy_correlation(result, seed=seed).to_dict("index")
    return result


def _of_label(row: dict[str, Any], codes: np.ndarray, signs: np.ndarray) -> dict[str, Any]:
    """The row with what follows from the labels alone, and the KS weighted by the numbers of images."""
    means = identity_means(codes, signs)
    row |= {"intra_entropy": entropy_within(means), "inter_entropy": entropy_between(means)}
    row |= {word: int(np.sum(signs == sign)) for word, sign in SIGNS.items()}
    weight = row["positive"] / max(row["positive"] + row["negative"], 1)
    return row | {"ks_weighted": weight * row["ks_positive"] + (1 - weight) * row["ks_negative"]}


def modality_distances(
    embeddings: Num[Any, "images dim"], identities: Shaped[Any, " images"],
    labels: pd.DataFrame | Shaped[Any, "images attributes"], attribute: str, metric: str | None = None,
    sampling: str = "apart", limit: int = 500, seed: int = 0, resolution: int = 400,
) -> pd.DataFrame:  # fmt: skip
    """The three cumulative distributions behind one attribute's KS, as a table for a chart.

    Arguments as in `macroscale`. The sample is the same too: the same seed gives the same KS.

    Returns
    -------
    Tidy: `pairs` ("within positive", "within negative", "across"), `distance`, `cdf`, `density` (Gaussian kernel,
    Silverman's bandwidth), with at most `resolution` points per curve. attrs["ks"] holds, for "positive" and
    "negative", the exact KS `value`, the `distance` of the widest gap and the two CDFs `within` and `across` there.

    Raises
    ------
    ValueError : as `macroscale`; an attribute that is not among the labels or has fewer than two people in a modality.
    """
    points, codes, metric = check_images(embeddings, identities, metric, labels)
    table = check_labels(labels, len(points))
    if attribute not in table.columns:
        raise ValueError(f"attribute {attribute!r} is not among the labels: {', '.join(map(str, table.columns))}.")
    index, side = sample(codes, table[attribute].to_numpy(), sampling, limit, attribute_generator(seed, attribute))
    if len(index) < 4:
        raise ValueError(
            f"attribute {attribute!r} has {len(index) // 2} identities to compare in each modality: at least 2 are "
            "needed; label more people."
        )
    pairs = SortedPairs(points[index], metric)
    frames = []
    for name, chosen in pairs.classes(side).items():
        values = pairs.distances[chosen]
        steps = np.unique(np.linspace(0, len(values) - 1, min(resolution, len(values))).round().astype(int))
        rows = {"distance": values[steps], "cdf": (steps + 1) / len(values), "density": _density(values, values[steps])}
        frames.append(pd.DataFrame({"pairs": name, **rows}))
    result = pd.concat(frames, ignore_index=True)
    result.attrs = {**_model(embeddings), "attribute": attribute, "metric": metric, "n": len(index) // 2,
                    "ks": pairs.gaps(side), "sampling": sampling, "seed": seed}  # fmt: skip
    return result


def entropy_correlation(
    table: pd.DataFrame, permutations: int = 9999, seed: int = 0, ks: str = "ks_mean"
) -> pd.DataFrame:
    """Spearman's rank correlation of KS with the two entropies, over the attributes of a `macroscale` table.

    `ks` is the column: "ks_mean", "ks_max" or "ks_weighted". ValueError if the table lacks it.

    Index `intra_entropy`, `inter_entropy`; columns `rho`, `p_value` (two-sided, from permuted attributes, because the
    usual formula is invalid for so few of them), `attributes`, their number. NaN for fewer than three.
    """
    if ks not in table:
        raise ValueError(f"the table has no column {ks!r}: choose ks_mean, ks_max or ks_weighted.")
    rng = np.random.default_rng(seed)
    rows = {}
    for name in ("intra_entropy", "inter_entropy"):
        pair: Any = table[[ks, name]].dropna()
        # ranks minus their mean, which is that of 1 ... n with or without ties
        ranks = [pair[column].rank().to_numpy() - (len(pair) + 1) / 2 for column in pair.columns]
        norm = np.sqrt(np.prod([values @ values for values in ranks]))
        rho = p_value = float("nan")
        if len(pair) >= 3 and norm > 0:
            rho = float(ranks[0] @ ranks[1] / norm)
            shuffled = rng.permuted(np.tile(ranks[1], (permutations, 1)), axis=1) @ ranks[0] / norm
            p_value = (1 + int(np.sum(np.abs(shuffled) >= abs(rho) - 1e-12))) / (1 + permutations)
        rows[name] = {"rho": rho, "p_value": p_value, "attributes": len(pair)}
    return pd.DataFrame.from_dict(rows, orient="index")


def _density(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Kernel density of the sorted values, interpolated at some distances."""
    width = bandwidth(values) or 0.9
    step = (values[-1] + 4 * width) / GRID
    return np.interp(at, step * (np.arange(GRID) + 0.5), density(values, max(width, step), step))


def _model(embeddings: Any) -> dict[str, Any]:
    return {name: value for name, value in recorded(embeddings).items() if name == "model"}


def attribute_generator(seed: int, name: object) -> np.random.Generator:
    """A generator for one attribute, independent of the other attributes in the table."""
    return np.random.default_rng([seed, *str(name).encode()])
