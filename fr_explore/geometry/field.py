"""Embeddings to field: in which direction, and how far, an attribute moves the embedding at each base point."""

from __future__ import annotations

import operator
import warnings
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from tqdm.auto import tqdm

from ..base.distance import data_metric
from ..base.optional import import_torch
from .null import DIMS, labels, unit_vectors

if TYPE_CHECKING:
    from ..lattice import Lattice

__all__ = ["field_similarity", "tangent_field", "vector_field"]

# weights of the steps, and what brings |v| to the length of the central difference, f(+1) - f(-1)
STENCILS: dict[str, tuple[dict[int, float], float]] = {
    "central": ({-1: -1.0, 1: 1.0}, 1.0),
    "five_point": ({-2: 1.0, -1: -8.0, 1: 8.0, 2: -1.0}, 1 / 6),
    "forward": ({0: -1.0, 1: 1.0}, 2.0),
}


def vector_field(embeddings: xr.DataArray, stencil: str = "central", tolerance: float | None = None) -> xr.Dataset:
    """The field of an attribute: at each base point, the direction and the length of the embedding's move.

        central     v = f(+1) - f(-1)                               about 2h f'
        five_point  v = -f(+2) + 8 f(+1) - 8 f(-1) + f(-2)          about 12h f'
        forward     v = f(+1) - f(0)                                about h f'

    f(s) is the embedding s steps from the base point along the attribute, h the step. The first two are the
    stencils of Leroy et al., ICML 2025 (arXiv 2507.11372).

    Parameters
    ----------
    embeddings : dims (identity, attribute, curve, step, dim) in any order; coordinate `step` holds whole numbers,
        0 the base point. attrs["metric"], if there, is "euclidean" or "cosine".
    stencil : "central", "five_point" (steps -2 ... 2) or "forward".
    tolerance : length below which v is rounding noise and has no direction. None: twice the machine epsilon of the
        embeddings' type times the length of the longest f in the stencil, the largest v that rounding alone can cause.

    Returns
    -------
    Dataset with `point` = f(0) and `direction` = v/|v|, dims (identity, attribute, curve, dim), and `magnitude`,
    dims (identity, attribute, curve), float32 (float64 for float64 input), attrs carried over. `direction` is NaN
    where v is shorter than the tolerance; `magnitude` keeps the measured length. `magnitude` is always that of the
    central difference, how far the embedding moves from one step below to one step above: the five-point sum is
    divided by 6 and the forward difference doubled, so that stencils can be compared. It is a Euclidean length in
    the embedding's units, whatever the model's metric.

    Raises ValueError for a missing dimension or step, an unknown stencil or metric.
    """
    if stencil not in STENCILS:
        raise ValueError(f"stencil {stencil!r} is unknown: choose from {', '.join(STENCILS)}.")
    weights, length = STENCILS[stencil]
    _check(embeddings, stencil, weights)
    kind = np.float64 if embeddings.dtype.itemsize > 4 or embeddings.dtype.kind != "f" else np.float32
    if tolerance is None:
        spacing = np.finfo(embeddings.dtype if embeddings.dtype.kind == "f" else kind).eps
        norms = (embeddings.sel(step=list(weights)).astype(kind) ** 2).sum("dim").max("step") ** 0.5
        floor = 2 * spacing * norms * max(abs(w) for w in weights.values())
    else:
        floor = tolerance / length
    v = reduce(operator.add, (w * embeddings.sel(step=s, drop=True).astype(kind) for s, w in weights.items()))
    return as_field(embeddings.sel(step=0, drop=True).astype(kind), v, floor, length).assign_attrs(
        embeddings.attrs | {"stencil": stencil}
    )


def as_field(point: xr.DataArray, v: xr.DataArray, floor, length: float = 1.0) -> xr.Dataset:
    """Dataset of `point`, `direction` and `magnitude` from a difference `v`; no direction where |v| <= floor."""
    size = (v**2).sum("dim", skipna=False) ** 0.5
    direction = (v / size.where(size > floor)).astype(v.dtype)
    magnitude = (size * length).astype(v.dtype)
    field = xr.Dataset({"point": point, "direction": direction, "magnitude": magnitude})
    return field.transpose(*DIMS)


def _check(embeddings: xr.DataArray, stencil: str, weights: dict[int, float]) -> None:
    needed = ("identity", "attribute", "curve", "step", "dim")
    missing = [name for name in needed if name not in embeddings.dims]
    if missing:
        raise ValueError(
            f"the embeddings have dimensions {tuple(map(str, embeddings.dims))} and lack {', '.join(missing)}: name "
            f"them {needed}; .expand_dims(...) adds a dimension of length one."
        )
    if "step" not in embeddings.coords:
        raise ValueError("the embeddings have no coordinate step: .assign_coords(step=[-1, 0, 1]) names the steps.")
    there = embeddings["step"].values.tolist()
    absent = sorted({0, *weights} - set(there))
    if absent:
        raise ValueError(
            f"stencil {stencil!r} needs the steps {sorted({0, *weights})}; the embeddings have {there}: sample a "
            "lattice with more steps or choose another stencil."
        )
    data_metric(embeddings)


