"""Hair for `bake_avatar.py`: MakeHuman's styles, repaired, bound softly to the scalp, with shade and opacity.

Repairs: hair that falls over an eye is swept aside along the face; two styles are added, of which one is a short afro
and the other ends at the chin. A texture keeps strands and loses the light that was painted into it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from bake_makehuman import HAIR, Material
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, gaussian_filter1d, map_coordinates
from scipy.spatial import cKDTree

CENTRE = np.array([0.0, 0.5, -8.0])
POLAR = np.linspace(0, np.radians(150), 151)
LONGEST = 2.2  # cm, of edges
TILT = np.radians(3.5)
CLEARANCE = 0.32  # cm between the skull and hair that lies on it
ANCHORS = 4  # vertices of the skin that carry a point
TEXELS = 256  # side of a texture
LOWEST = -19.0  # no picture shows hair below this height
SWEPT = ("short03", "Braid01", "bob01", "bob02")
COVERS_EARS = ("long01", "Braid01", "bob01", "bob02", "chin01")
# the window of the face that hair leaves free: centre and half axes in cm, and the share outside that makes room
WINDOW, ROOM, SHARP = np.array([[0.0, -3.6], [6.3, 6.3]]), 1.55, 1.6


@dataclass
class Style:
    """A style on the mean head: points (n, 3), texture coordinates (n, 2), triangles, and the texture (h, w, 4)."""

    points: NDArray
    uv: NDArray
    triangles: NDArray
    texture: NDArray


class Skull:
    """Radius of the skull, without ears, about `CENTRE` by azimuth and polar angle, and the depth of the face."""

    def __init__(self, points: NDArray, triangles: NDArray) -> None:
        from embreex.mesh_construction import TriangleMesh
        from embreex.rtcore_scene import EmbreeScene

        self._tree = cKDTree(points[np.unique(triangles)])
        self._scene = EmbreeScene()
        TriangleMesh(self._scene, points.astype(np.float32), triangles.astype(np.int32))
        azimuth, polar = np.meshgrid(np.radians(np.arange(360)), POLAR, indexing="ij")
        ring = np.sin(polar)
        way = np.stack([ring * np.sin(azimuth), np.cos(polar), ring * np.cos(azimuth)], axis=-1)
        flat = way.reshape(-1, 3).astype(np.float32)
        far = self._scene.run((CENTRE + 40 * flat).astype(np.float32), -flat, query="DISTANCE")
        radius = np.where(far > 1e3, 8.0, 40 - far).reshape(azimuth.shape)
        ear = (np.abs(way[..., 0] * radius) > 7.4) & (np.abs(way[..., 1] * radius + CENTRE[1]) < 6)
        self.radius = gaussian_filter(np.where(ear, np.minimum(radius, 7.6), radius), (5, 2), mode=("wrap", "nearest"))
        grid = np.arange(-12, 12.01, 0.25)
        self._grid = np.stack(np.meshgrid(grid, grid, indexing="ij"), axis=-1).reshape(-1, 2)
        start = np.column_stack([self._grid, np.full(len(self._grid), 40)]).astype(np.float32)
        ahead = np.broadcast_to(np.array([0, 0, -1], np.float32), start.shape).copy()
        depth = 40 - self._scene.run(start, ahead, query="DISTANCE")
        side = len(grid)
        self._front = gaussian_filter1d(np.maximum(depth, -9.0).reshape(side, side), 2, axis=0)

    def front(self, xy: NDArray) -> NDArray:
        """Depth z of the face at places (n, 2)."""
        return map_coordinates(self._front, ((xy + 12) / 0.25).T, order=1, mode="nearest")

    def lifted(self, points: NDArray) -> NDArray:
        """Points moved away from the skull, most where they lie on it, so that other heads don't show through."""
        points = self._outside(points)
        distance, _ = self._tree.query(points)
        low = np.minimum(points[:, 1:2] - CENTRE[1], 0) * (0, 1, 0)  # below the middle, straight aside
        away = points - CENTRE - low
        away /= np.linalg.norm(away, axis=1, keepdims=True)
        return points + (CLEARANCE * np.exp(-distance / 1.2))[:, None] * away

    def _from_skull(self, points: NDArray) -> tuple[NDArray, NDArray, NDArray]:
        """Vectors from the centre, their lengths, and the skull's radius there."""
        away = points - CENTRE
        length = np.linalg.norm(away, axis=1)
        azimuth = np.degrees(np.arctan2(away[:, 0], away[:, 2])) % 360
        polar = np.arccos(np.clip(away[:, 1] / length, -1, 1))
        return (
            away,
            length,
            map_coordinates(self.radius, np.stack([azimuth, polar / POLAR[1]]), order=1, mode="grid-wrap"),
        )

    def _outside(self, points: NDArray) -> NDArray:
        """Points of the upper head, moved out of the skull."""
        away, length, radius = self._from_skull(points)
        out = CENTRE + away * (np.maximum(length, radius) / length)[:, None]
        return points + ramp(points[:, 1], 0.0, 3.0)[:, None] * (out - points)

    def shrunk(self, points: NDArray, share: float) -> NDArray:
        """Points at a share of their distance from the skull."""
        away, length, radius = self._from_skull(points)
        above = np.maximum(length - radius, 0)
        return CENTRE + away * ((length - (1 - share) * above) / length)[:, None]


