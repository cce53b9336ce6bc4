"""Shapes of heads, drawn as far apart as they still look human.

A face is not a set of independent sliders: what varies are a few correlated combinations (`FACTORS`: a long face, a
broad nose, ...), and each local shape varies a little besides. The vector of the factors' scores has a fixed length:
nobody is average in all. People may also differ from others a little more than the averages of their ancestry and
gender do (`BEYOND`).

A draw is *deformed* when one of the proportions that anthropometry measures (widths of the eyes' openings, of nose,
mouth and jaw, lengths of nose, lip, chin and face; each relative to the width of the face) differs from that of the
people of the same gender and ancestry by more than its limit in `LIMITS`, when the nose is pinched (`PINCHED`), or when
the eyes, brows or corners of the mouth are not level (`UNEVEN_LIMIT`). A deformed draw is drawn again; after `FULL`
times each further draw is a little weaker (`WEAKER`).
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from ...base.memory import passing
from .head import Head

__all__ = ["draw_shape", "proportions"]

OWN = 0.25  # standard deviation of each local shape beside the factors
STRENGTH, SPREAD = 0.48, 1.3  # of the factors, and the length of the vector of their scores per root of their number
MOST = 0.8  # largest coefficient of a local shape
FULL, TRIES, WEAKER = 12, 60, 0.94
BEYOND = 1.3  # people differ from others more than the averages of ancestries and genders: up to this factor
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
             "mouth-lowerlip-height-incr": 0.7, "mouth-scale-depth-incr": 0.5, "mouth-cupidsbow-incr": 0.3},
    "mouth": {"mouth-scale-horiz-incr": 0.9, "mouth-upperlip-width-incr": 0.5, "mouth-lowerlip-width-incr": 0.5,
              "mouth-dimples-out": 0.4},
    "muzzle": {"chin-prognathism-incr": 0.6, "mouth-trans-forward": 0.5, "chin-prominent-incr": -0.5},
    "bones": {"cheek-bones-incr": 0.8, "cheek-trans-up": 0.6, "cheek-inner-incr": -0.6, "forehead-temple-incr": 0.4},
    "ears": {"ear-wing-incr": 0.8, "ear-scale-incr": 0.5, "ear-lobe-incr": 0.4, "ear-shape-round": 0.4},
}  # fmt: skip
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
# proportion -> largest relative difference from the average of a gender and ancestry
LIMITS = {"eyes": 0.15, "opening": 0.42, "apart": 0.24, "nose": 0.28, "mouth": 0.24, "nose length": 0.24, "lip": 0.45,
          "chin": 0.34, "jaw": 0.12, "height": 0.18}  # fmt: skip
PINCHED = 0.86  # least width of the nose, relative to the average
UNEVEN_LIMIT = 0.22  # cm between the heights of the two halves


def draw_shape(
    head: Head, rng: np.random.Generator, femininity: float, mix: np.ndarray, spread: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the vertices (n, 3) of a head, young and old.

    mix : shares of the ancestries. spread : five evenly spread quantities in [0, 1) for the outline and four factors.
    """
    femininity = 0.5 + rng.uniform(0.9, 1.3) * (femininity - 0.5)
    mix = 1 / 3 + rng.uniform(0.9, BEYOND) * (mix - 1 / 3)
    gender = np.array([1 - femininity, femininity])
    usual = np.einsum("g,r,grand->and", gender, mix, head.corners.astype(np.float64))
    expected = proportions(head, usual[0])
    # whether a draw is deformed shows at few vertices; only the one that is taken is computed at all of them
    at, shape = _measured(head), usual[0].copy()
    for attempt in range(TRIES):
        strength, drawn = min(1.0, WEAKER ** (attempt - FULL)), _draw(head, rng, spread)
        shape[at] = usual[0, at] + strength * _change(*_bases(head), gender, *drawn)
        if not _deformed(head, shape, expected):
            break
    shape = usual + strength * _change(head.builds, head.local, gender, *drawn)
    # heads of similar height fill the picture equally: remove three quarters of the differences
    height = shape[0, :, 1].max() - shape[0, head.landmarks[-1], 1]
    shape = shape * (21.2 / height) ** 0.75
    return shape[0], shape[1]


def _change(
    builds: np.ndarray, local: np.ndarray, gender: np.ndarray, build: np.ndarray, weight: np.ndarray
) -> np.ndarray:
    """Change (n, 3) by weight and muscles and by the local shapes, of all vertices or of those that the bases have."""
    change = np.zeros(local.shape[2:])
    for kind, amount in enumerate(build):
        change += abs(amount) * np.einsum(
            "g,gnd->nd", np.clip(gender, 0, 1), builds[:, kind, int(amount > 0)].astype(np.float64, copy=False)
        )
    used = weight != 0
    # in double precision: the order of a sum, which depends on the machine, must not show in the rounded vertices
    return change + np.tensordot(weight[used], local[used].astype(np.float64, copy=False), axes=1)


