"""How a notebook displays a chart without a network.

- Altair's default output is a page that loads Vega-Lite from a CDN. It is blank without internet, and this project
  promises not to contact any server.
- JupyterLab 4 includes a viewer for Vega-Lite 5; Altair 6 writes Vega-Lite 6 with that label. The charts of this
  package use nothing that differs between the two, so we send each under both labels and a front end uses the one it
  supports.
- GitHub, nbviewer, nbconvert, mail and editors without a viewer show the PNG that is beside them. It is dark on white,
  because a picture cannot follow the theme. A process of its own draws it: the memory of the JavaScript engine in
  vl-convert, about 100 MB, is then not the kernel's, and text that breaks that engine does not end the kernel.
- A renderer that you chose before importing `fr_explore.charts` stays active.
"""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
from importlib.util import find_spec

import altair as alt
from PIL import Image

__all__ = ["enable_offline_display"]

_NAME = "fr_explore"


_SCALE = 1.5  # sharp enough for a screen with small pixels, half of the bytes of twice the width
# the empty list forbids it to load anything, such as data from an address
_DRAW = f"""
import sys, vl_convert
spec = sys.stdin.buffer.read().decode()
sys.stdout.buffer.write(vl_convert.vegalite_to_png(spec, scale={_SCALE}, allowed_base_urls=[]))
"""


def _bundle(spec: dict, **metadata: object) -> tuple[dict[str, object], dict[str, object]]:
    words = _words(spec)
    data: dict[str, object] = {
        "application/vnd.vegalite.v5+json": {**spec, "$schema": "https://vega.github.io/schema/vega-lite/v5.json"},
        "application/vnd.vegalite.v6+json": spec,
        # no HTML: Altair's loads scripts from a CDN and writes names from the data into a script without escaping
        "text/plain": f"{words}\nThis front end has no viewer for charts: chart.save('chart.svg') writes a picture.",
    }
    picture = _picture(spec)
    if picture is None:
        return data, {}
    png, width, height = picture
    return {**data, "image/png": png}, {"image/png": {"width": width, "height": height, "alt": words}}


def _words(spec: dict) -> str:
    """What the chart is, in a line: its title and subtitle, or its description."""
    title = spec.get("title") or spec.get("description") or ""
    parts = [title.get("text"), title.get("subtitle")] if isinstance(title, dict) else [title]
    return ": ".join(["A chart", *(" ".join(part) if isinstance(part, list) else part for part in parts if part)])


def _picture(spec: dict) -> tuple[str, int, int] | None:
    """The chart as PNG in base64, its width and height on the page; None if it cannot be drawn without a network."""
    if find_spec("vl_convert") is None:  # there is none for Pyodide
        return None
    command = [sys.executable, "-c", _DRAW]
    text = json.dumps({**spec, "background": "white"}).encode()
    try:
        drawn = subprocess.run(command, input=text, capture_output=True, check=True, timeout=60).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    # a palette of 64 colours: a tenth of the bytes, and no difference that the eye sees in lines and letters
    image = Image.open(io.BytesIO(drawn)).convert("RGB").quantize(64, dither=Image.Dither.NONE)
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode("ascii"), round(image.width / _SCALE), round(image.height / _SCALE)


def enable_offline_display() -> None:
    """Show altair's charts in the notebook's own viewer, unless another renderer was chosen."""
    alt.renderers.register(_NAME, _bundle)
    if alt.renderers.active == "default":
        alt.renderers.enable(_NAME)
