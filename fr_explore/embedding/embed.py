"""Images to embeddings: with `blocks`, the only module that runs a model over many images.

`_embed_lattice` and `_embed_pictures` describe the result and fill it, in memory or in a store, one identity of the
lattice (`_identity_rows`) or range of pictures (`_picture_rows`) at a time, split into blocks. `embed_blocks` embeds a
block, see `blocks`.

- Each finished block is cached, so a call after an interruption or a kill resumes where the previous one stopped.
- With `store` the result is written to disk, one unit at a time; with `client` a Dask cluster computes the units.
- Photographs and their embeddings identify people: a `private` source leaves nothing on disk without `cache=True`.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
import pandas as pd
import xarray as xr
from tqdm.auto import tqdm

from ..base import cache as _cache
from ..base.paths import as_path, shown
from ..base.shapes import Float32
from ..faces.base import Face
from ..faces.photographs.decode import NO_FACE
from ..lattice import Lattice
from ..models.base import Model
from ..models.checks import NOT_FINITE
from ..scale.distributed import fill
from ..scale.pictures import follow
from ..scale.results import provenance
from .blocks import Block, Settings, embed_blocks

__all__ = ["ImageSet", "embed"]

_CURVES = 16  # curves in one block of a lattice: what an interruption loses at most
_PICTURES = 64  # pictures in one block, at most
_CHUNK = 1024  # pictures in one chunk of a store, and in one task of a cluster


@runtime_checkable
class ImageSet(Protocol):
    """Existing pictures of one face each: what `LabelledImages` and `Photographs` have in common.

    `table` has one row per picture, with columns file and identity. `content(i)` is a text that changes whenever the
    pixels of `face(i, size)` do. Both methods raise ValueError with the reason if picture i cannot be used.
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
) -> Float32[xr.DataArray, "identity attribute curve step dim"] | Float32[xr.DataArray, "image dim"]:
    """Embed every face of a lattice, or every picture of a set.

    Parameters
    ----------
    faces : a lattice; the face of a base point is rendered once and shared by all attributes. Or pictures:
        `read_celeba`, `read_lfw`, `read_labelled`, or `Photographs` without edits.
    size : side of the rendered pictures, in pixels, before they are aligned for the model.
    batch_size : how many crops the network processes at once. progress : show a progress bar that counts faces.
    cache : whether to look up blocks of embeddings, and keep them, in the folder `fr_explore.base.cache.folder()`.
        "auto" does so unless the faces are private, as photographs are, or a store keeps the embeddings.
    store : a Zarr store for embeddings larger than memory, such as "run.zarr". Only one identity, or 1,024 pictures,
        is in memory at a time, and what the store already holds is not computed again. A store follows its pictures:
        those that were replaced, repaired or added since are computed, and what is gone is named by a warning.
        `fr.load_results` opens it.
    client : a Dask client whose workers fill the store, such as `fr.local_cluster()`; all need access to its path.

    Returns
    -------
    float32, in the model's own units. For a lattice: (identity, attribute, curve, step, dim) with coordinates
    identity, attribute and step, and step_size and unit along attribute. For pictures: (image, dim), with the columns
    of their table (file, identity, labels) as coordinates along image. Pictures without a usable face are left out
    with a warning; attrs["left_out"] is their number and attrs["problems"] has one line for each. `attrs` hold the
    metric and the facts of the model's card. With a store, numbers are read from disk when they are needed.
    TypeError for anything but a lattice or pictures; ValueError for a client without a store, a store that holds other
    embeddings, and pictures none of which shows a usable face.

    >>> embed(sample_lattice(fr.Avatars(identities=3, seed=0), ["age", "hue"], curves=20), load_model("dlib")).sizes
    Frozen({'identity': 3, 'attribute': 2, 'curve': 20, 'step': 3, 'dim': 128})
    """
    if cache not in (True, False, "auto"):
        raise ValueError(f"cache = {cache!r}: give True, False or 'auto'.")
    if client is not None and store is None:
        raise ValueError("the workers of a cluster write to a store: name one, such as store='run.zarr'.")
    if not isinstance(faces, (Lattice, ImageSet)):
        raise TypeError(
            f"cannot embed a {type(faces).__name__}: give a lattice (fr.sample_lattice) or pictures (fr.read_labelled, "
            "fr.read_celeba, fr.read_lfw, fr.Photographs); embed single faces with model.embed."
        )
    path = None if store is None else as_path(store, "store").absolute()
    source = faces.faces if isinstance(faces, Lattice) else faces
    keep = bool(cache) if cache != "auto" else store is None and not getattr(source, "private", False)
    fingerprint = model.fingerprint
    if keep and model.uncached:
        warnings.warn(f"embeddings of {model.card.name!r} are not cached: {model.uncached}.", stacklevel=2)
        keep = False
    settings = Settings(model, fingerprint, size, batch_size, keep)
    if path is not None and model.uncached and path.exists():
        raise ValueError(f"{str(path)!r} cannot be continued: {model.uncached}. Give another name, or delete it first.")
    if isinstance(faces, Lattice):
        return _embed_lattice(faces, settings, path, client, progress)
    return _embed_pictures(faces, settings, path, client, progress)


