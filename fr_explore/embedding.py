"""The only place that runs a model over many images: lattice in, labelled embeddings out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr
from tqdm.auto import tqdm

from . import cache as _cache
from .lattice import Lattice
from .models.base import Model

__all__ = ["embed"]

# base points rendered, embedded and stored at a time: bounds memory, and is what an interruption costs at most
_BLOCK = 16


def embed(
    lattice: Lattice, model: Model, *, size: int = 160, batch_size: int = 32, progress: bool = True, cache: bool = True
) -> xr.DataArray:
    """Render every face of a lattice and embed it.

    Each base point's middle face is rendered once and shared by all attributes. Work goes in blocks, so memory
    stays flat, and each finished block is kept on disk (`cache`): a second call, or one after an interruption,
    starts where the first one ended.

    Parameters
    ----------
    size : side of the rendered pictures, in pixels, before they are aligned for the model.
    batch_size : crops that the network sees at once.
    progress : show a progress bar, counted in faces.
    cache : look the blocks up, and keep them, in the folder that `fr_explore.cache.folder()` names.

    Returns
    -------
    float32 (identity, attribute, curve, step, dim), in the model's own units. Coordinates: identity, attribute,
    step, and step_size and unit along attribute. `attrs` carry the metric and the facts of the model's card.

    >>> embed(sample_lattice(fr.Avatars(identities=3, seed=0), ["age", "hue"], curves=20), load_model("dlib")).sizes
    Frozen({'identity': 3, 'attribute': 2, 'curve': 20, 'step': 3, 'dim': 128})
    """
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
        attrs=_facts(lattice, model, size),
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
            _cache.store(key, vectors)
    return vectors


def _facts(lattice: Lattice, model: Model, size: int) -> dict[str, str | int | float]:
    """What is needed to judge and repeat the numbers, as plain values that netCDF and Zarr can hold."""
    card = model.card
    facts = {
        "metric": card.metric,
        "model": card.name,
        "model_title": card.title,
        "model_fingerprint": model.fingerprint,
        "licence": card.licence,
        "threshold_source": card.threshold_source,
        "faces": lattice.faces.fingerprint,
        "seed": lattice.seed,
        "image_size": size,
    }
    return facts if card.threshold is None else {**facts, "threshold": card.threshold}
