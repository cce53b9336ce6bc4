"""What is painted on an avatar's skin: brows, folds and spots of age, freckles.

The chart is the face seen from the front, in coordinates (cm) of the resting face, so that paint follows the skin.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np

from .identity import Identity
from .smooth import smooth

__all__ = ["paint"]

LEFT, RIGHT, BOTTOM, TOP = -7.0, 7.0, -11.5, 8.5
PER_CM = 16
_FOLDS = (  # polylines on the right half of the picture, width in cm, depth
    (((1.75, -3.5), (2.45, -4.8), (3.0, -6.3), (3.15, -7.4)), 0.20, 0.85),  # from beside the nose to the mouth
    (((2.7, -7.6), (2.95, -8.5), (2.85, -9.3)), 0.18, 0.45),  # below the mouth corners
    (((1.6, -1.05), (2.3, -1.6), (3.2, -1.75), (4.2, -1.35)), 0.20, 0.6),  # below the eye
    (((4.9, 0.25), (5.9, 0.75)), 0.10, 0.45), (((4.95, -0.1), (6.0, -0.15)), 0.10, 0.45),
    (((4.85, -0.4), (5.8, -0.95)), 0.09, 0.5),  # beside the eye
    (((0.42, 1.3), (0.5, 2.0), (0.62, 2.8)), 0.13, 0.4),  # between the brows
    (((0.0, 3.9), (2.0, 4.05), (4.2, 3.75)), 0.16, 0.34), (((0.0, 4.85), (2.0, 5.0), (4.0, 4.7)), 0.16, 0.34),
    (((0.0, 5.7), (1.8, 5.85), (3.4, 5.6)), 0.16, 0.28),  # forehead
)  # fmt: skip


def paint(identity: Identity) -> np.ndarray:
    """Return opacity of brows, depth of folds, age spots and freckles on the chart, (rows, columns, 4) in [0, 1]."""
    rng = np.random.default_rng(identity.seed)
    brows = smooth(_brows(identity, rng), (0.8, 0.8))
    blot = smooth(rng.standard_normal(brows.shape), (5.0, 5.0))
    spots = np.clip(blot / blot.std() - 1.7, 0, 1.0)
    fine = smooth(rng.standard_normal(brows.shape), (1.4, 1.4))
    x, y = _axes()
    cheeks = np.exp(-0.5 * (((np.abs(x) - 2.6) / 2.0) ** 2 + ((y + 2.6) / 1.8) ** 2))
    nose = np.exp(-0.5 * ((x / 1.3) ** 2 + ((y + 2.3) / 1.6) ** 2))
    freckles = np.clip(fine / fine.std() - 0.9, 0, 1) * (cheeks + 0.6 * nose)
    return np.stack([brows, _folds(), spots, np.minimum(freckles, 1)], axis=-1)


def _axes() -> tuple[np.ndarray, np.ndarray]:
    x = np.arange(LEFT, RIGHT, 1 / PER_CM) + 0.5 / PER_CM
    y = np.arange(BOTTOM, TOP, 1 / PER_CM) + 0.5 / PER_CM
    return np.meshgrid(x, y, indexing="xy")


def _near_line(x: np.ndarray, y: np.ndarray, line: tuple) -> np.ndarray:
    """Distance of points to a polyline."""
    best = np.full(x.shape, np.inf)
    for (ax, ay), (bx, by) in pairwise(line):
        dx, dy = bx - ax, by - ay
        t = np.clip(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy), 0, 1)
        best = np.minimum(best, np.hypot(x - ax - t * dx, y - ay - t * dy))
    return best


@lru_cache(maxsize=1)
def _folds() -> np.ndarray:
    """Depth of the folds of age on the chart, in [0, 1]."""
    x, y = _axes()
    out = np.zeros(x.shape)
    for line, width, depth in _FOLDS:
        distance = _near_line(np.abs(x), y, line)
        out += depth * (
            0.75 * np.exp(-0.5 * (distance / width) ** 2) + 0.25 * np.exp(-0.5 * (distance / (3 * width)) ** 2)
        )
    return np.clip(out, 0, 1)


def _brows(identity: Identity, rng: np.random.Generator) -> np.ndarray:
    """Opacity of the brows on the chart."""
    thickness, arch, density, inner, height = identity.brows
    x, y = _axes()
    side = np.abs(x)
    t = (side - inner) / (5.15 - inner)  # 0 at the inner end, 1 at the tail
    tc = np.clip(t, 0, 1)
    middle = 1.72 + height + 0.75 * arch * np.sin(np.pi * tc**1.5) + 0.5 * tc - 0.75 * tc**3
    half = np.maximum(thickness * (0.95 - 0.15 * tc - 0.62 * tc**3), 0.05)
    across = (y - middle) / half
    body = np.exp(-0.5 * np.abs(across * 1.15) ** 3)
    ends = 1 / (1 + np.exp(-(side - inner - 0.12) / 0.14)) / (1 + np.exp((t - 1.0) / 0.03))
    noise = smooth(rng.standard_normal(x.shape), (3.2, 0.7))
    lean = np.where(x > 0, 1, -1) * (0.5 + 1.2 * tc)  # hairs lean outwards, more towards the tail
    column = np.clip((np.arange(x.shape[1])[None] - lean * across * half * PER_CM).astype(int), 0, x.shape[1] - 1)
    hairs = np.take_along_axis(noise, column, axis=1) / noise.std()
    return np.clip(body * ends * density * (1 + 0.22 * hairs), 0, 1)
