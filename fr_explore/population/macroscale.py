"""The macroscale: which binary attributes shape the distances between different people.

For an attribute such as "bald" the people with it and the people without it are compared by distances only: inside
the modality with it (d_a), inside the modality without it (d_ā), and across. Where the attribute shapes the space,
the distances inside a modality are distributed differently from those across; their Kolmogorov-Smirnov statistic

    KS(d_a, d_×) = sup_t |F_a(t) - F_×(t)|

says by how much. Leroy et al., ICML 2025 (arXiv 2507.11372), section 4.

Where this differs from the paper's reference code, and why:
- n(n-1)/2 distances of n images are not independent, so the p-value of a two-sample KS test means nothing. Here the
  labels are permuted over identities, which also gives the KS that this n shows without any effect.
- An identity contributes one image to one modality. A person who sometimes smiles would otherwise stand on both
  sides, and "same person" would be counted as "across". `sampling="reference"` brings the old way back.
- A missing label is left out and counted, never filled in.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..base.corrections import adjust_p_values
from .labels import check_images, check_labels, inter_entropy, intra_entropy, sample

__all__ = ["entropy_correlation", "inter_entropy", "intra_entropy", "macroscale", "modality_distances"]

FIGURES = ("ks_positive", "ks_negative", "ks_mean", "ks_max", "null_mean", "null_sd", "ks_scaled", "p_value",
           "distance_positive", "distance_negative", "distance_across", "distance_ratio")  # fmt: skip


def macroscale(
    embeddings: Any,
    identities: Any,
    labels: Any,
    metric: str | None = None,
    permutations: int = 200,
    sampling: str = "apart",
    limit: int = 500,
    seed: int = 0,
) -> pd.DataFrame:
    """How much each binary attribute shapes the distances between people, beside how tightly it is tied to a person.

    >>> fr.macroscale(embeddings, identities, labels)[["attribute", "ks_mean", "p_value", "intra_entropy"]]

    Parameters
    ----------
    embeddings : (images, dim), array or DataArray.
    identities : (images,), who is in the picture, numbers or names.
    labels : (images, attributes), DataFrame (its columns name the attributes) or array; +1 with, -1 without, NaN or
        0 unknown; or True and False.
    metric : "euclidean" or "cosine" (1 - cos); by default the DataArray's attrs["metric"], else "euclidean".
    permutations : draws of the null model, in which the labels are permuted over identities; 0 for none.
    sampling : "apart", an identity gives one image, drawn at random, to one modality; or "reference", the first image
        of each identity in each modality, as the paper's code has it: an identity may then stand on both sides.
    limit : at most so many images per modality; both modalities always have the same number.
    seed : the same seed gives the same table, whatever other attributes stand in it.

    Returns
    -------
    One row per attribute: `n` images in each modality; `ks_positive` = KS(d_a, d_×), `ks_negative` = KS(d_ā, d_×),
    their mean and maximum; `null_mean` and `null_sd` of the mean KS over the permutations, `ks_scaled` = ks_mean /
    null_mean (1: no more than this n shows by chance), `p_value` = (1 + draws at least as large) / (1 + draws),
    `p_corrected` the same after Holm's correction for the number of attributes that have one (it cannot fall below
    attributes / (1 + permutations), so draw more where there are many);
    the mean distances and `distance_ratio` = across / mean of the two inside; `intra_entropy`, `inter_entropy` in
    nats; how many images are `positive`, `negative` and `unknown`. An attribute that fewer than two identities show
    in one modality has no KS: NaN there, and its name in attrs["too_few"]. attrs["null_draws"] holds the raw draws,
    attrs["spearman"] what `entropy_correlation` gives.
    """
    points, codes, metric = check_images(embeddings, identities, metric)
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
            pairs = _Pairs(points[index], metric)
            draws[name] = _null(pairs, codes[index], side, permutations, rng)
            row |= pairs.figures(side)
            row |= _against_null(row["ks_mean"], draws[name])
        rows.append(row | _label_figures(identities, signs))
    result = pd.DataFrame(rows)
    result.insert(list(result.columns).index("p_value") + 1, "p_corrected", adjust_p_values(result["p_value"]))
    too_few = result.loc[result["n"] < 2, "attribute"].tolist()
    result.attrs = {
        "metric": metric, "permutations": permutations, "sampling": sampling, "limit": limit, "seed": seed,
        "identities": int(codes.max()) + 1, "images": len(points), "too_few": too_few,
        "null_draws": {name: values.tolist() for name, values in draws.items()},
    }  # fmt: skip
    if "model" in getattr(embeddings, "attrs", {}):
        result.attrs["model"] = embeddings.attrs["model"]
    result.attrs["spearman"] = entropy_correlation(result, seed=seed).to_dict("index")
    return result


def modality_distances(
    embeddings: Any, identities: Any, labels: Any, attribute: str, metric: str | None = None,
    sampling: str = "apart", limit: int = 500, seed: int = 0, resolution: int = 400,
) -> pd.DataFrame:  # fmt: skip
    """The three cumulative distributions behind one attribute's KS, as a table to draw.

    Arguments as in `macroscale`, with which it shares its sample: the same seed gives the same KS.

    Returns
    -------
    Tidy: `pairs` ("within positive", "within negative", "across"), `distance`, `cdf`, `density` (Gaussian kernel),
    with at most `resolution` points per curve. attrs["ks"] holds, for "positive" and "negative", the exact KS `value`,
    the `distance` where the gap is widest and the two CDFs `within` and `across` there.
    """
    points, codes, metric = check_images(embeddings, identities, metric)
    table = check_labels(labels, len(points))
    if attribute not in table.columns:
        raise ValueError(f"attribute {attribute!r} is not among the labels: {', '.join(map(str, table.columns))}.")
    signs = table[attribute].to_numpy()
    index, side = sample(codes, signs, sampling, limit, _generator(seed, attribute))
    if len(index) < 4:
        raise ValueError(
            f"attribute {attribute!r} has {len(index) // 2} identities to compare in each modality: at least 2 are "
            "needed; label more people."
        )
    pairs = _Pairs(points[index], metric)
    frames = []
    for name, chosen in pairs.classes(side).items():
        values = pairs.distances[chosen]
        steps = np.unique(np.linspace(0, len(values) - 1, min(resolution, len(values))).round().astype(int))
        density = _density(values, values[steps])
        cdf = (steps + 1) / len(values)
        frames.append(pd.DataFrame({"pairs": name, "distance": values[steps], "cdf": cdf, "density": density}))
    result = pd.concat(frames, ignore_index=True)
    if "model" in getattr(embeddings, "attrs", {}):
        result.attrs["model"] = embeddings.attrs["model"]
    result.attrs |= {"attribute": attribute, "metric": metric, "n": len(index) // 2, "ks": pairs.gaps(side),
                    "sampling": sampling, "seed": seed}  # fmt: skip
    return result


def entropy_correlation(table: pd.DataFrame, permutations: int = 9999, seed: int = 0) -> pd.DataFrame:
    """Spearman's rank correlation of ks_mean with the two entropies, over the attributes of a `macroscale` table.

    Index `intra_entropy`, `inter_entropy`; columns `rho`, `p_value` (two-sided, attributes permuted, because the
    usual formula fails for a handful of them), `attributes` that went in. NaN with fewer than three.
    """
    rng = np.random.default_rng(seed)
    rows = {}
    for name in ("intra_entropy", "inter_entropy"):
        pair: Any = table[["ks_mean", name]].dropna()
        # the mean of the ranks 1 ... n, ties or not
        ranks = [pair[column].rank().to_numpy() - (len(pair) + 1) / 2 for column in pair.columns]
        norm = np.sqrt(np.prod([values @ values for values in ranks]))
        rho = p_value = float("nan")
        if len(pair) >= 3 and norm > 0:
            rho = float(ranks[0] @ ranks[1] / norm)
            shuffled = rng.permuted(np.tile(ranks[1], (permutations, 1)), axis=1) @ ranks[0] / norm
            p_value = (1 + int(np.sum(np.abs(shuffled) >= abs(rho) - 1e-12))) / (1 + permutations)
        rows[name] = {"rho": rho, "p_value": p_value, "attributes": len(pair)}
    return pd.DataFrame.from_dict(rows, orient="index")


class _Pairs:
    """All distances between 2n images, sorted once; a labelling then costs one pass over them."""

    def __init__(self, points: np.ndarray, metric: Any):
        from scipy.spatial.distance import pdist

        distances = pdist(points.astype(np.float64), metric)
        order = np.argsort(distances, kind="stable")
        first, second = np.triu_indices(len(points), 1)
        self.distances = distances[order]
        self.first, self.second = first[order].astype(np.int32), second[order].astype(np.int32)
        # the CDFs are compared after the last of equal distances only
        self.last = np.append(self.distances[1:] > self.distances[:-1], True)
        self.tied = not self.last.all()

    def classes(self, side: np.ndarray) -> dict[str, np.ndarray]:
        """Masks over the sorted pairs; `side` (2n,) is True for an image with the attribute."""
        a, b = side[self.first], side[self.second]
        return {"within positive": a & b, "within negative": ~(a | b), "across": a ^ b}

    def _gap(self, side: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """CDFs of the pairs inside each modality beside the one across, at every distance, (pairs,) each."""
        masks = self.classes(side)
        across = np.cumsum(masks["across"], dtype=np.int32)
        inside = np.cumsum(masks["within positive"], dtype=np.int32)
        rest = np.arange(1, len(across) + 1, dtype=np.int32) - across - inside
        cdf = [counts / counts[-1] for counts in (inside, rest, across)]
        return {"positive": (cdf[0], cdf[2]), "negative": (cdf[1], cdf[2])}

    def ks(self, side: np.ndarray) -> tuple[float, float]:
        """KS of the distances inside the modality with the attribute, and without it, against those across."""
        gaps = [np.abs(inside - across) for inside, across in self._gap(side).values()]
        plus, minus = (float((gap[self.last] if self.tied else gap).max()) for gap in gaps)
        return plus, minus

    def gaps(self, side: np.ndarray) -> dict[str, dict[str, float]]:
        """Where the CDFs are farthest apart, and how far."""
        found = {}
        for name, (inside, across) in self._gap(side).items():
            at = int(np.argmax(np.where(self.last, np.abs(inside - across), -1)))
            found[name] = {"value": float(abs(inside[at] - across[at])), "distance": float(self.distances[at]),
                           "within": float(inside[at]), "across": float(across[at])}  # fmt: skip
        return found

    def figures(self, side: np.ndarray) -> dict[str, float]:
        """The KS statistics and mean distances of one labelling."""
        plus, minus = self.ks(side)
        means = {name: float(self.distances[mask].mean()) for name, mask in self.classes(side).items()}
        inside = (means["within positive"] + means["within negative"]) / 2
        return {
            "ks_positive": plus, "ks_negative": minus, "ks_mean": (plus + minus) / 2, "ks_max": max(plus, minus),
            "distance_positive": means["within positive"], "distance_negative": means["within negative"],
            "distance_across": means["across"], "distance_ratio": means["across"] / inside if inside else np.nan,
        }  # fmt: skip


def _null(pairs: _Pairs, codes: np.ndarray, side: np.ndarray, permutations: int, rng) -> np.ndarray:
    """Mean KS with the labels permuted over identities, (permutations,).

    An identity on both sides (reference sampling) has its two images swapped or not; all others are permuted.
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


