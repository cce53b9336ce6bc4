"""What a widget can be turned into without a browser: tables, a picture, words, a page. The hooks that say how.

A widget of the family fills in four hooks; all may be left out, and `_words` should not be.

- `_tables() -> dict[str, DataFrame]`: what `to_csv` writes; names not indices, the main table first.
- `_words() -> str`: the present state in plain sentences: the picture's alternative text and the static fallback.
- `_picture(kept) -> rows of parts`: what `to_png` and the fallback show, see `_picture.compose`: each row a list of
  pixels (numpy array or PIL image), `Plot(...)`, text, or a pair (part, caption). With `kept=True` the picture goes
  into a saved notebook: it must show no photograph of a person, and be quick (under 0.2 s).
- `_offline(**resolution) -> Offline`: what `to_html` needs beside the traits; see `_page.Offline`. A widget that
  computes all in the browser returns `Offline()`.

They are called with the widget's lock held, from any thread. What the browser must not be told stays out of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from . import bundle
from .page import Offline, write_page
from .picture import Part, compose, png

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Exports"]

# traits of the transport, and of ipywidgets' boxes: a page has no use for them
_NOT_IN_A_PAGE = {"layout", "tabbable", "tooltip", "request", "error", "ping", "pong", "upload"}


class Exports:
    """Base of `LabWidget`: the exports that every widget has, from the hooks of the one at hand."""

    title: ClassVar[str] = ""  # heading of pictures and pages; the class's name by default
    files: ClassVar[str] = ""

    _lock: Any
    keys: Any

    def to_csv(self, path: str | Path) -> list[Path]:
        """Write what the widget shows as tables, and return the paths.

        The main table goes to `path`, each further one beside it as `<stem>-<table>.csv`.
        """
        with self._lock:
            tables = self._tables()
        target = Path(path)
        paths = []
        for place, (name, table) in enumerate(tables.items()):
            paths.append(target if not place else target.with_name(f"{target.stem}-{name}.csv"))
            table.to_csv(paths[-1], index=False)
        return paths

    def to_png(self, path: str | Path | None = None) -> Path | bytes:
        """The present state as an opaque picture, made without a browser: its bytes, or written to `path`."""
        with self._lock:
            data = png(compose(self._heading(), self._picture(kept=False)))
        if path is None:
            return data
        Path(path).write_bytes(data)
        return Path(path)

    def to_html(self, path: str | Path, *, max_megabytes: float = 15, **resolution: Any) -> Path:
        """Write one file that opens from disk, needs no network and keeps its sliders; returns its path.

        What a kernel would answer is computed beforehand on a grid; `resolution` sets the grid, see the widget's own
        documentation. The size is told before the work begins: ValueError if it would be more than `max_megabytes`,
        with what to reduce.
        """
        with self._lock:
            offline = self._offline(**resolution)
            traits = {name: getattr(self, name) for name in self.keys if self._in_a_page(name)}
            return write_page(
                Path(path),
                title=self._heading(),
                front=(bundle.script(self.files), bundle.style(self.files)),
                traits=traits,
                offline=offline,
                max_megabytes=max_megabytes,
            )

    def _heading(self) -> str:
        return self.title or type(self).__name__

    @staticmethod
    def _in_a_page(name: str) -> bool:
        return not name.startswith("_") and name not in _NOT_IN_A_PAGE

    def _tables(self) -> Mapping[str, pd.DataFrame]:
        raise NotImplementedError(f"{type(self).__name__} has no table to write: its to_png shows what it holds.")

    def _words(self) -> str:
        return f"{self._heading()}."

    def _picture(self, kept: bool) -> Sequence[Sequence[Part]]:
        return [[self._words()]]

    def _offline(self, **resolution: Any) -> Offline:
        raise NotImplementedError(f"{type(self).__name__} asks its kernel for everything: use to_png instead.")
