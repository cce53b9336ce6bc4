"""PCA against closed forms and scikit-learn; UMAP on demand."""

import sys

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import PCA

import fr_explore as fr
from fr_explore.base.optional import import_extra


def cloud(count=50, dim=8, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, dim)) * np.arange(dim, 0, -1) + 3


@given(count=st.integers(3, 40), dim=st.integers(2, 12), seed=st.integers(0, 99))
def test_agrees_with_scikit_learn(count, dim, seed):
    points = cloud(count, dim, seed)
    dims = min(2, dim, count - 1)
    ours, theirs = fr.pca(points, dims), PCA(dims, svd_solver="full").fit(points)
    np.testing.assert_allclose(ours.explained_variance_ratio, theirs.explained_variance_ratio_, rtol=1e-8)
    signs = np.sign(np.sum(ours.axes * theirs.components_, axis=1))
    np.testing.assert_allclose(ours.transform(points) * signs, theirs.transform(points), atol=1e-6)


def test_axis_aligned_points_give_their_axes():
    points = np.array([[3.0, 0, 5], [-3, 0, 5], [0, 1, 5], [0, -1, 5]])
    plane = fr.pca(points)
    np.testing.assert_allclose(plane.axes, [[1, 0, 0], [0, 1, 0]], atol=1e-12)
    np.testing.assert_allclose(plane.explained_variance_ratio, [0.9, 0.1])
    assert plane.caption == "PCA projection, shows 100 % of the variance"


def test_the_same_axes_from_few_points_and_from_many():
    # fewer points than dimensions takes the other branch; zero columns change nothing else
    points = cloud(6, 4)
    wide = np.hstack([points, np.zeros((6, 10))])
    np.testing.assert_allclose(fr.pca(wide).axes[:, :4], fr.pca(points).axes, atol=1e-9)


def test_blocks_change_nothing(monkeypatch):
    points = cloud(100).astype(np.float32)
    whole = fr.pca(points)
    monkeypatch.setattr("fr_explore.geometry.projection._BLOCK", 7)
    np.testing.assert_allclose(fr.pca(points).axes, whole.axes, atol=1e-10)


def test_vectors_keep_their_origin():
    points = cloud()
    plane = fr.pca(points)
    differences = points[1:] - points[:-1]
    np.testing.assert_allclose(plane.project_vectors(differences), np.diff(plane.transform(points), axis=0), atol=1e-10)
    np.testing.assert_array_equal(plane.project_vectors(np.zeros((2, 8))), np.zeros((2, 2)))


def test_labels_travel():
    array = xr.DataArray(
        cloud(12).reshape(3, 4, 8), {"identity": [5, 6, 7]}, ("identity", "curve", "dim"), attrs={"model": "m"}
    )
    low = fr.pca(array, dims=3).transform(array.transpose("dim", "curve", "identity"))
    assert low.dims == ("curve", "identity", "axis")
    assert low.axis.values.tolist() == [1, 2, 3]
    assert low.identity.values.tolist() == [5, 6, 7]
    assert low.attrs == {"model": "m"}
    np.testing.assert_allclose(
        low.transpose("identity", "curve", "axis").values, fr.pca(array, 3).transform(array.values)
    )


@pytest.mark.parametrize(
    ("points", "dims", "message"),
    [
        (np.ones((5, 3)), 2, "all points are equal"),
        (np.full((5, 3), 0.1, np.float32), 2, "all points are equal"),
        (np.zeros((5, 3)), 2, "all points are equal"),
        (np.ones(3), 2, r"shape \(3,\): give \(..., points, dim\)"),
        (cloud(5, 3), 4, "dims = 4 with 5 points of 3 dimensions: ask for 1 to 3"),
        (cloud(5, 3), 0, "ask for 1 to 3"),
        (np.array([[np.nan, 1], [2, 3]]), 1, "1 of 2 points hold NaN"),
        (xr.DataArray(cloud(4, 3), dims=("a", "b")), 1, "name the embedding dimension 'dim'"),
    ],
)
def test_errors(points, dims, message):
    with pytest.raises(ValueError, match=message):
        fr.pca(points, dims)


def test_wrong_dimension_on_transform():
    with pytest.raises(ValueError, match=r"shape \(2, 5\): its last dimension must be 8"):
        fr.pca(cloud()).transform(np.zeros((2, 5)))
    with pytest.raises(ValueError, match="name the embedding dimension 'dim'"):
        fr.pca(cloud()).transform(xr.DataArray(np.zeros((2, 8)), dims=("a", "b")))


# the package warns on import that one of its parts needs Tensorflow, which nothing here does
@pytest.mark.filterwarnings("ignore:Tensorflow not installed:ImportWarning")
def test_umap_keeps_groups_together_and_repeats_with_its_seed():
    rng = np.random.default_rng(0)
    middles = 6 * rng.standard_normal((3, 1, 64))
    points = middles + rng.standard_normal((3, 40, 64))
    labelled = xr.DataArray(points, dims=("identity", "sample", "dim"), attrs={"metric": "cosine"})
    low = fr.umap(labelled, seed=1)
    assert low.dims == ("identity", "sample", "axis")
    assert low.attrs == labelled.attrs
    groups = low.values
    apart = np.linalg.norm(groups.mean(1)[:, None] - groups.mean(1)[None], axis=2)[np.triu_indices(3, 1)]
    assert apart.min() > 3 * groups.std(axis=1).max()
    np.testing.assert_array_equal(fr.umap(points, metric="cosine", seed=1), groups)
    # another dimension order is the same data
    np.testing.assert_array_equal(fr.umap(labelled.transpose("dim", ...), seed=1), groups)
    with pytest.raises(ValueError, match="neighbors = 120 with 120 points: give a number from 2 to 119"):
        fr.umap(points, neighbors=120)


def test_umap_absent_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(ImportError, match=r"A UMAP projection needs.*pip install \"fr-explore\[umap\]\""):
        fr.umap(cloud())


def test_a_broken_package_shows_its_own_fault(tmp_path, monkeypatch):
    (tmp_path / "frail.py").write_text("import surely_not_here\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="surely_not_here"):
        import_extra("frail", "umap", "This test")
