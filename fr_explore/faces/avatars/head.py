"""The baked head: coefficients -> vertices. `tools/bake_avatar.py` makes the asset, `assets/AVATAR.md` describes it.

Units are centimetres; x points to the right of the picture, y up, z to the camera. The origin is midway between the
eyeballs.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TypeVar

import numpy as np

from ...base.memory import passing

__all__ = ["MATERIALS", "Head", "Wearable", "load_head"]

MATERIALS = ("skin", "eye", "teeth", "tongue", "lash")
Part = TypeVar("Part")


class _Lazy(Mapping[str, Part]):
    """Parts by name, each read when it is first needed: a person needs one of the skins and one of the hair styles."""

    def __init__(self, names: Sequence[str], read: Callable[[str], Part]) -> None:
        self._names, self._read = names, cache(read)

    def __getitem__(self, name: str) -> Part:
        if name not in self._names:
            raise KeyError(name)
        return self._read(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


@dataclass(frozen=True)
class Wearable:
    """Hair or glasses, which follow the shape of the head.

    Parameters
    ----------
    binding : weights (n, k) uint8, and coarse vertices of the head (n, k). A vertex is their weighted mean + offset.
    offset : (n, 3) float16.
    triangles : (t, 3).
    uv : of hair: places of the vertices in its texture (n, 2), uint16 over the whole of it, from its upper left corner.
    texture : of hair: shade (128 is the mean, on a linear scale) and opacity, (rows, columns, 2) uint8.
    """

    binding: tuple[np.ndarray, np.ndarray]
    offset: np.ndarray
    triangles: np.ndarray
    uv: np.ndarray | None = None
    texture: np.ndarray | None = None


class Head:
    """The asset as arrays: linear bases in float32, topology, masks, hair and glasses.

    Parameters
    ----------
    data : content of the asset's file.
    """

    def __init__(self, data: bytes) -> None:
        asset = np.load(io.BytesIO(data), allow_pickle=False)

        def basis(name: str) -> np.ndarray:
            return np.multiply(asset[name], asset[name + "_scale"][:, None, None], dtype=np.float32)

        self.digest = hashlib.sha256(data).hexdigest()
        self.mean: np.ndarray = asset["mean"]
        count = len(self.mean)
        self.corners = basis("corners").reshape(2, 3, 2, count, 3)  # gender, race, age
        self.builds = basis("builds").reshape(2, 2, 2, count, 3)  # gender, weight or muscle, less or more
        self.local = basis("local").reshape(-1, 2, count, 3)  # shape, more or less
        self.quantised_expressions = asset["expressions"], asset["expressions_scale"]  # int16, and their factors
        self.shape_names: list[str] = asset["shape_names"].tolist()
        self.expression_names: list[str] = asset["expression_names"].tolist()
        # a sparse matrix from the coarse vertices to the fine ones: weights, columns, start of each row
        parts = [np.asarray(asset[f"subdivide_{part}"]) for part in ("data", "indices", "indptr")]
        self.subdivide = weights, columns, starts = parts
        moved = weights.astype(np.float64)[:, None] * self.mean[columns]
        self.rest: np.ndarray = np.add.reduceat(moved, starts[:-1])  # every row has an entry
        self.triangles: np.ndarray = asset["triangles"].astype(np.int64)
        self.material: np.ndarray = asset["material"]
        self.landmarks: np.ndarray = asset["landmarks"]
        self.masks = {n[5:]: asset[n].astype(np.float32) / 255 for n in asset.files if n.startswith("mask_")}
        self.hair_names: list[str] = asset["hair_names"].tolist()
        self.hair_covers_ears: np.ndarray = asset["hair_covers_ears"]
        self.hairline: np.ndarray = asset["hairline"]
        self.hair = _Lazy(self.hair_names, lambda name: _wearable(asset, f"hair_{name}"))
        self.glasses = _wearable(asset, "glasses")
        self.of_material = np.zeros(len(self.rest), dtype=np.uint8)
        self.of_material[self.triangles.ravel()] = np.repeat(self.material, 3)
        self.visibility: np.ndarray = asset["visibility"]  # spherical harmonics in units of 1 / 16, int8
        self.uv: np.ndarray = asset["uv"]  # place of each fine vertex in a skin's texture, from its upper left corner
        self.skin_names: list[str] = asset["skin_names"].tolist()
        # (3 ages, rows, columns, RGB) uint8
        self.skins: Mapping[str, np.ndarray] = _Lazy(self.skin_names, lambda name: asset[f"skin_{name}"])
        self.brow_names: list[str] = asset["brow_names"].tolist()
        self.brows: np.ndarray = asset["brows"]  # opacity on the chart: (styles, rows, columns) uint8
        self.makeup: np.ndarray = asset["makeup"]  # eyes, lips, cheeks: (rows, columns, 3) uint8 on the chart


# not a method: a head whose parts know it would wait for the collector of cycles when nobody needs it any more
def _wearable(asset, name: str) -> Wearable:
    uv, texture = (asset[name + part] if name + part in asset.files else None for part in ("_uv", "_texture"))
    weights = asset[name + "_data"].astype(np.float64)
    # bytes compress to a third of the asset's halves, and move no point by more than 0.014 cm
    shares = np.round(255 * weights / weights.sum(axis=1, keepdims=True)).astype(np.uint8)
    binding = shares, asset[name + "_indices"]
    return Wearable(binding, asset[name + "_offset"], asset[name + "_triangles"], uv, texture)


@passing()
def load_head() -> Head:
    """Load the package's head; only new people need it, and its 25 MB."""
    return Head(resources.files("fr_explore").joinpath("assets/avatar.npz").read_bytes())
