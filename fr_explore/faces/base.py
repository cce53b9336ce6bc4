"""The nouns that every face source shares: `Face` and the `FaceSource` protocol."""

from __future__ import annotations

import io
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from ..attributes import Attribute

__all__ = ["Face", "FaceSource"]


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A picture of one face.

    Parameters
    ----------
    pixels : float32 (height, width, 3), RGB in [0, 1]; never rounded to 8 bits on the way to a model, because
        finite differences see the rounding.
    landmarks : float32 (5, 2) or None; x, y in pixels with the origin at the picture's top left corner (a pixel's
        centre lies at +0.5), in the order left eye, right eye, nose tip, left and right mouth corner, left and
        right as seen in the picture. The eyes are the centres of the lid openings.
    """

    pixels: np.ndarray
    landmarks: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.pixels.ndim != 3 or self.pixels.shape[2] != 3 or self.pixels.dtype != np.float32:
            raise ValueError(
                f"pixels have shape {self.pixels.shape} and type {self.pixels.dtype}: a Face takes float32 "
                "(height, width, 3) in [0, 1]; divide 8-bit values by 255."
            )
        if self.landmarks is not None and np.shape(self.landmarks) != (5, 2):
            raise ValueError(f"landmarks have shape {np.shape(self.landmarks)}: give (5, 2) or None.")

    def to_image(self):
        """The picture as an 8-bit `PIL.Image.Image`, for showing and saving; models get `pixels`."""
        from PIL import Image

        return Image.fromarray((np.clip(self.pixels, 0, 1) * 255 + 0.5).astype(np.uint8))

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.to_image().save(buffer, format="PNG")
        return buffer.getvalue()

    def __repr__(self) -> str:
        height, width = self.pixels.shape[:2]
        return f"Face({width} x {height} px, landmarks {'known' if self.landmarks is not None else 'unknown'})"


@runtime_checkable
class FaceSource(Protocol):
    """What turns attribute strengths into faces: avatars, edited photographs, or your own class.

    `fingerprint` changes whenever the same request would give other pixels; the cache of embeddings relies on it.
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
