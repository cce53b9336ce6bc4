"""What is painted on an avatar's skin: brows, facial hair, moles and freckles, pores.

The chart is the face seen from the front, in coordinates (cm) of the resting face, so that paint follows the skin.
Styles of brows are baked; everything else is drawn from the person's seed.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ...base.memory import passing
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
    return np.moveaxis(np.clip(np.stack(layers), 0, 1), 0, -1)


@passing()
def _axes() -> tuple[np.ndarray, np.ndarray]:
    x = np.arange(LEFT, RIGHT, 1 / PER_CM) + 0.5 / PER_CM
    y = np.arange(BOTTOM, TOP, 1 / PER_CM) + 0.5 / PER_CM
    return np.meshgrid(x, y, indexing="xy")


def _step(x: np.ndarray, width: float) -> np.ndarray:
    """Smooth step from 0 to 1 about 0."""
    return 1 / (1 + np.exp(-np.clip(x / width, -60, 60)))


def _near(low: float, high: float) -> slice:
    """Rows of the chart from one height to another."""
    first, last = (min(max(round((height - BOTTOM) * PER_CM), 0), len(_axes()[0])) for height in (low, high))
    return slice(first, last)


def _brows(identity: Identity) -> np.ndarray:
    """Opacity of the brows: a baked style, moved, made thicker and denser."""
    head = load_head()
    style = head.brows[head.brow_names.index(identity.brow)].astype(np.float64) / 255
    lift, thickness, density, tilt, apart, arch, length = identity.brow_change
    out = np.zeros(style.shape)
    side = np.abs(_axes()[0][0])
    # where in the baked style each cell of the person's brows is taken from
    from_x = np.sign(_axes()[0][0]) * (1.5 + (side - 1.5 - apart) / length)
    middle = np.interp(from_x, _axes()[0][0], _middle(identity.brow))
    up = lift + arch * np.clip(1 - ((side - 3.6) / 1.9) ** 2, -1, 1) + tilt * (side - 3.2)
    painted = BOTTOM + np.flatnonzero(style.any(axis=1))[[0, -1]] / PER_CM + (-1 / PER_CM, 2 / PER_CM)
    ends = middle + up + thickness * (painted[:, None] - middle)
    rows = _near(float(ends[0].min()) - 0.4, float(ends[1].max()) + 0.4)  # what the blur below reaches as well
    x, y = (axis[rows] for axis in _axes())
    from_y = middle + (y - middle - up) / thickness
    row = np.clip((from_y - BOTTOM) * PER_CM - 0.5, 0, style.shape[0] - 1.001)
    column = np.clip((from_x - LEFT) * PER_CM - 0.5, 0, style.shape[1] - 1.001)
    i, k = row.astype(int), column.astype(int)
    down, right = row - i, column - k
    upper = style[i, k] * (1 - right) + style[i, k + 1] * right
    lower = style[i + 1, k] * (1 - right) + style[i + 1, k + 1] * right
    moved = np.where(np.abs(x) > max(0.3, apart), upper * (1 - down) + lower * down, 0)
    moved = moved * (1 - _on_eye()[rows])
    dense = np.clip(0.8 * moved + 0.5 * smooth(moved, (1.2, 1.2)), 0, 0.97)
    out[rows] = 1 - (1 - dense) ** (1.7 * density)
    return out


@passing()
def _on_eye() -> np.ndarray:
    """Where no brow is drawn."""
    x, y = _axes()
    return _step(0.55 - y, 0.03) * _step(np.abs(x) - 1.6, 0.05)


@passing(16)
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
    shared, reach = _beard(), identity.beard_reach  # of the hair on the cheeks, from 0 to 1
    # height of the upper edge: from the corner of the mouth over the cheek to the ear
    edge = np.interp(
        np.abs(x[0]), (0, 2.6, 4.2, 5.4, 6.2), (-4.9, -5.9 + 0.5 * reach, -6.6 + 1.8 * reach, -4.9 + 2.0 * reach, -1.8)
    )
    names = {
        "full": ("jaw", "chin", "moustache", "corners", "spot"), "goatee": ("chin", "moustache", "corners", "spot"),
        "moustache": ("moustache",),
        "chin": ("chin", "spot"), "jaw": ("jaw", "chin", "spot"),
        "stubble": ("jaw", "chin", "moustache", "corners", "spot"),
    }[identity.beard_shape]  # fmt: skip
    without = np.ones(x.shape)
    for name in names:
        without *= 1 - np.clip(_step(edge - y, 0.3) * shared[name] if name == "jaw" else shared[name], 0, 1)
    area = (1 - without) * shared["allowed"]
    hairs = smooth(rng.standard_normal(x.shape), (2.4, 0.75))
    patches = smooth(rng.standard_normal(x.shape), (14.0, 14.0))
    fine = 1 + 0.13 * hairs / hairs.std() + 0.10 * patches / patches.std()
    edge = 9.0 if identity.beard_shape == "stubble" else 1.8  # stubble fades out
    area = smooth(area, (edge, edge)) * shared["inside"]
    return np.clip(1.25 * area * np.clip(fine, 0.25, 1.2), 0, 0.97)


@passing()
def _beard() -> dict[str, np.ndarray]:
    """Parts of facial hair that all people share, and where there may be any."""
    x, y = _axes()
    side = np.abs(x)
    lips = smooth(load_head().makeup[..., 1] / 255.0, (2.0, 2.0))
    above = -5.15 - 0.16 * side - 0.02 * side**3
    return {
        "jaw": _step(-3.4 - y, 0.75) * _step(side - 1.9 + 1.2 * _step(-y - 8.4, 0.3), 0.22),
        "chin": _step(2.35 - side - 0.25 * (y + 9.5), 0.25) * _step(-8.35 - y, 0.15),
        "spot": 0.8 * np.exp(-0.5 * ((side / 0.5) ** 2 + ((y + 8.35) / 0.35) ** 2)),
        "moustache": (
            _step(above - y, 0.12) * _step(2.95 - side, 0.16) * _step(y + 6.95 + 0.25 * side, 0.2)
            * (1 - 0.4 * np.exp(-8 * x * x))
        ),
        "corners": np.exp(-0.5 * (((side - 2.75) / 0.42) ** 2 + ((y + 7.6) / 1.2) ** 2)),
        "allowed": (1 - np.clip(1.6 * lips, 0, 1)) * _step(6.45 - side, 0.12),
        # where hair fades out once more, however soft its edge is: at the lips and where the chart ends
        "inside": (1 - np.clip(1.6 * lips, 0, 1)) * _step(6.45 - side, 0.12),
    }  # fmt: skip


def _marks(identity: Identity, rng: np.random.Generator) -> np.ndarray:
    """Darkening by lashes, folds, moles, freckles and uneven colour."""
    x, y = _axes()
    fine = smooth(rng.standard_normal(x.shape), (1.1, 1.1))
    marks = 0.55 * identity.freckles * np.clip(fine / fine.std() - 0.95, 0, 1) * _freckled()
    broad = smooth(rng.standard_normal(x.shape), (14.0, 14.0))
    marks = marks + 0.03 * np.clip(broad / broad.std() + 1, 0, 3)
    _draw_eyes(marks, identity, rng)
    depths, widths = rng.uniform(0, 1, len(_FOLDS)) ** 1.5, rng.uniform(0.9, 1.5, len(_FOLDS))
    for depth, wide, (width, strength, line) in zip(depths, widths, _FOLDS, strict=True):
        cells, distance = _near_line(line, 9 * 1.5 * width)
        marks.flat[cells] += 0.36 * depth * np.exp(-0.5 * (distance / (wide * width)) ** 2) * strength
    for _ in range(int(rng.poisson(identity.moles))):
        at_x, at_y = rng.uniform(-5.6, 5.6), rng.uniform(-10.0, 5.5)
        radius, depth = rng.uniform(0.055, 0.12), rng.uniform(0.35, 1.0)
        rows = _near(at_y - 1, at_y + 1)  # where it shows
        marks[rows] += depth * _step(radius - np.hypot(x[rows] - at_x, y[rows] - at_y), 0.02)
    return marks


@passing()
def _freckled() -> np.ndarray:
    """Where freckles are."""
    x, y = _axes()
    cheeks = np.exp(-0.5 * (((np.abs(x) - 2.6) / 2.2) ** 2 + ((y + 2.6) / 1.9) ** 2))
    nose = np.exp(-0.5 * ((x / 1.4) ** 2 + ((y + 2.3) / 1.8) ** 2))
    return np.minimum(0.12 + cheeks + 0.7 * nose + 0.35 * np.exp(-0.5 * (y - 4) ** 2), 1)


def _draw_eyes(marks: np.ndarray, identity: Identity, rng: np.random.Generator) -> None:
    """Darken about the eyes: the lines of the lashes, the crease of the upper lid, shadow below."""
    crease, dark, light = rng.uniform(0.18, 0.5), rng.uniform(0.45, 1.05), rng.uniform(0.1, 0.5)
    rows, shared = _lids()
    crease = shared["upper"] + crease * (0.35 + 0.65 * shared["bow"])
    y = _axes()[1][rows]
    fold = np.exp(-(((y - crease) / 0.09) ** 2))
    lid = 0.35 * shared["above"] * _step(crease - y, 0.07)
    marks[rows] += identity.crease * (fold + lid) * shared["within"] * shared["bow"]
    marks[rows] += dark * shared["lashes"] + light * shared["below"]
    marks += identity.circles * shared["circle"]


@passing()
def _lids() -> tuple[slice, dict[str, np.ndarray]]:
    """What all people share about the eyes, in the rows about them; the shadow below them on the whole chart."""
    x, y = _axes()
    side = np.abs(x)
    circle = np.exp(-0.5 * (((side - 2.5) / 1.15) ** 2 + ((y + 1.15 + 0.1 * side) / 0.42) ** 2))
    rows = _near(-2.5, 2.5)
    side, y = side[rows], y[rows]
    along = np.clip((side - 1.5) / 3.2, 0, 1)  # from the inner to the outer corner
    bulge, middle = 4 * along * (1 - along), -0.2 + 0.3 * along
    within = _step(side - 1.55, 0.06) * _step(4.75 - side, 0.06)
    upper, lower = middle + 0.62 * bulge, middle - 0.60 * bulge
    return rows, {
        "within": within, "upper": upper, "bow": np.sqrt(bulge), "above": _step(y - upper, 0.05), "circle": circle,
        "lashes": within * np.exp(-(((y - upper - 0.02) / 0.085) ** 2)) * (0.12 + 0.88 * along),
        "below": within * np.exp(-(((y - lower) / 0.07) ** 2)) * (0.05 + 0.95 * along),
    }  # fmt: skip


@passing(16)
def _near_line(line: tuple, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """The chart's cells that are near a polyline or its mirror image, and their distances."""
    heights = [y for _, y in line]
    rows = _near(min(heights) - reach - 1 / PER_CM, max(heights) + reach + 1 / PER_CM)
    x, y = np.abs(_axes()[0][rows]), _axes()[1][rows]
    best = np.full(x.shape, np.inf)
    for (ax, ay), (bx, by) in pairwise(line):
        dx, dy = bx - ax, by - ay
        t = np.clip(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy), 0, 1)
        best = np.minimum(best, np.hypot(x - ax - t * dx, y - ay - t * dy))
    cells = np.flatnonzero(best < reach)
    return cells + rows.start * x.shape[1], best.flat[cells]


def _relief(rng: np.random.Generator) -> np.ndarray:
    """Pores, fine lines and, on the lips, vertical lines."""
    shape = _axes()[0].shape
    pores, dents = (smooth(rng.standard_normal(shape), (wide, wide)) for wide in (0.75, 1.8))
    lines = smooth(rng.standard_normal(shape), (3.5, 0.8))
    coarse, lips = _coarse()
    skin = 0.75 / pores.std() * pores + 0.45 / dents.std() * dents
    relief = coarse * skin + 0.13 / lines.std() * (lips * lines)
    return np.round((0.5 + relief) * 51) / 51  # in coarse steps, because it compresses better


@passing()
def _coarse() -> tuple[np.ndarray, np.ndarray]:
    """How coarse the skin's pores are, and where the lips are."""
    x, y = _axes()
    lips = load_head().makeup[..., 1] / 255.0
    coarse = 0.55 + 0.45 * np.exp(-0.5 * (((np.abs(x) - 1.8) / 2.2) ** 2 + ((y + 3.2) / 2.4) ** 2))
    return 0.105 * coarse * (1 - lips), lips
