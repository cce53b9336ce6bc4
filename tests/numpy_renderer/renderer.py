"""Mesh -> pixels: a scanline rasteriser in NumPy, with 15 samples a pixel and one shading point per pixel and triangle.

- There is no ray tracer, because its tree for a mesh of this size takes longer to build than the whole picture here.
- Uniform samples make edges move smoothly, which finite differences of an embedding need.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

__all__ = ["Canvas", "Fragments", "rasterise", "vertex_normals"]

ROWS, COLUMNS = 3, 5  # samples of a pixel; its rows are offset, so that an edge crosses one sample at a time
_SHIFT = (np.array([0, 2, 1]) + 0.5) / ROWS


@dataclass(frozen=True, slots=True)
class Fragments:
    """The visible parts of triangles: one row for each pixel and each triangle that is visible in it.

    Parameters
    ----------
    pixel : flat index of the pixel.
    cover : share of the pixel's samples.
    hiding : share of the pixel's samples that hide something drawn before.
    triangle, corners : index of the triangle, and its vertices (n, 3).
    weights : (n, 3) barycentric coordinates of the mean of the samples.
    """

    pixel: np.ndarray
    cover: np.ndarray
    hiding: np.ndarray
    triangle: np.ndarray
    corners: np.ndarray
    weights: np.ndarray

    def interpolate(self, values: np.ndarray) -> np.ndarray:
        """Interpolate vertex values (v, k) at the fragments: (n, k)."""
        out = values[self.corners[:, 0]] * self.weights[:, :1]
        out += values[self.corners[:, 1]] * self.weights[:, 1:2]
        out += values[self.corners[:, 2]] * self.weights[:, 2:]
        return out


def vertex_normals(points: np.ndarray, triangles: np.ndarray, gather) -> np.ndarray:
    """Area-weighted unit normals (n, 3); `gather` is the matrix of `gather_matrix` for these triangles."""
    a = points[triangles[:, 0]]
    p, q = points[triangles[:, 1]] - a, points[triangles[:, 2]] - a
    normal = np.empty_like(a)
    normal[:, 0] = p[:, 1] * q[:, 2] - p[:, 2] * q[:, 1]
    normal[:, 1] = p[:, 2] * q[:, 0] - p[:, 0] * q[:, 2]
    normal[:, 2] = p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]
    total = gather @ normal
    total /= np.sqrt(np.einsum("ij,ij->i", total, total) + 1e-20)[:, None]
    return total


@dataclass(frozen=True, slots=True)
class _Planes:
    """Triangles that face the camera, the gradients of their weights, and nearness as a plane over the picture."""

    index: np.ndarray  # position of each triangle in the caller's list
    corners: np.ndarray  # (n, 3) vertices
    origin: np.ndarray  # (2, n) x and y of the first corner
    one: np.ndarray  # (2, n) gradient of the second corner's weight
    two: np.ndarray  # (2, n) gradient of the third corner's weight
    near: np.ndarray  # (3, n) nearness at (0, 0) and its gradient


def _planes(x: np.ndarray, y: np.ndarray, near: np.ndarray, triangles: np.ndarray, two_sided: bool) -> _Planes:
    a, b, c = triangles.T
    ax, ay = x[a], y[a]
    px, py, qx, qy = x[b] - ax, y[b] - ay, x[c] - ax, y[c] - ay
    area = px * qy - py * qx
    # y points down, so a front side has a negative area
    index = np.flatnonzero(np.abs(area) > 1e-9 if two_sided else area < -1e-9)
    a, b, c = a[index], b[index], c[index]
    ax, ay, px, py, qx, qy, area = (v[index] for v in (ax, ay, px, py, qx, qy, area))
    one, two = np.stack([qy, -qx]) / area, np.stack([-py, px]) / area
    na = near[a]
    gradient = one * (near[b] - na) + two * (near[c] - na)
    plane = np.stack([na - ax * gradient[0] - ay * gradient[1], gradient[0], gradient[1]])
    return _Planes(index, triangles[index], np.stack([ax, ay]), one, two, plane)


@lru_cache(maxsize=8)
def _samples(size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pixel, x and y of every sample of a picture, row by row from the top, each (size * ROWS * size * COLUMNS,)."""
    row, column = np.divmod(np.arange(size * ROWS * size * COLUMNS), size * COLUMNS)
    x = (column + _SHIFT[row % ROWS]) / COLUMNS
    return row // ROWS * size + column // COLUMNS, x, (row + 0.5) / ROWS


