"""A newcomer's run of each notebook as pictures: JupyterLab at two widths, in the light and in the dark theme.

    python tools/strips.py [NN ...]       .screenshots/NN-1280-light-0.png, NN-1280-dark-0.png, NN-400-light-0.png, ...

The student version runs once from top to bottom, as *Run All* does; `--guess` presses "Show me" below each question
first, so that what waits for a guess is in the pictures too. They are to be looked at, and are not committed.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

ROOT = Path(__file__).parent.parent
OUT = ROOT / ".screenshots"
WINDOWS, THEMES = ((1280, 1000), (400, 3000)), ("Light", "Dark")  # a cell must fit into its window
SECTION = 12  # cells in one picture
SHOW_ME = "[data-action=skip]:visible"
SETTLE = 150  # ms after a cell has been scrolled to


def run(path: Path, lab: Any, browser: Any, guess: bool) -> None:
    """Run one notebook and write its pictures."""
    from lab import Notebook

    (lab.folder / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    with Notebook(lab, browser, path.name, width=WINDOWS[0][0]) as opened:
        page = opened.page
        opened.run_all()
        cells = page.evaluate("window.jupyterapp.shell.currentWidget.content.widgets.length")
        if guess:
            for number in range(cells):
                for button in _cell(page, number).locator(SHOW_ME).all():
                    button.click()
        page.evaluate("window.jupyterapp.commands.execute('application:set-mode', { mode: 'single-document' })")
        for width, height in WINDOWS:
            page.set_viewport_size({"width": width, "height": height})
            for theme in THEMES:
                opened.change_theme(theme)
                page.wait_for_timeout(4 * SETTLE)
                for first in range(0, cells, SECTION):
                    shots = [_shot(page, number) for number in range(first, min(first + SECTION, cells))]
                    name = f"{path.stem[:2]}-{width}-{theme.lower()}-{first // SECTION}.png"
                    _stacked(shots).save(OUT / name)


def _cell(page: Any, number: int) -> Any:
    """Scroll to a cell, which JupyterLab then draws."""
    page.evaluate("(i) => window.jupyterapp.shell.currentWidget.content.scrollToItem(i)", number)
    cell = page.locator(f".jp-Notebook .jp-Cell[data-windowed-list-index='{number}']")
    cell.scroll_into_view_if_needed(timeout=30_000)
    page.wait_for_timeout(SETTLE)
    return cell


def _shot(page: Any, number: int) -> Image.Image:
    return Image.open(io.BytesIO(_cell(page, number).screenshot(animations="disabled"))).convert("RGB")


def _stacked(images: list[Image.Image]) -> Image.Image:
    """The images below each other."""
    sheet = Image.new("RGB", (max(image.width for image in images), sum(image.height for image in images)))
    top = 0
    for image in images:
        sheet.paste(image, (0, top))
        top += image.height
    return sheet


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="numbers of notebooks, such as 03; all by default")
    parser.add_argument("--guess", action="store_true", help='press "Show me" below each question')
    arguments = parser.parse_args()
    every = sorted((ROOT / "notebooks").glob("[0-9][0-9]-*.ipynb"))
    wanted = [path for path in every if not arguments.names or path.stem[:2] in arguments.names]
    sys.path.insert(0, str(ROOT / "tests"))
    from lab import Lab, chromium

    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home, Lab(Path(home), Path(home) / "course") as lab, chromium() as browser:
        for path in wanted:
            print(path.stem, flush=True)
            run(path, lab, browser, arguments.guess)


if __name__ == "__main__":
    main()
