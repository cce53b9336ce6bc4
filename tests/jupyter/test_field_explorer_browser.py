"""FieldExplorer in Chromium: as a page without a kernel, and in a real JupyterLab."""

import pytest
from lab import Notebook, until
from pages import violations

import fr_explore as fr

pytestmark = pytest.mark.browser

MAKE = """
import numpy as np, xarray as xr, fr_explore as fr
from fr_explore_widgets import FieldExplorer
faces = fr.Avatars(identities=2, seed=0)
lattice = fr.sample_lattice(faces, ["age", "hue"], curves=30, seed=0)
rng = np.random.default_rng(0)
points = rng.normal(size=(2, 1, 30, 8)) * np.linspace(1, 0.2, 8)
v = rng.normal(size=(2, 2, 30, 8)) + [[[[1.5]], [[0]]]]
steps = np.stack([points - v / 8, points + 0 * v, points + v / 8], axis=3)
embeddings = xr.DataArray(steps.astype("f4"), dims=("identity", "attribute", "curve", "step", "dim"),
                          coords={"identity": [0, 1], "attribute": ["age", "hue"], "step": [-1, 0, 1]})
field = fr.vector_field(embeddings)
w = FieldExplorer(field, lattice, size=48)
"""


@pytest.fixture(scope="module")
def made():
    names: dict = {}
    exec(MAKE, names)
    yield names["w"].wait(120), names["field"]
    names["w"].close()


@pytest.fixture(scope="module")
def path(made, tmp_path_factory):
    return made[0].to_html(tmp_path_factory.mktemp("page") / "field.html", curves=1)


@pytest.fixture
def page(request, open_page, path):
    """The page from disk; parametrize it with the options of `open_page`."""
    found = open_page(path, **{"width": 1100, **getattr(request, "param", {})})
    found.wait_for_selector(".fr-map-box[data-zoom]")
    return found


def shown(page):
    """Energy and scale on the page."""
    data = page.locator(".fr-field").first
    return float(data.get_attribute("data-energy")), float(data.get_attribute("data-scale"))


def test_the_scale_slides_by_keys_and_each_step_is_the_librarys(page, made):
    cursor = page.locator(".fr-cursor")
    cursor.focus()
    for key, scale in (("Home", 1), ("ArrowRight", 2), ("End", 29), ("ArrowLeft", 25)):
        cursor.press(key)
        until(lambda scale=scale: shown(page)[1] == scale, 5)
        assert shown(page)[0] == pytest.approx(fr.alignment(made[1], fr.knn(scale))["energy"][0], abs=1e-5)
    assert "E = " in page.locator("[role=status].fr-hidden").inner_text()
    page.keyboard.press("Control+z")
    until(lambda: shown(page)[1] != 25, 5)
    page.keyboard.press("Control+Shift+z")
    until(lambda: shown(page)[1] == 25, 5)


def test_attribute_identity_and_kind_are_chosen_by_keys(page, made):
    page.get_by_role("radio", name="age").focus()
    page.keyboard.press("ArrowRight")
    table = fr.alignment(made[1], "knn:10").set_index(["identity", "attribute"])["energy"]
    until(lambda: shown(page)[0] == pytest.approx(table[0, "hue"], abs=1e-5), 5)
    page.get_by_label("Identity", exact=True).select_option("1")
    until(lambda: shown(page)[0] == pytest.approx(table[1, "hue"], abs=1e-5), 5)
    page.get_by_role("radio", name="k nearest").focus()
    page.keyboard.press("ArrowRight")
    wide = fr.alignment(made[1], "ball:0.6").set_index(["identity", "attribute"])["energy"]
    until(lambda: shown(page)[0] == pytest.approx(wide[1, "hue"], abs=1e-5), 5)
    assert "no neighbour" in page.locator(".fr-legend").inner_text()


def test_the_map_pans_zooms_and_shows_the_curve_under_the_hand(page):
    canvas, plane = page.locator(".fr-map-canvas"), page.locator(".fr-map-box")
    box = canvas.bounding_box()
    before = canvas.evaluate("c => c.toDataURL()")
    page.mouse.move(box["x"] + 300, box["y"] + 200)
    page.mouse.wheel(0, -300)
    assert plane.get_attribute("data-zoom") == "1.000"  # the page scrolls past a map without the focus
    page.mouse.down()
    page.mouse.move(box["x"] + 340, box["y"] + 230, steps=4)
    page.mouse.up()
    until(lambda: canvas.evaluate("c => c.toDataURL()") != before, 5)
    page.mouse.wheel(0, -300)
    until(lambda: float(plane.get_attribute("data-zoom")) > 1.3, 5)
    canvas.press("0")
    until(lambda: plane.get_attribute("data-zoom") == "1.000", 5)
    words = page.locator(".fr-curve-words")
    said = set()
    for key in ("Home", "ArrowRight", "ArrowUp", "End"):
        canvas.press(key)
        page.wait_for_timeout(100)
        said.add(words.inner_text())
    assert len(said) >= 3
    assert "Curve 29: E = " in words.inner_text()
    assert page.locator(".fr-curve").inner_text().count("does not contain the faces") == 1
    canvas.press("Enter")
    canvas.press("Escape")
    until(lambda: "Point at an arrow" in words.inner_text(), 5)


@pytest.mark.parametrize(
    "page",
    [{"theme": "light"}, {"theme": "dark"}, {"width": 380, "height": 800}],
    indirect=True,
)
def test_nothing_keeps_people_out(page):
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("page", [{"width": 550, "height": 450, "device_scale_factor": 2}], indirect=True)
def test_at_twice_the_size_nothing_is_cut_off(page):
    """Zoom 200 % of a window of 1100 px is a window of 550 px with pixels twice as fine."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    wide = page.locator(".fr-map-canvas").evaluate("c => [c.width, c.clientWidth]")
    assert wide[0] == pytest.approx(2 * wide[1], abs=2)


def test_in_jupyterlab(browser, jupyterlab):
    """Faces from the kernel, its traits in step, two views alike, an error said, a busy kernel not waited for."""
    name = jupyterlab.write("field.ipynb", [MAKE, "w", "w"])
    with Notebook(jupyterlab, browser, name, height=1800) as notebook:
        page = notebook.page
        notebook.run_all()
        notebook.wait_for(".fr-field[data-curve]", 120)
        until(lambda: page.locator(".fr-field[data-curve]").count() == 2, 60)
        assert page.locator(".fr-three figcaption").first.inner_text().endswith("years")
        first, second = (page.locator(".fr-cursor").nth(i) for i in (0, 1))
        first.press("End")
        until(lambda: notebook.value("w.state['scale']") == 29)
        assert notebook.value("round(w.energy, 9)") == pytest.approx(shown(page)[0], abs=1e-6)
        until(lambda: second.input_value() == first.input_value())
        notebook.execute("w.set(attribute='hue', kind='ball', scale=0.9)")
        until(lambda: shown(page)[1] == 0.9)
        until(lambda: shown(page)[0] == pytest.approx(notebook.value("w.energy"), abs=1e-6))
        notebook.execute("def broken(*a, **b): raise OSError('disk gone')\ntype(faces).render_batch = broken")
        page.locator(".fr-map-canvas").first.press("Home")
        notebook.wait_for(".fr-error:visible", 10)
        assert "OSError: disk gone" in page.locator(".fr-error").first.inner_text()
        with jupyterlab.kernel(name) as client:
            client.execute("import time; time.sleep(3)")
            first.press("Home")
            assert shown(page)[1] == 0.05  # the page looks up; it asks nobody
            client.get_shell_msg(timeout=60)
        assert notebook.errors == []
