"""The identity of an avatar: everything that is drawn from the seed and that no attribute changes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .head import Head

__all__ = ["HAIR_COLORS", "Identity", "draw_identity"]

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
# probability of each colour, in the order above, for the corners african, asian, caucasian
HAIR_ODDS = np.array([[0.80, 0.18, 0.02, 0, 0, 0, 0.0], [0.72, 0.23, 0.05, 0, 0, 0, 0.0],
                      [0.10, 0.23, 0.25, 0.10, 0.14, 0.13, 0.05]])  # fmt: skip
EYE_ODDS = np.array([[0.75, 0.25, 0, 0, 0, 0], [0.70, 0.30, 0, 0, 0, 0], [0.10, 0.27, 0.18, 0.12, 0.23, 0.10]])
TONE_MEAN, TONE_SPREAD = np.array([0.80, 0.33, 0.20]), 0.055
STYLES_MASCULINE = {"none": 0.16, "cropped": 0.20, "short": 0.28, "quiff": 0.18, "fringe": 0.06, "curly": 0.08,
                    "long": 0.04}  # fmt: skip
STYLES_FEMININE = {"long": 0.20, "side": 0.20, "bob": 0.20, "fringe_long": 0.12, "tied": 0.12, "curly": 0.08,
                   "short": 0.05, "fringe": 0.03}  # fmt: skip
LENGTH = {"none": "none", "cropped": "short", "short": "short", "quiff": "short", "fringe": "short", "tied": "short",
          "curly": "short", "bob": "long", "long": "long", "side": "long", "fringe_long": "long"}  # fmt: skip
SPREAD = 0.23  # standard deviation of the local shapes: 0.2 to 0.25 looks human, 0.4 deformed


@dataclass(frozen=True)
class Identity:
    """One person.

    Parameters
    ----------
    young, old : coarse vertices of the head at 18 and at 88 years; the attribute age interpolates.
    femininity : gender presentation in [0, 1].
    melanin : in [0, 1].
    iris, hair : colours, linear RGB.
    style : name of the hair style, or "none".
    brows : see `_brows`.
    redness, stubble, freckles : strengths of these properties of the skin.
    smile : smile of the resting face, relative to the average.
    seed : of the fixed patterns of skin, hair and grain.
    traits : the identity in words, for `Avatars.traits`.
    """

    young: np.ndarray
    old: np.ndarray
    femininity: float
    melanin: float
    iris: tuple[float, float, float]
    hair: tuple[float, float, float]
    style: str
    brows: np.ndarray
    redness: float
    stubble: float
    freckles: float
    smile: float
    seed: int
    traits: dict = field(default_factory=dict)


def _phenotype(head: Head, rng: np.random.Generator, femininity: float, mix: np.ndarray) -> np.ndarray:
    """Draw a build; return the vertices (2, n, 3), young and old, of a gender and a mix of ancestries."""
    gender = np.array([1 - femininity, femininity])
    shape = np.einsum("g,r,grand->and", gender, mix, head.corners)
    for kind, spread in enumerate((0.42, 0.3)):  # weight, muscle
        amount = float(np.clip(rng.normal(0, spread), -0.85, 0.85))
        shape = shape + abs(amount) * np.einsum("g,gnd->nd", gender, head.builds[:, kind, int(amount > 0)])
    return shape


def _local(head: Head, rng: np.random.Generator) -> np.ndarray:
    """Draw a sum of local shapes (n, 3)."""
    amount = np.clip(rng.normal(0, SPREAD, len(head.shape_names)), -0.6, 0.6)
    weak = ("head-", "forehead", "chin-height", "ear-", "neck", "mouth-trans", "chin-cleft", "nose-point-up")
    amount = np.where([name.startswith(weak) for name in head.shape_names], 0.7 * amount, amount)
    # not head-age, because the attribute age changes it
    amount[head.shape_names.index("head-age-incr")] = 0
    more, less = np.maximum(amount, 0), np.maximum(-amount, 0)
    weight = np.stack([more, less], axis=1)
    used = weight != 0
    # in double precision: the order of a sum, which depends on the machine, must not show in the rounded vertices
    return np.tensordot(weight[used], head.local[used].astype(np.float64), axes=1)


def _choose(rng: np.random.Generator, odds: dict[str, float]) -> str:
    weight = np.array(list(odds.values()))
    return str(rng.choice(list(odds), p=weight / weight.sum()))


def _brows(rng: np.random.Generator, feminine: bool) -> np.ndarray:
    """Draw half thickness, arch, density, distance of the inner end from the middle, and height; in cm but density."""
    thickness, arch = (0.30, 0.32) if feminine else (0.42, 0.16)
    return np.array([rng.normal(thickness, 0.05), rng.normal(arch, 0.09), rng.uniform(0.72, 0.98),
                     rng.normal(1.5, 0.12), rng.normal(0, 0.1)])  # fmt: skip


def _tinted(rng: np.random.Generator, color: tuple[float, float, float], spread: float) -> tuple[float, float, float]:
    r, g, b = np.array(color) * rng.uniform(1 - spread, 1 + spread, 3)
    return float(r), float(g), float(b)


def draw_identity(head: Head, seed: int, number: int) -> Identity:
    """Draw identity `number` of `seed`; it does not depend on the number of identities."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, number]))
    feminine = bool(rng.random() < 0.5)
    femininity = float(rng.uniform(0.78, 1.0) if feminine else rng.uniform(0.0, 0.2))
    mix = rng.dirichlet((0.55, 0.55, 0.75))
    shape = _phenotype(head, rng, femininity, mix) + _local(head, rng)
    # heads of similar height fill the picture equally: remove three quarters of the differences
    height = shape[0, :, 1].max() - shape[0, head.landmarks[-1], 1]
    shape = shape * (21.6 / height) ** 0.75
    melanin = float(np.clip(mix @ TONE_MEAN + rng.normal(0, TONE_SPREAD), 0.06, 0.93))
    hair = _choose(rng, dict(zip(HAIR_COLORS, mix**1.5 @ HAIR_ODDS, strict=True)))
    eye = _choose(rng, dict(zip(EYE_COLORS, mix**1.5 @ EYE_ODDS, strict=True)))
    style = _choose(rng, STYLES_FEMININE if feminine else STYLES_MASCULINE)
    stubble = float(rng.choice([0.0, 0.35, 0.7], p=[0.4, 0.4, 0.2]) * rng.uniform(0.6, 1.0))
    traits = {
        "gender": "feminine" if feminine else "masculine", "hair_style": style, "hair_length": LENGTH[style],
        "hair_color": hair, "eye_color": eye, "melanin": melanin, "stubble": 0.0 if feminine else stubble,
        **{name: float(share) for name, share in zip(("african", "asian", "caucasian"), mix, strict=True)},
    }  # fmt: skip
    return Identity(
        young=shape[0], old=shape[1], femininity=femininity, melanin=melanin, style=style, traits=traits,
        iris=_tinted(rng, EYE_COLORS[eye], 0.12), hair=_tinted(rng, HAIR_COLORS[hair], 0.1),
        brows=_brows(rng, feminine), redness=float(rng.uniform(0.5, 1.0)), stubble=traits["stubble"],
        freckles=float(max(0, rng.normal(0.2, 0.3)) * (melanin < 0.35)),
        smile=float(np.clip(rng.normal(0, 0.04), -0.08, 0.08)), seed=int(rng.integers(2**31)),
    )  # fmt: skip
