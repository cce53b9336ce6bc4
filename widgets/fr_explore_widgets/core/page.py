"""A widget as one HTML file that opens from disk: its module, its style, its traits, and answers computed in advance.

The same front end runs on `shared/page_model.js`, which replaces anywidget's model. A live page holds the engine,
people and networks, and its `<widget>/live.js` computes the kernel's answers. Otherwise each request gets the nearest
stored answer. Where scripts are off (JupyterLab's viewer before "Trust HTML", the preview of a mail), the page shows a
picture of the last state, its words, and what to do. Nothing is loaded from the network: the page's own policy forbids
it. Texts from files (names, labels) appear in the page only as JSON with `<` escaped or as escaped HTML, so that none
of them can end the script or become markup.
"""

from __future__ import annotations

import base64
import html
import io
import itertools
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from . import bundle
from .live import Live

__all__ = ["Offline", "Pixels", "write_page"]

_SAMPLE = 4  # answers from which the size of the page is estimated

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data: blob:;
  script-src 'unsafe-inline' 'wasm-unsafe-eval' blob:; worker-src blob:; style-src 'unsafe-inline'">
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
const still = document.querySelector(".fr-still");
still.hidden = true;
addEventListener("error", () => {{ still.hidden = false; }});
}}</script>
<script id="data" type="application/json">{data}</script>
<script type="module">
{script}
await $shared_page.openPage($widget{kernel});
</script>
</body>
</html>
"""


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
        self._places: dict[bytes, int] = {}

    def plain(self, value: Any) -> Any:
        """`value` in a form that JSON can hold."""
        if isinstance(value, Pixels):
            return {"$jpeg": self._place(value.encoded())}
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
    shell = len(_fill(title, still, files, page | {"blobs": blobs.texts})) / 1e6
    if offline.live:
        _check_size(path, shell, offline, max_megabytes, "would be about")
        inside = ", ".join(f"{what} {4e-6 * size / 3:.1f} MB" for what, size in offline.live.contents.items())
        print(f"{path.name}: about {shell:.1f} MB with {inside}.")
    answers = [blobs.plain(answer) for answer in _announced(path, offline, shell, max_megabytes)]
    text = _fill(title, still, files, page | {"answers": answers, "blobs": blobs.texts})
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


def _fill(title: str, still: str, files: str, data: Mapping[str, Any]) -> str:
    live = "live" in data
    return _PAGE.format(
        title=html.escape(title),
        still=still,
        style=bundle.style(files),
        script=bundle.page_script(files, live).replace("</script", "<\\/script"),
        kernel=", $live.createKernel" if live else "",
        data=json.dumps(data, allow_nan=False).replace("<", "\\u003c"),
    )
