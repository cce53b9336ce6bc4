"""One picture file to pixels: every format that Pillow reads, upright, as RGB, or a reason why not.

- Bytes come in once, and their hash is what the fingerprint of a photograph is made of; nothing is written.
- The header is judged before a pixel is decoded, so that a small file cannot unpack into all the memory there is.
- 16-bit and floating-point pictures stay float32; everything else stays 8 bits until a face is cut out of it.
"""

from __future__ import annotations

import functools
import hashlib
import io
import os
import stat
import threading
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

__all__ = ["PictureError", "check_array", "decode", "digest", "read_bytes"]

MAX_PIXELS = 100_000_000  # 300 MB as RGB; the largest telephone cameras stay below it once JPEG is reduced
MAX_BYTES = 500_000_000
# from here on a JPEG file is decoded at half, a quarter or an eighth of its size, which its format offers
_DRAFT_PIXELS = 24_000_000
# no EPS and the like: Pillow hands those to an outside program
_FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TGA", "TIFF", "WEBP")
_HEADERS = threading.Lock()


class PictureError(ValueError):
    """A file or array that gives no usable picture; its text is the reason, as it stands in tables of problems."""


def read_bytes(path: Path) -> bytes:
    """The content of a regular file; PictureError says why it cannot be had."""
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            raise PictureError("a folder, which cannot be listed or stands where a file was expected")
        if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for ever
            raise PictureError("not a regular file")
        if status.st_size == 0:
            raise PictureError("empty file (0 bytes)")
        if status.st_size > MAX_BYTES:
            raise PictureError(f"{status.st_size / 1e6:,.0f} MB: files above {MAX_BYTES / 1e6:,.0f} MB are not read")
        return path.read_bytes()
    except FileNotFoundError:
        raise PictureError("file not found") from None
    except PermissionError:
        raise PictureError("no permission to read it") from None
    except OSError as error:
        raise PictureError(f"cannot be read: {error.strerror or error}") from None


def digest(data: bytes | np.ndarray) -> str:
    """A hash of the content, whatever its name."""
    head = b"" if isinstance(data, bytes) else f"{data.dtype.str}{data.shape}".encode()
    body = data if isinstance(data, bytes) else np.ascontiguousarray(data).tobytes()
    return hashlib.sha256(head + body).hexdigest()[:32]


def decode(data: bytes) -> tuple[np.ndarray, list[str]]:
    """Pixels and remarks from the bytes of a picture file.

    Returns
    -------
    (height, width, 3) RGB, uint8 or (from deeper files) float32 in [0, 1], turned upright as its EXIF data say; and
    remarks such as "animated: first frame used".

    Raises
    ------
    PictureError : no picture, a damaged one, or one of more than 100 million pixels.
    """
    try:
        with _open(data) as image:
            return _pixels(image)
    except UnidentifiedImageError:
        raise PictureError(_unknown(data)) from None
    except Image.DecompressionBombError:
        raise PictureError(_too_large("it")) from None
    except PictureError:
        raise
    except MemoryError:
        raise PictureError("too large for the memory of this machine") from None
    except Exception as error:  # Pillow's readers raise almost anything on damaged files (SyntaxError, IndexError, ...)
        raise PictureError(f"damaged: {error}") from None


def check_array(array: np.ndarray) -> np.ndarray:
    """An array as RGB pixels (height, width, 3): uint8 as it is, uint16 and float in [0, 1] as float32."""
    try:
        array = np.asarray(array)
    except ValueError:
        raise PictureError("no array: rows of different lengths") from None
    if array.ndim == 2:
        array = np.repeat(array[..., None], 3, axis=-1)
    if array.ndim != 3 or array.shape[2] not in (3, 4) or 0 in array.shape:
        raise PictureError(f"array of shape {array.shape}: give (height, width), (..., 3) or (..., 4)")
    if array.dtype == np.uint16:
        array = (array / np.float32(65535)).astype(np.float32)
    if array.dtype.kind == "f":
        low, high = float(array.min()), float(array.max())
        if not (low >= 0 and high <= 1):  # also catches NaN
            raise PictureError(f"float array from {low:g} to {high:g}: give values in [0, 1], or uint8")
    elif array.dtype != np.uint8:
        raise PictureError(f"array of type {array.dtype}: give uint8, uint16 or float in [0, 1]")
    if array.shape[2] == 4:  # transparent parts lie on white, as in a browser
        scale = np.float32(255 if array.dtype == np.uint8 else 1)
        colour, alpha = array[..., :3] / scale, array[..., 3:] / scale
        return (colour * alpha + (1 - alpha)).astype(np.float32)
    return array if array.dtype == np.uint8 else array.astype(np.float32)


def _open(data: bytes) -> Image.Image:
    # Pillow warns of pictures that our limit lets pass; warning filters belong to the process: one thread at a time
    with _HEADERS, warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(io.BytesIO(data), formats=_formats())


@functools.lru_cache(maxsize=1)
def _formats() -> tuple[str, ...]:
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)  # Pillow may have been built without some


def _pixels(image: Image.Image) -> tuple[np.ndarray, list[str]]:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise PictureError(_too_large(f"{width} x {height} px"))
    remarks = []
    # telephones store a preview behind the picture (MPO): that is no animation
    if getattr(image, "is_animated", False) and image.format != "MPO":
        image.seek(0)
        remarks.append("animated: first frame used")
    if image.format in ("JPEG", "MPO") and width * height > _DRAFT_PIXELS:
        parts = next(s for s in (2, 4, 8) if width * height <= s * s * _DRAFT_PIXELS)
        image.draft("RGB", (width // parts, height // parts))
        remarks.append(f"read at {image.width} x {image.height} of {width} x {height} px")
    image.load()
    mode = image.mode
    image = ImageOps.exif_transpose(image)
    if mode.startswith("I") or mode == "F":  # deeper than 8 bits, one channel
        return _deep(np.asarray(image), mode), remarks
    if mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    return np.asarray(image.convert("RGB")), remarks


def _deep(values: np.ndarray, mode: str) -> np.ndarray:
    values = values.astype(np.float32)
    low, high = float(values.min()), float(values.max())
    scale = 1.0 if mode == "F" else 65535.0  # 32-bit integer files hold 16-bit pictures in practice
    if not (low >= 0 and high <= scale):  # also catches NaN
        raise PictureError(
            f"pixel values from {low:g} to {high:g}: expected 0 to {scale:g} in a picture of mode {mode}"
        )
    return np.repeat((values / scale)[..., None], 3, axis=-1)


def _too_large(what: str) -> str:
    return f"{what} has more than {MAX_PIXELS / 1e6:.0f} million pixels: reduce it first"


def _unknown(data: bytes) -> str:
    if data[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftyphevc"):
        return "HEIC, which Pillow does not read: save it as JPEG or PNG"
    return "not a picture in a format that Pillow reads"
