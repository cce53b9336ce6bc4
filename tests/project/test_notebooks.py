"""The course as it is used: each notebook runs within time and memory limits, and its widgets appear and respond.

Each version of each notebook runs once: in JupyterLab if browser tests are selected, otherwise with nbclient.
"""

import io
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat
import numpy as np
import pytest
from lab import Lab, Notebook, find_chromium, until
from PIL import Image
from playwright.sync_api import Locator, Page

import fr_explore as fr
from fr_explore.base import cache

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import build_notebooks as build  # noqa: E402  (a tool, not a package)
import check_notebooks  # noqa: E402
import check_prose  # noqa: E402

sys.path.pop(0)
SOURCES = sorted((ROOT / "notebooks" / "source").glob("[0-9][0-9]-*.py"))
SECONDS, MEGABYTES = 120, 500
# the solution first: it starts with an empty cache, and fills it for the student version
VERSIONS = [
    pytest.param((path, version), id=f"{version}-{path.stem}", marks=pytest.mark.xdist_group(path.stem))
    for path in SOURCES
    for version in ("solution", "student")
]
# moves the first slider of a cell by a tenth of its range or, without sliders, chooses the next option of the first
# menu or moves the first name of a ranking down; null if nothing can be moved yet
MOVE = """(cell) => {
  const sliders = [...cell.querySelectorAll('input[type=range]')].filter((e) => +e.max > +e.min && !e.disabled);
  const choices = [...cell.querySelectorAll('[class*=fr-] select')].filter((e) => e.options.length > 1 && !e.disabled);
  const input = sliders[0] ?? choices[0];
  const down = cell.querySelector('.fr-ranking [aria-label$=" down"]:enabled');
  if (!input && down) {
    const place = () => down.closest('.fr-rank').querySelector('.fr-place').textContent;
    const before = place();
    down.click();
    return [before, place()];
  }
  if (!input) return null;
  const before = input.value;
  if (input.type === 'range') {
    const by = (input.max - input.min) / 10;
    input.valueAsNumber = +before + by > +input.max ? +before - by : +before + by;
  } else {
    input.selectedIndex = (input.selectedIndex + 1) % input.options.length;
  }
  for (const name of ['input', 'change']) input.dispatchEvent(new Event(name, { bubbles: true }));
  return [before, input.value];
}"""
# what a reader takes for a fault: text on stderr, a traceback, an error message of a widget
FAULTS = (
    "[data-mime-type='application/vnd.jupyter.stderr']",
    ".jp-OutputArea-output .ansi-red-fg",
    ".fr-error:visible",
)


@dataclass
class Executed:
    """A notebook after every cell has run."""

    version: str
    notebook: nbformat.NotebookNode
    seconds: float
    peak: float  # resident memory of the kernel in MB
    opened: Notebook | None = None  # its page in JupyterLab, if that is where it ran

    def cells(self, tag: str) -> list[int]:
        """The numbers of the cells with this tag."""
        return [i for i, cell in enumerate(self.notebook.cells) if tag in build.tags(cell)]

    def show(self, i: int) -> Locator:
        """Scroll a cell of the open page into view."""
        assert self.opened is not None
        self.opened.page.evaluate("(i) => window.jupyterapp.shell.currentWidget.content.scrollToItem(i)", i)
        cell = self.opened.page.locator(f".jp-Notebook .jp-Cell[data-windowed-list-index='{i}']")
        cell.scroll_into_view_if_needed(timeout=30_000)
        return cell


@pytest.fixture(scope="module")
def window(jupyterlab, browser):
    """JupyterLab in a page, in which the notebooks open one after the other."""
    page = jupyterlab.open(browser)
    yield page
    page.context.close()


@pytest.fixture(scope="module", params=VERSIONS)
def executed(request):
    path, version = request.param
    if version == "solution":
        cache.clear()
    in_a_browser = any(item.get_closest_marker("browser") for item in request.session.items)
    if in_a_browser and (find_chromium() or os.environ.get("CI")):
        jupyterlab, window = (request.getfixturevalue(name) for name in ("jupyterlab", "window"))
        with execute_in_jupyterlab(path, version, jupyterlab, window) as done:
            yield done
    else:
        notebook = build.versions(path)[version]
        yield Executed(version, notebook, *build.run(notebook))  # raises if a cell does


@contextmanager
def execute_in_jupyterlab(path: Path, version: str, lab: Lab, window: Page) -> Iterator[Executed]:
    """Open a committed notebook, check that the pictures of its widgets are there, and run all of its cells."""
    name = f"{version}-{path.stem}.ipynb"
    (lab.folder / name).write_text(build.target(path, version).read_text(encoding="utf-8"), encoding="utf-8")
    with Notebook(lab, window, name) as opened:
        done = Executed(version, opened.content(), 0.0, 0.0, opened)
        for i in done.cells("widget"):
            done.show(i).locator(".jp-OutputArea img[alt], .jp-OutputArea em").first.wait_for(timeout=20_000)
        start = time.monotonic()
        opened.run_all()
        done.seconds = time.monotonic() - start
        done.peak = opened.value("__import__('resource').getrusage(0).ru_maxrss") / 1024
        done.notebook = opened.content()
        yield done


