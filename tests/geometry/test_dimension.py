"""Intrinsic dimension: clouds of known dimension, SciPy's tree, intervals, and the calibration on spheres."""

import numpy as np
import pytest
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import cdist

import fr_explore as fr
from fr_explore.geometry.dimension import distance_matrix, tree_dimension, tree_edges, two_nn

TREE, NN = "spanning tree", "two nearest neighbours"


def sphere(n, dimension, seed=0):
    points = np.random.default_rng(seed).standard_normal((n, dimension + 1))
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def sierpinski(n, seed=0):
    rng, points = np.random.default_rng(seed), np.zeros((n, 2))
    corners = np.array([[0, 0], [1, 0], [0.5, np.sqrt(0.75)]])
    for _ in range(40):
        points = (points + corners[rng.integers(3, size=n)]) / 2
    return points


def cantor(n, seed=0):
    rng, points = np.random.default_rng(seed), np.zeros((n, 1))
    for _ in range(30):
        points = (points + 2 * rng.integers(2, size=(n, 1))) / 3
    return points


def mean_of(make, metric="chord", alpha=1.0, times=6, n=800):
    """Both estimates, means over samples."""
    matrices = [distance_matrix(make(n, seed=seed), metric) for seed in range(times)]
    return np.mean([[tree_dimension(m, alpha), two_nn(m)] for m in matrices], axis=0)


@pytest.mark.parametrize(
    ("make", "metric", "alpha", "tree", "nn"),
    [
        (lambda n, seed: sphere(n, 2, seed), "chord", 1, 2.0, 1.97),
        (lambda n, seed: sphere(n, 10, seed), "chord", 1, 9.2, 9.3),
        (sierpinski, "euclidean", 1, np.log(3) / np.log(2), 1.58),
        (cantor, "euclidean", 0.3, 0.66, np.log(2) / np.log(3)),
    ],
)
def test_known_dimensions(make, metric, alpha, tree, nn):
    # the tree's known bias at this n is in the numbers: S¹⁰ 9.2, and 0.66 on Cantor's set of 0.631
    assert mean_of(make, metric, alpha) == pytest.approx([tree, nn], rel=0.04)


def test_alpha_is_in_the_numerator():
    """1 / (1 - m), without alpha, would be 4 at alpha = 0.5 on a surface of dimension 2."""
    found = [mean_of(lambda n, seed: sphere(n, 2, seed), alpha=alpha, times=3)[0] for alpha in (0.5, 1.0, 1.5)]
    assert found == pytest.approx([2, 2, 2], rel=0.08)


def test_the_cosine_halves_a_dimension_and_the_calibration_doubles_it():
    points = sphere(600, 10)
    matrices = {metric: distance_matrix(points, metric) for metric in ("chord", "cosine")}
    half = [tree_dimension(matrices["cosine"], 0.5), two_nn(matrices["cosine"])]
    whole = [tree_dimension(matrices["chord"], 1.0), two_nn(matrices["chord"])]
    assert half == pytest.approx(np.array(whole) / 2, rel=1e-4)
    # read as spheres, both metrics say the same
    tables = [fr.intrinsic_dimension(points, metric=metric, draws=0) for metric in matrices]
    for table in tables:
        assert table["sphere"].tolist() == pytest.approx([10, 10], rel=0.15)
    assert tables[1]["dimension"].max() < 5.5 < 8 < tables[0]["dimension"].min()


def test_the_chord_is_used_whatever_the_models_metric():
    points = sphere(300, 5) * np.random.default_rng(1).uniform(0.5, 2, (300, 1))
    found = fr.intrinsic_dimension(points, draws=0)
    assert found.attrs["metric"] == "chord"
    unit = fr.intrinsic_dimension(sphere(300, 5), draws=0)
    np.testing.assert_allclose(found["dimension"], unit["dimension"], rtol=1e-5)
    scaled = fr.intrinsic_dimension(7 * points, draws=0, metric="euclidean")
    plain = fr.intrinsic_dimension(points, draws=0, metric="euclidean")
    np.testing.assert_allclose(scaled["dimension"], plain["dimension"], rtol=1e-5)


