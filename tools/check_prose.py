"""Check the project's English: in Markdown and notebooks, and in comments, docstrings and strings of the code.

    python tools/check_prose.py [PATH ...]

Without a path it checks everything. Markdown is also checked for dead links, missing files, pictures without a text
and headings. The phrases are in `plain_english.py`; codespell (`make lint`) checks the spelling, and this tool only
that prose is British. Exit status 1 if anything is found.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import nbformat
import plain_english

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

# files that quote the phrases, and folders with files from elsewhere
_SKIPPED = {"plain_english.py", "test_prose.py", "node_modules", ".ipynb_checkpoints"}
# where no unidiomatic phrase is accepted
_PLACES = (
    *("fr_explore", "tests", "tools", "benchmarks", "notebooks"),
    *("widgets/fr_explore_widgets", "widgets/tests", "widgets/README.md"),
)
PROJECT = (*ROOT.glob("*.md"), *(ROOT / place for place in _PLACES))


def anchors(text: str) -> set[str]:
    """The anchors that a renderer gives the headings of a text."""
    names = [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for _, title in HEADING.findall(text)]
    return set(names) | {title.replace(" ", "-") for _, title in HEADING.findall(text)}


def faults(text: str, folder: Path) -> Iterator[str]:
    """The faults of one Markdown text in `folder`."""
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
                yield f"a link to a missing heading, {target}"
    for name in FILE.findall(text):
        if "NN" not in name and not ((ROOT / name).exists() or (folder / name).exists()):
            yield f"a missing file, {name}"
    yield from (f"a picture without a text, {place}" for alt, place in PICTURE.findall(bare) if not alt.strip())
    yield from (f"a picture without a text, {tag[:60]}" for tag in IMG.findall(bare) if not _has_alt(tag))
    levels = [len(marks) for marks, _ in HEADING.findall(bare)]
    if levels and (levels[0] != 1 or levels.count(1) != 1):
        yield f"headings must start with the only one of level 1; the levels are {levels}"
    yield from (f"a heading of level {b} under one of level {a}" for a, b in pairwise(levels) if b > a + 1)
    yield from (f"American spelling in prose, {word!r}" for word in sorted(set(AMERICAN.findall(QUOTED.sub("", bare)))))


def of_outputs(notebook: nbformat.NotebookNode) -> Iterator[str]:
    """Pictures in outputs without an alternative text."""
    for number, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            page = data.get("text/html", "")
            bare = [kind for kind in data if kind.startswith("image/") and not output.metadata.get(kind, {}).get("alt")]
            if any(not _has_alt(tag) for tag in IMG.findall(page)) or bare:
                yield f"cell {number} shows a picture without a text: use course.show_faces(..., alt=...)"


def everywhere() -> Iterator[tuple[str, str]]:
    """(file, fault) for every Markdown file of the repository and every notebook."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "widgets" / "README.md"]
    for path in [*pages, *sorted((ROOT / "notebooks").rglob("*.md"))]:
        if ".ipynb_checkpoints" not in path.parts:
            yield from ((str(path.relative_to(ROOT)), text) for text in faults(path.read_text("utf-8"), path.parent))
    for path in sorted((ROOT / "notebooks").rglob("*.ipynb")):
        if ".ipynb_checkpoints" not in path.parts:
            notebook = nbformat.read(path, as_version=4)
            text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
            yield from ((str(path.relative_to(ROOT)), fault) for fault in faults(text, path.parent))
            yield from ((str(path.relative_to(ROOT)), fault) for fault in of_outputs(notebook))


def english(places: Iterable[Path]) -> Iterator[tuple[str, str]]:
    """(file:line, fault) for every unidiomatic phrase in the files and folders."""
    for path in sorted({file for place in places for file in ([place] if place.is_file() else place.rglob("*"))}):
        inside = path.absolute().relative_to(ROOT)
        if path.suffix in plain_english.KINDS and path.is_file() and not _SKIPPED & {*inside.parts}:
            for line, phrase, instead in plain_english.in_file(path):
                yield f"{inside}:{line}", f"{phrase!r}: {instead}"


def main(arguments: list[str]) -> int:
    """Print everything that is found in the paths given, or in the whole repository."""
    found = [] if arguments else [*everywhere()]
    found += english([Path(text) for text in arguments] or PROJECT)
    print(*(f"{place}: {text}" for place, text in found), sep="\n", end="\n" if found else "")
    return int(bool(found))


def _has_alt(tag: str) -> bool:
    return bool(re.search(r"\balt=\"[^\"]+\"", tag))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
