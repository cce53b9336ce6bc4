"""The ten-fold protocol: worked examples, closed forms, ties."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

import fr_explore as fr


def labelled(values: np.ndarray, metric: str = "euclidean") -> xr.DataArray:
    files = [f"{i}.jpg" for i in range(len(values))]
    return xr.DataArray(values, dims=("image", "dim"), coords={"file": ("image", files)}, attrs={"metric": metric})


def pairs_of(first, second, same, fold) -> pd.DataFrame:
    names = {"first": [f"{i}.jpg" for i in first], "second": [f"{i}.jpg" for i in second]}
    return pd.DataFrame({"fold": fold, **names, "same": same})


def on_a_line(distances, same, fold):
    """Points on a line whose pairs with the origin have these distances."""
    points = labelled(np.array([0.0, *distances])[:, None])
    n = len(distances)
    return points, pairs_of(np.zeros(n, int), np.arange(1, n + 1), np.asarray(same), np.asarray(fold))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=1, max_size=30))
def test_threshold_is_the_best_of_all(pairs):
    """Two folds with the same pairs, many of them at equal distances: the accuracy is the best that is possible."""
    distances = np.array([d for d, _ in pairs], float)
    same = np.array([s for _, s in pairs])
    fold = np.repeat([0, 1], len(pairs))
    found = fr.fold_accuracy(*on_a_line(np.tile(distances, 2), np.tile(same, 2), fold))
    thresholds = [-1, *np.unique(distances)]
    assert (found.accuracy == max(((distances <= t) == same).mean() for t in thresholds)).all()


def test_a_pair_at_exactly_the_threshold_is_the_same_person():
    """The other fold gives the threshold (2 + 6) / 2 = 4."""
    points, pairs = on_a_line([2, 2, 6, 6, 4, 4], [1, 1, 0, 0, 1, 0], [0, 0, 0, 0, 1, 1])
    table = fr.fold_accuracy(points, pairs)
    assert table.threshold[1] == 4
    assert table.accuracy[1] == 0.5
    assert fr.fold_accuracy(points, pairs.drop(index=5)).accuracy[1] == 1
    assert fr.fold_accuracy(points, pairs.drop(index=4)).accuracy[1] == 0


def test_no_threshold_separates_equal_or_splits_neighbouring_distances():
    tied = fr.fold_accuracy(*on_a_line([1, 3, 3, 3, 5] * 2, [1, 1, 1, 0, 0] * 2, [0] * 5 + [1] * 5))
    assert tied.threshold.tolist() == [4, 4]
    assert tied.accuracy.tolist() == [0.8, 0.8]
    # two neighbouring floats: their mean rounds to one of them, yet the smaller one is in and the larger one out
    for low in (1.0, np.nextafter(1, 2)):
        near = [low, np.nextafter(low, 2)] * 2
        assert fr.fold_accuracy(*on_a_line(near, [1, 0] * 2, [0, 0, 1, 1])).accuracy.tolist() == [1, 1]


def test_a_worked_example():
    """Each fold is judged at the middle between the two groups of the other fold."""
    points = labelled(np.array([[0.0], [1], [2], [5], [9], [14]]))
    pairs = pairs_of([0, 1, 0, 0, 0, 0], [1, 2, 4, 1, 2, 5], [1, 1, 0, 1, 1, 0], [0, 0, 0, 1, 1, 1])
    table = fr.fold_accuracy(points, pairs)
    assert table.fold.tolist() == [0, 1]
    assert table.threshold.tolist() == [(2 + 14) / 2, (1 + 9) / 2]
    assert table.accuracy.tolist() == [1, 1]
    assert table.pairs.tolist() == [3, 3]
    assert table.attrs == {
        "accuracy": 1.0,
        "standard_error": 0.0,
        "metric": "euclidean",
        "left_out": 0,
        "left_out_images": [],
    }


def test_accuracy_of_two_gaussians():
    """Distances N(0, 1) and N(d, 1): the best threshold is d / 2 and its accuracy is Phi(d / 2)."""
    rng = np.random.default_rng(0)
    n, d = 20_000, 2.0
    same = np.arange(n) % 2 == 0
    distances = rng.normal(np.where(same, 10, 10 + d), 1)
    points = labelled(np.concatenate([[0.0], distances])[:, None])
    table = fr.fold_accuracy(points, pairs_of(np.zeros(n, int), np.arange(1, n + 1), same, np.arange(n) // 2000))
    assert len(table) == 10
    assert table.attrs["accuracy"] == pytest.approx(norm.cdf(d / 2), abs=0.01)
    assert table.threshold.to_numpy() == pytest.approx(10 + d / 2, abs=0.15)
    expected = np.sqrt(norm.cdf(d / 2) * norm.sf(d / 2) / 2000 / 10)
    assert table.attrs["standard_error"] == pytest.approx(expected, rel=0.7)


def test_the_threshold_never_sees_its_own_fold():
    points = labelled(np.array([[0.0], [1], [2], [10], [20]]))
    pairs = pairs_of([0] * 8, [1, 2, 3, 4] * 2, [1, 1, 0, 0] * 2, [0] * 4 + [1] * 4)
    flipped = pairs.assign(same=pairs.same.where(pairs.fold == 1, 1 - pairs.same))
    assert fr.fold_accuracy(points, flipped).threshold[0] == fr.fold_accuracy(points, pairs).threshold[0]
    assert fr.fold_accuracy(points, flipped).accuracy[0] == 0


def test_cosine():
    points = labelled(np.array([[1.0, 0], [2, 0.1], [0, 3], [0.1, 1]]), "cosine")
    pairs = pairs_of([0, 0, 2, 0], [1, 2, 3, 3], [1, 0, 1, 0], [0, 0, 1, 1])
    table = fr.fold_accuracy(points, pairs)
    assert table.attrs["accuracy"] == 1
    assert table.attrs["metric"] == "cosine"
    assert (table.threshold < 1).all()
    assert fr.fold_accuracy(points, pairs, metric="euclidean").attrs["metric"] == "euclidean"


def test_pictures_without_an_embedding_are_counted():
    points = labelled(np.array([[0.0], [1], [5]]))
    pairs = pairs_of([0, 0, 0, 0, 7], [1, 2, 1, 2, 0], [1, 0, 1, 0, 1], [0, 0, 1, 1, 1])
    table = fr.fold_accuracy(points, pairs)
    assert table.pairs.tolist() == [2, 2]
    assert table.attrs["left_out"] == 1
    assert table.attrs["left_out_images"] == ["7.jpg"]
    with pytest.raises(ValueError, match=r"name '8\.jpg', which is not an image here"):
        fr.fold_accuracy(points, pairs.assign(first="8.jpg", second="9.jpg"))
    with pytest.raises(ValueError, match="1 of 3 embeddings contain NaN or infinity"):
        fr.fold_accuracy(points.where(points != 1), pairs)


NOTATIONS = [(True, False), (1, 0), (1.0, 0.0), (1, -1), ("same", "different"), ("True", "False"), ("1", "-1")]


@pytest.mark.parametrize("words", NOTATIONS)
def test_random_embeddings_score_half_in_every_notation(words):
    rng = np.random.default_rng(0)
    first, second, same = *rng.integers(400, size=(2, 2000)), np.arange(2000) % 2 == 0
    points = labelled(rng.normal(size=(400, 8)))
    said = [words[0] if one else words[1] for one in same]
    table = fr.fold_accuracy(points, pairs_of(first, second, said, np.arange(2000) // 400))
    assert table.attrs["accuracy"] == pytest.approx(0.5, abs=0.04)
    found = fr.verification(points, pairs_of(first, second, said, 0), draws=0)
    assert (found.attrs["genuine"], found.attrs["impostor"]) == (1000, 1000)
    assert found.eer == pytest.approx(0.5, abs=0.04)


def test_a_truth_value_that_is_unclear_is_refused():
    points, pairs = on_a_line([1, 2, 1, 2], [True, False] * 2, [0, 0, 1, 1])
    for same in (["yes", "perhaps"] * 2, [1, np.nan] * 2, [1, 2] * 2):
        for judge in (fr.fold_accuracy, fr.verification):
            with pytest.raises(ValueError, match=r"the pairs' column same, row 1: .*, expected True or False"):
                judge(points, pairs.assign(same=same))


def test_errors():
    points = labelled(np.array([[0.0], [1], [5]]))
    pairs = pairs_of([0, 0], [1, 2], [1, 0], [0, 0])
    with pytest.raises(ValueError, match="2 pairs with embeddings in 1 folds: at least 2"):
        fr.fold_accuracy(points, pairs)
    with pytest.raises(TypeError, match="embeddings are a ndarray, whose images have no names"):
        fr.fold_accuracy(np.zeros((4, 2)), pd.DataFrame())
    with pytest.raises(ValueError, match="pairs lack fold, same"):
        fr.fold_accuracy(points, pairs[["first", "second"]])
    with pytest.raises(ValueError, match="embeddings lack the coordinate 'file'"):
        fr.fold_accuracy(points.drop_vars("file"), pairs)
    with pytest.raises(ValueError, match="1 pairs have no fold: leave them out"):
        fr.fold_accuracy(points, pairs.assign(fold=[0, np.nan]))
    with pytest.raises(ValueError, match="metric 'l2' is unknown"):
        fr.fold_accuracy(points, pairs, metric="l2")
