"""Hair for `bake_avatar.py`: sheets around the mean head, one grid of strands for each style.

A strand starts at the crown and follows the skull at a distance. Short styles end at the hairline; longer ones
continue downwards outside the ears. Every point is bound to the skin near it, so that it follows any head.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, gaussian_filter1d, map_coordinates
from scipy.spatial import cKDTree

COLUMNS, SKULL_ROWS, HANGING_ROWS = 112, 24, 16
CENTRE = np.array([0.0, 0.5, -8.0])
CROWN_TILT = np.radians(24)  # the whorl is behind the top of the head
POLAR = np.linspace(0, np.radians(150), 151)
LEAVES = 2.5  # height in cm below which long hair hangs freely

# hairline: azimuth in degrees from the front, height above the eyes in cm
HAIRLINE = {
    "open": ((0, 7.0), (18, 7.1), (34, 6.9), (46, 5.6), (56, 3.6), (64, 1.6), (72, -0.8), (80, -1.6), (88, 0.5),
             (96, 3.0), (108, 2.8), (120, 0.5), (132, -2.5), (150, -4.6), (180, -5.2)),
    "fringe": ((0, 4.2), (20, 4.3), (40, 4.2), (52, 3.2), (62, 1.6), (72, -1.2), (80, -2.2), (88, -1.0), (96, 1.0),
               (108, 1.5), (120, -0.5), (132, -3.0), (150, -5.0), (180, -5.6)),
}  # fmt: skip


@dataclass(frozen=True)
class Style:
    """A hair style, lengths in cm.

    Parameters
    ----------
    line : name of the hairline.
    top, flank, rim : thickness above the skull.
    part : azimuth of the parting in degrees; None for strands that run straight from the crown.
    hang : height at which hanging hair ends; None for hair that does not hang.
    off, curl : distance by which hanging hair swings out, and by which its tips turn in.
    wave : amplitude of waves.
    lift : additional thickness over the forehead.
    """

    line: str
    top: float
    flank: float
    rim: float
    part: float | None = None
    hang: float | None = None
    off: float = 0.0
    curl: float = 0.0
    wave: float = 0.08
    lift: float = 0.0


STYLES = {
    "cropped": Style("open", 0.55, 0.3, 0.05, wave=0.03),
    "short": Style("open", 1.35, 0.7, 0.10, part=-36, wave=0.10, lift=0.5),
    "quiff": Style("open", 1.1, 0.45, 0.25, wave=0.14, lift=1.3),
    "fringe": Style("fringe", 1.1, 0.8, 0.35, wave=0.10),
    "tied": Style("open", 0.6, 0.5, 0.05, wave=0.03),
    "curly": Style("open", 1.9, 1.6, 0.5, wave=0.27),
    "bob": Style("open", 1.2, 1.2, 0.12, part=30, hang=-8.6, off=1.3, curl=1.6, wave=0.10, lift=0.2),
    "long": Style("open", 1.1, 1.1, 0.10, part=0, hang=-17.0, off=1.0, curl=1.0, wave=0.16),
    "side": Style("open", 1.3, 1.2, 0.12, part=-34, hang=-17.0, off=1.2, curl=0.8, wave=0.22, lift=0.4),
    "fringe_long": Style("fringe", 1.2, 1.2, 0.40, hang=-17.0, off=0.9, curl=1.0, wave=0.14),
}


class Skull:
    """Radius of the skull about `CENTRE` as a function of azimuth and polar angle from the whorl, without ears."""

    def __init__(self, points: np.ndarray, triangles: np.ndarray) -> None:
        from embreex.mesh_construction import TriangleMesh
        from embreex.rtcore_scene import EmbreeScene

        azimuth = np.arange(360)
        a, p = np.meshgrid(azimuth, POLAR, indexing="ij")
        direction = self.direction(a, p)
        scene = EmbreeScene()
        TriangleMesh(scene, points.astype(np.float32), triangles.astype(np.int32))
        flat = direction.reshape(-1, 3).astype(np.float32)
        far = scene.run((CENTRE + 40 * flat).astype(np.float32), -flat, query="DISTANCE")  # the outermost surface
        radius = np.where(far > 1e3, 8.0, 40 - far).reshape(a.shape)
        x, y = direction[..., 0] * radius, direction[..., 1] * radius + CENTRE[1]
        ear = (np.abs(x) > 7.4) & (np.abs(y) < 6)
        self.radius = gaussian_filter(np.where(ear, np.minimum(radius, 7.6), radius), (5, 2), mode=("wrap", "nearest"))

    @staticmethod
    def direction(azimuth: np.ndarray, polar: np.ndarray) -> np.ndarray:
        """Unit vectors (..., 3) of an azimuth in degrees and a polar angle in radians."""
        a = np.radians(azimuth)
        local = np.stack([np.sin(polar) * np.sin(a), np.cos(polar), np.sin(polar) * np.cos(a)], axis=-1)
        c, s = np.cos(CROWN_TILT), np.sin(CROWN_TILT)
        return local @ np.array([[1, 0, 0], [0, c, s], [0, -s, c]]).T  # the pole leans back

    def at(self, azimuth: np.ndarray, polar: np.ndarray) -> np.ndarray:
        """Radius in cm."""
        where = np.stack([np.asarray(azimuth) % 360, np.asarray(polar) / POLAR[1]])
        return map_coordinates(self.radius, where, order=1, mode="grid-wrap")

    def polar_at_height(self, height: np.ndarray) -> np.ndarray:
        """Polar angle (360,) at which the skull reaches the given height (360,) at each azimuth."""
        a, p = np.meshgrid(np.arange(360), POLAR, indexing="ij")
        y = CENTRE[1] + self.direction(a, p)[..., 1] * self.radius
        below = y < height[:, None]
        below[:, :12] = False
        return gaussian_filter1d(POLAR[below.argmax(axis=1)], 2.0, mode="wrap")


def _hairline(name: str) -> np.ndarray:
    """Height of the hairline at each degree of azimuth (360,)."""
    knots = np.array(HAIRLINE[name])
    azimuth = np.arange(360)
    height = np.interp(np.minimum(azimuth, 360 - azimuth), knots[:, 0], knots[:, 1])
    return gaussian_filter1d(height, 3.0, mode="wrap")


def _combing(style: Style) -> tuple[np.ndarray, np.ndarray]:
    """Azimuth in degrees, and position from crown (0) to hairline (1), of all strands: (columns, SKULL_ROWS) each.

    Without a parting, strands run straight from the crown. With one, the strands in front start on the line from the
    crown to the forehead and run sideways.
    """
    t = np.linspace(0, 1, SKULL_ROWS)[None]
    if style.part is None:
        azimuth = np.arange(COLUMNS + 1)[:, None] * 360 / COLUMNS + 0 * t
        return azimuth, np.broadcast_to(t, azimuth.shape)
    columns_front, columns_back = 30, 27
    halves = []
    for sign in (1, -1):
        start = style.part * sign  # as seen from this half's side
        share = np.linspace(1, 0, columns_front)[:, None]
        side = 60 + 55 * (1 - share) ** 1.3
        azimuth = start + (side - start) * (0.15 * t + 0.85 * t**0.8) ** (0.35 + 0.65 * share)
        rho = share + (1 - share) * t
        back = np.linspace(115, 180, columns_back)[1:, None]
        azimuth = np.concatenate([azimuth, back + 0 * t])
        rho = np.concatenate([rho, np.broadcast_to(t, (len(back), SKULL_ROWS))])
        halves.append((sign * azimuth, rho))
    right, left = halves
    return np.concatenate([right[0], left[0][-2::-1]]), np.concatenate([right[1], left[1][-2::-1]])


def _smooth(x: np.ndarray, low: float, high: float) -> np.ndarray:
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def _sheet(skull: Skull, style: Style, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return a style's points (columns, rows, 3), arc lengths, distances to the tip, and which quads to keep."""
    azimuth, rho = _combing(style)
    aside = np.abs((azimuth + 180) % 360 - 180)
    height = _hairline(style.line)
    front = np.minimum(np.arange(360), 360 - np.arange(360))
    if style.hang is not None:
        height = np.where(front > 60, np.maximum(height, LEAVES), height)
    line = skull.polar_at_height(height)
    end = np.interp(azimuth % 360, np.arange(361), np.append(line, line[0]))
    polar = rho * end
    radius = skull.at(azimuth, polar)
    way = skull.direction(azimuth, polar)
    base = CENTRE + radius[..., None] * way
    to_line = (1 - rho) * end * radius
    hangs = _smooth(aside, 56, 68) if style.hang is not None else 0 * aside
    thick = style.flank + (style.top - style.flank) * _smooth(base[..., 1], 2, 9)
    thick = thick + style.lift * _smooth(base[..., 1], 4.5, 9) * _smooth(base[..., 2], -7, 0)
    # thin over a longer distance beside the ears, where a stiff sheet would not touch a narrow head
    temple = _smooth(aside, 48, 72) * (1 - _smooth(aside, 105, 120))
    open_rim = style.rim + (thick - style.rim) * (1 - np.exp(-to_line / (0.9 + 1.6 * temple)))
    open_rim = open_rim - 0.7 * _smooth(aside, 50, 75) * np.exp(-to_line / (0.45 + 0.5 * temple))
    thick = open_rim + hangs * (thick - open_rim)
    if style.part is not None:
        crease = np.exp(-np.linspace(0, 1, SKULL_ROWS) * 9)[None] * (rho > 0.08)
        thick = thick * (1 - 0.45 * crease)
    points = base + thick[..., None] * way
    points = points + _waves(points, style, seed)[..., None] * way
    left = to_line + hangs * (20 - to_line)
    keep = np.ones((len(points) - 1, SKULL_ROWS - 1), bool)
    if style.hang is not None:
        fall = _fall(points[:, -1], way[:, -1], style, seed)
        points = np.concatenate([points, fall], axis=1)
        # no kink where it leaves the skull
        soft = gaussian_filter1d(points, 2.2, axis=1, mode="nearest")
        ease = hangs[:, -1:, None] * _smooth(np.arange(points.shape[1]), 8, 16)[None, :, None]
        points = points + ease * (soft - points)
        tip = (fall[..., 1] - style.hang) + 0 * left[:, :1]
        left = np.concatenate([np.minimum(left, 20), np.maximum(tip, 0)], axis=1)
        hanging = aside[:, -1] > 58.5
        both = hanging[1:] & hanging[:-1]
        keep = np.concatenate([keep, np.repeat(both[:, None], HANGING_ROWS, axis=1)], axis=1)
    step = np.linalg.norm(np.diff(points, axis=1), axis=2)
    arc = np.concatenate([np.zeros((len(points), 1)), np.cumsum(step, axis=1)], axis=1)
    return points, arc, left, keep


