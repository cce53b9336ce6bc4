"""The ten-fold protocol of Labelled Faces in the Wild: choose a threshold on nine folds, score it on the tenth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from ..base.distance import data_metric, same_person
from ..base.shapes import Num
from .verification.embedded_images import EmbeddedImages
from .verification.pairs import distances_of
from .verification.rates import midway

__all__ = ["fold_accuracy"]


def fold_accuracy(
    embeddings: Num[xr.DataArray, "images dim"], pairs: pd.DataFrame, metric: str | None = None
) -> pd.DataFrame:
    """Accuracy of "same person?" on each fold, at the threshold that is best on the other folds.

    Parameters
    ----------
    embeddings : (image, dim) with the coordinate `file`, as `fr.embed` returns it for photographs.
    pairs : columns fold, first, second (files), same; as in `fr.read_lfw(folder).pairs`.
    metric : "euclidean" or "cosine" (1 - cos); by default embeddings.attrs["metric"].

    Returns
    -------
    One row per fold: fold, threshold (pairs at a distance of at most this count as the same person), accuracy, pairs.
    attrs: accuracy (mean over folds), standard_error (sd over folds / sqrt(folds), as LFW reports it), metric,
    left_out (number of pairs with an image that has no embedding), left_out_images (their names).

    Raises
    ------
    ValueError : a missing column or coordinate, an unknown metric, NaN in an embedding, an unclear value of same, or
        pairs in fewer than two folds.
    TypeError : embeddings without labels.

    >>> fold_accuracy(fr.embed(images, model), images.pairs).attrs["accuracy"]  # images = fr.read_lfw("lfw/")
    """
    if not isinstance(embeddings, xr.DataArray):
        raise TypeError(
            f"embeddings are a {type(embeddings).__name__}, whose images have no names: give the array that fr.embed "
            "returns, or a DataArray (image, dim) with the coordinate 'file'."
        )
    metric = data_metric(embeddings, metric)
    missing = {"fold", "first", "second", "same"} - set(pairs.columns)
    if missing or "file" not in embeddings.coords:
        what = f"pairs lack {', '.join(sorted(missing))}" if missing else "embeddings lack the coordinate 'file'"
        raise ValueError(f"{what}: take both from the same fr.read_lfw(folder).")
    images = EmbeddedImages.of(embeddings, np.arange(len(embeddings)), metric)
    found = images.find(pairs)
    fold, folds = pd.factorize(pairs["fold"].to_numpy()[found.kept], sort=True)
    if (fold < 0).any():
        raise ValueError(f"{(fold < 0).sum()} pairs have no fold: leave them out.")
    if len(folds) < 2:
        raise ValueError(f"{len(found.same)} pairs with embeddings in {len(folds)} folds: at least 2 folds are needed.")
    distances, same = distances_of(images.points, found.first, found.second, metric), found.same
    scores = []
    for k, name in enumerate(folds.tolist()):
        held = fold == k
        threshold = _best_threshold(distances[~held], same[~held])
        accuracy = float((same_person(distances[held], threshold) == same[held]).mean())
        scores.append({"fold": name, "threshold": threshold, "accuracy": accuracy, "pairs": int(held.sum())})
    table = pd.DataFrame(scores)
    accuracies = table["accuracy"].to_numpy()
    table.attrs = {
        "accuracy": float(accuracies.mean()),
        "standard_error": float(accuracies.std(ddof=1) / np.sqrt(len(accuracies))),
        "metric": metric,
        **found.attrs,
    }
    return table


def _best_threshold(distances: np.ndarray, same: np.ndarray) -> float:
    """Midway between the two neighbouring distances whose separation makes the fewest errors."""
    values, index = np.unique(distances, return_inverse=True)
    # correct decisions, up to a constant, if the k smallest values count as the same person, for k = 0 ... n
    correct = np.concatenate([[0], np.cumsum(np.bincount(index, np.where(same, 1, -1)))])
    edges = np.concatenate([[values[0] - 1e-6], values, [values[-1] + 1e-6]])
    return midway(*edges[np.argmax(correct) :][:2])
