"""Last step of `bake_avatar.py`: remove the parts that are never visible (back of the head, insides), with a margin."""

from __future__ import annotations

import io
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fr_explore.attributes import ATTRIBUTES
from fr_explore.faces.avatars.head import MATERIALS, Head
from fr_explore.faces.avatars.identity import draw_identity

PEOPLE, STEP = 16, 0.1  # people who are looked at, and the distance of rays in cm
PIVOT = np.array([0.0, -6.5, -9.0])  # on the neck, as in the engine
YAWS, PITCHES = ((r.low, 0.0, r.high) for r in (ATTRIBUTES[name] for name in ("head_angle", "head_pitch")))
POSES = tuple(product(YAWS, PITCHES))
MIMICS = ((0.18, 0.0), (1.0, 0.0), (0.18, 1.0), (0.7, 0.6))  # smile, open mouth


def turn(yaw: float, pitch: float) -> NDArray:
    """Matrix that rotates a head, degrees."""
    y, p = np.radians(yaw), np.radians(-pitch)
    aside = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    return aside @ np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])


def _scene(points: NDArray, triangles: NDArray):
    from embreex.mesh_construction import TriangleMesh
    from embreex.rtcore_scene import EmbreeScene

    scene = EmbreeScene()
    TriangleMesh(scene, points.astype(np.float32), triangles.astype(np.int32))
    return scene


class Seen:
    """Which triangles of hair on the mean head (points, triangles) are not behind the head in every pose."""

    def __init__(self, points: NDArray, triangles: NDArray) -> None:
        self._scene = _scene(points, triangles)

    def __call__(self, style) -> NDArray:
        corners = style.points[style.triangles]
        places = np.concatenate([corners, corners.mean(axis=1, keepdims=True)], axis=1).reshape(-1, 3)
        out = np.zeros(len(corners), bool)
        for yaw, pitch in POSES:
            way = turn(yaw, pitch).T @ np.array([0.0, 0.0, 1.0])  # to the camera, in the head's frame
            start = (places + 0.4 * way).astype(np.float32)
            free = self._scene.run(start, np.broadcast_to(way.astype(np.float32), start.shape).copy(), query="OCCLUDED")
            out |= (free.reshape(-1, 4) < 0).any(axis=1)
        return out


def _grown(seen: NDArray, triangles: NDArray, count: int, rings: int = 1) -> NDArray:
    """Add to the `seen` triangles the neighbours that touch them."""
    for _ in range(rings):
        touched = np.zeros(count, bool)
        touched[triangles[seen].ravel()] = True
        seen = touched[triangles].any(axis=1)
    return seen


def visible(asset: dict[str, NDArray]) -> NDArray:
    """Mark the triangles of the head that are visible in any picture."""
    buffer = io.BytesIO()
    np.savez(buffer, **asset)  # type: ignore[arg-type]
    head = Head(buffer.getvalue())
    weights, columns, starts = head.subdivide
    matrix = sparse.csr_matrix((weights, columns.astype(np.int32), starts), (len(head.rest), len(head.mean)))
    smile, part, opened = (head.expression_names.index(name) for name in ("smile", "part", "open"))
    actions = head.quantised_expressions[0] * head.quantised_expressions[1][:, None, None]
    solid = np.flatnonzero(head.material != MATERIALS.index("lash"))
    turns = (1 / (1 + np.exp(-(head.rest[:, 1] + 13.5) / 1.6)))[:, None]
    x, y = np.meshgrid(np.arange(-12.5, 12.5, STEP), np.arange(-11.6, 13.4, STEP))
    start = np.column_stack([x.ravel(), y.ravel(), np.full(x.size, 60.0)]).astype(np.float32)
    ahead = np.broadcast_to(np.array([0, 0, -1], np.float32), start.shape).copy()
    # what lies behind the lips shows in so many ways that all of it stays
    shown = head.material >= MATERIALS.index("teeth")
    shown |= (head.masks["inside_mouth"][head.triangles] > 0.5).all(axis=1) & (head.material == 0)
    for number, (pose, mimic) in product(range(PEOPLE), product(POSES, MIMICS)):
        person = draw_identity(head, 1234, number)
        rest = person.young if number % 2 else person.old
        points = matrix @ (
            rest + mimic[0] * actions[smile] + mimic[0] ** 2 * actions[part] + mimic[1] * actions[opened]
        )
        local = points - PIVOT
        points = points + turns * (local @ turn(*pose).T - local)
        hit = _scene(points, head.triangles[solid]).run(start, ahead, query="INTERSECT")
        shown[solid[np.unique(hit[hit >= 0])]] = True
    return _grown(shown, head.triangles, len(head.rest))


def pruned(asset: dict[str, NDArray]) -> dict[str, NDArray]:
    """Return the asset without the triangles that are never visible and the fine vertices that only they use."""
    shown = visible(asset)
    out = dict(asset)
    triangles = asset["triangles"][shown].astype(np.int64)
    used, compact = np.unique(triangles, return_inverse=True)
    out["triangles"] = compact.reshape(-1, 3).astype(np.uint16)
    out["material"] = asset["material"][shown]
    parts = (asset["subdivide_data"], asset["subdivide_indices"].astype(np.int32), asset["subdivide_indptr"])
    rows = sparse.csr_matrix(parts, (len(asset["subdivide_indptr"]) - 1, len(asset["mean"])))[used]
    out["subdivide_data"], out["subdivide_indptr"] = rows.data, rows.indptr
    out["subdivide_indices"] = rows.indices.astype(np.uint16)
    for name in ("visibility", "uv", *(n for n in asset if n.startswith("mask_"))):
        out[name] = asset[name][used]
    return out
