"""How far the distances of genuine and impostor pairs overlap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .pairs import pair_distances

__all__ = ["Overlap", "overlap", "overlap_of"]

GRID = 4096  # points at which the two densities are compared


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
    little: two unit Gaussians 3 apart, 10,000 values each, give about 0.1365 where 0.1336 is true. Inman and Bradley
    1989.
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
