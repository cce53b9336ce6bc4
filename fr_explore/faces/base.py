"""What all face sources share: the record `Face`, the protocol `FaceSource`, and the checks of a request."""

from __future__ import annotations

import io
import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from operator import index
from typing import Protocol, runtime_checkable

import numpy as np

from ..attributes import Attribute

__all__ = ["Face", "FaceSource", "NumberedIdentities", "check_size", "paired", "to_uint8"]


def to_uint8(pixels: np.ndarray) -> np.ndarray:
    """Round float pixels in [0, 1] to 8 bits."""
    return (np.clip(pixels, 0, 1) * 255 + 0.5).astype(np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A picture of one face.

    Parameters
    ----------
    pixels : float32 (height, width, 3), RGB in [0, 1]. Models receive them without rounding to 8 bits, because
        finite differences are sensitive to it.
    landmarks : float32 (5, 2) or None; x and y in pixels. The origin is the top left corner of the picture, so a
        pixel's centre is at +0.5. Order: left eye, right eye, nose tip, left mouth corner, right mouth corner, where
        left and right are those of the picture. An eye's landmark is the centre of the lid opening.

    Raises
    ------
    ValueError : wrong shape or type.
    """

    pixels: np.ndarray
    landmarks: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.pixels.ndim != 3 or self.pixels.shape[2] != 3 or self.pixels.dtype != np.float32:
            raise ValueError(
                f"pixels have shape {self.pixels.shape} and type {self.pixels.dtype}: give float32 "
                "(height, width, 3) in [0, 1]; divide 8-bit values by 255."
            )
        if self.landmarks is not None and np.shape(self.landmarks) != (5, 2):
            raise ValueError(f"landmarks have shape {np.shape(self.landmarks)}: give (5, 2) or None.")

    def to_image(self):
        """Return the picture as an 8-bit `PIL.Image.Image`, to show or save it; models take `pixels`."""
        from PIL import Image

        return Image.fromarray(to_uint8(self.pixels))

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.to_image().save(buffer, format="PNG")
        return buffer.getvalue()

    def __repr__(self) -> str:
        height, width = self.pixels.shape[:2]
        return f"Face({width} x {height} px, landmarks {'known' if self.landmarks is not None else 'unknown'})"


@runtime_checkable
class FaceSource(Protocol):
    """Anything that turns attribute strengths into faces: avatars, edited photographs, or your own class.

    `fingerprint` changes whenever the same request would give other pixels; the cache of embeddings relies on it. A
    source whose identities may be one person has a method `person(identity)` too: who it is, or None if nobody knows.
    """

    @property
    def attributes(self) -> Mapping[str, Attribute]: ...

    @property
    def identities(self) -> Sequence[Hashable]: ...

    @property
    def fingerprint(self) -> str: ...

    def render(self, identity: Hashable, strengths: Mapping[str, float] | None = None, size: int = 160) -> Face: ...

    def render_batch(
        self, identities: Sequence[Hashable], strengths: Sequence[Mapping[str, float]], size: int = 160
    ) -> list[Face]: ...


class NumberedIdentities:
    """Base class of sources that draw their identities 0, 1, ... from a seed."""

    def __init__(self, identities: int = 12, seed: int = 0) -> None:
        self._count = _whole("identities", identities, 1, math.inf, "the number of identities, 1 or more")
        self._seed = _whole("seed", seed, 0, math.inf, "a whole number, 0 or larger")

    @property
    def identities(self) -> tuple[int, ...]:
        """The identities: 0, 1, ..."""
        return tuple(range(self._count))

    def _number(self, identity: Hashable) -> int:
        """Return `identity` as an int; raise ValueError if it is unknown."""
        number = identity if isinstance(identity, int | np.integer) and not isinstance(identity, bool) else -1
        if not 0 <= number < self._count:
            raise ValueError(f"unknown identity {identity!r}: choose a whole number from 0 to {self._count - 1}.")
        return int(number)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(identities={self._count}, seed={self._seed})"


def check_size(size: int) -> int:
    """Return the side of a picture in pixels; raise ValueError unless it is a whole number from 32 to 2048."""
    return _whole("size", size, 32, 2048, "the picture's side as a whole number of pixels from 32 to 2048")


def paired(
    identities: Sequence[Hashable], strengths: Sequence[Mapping[str, float]]
) -> list[tuple[Hashable, Mapping[str, float]]]:
    """Pair the identities of a batch with their strengths; raise ValueError if their numbers differ."""
    if len(identities) != len(strengths):
        raise ValueError(f"{len(identities)} identities but {len(strengths)} strengths: give one mapping each.")
    return list(zip(identities, strengths, strict=True))


def _whole(name: str, value: int, low: int, high: float, hint: str) -> int:
    """Return `value` as an int from `low` to `high`; raise ValueError with the hint otherwise."""
    try:
        number = index(value)
    except TypeError:
        number = low - 1
    if isinstance(value, bool) or not low <= number <= high:
        raise ValueError(f"{name} = {value!r}: give {hint}.")
    return number