def _waves(points: np.ndarray, style: Style, seed: int) -> np.ndarray:
    """Variation of the thickness along and across the strands; zero at the crown, equal in first and last column."""
    random = np.random.default_rng(seed)
    width = (1.3, 1.3) if style.wave > 0.25 else (1.3, 4.0)
    waves = gaussian_filter(random.standard_normal((len(points) - 1, points.shape[1])), width, mode=("wrap", "nearest"))
    waves = waves * style.wave / waves.std() * np.clip(np.arange(points.shape[1]) / 5, 0, 1)
    return np.concatenate([waves, waves[:1]])


def _fall(start: np.ndarray, way: np.ndarray, style: Style, seed: int) -> np.ndarray:
    """Hanging rows (columns, HANGING_ROWS, 3) below points of the skull part."""
    out = way * (1, 0, 1)
    out = out / np.linalg.norm(out, axis=1, keepdims=True)
    t = np.linspace(0, 1, HANGING_ROWS + 1)[1:]
    y = start[:, 1:2] + (style.hang - start[:, 1:2]) * t
    depth = start[:, 1:2] - y
    swing = style.off * np.sin(np.clip(depth / 5, 0, 1) * np.pi / 2) - style.curl * _smooth(t, 0.55, 1.0) ** 1.5
    random = np.random.default_rng(seed + 100)
    phase = gaussian_filter1d(random.standard_normal(len(start) - 1), 4.0, mode="wrap")
    phase = np.append(phase, phase[0])[:, None] * 6
    swing = swing + style.wave * 1.2 * np.sin(0.55 * depth + phase) * np.clip(depth / 4, 0, 1)
    x = start[:, 0:1] + swing * out[:, 0:1]
    z = start[:, 2:3] + swing * out[:, 2:3]
    return np.stack([x, y, z], axis=-1)


