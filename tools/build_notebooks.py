"""Build the course's notebooks from their sources: a student and a solution version of each.

    python tools/build_notebooks.py [NAME ...]      builds; runs a notebook if its code has changed
    python tools/build_notebooks.py --run [NAME ...] runs them all the same, after a change of the library's outputs
    python tools/build_notebooks.py --check         builds nothing; lists committed notebooks that are out of step

notebooks/source/NN-name.py (jupytext percent) -> notebooks/NN-name.ipynb and notebooks/solutions/NN-name.ipynb. A run
takes pictures of the widgets in Chromium (`stills.py`).
notebooks/source/README.md explains how to write a source.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import html
import io
import os
import re
import sys
import tempfile
import time
import tokenize
from pathlib import Path

import build_site
import jupytext
import nbformat
import stills

FOLDER = Path(__file__).parent.parent / "notebooks"
KERNEL = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
BEGIN = re.compile(r"^(?P<indent> *)# BEGIN SOLUTION: (?P<text>.+)$")
END = re.compile(r"^ *# END SOLUTION$")
# a link to a file in the notebooks' folder, which the solutions must change to ../
LINK = re.compile(r"(\]\()(?!\.\.|#|[a-z]+:|[^)]*\.ipynb)([^)\s]+)")
FIRST = "](attachment:first.png)"  # the picture with which a notebook opens
WIDGET = "application/vnd.jupyter.widget-view+json"
# JupyterLab displays version 5; the same chart as version 6 would only double the file
TWIN = "application/vnd.vegalite.v6+json"
PEAK = "import resource\nprint(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"  # kB


def stub(source: str) -> str:
    """An exercise cell without its solution.

    In a function, the marked lines become `raise NotImplementedError(text)`; at the top level, each `name = value`
    between the marks becomes `name = ...`.
    """
    out, inside = [], None
    for line in source.splitlines():
        if begin := BEGIN.match(line):
            inside = begin
            if begin["indent"]:
                text = f'"{begin["text"]}"'
                if len(text) > 80:  # no horizontal scrolling
                    text = f"\n{begin['indent']}    {text}\n{begin['indent']}"
                out.append(f"{begin['indent']}raise NotImplementedError({text})")
        elif END.match(line):
            inside = None
        elif inside is None:
            out.append(line)
        elif not inside["indent"]:
            name, equals, _ = line.partition(" = ")
            if not (equals and name.isidentifier()):
                raise ValueError(f"{line!r}: outside a function, a solution must consist of lines `name = value`.")
            out.append(f"{name} = ...  # {inside['text']}")
    if inside is not None:
        raise ValueError(f"a solution has no END SOLUTION: {inside['text']}")
    return "\n".join(out)


def shown(source: str) -> str:
    """An exercise cell with its solution, without the marks."""
    return "\n".join(line for line in source.splitlines() if not (BEGIN.match(line) or END.match(line)))


def tags(cell: nbformat.NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


def versions(path: Path) -> dict[str, nbformat.NotebookNode]:
    """The student and the solution version of one source, without outputs."""
    cells = jupytext.reads(path.read_text(encoding="utf-8"), fmt="py:percent").cells
    made = {}
    for version in ("student", "solution"):
        notebook = nbformat.v4.new_notebook(metadata={"kernelspec": KERNEL, "language_info": {"name": "python"}})
        for number, cell in enumerate(cells):
            if version == "student" and "solution" in tags(cell):
                continue
            make = nbformat.v4.new_markdown_cell if cell.cell_type == "markdown" else nbformat.v4.new_code_cell
            text = cell.source
            if "exercise" in tags(cell):
                text = stub(text) if version == "student" else shown(text)
            elif version == "solution" and cell.cell_type == "markdown":
                text = LINK.sub(r"\1../\2", text)
            kept = {key: cell.metadata[key] for key in ("tags", "alt") if key in cell.metadata}
            notebook.cells.append(make(text, id=f"{path.stem[3:]}-{number:02d}"[-64:], metadata=kept))
            if FIRST in text:
                picture = (stills.FOLDER / f"{path.stem[:2]}.png").read_bytes()
                notebook.cells[-1].attachments = {"first.png": {"image/png": base64.b64encode(picture).decode()}}
        notebook.metadata["course"] = {"source": f"notebooks/source/{path.name}", "version": version}
        made[version] = notebook
    return made


def code_digest(notebook: nbformat.NotebookNode) -> str:
    """A hash of what determines a notebook's outputs: its code, regardless of comments and empty lines.

    It is a hash of text, because a syntax tree's text differs between versions of Python.
    """
    code = [without_comments(cell.source) for cell in notebook.cells if cell.cell_type == "code"]
    return hashlib.sha256("\n\n".join(code).encode()).hexdigest()[:16]


def without_comments(code: str) -> str:
    """The lines of code that are neither empty nor a comment, without comments at their ends."""
    lines = code.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    return "\n".join(line.rstrip() for line in lines if line.strip())


def target(path: Path, version: str) -> Path:
    return FOLDER / f"{path.stem}.ipynb" if version == "student" else FOLDER / "solutions" / f"{path.stem}.ipynb"


def run(notebook: nbformat.NotebookNode) -> tuple[float, float]:
    """Execute a notebook in place, with one thread; return seconds and the kernel's peak memory in MB."""
    from nbclient import NotebookClient

    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    notebook.cells.append(nbformat.v4.new_code_cell(PEAK))
    client = NotebookClient(
        notebook, timeout=600, store_widget_state=False, record_timing=False, resources={"metadata": {"path": FOLDER}}
    )
    start = time.monotonic()
    try:
        client.execute()
    finally:
        last = notebook.cells.pop()
        notebook.metadata["language_info"] = {"name": "python"}
        os.environ.pop("OMP_NUM_THREADS") if before is None else os.environ.update(OMP_NUM_THREADS=before)
    return time.monotonic() - start, int(last.outputs[0].text) / 1024


