"""The oracle is right: closed forms of its camera, coverage, order of layers, textures and colours."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import ConvexHull, Delaunay
from slow_renderer.color import _bilinear, _density, _hermite
from slow_renderer.samples import COLUMNS, ROWS, _hits, blended, weights_at
from slow_renderer.shape import SKIN, Shape, normals

SIZE = 24
WHOLE = [(-1, -1), (-1, 30), (30, 30), (30, -1)]  # the order of its corners makes it face the camera, as y points down
LEFT = [(-1, -1), (-1, 30), (8.5, 30), (8.5, -1)]
AWAY = [(x - 1000, y) for x, y in WHOLE]
QUADS = np.array([(0, 1, 2), (0, 2, 3)])
RED, GREEN, BLUE = np.eye(3)


def screen(places, near=0.01):
    return np.column_stack([np.array(places, float), np.broadcast_to(near, len(places))])


def coverage(places, triangles):
    """Number of triangles at each pixel's samples, on average."""
    _, sample, _ = _hits(screen(places), np.asarray(triangles), SIZE)
    count = np.bincount(sample, minlength=SIZE * SIZE * ROWS * COLUMNS)
    return count.reshape(SIZE, ROWS, SIZE, COLUMNS).mean(axis=(1, 3))


def drawn(head=(AWAY, 0.01, RED), hair=(), glasses=()):
    """Light of layers of one colour in front of white: places, nearness, colour and, but for the head, opacity."""
    quads = {"head": [(*head, 1.0)], "hair": hair, "glasses": glasses}
    meshes, color = {}, {}
    for name, parts in quads.items():
        if parts:
            where = np.concatenate([screen(places, near) for places, near, *_ in parts])
            meshes[name] = (None, where, np.concatenate([QUADS + 4 * k for k in range(len(parts))]))
            color[name] = np.repeat([[*light, opacity] for *_, light, opacity in parts], 2, axis=0)
    shape = SimpleNamespace(meshes=meshes, head=SimpleNamespace(material=np.full(2, SKIN)))
    colors = SimpleNamespace(
        shape=shape, hidden=np.zeros(2, bool), background=lambda size: np.ones((size, size, 3)),
        at=lambda mesh, triangle, weight: color[mesh][triangle],
    )  # fmt: skip
    return blended(shape, colors, SIZE)


def test_the_camera_preserves_the_width_of_its_plane_and_flips_y():
    points = np.array([[0, 0.9, 0], [12.5, 0.9, 0], [0, 13.4, 0], [6.25, 0.9, 55]])
    seen = Shape.projected(SimpleNamespace(size=80), points)
    np.testing.assert_allclose(seen[:, :2], [[40, 40], [80, 40], [40, 0], [80, 40]])
    np.testing.assert_allclose(seen[:, 2], [1 / 110, 1 / 110, 1 / 110, 1 / 55])


def test_a_rectangle_on_the_grid_covers_exactly_its_pixels():
    expected = np.zeros((SIZE, SIZE))
    expected[6:9, 4:10] = 1
    np.testing.assert_array_equal(coverage([(4, 6), (10, 6), (10, 9), (4, 9)], QUADS), expected)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 60))
def test_any_triangulation_covers_each_sample_exactly_once(seed, inner):
    rim = [(-3, -3), (SIZE + 3, -3), (-3, SIZE + 3), (SIZE + 3, SIZE + 3)]
    points = np.concatenate([rim, np.random.default_rng(seed).uniform(0, SIZE, (inner, 2))])
    np.testing.assert_array_equal(coverage(points, Delaunay(points).simplices), 1)


def test_edges_are_softer_than_the_rows_of_samples():
    places = [[(2, 2), (x, 2), (x, 20), (2, 20)] for x in np.linspace(5.003, 6.003, 61)]
    steps = {round(float(coverage(each, QUADS)[10, 5]), 6) for each in places}
    assert len(steps) == 16  # fifteen samples, each crossed at its own x


def test_area_of_a_slanted_triangle():
    corners = np.array([(3.3, 2.1), (19.7, 8.4), (7.2, 21.9)])
    p, q = corners[1] - corners[0], corners[2] - corners[0]
    assert coverage(corners, [(0, 1, 2)]).sum() == pytest.approx(abs(p[0] * q[1] - p[1] * q[0]) / 2, rel=0.01)


