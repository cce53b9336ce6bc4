"""More than one machine's memory and cores: Zarr stores divided by identity, and work on a Dask cluster.

`fr.embed(..., store=, client=)` and `fr.alignment(store, client=)` are the public functions; they share this module.
Dask provides tasks, retries and transport, Zarr the files.

- A task is one identity of a lattice, or 1,024 pictures of a set. It writes its own chunks of the store and then its
  mark in the array `complete`. Zarr writes a chunk to a temporary file and moves it into place, so a worker may be
  killed at any moment: Dask runs its task elsewhere, and a restarted run computes only what is not marked.
- Energies are one task per identity, whose attributes share the search for neighbours. Attributes are spread over
  several tasks only if there are fewer identities than threads.
- The model and the faces are tasks too, and the others depend on them: they travel to each worker once instead of
  with each task, and Dask recomputes them if a worker that holds them dies.
- Workers compute with one thread each. Sums then run in a different order than with several threads: embeddings
  agree to 1e-5 of their length, energies to 1e-9, and bit for bit if both sides use one thread.

Estimated costs
---------------
Let c be the seconds per picture on one core, including reading, alignment and storing (0.005 for dlib's network, 0.02
for FaceNet's), n the number of pictures, m of models and d the embedding length. Embeddings take n m c core seconds
and 4 n m d bytes. Exact energies take e = 5 ns at d = 512 for each pair of points in a cloud, or e n^2 if all pictures
are in one. `benchmarks/cluster.py` measures c and e and prints this table, here with c = 0.02, d = 512 and 2 cores:

                     pictures x models   core hours   with 64 cores   storage   energy, all in one cloud
    CelebA                   202,599 x 1          1        1 minute    0.4 GB         0.06 core hours
    10 million images     10,000,000 x 1         56          1 hour     20 GB          139 core hours
    1,000 models          202,599 x 1000      1,126        18 hours    415 GB           57 core hours

Many models are limited by processor time first, then by the disk. A worker holds torch, one model (0.7 GB, more with
torch's CUDA build) and 4 MB for 1,024 pictures, or an identity's faces. One large cloud is limited by memory: it is one
task and needs 50 bytes per number, so 2 GiB hold 50,000 points of 512, and 10 million would need 250 GB for any
neighbourhood. From 100,000 points on, `knn(k, approximate=64)` is faster than exact search (benchmarks/approximate.py).
A million points of 512 take 1.4 hours exactly; from c / e = 4 million on, energies take longer than their embeddings.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from tqdm.auto import tqdm

from ..base.optional import import_extra
from ..base.paths import as_path
from .results import as_dataset, load_results, loaded, plain, provenance

__all__ = ["check_key", "create", "each_identity", "fill", "run"]


def run(
    function: Callable[..., Any], shared: Sequence[Any], units: Sequence[Any], client: Any = None
) -> Iterator[tuple[int, Any]]:
    """Yield (number of the unit, function(*shared, unit)): in order, or on a cluster in order of completion."""
    if client is None:
        for number, unit in enumerate(units):
            yield number, function(*shared, unit)
        return
    distributed = import_extra("distributed", "dask", "Work on a cluster")
    config = import_extra("dask.config", "dask", "Work on a cluster")
    # the network is part of its task's message on purpose: no worker's death can lose it
    with config.set({"distributed.admin.large-graph-warning-threshold": "16 GiB"}):
        anchors = [client.submit(_itself, part, pure=False) for part in shared]
        futures = {client.submit(function, *anchors, unit, pure=False): i for i, unit in enumerate(units)}
    try:
        for future in distributed.as_completed(futures):
            yield futures[future], future.result()
    finally:
        client.cancel([*futures, *anchors])


def _itself(part: Any) -> Any:
    return part


def fill(
    path: str | os.PathLike,
    template: xr.DataArray,
    work: Callable[..., np.ndarray],
    shared: Sequence[Any],
    *,
    key: str,
    width: int = 1,
    facts: Mapping[str, Any],
    faces: int,
    client: Any = None,
    progress: bool = True,
) -> xr.DataArray:
    """Compute what a store still lacks, and open it.

    Parameters
    ----------
    path : of the store; it is created, or resumed if it exists.
    template : shape, coordinates and attrs of the whole.
    work : work(*shared, unit) returns rows unit * width ... (unit + 1) * width of the first dimension.
    key : identifies everything that determines the numbers; a store with another key is refused.
    facts : attrs of the store, see `provenance`. faces : pictures in one full unit, for the progress bar.
    """
    zarr = import_extra("zarr", "zarr", "A store of embeddings")
    path = as_path(path, "store").absolute()
    if not path.exists():
        create(path, template, width, {**facts, "key": key})
    check_key(path, key, facts)
    complete = np.asarray(zarr.open_group(str(path), mode="r", zarr_format=2)["complete"])
    todo = np.flatnonzero(complete == 0).tolist()
    write = partial(_write, work, str(path), width)
    with tqdm(total=len(complete) * faces, unit="face", desc="embed", disable=not progress) as bar:
        bar.update((len(complete) - len(todo)) * faces)
        for _ in run(write, shared, todo, client):
            bar.update(faces)
    return load_results(path)["embeddings"]


def check_key(path: Path, key: str, facts: Mapping[str, Any]) -> None:
    """Raise ValueError if a store does not hold what the key identifies."""
    stored = load_results(path).attrs
    if stored.get("key") == key:
        return
    if _drawn_anew(stored, facts):
        raise ValueError(
            f"{str(path)!r} holds embeddings of faces as an earlier version of fr-explore drew them, and this one "
            "draws them differently: fr.load_results still reads its numbers; give another name to embed today's "
            "faces."
        )
    raise ValueError(
        f"{str(path)!r} holds embeddings of another lattice, other pictures, another model or another size: "
        "give another name, or delete it first."
    )


def _drawn_anew(stored: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    """Whether two lattices have the same face source, but not the same pictures."""
    theirs, ours = (one.get("lattice") or {} for one in (stored, facts))
    same_source = theirs.get("faces") is not None and theirs.get("faces") == ours.get("faces")
    return same_source and theirs.get("faces_fingerprint") != ours.get("faces_fingerprint")


def create(path: Path, template: xr.DataArray, width: int, attrs: dict[str, Any], content: int = 0) -> None:
    """Create an empty store with the layout of `save_results`, atomically; `content`: bytes of the hash of each row."""
    zarr = import_extra("zarr", "zarr", "A store of embeddings")
    name, shape = str(template.name), template.shape
    data = as_dataset("embeddings", template)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".fr-explore-") as scratch:
        store = Path(scratch) / "store"
        root = zarr.open_group(str(store), mode="w-", zarr_format=2, attributes=attrs)
        root.create_array("complete", shape=(math.ceil(len(template) / width),), chunks=(1,), dtype="i1", fill_value=0)
        if content:
            root.create_array(
                "content", shape=(len(template), content), chunks=(width, content), dtype="u1", fill_value=0
            )
        own = {key: {"chunks": (width,)} for key in ("usable",) if key in data.coords}
        data.drop_vars(name).to_zarr(
            store, group="embeddings", mode="w", zarr_format=2, consolidated=False, encoding=own
        )
        # no compression: the digits of embeddings look random, it would save 10 % at most
        root["embeddings"].create_array(
            name, shape=shape, chunks=(width, *shape[1:]), dtype="f4", fill_value=np.nan, compressors=None,
            attributes={"_ARRAY_DIMENSIONS": list(template.dims)},
        )  # fmt: skip
        store.replace(path)


def _write(work: Callable[..., Any], path: str, width: int, *rest: Any) -> None:
    """One task: compute a unit, write its chunks, mark it complete."""
    *shared, unit = rest
    root = import_extra("zarr", "zarr", "A store of embeddings").open_group(path, mode="r+", zarr_format=2)
    values = work(*shared, unit)
    where = slice(unit * width, unit * width + len(values))
    root["embeddings/embedding"][where] = values
    root["complete"][unit] = 1


def each_identity(function: partial, source: Any, field_of: Callable[[Any], Any], client: Any, progress: bool) -> Any:
    """Map a pure function over the identities of a field or of embeddings, and join the tables.

    Parameters
    ----------
    function : takes the field of a part of `source` and returns a table, or a table and a Dataset. Its keywords
        contain everything that its numbers depend on.
    source : a field, or embeddings, or the path of a store, of which each worker reads one part at a time.
    field_of : makes a field of embeddings.

    Parts carry the coordinates identity_place and attribute_place, their positions in the whole, and so get the same
    random draws as in the whole. Finished parts of a store are kept in it until all are done: repeating an interrupted
    call gives the same table without recomputing them.
    """
    known = isinstance(source, (xr.Dataset, xr.DataArray))
    source = source if known else as_path(source, "store")
    data = source if known else load_results(source)["embeddings"]
    identities, attributes = data.sizes["identity"], data.sizes["attribute"]
    threads = sum(client.nthreads().values()) if client is not None else 1
    pieces = min(attributes, math.ceil(threads / identities))
    cells = [(i, some.tolist()) for i in range(identities) for some in np.array_split(np.arange(attributes), pieces)]
    folder = None if known else _unfinished(source, function, cells)
    found: list[Any] = [None if folder is None else _kept(folder / f"{number}.json") for number in range(len(cells))]
    todo = [number for number, result in enumerate(found) if result is None]
    units = [_cut(data, cells[number]) if known else cells[number] for number in todo]
    task = partial(_part, function, field_of, None if known else os.path.abspath(source))
    with tqdm(
        total=len(cells), initial=len(cells) - len(todo), unit="task", desc="energies", disable=not progress
    ) as bar:
        for at, result in run(task, (), units, client):
            found[todo[at]] = result
            if folder is not None:
                with contextlib.suppress(OSError):  # a full disk or a read-only store loses no result
                    _keep(folder / f"{todo[at]}.json", result)
            bar.update()
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
    if isinstance(found[0], pd.DataFrame):
        return _stacked(found)
    rows = [xr.concat([d for _, d in found[k : k + pieces]], "attribute") for k in range(0, len(found), pieces)]
    return _stacked([table for table, _ in found]), xr.concat(rows, "identity")


def _unfinished(path: Path, function: partial, cells: list) -> Path | None:
    """The folder for a call's finished parts, named by a hash of what determines them; None without a key."""
    zarr = import_extra("zarr", "zarr", "A store of embeddings")
    attrs = {} if path.is_file() else dict(zarr.open_group(str(path), mode="r", zarr_format=2).attrs)
    if "key" not in attrs:
        return None
    complete = np.asarray(zarr.open_group(str(path), mode="r", zarr_format=2)["complete"]).tolist()
    if (done := sum(complete)) < len(complete):
        text = (
            f"{str(path)!r} is unfinished, {done} of {len(complete)} parts are complete: the others give NaN; the same "
        )
        warnings.warn(f"{text}`fr.embed` or `fr-explore embed` resumes it.", stacklevel=4)
    how = [function.func.__qualname__, function.keywords, cells, attrs["key"], complete, provenance()["versions"]]
    # no result has a dash in its name, so `load_results` skips this folder
    return path / f"unfinished-{hashlib.sha256(json.dumps(plain(how)).encode()).hexdigest()[:16]}"


