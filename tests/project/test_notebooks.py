"""The course as it is used: each notebook runs with a kernel, within time and memory, and shows what it promises."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from lab import Lab, Notebook, chromium, find_chromium, missing_chromium, until

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import build_notebooks as build  # noqa: E402  (a tool, not a package)
import check_notebooks  # noqa: E402
import check_prose  # noqa: E402

sys.path.pop(0)
SOURCES = sorted((ROOT / "notebooks" / "source").glob("[0-9][0-9]-*.py"))
SECONDS, MEGABYTES = 120, 500


@pytest.fixture(scope="module")
def torch_alone():
    """Peak memory in MB of a kernel that has imported torch and nothing else."""
    cells = [nbformat.v4.new_code_cell("import torch")]
    return build.run(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": build.KERNEL}))[1]


@pytest.mark.notebook
@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_the_solution_runs_within_its_time_and_memory(path, torch_alone, capsys):
    notebook = build.versions(path)["solution"]
    seconds, peak = build.run(notebook)
    with capsys.disabled():
        print(
            f"\n{path.stem}: {seconds:.0f} s, {peak:.0f} MB, {peak - torch_alone:.0f} beyond torch's {torch_alone:.0f}"
        )
    assert seconds <= SECONDS
    assert peak - torch_alone <= MEGABYTES
    for cell in notebook.cells:
        if "check" in build.tags(cell):
            assert cell.outputs[-1]["data"]["text/plain"].startswith("✓ Right"), cell.source
        if "widget" in build.tags(cell):
            assert any(build.WIDGET in output.get("data", {}) for output in cell.outputs), cell.source


@pytest.mark.notebook
@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_the_student_version_runs_to_its_end_and_says_not_yet(path):
    notebook = build.versions(path)["student"]
    build.run(notebook)  # raises where a cell stops
    said = [cell.outputs[-1]["data"]["text/plain"] for cell in notebook.cells if "check" in build.tags(cell)]
    assert len(said) >= 2
    assert all(text.startswith("… Not yet: ") for text in said), said


def test_committed_notebooks_are_in_step_with_their_sources():
    assert SOURCES
    assert build.out_of_step() == []


def test_they_are_clean_and_complete():
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "check_notebooks.py")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


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
    with pytest.raises(ValueError, match="not ended"):
        build.stub("# BEGIN SOLUTION: count\nn = 3")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_no_solution_stands_in_the_student_version(path):
    student = build.target(path, "student").read_text(encoding="utf-8")
    solutions = re.findall(r"# BEGIN SOLUTION: .*\n((?:.*\n)*?) *# END SOLUTION", path.read_text(encoding="utf-8"))
    lines = [line.strip("# ") for block in solutions for line in block.splitlines() if len(line.strip()) > 25]
    assert not [line for line in lines if line in student]


def test_hygiene_can_fail():
    cell = nbformat.v4.new_code_cell("open('/home/me/x')", execution_count=3, metadata={"tags": ["widget"]})
    found = check_notebooks.problems(nbformat.v4.new_notebook(cells=[cell]))
    assert [text.split(":")[-1].strip() for text in found] == [
        "its metadata must name the kernel python3, or JupyterLab asks for one",
        "holds an execution count",
        "shows a widget and has no picture of it, nor words",
        "names a path of one machine",
    ]
    bare = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Bare")])
    assert len(check_notebooks.lacks(bare)) == 7


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
    assert build.out_of_step() == [
        f"01-a: the {v} version is not what its source gives" for v in ("student", "solution")
    ]
    source.write_text(source.read_text().replace("1 + 1", "1 + 2"))
    assert build.out_of_step() == ["01-a: its code changed since it ran"]
    (tmp_path / "07-lost.ipynb").write_text("{}")
    assert "07-lost.ipynb: has no source" in build.out_of_step()


def test_prose_faults_are_found(tmp_path):
    (tmp_path / "there.md").write_text("# One heading\n")
    text = (
        "# A\n### C\n[x](gone.md) [y](there.md#one-heading) [z](there.md#two) ![](a.png) <img src='b'> colored "
        "`color` *Color* [w](https://example.org/color) `tools/gone.py` `tools/check_prose.py` `NN/a.py`\n"
    )
    assert [fault.split(",")[0] for fault in check_prose.faults(text, tmp_path)] == [
        "a dead link to gone.md", "a link to a heading that is not there", "a dead link to a.png",
        "it names a file that is not there", "a picture without a text", "a picture without a text",
        "a heading of level 3 under one of level 1", "American spelling in prose",
    ]  # fmt: skip


@pytest.fixture(scope="module")
def browser():
    if find_chromium() is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing_chromium())
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    home = tmp_path_factory.mktemp("lab")
    with Lab(home, home / "notebooks") as running:
        yield running


# moves the first slider of a cell by about a tenth of its way, or where a widget has none, its first choice; null where
# it has nothing to move, or not yet
MOVE = """(cell) => {
  const sliders = [...cell.querySelectorAll('input[type=range]')].filter((e) => +e.max > +e.min && !e.disabled);
  const choices = [...cell.querySelectorAll('[class*=fr-] select')].filter((e) => e.options.length > 1 && !e.disabled);
  const input = sliders[0] ?? choices[0];
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
# what a reader would take for a fault: text on stderr, a traceback, a widget's message
FAULTS = (
    "[data-mime-type='application/vnd.jupyter.stderr']",
    ".jp-OutputArea-output .ansi-red-fg",
    ".fr-error:visible",
)


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("version", ["student", "solution"])
@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_in_a_real_jupyterlab(path, version, lab, browser):
    """Opened, its pictures are there before anything runs; all run, no error, each widget there, a slider moved."""
    name = f"{version}-{path.stem}.ipynb"
    (lab.folder / name).write_text(build.target(path, version).read_text(encoding="utf-8"), encoding="utf-8")
    cells = [i for i, c in enumerate(build.versions(path)[version].cells) if "widget" in build.tags(c)]
    with Notebook(lab, browser, name) as opened:

        def cell(i):
            return opened.page.locator(f".jp-Notebook .jp-Cell[data-windowed-list-index='{i}']")

        def show(i):
            opened.page.evaluate("(i) => window.jupyterapp.shell.currentWidget.content.scrollToItem(i)", i)
            cell(i).scroll_into_view_if_needed(timeout=30_000)

        for i in cells:
            show(i)
            cell(i).locator(".jp-OutputArea img[alt], .jp-OutputArea em").first.wait_for(timeout=20_000)
        opened.run_all()
        for i in cells:
            show(i)
            cell(i).locator("[class*=fr-]:not(.fr-static):not(.fr-static *)").first.wait_for(timeout=60_000)

        def moved():
            for i in cells:
                show(i)
                values = cell(i).evaluate(MOVE)
                if values and values[0] != values[1]:
                    return True
            return False

        until(moved, 60)  # a widget may be there before its sliders
        assert {fault: texts for fault in FAULTS if (texts := opened.page.locator(fault).all_text_contents())} == {}
        assert opened.errors == []
