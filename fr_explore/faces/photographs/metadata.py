"""Metadata of picture files: which way up the picture is. Nothing else is used, and no damage in it stops a picture.

Pillow refuses a PNG for a wrong checksum or a megabyte of text beside the picture, and fails to turn a picture whose
EXIF data it cannot write again. Here the chunks are left out before Pillow sees them, and nothing is written.
"""

from __future__ import annotations

import contextlib
import re
import threading
import warnings
import zlib
from collections.abc import Iterator

from PIL import Image

__all__ = ["quiet", "upright", "without_metadata"]

_PNG = b"\x89PNG\r\n\x1a\n"
_PIXELS = {b"tRNS", b"acTL", b"fcTL", b"fdAT", b"eXIf"}  # optional chunks that change what is seen
_TURNS = re.compile(rb"Raw profile type exif\0|XML:com\.adobe\.xmp\0")  # texts that may contain the orientation
_MAX_TEXT = 500_000
_ORIENTATION = 0x0112
# the entry of the orientation (tag, type, count 1, value), in both byte orders
_ENTRY = re.compile(
    rb"\x12\x01[\x01\x03\x04]\0\x01\0\0\0([\x01-\x08])|"
    rb"\x01\x12\0(?:\x01\0\0\0\x01|\x03\0\0\0\x01\0|\x04\0\0\0\x01\0\0\0)([\x01-\x08])"
)
_TURN = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip
_FILTERS = threading.Lock()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence Pillow's warnings. Warning filters are global, so one thread at a time."""
    with _FILTERS, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def without_metadata(data: bytes) -> bytes:
    """Return the bytes of a PNG without what does not change its pixels; other files unchanged."""
    if not data.startswith(_PNG):
        return data
    kept, start = [_PNG], len(_PNG)
    while start < len(data):
        end = start + 12 + int.from_bytes(data[start : start + 4], "big")
        chunk = data[start:end]
        if chunk[4:5].isupper() or _is_needed(chunk):  # a capital marks what no reader may skip
            kept.append(chunk)
        start = end
    return b"".join(kept)


def _is_needed(chunk: bytes) -> bool:
    kind, body = chunk[4:8], chunk[8:-4]
    if zlib.crc32(chunk[4:-4]) != int.from_bytes(chunk[-4:], "big"):
        return False
    if kind not in (b"tEXt", b"zTXt", b"iTXt"):
        return kind in _PIXELS
    rest = body.partition(b"\0")[2]
    packed = rest[1:] if kind == b"zTXt" else rest[2:].split(b"\0", 2)[-1]
    try:
        size = len(zlib.decompressobj().decompress(packed, _MAX_TEXT))
    except zlib.error:  # not compressed, or damaged, which Pillow ignores
        size = len(body)
    return bool(_TURNS.match(body)) and max(size, len(body)) < _MAX_TEXT


def upright(image: Image.Image) -> Image.Image:
    """Return a picture turned as its EXIF or XMP data say, as far as they can be read."""
    with quiet():
        try:
            found = image.getexif().get(_ORIENTATION)
        except Exception:  # damaged EXIF data raise almost anything
            found = None
    raw = image.info.get("exif")
    if found not in range(1, 9) and isinstance(raw, bytes) and (entry := _ENTRY.search(raw)):
        found = ord(entry[1] or entry[2])
    return image.transpose(_TURN[found]) if found in _TURN else image
