"""Build the course as static pages that need no kernel and no network; the widgets still work.

    python tools/build_site.py                   build/site, every notebook
    python tools/build_site.py --only 05 --out D  some notebooks, in another folder

nbconvert turns the committed notebooks (student version, with outputs) into HTML. Nothing is loaded from the network:
vl-convert provides Vega for the charts, formulas become MathML, and each widget becomes the page that its `to_html`
writes, for which the notebook is run once. Pages share what they have in common as files in shared/. The page of a
prediction knows the truth and scores the reader's guess. A widget without such a page keeps its picture.
"""

from __future__ import annotations

import argparse
import html
import json
import os
import re
import shutil
import string
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import nbformat
from bs4 import BeautifulSoup, NavigableString

ROOT = Path(__file__).parent.parent
PARTS = Path(__file__).parent / "site"
STILLS = ROOT / "notebooks" / "source" / "stills"
VEGA = "application/vnd.vegalite.v5+json"
PROSE = ("GLOSSARY.md", "CHEATSHEET.md", "HANDOUT.md", "ACCESSIBILITY.md")  # for readers of the notebooks
MATH = re.compile(r"\$\$(.+?)\$\$|\$(?!\s)([^$\n]+?)(?<!\s)\$", re.DOTALL)
AFTER = re.compile(r"course\.after\(\w+, (\w+)\)")  # a cell that waits for a guess
CHARTS = '<script src="assets/vega.js"></script>'
# the first cell, what is appended after each widget's cell, and the last one; underscores avoid clashes of names
BEGIN = """
from pathlib import Path as _Path
from fr_explore_widgets import Prediction as _Prediction
from fr_explore_widgets.core.page import shared_files as _shared_files
_predictions = []

def _export(widget, path):
    if isinstance(widget, _Prediction) and not widget.answered:
        return _predictions.append((widget, path))  # later cells find the truth
    if not hasattr(widget, "to_html"):
        return print("no page of its own")
    if callable(getattr(widget, "wait", None)):
        widget.wait(300)
    if hasattr(widget, "estimate"):
        widget.estimate()  # computes its bars, which a page of stored answers cannot request
    try:
        with _shared_files(_Path({shared!r})):
            widget.to_html(path)
    except (ImportError, NotImplementedError) as problem:
        print(problem)
"""
EXPORT = "_export({last}, {path!r})"
END = """
for _widget, _path in _predictions:
    _widget.skip()  # whoever skips the guess is shown the truth
    with _shared_files(_Path({shared!r})):
        _widget.fresh().to_html(_path)
"""


def export_widgets(source: Path, folder: Path) -> dict[str, str]:
    """Run a notebook and write a page for each of its widgets; return cell id -> name of the page."""
    from nbclient import NotebookClient

    notebook, pages = nbformat.read(source, as_version=4), {}
    shared = str(folder.parent / "shared")
    cells = [nbformat.v4.new_code_cell(BEGIN.format(shared=shared))]
    for cell in notebook.cells:
        cells.append(cell)
        if "widget" in cell.metadata.get("tags", []):
            name = f"{source.stem}-{cell.id}.html"
            last = shown(cell.source)
            cells.append(nbformat.v4.new_code_cell(EXPORT.format(last=last, path=str(folder / name))))
            pages[cell.id] = name
    if pages:
        cells.append(nbformat.v4.new_code_cell(END.format(shared=shared)))
        notebook.cells = cells
        NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(source.parent)}}).execute()
    return {cell: _once(folder, name) for cell, name in pages.items() if (folder / name).exists()}


def shown(source: str) -> str:
    """The widget that a cell shows, also where it waits for a guess."""
    last = source.rstrip().splitlines()[-1]
    waits = AFTER.fullmatch(last)
    return waits[1] if waits else last


def _once(folder: Path, name: str) -> str:
    """The name of a page with this content: two notebooks may show the same one."""
    page = folder / name
    for other in sorted(folder.glob("*.html")):
        if other != page and other.stat().st_size == page.stat().st_size and other.read_bytes() == page.read_bytes():
            page.unlink()
            return other.name
    return name