@pytest.fixture(scope="module")
def torch_alone():
    """Peak memory in MB of a kernel that has imported torch and nothing else."""
    cells = [nbformat.v4.new_code_cell("import torch")]
    return build.run(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": build.KERNEL}))[1]


@pytest.mark.notebook
def test_it_runs_within_its_time_and_memory_and_its_checks_answer(executed, torch_alone, request, capsys):
    beyond = executed.peak - torch_alone
    with capsys.disabled():
        print(f"\n{request.node.name}: {executed.seconds:.0f} s, {executed.peak:.0f} MB, {beyond:.0f} beyond torch")
    cells = executed.notebook.cells
    assert [o.evalue for cell in cells for o in cell.get("outputs", []) if o.output_type == "error"] == []
    assert executed.seconds <= SECONDS
    assert beyond <= MEGABYTES
    answers = [cells[i].outputs[-1]["data"]["text/plain"] for i in executed.cells("check")]
    assert len(answers) >= 2
    expected = {"solution": "✓ Right", "student": "… Not yet: "}[executed.version]
    assert [answer for answer in answers if not answer.startswith(expected)] == []
    for i in executed.cells("widget"):
        waits = executed.version == "student" and "course.after(" in cells[i].source
        assert any(build.WIDGET in output.get("data", {}) for output in cells[i].outputs) != waits, cells[i].source


@pytest.mark.browser
@pytest.mark.slow
def test_in_jupyterlab_its_widgets_appear_and_respond(executed, browser):
    widgets, opened = executed.cells("widget"), executed.opened
    if executed.version == "student":  # there, nobody has guessed
        widgets = [i for i in widgets if "course.after(" not in executed.notebook.cells[i].source]
    for i in widgets:
        live = executed.show(i).locator("[class*=fr-]:not(.fr-static):not(.fr-static *)")
        live.first.wait_for(timeout=60_000)

    def moved():
        values = (executed.show(i).evaluate(MOVE) for i in widgets)
        return any(pair and pair[0] != pair[1] for pair in values)

    until(moved, 60)  # a widget may appear before its sliders
    assert {fault: texts for fault in FAULTS if (texts := opened.page.locator(fault).all_text_contents())} == {}
    assert opened.errors == []


def test_committed_notebooks_are_in_step_with_their_sources():
    assert SOURCES
    assert build.out_of_step() == []


def test_they_are_clean_and_complete(capsys):
    assert check_notebooks.main() == 0, capsys.readouterr().err


def test_spelling():
    places = ["README.md", "CHANGELOG.md", "docs", "widgets/README.md", "notebooks/source", "notebooks/GLOSSARY.md",
              "notebooks/CHEATSHEET.md", "widgets/fr_explore_widgets/course"]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "codespell_lib", *places], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_stubs_keep_everything_but_the_solution():
    cell = "def f(a):\n    '''Doc.'''\n    # BEGIN SOLUTION: add one.\n    b = a + 1\n    return b\n    # END SOLUTION"
    assert build.stub(cell) == "def f(a):\n    '''Doc.'''\n    raise NotImplementedError(\"add one.\")"
    assert build.shown(cell) == "def f(a):\n    '''Doc.'''\n    b = a + 1\n    return b"
    assert build.stub("# BEGIN SOLUTION: count\nn = 3\n# END SOLUTION") == "n = ...  # count"
    with pytest.raises(ValueError, match="name = value"):
        build.stub("# BEGIN SOLUTION: count\nprint(3)\n# END SOLUTION")
    with pytest.raises(ValueError, match="no END SOLUTION"):
        build.stub("# BEGIN SOLUTION: count\nn = 3")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_the_student_version_contains_no_solution(path):
    student = build.target(path, "student").read_text(encoding="utf-8")
    solutions = re.findall(r"# BEGIN SOLUTION: .*\n((?:.*\n)*?) *# END SOLUTION", path.read_text(encoding="utf-8"))
    lines = [line.strip("# ") for block in solutions for line in block.splitlines() if len(line.strip()) > 25]
    assert not [line for line in lines if line in student]


def test_what_waits_for_a_guess_is_not_in_the_student_version():
    def notebook():
        make = nbformat.v4.new_code_cell
        sources = {
            "a": "course.after(guess, 7)",
            "b": "course.reveal(guess, 7)",
            "c": "8",
            "d": "course.after(guess, w)",
        }
        cells = [make(source, id=name) for name, source in sources.items()]
        return nbformat.v4.new_notebook(cells=cells, metadata={"course": {}})

    solution, student = notebook(), notebook()
    for cell in solution.cells:
        cell.outputs = [nbformat.v4.new_output("stream", text=f"output of {cell.id}")]
    student.cells[3].metadata["alt"] = "A ring of arrows"
    build.give(solution, student)
    line, nothing, other, widget = (cell.outputs for cell in student.cells)
    assert "This waits for your guess" in line[0]["data"]["text/plain"]
    assert nothing == []
    assert other[0]["text"] == "output of c"
    assert "a live widget appears here" in widget[1]["data"]["text/html"]


