"""Skins, brows and make-up for `bake_avatar.py`, from MakeHuman's pictures.

A skin is the head's part of a picture, 256 x 256, with less room for the sides of the head than for the face. Broad
light is divided out, the face's colour continues over stubble on the scalp and everything outside the head, and the
mean tone is the same for all: the person's own tone replaces it.
"""

from __future__ import annotations

import numpy as np
from bake_makehuman import BROWS, SKINS, Material
from numpy.typing import NDArray
from scipy import ndimage, sparse
from scipy.interpolate import LinearNDInterpolator
from scipy.spatial import cKDTree

TEXELS = 256
LEFT, RIGHT, BOTTOM, TOP, PER_CM = -7.0, 7.0, -11.5, 8.5, 16  # the chart of the face, as in `faces/avatars/chart.py`
U_FROM, MIDDLE = 0.638, 0.5215  # the head in the picture: from this u to 1, and symmetric about this v
V_FACE, V_SIDE, SHARE = 0.15, 0.335, 0.60  # half the height of the face and of all; share of the crop for the face
TONE = np.array([0.40, 0.25, 0.18])  # linear RGB
# at three ages: factor of the contrast, and most contrast of plain skin as a standard deviation of the logarithm
GAIN, STRONGEST = (1.0, 1.25, 1.9), (0.12, 0.15, 0.23)
REDNESS = 0.30  # least difference of red and green on the lips, as logarithms
LUMA = np.array([0.2126, 0.7152, 0.0722])


def _crop(uv: NDArray) -> NDArray:
    """Place in the crop, in [0, 1], of texture coordinates (n, 2) with v down."""
    away = uv[:, 1] - MIDDLE
    side = np.interp(np.abs(away), (0, V_FACE, V_SIDE), (0, SHARE / 2, 0.5)) * np.sign(away)
    return np.clip(np.column_stack([(uv[:, 0] - U_FROM) / (1 - U_FROM), 0.5 + side]), 0, 1)


def _uncrop(places: NDArray) -> NDArray:
    """Inverse of `_crop`."""
    away = places[:, 1] - 0.5
    side = np.interp(np.abs(away), (0, SHARE / 2, 0.5), (0, V_FACE, V_SIDE)) * np.sign(away)
    return np.column_stack([U_FROM + places[:, 0] * (1 - U_FROM), MIDDLE + side])


def on_head(uv: NDArray) -> NDArray:
    """Which texture coordinates (n, 2), v up, lie in the picture's part for the outside of the head."""
    return (uv[:, 0] > U_FROM - 0.003) & (uv[:, 1] > 1 - MIDDLE - V_SIDE) & (uv[:, 1] < 1 - MIDDLE + V_SIDE)


def texture_coordinates(uv: NDArray, points: NDArray, skin: NDArray, subdivide: sparse.csr_matrix) -> NDArray:
    """Places in the crop (fine, 2) as uint16.

    Vertices whose colour lies elsewhere in the picture (below the neck, inside mouth and lids) take the nearest place.
    """
    outside = on_head(uv)
    known = skin[outside[skin]]
    nearest = known[cKDTree(points[known]).query(points)[1]]
    placed = np.where(outside[:, None], uv, uv[nearest])
    placed = _crop(np.column_stack([placed[:, 0], 1 - placed[:, 1]]))
    return np.round(np.clip(subdivide @ placed, 0, 1) * 65535).astype(np.uint16)


