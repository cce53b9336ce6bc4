"""The static course: its pages need no kernel and no network, and their widgets work."""

import re
import sys
from contextlib import closing
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from lab import until

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import build_site  # noqa: E402  (a tool, not a package)

sys.path.pop(0)
HEIGHT = "(one) => one.offsetHeight"
CHART = {
    "data": {"values": [{"x": "<script>alert(1)</script>", "y": 1}]},
    "mark": "bar",
    "encoding": {"x": {"field": "x", "type": "nominal"}, "y": {"field": "y", "type": "quantitative"}},
}


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    chart = nbformat.v4.new_output("display_data", {build_site.VEGA: CHART, "text/plain": "A chart."})
    cells = [
        nbformat.v4.new_markdown_cell(
            "# 5. A notebook\n\nThe energy is $E = 1 - \\cos\\theta$, and\n\n$$E_i = \\frac{1}{k}\\sum_j E_{ij}$$\n\n"
            "It costs `$5` or $10. See [the glossary](GLOSSARY.md), [the next](06-next.ipynb#part)."
        ),
        nbformat.v4.new_code_cell("from fr_explore_widgets import EnergyPlayground"),
        nbformat.v4.new_code_cell("EnergyPlayground()", metadata={"tags": ["widget"], "alt": 'Arrows "on" a ring'}),
        nbformat.v4.new_code_cell("None", outputs=[chart]),
        nbformat.v4.new_code_cell(
            "import ipywidgets\nbox = ipywidgets.VBox()\nbox",
            metadata={"tags": ["widget"], "alt": "No page of its own"},
        ),
    ]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    path = tmp_path_factory.mktemp("notebook") / "05-a-notebook.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def test_formulas_become_mathml_and_links_point_to_pages(notebook):
    body = build_site.notebook_body(notebook, {})
    assert body.count("<math") == 2
    assert 'display="block"' in body
    assert "<code>$5</code>" in body
    assert "or $10." in body
    assert 'href="GLOSSARY.html"' in body
    assert 'href="06-next.html#part"' in body


def test_content_of_a_notebook_is_escaped(notebook):
    body = build_site.notebook_body(notebook, {"cell-2": "x.html"})
    assert "<script>alert" not in body
    assert BeautifulSoup(body, "html.parser").iframe["title"] == 'Arrows "on" a ring'


def test_an_unknown_number_names_the_choice(tmp_path):
    with pytest.raises(SystemExit, match=r"no notebook begins with 'zz': choose from 00"):
        build_site.build(tmp_path, "zz")


@pytest.fixture(scope="module")
def site(notebook, tmp_path_factory):
    """The static page of the notebook, and the page of its widget in the same folder."""
    out = tmp_path_factory.mktemp("site")
    build_site.assets(out)
    (out / "widgets").mkdir()
    pages = build_site.export_widgets(notebook, out / "widgets")
    body = build_site.notebook_body(notebook, pages)
    (out / "05-a-notebook.html").write_text(build_site.page("5. A notebook", body), encoding="utf-8")
    return out / "05-a-notebook.html", pages


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_works_from_disk_with_the_network_off(site, browser, scheme):
    path, pages = site
    assert list(pages) == ["cell-2"]  # the other widget cannot be exported
    with closing(browser.new_context(offline=True, color_scheme=scheme)) as context:
        page = context.new_page()
        requested, problems = [], []
        page.on("request", lambda request: requested.append(request.url))
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda problem: problems.append(str(problem)))
        page.goto(path.as_uri())
        page.locator(".chart svg").wait_for()
        assert page.locator("math").count() == 2
        frame = page.locator("iframe")
        frame.scroll_into_view_if_needed()
        inside = frame.content_frame
        # the frame is exactly as high as its widget: no empty space, no scrolling
        until(lambda: frame.evaluate(HEIGHT) == inside.locator("body").evaluate(HEIGHT) + 2)
        before = inside.locator("[role=meter]").first.get_attribute("aria-valuenow")
        inside.locator("input[type=range]").first.press("Home")
        assert inside.locator("[role=meter]").first.get_attribute("aria-valuenow") != before
        assert problems == []
        assert [url for url in requested if not re.match(r"(file|data|blob):", url)] == []
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert colour == {"light": "rgb(255, 255, 255)", "dark": "rgb(17, 17, 17)"}[scheme]


@pytest.mark.browser
def test_the_front_page_is_a_live_laboratory(tmp_path, browser):
    (tmp_path / "widgets").mkdir()
    build_site.assets(tmp_path)
    hero = build_site.laboratory(tmp_path / "widgets" / "laboratory.html")
    assert (tmp_path / "widgets" / "laboratory.html").stat().st_size < 9e6
    index = tmp_path / "index.html"
    index.write_text(build_site.page("front", build_site.index([], [], hero)), encoding="utf-8")
    with closing(browser.new_context(offline=True)) as context:
        page = context.new_page()
        page.goto(index.as_uri())
        inside = page.locator("iframe").content_frame
        inside.locator("html[data-live=ready]").wait_for(state="attached")
        key = inside.locator(".fr-key").first
        before = key.get_attribute("data-distance")
        inside.locator("input[data-attribute=age]").press("End")
        until(lambda: key.get_attribute("data-distance") != before)


def test_the_reference_has_every_public_name_and_loads_nothing(tmp_path):
    import fr_explore as fr

    build_site.reference(tmp_path)
    text = (tmp_path / "fr_explore.html").read_text(encoding="utf-8")
    public = [name for name in fr.__all__ if not name.startswith("_")]
    assert [n for n in public if f'id="{n}"' not in text and not (tmp_path / f"fr_explore/{n}.html").is_file()] == []
    loaded = re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="([^"]+)"', text)
    assert [url for url in loaded if "//" in url and not url.startswith("data:")] == []
    assert str(build_site.ROOT) not in text
