"""Photographs as faces. The only real photograph is scikit-image's astronaut; damaged files are made here."""

import contextlib
import functools
import io
import os
import re
import struct
import sys
import tempfile
import tracemalloc
import zlib
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage import data

import fr_explore as fr
from fr_explore.attributes import PHOTOGRAPH_ATTRIBUTES
from fr_explore.faces.photographs.decode import PictureError, check_array, decode, read_bytes
from fr_explore.faces.photographs.detect import find_faces
from fr_explore.faces.photographs.edits import compress, light_from_side, placement, reduce_resolution
from fr_explore.faces.photographs.portrait_crop import FRAME, PortraitCrop, square

ASTRONAUT = data.astronaut()[:240, 100:340]
NEUTRAL = {name: fr.ATTRIBUTES[name].neutral for name in PHOTOGRAPH_ATTRIBUTES}


@functools.cache
def the_astronaut() -> fr.Photographs:
    return fr.Photographs(ASTRONAUT, progress=False)


@pytest.fixture
def photos():
    return the_astronaut()


def saved(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


# reading ---------------------------------------------------------------------------------------------------------

PICTURE = Image.fromarray(ASTRONAUT)
CLEAR = PICTURE.copy()
CLEAR.putalpha(255)
FRAMES = [Image.new("RGB", PICTURE.size, color) for color in ("red", "blue")]
DEEP = Image.fromarray(np.asarray(PICTURE.convert("L")).astype(np.uint16) * 257)
FORMATS = {
    "JPEG": (saved(PICTURE, "JPEG", quality=95), 4),
    "PNG": (saved(PICTURE, "PNG"), 0),
    "BMP": (saved(PICTURE, "BMP"), 0),
    "WEBP": (saved(PICTURE, "WEBP", lossless=True), 0),
    "TIFF": (saved(PICTURE, "TIFF"), 0),
    "AVIF": (saved(PICTURE, "AVIF", quality=90), 4),
    "GIF, palette": (saved(PICTURE, "GIF"), 8),
    "grey": (saved(PICTURE.convert("L"), "PNG"), 30),
    "RGBA": (saved(CLEAR, "PNG"), 0),
    "grey with alpha": (saved(CLEAR.convert("LA"), "PNG"), 30),
    "CMYK": (saved(PICTURE.convert("CMYK"), "JPEG", quality=95), 5),
    "16 bits": (saved(DEEP, "PNG"), 30),
    "animated": (saved(PICTURE, "GIF", save_all=True, append_images=FRAMES), 8),
    "animated WEBP": (saved(PICTURE, "WEBP", lossless=True, save_all=True, append_images=FRAMES), 0),
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_kind_of_picture_is_read(name):
    content, tolerance = FORMATS[name]
    pixels, remarks = decode(content)
    found = pixels if pixels.dtype == np.uint8 else pixels * 255
    # grey pictures are compared with the grey of the original
    right = np.asarray(PICTURE.convert("L").convert("RGB")) if tolerance == 30 else ASTRONAUT
    assert np.abs(found.astype(float) - right).mean() <= (1 if tolerance == 30 else tolerance)
    assert remarks == (["animated: first frame used"] if "animated" in name else [])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(orientation):
    """All eight orientations of a camera: the file is stored so that the EXIF tag turns it upright."""
    undo = {
        1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = PICTURE if undo is None else PICTURE.transpose(undo)
    pixels, _ = decode(saved(stored, "PNG", exif=exif))
    np.testing.assert_array_equal(pixels, ASTRONAUT)


def test_transparent_parts_become_white():
    image = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    np.testing.assert_array_equal(decode(saved(image, "PNG"))[0], 255)
    half = np.full((4, 4, 4), 128, np.uint8)
    np.testing.assert_allclose(check_array(half), (128 * 128 / 255 + 127) / 255, atol=1e-6)


def test_a_large_jpeg_is_decoded_at_a_reduced_size():
    pixels, remarks = decode(saved(Image.new("RGB", (7000, 5000), "grey"), "JPEG"))
    assert pixels.shape == (2500, 3500, 3)
    assert remarks == ["read at 3500 x 2500 of 7000 x 5000 px"]


def png_header(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header claims this size."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    body = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", body) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")


JPEG = FORMATS["JPEG"][0]
UNUSABLE = {
    "empty.jpg": (b"", r"empty file \(0 bytes\)"),
    "cut.jpg": (JPEG[: len(JPEG) // 2], "damaged: image file is truncated"),
    "cut.png": (FORMATS["PNG"][0][:5000], "damaged: "),
    "header.png": (FORMATS["PNG"][0][:20], "damaged|not a picture"),
    "noise.webp": (FORMATS["WEBP"][0][:40] + os.urandom(2000), "damaged|not a picture"),
    "text.jpg": (b"this is not a picture", "not a picture in a format that Pillow reads"),
    "script.eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n", "not a picture"),
    "phone.heic": (
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        "HEIC, which Pillow reads only with a plug-in: pip install pillow-heif",
    ),
    "bomb.png": (png_header(60000, 60000), "more than 100 million pixels"),
    "large.png": (png_header(11000, 9500), "11000 x 9500 px has more than 100 million pixels"),
    "nan.tif": (saved(Image.fromarray(np.full((9, 9), np.nan, np.float32)), "TIFF"), "pixel values from nan"),
    "nobody.png": (saved(Image.fromarray(data.coffee()[:200, :200]), "PNG"), "no face found"),
    "sliver.png": (saved(Image.new("RGB", (900, 3)), "PNG"), "no face found"),
    "tiny.png": (saved(Image.new("RGB", (1, 1)), "PNG"), "no face found"),
}


def test_unusable_files_are_listed_as_problems_and_the_others_are_read(tmp_path):
    for name, (content, _) in UNUSABLE.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "anna.jpg").write_bytes(JPEG)
    (tmp_path / ".hidden").write_text("passed over")
    photos = fr.Photographs(tmp_path, progress=False)
    assert photos.identities == ("anna",)
    reasons = dict(zip(photos.problems.file, photos.problems.reason, strict=True))
    expected = {name: reason for name, (_, reason) in UNUSABLE.items()}
    expected |= {"gone.jpg": "file not found", "pipe.jpg": "not a regular file"}
    assert set(reasons) == set(expected)
    for name, reason in expected.items():
        assert re.search(reason, reasons[name]), (name, reasons[name])


@given(st.sampled_from(["JPEG", "PNG", "BMP", "GIF, palette", "TIFF", "WEBP", "animated", "16 bits"]), st.randoms())
@settings(max_examples=60, deadline=None)
def test_any_damage_gives_a_picture_or_a_reason(name, random):
    damaged = bytearray(FORMATS[name][0])
    for _ in range(random.randint(1, 20)):
        damaged[random.choice((random.randrange(200), random.randrange(len(damaged))))] = random.randrange(256)
    try:
        pixels, _ = decode(bytes(damaged[: random.choice((None, random.randrange(len(damaged))))]))
    except PictureError:
        return
    assert pixels.ndim == 3
    assert pixels.shape[2] == 3
    assert pixels.dtype in (np.uint8, np.float32)


@contextlib.contextmanager
def nobody():
    """Run as an ordinary user, because root can read everything."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_files_without_read_permission():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "closed.jpg").write_bytes(JPEG)
        (folder / "closed.jpg").chmod(0)
        (folder / "closed").mkdir(mode=0)
        try:
            with nobody():
                with pytest.raises(PictureError, match="no permission to read the file"):
                    read_bytes(folder / "closed.jpg")
                with pytest.raises(ValueError, match="a folder that cannot be listed"):
                    fr.Photographs(folder, progress=False)
        finally:
            (folder / "closed").chmod(0o755)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((5, 5, 2), np.uint8), r"shape \(5, 5, 2\)"),
        (np.zeros((0, 5, 3), np.uint8), r"shape \(0, 5, 3\)"),
        (np.full((5, 5, 3), 200.0), r"float array from 200 to 200: give values in \[0, 1\]"),
        (np.full((5, 5, 3), np.nan), "float array from nan"),
        (np.zeros((5, 5, 3), np.int64), "type int64"),
        (None, r"shape \(\)"),
        ([[1, 2], [3]], "rows of different lengths"),
    ],
)
def test_invalid_arrays(array, message):
    with pytest.raises(PictureError, match=message):
        check_array(array)


def test_arrays_of_every_type_show_the_same_face(photos):
    face = photos.render(0)
    for array in (
        ASTRONAUT / 255,
        ASTRONAUT.astype(np.uint16) * 257,
        np.dstack([ASTRONAUT, np.full((240, 240), 255, np.uint8)]),
    ):
        other = fr.Photographs(array, progress=False).render(0)
        np.testing.assert_allclose(other.pixels, face.pixels, atol=2e-6)
        np.testing.assert_allclose(other.landmarks, face.landmarks, atol=0.3)


# finding faces ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [160, 400])
def test_detected_landmarks_agree_with_those_of_avatars(avatars, size):
    differences = []
    for identity in avatars.identities:
        face = avatars.render(identity, size=size)
        (found,) = find_faces(face.pixels)
        differences.append(found.landmarks - face.landmarks)
    bias = np.mean(differences, axis=(0, 1)) * 160 / size
    assert abs(bias[0]) < 1
    assert abs(bias[1]) < 2.5
    assert np.abs(differences).max() * 160 / size < 5


def test_detection_on_a_reduced_copy_gives_the_same_place():
    (found,) = find_faces(ASTRONAUT)
    (large,) = find_faces(np.asarray(PICTURE.resize((1800, 1800))))
    np.testing.assert_allclose(large.landmarks / 7.5, found.landmarks, atol=1.5)
    np.testing.assert_allclose(np.array(large.box) / 7.5, found.box, atol=5)
    assert large.area / 7.5**2 == pytest.approx(found.area, rel=0.1)


def test_a_face_cut_off_by_the_frame_is_found_in_its_place():
    (whole,) = find_faces(ASTRONAUT)
    left, top, right, bottom = (int(value) for value in whole.box)
    (cut,) = find_faces(ASTRONAUT[top + 5 : bottom - 5, left + 5 : right - 5])
    np.testing.assert_allclose(cut.landmarks + np.array([left + 5, top + 5]), whole.landmarks, atol=4)


# cropping a portrait ----------------------------------------------------------------------------------------------


def ramp(height: int, width: int) -> np.ndarray:
    """A picture whose first two channels are its own coordinates, divided by 2000 px."""
    y, x = np.mgrid[0:height, 0:width] + 0.5
    return (np.stack([x, y, x + y], -1) / 2000).astype(np.float32)


def landmarks_at(x: float, y: float, scale: float, angle: float = 0.0) -> np.ndarray:
    points = (FRAME - 0.5) @ np.array([1, 1j]) * scale * np.exp(1j * angle) + x + 1j * y
    return np.stack([points.real, points.imag], -1)


@pytest.mark.parametrize("scale", [40.0, 200.0, 730.0])
@pytest.mark.parametrize("size", [64, 160, 300])
def test_the_portrait_shows_the_square_around_the_face(scale, size):
    face = PortraitCrop(ramp(1000, 1000), landmarks_at(520, 480, scale), size).portrait()
    pixels, landmarks = face.pixels, face.landmarks
    assert pixels.shape == (size, size, 3)
    assert pixels.dtype == np.float32
    np.testing.assert_allclose(landmarks, FRAME * size, atol=1e-3)
    y, x = (np.mgrid[0:size, 0:size] + 0.5) * scale / size
    np.testing.assert_allclose(pixels[..., 0] * 2000, x + 520 - scale / 2, atol=0.2)
    np.testing.assert_allclose(pixels[..., 1] * 2000, y + 480 - scale / 2, atol=0.2)


@given(st.floats(-30, 30), st.floats(0.8, 1.25), st.floats(-0.25, 0.25))
@settings(max_examples=20, deadline=None)
def test_moved_pixels_follow_the_formula(rotation, zoom, shift):
    size, scale = 80, 240.0
    matrix = placement({"rotation": rotation, "zoom": zoom, "shift": shift}, size)
    face = PortraitCrop(ramp(1000, 1000), landmarks_at(500, 500, scale), size).portrait(matrix)
    pixels, landmarks = face.pixels, face.landmarks
    turn = zoom * np.exp(1j * np.deg2rad(rotation))  # y points down in a picture, so this is clockwise
    y, x = np.mgrid[0:size, 0:size] + 0.5
    source = (x - size / 2 - shift * size + 1j * (y - size / 2)) / turn * scale / size
    np.testing.assert_allclose(pixels[..., 0] * 2000, source.real + 500, atol=0.3)
    np.testing.assert_allclose(pixels[..., 1] * 2000, source.imag + 500, atol=0.3)
    moved = (FRAME * size - size / 2) @ np.array([1, 1j]) * turn + size / 2 + shift * size + 1j * size / 2
    np.testing.assert_allclose(landmarks @ np.array([1, 1j]), moved, atol=1e-3)


def test_no_blank_corners_at_the_ends_of_the_ranges():
    for size in (32, 160, 300):
        crop = PortraitCrop(np.ones((50, 50, 3), np.float32), landmarks_at(25, 25, 40), size)
        for rotation in (-30, 30):
            for shift in (-0.25, 0.25):
                matrix = placement({"rotation": rotation, "zoom": 0.8, "shift": shift}, size)
                assert crop.portrait(matrix).pixels.min() > 0.999


@pytest.mark.parametrize("size", [96, 300])
def test_without_a_margin_the_portrait_is_the_same(size):
    (found,) = find_faces(ASTRONAUT)
    with_margin = PortraitCrop(ASTRONAUT, found.landmarks, size).portrait().pixels
    without = PortraitCrop(ASTRONAUT, found.landmarks, size, margin=0).portrait().pixels
    np.testing.assert_allclose(without[4:-4, 4:-4], with_margin[4:-4, 4:-4], atol=0.01)


def test_the_tilt_of_a_face_does_not_change_the_scale_of_its_crop():
    sides = [square(landmarks_at(100, 100, 80, angle))[2] for angle in (-0.5, 0, 0.7)]
    np.testing.assert_allclose(sides, 80)


def test_the_edge_of_the_photograph_is_repeated_outside():
    pixels = PortraitCrop(np.full((30, 30, 3), 0.25, np.float32), landmarks_at(2, 28, 60), 64).portrait().pixels
    np.testing.assert_allclose(pixels, 0.25, atol=1e-6)


# the edits ---------------------------------------------------------------------------------------------------------


def test_neutral_strengths_give_the_unedited_crop(photos):
    face = photos.render(0)
    np.testing.assert_array_equal(face.pixels, photos.render(0, NEUTRAL).pixels)
    (found,) = find_faces(ASTRONAUT)
    expected = PortraitCrop(ASTRONAUT, found.landmarks, 160).portrait()
    np.testing.assert_array_equal(face.pixels, expected.pixels)
    np.testing.assert_array_equal(face.landmarks, expected.landmarks)
    # an independent crop: Pillow's own, in 8 bits
    left, top, side = square(found.landmarks)
    box = (left, top, left + side, top + side)
    other = np.asarray(PICTURE.resize((160, 160), Image.Resampling.BICUBIC, box=box)) / 255
    assert np.abs(face.pixels - other).mean() < 0.02


@pytest.mark.parametrize("name", PHOTOGRAPH_ATTRIBUTES)
def test_every_attribute_is_visible_and_continuous(photos, name):
    record, face = fr.ATTRIBUTES[name], photos.render(0)
    for end in {record.low, record.high} - {record.neutral}:
        changes = []
        for share in (1, 0.1, 0.001):
            changed = photos.render(0, {name: record.neutral + share * (end - record.neutral)})
            assert changed.pixels.dtype == np.float32
            assert changed.pixels.min() >= 0
            assert changed.pixels.max() <= 1
            changes.append(np.abs(changed.pixels - face.pixels).mean())
        assert changes[0] > 0.005
        assert changes[2] < changes[0] / 20


@given(
    st.fixed_dictionaries({n: st.floats(fr.ATTRIBUTES[n].low, fr.ATTRIBUTES[n].high) for n in PHOTOGRAPH_ATTRIBUTES})
)
@settings(max_examples=15, deadline=None)
def test_any_combination_of_strengths_gives_a_picture(strengths):
    face = the_astronaut().render(0, strengths, size=64)
    assert face.pixels.shape == (64, 64, 3)
    assert np.isfinite(face.pixels).all()
    assert face.pixels.min() >= 0
    assert face.pixels.max() <= 1
    assert np.isfinite(face.landmarks).all()


@pytest.mark.parametrize("strengths", [{"rotation": 15}, {"rotation": -15}, {"zoom": 0.85}, {"shift": 0.15}])
def test_landmarks_move_with_the_picture(photos, strengths):
    """The detector, which does not know the edit, finds them in the same places."""
    face = photos.render(0, strengths)
    (found,) = find_faces(face.pixels)
    np.testing.assert_allclose(found.landmarks, face.landmarks, atol=4)
    assert np.abs(face.landmarks - photos.render(0).landmarks).max() > 3


def test_alignment_removes_moves_of_the_picture(photos, dlib_model):
    """Landmarks move with the picture, so the model's crop and its embedding are nearly unchanged."""
    faces = [photos.render(0, strengths) for strengths in ({}, {"rotation": 10}, {"shift": 0.1}, {"mask": 1.0})]
    vectors = dlib_model.embed(faces)
    turned, moved, masked = np.linalg.norm(vectors[1:] - vectors[0], axis=1)
    assert max(turned, moved) < 0.2 < masked


def at(face, point) -> np.ndarray:
    x, y = np.asarray(point, int)
    return face.pixels[y - 1 : y + 2, x - 1 : x + 2].mean((0, 1))


def test_coverings_are_drawn_in_their_place(photos):
    plain, glasses, mask = (photos.render(0, strengths) for strengths in ({}, {"sunglasses": 1}, {"mask": 1}))
    left_eye, right_eye, nose, left_mouth, right_mouth = plain.landmarks
    for eye in (left_eye, right_eye):
        assert at(glasses, eye).max() < 0.1
        np.testing.assert_array_equal(at(mask, eye), at(plain, eye))
    for point in (nose, left_mouth, right_mouth, (left_mouth + right_mouth) / 2 + np.array([0, 12])):
        np.testing.assert_array_equal(at(glasses, point), at(plain, point))
        assert at(mask, point)[2] > at(mask, point)[0] + 0.1  # the cloth is bluish, the skin is not
    half = photos.render(0, {"mask": 0.5})
    np.testing.assert_allclose(half.pixels, (plain.pixels + mask.pixels) / 2, atol=1e-5)


def test_coverings_rotate_with_the_face(photos):
    turned = photos.render(0, {"rotation": 25, "sunglasses": 1})
    for eye in turned.landmarks[:2]:
        assert at(turned, eye).max() < 0.1


def test_side_light_follows_its_formula():
    grey = np.full((64, 64, 3), 0.4, np.float32)
    landmarks = FRAME * 64
    unit = 0.26 * 64
    for strength in (-1.0, 0.3, 1.0):
        lit = light_from_side(grey, landmarks, strength)
        x = (np.arange(64) + 0.5 - 32) / unit
        expected = np.minimum(0.4 * np.exp(0.8 * strength * np.tanh(x) - 0.45 * strength**2), 1)
        np.testing.assert_allclose(lit[10, :, 1], expected, atol=1e-5)
        assert (lit[:, -1] > lit[:, 0]).all() == (strength > 0)


def test_jpeg_quality_is_that_of_pillow():
    face = ASTRONAUT[:64, :64] / np.float32(255)
    step = {
        q: np.asarray(Image.open(io.BytesIO(saved(Image.fromarray(ASTRONAUT[:64, :64]), "JPEG", quality=q)))) / 255
        for q in (20, 21)
    }
    np.testing.assert_allclose(compress(face, 20), step[20], atol=1e-6)
    np.testing.assert_allclose(compress(face, 20.25), 0.75 * step[20] + 0.25 * step[21], atol=1e-6)
    np.testing.assert_array_equal(compress(face, 100), face)


def test_resolution_averages_pixels():
    stripes = np.zeros((60, 60, 3), np.float32)
    stripes[:, ::2] = 1
    np.testing.assert_allclose(reduce_resolution(stripes, 0.5), 0.5, atol=1e-6)
    np.testing.assert_array_equal(reduce_resolution(stripes, 1), stripes)
    middle = reduce_resolution(stripes, 1 - 0.5 / 60)
    np.testing.assert_allclose(middle, (stripes + reduce_resolution(stripes, 59 / 60)) / 2, atol=1e-6)


# the source --------------------------------------------------------------------------------------------------------


def test_it_is_a_face_source(photos):
    assert isinstance(photos, fr.FaceSource)
    assert tuple(photos.attributes) == PHOTOGRAPH_ATTRIBUTES
    assert all(photos.attributes[name] is fr.ATTRIBUTES[name] for name in photos.attributes)
    assert photos.private
    batch = photos.render_batch([0, 0], [{}, {"hue": 20}], size=96)
    np.testing.assert_array_equal(batch[1].pixels, photos.render(0, {"hue": 20}, size=96).pixels)


def test_names_of_identities(tmp_path):
    for name in ("a.jpg", "b.png", "twin.jpg", "twin.png", "anna.jpg", "anna/1.jpg", "anna/old/2.jpg", ".git/x.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_bytes(JPEG)
    photos = fr.Photographs(tmp_path, progress=False)
    assert photos.identities == ("a", "anna.jpg", "b", "twin.jpg", "twin.png", "anna")
    table = photos.table
    assert table[table.identity == "anna"].file.tolist() == ["anna/1.jpg", "anna/old/2.jpg"]
    assert table[table.identity == "anna"].shown.tolist() == [True, False]
    other = photos.with_face("anna", photograph=1)
    assert other.table[other.table.identity == "anna"].shown.tolist() == [False, True]
    assert photos.table.equals(table)
    assert photos.problems.empty


def test_other_ways_to_give_photographs(tmp_path):
    (tmp_path / "x.jpg").write_bytes(JPEG)
    path = tmp_path / "x.jpg"
    assert fr.Photographs(path, progress=False).identities == ("x",)
    assert fr.Photographs([str(path)], progress=False).identities == ("x",)
    assert fr.Photographs({"Eileen": path, 7: JPEG}, progress=False).identities == ("Eileen", 7)
    with pytest.raises(ValueError, match="the identities 7 and '7' differ only in type"):
        fr.Photographs({7: path, "7": JPEG}, progress=False)
    assert fr.Photographs(bytearray(JPEG), progress=False).table.file.tolist() == ["bytes 0"]
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "x.jpg").write_bytes(JPEG)
    both = fr.Photographs({"Eileen": [path, tmp_path / "sub" / "x.jpg"], "other": ASTRONAUT}, progress=False)
    assert both.identities == ("Eileen", "other")
    assert both.table.shown.tolist() == [True, False, True]
    assert both.table.file.tolist() == [str(path), str(tmp_path / "sub" / "x.jpg"), "other"]
    mixed = fr.Photographs([JPEG, np.zeros((9, 9, 3), np.uint8), bytearray(JPEG)], progress=False)
    assert mixed.identities == (0, 2)
    assert mixed.problems.values.tolist() == [["array 1", "no face found"]]
    assert mixed.table.file.tolist() == ["bytes 0", "bytes 2"]


@pytest.fixture(scope="module")
def group():
    """A photograph of two people, the smaller one on the left."""
    canvas = np.full((260, 420, 3), 120, np.uint8)
    canvas[40:180, 10:150] = np.asarray(PICTURE.resize((140, 140)))[:, ::-1]
    canvas[10:250, 170:410] = ASTRONAUT
    return fr.Photographs({"group": canvas}, progress=False)


def test_the_largest_of_several_faces_is_used_and_noted(group):
    (row,) = group.table.to_dict("records")
    assert row["faces"] == 2
    assert row["face"] == 0
    assert row["notes"] == "2 faces: the largest is used; choose another with with_face"
    large, small = group.faces_of("group")
    np.testing.assert_array_equal(group.render("group").pixels, large.pixels)
    other = group.with_face("group", face=1)
    np.testing.assert_array_equal(other.render("group").pixels, small.pixels)
    assert "number 1 is used" in other.table.notes[0]
    assert other.table.portrait_width[0] < row["portrait_width"]
    assert other.fingerprint != group.fingerprint
    assert np.abs(large.pixels - small.pixels).mean() > 0.02


def test_the_fingerprint_depends_on_content_and_not_on_place(tmp_path, photos):
    for name, content in (("one", JPEG), ("two", JPEG), ("three", saved(PICTURE, "JPEG", quality=60))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "eileen.jpg").write_bytes(content)
    one, two, three = (fr.Photographs(tmp_path / name, progress=False).fingerprint for name in ("one", "two", "three"))
    assert one == two
    assert one != three
    assert photos.fingerprint == fr.Photographs(ASTRONAUT.copy(), progress=False).fingerprint


def test_a_file_that_has_changed_raises_an_error(tmp_path):
    path = tmp_path / "x.jpg"
    path.write_bytes(JPEG)
    photos = fr.Photographs(path, progress=False)
    photos.render("x")
    path.write_bytes(saved(PICTURE, "JPEG", quality=50))
    photos.render("x", {"hue": 10})  # the old photograph is still in memory
    with pytest.raises(ValueError, match=r"x\.jpg has changed since it was read: create a new Photographs"):
        photos.render("x", size=200)
    path.unlink()
    with pytest.raises(ValueError, match="file not found"):
        photos.render("x", size=200)


def test_memory_does_not_grow_with_the_number_of_photographs():
    photos = fr.Photographs({i: JPEG for i in range(10)}, progress=False)
    used = []
    tracemalloc.start()
    for identity in photos.identities:
        photos.render(identity, size=32)
        used.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    one_crop = used[3] - used[2]
    assert one_crop > 100_000
    assert used[-1] - used[6] < one_crop / 2


class Watch:
    """An audit hook that notes every file opened for writing; Python cannot remove such a hook."""

    on: ClassVar[bool] = False
    written: ClassVar[list] = []

    @staticmethod
    def note(event, args):
        if Watch.on and event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR):
            Watch.written.append(args[0])
        if Watch.on and event in ("os.mkdir", "os.rename", "os.link"):
            Watch.written.append(event)


def test_nothing_is_ever_written(photos, dlib_model, tmp_path, monkeypatch):
    """From the folder to the embedding; the watch notices writes if the cache is switched on."""
    monkeypatch.setenv("FR_EXPLORE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "x.jpg").write_bytes(JPEG)
    sys.addaudithook(Watch.note)
    Watch.on = True
    try:
        own = fr.Photographs(tmp_path / "x.jpg", progress=False)
        own.render("x", {"jpeg_quality": 20, "mask": 0.5})
        lattice = fr.sample_lattice(own, ["mask"], curves=1)
        fr.embed(lattice, dlib_model, progress=False)
        fr.embed(own, dlib_model, progress=False)
        fr.sweep(own, dlib_model, "x", "hue", steps=2)
        assert Watch.written == []
        fr.embed(own, dlib_model, progress=False, cache=True)
        assert Watch.written != []
    finally:
        Watch.on = False


def test_attribute_explorer_takes_photographs(group, dlib_model):
    """Its sliders are the attributes of photographs."""
    from fr_explore_widgets import AttributeExplorer

    explorer = AttributeExplorer(group, dlib_model, variations=2)
    explorer.wait()
    assert set(explorer.strengths) == set(PHOTOGRAPH_ATTRIBUTES)
    explorer.set(mask=1)
    expected = fr.sweep(group, dlib_model, "group", "mask", steps=[1.0])
    assert explorer.distance == pytest.approx(expected.distance[0], abs=1e-3)
    explorer.close()


ERRORS = [
    (lambda photos: photos.render("nobody"), ValueError, "unknown identity 'nobody': choose from 0"),
    (lambda photos: photos.render([]), ValueError, r"unknown identity \[\]"),
    (lambda photos: photos.render(0, {"age": 30}), ValueError, "unknown attribute 'age'.*rotation"),
    (lambda photos: photos.render(0, {"mask": 2}), ValueError, "mask = 2 is out of range"),
    (lambda photos: photos.render(0, size=8), ValueError, "size = 8: give the picture's side"),
    (lambda photos: photos.render_batch([0], []), ValueError, "1 identities but 0 strengths"),
    (lambda photos: photos.with_face(0, face=1), ValueError, "face = 1: array 0 shows 1, counted from 0"),
    (lambda photos: photos.with_face(0, photograph=3), ValueError, "photograph = 3: 0 has 1, counted from 0"),
    (lambda photos: fr.Photographs("no/such/folder"), FileNotFoundError, "no such folder or file: 'no/such/folder'"),
    (lambda photos: fr.Photographs(3), TypeError, "photos is of type int: give a folder"),
    (
        lambda photos: fr.Photographs(np.zeros((9, 9)), progress=False),
        ValueError,
        "none of 1 .* array 0: no face found",
    ),
    (lambda photos: fr.Photographs([], progress=False), ValueError, "none of 0 photographs .* no files"),
]


@pytest.mark.parametrize(("act", "kind", "message"), ERRORS)
def test_errors(photos, act, kind, message):
    with pytest.raises(kind, match=message):
        act(photos)


def test_who_photographs_show(tmp_path):
    """Keys and sub-folders say who it is; file names and numbers do not, as two of them may show one person."""
    for name in ("anna/1.png", "anna/2.png", "c.png", "d.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        PICTURE.save(tmp_path / name)
    photos = fr.Photographs(tmp_path, progress=False)
    assert {name: photos.person(name) for name in photos.identities} == {"c": None, "d": None, "anna": "anna"}
    assert photos.table.person.tolist() == [None, None, "anna", "anna"]
    assert fr.Photographs({7: ASTRONAUT}, progress=False).person(7) == 7
    assert fr.Photographs([ASTRONAUT], progress=False).person(0) is None
    named = photos.with_people({"c": "anna", "d": "dora"})
    assert [named.person(name) for name in named.identities] == ["anna", "dora", "anna"]
    assert photos.person("c") is None
    assert named.fingerprint == photos.fingerprint  # the pixels are the same
    assert named.with_face("anna", photograph=1).person("d") == "dora"
    for call in (lambda: photos.person("x"), lambda: photos.with_people({"x": "anna"})):
        with pytest.raises(ValueError, match="unknown identity 'x': choose from 'c', 'd', 'anna'"):
            call()
