"""Decode one picture: every format and mode that Pillow reads, turned upright, as RGB, or the reason why that fails.

- A file is read once; the hash of its bytes is part of a photograph's fingerprint. Nothing is written.
- The header is checked before any pixel is decoded, so that a small file cannot unpack into all of the memory.
- 16-bit and floating-point pictures become float32; all others stay 8 bits until a face is cropped.
- Formats of plug-ins that the user has registered with Pillow, such as pillow-heif, are read too.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from .metadata import quiet, upright, without_metadata

__all__ = ["NO_FACE", "PictureError", "check_array", "decode", "digest", "from_pil", "read_bytes"]

NO_FACE = "no face found"  # the only reason that does not change as long as the file does not
MAX_PIXELS = 100_000_000  # 300 MB as RGB; more than the largest phone cameras give once JPEG is reduced
MAX_BYTES = 500_000_000
# larger JPEG files are decoded at half, a quarter or an eighth of their size, which the format supports
_DRAFT_PIXELS = 24_000_000
# not EPS and similar formats, which Pillow passes to an external program
_FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TGA", "TIFF", "WEBP")
_HEIC = re.compile(rb"....ftyp(hei[cxms]|hev[cxms]|mif1|msf1)", re.DOTALL)


class PictureError(ValueError):
    """A file or array that is not a usable picture. The message is the reason, as tables of problems show it."""


def read_bytes(path: Path) -> bytes:
    """Read a regular file; raise PictureError with the reason if that fails."""
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            raise PictureError("a folder that cannot be listed, or a folder where a file was expected")
        if not stat.S_ISREG(status.st_mode):  # opening a pipe would block
            raise PictureError("not a regular file")
        if status.st_size == 0:
            raise PictureError("empty file (0 bytes)")
        if status.st_size > MAX_BYTES:
            raise PictureError(f"{status.st_size / 1e6:,.0f} MB: the limit is {MAX_BYTES / 1e6:,.0f} MB")
        return path.read_bytes()
    except FileNotFoundError:
        raise PictureError("file not found") from None
    except PermissionError:
        raise PictureError("no permission to read the file") from None
    except OSError as error:
        raise PictureError(f"cannot be read: {error.strerror or error}") from None


def digest(data: bytes | np.ndarray) -> str:
    """Hash the content of a file or of an array with its shape and type."""
    if isinstance(data, np.ndarray):
        data = f"{data.dtype.str}{data.shape}".encode() + np.ascontiguousarray(data).tobytes()
    return hashlib.sha256(data).hexdigest()[:32]


def decode(data: bytes) -> tuple[np.ndarray, list[str]]:
    """Decode the bytes of a picture file into pixels, with notes such as "animated: first frame used".

    Returns
    -------
    (height, width, 3) RGB, upright as the EXIF data say: uint8, or float32 in [0, 1] from files of more than 8 bits;
    and the notes.

    Raises
    ------
    PictureError : not a picture, a damaged one, or one of more than 100 million pixels.
    """
    with _reasons():
        try:
            with _open(without_metadata(data)) as image:
                return _pixels(image)
        except UnidentifiedImageError:
            if not _HEIC.match(data):
                raise
            raise PictureError(
                "HEIC, which Pillow reads only with a plug-in: pip install pillow-heif, call "
                "pillow_heif.register_heif_opener() first; or save the picture as JPEG or PNG"
            ) from None


def from_pil(image: Image.Image) -> np.ndarray:
    """Return the pixels of a PIL image of any mode, as `decode` returns those of a file; `image` stays as it is."""
    with _reasons():
        _check_pixels(*image.size)
        image.load()
        return _rgb(upright(image))


@contextlib.contextmanager
def _reasons() -> Iterator[None]:
    """Turn whatever Pillow raises into a PictureError."""
    try:
        yield
    except PictureError:
        raise
    except UnidentifiedImageError:
        raise PictureError("not a picture in a format that Pillow reads") from None
    except Image.DecompressionBombError:
        raise PictureError(_too_large("the picture")) from None
    except MemoryError:
        raise PictureError("too large for the memory of this machine") from None
    except Exception as error:  # Pillow's readers raise almost anything on damaged files (SyntaxError, IndexError, ...)
        raise PictureError(f"damaged: {error or type(error).__name__}") from None


def check_array(array: np.ndarray) -> np.ndarray:
    """Return an array as RGB pixels (height, width, 3): uint8 unchanged, uint16 and float in [0, 1] as float32.

    Raises
    ------
    PictureError : another shape, type or range.
    """
    try:
        array = np.asarray(array)
    except ValueError:
        raise PictureError("not an array: rows of different lengths") from None
    if array.ndim == 2 or array.shape[2:] == (1,):
        array = np.repeat(array.reshape(*array.shape[:2], 1), 3, axis=-1)
    if array.ndim != 3 or array.shape[2] not in (3, 4) or 0 in array.shape:
        raise PictureError(f"array of shape {array.shape}: give (height, width), (..., 3) or (..., 4)")
    if array.dtype == np.uint16:
        array = (array / np.float32(65535)).astype(np.float32)
    if array.dtype.kind == "f":
        _check_range(array, 1, "float array", "give values in [0, 1], or uint8")
    elif array.dtype != np.uint8:
        raise PictureError(f"array of type {array.dtype}: give uint8, uint16 or float in [0, 1]")
    if array.shape[2] == 4:  # transparent parts become white, as in a browser
        scale = np.float32(255 if array.dtype == np.uint8 else 1)
        colour, alpha = array[..., :3] / scale, array[..., 3:] / scale
        return (colour * alpha + (1 - alpha)).astype(np.float32)
    return array if array.dtype == np.uint8 else array.astype(np.float32)


def _open(data: bytes) -> Image.Image:
    with quiet():  # Pillow also warns about large pictures that our limit allows
        Image.init()
        added = [name for name, opener in Image.OPEN.items() if not str(opener[0].__module__).startswith("PIL.")]
        formats = [*(name for name in _FORMATS if name in Image.OPEN), *added]  # some builds of Pillow lack a few
        return Image.open(io.BytesIO(data), formats=formats)


def _pixels(image: Image.Image) -> tuple[np.ndarray, list[str]]:
    width, height = image.size
    _check_pixels(width, height)
    notes = []
    # phones store a preview behind the picture (MPO), which is not an animation
    if image.format != "MPO" and _is_animated(image):
        image.seek(0)
        notes.append("animated: first frame used")
    if image.format in ("JPEG", "MPO") and width * height > _DRAFT_PIXELS:
        parts = next(s for s in (2, 4, 8) if width * height <= s * s * _DRAFT_PIXELS)
        image.draft("RGB", (width // parts, height // parts))
        notes.append(f"read at {image.width} x {image.height} of {width} x {height} px")
    with quiet() if image.format == "TIFF" else contextlib.nullcontext():  # its metadata are read with its pixels
        image.load()
    return _rgb(upright(image)), notes


def _is_animated(image: Image.Image) -> bool:
    try:
        return getattr(image, "is_animated", False)
    except Exception:  # damage behind the first frame
        return False


def _rgb(image: Image.Image) -> np.ndarray:
    """Return the pixels of an image of any mode as RGB, on white where it is transparent."""
    mode = image.mode
    if mode.startswith("I") or mode == "F":  # one channel of more than 8 bits
        values = np.asarray(image).astype(np.float32)
        # Pillow converts 8-bit pictures to these modes without rescaling; files contain 0 to 65535, or floats to 1
        high = 255 if 1 < values.max() <= 255 else 1 if mode == "F" else 65535
        _check_range(values, high, "pixel values", f"expected 0 to {high}, or to 255, in a picture of mode {mode}")
        return np.repeat((values / np.float32(high))[..., None], 3, axis=-1)
    if mode == "LAB":
        raise PictureError("a picture of mode LAB: convert it to RGB")
    if image.has_transparency_data:
        image = image.convert("LA") if mode == "La" else image
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    return np.asarray(image.convert("RGB"))


def _check_pixels(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise PictureError(_too_large(f"{width} x {height} px"))
    if not width * height:
        raise PictureError(f"a picture of {width} x {height} px")


def _check_range(values: np.ndarray, high: float, what: str, advice: str) -> None:
    """Raise PictureError unless all values are in [0, high]."""
    least, most = float(values.min()), float(values.max())
    if not (least >= 0 and most <= high):  # also catches NaN
        raise PictureError(f"{what} from {least:g} to {most:g}: {advice}")


def _too_large(what: str) -> str:
    return f"{what} has more than {MAX_PIXELS / 1e6:.0f} million pixels: reduce it first"
