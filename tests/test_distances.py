"""The one home of the distance between embeddings."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from fr_explore._distances import distance, unit


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 6), st.integers(2, 9), st.integers(0, 999), st.sampled_from(["euclidean", "cosine"]))
def test_agrees_with_scipy(count, dim, seed, metric):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(count, dim)).astype(np.float32), 5 * rng.normal(size=(3, dim))
    expected = cdist(a.astype(float), b, metric)
    np.testing.assert_allclose(distance(a[:, None], b, metric), expected, atol=1e-12)
    if metric == "cosine":
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
    with pytest.raises(ValueError, match=r"metric = 'manhattan': give 'euclidean' or 'cosine'."):
        distance([1.0], [2.0], "manhattan")
