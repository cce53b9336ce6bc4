"""Same person or not: the distances of genuine and impostor pairs, and how far they overlap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ._labelled import check_images

__all__ = ["Overlap", "overlap", "overlap_of", "pair_distances"]

GRID = 4096  # points at which the two densities are compared
CHUNK = 4_000_000  # numbers in a temporary array


@dataclass(frozen=True, slots=True)
class Overlap:
    """How much the distances of same-person and different-person pairs overlap.

    Parameters
    ----------
    coefficient : area under the smaller of the two densities, 0 (apart) to 1 (the same).
    bayes_error : half of it: the least error rate of any rule that sees one distance, both kinds of pair being
        equally likely beforehand.
    threshold : the distance that comes closest to it, same person at or below.
    threshold_error : mean of the false non-match and false match rates there, counted on the pairs.
    genuine_mean, impostor_mean, ratio : mean distances and impostor / genuine.
    genuine_pairs, impostor_pairs : numbers of pairs that went in.
    """

    coefficient: float
    bayes_error: float
    threshold: float
    threshold_error: float
    genuine_mean: float
    impostor_mean: float
    ratio: float
    genuine_pairs: int
    impostor_pairs: int


def overlap(
    embeddings: Any, identities: Any, metric: str | None = None, max_pairs: int = 1_000_000, seed: int = 0
) -> Overlap:
    """Overlap coefficient and Bayes error of the genuine and the impostor distances.

    >>> fr.overlap(embeddings, identities).bayes_error

    Parameters
    ----------
    embeddings : (images, dim), array or DataArray.
    identities : (images,), numbers or names; at least one identity with two images, and two identities.
    metric : "euclidean" or "cosine"; by default the DataArray's attrs["metric"], else "euclidean".
    max_pairs, seed : where there are more pairs of a kind than this, so many are drawn at random.

    The estimator is `overlap_of`.
    """
    table: Any = pair_distances(embeddings, identities, metric, max_pairs, seed)
    same = table["pair"] == "genuine"
    return overlap_of(table.loc[same, "distance"].to_numpy(), table.loc[~same, "distance"].to_numpy())


def overlap_of(genuine: Any, impostor: Any) -> Overlap:
    """Overlap of two samples of distances.

        OVL = ∫ min(f, g) dt,   Bayes error = OVL / 2

    f and g are Gaussian kernel densities with Silverman's bandwidth, 0.9 min(sd, IQR / 1.34) n^(-1/5), on a grid of
    4,096 points; no distance lies below 0, so what the kernel puts there is folded back. Smoothing widens both a
    little: two unit Gaussians 3 apart, 10,000 values each, give about 0.1365 where 0.1336 is true. Inman and Bradley 1989.
    """
    samples = [np.asarray(values, dtype=np.float64).ravel() for values in (genuine, impostor)]
    for name, values in zip(("genuine", "impostor"), samples, strict=True):
        if len(values) < 2 or not np.isfinite(values).all() or values.min() < 0:
            raise ValueError(f"there are {len(values)} {name} distances: give at least two, finite and not below 0.")
    widths = [_bandwidth(values) for values in samples]
    high = max(values.max() + 4 * width for values, width in zip(samples, widths, strict=True)) or 1.0
    step = high / GRID
    f, g = (_density(values, max(width, step), step) for values, width in zip(samples, widths, strict=True))
    coefficient = min(1.0, float(np.minimum(f, g).sum() * step))
    threshold, error = _best_threshold(*samples)
    means = [float(values.mean()) for values in samples]
    return Overlap(
        coefficient=coefficient, bayes_error=coefficient / 2, threshold=threshold, threshold_error=error,
        genuine_mean=means[0], impostor_mean=means[1], ratio=means[1] / means[0] if means[0] else float("inf"),
        genuine_pairs=len(samples[0]), impostor_pairs=len(samples[1]),
    )  # fmt: skip


def pair_distances(
    embeddings: Any, identities: Any, metric: str | None = None, max_pairs: int = 1_000_000, seed: int = 0
) -> pd.DataFrame:
    """Distances of genuine (same person) and impostor (different people) pairs, as a tidy table `pair`, `distance`.

    All pairs of a kind where there are at most `max_pairs`, else that many drawn at random, each pair with the same
    chance. attrs: metric, images, identities, and for each kind the number of pairs there are.
    """
    points, codes, metric = check_images(embeddings, identities, metric)
    if metric == "cosine":
        points = points / np.linalg.norm(points.astype(np.float64), axis=1, keepdims=True)
    rng = np.random.default_rng(seed)
    sizes = np.bincount(codes).astype(np.int64)
    total = {"genuine": int((sizes * (sizes - 1) // 2).sum())}
    total["impostor"] = len(codes) * (len(codes) - 1) // 2 - total["genuine"]
    if not total["genuine"]:
        raise ValueError("no identity has two images, so there is no genuine pair: give two images of at least one.")
    pairs = {"genuine": _genuine(codes, sizes, max_pairs, rng), "impostor": _impostor(codes, total, max_pairs, rng)}
    frames = [
        pd.DataFrame({"pair": name, "distance": _distances(points, *index, metric)}) for name, index in pairs.items()
    ]
    result = pd.concat(frames, ignore_index=True)
    result.attrs = {"metric": metric, "images": len(points), "identities": len(sizes), "seed": seed, "pairs": total}
    return result


def _genuine(codes: np.ndarray, sizes: np.ndarray, max_pairs: int, rng) -> tuple[np.ndarray, np.ndarray]:
    """Index pairs of the same identity; pair number p of identity k counts row by row through its triangle."""
    counts = sizes * (sizes - 1) // 2
    ends = np.cumsum(counts)
    chosen = np.arange(ends[-1]) if ends[-1] <= max_pairs else rng.choice(ends[-1], max_pairs, replace=False)
    who = np.searchsorted(ends, chosen, side="right")
    local = chosen - (ends - counts)[who]
    # member b of a pair (a < b) is the largest with b (b - 1) / 2 <= local; the root may be off by rounding
    b = ((1 + np.sqrt(1 + 8.0 * local)) // 2).astype(np.int64)
    b -= b * (b - 1) // 2 > local
    a = local - b * (b - 1) // 2
    order = np.argsort(codes, kind="stable")
    start = (np.cumsum(sizes) - sizes)[who]
    return order[start + a], order[start + b]


def _impostor(codes: np.ndarray, total: dict[str, int], max_pairs: int, rng) -> tuple[np.ndarray, np.ndarray]:
    """Index pairs of different identities."""
    if total["impostor"] <= max_pairs:
        first, second = np.triu_indices(len(codes), 1)
        apart = codes[first] != codes[second]
        return first[apart], second[apart]
    found: list[np.ndarray] = []
    while sum(map(len, found)) < max_pairs:
        drawn = np.sort(rng.integers(len(codes), size=(max_pairs, 2)), axis=1)
        drawn = drawn[codes[drawn[:, 0]] != codes[drawn[:, 1]]]
        # each pair once: what came earlier stays, so no pair is favoured
        known = np.concatenate([*found, drawn])
        _, first = np.unique(known @ np.array([len(codes), 1]), return_index=True)
        found = [known[np.sort(first)]]
    index = found[0][:max_pairs]
    return index[:, 0], index[:, 1]


def _distances(points: np.ndarray, first: np.ndarray, second: np.ndarray, metric: str) -> np.ndarray:
    """Distances of the index pairs as plain differences in float64; points are unit vectors where it is cosine."""
    parts = []
    step = max(1, CHUNK // points.shape[1])
    for start in range(0, len(first), step):
        rows = slice(start, start + step)
        gap = points[first[rows]].astype(np.float64) - points[second[rows]]
        squared = np.einsum("ij,ij->i", gap, gap)
        parts.append(squared / 2 if metric == "cosine" else np.sqrt(squared))
    return np.concatenate(parts)


def _bandwidth(values: np.ndarray) -> float:
    low, high = np.quantile(values, [0.25, 0.75])
    spread = min(float(values.std(ddof=1)), float(high - low) / 1.34) or float(values.std(ddof=1))
    return 0.9 * spread * len(values) ** -0.2


def _density(values: np.ndarray, width: float, step: float) -> np.ndarray:
    """Kernel density at the middle of each of GRID bins from 0, (GRID,), reflected at 0; its sum times step is 1."""
    from scipy.ndimage import gaussian_filter1d

    counts, _ = np.histogram(values, GRID, (0, GRID * step))
    # "reflect" mirrors at the edge: mass that would fall below 0 comes back
    return gaussian_filter1d(counts / (len(values) * step), width / step, mode="reflect", truncate=5)


def _best_threshold(genuine: np.ndarray, impostor: np.ndarray) -> tuple[float, float]:
    """The distance with the least mean of false non-match and false match rate, and that mean."""
    values = np.unique(np.concatenate([genuine, impostor]))
    missed = 1 - np.searchsorted(np.sort(genuine), values, side="right") / len(genuine)
    passed = np.searchsorted(np.sort(impostor), values, side="right") / len(impostor)
    error = (missed + passed) / 2
    best = int(np.argmin(error))
    # midway to the next distance, so that the threshold does not hang on one pair
    after = values[min(best + 1, len(values) - 1)]
    return float((values[best] + after) / 2), float(error[best])
