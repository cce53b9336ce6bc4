"""Energies at many scales come from one pass, and equal those of each scale alone."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from test_alignment import make_field, random_cloud

import fr_explore as fr
from fr_explore.geometry import tiles
from fr_explore.geometry.alignment import energies_at_scales
from fr_explore.geometry.profile import scale_profile

KS, RADII = [1, 2, 3, 7, 20, 38], [0.0, 0.3, 0.6, 0.9, 1.2, 9.0]


def clouds():
    points, v = random_cloud(60, 4)
    grid = np.random.default_rng(1).integers(0, 3, (60, 3)).astype(float) + 1  # ties and duplicates
    return {"plain": (points, v, None), "ties": (grid, v, None), "curves": (grid, v, np.arange(60) // 3)}


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "chord"])
@pytest.mark.parametrize("cloud", ["plain", "ties", "curves"])
@pytest.mark.parametrize(
    ("rule", "scales"), [("knn:1", KS), ("ball:1", RADII), ("knn:2:self", KS[1:]), ("ball:1:self", RADII)]
)
def test_every_scale_equals_its_own_energy(cloud, metric, rule, scales):
    points, v, curve = clouds()[cloud]
    v = v.copy()
    v[[5, 9]] = 0
    found = energies_at_scales(points, v, rule, scales, metric=metric, curve=curve)
    kind, _, *options = rule.split(":")
    for scale, energies in zip(scales, found, strict=True):
        alone = ":".join([kind, f"{scale:g}", *options])
        expected = fr.alignment_energy(points, v, alone, metric=metric, curve=curve, point_energies=True)
        np.testing.assert_allclose(energies, expected, atol=1e-9)


def test_float32_tiles(monkeypatch):
    monkeypatch.setattr(tiles, "SMALL", 0)
    points, v = random_cloud(700, 8)
    for rule, scales in (("knn:1", KS), ("ball:1", RADII)):
        for scale, energies in zip(scales, energies_at_scales(points, v, rule, scales), strict=True):
            expected = fr.alignment_energy(points, v, f"{rule[:-1]}{scale:g}", point_energies=True)
            np.testing.assert_allclose(energies, expected, atol=2e-6)


def test_the_profile_of_nearest_neighbours_and_its_null():
    points, v = random_cloud(50, 4)
    field = make_field(points, np.stack([v, v[::-1]]))
    table = scale_profile(field, fr.knn(1), [1, 5, 20], null_draws=3, seed=4)
    for k, part in table.groupby("scale"):
        alone = fr.alignment(field, fr.knn(k), null_draws=3, seed=4)
        for column in ("energy", "null_mean", "null_sd", "coverage"):
            np.testing.assert_allclose(part[column], alone[column], atol=1e-9)
        assert part["neighbors"].tolist() == [k, k]


@pytest.mark.parametrize("small", [tiles.SMALL, 0], ids=["float64", "float32"])
@pytest.mark.parametrize("rule", ["knn:5", "all_pairs", "ball:0.9", "all_pairs:3"])
@pytest.mark.parametrize("metric", ["euclidean", "cosine", "chord"])
def test_the_magnitude_comes_from_the_pass_of_the_energy(metric, rule, small, monkeypatch):
    """In units of the mean Euclidean distance of all finite points, whatever the metric, with or without direction."""
    monkeypatch.setattr(tiles, "SMALL", small)
    points, v = random_cloud(90, 6)
    points = points * np.linspace(0.5, 3, 90)[:, None] + 1
    points[20] = points[21]
    holes = v.copy()
    holes[3:9] = np.nan
    for directions in (v, holes, np.full_like(v, np.nan)):
        lengths = np.where(np.isfinite(directions).all(1), np.linalg.norm(directions, axis=1), 0.5)
        field = make_field(points, directions).assign(
            magnitude=(("identity", "attribute", "curve"), lengths[None, None])
        )
        if np.isnan(directions).all():
            with pytest.warns(UserWarning, match="no point has a neighbour"):
                table = fr.alignment(field, f"{rule}:{metric}")
        else:
            table = fr.alignment(field, f"{rule}:{metric}")
        expected = np.median(lengths) / pdist(points).mean()
        assert table["magnitude"][0] == pytest.approx(expected, rel=1e-9 if small else 1e-6)
