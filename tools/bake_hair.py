"""Hair for `bake_avatar.py`: sheets that hang on the mean head, one grid of strands for each style.

A strand starts at the crown and follows the skull at a distance; `u` is its azimuth (0 in front, in turns) and `v`
its arc length in centimetres. Short styles end at the hairline; longer ones go on downwards outside the ears. Every
point is bound to the skin around it, so that it follows any head.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter, gaussian_filter1d
from scipy.spatial import cKDTree

COLUMNS, ROWS = 128, 40
CENTRE = np.array([0.0, 0.5, -8.0])
CROWN_TILT = np.radians(24)  # the whorl lies behind the top of the head

# The hairline: azimuth in degrees from the front -> height above the eyes in cm.
HAIRLINE = {
    "cropped": ((0, 6.3), (20, 6.3), (38, 5.9), (52, 4.2), (62, 2.2), (72, -0.8), (80, -1.6), (88, 0.5), (96, 3.0),
                (108, 2.6), (120, -2.0), (132, -6.0), (150, -7.5), (180, -7.8)),
    "fringe": ((0, 4.3), (20, 4.3), (40, 4.2), (52, 3.4), (62, 1.8), (72, -1.2), (80, -2.2), (88, -1.0), (96, 1.0),
               (108, 0.5), (120, -3.0), (132, -6.5), (150, -8.0), (180, -8.5)),
}  # fmt: skip

# name -> hairline, thickness in cm on top, at the sides and at the hairline, how far the sides hang (None: they end
# at the hairline), how far the hanging hair stands off, amplitude of the waves in cm
STYLES = {
    "cropped": ("cropped", 0.7, 0.35, 0.10, None, 0.0, 0.05),
    "short": ("cropped", 1.7, 0.8, 0.35, None, 0.0, 0.15),
    "fringe": ("fringe", 1.3, 0.9, 0.45, None, 0.0, 0.12),
    "tied": ("cropped", 0.8, 0.6, 0.12, None, 0.0, 0.05),
    "curly": ("cropped", 3.2, 2.4, 0.9, None, 0.0, 0.45),
    "bob": ("cropped", 1.5, 1.4, 0.3, -9.5, 1.2, 0.2),
    "long": ("cropped", 1.5, 1.3, 0.3, -17.0, 0.9, 0.3),
    "fringe_long": ("fringe", 1.4, 1.3, 0.5, -17.0, 0.9, 0.25),
}


def _skull(points: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Radius of the skull (azimuths, polar angles) about `CENTRE`, ears smoothed away, and the unit directions."""
    from embreex.mesh_construction import TriangleMesh
    from embreex.rtcore_scene import EmbreeScene

    azimuth = np.arange(COLUMNS) * 2 * np.pi / COLUMNS
    polar = np.linspace(0, np.radians(150), 151)
    a, p = np.meshgrid(azimuth, polar, indexing="ij")
    local = np.stack([np.sin(p) * np.sin(a), np.cos(p), np.sin(p) * np.cos(a)], axis=-1)
    c, s = np.cos(CROWN_TILT), np.sin(CROWN_TILT)
    tilt = np.array([[1, 0, 0], [0, c, s], [0, -s, c]])  # the pole leans back
    direction = local @ tilt.T
    scene = EmbreeScene()
    TriangleMesh(scene, points.astype(np.float32), triangles.astype(np.int32))
    flat = direction.reshape(-1, 3).astype(np.float32)
    # from outside inwards: the outermost surface
    far = scene.run((CENTRE + 40 * flat).astype(np.float32), -flat, query="DISTANCE")
    radius = (40 - far).reshape(a.shape)
    radius[(far > 1e3).reshape(a.shape)] = 8.0
    ear = (np.abs(direction[..., 0] * radius) > 7.4) & (np.abs(direction[..., 1] * radius + 0.5) < 6)
    smooth = gaussian_filter(np.where(ear, np.minimum(radius, 7.6), radius), (2.0, 2.0), mode=("wrap", "nearest"))
    return smooth, direction


