"""Embeddings that were computed elsewhere, in the format of the paper's reference code, as our labelled arrays."""

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
from .tables import read_table

__all__ = ["read_lattice"]

# usual names of the columns, their letters alone
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
    """A folder with a table of curves and one .npy file (images, dim) for each identity, as an array of embeddings.

    Parameters
    ----------
    folder : holds the table and the .npy files; an identity is called what its file is called.
    table : CSV or parquet, in `folder` unless it is a path of its own; by default the only one there. One row for each
        face: which curve, along which attribute, at which step, and in which row of the .npy files it stands.
    curve, attribute, step, index : names of these columns, where they are not the usual ones (curve_id,
        moving_dimension, step, index, and a few like them).
    names : of the attributes, where the table only numbers them: in the order of the numbers.
    curves : keep the first so many of each attribute; without it every attribute must have as many.
    metric, model : of the network that gave the embeddings; the files do not say.

    Returns
    -------
    float32 (identity, attribute, curve, step, dim), steps counted from the middle one, as `fr.embed` gives it;
    `fr.vector_field` takes it from there.

    Raises
    ------
    ValueError : which line or file, what is wrong, what was expected. No pickle is ever loaded.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"no such folder: {str(folder)!r}.")
    check_metric(metric, MODEL_METRICS)
    path = _table_in(folder) if table is None else Path(table) if Path(table).is_file() else folder / table
    rows = _read_curves(path, {"curve": curve, "attribute": attribute, "step": step, "index": index})
    places, labels, steps = _places(rows, path.name, curves)
    shown = labels if names is None else _named(labels, list(names))
    files = sorted(file for file in folder.glob("*.npy") if not file.name.startswith("."))
    if not files:
        raise FileNotFoundError(f"no .npy file in {str(folder)!r}: expected one for each identity.")
    values = _gather(files, places)
    return xr.DataArray(
        values,
        dims=("identity", "attribute", "curve", "step", "dim"),
        coords={"identity": [file.stem for file in files], "attribute": shown, "step": steps},
        name="embedding",
        attrs={"metric": metric, "model": model, "source": path.name},
    )


def _read_curves(path: Path, given: dict[str, str | None]) -> pd.DataFrame:
    """The table with its four columns called curve, attribute, step, index."""
    rows = read_table(path, needed=())
    usual = {re.sub(r"[^a-z]", "", str(name).lower()): name for name in reversed(rows.columns)}
    columns = {}
    for meaning, name in given.items():
        name = name or next((usual[known] for known in _USUAL[meaning] if known in usual), meaning)
        if name not in rows.columns:
            have = ", ".join(map(str, rows.columns))
            raise ValueError(f"{path.name} has no column {name!r}: it has {have}; say which one by {meaning}=...")
        columns[meaning] = rows[name]
        for line, value in zip(rows.index, rows[name], strict=True) if meaning in ("step", "index") else ():
            if not isinstance(value, (int, np.integer)):
                where = f"{path.name}, {rows.attrs['unit']} {line}, field {name!r}"
                raise ValueError(f"{where}: {value!r}, expected a whole number.")
    result = pd.DataFrame(columns)
    result.attrs = rows.attrs
    return result


def _table_in(folder: Path) -> Path:
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in (".csv", ".tsv", ".parquet", ".pq"))
    if len(found) != 1:
        what = ", ".join(path.name for path in found) or "none"
        raise FileNotFoundError(f"expected one table (CSV or parquet) in {str(folder)!r}, found {what}: give table=...")
    return found[0]


def _places(rows: pd.DataFrame, source: str, curves: int | None) -> tuple[np.ndarray, list[str], list[int]]:
    """Row numbers (attribute, curve, step) in the .npy files, the attributes and the steps counted from the middle."""
    steps = sorted(set(rows["step"].tolist()))
    middle = steps[len(steps) // 2]
    if len(steps) not in (3, 5) or steps != list(range(steps[0], steps[-1] + 1)):
        raise ValueError(f"{source}: the steps are {steps}, expected 3 or 5 in a row, such as -1, 0, 1.")
    twice = rows.duplicated(["attribute", "curve", "step"])
    if twice.any():
        line = twice.idxmax()
        where = f"{source}, {rows.attrs['unit']} {line}"
        raise ValueError(f"{where}: curve {rows['curve'][line]!r} has step {rows['step'][line]} twice.")
    labels = sorted(set(rows["attribute"].tolist()), key=lambda value: (isinstance(value, str), value))
    blocks = []
    for label in labels:
        wide = (
            rows[rows["attribute"] == label].pivot(index="curve", columns="step", values="index").reindex(columns=steps)
        )
        lacking = wide.index[wide.isna().any(axis=1)].tolist()
        if lacking:
            raise ValueError(f"{source}: curve {lacking[0]!r} along {label!r} lacks a step, expected {steps}.")
        blocks.append(wide.to_numpy(dtype=np.int64))
    counts = {str(label): len(block) for label, block in zip(labels, blocks, strict=True)}
    keep = curves if curves is not None else max(counts.values())
    if min(counts.values()) < keep or keep < 1:
        raise ValueError(f"{source}: curves per attribute are {counts}: give curves={min(counts.values())} or fewer.")
    return np.stack([block[:keep] for block in blocks]), list(counts), [int(s - middle) for s in steps]


def _named(labels: list[str], names: list[str]) -> list[str]:
    if len(names) != len(labels):
        raise ValueError(f"{len(names)} names for {len(labels)} attributes: the table has {', '.join(labels)}.")
    return names


def _gather(files: list[Path], places: np.ndarray) -> np.ndarray:
    values = np.empty((0,), np.float32)
    for i, file in enumerate(files):
        try:
            vectors = np.load(file, mmap_mode="r", allow_pickle=False)
        except Exception as error:  # NumPy reads the header as Python text, whose tokenizer has errors of its own
            raise ValueError(f"{file.name} is no plain .npy array: {error}") from None
        if vectors.ndim != 2 or vectors.dtype.kind != "f":
            raise ValueError(
                f"{file.name} has shape {vectors.shape} and type {vectors.dtype}: expected floats (images, dim)."
            )
        if places.min() < 0 or places.max() >= len(vectors):
            wrong = places.min() if places.min() < 0 else places.max()
            raise ValueError(f"{file.name} has {len(vectors)} rows, the table asks for row {wrong}, counted from 0.")
        if i == 0:
            values = np.empty((len(files), *places.shape, vectors.shape[1]), np.float32)
        if vectors.shape[1] != values.shape[-1]:
            raise ValueError(f"{file.name} has dim {vectors.shape[1]}, {files[0].name} has {values.shape[-1]}.")
        values[i] = vectors[places]
        if not np.isfinite(values[i]).all():
            raise ValueError(f"{file.name} holds NaN or infinity where the table points: expected finite numbers.")
    return values
