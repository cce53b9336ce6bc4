"""What is painted on an avatar's skin: brows, facial hair, moles and freckles, pores.

The chart is the face seen from the front, in coordinates (cm) of the resting face, so that paint follows the skin.
Styles of brows are baked; everything else is drawn from the person's seed.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np

from .head import load_head
from .identity import Identity
from .smooth import smooth

__all__ = ["paint"]

LEFT, RIGHT, BOTTOM, TOP = -7.0, 7.0, -11.5, 8.5
PER_CM = 16
BROWS_AT = 1.3  # mean height of the brows
_FOLDS = (  # of one half: width in cm, depth, polyline
    (0.22, 1.0, ((1.75, -3.6), (2.5, -4.8), (3.05, -6.3), (3.2, -7.3))),  # from beside the nose to the mouth
    (0.18, 0.6, ((2.7, -7.6), (2.95, -8.4), (2.85, -9.1))),  # below the mouth corners
    (0.13, 0.8, ((1.6, -1.05), (2.3, -1.6), (3.2, -1.75), (4.1, -1.35))),  # below the eye
    (0.10, 0.5, ((4.95, -0.1), (5.9, -0.3))),  # beside the eye
    (0.12, 0.35, ((0.42, 1.3), (0.5, 2.0), (0.6, 2.7))),  # between the brows
    (0.13, 0.4, ((0.0, 4.0), (2.0, 4.15), (4.0, 3.9))),  # on the forehead
    (0.17, 0.6, ((0.0, -8.75), (0.8, -8.7), (1.3, -8.5))),  # above the chin
    (0.16, 0.5, ((0.22, -5.1), (0.3, -6.2))),  # between nose and lip
)


def paint(identity: Identity) -> np.ndarray:
    """Return the paint on the chart, (rows, columns, 4) in [0, 1].

    The channels: opacity of the brows; density of the full facial hair of this person's shape; moles, freckles and
    spots, darker towards 1; relief of pores and lines, with 0.5 for none.
    """
    rng = np.random.default_rng(identity.seed)
    layers = (_brows(identity), _facial_hair(identity, rng), _marks(identity, rng), _relief(rng))
    return np.clip(np.stack(layers, axis=-1), 0, 1)


@lru_cache(maxsize=1)
def _axes() -> tuple[np.ndarray, np.ndarray]:
    x = np.arange(LEFT, RIGHT, 1 / PER_CM) + 0.5 / PER_CM
    y = np.arange(BOTTOM, TOP, 1 / PER_CM) + 0.5 / PER_CM
    return np.meshgrid(x, y, indexing="xy")


def _step(x: np.ndarray, width: float) -> np.ndarray:
    """Smooth step from 0 to 1 about 0."""
    return 1 / (1 + np.exp(-np.clip(x / width, -60, 60)))


def _brows(identity: Identity) -> np.ndarray:
    """Opacity of the brows: a baked style, moved, made thicker and denser."""
    head = load_head()
    style = head.brows[head.brow_names.index(identity.brow)].astype(np.float64) / 255
    lift, thickness, density, tilt, apart, arch, length = identity.brow_change
    x, y = _axes()
    bow = arch * np.clip(1 - ((np.abs(x) - 3.6) / 1.9) ** 2, -1, 1)
    # where in the baked style each cell of the person's brows is taken from
    from_x = np.sign(x) * (1.5 + (np.abs(x) - 1.5 - apart) / length)
    middle = np.interp(from_x[0], x[0], _middle(identity.brow))
    from_y = middle + (y - middle - lift - bow - tilt * (np.abs(x) - 3.2)) / thickness
    row = np.clip((from_y - BOTTOM) * PER_CM - 0.5, 0, style.shape[0] - 1.001)
    column = np.clip((from_x - LEFT) * PER_CM - 0.5, 0, style.shape[1] - 1.001)
    i, k = row.astype(int), column.astype(int)
    down, right = row - i, column - k
    upper = style[i, k] * (1 - right) + style[i, k + 1] * right
    lower = style[i + 1, k] * (1 - right) + style[i + 1, k + 1] * right
    moved = np.where(np.abs(x) > max(0.3, apart), upper * (1 - down) + lower * down, 0)
    on_eye = _step(0.55 - y, 0.03) * _step(np.abs(x) - 1.6, 0.05)
    moved = moved * (1 - on_eye)
    return 1 - (1 - np.clip(0.8 * moved + 0.5 * smooth(moved, (1.2, 1.2)), 0, 0.97)) ** (1.7 * density)


@lru_cache(maxsize=16)
def _middle(brow: str) -> np.ndarray:
    """Height of the middle line of a baked style of brows, by column."""
    head = load_head()
    style = head.brows[head.brow_names.index(brow)] + 1e-3
    heights = BOTTOM + (np.arange(len(style)) + 0.5) / PER_CM
    weight = smooth(style.astype(np.float64), (0.1, 4.0))
    near = np.exp(-0.5 * ((heights - BROWS_AT) / 1.5) ** 2)[:, None] * weight
    return (near * heights[:, None]).sum(axis=0) / near.sum(axis=0)


def _facial_hair(identity: Identity, rng: np.random.Generator) -> np.ndarray:
    """Density of the facial hair of this person's shape, if it were full."""
    x, y = _axes()
    side = np.abs(x)
    lips = smooth(load_head().makeup[..., 1] / 255.0, (2.0, 2.0))
    reach = identity.beard_reach  # of the hair on the cheeks, from 0 to 1
    # height of the upper edge: from the corner of the mouth over the cheek to the ear
    edge = np.interp(
        side, (0, 2.6, 4.2, 5.4, 6.2), (-4.9, -5.9 + 0.5 * reach, -6.6 + 1.8 * reach, -4.9 + 2.0 * reach, -1.8)
    )
    jaw = _step(edge - y, 0.3) * _step(-3.4 - y, 0.75) * _step(side - 1.9 + 1.2 * _step(-y - 8.4, 0.3), 0.22)
    chin = _step(2.35 - side - 0.25 * (y + 9.5), 0.25) * _step(-8.35 - y, 0.15)
    spot = 0.8 * np.exp(-0.5 * ((side / 0.5) ** 2 + ((y + 8.35) / 0.35) ** 2))
    above = -5.15 - 0.16 * side - 0.02 * side**3
    moustache = (
        _step(above - y, 0.12)
        * _step(2.95 - side, 0.16)
        * _step(y + 6.95 + 0.25 * side, 0.2)
        * (1 - 0.4 * np.exp(-8 * x * x))
    )
    corners = np.exp(-0.5 * (((side - 2.75) / 0.42) ** 2 + ((y + 7.6) / 1.2) ** 2))
    parts = {
        "full": (jaw, chin, moustache, corners, spot), "goatee": (chin, moustache, corners, spot),
        "moustache": (moustache,),
        "chin": (chin, spot), "jaw": (jaw, chin, spot), "stubble": (jaw, chin, moustache, corners, spot),
    }[identity.beard_shape]  # fmt: skip
    area = 1 - np.prod([1 - np.clip(part, 0, 1) for part in parts], axis=0)
    area = area * (1 - np.clip(1.6 * lips, 0, 1)) * _step(6.45 - side, 0.12)
    hairs = smooth(rng.standard_normal(x.shape), (2.4, 0.75))
    patches = smooth(rng.standard_normal(x.shape), (14.0, 14.0))
    fine = 1 + 0.13 * hairs / hairs.std() + 0.10 * patches / patches.std()
    edge = 7.0 if identity.beard_shape == "stubble" else 1.8  # stubble fades out
    return np.clip(1.25 * smooth(area, (edge, edge)) * np.clip(fine, 0.25, 1.2), 0, 0.97)


