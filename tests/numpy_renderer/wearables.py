"""Draw what a head wears: hair as sheets with strands, highlights and ragged tips, and glasses."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.ndimage import gaussian_filter

from .appearance import sigmoid
from .chart import softened
from .head import Wearable
from .lighting import Lamp
from .renderer import rasterise, vertex_normals
from .scene import Scene

__all__ = ["draw_glasses", "draw_hair"]

AZIMUTHS, LENGTHS = 1024, 32  # cells of the pattern of strands


@lru_cache(maxsize=128)
def _pattern(seed: int, cells: float) -> np.ndarray:
    """Pattern of strands, across (AZIMUTHS) and along them (LENGTHS), for pixels that are `cells` cells wide.

    It has mean 0 and standard deviation 1 before details finer than a pixel are smoothed away.
    """
    rng = np.random.default_rng(seed)
    out = np.zeros((AZIMUTHS, LENGTHS))
    for wide, share in ((1.2, 0.5), (4, 0.7), (14, 0.5)):
        layer = gaussian_filter(rng.standard_normal(out.shape), (wide, 5), mode="wrap")
        out += share * layer / layer.std()
    return softened((out / out.std()).astype(np.float32), cells)


def _hair_light(points: np.ndarray, normals: np.ndarray, lamp: Lamp) -> tuple[np.ndarray, np.ndarray]:
    """Return the light on the vertices of a sheet (columns, rows, 3) and its highlight, both flat.

    The highlight is that of a thin cylinder (Kajiya and Kay 1989), perpendicular to the strands.
    """
    tangent = np.gradient(points, axis=1).reshape(-1, 3)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True) + 1e-9
    facing = np.clip((normals @ lamp.key + 0.35) / 1.35, 0, None)
    along = np.sqrt(np.clip(1 - (tangent @ lamp.key) ** 2, 0, 1))
    light = 1.5 * lamp.strength * facing * (0.45 + 0.55 * along) + 0.425 + 0.125 * normals[:, 1]
    across = np.sqrt(np.clip(1 - ((tangent + 0.12 * normals) @ lamp.half) ** 2, 0, 1))
    shine = lamp.strength * facing * across**60 * np.clip(normals[:, 2] + 0.3, 0, 1)
    inner = 0.22 + 0.78 * sigmoid((normals[:, 2] + 0.22) / 0.07)  # the side that faces the head is dark
    return light * inner, shine * inner


def _strands(value: np.ndarray, tone: np.ndarray, pattern: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return colour and opacity of fragments (n, 5): light, highlight, place across and along, distance to the tip."""
    light, shine, across, along, left = value.T
    s, t = np.clip(across, 0, 1) * (AZIMUTHS - 1.01), np.clip(along * 0.9, 0, LENGTHS - 2)
    i, j = s.astype(np.int64), t.astype(np.int64)
    fs, ft = s - i, t - j
    flat, at = pattern.ravel(), i * LENGTHS + j
    near = flat[at] * (1 - fs) + flat[at + LENGTHS] * fs
    noise = near * (1 - ft) + (flat[at + 1] * (1 - fs) + flat[at + LENGTHS + 1] * fs) * ft
    tone = tone.astype(np.float32)
    color = tone * (light * np.exp(0.28 * noise))[:, None]
    color = color + (shine * np.exp(0.45 * noise))[:, None] * (0.05 + 0.22 * tone)
    return color, sigmoid((left - 0.50 - 0.16 * noise) / 0.09)


def draw_hair(
    scene: Scene, depth: np.ndarray, hair: Wearable, head: np.ndarray, tone: np.ndarray, seed: int
) -> np.ndarray:
    """Draw hair over the canvas and return the nearness of every sample afterwards.

    Parameters
    ----------
    depth : nearness of every sample so far.
    head : coarse vertices of the resting head.
    tone : colour (3,), linear RGB.
    seed : of the pattern of strands.
    """
    assert hair.strand is not None
    columns, rows = hair.strand.shape[:2]
    points = hair.place(head)
    points = scene.pose(points, sigmoid((points[:, 1] + 19) / 2.5))
    normals = vertex_normals(points, hair.triangles, hair.gather).reshape(columns, rows, 3)
    # the first and the last strand coincide, as do both sides of the parting: their normals must agree
    normals[0] = normals[-1] = (normals[0] + normals[-1]) / 2
    normals[:, 0] = (normals[:, 0] + normals[::-1, 0]) / 2
    light, shine = _hair_light(points.reshape(columns, rows, 3), normals.reshape(-1, 3), scene.lamp)
    along, left = hair.strand.reshape(-1, 2).T
    across = np.arange(columns) / (columns - 1)
    if np.ptp(hair.strand[:, 0, 1]) > 1:  # strands that start from a parting must match across it
        across = 0.5 - np.abs(across - 0.5)
    across = np.repeat(across, rows)
    attributes = np.stack([light, shine, across, along, left], axis=1).astype(np.float32)
    xy, near = scene.project(points)
    # First the opaque body of the hair, then its thin tips in front of it, because transparent parts must not hide
    # anything. The two parts overlap, so that no seam is visible.
    cells = AZIMUTHS / 60 * scene.camera.width / scene.canvas.size  # a sheet is about 60 cm wide
    nearest = left[hair.triangles].min(axis=1)
    for part in (hair.triangles[nearest >= 0.9], hair.triangles[nearest < 2.4]):
        seen, depth = rasterise(xy, near, part, scene.canvas.size, depth, two_sided=True)
        scene.canvas.draw(seen, *_strands(seen.interpolate(attributes), tone, _pattern(seed, cells)))
    return depth


def draw_glasses(scene: Scene, depth: np.ndarray, glasses: Wearable, head: np.ndarray, opacity: float) -> None:
    """Draw dark-rimmed glasses over the canvas; parameters as in `draw_hair`."""
    points = scene.pose(glasses.place(head))
    normals = vertex_normals(points, glasses.triangles, glasses.gather)
    light = 0.35 + 1.2 * scene.lamp.strength * np.clip(normals @ scene.lamp.key, 0, None)
    shine = 0.35 * scene.lamp.strength * np.clip(normals @ scene.lamp.half, 0, None) ** 30
    color = light[:, None] * np.array([0.030, 0.024, 0.022]) + shine[:, None]
    xy, near = scene.project(points)
    seen, _ = rasterise(xy, near, glasses.triangles, scene.canvas.size, depth, two_sided=True)
    scene.canvas.draw(seen, seen.interpolate(color), opacity)
