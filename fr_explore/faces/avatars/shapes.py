"""Shapes of heads, drawn as far apart as they still look human.

A face is not a set of independent sliders: what varies are a few correlated combinations (`FACTORS`: a long face, a
broad nose, ...), and each local shape varies a little besides. The vector of the factors' scores has a fixed length:
nobody is average in all. People also differ from others more than the averages of their ancestry and gender do
(`GENDER`, `BEYOND`, `REACH`).

A draw must stay plausible: its proportions are within the limits of `proportions`, and some single shapes have a
lowest or highest coefficient (`FLOORS`, `CEILINGS`). A draw that leaves the limits is not thrown away, which would
favour weak ones: the smallest change of its local shapes brings it back (`_plausible`). Only a draw whose halves are
not level (`uneven`), or that no such change brings back, is drawn again; after `FULL` times each further draw is a
little weaker (`WEAKER`).
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from ...base.memory import passing
from .head import Head
from .proportions import Usual, measured, uneven

__all__ = ["draw_shape"]

OWN = 0.35  # standard deviation of each local shape beside the factors
STRENGTH, SPREAD = 0.45, 1.3  # of the factors, and the length of the vector of their scores per root of their number
MOST = 0.8  # largest coefficient of a local shape
FULL, TRIES, WEAKER = 12, 60, 0.94
# people differ from others more than the averages of genders and ancestries: by how much is drawn from these ranges
GENDER, BEYOND = (1.1, 1.5), (0.85, 1.15)
# of african, asian, caucasian: so far that all three lie equally far from their mean (8 % of the size of the face); the
# third average lies nearer to it than the others, .041 against .070 and .072
REACH = (1.2, 1.2, 1.9)
FACTORS = {  # correlated combinations of local shapes; the first four are spread evenly over the people of a seed
    "long": {"head-scale-vert-incr": 0.7, "head-scale-horiz-incr": -0.7, "chin-height-incr": 0.6,
             "nose-scale-vert-incr": 0.6, "mouth-trans-up": -0.3},
    "full": {"head-fat-incr": 0.7, "cheek-volume-incr": 0.7, "neck-double-incr": 0.5, "cheek-inner-incr": 0.5,
             "neck-scale-horiz-incr": 0.5, "chin-jaw-drop-incr": 0.3, "nose-volume-incr": 0.3},
    "nose": {"nose-scale-depth-incr": 0.8, "nose-trans-forward": 0.5, "nose-hump-incr": 0.7,
             "nose-scale-vert-incr": 0.5, "nose-volume-incr": 0.4, "nose-curve-convex": 0.5, "nose-greek-incr": 0.3},
    "eyes": {"eye-scale-incr": 0.9, "eye-height2-incr": 0.6, "eye-height1-incr": 0.5, "eye-height3-incr": 0.5,
             "eye-push1-out": 0.4, "eye-push2-out": 0.4},
    "jaw": {"chin-bones-incr": 0.8, "chin-width-incr": 0.8, "chin-prominent-incr": 0.7, "chin-cleft-incr": 0.4,
            "cheek-bones-incr": 0.3},
    "ridge": {"eyebrows-trans-forward": 0.7, "eyebrows-trans-up": -0.7, "eye-trans-up": -0.2,
              "forehead-temple-incr": -0.5, "eye-eyefold-up": -0.5},
    "broad": {"nose-width1-incr": 0.6, "nose-width2-incr": 0.7, "nose-width3-incr": 0.8, "nose-scale-horiz-incr": 0.8,
              "nose-nostrils-width-incr": 0.6, "nose-flaring-incr": 0.6, "nose-point-width-incr": 0.6},
    "tip": {"nose-point-up": 0.4, "nose-base-up": 0.4, "nose-septumangle-incr": 0.6, "nose-trans-up": 0.5},
    "slant": {"eye-corner2-up": 0.9, "eye-corner1-up": -0.5, "eyebrows-angle-up": 0.5, "eye-eyefold-angle-up": 0.6},
    "apart": {"eye-trans-out": 0.9, "nose-width1-incr": 0.4, "eye-epicanthus-out": -0.3},
    "lids": {"eye-bag-incr": 0.7, "eye-bag-out": 0.5, "eye-eyefold-up": 0.6, "eye-bag-height-incr": 0.5},
    "lips": {"mouth-upperlip-volume-incr": 0.7, "mouth-lowerlip-volume-incr": 0.7, "mouth-upperlip-height-incr": 0.7,
             "mouth-lowerlip-height-incr": 0.7, "mouth-scale-depth-incr": 0.3, "mouth-cupidsbow-incr": 0.3,
             "mouth-scale-horiz-incr": 0.3},
    "mouth": {"mouth-scale-horiz-incr": 0.9, "mouth-upperlip-width-incr": 0.5, "mouth-lowerlip-width-incr": 0.5,
              "mouth-dimples-out": 0.4},
    "muzzle": {"chin-prognathism-incr": 0.6, "mouth-trans-forward": 0.5, "chin-prominent-incr": -0.5},
    "bones": {"cheek-bones-incr": 0.8, "cheek-trans-up": 0.6, "cheek-inner-incr": -0.6, "forehead-temple-incr": 0.4},
    "ears": {"ear-wing-incr": 0.8, "ear-scale-incr": 0.5, "ear-lobe-incr": 0.4, "ear-shape-round": 0.4},
}  # fmt: skip
# more for features, which distinguish people, than for the outline of head and jaw and the slant of brows and eyes
FACTOR_STRENGTHS = {
    "long": 0.8,
    "full": 0.5,
    "jaw": 0.6,
    "slant": 0.5,
    "ridge": 0.4,
    "bones": 0.8,
    "tip": 0.6,
    "muzzle": 0.6,
}
# lowest coefficients of shapes that make a nose pinched, a face hollow or a lid heavy
FLOORS = {"nose-point-width-incr": -0.3, "nose-volume-incr": -0.3, "nose-flaring-incr": -0.3,
          "nose-nostrils-width-incr": -0.35, "nose-width3-incr": -0.4, "nose-scale-horiz-incr": -0.35,
          "cheek-volume-incr": -0.4, "cheek-inner-incr": -0.4, "mouth-upperlip-volume-incr": -0.5,
          "eyebrows-trans-up": -0.3, "chin-prominent-incr": -0.5, "eye-scale-incr": -0.45, "eye-eyefold-up": -0.25,
          "eye-height1-incr": -0.4, "eye-height2-incr": -0.4, "eye-height3-incr": -0.4,
          "mouth-scale-horiz-incr": -0.4, "nose-point-up": -0.35, "nose-base-up": -0.35,
          "nose-septumangle-incr": -0.45}  # fmt: skip
# highest ones, of shapes that make a nose a snout, a bulb or a beak, a mouth a pout, or a face a ball
CEILINGS = {"nose-base-up": 0.3, "nose-point-up": 0.3, "nose-trans-up": 0.35, "nose-septumangle-incr": 0.45,
            "nose-hump-incr": 0.5, "nose-greek-incr": 0.45, "nose-volume-incr": 0.3, "nose-point-width-incr": 0.35,
            "nose-flaring-incr": 0.4, "nose-nostrils-width-incr": 0.4, "nose-width3-incr": 0.5,
            "nose-width2-incr": 0.5, "nose-scale-vert-incr": 0.5, "head-fat-incr": 0.4, "cheek-volume-incr": 0.5,
            "chin-width-incr": 0.5, "chin-bones-incr": 0.5, "chin-prominent-incr": 0.6,
            "mouth-upperlip-volume-incr": 0.4, "mouth-lowerlip-volume-incr": 0.4, "mouth-scale-depth-incr": 0.25,
            "mouth-trans-forward": 0.25, "mouth-upperlip-height-incr": 0.45, "mouth-lowerlip-height-incr": 0.45,
            "mouth-scale-vert-incr": 0.4, "chin-prognathism-incr": 0.4, "ear-wing-incr": 0.35,
            "ear-scale-incr": 0.35}  # fmt: skip
OUTLINE, SECOND = (0.2, 0.45), 0.15  # amounts of the outline, and at most of a second one
WEAK = (
    "head-back",
    "head-scale-vert",
    "head-scale-depth",
    "ear-",
    "forehead",
    "mouth-trans",
    "chin-cleft",
    "chin-jaw",
    "neck",
    "nose-point-up",
)
WEAKEST = ("forehead-scale", "head-scale-depth")
UNEVEN = 0.10  # standard deviation of what makes one half differ from the other
ROOM, STEPS = 0.95, 3  # share of the limits that is used; steps of Newton's method
BUILD = (0.3, 0.3)  # standard deviations of weight and muscles


def draw_shape(
    head: Head, rng: np.random.Generator, femininity: float, mix: np.ndarray, spread: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the vertices (n, 3) of a head, young and old.

    mix : shares of the ancestries. spread : five evenly spread quantities in [0, 1) for the outline and four factors.
    """
    femininity = 0.5 + rng.uniform(*GENDER) * (femininity - 0.5)
    mix = 1 / 3 + rng.uniform(*BEYOND) * (mix @ np.array(REACH)) * (mix - 1 / 3)
    gender = np.array([1 - femininity, femininity])
    usual = np.einsum("g,r,grand->and", gender, mix, head.corners.astype(np.float64))
    at = measured(head)
    face = Usual(head, usual[0, at])
    for attempt in range(TRIES):
        strength = min(1.0, WEAKER ** (attempt - FULL))
        build, amount = _draw(head, rng, spread)
        base = usual[0, at] + strength * _built(_bases(head)[0], gender, build)
        amount, deformed = _plausible(head, face, base, strength * amount)
        if not deformed:
            break
    shape = usual + strength * _built(head.builds, gender, build) + _moved(head.local, amount)
    # heads of similar height fill the picture equally: remove three quarters of the differences
    height = shape[0, :, 1].max() - shape[0, head.landmarks[-1], 1]
    shape = shape * (21.2 / height) ** 0.75
    return shape[0], shape[1]


