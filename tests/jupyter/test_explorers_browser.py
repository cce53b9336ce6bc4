"""VerificationExplorer and MacroscaleExplorer in Chromium: as pages from disk, and live in JupyterLab."""

import numpy as np
import pandas as pd
import pytest
from lab import Notebook, until
from pages import violations

from fr_explore_widgets.macroscale.widget import MacroscaleExplorer
from fr_explore_widgets.verification.widget import VerificationExplorer

pytestmark = pytest.mark.browser

PEOPLE = """import numpy as np, pandas as pd
rng = np.random.default_rng(0)
who = np.repeat(np.arange(30), 4)
old = np.where(np.arange(30) % 2, 1, -1)[who]
points = rng.normal(size=(30, 6))[who] + 0.5 * rng.normal(size=(120, 6))
points[:, 0] += 1.2 * old
labels = pd.DataFrame({"old": old, "smiling": np.where(rng.random(120) < .5, 1, -1), "glasses": np.where(rng.random(120) < .3, 1, -1)})
groups = np.where(old > 0, "old", "young")
"""  # noqa: E501 the code of a cell
CASES = [(width, theme) for width in (1200, 380) for theme in ("light", "dark")]


@pytest.fixture(scope="module")
def people():
    scope = {"np": np, "pd": pd}
    exec(PEOPLE, scope)
    return scope


@pytest.fixture(scope="module")
def verify(people):
    return VerificationExplorer(people["points"], people["who"], people["groups"], published=3.0, draws=60)


@pytest.fixture(scope="module")
def macro(people):
    return MacroscaleExplorer(people["points"], people["who"], people["labels"], permutations=60).wait(60)


@pytest.fixture
def opened(open_page, tmp_path):
    """Open a widget's page from disk: `opened(widget, width, theme)`."""

    def open_widget(widget, width=1200, theme="light", **options):
        page = open_page(widget.to_html(tmp_path / "page.html"), width, theme=theme, **options)
        page.wait_for_selector(".fr-lab .fr-plot text")
        return page

    return open_widget


def shown(page, name):
    return float(page.locator(".fr-verify").get_attribute(f"data-{name}"))


def check(page, widget, threshold):
    """The page's rates are Python's at the same threshold."""
    row = widget.set(threshold=threshold).rates().iloc[0]
    assert shown(page, "far") == pytest.approx(row["far"], abs=1e-12)
    assert shown(page, "frr") == pytest.approx(row["frr"], abs=1e-12)


def test_the_handle_follows_mouse_and_keys(opened, verify):
    page = opened(verify.set(threshold=None))
    assert shown(page, "threshold") == 3.0
    box = page.locator(".fr-density").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.5 * box["width"], middle)
    page.mouse.down()
    seen = []
    for share in (0.45, 0.4, 0.35):
        page.mouse.move(box["x"] + share * box["width"], middle)
        seen.append(shown(page, "threshold"))
        check(page, verify, seen[-1])
    page.mouse.up()
    assert seen == sorted(seen, reverse=True)
    handle = page.locator("[data-control=threshold]")
    thumb = page.evaluate("""() => {
      const i = document.querySelector("[data-control=threshold]").getBoundingClientRect();
      const l = document.querySelector(".fr-threshold").getBoundingClientRect();
      const input = document.querySelector("[data-control=threshold]");
      return i.left + 9 + (i.width - 18) * input.value / input.max - (l.left + l.width / 2);
    }""")
    assert abs(thumb) < 1.5  # the handle is on its line
    before = shown(page, "threshold")
    handle.focus()
    page.keyboard.press("ArrowRight")
    assert before < shown(page, "threshold") < before + 0.05
    page.keyboard.press("Home")
    assert shown(page, "far") == 0
    page.keyboard.press("End")
    assert shown(page, "far") == 1
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    assert shown(page, "threshold") != 0
    page.get_by_role("button", name="Reset").click()
    assert shown(page, "threshold") == 3.0
    page.locator("[data-action=calibrated]").click()
    calibrated = verify.setup["marks"][0]["at"]
    check(page, verify, calibrated)
    assert f"At {calibrated:.3f}" in page.locator("[role=status].fr-hidden").text_content()


