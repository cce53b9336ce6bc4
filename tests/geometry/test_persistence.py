"""Bars of polygons and trees, clouds without shape, and a ring that has one."""

import sys

import numpy as np
import pytest
from scipy.spatial.distance import cdist

import fr_explore as fr
from fr_explore.geometry.dimension import tree_edges


def polygon(n):
    angle = 2 * np.pi * np.arange(n) / n
    return np.column_stack([np.cos(angle), np.sin(angle)])


def observed(table, dimension):
    return table[(table["cloud"] == "observed") & (table["dimension"] == dimension)]


@pytest.mark.parametrize("n", [7, 12, 20])
def test_polygons(n):
    table = fr.persistence(polygon(n), metric="euclidean", null_draws=1)
    loop = observed(table, 1)
    assert len(loop) == 1
    assert loop["birth"].item() == pytest.approx(2 * np.sin(np.pi / n), rel=1e-6)
    assert loop["death"].item() == pytest.approx(2 * np.sin(np.pi * np.ceil(n / 3) / n), rel=1e-6)
    clusters = observed(table, 0)
    assert clusters["birth"].tolist() == [0] * (n - 1)
    assert clusters["death"].to_numpy() == pytest.approx(np.full(n - 1, 2 * np.sin(np.pi / n)), rel=1e-6)


def test_clusters_die_at_the_edges_of_the_spanning_tree():
    points = np.random.default_rng(0).normal(size=(40, 6))
    table = fr.persistence(points, metric="euclidean", null_draws=1)
    expected = np.sort(tree_edges(cdist(points, points)))
    np.testing.assert_allclose(np.sort(observed(table, 0)["death"]), expected, rtol=1e-6)
    unit = points / np.linalg.norm(points, axis=1, keepdims=True)
    chord = fr.persistence(points, null_draws=1)
    np.testing.assert_allclose(np.sort(observed(chord, 0)["death"]), np.sort(tree_edges(cdist(unit, unit))), rtol=1e-6)


@pytest.mark.parametrize(("dim", "bars", "longest"), [(2, 15, 2.7), (32, 60, 1.35), (300, 60, 1.15)])
def test_many_loops_mean_nothing(dim, bars, longest):
    """A Gaussian cloud has dozens of loops, the shorter the more dimensions, and none lies outside the null."""
    points = np.random.default_rng(1).normal(size=(80, dim)) * np.linspace(1, 0.2, dim) ** 0.5
    table = fr.persistence(points, metric="euclidean")
    loops = observed(table, 1)
    assert len(loops) >= bars
    assert (loops["death"] / loops["birth"]).max() < longest
    assert not table["outside"].any()
    assert table.attrs["words"] == (
        f"0 of 79 clusters and 0 of {len(loops)} loops are longer than any in 20 Gaussian clouds of the same covariance"
    )


def test_a_ring_and_two_groups_stand_out():
    rng = np.random.default_rng(0)
    flat = np.zeros((60, 20))
    flat[:, :2] = polygon(60)
    ring = fr.persistence(flat + 0.05 * rng.normal(size=(60, 20)), metric="euclidean")
    assert observed(ring, 1)["outside"].sum() == 1
    longest = observed(ring, 1).assign(length=lambda t: t["death"] / t["birth"]).nlargest(1, "length")
    assert longest["outside"].item()
    groups = rng.normal(size=(60, 5)) * 0.1 + np.repeat([[0.0], [1]], 30, axis=0) * 2
    far = fr.persistence(groups, metric="euclidean")
    assert observed(far, 0)["outside"].sum() == 1
    again = fr.persistence(3 * groups, metric="euclidean")
    assert (again["outside"] == far["outside"]).all()  # the scale changes nothing


def test_the_null_has_the_points_mean_and_covariance():
    """Its clusters die as late as those of other Gaussian samples with this covariance."""
    rng = np.random.default_rng(0)
    scale = np.array([5, 1, 0.2, 0.2])
    table = fr.persistence(rng.normal(size=(60, 4)) * scale + 7, metric="euclidean", null_draws=10)
    null = table[(table["cloud"] == "null") & (table["dimension"] == 0)]
    other = [tree_edges(cdist(x, x)).mean() for x in rng.normal(size=(30, 60, 4)) * scale]
    assert null["death"].mean() == pytest.approx(np.mean(other), rel=0.15)


def test_limit_and_errors():
    points = np.random.default_rng(0).normal(size=(50, 3))
    table = fr.persistence(points, limit=20, null_draws=1)
    assert len(observed(table, 0)) == table.attrs["points"] - 1 == 19
    assert table.equals(fr.persistence(points, limit=20, null_draws=1))
    for change, message in (
        ({"metric": "cosine"}, "1 - cos is not a metric, its chord is"),
        ({"null_draws": 0}, "null_draws = 0"),
        ({"points": points[:4]}, "4 points"),
        ({"points": points * np.nan}, "NaN or infinity"),
    ):
        with pytest.raises(ValueError, match=message):
            fr.persistence(**{"points": points} | change)


def test_without_the_package_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "ripser", None)
    with pytest.raises(ImportError, match=r'Persistent homology needs .* pip install "fr-explore\[topology\]"'):
        fr.persistence(polygon(8))
