"""Avatars: identities, effect and smoothness of every attribute, landmarks, labels, errors."""

from importlib import resources

import numpy as np
import pytest

from fr_explore.attributes import ATTRIBUTES, AVATAR_ATTRIBUTES, IMAGE_ATTRIBUTES, PAPER_ATTRIBUTES
from fr_explore.faces.avatars.appearance import hair_tone
from fr_explore.faces.avatars.head import load_head
from fr_explore.faces.avatars.identity import draw_identity
from fr_explore.faces.avatars.source import Avatars
from fr_explore.faces.base import FaceSource
from fr_explore.faces.image_attributes import LUMA, apply_image_attributes

SMALL = 48


@pytest.fixture(scope="module")
def faces():
    return Avatars(identities=6, seed=0)


@pytest.fixture(scope="module")
def fair(faces):
    """The person with the lightest skin, on which dark paint and frames are most visible."""
    return min(faces.identities, key=lambda number: draw_identity(load_head(), 0, number).melanin)


def pixels(faces, identity=0, size=SMALL, **strengths):
    return faces.render(identity, strengths, size).pixels


def test_it_is_a_face_source(faces):
    assert isinstance(faces, FaceSource)
    assert tuple(faces.attributes) == AVATAR_ATTRIBUTES
    assert AVATAR_ATTRIBUTES[:8] == PAPER_ATTRIBUTES
    assert faces.identities == (0, 1, 2, 3, 4, 5)


def test_a_face_has_float_pixels_not_rounded_to_8_bits_and_five_landmarks(faces):
    face = faces.render(0)
    assert face.pixels.shape == (160, 160, 3)
    assert face.pixels.dtype == np.float32
    assert 0 <= face.pixels.min() < face.pixels.max() <= 1
    assert np.abs(face.pixels * 255 - np.round(face.pixels * 255)).max() > 0.4
    assert face.landmarks.shape == (5, 2)
    assert face.landmarks.dtype == np.float32


def test_an_identity_depends_on_the_seed_but_not_on_the_number_of_identities(faces):
    few, other = Avatars(2, seed=0), Avatars(2, seed=1)
    assert np.array_equal(pixels(faces, 1), pixels(few, 1))
    assert np.abs(pixels(faces, 1) - pixels(other, 1)).mean() > 0.01
    assert np.abs(pixels(faces, 0) - pixels(faces, 1)).mean() > 0.01


def test_a_batch_equals_single_renders_bit_by_bit(faces):
    who = [0, 3, 1, 0]
    strengths = [{}, {"age": 60}, {"glasses": 0.5, "noise": 0.05}, {"head_angle": -20, "expression": 1}]
    for face, i, s in zip(faces.render_batch(who, strengths, SMALL), who, strengths, strict=True):
        single = faces.render(i, s, SMALL)
        assert np.array_equal(face.pixels, single.pixels)
        assert np.array_equal(face.landmarks, single.landmarks)
    assert faces.render_batch([], []) == []


def test_neutral_strengths_are_the_default(faces):
    neutral = {name: record.neutral for name, record in faces.attributes.items()}
    assert np.array_equal(pixels(faces), pixels(faces, **neutral))


@pytest.mark.parametrize("name", [name for name in AVATAR_ATTRIBUTES if name not in IMAGE_ATTRIBUTES])
def test_every_attribute_of_the_head_is_visible_and_continuous(faces, fair, name):
    record = ATTRIBUTES[name]
    values = np.linspace(record.low, record.high, 25)
    # and tiny steps, which must change the picture little
    tiny = values[:-1:6] + 1e-3 * (record.high - record.low)
    strengths = [{name: float(v)} for v in (*values, *tiny)]
    rendered = np.stack([f.pixels for f in faces.render_batch([fair] * len(strengths), strengths, SMALL)])
    shown, near = rendered[:25], rendered[25:]
    moves = np.abs(np.diff(shown, axis=0)).mean(axis=(1, 2, 3))
    assert np.abs(shown[-1] - shown[0]).mean() > 0.002
    assert moves.max() < 6 * moves.mean() + 1e-3
    assert np.abs(near - shown[:-1:6]).mean(axis=(1, 2, 3)).max() < 0.004


