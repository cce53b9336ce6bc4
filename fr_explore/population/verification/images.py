"""Embeddings of images with what is known of each: who is shown, its name, its other coordinates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ...base.distance import normalized
from ..labels import check_images

__all__ = ["Images"]


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """One row per image.

    Parameters
    ----------
    points : (images, dim); metric : "euclidean" or "cosine", for which points are unit vectors.
    codes : (images,) number of the identity, or None where nobody said who is shown.
    coordinates : name -> (images,) whatever else the embeddings say of each image.
    """

    points: np.ndarray
    metric: str
    codes: np.ndarray | None
    coordinates: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, embeddings: Any, identities: Any = None, metric: str | None = None) -> Images:
        """Read them from an array or a DataArray; a DataArray of more dimensions is laid out image by image."""
        coordinates: dict[str, np.ndarray] = {}
        if hasattr(embeddings, "dims"):
            outer = [name for name in embeddings.dims if name != "dim"]
            if "dim" not in embeddings.dims or not outer:
                raise ValueError(f"the embeddings have the dimensions {embeddings.dims}: one of them has to be 'dim'.")
            sizes = tuple(embeddings.sizes[name] for name in outer)
            for name in embeddings.coords:
                values = embeddings.coords[name]
                if values.dims and set(values.dims) <= set(outer):
                    shape = [embeddings.sizes[d] if d in values.dims else 1 for d in outer]
                    ordered = values.transpose(*[d for d in outer if d in values.dims])
                    coordinates[str(name)] = np.broadcast_to(ordered.values.reshape(shape), sizes).ravel()
            values = embeddings.transpose(*outer, "dim").values.reshape(-1, embeddings.sizes["dim"])
            metric = metric or embeddings.attrs.get("metric")
        else:
            values = np.asarray(embeddings)
        if identities is None:
            identities = coordinates.get("identity")
        # without identities every image counts as another person's, for the checks alone
        names = np.arange(len(values)) if identities is None else identities
        points, codes, metric = check_images(values, names, metric)
        return cls(normalized(points, metric), metric, None if identities is None else codes, coordinates)

    def rows(self, pairs: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Row numbers of the two images of each pair, and whether they show one person."""
        missing = {"first", "second"} - set(pairs.columns)
        if missing:
            raise ValueError(f"pairs lack the column {', '.join(sorted(missing))}: give first, second and same.")
        first, second = self._find(pairs["first"]), self._find(pairs["second"])
        if "same" in pairs:
            same = pairs["same"].to_numpy()
            if not np.isin(same, [0, 1]).all():
                raise ValueError("the column same of the pairs holds other values than True and False.")
            return first, second, same.astype(bool)
        if self.codes is None:
            raise ValueError("pairs lack the column same, and identities are not known: give one or the other.")
        return first, second, self.codes[first] == self.codes[second]

    def _find(self, names: Any) -> np.ndarray:
        for key in ("file", "image"):
            if key in self.coordinates and names.isin(self.coordinates[key]).all():
                known = pd.Index(self.coordinates[key])
                if known.has_duplicates:
                    raise ValueError(
                        f"several images have the {key} {known[known.duplicated()][0]!r}: use row numbers."
                    )
                return known.get_indexer(pd.Index(names))
        if pd.api.types.is_integer_dtype(names) and names.between(0, len(self.points) - 1).all():
            return names.to_numpy()
        known = next((self.coordinates[key] for key in ("file", "image") if key in self.coordinates), [])
        odd = next(name for name in names.tolist() if name not in set(known))
        raise ValueError(
            f"the pairs name {odd!r}, which is no image here: name images by the coordinate file or image, or by row "
            f"numbers from 0 to {len(self.points) - 1}."
        )

    def shared(self, name: str, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """The value that both images of a pair share in a coordinate, as text; "mixed" where they differ."""
        if name not in self.coordinates:
            known = ", ".join(sorted(self.coordinates)) or "none"
            raise ValueError(
                f"by={name!r} is neither a column of the pairs nor a coordinate of the images (there: {known})."
            )
        values = self.coordinates[name]
        return np.where(values[first] == values[second], values[first].astype(str), "mixed")
