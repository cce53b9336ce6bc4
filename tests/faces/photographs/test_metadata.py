"""Metadata of picture files: damage in them stops no picture, and what turns a picture is still found."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile
from PIL.PngImagePlugin import PngInfo

import fr_explore as fr
from fr_explore.faces.photographs import photograph
from fr_explore.faces.photographs.decode import PictureError, decode, from_pil
from fr_explore.faces.photographs.detect import Detection
from fr_explore.faces.photographs.metadata import without_metadata

TINY = Image.fromarray(np.random.default_rng(0).integers(0, 256, (24, 16, 3), np.uint8))
TURNED = TINY.transpose(Image.Transpose.ROTATE_90)  # as a camera on its side stores it: orientation 6


def saved(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def exif(order: str = "<", kind: str = "H", header: bytes = b"Exif\0\0", broken: bytes = b"") -> bytes:
    """EXIF data with the orientation 6, and an entry whose value lies outside the data."""
    number = {"B": 1, "H": 3, "L": 4}[kind]
    value = struct.pack(f"{order}{kind}", 6).ljust(4, b"\0")
    tag = struct.pack(f"{order}HHL", 0x0112, number, 1) + value
    lost = struct.pack(f"{order}HHLL", 0x011A, 5, 1, 999_999)
    mark = b"II*\0" if order == "<" else b"MM\0*"
    return header + mark + struct.pack(f"{order}LH", 8, 2) + tag + lost + broken


def chunk(kind: bytes, body: bytes, checksum: int | None = None) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum or zlib.crc32(kind + body))


def with_chunk(data: bytes, *chunks: bytes) -> bytes:
    """A PNG with further chunks behind its header."""
    return data[:33] + b"".join(chunks) + data[33:]


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("kind", "BHL")
@pytest.mark.parametrize("header", [b"Exif\0\0", b"Exif\0\0Exif\0\0"])
def test_the_orientation_in_damaged_exif(order, kind, header):
    pixels, _ = decode(with_chunk(saved(TURNED), chunk(b"eXIf", exif(order, kind, header)[6:])))
    np.testing.assert_array_equal(pixels, np.asarray(TINY))
    for kind_of_file in ("JPEG", "WEBP"):
        assert decode(saved(TURNED, kind_of_file, exif=exif(order, kind, header)))[0].shape == (24, 16, 3)


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from(["JPEG", "PNG", "WEBP"]), st.booleans())
def test_any_damage_in_exif_leaves_the_picture(random, kind, cut):
    good = Image.Exif()
    good[0x0112], good[0x010F], good[0x8769] = 6, "camera", {0x9003: "2020:01:01 00:00:00"}
    body = bytearray(good.tobytes())
    for _ in range(random.randint(1, 8)):
        body[random.randrange(6, len(body))] = random.randrange(256)
    body = body[: random.randrange(8, len(body))] if cut else body
    pixels, notes = decode(saved(TINY, kind, exif=bytes(body), **({"lossless": True} if kind == "WEBP" else {})))
    assert sorted(pixels.shape) == [3, 16, 24]
    assert notes == []


def text(compressed: bool, size: int) -> PngInfo:
    info = PngInfo()
    info.add_text("parameters", "x" * size, zip=compressed)
    info.add_itxt("XML:com.adobe.xmp", " " * size, zip=compressed)
    return info


XMP = b'XML:com.adobe.xmp\0\0\0\0\0<x tiff:Orientation="6"/>'
LOUD = {
    "megabytes of text": saved(TINY, pnginfo=text(False, 3_000_000)),
    "megabytes of compressed text": saved(TINY, pnginfo=text(True, 3_000_000)),
    "a large colour profile": saved(TINY, icc_profile=bytes(3_000_000)),
    "a wrong checksum of the profile": with_chunk(saved(TINY), chunk(b"iCCP", b"x\0\0abc", 1)),
    "a wrong checksum of text": with_chunk(saved(TINY), chunk(b"iTXt", b"x\0\0\0\0\0abc", 1)),
    "a size that does not fit": with_chunk(saved(TINY), chunk(b"pHYs", b"\0")),
    "an unknown chunk": with_chunk(saved(TINY), chunk(b"prIv", bytes(9))),
    "bytes behind the end": saved(TINY) + b"\0\0",
    "damaged compressed text": with_chunk(saved(TINY), chunk(b"zTXt", b"Raw profile type exif\0\0damaged")),
}


@pytest.mark.parametrize("name", LOUD)
def test_no_text_and_no_profile_stops_a_png(name):
    np.testing.assert_array_equal(decode(LOUD[name])[0], np.asarray(TINY))


def test_the_orientation_in_texts_of_a_png():
    data = saved(TURNED)
    np.testing.assert_array_equal(decode(with_chunk(data, chunk(b"iTXt", XMP)))[0], np.asarray(TINY))
    body = exif()
    raw = f"\nexif\n{len(body):8}\n{body.hex()}\n".encode()
    packed = chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(raw))
    np.testing.assert_array_equal(decode(with_chunk(data, packed))[0], np.asarray(TINY))


def test_other_files_are_left_as_they_are():
    for data in (saved(TINY, "JPEG"), saved(TINY, "WEBP"), b"", b"text"):
        assert without_metadata(data) is data
    assert without_metadata(saved(TINY)) == saved(TINY)


def test_a_large_profile_in_jpeg_and_webp():
    for kind in ("JPEG", "WEBP"):
        pixels, _ = decode(saved(TINY, kind, icc_profile=bytes(3_000_000), exif=exif(), xmp=b" " * 60_000))
        assert pixels.shape == (16, 24, 3)


# PIL images ------------------------------------------------------------------------------------------------------

GREY = TINY.convert("L")
SEEN = TINY.copy()
SEEN.putalpha(255)
DEEP = Image.fromarray(np.asarray(GREY).astype(np.uint16) * 257)
MODES = {
    "RGB": (TINY, TINY), "RGBX": (TINY.convert("RGBX"), TINY), "RGBA": (SEEN, TINY),
    "RGBa": (SEEN.convert("RGBa"), TINY),
    "L": (GREY, GREY), "LA": (SEEN.convert("LA"), GREY), "La": (SEEN.convert("LA").convert("La"), GREY),
    "P": (TINY.quantize(256), TINY.quantize(256)), "PA": (TINY.quantize(256).convert("PA"), TINY.quantize(256)),
    "CMYK": (TINY.convert("CMYK"), TINY), "YCbCr": (TINY.convert("YCbCr"), TINY), "HSV": (TINY.convert("HSV"), TINY),
    "1": (GREY.convert("1"), GREY.convert("1")), "I": (GREY.convert("I"), GREY), "F": (GREY.convert("F"), GREY),
    "F to 1": (Image.fromarray(np.asarray(GREY) / np.float32(255)), GREY), "I;16": (DEEP, GREY),
    "I;16B": (Image.frombytes("I;16B", DEEP.size, np.asarray(DEEP).astype(">u2").tobytes()), GREY),
    "I to 65535": (DEEP.convert("I"), GREY),
}  # fmt: skip


@pytest.mark.parametrize("name", MODES)
def test_every_mode(name):
    given, right = MODES[name]
    before = given.tobytes()
    pixels = from_pil(given)
    pixels = pixels * 255 if pixels.dtype == np.float32 else pixels.astype(float)
    assert pixels.shape == (24, 16, 3)
    assert np.abs(pixels - np.asarray(right.convert("RGB"))).mean() < (4 if name in ("YCbCr", "HSV") else 0.01)
    assert (given.tobytes(), given.size) == (before, (16, 24))


def test_transparent_palettes_become_white():
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    np.testing.assert_array_equal(from_pil(clear.quantize(4)), 255)
    np.testing.assert_array_equal(decode(saved(clear.quantize(4)))[0], 255)


def test_the_orientation_of_a_pil_image():
    turned = TURNED.copy()
    turned.getexif()[0x0112] = 6
    opened = Image.open(io.BytesIO(saved(TURNED, exif=turned.getexif())))
    for image in (turned, opened, opened.copy()):
        np.testing.assert_array_equal(from_pil(image), np.asarray(TINY))


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (Image.new("LAB", (4, 4)), "mode LAB: convert it to RGB"),
        (Image.fromarray(np.full((4, 4), 1000, np.float32)), "1000 to 1000: expected 0 to 1, or to 255, .* mode F"),
        (Image.fromarray(np.full((4, 4), -1, np.int32)), "-1 to -1: expected 0 to 65535, or to 255, .* mode I"),
        (Image.new("RGB", (0, 4)), "a picture of 0 x 4 px"),
    ],
)
def test_pil_images_that_are_no_pictures(image, message):
    with pytest.raises(PictureError, match=message):
        from_pil(image)


def test_pil_images_as_photographs(monkeypatch):
    face = Detection((1, 1, 15, 20), np.array([[5, 8], [10, 8], [7, 11], [5, 15], [10, 15]], np.float32), 1.0)
    monkeypatch.setattr(photograph, "find_faces", lambda pixels: [face])
    for photo, identity in ((TINY, 0), ([TINY], 0), ({"anna": TINY}, "anna"), (io.BytesIO(saved(TINY)), 0)):
        photos = fr.Photographs(photo, progress=False)
        assert photos.identities == (identity,)
        np.testing.assert_array_equal(photos._photos[0].pixels(), np.asarray(TINY))
    assert fr.Photographs([TINY, saved(TINY)], progress=False).table.file.tolist() == ["image 0", "bytes 1"]


class Heif(ImageFile.ImageFile):
    """A plug-in as pillow-heif registers one; its pictures are one grey pixel."""

    format = "HEIF"

    def _open(self):
        self._mode, self._size, self.tile = "L", (1, 1), []

    def load(self):
        self.im = Image.core.new("L", (1, 1))
        return Image.Image.load(self)


def test_formats_that_the_user_registers_are_read(monkeypatch):
    heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
    with pytest.raises(PictureError, match=r"HEIC.*pip install pillow-heif, call pillow_heif.register_heif_opener\(\)"):
        decode(heic)
    monkeypatch.setitem(Image.OPEN, "HEIF", (Heif, lambda start: start[4:12] == b"ftypheic"))
    monkeypatch.setattr(Image, "ID", [*Image.ID, "HEIF"])
    assert decode(heic)[0].tolist() == [[[0, 0, 0]]]
    with pytest.raises(PictureError, match="not a picture"):  # a format of Pillow itself that runs a program
        decode(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n")