def ramp(x: NDArray, low: float, high: float) -> NDArray:
    """Smooth step from 0 to 1."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def _reach(start: NDArray, step: NDArray, radius: float) -> NDArray:
    """The t at which start + t * step is `radius` away from the origin."""
    a, b, c = (step**2).sum(axis=1), step @ start, start @ start - radius**2
    return (-b + np.sqrt(b * b - a * c)) / a


def swept(points: NDArray, skull: Skull) -> NDArray:
    """Move the points in front of the face out of its window, away from its open side, at their distance from it."""
    place = (points[:, :2] - WINDOW[0]) / WINDOW[1]
    ahead = ramp(points[:, 2], -5.0, -1.0)
    covered = (np.linalg.norm(place, axis=1) < 1) & (ahead > 0.5)
    open_side = -np.sign(points[covered, 0].sum())
    start = np.array([0.62 * open_side, -0.5])
    step = place - start
    step[np.linalg.norm(step, axis=1) < 1e-6] = (0, 1e-6)
    edge, end = _reach(start, step, 1.0), _reach(start, step, ROOM)
    t = edge + (end - edge) * np.clip(1 / end, 0, 1) ** SHARP
    moved = np.where((end > 1)[:, None], start + t[:, None] * step, place) * WINDOW[1] + WINDOW[0]
    clear = np.maximum(points[:, 2] - skull.front(points[:, :2]), 0.25)
    depth = np.where(end > 1, skull.front(moved) + np.minimum(clear, 1.6), points[:, 2])
    target = np.column_stack([moved, np.minimum(np.maximum(depth, points[:, 2] - 4), points[:, 2] + 1.5)])
    return points + ahead[:, None] * (target - points)


def _at_chin(style: Style) -> Style:
    """Hair that hangs, cut at the chin: the ends are a little ragged and turn inwards."""
    points, cut = style.points, -8.4
    kept = style.triangles[(points[style.triangles, 1] > cut).any(axis=1)]
    ragged = np.random.default_rng(0).uniform(-0.35, 0.35, len(points))
    y = np.maximum(points[:, 1], cut + ragged)
    # a point below the cut slides up along the line from the middle of the part
    narrow = 1 - 0.02 * np.clip(cut - points[:, 1], 0, 12) - 0.10 * ramp(-y, 1.0, 8.5)
    return Style(np.column_stack([points[:, 0] * narrow, y, points[:, 2]]), style.uv, kept, style.texture)


def _tilted(points: NDArray) -> NDArray:
    """Hair turned forwards about the middle of the skull, so that the hairline sits lower."""
    c, s = np.cos(TILT), np.sin(TILT)
    return CENTRE + (points - CENTRE) @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]]).T


def cut(style: Style) -> Style:
    """Split triangles until no edge is longer than `LONGEST`, because the engine sorts them by their centres."""
    points, uv, triangles = style.points, style.uv, style.triangles
    for _ in range(4):
        sides = np.sort(np.stack([triangles, np.roll(triangles, -1, axis=1)], axis=-1), axis=-1)
        edges, inverse = np.unique(sides.reshape(-1, 2), axis=0, return_inverse=True)
        long = np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1) > LONGEST
        if not long.any():
            break
        number = np.where(long, len(points) + np.cumsum(long) - 1, -1)[inverse.reshape(-1, 3)]
        points = np.concatenate([points, points[edges[long]].mean(axis=1)])
        uv = np.concatenate([uv, uv[edges[long]].mean(axis=1)])
        triangles = np.array([part for corners, middles in zip(triangles.tolist(), number.tolist(), strict=True)
                              for part in _split(corners, middles)])  # fmt: skip
    return Style(points, uv, triangles, style.texture)


def _split(corners: list[int], middles: list[int]) -> list[list[int]]:
    """The parts of a triangle whose edges k, k + 1 have the middles, or -1 for edges that stay."""
    count = sum(middle >= 0 for middle in middles)
    if count == 0:
        return [corners]
    first = next(k for k in range(3) if (middles[k] >= 0 if count == 1 else middles[k - 1] < 0 or count == 3))
    a, b, c = corners[first:] + corners[:first]
    ab, bc, ca = middles[first:] + middles[:first]
    if count == 1:
        return [[a, ab, c], [ab, b, c]]
    if count == 2:  # ca stays whole
        return [[ab, b, bc], [a, ab, bc], [a, bc, c]]
    return [[a, ab, ca], [ab, b, bc], [ca, bc, c], [ab, bc, ca]]


def styles(material: Material, body: NDArray, skull: Skull) -> dict[str, Style]:
    """Every style on the mean head."""
    out = {}
    for name in HAIR:
        worn = material.proxy("hair", name, body)
        points = swept(worn.points, skull) if name in SWEPT else _tilted(worn.points)
        out[name] = Style(skull.lifted(points), worn.uv, worn.triangles, worn.texture)
    afro, long = out["afro01"], out["long01"]
    # loose strands only at the outline: in front of the rest, their roots show as dark strips
    middle, loose = afro.points[afro.triangles].mean(axis=1), (afro.uv[afro.triangles, 1] > 0.8).all(axis=1)
    inner = (middle[:, 2] > -6) & (np.abs(middle[:, 0]) < 8.0) & (middle[:, 1] < 12.5)
    afro.triangles = afro.triangles[~(loose & inner)]
    # the roots of its loose strands, at the bottom of the picture, must not show as dark strips on the rest
    row = np.linspace(0, 1, len(afro.texture))[:, None]
    afro.texture[..., 3] *= 1 - 0.9 * ramp(row, 0.84, 0.96)
    out["afro02"] = Style(skull.shrunk(afro.points, 0.42), afro.uv, afro.triangles, afro.texture)
    out["chin01"] = _at_chin(long)
    out["afro01"] = Style(skull.shrunk(afro.points, 0.8), afro.uv, afro.triangles, afro.texture)
    return {name: cut(style) for name, style in out.items()}


def shade_and_opacity(texture: NDArray, size: int, contrast: float = 0.30) -> NDArray:
    """Return uint8 (size, size, 2): shade of the strands, 128 on average and without broad light, and opacity.

    The shade is a ratio of linear luminances. Where nothing is opaque it is 128, so that it compresses.
    """
    block = texture.shape[0] // size
    alpha = texture[..., 3].reshape(size, block, size, block).mean(axis=(1, 3))
    luminance = texture[..., :3] ** 2.2 @ np.array([0.2126, 0.7152, 0.0722]) * texture[..., 3]
    luminance = luminance.reshape(size, block, size, block).mean(axis=(1, 3)) / np.maximum(alpha, 1e-3)
    log = np.where(alpha > 0.02, np.log(luminance + 0.004), 0)
    weight = gaussian_filter(alpha, size / 32) + 1e-6
    broad = gaussian_filter(log * alpha, size / 32) / weight
    mean = (log * alpha).sum() / alpha.sum()
    detail = log - broad + 0.12 * (broad - mean)
    spread = detail[alpha > 0.5].std()
    shade = 128 * np.exp(np.clip(detail * min(1.0, contrast / spread), -2.6 * contrast, 2.2 * contrast))
    shade = np.where(alpha > 0.02, 4 * np.round(shade / 4), 128)
    opacity = np.where(alpha > 0.97, 255, np.where(alpha < 0.02, 0, 8 * np.round(255 * alpha / 8)))
    return np.stack([shade, opacity], axis=-1).clip(0, 255).astype(np.uint8)


def _shown(style: Style, texture: NDArray, seen) -> NDArray:
    """The triangles that a picture can show: not transparent, not too low, not always behind the head."""
    size = texture.shape[0]
    corners = style.uv[style.triangles]
    places = np.concatenate([corners, corners.mean(axis=1, keepdims=True), (corners + np.roll(corners, 1, axis=1)) / 2],
                            axis=1)  # fmt: skip
    cell = np.clip((places * size).astype(int), 0, size - 1)
    opaque = (texture[cell[..., 1], cell[..., 0], 1] > 6).any(axis=1)
    return style.triangles[opaque & (style.points[style.triangles, 1] > LOWEST).any(axis=1) & seen(style)]


def hair_styles(
    material: Material, body: NDArray, fine: NDArray, triangles: NDArray, mean: NDArray, skin: NDArray, seen
) -> dict[str, NDArray]:
    """Return the asset's arrays of each style: binding, offsets, texture and its coordinates, triangles."""
    skull = Skull(fine, triangles)
    scalp = skin[(np.abs(mean[skin, 0]) < 7.6) & ((mean[skin, 2] < -2) | (mean[skin, 1] > 3))]
    every = styles(material, body, skull)
    out: dict[str, NDArray] = {
        "hair_names": np.array(list(every)),
        "hair_covers_ears": np.array([name in COVERS_EARS for name in every], np.uint8),
    }
    for name, style in every.items():
        texture = shade_and_opacity(style.texture, TEXELS, 0.14 if name.startswith("afro") else 0.30)
        used, compact = np.unique(_shown(style, texture, seen), return_inverse=True)
        points = style.points[used]
        distance, index = cKDTree(mean[scalp]).query(points, k=ANCHORS)
        weight = np.exp(-0.5 * ((distance - distance[:, :1]) / 1.2) ** 2)
        weight = (weight / weight.sum(axis=1, keepdims=True)).astype(np.float16)
        anchors = scalp[index]
        carried = np.einsum("nk,nkd->nd", weight.astype(np.float64), mean[anchors])
        out |= {
            f"hair_{name}_data": weight,
            f"hair_{name}_indices": anchors.astype(np.uint16),
            f"hair_{name}_offset": (points - carried).astype(np.float16),
            f"hair_{name}_uv": np.round(np.clip(style.uv[used], 0, 1) * 65535).astype(np.uint16),
            f"hair_{name}_triangles": compact.reshape(-1, 3).astype(np.uint16),
            f"hair_{name}_texture": texture,
        }
    return out
