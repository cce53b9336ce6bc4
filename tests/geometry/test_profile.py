"""The profile over scales equals the ball at each scale, and its far end a closed form."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import fr_explore as fr
from fr_explore.geometry import tiles as _blocks
from fr_explore.geometry.tiles import Cloud

DIMS = ("identity", "attribute", "curve", "dim")


def make_field(points, directions, metric="euclidean", **coords):
    """A field of one identity: points (n, dim), directions (attributes, n, dim)."""
    directions = np.asarray(directions, dtype=float)
    points = np.broadcast_to(points, (len(directions), *np.shape(points)))
    return xr.Dataset(
        {"point": (DIMS, points[None]), "direction": (DIMS, directions[None])}, coords, {"metric": metric}
    )


def random_field(n=150, dim=6, attributes=2, seed=0, **options):
    rng = np.random.default_rng(seed)
    points = rng.standard_normal((n, dim))
    return make_field(points, rng.standard_normal((attributes, n, dim)) + 0.3 + 0.2 * points, **options)


@pytest.mark.parametrize("small", [_blocks.SMALL, 0], ids=["float64", "float32"])
@pytest.mark.parametrize("metric", ["euclidean", "cosine", "chord"])
def test_equals_the_ball_at_every_radius(metric, small, monkeypatch):
    monkeypatch.setattr(_blocks, "SMALL", small)
    field = random_field(700)
    radii = [1.1, 0.3, 0.5, 0.7, 0.9, 1.0, 1.6, 3.0]
    profile = fr.alignment_profile(field, radii, metric=metric)
    assert profile["radius"].tolist() == sorted(radii) * 2
    for radius, rows in profile.groupby("radius"):
        one = fr.alignment(field, fr.ball(float(radius), metric=metric))
        assert rows["energy"].tolist() == pytest.approx(one["energy"].tolist(), abs=1e-6)
        assert rows["coverage"].tolist() == pytest.approx(one["coverage"].tolist())


def test_torch_gives_the_same_numbers():
    torch = pytest.importorskip("torch")
    field = random_field(300)
    one, other = (fr.alignment_profile(field, [0.5, 0.9, 1.2], device=d) for d in ("cpu", torch.device("cpu")))
    assert other.drop(columns="attribute").to_numpy() == pytest.approx(
        one.drop(columns="attribute").to_numpy(), nan_ok=True
    )


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 25), st.integers(1, 3), st.booleans(), st.integers(0, 2**32 - 1))
def test_edges_count_on_a_grid_with_ties_duplicates_and_curves(n, dim, with_curves, seed):
    rng = np.random.default_rng(seed)
    points = rng.integers(0, 3, (n, dim)).astype(float)
    curve = rng.integers(0, n, n) if with_curves else np.arange(n)
    v = rng.standard_normal((n, dim))
    radii = [0, 1, np.sqrt(2), 2, np.inf]
    profile = fr.alignment_profile(make_field(points, v[None], curve=curve), radii, relative=False)
    unit = v / np.linalg.norm(v, axis=1, keepdims=True)
    d = np.sqrt(((points[:, None] - points) ** 2).sum(-1))
    for row, radius in zip(profile.itertuples(), radii, strict=True):
        near = (d <= radius) & (curve[:, None] != curve)
        count = near.sum(1)
        assert row.neighbors == pytest.approx(count.mean())
        assert row.coverage == pytest.approx((count > 0).mean())
        with np.errstate(invalid="ignore"):
            each = 1 - (near * (unit @ unit.T)).sum(1) / count
        expected = each[count > 0].mean() if count.any() else np.nan
        assert row.energy == pytest.approx(expected, abs=1e-9, nan_ok=True)


def test_far_end_is_the_closed_form():
    field = random_field(200)
    unit = field["direction"].values[0] / np.linalg.norm(field["direction"].values[0], axis=-1, keepdims=True)
    expected = 200 / 199 * (1 - (unit.mean(1) ** 2).sum(-1))
    far = fr.alignment_profile(field, [np.inf])
    assert far["energy"].tolist() == pytest.approx(expected.tolist())
    assert far["neighbors"].tolist() == [199, 199]


def test_a_vortex_rises_from_order_to_disorder():
    angle = np.arange(360) * np.pi / 180
    ring, tangent = np.c_[np.cos(angle), np.sin(angle)], np.c_[-np.sin(angle), np.cos(angle)]
    profile = fr.alignment_profile(make_field(ring, tangent[None]), np.linspace(0.05, 1.6, 20))
    assert profile["energy"].is_monotonic_increasing
    assert profile["energy"].iloc[0] < 0.01
    assert profile["energy"].iloc[-1] == pytest.approx(360 / 359)
    # within an angle a of a point, the mean of 1 - cos is 1 - sin(a)/a
    half = profile.iloc[9]
    radius = half["radius"] * np.mean(2 * np.sin(angle[1:] / 2))
    reach = 2 * np.arcsin(radius / 2)
    assert half["energy"] == pytest.approx(1 - np.sin(reach) / reach, abs=0.01)


def test_null_draws_are_those_of_the_ball():
    field = random_field(80)
    profile = fr.alignment_profile(field, [0.8, 1.0], null_draws=25, seed=3)
    one = fr.alignment(field, fr.ball(1.0), null_draws=25, seed=3)
    names = ["energy", "null_mean", "null_sd", "z", "coverage"]
    assert profile.loc[profile["radius"] == 1.0, names].to_numpy() == pytest.approx(one[names].to_numpy())
    mixed = fr.alignment_profile(field, [1.0], null_draws=25, null="permutation")
    shuffled = fr.alignment(field, fr.ball(1.0), null_draws=25, null="permutation")
    assert mixed["null_mean"].tolist() == pytest.approx(shuffled["null_mean"].tolist())


def test_points_without_a_direction_and_fields_without_a_point():
    field = random_field(60)
    field["direction"][0, 0, :20] = np.nan
    field["direction"][0, 1] = 0
    profile = fr.alignment_profile(field, [1.0])
    rest = make_field(field["point"].values[0, 0, 20:], field["direction"].values[:, 0, 20:])
    assert profile.loc[0, "energy"] == pytest.approx(fr.alignment_profile(rest, [1.0]).loc[0, "energy"])
    assert np.isnan(profile.loc[1, "energy"])
    assert profile.loc[1, "coverage"] == 0


def test_one_pass_over_the_distances(monkeypatch):
    """However many radii, the tiles are computed once for the mean distance and once for all radii."""
    seen = []
    tile = Cloud.tile
    monkeypatch.setattr(Cloud, "tile", lambda *a, **k: seen.append(1) or tile(*a, **k))
    field = random_field(600, attributes=3)
    fr.alignment_profile(field, np.linspace(0.1, 1.5, 40))
    assert len(seen) == 2 * 3  # two blocks of 512: three tiles of the upper triangle


def test_many_radii_and_the_default():
    field = random_field(40)
    assert len(fr.alignment_profile(field)) == 2 * 30
    fine = fr.alignment_profile(field, np.linspace(0.01, 2, 400))
    coarse = fr.alignment_profile(field, np.linspace(0.01, 2, 400)[::100])
    assert fine["energy"][::100].tolist() == pytest.approx(coarse["energy"].tolist(), nan_ok=True)


def test_table_says_what_was_used():
    profile = fr.alignment_profile(random_field(20), [1.0], metric="chord", seed=2)
    columns = ["identity", "attribute", "radius", "energy", "null_mean", "null_sd", "z", "coverage", "neighbors"]
    assert profile.columns.tolist() == columns
    used = {"metric": "chord", "radius": "mean pairwise distance", "null": "gaussian", "null_draws": 0, "seed": 2}
    assert profile.attrs == used


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"radii": []}, r"radii = \[\]: give at least one number, none below 0"),
        ({"radii": [1, -1]}, r"radii = \[1, -1\]: give at least one"),
        ({"radii": [np.nan]}, r"radii = \[nan\]: give at least one"),
        ({"relative": False}, "radii in units of the metric have no default: give radii"),
        ({"metric": "dot"}, "metric 'dot' is unknown"),
        ({"null_draws": 1}, "null_draws = 1: give 0 for none"),
    ],
)
def test_errors(options, message):
    with pytest.raises(ValueError, match=message):
        fr.alignment_profile(random_field(20), **options)