def _draw(head: Head, rng: np.random.Generator, spread: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Draw the amounts of weight and muscles (2,), and of the local shapes (shape, more or less)."""
    build = np.array([float(np.clip(rng.normal(0, width), -0.9, 0.9)) for width in (0.4, 0.35)])
    scores = rng.normal(0, 1, len(FACTORS))
    scores[:4] = [NormalDist().inv_cdf(0.02 + 0.96 * float(at)) for at in spread[1:]]
    scores *= SPREAD * np.sqrt(len(scores) / (scores**2).sum())  # nobody is average in all
    loads, damped, outlines, uneven = _names(head)
    amount = rng.normal(0, OWN, len(damped))
    for (places, load), score in zip(loads, np.clip(scores, -2.2, 2.2), strict=True):
        amount[places] += STRENGTH * load * score
    amount *= damped
    amount[outlines], amount[uneven] = 0, rng.normal(0, UNEVEN, len(uneven))
    amount[outlines[int(spread[0] * len(outlines))]] = rng.uniform(0.3, 0.75)
    amount[outlines[int(rng.integers(len(outlines)))]] += rng.uniform(0, 0.2)
    # not head-age, because the attribute age changes it
    amount[head.shape_names.index("head-age-incr")] = 0
    amount = np.clip(amount, -MOST, MOST)
    return build, np.stack([np.maximum(amount, 0), np.maximum(-amount, 0)], axis=1)


@passing()
def _names(head: Head) -> tuple[list[tuple[list[int], np.ndarray]], np.ndarray, list[int], list[int]]:
    """Places of the local shapes: each factor's with its loads; how much each is damped; the outlines; the uneven."""
    names = head.shape_names
    loads = [([names.index(name) for name in factor], np.array([*factor.values()])) for factor in FACTORS.values()]
    damped = np.where([name.startswith(WEAK) for name in names], 0.7, 1.0)
    damped *= np.where([name.startswith(WEAKEST) for name in names], 0.4, 1)
    outlines = [place for place, name in enumerate(names) if name.startswith("outline-")]
    return loads, damped, outlines, [place for place, name in enumerate(names) if name.startswith("uneven-")]


@passing()
def _measured(head: Head) -> np.ndarray:
    """Coarse vertices that `_deformed` looks at."""
    # numpy's unique() would import numpy.ma, which takes as long as all the rest of a person
    return np.flatnonzero(np.bincount(np.concatenate([head.landmarks, *_places(head).values()])))


@passing()
def _bases(head: Head) -> tuple[np.ndarray, np.ndarray]:
    """Weight and muscles, and the local shapes, at these vertices."""
    at = _measured(head)
    return head.builds[..., at, :].astype(np.float64), head.local[..., at, :].astype(np.float64)


@passing()
def _places(head: Head) -> dict[str, np.ndarray]:
    """Coarse vertices at which a face is measured, found on the mean head."""
    mean = head.mean

    def near(x: float, y: float, z: float) -> int:
        return int((((mean - (x, y, z)) * (1, 1, 0.4)) ** 2).sum(axis=1).argmin())

    front, side = mean[:, 2] > -7, np.abs(mean[:, 0])
    return {
        "face": np.flatnonzero(front & (np.abs(mean[:, 1] + 2.5) < 1.2) & (side > 5) & (side < 7.6)),
        "jaw": np.flatnonzero(front & (np.abs(mean[:, 1] + 7.2) < 0.8) & (side > 4)),
        "wings": np.array([near(-1.85, -4.2, 2.4), near(1.85, -4.2, 2.4)]),
        "base": np.array([near(0, -5.0, 3.0)]), "bridge": np.array([near(0, 0.3, 2.9)]),
        "lip": np.array([near(0, -6.3, 3.4)]),
        "brows": np.array([near(-3.2, 2.1, 2.4), near(3.2, 2.1, 2.4)]),
    }  # fmt: skip


def proportions(head: Head, shape: np.ndarray) -> dict[str, float]:
    """Proportions of a face (n, 3) relative to its width; see `LIMITS`."""
    marks, at = shape[head.landmarks], _places(head)

    def wide(name: str) -> float:
        return float(np.ptp(shape[at[name], 0]))

    def tall(name: str) -> float:
        return float(shape[at[name], 1].mean())

    face, chin = wide("face"), float(marks[11, 1])
    measured = {
        "eyes": marks[5, 0] - marks[1, 0], "opening": (marks[[2, 6], 1] - marks[[3, 7], 1]).mean(),
        "apart": marks[4, 0] - marks[0, 0], "nose": wide("wings"), "mouth": marks[10, 0] - marks[9, 0],
        "nose length": tall("bridge") - tall("base"), "lip": tall("base") - tall("lip"),
        "chin": marks[9:11, 1].mean() - chin, "jaw": wide("jaw"), "height": tall("bridge") - chin,
    }  # fmt: skip
    return {name: float(value) / face for name, value in measured.items()}


def _deformed(head: Head, shape: np.ndarray, expected: dict[str, float]) -> bool:
    found = proportions(head, shape)
    if any(abs(found[name] / expected[name] - 1) > limit for name, limit in LIMITS.items()):
        return True
    if found["nose"] / expected["nose"] < PINCHED:
        return True
    marks, brows = shape[head.landmarks, 1], shape[_places(head)["brows"], 1]
    level = (marks[:4].mean() - marks[4:8].mean(), marks[9] - marks[10], brows[0] - brows[1])
    return max(abs(float(value)) for value in level) > UNEVEN_LIMIT