def _resample(path: np.ndarray, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """`path` (n, 3) at `rows` points evenly spaced along it, and their arc lengths."""
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    at = np.linspace(0, length[-1], rows)
    return np.stack([np.interp(at, length, path[:, k]) for k in range(3)], axis=1), at


def _hairline(name: str, azimuth: np.ndarray) -> np.ndarray:
    """Height of the hairline at each azimuth (degrees, 0 to 360), smoothed."""
    knots = np.array(HAIRLINE[name])
    height = np.interp(np.minimum(azimuth, 360 - azimuth), knots[:, 0], knots[:, 1])
    return gaussian_filter1d(height, 1.2, mode="wrap")


def _strand(skull: np.ndarray, way: np.ndarray, end: float, style: tuple, side: float) -> np.ndarray:
    """One strand (n, 3): over the skull down to the height `end`, then hanging where the style hangs."""
    _, top, flank, rim, hang, off, _ = style
    base = CENTRE + skull[:, None] * way
    stop = int(np.argmax(base[:, 1] < end)) or len(base) - 1
    stop = max(stop, 8)
    height = base[: stop + 1, 1]
    rise = np.clip((height - 3) / 6, 0, 1)
    thick = flank + (top - flank) * rise * rise * (3 - 2 * rise)
    arc = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(base[: stop + 1], axis=0), axis=1))])
    to_end = arc[-1] - arc
    if hang is None or side == 0:
        ease = 1 - np.exp(-to_end / 1.1)
        thick = rim + (thick - rim) * ease - 0.35 * np.exp(-to_end / 0.25)
        return base[: stop + 1] + thick[:, None] * way[: stop + 1]
    # hanging: leave the skull at its widest point, then fall
    stop = int(np.argmax(base[:, 1] < 3.0))
    path = base[: stop + 1] + thick[: stop + 1, None] * way[: stop + 1]
    last = path[-1]
    out = np.array([way[stop, 0], 0, way[stop, 2]])
    out /= np.linalg.norm(out)
    y = np.linspace(last[1], hang, 60)[1:]
    depth = last[1] - y
    swing = off * np.sin(np.clip(depth / 12, 0, 1) * np.pi / 2) - 1.6 * np.clip((depth - 8) / 10, 0, 1) ** 1.5
    fall = np.column_stack([last[0] + swing * out[0], y, last[2] + swing * out[2]])
    return np.concatenate([path, fall])


def _grid(skull: np.ndarray, direction: np.ndarray, style: tuple, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points (columns, rows, 3) of a style and their arc lengths (columns, rows)."""
    azimuth = np.arange(COLUMNS) * 360 / COLUMNS
    ends = _hairline(style[0], azimuth)
    front = np.minimum(azimuth, 360 - azimuth)
    points, arcs = [], []
    for k in range(COLUMNS):
        side = float(front[k] > 66)
        path, arc = _resample(_strand(skull[k], direction[k], ends[k], style, side), ROWS)
        points.append(path)
        arcs.append(arc)
    grid, arc = np.stack(points), np.stack(arcs)
    random = np.random.default_rng(seed)
    waves = gaussian_filter(random.standard_normal((COLUMNS, ROWS)), (1.2, 4.0), mode=("wrap", "nearest"))
    if style[6] > 0.4:
        waves = gaussian_filter(random.standard_normal((COLUMNS, ROWS)), (1.3, 1.3), mode=("wrap", "nearest"))
    waves *= style[6] / waves.std() * np.clip(np.arange(ROWS) / 6, 0, 1)
    outward = grid - CENTRE
    grid = grid + waves[..., None] * outward / np.linalg.norm(outward, axis=-1, keepdims=True)
    # the first strand again at the end, so that u runs from 0 to 1 without a seam
    return np.concatenate([grid, grid[:1]]), np.concatenate([arc, arc[:1]])


def _binding(points: np.ndarray, mean: np.ndarray, skin: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights and vertices (points, 12): how each hair point follows the skin about it, softly."""
    distance, index = cKDTree(mean[skin]).query(points, k=12)
    weight = np.exp(-0.5 * ((distance - distance[:, :1]) / 1.2) ** 2)
    weight /= weight.sum(axis=1, keepdims=True)
    return weight, skin[index]


def hair_styles(fine: np.ndarray, triangles: np.ndarray, mean: np.ndarray, skin: np.ndarray) -> dict[str, np.ndarray]:
    """Arrays of the asset: for each style offsets and binding, arc lengths; triangles and azimuth are shared."""
    skull, direction = _skull(fine, triangles)
    scalp = skin[(np.abs(mean[skin, 0]) < 7.6) & ((mean[skin, 2] < -2) | (mean[skin, 1] > 3))]
    out: dict[str, np.ndarray] = {"hair_names": np.array(list(STYLES)), "hair_shape": np.array([COLUMNS + 1, ROWS])}
    for number, (name, style) in enumerate(STYLES.items()):
        grid, arc = _grid(skull, direction, style, number)
        flat = grid.reshape(-1, 3)
        weight, index = _binding(flat, mean, scalp)
        out[f"hair_{name}_data"] = weight.astype(np.float16)
        out[f"hair_{name}_indices"] = index.astype(np.uint16)
        out[f"hair_{name}_offset"] = (flat - np.einsum("nk,nkd->nd", weight, mean[index])).astype(np.float16)
        out[f"hair_{name}_arc"] = arc.astype(np.float16)
    k, r = np.meshgrid(np.arange(COLUMNS), np.arange(ROWS - 1), indexing="ij")
    a, b = k * ROWS + r, (k + 1) * ROWS + r
    quads = np.stack([a, a + 1, b + 1, b], axis=-1).reshape(-1, 4)
    out["hair_triangles"] = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.uint16)
    azimuth = np.degrees(np.arange(COLUMNS) * 2 * np.pi / COLUMNS)
    out["hairline"] = np.stack([azimuth, _hairline("cropped", azimuth)]).astype(np.float32)
    return out


def _tube(path: np.ndarray, radius: tuple[float, float], closed: bool, sides: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Points and quads of a tube around `path` (n, 3); `radius` across the path in the frame's plane, and in depth."""
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
    """Two rims, a bridge and the arms, as tubes; offsets and binding like hair, but softer, so that rims stay round."""
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
