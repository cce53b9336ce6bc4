"""Which triangles each sample of a picture meets, in which order, and what light they send to it."""

from __future__ import annotations

import numpy as np

from .color import Colors
from .shape import LASH, Shape

ROWS, COLUMNS = 3, 5  # of the samples in a pixel
OFFSETS = np.array([0.5, 2.5, 1.5]) / 3  # of the three rows, in samples
RAISED = 0.0009  # hair is as if this share nearer than it is


def _hits(screen: np.ndarray, triangles: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every sample in every triangle: triangle, sample (row, then column), nearness. Both sides count."""
    width, height = size * COLUMNS, size * ROWS
    corners = screen[triangles]
    low, high = corners.min(axis=1), corners.max(axis=1)
    first = np.clip(np.ceil(low[:, 1] * ROWS - 0.5), 0, height).astype(int)
    last = np.clip(np.ceil(high[:, 1] * ROWS - 0.5), 0, height).astype(int)
    count = np.maximum(last - first, 0)
    which = np.repeat(np.arange(len(triangles)), count)  # rows of samples that a triangle may reach
    row = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count) + first[which]
    offset = OFFSETS[row % ROWS]
    begin = np.clip(np.ceil(low[which, 0] * COLUMNS - offset), 0, width).astype(int)
    end = np.clip(np.ceil(high[which, 0] * COLUMNS - offset), 0, width).astype(int)
    count = np.maximum(end - begin, 0)
    row, offset, begin, which = (np.repeat(v, count) for v in (row, offset, begin, which))
    column = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count) + begin
    place = np.stack([(column + offset) / COLUMNS, (row + 0.5) / ROWS], axis=1)
    weight = weights_at(corners[which], place)
    inside = (weight >= 0).all(axis=1)
    near = (weight * corners[which][:, :, 2]).sum(axis=1)
    return which[inside], (row * width + column)[inside], near[inside]


def weights_at(corners: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Barycentric weights (n, 3) of places (n, 2) in triangles (n, 3, 3 or 2); none are inside a flat one."""
    a, b, c = (corners[:, k, :2] for k in range(3))

    def cross(p: np.ndarray, q: np.ndarray) -> np.ndarray:
        return p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]

    area = cross(b - a, c - a)
    with np.errstate(divide="ignore", invalid="ignore"):
        second, third = cross(place - a, c - a) / area, cross(b - a, place - a) / area
    return np.nan_to_num(np.stack([1 - second - third, second, third], axis=1), nan=-1.0)


def _fragments(triangle: np.ndarray, sample: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Group samples by triangle and pixel: the number of each one's group, and the mean place of each group."""
    row, column = np.divmod(sample, size * COLUMNS)
    pixel = row // ROWS * size + column // COLUMNS
    place = np.stack([(column + OFFSETS[row % ROWS]) / COLUMNS, (row + 0.5) / ROWS], axis=1)
    _, group = np.unique(triangle.astype(np.int64) * size * size + pixel, return_inverse=True)
    total = np.stack([np.bincount(group, place[:, k]) for k in range(2)], axis=1)
    return group, total / np.bincount(group)[:, None]


def _shaded(colors: Colors, mesh: str, triangle: np.ndarray, sample: np.ndarray, size: int) -> np.ndarray:
    """Colour and opacity (n, 4) of samples; each fragment is shaded once, at the mean of its samples."""
    _, screen, triangles = colors.shape.meshes[mesh]
    group, place = _fragments(triangle, sample, size)
    of_group = np.zeros(len(place), int)
    of_group[group] = triangle
    weight = weights_at(screen[triangles[of_group]], place)
    return colors.at(mesh, of_group, weight)[group]


def blended(shape: Shape, colors: Colors, size: int) -> np.ndarray:
    """Linear light (size, size, 3) before the filter."""
    count = size * size * ROWS * COLUMNS
    _, screen, triangles = shape.meshes["head"]
    p, q = (screen[triangles[:, k]] - screen[triangles[:, 0]] for k in (1, 2))
    front = p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0] < 0  # y points down
    solid = np.flatnonzero(front & (shape.head.material != LASH) & ~colors.hidden)
    which, sample, near = _hits(screen, triangles[solid], size)
    order = np.lexsort((near, sample))
    top = np.append(sample[order][1:] != sample[order][:-1], True)
    seen, depth = order[top], np.zeros(count)
    depth[sample[seen]] = near[seen]

    layers = []
    for number, mesh in enumerate(("lash", "hair", "glasses"), 1):
        owner = "head" if mesh == "lash" else mesh
        if owner not in shape.meshes:
            continue
        _, where, of_mesh = shape.meshes[owner]
        chosen = np.flatnonzero(shape.head.material == LASH) if mesh == "lash" else np.arange(len(of_mesh))
        triangle, at, z = _hits(where, of_mesh[chosen], size)
        raised = 1 + RAISED * (mesh == "hair")
        kept = z * raised >= depth[at]
        triangle, at = chosen[triangle[kept]], at[kept]
        away = 1 / where[of_mesh][:, :, 2].sum(axis=1)
        rank = np.stack([away[triangle], np.full(len(triangle), number), triangle], axis=1)
        layers.append((at, rank, _shaded(colors, owner, triangle, at, size)))
    at, rank, color = (np.concatenate(parts) for parts in zip(*layers, strict=True))

    order = np.lexsort((*rank.T[::-1], at))
    at, color = at[order], color[order]
    light, through = np.zeros((count, 3)), np.ones(count)
    place = np.arange(len(at)) - np.searchsorted(at, at)  # number of layers in front of each one at its sample
    for k in range(int(place.max(initial=-1)) + 1):
        now = place == k
        light[at[now]] += (through[at[now]] * color[now, 3])[:, None] * color[now, :3]
        through[at[now]] *= 1 - color[now, 3]
    head = _shaded(colors, "head", solid[which[seen]], sample[seen], size)
    light[sample[seen]] += through[sample[seen], None] * head[:, :3]
    free = np.where(depth > 0, 0, through)
    per_pixel = np.concatenate([light, free[:, None]], axis=1).reshape(size, ROWS, size, COLUMNS, 4).mean(axis=(1, 3))
    return per_pixel[..., :3] + per_pixel[..., 3:] * colors.background(size)
