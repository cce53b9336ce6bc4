"""Embeddings with the metadata of each image: its identity, its file name, its other coordinates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from ...base.distance import data_metric, normalized
from ...base.shapes import Bool, Float, Int, Num, Shaped
from ...base.values import truths
from ..labels import check_images, check_order

__all__ = ["EmbeddedImages", "EmbeddedPairs"]


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedPairs:
    """The pairs whose two images have embeddings.

    Parameters
    ----------
    first, second : (pairs,) row numbers of the images. same : (pairs,) whether they show the same person.
    kept : one True or False for each row of the given table. unknown : the names without an embedding.
    """

    first: Int[np.ndarray, " pairs"]
    second: Int[np.ndarray, " pairs"]
    same: Bool[np.ndarray, " pairs"]
    kept: Bool[np.ndarray, " rows"]
    unknown: list[Any]

    @property
    def attrs(self) -> dict[str, Any]:
        """How many pairs were left out, and which images they name that have no embedding."""
        return {"left_out": int((~self.kept).sum()), "left_out_images": self.unknown}


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedImages:
    """One row per image.

    Parameters
    ----------
    points : (images, dim); metric : "euclidean" or "cosine", for which points are unit vectors.
    codes : (images,) number of the identity, or None if identities are unknown.
    coordinates : name -> (images,) the other coordinates of the embeddings.
    """

    points: Float[np.ndarray, "images dim"]
    metric: str
    codes: Int[np.ndarray, " images"] | None
    coordinates: Mapping[str, Shaped[np.ndarray, " images"]]

    @classmethod
    def of(
        cls, embeddings: Num[Any, "*images dim"], identities: Shaped[Any, " n"] | None = None, metric: str | None = None
    ) -> EmbeddedImages:
        """Read an array or a DataArray; a DataArray of more dimensions is flattened to one row per image."""
        check_order(embeddings, identities=identities)
        coordinates: dict[str, np.ndarray] = {}
        values = embeddings
        if isinstance(embeddings, xr.DataArray):
            outer = [name for name in embeddings.dims if name != "dim"]
            if "dim" not in embeddings.dims or not outer:
                raise ValueError(f"the embeddings have dimensions {embeddings.dims}: 'dim' and another are needed.")
            one = embeddings.isel(dim=0, drop=True).transpose(*outer)
            coordinates = {
                str(name): values.broadcast_like(one).transpose(*outer).values.ravel()
                for name, values in one.coords.items() if values.dims
            }  # fmt: skip
            values = embeddings.transpose(*outer, "dim").values.reshape(-1, embeddings.sizes["dim"])
        if identities is None:
            identities = coordinates.get("identity")
        # if identities are unknown, the checks take each image for another person's
        names = np.arange(len(values)) if identities is None else identities
        points, codes, metric = check_images(values, names, data_metric(embeddings, metric))
        return cls(normalized(points, metric), metric, None if identities is None else codes, coordinates)

    def find(self, pairs: pd.DataFrame) -> EmbeddedPairs:
        """Find the two images of each pair; pairs with an image that has no embedding are left out and counted.

        Raises ValueError for a missing column, an unclear value of same, and if no pair is left.
        """
        missing = {"first", "second"} - set(pairs.columns)
        if missing:
            raise ValueError(f"pairs lack the column {', '.join(sorted(missing))}: give first, second and same.")
        names: Any = pd.concat([pairs["first"], pairs["second"]], ignore_index=True)
        rows = self._rows(names)
        first, second = rows.reshape(2, -1)
        kept = (first >= 0) & (second >= 0)
        if "same" in pairs:
            same = truths(pairs["same"], "the pairs' column same")[kept]
        elif self.codes is not None:
            same = self.codes[first[kept]] == self.codes[second[kept]]
        else:
            raise ValueError("pairs lack the column same, and identities are unknown: give one or the other.")
        unknown = [None if pd.isna(name) else name for name in pd.unique(names[rows < 0])]
        return EmbeddedPairs(first[kept], second[kept], same, kept, unknown)

    def _rows(self, names: Any) -> np.ndarray:
        """Row numbers of images by the coordinate file or image, or by row number; -1 for an unknown name."""
        known = [pd.Index(self.coordinates[key], name=key) for key in ("file", "image") if key in self.coordinates]
        shares = [float(names.isin(index).mean()) for index in known]
        numbers = pd.api.types.is_integer_dtype(names) and names.between(0, len(self.points) - 1).all()
        if numbers and max(shares, default=0) < 1:
            return names.to_numpy()
        if not any(shares):
            raise ValueError(
                f"the pairs name {names.tolist()[0]!r}, which is not an image here: name images by the coordinate file "
                f"or image, or by row numbers from 0 to {len(self.points) - 1}."
            )
        index = known[int(np.argmax(shares))]
        twice = index[index.duplicated()]
        if names.isin(twice).any():
            raise ValueError(f"several images have the {index.name} {twice[0]!r}: use row numbers.")
        places = pd.Series(np.arange(len(index)), index=index).drop(twice)
        return names.map(places).fillna(-1).to_numpy(int)

    def shared(
        self, name: str, first: Int[np.ndarray, " pairs"], second: Int[np.ndarray, " pairs"]
    ) -> Shaped[np.ndarray, " pairs"]:
        """The value that both images of a pair have in a coordinate, as text; "mixed" if they differ."""
        if name not in self.coordinates:
            known = ", ".join(sorted(self.coordinates)) or "none"
            raise ValueError(
                f"by={name!r} is neither a column of the pairs nor a coordinate of the images (they have: {known})."
            )
        values = self.coordinates[name]
        return np.where(values[first] == values[second], values[first].astype(str), "mixed")
