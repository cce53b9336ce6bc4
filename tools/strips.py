"""A newcomer's run of each notebook as pictures: JupyterLab at two widths, in the light and in the dark theme.

    python tools/strips.py [NN ...]       .screenshots/NN-1280-light-0.png, NN-1280-dark-0.png, NN-400-light-0.png, ...

The student version runs once from top to bottom, as *Run All* does; `--guess` presses "Show me" below each question
first, so that what waits for a guess is in the pictures too. They are to be looked at, and are not committed.
Outputs that are wider than their cell are printed.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
OUT = ROOT / ".screenshots"
WIDTHS, THEMES = (1280, 400), ("Light", "Dark")
TALLEST = 6000  # px of one picture
SHOW_ME = "[data-action=skip]"
SETTLE = 1500  # ms after a change of the window or the theme
PATIENCE = 180_000  # ms for JupyterLab, on a busy machine
ALL_CELLS = {"windowingMode": "none"}  # JupyterLab otherwise draws only the cells near the visible ones
SCROLLER = "window.jupyterapp.shell.currentWidget.content.outerNode"
TOO_WIDE = """() => [...document.querySelectorAll(".jp-Notebook .jp-Cell")].flatMap((cell, number) =>
  [...cell.querySelectorAll(".jp-OutputArea-output, .jp-OutputArea-output *, .jp-MarkdownOutput")]
    .filter((e) => e.scrollWidth > e.clientWidth + 1 && ["auto", "scroll"].includes(getComputedStyle(e).overflowX))
    .map((e) => `cell ${number}: ${e.className || e.tagName}, ${e.scrollWidth} in ${e.clientWidth} px`))"""


def run(path: Path, lab: Any, browser: Any, guess: bool) -> None:
    """Run one notebook and write its pictures."""
    from lab import Notebook

    for old in OUT.glob(f"{path.stem[:2]}-*.png"):
        old.unlink()
    (lab.folder / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    with Notebook(lab, browser, path.name, width=WIDTHS[0]) as opened:
        page = opened.page
        page.set_default_timeout(PATIENCE)
        opened.run_all()
        if guess:
            page.evaluate(f"document.querySelectorAll('{SHOW_ME}').forEach((button) => button.click())")
        page.evaluate("window.jupyterapp.commands.execute('application:set-mode', { mode: 'single-document' })")
        for theme in THEMES:
            opened.change_theme(theme)
            for width in WIDTHS:
                for number, picture in enumerate(_pictures(page, width)):
                    (OUT / f"{path.stem[:2]}-{width}-{theme.lower()}-{number}.png").write_bytes(picture)
                for text in page.evaluate(TOO_WIDE):
                    print(f"  {width} px, {theme.lower()}, {text}", flush=True)


def _pictures(page: Any, width: int) -> Iterator[bytes]:
    """The notebook from top to bottom at one width of the window."""
    page.set_viewport_size({"width": width, "height": TALLEST})
    page.wait_for_timeout(SETTLE)
    x, y, wide, high, end = page.evaluate(f"""() => {{
      {SCROLLER}.scrollTop = 0;
      const {{ x, y, width, height }} = {SCROLLER}.getBoundingClientRect();
      const cells = [...document.querySelectorAll(".jp-Notebook .jp-Cell")];
      return [x, y, width, Math.floor(height), cells.at(-1).getBoundingClientRect().bottom - y];
    }}""")
    for top in range(0, int(end), high):
        short = top - page.evaluate(f"{SCROLLER}.scrollTop = {top}, {SCROLLER}.scrollTop")  # the notebook's end is near
        page.wait_for_timeout(SETTLE)
        clip = {"x": x, "y": y + short, "width": wide, "height": min(high, end - top)}
        yield page.screenshot(animations="disabled", clip=clip)


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
        settings = lab.home / "settings" / "@jupyterlab" / "notebook-extension"
        settings.mkdir(parents=True)
        (Path(home) / "benchmarks").symlink_to(ROOT / "benchmarks")  # some notebooks show its tables
        (settings / "tracker.jupyterlab-settings").write_text(json.dumps(ALL_CELLS))
        for path in wanted:
            print(path.stem, flush=True)
            run(path, lab, browser, arguments.guess)


if __name__ == "__main__":
    main()
