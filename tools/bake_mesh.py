"""Meshes for `bake_avatar.py`: read the OBJ file, one Catmull-Clark step as a matrix, visibility of the sky."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy import sparse


def read_quads(path: Path) -> dict[str, np.ndarray]:
    """Read quads (n, 4) of vertex indices, by the name of their group."""
    groups: dict[str, list[list[int]]] = {}
    name = ""
    for line in path.read_text().splitlines():
        words = line.split()
        if words[:1] == ["g"]:
            name = words[1]
        elif words[:1] == ["f"]:
            groups.setdefault(name, []).append([int(word.split("/")[0]) - 1 for word in words[1:]])
    return {name: np.array(faces) for name, faces in groups.items()}


def uv_per_vertex(path: Path, preferred: Callable[[np.ndarray], np.ndarray] | None = None) -> np.ndarray:
    """Read texture coordinates (n, 2): for each vertex, the first pair in the file that is preferred, or the first."""
    texture, uses, count = [], [], 0
    for line in path.read_text().splitlines():
        words = line.split()
        if words[:1] == ["v"]:
            count += 1
        elif words[:1] == ["vt"]:
            texture.append([float(word) for word in words[1:3]])
        elif words[:1] == ["f"]:
            uses += [[int(number) - 1 for number in word.split("/")[:2]] for word in words[1:]]
    vertex, coordinate = np.array(uses)[::-1].T  # of several values for one place, numpy keeps the last
    out, known = np.zeros((count, 2)), np.array(texture)
    out[vertex] = known[coordinate]
    if preferred is not None:
        chosen = preferred(known[coordinate])
        out[vertex[chosen]] = known[coordinate[chosen]]
    return out


def _edges(quads: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return unique edges (e, 2), the edge of each side of each quad (n, 4), and the number of quads at each edge."""
    sides = np.stack([quads, np.roll(quads, -1, axis=1)], axis=2).reshape(-1, 2)
    edges, inverse, counts = np.unique(np.sort(sides, axis=1), axis=0, return_inverse=True, return_counts=True)
    return edges, inverse.reshape(-1, 4), counts


def catmull_clark(
    quads: dict[str, np.ndarray], refine: dict[str, np.ndarray], count: int
) -> tuple[sparse.csr_matrix, dict[str, np.ndarray]]:
    """Return one Catmull-Clark step (1978) as a matrix (fine vertices, coarse vertices), and the new quads by material.

    The fine vertices are the moved coarse ones, then one per edge, then one per face. Only the quads marked in `refine`
    are split. On an edge between a split and a whole quad, the new vertex is on the straight edge, to avoid cracks.
    """
    faces = np.concatenate(list(quads.values()))
    split = np.concatenate([refine[name] for name in quads])
    edges, side, sharing = _edges(faces)
    n, m = len(faces), len(edges)

    def incidence(rows: np.ndarray, columns: np.ndarray, value: float, shape: tuple[int, int]) -> sparse.csr_matrix:
        return sparse.csr_matrix((np.full(rows.size, value), (rows.ravel(), columns.ravel())), shape)

    owner = np.repeat(np.arange(n), 4)
    face = incidence(owner, faces, 0.25, (n, count))
    middle = incidence(np.repeat(np.arange(m), 2), edges, 0.5, (m, count))
    inner = (sharing == 2).astype(float)
    edge = sparse.diags(1 - inner / 2) @ middle + sparse.diags(inner / 4) @ incidence(side, owner, 1, (m, n)) @ face

    valence = np.maximum(np.bincount(edges.ravel(), minlength=count), 1.0)
    around = np.maximum(np.bincount(faces.ravel(), minlength=count), 1.0)
    rim = np.zeros(count, bool)
    rim[edges[sharing != 2].ravel()] = True
    touch = incidence(edges, np.repeat(np.arange(m), 2), 1, (count, m))
    smooth = (
        sparse.diags(1 / valence / around) @ incidence(faces, owner, 1, (count, n)) @ face
        + sparse.diags(2 / valence**2) @ touch @ middle
        + sparse.diags((valence - 3) / valence)
    )
    border = 0.5 * sparse.eye(count) + 0.25 * touch @ sparse.diags(1 - inner) @ middle
    vertex = sparse.diags(1.0 - rim) @ smooth + sparse.diags(1.0 * rim) @ border

    halves = np.bincount(side[split].ravel(), minlength=m)
    straight = ((halves > 0) & (halves < sharing)).astype(float)
    edge = sparse.diags(1 - straight) @ edge + sparse.diags(straight) @ middle @ vertex
    matrix = sparse.csr_matrix(sparse.vstack([vertex, edge, face]))

    e, f = count + side, count + m + np.arange(n)
    fine = np.stack([np.stack([faces[:, k], e[:, k], f, e[:, k - 1]], axis=1) for k in range(4)], axis=1)
    ends = np.cumsum([len(q) for q in quads.values()])[:-1]
    parts = zip(quads, np.split(fine, ends), np.split(faces, ends), np.split(split, ends), strict=True)
    return matrix, {name: np.concatenate([q[s].reshape(-1, 4), whole[~s]]) for name, q, whole, s in parts}


