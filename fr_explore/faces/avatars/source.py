"""`Avatars`: a parametric head whose every attribute can be set, as a face source."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, lru_cache
from operator import index

import numpy as np
import pandas as pd

from ...attributes import ATTRIBUTES, AVATAR_ATTRIBUTES, IMAGE_ATTRIBUTES, Attribute, check_strengths
from ...base.cores import cores
from ..adjust import adjust
from ..base import Face
from .appearance import hair_tone, skin_fields
from .head import load_head
from .identity import draw_identity
from .portrait import Portrait

__all__ = ["Avatars"]

RENDERER = "2"  # goes into the fingerprint: raise it whenever the same request would give other pixels
LARGEST, SMALLEST = 2048, 32
STRIP = 12  # identities that a notebook shows
# label -> whether it is the person's for good or the picture's
LABELS = {"feminine": "identity", "no_hair": "identity", "long_hair": "identity", "light_hair": "both",
          "dark_hair": "both", "old": "transient", "smiling": "transient", "glasses": "transient"}  # fmt: skip
LUMA = np.array([0.2126, 0.7152, 0.0722])
LIGHT_HAIR, DARK_HAIR = 0.12, 0.05  # linear luminance


@lru_cache(maxsize=1)
def _fields() -> dict[str, np.ndarray]:
    return skin_fields(load_head())


@lru_cache(maxsize=128)
def _portrait(seed: int, number: int) -> Portrait:
    head = load_head()
    return Portrait(head, draw_identity(head, seed, number), _fields())


class Avatars:
    """Faces of parametric persons, the same person at any strength of any attribute.

    Parameters
    ----------
    identities : how many persons. Person i of a seed is the same whatever their number.
    seed : of the persons.

    Examples
    --------
    >>> faces = Avatars(identities=3, seed=0)
    >>> faces.render(1, {"age": 60, "head_angle": 10}).pixels.shape
    (160, 160, 3)
    """

    def __init__(self, identities: int = 12, seed: int = 0) -> None:
        self._count = _whole("identities", identities, 1, "how many persons you want, 1 or more")
        self._seed = _whole("seed", seed, 0, "a whole number, 0 or larger")

    @property
    def attributes(self) -> Mapping[str, Attribute]:
        """The sixteen attributes that can be set, by name."""
        return {name: ATTRIBUTES[name] for name in AVATAR_ATTRIBUTES}

    @property
    def identities(self) -> tuple[int, ...]:
        """The persons: 0, 1, ..."""
        return tuple(range(self._count))

    @cached_property
    def fingerprint(self) -> str:
        """Changes whenever the same request would give other pixels: asset, seed and renderer."""
        text = f"avatars {RENDERER} {load_head().digest} {self._seed}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @cached_property
    def traits(self) -> pd.DataFrame:
        """Who the persons are, one row each: gender presentation, hair, eyes, melanin in [0, 1], ancestry mix."""
        rows = [{"identity": i, **_portrait(self._seed, i).identity.traits} for i in self.identities]
        return pd.DataFrame(rows)

    def render(self, identity: Hashable, strengths: Mapping[str, float] | None = None, size: int = 160) -> Face:
        """One face.

        Parameters
        ----------
        identity : one of `identities`.
        strengths : attribute -> value in its unit; what is not named stands at its neutral value.
        size : side of the picture in pixels, 32 to 2048.

        ValueError names an unknown identity, attribute or size, or a value out of range, and what is allowed.
        """
        number, side = self._number(identity), _side(size)
        values = check_strengths(strengths, AVATAR_ATTRIBUTES)
        portrait = _portrait(self._seed, number)
        pixels, landmarks = portrait.picture(values, side)
        image = {name: values[name] for name in IMAGE_ATTRIBUTES}
        return Face(adjust(pixels.astype(np.float32), image, seed=portrait.identity.seed), landmarks)

    def render_batch(
        self, identities: Sequence[Hashable], strengths: Sequence[Mapping[str, float]], size: int = 160
    ) -> list[Face]:
        """Many faces, on all cores; the same pixels as `render` one by one."""
        if len(identities) != len(strengths):
            raise ValueError(f"{len(identities)} identities but {len(strengths)} strengths: give one mapping each.")
        with ThreadPoolExecutor(min(cores(), 8)) as pool:
            return list(pool.map(lambda i, s: self.render(i, s, size), identities, strengths))

    def labels(self, identities: Sequence[Hashable], strengths: Sequence[Mapping[str, float]]) -> pd.DataFrame:
        """Binary labels (+1 or -1) of the faces that `render_batch` would give, one row each.

        feminine, no_hair and long_hair belong to the person; old (50 years and more), smiling and glasses (strength
        one half and more) to the picture; light_hair and dark_hair to both, since hair_color moves them. Which is
        which stands in `attrs["kind"]`.
        """
        if len(identities) != len(strengths):
            raise ValueError(f"{len(identities)} identities but {len(strengths)} strengths: give one mapping each.")
        rows = [self._label(i, s) for i, s in zip(identities, strengths, strict=True)]
        table = pd.DataFrame(rows, columns=list(LABELS)).astype(int) * 2 - 1
        table.attrs["kind"] = dict(LABELS)
        return table

    def _label(self, identity: Hashable, strengths: Mapping[str, float]) -> dict[str, bool]:
        values = check_strengths(strengths, AVATAR_ATTRIBUTES)
        person = _portrait(self._seed, self._number(identity)).identity
        bare = person.style == "none"
        tone = float(LUMA @ hair_tone(person, values["hair_color"]))
        return {
            "feminine": person.traits["gender"] == "feminine",
            "no_hair": bare,
            "long_hair": person.traits["hair_length"] == "long",
            "light_hair": not bare and tone > LIGHT_HAIR,
            "dark_hair": not bare and tone < DARK_HAIR,
            "old": values["age"] >= 50,
            "smiling": values["expression"] >= 0.5,
            "glasses": values["glasses"] >= 0.5,
        }

    def _number(self, identity: Hashable) -> int:
        number = identity if isinstance(identity, int | np.integer) and not isinstance(identity, bool) else -1
        if not 0 <= number < self._count:
            raise ValueError(f"unknown identity {identity!r}: choose a whole number from 0 to {self._count - 1}.")
        return int(number)

    def __repr__(self) -> str:
        return f"Avatars(identities={self._count}, seed={self._seed})"

    def _repr_html_(self) -> str:
        from PIL import Image

        shown = self.identities[:STRIP]
        faces = self.render_batch(shown, [{}] * len(shown), size=96)
        strip = np.concatenate([np.asarray(face.to_image()) for face in faces], axis=1)
        buffer = io.BytesIO()
        Image.fromarray(strip).save(buffer, format="PNG")
        picture = base64.b64encode(buffer.getvalue()).decode()
        more = "" if len(shown) == self._count else f", the first {len(shown)} shown"
        text = f"{self._count} avatar{'s' * (self._count > 1)} (seed {self._seed}{more})"
        return (
            f'<figure><img alt="{text}" src="data:image/png;base64,{picture}"><figcaption>{text}</figcaption></figure>'
        )


def _whole(name: str, value: int, least: int, hint: str) -> int:
    """`value` as an int, or a ValueError that names it."""
    try:
        number = index(value)
    except TypeError:
        number = least - 1
    if number < least or isinstance(value, bool):
        raise ValueError(f"{name} = {value!r}: give {hint}.")
    return number


def _side(size: int) -> int:
    hint = f"the picture's side as a whole number of pixels from {SMALLEST} to {LARGEST}"
    side = _whole("size", size, SMALLEST, hint)
    if side > LARGEST:
        raise ValueError(f"size = {size!r}: give {hint}.")
    return side