def pages(notebook: nbformat.NotebookNode, folder: Path) -> tuple[nbformat.NotebookNode, dict[str, Path]]:
    """The notebook with a cell after each widget that writes its page, and the place of each page by the cell's id.

    A question has nothing to show, photographs are not saved, and the first cell shows what the picture above it shows.
    """
    cells, places = [nbformat.v4.new_code_cell(build_site.BEGIN.format(shared=str(folder / "shared")))], {}
    for number, cell in enumerate(notebook.cells):
        cells.append(cell)
        bare = number == 1 or any(name in cell.source for name in ("Prediction(", "accusation", "PhotoExplorer("))
        if "widget" in tags(cell) and not bare:
            places[cell.id] = folder / f"{cell.id}.html"
            last = build_site.shown(cell.source)
            cells.append(nbformat.v4.new_code_cell(build_site.EXPORT.format(last=last, path=str(places[cell.id]))))
    return nbformat.v4.new_notebook(cells=cells, metadata=notebook.metadata), places


def run_with_pictures(notebook: nbformat.NotebookNode) -> tuple[float, float]:
    """Execute a notebook as `run` does; in the place of its widgets are pictures of them, and their words."""
    with tempfile.TemporaryDirectory() as name:
        longer, places = pages(notebook, Path(name))
        used = run(longer)
        with stills.camera() as shoot:
            taken = {cell: shoot(place) for cell, place in places.items() if place.exists()}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            scrub(cell, taken.get(cell.id))
    return used


