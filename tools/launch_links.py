"""Links that open a notebook on Binder, and their table in README.

    python tools/launch_links.py           print the table
    python tools/launch_links.py --fix     write it into README.md, between two markers

The links name a tag, so a class has the same course all term.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from urllib.parse import quote

import nbformat

ROOT = Path(__file__).parent.parent
FIRST, LAST = "<!-- launch links: tools/launch_links.py --fix -->", "<!-- end of launch links -->"
BADGE = "https://mybinder.org/badge_logo.svg"


def link(path: str, root: Path = ROOT) -> str:
    """The link that opens `path`, a file of the repository, in JupyterLab on Binder.

    Repository and tag are read from pyproject.toml: [project.urls] Repository, and "v" before the version.
    """
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    owner, name = project["urls"]["Repository"].rstrip("/").split("/")[-2:]
    # quoted twice: for JupyterLab's address, then for Binder's
    inside = f"lab/tree/{quote(path)}"
    return f"https://mybinder.org/v2/gh/{owner}/{name}/v{project['version']}?urlpath={quote(inside, safe='')}"


def notebooks(root: Path = ROOT) -> dict[str, str]:
    """Path in the repository -> title of each notebook of the course, in order."""
    found = {}
    for path in sorted((root / "notebooks").glob("[0-9][0-9]-*.ipynb")):
        cells = nbformat.read(path, as_version=4).cells
        title = next(line for cell in cells for line in cell.source.splitlines() if line.startswith("# "))
        found[path.relative_to(root).as_posix()] = title.removeprefix("# ")
    return found


def table(root: Path = ROOT) -> str:
    """README's section: the badge, which opens the first notebook, and a row for each notebook."""
    found = notebooks(root)
    first = next(iter(found))
    rows = [f"| [{title}]({path}) | [open]({link(path, root)}) |" for path, title in found.items()]
    badge = f"[![Open the laboratory on Binder]({BADGE})]({link(first, root)})"
    return "\n".join([FIRST, badge, "", "| notebook | on Binder |", "|---|---|", *rows, LAST])


def with_table(text: str, root: Path = ROOT) -> str:
    """README's text with the current table between its markers; ValueError if a marker is missing."""
    before, first, rest = text.partition(FIRST)
    _, last, after = rest.partition(LAST)
    if not (first and last):
        raise ValueError(f"README.md lacks the markers {FIRST!r} and {LAST!r}: insert them where the table belongs.")
    return before + table(root) + after


def main() -> None:
    readme = ROOT / "README.md"
    if "--fix" in sys.argv[1:]:
        readme.write_text(with_table(readme.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        print(table())


if __name__ == "__main__":
    main()