def test_pictures_of_widgets_keep_the_colours_of_small_marks():
    shades = np.linspace(0, 255, 400)[None, :, None] * [0.9, 0.6, 0.5] + np.zeros((300, 1, 1))  # as a face has them
    page = np.full((300, 800, 3), 255, np.uint8)
    page[:, :400] = shades + np.random.default_rng(0).uniform(0, 20, (300, 400, 3))
    colours = [tuple(bytes.fromhex(record.color[1:])) for record in fr.ATTRIBUTES.values()][:8]
    for row, colour in enumerate(colours):
        page[30 * row : 30 * row + 8, 600:608] = colour
    page[200:, 620:690] = 252, 253, 252  # a surface that is nearly white
    out = io.BytesIO()
    Image.fromarray(page).save(out, "PNG")
    kept = np.asarray(Image.open(io.BytesIO(build.stills.small(out.getvalue(), 250))).convert("RGB"))
    assert kept.shape == (250, 800, 3)
    assert (kept[:, 700:] == 255).all()
    for row, colour in enumerate(colours):
        assert np.abs(kept[30 * row + 4, 604].astype(int) - colour).max() <= 24


def test_hygiene_can_fail():
    cell = nbformat.v4.new_code_cell("open('/home/me/x')", execution_count=3, metadata={"tags": ["widget"]})
    chart = {"application/vnd.vegalite.v5+json": {}, "text/plain": "A chart"}
    cell.outputs = [nbformat.v4.new_output("display_data", chart)]
    found = check_notebooks.problems(nbformat.v4.new_notebook(cells=[cell]))
    assert [text.split(":")[-1].strip() for text in found] == [
        "its metadata must name the kernel python3, or JupyterLab will ask for one",
        "has an execution count",
        "has a chart without a picture, which GitHub and mail cannot show; run it again",
        "shows a widget but has neither its picture nor a description",
        "contains a path of one machine",
    ]
    bare = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Bare")])
    assert len(check_notebooks.lacks(bare)) == 8


def test_a_notebook_out_of_step_is_found(tmp_path, monkeypatch):
    (tmp_path / "source").mkdir()
    (tmp_path / "solutions").mkdir()
    source = tmp_path / "source" / "01-a.py"
    source.write_text("# %% [markdown]\n# # 1. A [g](GLOSSARY.md) [b](02-b.ipynb)\n\n# %%\n1 + 1\n")
    monkeypatch.setattr(build, "FOLDER", tmp_path)
    monkeypatch.setattr(build, "run", lambda notebook: (0.0, 0.0))
    build.build(source)
    assert build.out_of_step() == []
    text = nbformat.read(tmp_path / "solutions" / "01-a.ipynb", as_version=4).cells[0].source
    assert text == "# 1. A [g](../GLOSSARY.md) [b](02-b.ipynb)"
    source.write_text(source.read_text().replace("# 1. A", "# 1. B"))
    assert build.out_of_step() == [f"01-a: the {v} version does not match its source" for v in ("student", "solution")]
    source.write_text(source.read_text().replace("1 + 1", "1 + 2"))
    assert build.out_of_step() == ["01-a: its code changed since it ran"]
    (tmp_path / "07-lost.ipynb").write_text("{}")
    assert "07-lost.ipynb: has no source" in build.out_of_step()


def test_the_hash_of_a_notebooks_code_is_that_of_its_text_without_comments():
    """Every version of Python must compute the same: the value is pinned."""

    def digest(*cells):
        return build.code_digest(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells]))

    plain = digest('x = f"a{1:>{3}}#b"\ny = """\n# c\n"""', "x")
    assert plain == "29e151eb73ad45bb"
    assert plain == digest('# why\n\nx = f"a{1:>{3}}#b"  # so\n    # and so\ny = """\n# c\n"""\n', "\nx # here")
    assert plain not in (digest('x = f"a{1:>{3}}#c"\ny = """\n# c\n"""', "x"), digest('x = 1\ny = """\n# d\n"""', "x"))


def test_prose_faults_are_found(tmp_path):
    (tmp_path / "there.md").write_text("# One heading\n")
    text = (
        "# A\n### C\n[x](gone.md) [y](there.md#one-heading) [z](there.md#two) ![](a.png) <img src='b'> colored "
        "`color` *Color* [w](https://example.org/color) `tools/gone.py` `tools/check_prose.py` `NN/a.py`\n"
    )
    assert [fault.split(",")[0] for fault in check_prose.faults(text, tmp_path)] == [
        "a dead link to gone.md", "a link to a missing heading", "a dead link to a.png",
        "a missing file", "a picture without a text", "a picture without a text",
        "a heading of level 3 under one of level 1", "American spelling in prose",
    ]  # fmt: skip
