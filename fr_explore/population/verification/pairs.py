"""Pairs of images of the same person (genuine) and of different people (impostor), and their distances."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ...base.distance import distance, normalized
from ...base.shapes import Float, Int, Num, Shaped
from ..labels import check_images

__all__ = ["distances_of", "pair_distances", "pair_indices"]

CHUNK = 4_000_000  # numbers in a temporary array


def pair_distances(
    embeddings: Num[Any, "images dim"],
    identities: Shaped[Any, " images"],
    metric: str | None = None,
    max_pairs: int = 1_000_000,
    seed: int = 0,
) -> pd.DataFrame:
    """Distances of genuine (same person) and impostor (different people) pairs, as a tidy table `pair`, `distance`.

    All pairs of a kind if there are at most `max_pairs`, else a random sample of this size in which each pair is
    equally likely. attrs: metric, images, identities, and the total number of pairs of each kind.
    """
    points, codes, metric = check_images(embeddings, identities, metric)
    points = normalized(points, metric)
    pairs = pair_indices(codes, max_pairs, np.random.default_rng(seed))
    frames = [
        pd.DataFrame({"pair": name, "distance": distances_of(points, *index, metric)}) for name, index in pairs.items()
    ]
    result = pd.concat(frames, ignore_index=True)
    result.attrs = {
        "metric": metric, "images": len(points), "identities": int(codes.max()) + 1, "seed": seed,
        "pairs": _totals(codes),
    }  # fmt: skip
    return result


def pair_indices(
    codes: Int[np.ndarray, " images"], max_pairs: int, rng
) -> dict[str, tuple[Int[np.ndarray, " _"], Int[np.ndarray, " _"]]]:
    """Row numbers of the two images of each pair, for "genuine" and for "impostor" pairs.

    codes : (images,) number of the identity, from 0. All pairs of a kind, or a random sample of `max_pairs`.
    """
    totals = _totals(codes)
    if not totals["genuine"]:
        raise ValueError("no identity has two images, so there is no genuine pair: give two images of at least one.")
    genuine = _genuine(codes, max_pairs, rng)
    return {"genuine": genuine, "impostor": _impostor(codes, totals["impostor"], max_pairs, rng)}


def _totals(codes: np.ndarray) -> dict[str, int]:
    """How many pairs of each kind there are."""
    sizes = np.bincount(codes).astype(np.int64)
    genuine = int((sizes * (sizes - 1) // 2).sum())
    return {"genuine": genuine, "impostor": len(codes) * (len(codes) - 1) // 2 - genuine}


def _genuine(codes: np.ndarray, max_pairs: int, rng) -> tuple[np.ndarray, np.ndarray]:
    """Index pairs of the same identity; the pairs of an identity are numbered row by row through their triangle."""
    sizes = np.bincount(codes).astype(np.int64)
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


def _impostor(codes: np.ndarray, total: int, max_pairs: int, rng) -> tuple[np.ndarray, np.ndarray]:
    """Index pairs of different identities."""
    if total <= max_pairs:
        first, second = np.triu_indices(len(codes), 1)
        apart = codes[first] != codes[second]
        return first[apart], second[apart]
    found = np.empty((0, 2), np.int64)
    while len(found) < max_pairs:
        drawn = np.sort(rng.integers(len(codes), size=(max_pairs, 2)), axis=1)
        drawn = drawn[codes[drawn[:, 0]] != codes[drawn[:, 1]]]
        # keep the first of each pair drawn twice, so that no pair is favoured
        found = np.concatenate([found, drawn])
        _, first = np.unique(found @ np.array([len(codes), 1]), return_index=True)
        found = found[np.sort(first)]
    return found[:max_pairs, 0], found[:max_pairs, 1]


def distances_of(
    points: Float[np.ndarray, "images dim"],
    first: Int[np.ndarray, " pairs"],
    second: Int[np.ndarray, " pairs"],
    metric: str,
) -> Float[np.ndarray, " pairs"]:
    """Distances of the index pairs as plain differences in float64; for "cosine", points are unit vectors."""
    step = max(1, CHUNK // points.shape[1])
    chunks = (slice(start, start + step) for start in range(0, len(first), step))
    return np.concatenate([distance(points[first[c]], points[second[c]], metric, units=True) for c in chunks])