def tangent_field(
    lattice: Lattice, model, *, batch_size: int = 8, size: int = 160, progress: bool = True
) -> xr.Dataset:
    """The field of infinitely small steps: v = J(x0) (x(+1) - x(-1)), J the Jacobian of the model at the base face.

    x(s) is the picture s steps along the attribute, aligned and cropped for the model. Forward-mode differentiation
    makes the product with the Jacobian exact: a difference from `vector_field(fr.embed(lattice, model))` is the model's
    curvature over the step, not rounding. Both have the same form and the same unit of length.

    Parameters
    ----------
    lattice : with the steps -1, 0 and 1.
    model : with `align` and a differentiable `forward`, such as from `fr.load_model`.
    batch_size : curves at a time; size : width of the rendered pictures in pixels.
    progress : show a bar, counted in curves.

    >>> finite, tangent = fr.vector_field(fr.embed(lattice, model)), fr.tangent_field(lattice, model)
    >>> (finite.direction * tangent.direction).sum("dim").median("curve")      # 1 where the steps are small enough
    """
    torch = import_torch("tangent_field")
    absent = {-1, 0, 1} - set(lattice.steps)
    if absent:
        raise ValueError(f"the lattice has the steps {lattice.steps}: sample one with -1, 0 and 1.")
    steps = [lattice.steps.index(step) for step in (-1, 0, 1)]
    shape = (len(lattice.identities), len(lattice.attributes), len(lattice.base.curve))
    cells = list(np.ndindex(shape))
    parts = []
    for start in tqdm(range(0, len(cells), batch_size), desc="tangents", disable=not progress):
        some = cells[start : start + batch_size]
        recipes = [lattice.strengths(i, a, c, step) for i, a, c in some for step in steps]
        who = [lattice.identities[i] for i, _, _ in some for _ in steps]
        crops = model.align(lattice.faces.render_batch(who, recipes, size=size))
        low, middle, high = crops.unflatten(0, (len(some), 3)).unbind(1)
        with torch.no_grad(), warnings.catch_warnings():
            # torch compiles its own forward-mode rules with torch.jit.script, which warns of itself
            warnings.filterwarnings("ignore", message=".*torch.jit.script", category=FutureWarning)
            pair: tuple = torch.func.jvp(model.forward, (middle,), (high - low,))  # value and tangent
        parts.append(torch.stack(pair).cpu().numpy())
    point, v = np.concatenate(parts, axis=1).reshape(2, *shape, -1)
    coords = {"identity": list(lattice.identities), "attribute": list(lattice.attributes)}
    point, v = (xr.DataArray(a, coords, DIMS) for a in (point, v))
    attrs = {"metric": model.card.metric, "model": model.card.name, "stencil": "tangent"}
    floor = 2 * np.finfo(np.float32).eps * (point**2).sum("dim") ** 0.5
    return as_field(point, v, floor).assign_attrs(attrs)


def field_similarity(field: xr.Dataset) -> xr.DataArray:
    """How similarly two attributes move the same faces: mean over curves of 1 - cos(v_i^a, v_i^b).

    0: the attributes move every face in the same direction; 1: unrelated; 2: opposite directions. The directions on the
    same curve are compared, so the attributes must share their base points, as those of a lattice do.

    Returns
    -------
    DataArray (identity, attribute, attribute_2), symmetric, diagonal 0. Curves on which one of the two has no
    direction are left out; NaN if none is left. The mean over identities is `.mean("identity")`.
    """
    u, known = unit_vectors(field["direction"].transpose(*DIMS).values.astype(np.float64))
    total = np.einsum("iacd,ibcd->iab", u, u, optimize=True)
    count = np.einsum("iac,ibc->iab", known.astype(float), known.astype(float))
    with np.errstate(invalid="ignore"):
        distance = np.clip(1 - total / np.where(count > 0, count, np.nan), 0, 2)
    names = labels(field, "attribute")
    return xr.DataArray(
        distance,
        dims=("identity", "attribute", "attribute_2"),
        coords={"identity": labels(field, "identity"), "attribute": names, "attribute_2": names},
        name="field_distance",
        attrs={"formula": "mean over curves of 1 - cos(v_i^a, v_i^b)", "curves": int(u.shape[2])},
    )
