"""Project embeddings onto a few axes: PCA, and UMAP with the extra `umap`.

PCA is our own rather than scikit-learn's: it turns float32 points into float64 one block at a time, which keeps the
peak memory small for any number of points, and fixes the signs of the axes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from ..base.optional import import_extra
from ..base.shapes import Num

__all__ = ["Projection", "pca", "umap"]

# rows converted to float64 at a time, which bounds the peak memory
_BLOCK = 8192


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """A linear projection onto orthonormal axes, fitted by `pca`.

    Parameters
    ----------
    mean : float64 (dim,), the mean of the points that it was fitted on.
    axes : float64 (dims, dim), unit rows in order of variance; the largest entry of each is positive, which makes the
        picture of given data reproducible.
    explained_variance_ratio : float64 (dims,), each axis's share of the variance of the points, in [0, 1].
    """

    mean: np.ndarray
    axes: np.ndarray
    explained_variance_ratio: np.ndarray

    @property
    def explained(self) -> float:
        """Share of the variance that the axes explain together, in [0, 1]."""
        return float(self.explained_variance_ratio.sum())

    @property
    def caption(self) -> str:
        """A caption for the picture: "PCA projection, shows 38 % of the variance"."""
        return f"PCA projection, shows {100 * self.explained:.0f} % of the variance"

    def transform(self, points: np.ndarray | xr.DataArray) -> Any:
        """Coordinates of points, (..., dim) -> (..., dims): (points - mean) . axes.

        A DataArray with a dimension "dim" gives a DataArray with "axis" in its place.
        """
        return self._apply(points, self.mean)

    def project_vectors(self, vectors: np.ndarray | xr.DataArray) -> Any:
        """Components of vectors, (..., dim) -> (..., dims): vectors . axes, without subtracting the mean.

        A vector is a difference of two points and no longer contains the mean; subtracting it would tilt all arrows
        the same way.
        """
        return self._apply(vectors, None)

    def _apply(self, array: np.ndarray | xr.DataArray, origin: np.ndarray | None) -> Any:
        if isinstance(array, xr.DataArray):
            if "dim" not in array.dims:
                raise ValueError(f"the array's dimensions are {array.dims}: name the embedding dimension 'dim'.")
            moved = array.transpose(..., "dim")
            coords = {n: c for n, c in moved.coords.items() if "dim" not in c.dims}
            coords["axis"] = np.arange(1, len(self.axes) + 1)
            dims = (*moved.dims[:-1], "axis")
            return xr.DataArray(self._apply(moved.values, origin), coords, dims, attrs=array.attrs)
        array = np.asarray(array, dtype=np.float64)
        if array.ndim == 0 or array.shape[-1] != self.axes.shape[1]:
            raise ValueError(
                f"the array has shape {array.shape}: its last dimension must be {self.axes.shape[1]}, as in the "
                "points that the projection was fitted on."
            )
        return (array if origin is None else array - origin) @ self.axes.T


def pca(points: Num[Any, "... dim"], dims: int = 2) -> Projection:
    """The `dims` directions in which the points vary most, as a `Projection` for points and for vectors.

    >>> plane = fr.pca(embeddings)
    >>> plane.transform(embeddings).dims
    ('identity', 'attribute', 'curve', 'step', 'axis')

    Parameters
    ----------
    points : (..., dim), at least two that differ; all leading dimensions count as points. A DataArray may have
        "dim" anywhere.
    dims : number of axes, from 1 to the smaller of dim and the number of points.

    Raises ValueError where a value is not finite or all points are equal. Exact: eigenvectors of the covariance in
    float64 (Pearson 1901), through the points' inner products where there are fewer points than dimensions.
    """
    flat = _flatten(points)
    count, dim = flat.shape
    if not 1 <= dims <= min(count, dim):
        raise ValueError(f"dims = {dims} with {count} points of {dim} dimensions: ask for 1 to {min(count, dim)} axes.")
    blocks = [slice(start, start + _BLOCK) for start in range(0, count, _BLOCK)]
    mean = sum(flat[rows].sum(axis=0, dtype=np.float64) for rows in blocks) / count
    if count < dim:
        _, singular, rows = np.linalg.svd(flat.astype(np.float64) - mean, full_matrices=False)
        variances, axes = singular**2, rows
    else:
        scatter = np.zeros((dim, dim))
        for rows in blocks:
            centred = flat[rows].astype(np.float64) - mean
            scatter += centred.T @ centred
        variances, vectors = np.linalg.eigh(scatter)
        variances, axes = variances[::-1].clip(min=0), vectors.T[::-1]
    # rounding leaves a trace of variance in equal points
    if variances[0] <= 1e-24 * count * max(float(mean @ mean), 1e-300):
        raise ValueError("all points are equal: there is no direction to project on; give points that differ.")
    axes = axes[:dims]
    signs = np.sign(axes[np.arange(dims), np.abs(axes).argmax(axis=1)])
    return Projection(mean, axes * signs[:, None], variances[:dims] / variances.sum())


def umap(
    points: Num[Any, "... dim"],
    dims: int = 2,
    neighbors: int = 15,
    min_dist: float = 0.1,
    metric: str | None = None,
    seed: int = 0,
) -> Any:
    """UMAP coordinates of the points, (..., dim) -> (..., dims), which keep neighbours but not distances.

    Needs the extra `umap`. Unlike PCA it has no axes and cannot project vectors: use it to see groups, and `pca` to
    see directions.

    Parameters
    ----------
    points : (..., dim); a DataArray with "dim" gives a DataArray with "axis" in its place.
    neighbors, min_dist : size of the neighbourhoods to keep, and the smallest distance between packed points.
    metric : "euclidean" or "cosine"; by default the array's own attrs["metric"], else "euclidean".
    seed : of the random layout.

    The first call compiles for about half a minute. Source: McInnes, Healy, Melville 2018, arXiv 1802.03426.
    """
    package = import_extra("umap", "umap", "A UMAP projection")
    if isinstance(points, xr.DataArray):
        metric = metric or points.attrs.get("metric")
    flat = _flatten(points)
    if not 2 <= neighbors < len(flat):
        raise ValueError(f"neighbors = {neighbors} with {len(flat)} points: give a number from 2 to {len(flat) - 1}.")
    reducer = package.UMAP(
        n_components=dims, n_neighbors=neighbors, min_dist=min_dist, metric=metric or "euclidean",
        random_state=seed, n_jobs=1,  # a fixed seed already makes it run on one core; saying so avoids its warning
    )  # fmt: skip
    low = np.asarray(reducer.fit_transform(flat))
    if not isinstance(points, xr.DataArray):
        return low.reshape(*np.shape(points)[:-1], dims)
    moved = points.transpose(..., "dim")
    coords = {n: c for n, c in moved.coords.items() if "dim" not in c.dims} | {"axis": np.arange(1, dims + 1)}
    return xr.DataArray(low.reshape(*moved.shape[:-1], dims), coords, (*moved.dims[:-1], "axis"), attrs=points.attrs)


def _flatten(points: np.ndarray | xr.DataArray) -> np.ndarray:
    """(..., dim) as a floating (points, dim), checked; ValueError says what is wrong and what to do."""
    if isinstance(points, xr.DataArray):
        if "dim" not in points.dims:
            raise ValueError(f"the array's dimensions are {points.dims}: name the embedding dimension 'dim'.")
        points = points.transpose(..., "dim").values
    array = np.asarray(points)
    if array.ndim < 2 or array.size == 0:
        raise ValueError(f"the points have shape {array.shape}: give (..., points, dim) with at least two points.")
    flat = array.reshape(-1, array.shape[-1])
    if not np.issubdtype(flat.dtype, np.floating):
        flat = flat.astype(np.float64)
    finite = np.isfinite(flat).all(axis=1)
    if not finite.all():
        raise ValueError(
            f"{np.count_nonzero(~finite)} of {len(flat)} points hold NaN or infinity: leave them out "
            "(for a DataArray: .stack(...).dropna(...)), or find out why the model returned them."
        )
    return flat
