"""A widget as one HTML file that opens from disk: its module, its style, its traits, and answers computed in advance.

The same front end runs on `shared/page_model.js`, which replaces anywidget's model. A live page holds the engine,
people and networks, and its `<widget>/live.js` computes the kernel's answers. Otherwise each request gets the nearest
stored answer. Where scripts are off (JupyterLab's viewer before "Trust HTML", the preview of a mail), the page shows a
picture of the last state, its words, and what to do. Nothing is loaded from the network: the page's own policy forbids
it. Pages of one site share their engine, people, networks and modules as script files (`shared_files`), which browsers
load from a folder as well as from a server. Texts from files (names, labels) appear in the page only as JSON with `<`
escaped or as escaped HTML, so that none of them can end the script or become markup.
"""

from __future__ import annotations

import base64
import hashlib
import html
import io
import itertools
import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from . import bundle
from .live import Late, Live, Recurring

__all__ = ["Offline", "Pixels", "shared_files", "write_page"]

_SAMPLE = 4  # answers from which the size of the page is estimated

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data: blob:;
  script-src {own}'unsafe-inline' 'wasm-unsafe-eval' blob:; worker-src blob:; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ margin: 0 auto; max-width: 1200px; background: #fff; }}
@media (prefers-color-scheme: dark) {{ body {{ background: #111; }} }}
.fr-still {{ padding: 1em; font: 16px/1.5 system-ui, sans-serif; }}
.fr-page {{ padding: 0 16px 12px; color: #555; font: 13px/1.5 system-ui, sans-serif; }}
@media (prefers-color-scheme: dark) {{ .fr-page {{ color: #aaa; }} }}
.fr-page > * {{ margin: 0 8px 4px 0; font: inherit; }}
.fr-page button {{ color: inherit; background: none; border: 1px solid; border-radius: 4px; padding: 4px 8px; }}
.fr-page input {{ width: min(30em, 100%); box-sizing: border-box; }}
@media print {{ body {{ background: #fff; }} .fr-page button {{ display: none; }} }}
{style}
</style>
</head>
<body>
<main id="widget" aria-label="{title}"><div class="fr-still">
<p><strong>This is a picture of the last state, because scripts are off here.</strong> For the live page, open
the file in a web browser, or click “Trust HTML” in JupyterLab.</p>
{still}
</div></main>
<footer class="fr-page"></footer>
<script>{{
const words = document.querySelector(".fr-still p");
words.hidden = true;
addEventListener("error", () => {{ words.hidden = false; }});
addEventListener("fr-missing", () => {{
words.hidden = false;
words.textContent = "This is a picture of the last state, because a file is missing: keep the site's folders together.";
}});
}}</script>
<script id="data" type="application/json">{data}</script>
{scripts}
</body>
</html>
"""

# where pages put what they share; None: each page holds all of it
_SHARED: ContextVar[Path | None] = ContextVar("shared", default=None)
_FILES = "globalThis.frExploreFiles ??= {}"


@contextmanager
def shared_files(folder: Path | None) -> Iterator[None]:
    """Meanwhile, pages do not hold their engine, people, networks and modules, but share them as files in `folder`.

    A file is named by its content. Pages and folder must stay at the same place relative to each other. None: each page
    holds everything, as outside this context.
    """
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    token = _SHARED.set(folder)
    try:
        yield
    finally:
        _SHARED.reset(token)


def _share(text: str) -> str:
    """Write a script into the shared folder, and return its name."""
    folder = _SHARED.get()
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


class _Blobs:
    """The binary data of a page, each stored once: an image that recurs, such as the reference, costs nothing."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.files: list[str] = []  # those that the page shares with others
        self._places: dict[bytes, int] = {}

    def plain(self, value: Any) -> Any:
        """`value` in a form that JSON can hold."""
        if isinstance(value, Pixels):
            return {"$jpeg": self._place(value.encoded())}
        if isinstance(value, Recurring) and _SHARED.get():
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
        name = _share(f'({_FILES})["{key}"] = "{text}";dispatchEvent(new Event("fr-file"));')
        if name not in self.files and not isinstance(data, Late):
            self.files.append(name)
        return key, name

    def _place(self, data: bytes) -> int:
        if data not in self._places:
            self._places[data] = len(self.texts)
            self.texts.append(base64.b64encode(data).decode("ascii"))
        return self._places[data]


def write_page(
    path: Path,
    *,
    title: str,
    still: str,
    files: str,
    traits: Mapping[str, Any],
    offline: Offline,
    max_megabytes: float,
) -> Path:
    """Write the page of the front end in the folder `files`; return its path. ValueError above `max_megabytes`.

    still : what the page shows where scripts are off, as HTML.
    """
    blobs = _Blobs()
    kept = blobs.plain({**traits, "error": {}, **offline.traits})
    page = {"traits": kept, "axes": blobs.plain(offline.axes), "start": blobs.plain(offline.start)}
    page |= {"note": offline.note}
    if offline.live:
        page["live"] = blobs.plain(offline.live.data)
    inside = _Inside(title, still, files, path, blobs)
    shell = len(inside.page(page)) / 1e6
    if offline.live:
        _check_size(path, shell, offline, max_megabytes, "would be about")
        parts = ", ".join(f"{what} {4e-6 * size / 3:.1f} MB" for what, size in offline.live.contents.items())
        print(f"{path.name}: about {shell:.1f} MB {'beside' if blobs.files else 'with'} {parts}.")
    answers = [blobs.plain(answer) for answer in _announced(path, offline, shell, max_megabytes)]
    text = inside.page(page | {"answers": answers})
    _check_size(path, len(text.encode()) / 1e6, offline, max_megabytes, "is")
    path.write_text(text, encoding="utf-8")
    return path


def _announced(path: Path, offline: Offline, shell: float, max_megabytes: float) -> Iterator[Any]:
    """The answers. After the first few, prints how large the page will be and how long it takes."""
    source, began = iter(offline.answers), time.monotonic()
    first = list(itertools.islice(source, _SAMPLE))
    if first:
        count, sample = max(offline.count, len(first)), _Blobs()
        each = (len(json.dumps(sample.plain(first))) + sum(map(len, sample.texts))) / len(first) / 1e6
        seconds = (time.monotonic() - began) / len(first) * count
        _check_size(path, shell + each * count, offline, max_megabytes, "would be about")
        what = f" ({offline.what})" if offline.what else ""
        print(f"{path.name}: {count} answers{what}, about {shell + each * count:.1f} MB, about {seconds:.0f} s.")
    yield from first
    yield from source


def _check_size(path: Path, size: float, offline: Offline, max_megabytes: float, verb: str) -> None:
    if size > max_megabytes:
        what = f" for {offline.what}" if offline.what else ""
        raise ValueError(
            f"{path.name} {verb} {size:.1f} MB{what}, more than max_megabytes={max_megabytes:g}: "
            f"{offline.reduce}, or allow more."
        )


@dataclass(frozen=True)
class _Inside:
    """What stays the same while the data of a page grows."""

    title: str
    still: str
    files: str
    path: Path
    blobs: _Blobs

    def page(self, data: Mapping[str, Any]) -> str:
        return _PAGE.format(
            title=html.escape(self.title),
            still=self.still,
            style=bundle.style(self.files),
            own="'self' file: " if _SHARED.get() else "",
            scripts=self._scripts("live" in data),
            data=json.dumps({**data, "blobs": self.blobs.texts}, allow_nan=False).replace("<", "\\u003c"),
        )

    def _scripts(self, live: bool) -> str:
        kernel = ", $live.createKernel" if live else ""
        script = f"{bundle.page_script(self.files, live)}\nawait $shared_page.openPage($widget{kernel});\n"
        if not (folder := _SHARED.get()):
            script = script.replace("</script", "<\\/script")
            return f'<script type="module">\n{script}</script>'
        # a classic script, because browsers refuse modules from a folder; `defer`: after the page's own data
        module = _share(f'(async () => {{"use strict";\n{script}}})();')
        base = Path(os.path.relpath(folder, self.path.parent)).as_posix()
        missing = "window.dispatchEvent(new Event('fr-missing'))"
        waiting = [f'<script async src="{base}/{name}" onerror="{missing}"></script>' for name in self.blobs.files]
        return "\n".join([f'<script defer src="{base}/{module}" onerror="{missing}"></script>', *waiting])