def _embed_lattice(
    lattice: Lattice, settings: Settings, store: Path | None, client: Any, progress: bool
) -> xr.DataArray:
    model, source = settings.model, lattice.faces
    _, attributes, curves, steps = lattice.shape
    whole = xr.DataArray(
        np.broadcast_to(np.float32(np.nan), (*lattice.shape, model.card.dim)),
        dims=("identity", "attribute", "curve", "step", "dim"),
        coords={
            "identity": list(lattice.identities),
            "attribute": list(lattice.attributes),
            "step": list(lattice.steps),
            "step_size": ("attribute", [float(lattice.step_sizes[name]) for name in lattice.attributes]),
            "unit": ("attribute", [source.attributes[name].unit for name in lattice.attributes]),
        },
        name="embedding",
        attrs=_facts(settings) | {"faces": source.fingerprint, "seed": lattice.seed},
    )
    recipe = [lattice.identities, lattice.attributes, lattice.steps, sorted(lattice.step_sizes.items())]
    base = [list(lattice.base.attribute.values), lattice.base.values]
    key = _cache.key("store 1", settings.fingerprint, source.fingerprint, settings.size, *recipe, *base)
    faces = curves * (attributes * (steps - 1) + 1)
    if store is not None:
        facts = provenance([model], lattice)
        options = {"facts": facts, "faces": faces, "client": client, "progress": progress}
        return fill(store, whole, _identity_rows, (lattice, settings), key=key, **options)
    with tqdm(total=len(whole) * faces, unit="face", desc="embed", disable=not progress) as bar:
        return whole.copy(data=np.concatenate([_identity_rows(lattice, settings, i, bar) for i in range(len(whole))]))


def _embed_pictures(
    images: ImageSet, settings: Settings, store: Path | None, client: Any, progress: bool
) -> xr.DataArray:
    table, model = images.table, settings.model
    columns: dict[str, Any] = {}
    for name in table.columns:
        values = table[name]
        # pandas' text columns are not NumPy arrays; labels stay int8, which tells them from other numbers
        columns[str(name)] = ("image", values.to_numpy() if values.dtype == np.int8 else np.asarray(values.tolist()))
    if store is not None:
        columns["usable"] = ("image", np.zeros(len(table), bool))
    blank = np.broadcast_to(np.float32(np.nan), (len(table), model.card.dim))
    whole = xr.DataArray(blank, columns, ("image", "dim"), "embedding", _facts(settings))
    if store is None:
        with tqdm(total=len(table), unit="face", desc="embed", disable=not progress) as bar:
            values, reasons = _picture_rows(images, settings, range(len(table)), bar)
        whole = whole.copy(data=values)
    else:
        key = _cache.key("store of images 2", settings.fingerprint, settings.size)
        whole, reasons = follow(
            store, whole, _picture_rows, _contents, (images, settings), key=key, final=NO_FACE, width=_CHUNK,
            facts=provenance([model]), client=client, progress=progress,
        )  # fmt: skip
    problems = [f"{shown(str(table['file'].iat[row]))}: {reason}" for row, reason in reasons.items()]
    usable = whole["usable"].values if store else np.isfinite(whole.values).all(axis=1)
    missing = int((~usable).sum())
    faults = sum(NOT_FINITE in reason for reason in reasons.values())
    if missing == len(table):
        what = f"has an embedding, {faults} because of the network" if faults else "shows a usable face"
        raise ValueError(f"none of {len(table)} pictures {what}: {'; '.join(problems[:5])}.")
    if missing:
        message = f"{missing} of {len(table)} pictures are left out: {'; '.join(problems[:3])}"
        warnings.warn(message + ("; ..." if missing > 3 else "."), stacklevel=3)
    kept = whole.isel(image=np.flatnonzero(usable))
    return kept.assign_attrs(images=kept.sizes["image"], left_out=missing, problems="\n".join(problems))