def with_pages(
    notebook: nbformat.NotebookNode, pages: dict[str, str], answers: Mapping[str, list[nbformat.NotebookNode]]
) -> None:
    """Replace outputs that need a notebook: charts by their specification, widgets by their page.

    What waits for a guess is folded: `answers` are the outputs of the solution, which has guessed.
    """
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        waits = "course.after(" in cell.source
        if waits:
            cell.outputs = answers.get(cell.get("id"), cell.outputs)
        if cell.get("id") in pages:
            page, title = f"widgets/{pages[cell.id]}", cell.metadata.get("alt") or "Widget"
            text = (
                f'<figure class="wide"><iframe src="{page}" title="{html.escape(title)}" loading="lazy" allow="camera">'
                "</iframe>"
                f'<figcaption><a href="{page}">Open the widget on its own page</a></figcaption></figure>'
            )
            cell.outputs = [nbformat.v4.new_output("display_data", {"text/html": text})]
        for output in cell.outputs:
            data = output.get("data", {})
            if VEGA in data:
                spec = json.dumps(data[VEGA]).replace("<", "\\u003c")
                chart = f'<div class="chart"><script type="application/json">{spec}</script></div>'
                output["data"] = {"text/html": chart}
                # otherwise nbconvert would look for the metadata of the removed output
                output["metadata"] = {}
        if waits and cell.outputs:
            text = f"<details><summary>After your guess</summary>{''.join(map(page_of, cell.outputs))}</details>"
            cell.outputs = [nbformat.v4.new_output("display_data", {"text/html": text})]


def page_of(output: nbformat.NotebookNode) -> str:
    """An output as HTML."""
    data = output.get("data", {})
    text = output.get("text") or data.get("text/plain", "")
    return data.get("text/html") or f"<pre>{html.escape(text)}</pre>"


def finish(body: str) -> str:
    """Convert formulas to MathML, and links to notebooks and texts to links to their pages."""
    from latex2mathml.converter import convert

    soup = BeautifulSoup(body, "html.parser")
    for node in list(soup.find_all(string=MATH)):
        if node.find_parent(["code", "pre", "script", "style", "textarea"]) or type(node) is not NavigableString:
            continue
        parts = MATH.split(str(node))  # text, block, inline, text, ...
        new = []
        for place in range(0, len(parts), 3):
            new.append(html.escape(parts[place]))
            if place + 1 < len(parts):
                block, inline = parts[place + 1 : place + 3]
                new.append(convert(block or inline, display="block" if block else "inline"))
        node.replace_with(BeautifulSoup("".join(new), "html.parser"))
    for link in soup.find_all("a", href=True):
        if "://" not in link["href"]:
            link["href"] = re.sub(r"^(?:\.\./)?([\w-]+)\.(ipynb|md)(?=#|$)", r"\1.html", link["href"])
    return str(soup)


def page(title: str, body: str, steps: str = "", launch: str = "") -> str:
    frame = string.Template((PARTS / "page.html").read_text(encoding="utf-8"))
    scripts = f'{CHARTS}<script src="assets/charts.js"></script>' if 'class="chart"' in body else ""
    if "<iframe" in body:
        # must run before the frames load
        body = f'<script src="assets/frames.js"></script>{body}'
    return frame.substitute(title=html.escape(title), body=body, steps=steps, launch=launch, scripts=scripts)


def notebook_body(path: Path, pages: dict[str, str]) -> str:
    from nbconvert import HTMLExporter

    notebook = nbformat.read(path, as_version=4)
    solution = path.parent / "solutions" / path.name
    solved = nbformat.read(solution, as_version=4).cells if solution.exists() else []
    with_pages(notebook, pages, {cell.id: cell.outputs for cell in solved if cell.cell_type == "code"})
    exporter = HTMLExporter(template_name="basic", exclude_input_prompt=True, exclude_output_prompt=True)
    body = exporter.from_notebook_node(notebook)[0]
    return finish(with_opening(body, path, live=any(cell.id in pages for cell in notebook.cells[1:2])))


def with_opening(body: str, path: Path, live: bool) -> str:
    """Leave out the first picture where the live widget that it shows is next; else add the one for the dark theme."""
    from front_page import dark_picture, in_both_themes

    soup = BeautifulSoup(body, "html.parser")
    if (image := soup.select_one("h1 ~ p img")) and live:
        image.decompose()
    elif image and dark_picture(path).exists():
        image.replace_with(BeautifulSoup(in_both_themes(str(image), dark_picture(path).name), "html.parser"))
    return str(soup)


