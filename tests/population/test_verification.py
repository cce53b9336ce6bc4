"""Overlap of genuine and impostor distances against closed forms; pairs against plain loops."""

from itertools import combinations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cosine, euclidean
from scipy.stats import chi, norm

import fr_explore as fr
from fr_explore.population.verification import overlap_of


@pytest.mark.parametrize("apart", [1.0, 3.0, 5.0])
def test_two_gaussians(apart):
    rng = np.random.default_rng(0)
    found = overlap_of(10 + rng.normal(size=200_000), 10 + apart + rng.normal(size=200_000))
    exact = 2 * norm.cdf(-apart / 2)
    assert found.coefficient == pytest.approx(exact, abs=0.004, rel=0.05)
    assert found.bayes_error == found.coefficient / 2
    assert found.threshold_error == pytest.approx(exact / 2, abs=0.003)
    assert found.threshold == pytest.approx(10 + apart / 2, abs=0.15)
    assert found.ratio == pytest.approx(1 + apart / 10, abs=0.002)


def test_people_in_a_gaussian_space():
    # means ~ N(0, s² I), images ~ N(mean, w² I): genuine distance is √2 w, impostor √2 √(s² + w²) times a chi variable
    count, images, dim, within, between = 400, 4, 6, 0.5, 0.8
    rng = np.random.default_rng(1)
    identities = np.repeat(np.arange(count), images)
    points = between * rng.normal(size=(count, dim))[identities] + within * rng.normal(size=(count * images, dim))
    grid = np.linspace(0, 12, 20_001)
    scales = np.sqrt(2) * within, np.sqrt(2 * (within**2 + between**2))
    exact = np.minimum(*(chi.pdf(grid, dim, scale=scale) for scale in scales)).sum() * (grid[1] - grid[0])
    found = fr.overlap(points, identities)
    assert found.coefficient == pytest.approx(exact, abs=0.02)
    assert found.ratio == pytest.approx(scales[1] / scales[0], rel=0.03)
    assert found.genuine_pairs == count * 6
    assert found.impostor_pairs == 1_000_000


def test_a_pair_at_exactly_the_threshold_is_the_same_person():
    """Also between two neighbouring floats, whose mean rounds to one of them."""
    for low in (1.0, np.nextafter(1, 2)):
        high = np.nextafter(low, 2)
        found = overlap_of([low, low], [high, high])
        assert low <= found.threshold < high
        assert found.threshold_error == 0
    assert overlap_of([1, 3, 3], [3, 5, 5]).threshold == 4  # equal distances are never separated
    assert overlap_of([1, 3, 3], [3, 5, 5]).threshold_error == pytest.approx(1 / 6)


def test_limits():
    rng = np.random.default_rng(0)
    same = np.abs(rng.normal(size=5000))
    assert overlap_of(same, same).coefficient == pytest.approx(1)
    assert overlap_of(same, same + 100).coefficient == pytest.approx(0, abs=1e-6)
    assert overlap_of(same, same + 100).threshold_error == 0
    # no mass may leak below 0: an exponential against itself shifted by its ln 2 overlaps by one half
    sharp = rng.exponential(size=200_000)
    assert overlap_of(sharp, np.log(2) + rng.exponential(size=200_000)).coefficient == pytest.approx(0.5, abs=0.03)
    assert overlap_of(np.zeros(5), np.ones(5)).coefficient == pytest.approx(0, abs=1e-3)


@settings(max_examples=30, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 5), min_size=2, max_size=6).filter(lambda s: max(s) > 1),
    seed=st.integers(0, 99),
    metric=st.sampled_from(["euclidean", "cosine"]),
)
def test_all_pairs_agree_with_a_loop(sizes, seed, metric):
    rng = np.random.default_rng(seed)
    identities = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    points = rng.normal(size=(len(identities), 3)) + 1
    expected = {"genuine": [], "impostor": []}
    for i, j in combinations(range(len(points)), 2):
        kind = "genuine" if identities[i] == identities[j] else "impostor"
        expected[kind].append((euclidean if metric == "euclidean" else cosine)(points[i], points[j]))
    table = fr.pair_distances(points, identities, metric)
    for kind, values in expected.items():
        found = table.loc[table["pair"] == kind, "distance"]
        np.testing.assert_allclose(np.sort(found), np.sort(values), atol=1e-12)
        assert table.attrs["pairs"][kind] == len(values)


def test_drawn_pairs_are_distinct_and_fair():
    # points on a line at powers of two: each pair has a distance of its own
    identities = np.repeat(np.arange(4), 4)
    points = 2.0 ** np.arange(16)[:, None]
    everything = fr.pair_distances(points, identities)
    seen = {"genuine": [], "impostor": []}
    for seed in range(200):
        drawn = fr.pair_distances(points, identities, max_pairs=12, seed=seed)
        for kind, values in drawn.groupby("pair")["distance"]:
            assert values.nunique() == len(values) == 12
            assert set(values) <= set(everything.loc[everything["pair"] == kind, "distance"])
            seen[kind] += values.tolist()
    for kind, there in (("genuine", 24), ("impostor", 96)):
        counts = np.unique(seen[kind], return_counts=True)[1]
        assert len(counts) == there
        mean = 200 * 12 / there
        # nearly five standard deviations of a draw without replacement
        assert np.abs(counts - mean).max() < 4.7 * np.sqrt(mean * (1 - 12 / there))
        # small and large distances, that is first and last images, are equally likely: five standard deviations
        assert abs(counts[: there // 2].sum() - 1200) < 5 * np.sqrt(2400) / 2


def test_records_and_seed():
    rng = np.random.default_rng(0)
    array = xr.DataArray(rng.normal(size=(40, 4)), dims=("image", "dim"), attrs={"metric": "cosine"})
    table = fr.pair_distances(array, np.arange(40) // 4)
    assert table.attrs == {
        "metric": "cosine", "images": 40, "identities": 10, "seed": 0, "pairs": {"genuine": 60, "impostor": 720},
    }  # fmt: skip
    assert fr.overlap(array, np.arange(40) // 4, max_pairs=50, seed=1) == fr.overlap(
        array, np.arange(40) // 4, max_pairs=50, seed=1
    )


def test_errors():
    points = np.random.default_rng(0).normal(size=(6, 2))
    with pytest.raises(ValueError, match="no identity has two images"):
        fr.overlap(points, np.arange(6))
    with pytest.raises(ValueError, match="the images show 1 identity"):
        fr.overlap(points, np.zeros(6))
    with pytest.raises(ValueError, match="there are 1 genuine distances: give at least two"):
        overlap_of([1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match=r"there are 2 impostor distances.*not below 0"):
        overlap_of([1.0, 2.0], [1.0, -2.0])
