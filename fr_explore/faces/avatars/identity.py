"""The identity of an avatar: everything that is drawn from the seed and that no attribute changes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .head import Head
from .looks import draw_looks
from .shapes import draw_shape

__all__ = ["Identity", "draw_identity"]

ANCESTRIES = ("african", "asian", "caucasian")
PURITY = 0.04  # of the Dirichlet distribution: nearly all have one ancestry, because an even mix is nobody's face
FACTORS = (
    1.25,
    2,
    3,
    7,
    13,
    6,
    21,
    14,
)  # squares of the steps of evenly spread quantities: gender, ancestry, hair, five of shape


@dataclass(frozen=True)
class Identity:
    """One person.

    Parameters
    ----------
    young, old : coarse vertices of the head at 18 and at 88 years; the attribute age interpolates.
    melanin : in [0, 1].
    tone, lips : factors (RGB) of the skin's tone, and of the lips of the skin's picture.
    redness, freckles, crease, circles, moles : strengths of these properties of the skin, among them the upper lid's
        crease and the shadow below the eyes; the expected number of moles.
    skin : name of the line of skins: its young, middle-aged and old pictures.
    iris, hair, cloth : colours, linear RGB.
    style, mirrored, length, volume, roots : name of the hair style ("none"), whether it is mirrored, factors of its
        length and thickness, and how much darker it is near the scalp, from 0 to 1.
    brow, brow_change : style of the brows; their shift upwards (cm), thickness and density (factors), tilt,
        shift aside and arch (cm), and length (a factor).
    beard_shape, beard_reach, beard : shape of facial hair, its reach on the cheeks and its own strength, from 0 to 1.
    makeup : own make-up, from 0 to 1.
    smile : smile of the resting face, relative to the average.
    seed : of the fixed patterns of skin and grain.
    traits : the identity in words, for `Avatars.traits`.
    """

    young: np.ndarray
    old: np.ndarray
    melanin: float
    tone: tuple[float, float, float]
    lips: tuple[float, float, float]
    redness: float
    freckles: float
    moles: float
    crease: float
    circles: float
    skin: str
    iris: tuple[float, float, float]
    hair: tuple[float, float, float]
    cloth: tuple[float, float, float]
    style: str
    mirrored: bool
    length: float
    volume: float
    roots: float
    brow: str
    brow_change: tuple[float, ...]
    beard_shape: str
    beard_reach: float
    beard: float
    makeup: float
    smile: float
    seed: int
    traits: dict = field(default_factory=dict)


def _evenly(seed: int, number: int) -> np.ndarray:
    """Quantities (FACTORS,) in [0, 1) that are spread evenly over the people of a seed, whatever their number.

    A Kronecker sequence: each quantity steps on by an irrational number from person to person. Square roots with small
    partial quotients leave no large gaps, even among few people in a row. The seed gives the start.
    """
    step = np.sqrt(FACTORS)
    start = np.random.default_rng(np.random.SeedSequence([seed, 2**31])).random(len(FACTORS))
    return (start + (number + 1) * step) % 1


def draw_identity(head: Head, seed: int, number: int) -> Identity:
    """Draw identity `number` of `seed`; it does not depend on the number of identities."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, number]))
    gender, ancestry, hair, *shape = _evenly(seed, number)
    feminine = bool(gender < 0.5)
    femininity = float(rng.uniform(0.85, 1.0) if feminine else rng.uniform(0.0, 0.13))
    mix = np.sort(rng.dirichlet((PURITY,) * 3))[::-1]
    order = (int(3 * ancestry) + np.array([0, 1, 2] if rng.random() < 0.5 else [0, 2, 1])) % 3
    mix = mix[np.argsort(order)]
    young, old = draw_shape(head, rng.spawn(1)[0], femininity, mix, np.array(shape))
    looks = draw_looks(head, rng, feminine, mix, float(hair), young)
    traits = {
        "gender": "feminine" if feminine else "masculine", **looks.pop("traits"),
        **{name: float(share) for name, share in zip(ANCESTRIES, mix, strict=True)},
    }  # fmt: skip
    return Identity(young=young, old=old, traits=traits, seed=int(rng.integers(2**31)), **looks)