def _label_figures(identities: Any, signs: np.ndarray) -> dict[str, float]:
    """What the labels alone say: entropies and counts of images."""
    return {
        "intra_entropy": intra_entropy(identities, signs),
        "inter_entropy": inter_entropy(identities, signs),
        "positive": int(np.sum(signs > 0)),
        "negative": int(np.sum(signs < 0)),
        "unknown": int(np.sum(signs == 0)),
    }


def _against_null(value: float, draws: np.ndarray) -> dict[str, float]:
    if not len(draws):
        return {}
    mean = float(draws.mean())
    # equal labellings must count as equal, whatever the last digit
    larger = int(np.sum(draws >= value - 1e-12))
    return {
        "null_mean": mean, "null_sd": float(draws.std(ddof=1)) if len(draws) > 1 else np.nan,
        "ks_scaled": value / mean if mean > 0 else np.nan, "p_value": (1 + larger) / (1 + len(draws)),
    }  # fmt: skip


def _density(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Gaussian kernel density of sorted values at some distances; Silverman's bandwidth, binned for speed."""
    from scipy.ndimage import gaussian_filter1d

    quarter, half = np.quantile(values, [0.25, 0.75])
    spread = min(values.std(), (half - quarter) / 1.34) or values.std() or 1.0
    width = 0.9 * spread * len(values) ** -0.2
    counts, edges = np.histogram(values, 1024, (values[0] - 4 * width, values[-1] + 4 * width))
    step = edges[1] - edges[0]
    smooth = gaussian_filter1d(counts / (len(values) * step), width / step, mode="constant")
    return np.interp(at, edges[:-1] + step / 2, smooth)


def _generator(seed: int, name: object) -> np.random.Generator:
    """Randomness of one attribute, which does not change with its neighbours in the table."""
    return np.random.default_rng([seed, *str(name).encode()])
