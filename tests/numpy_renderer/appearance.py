"""Colours of an avatar, in linear RGB: skin, hair and eyes."""

from __future__ import annotations

import numpy as np

from .head import MATERIALS, Head
from .identity import Identity

__all__ = ["eye_color", "hair_tone", "sigmoid", "skin_albedo", "skin_fields", "skin_tone"]

_TONES = np.array([  # sRGB of skin from light to dark
    (0.965, 0.845, 0.780), (0.925, 0.755, 0.655), (0.815, 0.615, 0.480), (0.600, 0.420, 0.305), (0.335, 0.225, 0.165),
]) ** 2.2  # fmt: skip
_HAIR_ENDS = np.array([(0.0085, 0.0070, 0.0065), (0.78, 0.66, 0.46)])


def _between(low: np.ndarray, own: np.ndarray, high: np.ndarray, strength: float) -> np.ndarray:
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
    return _between(_HAIR_ENDS[0], own, _HAIR_ENDS[1], strength)


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
    front = sigmoid((p[:, 2] - 0.5) / 0.4)
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
        "scalp": sigmoid((above - 0.85) / 0.22) * (p[:, 1] > -9),
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
