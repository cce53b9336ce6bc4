"""Hair colour and the fields of an avatar's skin; the engine draws with them."""

from __future__ import annotations

import numpy as np

from .head import Head
from .identity import Identity

__all__ = ["hair_tone", "sigmoid", "skin_fields"]

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
    """Hair colour (3,), linear RGB, at a strength of the attribute hair_color; `person.c` computes the same."""
    own = np.clip(identity.hair, _HAIR_ENDS[0] * 1.2, _HAIR_ENDS[1] / 1.2)
    return _between(_HAIR_ENDS[0], own, _HAIR_ENDS[1], strength)


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


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)) without overflow."""
    return 1 / (1 + np.exp(-np.clip(x, -60, 60)))
