"""Widgets in pages without a kernel, opened from disk in Chromium: nbconvert, embed_minimal_html, Jupyter Book 1."""

import re
import subprocess
import sys

import cdn
import nbformat
import pytest
from lab import KERNELSPEC, until
from nbclient import NotebookClient

CELL = """
import fr_explore as fr
from fr_explore_widgets import AttributeExplorer, EnergyPlayground
faces, model = fr.Avatars(identities=2, seed=0), fr.load_model("dlib", device="engine")
saved, kept = (AttributeExplorer(faces, model, variations=2).wait() for _ in range(2))
kept.keep_live()
for one in (saved, kept):
    one.set(age=60)
playground = EnergyPlayground()
print(f"DISTANCE {kept.distance:.4f}")
"""
SHOW = "display(saved, kept, playground)"
EMBED = """
from ipywidgets.embed import embed_minimal_html
for name, options in (("defaults", {}), ("all", {"drop_defaults": False})):
    embed_minimal_html(f"{name}.html", views=[saved, kept, playground], title="Faces", **options)
"""
BOOK = """
project = "Faces"
extensions = ["myst_nb"]
nb_execution_mode = "off"
"""
AT_ONCE = 1.0  # seconds from a view to its words
MOVE = """(slider, value) => {
  slider.value = value;
  for (const name of ["input", "change"]) slider.dispatchEvent(new Event(name, { bubbles: true }));
}"""
# when the first view is in the page, and when its words are
WATCH = """
const seen = (window.frSeen = {});
new MutationObserver(() => {
  const view = document.querySelector(".fr-explorer");
  if (view) seen.view ??= performance.now();
  if (view?.querySelector(".fr-banner:not([hidden])")) seen.words ??= performance.now();
}).observe(document, { childList: true, subtree: true, attributes: true });
"""

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("hosts")]


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """A folder with an executed notebook, its page, those of embed_minimal_html; and the distance of the last state."""
    folder = tmp_path_factory.mktemp("pages")
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": KERNELSPEC})
    notebook.cells = [nbformat.v4.new_code_cell(cell) for cell in (CELL, SHOW, EMBED)]
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    nbformat.write(notebook, folder / "faces.ipynb")
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "faces.ipynb"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    text = "".join(output.get("text", "") for output in notebook.cells[0].outputs)
    return folder, float(text.partition("DISTANCE ")[2])


@pytest.fixture
def opened(browser):
    contexts = []

    def visit(path):
        # the hash of a minified require.js that npm does not have
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r' integrity="[^"]*"', "", text), encoding="utf-8")
        context = browser.new_context(viewport={"width": 1200, "height": 1200})
        contexts.append(context)
        refused, errors = [], []
        cdn.answer(context, refused)
        page = context.new_page()
        page.add_init_script(WATCH)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(path.as_uri(), timeout=120_000, wait_until="commit")
        page.locator(".fr-explorer .fr-key").nth(1).wait_for(timeout=90_000)
        page.locator(".fr-energy").wait_for()
        return page, errors

    yield visit
    for context in contexts:
        context.close()


def check_page(page, errors, distance):
    """The first widget shows its last state and says so, the second is live, the third needs no kernel."""
    saved, kept = page.locator(".fr-explorer").nth(0), page.locator(".fr-explorer").nth(1)
    banner = saved.locator(".fr-banner")
    until(lambda: "no kernel" in banner.inner_text())
    assert "w.keep_live()" in banner.inner_text()
    seen = page.evaluate("window.frSeen")
    assert seen["words"] - seen["view"] < 1000 * AT_ONCE
    sliders = saved.locator("input[type=range]")
    assert sliders.count() > 5
    assert all(sliders.nth(i).is_disabled() for i in range(sliders.count()))
    assert float(saved.locator(".fr-key").get_attribute("data-distance")) == pytest.approx(distance, abs=1e-3)
    assert saved.locator("input[data-attribute=age]").input_value() == "60"

    def shown():
        return float(kept.locator(".fr-key").get_attribute("data-distance"))

    assert not kept.locator(".fr-banner").is_visible()
    until(lambda: shown() == pytest.approx(distance, rel=0.06), 60)  # of the network with 8 bits
    before = shown()
    kept.locator("input[data-attribute=age]").evaluate(MOVE, 25)
    until(lambda: shown() != before, 60)
    assert "Live: this page draws the faces" in page.locator("body").inner_text()

    playground = page.locator(".fr-energy")
    assert not playground.locator(".fr-banner").is_visible()
    energy = playground.inner_text()
    playground.get_by_text("Random points").click()
    until(lambda: playground.inner_text() != energy)
    assert errors == []


def test_nbconvert(executed, opened, capsys):
    folder, distance = executed
    page, errors = opened(folder / "faces.html")
    with capsys.disabled():
        sizes = {name: (folder / name).stat().st_size / 1e6 for name in ("faces.ipynb", "faces.html")}
        print(f"\nnbconvert: {', '.join(f'{name} {size:.1f} MB' for name, size in sizes.items())}")
    check_page(page, errors, distance)
    # the pictures for readers without scripts make room for the views
    assert page.locator(".fr-static").evaluate_all("all => all.filter((one) => one.offsetHeight > 0).length") == 0


@pytest.mark.parametrize("name", ["defaults", "all"])
def test_embed_minimal_html(executed, opened, name):
    folder, distance = executed
    page, errors = opened(folder / f"{name}.html")
    check_page(page, errors, distance)


def test_jupyter_book(executed, opened, tmp_path):
    """Version 1 is Sphinx with myst-nb."""
    folder, distance = executed
    (tmp_path / "conf.py").write_text(BOOK, encoding="utf-8")
    (tmp_path / "index.md").write_text("# Faces\n\n```{toctree}\nfaces\n```\n", encoding="utf-8")
    notebook = nbformat.read(folder / "faces.ipynb", 4)
    notebook.cells = [nbformat.v4.new_markdown_cell("# Faces"), *notebook.cells[:2]]
    nbformat.write(notebook, tmp_path / "faces.ipynb")
    command = [sys.executable, "-m", "sphinx", "-q", "-b", "html", ".", "built"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    page, errors = opened(tmp_path / "built" / "faces.html")
    check_page(page, errors, distance)


@pytest.mark.parametrize("scripts", [True, False])
def test_without_a_cdn_or_scripts_the_picture_and_its_words_are_shown(executed, browser, scripts):
    folder, _ = executed
    context = browser.new_context(java_script_enabled=scripts)
    context.route("https://**", lambda route: route.abort())
    page = context.new_page()
    page.goto((folder / "faces.html").as_uri())
    pictures = page.locator(".fr-static img")
    assert pictures.count() == 3
    assert all(pictures.nth(i).is_visible() for i in range(3))
    assert "age 60 years" in pictures.first.get_attribute("alt")
    assert "This is the widget's last state" in page.locator(".fr-static").first.inner_text()
    context.close()
