"""Linear probes: known answers, folds split by identity, clear errors."""

import numpy as np
import pandas as pd
import pytest

import fr_explore as fr


def people(count=40, images=3, dim=6, seed=0):
    rng = np.random.default_rng(seed)
    identities = np.repeat(np.arange(count), images)
    points = rng.normal(size=(count, dim))[identities] + 0.1 * rng.normal(size=(len(identities), dim))
    return points, identities, rng


def test_predicts_what_the_embeddings_contain_and_nothing_else():
    points, identities, rng = people()
    labels = pd.DataFrame({
        "there": np.where(points[:, 0] > 0, 1, -1),
        "nowhere": np.where(rng.random(40) < 0.5, 1, -1)[identities],
    })  # fmt: skip
    table = fr.linear_probe(points, identities, labels).set_index("attribute")
    assert table.loc["there", ["accuracy", "balanced_accuracy", "auc"]].min() > 0.9
    # constant within a person, but not in the embedding: only a probe tested on people it has seen could predict it
    assert table.loc["nowhere", "balanced_accuracy"] < 0.65
    assert table.loc["nowhere", "auc"] == pytest.approx(0.5, abs=0.2)


def test_folds_by_image_would_recognise_the_person():
    # why folds are split by identity: 40 people in 60 dimensions are linearly separable for any labels
    points, identities, rng = people(dim=60)
    label = np.where(rng.permutation(40) < 20, 1, -1)[identities]
    honest = fr.linear_probe(points, identities, label[:, None]).loc[0, "accuracy"]
    careless = fr.linear_probe(points, np.arange(len(points)), label[:, None]).loc[0, "accuracy"]
    assert careless > 0.95
    assert honest < 0.7


def test_scores_agree_with_a_plain_loop():
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import balanced_accuracy_score, roc_auc_score
    from sklearn.model_selection import StratifiedGroupKFold

    points, identities, rng = people()
    signs = np.where(points[:, 0] + rng.normal(size=len(points)) > 0.3, 1, -1)
    scores = []
    for train, test in StratifiedGroupKFold(4, shuffle=True, random_state=2).split(points, signs, identities):
        mean, sd = points[train].mean(0), points[train].std(0)
        model = LogisticRegression(max_iter=2000).fit((points[train] - mean) / sd, signs[train])
        chance = model.predict_proba((points[test] - mean) / sd)[:, 1]
        hard = np.where(chance > 0.5, 1, -1)
        scores.append(
            [
                np.mean(hard == signs[test]),
                balanced_accuracy_score(signs[test], hard),
                roc_auc_score(signs[test], chance),
            ]
        )
        assert not set(identities[train]) & set(identities[test])
    table = fr.linear_probe(points, identities, signs[:, None], folds=4, seed=2)
    np.testing.assert_allclose(
        table.loc[0, ["accuracy", "balanced_accuracy", "auc"]].astype(float), np.mean(scores, axis=0)
    )
    np.testing.assert_allclose(
        table.loc[0, ["accuracy_sd", "balanced_accuracy_sd", "auc_sd"]].astype(float), np.std(scores, axis=0, ddof=1)
    )
    assert [fold["fold"] for fold in table.attrs["folds"]] == [1, 2, 3, 4]
    np.testing.assert_allclose([fold["auc"] for fold in table.attrs["folds"]], np.array(scores)[:, 2])


def test_unknown_labels_are_left_out():
    points, identities, _ = people()
    signs = np.where(points[:, 0] > 0, 1.0, -1.0)
    gone = identities < 8
    unknown = pd.DataFrame({"a": np.where(gone, np.nan, signs)})
    table = fr.linear_probe(points, identities, unknown)
    alone = fr.linear_probe(points[~gone], identities[~gone], pd.DataFrame({"a": signs[~gone]}))
    pd.testing.assert_frame_equal(table.drop(columns="unknown"), alone.drop(columns="unknown"))
    assert table.loc[0, ["unknown", "images", "identities"]].tolist() == [24, 96, 32]
    share = np.mean(signs[~gone] > 0)
    assert table.loc[0, "majority"] == pytest.approx(max(share, 1 - share))


def test_errors_say_what_to_do():
    points, identities, _ = people(count=12)
    rare = np.where(identities < 2, 1, -1)[:, None]
    with pytest.raises(ValueError, match=r"'attribute_0': 2 identities have it and 10 do not.*folds=2"):
        fr.linear_probe(points, identities, rare)
    with pytest.raises(ValueError, match="folds = 1: give at least 2"):
        fr.linear_probe(points, identities, rare, folds=1)
    with pytest.raises(ValueError, match=r"'attribute_0': 0 identities have it"):
        fr.linear_probe(points, identities, np.full((36, 1), -1))


def test_a_fold_without_a_modality_raises():
    # 13 of the 14 images with the attribute show one person, so the folds' sizes outweigh the other one
    identities = np.repeat(np.arange(4), [15, 10, 8, 20])
    labels = np.full((53, 1), -1)
    labels[:13] = labels[25] = 1
    points = np.random.default_rng(0).normal(size=(53, 3))
    with pytest.raises(
        ValueError, match=r"'attribute_0': fold \d of 2 has nobody with it.*another seed, or label more"
    ):
        fr.linear_probe(points, identities, labels, folds=2)
