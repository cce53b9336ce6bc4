"""Image attributes: neutral strengths, closed forms, and the algebra of the colour matrix."""

import colorsys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fr_explore.attributes import ATTRIBUTES, IMAGE_ATTRIBUTES
from fr_explore.faces.image_attributes import LUMA, apply_image_attributes, color_matrix, grain


@pytest.fixture(scope="module")
def picture():
    return np.random.default_rng(0).uniform(0.3, 0.6, (24, 32, 3)).astype(np.float32)


def test_neutral_strengths_change_nothing(picture):
    neutral = {name: ATTRIBUTES[name].neutral for name in IMAGE_ATTRIBUTES}
    assert np.array_equal(apply_image_attributes(picture), picture)
    assert np.array_equal(apply_image_attributes(picture, neutral), picture)


def test_the_input_is_not_modified(picture):
    before = picture.copy()
    apply_image_attributes(picture, {"brightness": 1.3, "noise": 0.1, "hue": 20, "blur": 1})
    assert np.array_equal(picture, before)


def test_brightness_multiplies_and_clips(picture):
    np.testing.assert_allclose(
        apply_image_attributes(picture, {"brightness": 1.5}), np.minimum(1.5 * picture, 1), rtol=1e-6
    )
    assert apply_image_attributes(np.full((8, 8, 3), 0.9), {"brightness": 1.5}).max() == 1


def test_contrast_scales_around_the_mean_grey(picture):
    out = apply_image_attributes(picture, {"contrast": 0.5})
    grey = float((picture @ LUMA).mean())
    np.testing.assert_allclose(out - grey, 0.5 * (picture - grey), atol=1e-6)
    assert float((out @ LUMA).mean()) == pytest.approx(grey, abs=1e-6)


def test_without_saturation_only_the_luma_remains(picture):
    out = apply_image_attributes(picture, {"saturation": 0})
    np.testing.assert_allclose(out, np.repeat((picture @ LUMA)[..., None], 3, axis=2), atol=1e-6)


def test_a_third_of_a_turn_permutes_the_channels():
    np.testing.assert_allclose(color_matrix(120), [[0, 0, 1], [1, 0, 0], [0, 1, 0]], atol=1e-12)


def test_positive_hue_moves_red_towards_yellow_as_in_colorsys():
    turned = color_matrix(30) @ [0.6, 0.3, 0.3]
    before, after = colorsys.rgb_to_hsv(0.6, 0.3, 0.3)[0], colorsys.rgb_to_hsv(*turned)[0]
    assert 0.03 < after - before < 0.15  # a turn of 30 degrees is 1/12; HSV's hexagon changes it a little


@given(st.floats(-180, 180), st.floats(-180, 180), st.floats(0, 1))
def test_hue_is_a_rotation_that_fixes_grey_and_adds_up(a, b, grey):
    turn = color_matrix(a)
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(turn @ np.full(3, grey), np.full(3, grey), atol=1e-12)
    np.testing.assert_allclose(color_matrix(b) @ turn, color_matrix(a + b), atol=1e-12)


def test_noise_scales_a_fixed_pattern(picture):
    pattern = grain(picture.shape, 3)
    for strength in (0.02, 0.04):
        np.testing.assert_allclose(
            apply_image_attributes(picture, {"noise": strength}, seed=3), picture + strength * pattern, atol=1e-6
        )
    assert not np.array_equal(
        apply_image_attributes(picture, {"noise": 0.02}, seed=4),
        apply_image_attributes(picture, {"noise": 0.02}, seed=3),
    )


def test_blur_spreads_a_point_as_a_gaussian_of_the_scaled_width():
    point = np.zeros((161, 320, 3), np.float32)
    point[80, 160] = 1
    out = apply_image_attributes(point, {"blur": 1.5})[..., 0].astype(float)
    columns = np.arange(320) - 160
    assert out.sum() == pytest.approx(1, abs=1e-4)
    assert np.sqrt((out.sum(axis=0) * columns**2).sum()) == pytest.approx(3.0, rel=0.01)  # 1.5 px at 160 px


@settings(max_examples=25)
@given(st.fixed_dictionaries({n: st.floats(ATTRIBUTES[n].low, ATTRIBUTES[n].high) for n in IMAGE_ATTRIBUTES}))
def test_results_are_float32_in_range_and_repeatable(strengths):
    picture = np.random.default_rng(1).random((12, 12, 3), dtype=np.float32)
    out = apply_image_attributes(picture, strengths, seed=1)
    assert out.dtype == np.float32
    assert out.shape == picture.shape
    assert 0 <= out.min() <= out.max() <= 1
    assert np.array_equal(out, apply_image_attributes(picture, strengths, seed=1))


@pytest.mark.parametrize("name", IMAGE_ATTRIBUTES)
def test_every_attribute_is_continuous_over_its_range(picture, name):
    record = ATTRIBUTES[name]
    values = np.linspace(record.low, record.high, 201)
    pictures = np.stack([apply_image_attributes(picture, {name: float(v)}) for v in values])
    moves = np.abs(np.diff(pictures, axis=0)).mean(axis=(1, 2, 3))
    assert moves.max() < 0.02


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros((4, 4)), {}), r"pixels have shape \(4, 4\): give one RGB picture"),
        (
            (np.zeros((4, 4, 3)), {"brightness": 9}),
            r"brightness = 9 is out of range: give a number from 0\.5 to 1\.5",
        ),
        ((np.zeros((4, 4, 3)), {"noise": float("nan")}), r"noise = nan is out of range"),
        ((np.zeros((4, 4, 3)), {"age": 40}), r"unknown attribute 'age'.*Choose from: brightness"),
    ],
)
def test_errors_name_the_value_and_the_rule(arguments, message):
    with pytest.raises(ValueError, match=message):
        apply_image_attributes(*arguments)