def words(cell: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """An output that describes what a cell shows when it is run."""
    page = f"<p><em>Run this cell and a live widget appears here.</em> {html.escape(cell.metadata['alt'])}.</p>"
    return nbformat.v4.new_output("display_data", {"text/html": page, "text/plain": f"{cell.metadata['alt']}."})


def picture(cell: nbformat.NotebookNode, taken: bytes) -> nbformat.NotebookNode:
    """An output of its own: where pictures inside HTML are removed, as on some web sites, this one is shown."""
    data = {"image/png": base64.b64encode(taken).decode(), "text/plain": f"{cell.metadata['alt']}."}
    return nbformat.v4.new_output("display_data", data, metadata={"image/png": {"alt": cell.metadata["alt"]}})


def scrub(cell: nbformat.NotebookNode, taken: bytes | None = None) -> None:
    """Remove execution counts, progress bars, duplicate charts and warnings; put `taken` in the place of a widget."""
    cell.execution_count = None
    kept = []
    for output in cell.outputs:
        data = output.get("data", {})
        data.pop(TWIN, None)
        if output.output_type == "error":
            raise ValueError(f"{output.ename}: {output.evalue}")
        if WIDGET in data and "alt" in cell.metadata and words(cell) not in kept:  # a widget may be two
            kept += [*([picture(cell, taken)] if taken else []), words(cell)]
        shown_live = WIDGET in data or "fr-static" in str(data.get("text/html", ""))
        if shown_live or (output.output_type == "stream" and output.name == "stderr"):
            continue
        output.pop("execution_count", None)
        if output.output_type == "execute_result":
            output["execution_count"] = None
        kept.append(output)
    cell.outputs = kept


def carry(old: Path, notebook: nbformat.NotebookNode) -> bool:
    """Copy the outputs of the committed notebook if it ran the same code; return whether it did."""
    if not old.exists():
        return False
    before = nbformat.read(old, as_version=4)
    if before.metadata.get("course", {}).get("ran") != code_digest(notebook):
        return False
    pairs = zip(*([c for c in nb.cells if c.cell_type == "code"] for nb in (before, notebook)), strict=True)
    for was, cell in pairs:
        cell.outputs = was.outputs
    notebook.metadata["course"]["ran"] = code_digest(notebook)
    return True


def waits(cell: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """The outputs of a cell that waits for a guess: what it waits for and, for a widget, what it will show."""
    from fr_explore_widgets.course.checking import Feedback
    from fr_explore_widgets.course.waiting import WAITS

    line = Feedback("not yet", WAITS)
    data = {"text/html": line._repr_html_(), "text/plain": repr(line)}
    return [nbformat.v4.new_output("display_data", data), *([words(cell)] if "alt" in cell.metadata else [])]


def give(solution: nbformat.NotebookNode, student: nbformat.NotebookNode) -> None:
    """Copy the outputs to the student version, except those of exercises, checks and what waits for a guess."""
    ready = {cell.id: cell for cell in solution.cells if cell.cell_type == "code"}
    for cell in student.cells:
        if cell.cell_type != "code" or {"exercise", "check"} & set(tags(cell)) or "course.reveal(" in cell.source:
            continue
        if "course.after(" in cell.source:
            cell.outputs = waits(cell)
        else:
            cell.outputs = [words(cell)] if "Prediction(" in cell.source else ready[cell.id].outputs
    if "ran" in solution.metadata["course"]:
        student.metadata["course"]["ran"] = solution.metadata["course"]["ran"]


def sources(names: list[str]) -> list[Path]:
    found = [p for p in sorted((FOLDER / "source").glob("[0-9][0-9]-*.py")) if not names or p.stem[:2] in names]
    if not found:
        raise SystemExit(f"no source has the number {', '.join(names)}: give numbers such as 03.")
    return found


def build(path: Path, always_run: bool = False) -> None:
    """Write both versions; run the solution if its code has changed."""
    made = versions(path)
    solution, student = made["solution"], made["student"]
    if always_run or not carry(target(path, "solution"), solution):
        seconds, peak = run_with_pictures(solution)
        solution.metadata["course"]["ran"] = code_digest(solution)
        print(f"{path.stem}: ran in {seconds:.0f} s, peak {peak:.0f} MB")
    give(solution, student)
    for version, notebook in made.items():
        target(path, version).parent.mkdir(exist_ok=True)
        nbformat.write(notebook, target(path, version))


def out_of_step() -> list[str]:
    """The committed notebooks that differ from what their sources would give."""
    found = []
    for path in sources([]):
        made = versions(path)
        fresh = carry(target(path, "solution"), made["solution"])
        if not fresh:
            found.append(f"{path.stem}: its code changed since it ran")
            continue
        give(made["solution"], made["student"])
        for version, notebook in made.items():
            place = target(path, version)
            if not place.exists() or place.read_text(encoding="utf-8") != nbformat.writes(notebook) + "\n":
                found.append(f"{path.stem}: the {version} version does not match its source")
    known = {path.stem for path in sources([])}
    for place in sorted([*FOLDER.glob("*.ipynb"), *(FOLDER / "solutions").glob("*.ipynb")]):
        if place.stem not in known:
            found.append(f"{place.relative_to(FOLDER)}: has no source")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="numbers of notebooks, such as 03; all by default")
    parser.add_argument("--run", action="store_true", help="run notebooks even if their code has not changed")
    parser.add_argument("--check", action="store_true", help="only list what is out of step")
    arguments = parser.parse_args()
    if arguments.check:
        problems = out_of_step()
        for problem in problems:
            print(f"{problem}: run `make notebooks`", file=sys.stderr)
        return int(bool(problems))
    for path in sources(arguments.names):
        build(path, arguments.run)
    return 0


if __name__ == "__main__":
    sys.exit(main())