def _binding(points: np.ndarray, mean: np.ndarray, skin: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights and vertices (points, 12) that bind each point of the hair softly to the skin near it."""
    distance, index = cKDTree(mean[skin]).query(points, k=12)
    weight = np.exp(-0.5 * ((distance - distance[:, :1]) / 1.2) ** 2)
    weight /= weight.sum(axis=1, keepdims=True)
    return weight, skin[index]


def hair_styles(fine: np.ndarray, triangles: np.ndarray, mean: np.ndarray, skin: np.ndarray) -> dict[str, np.ndarray]:
    """Return the asset's arrays of each style: binding, offsets, distances along the strands, triangles."""
    skull = Skull(fine, triangles)
    scalp = skin[(np.abs(mean[skin, 0]) < 7.6) & ((mean[skin, 2] < -2) | (mean[skin, 1] > 3))]
    out: dict[str, np.ndarray] = {"hair_names": np.array(list(STYLES))}
    for number, (name, style) in enumerate(STYLES.items()):
        grid, arc, left, keep = _sheet(skull, style, number)
        columns, rows = arc.shape
        flat = grid.reshape(-1, 3)
        weight, index = _binding(flat, mean, scalp)
        k, r = (v[keep] for v in np.meshgrid(np.arange(columns - 1), np.arange(rows - 1), indexing="ij"))
        a, b = k * rows + r, (k + 1) * rows + r
        quads = np.stack([a, a + 1, b + 1, b], axis=-1)
        out |= {
            f"hair_{name}_data": weight.astype(np.float16),
            f"hair_{name}_indices": index.astype(np.uint16),
            f"hair_{name}_offset": (flat - np.einsum("nk,nkd->nd", weight, mean[index])).astype(np.float16),
            f"hair_{name}_strand": np.stack([arc, left], axis=-1).astype(np.float16),
            f"hair_{name}_triangles": np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.uint16),
        }
    out["hairline"] = _hairline("open").astype(np.float32)
    return out
