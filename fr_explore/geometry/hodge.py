"""Is a field a flow downhill, a rotation, or neither? The Hodge decomposition of a field on a cloud of points.

Three points that are all neighbours span a triangle; the field says how much it climbs along each edge,

    z_ij = ½ (v_i + v_j) · (x_j - x_i).

Each such numbers are the sum of three parts at right angles: a gradient, the differences of a potential on the points
(a drift, a sink); a curl, which circulates around triangles; and a harmonic part, which circulates around holes.
The shares of |z|² are those of the field, whatever its scale. Jiang and others 2011, arXiv 0811.1067.

- The trapezium rule is exact for quadratic potentials: a constant field, or x -> S x with S symmetric, has no curl.
- A random field is not one third of each: the null is random directions on the same points. In many dimensions
  neighbours have few neighbours in common, so a rotation is harmonic rather than curl; read the gradient first.
- An attribute's field follows one coordinate of the faces, so even along an arc it is a gradient: the energy tells an
  arc from a drift (`python benchmarks/shape.py --controlled`), the shares tell a whirl, v = A x, from noise. They are
  therefore columns on request, not part of the energy's table.
- Normalising edges, or dividing by the field's norm, would make the shares depend on the field's length.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from ..base.cores import host
from ..base.shapes import Float, Int, Num
from .null import DIMS, check_null, groups, null_columns, null_fields, tidy

__all__ = ["Complex", "clique_complex", "decompose", "edge_values", "hodge_shares"]

LEAST = 60  # fewer points in many dimensions are all neighbours of each other
PARTS = ("gradient", "curl", "harmonic")
EXACT, ROUGH = 1e-13, 1e-6  # of the field's parts; of random fields', whose shares it gives to twelve digits
ROUNDS = 20_000


class Complex(NamedTuple):
    """Edges (edges, 2) with i < j, and triangles as the positions of their edges ij, jk, ik; both sorted."""

    points: int
    edges: Int[np.ndarray, "edges 2"]
    triangles: Int[np.ndarray, "triangles 3"]


def hodge_shares(
    field: xr.Dataset, k: int = 10, null_draws: int = 20, seed: int = 0, null: str = "gaussian"
) -> pd.DataFrame:
    """Shares of gradient, curl and harmonic part in the field of each identity and attribute.

    Parameters
    ----------
    field : from `vector_field`, with at least 60 curves. The vectors have their lengths; scaling all changes nothing.
    k : neighbours of each point; two points are joined if one is among the other's k nearest (Euclidean).
    null_draws : random fields of the same lengths to compare with, 0 or at least 2.
    null : "gaussian", random directions, or "permutation", the field's own vectors shuffled over the points.

    Returns
    -------
    One row per identity and attribute: `gradient`, `curl` and `harmonic`, which sum to 1; for each of them `..._null`,
    `..._sd` and `..._z`, mean and standard deviation of the null and the distance from it in sd; `edges`, `triangles`.
    NaN where fewer than 60 points have a direction, or nothing moves along any edge.

    Raises ValueError for fewer than 60 curves, k outside 2 ... curves - 1, and as `alignment`.
    """
    check_null(null, null_draws)
    curves = field.sizes["curve"]
    if curves < LEAST:
        raise ValueError(
            f"{curves} points in {field.sizes['dim']} dimensions are too few for a Hodge decomposition: nearly all are "
            f"neighbours of each other; sample at least {LEAST} curves."
        )
    if not 2 <= k < LEAST:
        raise ValueError(f"k = {k}: give at least 2 neighbours and fewer than {LEAST}.")
    shape = (field.sizes["identity"], field.sizes["attribute"])
    found, draws = np.full((*shape, 3), np.nan), np.full((*shape, 3, null_draws), np.nan)
    counts = np.zeros((*shape, 2), int)
    lengths = field["magnitude"].transpose(*DIMS[:3]).values.astype(np.float64)
    for group in groups(field, "euclidean", "cpu"):
        if group.known.sum() < LEAST:
            continue
        points = host(group.cloud.raw).astype(np.float64)
        mesh, i = clique_complex(points, k), group.identity
        size = {a: lengths[i, a, group.known] for a in group.attributes}
        counts[i, group.attributes] = len(mesh.edges), len(mesh.triangles)
        own = zip(group.attributes, group.directions, strict=True)
        values = [edge_values(mesh, points, units * size[a][:, None]) for a, units in own]
        found[i, group.attributes] = _shares(mesh, np.stack(values, axis=1)).T
        for some, fields, where in null_fields(group, null, null_draws, seed):
            values = [edge_values(mesh, points, units * size[a][:, None]) for a in some for units in fields]
            shares = _shares(mesh, np.stack(values, axis=1), ROUGH)
            draws[i, some, :, where] = shares.reshape(3, len(some), -1).transpose(1, 0, 2)
    columns = {name: found[..., p] for p, name in enumerate(PARTS)}
    for p, name in enumerate(PARTS):
        against = null_columns(found[..., p], draws[..., p, :]).items()
        columns |= {f"{name}_{word.removeprefix('null_').replace('mean', 'null')}": value for word, value in against}
    columns |= {"edges": counts[..., 0], "triangles": counts[..., 1]}
    return tidy(field, columns, {"neighbors": k, "null": null, "null_draws": null_draws, "seed": seed})


def clique_complex(points: Num[np.ndarray, "n dim"], k: int) -> Complex:
    """Edges between k nearest neighbours of either point, and every triangle that they close."""
    from sklearn.neighbors import NearestNeighbors

    graph = NearestNeighbors(n_neighbors=k).fit(points).kneighbors_graph().tocoo()
    return close(len(points), np.stack([graph.row, graph.col], axis=1))


def close(n: int, pairs: Int[np.ndarray, "pairs 2"]) -> Complex:
    """The complex of all triangles of a graph of n points."""
    keys = np.unique(np.sort(pairs, axis=1).astype(np.int64) @ [n, 1])
    low, high = np.divmod(keys, n)
    start = np.searchsorted(low, np.arange(n + 1))
    # paths i < j < m: each edge ij is followed by the edges that start at j; a triangle if im is an edge too
    follows = np.diff(start)[high]
    first = np.repeat(np.arange(len(keys)), follows)
    second = np.arange(len(first)) - np.repeat(np.cumsum(follows) - follows, follows) + start[high][first]
    wanted = low[first] * n + high[second]
    third = np.searchsorted(keys, wanted) % len(keys)
    closed = keys[third] == wanted
    return Complex(n, np.stack([low, high], axis=1), np.stack([first, second, third], axis=1)[closed])


def edge_values(
    mesh: Complex, points: Float[np.ndarray, "n dim"], vectors: Float[np.ndarray, "n dim"]
) -> Float[np.ndarray, " edges"]:
    """z_ij = ½ (v_i + v_j) · (x_j - x_i)."""
    i, j = mesh.edges.T
    products = vectors @ (points - points.mean(0)).T  # v_i · x_j: quicker than two vectors for each edge
    own = products.diagonal()
    return (products[i, j] - own[i] + own[j] - products[j, i]) / 2


def decompose(
    mesh: Complex, values: Float[np.ndarray, "edges fields"], precision: float = EXACT
) -> dict[str, Float[Any, "edges fields"]]:
    """Gradient, curl and harmonic part of fields on the edges; they sum to the values."""
    from scipy.sparse import csr_array

    count, (i, j) = len(mesh.edges), mesh.edges.T
    every = np.arange(count)
    ends = (np.repeat([-1.0, 1.0], count), (np.tile(every, 2), np.concatenate([i, j])))
    faces = len(mesh.triangles)
    around = (np.repeat([1.0, 1.0, -1.0], faces), (mesh.triangles.T.ravel(), np.tile(np.arange(faces), 3)))
    gradient = _project(csr_array(ends, shape=(count, mesh.points)), values, precision)
    curl = _project(csr_array(around, shape=(count, faces)), values, precision)
    return {"gradient": gradient, "curl": curl, "harmonic": values - gradient - curl}


def _shares(mesh: Complex, values: np.ndarray, precision: float = EXACT) -> np.ndarray:
    """Shares of the three parts, (3, fields); NaN where all values are 0."""
    parts = decompose(mesh, values, precision).values()
    sizes = np.stack([np.einsum("ef,ef->f", part, part) for part in parts])
    total = sizes.sum(0)
    return sizes / np.where(total > 0, total, np.nan)


def _project(basis: Any, values: np.ndarray, precision: float) -> np.ndarray:
    """Orthogonal projection of each column onto the span of the basis' columns, by conjugate gradients (CGLS)."""
    turned = basis.T.tocsr()
    rest = values.copy()
    slope = turned @ rest
    step, size = slope, (slope**2).sum(0)
    enough = precision**2 * (values**2).sum(0)
    for _ in range(ROUNDS):
        if (size <= enough).all():
            return values - rest
        move = basis @ step
        rest -= move * (size / np.maximum((move**2).sum(0), np.finfo(float).tiny))
        slope = turned @ rest
        before, size = size, (slope**2).sum(0)
        step = slope + step * (size / np.maximum(before, np.finfo(float).tiny))
    raise RuntimeError(f"the projection has not converged in {ROUNDS} rounds: remove near-duplicate points.")
