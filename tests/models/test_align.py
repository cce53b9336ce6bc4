import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fr_explore.models.align import aligned_crops, similarity_fit

TEMPLATE = np.array([[30.0, 40], [70, 40], [50, 60], [35, 80], [65, 80]])


def similarity(angle: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[c, -s, shift[0]], [s, c, shift[1]]])


def apply(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    return points @ matrix[:, :2].T + matrix[:, 2]


@given(st.floats(-3, 3), st.floats(0.2, 5), st.floats(-100, 100), st.floats(-100, 100))
def test_fit_recovers_a_known_similarity(angle, scale, x, y):
    truth = similarity(angle, scale, (x, y))
    np.testing.assert_allclose(similarity_fit(TEMPLATE, apply(truth, TEMPLATE)), truth, atol=1e-9)


def test_fit_is_the_least_squares_optimum():
    rng = np.random.default_rng(0)
    noisy = TEMPLATE + rng.normal(0, 3, TEMPLATE.shape)
    # independent oracle: linear least squares in (a, b, tx, ty)
    x, y = TEMPLATE.T
    one, zero = np.ones(5), np.zeros(5)
    system = np.concatenate([np.stack([x, -y, one, zero], 1), np.stack([y, x, zero, one], 1)])
    a, b, tx, ty = np.linalg.lstsq(system, np.concatenate(noisy.T), rcond=None)[0]
    np.testing.assert_allclose(similarity_fit(TEMPLATE, noisy), [[a, -b, tx], [b, a, ty]], atol=1e-9)


@pytest.mark.parametrize("points", [np.ones((5, 2)), np.full((5, 2), np.nan)])
def test_degenerate_landmarks(points):
    with pytest.raises(ValueError, match="five distinct points"):
        similarity_fit(points, TEMPLATE)


def test_identity_crop_is_the_picture():
    picture = torch.rand(1, 3, 100, 100)
    crop = aligned_crops(picture, TEMPLATE[None], TEMPLATE, 100)
    torch.testing.assert_close(crop, picture, atol=5e-5, rtol=0)  # rounding of float32 sampling positions


def ramp(height: int, width: int) -> torch.Tensor:
    """A picture whose values are its own coordinates, pixel centres at +0.5."""
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    return torch.stack([x, y, x + y])[None].float()


@pytest.mark.parametrize("scale", [0.5, 1.0, 1.7, 3.0])
def test_crop_pixels_come_from_where_the_similarity_says(scale):
    to_picture = similarity(0.3, scale, (120, 60))
    crop = aligned_crops(ramp(500, 500), apply(to_picture, TEMPLATE)[None], TEMPLATE, 100)
    y, x = np.mgrid[0:100, 0:100] + 0.5
    expected = apply(to_picture, np.stack([x, y], -1).reshape(-1, 2)).reshape(100, 100, 2)
    inside = ((expected > 2) & (expected < 498)).all(-1)
    assert inside.mean() > 0.9
    np.testing.assert_allclose(crop[0, 0].numpy()[inside], expected[inside, 0], atol=0.02)
    np.testing.assert_allclose(crop[0, 1].numpy()[inside], expected[inside, 1], atol=0.02)


def test_shrinking_averages_instead_of_skipping():
    stripes = (torch.arange(400) % 2).float().expand(1, 3, 400, 400)
    crop = aligned_crops(stripes, 4 * TEMPLATE[None], TEMPLATE, 100)
    torch.testing.assert_close(crop, torch.full_like(crop, 0.5), atol=1e-4, rtol=0)


def test_a_crop_does_not_depend_on_the_other_faces_of_its_batch():
    pictures = torch.rand(4, 3, 400, 400, generator=torch.Generator().manual_seed(0))
    places = np.stack([TEMPLATE * scale for scale in (3.6, 1.0, 2.4, 1.0)])  # of each size another number of samples
    together = aligned_crops(pictures, places, TEMPLATE, 100)
    for i in range(4):
        alone = aligned_crops(pictures[i : i + 1], places[i : i + 1], TEMPLATE, 100)
        torch.testing.assert_close(together[i : i + 1], alone, rtol=0, atol=1e-6)
    assert aligned_crops(pictures[:0], places[:0], TEMPLATE, 100).shape == (0, 3, 100, 100)


def test_gradient_reaches_the_pixels():
    pixels = torch.rand(2, 3, 100, 100, requires_grad=True)
    aligned_crops(pixels, np.stack([TEMPLATE, TEMPLATE + 3]), TEMPLATE, 50).sum().backward()
    assert (pixels.grad.abs().sum((1, 2, 3)) > 0).all()
