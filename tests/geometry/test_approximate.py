"""Approximate neighbourhoods: close to the exact ones, and the exact ones where nothing is left out."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import fr_explore as fr
from fr_explore.geometry.neighbors import as_neighborhood
from fr_explore.geometry.tiles import Cloud


def surface(n: int, dim: int = 16, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Points on a curved four-dimensional surface, and a direction at each that turns slowly along it."""
    rng = np.random.default_rng(seed)
    place = rng.uniform(-1, 1, (n, 4))
    points = np.tanh(place @ rng.normal(size=(4, dim)))
    directions = np.cos(place @ rng.normal(size=(4, dim)) + 0.5) + 0.3 * rng.normal(size=(n, dim))
    return points.astype(np.float32), directions.astype(np.float32)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_the_energy_is_close_and_closer_with_more_candidates(metric):
    points, directions = surface(4000)
    exact = fr.alignment_energy(points, directions, "knn:10", metric=metric)
    errors = [
        abs(fr.alignment_energy(points, directions, fr.knn(10, approximate=c), metric=metric) - exact)
        for c in (10, 200)
    ]
    assert errors[1] < 1e-4
    assert errors[0] < 0.01
    assert 0.1 < exact < 0.9  # a number that could have been missed


def test_with_every_point_a_candidate_it_is_exact():
    points, directions = surface(300)
    exact = fr.alignment_energy(points, directions, "knn:7", point_energies=True)
    found = fr.alignment_energy(points, directions, "knn:7:approximate:300", point_energies=True)
    np.testing.assert_allclose(found, exact, atol=1e-6)


def test_curves_and_self_as_in_the_exact_twin():
    points, directions = surface(200)
    curve = np.arange(200) // 4
    for rule in ({"k": 5}, {"k": 5, "include_self": True}):
        exact = fr.alignment_energy(points, directions, fr.knn(**rule), curve=curve)
        found = fr.alignment_energy(points, directions, fr.knn(**rule, approximate=200), curve=curve)
        assert found == pytest.approx(exact, abs=1e-6)


def test_the_same_every_time():
    points, directions = surface(2000)
    one, other = (fr.alignment_energy(points, directions, "knn:10:approximate:10") for _ in range(2))
    assert one == other


def test_in_a_table():
    points, directions = surface(2500)
    dims = ("identity", "attribute", "curve", "dim")
    field = xr.Dataset({"point": (dims, points[None, None]), "direction": (dims, directions[None, None])})
    field["magnitude"] = (dims[:3], np.linalg.norm(directions, axis=1)[None, None])
    exact, found = fr.alignment(field, "knn:10"), fr.alignment(field, "knn:10:approximate:100")
    assert found.attrs["neighborhood"] == "knn:10:approximate:100"
    pd.testing.assert_frame_equal(found, exact, rtol=2e-3)


def test_mean_distance_from_a_sample():
    cloud = Cloud(surface(2500)[0])
    assert cloud.sampled_mean() == pytest.approx(cloud.mean_distance(), rel=2e-3)


@pytest.mark.parametrize("text", ["knn:10:approximate:64", "knn:3:cosine:approximate:32:self", "knn:5"])
def test_spelling(text):
    rule = as_neighborhood(text)
    assert as_neighborhood(repr(rule)) == rule
    assert as_neighborhood("knn:10:approximate:64") == fr.knn(10, approximate=64)


@pytest.mark.parametrize("text", ["ball:0.5:approximate:64", "all_pairs:approximate:64", "knn:10:approximate"])
def test_what_has_no_approximate_twin(text):
    with pytest.raises(ValueError, match=f"neighbourhood '{text}'"):
        as_neighborhood(text)


@pytest.mark.parametrize("candidates", [9, 10.5, -1])
def test_too_few_candidates(candidates):
    with pytest.raises(ValueError, match="give a whole number of candidates, at least k = 10"):
        fr.knn(10, approximate=candidates)


def test_without_faiss_the_extra_is_named(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(ImportError, match=r'approximate neighbourhood needs .*pip install "fr-explore\[ann\]"'):
        fr.alignment_energy(*surface(50), "knn:5:approximate:20")
