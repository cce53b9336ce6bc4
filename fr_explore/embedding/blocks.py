"""Blocks of faces to embeddings: from the cache, or by reading the faces and running the model at the same time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..base import cache
from ..base.cores import row_blocks
from ..faces.base import Face
from ..models.base import Model, NotFiniteError

__all__ = ["Settings", "block_rows"]


@dataclass(frozen=True)
class Settings:
    """What all blocks of a call have in common; a cluster sends it to each worker once."""

    model: Model
    fingerprint: str  # of the model at the beginning of the call
    size: int
    batch_size: int
    cache: bool

    @property
    def network(self) -> tuple[str, str]:
        """What of the network decides the numbers: a GPU rounds otherwise than a CPU, by up to a thousandth."""
        return self.fingerprint, self.model.device.type


def block_rows(
    settings: Settings, requests: Sequence[Any], read: Callable[[Any], Sequence[Face | ValueError]],
    key: str | None, about: str,
) -> tuple[np.ndarray, dict[int, str]]:  # fmt: skip
    """Embeddings (n, dim) of the requested faces, NaN for those that cannot be read, and the reasons by position.

    `read` returns faces, with a ValueError for each that cannot be read. `key` names the block in the cache (None
    without one); the list of the cache shows `about`.
    """
    model, shape = settings.model, (len(requests), settings.model.card.dim)
    vectors = cache.load(key, shape) if key else None
    if vectors is None:
        vectors = np.full(shape, np.nan, np.float32)
    todo, problems = np.flatnonzero(np.isnan(vectors).any(axis=1)).tolist(), {}
    parts = [todo[p] for p in row_blocks(len(todo), 2 * settings.batch_size)]
    with _cores_left(model):
        for some, faces in zip(parts, _ahead(read, [[requests[i] for i in part] for part in parts]), strict=True):
            found = dict(zip(some, faces, strict=True))
            good = {i: face for i, face in found.items() if isinstance(face, Face)}
            problems |= {i: str(error) for i, error in found.items() if i not in good}
            if good:
                rows, faults = _embedded(model, good, settings.batch_size)
                vectors[list(good)] = rows
                problems |= faults
    if key and len(problems) < len(todo):
        cache.store(key, vectors, {"model": model.card.name, "source": about})
    return vectors, problems


def _embedded(model: Model, faces: Mapping[int, Face], batch_size: int) -> tuple[np.ndarray, dict[int, str]]:
    """Embeddings of faces by position, NaN where the network gave no finite number, and the reason for these."""
    try:
        return model.embed(list(faces.values()), batch_size), {}
    except NotFiniteError as error:
        rows = zip(faces, error.vectors, strict=True)
        return error.vectors, {i: error.reason for i, row in rows if np.isnan(row).any()}


def _ahead(read: Callable[[Any], Any], parts: Iterable[Any]) -> Iterator[Any]:
    """read(part) for each part; reads the next part while the caller works on this one."""
    with ThreadPoolExecutor(1) as pool:
        current = None
        for part in parts:
            current, earlier = pool.submit(read, part), current
            if earlier:
                yield earlier.result()
        if current:
            yield current.result()


@contextlib.contextmanager
def _cores_left(model: Model) -> Iterator[None]:
    """Run a network on half of the cores, so that the other half can read faces.

    Threads of OpenMP that find no free core wait actively for one another: on two busy cores, two of them need six
    times the processor time of one.
    """
    import torch

    before = torch.get_num_threads()
    if model.device.type == "cpu":
        torch.set_num_threads(max(1, before // 2))
    try:
        yield
    finally:
        torch.set_num_threads(before)
