"""Colours, hair, brows, facial hair and make-up of a person."""

from __future__ import annotations

from typing import Any

import numpy as np

from .head import Head

__all__ = ["HAIR_COLORS", "LENGTH", "draw_looks"]

# name -> linear RGB of hair
HAIR_COLORS = {
    "black": (0.012, 0.010, 0.010),
    "dark brown": (0.038, 0.022, 0.014),
    "brown": (0.095, 0.050, 0.026),
    "auburn": (0.165, 0.055, 0.022),
    "dark blond": (0.240, 0.140, 0.062),
    "blond": (0.440, 0.280, 0.125),
    "grey": (0.330, 0.320, 0.310),
}
EYE_COLORS = {
    "dark brown": (0.050, 0.024, 0.012),
    "brown": (0.125, 0.060, 0.025),
    "hazel": (0.170, 0.115, 0.045),
    "green": (0.125, 0.170, 0.090),
    "blue": (0.125, 0.200, 0.290),
    "grey": (0.200, 0.240, 0.270),
}
CLOTHES = ((0.30, 0.36, 0.46), (0.05, 0.06, 0.09), (0.45, 0.43, 0.40), (0.16, 0.05, 0.06), (0.07, 0.13, 0.11),
           (0.10, 0.14, 0.26), (0.28, 0.19, 0.12), (0.55, 0.55, 0.56))  # fmt: skip
# probability of each colour, in the order above, for the corners african, asian, caucasian
HAIR_ODDS = np.array([[0.76, 0.19, 0.03, 0.01, 0, 0.01, 0.0], [0.68, 0.23, 0.07, 0.01, 0.01, 0, 0.0],
                      [0.08, 0.22, 0.26, 0.11, 0.15, 0.14, 0.04]])  # fmt: skip
DYED = np.array([0.1, 0.1, 0.25, 0.25, 0.15, 0.15, 0])
EYE_ODDS = np.array([[0.75, 0.22, 0.02, 0.01, 0, 0], [0.68, 0.30, 0.02, 0, 0, 0], [0.10, 0.25, 0.18, 0.13, 0.24, 0.10]])
TONE_MEAN, TONE_SPREAD = np.array([0.68, 0.34, 0.20]), 0.10
# odds of hair styles for people whose curls are tight, and for others
STYLES = {
    "masculine": ({"none": 4, "afro02": 6, "afro01": 3, "short01": 2, "short04": 1, "short02": 1, "ponytail01": 1,
                   "long01": 0.5},
                  {"none": 2.5, "short01": 4, "short02": 4, "short03": 2.5, "short04": 4, "ponytail01": 1.2,
                   "long01": 1.2, "chin01": 0.8, "afro02": 0.8, "afro01": 0.4}),
    "feminine": ({"none": 0.8, "afro01": 4, "afro02": 3, "Braid01": 2, "ponytail01": 3, "long01": 2, "chin01": 2,
                  "bob02": 2, "bob01": 1, "short03": 1},
                 {"long01": 4, "chin01": 3, "bob01": 2.5, "bob02": 3.5, "Braid01": 2.5, "ponytail01": 3.5, "short03": 2,
                  "short02": 0.8, "short01": 0.6, "short04": 0.6, "afro01": 0.8}),
}  # fmt: skip
LENGTH = {"none": "none", "long01": "long", "chin01": "long", "bob01": "long", "bob02": "long", "Braid01": "long"}
THIN_BROWS = tuple(f"eyebrow{number:03d}" for number in (1, 2, 3, 4, 5, 6, 7, 10, 11))
FULL_BROWS = tuple(f"eyebrow{number:03d}" for number in (1, 2, 4, 5, 8, 9, 12))
BEARDS = {"full": 4, "stubble": 3, "goatee": 2, "moustache": 1.2, "jaw": 1, "chin": 0.6}


def _choose(rng: np.random.Generator, odds: dict[str, float], at: float | None = None) -> str:
    """Choose a name by its odds; `at` is the quantile, drawn if it is not given."""
    ends = np.cumsum(list(odds.values()))
    place = (rng.random() if at is None else at) * ends[-1]
    return list(odds)[min(int(np.searchsorted(ends, place, side="right")), len(odds) - 1)]


def _tinted(rng: np.random.Generator, color: tuple[float, ...], spread: float) -> tuple[float, float, float]:
    """A colour whose channels vary, mostly together."""
    r, g, b = np.array(color) * (1 + spread * rng.uniform(-1, 1)) * (1 + spread / 3 * rng.uniform(-1, 1, 3))
    return float(r), float(g), float(b)


