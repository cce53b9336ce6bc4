"""Sunglasses and a face mask, drawn at the place of the five landmarks.

Shapes are signed distances (negative inside, in pixels), so that their edges are smooth over one pixel and move
smoothly with the landmarks. Coordinates are relative to the face: the origin is between the eyes, x points to the eye
on the right of the picture, y to the mouth, and the unit is the distance between the eyes.
"""

from __future__ import annotations

import numpy as np

__all__ = ["draw_mask", "draw_sunglasses"]

_LENS = np.array([0.05, 0.055, 0.07], np.float32)
_CLOTH = np.array([0.55, 0.72, 0.80], np.float32)


def draw_sunglasses(pixels: np.ndarray, landmarks: np.ndarray, opacity: float) -> np.ndarray:
    """Draw dark lenses, a bridge and temples over the eyes.

    Parameters
    ----------
    pixels : float32 (height, width, 3) in [0, 1].
    landmarks : (5, 2) as in `Face`.
    opacity : 0 leaves the picture unchanged, 1 hides the eyes.
    """
    if opacity == 0:
        return pixels
    x, y, unit, _ = _frame(pixels, landmarks)
    lens = _box(abs(x) - 0.5, y - 0.06, 0.41, 0.3, 0.2)
    bridge = _box(x, y + 0.08, 0.2, 0.04, 0.03)
    temples = _box(abs(x) - 1.05, y + 0.1, 0.25, 0.03, 0.03)
    return _lay(pixels, np.minimum(np.minimum(lens, bridge), temples) * unit, _LENS, opacity)


def draw_mask(pixels: np.ndarray, landmarks: np.ndarray, opacity: float) -> np.ndarray:
    """Draw a pleated mask over nose, mouth and chin; arguments as in `draw_sunglasses`."""
    if opacity == 0:
        return pixels
    x, y, unit, mouth = _frame(pixels, landmarks)
    x = abs(x)
    # from the bridge of the nose to below the chin; the mouth is `mouth` units below the eyes
    top, bottom = 0.36 * mouth, 1.9 * mouth
    middle, half = (top + bottom) / 2, (bottom - top) / 2
    narrowing = 0.78 - 0.22 * np.clip((y - middle) / half, -1, 1)
    cloth = _box(x, y - middle, narrowing, half, 0.3)
    upper = _segment(x, y, (0.9, top + 0.12), (1.25, 0.15))
    lower = _segment(x, y, (0.66, bottom - 0.35), (1.25, 0.45))
    distance = np.minimum(cloth, np.minimum(upper, lower) - 0.018) * unit
    pleats = 1 - 0.05 * (1 + np.cos((y - middle) / half * 3 * np.pi)).astype(np.float32)
    return _lay(pixels, distance, _CLOTH * pleats[..., None], opacity)


def _frame(pixels: np.ndarray, landmarks: np.ndarray) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Return each pixel's x and y relative to the face, the unit in pixels, and the mouth's y."""
    points = np.asarray(landmarks, np.float64) @ np.array([1, 1j])
    origin, across = points[:2].mean(), points[1] - points[0]
    mouth = (points[3:].mean() - origin) / across
    # the eyes of a turned head are closer together: the distance to the mouth keeps the unit from shrinking
    unit = max(abs(across), abs(across * mouth) / 1.25, 1e-6)
    turn = across / max(abs(across), 1e-6)
    height, width = pixels.shape[:2]
    plane = (np.arange(width) + 0.5) + 1j * (np.arange(height)[:, None] + 0.5)
    local = (plane - origin) / (unit * turn)
    return local.real, local.imag, unit, max(abs((points[3:].mean() - origin) / unit), 0.5)


def _box(x: np.ndarray, y: np.ndarray, half_width: np.ndarray | float, half_height: float, corner: float) -> np.ndarray:
    """Signed distance to a rectangle with rounded corners around the origin."""
    dx, dy = abs(x) - half_width + corner, abs(y) - half_height + corner
    outside = np.hypot(np.maximum(dx, 0), np.maximum(dy, 0))
    return outside + np.minimum(np.maximum(dx, dy), 0) - corner


def _segment(x: np.ndarray, y: np.ndarray, start: tuple[float, float], end: tuple[float, float]) -> np.ndarray:
    """Distance to a line segment."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    along = np.clip(((x - start[0]) * dx + (y - start[1]) * dy) / (dx * dx + dy * dy), 0, 1)
    return np.hypot(x - start[0] - along * dx, y - start[1] - along * dy)


def _lay(pixels: np.ndarray, distance: np.ndarray, colour: np.ndarray, opacity: float) -> np.ndarray:
    cover = (opacity * np.clip(0.5 - distance, 0, 1)).astype(np.float32)[..., None]
    return pixels * (1 - cover) + colour * cover