def test_weights_restore_the_place():
    rng = np.random.default_rng(0)
    corners, weight = rng.uniform(0, SIZE, (30, 3, 2)), rng.dirichlet((1, 1, 1), 30)
    np.testing.assert_allclose(weights_at(corners, (weight[:, :, None] * corners).sum(axis=1)), weight, atol=1e-9)
    assert (weights_at(np.ones((1, 3, 2)), np.ones((1, 2))) < 0).any()  # nothing is inside a flat triangle


def test_layers_are_blended_from_front_to_back():
    """Red glasses (1/4) in front of green hair (1/2) in front of blue skin."""
    whole, half, quarter = 1.0, 0.5, 0.25
    light = drawn((WHOLE, 0.010, BLUE), [(WHOLE, 0.011, GREEN, half)], [(WHOLE, 0.012, RED, quarter)])
    rest = whole - quarter
    np.testing.assert_allclose(light[5, 5], [quarter, rest * half, rest * half], atol=1e-12)
    light = drawn((WHOLE, 0.010, BLUE), [(WHOLE, 0.012, GREEN, half)], [(WHOLE, 0.011, RED, quarter)])
    np.testing.assert_allclose(light[5, 5], [half * quarter, half, half * rest], atol=1e-12)


def test_hair_is_sorted_whatever_the_order_of_its_triangles():
    sheets = [(WHOLE, near, color, 0.5) for near, color in ((0.011, RED), (0.013, GREEN), (0.012, BLUE))]
    for order in ((0, 1, 2), (2, 0, 1), (1, 2, 0)):
        light = drawn((WHOLE, 0.010, np.zeros(3)), [sheets[k] for k in order])
        np.testing.assert_allclose(light[5, 5], [0.125, 0.5, 0.25], atol=1e-12)


def test_hair_behind_the_skin_is_hidden_but_for_what_raises_it():
    for near, seen in ((0.0099, 0), (0.01 / 1.0008, 1)):
        np.testing.assert_allclose(drawn((WHOLE, 0.010, BLUE), [(WHOLE, near, RED, 1.0)])[5, 5, 0], seen)


def test_no_background_shines_through_edges_that_meet():
    """Opaque hair covers a pixel's left part, skin its right one."""
    right = [(8.5, -1), (8.5, 30), (30, 30), (30, -1)]
    light = drawn((right, 0.010, np.zeros(3)), [(LEFT, 0.011, np.zeros(3), 1.0)])
    np.testing.assert_allclose(light, 0, atol=1e-12)
    assert drawn((right, 0.010, np.zeros(3)))[5, 8].mean() == pytest.approx(
        0.5, abs=0.1
    )  # without hair it is half free


def test_a_texture_is_linear_between_its_texels():
    y, x = np.mgrid[:6, :9] + 0.5
    texture = np.stack([2 * x - y, y], axis=-1)
    rng = np.random.default_rng(0)
    column, row = rng.uniform(0.5, 8.4, 20), rng.uniform(0.5, 5.4, 20)
    np.testing.assert_allclose(_bilinear(texture, column, row), np.stack([2 * column - row, row], axis=1))
    np.testing.assert_allclose(_bilinear(texture, np.array([-9.0]), np.array([-9.0]))[0], texture[0, 0])


def test_density_of_a_texture():
    square = np.array([(0, 0, 0), (2, 0, 0), (2, 2, 0), (0, 2, 0)], float)
    assert _density(square, square[:, :2] * 7.5, QUADS) == pytest.approx(7.5)


def test_tones_meet_their_ends_and_are_monotone():
    dark, own, light = np.array([0.01, 0.02]), np.array([0.1, 0.03]), np.array([0.7, 0.9])
    curve = np.array([_hermite(dark, own, light, t) for t in np.linspace(-1, 1, 101)])
    np.testing.assert_allclose(curve[[0, 50, 100]], [dark, own, light])
    assert (np.diff(curve, axis=0) > 0).all()


def test_normals_of_a_sphere_point_outwards():
    points = np.random.default_rng(0).standard_normal((400, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    hull = ConvexHull(points)
    a, b, c = (points[hull.simplices[:, k]] for k in range(3))
    outside = (np.cross(b - a, c - a) * hull.equations[:, :3]).sum(axis=1) > 0
    triangles = np.where(outside[:, None], hull.simplices, hull.simplices[:, ::-1])
    assert (normals(points, triangles) * points).sum(axis=1).min() > 0.9
