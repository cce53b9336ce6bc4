"""Embeddings that were computed elsewhere, in the format of the paper's reference code."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr

from ...base.distance import MODEL_METRICS, check_metric
from ...base.paths import is_system_file, shown
from .tables import Table, beside, check_folder, read_table

__all__ = ["read_lattice"]

# usual names of the columns, in lower case and with letters only
_USUAL = {
    "curve": ("curveid", "curve"),
    "attribute": ("movingdimension", "movingdim", "attribute", "dimension"),
    "step": ("step", "stepid"),
    "index": ("index", "idx", "imageindex"),
}


def read_lattice(
    folder: str | os.PathLike,
    *,
    table: str | os.PathLike | None = None,
    curve: str | None = None,
    attribute: str | None = None,
    step: str | None = None,
    index: str | None = None,
    names: Iterable[str] | None = None,
    curves: int | None = None,
    metric: Literal["euclidean", "cosine"] = "euclidean",
    model: str = "unknown",
) -> xr.DataArray:
    """Read a table of curves and one .npy file (images, dim) for each identity as an array of embeddings.

    Parameters
    ----------
    folder : contains the table and the .npy files; a file's name without its ending is the identity.
    table : CSV or parquet, as a name in `folder` or a path; by default the only table in `folder`. One row for each
        face: its curve, attribute and step, and its row number in the .npy files.
    curve, attribute, step, index : names of these columns, if they are not the usual ones (curve_id,
        moving_dimension, step, index, and a few variants).
    names : names of the attributes if the table only numbers them, in the order of the numbers.
    curves : number of curves to keep for each attribute; by default all, and every attribute must have as many.
    metric, model : metric and name of the network that gave the embeddings, which the files do not contain.

    Returns
    -------
    float32 (identity, attribute, curve, step, dim), as `fr.embed` returns it for a lattice; steps are counted from the
    middle one. `fr.vector_field` takes it.

    Raises
    ------
    FileNotFoundError : no such folder, no table or no .npy file in it.
    ValueError : an invalid table or array; the message gives line or file, and the expected value. Pickles are never
        loaded.
    """
    folder = check_folder(folder)
    check_metric(metric, MODEL_METRICS)
    path = _table_in(folder) if table is None else beside(folder, table)
    given = _with_usual_names(read_table(path), {"curve": curve, "attribute": attribute, "step": step, "index": index})
    blocks, steps = _blocks(given)
    labels = list(blocks)
    titles = labels if names is None else list(names)
    if len(titles) != len(labels):
        raise ValueError(f"{len(titles)} names for {len(labels)} attributes: the table has {', '.join(labels)}.")
    counts = {label: len(block) for label, block in blocks.items()}
    keep = max(counts.values()) if curves is None else curves
    if not 1 <= keep <= min(counts.values()):
        most = min(counts.values())
        raise ValueError(f"{given.source}: curves per attribute are {counts}: give curves={most} or fewer.")
    places = np.stack([block[:keep] for block in blocks.values()])
    files = sorted(file for file in folder.glob("*.npy") if not is_system_file(file.name))
    if not files:
        raise FileNotFoundError(f"no .npy file in {str(folder)!r}: expected one for each identity.")
    return xr.DataArray(
        _gather(files, places),
        dims=("identity", "attribute", "curve", "step", "dim"),
        coords={"identity": [shown(file.stem) for file in files], "attribute": titles, "step": steps},
        name="embedding",
        attrs={"metric": metric, "model": model, "source": given.source},
    )


def _table_in(folder: Path) -> Path:
    visible = (path for path in folder.iterdir() if not is_system_file(path.name))
    found = sorted(path for path in visible if path.suffix.lower() in (".csv", ".tsv", ".parquet", ".pq"))
    if len(found) != 1:
        what = ", ".join(path.name for path in found) or "none"
        raise FileNotFoundError(f"expected one table (CSV or parquet) in {str(folder)!r}, found {what}: give table=...")
    return found[0]


def _with_usual_names(given: Table, names: dict[str, str | None]) -> Table:
    """Return the table with its four columns renamed to curve, attribute, step and index."""
    usual = {re.sub(r"[^a-z]", "", str(name).lower()): name for name in reversed(given.rows.columns)}
    columns = {}
    for meaning, name in names.items():
        name = name or next((usual[known] for known in _USUAL[meaning] if known in usual), meaning)
        columns[meaning] = given.values(name, f"; say which one to use by {meaning}=...")
        if meaning in ("curve", "attribute") and columns[meaning].dtype.kind == "f":  # 1.10 and 1.1 are two curves
            columns[meaning] = given.column(name).astype(str)
        for line, value in columns[meaning].items() if meaning in ("step", "index") else ():
            if not isinstance(value, (int, np.integer)):
                raise ValueError(f"{given.where(line, name)}: {value!r}, expected a whole number.")
    return Table(pd.DataFrame(columns), given.source, given.unit)


def _blocks(given: Table) -> tuple[dict[str, np.ndarray], list[int]]:
    """Return attribute -> row numbers (curve, step) in the .npy files, and the steps counted from the middle one."""
    rows = given.rows
    steps = sorted(set(rows["step"].tolist()))
    middle = steps[len(steps) // 2]
    if len(steps) not in (3, 5) or steps != list(range(steps[0], steps[-1] + 1)):
        raise ValueError(f"{given.source}: the steps are {steps}, expected 3 or 5 consecutive ones, such as -1, 0, 1.")
    twice = rows.duplicated(["attribute", "curve", "step"])
    if twice.any():
        line = twice.idxmax()
        where = f"{given.source}, {given.unit} {line}"
        raise ValueError(f"{where}: curve {rows['curve'][line]!r} has step {rows['step'][line]} twice.")
    blocks = {}
    for label in sorted(set(rows["attribute"].tolist()), key=lambda value: (isinstance(value, str), value)):
        block = rows[rows["attribute"] == label].pivot(index="curve", columns="step", values="index")
        block = block.reindex(columns=steps)
        lacking = block.index[block.isna().any(axis=1)].tolist()
        if lacking:
            raise ValueError(f"{given.source}: curve {lacking[0]!r} along {label!r} lacks a step, expected {steps}.")
        blocks[str(label)] = block.to_numpy(dtype=np.int64)
    return blocks, [int(step - middle) for step in steps]


def _gather(files: list[Path], places: np.ndarray) -> np.ndarray:
    """Return the rows `places` of each file, float32 (files, *places.shape, dim)."""
    values = np.empty((0,), np.float32)
    for i, file in enumerate(files):
        try:
            vectors = np.load(file, mmap_mode="r", allow_pickle=False)
        except Exception as error:  # NumPy parses the header as Python text, which can raise almost anything
            raise ValueError(f"{file.name} is not a plain .npy array: {error}") from None
        if vectors.ndim != 2 or vectors.dtype.kind != "f":
            found = f"shape {vectors.shape} and type {vectors.dtype}"
            raise ValueError(f"{file.name} has {found}: expected floats (images, dim).")
        if places.min() < 0 or places.max() >= len(vectors):
            wrong = places.min() if places.min() < 0 else places.max()
            raise ValueError(f"{file.name} has {len(vectors)} rows, the table asks for row {wrong}, counted from 0.")
        if i == 0:
            values = np.empty((len(files), *places.shape, vectors.shape[1]), np.float32)
        if vectors.shape[1] != values.shape[-1]:
            raise ValueError(f"{file.name} has dim {vectors.shape[1]}, {files[0].name} has {values.shape[-1]}.")
        values[i] = vectors[places]
        if not np.isfinite(values[i]).all():
            raise ValueError(f"{file.name} has NaN or infinity in a row of the table: expected finite numbers.")
    return values