@pytest.mark.parametrize("name", IMAGE_ATTRIBUTES)
def test_image_attributes_are_applied_to_the_finished_picture(faces, name):
    """`tests/faces/test_image_attributes.py` tests their continuity."""
    neutral, seed = pixels(faces, 2), draw_identity(load_head(), 0, 2).seed
    for value in {ATTRIBUTES[name].low, ATTRIBUTES[name].high} - {ATTRIBUTES[name].neutral}:
        changed = pixels(faces, 2, **{name: value})
        np.testing.assert_array_equal(changed, apply_image_attributes(neutral, {name: value}, seed))
        assert np.abs(changed - neutral).mean() > 0.002


def test_landmarks_are_in_order_and_turn_with_the_head(faces):
    left, right, nose, mouth_left, mouth_right = faces.render(0).landmarks
    assert 40 < left[0] < nose[0] < right[0] < 120
    assert mouth_left[0] < nose[0] < mouth_right[0]
    assert max(left[1], right[1]) < nose[1] < min(mouth_left[1], mouth_right[1]) < 160
    assert left[1] == pytest.approx(right[1], abs=1)
    turned = faces.render(0, {"head_angle": 20}).landmarks
    assert turned[2, 0] > nose[0] + 8  # the nose moves to the right of the picture, and more than the eyes
    assert turned[2, 0] - nose[0] > turned[0, 0] - left[0]
    assert faces.render(0, {"head_pitch": 15}).landmarks[2, 1] < nose[1] - 4


def test_landmarks_follow_the_mouth_and_scale_with_the_picture(faces):
    neutral, smile = faces.render(0).landmarks, faces.render(0, {"expression": 1}).landmarks
    assert smile[4, 0] - smile[3, 0] > neutral[4, 0] - neutral[3, 0] + 1
    np.testing.assert_allclose(faces.render(0, size=320).landmarks, 2 * neutral, rtol=1e-5)


def test_landmarks_of_the_eyes_are_on_the_irises(faces):
    face = faces.render(2, size=320)
    x, y = face.landmarks[:2].mean(axis=0).astype(int)
    between = face.pixels[y - 4 : y + 4, x - 4 : x + 4].mean()
    for x, y in face.landmarks[:2].astype(int):
        assert (
            face.pixels[y - 6 : y + 6, x - 6 : x + 6].mean() < 0.8 * between
        )  # an iris is darker than the bridge of the nose


def test_the_lamp_lights_its_own_side(faces):
    def sides(azimuth):
        picture = pixels(faces, 3, illumination=azimuth)[16:40]
        return picture[:, 12:20].mean(), picture[:, 28:36].mean()

    left, right = sides(60)
    assert right > left + 0.05
    left, right = sides(-60)
    assert left > right + 0.05


def test_hair_tones_rise_continuously_from_dark_to_light():
    for number in range(12):
        person = draw_identity(load_head(), 0, number)
        light = [float(LUMA @ hair_tone(person, s)) for s in np.linspace(-1, 1, 41)]
        assert np.all(np.diff(light) > 0)
        assert max(np.diff(np.log(light))) < 0.5  # no jump


def test_skin_tones_rise_continuously_from_dark_to_light(faces):
    steps = [{"skin_tone": s} for s in np.linspace(-1, 1, 41)]
    for number in faces.identities:
        cheeks = [face.pixels[27:32, 18:23] for face in faces.render_batch([number] * 41, steps, SMALL)]
        light = [float((cheek @ LUMA).mean()) for cheek in cheeks]
        assert np.all(np.diff(light) > 0)
        assert max(np.diff(np.log(light))) < 0.2  # no jump


def test_glasses_fade_in(faces, fair):
    bare, half, full = (pixels(faces, fair, glasses=g).astype(float) for g in (0, 0.5, 1))
    changed = np.abs(full - bare).max(axis=2) > 0.1
    assert 20 < changed.sum() < 600
    assert np.all(half[changed].mean(axis=1) < bare[changed].mean(axis=1))
    assert np.array_equal(pixels(faces, fair), pixels(faces, fair, glasses=0))


def test_each_identity_has_its_own_grain(faces):
    def grain(identity):
        return pixels(faces, identity, noise=0.02) - pixels(faces, identity)

    assert (
        np.corrcoef(grain(0).ravel(), (pixels(faces, 0, noise=0.02, age=60) - pixels(faces, 0, age=60)).ravel())[0, 1]
        > 0.9
    )
    assert abs(np.corrcoef(grain(0).ravel(), grain(1).ravel())[0, 1]) < 0.2