def skins(material: Material, uv: NDArray, fields: dict[str, NDArray]) -> dict[str, NDArray]:
    """Return the lines of skins, each (3, 256, 256, 3), sRGB-coded.

    Parameters
    ----------
    uv : places in the crop of the skin's fine vertices, in [0, 1].
    fields : "keep" (the face, not the scalp) and "marked" (lips and lids, not part of the light), "lips" per vertex.
    """
    cell = (np.arange(TEXELS) + 0.5) / TEXELS
    at = np.stack(np.meshgrid(cell, cell, indexing="xy"), axis=-1).reshape(-1, 2)
    maps = {
        name: ndimage.gaussian_filter(
            np.nan_to_num(LinearNDInterpolator(uv, field)(at)).reshape(TEXELS, TEXELS), 2.0
        ) for name, field in fields.items()
    }  # fmt: skip
    native, out = _uncrop(at), {}
    for line in SKINS:
        young, middle, old = (_flattened(picture, native, maps, age) for age, picture in enumerate(material.skin(line)))
        out[f"skin_{line}"] = np.stack([young, middle, old])
        if line.startswith(
            ("african", "asian")
        ):  # lines of which the package has one: some people look older than others
            out[f"skin_{line}_lined"] = np.stack([middle, _faded(old), old])
    return {"skin_names": np.array([name[5:] for name in out])} | out


def _faded(skin: NDArray, share: float = 0.8) -> NDArray:
    """A skin with less contrast."""
    mean = 255 * TONE ** (1 / 2.2)
    return np.round(np.clip(mean * (skin / mean) ** share, 0, 255)).astype(np.uint8)


def _flattened(picture: NDArray, native: NDArray, maps: dict[str, NDArray], age: int) -> NDArray:
    """One skin (256, 256, 3) as uint8, without broad light; age 0 to 2."""
    size = picture.shape[0]
    where = (native[:, ::-1] * size - 0.5).T
    srgb = np.stack(
        [ndimage.map_coordinates(picture[..., k], where, order=3, mode="nearest") for k in range(3)], axis=-1
    )
    log = np.log(np.clip(srgb, 0.02, 1).reshape(TEXELS, TEXELS, 3) ** 2.2)
    keep, weight = maps["keep"], maps["keep"] * (1 - maps["marked"]) + 1e-4

    def broad(values: NDArray, width: float) -> NDArray:
        return ndimage.gaussian_filter(values * weight, width) / ndimage.gaussian_filter(weight, width)

    mean = np.array([np.average(log[..., k], weights=weight) for k in range(3)])
    light = broad(log @ LUMA, 16)
    tint = (
        np.stack([broad(log[..., k], 24) for k in range(3)], axis=-1)
        - mean
        - (broad(log @ LUMA, 24) - mean @ LUMA)[..., None]
    )
    detail = log - mean - (light - mean @ LUMA)[..., None] - 0.35 * tint
    gray = (detail @ LUMA)[..., None]
    detail = gray + 0.55 * (detail - gray)  # flattening exaggerates colour
    lips = maps["lips"] / maps["lips"].sum()
    pale = max(0.0, REDNESS - float(((detail[..., 0] - detail[..., 1]) * lips).sum()))
    detail = detail + pale * maps["lips"][..., None] * (0.35, -0.65, -0.45)
    plain = np.sqrt(np.average((detail @ LUMA) ** 2, weights=weight))  # dark pictures have coarse steps
    detail = np.clip(detail * min(GAIN[age], STRONGEST[age] / plain), -1.3, 0.5)
    around = np.stack([broad(detail[..., k], 20) for k in range(3)], axis=-1)  # continues the skin beyond the face
    detail = around + keep[..., None] * (detail - around)
    linear = np.clip(TONE * np.exp(detail), 0, 1)
    return np.round(255 * linear ** (1 / 2.2)).astype(np.uint8)


class Chart:
    """What the face shows on its chart, from the front.

    Parameters
    ----------
    points, triangles : of the mean head (fine vertices).
    """

    def __init__(self, points: NDArray, triangles: NDArray) -> None:
        self.points, self.triangles = points, triangles
        self.hit, self.weight = _hits(points, triangles, 1)

    def field(self, values: NDArray) -> NDArray:
        """A field of the vertices on the chart (320, 224), from the bottom upwards."""
        found = np.einsum("nk,nk->n", values[self.triangles[self.hit]], self.weight)
        return np.where(self.hit >= 0, found, 0).reshape(_rows(), _columns())


def _rows(fine: int = 1) -> int:
    return int((TOP - BOTTOM) * PER_CM) * fine


def _columns(fine: int = 1) -> int:
    return int((RIGHT - LEFT) * PER_CM) * fine


