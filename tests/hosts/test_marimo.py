"""Widgets in marimo, run and edit mode, in Chromium: picture and figures of one move, reactive cells, theme, export."""

import re
import subprocess
import sys
from importlib import metadata

import pytest
import servers
from lab import until

NOTEBOOK = """
import marimo
app = marimo.App()

@app.cell
def _():
    import marimo as mo
    import fr_explore as fr
    from fr_explore_widgets import AttributeExplorer
    faces, model = fr.Avatars(identities=3, seed=0), fr.load_model("dlib", device="cpu")
    explorer = AttributeExplorer(faces, model, variations=2)
    w = mo.ui.anywidget(explorer)
    w
    return w, explorer, fr, faces, model, mo

@app.cell
def _(w, explorer, faces, model, mo):
    w.value  # this cell runs again when the widget changes
    frame = explorer.frame
    mo.md(f"SEEN {explorer.strengths['age']:g} {explorer.distance:.3f} SUM {sum(frame)}")
    return

if __name__ == "__main__":
    app.run()
"""
# the widget lies in a shadow root, which Playwright's selectors pierce; the sum of what its canvas shows, without alpha
SHOWN = """(canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let sum = 0;
  for (let i = 0; i < data.length; i += 4) sum += data[i] + data[i + 1] + data[i + 2];
  return sum;
}"""
MOVE = """(slider, value) => {
  slider.value = value;
  for (const name of ["input", "change"]) slider.dispatchEvent(new Event(name, { bubbles: true }));
}"""

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("hosts")]


@pytest.fixture
def notebook(tmp_path):
    path = tmp_path / "notebook.py"
    path.write_text(NOTEBOOK, encoding="utf-8")
    return path


def opened(browser, url, theme="light"):
    page = browser.new_context(viewport={"width": 1200, "height": 1400}, color_scheme=theme).new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(url)
    page.locator(".fr-explorer .fr-key").first.wait_for(timeout=180_000)
    return page, errors


def seen(page):
    """What the dependent cell says: strength of age, distance, and the sum of the kernel's picture."""
    found = re.search(r"SEEN (\S+) (\S+) SUM (\d+)", page.locator("body").inner_text())
    return found and (float(found[1]), found[2], int(found[3]))


def same_move(page, age):
    """The values of the page once its picture, its distance and the dependent cell are those of this move."""
    picture, key = page.locator(".fr-explorer canvas.fr-face").nth(1), page.locator(".fr-explorer .fr-key").first

    def agree():
        said = seen(page)
        return said and said[0] == age and picture.evaluate(SHOWN) == said[2] and said[1] in key.inner_text() and said

    return until(agree, 90)


def test_picture_distance_and_cells_are_of_the_same_move(browser, notebook, capsys):
    with capsys.disabled():
        print(f"\nmarimo {metadata.version('marimo')}")
    with servers.marimo(notebook, "run") as url:
        page, errors = opened(browser, url)
        slider = page.locator(".fr-explorer input[data-attribute=age]").first
        moves = []
        for age in (60, 25, 41):
            slider.evaluate(MOVE, age)
            moves.append(same_move(page, age))
        assert len({total for *_, total in moves}) == 3
        thumbs = page.locator(".fr-explorer canvas.fr-face[width='48']")
        # one of each identity, once the gallery behind the map is there
        until(lambda: sum(thumbs.nth(i).evaluate(SHOWN) > 0 for i in range(thumbs.count())) >= 3, 120)
        # a page that is loaded again has a kernel of its own, as marimo's run mode gives one to each reader
        page.reload()
        page.locator(".fr-explorer .fr-key").first.wait_for(timeout=180_000)
        page.locator(".fr-explorer input[data-attribute=age]").first.evaluate(MOVE, 70)
        same_move(page, 70)
        assert errors == []
        page.context.close()


def test_edit_mode_and_dark_theme(browser, notebook):
    config = notebook.parent / "home" / "marimo"
    config.mkdir(parents=True)
    (config / "marimo.toml").write_text(
        '[display]\ntheme = "dark"\n[runtime]\nauto_instantiate = true\n', encoding="utf-8"
    )
    with servers.marimo(notebook, "edit") as url:
        page, errors = opened(browser, url, "dark")
        assert page.locator(".fr-explorer").first.get_attribute("data-theme") == "dark"
        page.locator(".fr-explorer input[data-attribute=age]").first.evaluate(MOVE, 60)
        same_move(page, 60)
        assert errors == []
        page.context.close()


def test_an_export_says_that_it_has_no_kernel(browser, notebook):
    page_file = notebook.with_suffix(".html")
    command = [
        sys.executable,
        "-m",
        "marimo",
        "export",
        "html",
        str(notebook),
        "-o",
        str(page_file),
        "--no-include-code",
    ]
    subprocess.run(command, check=True, capture_output=True, cwd=notebook.parent)
    text = page_file.read_text(encoding="utf-8")
    assert "__MARIMO_STATIC__" in text
