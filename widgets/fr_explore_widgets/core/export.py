"""What every widget exports without a browser: tables, an image, words, a page; and the hooks for subclasses.

A widget implements up to four hooks; all may be omitted, but `_words` should not be.

- `_tables() -> dict[str, DataFrame]`: what `to_csv` writes; names, not indices; the main table first.
- `_words() -> str`: the current state in plain sentences, for the image's alternative text and the saved notebook.
- `_picture(kept) -> rows of parts`: what `to_png` and the saved notebook show, see `picture.compose`. Each row is a
  list of pixels (numpy array or PIL image), `Plot(...)`, text, or pairs (part, caption). With `kept=True` the image
  goes into a saved notebook: it must show no photograph of a person, and take less than 0.2 s.
- `_offline(**resolution) -> Offline`: what `to_html` needs in addition to the traits, see `page.Offline`. A widget that
  computes everything in the browser returns `Offline()`.

The hooks are called with the widget's lock held, from any thread. They must not return what the browser must not see.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from fr_explore.base.paths import as_path

from .page import Offline, page_module, write_page
from .picture import Part, compose, png, small_png
from .snapshot import still

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Exports"]

# traits for requests to the kernel and of ipywidgets' boxes, which a page does not use
_NOT_IN_A_PAGE = {"layout", "tabbable", "tooltip", "request", "error", "ping", "pong", "upload"}
_STILL = 200_000  # bytes of a page's picture


class Exports:
    """Base class of `LabWidget`: the exports that every widget has, built from the hooks of its class."""

    title: ClassVar[str] = ""  # heading of images and pages; the name of the class by default
    files: ClassVar[str] = ""

    _lock: Any
    _private: bool
    _page: Any
    _page_id: Any
    keys: Any

    def to_csv(self, path: str | Path) -> list[Path]:
        """Write what the widget shows as tables, and return the paths.

        The main table goes to `path`, the others next to it as `<stem>-<table>.csv`.
        """
        with self._lock:
            tables = self._tables()
        target = as_path(path)
        paths = []
        for place, (name, table) in enumerate(tables.items()):
            paths.append(target if not place else target.with_name(f"{target.stem}-{name}.csv"))
            table.to_csv(paths[-1], index=False)
        return paths

    def to_png(self, path: str | Path | None = None) -> Path | bytes:
        """The current state as an opaque PNG, drawn without a browser: its bytes, or written to `path`."""
        with self._lock:
            data = png(compose(self._heading(), self._picture(kept=False)))
        if path is None:
            return data
        target = as_path(path)
        target.write_bytes(data)
        return target

    def to_html(self, path: str | Path, *, max_megabytes: float = 20, **resolution: Any) -> Path:
        """Write one file that opens from disk, needs no network and has working sliders; return its path.

        Where scripts are off, it shows the image of `to_png` and says what to do.

        Where the faces and the models can run in a page, the page is live: it holds them, and computes what the kernel
        would. Otherwise the kernel's answers are computed in advance on a grid. `resolution` sets the precision and the
        grid; each widget documents its own. The expected size and what takes it are printed first; ValueError with what
        to reduce if it exceeds `max_megabytes`.
        """
        with self._lock:
            offline = self._offline(**resolution)
            return write_page(
                as_path(path),
                title=self._heading(),
                still=still(small_png(compose(self._heading(), self._picture(kept=False)), _STILL), self._words()),
                files=self.files,
                traits=self._traits_of_a_page(),
                offline=offline,
                max_megabytes=max_megabytes,
            )

    def keep_live(self, *, max_megabytes: float = 20, **resolution: Any) -> None:
        """Keep the page of `to_html` in the widget's saved state, so that it is live where there is no kernel.

        Call it before a notebook with its widgets is saved for `nbconvert --to html`, Jupyter Book or marimo's
        `export html`, and before `ipywidgets.embed.embed_minimal_html`. The page then begins with the widget's last
        state. Nobody gets these megabytes without asking, because each copy of the notebook would hold them.
        `resolution`, the printed size and the errors are those of `to_html`. ValueError for photographs of people:
        a saved state holds none.
        """
        if self._private:
            raise ValueError(
                f"{self._heading()} shows photographs, and a saved state holds none of them: to publish them, write "
                "a file with to_html."
            )
        with self._lock:
            module, key = page_module(
                name=f"the saved state of {self._heading()}",
                files=self.files,
                traits=self._traits_of_a_page(),
                offline=self._offline(**resolution),
                max_megabytes=max_megabytes,
            )
            self._page, self._page_id = module, key

    def _traits_of_a_page(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.keys if self._in_a_page(name)}

    def _heading(self) -> str:
        return self.title or type(self).__name__

    @staticmethod
    def _in_a_page(name: str) -> bool:
        return not name.startswith("_") and name not in _NOT_IN_A_PAGE

    def _tables(self) -> Mapping[str, pd.DataFrame]:
        raise NotImplementedError(f"{type(self).__name__} has no table to write: use to_png to save what it shows.")

    def _words(self) -> str:
        return f"{self._heading()}."

    def _picture(self, kept: bool) -> Sequence[Sequence[Part]]:
        return [[self._words()]]

    def _offline(self, **resolution: Any) -> Offline:
        raise NotImplementedError(f"{type(self).__name__} needs a kernel: use to_png instead.")
