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

import html
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import bundle
from .page_data import (
    SHARED,
    Blobs,
    Offline,
    Pixels,
    announce_live,
    announced,
    check_size,
    page_data,
    share,
    shared_files,
)

__all__ = ["Offline", "Pixels", "page_module", "shared_files", "write_page"]

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
    blobs = Blobs()
    page = page_data(blobs, traits, offline)
    inside = _Inside(title, still, files, path, blobs)
    shell = len(inside.page(page)) / 1e6
    announce_live(path.name, shell, offline, max_megabytes, blobs)
    answers = [blobs.plain(answer) for answer in announced(path.name, offline, shell, max_megabytes)]
    text = inside.page(page | {"answers": answers})
    check_size(path.name, len(text.encode()) / 1e6, offline, max_megabytes, "is")
    path.write_text(text, encoding="utf-8")
    return path


def page_module(
    *, name: str, files: str, traits: Mapping[str, Any], offline: Offline, max_megabytes: float
) -> tuple[bytes, str]:
    """The page of a front end as one compressed module, for the state of its widget (`LOADER` in bundle.py), and a key.

    It holds everything, also within `shared_files`. Sizes are those in a notebook, whose bytes are base64.
    """
    with shared_files(None):
        blobs = Blobs()
        page = page_data(blobs, traits, offline)
        shell = (len(json.dumps(page)) + sum(map(len, blobs.texts))) / 1e6
        announce_live(name, shell, offline, max_megabytes, blobs)
        page["answers"] = [blobs.plain(answer) for answer in announced(name, offline, shell, max_megabytes)]
    data = json.dumps({**page, "blobs": blobs.texts}, allow_nan=False)
    kernel = "$live.createKernel" if "live" in page else "undefined"
    text = (
        f"{bundle.style_module(files)}{bundle.page_script(files, 'live' in page)}\nconst $data = {data};\n"
        f"export const kept = (state) => $shared_page.keptModel($data, state, {kernel});\nexport default $widget;\n"
    )
    packed, key = bundle.compressed(text)
    check_size(name, len(packed) * 4e-6 / 3, offline, max_megabytes, "is")
    return packed, key


@dataclass(frozen=True)
class _Inside:
    """What stays the same while the data of a page grows."""

    title: str
    still: str
    files: str
    path: Path
    blobs: Blobs

    def page(self, data: Mapping[str, Any]) -> str:
        return _PAGE.format(
            title=html.escape(self.title),
            still=self.still,
            style=bundle.style(self.files),
            own="'self' file: " if SHARED.get() else "",
            scripts=self._scripts("live" in data),
            data=json.dumps({**data, "blobs": self.blobs.texts}, allow_nan=False).replace("<", "\\u003c"),
        )

    def _scripts(self, live: bool) -> str:
        kernel = ", $live.createKernel" if live else ""
        script = f"{bundle.page_script(self.files, live)}\nawait $shared_page.openPage($widget{kernel});\n"
        if not (folder := SHARED.get()):
            script = script.replace("</script", "<\\/script")
            return f'<script type="module">\n{script}</script>'
        # a classic script, because browsers refuse modules from a folder; `defer`: after the page's own data
        module = share(f'(async () => {{"use strict";\n{script}}})();')
        base = Path(os.path.relpath(folder, self.path.parent)).as_posix()
        missing = "window.dispatchEvent(new Event('fr-missing'))"
        waiting = [f'<script async src="{base}/{name}" onerror="{missing}"></script>' for name in self.blobs.files]
        return "\n".join([f'<script defer src="{base}/{module}" onerror="{missing}"></script>', *waiting])
