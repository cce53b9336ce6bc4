"""Light on a head: a key lamp with soft shadows, fill light from the sky and the front; smooth in the lamp's angle."""

from __future__ import annotations

import numpy as np

__all__ = ["Lamp", "display", "harmonics", "light_on"]

KEY, FILL, SKY, GROUND = 0.86, 0.20, 0.26, 0.12
ELEVATION = np.radians(32)


class Lamp:
    """The key lamp.

    Parameters
    ----------
    azimuth : in degrees, positive to the right of the picture.
    strength : factor of its brightness.

    `key` is the unit vector to the lamp and `half` the one midway between lamp and camera, both (3,) float32.
    """

    def __init__(self, azimuth: float, strength: float) -> None:
        a = np.radians(azimuth)
        key = np.array([np.sin(a) * np.cos(ELEVATION), np.sin(ELEVATION), np.cos(a) * np.cos(ELEVATION)])
        half = key + np.array([0.0, 0.0, 1.0])
        self.key = key.astype(np.float32)
        self.half = (half / np.linalg.norm(half)).astype(np.float32)
        self.strength = strength


def harmonics(directions: np.ndarray) -> np.ndarray:
    """Real spherical harmonics up to degree 3 of unit vectors (..., 3): (..., 16), in the order of the asset."""
    x, y, z = np.moveaxis(directions, -1, 0)
    return np.stack([
        0.282095 + 0 * x, 0.488603 * y, 0.488603 * z, 0.488603 * x,
        1.092548 * x * y, 1.092548 * y * z, 0.315392 * (3 * z * z - 1), 1.092548 * x * z, 0.546274 * (x * x - y * y),
        0.590044 * y * (3 * x * x - y * y), 2.890611 * x * y * z, 0.457046 * y * (5 * z * z - 1),
        0.373176 * z * (5 * z * z - 3), 0.457046 * x * (5 * z * z - 1), 1.445306 * z * (x * x - y * y),
        0.590044 * x * (x * x - 3 * y * y),
    ], axis=-1)  # fmt: skip


def light_on(
    normals: np.ndarray, visibility: np.ndarray, lamp: Lamp, turn: np.ndarray, gloss: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the light that vertices receive (n, 3), and their highlight towards the camera (n,).

    Parameters
    ----------
    normals : unit normals (n, 3).
    visibility : spherical harmonics (n, 16) of the directions in which a vertex is not occluded.
    turn : rotation of the head (3, 3), which visibility follows.
    gloss : strength of the highlight (n,).

    Diffuse light is wrapped Lambert with a wrap per channel: red light scatters furthest in skin, so its boundary of
    light and shadow is the softest.
    """
    seen = visibility @ harmonics(turn.T @ lamp.key).astype(np.float32)
    seen = np.clip((seen - 0.25) / 0.6, 0, 1)
    seen = seen * seen * (3 - 2 * seen)
    open_sky = np.clip(visibility[:, 0] * 0.282095, 0, 1)
    facing = normals @ lamp.key
    light = np.empty((len(normals), 3), dtype=np.float32)
    for channel, (wrap, color) in enumerate(zip((0.30, 0.16, 0.10), (1.03, 1.0, 0.95), strict=True)):
        light[:, channel] = KEY * lamp.strength * color / (1 + wrap) * np.maximum(facing + wrap, 0) * seen
    sky = open_sky * open_sky * (GROUND + (SKY - GROUND) * (0.5 + 0.5 * normals[:, 1]))
    front = FILL * open_sky * np.maximum(0.35 + normals @ np.array([-0.195, -0.0325, 0.6175], np.float32), 0)
    light += sky[:, None] * np.array([0.97, 1.0, 1.05], np.float32) + front[:, None]
    return light, gloss * lamp.strength * seen * np.maximum(normals @ lamp.half, 0) ** 28


def display(linear: np.ndarray) -> np.ndarray:
    """Convert linear light to sRGB values; bright light approaches white smoothly."""
    x = np.maximum(linear, 0).astype(np.float32)
    x = np.where(x > 0.7, 0.7 + 0.3 * -np.expm1(-(x - 0.7) / 0.3), x)
    return np.where(x <= 0.0031308, 12.92 * x, 1.055 * np.maximum(x, 1e-6) ** (1 / 2.4) - 0.055)
