"""The engine against the slow renderer, which shares no code with it: pictures, landmarks, grain, hair tones."""

import numpy as np
import pytest
from slow_renderer import picture
from slow_renderer.color import _hermite
from slow_renderer.image_attributes import grain as numpys_grain

from fr_explore.attributes import ATTRIBUTES, AVATAR_ATTRIBUTES
from fr_explore.faces.avatars.appearance import hair_tone
from fr_explore.faces.avatars.head import load_head
from fr_explore.faces.avatars.source import Avatars, _identity

SEED, PICTURES, SIZES = 4, 24, (40, 48, 56, 64)
TIES = 2e-4  # share of pixels in which two depths may tie, or an edge may meet a sample, within rounding


def drawn(number):
    """Random strengths of all attributes but noise, over their whole ranges; the first two pictures are neutral."""
    if number < 2:
        return {}
    rng = np.random.default_rng([SEED, number])
    names = [name for name in AVATAR_ATTRIBUTES if name != "noise"]
    strengths = {name: float(rng.uniform(ATTRIBUTES[name].low, ATTRIBUTES[name].high)) for name in names}
    return strengths if number % 2 else strengths | {"glasses": 0.0, "blur": 0.0}


def slow(number, strengths, size):
    return picture(load_head(), _identity(SEED, number), strengths, size)


@pytest.fixture(scope="module")
def pairs():
    """Largest difference of each pixel's channels (size, size), and landmarks of both, of 24 pictures."""
    faces = Avatars(PICTURES, SEED)
    found = []
    for number in faces.identities:
        size = SIZES[number % len(SIZES)]
        ours, (pixels, marks) = faces.render(number, drawn(number), size), slow(number, drawn(number), size)
        found.append((np.abs(ours.pixels - pixels).max(axis=-1), ours.landmarks, marks))
    return found


def test_the_pictures_are_of_all_kinds():
    people = [_identity(SEED, number) for number in range(PICTURES)]
    assert len({person.style for person in people}) >= 8
    assert len({person.skin for person in people}) >= 5
    assert {person.mirrored for person in people} == {True, False}


def test_every_channel_is_within_two_steps_of_8_bits_but_for_ties(pairs):
    count = [int((apart > 2 / 255).sum()) for apart, *_ in pairs]
    assert sum(count) <= TIES * sum(apart.size for apart, *_ in pairs), count


def test_the_mean_difference_is_a_small_part_of_that_step(pairs):
    for apart, *_ in pairs:
        assert apart.mean() < 0.15 / 255


def test_landmarks_agree_to_a_thousandth_of_a_pixel(pairs):
    for _, ours, theirs in pairs:
        np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_a_picture_in_bands_agrees_with_the_oracle():
    """A picture has several bands, and a large one many."""
    strengths = {"head_angle": 12.0, "age": 60.0, "glasses": 0.6, "expression": 0.7}
    number = next(i for i in range(PICTURES) if _identity(SEED, i).style == "short04")
    ours, (theirs, marks) = Avatars(PICTURES, SEED).render(number, strengths, 364), slow(number, strengths, 364)
    apart = np.abs(ours.pixels - theirs).max(axis=-1) > 2 / 255
    assert apart.sum() <= TIES * apart.size
    np.testing.assert_allclose(ours.landmarks, marks, atol=1e-3 * 364 / 160)


def test_the_grain_has_the_mean_and_spread_of_numpys():
    """The engine makes its own grain, because numpy's generator does not run in a page."""
    faces = Avatars(1, SEED)
    # grey and dim, so that no pixel is clipped
    strengths = {"contrast": 0.5, "brightness": 0.8, "noise": 0.05}
    ours = faces.render(0, strengths).pixels - faces.render(0, strengths | {"noise": 0}).pixels
    assert ours.mean() == pytest.approx(0, abs=4 * 0.05 / 277)  # four standard errors of 76,800 values
    assert ours.std() == pytest.approx(0.05 * numpys_grain(ours.shape, 3).std(), rel=0.02)


def test_hair_tones_of_labels_agree_with_the_engines():
    """Labels use `hair_tone` in Python; the pictures above hold the engine's to the oracle's."""
    dark, light = np.array([0.0085, 0.0070, 0.0065]), np.array([0.78, 0.66, 0.46])
    for person in (_identity(SEED, number) for number in range(12)):
        own = np.clip(person.hair, dark * 1.2, light / 1.2)
        for strength in (-1.0, -0.3, 0.0, 0.6, 1.0):
            np.testing.assert_allclose(hair_tone(person, strength), _hermite(dark, own, light, strength), rtol=1e-12)
