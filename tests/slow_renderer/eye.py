"""The eyeball: white, iris with fibres and a dark ring, pupil, the shadow of the upper lid."""

from __future__ import annotations

import numpy as np

from .shape import sigmoid


def eye_color(place: np.ndarray, colors, pixel: float) -> np.ndarray:
    """Colour (n, 3) in the directions (n, 2) from the centre, as shares of its radius; `pixel` is the width of one."""
    iris = np.array(colors.identity.iris)
    x, y = place.T
    radius, angle = np.hypot(x, y), np.arctan2(y, x)

    def inside(edge: float, soft: float) -> np.ndarray:
        return sigmoid((edge - radius) / np.hypot(soft, 0.33 * pixel))[:, None]

    fibres = 1 + 0.18 * np.cos(23 * angle + 4 * np.sin(3 * angle)) * np.clip(radius / 0.36, 0, 1) / (1 + 900 * pixel**2)
    shade = fibres * (0.75 + 0.9 * np.exp(-(((radius - 0.22) / 0.08) ** 2))) * (1 - 0.45 * np.clip(y / 0.36, -1, 1))
    color = np.array([0.62, 0.58, 0.56]) * (1 - 0.7 * np.clip(radius - 0.42, 0, 0.5))[:, None]
    color = color + inside(0.385, 0.016) * (0.22 * iris - color)
    color = color + inside(0.335, 0.022) * (iris * shade[:, None] - color)
    color = color + inside(0.135, 0.016) * (0.004 - color)
    return color * (1 - 0.5 * sigmoid((y - 0.17) / 0.10))[:, None]