def _marks(identity: Identity, rng: np.random.Generator) -> np.ndarray:
    """Darkening by lashes, folds, moles, freckles and uneven colour."""
    x, y = _axes()
    fine = smooth(rng.standard_normal(x.shape), (1.1, 1.1))
    cheeks = np.exp(-0.5 * (((np.abs(x) - 2.6) / 2.2) ** 2 + ((y + 2.6) / 1.9) ** 2))
    nose = np.exp(-0.5 * ((x / 1.4) ** 2 + ((y + 2.3) / 1.8) ** 2))
    where = 0.12 + cheeks + 0.7 * nose + 0.35 * np.exp(-0.5 * (y - 4) ** 2)
    marks = 0.55 * identity.freckles * np.clip(fine / fine.std() - 0.95, 0, 1) * np.minimum(where, 1)
    broad = smooth(rng.standard_normal(x.shape), (14.0, 14.0))
    marks = marks + 0.03 * np.clip(broad / broad.std() + 1, 0, 3) + _eyes(identity, rng)
    for depth, width, line in zip(
        rng.uniform(0, 1, len(_FOLDS)) ** 1.5, rng.uniform(0.9, 1.5, len(_FOLDS)), _FOLDS, strict=True
    ):
        marks = marks + 0.36 * depth * np.exp(-0.5 * (_near_line(line[2]) / (width * line[0])) ** 2) * line[1]
    for _ in range(int(rng.poisson(identity.moles))):
        at_x, at_y = rng.uniform(-5.6, 5.6), rng.uniform(-10.0, 5.5)
        radius, depth = rng.uniform(0.055, 0.12), rng.uniform(0.35, 1.0)
        marks = marks + depth * _step(radius - np.hypot(x - at_x, y - at_y), 0.02)
    return marks


