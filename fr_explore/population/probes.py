"""Linear probes: can a hyperplane in the embedding space separate people with an attribute from those without?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..base.shapes import Num, Shaped
from .labels import check_images, check_labels

__all__ = ["linear_probe"]

SCORES = {"accuracy": "accuracy", "balanced_accuracy": "balanced_accuracy", "auc": "roc_auc"}  # scikit-learn's names


def linear_probe(
    embeddings: Num[Any, "images dim"],
    identities: Shaped[Any, " images"],
    labels: pd.DataFrame | Shaped[Any, "images attributes"],
    folds: int = 5,
    strength: float = 1.0,
    seed: int = 0,
) -> pd.DataFrame:
    """How well logistic regression predicts each binary attribute from the embeddings of people it has not seen.

    Folds are split by identity: nobody is in both the training and the test images, because the probe could then
    recognise the person instead of the attribute. Each dimension is standardised on the training images.

    Parameters
    ----------
    embeddings : (images, dim).
    identities : (images,), numbers or names.
    labels : (images, attributes), DataFrame or array; +1 with, -1 without, NaN or 0 unknown (left out); or True, False.
    folds : number of folds, at least 2; stratified, so that each has its share of both modalities.
    strength : inverse of the L2 penalty, scikit-learn's C.
    seed : the same seed gives the same folds.

    Returns
    -------
    One row per attribute: `accuracy`, `balanced_accuracy` (mean of the two modalities' rates, 0.5 by chance) and
    `auc` (0.5 by chance), means over folds, each with its standard deviation over folds as `..._sd`; `majority`, the
    accuracy of always predicting the more frequent label; `images`, `identities`, `unknown`. attrs["folds"] lists the
    scores of each fold.

    Raises ValueError if a fold lacks a modality, and says what to do. Source of the method: Alain and Bengio 2016,
    arXiv 1610.01644.
    """
    points, codes, _ = check_images(embeddings, identities, None, labels)
    table = check_labels(labels, len(points))
    if folds < 2:
        raise ValueError(f"folds = {folds}: give at least 2, one for testing and the others for training.")
    rows, details = [], []
    for name in table.columns:
        signs = table[name].to_numpy()
        known = np.flatnonzero(signs)
        scores = _scores(points[known], signs[known], _folds(name, codes[known], signs[known], folds, seed), strength)
        details += [{"attribute": name, "fold": k + 1} | row for k, row in enumerate(scores.to_dict("records"))]
        row: dict[str, Any] = {"attribute": name}
        for score, values in scores.items():
            row |= {str(score): float(np.mean(values)), f"{score}_sd": float(np.std(values, ddof=1))}
        share = float(np.mean(signs[known] > 0))
        row |= {"majority": max(share, 1 - share), "images": len(known), "identities": len(np.unique(codes[known])),
                "unknown": len(signs) - len(known)}  # fmt: skip
        rows.append(row)
    result = pd.DataFrame(rows)
    result.attrs = {"probe": "logistic regression", "folds": details, "strength": strength, "seed": seed}
    return result


def _folds(name: str, codes: np.ndarray, signs: np.ndarray, folds: int, seed: int) -> list:
    """(train, test) indices split by identity; ValueError if one of the folds would lack a modality."""
    from sklearn.model_selection import StratifiedGroupKFold

    people = {word: len(np.unique(codes[signs == sign])) for sign, word in ((1, "with"), (-1, "without"))}
    if min(people.values()) < folds:
        raise ValueError(
            f"{name!r}: {people['with']} identities have it and {people['without']} do not, too few for {folds} "
            f"folds: use folds={max(2, min(people.values()))} at most, label more people, or leave it out."
        )
    split = list(StratifiedGroupKFold(folds, shuffle=True, random_state=seed).split(codes, signs, codes))
    for k, (_, test) in enumerate(split):
        for sign, word in ((1, "with"), (-1, "without")):
            # if every test fold has both modalities, so does every training set
            if not np.any(signs[test] == sign):
                raise ValueError(
                    f"{name!r}: fold {k + 1} of {folds} has nobody {word} it, so it cannot be scored: use fewer folds, "
                    "another seed, or label more people."
                )
    return split


def _scores(points: np.ndarray, signs: np.ndarray, split: list, strength: float) -> pd.DataFrame:
    """One row per fold, one column per score."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_validate
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    probe = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=2000))
    found = cross_validate(probe, points, signs, cv=split, scoring=SCORES)
    return pd.DataFrame({name: found[f"test_{name}"] for name in SCORES})
