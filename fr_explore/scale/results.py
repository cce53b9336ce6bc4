"""Citable results: labelled arrays and tables in one Zarr file, with everything needed to judge and repeat them.

- Zarr, format 2: files of numbers beside JSON, which any Zarr library reads; a .zip is a single file.
- Every file names its schema, and this module reads all schemas so far: old files stay readable.
- A name that a file system or Zarr could not keep ("a/b", "con") is stored as "_0"; `attrs["names"]` gives it back.
- Nothing is ever unpickled. A store whose metadata name a codec that could run code is refused before it is read.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import os
import platform
import re
import tempfile
import warnings
import zipfile
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from ..base.optional import import_extra
from ..base.paths import as_path

__all__ = ["SCHEMA", "Results", "load_results", "loaded", "plain", "provenance", "save_results", "writable"]

SCHEMA = 1
# codecs that a store may use; numcodecs also has "pickle", which older versions decode without asking
CODECS = {"zlib", "gzip", "zstd", "blosc", "lz4", "bz2", "lzma", "shuffle", "delta", "crc32", "crc32c", "adler32"}
# names of arrays that are their own on disk: letters, digits and a few signs, not one that Windows reserves
_SAFE = re.compile(r"(?!(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$))[^\W_](?:[\w .()+-]{0,58}[\w)+-])?", re.IGNORECASE)
_PACKAGES = ("fr-explore", "numpy", "scipy", "pandas", "xarray", "torch", "scikit-learn", "zarr", "dask", "faiss-cpu")

Noun = xr.DataArray | xr.Dataset | pd.DataFrame


class _Refused(ValueError):
    """A file that is not ours, incomplete, or unsafe."""


class Results(dict[str, Any]):
    """Results by name, each the array or table that was saved; `attrs` record how they were made."""

    def __init__(self, items: Mapping[str, Any], attrs: Mapping[str, Any]) -> None:
        super().__init__(items)
        self.attrs = dict(attrs)

    def __repr__(self) -> str:
        return f"Results({', '.join(self)}; schema {self.attrs['schema']}, {self.attrs.get('created', 'undated')})"


def save_results(
    path: str | os.PathLike,
    results: Mapping[str, Noun] | None = None,
    *,
    models: Iterable[Any] = (),
    lattice: Any = None,
    about: str = "",
    **more: Noun,
) -> Path:
    """Write arrays and tables, with cards, lattice, seeds and versions, into one Zarr store.

    Parameters
    ----------
    path : a name ending in .zip makes one file, to attach or cite; any other name a folder. Nothing is overwritten.
    results, more : DataArrays, Datasets and tables by name, such as energies=fr.alignment(...).
    models : models or cards that gave the numbers; their complete cards are saved.
    lattice : what was rendered; its base points are saved too.
    about : a sentence or two for readers of the file.

    Raises FileExistsError; ValueError for data that would need pickle, such as a column of mixed objects.

    >>> fr.save_results("run.zarr.zip", embeddings=embeddings, energies=energies, models=[model], lattice=lattice)
    PosixPath('run.zarr.zip')
    """
    import_extra("zarr", "zarr", "Saving results")
    path, nouns = as_path(path), {**(results or {}), **more}
    if path.exists():
        raise FileExistsError(f"{str(path)!r} exists: give another name, or delete it first.")
    if not nouns:
        raise ValueError("no results to save: give them by name, such as energies=fr.alignment(...).")
    if lattice is not None:
        nouns["lattice"] = lattice.base
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".fr-explore-") as scratch:
        store = Path(scratch) / "store"
        _write(store, nouns, provenance(models, lattice) | {"about": about})
        if path.suffix == ".zip":
            packed = Path(scratch) / "packed"
            _pack(store, packed)
            packed.replace(path)
        else:
            store.replace(path)
    return path


def load_results(path: str | os.PathLike) -> Results:
    """Load what `save_results` wrote, or the store of `fr.embed(..., store=...)`.

    Arrays of a folder are read from disk when they are needed, those of a .zip at once; tables become DataFrames with
    their attrs. Raises FileNotFoundError; ValueError for another kind of file, a newer schema, or
    metadata that name a codec which could run code.
    """
    zarr = import_extra("zarr", "zarr", "Loading results")
    path = as_path(path)
    if not os.path.exists(path):
        raise FileNotFoundError(f"no such file or folder: {str(path)!r}.")
    with contextlib.ExitStack() as stack:
        store, inside = str(path), ""
        stack.enter_context(warnings.catch_warnings())
        # .DS_Store and other files of the system
        warnings.filterwarnings("ignore", ".* is not recognized as a component of a Zarr hierarchy", UserWarning)
        try:
            if path.is_file() and not zipfile.is_zipfile(path):
                raise _Refused(
                    f"{str(path)!r} is not a readable store of results: neither a folder nor a .zip file that "
                    "fr.save_results or `fr-explore embed` wrote."
                )
            if path.is_file():
                inside = _folder_in(path)
                store = stack.enter_context(zarr.storage.ZipStore(path, mode="r"))
            root = zarr.open_group(store, path=inside, mode="r", zarr_format=2)
            attrs = dict(root.attrs)
            # groups with other names hold unfinished work, see `distributed`
            groups = {name: group for name, group in sorted(root.groups()) if name.isidentifier()}
            _check(path, attrs, {"": root, **groups})
            found = {name: _open(store, f"{inside}{name}", load=path.is_file()) for name in groups}
        except _Refused:
            raise
        except Exception as error:  # Zarr and its codecs raise almost anything on damaged files
            raise _Refused(
                f"{str(path)!r} is not a readable store of results: {error or repr(error)}. Give one that "
                "fr.save_results or `fr-explore embed` wrote; a damaged one must be made again."
            ) from error
    return Results(found, attrs)


def loaded(array: xr.DataArray, path: str | os.PathLike) -> xr.DataArray:
    """The numbers of an array of a store, in memory; ValueError where its files are damaged."""
    try:
        return array.load()
    except Exception as error:  # as above
        raise ValueError(
            f"{str(path)!r} is damaged, numbers of {array.name} cannot be read: {error or repr(error)}. Delete it and "
            "make it again."
        ) from error


def writable(path: str | os.PathLike) -> Path:
    """The path, checked for writability before the result is computed; OSError says why it cannot be written."""
    path = as_path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{str(path)!r} is a folder: give the name of a file.")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {str(path.parent)!r} for {path.name!r}: make it, or name another.")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise PermissionError(f"{str(path)!r} cannot be written: name a file in a folder of yours.")
    return path


def provenance(models: Iterable[Any] = (), lattice: Any = None) -> dict[str, Any]:
    """Schema, time, versions, the models' cards and the lattice's parameters, as plain JSON."""
    cards = [getattr(model, "card", model) for model in models]
    facts: dict[str, Any] = {
        "schema": SCHEMA,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "versions": {"python": platform.python_version()} | {name: v for name in _PACKAGES if (v := _version(name))},
        "models": {card.name: plain(dataclasses.asdict(card)) for card in cards},
    }
    if lattice is not None:
        facts["lattice"] = plain({
            "faces": repr(lattice.faces), "faces_fingerprint": lattice.faces.fingerprint, "seed": lattice.seed,
            "identities": list(lattice.identities), "attributes": list(lattice.attributes),
            "curves": lattice.shape[2], "steps": list(lattice.steps), "step_sizes": dict(lattice.step_sizes),
        })  # fmt: skip
    return facts


def plain(value: Any) -> Any:
    """`value` as JSON: NumPy scalars and arrays as numbers and lists, unknown objects as their text."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(item) for item in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return plain(value.tolist())
    if isinstance(value, float) and value != value:
        return None  # JSON has no NaN
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return str(value).encode("utf-8", "backslashreplace").decode()  # JSON cannot hold a file's name that is not UTF-8


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _write(store: Path, nouns: Mapping[str, Noun], attrs: dict[str, Any]) -> None:
    import zarr

    zarr.open_group(str(store), mode="w-", zarr_format=2, attributes=attrs)
    for name, noun in nouns.items():
        if not name.isidentifier():
            raise ValueError(f"{name!r} cannot name a result: use letters, digits and underscores.")
        as_dataset(name, noun).to_zarr(store, group=name, mode="w", zarr_format=2, consolidated=False)


