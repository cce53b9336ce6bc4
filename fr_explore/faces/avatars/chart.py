"""What is painted on an avatar's skin: brows, facial hair, moles and freckles, pores.

The chart is the face seen from the front, in coordinates (cm) of the resting face, so that paint follows the skin. Styles
of brows are baked; everything else is drawn from the person's seed.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from .head import load_head
from .identity import Identity
from .smooth import smooth

__all__ = ["paint"]

LEFT, RIGHT, BOTTOM, TOP = -7.0, 7.0, -11.5, 8.5
PER_CM = 16
BROWS_AT = 2.1  # mean height of the brows


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
    lift, thickness, density, tilt = identity.brow_change
    x, y = _axes()
    # the height in the baked style from which each height of the person's brows is taken
    from_y = BROWS_AT + (y - BROWS_AT - lift - tilt * (np.abs(x) - 3.2)) / thickness
    row = np.clip((from_y - BOTTOM) * PER_CM - 0.5, 0, len(style) - 1.001)
    low = row.astype(int)
    share = row - low
    column = np.arange(style.shape[1])[None]
    moved = style[low, column] * (1 - share) + style[low + 1, column] * share
    soft = smooth(moved, (0.6, 0.6))
    return density * np.clip(0.75 * moved + 0.45 * smooth(soft, (1.0, 1.0)), 0, 1)


def _facial_hair(identity: Identity, rng: np.random.Generator) -> np.ndarray:
    """Density of the facial hair of this person's shape, if it were full."""
    x, y = _axes()
    side = np.abs(x)
    lips = smooth(load_head().makeup[..., 1] / 255.0, (2.0, 2.0))
    reach = identity.beard_reach  # of the hair on the cheeks, from 0 to 1
    # height of the upper edge: from the corner of the mouth over the cheek to the ear
    edge = np.interp(side, (0, 2.6, 4.2, 5.4, 6.2), (-4.9, -5.9 + 0.5 * reach, -6.6 + 1.8 * reach, -4.6 + 2.2 * reach, 0.0))
    jaw = _step(edge - y, 0.22) * _step(side - 1.9 + 1.2 * _step(-y - 8.4, 0.3), 0.22)
    chin = _step(2.35 - side - 0.25 * (y + 9.5), 0.25) * _step(-8.35 - y, 0.15)
    spot = 0.8 * np.exp(-0.5 * ((side / 0.5) ** 2 + ((y + 8.35) / 0.35) ** 2))
    above = -5.15 - 0.16 * side - 0.02 * side**3
    moustache = _step(above - y, 0.12) * _step(2.95 - side, 0.16) * _step(y + 6.95 + 0.25 * side, 0.2) * (1 - 0.4 * np.exp(-8 * x * x))
    corners = np.exp(-0.5 * (((side - 2.75) / 0.42) ** 2 + ((y + 7.6) / 1.2) ** 2))
    parts = {
        "full": (jaw, chin, moustache, corners, spot), "goatee": (chin, moustache, corners, spot), "moustache": (moustache,),
        "chin": (chin, spot), "jaw": (jaw, chin, spot), "stubble": (jaw, chin, moustache, corners, spot),
    }[identity.beard_shape]  # fmt: skip
    area = 1 - np.prod([1 - np.clip(part, 0, 1) for part in parts], axis=0)
    area = area * (1 - np.clip(1.6 * lips, 0, 1)) * _step(6.45 - side, 0.12)
    hairs = smooth(rng.standard_normal(x.shape), (2.4, 0.75))
    patches = smooth(rng.standard_normal(x.shape), (9.0, 9.0))
    fine = 1 + 0.30 * hairs / hairs.std() + 0.10 * patches / patches.std()
    return 0.86 * smooth(area, (1.5, 1.5)) * np.clip(fine, 0.25, 1.16)


def _marks(identity: Identity, rng: np.random.Generator) -> np.ndarray:
    """Darkening by moles, freckles and uneven colour."""
    x, y = _axes()
    fine = smooth(rng.standard_normal(x.shape), (1.1, 1.1))
    cheeks = np.exp(-0.5 * (((np.abs(x) - 2.6) / 2.2) ** 2 + ((y + 2.6) / 1.9) ** 2))
    nose = np.exp(-0.5 * ((x / 1.4) ** 2 + ((y + 2.3) / 1.8) ** 2))
    where = 0.12 + cheeks + 0.7 * nose + 0.35 * np.exp(-0.5 * (y - 4) ** 2)
    marks = 0.55 * identity.freckles * np.clip(fine / fine.std() - 0.95, 0, 1) * np.minimum(where, 1)
    broad = smooth(rng.standard_normal(x.shape), (14.0, 14.0))
    marks = marks + 0.035 * np.clip(broad / broad.std() + 1, 0, 3)
    for _ in range(int(rng.poisson(identity.moles))):
        at_x, at_y = rng.uniform(-5.6, 5.6), rng.uniform(-10.0, 5.5)
        radius, depth = rng.uniform(0.055, 0.12), rng.uniform(0.35, 1.0)
        marks = marks + depth * _step(radius - np.hypot(x - at_x, y - at_y), 0.02)
    return marks


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
