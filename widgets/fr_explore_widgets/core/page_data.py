"""What a page without a kernel holds (traits, stored answers, an engine), what it shares, and how large it is."""

from __future__ import annotations

import base64
import hashlib
import io
import itertools
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from .live import Late, Live, Recurring

__all__ = [
    "SHARED", "Blobs", "Offline", "Pixels", "announce_live", "announced", "check_size", "page_data", "share",
    "shared_files",
]  # fmt: skip

_SAMPLE = 4  # answers from which the size of the page is estimated

# where pages put what they share; None: each page holds all of it
SHARED: ContextVar[Path | None] = ContextVar("shared", default=None)
_FILES = "globalThis.frExploreFiles ??= {}"


@contextmanager
def shared_files(folder: Path | None) -> Iterator[None]:
    """Meanwhile, pages do not hold their engine, people, networks and modules, but share them as files in `folder`.

    A file is named by its content. Pages and folder must stay at the same place relative to each other. None: each page
    holds everything, as outside this context.
    """
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    token = SHARED.set(folder)
    try:
        yield
    finally:
        SHARED.reset(token)


def share(text: str) -> str:
    """Write a script into the shared folder, and return its name."""
    folder = SHARED.get()
    assert folder is not None
    name = f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.js"
    if not (folder / name).exists():
        (folder / name).write_text(text, encoding="utf-8")
    return name


@dataclass(frozen=True, eq=False)
class Pixels:
    """A trait of raw RGB bytes, uint8 (h, w, 3): JPEG in the page's file, decoded before the front end reads it."""

    array: np.ndarray

    def encoded(self) -> bytes:
        out = io.BytesIO()
        Image.fromarray(self.array).save(out, "JPEG", quality=88, subsampling=0)
        return out.getvalue()


@dataclass(frozen=True)
class Offline:
    """What a page needs to work without a kernel.

    traits : overrides of the widget's own traits, for instance a `Pixels` in place of raw bytes.
    axes : what requests may set, and the values that have answers: `{"age": [20, 40, 60], "place": [0, 1]}`. A request
        sets an axis by a field of that name, in its `values` or in itself. Numbers are rounded to the nearest value.
    start : the point on the axes where the page begins; its traits show it.
    answers : pairs (point on all axes, traits of the answer), made one by one. They need not fill the grid: the page
        takes the nearest answer along the axis that moved, then along the others. A dict with a key `seq` receives
        client, seq, serial, moved and drag of the request, as from the kernel; one with a key `can`, undo and redo.
        The page itself answers `undo`, `redo` and `reset`, and reports for any other action that it has no kernel.
    count : the number of answers.
    what : the resolution in words, such as "9 steps of 5 attributes of 3 identities".
    reduce : what to change for a smaller page, such as "give fewer attributes= or steps=".
    live : the engine, people and networks, if the page computes its answers itself; its `data` may have further entries
        for `<widget>/live.js`. note : a sentence for the reader about what the page computes.
    """

    traits: Mapping[str, Any] = field(default_factory=dict)
    axes: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    start: Mapping[str, Any] = field(default_factory=dict)
    answers: Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]] = ()
    count: int = 0
    what: str = ""
    reduce: str = "give a smaller selection"
    live: Live | None = None
    note: str = ""


class Blobs:
    """The binary data of a page, each stored once: an image that recurs, such as the reference, costs nothing."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.files: list[str] = []  # those that the page shares with others
        self._places: dict[bytes, int] = {}

    def plain(self, value: Any) -> Any:
        """`value` in a form that JSON can hold."""
        if isinstance(value, Pixels):
            return {"$jpeg": self._place(value.encoded())}
        if isinstance(value, Recurring) and SHARED.get():
            key, name = self._file(value)
            return {"$file": key, "$late": name} if isinstance(value, Late) else {"$file": key}
        if isinstance(value, (bytes, bytearray, memoryview)):
            return {"$bytes": self._place(bytes(value))}
        if isinstance(value, Mapping):
            return {str(key): self.plain(one) for key, one in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.plain(one) for one in value]
        if isinstance(value, np.ndarray):
            return self.plain(value.tolist())
        if isinstance(value, np.generic):
            return self.plain(value.item())
        if isinstance(value, float) and not np.isfinite(value):
            return None  # as ipykernel sends it
        return value

    def _file(self, data: bytes) -> tuple[str, str]:
        """The key and the name of a shared file."""
        key, text = hashlib.sha256(data).hexdigest()[:16], base64.b64encode(data).decode("ascii")
        name = share(f'({_FILES})["{key}"] = "{text}";dispatchEvent(new Event("fr-file"));')
        if name not in self.files and not isinstance(data, Late):
            self.files.append(name)
        return key, name

    def _place(self, data: bytes) -> int:
        if data not in self._places:
            self._places[data] = len(self.texts)
            self.texts.append(base64.b64encode(data).decode("ascii"))
        return self._places[data]


def page_data(blobs: Blobs, traits: Mapping[str, Any], offline: Offline) -> dict[str, Any]:
    """What `shared/page_model.js` makes a model of, but for the answers."""
    kept = blobs.plain({**traits, "error": {}, **offline.traits})
    page = {"traits": kept, "axes": blobs.plain(offline.axes), "start": blobs.plain(offline.start)}
    live = {"live": blobs.plain(offline.live.data)} if offline.live else {}
    return page | live | {"note": offline.note}


def announce_live(name: str, shell: float, offline: Offline, max_megabytes: float, blobs: Blobs) -> None:
    if offline.live:
        check_size(name, shell, offline, max_megabytes, "would be about")
        parts = ", ".join(f"{what} {4e-6 * size / 3:.1f} MB" for what, size in offline.live.contents.items())
        print(f"{name}: about {shell:.1f} MB {'beside' if blobs.files else 'with'} {parts}.")


def announced(name: str, offline: Offline, shell: float, max_megabytes: float) -> Iterator[Any]:
    """The answers. After the first few, prints how large the page will be and how long it takes."""
    source, began = iter(offline.answers), time.monotonic()
    first = list(itertools.islice(source, _SAMPLE))
    if first:
        count, sample = max(offline.count, len(first)), Blobs()
        each = (len(json.dumps(sample.plain(first))) + sum(map(len, sample.texts))) / len(first) / 1e6
        seconds = (time.monotonic() - began) / len(first) * count
        check_size(name, shell + each * count, offline, max_megabytes, "would be about")
        what = f" ({offline.what})" if offline.what else ""
        print(f"{name}: {count} answers{what}, about {shell + each * count:.1f} MB, about {seconds:.0f} s.")
    yield from first
    yield from source


def check_size(name: str, size: float, offline: Offline, max_megabytes: float, verb: str) -> None:
    if size > max_megabytes:
        what = f" for {offline.what}" if offline.what else ""
        raise ValueError(
            f"{name} {verb} {size:.1f} MB{what}, more than max_megabytes={max_megabytes:g}: "
            f"{offline.reduce}, or allow more."
        )
