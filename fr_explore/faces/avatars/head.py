"""The baked head: coefficients -> vertices. How the asset was made: `tools/bake_avatar.py`, `assets/AVATAR.md`.

Centimetres; x to the right of the picture, y up, z towards the camera, the origin midway between the eyeballs.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import resources

import numpy as np
from scipy import sparse

__all__ = ["MATERIALS", "Head", "Worn", "load_head"]

MATERIALS = ("skin", "eye", "teeth", "tongue", "lash")
PIVOT = np.array([0.0, -6.5, -9.0], dtype=np.float32)  # where the head turns on the neck


def gather_matrix(triangles: np.ndarray, count: int) -> sparse.csr_matrix:
    """0/1 matrix (vertices, triangles): sums what triangles have into their corners."""
    columns = np.repeat(np.arange(len(triangles)), 3)
    ones = np.ones(columns.size, dtype=np.float32)
    return sparse.csr_matrix((ones, (triangles.ravel(), columns)), (count, len(triangles)))


@dataclass(frozen=True)
class Worn:
    """Something that follows the head: hair or glasses. Vertices are `binding @ head + offset`."""

    binding: sparse.csr_matrix
    offset: np.ndarray
    triangles: np.ndarray
    strand: np.ndarray | None = None  # hair: way from the crown and to the end in cm, (columns, rows, 2)

    def place(self, head: np.ndarray) -> np.ndarray:
        """Vertices on a head given by its coarse vertices."""
        return self.binding @ head + self.offset

    @cached_property
    def gather(self) -> sparse.csr_matrix:
        return gather_matrix(self.triangles, len(self.offset))


class Head:
    """The asset as arrays ready for use: bases in float32, topology, masks, hair and glasses."""

    def __init__(self, data: bytes) -> None:
        asset = np.load(io.BytesIO(data), allow_pickle=False)
        self.digest = hashlib.sha256(data).hexdigest()
        for name in ("corners", "builds", "local", "expressions"):
            scale = asset[name + "_scale"][:, None, None]
            setattr(self, name, asset[name].astype(np.float32) * scale)
        self.corners: np.ndarray = self.corners.reshape(2, 3, 2, *self.corners.shape[1:])  # gender, race, age
        self.builds: np.ndarray = self.builds.reshape(2, 2, 2, *self.builds.shape[1:])  # gender, weight/muscle, -/+
        self.local: np.ndarray = self.local.reshape(-1, 2, *self.local.shape[1:])  # shape, more/less
        self.shape_names: list[str] = asset["shape_names"].tolist()
        self.expressions: np.ndarray = self.expressions
        self.expression_names: list[str] = asset["expression_names"].tolist()
        self.mean: np.ndarray = asset["mean"]
        arrays = (asset["subdivide_data"], asset["subdivide_indices"].astype(np.int32), asset["subdivide_indptr"])
        self.subdivide = sparse.csr_matrix(arrays, (len(asset["subdivide_indptr"]) - 1, len(self.mean)))
        self.rest: np.ndarray = self.subdivide @ self.mean
        self.triangles: np.ndarray = asset["triangles"].astype(np.int64)
        self.material: np.ndarray = asset["material"]
        self.visibility: np.ndarray = asset["visibility"].astype(np.float32) / 16
        self.landmarks: np.ndarray = asset["landmarks"]
        self.masks = {n[5:]: asset[n].astype(np.float32) / 255 for n in asset.files if n.startswith("mask_")}
        self.hair_names: list[str] = asset["hair_names"].tolist()
        self.hairline: np.ndarray = asset["hairline"]
        self.hair = {name: self._worn(asset, f"hair_{name}") for name in self.hair_names}
        self.glasses = self._worn(asset, "glasses")
        inside = np.isin(self.material, [MATERIALS.index("teeth"), MATERIALS.index("tongue")])
        vertices = np.unique(self.triangles[inside])
        # baked behind closed lips, where nothing is seen; what an open mouth lets in, roughly
        self.visibility[vertices] = 0
        self.visibility[vertices, 0] = 2.9
        self.of_material = np.zeros(len(self.rest), dtype=np.uint8)
        self.of_material[self.triangles.ravel()] = np.repeat(self.material, 3)

    def _worn(self, asset, name: str) -> Worn:
        weight, index = asset[name + "_data"].astype(np.float32), asset[name + "_indices"].astype(np.int32)
        rows = np.repeat(np.arange(len(weight)), weight.shape[1])
        weight = weight / weight.sum(axis=1, keepdims=True)
        binding = sparse.csr_matrix((weight.ravel(), (rows, index.ravel())), (len(weight), len(self.mean)))
        strand = asset[name + "_strand"].astype(np.float32) if name + "_strand" in asset.files else None
        triangles = asset[name + "_triangles"].astype(np.int64)
        return Worn(binding, asset[name + "_offset"].astype(np.float32), triangles, strand)

    @cached_property
    def gather(self) -> sparse.csr_matrix:
        return gather_matrix(self.triangles, len(self.rest))


@lru_cache(maxsize=1)
def load_head() -> Head:
    """The head of the package, read once."""
    return Head(resources.files("fr_explore").joinpath("assets/avatar.npz").read_bytes())