def _brow_change(rng: np.random.Generator, feminine: bool) -> tuple[float, ...]:
    """Draw what a person's brows differ in from their style; see `Identity`."""
    thickness = np.clip(rng.normal(1.0, 0.28), 0.65, 1.6) if feminine else np.clip(rng.normal(1.25, 0.3), 0.8, 1.85)
    middle, low, high = np.array([0.34, -0.035, 0, 0]), *(np.array([0.6, 0.12, 0.32, 0.3]) * sign for sign in (-1, 1))
    shift, tilt, apart, arch = np.clip(
        rng.normal(middle, (0.24, 0.05, 0.18, 0.15)), low * (-0.1, 1, 1, 1), high * (1.3, 1, 1, 1)
    )
    values = (shift, thickness, rng.uniform(0.45, 1.3), tilt, apart, arch, rng.uniform(0.86, 1.14))
    return tuple(float(value) for value in values)


def draw_looks(head: Head, rng: np.random.Generator, feminine: bool, mix: np.ndarray, at: float) -> dict[str, Any]:
    """Draw everything about a person but the shape: the fields of `Identity`, and "traits" in words.

    mix : shares of the ancestries. at : evenly spread quantity that chooses the hair style.
    """
    who, gender = ("african", "asian", "caucasian")[int(mix.argmax())], "feminine" if feminine else "masculine"
    skins = [name for name in head.skin_names if name.startswith(f"{who}_{'female' if feminine else 'male'}")]
    melanin = float(np.clip(mix @ TONE_MEAN + rng.normal(0, TONE_SPREAD), 0.06, 0.93))
    dyed = rng.random() < 0.08
    odds = DYED if dyed else mix**1.5 @ HAIR_ODDS
    hair = _choose(rng, dict(zip(HAIR_COLORS, odds, strict=True)))
    eye = _choose(rng, dict(zip(EYE_COLORS, mix**1.5 @ EYE_ODDS, strict=True)))
    curls = bool(rng.random() < 0.85 * mix[0] + 0.03)
    style = _choose(rng, STYLES[gender][0 if curls else 1], at)
    shape, strength = _choose(rng, BEARDS), 0.0
    if not feminine and rng.random() < 0.42:
        strength = float(rng.uniform(0.18, 0.42) if shape == "stubble" else rng.uniform(0.7, 1.0))
    brow = str(rng.choice(THIN_BROWS if feminine else FULL_BROWS))
    made_up = float(0.55 * rng.random() ** 1.5) if feminine and rng.random() < 0.7 else 0.0
    length = LENGTH.get(style, "short")
    return {
        "melanin": melanin, "skin": str(rng.choice(skins)), "style": style, "brow": brow,
        "tone": _tinted(rng, (1.0, 1.0, 1.0), 0.12), "lips": _tinted(rng, (1.0, 1.0, 1.0), 0.18),
        "crease": float(rng.uniform(0, 0.85)), "circles": float(0.42 * rng.random() ** 1.4),
        "redness": float(rng.uniform(0.1, 0.7)), "moles": float(rng.gamma(1.5, 1.6)),
        "freckles": float(max(0, rng.normal(0.1, 0.35)) * (melanin < 0.35)),
        "iris": _tinted(rng, EYE_COLORS[eye], 0.15), "hair": _tinted(rng, HAIR_COLORS[hair], 0.2),
        "cloth": _tinted(rng, CLOTHES[int(rng.integers(len(CLOTHES)))], 0.15),
        "mirrored": bool(rng.random() < 0.5),
        "roots": float(rng.uniform(0.1, 0.5)) * (0.3 if style.startswith("afro") else 1),
        "length": float(rng.uniform(0.9, 1.15)), "volume": float(rng.uniform(0.95, 1.2)),
        "brow_change": _brow_change(rng, feminine),
        "beard_shape": shape, "beard_reach": float(rng.uniform(0, 0.45)), "beard": strength, "makeup": made_up,
        "smile": float(np.clip(rng.normal(0.07, 0.09), -0.12, 0.26)),
        "traits": {
            "hair_style": style, "hair_length": length, "hair_color": hair, "eye_color": eye, "melanin": melanin,
            "stubble": strength, "facial_hair": shape if strength else "none", "makeup": made_up,
        },
    }  # fmt: skip
