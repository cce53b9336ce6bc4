"""The picture of a widget for readers without a kernel in a saved notebook, and without scripts in an exported page.

- JupyterLab prefers a widget's view to anything else in the same output, and shows "model not found" if there is no
  model. So the picture is a separate output before the view. The live view hides it (`shared/view.js`); without a live
  view, a style in the picture's output hides that message, which is text without an element.
- An untrusted notebook shows neither view nor style, but the picture.
- The picture follows the state: some seconds after the last change it is drawn again and replaces the output, as long
  as the kernel runs. So a saved notebook shows the state of a few seconds earlier.
"""

from __future__ import annotations

import base64
import html
import threading
import time
import uuid
from collections.abc import Callable

from IPython.display import DisplayHandle, display

__all__ = ["LIMIT", "StaticOutput", "still"]

LIMIT = 100_000  # bytes of the picture: 133 kB as text, so that an output stays under 150 kB
QUIET_SECONDS = 3.0  # without a change, before the picture is drawn again

_HTML = """<div class="fr-static" data-fr="{token}"><style>
.jp-OutputArea-child:has([data-fr="{token}"]) + .jp-OutputArea-child .jp-OutputArea-output:not(:has(*))
{{ display: none; }}
</style>{still} <p><em>This is the widget's last state; run the cell again for a live one.</em></p></div>"""


def still(picture: bytes, words: str) -> str:
    """The picture, a PNG or none, and the words as HTML that needs neither scripts nor a style sheet.

    On a narrow screen the picture scrolls sideways, because its text would be too small at the screen's width.
    """
    text, image = html.escape(words), ""
    if picture:
        source = f"data:image/png;base64,{base64.b64encode(picture).decode('ascii')}"
        image = f'<img alt="{text}" style="max-width: 100%; min-width: 560px" src="{source}">'
        image = f'<div style="overflow-x: auto" tabindex="0">{image}</div>'
    return f"{image}<p>{text}</p>"


class StaticOutput:
    """Shows and updates the picture of one widget; `make` returns its PNG bytes (or none) and its words."""

    def __init__(self, token: str, make: Callable[[], tuple[bytes, str]]) -> None:
        self.token, self._make = token, make
        self._handles: list[DisplayHandle] = []
        self._due: float | None = None
        self._guard = threading.Lock()

    def show(self) -> None:
        """Display the picture as an output of the current cell."""
        handle = DisplayHandle(f"fr-{uuid.uuid4().hex[:12]}")
        display(self._bundle(), raw=True, display_id=handle.display_id)
        self._handles.append(handle)

    def forget(self) -> None:
        """Stop updating: the outputs are gone from every page."""
        self._handles.clear()

    def later(self) -> None:
        """Update the picture once nothing has changed for some seconds."""
        if not self._handles:
            return
        with self._guard:
            waiting, self._due = self._due is not None, time.monotonic() + QUIET_SECONDS
        if not waiting:
            self._wait()

    def postpone(self) -> None:
        """Somebody uses the widget: a waiting update would make the page lag, so it waits again."""
        with self._guard:
            if self._due is not None:
                self._due = time.monotonic() + QUIET_SECONDS

    def _wait(self) -> None:
        with self._guard:
            left = (self._due or 0) - time.monotonic()
            if left <= 0:
                self._due = None
        if left > 0:
            timer = threading.Timer(left, self._wait)
            timer.daemon = True
            timer.start()
        elif self._handles:
            bundle = self._bundle()
            for handle in list(self._handles):
                handle.update(bundle, raw=True)

    def _bundle(self) -> dict[str, str]:
        picture, words = self._make()
        return {"text/html": _HTML.format(token=self.token, still=still(picture, words)), "text/plain": words}
