"""Who counts as a neighbour: order, ties, duplicates, curves, distances, and that no n x n matrix is kept."""

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist, pdist
from threadpoolctl import threadpool_limits

import fr_explore as fr
from fr_explore.base import cores as _parallel
from fr_explore.geometry import tiles as _blocks
from fr_explore.geometry.nearest import nearest
from fr_explore.geometry.neighbors import as_neighborhood
from fr_explore.geometry.tiles import Cloud

PRECISIONS = pytest.mark.parametrize("precision", ["float64", "float32"])


def neighbours(points, k, **options):
    """The k nearest of each point, in the order of their indices."""
    index, there = nearest(Cloud(points, **options), k)
    return [sorted(row[ok].tolist()) for row, ok in zip(index, there, strict=True)]


def nearest_by(d, k):
    """The same from a matrix of distances."""
    return np.sort(np.argsort(d, axis=1, kind="stable")[:, :k], axis=1).tolist()


def unit(v):
    return v / np.linalg.norm(v, axis=1, keepdims=True)


# --- the twins ----------------------------------------------------------------------------------------------------

SPELLED = {
    "knn:10": fr.knn(10),
    "knn:3:chord:self": fr.knn(3, metric="chord", include_self=True),
    "ball:0.6": fr.ball(0.6),
    "ball:0.123456789": fr.ball(0.123456789),
    "ball:inf:absolute": fr.ball(np.inf, relative=False),
    "ball:2:absolute:cosine:self": fr.ball(2, relative=False, metric="cosine", include_self=True),
    "all_pairs": fr.all_pairs(),
    "all_pairs:0:self": fr.all_pairs(power=0, include_self=True),
    "all_pairs:1.5:euclidean": fr.all_pairs(power=1.5, metric="euclidean"),
}


@pytest.mark.parametrize("text", SPELLED)
def test_text_and_object_are_the_same(text):
    assert repr(SPELLED[text]) == text
    assert as_neighborhood(text) == SPELLED[text]
    assert as_neighborhood(SPELLED[text]) is SPELLED[text]


@pytest.mark.parametrize("text", ["", "knn", "knn:10:5", "ball", "all_pairs:1:2", "near:3"])
def test_unknown_text(text):
    with pytest.raises(
        ValueError, match=rf"neighbourhood '{text}' is unknown: write it like all_pairs, ball:0.6, knn:10"
    ):
        as_neighborhood(text)