def _eyes(identity: Identity, rng: np.random.Generator) -> np.ndarray:
    """Darkening about the eyes: the lines of the lashes, the crease of the upper lid, shadow below."""
    x, y = _axes()
    side = np.abs(x)
    along = np.clip((side - 1.5) / 3.2, 0, 1)  # from the inner to the outer corner
    bulge, middle = 4 * along * (1 - along), -0.2 + 0.3 * along
    within = _step(side - 1.55, 0.06) * _step(4.75 - side, 0.06)
    upper, lower = middle + 0.62 * bulge, middle - 0.60 * bulge
    crease = upper + rng.uniform(0.18, 0.5) * (0.35 + 0.65 * np.sqrt(bulge))
    lashes = rng.uniform(0.45, 1.05) * np.exp(-(((y - upper - 0.02) / 0.085) ** 2)) * (0.12 + 0.88 * along)
    below = rng.uniform(0.1, 0.5) * np.exp(-(((y - lower) / 0.07) ** 2)) * (0.05 + 0.95 * along)
    fold = identity.crease * np.exp(-(((y - crease) / 0.09) ** 2)) * np.sqrt(bulge)
    lid = 0.35 * identity.crease * _step(y - upper, 0.05) * _step(crease - y, 0.07) * np.sqrt(bulge)
    circle = identity.circles * np.exp(-0.5 * (((side - 2.5) / 1.15) ** 2 + ((y + 1.15 + 0.1 * side) / 0.42) ** 2))
    return within * (lashes + below + fold + lid) + circle


@lru_cache(maxsize=16)
def _near_line(line: tuple) -> np.ndarray:
    """Distance of the chart's cells to a polyline and its mirror image."""
    x, y = np.abs(_axes()[0]), _axes()[1]
    best = np.full(x.shape, np.inf)
    for (ax, ay), (bx, by) in pairwise(line):
        dx, dy = bx - ax, by - ay
        t = np.clip(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy), 0, 1)
        best = np.minimum(best, np.hypot(x - ax - t * dx, y - ay - t * dy))
    return best


def _relief(rng: np.random.Generator) -> np.ndarray:
    """Pores, fine lines and, on the lips, vertical lines."""
    x, y = _axes()
    lips = load_head().makeup[..., 1] / 255.0
    pores, dents = (smooth(rng.standard_normal(x.shape), (wide, wide)) for wide in (0.75, 1.8))
    lines = smooth(rng.standard_normal(x.shape), (3.5, 0.8))
    skin = 0.75 * pores / pores.std() + 0.45 * dents / dents.std()
    coarse = 0.55 + 0.45 * np.exp(-0.5 * (((np.abs(x) - 1.8) / 2.2) ** 2 + ((y + 3.2) / 2.4) ** 2))
    relief = 0.105 * coarse * skin * (1 - lips) + 0.13 * lips * lines / lines.std()
    return np.round((0.5 + relief) * 51) / 51  # in coarse steps, because it compresses better