def as_dataset(name: str, noun: Noun) -> xr.Dataset:
    """A result as a Dataset of plain arrays whose attrs record its type."""
    kind = {xr.DataArray: "array", xr.Dataset: "dataset", pd.DataFrame: "table"}.get(type(noun))
    if kind is None:
        raise ValueError(f"{name} is a {type(noun).__name__}: save DataArrays, Datasets and DataFrames.")
    attrs: dict[Hashable, Any] = {"kind": kind, "attrs": plain(noun.attrs)}
    if isinstance(noun, pd.DataFrame):
        columns = {plain(str(column)): ("row", _plain_array(name, column, noun[column])) for column in noun}
        return _with_stored_names(xr.Dataset(columns, attrs=attrs | {"columns": list(columns)}))
    data: Any = noun.drop_attrs(deep=False)
    data = data.to_dataset(name=noun.name or name) if isinstance(noun, xr.DataArray) else data
    parts = {key: (v.dims, _plain_array(name, key, v), plain(v.attrs)) for key, v in data.variables.items()}
    variables, coords = ({key: parts[key] for key in keys} for keys in (data.data_vars, data.coords))
    return _with_stored_names(xr.Dataset(variables, coords, attrs))


def _with_stored_names(data: xr.Dataset) -> xr.Dataset:
    """Rename what no folder on any system could be called; attrs["names"] has the real names."""
    alike = Counter(str(name).casefold() for name in data.variables)
    unsafe = [name for name in data.variables if alike[str(name).casefold()] > 1 or not _SAFE.fullmatch(str(name))]
    stored = {name: f"_{k}" for k, name in enumerate(unsafe)}
    return data.rename(stored).assign_attrs(names={new: str(name) for name, new in stored.items()}) if stored else data