def _by_height(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sort corners (3, n) by height, from the top of the picture."""
    x, y = x.copy(), y.copy()
    for i, k in ((0, 1), (1, 2), (0, 1)):
        swap = y[i] > y[k]
        x[i], x[k] = np.where(swap, x[k], x[i]), np.where(swap, x[i], x[k])
        y[i], y[k] = np.where(swap, y[k], y[i]), np.where(swap, y[i], y[k])
    return x, y


def _spans(x: np.ndarray, y: np.ndarray, corners: np.ndarray, size: int) -> tuple[np.ndarray, ...]:
    """Return the samples that each triangle covers: triangle, sample row, first sample column, one past the last.

    The same arithmetic, from the upper end, computes a side in both triangles that share it, so that no sample is
    missed or covered twice.
    """
    x, y = _by_height(x[corners.T], y[corners.T])
    first = np.ceil(np.maximum(y[0], 0) * ROWS - 0.5).astype(np.int64)
    count = np.maximum(np.ceil(np.minimum(y[2], size) * ROWS - 0.5).astype(np.int64) - first, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = (x[[2, 1, 2]] - x[[0, 0, 1]]) / (
            y[[2, 1, 2]] - y[[0, 0, 1]]
        )  # long side, upper short side, lower short side
        start = x[[0, 0, 1]] - y[[0, 0, 1]] * slope
    owner = np.repeat(np.arange(len(corners)), count)
    row = np.arange(len(owner)) + np.repeat(first - np.cumsum(count) + count, count)
    height = (row + 0.5) / ROWS
    short = owner + len(corners) * np.where(height >= np.repeat(y[1], count), 2, 1)
    one = np.repeat(start[0], count) + height * np.repeat(slope[0], count)
    two = start.ravel()[short] + height * slope.ravel()[short]
    shift = _SHIFT[row % ROWS]
    begin = np.ceil(np.maximum(np.minimum(one, two), 0) * COLUMNS - shift).astype(np.int64)
    end = np.ceil(np.minimum(np.maximum(one, two), size) * COLUMNS - shift).astype(np.int64)
    full = np.flatnonzero(end > begin)
    return owner[full], row[full], begin[full], end[full]


def _visible(planes: _Planes, spans: tuple[np.ndarray, ...], size: int, depth: np.ndarray, first: bool):
    """Return the samples that nothing nearer covers: their span, their place, and whether they hide something.

    `depth` is raised to the nearest surface in place. The last array is None in a first layer.
    """
    owner, row, begin, end = spans
    count, wide = end - begin, size * COLUMNS
    slope = planes.near[1][owner] / COLUMNS
    start = planes.near[0][owner] + (row + 0.5) / ROWS * planes.near[2][owner] + _SHIFT[row % ROWS] * slope
    place = np.arange(int(count.sum())) + np.repeat(row * wide + begin - np.cumsum(count) + count, count)
    near = np.repeat(start - row * wide * slope, count) + place * np.repeat(slope, count)
    near = near.astype(np.float32)
    before = None if first else depth[place]
    np.maximum.at(depth, place, near)
    seen = np.flatnonzero(near == depth[place])
    span = np.repeat(np.arange(len(owner)), count)[seen]
    return span, place[seen], None if before is None else before[seen] > 0


def _heads(*keys: np.ndarray) -> np.ndarray:
    """Start of each run of equal keys."""
    change = np.ones(len(keys[0]), bool)
    change[1:] = keys[0][1:] != keys[0][:-1]
    for key in keys[1:]:
        change[1:] |= key[1:] != key[:-1]
    return np.flatnonzero(change)


def _totals(values: np.ndarray, heads: np.ndarray) -> np.ndarray:
    """Sum of `values` over each run that starts at one of `heads`."""
    running = np.append(0, np.cumsum(values))
    return np.diff(running[np.append(heads, len(values))])


def _merge(owner: np.ndarray, span: np.ndarray, place: np.ndarray, before: np.ndarray | None, size: int):
    """Return one row per triangle and pixel: triangle, pixel, samples, samples that hide something, mean x and y."""
    pixel, x, y = _samples(size)
    pixel = pixel[place]
    # first merge neighbours in one span, then the rows of one pixel, which are adjacent after sorting
    head = _heads(span, pixel)
    last = np.append(head[1:], len(span))[: len(head)] - 1
    hits = last - head + 1
    hiding = np.zeros_like(hits) if before is None else _totals(before, head)
    key = owner[span[head]] * (size * size) + pixel[head]
    order = np.argsort(key, kind="stable")
    key = key[order]
    group = _heads(key)
    triangle, pixel = np.divmod(key[group], size * size)
    # samples of a run are evenly spaced, so their mean is that of the first and the last
    sum_x, sum_y = hits * (x[place[head]] + x[place[last]]) / 2, hits * y[place[head]]
    hits, hiding, sum_x, sum_y = (_totals(v[order], group) for v in (hits, hiding, sum_x, sum_y))
    return triangle, pixel, hits, hiding, sum_x / hits, sum_y / hits


def rasterise(
    xy: np.ndarray,
    near: np.ndarray,
    triangles: np.ndarray,
    size: int,
    depth: np.ndarray | None = None,
    two_sided: bool = False,
) -> tuple[Fragments, np.ndarray]:
    """Return the visible parts of `triangles` (n, 3) in a picture of `size` pixels, and the nearness of every sample.

    Parameters
    ----------
    xy, near : projected vertices, as `Camera.project` returns them.
    depth : nearness of the samples so far, float32 (samples,), or None for a first layer. It is not changed.
    two_sided : whether the backs of triangles are visible.
    """
    x, y = np.ascontiguousarray(xy[:, 0], np.float64), np.ascontiguousarray(xy[:, 1], np.float64)
    planes = _planes(x, y, near, triangles, two_sided)
    spans = _spans(x, y, planes.corners, size)
    first = depth is None
    depth = np.zeros(size * ROWS * size * COLUMNS, np.float32) if depth is None else depth.copy()
    span, place, before = _visible(planes, spans, size, depth, first)
    tri, pixel, hits, hiding, at_x, at_y = _merge(spans[0], span, place, before, size)
    dx, dy = at_x - planes.origin[0][tri], at_y - planes.origin[1][tri]
    one = dx * planes.one[0][tri] + dy * planes.one[1][tri]
    two = dx * planes.two[0][tri] + dy * planes.two[1][tri]
    weights = np.stack([1 - one - two, one, two], axis=1).astype(np.float32)
    share = 1 / (ROWS * COLUMNS)
    return Fragments(pixel, hits * share, hiding * share, planes.index[tri], planes.corners[tri], weights), depth


class Canvas:
    """Layers drawn over one another; the share of each pixel that is still free is stored separately.

    The background therefore does not shine through where the edge of one layer is in front of another.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.color = np.zeros((size * size, 3))  # colour of the covered share of each pixel, times this share
        self.free = np.ones(size * size)  # share of each pixel in which the background is visible

    def draw(self, seen: Fragments, color: np.ndarray, alpha: np.ndarray | float = 1.0) -> None:
        """Draw fragments of a colour (n, 3) and an opacity over the earlier layers."""
        n = self.size**2
        hiding = np.bincount(seen.pixel, seen.hiding * alpha, n)
        fresh = np.bincount(seen.pixel, (seen.cover - seen.hiding) * alpha, n)
        self.color *= np.clip(1 - hiding / np.maximum(1 - self.free, 1e-9), 0, 1)[:, None]
        self.free -= np.minimum(fresh, self.free)
        weight = seen.cover * alpha
        for k in range(3):
            self.color[:, k] += np.bincount(seen.pixel, weight * color[:, k], n)

    def in_front_of(self, background: np.ndarray) -> np.ndarray:
        """Return the picture (size, size, 3) in front of a background, filtered by a tent two pixels wide.

        The tent removes frequencies near that of the pixel grid. Without it, aliasing determines the direction in which
        dlib's embedding moves when the head turns by a small step; with it, halving the step keeps this direction.
        """
        picture = (self.color + self.free[:, None] * background).reshape(self.size, self.size, 3)
        for axis in (0, 1):
            picture = np.moveaxis(picture, axis, 0)
            rim = np.concatenate([picture[:1], picture, picture[-1:]])
            picture = np.moveaxis(0.25 * (rim[:-2] + rim[2:]) + 0.5 * picture, 0, axis)
        return picture
