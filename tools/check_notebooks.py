"""Notebook hygiene: valid, no outputs or counts left in, a kernel named, cells short, no path of one machine.

    python tools/check_notebooks.py [--fix]

`--fix` removes outputs and execution counts; everything else is reported. Exit status 1 if anything is left.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import nbformat

FOLDER = Path(__file__).parent.parent / "notebooks"
LONGEST_CELL = 15
MACHINE_PATH = re.compile(r"(?<![\w/.])/(?:home|Users|root|work|tmp)/|[A-Z]:\\\\")


def problems(notebook: nbformat.NotebookNode) -> list[str]:
    found = []
    if notebook.metadata.get("kernelspec", {}).get("name") != "python3":
        found.append("its metadata must name the kernel python3, or JupyterLab asks for one")
    for number, cell in enumerate(notebook.cells):
        where = f"cell {number}: "
        if cell.cell_type == "code":
            if cell.outputs or cell.execution_count is not None:
                found.append(where + "holds outputs; run with --fix")
            if len(cell.source.splitlines()) > LONGEST_CELL:
                found.append(where + f"longer than {LONGEST_CELL} lines")
        if MACHINE_PATH.search(cell.source):
            found.append(where + "names a path of one machine")
        if not cell.source.strip():
            found.append(where + "is empty")
    return found


def strip(notebook: nbformat.NotebookNode) -> None:
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    notebook.metadata.pop("widgets", None)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fix", action="store_true", help="remove outputs and execution counts")
    fix = parser.parse_args().fix
    bad = 0
    for path in sorted(FOLDER.glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        if fix:
            strip(notebook)
            nbformat.write(notebook, path)
        for problem in problems(notebook):
            bad += 1
            print(f"{path.name}: {problem}", file=sys.stderr)
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