def _facts(settings: Settings) -> dict[str, str | int | float]:
    """What is needed to judge and repeat the numbers, as plain values that netCDF and Zarr can store."""
    card = settings.model.card
    facts = {
        "metric": card.metric,
        "model": card.name,
        "model_title": card.title,
        "model_fingerprint": settings.fingerprint,
        "licence": card.licence,
        "threshold_source": card.threshold_source,
        "image_size": settings.size,
    }
    return facts if card.threshold is None else {**facts, "threshold": card.threshold}


def _identity_rows(lattice: Lattice, settings: Settings, identity: int, bar: tqdm | None = None) -> np.ndarray:
    """Embeddings of one identity, (1, attribute, curve, step, dim)."""
    _, attributes, curves, steps = lattice.shape
    source, name, middle = lattice.faces, lattice.identities[identity], lattice.steps.index(0)
    others = [(a, s) for a in range(attributes) for s in range(steps) if s != middle]
    out = np.empty((1, attributes, curves, steps, settings.model.card.dim), np.float32)

    def render(recipes: list[dict[str, float]]) -> list[Face]:
        return source.render_batch([name] * len(recipes), recipes, size=settings.size)

    places: list[list[tuple[int, int, int]]] = [
        # the faces of a curve follow one another: an engine renders only what changes from one to the next
        [place for c in range(*block) for place in [(0, c, middle), *((a, c, s) for a, s in others)]]
        for block in ((start, min(start + _CURVES, curves)) for start in range(0, curves, _CURVES))
    ]

    def blocks() -> Iterator[Block]:
        for some in places:
            recipes = [lattice.strengths(identity, *place) for place in some]
            table = np.array([list(recipe.values()) for recipe in recipes])
            parts = ("embeddings 2", *settings.network, source.fingerprint, settings.size, name, list(recipes[0]))
            key = _cache.key(*parts, table) if settings.cache else None
            yield Block(recipes, key, f"{type(source).__name__}, {name}")

    for some, (vectors, problems) in zip(places, embed_blocks(settings, blocks(), render), strict=True):
        if problems:  # a rendered face always shows a face
            raise ValueError(
                f"{problems[min(problems)]} for {len(problems)} of {len(some)} faces of identity {name!r}."
            )
        for place, vector in zip(some, vectors, strict=True):
            out[0, *place] = vector
        if bar is not None:
            bar.update(len(some))
    out[:, :, :, middle] = out[:, :1, :, middle]  # all attributes share the base faces
    return out


def _picture_rows(
    images: ImageSet, settings: Settings, rows: Sequence[int], bar: tqdm | None = None
) -> tuple[np.ndarray, dict[int, str]]:
    """Embeddings (n, dim) of pictures, NaN where there is none, and the reasons by the picture's number."""
    files = [images.table["file"].iat[row] for row in rows]
    out, reasons = np.empty((len(files), settings.model.card.dim), np.float32), {}
    places = list(_picture_blocks(files))

    def blocks() -> Iterator[Block]:
        for start, stop in places:
            numbers, key = rows[start:stop], None
            if settings.cache:
                contents = map(str, _contents(images, settings, numbers))
                key = _cache.key("images 2", *settings.network, settings.size, *contents)
            yield Block(numbers, key, f"{files[start]}, ...")

    read = partial(_attempts, partial(images.face, size=settings.size))
    for (start, stop), (vectors, problems) in zip(places, embed_blocks(settings, blocks(), read), strict=True):
        out[start:stop] = vectors
        reasons |= {rows[start + i]: reason for i, reason in problems.items()}
        if bar is not None:
            bar.update(stop - start)
    return out, reasons


def _contents(images: ImageSet, settings: Settings, rows: Sequence[int]) -> list[Any]:
    """What determines the portraits of pictures, or the errors of those that cannot be read."""
    return _attempts(images.content, rows)


def _picture_blocks(files: Sequence[object]) -> Iterator[tuple[int, int]]:
    """Block boundaries that depend on the file names (on average each 32nd): a new file changes one block, not all."""
    start = 0
    for stop, name in enumerate(files, 1):
        if hashlib.sha256(str(name).encode()).digest()[0] < 8 or stop - start == _PICTURES or stop == len(files):
            yield start, stop
            start = stop


def _attempts(read: Callable[[int], Any], numbers: Sequence[int]) -> list[Any]:
    """read(i) for each number, on four threads; if it raises ValueError, that error in its place."""

    def attempt(i: int) -> Any:
        try:
            return read(i)
        except ValueError as error:
            return error

    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        return list(pool.map(attempt, numbers))
