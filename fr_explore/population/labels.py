"""Labelled images of people: input checks shared by the macroscale functions, label entropies and sampling."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from ..base.distance import data_metric
from ..base.shapes import Bool, Float, Int, Num, Shaped
from ..base.values import check_identities, signs
from ..base.vectors import as_array

__all__ = [
    "SAMPLINGS",
    "check_images",
    "check_labels",
    "check_order",
    "entropy_between",
    "entropy_within",
    "identity_means",
    "inter_entropy",
    "intra_entropy",
    "recorded",
    "sample",
]

SAMPLINGS = ("apart", "reference", "first")


def recorded(embeddings: Any) -> dict[str, Any]:
    """What embeddings record about themselves (metric, model, threshold); empty for a plain array."""
    return dict(embeddings.attrs) if isinstance(embeddings, xr.DataArray) else {}


def check_images(
    embeddings: Num[Any, "images dim"], identities: Shaped[Any, " images"], metric: str | None, labels: Any = None
) -> tuple[Float[np.ndarray, "images dim"], Int[np.ndarray, " images"], str]:
    """Points (images, dim) float32 or float64, identity codes (images,) from 0 in order of appearance, the metric.

    Raises ValueError with the invalid shape or value and the valid ones, and for tables in another order, see
    `check_order`.
    """
    metric = data_metric(embeddings, metric)
    check_order(embeddings, identities=identities, labels=labels)
    points = as_array(embeddings)
    if points.ndim != 2 or points.dtype.kind not in "fiu":
        raise ValueError(
            f"the embeddings have shape {points.shape} and type {points.dtype}: give numbers (images, dim); a column "
            "of vectors becomes such an array by np.stack(column)."
        )
    # half precision is too coarse to compute with
    points = points.astype(np.float32 if points.dtype in (np.float16, np.float32) else np.float64)
    shape = np.shape(identities)
    if shape != (len(points),):
        raise ValueError(f"the identities have shape {shape}: give one for each of the {len(points)} images.")
    bad = ~np.isfinite(points).all(axis=1)
    if bad.any():
        raise ValueError(f"{bad.sum()} of {len(points)} embeddings contain NaN or infinity: leave these images out.")
    if metric == "cosine" and (zero := ~points.any(axis=1)).any():
        raise ValueError(f"{zero.sum()} embeddings have length 0, so their cosine is undefined: leave them out.")
    codes, people = pd.factorize(check_identities(identities))
    if isinstance(embeddings, pd.DataFrame):
        _check_columns(embeddings, identities, labels)
    if len(people) < 2:
        raise ValueError(f"the images show {len(people)} identity: give at least two to compare different people.")
    return points, codes, metric


def _check_columns(embeddings: pd.DataFrame, identities: Any, labels: Any) -> None:
    """Raise ValueError for a column that holds the identities or a label: the distances would contain the answer."""
    answers = {"identities": identities}
    if isinstance(labels, pd.DataFrame):
        answers |= {f"label {name!r}": column for name, column in labels.items()}
    for name, column in embeddings.items():
        for what, values in answers.items():
            if np.array_equal(column.to_numpy(), np.asarray(values)):
                raise ValueError(f"column {name!r} of the embeddings holds the {what}: leave that column out.")


def check_order(embeddings: Any, **tables: Any) -> None:
    """Raise ValueError if tables name the same images in another order than the embeddings, or than each other.

    The coordinate `file` names the images of embeddings, the index those of a table; rows are compared by position.
    """
    coordinates = getattr(embeddings, "coords", {})
    given = {"embeddings": coordinates["file"].values.ravel().tolist()} if "file" in coordinates else {}
    tables = {name: table for name, table in tables.items() if isinstance(table, (pd.Series, pd.DataFrame))}
    given |= {name: table.index.tolist() for name, table in tables.items()}
    for (first, one), (name, other) in itertools.combinations(given.items(), 2):
        if one != other and len(one) == len(other) == len(set(one)) and set(one) == set(other):
            how = "embeddings.file" if first == "embeddings" else f"{first}.index"
            raise ValueError(f"the rows of {name} are in another order than those of {first}: pass {name}.loc[{how}].")


def check_labels(labels: pd.DataFrame | Shaped[Any, "images attributes"], images: int) -> pd.DataFrame:
    """Labels as a table of int8, one column per attribute: +1 with it, -1 without it, 0 unknown; see `base.values`.

    Raises ValueError for any other shape or value. A column of 0 and 1 without any -1 is invalid, because 0 means
    unknown.
    """
    table = labels if isinstance(labels, pd.DataFrame) else pd.DataFrame(np.asarray(labels)).add_prefix("attribute_")
    if len(table) != images or not len(table.columns):
        raise ValueError(
            f"the labels have shape {table.shape}: give one row for each of the {images} images and one column "
            "for each attribute."
        )
    names = pd.Index([str(name) for name in table.columns])
    if names.has_duplicates:
        raise ValueError(f"several label columns are called {names[names.duplicated()][0]!r}: rename or drop them.")
    return pd.DataFrame({name: signs(table.iloc[:, i], f"label {name!r}") for i, name in enumerate(names)})


def intra_entropy(identities: Shaped[Any, " images"], labels: Shaped[Any, " images"]) -> float:
    """Mean over identities of the entropy of one label within the identity, in nats; 0 to ln 2 = 0.693.

        H = mean over identities of -Σ_± p_± ln p_±

    p_± is the share of the identity's images with (+) and without (-) the attribute. 0 means that the attribute never
    changes within a person, as for someone who is always bald or never. Unknown labels (NaN, 0) are left out. NaN if
    no identity has a known label.
    """
    return entropy_within(identity_means(identities, signs(labels)))


def inter_entropy(identities: Shaped[Any, " images"], labels: Shaped[Any, " images"], bandwidth: float = 0.1) -> float:
    """Entropy over people of how often each of them shows the label, in nats; at most ln 101 = 4.615.

    The entropy of a Gaussian kernel density of the identities' mean labels, taken at 101 points of [-1, 1] and
    normalised to sum 1. Low: all people are alike in this attribute. NaN if no identity has a known label.
    """
    return entropy_between(identity_means(identities, signs(labels)), bandwidth)


def sample(
    codes: Int[np.ndarray, " images"], signs: Int[np.ndarray, " images"], sampling: str, limit: int, rng
) -> tuple[Int[np.ndarray, " chosen"], Bool[np.ndarray, " chosen"]]:
    """Indices of the images to compare (2n,), those with the attribute first, and a mask of those (2n,)."""
    if sampling not in SAMPLINGS:
        raise ValueError(f"unknown sampling {sampling!r}: choose from {', '.join(SAMPLINGS)}.")
    draw: Callable[[np.ndarray], np.ndarray] = np.asarray if sampling == "first" else rng.permutation
    sides = {}
    for sign in (1, -1):
        images = draw(np.flatnonzero(signs == sign))
        first = np.unique(codes[images], return_index=True)[1]
        if sampling != "apart":
            first = np.sort(first)  # people in the order of these images, so that the limit takes the first of them
        sides[sign] = pd.Series(images[first], index=codes[images[first]])
    plus, minus = sides[1], sides[-1]
    if sampling == "apart":
        both = rng.permutation(plus.index.intersection(minus.index).to_numpy(copy=True))
        # people with both labels go to the side where they even out the two
        wanted = len(both) + (len(minus) - len(plus)) + int(rng.integers(2))
        to_plus = min(max(wanted // 2, 0), len(both))
        plus, minus = plus.drop(both[to_plus:]), minus.drop(both[:to_plus])
        plus, minus = (side.iloc[rng.permutation(len(side))] for side in (plus, minus))
    n = min(len(plus), len(minus), limit)
    index = np.concatenate([plus.to_numpy()[:n], minus.to_numpy()[:n]]).astype(int)
    return index, np.arange(2 * n) < n


def identity_means(
    identities: Shaped[Any, " images"], marks: Int[np.ndarray, " images"]
) -> Float[np.ndarray, " people"]:
    """Mean of each identity's labels, as `signs` returns them, in [-1, 1], in order of appearance; 0 is left out."""
    names = check_identities(identities)
    if len(names) != len(marks):
        raise ValueError(f"{len(names)} identities and {len(marks)} labels: give one of each per image.")
    known = marks != 0
    means: Any = pd.Series(marks[known]).groupby(names[known], sort=False).mean()
    return means.to_numpy()


def entropy_within(means: Float[np.ndarray, " people"]) -> float:
    """`intra_entropy` of the mean labels."""
    from scipy.special import entr

    share = (1 + means) / 2
    return float(np.mean(entr(share) + entr(1 - share))) if len(share) else float("nan")


def entropy_between(means: Float[np.ndarray, " people"], bandwidth: float = 0.1) -> float:
    """`inter_entropy` of the mean labels."""
    from scipy.stats import entropy
    from sklearn.neighbors import KernelDensity  # SciPy's gaussian_kde fails if all means are equal

    if not len(means):
        return float("nan")
    grid = np.linspace(-1, 1, 101)[:, None]
    return float(entropy(np.exp(KernelDensity(bandwidth=bandwidth).fit(means[:, None]).score_samples(grid))))
