"""Check the course's notebooks: format, kernel, length of cells, machine paths, and the required parts.

    python tools/check_notebooks.py

Exit status 1 if anything is found. It runs `check_prose.py` too. `build_notebooks.py --check` checks whether the
notebooks are in step with their sources.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import check_prose
import nbformat
from spoilers import spoilers

FOLDER = Path(__file__).parent.parent / "notebooks"
LONGEST_CELL = 15
WIDEST = 112  # characters per line of code: longer lines are cut off in a window 1200 px wide
WORDS, LINES = 150, 30  # of text and of code that a student reads in a minute
LARGEST = 600_000  # bytes, outputs included
MACHINE_PATH = re.compile(r"(?<![\w/.])/(?:home|Users|root|work|tmp)/|[A-Z]:\\\\")
TIME = re.compile(r"^\*About (\d+) minutes(?:, and (\d+) more for the optional part)?\. Before this: .+\*$", re.M)
OPTIONAL = re.compile(r"^## \d+\. If there is time: ")
FIRST = re.compile(r"!\[.{20,}\]\(attachment:first\.png\)")
LIVE = "application/vnd.jupyter.widget-view+json"


def problems(notebook: nbformat.NotebookNode) -> list[str]:
    """The faults of one notebook."""
    found = []
    if notebook.metadata.get("kernelspec", {}).get("name") != "python3":
        found.append("its metadata must name the kernel python3, or JupyterLab will ask for one")
    for number, cell in enumerate(notebook.cells):
        where = f"cell {number}: "
        if cell.cell_type == "code":
            found += [where + text for text in _of_code(cell)]
        if MACHINE_PATH.search(cell.source) or MACHINE_PATH.search(str(cell.get("outputs", ""))):
            found.append(where + "contains a path of one machine")
        if not cell.source.strip():
            found.append(where + "is empty")
    return found


def _of_code(cell: nbformat.NotebookNode) -> list[str]:
    found = []
    if cell.execution_count is not None:
        found.append("has an execution count")
    if any(output.output_type == "error" for output in cell.outputs):
        found.append("ended in an error")
    if any(LIVE in output.get("data", {}) for output in cell.outputs):
        found.append("contains a live widget, which cannot be opened; use a picture")
    if len(cell.source.splitlines()) > LONGEST_CELL:
        found.append(f"is longer than {LONGEST_CELL} lines")
    if wide := [line for line in cell.source.splitlines() if len(line) > WIDEST]:
        found.append(f"has a line of {len(wide[0])} characters, more than {WIDEST}: {wide[0].strip()[:40]}")
    shown = [output.get("data", {}) for output in cell.outputs]
    if any("image/png" not in data for data in shown if any("vegalite" in kind for kind in data)):
        found.append("has a chart without a picture, which GitHub and mail cannot show; run it again")
    tags = cell.metadata.get("tags", [])
    pages = [output.get("data", {}).get("text/html", "") for output in cell.outputs]
    if "widget" in tags and not any("<img" in page or "a live widget appears here" in page for page in pages):
        found.append("shows a widget but has neither its picture nor a description")
    return found


def minutes(cells: Sequence[nbformat.NotebookNode]) -> int:
    """How long a student alone needs: reading, code, 7 minutes for each exercise and 3 for each widget, in fives."""
    prose = sum(len(cell.source.split()) for cell in cells if cell.cell_type == "markdown")
    lines = sum(len(cell.source.splitlines()) for cell in cells if cell.cell_type == "code")
    tags = [tag for cell in cells for tag in cell.metadata.get("tags", [])]
    alone = prose / WORDS + lines / LINES + 7 * tags.count("exercise") + 3 * tags.count("widget")
    return 5 * math.ceil(alone / 5)


def too_hasty(notebook: nbformat.NotebookNode) -> list[str]:
    """Whether a student notebook promises other times than it takes, for all of it or before and after `OPTIONAL`."""
    said = TIME.search(notebook.cells[0].source)
    starts = [number for number, cell in enumerate(notebook.cells) if OPTIONAL.match(cell.source)]
    end = starts[0] if starts else len(notebook.cells) - 1
    parts = [[*notebook.cells[:end], notebook.cells[-1]], notebook.cells[end:-1]]
    wanted = " and ".join(str(minutes(part)) for part in parts if part)
    given = " and ".join(filter(None, said.groups())) if said else wanted
    return [f"says {given} minutes and takes about {wanted}"] if given != wanted else []


def lacks(notebook: nbformat.NotebookNode) -> list[str]:
    """The required parts that this notebook lacks."""
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    last = notebook.cells[-1].source
    wanted = {
        "a title '# N. ...' first": re.match(r"# \d+\. ", notebook.cells[0].source),
        "a line '*About NN minutes. Before this: ...*'": re.search(TIME, text),
        "a picture with its words above the first code cell": FIRST.search(notebook.cells[0].source)
        and notebook.cells[1].cell_type == "code",
        "a list of objectives after 'You will'": re.search(r"^You will\n\n- ", text, re.M),
        "a prediction": "Prediction(" in code,
        "a second widget": sum("widget" in cell.metadata.get("tags", []) for cell in notebook.cells) >= 2,
        "two exercises": sum("exercise" in cell.metadata.get("tags", []) for cell in notebook.cells) >= 2,
        "a check for each exercise": code.count("course.check(")
        == sum("exercise" in cell.metadata.get("tags", []) for cell in notebook.cells),
        "a last section '## Take away' with references": last.startswith("## Take away") and "](http" in last,
    }  # fmt: skip
    return [f"lacks {what}" for what, there in wanted.items() if not there]


def main() -> int:
    prose = [*check_prose.everywhere(), *check_prose.english(check_prose.PROJECT)]
    found = [f"{place}: {text}" for place, text in prose]
    for path in sorted([*FOLDER.glob("*.ipynb"), *(FOLDER / "solutions").glob("*.ipynb")]):
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        texts = problems(notebook) + lacks(notebook)
        if path.parent == FOLDER:  # the solutions have guessed
            texts += [*spoilers(notebook.cells), *too_hasty(notebook)]
        if path.stat().st_size > LARGEST:
            texts.append(f"{path.stat().st_size / 1e6:.1f} MB: reduce its outputs to at most {LARGEST / 1e3:.0f} kB")
        found += [f"{path.relative_to(FOLDER.parent)}: {text}" for text in texts]
    print("\n".join(found), file=sys.stderr) if found else None
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
