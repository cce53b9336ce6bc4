"""The distances of two groups of images, sorted once, and the KS of every labelling of the images."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..base.shapes import Bool, Float

__all__ = ["SortedPairs", "against_null", "permuted_ks"]


class SortedPairs:
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


def permuted_ks(pairs: SortedPairs, codes: np.ndarray, side: np.ndarray, permutations: int, rng) -> np.ndarray:
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


def against_null(value: float, draws: np.ndarray) -> dict[str, float]:
    """The null model's columns of a `macroscale` table; empty without draws."""
    if not len(draws):
        return {}
    mean = float(draws.mean())
    # an equal KS counts as at least as large, despite rounding
    larger = int(np.sum(draws >= value - 1e-12))
    return {
        "null_mean": mean, "null_sd": float(draws.std(ddof=1)) if len(draws) > 1 else np.nan,
        "ks_scaled": value / mean if mean > 0 else np.nan, "p_value": (1 + larger) / (1 + len(draws)),
    }  # fmt: skip
