"""Blocks of faces to embeddings: from the cache, or by reading the faces and running the model at the same time."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..base import cache
from ..base.cores import row_blocks
from ..faces.base import Face
from ..models.base import Model
from ..models.checks import NotFiniteError

__all__ = ["Block", "Settings", "embed_blocks"]


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


@dataclass(frozen=True)
class Block:
    """Requests whose embeddings are one entry of the cache, under `key` (None without one); its list shows `about`."""

    requests: Sequence[Any]
    key: str | None
    about: str


@dataclass
class _Work:
    """A block in progress: its embeddings, NaN where they are missing, and the positions to read, part by part."""

    block: Block
    vectors: np.ndarray
    parts: list[list[int]]
    problems: dict[int, str] = field(default_factory=dict)
    missing: int = 0


def embed_blocks(
    settings: Settings, blocks: Iterable[Block], read: Callable[[list[Any]], Sequence[Face | ValueError]]
) -> Iterator[tuple[np.ndarray, dict[int, str]]]:
    """For each block its embeddings (n, dim), NaN for faces that cannot be read, and the reasons by position.

    `read` returns faces, with a ValueError for each that cannot be read. It works one part ahead of the network, also
    from one block to the next.
    """
    waiting: deque[tuple[_Work, list[int], Future | None]] = deque()
    with _cores_left(settings.model), ThreadPoolExecutor(1) as pool:
        for work in (_planned(settings, block) for block in blocks):
            for part in work.parts or [[]]:
                requests = [work.block.requests[i] for i in part]
                waiting.append((work, part, pool.submit(read, requests) if part else None))
                while waiting and (waiting[0][2] is None or sum(faces is not None for *_, faces in waiting) > 1):
                    yield from _done(settings, *waiting.popleft())
        while waiting:
            yield from _done(settings, *waiting.popleft())


def _planned(settings: Settings, block: Block) -> _Work:
    shape = (len(block.requests), settings.model.card.dim)
    vectors = cache.load(block.key, shape) if block.key else None
    if vectors is None:
        vectors = np.full(shape, np.nan, np.float32)
    todo = np.flatnonzero(np.isnan(vectors).any(axis=1)).tolist()
    parts = [todo[p] for p in row_blocks(len(todo), 2 * settings.batch_size)]
    return _Work(block, vectors, parts, missing=len(todo))


def _done(
    settings: Settings, work: _Work, part: list[int], faces: Future | None
) -> Iterator[tuple[np.ndarray, dict[int, str]]]:
    """Embed a part of a block; after its last part, cache and yield the block."""
    if faces is not None:
        found = dict(zip(part, faces.result(), strict=True))
        good = {i: face for i, face in found.items() if isinstance(face, Face)}
        work.problems |= {i: str(error) for i, error in found.items() if i not in good}
        if good:
            rows, faults = _embedded(settings.model, good, settings.batch_size)
            work.vectors[list(good)] = rows
            work.problems |= faults
        if part is not work.parts[-1]:
            return
        if work.block.key and len(work.problems) < work.missing:
            about = {"model": settings.model.card.name, "source": work.block.about}
            cache.store(work.block.key, work.vectors, about)
    yield work.vectors, work.problems


def _embedded(model: Model, faces: Mapping[int, Face], batch_size: int) -> tuple[np.ndarray, dict[int, str]]:
    """Embeddings of faces by position, NaN where the network gave no finite number, and the reason for these."""
    try:
        return model.embed(list(faces.values()), batch_size), {}
    except NotFiniteError as error:
        rows = zip(faces, error.vectors, strict=True)
        return error.vectors, {i: error.reason for i, row in rows if np.isnan(row).any()}


@contextlib.contextmanager
def _cores_left(model: Model) -> Iterator[None]:
    """Run a network on half of the cores, so that the other half can read faces.

    Threads of OpenMP that find no free core wait actively for one another: on two busy cores, two of them need six
    times the processor time of one.
    """
    if model.device.type != "cpu":
        yield
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(max(1, before // 2))
    try:
        yield
    finally:
        torch.set_num_threads(before)
