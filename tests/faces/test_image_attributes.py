"""Image attributes: neutral strengths, closed forms, and the algebra of the colour matrix."""

import colorsys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slow_renderer.image_attributes import apply_image_attributes as oracle
from slow_renderer.image_attributes import color_matrix

from fr_explore.attributes import ATTRIBUTES, IMAGE_ATTRIBUTES
from fr_explore.faces.image_attributes import LUMA, apply_image_attributes, grain


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


@given(st.floats(-45, 45), st.floats(0, 2))
@settings(max_examples=25)
def test_hue_and_saturation_are_the_matrix(hue, saturation):
    picture = np.random.default_rng(0).uniform(0.4, 0.6, (3, 5, 3))
    expected = np.clip(picture @ color_matrix(hue, saturation).T, 0, 1)
    np.testing.assert_allclose(
        apply_image_attributes(picture, {"hue": hue, "saturation": saturation}), expected, atol=1e-6
    )


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (5, 2), (33, 47), (70, 3)])
@pytest.mark.parametrize("blur", [0.0, 0.4, 3.0])
def test_any_size_and_blur_agree_with_the_oracle(shape, blur):
    picture = np.random.default_rng(0).random((*shape, 3), dtype=np.float32)
    strengths = {"blur": blur, "contrast": 1.3, "hue": 20, "brightness": 0.9}
    np.testing.assert_allclose(apply_image_attributes(picture, strengths), oracle(picture, strengths), atol=2e-6)


def test_the_grain_is_standard_normal_and_depends_on_the_seed_alone():
    from scipy.stats import kstest

    sample = np.concatenate([grain((50, 60, 3), seed).ravel() for seed in range(20)])
    assert kstest(sample.astype(float), "norm").pvalue > 0.01
    pattern = grain((200, 160, 3), 5)
    assert np.array_equal(pattern, grain((200, 160, 3), 5))
    # no correlation between neighbours, between channels, or between seeds
    others = (pattern[1:], pattern[:-1]), (pattern[..., 0], pattern[..., 1]), (pattern, grain(pattern.shape, 6))
    for a, b in others:
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 0.02


def philox(counter, key):
    """Philox-4x32-10 from its paper, in Python's integers."""
    x, k = list(counter), list(key)
    for _ in range(10):
        a, b = 0xD2511F53 * x[0], 0xCD9E8D57 * x[2]
        x = [(b >> 32) ^ x[1] ^ k[0], b % 2**32, (a >> 32) ^ x[3] ^ k[1], a % 2**32]
        k = [(k[0] + 0x9E3779B9) % 2**32, (k[1] + 0xBB67AE85) % 2**32]
    return x


def test_the_grain_is_made_of_philox_numbers():
    assert philox((0,) * 4, (0, 0)) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]  # published known answer
    for seed in (0, 7, 2**32 - 1):
        expected = []
        for i in range(6):
            a, b, c, d = philox((i, 0, 0, 0), (seed, 0))
            for u, t in ((a, b), (c, d)):
                radius = np.sqrt(-2 * np.log(((u >> 9) + 0.5) / 2**23))
                expected += [
                    radius * np.cos(2 * np.pi * (t >> 8) / 2**24),
                    radius * np.sin(2 * np.pi * (t >> 8) / 2**24),
                ]
        np.testing.assert_allclose(grain((2, 4, 3), seed).ravel(), expected, atol=3e-6)


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


@pytest.mark.parametrize("blur", [5e-324, 1e-44, 5.5e-35, 1e-10])
def test_a_vanishing_blur_changes_nothing(picture, blur):
    assert np.array_equal(apply_image_attributes(picture, {"blur": blur}), picture)


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
        ((np.zeros((0, 4, 3)), {}), r"pixels have shape \(0, 4, 3\): give one RGB picture"),
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
