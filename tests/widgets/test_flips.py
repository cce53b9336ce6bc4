"""The smallest visible change that flips a decision: known pictures, a known distance."""

from types import SimpleNamespace

import numpy as np
import pytest
from toy import toy_model

import fr_explore as fr
from fr_explore_widgets import course


class Stripes:
    """A grey face of which `rows` rows of ten are brighter by `by`."""

    identities = (0,)

    def render(self, identity, strengths, size=160):
        pixels = np.full((10, 10, 3), 0.5, "float32")
        pixels[: int(strengths.get("rows", 0)), :, 1] += np.float32(strengths.get("by", 0.2))
        return fr.Face(pixels)


def model(threshold=0.3):
    """Embeds a picture as the mean brightness of its rows."""
    card = SimpleNamespace(name="rows", metric="euclidean", threshold=threshold)
    return SimpleNamespace(
        card=card, embed=lambda faces: np.stack([face.pixels[..., 1].mean(axis=1) for face in faces])
    )


def test_only_the_smallest_flip_counts():
    flips = course.Flips(Stripes(), model(), 0)
    assert flips.best is None
    found = flips.score({"rows": 2})  # distance 0.2 * sqrt(2) = 0.28
    assert (found.status, flips.best) == ("not yet", None)
    assert found.text == "Still the same person: 20.0 % of the picture changed, distance 0.28 of 0.3."
    assert flips.score({"rows": 5}).text.startswith("Flipped, your best so far: 50.0 % of the picture changed")
    assert flips.score({"rows": 3}).passed
    assert flips.best == pytest.approx(30)
    assert flips.score({"rows": 9}).text.endswith("Your best is 30.0 %.")
    assert flips.best == pytest.approx(30)


class TwoPeople(Stripes):
    """The second has two brighter rows more than the strengths say."""

    identities = (0, 1)

    def render(self, identity, strengths, size=160):
        return super().render(identity, {**strengths, "rows": strengths.get("rows", 0) + 2 * identity}, size)


def test_two_people_who_are_taken_for_one_are_told_apart_and_the_reverse():
    confused = course.Flips(TwoPeople(), model(0.3), 1, reference=0)  # 0.28 apart
    assert confused.score({}).text.startswith("Still the same person: 0.0 % of the picture changed, distance 0.28")
    assert confused.score({"rows": 1}).text.startswith("Flipped, your best so far: 10.0 %")  # 0.35
    apart = course.Flips(TwoPeople(), model(0.25), 1, reference=0)
    assert apart.score({"rows": 3}).text.startswith("Still different people: 30.0 %")
    assert apart.score({"rows": -1}).text.startswith("Flipped, your best so far: 10.0 %")  # 0.2


def test_a_change_that_nobody_sees_is_no_change_of_the_picture():
    flips = course.Flips(Stripes(), model(threshold=0.01), 0)
    assert "0.0 % of the picture" in flips.score({"rows": 10, "by": 0.03}).text
    assert flips.best == 0


def test_with_avatars_and_a_network(avatars):
    flips = course.Flips(avatars, fr.load_model("controlled/all-varied"), 0, size=80)
    assert flips.score({}).text.startswith("Still the same person: 0.0 % of the picture changed, distance 0.00 of")


def test_a_model_without_a_threshold_decides_nothing():
    with pytest.raises(ValueError, match="toy has no threshold, so nothing decides"):
        course.Flips(Stripes(), toy_model(), 0)
