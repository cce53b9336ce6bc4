"""Glasses for `bake_avatar.py`: two rims, a bridge and the arms, as tubes that follow the skin."""

from __future__ import annotations

import numpy as np


def _tube(path: np.ndarray, radius: tuple[float, float], closed: bool, sides: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Points and quads of a tube around `path` (n, 3), with one radius in the plane of the frame and one in depth."""
    step = np.roll(path, -1, axis=0) - np.roll(path, 1, axis=0)
    if not closed:
        step[0], step[-1] = path[1] - path[0], path[-1] - path[-2]
    step /= np.linalg.norm(step, axis=1, keepdims=True)
    depth = np.array([0.0, 0.0, 1.0]) if abs(step[0, 2]) < 0.7 else np.array([1.0, 0.0, 0.0])
    across = np.cross(step, depth)
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    deep = np.cross(across, step)
    angle = np.arange(sides) * 2 * np.pi / sides
    ring = (
        radius[0] * np.cos(angle)[None, :, None] * across[:, None]
        + radius[1] * np.sin(angle)[None, :, None] * deep[:, None]
    )
    points = (path[:, None] + ring).reshape(-1, 3)
    n = len(path)
    i, j = np.meshgrid(np.arange(n if closed else n - 1), np.arange(sides), indexing="ij")
    k, m = (i + 1) % n, (j + 1) % sides
    quads = np.stack([i * sides + j, k * sides + j, k * sides + m, i * sides + m], axis=-1).reshape(-1, 4)
    return points, quads


def glasses(mean: np.ndarray, skin: np.ndarray) -> dict[str, np.ndarray]:
    """Two rims, a bridge and the arms, as tubes. They are bound like hair, but more softly, so that rims stay round."""
    angle = np.arange(40) * 2 * np.pi / 40
    power = 2 / 2.7  # a superellipse between an oval and a box
    x = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** power
    y = np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** power
    pieces = []
    for side in (-1, 1):
        rim_x, rim_y = 3.25 + 2.45 * x, -0.35 + 1.95 * y
        rim = np.column_stack([side * rim_x, rim_y, 3.1 - 0.045 * rim_x**2])
        pieces.append(_tube(rim, (0.17, 0.14), closed=True))
        s = np.linspace(0, 1, 16)
        arm = np.column_stack([side * (5.65 + 2.15 * np.sqrt(s)), 0.55 - 0.5 * s**3, 1.55 - 11 * s])
        pieces.append(_tube(arm, (0.13, 0.09), closed=False))
    s = np.linspace(-1, 1, 9)
    pieces.append(
        _tube(np.column_stack([0.95 * s, 0.35 + 0.25 * (1 - s * s), 3.1 + 0.12 * (1 - s * s)]), (0.15, 0.13), False)
    )
    starts = np.cumsum([0, *(len(p) for p, _ in pieces)])
    points = np.concatenate([p for p, _ in pieces])
    quads = np.concatenate([q + start for (_, q), start in zip(pieces, starts, strict=False)])
    distance = np.linalg.norm(mean[skin][None] * (1, 1, 0.6) - (points * (1, 1, 0.6))[:, None], axis=2)
    weight = np.exp(-0.5 * (distance / 2.2) ** 2)
    weight /= weight.sum(axis=1, keepdims=True)
    keep = np.argsort(-weight, axis=1)[:, :48]
    weight = np.take_along_axis(weight, keep, axis=1)
    weight /= weight.sum(axis=1, keepdims=True)
    return {
        "glasses_data": weight.astype(np.float16),
        "glasses_indices": skin[keep].astype(np.uint16),
        "glasses_offset": (points - np.einsum("nk,nkd->nd", weight, mean[skin[keep]])).astype(np.float16),
        "glasses_triangles": np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.uint16),
    }