def fine_triangles(quads: dict[str, np.ndarray], order: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return the triangles (n, 3) of all quads, and the index of their materials in `order`."""
    triangles = [np.concatenate([q[:, [0, 1, 2]], q[:, [0, 2, 3]]]) for q in (quads[name] for name in order)]
    material = np.repeat(np.arange(len(order)), [len(t) for t in triangles])
    return np.concatenate(triangles), material


def coarse_skin(points: np.ndarray, quads: np.ndarray) -> np.ndarray:
    """Select the quads of the skin to split: the wide ones of the face, down to the chin."""
    corner = points[quads]
    width = np.linalg.norm(corner - np.roll(corner, -1, axis=1), axis=2).mean(axis=1)
    centre = corner.mean(axis=1)
    return (width > 0.42) & (centre[:, 1] > -11.5) & (centre[:, 2] > -6.0)


def vertex_normals(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Area-weighted unit normals (n, 3)."""
    a, b, c = (points[triangles[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    total = np.zeros_like(points)
    for k in range(3):
        np.add.at(total, triangles[:, k], normal)
    return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)


def harmonics(directions: np.ndarray) -> np.ndarray:
    """Real spherical harmonics up to degree 3 of unit vectors (..., 3): (..., 16), in the order of the asset."""
    x, y, z = np.moveaxis(directions, -1, 0)
    return np.stack([
        0.282095 + 0 * x, 0.488603 * y, 0.488603 * z, 0.488603 * x,
        1.092548 * x * y, 1.092548 * y * z, 0.315392 * (3 * z * z - 1), 1.092548 * x * z, 0.546274 * (x * x - y * y),
        0.590044 * y * (3 * x * x - y * y), 2.890611 * x * y * z, 0.457046 * y * (5 * z * z - 1),
        0.373176 * z * (5 * z * z - 3), 0.457046 * x * (5 * z * z - 1), 1.445306 * z * (x * x - y * y),
        0.590044 * x * (x * x - 3 * y * y),
    ], axis=-1)  # fmt: skip


def sky_visibility(
    points: np.ndarray, triangles: np.ndarray, material: np.ndarray, ignored: int, rays: int = 400
) -> np.ndarray:
    """Directions in which the head does not occlude a vertex: spherical harmonics (n, 16) as int8, in units of 1 / 16.

    The directions are a Fibonacci lattice over the sphere. Those below the vertex's horizon count as visible, because
    the cosine of the lighting already darkens them.
    """
    from embreex.mesh_construction import TriangleMesh
    from embreex.rtcore_scene import EmbreeScene

    scene = EmbreeScene()
    TriangleMesh(scene, points.astype(np.float32), triangles[material != ignored].astype(np.int32))
    normal = vertex_normals(points, triangles)
    k = np.arange(rays) + 0.5
    z, angle = 1 - 2 * k / rays, np.pi * (1 + 5**0.5) * k
    ring = np.sqrt(1 - z * z)
    directions = np.stack([ring * np.cos(angle), ring * np.sin(angle), z], axis=1)
    basis = harmonics(directions) * (4 * np.pi / rays)
    total = np.zeros((len(points), 16))
    for direction, weights in zip(directions, basis, strict=True):
        facing = normal @ direction
        above = facing > 0.02
        seen = np.ones(len(points))
        start = (points[above] + 0.08 * normal[above] + 0.02 * direction).astype(np.float32)
        towards = np.broadcast_to(direction, start.shape).astype(np.float32).copy()
        seen[above] = scene.run(start, towards, query="OCCLUDED") < 0
        total += seen[:, None] * weights
    return np.clip(np.round(total * 16), -127, 127).astype(np.int8)
