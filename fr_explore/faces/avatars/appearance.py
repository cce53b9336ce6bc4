"""Colours of an avatar, in linear RGB: skin per vertex, brows and folds on a chart of the face, iris, hair."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
from scipy.ndimage import gaussian_filter

from .head import MATERIALS, Head
from .identity import Identity

__all__ = [
    "CHART_PER_CM",
    "between",
    "chart_of",
    "eye_color",
    "hair_tone",
    "lookup",
    "sigmoid",
    "skin_albedo",
    "skin_fields",
    "skin_tone",
    "softened",
]

# The chart is the face seen from the front, in coordinates (cm) of the face at rest, so that paint follows the skin.
CHART_X, CHART_Y, CHART_PER_CM = (-7.0, 7.0), (-11.5, 8.5), 16

_TONES = np.array([  # sRGB of skin from light to dark
    (0.965, 0.845, 0.780), (0.925, 0.755, 0.655), (0.815, 0.615, 0.480), (0.600, 0.420, 0.305), (0.335, 0.225, 0.165),
]) ** 2.2  # fmt: skip
_HAIR_ENDS = np.array([(0.0085, 0.0070, 0.0065), (0.78, 0.66, 0.46)])
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


def _axes() -> tuple[np.ndarray, np.ndarray]:
    x = np.arange(CHART_X[0], CHART_X[1], 1 / CHART_PER_CM) + 0.5 / CHART_PER_CM
    y = np.arange(CHART_Y[0], CHART_Y[1], 1 / CHART_PER_CM) + 0.5 / CHART_PER_CM
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
    noise = gaussian_filter(rng.standard_normal(x.shape), (3.2, 0.7))
    lean = np.where(x > 0, 1, -1) * (0.5 + 1.2 * tc)  # hairs lean outwards, more towards the tail
    column = np.clip((np.arange(x.shape[1])[None] - lean * across * half * CHART_PER_CM).astype(int), 0, x.shape[1] - 1)
    hairs = np.take_along_axis(noise, column, axis=1) / noise.std()
    return np.clip(body * ends * density * (1 + 0.22 * hairs), 0, 1)


def chart_of(identity: Identity) -> np.ndarray:
    """Return the chart, float32 (rows, columns, 4): opacity of brows, depth of folds, age spots and freckles."""
    rng = np.random.default_rng(identity.seed)
    brows = gaussian_filter(_brows(identity, rng), 0.8)
    shape = brows.shape
    blot = gaussian_filter(rng.standard_normal(shape), 5.0)
    spots = np.clip(blot / blot.std() - 1.7, 0, 1.0)
    fine = gaussian_filter(rng.standard_normal(shape), 1.4)
    x, y = _axes()
    cheeks = np.exp(-0.5 * (((np.abs(x) - 2.6) / 2.0) ** 2 + ((y + 2.6) / 1.8) ** 2)) + 0.6 * np.exp(
        -0.5 * ((x / 1.3) ** 2 + ((y + 2.3) / 1.6) ** 2)
    )
    freckles = np.clip(fine / fine.std() - 0.9, 0, 1) * cheeks
    return np.stack([brows, _folds(), spots, freckles], axis=-1).astype(np.float32)


def lookup(chart: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """Interpolate the chart bilinearly at coordinates (n, 2) of the face at rest; outside, its border is repeated."""
    rows, columns = chart.shape[:2]
    u = np.clip((xy[:, 0] - CHART_X[0]) * CHART_PER_CM - 0.5, 0, columns - 1.001)
    v = np.clip((xy[:, 1] - CHART_Y[0]) * CHART_PER_CM - 0.5, 0, rows - 1.001)
    i, j = v.astype(np.int32), u.astype(np.int32)
    fv, fu = (v - i.astype(v.dtype))[:, None], (u - j.astype(u.dtype))[:, None]  # no float64 from float32
    flat = chart.reshape(rows * columns, -1)
    at = i * columns + j
    top = flat[at] * (1 - fu) + flat[at + 1] * fu
    return top * (1 - fv) + (flat[at + columns] * (1 - fu) + flat[at + columns + 1] * fu) * fv


def between(low: np.ndarray, own: np.ndarray, high: np.ndarray, strength: float) -> np.ndarray:
    """Interpolate from `low` (strength -1) over `own` (0) to `high` (1): smooth, monotone, per channel, on a log scale.

    The two pieces are cubic Hermite. Their common slope at 0 is the harmonic mean of the two chords (Fritsch and
    Butland 1984), which keeps each piece monotone.
    """
    a, b, c = (np.log(np.maximum(v, 1e-4)) for v in (low, own, high))
    left, right = b - a, c - b
    slope = np.where(left * right > 0, 2 * left * right / np.where(left + right == 0, 1, left + right), 0.0)
    t = abs(strength)
    end, chord = (c, right) if strength > 0 else (a, -left)
    inner = slope if strength > 0 else -slope
    outer = 1.5 * chord - 0.5 * inner
    outer = np.where(np.abs(outer) > 3 * np.abs(chord), 3 * chord, outer)
    h = (2 * t**3 - 3 * t**2 + 1) * b + (t**3 - 2 * t**2 + t) * inner + (3 * t**2 - 2 * t**3) * end
    return np.exp(h + (t**3 - t**2) * np.where(outer * chord > 0, outer, 0))


def hair_tone(identity: Identity, strength: float) -> np.ndarray:
    """Hair colour (3,) at a strength of the attribute hair_color."""
    own = np.clip(identity.hair, _HAIR_ENDS[0] * 1.2, _HAIR_ENDS[1] / 1.2)
    return between(_HAIR_ENDS[0], own, _HAIR_ENDS[1], strength)


def skin_tone(identity: Identity, strength: float) -> np.ndarray:
    """Skin colour (3,) at a strength of the attribute skin_tone, which changes melanin on a logit scale."""
    logit = np.log(identity.melanin / (1 - identity.melanin)) - 2.0 * strength
    at = (1 / (1 + np.exp(-logit))) * (len(_TONES) - 1)
    # a spline through the tones would overshoot; a Gaussian-weighted mean is smooth and does not
    knots = np.arange(len(_TONES))
    weight = np.exp(-0.5 * ((at - knots) / 0.6) ** 2)
    return np.exp(weight @ np.log(_TONES) / weight.sum())


def _bump(points: np.ndarray, centre: tuple[float, float, float], radius: float) -> np.ndarray:
    """Gaussian bump about a point and about its mirror image."""
    mirrored = np.column_stack([np.abs(points[:, 0]), points[:, 1], points[:, 2]])
    return np.exp(-0.5 * ((mirrored - np.array(centre)) ** 2).sum(axis=1) / radius**2)


def skin_fields(head: Head) -> dict[str, np.ndarray]:
    """Properties of the skin, such as redness, beard or cloth, float32 per fine vertex; the same for every identity."""
    p = head.rest
    front = 1 / (1 + np.exp(-(p[:, 2] - 0.5) / 0.4))
    lips = head.masks["lips"] * (p[:, 2] > 1.2) * (np.abs(p[:, 1] + 7.2) < 1.6)
    cavity = head.masks["inside_mouth"] * (p[:, 2] < 2.6) * (p[:, 1] > -9.6) * (np.abs(p[:, 0]) < 3.0) * (p[:, 2] > -9)
    cavity = cavity * (np.hypot(p[:, 0], p[:, 1] + 7) < 3.2)
    azimuth = np.degrees(np.arctan2(p[:, 0], p[:, 2] + 8.0)) % 360
    line = np.interp(azimuth, np.arange(360), head.hairline, period=360)
    above = p[:, 1] - line
    jaw = _bump(p, (2.2, -9.0, 1.5), 2.4) + _bump(p, (4.8, -7.5, -2.0), 2.4) + 0.9 * _bump(p, (0.8, -5.7, 3.4), 0.75)
    jaw = np.clip(1.2 * jaw, 0, 1) * (1 - lips)
    fields = {
        "lips": lips, "cavity": cavity,
        "red": 0.55 * _bump(p, (3.9, -3.3, 1.6), 1.7) + 0.5 * _bump(p, (0.3, -3.9, 4.2), 1.0)
        + 0.6 * head.masks["ears"] * (p[:, 2] < -3) * (np.abs(p[:, 0]) > 6.2) + 0.25 * _bump(p, (0, -10.2, 2.2), 1.2),
        "socket": 0.8 * _bump(p, (1.7, -0.3, 1.5), 0.8) + 0.5 * _bump(p, (3.1, -1.2, 1.8), 0.9),
        "lids": head.masks["eyelids"] * front * (np.abs(p[:, 1] + 0.1) < 1.2),
        "beard": jaw * (p[:, 2] > -6),
        "scalp": 1 / (1 + np.exp(-(above - 0.85) / 0.22)) * (p[:, 1] > -9),
        "hair_shade": np.exp(-0.5 * (np.minimum(above - 0.6, 0) / 0.9) ** 2),
        "covered": p[:, 1] > 9.0,  # far behind every hairline
        "cloth": 1 / (1 + np.exp(np.minimum((p[:, 1] + 15.2 + 0.02 * p[:, 0] ** 2) / 0.15, 50))),
    }  # fmt: skip
    return {name: field.astype(np.float32) for name, field in fields.items()}


def skin_albedo(
    head: Head, fields: dict[str, np.ndarray], identity: Identity, skin: np.ndarray, hair: np.ndarray
) -> np.ndarray:
    """Colour of every fine vertex (n, 3), eyes, teeth and tongue included, for a skin colour and a hair colour (3,)."""

    def mixed(base: np.ndarray, color, weight: np.ndarray) -> np.ndarray:
        return base + weight[:, None] * (np.asarray(color, np.float32) - base)

    depth = identity.redness * fields["red"][:, None] * np.array([0.02, 0.34, 0.30], np.float32)
    depth += fields["socket"][:, None] * np.array([0.13, 0.21, 0.18], np.float32)
    depth += fields["lids"][:, None] * np.array([0.08, 0.16, 0.14], np.float32)
    albedo = skin.astype(np.float32) * np.exp(-depth)
    red = 0.75 + 0.45 * identity.femininity
    albedo = mixed(albedo, skin * np.exp(-red * np.array([0.22, 0.95, 0.80])), fields["lips"])
    shadow = hair * 0.5 + 0.25 * skin
    albedo = mixed(albedo, shadow, 0.42 * identity.stubble * fields["beard"])
    roots = 0.75 * hair + 0.04 * skin
    cover = {"none": 0.30 * (identity.stubble > 0)}.get(identity.style, 0.92)
    albedo = mixed(albedo, roots, cover * fields["scalp"])
    if identity.style != "none":
        albedo = albedo * (1 - 0.30 * fields["hair_shade"][:, None])
    albedo = mixed(albedo, (0.10, 0.016, 0.014), fields["cavity"])
    albedo = mixed(albedo, (0.30, 0.36, 0.46), fields["cloth"])
    for name, color in {"eye": (0.70, 0.67, 0.65), "teeth": (0.82, 0.78, 0.69), "tongue": (0.22, 0.06, 0.055),
                        "lash": (0.02, 0.014, 0.012)}.items():  # fmt: skip
        albedo[head.of_material == MATERIALS.index(name)] = color
    return albedo


def eye_color(q: np.ndarray, iris: np.ndarray, blur: float) -> np.ndarray:
    """Colour of the eyeball (n, 3) in the direction `q` (n, 2) from its centre; the centre of the iris is (0, 0).

    `blur` is the width of a pixel as a share of the ball's radius; no edge is sharper.
    """
    radius = np.hypot(q[:, 0], q[:, 1])
    angle = np.arctan2(q[:, 1], q[:, 0])

    def inside(edge: float, soft: float) -> np.ndarray:
        return sigmoid((edge - radius) / np.hypot(soft, 0.33 * blur))[:, None]

    sclera = np.array([0.70, 0.66, 0.64]) * (1 - 0.25 * np.clip(radius - 0.45, 0, 0.5))[:, None]
    fibres = 1 + 0.18 * np.cos(23 * angle + 4 * np.sin(3 * angle)) * np.clip(radius / 0.36, 0, 1) / (
        1 + (30 * blur) ** 2
    )
    shade = fibres * (0.75 + 0.9 * np.exp(-(((radius - 0.22) / 0.08) ** 2)))
    # light enters the iris from above and is brightest below
    shade *= 1 - 0.45 * np.clip(q[:, 1] / 0.36, -1, 1)
    disc = iris * shade[:, None]
    out = sclera + inside(0.385, 0.016) * (0.22 * iris - sclera)  # the dark ring around the iris
    out = out + inside(0.335, 0.022) * (disc - out)
    return out + inside(0.135, 0.016) * (0.004 - out)


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)) without overflow."""
    return 1 / (1 + np.exp(-np.clip(x, -60, 60)))


def softened(pattern: np.ndarray, cells: float) -> np.ndarray:
    """Smooth a pattern (rows, columns, ...): remove details finer than a pixel, which is `cells` cells wide."""
    sigma = (0.42 * cells, 0.42 * cells) + (0,) * (pattern.ndim - 2)
    return gaussian_filter(pattern, sigma, mode="nearest")
