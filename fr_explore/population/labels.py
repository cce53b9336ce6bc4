"""Labelled images of people: what every macroscale function checks, and how a label lies among identities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from ..base.distance import data_metric

__all__ = ["check_images", "check_labels", "inter_entropy", "intra_entropy", "sample"]


def check_images(embeddings: Any, identities: Any, metric: str | None) -> tuple[np.ndarray, np.ndarray, str]:
    """Points (images, dim) float32 or float64, identity codes (images,) from 0 in order of appearance, the metric.

    Raises ValueError with the shape or value that is wrong and what would be right.
    """
    metric = data_metric(embeddings, metric)
    points = np.asarray(embeddings)
    if points.ndim != 2 or points.dtype.kind not in "fiu":
        raise ValueError(
            f"the embeddings have shape {points.shape} and type {points.dtype}: give numbers (images, dim)."
        )
    # half precision is too coarse to compute with
    points = points.astype(np.float32 if points.dtype in (np.float16, np.float32) else np.float64)
    names = np.asarray(identities)
    if names.shape != (len(points),):
        raise ValueError(f"the identities have shape {names.shape}: give one for each of the {len(points)} images.")
    bad = ~np.isfinite(points).all(axis=1)
    if bad.any():
        raise ValueError(f"{bad.sum()} of {len(points)} embeddings hold NaN or infinity: leave these images out.")
    if metric == "cosine" and (zero := ~points.any(axis=1)).any():
        raise ValueError(f"{zero.sum()} embeddings have length 0, which has no cosine: leave these images out.")
    codes, people = pd.factorize(names)
    if codes.min(initial=0) < 0:
        raise ValueError(f"{(codes < 0).sum()} images have no identity: leave them out.")
    if len(people) < 2:
        raise ValueError(f"the images show {len(people)} identity: different people are compared, give at least two.")
    return points, codes, metric


def check_labels(labels: Any, images: int) -> pd.DataFrame:
    """Labels as a table of int8, +1 with, -1 without, 0 unknown, one column per attribute.

    Raises ValueError for another shape or value; 0 and 1 without any -1 is refused, because 0 means unknown.
    """
    table = labels.copy() if isinstance(labels, pd.DataFrame) else pd.DataFrame(np.asarray(labels))
    if not isinstance(labels, pd.DataFrame):
        table.columns = [f"attribute_{column}" for column in table.columns]
    if len(table) != images or not len(table.columns):
        raise ValueError(
            f"the labels have shape {table.shape}: give one row for each of the {images} images and one column "
            "for each attribute."
        )
    columns = {}
    for name in table.columns:
        column: Any = table[name]
        if column.dtype == bool:
            values = np.where(column, 1, -1)
        else:
            numbers: Any = pd.to_numeric(column, errors="coerce")
            values = numbers.where(column.notna(), 0).to_numpy(np.float64)
        if not np.isin(values, (-1, 0, 1)).all():
            odd = next(v for v, ok in zip(column, np.isin(values, (-1, 0, 1)), strict=True) if not ok)
            raise ValueError(f"label {odd!r} of {name!r}: give +1 with, -1 without, NaN or 0 unknown; or True, False.")
        if not (values == -1).any() and (values == 0).any() and column.notna().all():
            raise ValueError(
                f"{name!r} holds 0 and 1 only: 0 means unknown here; write -1 for 'without', or pass "
                "labels.astype(bool)."
            )
        columns[str(name)] = values.astype(np.int8)
    return pd.DataFrame(columns)


def intra_entropy(identities: Any, labels: Any) -> float:
    """Mean over identities of the entropy of one label inside the identity, in nats; 0 to ln 2 = 0.693.

        H = mean over identities of -Σ_± p_± ln p_±

    0: the attribute never changes in a person, who is always bald or never. Unknown labels (NaN, 0) are left out;
    NaN where nobody has a known one.
    """
    share = (1 + identity_means(identities, labels)) / 2
    parts = [np.where(p > 0, -p * np.log(np.where(p > 0, p, 1)), 0) for p in (share, 1 - share)]
    return float(np.mean(parts[0] + parts[1])) if len(share) else float("nan")


def inter_entropy(identities: Any, labels: Any, bandwidth: float = 0.1) -> float:
    """Entropy over people of how often each shows the label, in nats; at most ln 101 = 4.615.

    A Gaussian kernel density of the identities' mean labels, on 101 points of [-1, 1], normalised to sum 1. Low:
    all people are alike in this attribute. NaN where nobody has a known label.
    """
    means = identity_means(identities, labels)
    if not len(means):
        return float("nan")
    grid = np.linspace(-1, 1, 101)
    density = np.exp(-0.5 * ((grid[:, None] - means) / bandwidth) ** 2).sum(axis=1)
    share = density / density.sum()
    return float(-np.sum(share[share > 0] * np.log(share[share > 0])))


def sample(codes: np.ndarray, signs: np.ndarray, sampling: str, limit: int, rng) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the compared images (2n,), and which of them have the attribute."""
    if sampling not in ("apart", "reference"):
        raise ValueError(f"sampling {sampling!r} is unknown: choose 'apart' or 'reference'.")
    draw: Callable[[np.ndarray], np.ndarray] = rng.permutation if sampling == "apart" else np.asarray
    sides = {}
    for sign in (1, -1):
        images = draw(np.flatnonzero(signs == sign))
        people, first = np.unique(codes[images], return_index=True)
        sides[sign] = pd.Series(images[first], index=people)
    plus, minus = sides[1], sides[-1]
    if sampling == "apart":
        both = rng.permutation(plus.index.intersection(minus.index).to_numpy(copy=True))
        # who shows both goes where it makes the two sides equal
        wanted = len(both) + (len(minus) - len(plus)) + int(rng.integers(2))
        to_plus = min(max(wanted // 2, 0), len(both))
        plus, minus = plus.drop(both[to_plus:]), minus.drop(both[:to_plus])
        plus, minus = (side.iloc[rng.permutation(len(side))] for side in (plus, minus))
    n = min(len(plus), len(minus), limit)
    index = np.concatenate([plus.to_numpy()[:n], minus.to_numpy()[:n]]).astype(int)
    return index, np.arange(2 * n) < n


def identity_means(identities: Any, labels: Any) -> np.ndarray:
    """Mean label of each identity that has a known one, in [-1, 1]."""
    signs = np.nan_to_num(np.asarray(labels, dtype=np.float64))
    codes, people = pd.factorize(np.asarray(identities))
    if len(codes) != len(signs):
        raise ValueError(f"{len(codes)} identities and {len(signs)} labels: give one of each per image.")
    known = np.bincount(codes, signs != 0, len(people))
    total = np.bincount(codes, signs, len(people))
    return total[known > 0] / known[known > 0]
