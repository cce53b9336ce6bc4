"""Every notebook runs top to bottom with a kernel, offline, and shows what it promises."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def outputs(notebook, kind):
    return [
        output["data"][kind]
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if kind in output.get("data", {})
    ]


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def executed(request):
    notebook = nbformat.read(request.param, as_version=4)
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(request.param.parent)}})
    client.execute()
    return request.param.stem, notebook


@pytest.mark.slow
def test_runs_and_shows_its_widget_and_chart(executed):
    name, notebook = executed
    errors = [o for cell in notebook.cells for o in cell.get("outputs", []) if o.output_type == "error"]
    assert errors == []
    assert outputs(notebook, "application/vnd.jupyter.widget-view+json"), f"{name} shows no widget"
    assert outputs(notebook, "application/vnd.vegalite.v5+json"), f"{name} shows no chart that JupyterLab can draw"


def test_there_are_notebooks_and_they_are_clean():
    assert NOTEBOOKS
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "check_notebooks.py")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_hygiene_can_fail(tmp_path, monkeypatch):
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        import check_notebooks
    finally:
        sys.path.pop(0)
    cell = nbformat.v4.new_code_cell("open('/home/me/x')", execution_count=3)
    found = check_notebooks.problems(nbformat.v4.new_notebook(cells=[cell]))
    assert [text.split(":")[-1].strip() for text in found] == [
        "its metadata must name the kernel python3, or JupyterLab asks for one",
        "holds outputs; run with --fix",
        "names a path of one machine",
    ]