def _keep(path: Path, result: Any) -> None:
    """Write a part as one JSON file, atomically; JSON's numbers are exact."""
    table, details = result if isinstance(result, tuple) else (result, None)
    data = [table.to_dict("list"), plain(table.attrs), None if details is None else details.to_dict()]
    import_extra("zarr", "zarr", "A store").open_group(str(path.parent), mode="a", zarr_format=2)
    scratch = path.with_suffix(".part")
    scratch.write_text(json.dumps(data, default=plain))
    scratch.replace(path)


def _kept(path: Path) -> Any:
    """The part that `_keep` wrote, or None."""
    try:
        columns, attrs, details = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    table = pd.DataFrame(columns)
    table.attrs = attrs
    return table if details is None else (table, xr.Dataset.from_dict(details))


def _cut(data: Any, cell: tuple[int, list[int]]) -> Any:
    identity, attributes = cell
    part = data.isel(identity=[identity], attribute=attributes)
    return part.assign_coords(identity_place=("identity", [identity]), attribute_place=("attribute", attributes))


def _part(function: Callable[[Any], Any], field_of: Callable[[Any], Any], path: str | None, unit: Any) -> Any:
    part = unit if path is None else loaded(_cut(load_results(path)["embeddings"], unit), path)
    return function(part if isinstance(part, xr.Dataset) else field_of(part))


def _stacked(tables: list[pd.DataFrame]) -> pd.DataFrame:
    table = pd.concat(tables, ignore_index=True)
    table.attrs = tables[0].attrs
    return table
