"""The one home of the distance between embeddings."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

import fr_explore as fr
from fr_explore.base.distance import data_metric, distance, same_person, unit


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 6), st.integers(2, 9), st.integers(0, 999), st.sampled_from(["euclidean", "cosine", "chord"]))
def test_agrees_with_scipy(count, dim, seed, metric):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(count, dim)).astype(np.float32), 5 * rng.normal(size=(3, dim))
    expected = cdist(a.astype(float), b, "euclidean" if metric == "euclidean" else "cosine")
    expected = np.sqrt(2 * expected) if metric == "chord" else expected
    np.testing.assert_allclose(distance(a[:, None], b, metric), expected, atol=1e-12)
    if metric != "euclidean":
        np.testing.assert_allclose(distance(unit(a)[:, None], unit(b), metric, units=True), expected, atol=1e-12)


def test_near_vectors_keep_their_digits():
    a = np.array([3.0, 4.0])
    assert distance(a, 7 * a, "cosine") < 1e-31
    assert distance(a, a, "cosine") == 0
    # 1 - cos of an angle of 1e-9 is 5e-19, far below the last digit of 1
    assert distance([1, 0], [np.cos(1e-9), np.sin(1e-9)], "cosine") == pytest.approx(5e-19, rel=1e-6)


def test_a_vector_without_length():
    assert distance([[0.0, 0], [1, 0]], [1.0, 0], "cosine").tolist() == [1, 0]
    assert unit(np.zeros((2, 3))).tolist() == [[0] * 3] * 2


def test_unknown_metric():
    with pytest.raises(ValueError, match="metric 'manhattan' is unknown: choose from euclidean, cosine, chord"):
        distance([1.0], [2.0], "manhattan")


def test_the_metric_of_data():
    data = xr.DataArray(np.zeros(2), attrs={"metric": "cosine"})
    assert data_metric(data) == "cosine"
    assert data_metric(data, "euclidean") == "euclidean"
    assert data_metric(np.zeros(2)) == "euclidean"
    for metric in ("chord", "dot"):
        with pytest.raises(ValueError, match=f"metric '{metric}' is unknown: choose from euclidean, cosine"):
            data_metric(data.assign_attrs(metric=metric))
    with pytest.raises(ValueError, match="metric 'chord' of model 'mine' is unknown: choose from euclidean, cosine"):
        fr.ModelCard(name="mine", title="Mine", input_size=8, dim=2, metric="chord")


def test_the_chord_is_the_euclidean_distance_of_unit_vectors():
    a, b = np.random.default_rng(0).normal(size=(2, 50, 7))
    chord = distance(a, b, "chord")
    np.testing.assert_allclose(chord, distance(unit(a), unit(b), "euclidean"), rtol=1e-13)
    np.testing.assert_allclose(chord**2 / 2, distance(a, b, "cosine"), rtol=1e-13)
    assert distance(a, 3 * a, "chord").max() < 1e-15
    assert distance([0.0, 0], [1.0, 0], "chord") == np.sqrt(2)


def test_the_decision_at_exactly_the_threshold():
    assert same_person(0.6, 0.6) is True
    assert same_person(np.nextafter(0.6, 1), 0.6) is False
    assert same_person(np.array(0.0), 0) is True
    assert same_person(np.array([0.5, 0.6, 0.7]), 0.6).tolist() == [True, True, False]
    assert np.asarray(same_person(pd.Series([0.5, 0.7]), 0.6), bool).tolist() == [True, False]


@pytest.mark.parametrize("missing", [None, float("nan"), np.nan, pd.NA, np.float32("nan")])
def test_the_decision_is_missing_where_distance_or_threshold_is(missing):
    assert same_person(missing, 0.6) is pd.NA
    assert same_person(0.5, missing) is pd.NA
    assert same_person([0.5, missing], 0.6).isna().tolist() == [False, True]
    assert same_person([0.5, 0.7], missing).isna().all()
    with pytest.raises(TypeError, match="boolean value of NA is ambiguous"):
        bool(same_person(0.5, missing))


@given(st.lists(st.floats(0, 4, width=32) | st.none(), max_size=9), st.floats(0, 4, width=32))
def test_the_decision_for_many_is_that_for_each(distances, threshold):
    many = same_person(distances, threshold)
    assert str(many.dtype) == "boolean"
    assert all(a is b or a == b for a, b in zip(many, [same_person(d, threshold) for d in distances], strict=True))
