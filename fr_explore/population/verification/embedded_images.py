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
from ..labels import check_images

__all__ = ["EmbeddedImages"]


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

    def rows(
        self, pairs: pd.DataFrame
    ) -> tuple[Int[np.ndarray, " pairs"], Int[np.ndarray, " pairs"], Bool[np.ndarray, " pairs"]]:
        """Row numbers of the two images of each pair, and whether they show the same person."""
        missing = {"first", "second"} - set(pairs.columns)
        if missing:
            raise ValueError(f"pairs lack the column {', '.join(sorted(missing))}: give first, second and same.")
        first, second = self._find(pairs["first"]), self._find(pairs["second"])
        if "same" in pairs:
            same = pairs["same"].to_numpy()
            if not np.isin(same, [0, 1]).all():
                raise ValueError("the pairs' column same contains other values than True and False.")
            return first, second, same.astype(bool)
        if self.codes is None:
            raise ValueError("pairs lack the column same, and identities are unknown: give one or the other.")
        return first, second, self.codes[first] == self.codes[second]

    def _find(self, names: Any) -> np.ndarray:
        """Row numbers of images by the coordinate file or image, or by row number."""
        known = [pd.Index(self.coordinates[key], name=key) for key in ("file", "image") if key in self.coordinates]
        for index in known:
            if names.isin(index).all():
                if index.has_duplicates:
                    raise ValueError(
                        f"several images have the {index.name} {index[index.duplicated()][0]!r}: use row numbers."
                    )
                return index.get_indexer(pd.Index(names))
        if pd.api.types.is_integer_dtype(names) and names.between(0, len(self.points) - 1).all():
            return names.to_numpy()
        odd = names[~names.isin(known[0])] if known else names
        raise ValueError(
            f"the pairs name {odd.tolist()[0]!r}, which is not an image here: name images by the coordinate file or "
            f"image, or by row numbers from 0 to {len(self.points) - 1}."
        )

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
