"""`Avatars`: a parametric head whose every attribute can be set, as a face source."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, lru_cache
from operator import index

import numpy as np
import pandas as pd

from ..attributes import ATTRIBUTES, AVATAR_ATTRIBUTES, IMAGE_ATTRIBUTES, Attribute, check_strengths
from .adjust import adjust
from .appearance import skin_fields
from .base import Face
from .head import load_head
from .identity import draw_identity
from .portrait import Portrait

__all__ = ["Avatars"]

RENDERER = "1"  # goes into the fingerprint: raise it whenever the same request would give other pixels


@lru_cache(maxsize=1)
def _fields() -> dict[str, np.ndarray]:
    return skin_fields(load_head())


@lru_cache(maxsize=256)
def _portrait(seed: int, number: int) -> Portrait:
    head = load_head()
    return Portrait(head, draw_identity(head, seed, number), _fields())


class Avatars:
    """Faces of `identities` parametric persons.

    Parameters
    ----------
    identities : how many persons; person i of a seed is the same whatever their number.
    seed : of the persons.
    """

    def __init__(self, identities: int = 12, seed: int = 0) -> None:
        self._count, self._seed = index(identities), index(seed)
        if self._count < 1:
            raise ValueError(f"identities = {identities!r}: give how many persons you want, 1 or more.")
        if self._seed < 0:
            raise ValueError(f"seed = {seed!r}: give a whole number, 0 or larger.")

    @property
    def attributes(self) -> Mapping[str, Attribute]:
        return {name: ATTRIBUTES[name] for name in AVATAR_ATTRIBUTES}

    @property
    def identities(self) -> tuple[int, ...]:
        return tuple(range(self._count))

    @cached_property
    def fingerprint(self) -> str:
        text = f"avatars {RENDERER} {load_head().digest} {self._seed}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _number(self, identity: Hashable) -> int:
        try:
            number = index(identity)  # type: ignore[arg-type]
        except TypeError:
            number = -1
        if not 0 <= number < self._count:
            raise ValueError(f"unknown identity {identity!r}: choose a whole number from 0 to {self._count - 1}.")
        return number

    def render(self, identity: Hashable, strengths: Mapping[str, float] | None = None, size: int = 160) -> Face:
        """One face."""
        number = self._number(identity)
        values = check_strengths(strengths, AVATAR_ATTRIBUTES)
        size = _checked_size(size)
        portrait = _portrait(self._seed, number)
        pixels, landmarks = portrait.picture(values, size)
        image = {name: values[name] for name in IMAGE_ATTRIBUTES}
        return Face(adjust(pixels.astype(np.float32), image, seed=portrait.identity.seed), landmarks)

    def render_batch(
        self, identities: Sequence[Hashable], strengths: Sequence[Mapping[str, float]], size: int = 160
    ) -> list[Face]:
        """Many faces, on both cores."""
        if len(identities) != len(strengths):
            raise ValueError(f"{len(identities)} identities and {len(strengths)} strengths: give as many of each.")
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(lambda i, s: self.render(i, s, size), identities, strengths))


def _checked_size(size: int) -> int:
    try:
        pixels = index(size)
    except TypeError:
        pixels = 0
    if not 32 <= pixels <= 2048:
        raise ValueError(f"size = {size!r}: give the picture's side as a whole number of pixels from 32 to 2048.")
    return pixels
