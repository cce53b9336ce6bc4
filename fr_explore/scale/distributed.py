"""Past one machine's memory and one machine's cores: Zarr stores cut by identity, work on a Dask cluster.

`fr.embed(..., store=, client=)` and `fr.alignment(store, client=)` are the functions one knows; this module holds what
they share. Tasks, retries and transport are Dask's, files are Zarr's.

- One task is one identity of a lattice, or 1,024 pictures of a set. It writes its own chunks of the store, and only
  then its mark in the array `complete`. Zarr writes a chunk to a temporary file and moves it into place, so a worker
  may be killed at any moment: Dask runs its task elsewhere, and a run started anew does what is not marked.
- Energies are one task for each identity, whose attributes share the search for neighbours; attributes are spread
  over several tasks only where there are fewer identities than threads.
- The model and the faces are tasks as well, from which the others take them: where a worker that holds them dies,
  Dask makes them again. So they travel once to each worker and not with each task.
- Workers compute with one thread each. Sums then run in another order than in a notebook with several: embeddings
  agree to 1e-5 of their length, energies to 1e-9; with one thread on both sides, bit for bit.

What it costs, on paper
-----------------------
With c seconds a picture on one core, read, aligned and stored (0.005 for dlib's network, 0.02 for FaceNet's), n
pictures, m models and length d, embeddings take n m c core seconds and 4 n m d bytes. Exact energies take e = 5 ns, at
d = 512, for each pair of points of one cloud: e n^2 of all pictures in one. `benchmarks/cluster.py` measures c and e
and prints the table for its machine; with c = 0.02 and d = 512, of a machine with 2 cores, it is

                     pictures x models   core hours   with 64 cores   storage   energy, all in one cloud
    CelebA                   202,599 x 1          1        1 minute    0.4 GB         0.06 core hours
    10 million images     10,000,000 x 1         56          1 hour     20 GB          139 core hours
    1,000 models          202,599 x 1000      1,126        18 hours    415 GB           57 core hours

Processor time is the first limit for many models, the disk the second. A worker holds torch, one model (0.7 GB and
more with torch's CUDA build) and 4 MB for 1,024 pictures, or an identity's faces. One large cloud meets memory first:
it is one task, 50 bytes a number, so 2 GiB take 50,000 points of 512, and 10 million would need 250 GB, whatever the
neighbours. From 100,000 points on `knn(k, approximate=64)` is quicker than exact (benchmarks/approximate.py); a
million of 512 take 1.4 hours exact, and from c / e = 4 million on energies outlast their embeddings.
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
from .results import as_dataset, load_results, loaded, plain, provenance

__all__ = ["each_identity", "fill", "local_cluster", "run"]


@contextlib.contextmanager
def local_cluster(workers: int | None = None, memory: str = "2 GiB", dashboard: bool = False) -> Iterator[Any]:
    """A Dask client with worker processes of its own on this machine, of one thread each, for a `with` block.

    Parameters
    ----------
    workers : one for each core by default.
    memory : what a worker may hold. Dask lets it pause at 80 % and restarts it at 95 %.
    dashboard : serve Dask's dashboard on the loopback address that `client.dashboard_link` gives. Dask has no
        password or token for it, so everybody who is logged in on this machine can read it: leave it off where others
        are. To see that of a remote machine, forward its port P: `ssh -L P:127.0.0.1:P machine`, then open
        127.0.0.1:P at home.

    All ports are on the loopback interface. Scheduler and workers take part only with a key that is made for this
    cluster and kept in memory, because whoever reaches a scheduler can run code.

    >>> with fr.local_cluster(workers=4) as client:
    ...     embeddings = fr.embed(lattice, model, store="run.zarr", client=client)
    """
    distributed = import_extra("distributed", "dask", "A local cluster")
    config = import_extra("dask.config", "dask", "A local cluster")
    # Dask has the C library give back every freed block at once; torch and NumPy, which want the next one right away,
    # then take three times as long
    settings: dict[str, Any] = {"distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": None}
    if not dashboard:  # then its server has no pages either
        settings["distributed.scheduler.http.routes"] = []
    with config.set(settings):
        cluster = distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            memory_limit=memory,
            host="127.0.0.1",
            protocol="tls",
            security=distributed.Security.temporary(),
            dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": dashboard},
            worker_dashboard_address="127.0.0.1:0",
        )
    with cluster, cluster.get_client() as client:
        yield client


def run(
    function: Callable[..., Any], shared: Sequence[Any], units: Sequence[Any], client: Any = None
) -> Iterator[tuple[int, Any]]:
    """Number of the unit and function(*shared, unit), for each unit: in turn, or on a cluster as they get done."""
    if client is None:
        for number, unit in enumerate(units):
            yield number, function(*shared, unit)
        return
    distributed = import_extra("distributed", "dask", "Work on a cluster")
    config = import_extra("dask.config", "dask", "Work on a cluster")
    # the network travels inside its task on purpose, where no worker's death can lose it
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
    work: Callable[..., tuple[np.ndarray, list[str]]],
    shared: Sequence[Any],
    *,
    key: str,
    width: int = 1,
    facts: Mapping[str, Any],
    faces: int,
    client: Any = None,
    progress: bool = True,
) -> tuple[xr.DataArray, list[str]]:
    """Compute what a store still lacks, and open it: the array, and what the tasks had to say.

    Parameters
    ----------
    path : of the store; made if it is not there, taken up where it was left if it is.
    template : shape, coordinates and attrs of the whole.
    work : work(*shared, unit) gives the rows unit * width ... (unit + 1) * width of the first dimension, and remarks.
    key : names all that determines the numbers; a store with another key is refused.
    facts : what to write beside it, see `provenance`. faces : pictures in one full unit, for the bar.
    """
    zarr = import_extra("zarr", "zarr", "A store of embeddings")
    path = Path(path).absolute()
    if not path.exists():
        _create(path, template, width, {**facts, "key": key})
    if load_results(path).attrs.get("key") != key:
        raise ValueError(
            f"{str(path)!r} holds embeddings of another lattice, other pictures, another model or another size: "
            "give another name, or delete it first."
        )
    complete = np.asarray(zarr.open_group(str(path), mode="r", zarr_format=2)["complete"])
    todo = np.flatnonzero(complete == 0).tolist()
    write, remarks = partial(_write, work, str(path), width), []
    with tqdm(total=len(complete) * faces, unit="face", desc="embed", disable=not progress) as bar:
        bar.update((len(complete) - len(todo)) * faces)
        for _, said in run(write, shared, todo, client):
            remarks += said
            bar.update(faces)
    return load_results(path)["embeddings"], remarks


def _create(path: Path, template: xr.DataArray, width: int, attrs: dict[str, Any]) -> None:
    """An empty store of the layout of `save_results`, in one move."""
    zarr = import_extra("zarr", "zarr", "A store of embeddings")
    name, shape = str(template.name), template.shape
    data = as_dataset("embeddings", template)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as scratch:
        store = Path(scratch) / "store"
        root = zarr.open_group(str(store), mode="w-", zarr_format=2, attributes=attrs)
        root.create_array("complete", shape=(math.ceil(len(template) / width),), chunks=(1,), dtype="i1", fill_value=0)
        own = {key: {"chunks": (width,)} for key in ("usable",) if key in data.coords}
        data.drop_vars(name).to_zarr(
            store, group="embeddings", mode="w", zarr_format=2, consolidated=False, encoding=own
        )
        # no compression: the digits of embeddings look random, 10 % at most are gained
        root["embeddings"].create_array(
            name, shape=shape, chunks=(width, *shape[1:]), dtype="f4", fill_value=np.nan, compressors=None,
            attributes={"_ARRAY_DIMENSIONS": list(template.dims)},
        )  # fmt: skip
        store.replace(path)


def _write(work: Callable[..., Any], path: str, width: int, *rest: Any) -> list[str]:
    """One task: compute a unit, write its chunks, mark it complete."""
    *shared, unit = rest
    root = import_extra("zarr", "zarr", "A store of embeddings").open_group(path, mode="r+", zarr_format=2)
    values, remarks = work(*shared, unit)
    where = slice(unit * width, unit * width + len(values))
    root["embeddings/embedding"][where] = values
    if "usable" in root["embeddings"]:
        root["embeddings/usable"][where] = np.isfinite(values).all(axis=1)
    root["complete"][unit] = 1
    return remarks


def each_identity(function: partial, source: Any, field_of: Callable[[Any], Any], client: Any, progress: bool) -> Any:
    """A function of a field or of embeddings, identity by identity, its tables put together again.

    Parameters
    ----------
    function : takes the field of a part of `source` and gives a table, or a table and a Dataset. Its keywords say all
        that its numbers depend on.
    source : a field, or embeddings, or the path of a store of which only one part at a time is read, by the worker
        that computes on it. field_of : makes a field of embeddings.

    Parts carry the coordinates identity_place and attribute_place, their positions in the whole, so that random draws
    are those that the whole would get. What is finished of a store is kept in it until all is: whoever starts a call
    anew that was stopped or killed gets the same table, and what was finished is not computed again.
    """
    known = isinstance(source, (xr.Dataset, xr.DataArray))
    data = source if known else load_results(source)["embeddings"]
    identities, attributes = data.sizes["identity"], data.sizes["attribute"]
    threads = sum(client.nthreads().values()) if client is not None else 1
    pieces = min(attributes, math.ceil(threads / identities))
    cells = [(i, some.tolist()) for i in range(identities) for some in np.array_split(np.arange(attributes), pieces)]
    folder = None if known else _unfinished(Path(source), function, cells)
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
                with contextlib.suppress(OSError):  # a full disk, a store only to be read: no result is lost
                    _keep(folder / f"{todo[at]}.json", result)
            bar.update()
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
    if isinstance(found[0], pd.DataFrame):
        return _stacked(found)
    rows = [xr.concat([d for _, d in found[k : k + pieces]], "attribute") for k in range(0, len(found), pieces)]
    return _stacked([table for table, _ in found]), xr.concat(rows, "identity")


def _unfinished(path: Path, function: partial, cells: list) -> Path | None:
    """The folder of a call's finished parts, named by all that decides them; None where nothing names them."""
    zarr = import_extra("zarr", "zarr", "A store of embeddings")
    attrs = {} if path.is_file() else dict(zarr.open_group(str(path), mode="r", zarr_format=2).attrs)
    if "key" not in attrs:  # of a file whose content has no name
        return None
    complete = np.asarray(zarr.open_group(str(path), mode="r", zarr_format=2)["complete"]).tolist()
    if (done := sum(complete)) < len(complete):
        text = f"{str(path)!r} is unfinished, {done} of {len(complete)} parts are there: the others give NaN; the same "
        warnings.warn(f"{text}`fr.embed` or `fr-explore embed` goes on with it.", stacklevel=4)
    how = [function.func.__qualname__, function.keywords, cells, attrs["key"], complete, provenance()["versions"]]
    # no result has a dash in its name: `load_results` passes over the folder, a group without arrays for Zarr
    return path / f"unfinished-{hashlib.sha256(json.dumps(plain(how)).encode()).hexdigest()[:16]}"


def _keep(path: Path, result: Any) -> None:
    """A part as one JSON file, whole or not at all; JSON's numbers are exact."""
    table, details = result if isinstance(result, tuple) else (result, None)
    data = [table.to_dict("list"), plain(table.attrs), None if details is None else details.to_dict()]
    import_extra("zarr", "zarr", "A store").open_group(str(path.parent), mode="a", zarr_format=2)
    scratch = path.with_suffix(".part")
    scratch.write_text(json.dumps(data, default=plain))
    scratch.replace(path)


def _kept(path: Path) -> Any:
    """What `_keep` wrote, or None."""
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
