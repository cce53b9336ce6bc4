"""The slides: one source, three decks, nothing from the network."""

import re
import sys
from pathlib import Path

import jupytext
import nbformat
import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import build_slides as build  # noqa: E402  (a tool, not a package)

sys.path.pop(0)


@pytest.fixture
def cells():
    return jupytext.reads(build.SOURCE.read_text(encoding="utf-8"), fmt="py:percent").cells


@pytest.fixture
def reveal(tmp_path):
    """What a folder of reveal.js has, without reveal.js."""
    (tmp_path / "package" / "dist").mkdir(parents=True)
    for name in build.FILES:
        (tmp_path / "package" / "dist" / name).write_text("/* */")
    return tmp_path / "package"


def outputs(cells, folder):
    for cell in cells:
        if cell.cell_type == "code":
            cell.outputs = [
                nbformat.v4.new_output("display_data", {"text/html": "<iframe data-src='w.html'></iframe>"})
            ]


def test_every_deck_is_made_from_the_one_source_and_loads_nothing(tmp_path, monkeypatch, reveal):
    monkeypatch.setattr(build, "run", outputs)
    decks = build.build(tmp_path / "slides", reveal)
    assert [path.name for path in decks] == ["one.html", "two.html", "four.html"]
    counts = []
    for path in decks:
        text = path.read_text(encoding="utf-8")
        counts.append(text.count("<section"))
        assert not re.search(r"(?:src|href)=[\"'](?:https?:)?//", text)
        assert text.count("<h1") == 1
        for name in re.findall(r'(?:src|href)="(reveal/[^"]+)"', text):
            assert (path.parent / name).is_file()
        assert "$" not in re.sub(
            r"<script>.*?</script>|<style>.*?</style>", "", text, flags=re.S
        )  # formulas are MathML
    assert counts == sorted(counts)
    assert counts[0] >= 10


def test_each_code_cell_belongs_to_a_slide_and_each_slide_to_a_plan(cells):
    for cell in cells:
        plans = build.plans_of(cell)
        assert plans or "hidden" in cell.metadata.get("tags", []), cell.source[:60]
    for plan in build.PLANS:
        assert next(cell.cell_type for cell in cells if plan in build.plans_of(cell)) == "markdown"


def test_its_widgets_exist_in_the_code(cells):
    for cell in cells:
        if "widget" in cell.metadata.get("tags", []):
            assert cell.metadata["alt"]
            assert re.fullmatch(r"[\w.]+", cell.source.rstrip().splitlines()[-1])


def test_a_widget_is_as_large_as_its_slide_has_room_for(cells):
    assert '--zoom: 1.25"><iframe data-src="w.html" title="&quot;A&quot;"' in build.frame("w.html", '"A"', 1.25)
    zooms = [cell.metadata.get("zoom", 1) for cell in cells if "widget" in cell.metadata.get("tags", [])]
    assert all(isinstance(zoom, int | float) and 0.7 <= zoom <= 2 for zoom in zooms)


def test_mistakes_are_named(tmp_path, cells):
    cells[0].metadata["plans"] = ["three"]
    with pytest.raises(ValueError, match=r"plan 'three' in slides\.py: choose from one, two, four"):
        build.plans_of(cells[0])
    with pytest.raises(SystemExit, match=r"has no dist/reset\.css: `make slides` fetches"):
        build.build(tmp_path / "slides", tmp_path)
