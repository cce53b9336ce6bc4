"""Mesh -> pixels: a scanline rasteriser in numpy with 16 samples a pixel and one shading point per pixel and triangle.

Why not rays against a tree: a tree for a mesh of this size takes longer to build than the whole picture takes here,
and uniform samples make edges move smoothly, which is what finite differences of an embedding look at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Camera", "Fragments", "rasterise", "vertex_normals"]

ROWS, COLUMNS = 4, 4  # samples of a pixel; rows are shifted against each other, so that no edge meets several at once
_SHIFT = (np.array([0, 2, 1, 3]) + 0.5) / ROWS


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole camera on the z axis that looks at the origin.

    Parameters
    ----------
    distance : from the origin, in cm.
    width : how much of the plane z = 0 the picture shows, in cm, both ways.
    rise : height of the picture's centre above the origin, in cm.
    """

    distance: float = 110.0
    width: float = 25.6
    rise: float = 0.3

    def project(self, points: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Pixel coordinates (n, 2), y downwards, and nearness 1 / depth (n,), linear over a flat triangle."""
        near = 1.0 / (self.distance - points[:, 2])
        scale = near * (self.distance * size / self.width)
        x = points[:, 0] * scale + size / 2
        y = (self.rise - points[:, 1]) * scale + size / 2
        return np.stack([x, y], axis=1), near


@dataclass(frozen=True, slots=True)
class Fragments:
    """What is seen: one row for each pixel and each triangle that shows in it.

    pixel : flat index; cover : share of the pixel's samples; corners : (n, 3) vertex indices;
    weights : (n, 3) barycentric weights at the mean of the samples.
    """

    pixel: np.ndarray
    cover: np.ndarray
    triangle: np.ndarray
    corners: np.ndarray
    weights: np.ndarray

    def interpolate(self, values: np.ndarray) -> np.ndarray:
        """Vertex values (v, k) at the fragments: (n, k)."""
        out = values[self.corners[:, 0]] * self.weights[:, :1]
        out += values[self.corners[:, 1]] * self.weights[:, 1:2]
        out += values[self.corners[:, 2]] * self.weights[:, 2:]
        return out


def vertex_normals(points: np.ndarray, triangles: np.ndarray, gather) -> np.ndarray:
    """Area-weighted unit normals (n, 3); `gather` is the sparse 0/1 matrix (vertices, triangles) of corners."""
    a = points[triangles[:, 0]]
    p, q = points[triangles[:, 1]] - a, points[triangles[:, 2]] - a
    normal = np.empty_like(a)
    normal[:, 0] = p[:, 1] * q[:, 2] - p[:, 2] * q[:, 1]
    normal[:, 1] = p[:, 2] * q[:, 0] - p[:, 0] * q[:, 2]
    normal[:, 2] = p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]
    total = gather @ normal
    total /= np.sqrt(np.einsum("ij,ij->i", total, total) + 1e-20)[:, None]
    return total


def _spans(xy: np.ndarray, triangles: np.ndarray, size: int):
    """Which sample rows each triangle crosses and from which sample column to which (half-open).

    Returns triangle, sample row, first column, one past the last. Sides that two triangles share are cut by the same
    arithmetic in both, so no sample is missed or taken twice.
    """
    corner = xy[triangles]
    order = np.argsort(corner[:, :, 1], axis=1, kind="stable")
    x = np.take_along_axis(corner[:, :, 0], order, axis=1)
    y = np.take_along_axis(corner[:, :, 1], order, axis=1)
    first = np.ceil(np.maximum(y[:, 0], 0) * ROWS - 0.5).astype(np.int64)
    last = np.ceil(np.minimum(y[:, 2], size) * ROWS - 0.5).astype(np.int64)
    count = np.maximum(last - first, 0)
    owner = np.repeat(np.arange(len(triangles)), count)
    start = np.cumsum(count) - count
    row = np.arange(len(owner)) - np.repeat(start - first, count)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.stack([x[:, 2] - x[:, 0], x[:, 1] - x[:, 0], x[:, 2] - x[:, 1]]) / np.stack(
            [y[:, 2] - y[:, 0], y[:, 1] - y[:, 0], y[:, 2] - y[:, 1]]
        )
    height = (row + 0.5) / ROWS
    below = height < y[owner, 1]
    long = x[owner, 0] + (height - y[owner, 0]) * slope[0, owner]
    which = np.where(below, 0, 1)
    short = x[owner, which] + (height - y[owner, which]) * slope[1 + which, owner]
    shift = _SHIFT[row % ROWS]
    left, right = np.minimum(long, short), np.maximum(long, short)
    begin = np.ceil(np.maximum(left, 0) * COLUMNS - shift).astype(np.int64)
    end = np.ceil(np.minimum(right, size) * COLUMNS - shift).astype(np.int64)
    return owner, row, np.maximum(begin, 0), np.minimum(end, size * COLUMNS)


def rasterise(
    xy: np.ndarray, near: np.ndarray, triangles: np.ndarray, size: int, depth: np.ndarray | None = None
) -> tuple[Fragments, np.ndarray]:
    """What shows of `triangles` (n, 3) in a picture of `size` pixels, and the sample buffer of nearness.

    Parameters
    ----------
    xy, near : projected vertices, as `Camera.project` gives them.
    depth : nearness of what stands in front already, (size * ROWS * size * COLUMNS,); None for nothing.
    """
    a, b, c = (xy[triangles[:, k]] for k in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    facing = np.flatnonzero(area < 0)
    triangles = triangles[facing]
    owner, row, begin, end = _spans(xy, triangles, size)
    # nearness is a plane over the picture
    a, b, c = (xy[triangles[:, k]] for k in range(3))
    na, nb, nc = (near[triangles[:, k]] for k in range(3))
    p, q = b - a, c - a
    det = p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]
    # barycentric gradients: weight1 = (dx * q_y - dy * q_x) / det, weight2 = (dy * p_x - dx * p_y) / det
    w1x, w1y, w2x, w2y = q[:, 1] / det, -q[:, 0] / det, -p[:, 1] / det, p[:, 0] / det
    zx, zy = w1x * (nb - na) + w2x * (nc - na), w1y * (nb - na) + w2y * (nc - na)
    z0 = na - a[:, 0] * zx - a[:, 1] * zy
    full = end > begin
    owner, row, begin, end = owner[full], row[full], begin[full], end[full]
    count = end - begin
    total = int(count.sum())
    span = np.repeat(np.arange(len(owner)), count)
    column = np.arange(total) - np.repeat(np.cumsum(count) - count - begin, count)
    shift = _SHIFT[row % ROWS]
    z_row = z0[owner] + (row + 0.5) / ROWS * zy[owner] + shift / COLUMNS * zx[owner]
    z = z_row[span] + column * (zx[owner] / COLUMNS)[span]
    place = (row * (size * COLUMNS))[span] + column
    buffer = np.zeros(size * ROWS * size * COLUMNS) if depth is None else depth.copy()
    np.maximum.at(buffer, place, z)
    seen = np.flatnonzero(z == buffer[place])
    span, column = span[seen], column[seen]
    tri = owner[span]
    px, py = column // COLUMNS, (row // ROWS)[span]
    # compact slots: the pixels of each triangle's own bounding box
    box_x = np.full(len(triangles), size)
    np.minimum.at(box_x, owner, begin // COLUMNS)
    box_e = np.zeros(len(triangles), dtype=np.int64)
    np.maximum.at(box_e, owner, (end - 1) // COLUMNS + 1)
    box_y = np.full(len(triangles), size)
    np.minimum.at(box_y, owner, row // ROWS)
    box_f = np.zeros(len(triangles), dtype=np.int64)
    np.maximum.at(box_f, owner, row // ROWS + 1)
    width, height = np.maximum(box_e - box_x, 0), np.maximum(box_f - box_y, 0)
    slots = width * height
    base = np.cumsum(slots) - slots
    slot = base[tri] + (py - box_y[tri]) * width[tri] + px - box_x[tri]
    n_slots = int(slots.sum())
    hits = np.bincount(slot, minlength=n_slots)
    x = (column + shift[span]) / COLUMNS
    y = ((row + 0.5) / ROWS)[span]
    sx, sy = np.bincount(slot, x, n_slots), np.bincount(slot, y, n_slots)
    used = np.flatnonzero(hits)
    tri = np.repeat(np.arange(len(triangles)), slots)[used]
    local = used - base[tri]
    w = width[tri]
    pixel = (box_y[tri] + local // w) * size + box_x[tri] + local % w
    hits = hits[used]
    dx, dy = sx[used] / hits - a[tri, 0], sy[used] / hits - a[tri, 1]
    w1, w2 = dx * w1x[tri] + dy * w1y[tri], dx * w2x[tri] + dy * w2y[tri]
    weights = np.stack([1 - w1 - w2, w1, w2], axis=1).astype(np.float32)
    return Fragments(pixel, hits / (ROWS * COLUMNS), facing[tri], triangles[tri], weights), buffer