def _folder_in(path: Path) -> str:
    """The folder of the store in a .zip file, such as "run.zarr/"; "" if its files are at the top."""
    with zipfile.ZipFile(path) as archive:
        roots = [name.removesuffix(".zgroup") for name in archive.namelist() if name.endswith(".zgroup")]
    return min((root for root in roots if not root or root.endswith("/")), key=lambda root: root.count("/"), default="")


def _plain_array(name: str, column: Hashable, values: Any) -> np.ndarray:
    """Values as an array whose type needs no pickle; text becomes fixed-width."""
    array = np.asarray(values)
    if array.dtype.kind in "OT":
        if not all(isinstance(value, str) for value in array.ravel()):
            raise ValueError(f"{column!r} of {name} holds neither numbers nor text throughout: make it one of the two.")
        array = array.astype(str)
    return array.astype("U1") if array.dtype == "U0" else array


def _pack(store: Path, target: Path) -> None:
    """Put all files of a store into one .zip, in a fixed order; chunks are compressed already."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(path for path in store.rglob("*") if path.is_file()):
            archive.write(path, path.relative_to(store).as_posix())


def _check(path: Path, attrs: Mapping[str, Any], groups: Mapping[str, Any]) -> None:
    """ValueError for a file of another kind, a newer schema, or codecs that are not plain numbers."""
    schema = attrs.get("schema")
    if not isinstance(schema, int):
        raise _Refused(f"{str(path)!r} is a Zarr store, but not one of fr-explore: it names no schema.")
    if schema > SCHEMA:
        raise _Refused(
            f"{str(path)!r} has schema {schema}, this version of fr-explore reads up to {SCHEMA}: "
            "pip install --upgrade fr-explore."
        )
    for name, group in groups.items():
        for array, data in group.arrays():
            parts = [*(data.metadata.filters or ()), data.metadata.compressor]
            used = {part.codec_id for part in parts if part is not None}
            if used - CODECS or data.metadata.dtype.to_native_dtype().hasobject:
                raise _Refused(
                    f"{str(path)!r}: {name}/{array} asks for {', '.join(sorted(used - CODECS)) or 'objects'}, which "
                    "can run code when it is read: this file is refused."
                )


def _open(store: Any, name: str, load: bool) -> Noun:
    data = xr.open_zarr(store, group=name, chunks=None, consolidated=False, zarr_format=2)
    # in place: drop_encoding() reads all arrays in xarray 2025.1
    for variable in data.variables.values():
        variable.encoding = {}
    data.encoding = {}
    data = data.rename(data.attrs.pop("names", {}))
    kind, attrs = data.attrs["kind"], data.attrs["attrs"]
    data = data.load() if load or kind == "table" else data
    if kind == "array":
        (values,) = data.data_vars.values()
        return values.assign_attrs(attrs)
    if kind == "dataset":
        return data.drop_attrs(deep=False).assign_attrs(attrs)
    table = pd.DataFrame({column: data[column].values for column in data.attrs["columns"]})
    table.attrs = attrs
    return table
