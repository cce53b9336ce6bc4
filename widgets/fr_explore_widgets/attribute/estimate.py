"""Magnitude and alignment energy of each attribute: a quick estimate from a small lattice, or a table given."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from fr_explore.attributes import PAPER_ATTRIBUTES
from fr_explore.geometry.alignment import alignment
from fr_explore.geometry.field import vector_field
from fr_explore.geometry.neighbors import all_pairs
from fr_explore.lattice import Lattice, sample_lattice

from ..core.gallery import pick

__all__ = ["estimate", "from_table"]

IDENTITIES, CURVES, FIRST = 3, 8, 4  # shown once FIRST curves of each identity are there, and again with all
NULL_DRAWS = 50


def from_table(table: Any, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """What the browser shows of a table as `fr.alignment` gives it; ValueError says what it lacks.

    Energies and magnitudes are means over identities; `spread` is the standard deviation of the energy over them.
    """
    if not isinstance(table, pd.DataFrame) or {"attribute", "energy", "magnitude"} - set(table.columns):
        found = ", ".join(map(str, table.columns)) if isinstance(table, pd.DataFrame) else type(table).__name__
        raise ValueError(f"energies: {found}: give the table of fr.alignment, with attribute, energy and magnitude.")
    known = pd.DataFrame(table[table["attribute"].isin(list(attributes))])
    if known.empty:
        raise ValueError(f"energies: none of the attributes {', '.join(map(str, table['attribute'].unique()))} is one "
                         f"of this source: {', '.join(attributes)}.")  # fmt: skip
    rows = []
    for name, part in known.groupby("attribute", sort=False):
        null = part["null_mean"].mean() if "null_mean" in part else np.nan
        rows.append({
            "name": name, "energy": _plain(part["energy"].mean()), "spread": _plain(part["energy"].std()),
            "magnitude": _plain(part["magnitude"].mean()), "null": _plain(null),
        })  # fmt: skip
    curves = int(np.nanmedian(known["points"])) if "points" in known else None
    identities = len(set(known["identity"])) if "identity" in known else None
    rule = str(table.attrs.get("neighborhood", ""))
    return {"source": "table", "rows": rows, "curves": curves, "identities": identities, "neighborhood": rule}


def _plain(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def estimate(engine: Any, judge: Any, seed: int) -> Iterator[dict[str, Any]]:
    """Render and embed a small lattice of the paper's attributes, one face at a time, and align its field.

    Yields {"done", "all"} after each face, and the estimate where there is one; it never waits.
    """
    faces = engine.faces
    names = [name for name in faces.attributes if name in PAPER_ATTRIBUTES] or list(faces.attributes)[:8]
    lattice = sample_lattice(faces, names, curves=CURVES, seed=seed)
    chosen = [lattice.identities.index(identity) for identity in pick(lattice.identities, IDENTITIES)]
    shape = (len(chosen), len(names), CURVES, len(lattice.steps), judge.card.dim)
    vectors, (low, middle, high) = np.empty(shape, np.float32), (lattice.steps.index(s) for s in (-1, 0, 1))
    cells = [(a, s) for a in range(len(names)) for s in (low, high)]
    done, every = 0, len(chosen) * CURVES * (1 + len(cells))
    for curve in range(CURVES):
        for row, identity in enumerate(chosen):
            for a, s in [(slice(None), middle), *cells]:
                at = lattice.strengths(identity, 0 if s == middle else a, curve, s)
                vectors[row, a, curve, s] = judge.embed([engine.render((lattice.identities[identity], at))])[0]
                done += 1
                yield {"done": done, "all": every}
        if curve + 1 in (FIRST, CURVES):
            found = _align(lattice, vectors[:, :, : curve + 1], chosen, judge.card.metric, seed)
            yield {**from_table(found, faces.attributes), "source": "estimate", "done": done, "all": every}


def _align(lattice: Lattice, vectors: np.ndarray, chosen: list[int], metric: str, seed: int) -> pd.DataFrame:
    coords = {
        "identity": [lattice.identities[i] for i in chosen],
        "attribute": list(lattice.attributes),
        "step": list(lattice.steps),
    }
    dims = ("identity", "attribute", "curve", "step", "dim")
    embeddings = xr.DataArray(vectors, coords, dims, attrs={"metric": metric})
    with warnings.catch_warnings():
        # an attribute that moves no face has no energy: the bars show a dash
        warnings.filterwarnings("ignore", "no point has a neighbour", UserWarning)
        return alignment(vector_field(embeddings), all_pairs(), null_draws=NULL_DRAWS, seed=seed, progress=False)