def test_traits_describe_each_identity(faces):
    traits = faces.traits
    assert traits["identity"].tolist() == list(faces.identities)
    assert set(traits["gender"]) <= {"feminine", "masculine"}
    np.testing.assert_allclose(traits[["african", "asian", "caucasian"]].sum(axis=1), 1)
    assert traits["melanin"].between(0, 1).all()
    assert set(Avatars(60, 0).traits["hair_length"]) == {"none", "short", "long"}


def test_labels_depend_on_identity_and_strengths():
    faces = Avatars(40, seed=0)
    strengths = [{"age": 70, "expression": 1.0, "glasses": 1.0} if i % 2 else {} for i in faces.identities]
    labels = faces.labels(faces.identities, strengths)
    assert set(np.unique(labels.to_numpy())) == {-1, 1}
    for name in ("old", "smiling", "glasses"):
        assert labels[name].tolist() == [1 if i % 2 else -1 for i in faces.identities]
        assert labels.attrs["kind"][name] == "transient"
    assert labels["feminine"].tolist() == [1 if g == "feminine" else -1 for g in faces.traits["gender"]]
    assert labels["no_hair"].tolist() == [1 if s == "none" else -1 for s in faces.traits["hair_style"]]
    assert not ((labels["light_hair"] == 1) & (labels["dark_hair"] == 1)).any()
    haired = next(i for i in faces.identities if faces.traits["hair_length"][i] == "long")
    both = faces.labels([haired, haired], [{"hair_color": 1.0}, {"hair_color": -1.0}])
    assert both["light_hair"].tolist() == [1, -1]
    assert both["dark_hair"].tolist() == [-1, 1]


def test_the_fingerprint_depends_on_the_seed_only():
    assert Avatars(3, 0).fingerprint == Avatars(9, 0).fingerprint
    assert Avatars(3, 0).fingerprint != Avatars(3, 1).fingerprint


def test_display_in_a_notebook(faces):
    assert repr(faces) == "Avatars(identities=6, seed=0)"
    html = faces._repr_html_()
    assert 'src="data:image/png;base64,' in html
    assert "6 avatars (seed 0)" in html


def test_dlibs_detector_finds_the_faces(faces):
    import dlib

    find = dlib.get_frontal_face_detector()
    assert all(
        len(find(np.asarray(face.to_image()), 1)) == 1 for face in faces.render_batch(faces.identities, [{}] * 6)
    )


def test_the_asset_is_small_and_documents_its_provenance():
    assets = resources.files("fr_explore").joinpath("assets")
    assert len(assets.joinpath("avatar.npz").read_bytes()) < 10e6
    text = assets.joinpath("AVATAR.md").read_text()
    assert "CC0" in text
    assert "tools/bake_avatar.py" in text


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f: f.render(6), r"unknown identity 6: choose a whole number from 0 to 5\."),
        (lambda f: f.render(-1), r"unknown identity -1: choose"),
        (lambda f: f.render("Ann"), r"unknown identity 'Ann': choose"),
        (lambda f: f.render(True), r"unknown identity True: choose"),
        (lambda f: f.render(0, {"age": 5}), r"age = 5 is out of range: give a number from 18 to 75 years"),
        (lambda f: f.render(0, {"age": float("nan")}), r"age = nan is out of range"),
        (lambda f: f.render(0, {"hair_colour": 0}), r"unknown attribute 'hair_colour'. Did you mean 'hair_color'\?"),
        (lambda f: f.render(0, {"zoom": 1}), r"unknown attribute 'zoom'"),
        (
            lambda f: f.render(0, size=8),
            r"size = 8: give the picture's side as a whole number of pixels from 32 to 2048",
        ),
        (lambda f: f.render(0, size=9999), r"size = 9999: give"),
        (lambda f: f.render(0, size=99.5), r"size = 99\.5: give"),
        (lambda f: f.render_batch([0, 1], [{}]), r"2 identities but 1 strengths: give one mapping each"),
        (lambda f: f.labels([0], []), r"1 identities but 0 strengths"),
        (lambda f: Avatars(0), r"identities = 0: give the number of identities, 1 or more"),
        (lambda f: Avatars(2.5), r"identities = 2\.5: give the number of"),
        (lambda f: Avatars(3, seed=-1), r"seed = -1: give a whole number, 0 or larger"),
    ],
)
def test_errors_name_the_value_and_the_allowed_values(faces, call, message):
    with pytest.raises(ValueError, match=message):
        call(faces)
