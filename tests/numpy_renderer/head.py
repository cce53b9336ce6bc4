"""The baked head: coefficients -> vertices. `tools/bake_avatar.py` makes the asset, `assets/AVATAR.md` describes it.

Units are centimetres; x points to the right of the picture, y up, z to the camera. The origin is midway between the
eyeballs.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from scipy import sparse

__all__ = ["MATERIALS", "PIVOT", "Head", "Wearable", "gather_matrix", "load_head"]

MATERIALS = ("skin", "eye", "teeth", "tongue", "lash")
PIVOT = np.array([0.0, -6.5, -9.0], dtype=np.float32)  # the point on the neck about which the head rotates


def gather_matrix(triangles: np.ndarray, count: int) -> sparse.csr_matrix:
    """Matrix of 0 and 1 (vertices, triangles) that adds up the values of the triangles at each vertex."""
    columns = np.repeat(np.arange(len(triangles)), 3)
    ones = np.ones(columns.size, dtype=np.float32)
    return sparse.csr_matrix((ones, (triangles.ravel(), columns)), (count, len(triangles)))


@dataclass(frozen=True)
class Wearable:
    """Hair or glasses, which follow the shape of the head: the vertices are `binding @ head + offset`."""

    binding: sparse.csr_matrix
    offset: np.ndarray
    triangles: np.ndarray
    strand: np.ndarray | None = None  # hair: distance in cm from the crown and to the tip, (columns, rows, 2)

    def place(self, head: np.ndarray) -> np.ndarray:
        """Return the vertices on a head with these coarse vertices."""
        return self.binding @ head + self.offset

    @cached_property
    def gather(self) -> sparse.csr_matrix:
        """See `gather_matrix`."""
        return gather_matrix(self.triangles, len(self.offset))


class Head:
    """The asset as arrays: linear bases in float32, topology, masks, hair and glasses.

    Parameters
    ----------
    data : content of the asset's file.
    """

    def __init__(self, data: bytes) -> None:
        asset = np.load(io.BytesIO(data), allow_pickle=False)

        def basis(name: str) -> np.ndarray:
            return asset[name].astype(np.float32) * asset[name + "_scale"][:, None, None]

        self.digest = hashlib.sha256(data).hexdigest()
        self.mean: np.ndarray = asset["mean"]
        count = len(self.mean)
        self.corners = basis("corners").reshape(2, 3, 2, count, 3)  # gender, race, age
        self.builds = basis("builds").reshape(2, 2, 2, count, 3)  # gender, weight or muscle, less or more
        self.local = basis("local").reshape(-1, 2, count, 3)  # shape, more or less
        self.expressions = basis("expressions")
        self.shape_names: list[str] = asset["shape_names"].tolist()
        self.expression_names: list[str] = asset["expression_names"].tolist()
        arrays = (asset["subdivide_data"], asset["subdivide_indices"].astype(np.int32), asset["subdivide_indptr"])
        self.subdivide = sparse.csr_matrix(arrays, (len(asset["subdivide_indptr"]) - 1, count))
        self.rest: np.ndarray = self.subdivide @ self.mean
        self.triangles: np.ndarray = asset["triangles"].astype(np.int64)
        self.material: np.ndarray = asset["material"]
        self.landmarks: np.ndarray = asset["landmarks"]
        self.masks = {n[5:]: asset[n].astype(np.float32) / 255 for n in asset.files if n.startswith("mask_")}
        self.hair_names: list[str] = asset["hair_names"].tolist()
        self.hairline: np.ndarray = asset["hairline"]
        self.hair = {name: self._wearable(asset, f"hair_{name}") for name in self.hair_names}
        self.glasses = self._wearable(asset, "glasses")
        self.of_material = np.zeros(len(self.rest), dtype=np.uint8)
        self.of_material[self.triangles.ravel()] = np.repeat(self.material, 3)
        self.visibility: np.ndarray = asset["visibility"].astype(np.float32) / 16
        # teeth and tongue were baked behind closed lips: roughly the light that an open mouth lets in
        inside = np.isin(self.material, [MATERIALS.index("teeth"), MATERIALS.index("tongue")])
        vertices = np.unique(self.triangles[inside])
        self.visibility[vertices] = 0
        self.visibility[vertices, 0] = 2.9

    def _wearable(self, asset, name: str) -> Wearable:
        weight, index = asset[name + "_data"].astype(np.float32), asset[name + "_indices"].astype(np.int32)
        rows = np.repeat(np.arange(len(weight)), weight.shape[1])
        weight = weight / weight.sum(axis=1, keepdims=True)
        binding = sparse.csr_matrix((weight.ravel(), (rows, index.ravel())), (len(weight), len(self.mean)))
        strand = asset[name + "_strand"].astype(np.float32) if name + "_strand" in asset.files else None
        triangles = asset[name + "_triangles"].astype(np.int64)
        return Wearable(binding, asset[name + "_offset"].astype(np.float32), triangles, strand)

    @cached_property
    def gather(self) -> sparse.csr_matrix:
        """See `gather_matrix`."""
        return gather_matrix(self.triangles, len(self.rest))


@lru_cache(maxsize=1)
def load_head() -> Head:
    """Load the head of version 0.1 once."""
    return Head(Path(__file__).with_name("avatar.npz").read_bytes())