def _hits(points: NDArray, triangles: NDArray, fine: int) -> tuple[NDArray, NDArray]:
    """The first triangle in front of each cell of the chart (-1: none), and the weights (n, 3) of its corners."""
    from embreex.mesh_construction import TriangleMesh
    from embreex.rtcore_scene import EmbreeScene

    scene = EmbreeScene()
    TriangleMesh(scene, points.astype(np.float32), triangles.astype(np.int32))
    step = 1 / (PER_CM * fine)
    x = LEFT + (np.arange(_columns(fine)) + 0.5) * step
    y = BOTTOM + (np.arange(_rows(fine)) + 0.5) * step
    at = np.stack(np.meshgrid(x, y, indexing="xy"), axis=-1).reshape(-1, 2)
    start = np.column_stack([at, np.full(len(at), 40)]).astype(np.float32)
    hit = scene.run(start, np.broadcast_to(np.array([0, 0, -1], np.float32), start.shape).copy(), query="INTERSECT")
    a, b, c = (points[triangles[hit, k], :2] for k in range(3))
    area = np.cross(b - a, c - a)
    area = np.where(np.abs(area) < 1e-12, 1e-12, area)
    first, second = np.cross(b - at, c - at) / area, np.cross(c - at, a - at) / area
    return hit, np.column_stack([first, second, 1 - first - second])


def brows(material: Material, body: NDArray) -> dict[str, NDArray]:
    """Return the opacity of each style of brows on the chart, uint8 (n, 320, 224)."""
    out, fine = [], 3
    for name in BROWS:
        worn = material.proxy("eyebrows", name, body)
        hit, weight = _hits(worn.points, worn.triangles, fine)
        place = np.einsum("nkd,nk->nd", worn.uv[worn.triangles[hit]], weight) * worn.texture.shape[0] - 0.5
        alpha = ndimage.map_coordinates(worn.texture[..., 3], place[:, ::-1].T, order=1, mode="nearest")
        alpha = np.where(hit >= 0, alpha, 0).reshape(_rows(), fine, _columns(), fine).mean(axis=(1, 3))
        out.append(np.round(255 * alpha).astype(np.uint8))
    return {"brow_names": np.array(BROWS), "brows": np.stack(out)}


def makeup(chart: Chart, lips: NDArray, eye: NDArray) -> dict[str, NDArray]:
    """Return make-up on the chart, uint8 (320, 224, 3): shadow and liner of the eyes, lips, blush.

    Parameters
    ----------
    lips, eye : fields of the fine vertices: where lips are, and 1 on the eyeballs.
    """
    x = LEFT + (np.arange(_columns()) + 0.5) / PER_CM
    y = BOTTOM + (np.arange(_rows()) + 0.5) / PER_CM
    x, y = np.meshgrid(np.abs(x), y, indexing="xy")
    opening = (chart.field(eye) > 0.5) & (np.abs(y) < 2)
    far = ndimage.distance_transform_edt(~opening) / PER_CM
    # the height of the lid's edge above each column, so that the liner follows the upper lid and its wing
    upper = 1 / (1 + np.exp(-(y - 0.05 - 0.05 * (x - 3)) / 0.10))
    liner = np.exp(-((far / 0.13) ** 2)) * (0.25 + 0.75 * upper) * (0.5 + 0.5 / (1 + np.exp(-(x - 2.6) / 0.4)))
    shadow = upper * np.exp(-((far / 0.75) ** 2)) * np.exp(-(((x - 3.4) / 1.7) ** 4))
    cheek = np.exp(-0.5 * (((x - 4.5 - 0.25 * (y + 3.2)) / 1.25) ** 2 + ((y + 3.2) / 0.95) ** 2))
    color = ndimage.gaussian_filter(np.clip(chart.field(lips) * 1.15, 0, 1), 0.7)
    painted = np.stack([np.clip(0.9 * liner + 0.45 * shadow, 0, 1), color, cheek], axis=-1)
    return {"makeup": np.round(255 * painted).astype(np.uint8)}
