"""Last step of `bake_avatar.py`: remove the parts that are never visible (back of the head, insides), with a margin."""

from __future__ import annotations

import io
from itertools import product

import numpy as np
from numpy_renderer.appearance import skin_fields
from numpy_renderer.head import MATERIALS, Head
from numpy_renderer.identity import draw_identity
from numpy_renderer.portrait import Portrait
from numpy_renderer.renderer import rasterise
from numpy_renderer.scene import CAMERA, Pose
from scipy import sparse

from fr_explore.attributes import ATTRIBUTES, AVATAR_ATTRIBUTES, check_strengths

PEOPLE, SIZE = 16, 256


def _poses() -> list[dict[str, float]]:
    """Strengths at the ends of the ranges of the attributes that move the mesh."""
    yaw, pitch = (ATTRIBUTES[name] for name in ("head_angle", "head_pitch"))
    mimics = ({}, {"expression": 1.0}, {"mouth_open": 1.0}, {"expression": 0.6, "mouth_open": 0.6})
    return [
        check_strengths({"head_angle": y, "head_pitch": p, **m}, AVATAR_ATTRIBUTES)
        for y, p, m in product((yaw.low, 0, yaw.high), (pitch.low, 0, pitch.high), mimics)
    ]


def _grown(seen: np.ndarray, triangles: np.ndarray, count: int, rings: int = 1) -> np.ndarray:
    """Add to the `seen` triangles the neighbours that touch them."""
    for _ in range(rings):
        touched = np.zeros(count, bool)
        touched[triangles[seen].ravel()] = True
        seen = touched[triangles].any(axis=1)
    return seen


def visible(asset: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Mark the triangles that are visible in any picture, of the head and of each hair style."""
    buffer = io.BytesIO()
    np.savez(buffer, **asset)  # type: ignore[arg-type]
    head = Head(buffer.getvalue())
    fields = skin_fields(head)
    shown = {"head": head.material == MATERIALS.index("lash")}
    shown |= {name: np.zeros(len(head.hair[name].triangles), bool) for name in head.hair_names}
    for number, values in product(range(PEOPLE), _poses()):
        portrait = Portrait(head, draw_identity(head, 1234, number), fields)
        pose = Pose(values["head_angle"], values["head_pitch"])
        rest, posed = portrait.shape({**values, "age": (18.0, 75.0)[number % 2]})
        xy, near = CAMERA.project(pose(head.subdivide @ posed, portrait.turns), SIZE)
        seen, depth = rasterise(xy, near, head.triangles[portrait.solid], SIZE)
        shown["head"][portrait.solid[np.unique(seen.triangle)]] = True
        name = head.hair_names[number % len(head.hair_names)]
        xy, near = CAMERA.project(pose(head.hair[name].place(rest)), SIZE)
        seen, _ = rasterise(xy, near, head.hair[name].triangles, SIZE, depth, two_sided=True)
        shown[name][np.unique(seen.triangle)] = True
    shown["head"] = _grown(shown["head"], head.triangles, len(head.rest))
    for name in head.hair_names:
        hair = head.hair[name]
        shown[name] = _grown(shown[name], hair.triangles, len(hair.offset), rings=2)
    return shown


def pruned(asset: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the asset without the triangles that are never visible and the fine vertices that only they use."""
    shown = visible(asset)
    out = dict(asset)
    triangles = asset["triangles"][shown["head"]].astype(np.int64)
    used, compact = np.unique(triangles, return_inverse=True)
    out["triangles"] = compact.reshape(-1, 3).astype(np.uint16)
    out["material"] = asset["material"][shown["head"]]
    parts = (asset["subdivide_data"], asset["subdivide_indices"].astype(np.int32), asset["subdivide_indptr"])
    rows = sparse.csr_matrix(parts, (len(asset["subdivide_indptr"]) - 1, len(asset["mean"])))[used]
    out["subdivide_data"], out["subdivide_indptr"] = rows.data, rows.indptr
    out["subdivide_indices"] = rows.indices.astype(np.uint16)
    for name in ("visibility", *(n for n in asset if n.startswith("mask_"))):
        out[name] = asset[name][used]
    for name in asset["hair_names"]:
        out[f"hair_{name}_triangles"] = asset[f"hair_{name}_triangles"][shown[name]]
    return out
