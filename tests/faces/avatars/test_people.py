"""People: evenly spread, human in their proportions, painted within their faces; what hair leaves free."""

import io
from dataclasses import replace
from importlib import resources

import numpy as np
import pytest

from fr_explore.engine import host
from fr_explore.faces.avatars.chart import BOTTOM, LEFT, PER_CM, paint
from fr_explore.faces.avatars.head import load_head
from fr_explore.faces.avatars.identity import _evenly, draw_identity
from fr_explore.faces.avatars.packing import pack_person
from fr_explore.faces.avatars.proportions import LIMITS, proportions
from fr_explore.faces.avatars.shapes import draw_shape
from fr_explore.faces.avatars.source import head_blob

HEAD = load_head()


@pytest.fixture(scope="module")
def people():
    return [draw_identity(HEAD, 5, number) for number in range(30)]


def drawn(person, size=96, **strengths):
    return host.render(head_blob(), pack_person(HEAD, person), strengths, size)


@pytest.mark.parametrize(("seed", "start"), [(0, 0), (7, 0), (7, 1000), (123456789, 17)])
def test_any_thirty_people_in_a_row_are_balanced(seed, start):
    places = np.array([_evenly(seed, number) for number in range(start, start + 30)])
    assert places.min() >= 0
    assert places.max() < 1
    for column in places.T:
        assert np.abs(np.sort(column) - (np.arange(30) + 0.5) / 30).max() < 0.2  # a random draw exceeds this in 1 of 6
    assert 12 <= (places[:, 0] < 0.5).sum() <= 18
    assert np.bincount((3 * places[:, 1]).astype(int)).min() >= 7


def test_a_person_has_one_line_of_skins_of_its_own_ancestry_and_gender(people):
    for person in people:
        most = max(("african", "asian", "caucasian"), key=person.traits.get)
        sex = {"feminine": "female", "masculine": "male"}[person.traits["gender"]]
        assert person.skin.startswith(f"{most}_{sex}")
        assert person.skin in HEAD.skin_names
        assert person.brow in HEAD.brow_names
        assert person.style in [*HEAD.hair_names, "none"]
    assert len({person.skin for person in people}) >= 6
    assert len({person.style for person in people}) >= 8


def test_proportions_stay_within_their_limits_and_differ():
    rng, mix = np.random.default_rng(0), np.array([0.0, 1.0, 0.0])
    corner = proportions(HEAD, HEAD.corners[1, 1, 0].astype(float))
    found = [proportions(HEAD, draw_shape(HEAD, rng, 1.0, mix, rng.random(5))[0]) for _ in range(25)]
    for name, limit in LIMITS.items():
        ratio = np.array([each[name] for each in found]) / corner[name]
        # the average of people who reach beyond the corner of their ancestry and gender is a little different
        assert np.abs(ratio - 1).max() < limit + 0.12, name
        assert ratio.std() > 0.02, name


def test_two_draws_of_a_person_are_the_same_bits(people):
    again = draw_identity(HEAD, 5, 3)
    assert pack_person(HEAD, again) == pack_person(HEAD, people[3])
    assert again.traits == people[3].traits


def test_paint_keeps_to_its_place(people):
    x = LEFT + (np.arange(224) + 0.5) / PER_CM
    y = BOTTOM + (np.arange(320) + 0.5) / PER_CM
    for person in people:
        brows, hair, marks, relief = np.moveaxis(paint(person), -1, 0)
        assert brows.max() > 0.4
        openings = (np.abs(y[:, None]) < 0.45) & (np.abs(np.abs(x) - 3.1) < 1.2)
        assert brows[openings].max() < 0.02  # not on the eyes
        assert hair[:, np.abs(x) > 6.8].max() < 0.1  # it fades where the chart ends
        assert hair[y > 1.5].max() < 0.02
        assert hair[HEAD.makeup[..., 1] > 250].max() < 0.1  # the lips stay free
        assert np.isfinite(marks).all()
        assert abs(relief.mean() - 0.5) < 0.02


@pytest.mark.parametrize("number", range(6))
def test_no_hair_style_hides_an_eye(people, number):
    """Where a picture depends on the colour of the hair, there is hair (its soft shade does not count)."""
    person = replace(people[number], beard=0.0, length=1.0, volume=1.1)
    down, right = np.mgrid[-2:3, -4:5]
    opening = (right / 4.5) ** 2 + (down / 2.5) ** 2 < 1
    for style in HEAD.hair_names:
        for mirrored in (False, True):
            worn = replace(person, style=style, mirrored=mirrored)
            (dark, marks), (light, _) = (drawn(worn, hair_color=end) for end in (-1.0, 1.0))
            assert np.abs(light - dark)[:30].max() > 0.2, style
            for x, y in marks[:2].astype(int):
                eye = np.s_[y - 2 : y + 3, x - 4 : x + 5]
                np.testing.assert_allclose(light[eye][opening], dark[eye][opening], atol=0.02, err_msg=style)


def test_weights_as_bytes_hardly_move_hair():
    with resources.files("fr_explore").joinpath("assets/avatar.npz").open("rb") as file:
        asset = np.load(io.BytesIO(file.read()))
    for name, hair in HEAD.hair.items():
        baked, (weights, anchors) = asset[f"hair_{name}_data"].astype(float), hair.binding
        assert weights.dtype == np.uint8
        change = weights / weights.sum(axis=1, keepdims=True) - baked / baked.sum(axis=1, keepdims=True)
        moved = np.linalg.norm(np.einsum("nk,nkd->nd", change, HEAD.mean[anchors]), axis=1)
        assert 0 < moved.max() < 0.014, name  # cm


def test_facial_hair_is_shaven_own_or_full(people):
    bearded = next(person for person in people if 0.3 < person.beard < 0.9)
    own, shaven, full = (drawn(bearded, facial_hair=value)[0] for value in (0, -1, 1))
    np.testing.assert_array_equal(drawn(replace(bearded, beard=0.0, style="none"))[0],
                                  drawn(replace(bearded, beard=0.0, style="none"), facial_hair=-1)[0])  # fmt: skip
    assert np.abs(full - shaven).mean() > np.abs(own - shaven).mean() > 0.001


def test_age_changes_the_skin(people):
    person = replace(people[1], brow_change=(0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0))  # no brows
    young, old = (drawn(person, age=age)[0] for age in (18, 75))
    fine = [np.abs(np.diff(picture[40:75, 32:64], axis=0)).mean() for picture in (young, old)]
    assert fine[1] > 1.1 * fine[0]  # wrinkles


def test_hair_has_no_long_triangles():
    """The engine sorts hair by the centres of its triangles."""
    for name, hair in HEAD.hair.items():
        weights, anchors = hair.binding
        points = np.einsum("nk,nkd->nd", weights / weights.sum(axis=1, keepdims=True), HEAD.mean[anchors]) + hair.offset
        corners = points[hair.triangles]
        assert np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max() < 2.4, name
