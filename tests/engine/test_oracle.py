"""The engine against the renderer of version 0.1 in numpy, which is frozen with its asset."""

import numpy as np
import pytest
from numpy_renderer import picture, portrait
from numpy_renderer.appearance import hair_tone as oracles_hair_tone

from fr_explore.attributes import ATTRIBUTES, AVATAR_ATTRIBUTES
from fr_explore.faces.avatars.appearance import hair_tone
from fr_explore.faces.avatars.head import load_head
from fr_explore.faces.avatars.identity import draw_identity
from fr_explore.faces.avatars.source import Avatars

SEED, PICTURES, SIZES = 4, 24, (80, 160, 224)
TIES = 1e-4  # share of pixels in which two depths may tie, or an edge may meet a sample, within rounding


def drawn(number):
    """Random strengths of all attributes but noise, over their whole ranges; the first two pictures are neutral."""
    if number < 2:
        return {}
    rng = np.random.default_rng([SEED, number])
    names = [name for name in AVATAR_ATTRIBUTES if name != "noise"]
    strengths = {name: float(rng.uniform(ATTRIBUTES[name].low, ATTRIBUTES[name].high)) for name in names}
    return strengths if number % 2 else strengths | {"glasses": 0.0, "blur": 0.0}


@pytest.fixture(scope="module")
def pairs():
    """Size -> pictures (24, size, size, 3) of the engine and of the oracle, and landmarks (24, 5, 2) of both."""
    faces = Avatars(PICTURES, SEED)
    found = {}
    for size in SIZES:
        ours = faces.render_batch(faces.identities, [drawn(i) for i in faces.identities], size)
        theirs = [picture(SEED, i, drawn(i), size) for i in faces.identities]
        found[size] = (
            np.stack([face.pixels for face in ours]), np.stack([pixels for pixels, _ in theirs]),
            np.stack([face.landmarks for face in ours]), np.stack([marks for _, marks in theirs]),
        )  # fmt: skip
    return found


def test_every_channel_is_within_one_step_of_8_bits_but_for_ties(pairs):
    apart = {size: np.abs(ours - theirs).max(axis=-1) > 1 / 255 for size, (ours, theirs, *_) in pairs.items()}
    count, total = sum(int(a.sum()) for a in apart.values()), sum(a.size for a in apart.values())
    assert count <= TIES * total, {size: a.sum(axis=(1, 2)).tolist() for size, a in apart.items()}


def test_the_mean_difference_is_a_small_part_of_that_step(pairs):
    for ours, theirs, *_ in pairs.values():
        assert np.abs(ours - theirs).mean() < 0.05 / 255


def test_landmarks_agree_to_a_thousandth_of_a_pixel(pairs):
    for *_, ours, theirs in pairs.values():
        np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_the_grain_has_the_same_mean_and_spread():
    """The engine makes its own grain, because numpy's generator does not run in a page."""
    faces = Avatars(4, SEED)
    # grey and dim, so that no pixel is clipped
    strengths = {"contrast": 0.5, "brightness": 0.8, "noise": 0.05}
    for i in faces.identities:
        ours, theirs = faces.render(i, strengths, 160).pixels, picture(SEED, i, strengths, 160)[0]
        plain = faces.render(i, strengths | {"noise": 0}, 160).pixels
        assert (ours - plain).mean() == pytest.approx(0, abs=4 * 0.05 / 277)  # four standard errors of 76,800 values
        assert (ours - plain).std() == pytest.approx((theirs - plain).std(), rel=0.02)


def test_hair_tones_agree_with_the_engines():
    """Labels use `hair_tone` in Python; the pictures above hold the engine's to the oracle's."""
    for number in range(12):
        person = draw_identity(load_head(), SEED, number)
        for strength in (-1.0, -0.3, 0.0, 0.6, 1.0):
            expected = oracles_hair_tone(portrait(SEED, number).identity, strength)
            np.testing.assert_allclose(hair_tone(person, strength), expected, rtol=1e-12)
