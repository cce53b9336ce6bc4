"""The only place that runs a model over many images: lattice or labelled images in, labelled embeddings out.

- Work goes in blocks, so memory stays flat, and each finished block is kept on disk: a second call, or one after an
  interruption or a kill, starts where the first one ended.
- With `store` the whole goes to the disk instead, one identity at a time, and with `client` a Dask cluster does it.
- Photographs identify people, and so do their embeddings: a source that says `private` leaves nothing on the disk
  unless `cache=True` asks for it.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
import pandas as pd
import xarray as xr
from tqdm.auto import tqdm

from ..base import cache as _cache
from ..faces.base import Face
from ..lattice import Lattice
from ..models.base import Model
from ..scale.distributed import fill
from ..scale.results import provenance

__all__ = ["ImageSet", "embed"]

# base points rendered, embedded and stored at a time: bounds memory, and is what an interruption costs at most
_BLOCK = 16
# the same for pictures on disk
_IMAGES = 64
# pictures in one chunk of a store, and in one task of a cluster
_CHUNK = 1024


@runtime_checkable
class ImageSet(Protocol):
    """Pictures that are there, each with one face: what `LabelledImages` and `Photographs` have in common.

    `table` has one row for each, with columns file and identity; `content(i)` names all that decides the pixels of
    `face(i, size)`; both raise ValueError with the reason when picture i is of no use.
    """

    private: bool

    @property
    def table(self) -> pd.DataFrame: ...

    def content(self, i: int) -> str: ...

    def face(self, i: int, size: int = 160) -> Face: ...


def embed(
    faces: Lattice | ImageSet,
    model: Model,
    *,
    size: int = 160,
    batch_size: int = 32,
    progress: bool = True,
    cache: bool | Literal["auto"] = "auto",
    store: str | os.PathLike | None = None,
    client: Any = None,
) -> xr.DataArray:
    """Embed every face of a lattice, or every picture of a set.

    Parameters
    ----------
    faces : a lattice: each base point's middle face is rendered once and shared by all attributes. Or pictures:
        `read_celeba`, `read_lfw`, `read_labelled`, or `Photographs`, unedited.
    size : side of the rendered pictures, in pixels, before they are aligned for the model.
    batch_size : crops that the network sees at once.
    progress : show a progress bar, counted in faces.
    cache : look the blocks up, and keep them, in the folder that `fr_explore.base.cache.folder()` names. "auto" does so
        unless the faces are private, as photographs are, or a store keeps them.
    store : a Zarr store for embeddings larger than memory, such as "run.zarr". One identity, or 1,024 pictures, is
        in memory at a time; what the store holds already is not computed again. `fr.load_results` opens it too.
    client : a Dask client whose workers fill the store, such as `fr.local_cluster()`; all of them must see its path.
        Progress is the same bar; to watch the tasks, `fr.local_cluster(dashboard=True)` serves Dask's dashboard on
        the loopback interface, at the address `client.dashboard_link`, see there.

    Returns
    -------
    float32, in the model's own units. Of a lattice (identity, attribute, curve, step, dim) with coordinates identity,
    attribute, step, and step_size and unit along attribute. Of pictures (image, dim), with the columns of their table
    (file, identity, labels) as coordinates along image; pictures without a usable face are left out with a warning,
    and attrs["left_out"] gives their number, attrs["problems"] one line for each. `attrs` carry the metric and the
    facts of the model's card. From a store, numbers are read when they are
    needed; pictures in it carry the coordinate usable, and those without a face are left out of what is returned.

    >>> embed(sample_lattice(fr.Avatars(identities=3, seed=0), ["age", "hue"], curves=20), load_model("dlib")).sizes
    Frozen({'identity': 3, 'attribute': 2, 'curve': 20, 'step': 3, 'dim': 128})
    """
    if cache not in (True, False, "auto"):
        raise ValueError(f"cache = {cache!r}: give True, False or 'auto'.")
    if client is not None and store is None:
        raise ValueError("workers of a cluster write into a store: name one, such as store='run.zarr'.")
    if not isinstance(faces, (Lattice, ImageSet)):
        raise TypeError(
            f"cannot embed a {type(faces).__name__}: give a lattice (fr.sample_lattice) or pictures (fr.read_labelled, "
            "fr.read_celeba, fr.read_lfw, fr.Photographs); single faces go to model.embed."
        )
    source = faces.faces if isinstance(faces, Lattice) else faces
    keep = bool(cache) if cache != "auto" else store is None and not getattr(source, "private", False)
    options = {"size": size, "batch_size": batch_size, "cache": keep}
    if isinstance(faces, Lattice):
        return _embed_lattice(faces, model, options, progress, store, client)
    return _embed_images(faces, model, options, progress, store, client)


def _embed_lattice(lattice: Lattice, model: Model, options: dict, progress: bool, store, client) -> xr.DataArray:
    identities, attributes, curves, steps = shape = lattice.shape
    faces = curves * (attributes * (steps - 1) + 1)
    whole = xr.DataArray(
        np.broadcast_to(np.float32(np.nan), (*shape, model.card.dim)),
        dims=("identity", "attribute", "curve", "step", "dim"),
        coords={
            "identity": list(lattice.identities),
            "attribute": list(lattice.attributes),
            "step": list(lattice.steps),
            "step_size": ("attribute", [float(lattice.step_sizes[name]) for name in lattice.attributes]),
            "unit": ("attribute", [lattice.faces.attributes[name].unit for name in lattice.attributes]),
        },
        name="embedding",
        attrs=_facts(model, options["size"]) | {"faces": lattice.faces.fingerprint, "seed": lattice.seed},
    )
    work = partial(_identity_vectors, **options)
    if store is None:
        out = np.empty(whole.shape, np.float32)
        with tqdm(total=identities * faces, unit="face", desc="embed", disable=not progress) as bar:
            for identity in range(identities):
                out[identity] = work(lattice, model, identity, bar=bar)[0]
        return whole.copy(data=out)
    recipe = [lattice.identities, lattice.attributes, lattice.steps, sorted(lattice.step_sizes.items())]
    made_with = (model.fingerprint, lattice.faces.fingerprint, options["size"])
    key = _cache.key("store 1", *made_with, *recipe, list(lattice.base.attribute.values), lattice.base.values)
    facts = provenance([model], lattice)
    return fill(
        store, whole, work, (lattice, model), key=key, facts=facts, faces=faces, client=client, progress=progress
    )[0]


def _identity_vectors(
    lattice: Lattice, model: Model, identity: int, *, size: int, batch_size: int, cache: bool, bar: Any = None
) -> tuple[np.ndarray, list[str]]:
    """Embeddings of one identity, (1, attribute, curve, step, dim), and no remarks."""
    _, attributes, curves, steps = lattice.shape
    out = np.empty((1, attributes, curves, steps, model.card.dim), np.float32)
    middle = lattice.steps.index(0)
    others = [(a, s) for a in range(attributes) for s in range(steps) if s != middle]
    made_with = (model.fingerprint, lattice.faces.fingerprint, size)
    for start in range(0, curves, _BLOCK):
        span = range(start, min(start + _BLOCK, curves))
        recipes = [lattice.strengths(identity, 0, c, middle) for c in span]
        recipes += [lattice.strengths(identity, a, c, s) for c in span for a, s in others]
        name = lattice.identities[identity]
        vectors = _vectors(lattice, model, name, recipes, made_with, size, batch_size, cache)
        centres, rest = vectors[: len(span)], vectors[len(span) :].reshape(len(span), len(others), -1)
        out[0, :, span.start : span.stop, middle] = centres
        for column, (a, s) in enumerate(others):
            out[0, a, span.start : span.stop, s] = rest[:, column]
        if bar is not None:
            bar.update(len(recipes))
    return out, []


def _vectors(lattice, model, identity, recipes, made_with, size, batch_size, cache) -> np.ndarray:
    """Embeddings of some faces of one identity, from the cache where they are known."""
    table = np.array([list(recipe.values()) for recipe in recipes])
    key = _cache.key("embeddings 1", *made_with, identity, list(recipes[0]), table)
    vectors = _cache.load(key, (len(recipes), model.card.dim)) if cache else None
    if vectors is None:
        vectors = np.concatenate(
            [
                model.embed(lattice.faces.render_batch([identity] * len(some), some, size=size), batch_size)
                for some in (recipes[i : i + 4 * batch_size] for i in range(0, len(recipes), 4 * batch_size))
            ]
        )
        if cache:
            source = type(lattice.faces).__name__
            _cache.store(key, vectors, {"model": model.card.name, "source": f"{source}, {identity}"})
    return vectors


def _facts(model: Model, size: int) -> dict[str, str | int | float]:
    """What is needed to judge and repeat the numbers, as plain values that netCDF and Zarr can hold."""
    card = model.card
    facts = {
        "metric": card.metric,
        "model": card.name,
        "model_title": card.title,
        "model_fingerprint": model.fingerprint,
        "licence": card.licence,
        "threshold_source": card.threshold_source,
        "image_size": size,
    }
    return facts if card.threshold is None else {**facts, "threshold": card.threshold}


def _embed_images(images: ImageSet, model: Model, options: dict, progress: bool, store, client) -> xr.DataArray:
    table, size = images.table, options["size"]
    # lists, because pandas' own text columns are no numpy arrays
    columns: dict[str, Any] = {str(name): ("image", np.asarray(table[name].tolist())) for name in table.columns}
    shape = (len(table), model.card.dim)
    whole = xr.DataArray(
        np.broadcast_to(np.float32(np.nan), shape), columns, ("image", "dim"), "embedding", _facts(model, size)
    )
    work = partial(_picture_rows, **options)
    if store is None:
        with tqdm(total=len(table), unit="face", desc="embed", disable=not progress) as bar:
            out, lines = work(images, model, 0, width=len(table), bar=bar)
        usable, whole = np.isfinite(out).all(axis=1), whole.copy(data=out)
    else:
        key = _cache.key("store of images 1", model.fingerprint, size, table.to_csv())
        whole = whole.assign_coords(usable=("image", np.zeros(len(table), bool)))
        whole, lines = fill(
            store, whole, work, (images, model), key=key, width=_CHUNK, facts=provenance([model]), faces=_CHUNK,
            client=client, progress=progress,
        )  # fmt: skip
        usable = whole["usable"].values
    missing = int((~usable).sum())
    if missing == len(table):
        raise ValueError(f"none of {len(table)} pictures shows a usable face: {'; '.join(lines[:5])}.")
    if missing:
        message = f"{missing} of {len(table)} pictures are left out: {'; '.join(lines[:3])}"
        warnings.warn(message + ("; ..." if missing > 3 else "."), stacklevel=3)
    facts = {"images": int(usable.sum()), "left_out": missing, "problems": "\n".join(lines)}
    return whole.isel(image=np.flatnonzero(usable)).assign_attrs(facts)


def _picture_rows(
    images: ImageSet, model: Model, unit: int, *, size: int, batch_size: int, cache: bool, width=_CHUNK, bar: Any = None
) -> tuple[np.ndarray, list[str]]:
    """Embeddings of some pictures, NaN where there is none, and the reasons; unit k starts at picture k * width."""
    files = images.table["file"].tolist()[unit * width : (unit + 1) * width]
    out = np.full((len(files), model.card.dim), np.nan, np.float32)
    problems: dict[int, str] = {}
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        for start, stop in _picture_blocks(files):
            span = range(unit * width + start, unit * width + stop)
            out[start:stop] = _picture_vectors(images, model, span, size, batch_size, cache, pool, problems)
            if bar is not None:
                bar.update(len(span))
    return out, [f"{files[i - unit * width]}: {reason}" for i, reason in sorted(problems.items())]


def _picture_blocks(files: Sequence[object]) -> Iterator[tuple[int, int]]:
    """Blocks that end after every file whose name hashes so, about each 32nd: new files spoil one block, not all."""
    start = 0
    for i, name in enumerate(files):
        ends = hashlib.sha256(str(name).encode()).digest()[0] < 8
        if ends or i + 1 - start == _IMAGES or i + 1 == len(files):
            yield start, i + 1
            start = i + 1


def _picture_vectors(images, model, span, size, batch_size, cache, pool, problems) -> np.ndarray:
    """Embeddings of a block of pictures, NaN where there is none; the reasons go to `problems`."""
    vectors = key = None
    if cache:
        contents = list(pool.map(lambda i: _attempt(images.content, i), span))
        key = _cache.key("images 1", model.fingerprint, size, *map(str, contents))
        vectors = _cache.load(key, (len(span), model.card.dim))
    if vectors is None:
        vectors = np.full((len(span), model.card.dim), np.nan, np.float32)
    todo = [at for at in range(len(span)) if np.isnan(vectors[at]).any()]
    shown = list(pool.map(lambda at: _attempt(images.face, span[at], size), todo))
    good = [(at, face) for at, face in zip(todo, shown, strict=True) if isinstance(face, Face)]
    problems |= {span[at]: str(face) for at, face in zip(todo, shown, strict=True) if not isinstance(face, Face)}
    if good:
        vectors[[at for at, _ in good]] = model.embed([face for _, face in good], batch_size)
        if key is not None:
            _cache.store(
                key, vectors, {"model": model.card.name, "source": f"{images.table['file'].iat[span[0]]}, ..."}
            )
    return vectors


def _attempt(read, *args):
    """What `read` gives, or the ValueError that says why it gives nothing."""
    try:
        return read(*args)
    except ValueError as error:
        return error
