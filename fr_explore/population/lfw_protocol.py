"""The ten-fold protocol of Labelled Faces in the Wild: a threshold from nine folds, judged on the tenth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from ..base.distance import data_metric, distance, same_person

__all__ = ["fold_accuracy"]


def fold_accuracy(embeddings: xr.DataArray, pairs: pd.DataFrame, metric: str | None = None) -> pd.DataFrame:
    """Accuracy of "same person?" for each fold, at the threshold that serves the other folds best.

    Parameters
    ----------
    embeddings : (image, dim) with the coordinate `file`, as `fr.embed` gives it for pictures.
    pairs : columns fold, first, second (files), same; as in `fr.read_lfw(folder).pairs`.
    metric : "euclidean" or "cosine" (1 - cos); by default embeddings.attrs["metric"].

    Returns
    -------
    One row per fold: fold, threshold (pairs at a distance of at most this count as the same person), accuracy, pairs.
    attrs: accuracy (mean over folds), standard_error (sd over folds / sqrt(folds), as LFW reports it), metric,
    left_out (pairs of which a picture has no embedding).

    >>> fold_accuracy(fr.embed(images, model), images.pairs).attrs["accuracy"]  # images = fr.read_lfw("lfw/")
    """
    metric = data_metric(embeddings, metric)
    missing = {"fold", "first", "second", "same"} - set(pairs.columns)
    if missing or "file" not in embeddings.coords:
        what = f"pairs lack {', '.join(sorted(missing))}" if missing else "embeddings lack the coordinate 'file'"
        raise ValueError(f"{what}: take both from the same fr.read_lfw(folder).")
    row = {name: i for i, name in enumerate(embeddings["file"].values.tolist())}
    at = np.array([(row.get(a, -1), row.get(b, -1)) for a, b in zip(pairs["first"], pairs["second"], strict=True)])
    known = (at >= 0).all(axis=1)
    folds, fold = np.unique(pairs["fold"].to_numpy()[known], return_inverse=True)
    if len(folds) < 2:
        raise ValueError(f"{known.sum()} pairs with embeddings in {len(folds)} folds: at least 2 folds are needed.")
    distances = distance(embeddings.values[at[known, 0]], embeddings.values[at[known, 1]], metric)
    same = pairs["same"].to_numpy()[known].astype(bool)
    rows = []
    for k, name in enumerate(folds.tolist()):
        held = fold == k
        threshold = _best_threshold(distances[~held], same[~held])
        accuracy = float((same_person(distances[held], threshold) == same[held]).mean())
        rows.append({"fold": name, "threshold": threshold, "accuracy": accuracy, "pairs": int(held.sum())})
    accuracies = np.array([row["accuracy"] for row in rows])
    table = pd.DataFrame(rows)
    table.attrs = {
        "accuracy": float(accuracies.mean()),
        "standard_error": float(accuracies.std(ddof=1) / np.sqrt(len(rows))),
        "metric": metric,
        "left_out": int((~known).sum()),
    }
    return table


def _best_threshold(distances: np.ndarray, same: np.ndarray) -> float:
    """Half-way between the two neighbouring distances that a cut separates with the fewest errors."""
    order = np.argsort(distances, kind="stable")
    sorted_distances, sorted_same = distances[order], same[order]
    # right answers when the first k count as the same person, for k = 0 ... n
    right = np.concatenate([[0], np.cumsum(np.where(sorted_same, 1, -1))]) + (~same).sum()
    edges = np.concatenate([[sorted_distances[0] - 1e-6], sorted_distances, [sorted_distances[-1] + 1e-6]])
    right[1:-1][sorted_distances[1:] == sorted_distances[:-1]] = -1  # equal distances cannot be told apart
    best = int(np.argmax(right))
    return float((edges[best] + edges[best + 1]) / 2)