def test_the_handle_follows_a_finger(opened, verify):
    page = opened(verify.set(threshold=None), width=380, has_touch=True)
    box = page.locator(".fr-density").bounding_box()
    page.touchscreen.tap(box["x"] + 0.3 * box["width"], box["y"] + box["height"] / 2)
    assert 0 < shown(page, "threshold") < 3.0
    check(page, verify, shown(page, "threshold"))


def test_an_attribute_is_chosen_by_keys_alone(opened, macro):
    page = opened(macro)
    select = page.locator("[data-control=attribute]")
    reached = set()
    for _ in range(30):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate("document.activeElement.dataset.action || document.activeElement.dataset.control || ''")
        )
    assert {"attribute", "after"} <= reached
    select.focus()
    page.keyboard.press("ArrowDown")
    page.wait_for_function("document.querySelector('.fr-macro').dataset.attribute === 'smiling'")
    assert page.locator(".fr-sentence").text_content() == macro.results["smiling"]["words"]
    assert page.locator(".fr-bracket-word").count() == 2
    page.keyboard.press("Control+z")
    assert page.locator(".fr-macro").get_attribute("data-attribute") == "old"
    canvas = page.locator(".fr-map-canvas")
    canvas.focus()
    page.keyboard.press("Home")
    assert page.locator(".fr-map-card span").text_content() == "person 0, without old"


@pytest.mark.parametrize(("width", "theme"), CASES)
@pytest.mark.parametrize("name", ["verify", "macro"])
def test_reads_well_in_both_themes_and_widths(opened, request, name, width, theme):
    """axe finds nothing serious, nothing is wider than the page, also at 200 % zoom of the wide one."""
    page = opened(request.getfixturevalue(name), width, theme, reduced_motion="reduce")
    assert page.locator(".fr-lab").get_attribute("data-theme") == theme
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size({"width": width // 2 if width > 400 else width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= (width // 2 if width > 400 else width)
    page.set_viewport_size({"width": width, "height": 900})
    assert violations(page, ".fr-lab") == []


def test_live_in_jupyterlab(browser, jupyterlab):
    cells = (
        PEOPLE + "from fr_explore_widgets import MacroscaleExplorer, VerificationExplorer\n"
        "v = VerificationExplorer(points, who, groups, published=3.0, draws=40)\n"
        "pictures = [np.full((8, 8, 3), 0.5, np.float32)] * 120\n"
        "m = MacroscaleExplorer(points, who, labels, permutations=40, pictures=pictures)",
        "v",
        "m",
    )
    with Notebook(jupyterlab, browser, jupyterlab.write("explorers.ipynb", cells)) as notebook:
        notebook.run_all()
        page = notebook.page
        notebook.wait_for(".fr-verify .fr-density path")
        notebook.wait_for(".fr-macro .fr-cdf path")
        handle = page.locator("[data-control=threshold]")
        handle.focus()
        for _ in range(3):
            handle.press("PageDown")
        until(lambda: abs(notebook.value("v.threshold") - shown(page, "threshold")) < 1e-9)
        assert notebook.value("v.threshold") < 3.0
        # a key in the widget is not a command of the notebook
        assert page.locator(".jp-Cell").count() == 3
        notebook.execute("v.set(threshold=1.25)")
        until(lambda: shown(page, "threshold") == 1.25)
        page.locator(".fr-macro [data-control=attribute]").select_option("smiling")
        until(lambda: notebook.value("m.attribute") == "smiling")
        page.locator(".fr-macro [data-action=probe]").click()
        until(lambda: "A linear probe is right" in page.locator(".fr-probed").text_content(), 60)
        page.locator(".fr-map-canvas").focus()
        page.keyboard.press("Home")
        until(lambda: page.locator(".fr-map-card .fr-face").is_visible())
        assert notebook.errors == []
        page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
        page.wait_for_selector(".fr-verify .fr-banner:visible", timeout=15_000)
        assert "still works on the pairs" in page.locator(".fr-verify .fr-banner").inner_text()
        handle.press("Home")
        assert shown(page, "far") == 0
