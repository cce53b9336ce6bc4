"""What other programs' pages load from a CDN, answered from this machine: require.js, html-manager, marimo, thebe."""

from __future__ import annotations

import mimetypes
import re
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

__all__ = ["PAGES", "answer", "missing"]

# `make test-hosts` unpacks the npm packages here
PAGES = Path(__file__).parents[2] / "build" / "hosts" / "pages"
_FILES: Mapping[str, Path] = {
    r"/require(\.min)?\.js": PAGES / "requirejs" / "require.js",
    r"@jupyter-widgets/html-manager@[^/]*/dist/embed-amd\.js": PAGES / "html-manager" / "dist" / "embed-amd.js",
    r"/thebe-core@[^/]*/dist/lib/thebe-core\.min\.js": PAGES / "thebe-core" / "dist" / "lib" / "thebe-core.min.js",
    r"/anywidget@[^/]*/dist/index\.js": Path(sys.prefix) / "share/jupyter/nbextensions/anywidget/index.js",
}


MARIMO = re.compile(r"/@marimo-team/frontend@[^/]*/dist/([^?]+)")


def missing() -> str | None:
    """What to do if a package is missing."""
    lacks = [path.name for path in _FILES.values() if not path.is_file()]
    return f"not unpacked: {', '.join(lacks)}. Run make test-hosts." if lacks else None


def answer(context, refused: list[str]) -> None:
    """Let pages of a browser's context reach these files and nothing else on the network; note what was `refused`."""

    def handle(route) -> None:
        url = route.request.url
        path = next((path for pattern, path in _FILES.items() if re.search(pattern, url)), None)
        if found := MARIMO.search(url):
            path = Path(metadata.distribution("marimo").locate_file("marimo/_static")) / found[1]
        if path and path.is_file():
            kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            route.fulfill(path=path, content_type=kind, headers={"Access-Control-Allow-Origin": "*"})
        else:
            refused.append(url)
            route.abort()

    context.route(re.compile(r"^https?://(?!127\.0\.0\.1)"), handle)
