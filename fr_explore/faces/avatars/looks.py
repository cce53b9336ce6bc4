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
TONE_MEAN, TONE_SPREAD = np.array([0.68, 0.34, 0.20]), 0.16
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
# of each style of brows as it is baked: where it begins beside the nose, its height at `BROW_AT` and its width (all in
# cm), and its slope; most of them rise outwards by a fifth, which reads as a frown
BROWS = {
    "eyebrow001": (1.09, 1.09, 0.33, 0.05), "eyebrow002": (0.97, 1.32, 0.39, 0.21),
    "eyebrow003": (1.16, 1.17, 0.30, 0.22), "eyebrow004": (0.97, 1.17, 0.33, 0.21),
    "eyebrow005": (1.41, 1.22, 0.23, 0.23), "eyebrow006": (1.59, 1.55, 0.15, 0.13),
    "eyebrow007": (1.22, 1.34, 0.21, 0.22), "eyebrow008": (1.03, 1.29, 0.45, 0.18),
    "eyebrow009": (0.91, 1.25, 0.58, -0.02), "eyebrow010": (1.41, 1.30, 0.26, 0.15),
    "eyebrow011": (1.47, 1.09, 0.26, 0.23), "eyebrow012": (0.78, 1.13, 0.54, 0.06),
}  # fmt: skip
BROW_AT = 3.2  # cm from the middle; tilting leaves the height as it is there
THIN_BROWS = tuple(f"eyebrow{number:03d}" for number in (1, 2, 3, 4, 5, 6, 7, 10, 11))
FULL_BROWS = tuple(f"eyebrow{number:03d}" for number in (1, 2, 3, 4, 5, 8, 9, 10, 12))
CALM = 0.5  # share of the frown of style and shape that is subtracted
STEEPEST = 0.15  # slope of brows on the face
ARCHED = 0.25  # how much less steep arched brows are, per cm of the arch: their inner halves rise already
BROW_ENDS = (1.7, 4.5)  # where it is measured how the shape moves the brows, in cm from the middle
# of masculine and feminine brows, in cm: least height beside the nose above the eyes' middle, range of the width
HEIGHT_OF_BROWS, WIDTH_OF_BROWS = (1.05, 1.18), ((0.15, 0.75), (0.12, 0.6))
# ranges of brows: height above the least and begin beside the nose (cm), slope, arch (cm), length and density (factors)
BROW_RANGES = {"height": (0, 0.6), "begin": (0.8, 2.1), "slope": (-0.15, 0.14), "arch": (-0.3, 0.45),
               "length": (0.7, 1.25), "density": (0.3, 1.8)}  # fmt: skip
FAIR = ("dark blond", "blond", "grey")  # hair that hardly shows as a beard unless the attribute facial_hair adds to it
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


def _brow_change(rng: np.random.Generator, feminine: bool, brow: str, moved: tuple[float, float]) -> tuple[float, ...]:
    """Draw what a person's brows differ in from their style; see `Identity`.

    Drawn are the place, height, width and slope of the brows on the face, calm or friendly; those that the style and
    the shape bring are subtracted, and half of their frown. moved : see `_moved`.
    """
    begins, height, width, slope = BROWS[brow]
    wide = rng.uniform(*WIDTH_OF_BROWS[feminine])
    own = {name: float(rng.uniform(*ends)) for name, ends in BROW_RANGES.items()}
    given = slope + float(np.clip(moved[1], -0.1, 0.3))
    tilt = min(own["slope"] + (1 - CALM) * given, STEEPEST) - given - ARCHED * max(own["arch"], 0)
    lift = HEIGHT_OF_BROWS[feminine] + 0.4 * wide + own["height"] - height
    lift += (slope + tilt) * (BROW_AT - BROW_ENDS[0]) - float(np.clip(0.7 * moved[0], -0.5, 0.15))
    thickness = float(np.clip(wide / width, 0.55, 2.2))
    apart = own["begin"] - 1.5 - own["length"] * (begins - 1.5)
    return lift, thickness, own["density"], tilt, apart, own["arch"], own["length"]


def _moved(head: Head, young: np.ndarray) -> tuple[float, float]:
    """By how much a shape lifts the brows' inner ends from the eyes (cm), and how much steeper the brows are on it."""
    lifts = (young - head.mean)[:, 1] - (young - head.mean)[head.landmarks[:8], 1].mean()
    side, y, front = np.abs(head.mean[:, 0]), head.mean[:, 1], head.mean[:, 2] > -2
    inner, outer = (
        float(lifts[np.argsort(np.where(front, (side - at) ** 2 + (y - 1.5) ** 2, 99), kind="stable")[:6]].mean())
        for at in BROW_ENDS
    )
    return inner, (outer - inner) / (BROW_ENDS[1] - BROW_ENDS[0])


def draw_looks(
    head: Head, rng: np.random.Generator, feminine: bool, mix: np.ndarray, at: float, young: np.ndarray
) -> dict[str, Any]:
    """Draw everything about a person but the shape: the fields of `Identity`, and "traits" in words.

    mix : shares of the ancestries. at : evenly spread quantity that chooses the hair style. young : the shape.
    """
    who, gender = ("african", "asian", "caucasian")[int(mix.argmax())], "feminine" if feminine else "masculine"
    skins = [name for name in head.skin_names if name.startswith(f"{who}_{'female' if feminine else 'male'}")]
    melanin = float(np.clip(mix @ TONE_MEAN + rng.normal(0, TONE_SPREAD), 0.08, 0.84))
    dyed = rng.random() < 0.08
    odds = DYED if dyed else mix**1.5 @ HAIR_ODDS
    hair = _choose(rng, dict(zip(HAIR_COLORS, odds, strict=True)))
    eye = _choose(rng, dict(zip(EYE_COLORS, mix**1.5 @ EYE_ODDS, strict=True)))
    curls = bool(rng.random() < 0.85 * mix[0] + 0.03)
    style = _choose(rng, STYLES[gender][0 if curls else 1], at)
    shape, strength = _choose(rng, BEARDS), 0.0
    if not feminine and rng.random() < 0.42:
        strength = float(rng.uniform(0.18, 0.42) if shape == "stubble" else rng.uniform(0.82, 1.0))
        if hair in FAIR:
            strength *= 0.3
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
        "brow_change": _brow_change(rng, feminine, brow, _moved(head, young)),
        "beard_shape": shape, "beard_reach": float(rng.uniform(0, 0.45)), "beard": strength, "makeup": made_up,
        "smile": float(rng.uniform(-0.04, 0.30)),
        "traits": {
            "hair_style": style, "hair_length": length, "hair_color": hair, "eye_color": eye, "melanin": melanin,
            "stubble": strength, "facial_hair": shape if strength else "none", "makeup": made_up,
        },
    }  # fmt: skip