def _built(builds: np.ndarray, gender: np.ndarray, build: np.ndarray) -> np.ndarray:
    """Change (n, 3) by weight and muscles."""
    change = np.zeros(builds.shape[3:])
    for kind, amount in enumerate(build):
        change += abs(amount) * np.einsum(
            "g,gnd->nd", np.clip(gender, 0, 1), builds[:, kind, int(amount > 0)].astype(np.float64, copy=False)
        )
    return change


def _moved(local: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """Change (n, 3) by the local shapes, of all vertices or of those that the bases have."""
    weight = np.stack([np.maximum(amount, 0), np.maximum(-amount, 0)], axis=1)
    used = weight != 0
    # in double precision: the order of a sum, which depends on the machine, must not show in the rounded vertices
    return np.tensordot(weight[used], local[used].astype(np.float64, copy=False), axes=1)


def _plausible(head: Head, face: Usual, base: np.ndarray, amount: np.ndarray) -> tuple[np.ndarray, bool]:
    """Bring a draw back within the limits by the smallest change of its local shapes; whether it stays deformed."""
    local, free = _bases(head)[1], _free(head)
    first = face.off(head, base + _moved(local, amount))
    room = ROOM * face.room(first)
    wanted = first / (1 + (first / room) ** 4) ** 0.25
    for _ in range(STEPS):
        shape = base + _moved(local, amount)
        off = face.off(head, shape)
        slope = np.where(amount[:, None, None] >= 0, local[:, 0], -local[:, 1])
        matrix = (face.off(head, shape + 0.05 * slope[free]) - off[:, None]) / 0.05
        amount = amount.copy()
        amount[free] += matrix.T @ np.linalg.solve(matrix @ matrix.T + 1e-3 * np.eye(len(off)), wanted - off)
        amount = np.clip(amount, *_ends(head))
    shape = base + _moved(local, amount)
    off = face.off(head, shape)
    return amount, bool((np.abs(off) > face.room(off)).any()) or uneven(head, shape)


def _draw(head: Head, rng: np.random.Generator, spread: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Draw the amounts of weight and muscles (2,), and of the local shapes."""
    build = np.array([float(np.clip(rng.normal(0, width), -0.9, 0.9)) for width in BUILD])
    scores = rng.normal(0, 1, len(FACTORS))
    scores[:4] = [NormalDist().inv_cdf(0.02 + 0.96 * float(at)) for at in spread[1:]]
    scores *= SPREAD * np.sqrt(len(scores) / (scores**2).sum())  # nobody is average in all
    loads, damped, outlines, halves = _names(head)
    amount = rng.normal(0, OWN, len(damped))
    for (places, load), score in zip(loads, np.clip(scores, -2.2, 2.2), strict=True):
        amount[places] += STRENGTH * load * score
    amount *= damped
    amount[outlines], amount[halves] = 0, rng.normal(0, UNEVEN, len(halves))
    amount[outlines[int(spread[0] * len(outlines))]] = rng.uniform(*OUTLINE)
    amount[outlines[int(rng.integers(len(outlines)))]] += rng.uniform(0, SECOND)
    # not head-age, because the attribute age changes it
    amount[head.shape_names.index("head-age-incr")] = 0
    return build, np.clip(amount, *_ends(head))


@passing()
def _names(head: Head) -> tuple[list[tuple[list[int], np.ndarray]], np.ndarray, list[int], list[int]]:
    """Places of the local shapes: each factor's with its loads; how much each is damped; the outlines; the uneven."""
    names = head.shape_names
    loads = [
        ([names.index(name) for name in factor], FACTOR_STRENGTHS.get(title, 1) * np.array([*factor.values()]))
        for title, factor in FACTORS.items()
    ]
    damped = np.where([name.startswith(WEAK) for name in names], 0.7, 1.0)
    damped *= np.where([name.startswith(WEAKEST) for name in names], 0.4, 1)
    outlines = [place for place, name in enumerate(names) if name.startswith("outline-")]
    return loads, damped, outlines, [place for place, name in enumerate(names) if name.startswith("uneven-")]


@passing()
def _bases(head: Head) -> tuple[np.ndarray, np.ndarray]:
    """Weight and muscles, and the local shapes, at these vertices."""
    at = measured(head)
    return head.builds[..., at, :].astype(np.float64), head.local[..., at, :].astype(np.float64)


@passing()
def _ends(head: Head) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest coefficients of the local shapes."""
    names = head.shape_names
    return np.array([FLOORS.get(name, -MOST) for name in names]), np.array([CEILINGS.get(n, MOST) for n in names])


@passing()
def _free(head: Head) -> np.ndarray:
    """Places of the local shapes that may bring a draw back."""
    fixed = ("outline-", "uneven-", "head-age", "ear-", "neck")
    return np.array([place for place, name in enumerate(head.shape_names) if not name.startswith(fixed)])
