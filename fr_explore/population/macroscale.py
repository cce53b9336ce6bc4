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
- Missing labels are left out and counted, never filled in.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..base.corrections import adjust_p_values
from ..base.shapes import Bool, Float, Num, Shaped
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

__all__ = ["entropy_correlation", "inter_entropy", "intra_entropy", "macroscale", "modality_distances"]

SIGNS = {"positive": 1, "negative": -1, "unknown": 0}
FIGURES = ("ks_positive", "ks_negative", "ks_mean", "ks_max", "null_mean", "null_sd", "ks_scaled", "p_value",
           "distance_positive", "distance_negative", "distance_across", "distance_ratio")  # fmt: skip


def macroscale(
    embeddings: Num[Any, "images dim"],
    identities: Shaped[Any, " images"],
    labels: pd.DataFrame | Shaped[Any, "images attributes"],
    metric: str | None = None,
    permutations: int = 200,
    sampling: str = "apart",
    limit: int = 500,
    seed: int = 0,
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
    sampling : "apart": an identity contributes one random image to one modality; or "reference": the first image of
        each identity in each modality, as in the paper's code, so an identity may be in both.
    limit : maximum number of images per modality; both modalities always have the same number.
    seed : an attribute's row depends only on the seed, not on the other attributes of the table.

    Returns
    -------
    One row per attribute: `n` images in each modality; `ks_positive` = KS(d_a, d_×), `ks_negative` = KS(d_ā, d_×),
    their mean and maximum; `null_mean` and `null_sd` of the mean KS over the permutations; `ks_scaled` = ks_mean /
    null_mean (1: no more than this n shows by chance); `p_value` = (1 + draws at least as large) / (1 + draws);
    `p_corrected`, the same after Holm's correction for the number of attributes that have a p-value (it cannot fall
    below attributes / (1 + permutations), so use more permutations for many attributes);
    the mean distances and `distance_ratio` = across / mean of the two within; `intra_entropy`, `inter_entropy` in
    nats; how many images are `positive`, `negative` and `unknown`. An attribute with fewer than two identities in a
    modality has NaN as KS and is listed in attrs["too_few"]. attrs["null_draws"] holds the raw draws,
    attrs["spearman"] the result of `entropy_correlation`.

    Raises
    ------
    ValueError : invalid embeddings, identities or labels, an unknown metric or sampling, or a number below its minimum.
    """
    points, codes, metric = check_images(embeddings, identities, metric, labels)
    table = check_labels(labels, len(points))
    if permutations < 0 or limit < 2:
        raise ValueError(f"permutations = {permutations}, limit = {limit}: give at least 0 and at least 2.")
    rows, draws = [], {}
    for name in table.columns:
        signs = table[name].to_numpy()
        rng = _generator(seed, name)
        index, side = sample(codes, signs, sampling, limit, rng)
        row: dict[str, Any] = {"attribute": name, "n": len(index) // 2} | dict.fromkeys(FIGURES, np.nan)
        if row["n"] >= 2:
            pairs = _SortedPairs(points[index], metric)
            draws[name] = _null(pairs, codes[index], side, permutations, rng)
            row |= pairs.figures(side)
            row |= _against_null(row["ks_mean"], draws[name])
        means = identity_means(codes, signs)
        row |= {"intra_entropy": entropy_within(means), "inter_entropy": entropy_between(means)}
        counts = {
            word: int(np.sum(signs == sign)) for word, sign in (("positive", 1), ("negative", -1), ("unknown", 0))
        }
        rows.append(row | counts)
    result = pd.DataFrame(rows)
    result.insert(list(result.columns).index("p_value") + 1, "p_corrected", adjust_p_values(result["p_value"]))
    result.attrs = {
        "metric": metric, "permutations": permutations, "sampling": sampling, "limit": limit, "seed": seed,
        "identities": int(codes.max()) + 1, "images": len(points),
        "too_few": result.loc[result["n"] < 2, "attribute"].tolist(),
        "null_draws": {name: values.tolist() for name, values in draws.items()}, **_model(embeddings),
    }  # fmt: skip
    result.attrs["spearman"] = entropy_correlation(result, seed=seed).to_dict("index")
    return result


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
    index, side = sample(codes, table[attribute].to_numpy(), sampling, limit, _generator(seed, attribute))
    if len(index) < 4:
        raise ValueError(
            f"attribute {attribute!r} has {len(index) // 2} identities to compare in each modality: at least 2 are "
            "needed; label more people."
        )
    pairs = _SortedPairs(points[index], metric)
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


def entropy_correlation(table: pd.DataFrame, permutations: int = 9999, seed: int = 0) -> pd.DataFrame:
    """Spearman's rank correlation of ks_mean with the two entropies, over the attributes of a `macroscale` table.

    Index `intra_entropy`, `inter_entropy`; columns `rho`, `p_value` (two-sided, from permuted attributes, because the
    usual formula is invalid for so few of them), `attributes`, their number. NaN for fewer than three.
    """
    rng = np.random.default_rng(seed)
    rows = {}
    for name in ("intra_entropy", "inter_entropy"):
        pair: Any = table[["ks_mean", name]].dropna()
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


class _SortedPairs:
    """All distances between 2n images, sorted once; the KS of a labelling then takes one pass over them.

    SciPy's `ks_2samp` would sort the distances again for each permutation, which takes many times as long.
    """

    def __init__(self, points: Float[np.ndarray, "images dim"], metric: Any):
        from scipy.spatial.distance import pdist

        distances = pdist(points.astype(np.float64), metric)
        order = np.argsort(distances, kind="stable")
        first, second = np.triu_indices(len(points), 1)
        self.distances = distances[order]
        self.first, self.second = first[order].astype(np.int32), second[order].astype(np.int32)
        # CDFs are defined after the last of equal distances
        self.last = np.append(self.distances[1:] > self.distances[:-1], True)
        self.tied = not self.last.all()

    def classes(self, side: Bool[np.ndarray, " images"]) -> dict[str, Bool[np.ndarray, " pairs"]]:
        """Masks over the sorted pairs; `side` (2n,) is True for an image with the attribute."""
        a, b = side[self.first], side[self.second]
        return {"within positive": a & b, "within negative": ~(a | b), "across": a ^ b}

    def _cdfs(self, side: Bool[np.ndarray, " images"]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """For each modality the CDF of the pairs within it and of those across, at every distance, (pairs,) each."""
        masks = self.classes(side)
        across = np.cumsum(masks["across"], dtype=np.int32)
        inside = np.cumsum(masks["within positive"], dtype=np.int32)
        rest = np.arange(1, len(across) + 1, dtype=np.int32) - across - inside
        cdf = [counts / counts[-1] for counts in (inside, rest, across)]
        return {"positive": (cdf[0], cdf[2]), "negative": (cdf[1], cdf[2])}

    def ks(self, side: Bool[np.ndarray, " images"]) -> tuple[float, float]:
        """KS of the distances within the modality with the attribute, and without it, against those across."""
        gaps = [np.abs(inside - across) for inside, across in self._cdfs(side).values()]
        plus, minus = (float((gap[self.last] if self.tied else gap).max()) for gap in gaps)
        return plus, minus

    def gaps(self, side: Bool[np.ndarray, " images"]) -> dict[str, dict[str, float]]:
        """Where the CDFs differ most, and by how much."""
        found = {}
        for name, (inside, across) in self._cdfs(side).items():
            at = int(np.argmax(np.where(self.last, np.abs(inside - across), -1)))
            found[name] = {"value": float(abs(inside[at] - across[at])), "distance": float(self.distances[at]),
                           "within": float(inside[at]), "across": float(across[at])}  # fmt: skip
        return found

    def figures(self, side: Bool[np.ndarray, " images"]) -> dict[str, float]:
        """The KS statistics and mean distances of one labelling."""
        plus, minus = self.ks(side)
        means = {name: float(self.distances[mask].mean()) for name, mask in self.classes(side).items()}
        inside = (means["within positive"] + means["within negative"]) / 2
        return {
            "ks_positive": plus, "ks_negative": minus, "ks_mean": (plus + minus) / 2, "ks_max": max(plus, minus),
            "distance_positive": means["within positive"], "distance_negative": means["within negative"],
            "distance_across": means["across"], "distance_ratio": means["across"] / inside if inside else np.nan,
        }  # fmt: skip


def _null(pairs: _SortedPairs, codes: np.ndarray, side: np.ndarray, permutations: int, rng) -> np.ndarray:
    """Mean KS with the labels permuted over identities, (permutations,).

    An identity in both modalities (reference sampling) has its two images swapped or not; all others are permuted.
    """
    _, inverse, counts = np.unique(codes, return_inverse=True, return_counts=True)
    single = np.flatnonzero(counts[inverse] == 1)
    order = np.argsort(inverse, kind="stable")
    twice = order[counts[inverse[order]] == 2].reshape(-1, 2)
    draws = np.empty(permutations)
    for k in range(permutations):
        drawn = side.copy()
        drawn[single] = rng.permutation(side[single])
        swap = twice[rng.random(len(twice)) < 0.5]
        drawn[swap] = side[swap[:, ::-1]]
        draws[k] = np.mean(pairs.ks(drawn))
    return draws


def _against_null(value: float, draws: np.ndarray) -> dict[str, float]:
    if not len(draws):
        return {}
    mean = float(draws.mean())
    # an equal KS counts as at least as large, despite rounding
    larger = int(np.sum(draws >= value - 1e-12))
    return {
        "null_mean": mean, "null_sd": float(draws.std(ddof=1)) if len(draws) > 1 else np.nan,
        "ks_scaled": value / mean if mean > 0 else np.nan, "p_value": (1 + larger) / (1 + len(draws)),
    }  # fmt: skip


def _density(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Kernel density of the sorted values, interpolated at some distances."""
    width = bandwidth(values) or 0.9
    step = (values[-1] + 4 * width) / GRID
    return np.interp(at, step * (np.arange(GRID) + 0.5), density(values, max(width, step), step))


def _model(embeddings: Any) -> dict[str, Any]:
    return {name: value for name, value in recorded(embeddings).items() if name == "model"}


def _generator(seed: int, name: object) -> np.random.Generator:
    """A generator for one attribute, independent of the other attributes in the table."""
    return np.random.default_rng([seed, *str(name).encode()])