@pytest.mark.parametrize("metric", ["euclidean", "chord"])
def test_tree_agrees_with_scipy(metric):
    points = np.random.default_rng(0).normal(size=(120, 4))
    ours = tree_edges(distance_matrix(points, metric))
    unit = points if metric == "euclidean" else points / np.linalg.norm(points, axis=1, keepdims=True)
    theirs = minimum_spanning_tree(cdist(unit, unit)).data
    ratio = np.sort(theirs) / np.sort(ours)  # one common factor
    np.testing.assert_allclose(ratio, ratio.mean(), rtol=1e-5)


def test_two_nearest_neighbours_by_hand():
    """Points whose ratio r₂ / r₁ is 2 for all: the slope is that of -log(1 - i/n) over log 2."""
    distances = np.full((10, 10), 2.0, np.float32)
    for k in range(0, 10, 2):
        distances[k, k + 1] = distances[k + 1, k] = 1
    target = -np.log1p(-np.arange(1, 10) / 10)
    assert two_nn(distances) == pytest.approx(target.mean() / np.log(2))


def test_interval_and_calibration():
    tables = [fr.intrinsic_dimension(sphere(300, 6, seed), seed=seed, draws=10) for seed in range(5)]
    truth = mean_of(lambda n, seed: sphere(n, 6, 100 + seed), n=300)
    for k, method in enumerate((TREE, NN)):
        rows = [table.set_index("method").loc[method] for table in tables]
        assert sum(row["low"] <= truth[k] <= row["high"] for row in rows) >= 4
        assert sum(row["sphere_low"] <= 6 <= row["sphere_high"] for row in rows) >= 4
        assert np.mean([row["sphere"] for row in rows]) == pytest.approx(6, rel=0.1)
    again = fr.intrinsic_dimension(sphere(300, 6, 3), seed=3, draws=10)
    assert again.equals(tables[3])


def test_the_interval_resamples_identities():
    """Eight images of each person: single images would pretend to eight times as much evidence."""
    rng = np.random.default_rng(0)
    who = np.repeat([f"p{k}" for k in range(60)], 8)
    points = np.repeat(sphere(60, 5), 8, axis=0) + 0.05 * rng.standard_normal((480, 6))  # small clouds
    widths = []
    for identities in (who, None):
        table = fr.intrinsic_dimension(points, identities, draws=12).set_index("method")
        widths.append((table["high"] - table["low"])[TREE])
    assert np.isfinite(widths).all()
    assert widths[0] != widths[1]
    assert np.isnan(fr.intrinsic_dimension(points, np.repeat(["a", "b"], 240))["low"]).all()


def test_duplicates_are_left_out():
    points = sphere(300, 4)
    table = fr.intrinsic_dimension(np.concatenate([points, points[:50]]), draws=0)
    assert table.attrs["duplicates"] == 50
    assert table["points"].tolist() == [300, 300]
    np.testing.assert_allclose(table["dimension"], fr.intrinsic_dimension(points, draws=0)["dimension"], rtol=0.1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"points": sphere(199, 3)}, "199 different points: an estimate of the dimension needs at least 200"),
        ({"points": np.repeat(sphere(150, 3), 2, axis=0)}, "150 different points"),
        ({"points": np.zeros(9)}, r"points have shape \(9,\)"),
        ({"points": np.full((300, 3), np.nan)}, "points hold NaN or infinity"),
        ({"identities": [1, 2]}, "2 identities and 250 points"),
        ({"alpha": 0}, "alpha = 0"),
        ({"draws": 1}, "draws = 1"),
        ({"limit": 100}, "a limit of at least 200"),
        ({"metric": "manhattan"}, "metric 'manhattan' is unknown"),
    ],
)
def test_errors(change, message):
    with pytest.raises(ValueError, match=message):
        fr.intrinsic_dimension(**{"points": sphere(250, 3)} | change)
