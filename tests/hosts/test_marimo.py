"""Widgets in marimo, in Chromium: run and edit mode, reactive cells, theme, restart, photographs, export."""

import re
import subprocess
import sys
from importlib import metadata

import cdn
import pytest
import servers
from lab import until
from PIL import Image
from skimage import data

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
PHOTOGRAPHS = """
import marimo
app = marimo.App()

@app.cell
def _():
    import marimo as mo
    import fr_explore as fr
    from fr_explore_widgets import PhotoExplorer
    photo = PhotoExplorer(fr.load_model("dlib", device="cpu"), variations=2)
    w = mo.ui.anywidget(photo)
    w
    return w, photo, mo

@app.cell
def _(w, photo, mo):
    w.value  # this cell runs again when the widget changes
    explorer = photo.explorer
    frame = explorer.frame if explorer else b""
    mo.md(f"SEEN {explorer.strengths['mask']:g} {explorer.distance:.3f} SUM {sum(frame)}" if explorer else "NOBODY")
    return

if __name__ == "__main__":
    app.run()
"""
KEPT = ("    w = mo.ui.anywidget(explorer)\n", "    explorer.keep_live()\n    w = mo.ui.anywidget(explorer)\n")
# the widget lies in a shadow root, which Playwright's selectors pierce; the sum of what its canvas shows, without alpha
SHOWN = """(canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let sum = 0;
  for (let i = 0; i < data.length; i += 4) sum += data[i] + data[i + 1] + data[i + 2];
  return sum;
}"""
THUMBS = """(faces) => {
  const urls = faces.map((face) => face.style.backgroundImage);
  return new Set(urls.filter((url) => url.startsWith('url("data:image/png'))).size;
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
    page.goto(url, timeout=120_000)
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
        # one of each identity, once the gallery behind the map is there
        until(lambda: page.locator(".fr-explorer .fr-person .fr-face").evaluate_all(THUMBS) == 3, 120)
        # a page that is loaded again has a kernel of its own, as marimo's run mode gives one to each reader
        page.reload()
        page.locator(".fr-explorer .fr-key").first.wait_for(timeout=180_000)
        page.locator(".fr-explorer input[data-attribute=age]").first.evaluate(MOVE, 70)
        same_move(page, 70)
        assert errors == []
        page.context.close()


def test_edit_mode_dark_theme_and_restart(browser, notebook):
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
        restart(page)
        until(lambda: (said := seen(page)) and said[0] != 60, 180)  # a new widget, and the cell that depends on it
        page.locator(".fr-explorer input[data-attribute=age]").first.evaluate(MOVE, 25)
        same_move(page, 25)
        assert errors == []
        page.context.close()


def restart(page):
    """A new kernel, by marimo's menu."""
    page.get_by_test_id("notebook-menu-dropdown").click()
    page.get_by_text("Restart kernel").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Restart").click()


def test_photographs_are_one_widget(browser, notebook):
    notebook.write_text(PHOTOGRAPHS, encoding="utf-8")
    Image.fromarray(data.astronaut()[:240, 100:340]).save(notebook.with_name("astronaut.png"))
    with servers.marimo(notebook, "run") as url:
        page = browser.new_context(viewport={"width": 1200, "height": 1600}).new_page()
        page.goto(url, timeout=120_000)
        page.locator(".fr-photos").wait_for(timeout=180_000)
        page.locator(".fr-photos input[type=file]").set_input_files(notebook.with_name("astronaut.png"))
        page.locator(".fr-explorer .fr-key").first.wait_for(timeout=120_000)
        slider = page.locator(".fr-explorer input[data-attribute=mask]").first
        for strength in (1, 0.5):
            slider.evaluate(MOVE, strength)
            same_move(page, strength)
        page.get_by_role("button", name="Discard all").click()
        page.locator(".fr-explorer").wait_for(state="detached")
        page.context.close()


def test_an_export_is_live_if_it_was_kept(browser, notebook):
    """Without the call it says at once that it has no kernel."""
    text = notebook.read_text(encoding="utf-8")
    assert KEPT[0] in text
    for live in (False, True):
        notebook.write_text(text.replace(*KEPT) if live else text, encoding="utf-8")
        options = ["-o", str(notebook.with_suffix(".html")), "--no-include-code", "--force"]
        command = [sys.executable, "-m", "marimo", "export", "html", str(notebook), *options]
        subprocess.run(command, check=True, capture_output=True, cwd=notebook.parent)
        context = browser.new_context(viewport={"width": 1200, "height": 1200})
        refused = []
        cdn.answer(context, refused)
        page = context.new_page()
        page.goto(notebook.with_suffix(".html").as_uri(), timeout=120_000, wait_until="commit")
        page.locator(".fr-explorer .fr-key").first.wait_for(timeout=120_000)
        slider, key = (page.locator(f".fr-explorer {what}").first for what in ("input[data-attribute=age]", ".fr-key"))
        if live:
            before = key.inner_text()
            slider.evaluate(MOVE, 60)
            until(lambda key=key, before=before: key.inner_text() != before, 60)
        else:
            until(lambda page=page: "This page has no kernel" in page.locator(".fr-explorer .fr-banner").inner_text())
            assert slider.is_disabled()
        context.close()
