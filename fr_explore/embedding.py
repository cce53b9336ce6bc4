"""The only place that runs a model over many images: lattice or labelled images in, labelled embeddings out.

- Work goes in blocks, so memory stays flat, and each finished block is kept on disk: a second call, or one after an
  interruption or a kill, starts where the first one ended.
- Photographs identify people, and so do their embeddings: a source that says `private` leaves nothing on the disk
  unless `cache=True` asks for it.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import pandas as pd
import xarray as xr
from tqdm.auto import tqdm

from . import cache as _cache
from .faces.base import Face
from .lattice import Lattice
from .models.base import Model

__all__ = ["ImageSet", "embed"]

# base points rendered, embedded and stored at a time: bounds memory, and is what an interruption costs at most
_BLOCK = 16
# the same for pictures on disk
_IMAGES = 64


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
) -> xr.DataArray:
    """Embed every face of a lattice, or every picture of a set.

    Parameters
    ----------
    faces : a lattice: each base point's middle face is rendered once and shared by all attributes. Or pictures:
        `read_celeba`, `read_lfw`, `read_labelled`, or `Photographs`, unedited.
    size : side of the rendered pictures, in pixels, before they are aligned for the model.
    batch_size : crops that the network sees at once.
    progress : show a progress bar, counted in faces.
    cache : look the blocks up, and keep them, in the folder that `fr_explore.cache.folder()` names. "auto" does so
        unless the faces are private, as photographs are.

    Returns
    -------
    float32, in the model's own units. Of a lattice (identity, attribute, curve, step, dim) with coordinates identity,
    attribute, step, and step_size and unit along attribute. Of pictures (image, dim), with the columns of their table
    (file, identity, labels) as coordinates along image; pictures without a usable face are left out with a warning,
    and attrs["left_out"] gives their number, attrs["problems"] one line for each. `attrs` carry the metric and the
    facts of the model's card.

    >>> embed(sample_lattice(fr.Avatars(identities=3, seed=0), ["age", "hue"], curves=20), load_model("dlib")).sizes
    Frozen({'identity': 3, 'attribute': 2, 'curve': 20, 'step': 3, 'dim': 128})
    """
    if cache not in (True, False, "auto"):
        raise ValueError(f"cache = {cache!r}: give True, False or 'auto'.")
    if isinstance(faces, Lattice):
        keep = not getattr(faces.faces, "private", False) if cache == "auto" else bool(cache)
        return _embed_lattice(faces, model, size, batch_size, progress, keep)
    if isinstance(faces, ImageSet):
        return _embed_images(faces, model, size, batch_size, progress, not faces.private if cache == "auto" else cache)
    raise TypeError(
        f"cannot embed a {type(faces).__name__}: give a lattice (fr.sample_lattice) or pictures (fr.read_labelled, "
        "fr.read_celeba, fr.read_lfw, fr.Photographs); single faces go to model.embed."
    )


def _embed_lattice(
    lattice: Lattice, model: Model, size: int, batch_size: int, progress: bool, cache: bool
) -> xr.DataArray:
    identities, attributes, curves, steps = lattice.shape
    out = np.empty((identities, attributes, curves, steps, model.card.dim), np.float32)
    middle = lattice.steps.index(0)
    others = [(a, s) for a in range(attributes) for s in range(steps) if s != middle]
    made_with = (model.fingerprint, lattice.faces.fingerprint, size)
    with tqdm(total=identities * curves * (len(others) + 1), unit="face", desc="embed", disable=not progress) as bar:
        for identity, start, stop in _blocks(identities, curves):
            span = range(start, stop)
            recipes = [lattice.strengths(identity, 0, c, middle) for c in span]
            recipes += [lattice.strengths(identity, a, c, s) for c in span for a, s in others]
            name = lattice.identities[identity]
            vectors = _vectors(lattice, model, name, recipes, made_with, size, batch_size, cache)
            centres, rest = vectors[: len(span)], vectors[len(span) :].reshape(len(span), len(others), -1)
            out[identity, :, start:stop, middle] = centres
            for column, (a, s) in enumerate(others):
                out[identity, a, start:stop, s] = rest[:, column]
            bar.update(len(recipes))
    return xr.DataArray(
        out,
        dims=("identity", "attribute", "curve", "step", "dim"),
        coords={
            "identity": list(lattice.identities),
            "attribute": list(lattice.attributes),
            "step": list(lattice.steps),
            "step_size": ("attribute", [float(lattice.step_sizes[name]) for name in lattice.attributes]),
            "unit": ("attribute", [lattice.faces.attributes[name].unit for name in lattice.attributes]),
        },
        name="embedding",
        attrs=_facts(model, size) | {"faces": lattice.faces.fingerprint, "seed": lattice.seed},
    )


def _blocks(identities: int, curves: int) -> Iterator[tuple[int, int, int]]:
    for identity in range(identities):
        for start in range(0, curves, _BLOCK):
            yield identity, start, min(start + _BLOCK, curves)


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


def _embed_images(
    images: ImageSet, model: Model, size: int, batch_size: int, progress: bool, cache: bool
) -> xr.DataArray:
    table = images.table
    out = np.full((len(table), model.card.dim), np.nan, np.float32)
    problems: dict[int, str] = {}
    with (
        tqdm(total=len(table), unit="face", desc="embed", disable=not progress) as bar,
        ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool,
    ):
        for start, stop in _picture_blocks(table["file"].tolist()):
            out[start:stop] = _picture_vectors(
                images, model, range(start, stop), size, batch_size, cache, pool, problems
            )
            bar.update(stop - start)
    kept = ~np.isnan(out).any(axis=1)
    lines = [f"{table['file'].iat[i]}: {reason}" for i, reason in sorted(problems.items())]
    if len(lines) == len(table):
        raise ValueError(f"none of {len(table)} pictures shows a usable face: {'; '.join(lines[:5])}.")
    if lines:
        message = f"{len(lines)} of {len(table)} pictures are left out: {'; '.join(lines[:3])}"
        warnings.warn(message + ("; ..." if len(lines) > 3 else "."), stacklevel=3)
    # lists, because pandas' own text columns are no numpy arrays
    columns = {str(name): ("image", np.asarray(table[name][kept].tolist())) for name in table.columns}
    facts = {"images": int(kept.sum()), "left_out": len(lines), "problems": "\n".join(lines)}
    return xr.DataArray(
        out[kept], dims=("image", "dim"), coords=columns, name="embedding", attrs=_facts(model, size) | facts
    )


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
