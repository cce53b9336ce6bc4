"""Prose of README, docs and notebooks: links inside the repository, file names, texts for pictures, headings, words.

Spelling in general is for codespell (`make lint`); here only the choice of British spelling in prose is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import nbformat

ROOT = Path(__file__).parent.parent
CODE = re.compile(r"```.*?```|~~~.*?~~~|`[^`\n]*`|\$\$.*?\$\$|\$[^$\n]+\$", re.S)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")
IMG = re.compile(r"<img\b[^>]*>", re.I)
HEADING = re.compile(r"^(#{1,6}) +(.+?) *$", re.M)
AMERICAN = re.compile(
    r"\b(?:(?:re)?colou?r(?<!colour)\w*|neighbor\w*|gray\w*|centers?|centered|behavior\w*|(?:normal|organ|real|recogn|"
    r"summar|visual|minim|maxim|standard|general|random)iz(?:e|ed|es|ing|ation)\b|favorite|meters?|analyz\w+|"
    r"modeling|labeled|labeling|licenses\b)", re.I)  # fmt: skip
FILE = re.compile(r"`([\w.-]+/[\w./-]+\.(?:py|md|ipynb|ya?ml|toml|js|css|csv))`")
QUOTED = re.compile(r"\*[^*\n]+\*|\"[^\"\n]+\"|https?://\S+|\]\([^)]*\)")


def anchors(text: str) -> set[str]:
    """The anchors that a renderer gives the headings of a text."""
    names = [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for _, title in HEADING.findall(text)]
    return set(names) | {title.replace(" ", "-") for _, title in HEADING.findall(text)}


def faults(text: str, folder: Path) -> Iterator[str]:
    """What is wrong with one Markdown text that lies in `folder`."""
    bare = CODE.sub(lambda found: "\n" * found[0].count("\n"), text)
    for target in [*LINK.findall(bare), *(place for _, place in PICTURE.findall(bare))]:
        if re.match(r"[a-z]+:", target):
            continue
        place, _, anchor = target.partition("#")
        path = folder / place if place else None
        if path is not None and not path.exists():
            yield f"a dead link to {target}"
        elif anchor and (path is None or path.suffix == ".md"):
            there = anchors(text if path is None else path.read_text(encoding="utf-8"))
            if anchor not in there:
                yield f"a link to a heading that is not there, {target}"
    for name in FILE.findall(text):
        if "NN" not in name and not ((ROOT / name).exists() or (folder / name).exists()):
            yield f"it names a file that is not there, {name}"
    yield from (f"a picture without a text, {place}" for alt, place in PICTURE.findall(bare) if not alt.strip())
    yield from (f"a picture without a text, {tag[:60]}" for tag in IMG.findall(bare) if not _has_alt(tag))
    levels = [len(marks) for marks, _ in HEADING.findall(bare)]
    if levels and (levels[0] != 1 or levels.count(1) != 1):
        yield f"its headings must begin with the only one of level 1; they are {levels}"
    yield from (f"a heading of level {b} under one of level {a}" for a, b in pairwise(levels) if b > a + 1)
    yield from (f"American spelling in prose, {word!r}" for word in sorted(set(AMERICAN.findall(QUOTED.sub("", bare)))))


def of_outputs(notebook: nbformat.NotebookNode) -> Iterator[str]:
    """Pictures in outputs that say nothing to who cannot see them."""
    for number, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            page = data.get("text/html", "")
            if any(not _has_alt(tag) for tag in IMG.findall(page)) or any(k.startswith("image/") for k in data):
                yield f"cell {number} shows a picture without a text: course.show_faces(..., alt=...)"


def everywhere() -> Iterator[tuple[str, str]]:
    """(file, fault) over every Markdown file of the repository and every notebook."""
    pages = [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md"), ROOT / "widgets" / "README.md"]
    for path in [*pages, *sorted((ROOT / "notebooks").rglob("*.md"))]:
        if ".ipynb_checkpoints" not in path.parts:
            yield from ((str(path.relative_to(ROOT)), text) for text in faults(path.read_text("utf-8"), path.parent))
    for path in sorted((ROOT / "notebooks").rglob("*.ipynb")):
        if ".ipynb_checkpoints" not in path.parts:
            notebook = nbformat.read(path, as_version=4)
            text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
            yield from ((str(path.relative_to(ROOT)), fault) for fault in faults(text, path.parent))
            yield from ((str(path.relative_to(ROOT)), fault) for fault in of_outputs(notebook))


def _has_alt(tag: str) -> bool:
    return bool(re.search(r"\balt=\"[^\"]+\"", tag))
