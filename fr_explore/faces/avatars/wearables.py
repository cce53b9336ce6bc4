"""What a head wears: sheets of hair with streaks, highlight and ragged ends, and glasses."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.ndimage import gaussian_filter

from .appearance import sigmoid, softened
from .head import Worn
from .lighting import Lamp
from .renderer import Camera, Canvas, rasterise, vertex_normals

__all__ = ["draw_glasses", "draw_hair"]

AZIMUTHS, LENGTHS = 1024, 32  # of the pattern of strands


@lru_cache(maxsize=128)
def _pattern(seed: int, cells: float) -> np.ndarray:
    """Brightness of strands across (AZIMUTHS) and along them (LENGTHS), no finer than pixels of `cells` cells.

    Mean 0, standard deviation 1 before what pixels cannot show is smoothed away.
    """
    rng = np.random.default_rng(seed)
    out = np.zeros((AZIMUTHS, LENGTHS))
    for wide, share in ((1.2, 0.5), (4, 0.7), (14, 0.5)):
        layer = gaussian_filter(rng.standard_normal(out.shape), (wide, 5), mode="wrap")
        out += share * layer / layer.std()
    return softened((out / out.std()).astype(np.float32), cells)


def _hair_light(points: np.ndarray, normals: np.ndarray, lamp: Lamp) -> tuple[np.ndarray, np.ndarray]:
    """Light on the vertices of a sheet (columns, rows, 3) and its highlight, each flat.

    The highlight is that of a thin cylinder (Kajiya and Kay 1989): it runs across the strands.
    """
    tangent = np.gradient(points, axis=1).reshape(-1, 3)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True) + 1e-9
    facing = np.clip((normals @ lamp.key + 0.35) / 1.35, 0, None)
    along = np.sqrt(np.clip(1 - (tangent @ lamp.key) ** 2, 0, 1))
    light = 1.5 * lamp.strength * facing * (0.45 + 0.55 * along) + 0.425 + 0.125 * normals[:, 1]
    across = np.sqrt(np.clip(1 - ((tangent + 0.12 * normals) @ lamp.half) ** 2, 0, 1))
    shine = lamp.strength * facing * across**60 * np.clip(normals[:, 2] + 0.3, 0, 1)
    inner = 0.22 + 0.78 * sigmoid((normals[:, 2] + 0.22) / 0.07)  # the side turned to the head is dark
    return light * inner, shine * inner


def _strands(value: np.ndarray, tone: np.ndarray, pattern: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Colour and opacity at fragments (n, 5): light, highlight, place across and along, way to the hair's end."""
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
    canvas: Canvas,
    depth: np.ndarray,
    hair: Worn,
    rest: np.ndarray,
    place,
    lamp: Lamp,
    camera: Camera,
    tone: np.ndarray,
    seed: int,
) -> np.ndarray:
    """Lay hair of a colour over the canvas; the nearness of every sample afterwards."""
    assert hair.strand is not None
    columns, rows = hair.strand.shape[:2]
    points = hair.place(rest)
    points = place(points, sigmoid((points[:, 1] + 19) / 2.5))
    normals = vertex_normals(points, hair.triangles, hair.gather).reshape(columns, rows, 3)
    # the first and the last strand lie on one another: no crease
    normals[0] = normals[-1] = (normals[0] + normals[-1]) / 2
    normals[:, 0] = (normals[:, 0] + normals[::-1, 0]) / 2  # nor at the parting
    light, shine = _hair_light(points.reshape(columns, rows, 3), normals.reshape(-1, 3), lamp)
    along, left = hair.strand.reshape(-1, 2).T
    across = np.arange(columns) / (columns - 1)
    if np.ptp(hair.strand[:, 0, 1]) > 1:  # strands from a parting: the two sides match where they meet
        across = 0.5 - np.abs(across - 0.5)
    across = np.repeat(across, rows)
    attributes = np.stack([light, shine, across, along, left], axis=1).astype(np.float32)
    xy, near = camera.project(points, canvas.size)
    # first the body of the hair, then its thin ends over it: what is clear must hide nothing.
    # The second laps over the first, so that no seam shows.
    cells = AZIMUTHS / 60 * camera.width / canvas.size  # a sheet is about 60 cm wide
    nearest = left[hair.triangles].min(axis=1)
    for part in (hair.triangles[nearest >= 0.9], hair.triangles[nearest < 2.4]):
        seen, depth = rasterise(xy, near, part, canvas.size, depth, two_sided=True)
        canvas.lay(seen, *_strands(seen.interpolate(attributes), tone, _pattern(seed, cells)))
    return depth


def draw_glasses(
    canvas: Canvas,
    depth: np.ndarray,
    glasses: Worn,
    rest: np.ndarray,
    place,
    lamp: Lamp,
    camera: Camera,
    opacity: float,
) -> None:
    """Lay dark-rimmed glasses of an opacity over the canvas."""
    points = place(glasses.place(rest))
    normals = vertex_normals(points, glasses.triangles, glasses.gather)
    light = 0.35 + 1.2 * lamp.strength * np.clip(normals @ lamp.key, 0, None)
    shine = 0.35 * lamp.strength * np.clip(normals @ lamp.half, 0, None) ** 30
    color = light[:, None] * np.array([0.030, 0.024, 0.022]) + shine[:, None]
    xy, near = camera.project(points, canvas.size)
    seen, _ = rasterise(xy, near, glasses.triangles, canvas.size, depth, two_sided=True)
    canvas.lay(seen, seen.interpolate(color), opacity)
