"""Widgets in pages without a kernel, opened from disk in Chromium: nbconvert, embed_minimal_html, Jupyter Book."""

import json
import re
import shutil
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
# instead of its theme, which Jupyter Book 2 fetches from mystmd.org: enough to build a book's content
BOOK_2 = {
    "myst.yml": "version: 1\nproject:\n  title: Faces\n  toc:\n    - file: faces.ipynb\nsite:\n  template: ./theme\n",
    "theme/template.yml": "jtex: v1\ntitle: Faces\nbuild:\n  install: 'true'\n  start: 'true'\nfiles: []\n",
}
# as the theme shows an output of a book: without the view of a widget, by thebe's renderers
SHOW_OUTPUTS = """(outputs) => {
  const { module: thebe } = window.thebeCore;
  const renderers = thebe.makeRenderMimeRegistry();
  for (const [place, output] of outputs.entries()) {
    const root = document.body.appendChild(document.createElement("div"));
    const cell = new thebe.PassiveCellRenderer(String(place), renderers, undefined);
    cell.attachToDOM(root, true);
    cell.render(thebe.stripWidgets([output]));
  }
}"""
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


def outputs_of(node, public):
    """The outputs in the content of a book, as Jupyter has them."""
    if isinstance(node, list):
        return [output for child in node for output in outputs_of(child, public)]
    if not isinstance(node, dict):
        return []
    if node.get("type") != "output":
        return outputs_of(list(node.values()), public)
    output = node["jupyter_data"]
    for kind, part in output.get("data", {}).items():
        text = part["content"] if "content" in part else (public / part["path"].lstrip("/")).read_text(encoding="utf-8")
        output["data"][kind] = json.loads(text) if kind.endswith("+json") else text
    return [output]


def test_jupyter_book_2(executed, browser, tmp_path):
    """Its theme leaves out every widget's view: the picture of the last state and its words are shown."""
    folder, distance = executed
    for name, text in BOOK_2.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    shutil.copy(folder / "faces.ipynb", tmp_path)
    command = [sys.executable, "-m", "jupyter_book", "build", "--site"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    site = tmp_path / "_build" / "site"
    content = json.loads((site / "content" / "index.json").read_text(encoding="utf-8"))
    outputs = outputs_of(content["mdast"], site / "public")
    assert sum("application/vnd.jupyter.widget-view+json" in output.get("data", {}) for output in outputs) == 3
    script = cdn.PAGES / "thebe-core" / "dist" / "lib" / "thebe-core.min.js"
    (tmp_path / "page.html").write_text(
        f'<!doctype html><meta charset="utf-8"><script src="{script.as_uri()}"></script>'
    )
    page = browser.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((tmp_path / "page.html").as_uri())
    page.wait_for_function("window.thebeCore?.module")
    page.evaluate(SHOW_OUTPUTS, outputs)
    pictures = page.locator(".fr-static img")
    until(lambda: pictures.count() == 3)
    shown = "(images) => Promise.all(images.map(async (one) => { await one.decode(); return one.offsetHeight; }))"
    assert min(pictures.evaluate_all(shown)) > 100
    words = page.locator(".fr-static").first.inner_text()
    assert "age 60 years, compared with identity 0, neutral." in words
    assert f"distance {distance:.3f}" in words
    assert "run the cell for the live widget" in page.locator("body").inner_text()
    assert errors == []
    page.close()


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
