"""The oracle is right: closed forms of coverage, interpolation, occlusion and the tent filter of numpy's renderer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy_renderer.head import gather_matrix
from numpy_renderer.renderer import Canvas, rasterise, vertex_normals
from numpy_renderer.scene import Camera
from scipy.spatial import Delaunay

SIZE = 24


def front(xy, triangles):
    """`triangles`, all of them turned so that they face the camera (y points down)."""
    a, b, c = (np.asarray(xy)[triangles[:, k]] for k in range(3))
    p, q = b - a, c - a
    area = p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]
    return np.where((area > 0)[:, None], triangles[:, ::-1], triangles)


def drawn(xy, triangles, near=None, **options):
    xy = np.asarray(xy, float)
    near = np.full(len(xy), 0.01) if near is None else np.asarray(near, float)
    return rasterise(xy, near, front(xy, np.asarray(triangles)), SIZE, **options)


def coverage(seen):
    return np.bincount(seen.pixel, seen.cover, SIZE * SIZE).reshape(SIZE, SIZE)


def test_the_camera_preserves_the_width_of_its_plane_and_flips_y():
    camera = Camera(distance=100, width=20, rise=0)
    points = np.array([[0, 0, 0], [10, 0, 0], [0, 10, 0], [5, 0, 50]], float)
    xy, near = camera.project(points, 80)
    np.testing.assert_allclose(xy, [[40, 40], [80, 40], [40, 0], [80, 40]])
    np.testing.assert_allclose(near, [0.01, 0.01, 0.01, 0.02])


def test_a_rectangle_on_the_grid_covers_exactly_its_pixels():
    seen, _ = drawn([(4, 6), (10, 6), (10, 9), (4, 9)], [(0, 1, 2), (0, 2, 3)])
    expected = np.zeros((SIZE, SIZE))
    expected[6:9, 4:10] = 1
    np.testing.assert_array_equal(coverage(seen), expected)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 60))
def test_any_triangulation_covers_each_sample_exactly_once(seed, inner):
    rim = [(-3, -3), (SIZE + 3, -3), (-3, SIZE + 3), (SIZE + 3, SIZE + 3)]
    points = np.concatenate([rim, np.random.default_rng(seed).uniform(0, SIZE, (inner, 2))])
    seen, _ = drawn(points, Delaunay(points).simplices)
    np.testing.assert_allclose(coverage(seen), 1, atol=1e-12)


def test_edges_are_softer_than_the_rows_of_samples():
    steps = set()
    for x in np.linspace(5, 6, 61):
        seen, _ = drawn([(2, 2), (x, 2), (x, 20), (2, 20)], [(0, 1, 2), (0, 2, 3)])
        steps.add(round(float(coverage(seen)[10, 5]), 6))
    assert len(steps) == 16  # fifteen samples, each crossed at its own x


def test_area_of_a_slanted_triangle():
    corners = np.array([(3.3, 2.1), (19.7, 8.4), (7.2, 21.9)])
    seen, _ = drawn(corners, [(0, 1, 2)])
    p, q = corners[1] - corners[0], corners[2] - corners[0]
    assert seen.cover.sum() == pytest.approx(abs(p[0] * q[1] - p[1] * q[0]) / 2, rel=0.01)


def test_interpolated_linear_values_are_pixel_means():
    rng = np.random.default_rng(0)
    points = np.concatenate([[(-3, -3), (27, -3), (-3, 27), (27, 27)], rng.uniform(0, SIZE, (30, 2))])
    seen, _ = drawn(points, Delaunay(points).simplices)
    value = seen.interpolate((points @ [[2.0], [-1.0]]).astype(np.float32))[:, 0]
    mean = np.bincount(seen.pixel, seen.cover * value, SIZE * SIZE).reshape(SIZE, SIZE)
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5
    np.testing.assert_allclose(mean, 2 * x - y, atol=1e-4)


def test_the_nearer_surface_hides_the_other_in_either_order():
    square = [(4, 4), (12, 4), (12, 12), (4, 12)]
    points, near = np.array(square + square, float), np.repeat([0.010, 0.011], 4)
    for triangles in ([(0, 1, 2), (0, 2, 3), (4, 5, 6), (4, 6, 7)], [(4, 5, 6), (4, 6, 7), (0, 1, 2), (0, 2, 3)]):
        seen, _ = drawn(points, triangles, near)
        assert set(seen.corners.ravel()) == {4, 5, 6, 7}


def test_surfaces_that_cross_are_cut_where_they_cross():
    square = [(0, 0), (SIZE, 0), (SIZE, SIZE), (0, SIZE)]
    near = np.array([0.010] * 4 + [0.009, 0.011, 0.011, 0.009])
    seen, _ = drawn(square + square, [(0, 1, 2), (0, 2, 3), (4, 5, 6), (4, 6, 7)], near)
    column = np.bincount(seen.pixel % SIZE, seen.cover * (seen.corners[:, 0] >= 4), SIZE)
    np.testing.assert_array_equal(column, np.repeat([0, SIZE], SIZE // 2))


def test_backs_are_visible_only_if_two_sided():
    corners = np.array([(2, 2), (9, 3), (4, 9)], float)
    back = front(corners, np.array([(0, 1, 2)]))[:, ::-1]
    near = np.full(3, 0.01)
    assert len(rasterise(corners, near, back, SIZE)[0].pixel) == 0
    assert rasterise(corners, near, back, SIZE, two_sided=True)[0].cover.sum() > 20


def test_no_background_shines_through_an_edge_in_front_of_a_later_layer():
    left = [(-1, -1), (5.5, -1), (5.5, 30), (-1, 30)]
    whole = [(-1, -1), (30, -1), (30, 30), (-1, 30)]
    quads = [(0, 1, 2), (0, 2, 3)]
    canvas = Canvas(SIZE)
    seen, depth = drawn(left, quads, np.full(4, 0.02))
    canvas.draw(seen, np.zeros((len(seen.pixel), 3)))
    kept = depth.copy()
    seen, _ = drawn(whole, quads, depth=depth)
    np.testing.assert_array_equal(depth, kept)  # the caller's buffer is not changed
    canvas.draw(seen, np.zeros((len(seen.pixel), 3)))
    np.testing.assert_allclose(canvas.in_front_of(np.ones((SIZE * SIZE, 3))), 0, atol=1e-12)


def test_opacity_mixes_linearly_with_the_layer_below():
    whole, quads = [(-1, -1), (30, -1), (30, 30), (-1, 30)], [(0, 1, 2), (0, 2, 3)]
    canvas = Canvas(SIZE)
    seen, depth = drawn(whole, quads)
    canvas.draw(seen, np.full((len(seen.pixel), 3), 0.8))
    seen, _ = drawn(whole, quads, np.full(4, 0.02), depth=depth)
    canvas.draw(seen, np.zeros((len(seen.pixel), 3)), 0.25)
    np.testing.assert_allclose(canvas.in_front_of(np.ones((SIZE * SIZE, 3))), 0.6, atol=1e-12)


def test_the_tent_spreads_a_pixel_over_its_neighbours():
    canvas, background = Canvas(SIZE), np.zeros((SIZE * SIZE, 3))
    background[10 * SIZE + 7] = 1
    picture = canvas.in_front_of(background)[..., 0]
    np.testing.assert_allclose(picture[9:12, 6:9], np.outer([1, 2, 1], [1, 2, 1]) / 16)
    assert picture.sum() == pytest.approx(1)


def test_normals_of_a_sphere_point_outwards():
    rng = np.random.default_rng(0)
    points = rng.standard_normal((400, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    from scipy.spatial import ConvexHull

    hull = ConvexHull(points)
    outside = np.einsum("ij,ij->i", hull.equations[:, :3], _flat(points, hull.simplices)) > 0
    triangles = np.where(outside[:, None], hull.simplices, hull.simplices[:, ::-1])
    normals = vertex_normals(points, triangles, gather_matrix(triangles, len(points)))
    assert (normals * points).sum(axis=1).min() > 0.9


def _flat(points, triangles):
    a, b, c = (points[triangles[:, k]] for k in range(3))
    return np.cross(b - a, c - a)


def test_triangles_outside_the_picture_raise_no_error():
    seen, depth = drawn([(-9, -9), (-5, -9), (-5, -5)], [(0, 1, 2)])
    assert len(seen.pixel) == 0
    assert depth.max() == 0