def test_text_with_a_bad_number():
    with pytest.raises(ValueError, match=r"neighbourhood 'knn:0': k = 0.0: give a whole number of neighbours"):
        as_neighborhood("knn:0")
    with pytest.raises(ValueError, match=r"'ball:x': 'x' is neither a number nor one of .*, self, absolute$"):
        as_neighborhood("ball:x")
    with pytest.raises(ValueError, match=r"'absolute' is neither a number nor one of .*, self, approximate:NUMBER"):
        as_neighborhood("knn:5:absolute")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: fr.knn(0), "k = 0: give a whole number of neighbours, at least 1"),
        (lambda: fr.knn(2.5), "k = 2.5: give a whole number"),
        (lambda: fr.knn(1, include_self=True), "k = 1: give a whole number of neighbours, at least 2"),
        (lambda: fr.ball(-1), "radius = -1: give a number of at least 0"),
        (lambda: fr.ball(np.nan), "radius = nan: give a number of at least 0"),
        (lambda: fr.all_pairs(power=-1), "power = -1: give a number from 0"),
        (lambda: fr.knn(3, metric="dot"), "metric 'dot' is unknown: choose from euclidean, cosine, chord"),
    ],
)
def test_values_out_of_range(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_options_are_keywords():
    with pytest.raises(TypeError):
        fr.knn(3, "cosine")
    with pytest.raises(AttributeError):
        fr.knn(3).k = 4


# --- nearest ------------------------------------------------------------------------------------------------------


@PRECISIONS
@pytest.mark.parametrize("metric", ["euclidean", "cosine", "chord"])
def test_nearest_are_those_of_exact_distances(metric, precision):
    points = np.random.default_rng(0).standard_normal((300, 40)) + 2
    d = cdist(points, points, "euclidean" if metric == "euclidean" else "cosine")
    np.fill_diagonal(d, np.inf)
    assert neighbours(points, 12, metric=metric, precision=precision) == nearest_by(d, 12)


@PRECISIONS
@settings(max_examples=60, deadline=None)
@given(st.integers(2, 40), st.integers(1, 4), st.integers(1, 8), st.booleans(), st.integers(0, 2**32 - 1))
def test_ties_and_duplicates_go_to_the_lower_index(precision, n, dim, k, with_curves, seed):
    rng = np.random.default_rng(seed)
    points = rng.integers(0, 3, (n, dim))
    curve = rng.integers(0, n, n) if with_curves else np.arange(n)
    squared = ((points[:, None] - points) ** 2).sum(-1)
    expected = []
    for i in range(n):
        allowed = [j for j in range(n) if j != i and curve[j] != curve[i]]
        expected.append(sorted(sorted(allowed, key=lambda j, i=i: (squared[i, j], j))[:k]))
    assert neighbours(points, k, curve=curve, precision=precision) == expected


@PRECISIONS
@pytest.mark.parametrize("order", ["mixed", "sorted"])
def test_nearest_over_several_tiles(order, precision):
    rng = np.random.default_rng(6)
    ties = rng.integers(0, 9, (1300, 3)).astype(float)
    plain = rng.standard_normal((1300, 30))
    for points in (ties, plain):
        if order == "sorted":  # every tile then brings nearer points than the last
            points = points[np.argsort(points[:, 0], kind="stable")]
        d = ((points[:, None] - points) ** 2).sum(-1)
        np.fill_diagonal(d, np.inf)
        assert neighbours(points, 10, precision=precision) == nearest_by(d, 10)


@PRECISIONS
def test_neighbours_far_closer_than_float32_can_tell(precision):
    """Two tight clusters far apart: the matrix product loses every digit of the distances inside."""
    rng = np.random.default_rng(1)
    steps = 1e-4 * np.cumsum(rng.random(100) + 0.1)
    points = np.zeros((100, 64))
    points[:, 0] = steps
    points[50:] += 1e3
    d = np.abs(cdist(points, points))
    np.fill_diagonal(d, np.inf)
    assert neighbours(points, 3, precision=precision) == nearest_by(d, 3)


@PRECISIONS
def test_a_far_point_does_not_blur_the_others(precision):
    points = np.random.default_rng(4).standard_normal((120, 12))
    points[7] = 1e5
    d = cdist(points, points)
    np.fill_diagonal(d, np.inf)
    assert neighbours(points, 4, precision=precision) == nearest_by(d, 4)
    v = np.random.default_rng(5).standard_normal((120, 12))
    expected = np.nanmean(
        [1 - (unit(v)[row < 5] @ unit(v)[i]).mean() if (row < 5).any() else np.nan for i, row in enumerate(d)]
    )
    cloud = Cloud(points, precision=precision)
    energies = fr.ball(5, relative=False).graph(cloud).sums([unit(v)]).energies
    assert np.nanmean(energies) == pytest.approx(expected, abs=1e-6)


def test_self_is_left_out_by_index_not_by_distance():
    points = np.array([[0.0], [0], [0], [5]])
    assert neighbours(points, 1) == [[1], [0], [0], [0]]


def test_a_ring_has_its_two_neighbours_at_any_angle():
    """Left and right are equally far but for rounding: the lower index is taken."""
    angle = np.arange(48) * 2 * np.pi / 48 + 0.3
    ring = np.c_[np.cos(angle), np.sin(angle)]
    assert neighbours(ring, 1) == [[min((i - 1) % 48, (i + 1) % 48)] for i in range(48)]


def test_all_of_one_curve_leaves_no_neighbour():
    assert neighbours(np.eye(4), 2, curve=["a"] * 4) == [[], [], [], []]
    assert neighbours(np.eye(4), 3, curve=list("aabb")) == [[2, 3], [2, 3], [0, 1], [0, 1]]


def test_more_neighbours_than_points():
    assert neighbours(np.arange(3.0)[:, None], 10) == [[1, 2], [0, 2], [0, 1]]
    assert neighbours(np.zeros((1, 2)), 3) == [[]]


# --- distances ----------------------------------------------------------------------------------------------------


@PRECISIONS
@pytest.mark.parametrize("metric", ["euclidean", "cosine", "chord"])
def test_mean_distance(metric, precision):
    points = np.random.default_rng(2).standard_normal((700, 20)) * 3 + 1
    expected = {
        "euclidean": pdist(points).mean(),
        "cosine": pdist(points, "cosine").mean(),
        "chord": np.sqrt(2 * pdist(points, "cosine")).mean(),
    }[metric]
    assert Cloud(points, metric, precision=precision).mean_distance() == pytest.approx(expected, rel=1e-6)


@PRECISIONS
def test_tiles_are_exact_for_near_and_equal_points(precision):
    rng = np.random.default_rng(3)
    points = np.repeat(rng.standard_normal((30, 16)) * 100, 4, axis=0)
    points[1::4] += rng.standard_normal((30, 16)) * 1e-5
    points[2::4] += rng.standard_normal((30, 16)) * 1e-1
    cloud = Cloud(points, precision=precision)
    q = np.asarray(cloud.tile(slice(0, 120), slice(0, 120)), np.float64) * cloud.scale**2
    d = cdist(points, points, "sqeuclidean")
    assert (q == 0).sum() == 120 + 2 * 30  # self, and the first and last of each four
    assert q == pytest.approx(d, rel=1e-6 if precision == "float64" else 2e-4, abs=0)


@PRECISIONS
def test_the_edge_of_a_ball_counts(precision, monkeypatch):
    monkeypatch.setattr(_blocks, "SMALL", 0 if precision == "float32" else 2e9)
    grid = np.array(list(itertools.product(range(6), repeat=2)), dtype=float) / 10
    v = np.random.default_rng(0).standard_normal((36, 2))
    near = fr.alignment_energy(grid, v, fr.ball(0.1, relative=False), point_energies=True)
    unit = v / np.linalg.norm(v, axis=1, keepdims=True)
    for i, e in enumerate(near):
        (js,) = np.nonzero(np.isclose(np.abs(grid - grid[i]).sum(1), 0.1))
        assert len(js) in (2, 3, 4)
        assert e == pytest.approx(1 - (unit[js] @ unit[i]).mean(), abs=1e-6)
    assert np.isnan(fr.alignment_energy(grid, v, fr.ball(0.0999, relative=False)))


def test_a_cosine_radius_is_the_square_of_a_chord_radius():
    rng = np.random.default_rng(0)
    points, v = rng.standard_normal((150, 8)), rng.standard_normal((150, 8))
    cosine = fr.ball(0.7, relative=False, metric="cosine")
    chord = fr.ball(np.sqrt(1.4), relative=False, metric="chord")
    assert fr.alignment_energy(points, v, cosine) == pytest.approx(fr.alignment_energy(points, v, chord), abs=1e-12)
    one_nearest = [fr.alignment_energy(points, v, fr.knn(5, metric=m)) for m in ("cosine", "chord")]
    assert one_nearest[0] == one_nearest[1]


def test_knn_with_self_is_diluted():
    rng = np.random.default_rng(0)
    points, v = rng.standard_normal((50, 3)), rng.standard_normal((50, 3))
    others = fr.alignment_energy(points, v, fr.knn(4))
    assert fr.alignment_energy(points, v, fr.knn(5, include_self=True)) == pytest.approx(others * 4 / 5)


# --- memory and order ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", [fr.all_pairs(), fr.knn(10), fr.ball(0.9)], ids=repr)
def test_no_matrix_of_all_pairs_is_kept(rule):
    n = 6000
    rng = np.random.default_rng(0)
    points, v = rng.standard_normal((2, n, 8), dtype=np.float32)
    fr.alignment_energy(points[:100], v[:100], rule)  # imports
    with threadpool_limits(2):  # each thread holds a tile of its own
        tracemalloc.start()
        fr.alignment_energy(points, v, rule)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < n * n * 4 / 2


def test_threads_do_not_change_the_numbers(monkeypatch):
    rng = np.random.default_rng(0)
    points, v = rng.standard_normal((1500, 12)), rng.standard_normal((1500, 12))
    monkeypatch.setattr(_parallel, "cores", lambda: 3)
    several = [fr.alignment_energy(points, v, rule) for rule in (fr.all_pairs(), fr.knn(5), fr.ball(0.8))]
    monkeypatch.setattr(_parallel, "cores", lambda: 1)
    serial = [fr.alignment_energy(points, v, rule) for rule in (fr.all_pairs(), fr.knn(5), fr.ball(0.8))]
    assert several == pytest.approx(serial, abs=1e-12)
