"""Build the slides of the three lesson plans from one source: reveal.js, offline, with live widgets in them.

    python tools/build_slides.py --reveal FOLDER     build/slides/one.html, two.html, four.html

notebooks/source/slides.py is in jupytext's percent format, like the notebooks. `plans=[...]` on a cell names the decks
that show it; a heading begins a slide, and a code cell shows its output on the slide before it. `zoom=1.5` on a cell
enlarges its widget, so that it fills the slide and nothing is cut. `FOLDER` is reveal.js unpacked (`make slides`
fetches it): three of its files are copied beside the slides, so that they open from disk without a network.
"""

from __future__ import annotations

import argparse
import html
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import jupytext
import nbformat
from build_site import BEGIN, END, EXPORT, finish
from nbconvert.filters import markdown2html

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "notebooks" / "source" / "slides.py"
PLANS = {"one": "one session", "two": "two sessions", "four": "four sessions"}
FILES = ("reset.css", "reveal.css", "reveal.js")
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="reveal/reset.css">
<link rel="stylesheet" href="reveal/reveal.css">
<style>
:root {{ color-scheme: light dark; --ink: light-dark(#111, #f2f2f2); --surface: light-dark(#fff, #111); }}
body {{ background: var(--surface); color: var(--ink); }}
.reveal {{ font: 34px/1.35 system-ui, sans-serif; }}
.reveal .slides {{ text-align: left; }}
.reveal :is(h1, h2) {{ margin: 0 0 .6em; font-size: 1.5em; line-height: 1.15; text-wrap: balance; }}
.reveal h1 {{ font-size: 2em; }}
.reveal :is(p, ul, ol) {{ margin: 0 0 .7em; }}
.reveal :is(ul, ol) {{ padding-left: 1.2em; }}
.reveal :is(ul, ol) > li {{ list-style: revert; }}
.reveal .frame {{ flex: 1; min-height: 0; overflow: hidden; }}
.reveal iframe {{ width: calc(100% / var(--zoom)); height: calc(100% / var(--zoom)); border: 0;
  background: var(--surface); transform: scale(var(--zoom)); transform-origin: 0 0; }}
.reveal :is(strong, b) {{ font-weight: 700; }}
.reveal :is(em, i) {{ font-style: italic; }}
.reveal .anchor-link {{ display: none; }}
.reveal .has-widget {{ display: flex; flex-direction: column; height: 712px; }}
.reveal .has-widget > :is(h2, p) {{ margin-bottom: .2em; }}
.reveal .has-widget > h2 {{ font-size: 1.1em; }}
.reveal .slide-number {{ right: auto; left: 8px; }}
.reveal figcaption {{ color: var(--ink); font-size: 20px !important; }}
.reveal math {{ font-size: 1.1em; }}
</style>
</head>
<body>
<div class="reveal"><div class="slides">
{slides}
</div></div>
<script src="reveal/reveal.js"></script>
<script>
Reveal.initialize({{ hash: true, width: 1180, height: 740, margin: 0.03, center: false, transition: "none",
  preloadIframes: false, slideNumber: "c/t" }});
</script>
</body>
</html>
"""


def plans_of(cell: nbformat.NotebookNode) -> list[str]:
    """The decks that show a cell. Raises ValueError for an unknown one."""
    found = cell.metadata.get("plans", [])
    if unknown := set(found) - set(PLANS):
        raise ValueError(f"plan {min(unknown)!r} in {SOURCE.name}: choose from {', '.join(PLANS)}.")
    return found


def run(cells: Sequence[nbformat.NotebookNode], folder: Path) -> None:
    """Run the code, and put into each cell's outputs what its slide shows: the page of a widget, or its own output."""
    from nbclient import NotebookClient

    (folder / "widgets").mkdir(parents=True, exist_ok=True)
    shared = str((folder / "shared").resolve())
    whole, pages = [nbformat.v4.new_code_cell(BEGIN.format(shared=shared))], {}
    for number, cell in enumerate(cells):
        if cell.cell_type != "code":
            continue
        whole.append(cell)
        if "widget" in cell.metadata.get("tags", []):
            name = f"widgets/slide-{number:02d}.html"
            last = cell.source.rstrip().splitlines()[-1]
            path = str((folder / name).resolve())
            whole.append(nbformat.v4.new_code_cell(EXPORT.format(last=last, path=path)))
            pages[number] = name
    notebook = nbformat.v4.new_notebook(cells=[*whole, nbformat.v4.new_code_cell(END.format(shared=shared))])
    NotebookClient(notebook, timeout=900, resources={"metadata": {"path": str(ROOT / "notebooks")}}).execute()
    for number, name in pages.items():
        if not (folder / name).exists():
            raise RuntimeError(f"slide cell {number} wrote no page for its widget: {cells[number].source[-60:]!r}")
        metadata = cells[number].metadata
        page = frame(name, metadata.get("alt", "Widget"), metadata.get("zoom", 1))
        cells[number].outputs = [nbformat.v4.new_output("display_data", {"text/html": page})]


def frame(name: str, alt: str, zoom: float) -> str:
    """The page of a widget on a slide, enlarged or reduced."""
    title = html.escape(alt, quote=True)
    return f'<div class="frame" style="--zoom: {zoom:g}"><iframe data-src="{name}" title="{title}"></iframe></div>'


def deck(cells: Sequence[nbformat.NotebookNode], plan: str) -> str:
    """The slides of one plan: a section for each heading, with the outputs of the code that follows it."""
    slides: list[list[str]] = []
    for cell in cells:
        if plan not in plans_of(cell):
            continue
        if cell.cell_type == "markdown":
            slides.append([finish(markdown2html(cell.source))])
        else:
            slides[-1] += [out["data"]["text/html"] for out in cell.outputs if "text/html" in out.get("data", {})]
    bodies = ["".join(parts) for parts in slides]
    filled = [f'<div class="has-widget">{body}</div>' if "<iframe" in body else body for body in bodies]
    return "\n".join(f"<section>{body}</section>" for body in filled)


def build(out: Path, reveal: Path) -> list[Path]:
    """Write the decks and what they need; return the decks."""
    if missing := [name for name in FILES if not (reveal / "dist" / name).is_file()]:
        raise SystemExit(f"{reveal} has no dist/{missing[0]}: `make slides` fetches and unpacks reveal.js.")
    (out / "reveal").mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copy(reveal / "dist" / name, out / "reveal")
    cells = jupytext.reads(SOURCE.read_text(encoding="utf-8"), fmt="py:percent").cells
    run(cells, out)
    made = []
    for plan, words in PLANS.items():
        made.append(out / f"{plan}.html")
        text = PAGE.format(title=f"What does a face model see? ({words})", slides=deck(cells, plan))
        made[-1].write_text(text, encoding="utf-8")
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reveal", type=Path, required=True, help="the folder of reveal.js, with dist/ in it")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "slides")
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    for path in build(options.out, options.reveal):
        print(path)


if __name__ == "__main__":
    sys.exit(main())
