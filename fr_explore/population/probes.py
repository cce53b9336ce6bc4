"""Linear probes: can a straight cut through the embedding space tell who has an attribute?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .labels import check_images, check_labels

__all__ = ["linear_probe"]

SCORES = ("accuracy", "balanced_accuracy", "auc")


def linear_probe(
    embeddings: Any, identities: Any, labels: Any, folds: int = 5, strength: float = 1.0, seed: int = 0
) -> pd.DataFrame:
    """How well logistic regression reads each binary attribute off the embeddings of people it has not seen.

    The folds are cut by identity: nobody is in the training and the test images at once, else the probe could
    recognise the person instead of the attribute. Each dimension is standardised on the training images.

    Parameters
    ----------
    embeddings : (images, dim).
    identities : (images,), numbers or names.
    labels : (images, attributes), DataFrame or array; +1 with, -1 without, NaN or 0 unknown (left out); or True, False.
    folds : number of folds, at least 2; stratified, so that each has its share of both modalities.
    strength : inverse of the L2 penalty, scikit-learn's C.
    seed : the same seed cuts the same folds.

    Returns
    -------
    One row per attribute: `accuracy`, `balanced_accuracy` (mean of the two modalities' rates, 0.5 by chance) and
    `auc` (0.5 by chance), means over folds, each with its standard deviation over folds as `..._sd`; `majority`, the
    accuracy of always giving the commoner answer; `images`, `identities`, `unknown`. attrs["folds"] lists the scores
    of each fold.

    Raises ValueError where a modality is missing from a fold, with what to do. Source of the method: Alain and
    Bengio 2016, arXiv 1610.01644.
    """
    points, codes, _ = check_images(embeddings, identities, None)
    table = check_labels(labels, len(points))
    if folds < 2:
        raise ValueError(f"folds = {folds}: give at least 2, one to test on and the others to learn from.")
    rows, details = [], []
    for name in table.columns:
        signs = table[name].to_numpy()
        known = np.flatnonzero(signs)
        each = [
            _score(points[known], signs[known], train, test, strength)
            for train, test in _folds(name, codes[known], signs[known], folds, seed)
        ]
        details += [{"attribute": name, "fold": k + 1} | scores for k, scores in enumerate(each)]
        row: dict[str, Any] = {"attribute": name}
        for score in SCORES:
            values = [scores[score] for scores in each]
            row |= {score: float(np.mean(values)), f"{score}_sd": float(np.std(values, ddof=1))}
        share = float(np.mean(signs[known] > 0))
        row |= {"majority": max(share, 1 - share), "images": len(known), "identities": len(np.unique(codes[known])),
                "unknown": len(signs) - len(known)}  # fmt: skip
        rows.append(row)
    result = pd.DataFrame(rows)
    result.attrs = {"probe": "logistic regression", "folds": details, "strength": strength, "seed": seed}
    return result


def _folds(name: str, codes: np.ndarray, signs: np.ndarray, folds: int, seed: int) -> list:
    """(train, test) indices cut by identity; ValueError where one of them would lack a modality."""
    from sklearn.model_selection import StratifiedGroupKFold

    people = {word: len(np.unique(codes[signs == sign])) for sign, word in ((1, "with"), (-1, "without"))}
    if min(people.values()) < folds:
        raise ValueError(
            f"{name!r}: {people['with']} identities are labelled with it and {people['without']} without, too few for "
            f"{folds} folds: use folds={max(2, min(people.values()))} at most, label more people, or leave it out."
        )
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    cut = list(splitter.split(codes, signs, codes))
    for k, (_, test) in enumerate(cut):
        for sign, word in ((1, "with"), (-1, "without")):
            # what is in one test fold is missing from none of the others' training images, as folds >= 2 have both
            if not np.any(signs[test] == sign):
                raise ValueError(
                    f"{name!r}: fold {k + 1} of {folds} has nobody {word} it, so it cannot be scored: use fewer folds, "
                    "another seed, or label more people."
                )
    return cut


def _score(points: np.ndarray, signs: np.ndarray, train: np.ndarray, test: np.ndarray, strength: float) -> dict:
    """Scores of one fold."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import accuracy_score, balanced_accuracy_score, roc_auc_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    probe = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=2000))
    probe.fit(points[train], signs[train])
    value = probe.decision_function(points[test])
    answer = np.where(value > 0, 1, -1)
    return {
        "accuracy": float(accuracy_score(signs[test], answer)),
        "balanced_accuracy": float(balanced_accuracy_score(signs[test], answer)),
        "auc": float(roc_auc_score(signs[test], value)),
    }