def steps(paths: list[Path], place: int) -> str:
    """Links to the previous and the next notebook."""
    links = []
    for words, other in (("previous", place - 1), ("next", place + 1)):
        if 0 <= other < len(paths):
            links.append(f'<a rel="{words[:4]}" href="{paths[other].stem}.html">{words}: {title_of(paths[other])}</a>')
    return "".join(links)


def title_of(path: Path) -> str:
    cells = nbformat.read(path, as_version=4).cells
    return html.escape(next(li[2:] for cell in cells for li in cell.source.splitlines() if li.startswith("# ")))


def assets(out: Path) -> None:
    """Write the style sheet with code highlighting for both themes, Vega, and the scripts."""
    import vl_convert
    from pygments.formatters import HtmlFormatter

    (out / "assets").mkdir(parents=True, exist_ok=True)
    light = HtmlFormatter(style="default").get_style_defs(".highlight")
    dark = HtmlFormatter(style="github-dark").get_style_defs(".highlight")
    style = (PARTS / "site.css").read_text(encoding="utf-8")
    style += (
        f"{light}\n@media (prefers-color-scheme: dark) {{ {dark} }}\n.highlight {{ background: none !important; }}\n"
    )
    (out / "assets" / "site.css").write_text(style, encoding="utf-8")
    (out / "assets" / "vega.js").write_text(vl_convert.javascript_bundle(), encoding="utf-8")  # window.vegaEmbed
    for path in (PARTS / "charts.js", PARTS / "frames.js", *STILLS.glob("*-dark.png")):
        shutil.copy(path, out / "assets")
    shutil.copy(PARTS / "worker.js", out)  # its folder is what it may serve


def reference(out: Path) -> None:
    """Write the API reference, made from the docstrings, with a search that works from disk."""
    command = [sys.executable, "-m", "pdoc", "--docformat", "numpy", "-o", str(out), "fr_explore", "fr_explore_widgets"]
    subprocess.run(command, check=True)


def build(out: Path, only: str = "") -> list[Path]:
    """Write the site and return its pages."""
    sys.path.insert(0, str(ROOT / "tools"))
    from front_page import camera, cards, front, laboratory
    from launch_links import link
    from nbconvert.filters import markdown2html

    every = sorted((ROOT / "notebooks").glob("[0-9][0-9]-*.ipynb"))
    wanted = [path for path in every if path.stem.startswith(only)]
    if not wanted:
        raise SystemExit(f"no notebook begins with {only!r}: choose from {', '.join(p.stem[:2] for p in every)}.")
    assets(out)
    (out / "widgets").mkdir(exist_ok=True)
    made: list[Path] = []
    parts = laboratory(out) + camera(out)  # first: a notebook may show the camera's page too

    def write(name: str, text: str) -> None:
        made.append(out / name)
        made[-1].write_text(text, encoding="utf-8")

    for path in wanted:
        print(f"{path.stem} ...", file=sys.stderr)
        body = notebook_body(path, export_widgets(path, (out / "widgets").resolve()))
        launch = f' <a href="{link(path.relative_to(ROOT).as_posix())}">Run this notebook on Binder.</a>'
        write(f"{path.stem}.html", page(title_of(path), body, steps(wanted, wanted.index(path)), launch))
    texts = [name for name in PROSE if (ROOT / "notebooks" / name).exists()]
    for name in texts:
        body = finish(markdown2html((ROOT / "notebooks" / name).read_text(encoding="utf-8")))
        write(f"{Path(name).stem}.html", page(Path(name).stem.capitalize(), body))
    reference(out / "api")
    write("index.html", page("fr-explore: the course", front(parts, cards(wanted, out), texts)))
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "site")
    parser.add_argument("--only", default="", help="only notebooks whose name starts with this text")
    args = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    pages = build(args.out, args.only)
    size_of = [path.stat().st_size for path in args.out.rglob("*") if path.is_file()]
    print(f"{len(pages)} pages, {sum(size_of) / 1e6:.0f} MB: open {args.out / 'index.html'}")


if __name__ == "__main__":
    main()
