"""Each widget's page with a screen reader, at 200 % zoom, in forced colours and on paper.

`pytest tests/widgets/test_aids.py -k screen_reader` compares what a screen reader gets with `trees/`. After a change
that is meant, write the trees again with FR_EXPLORE_TREES=write, and read the difference as somebody who only hears it.
"""

import difflib
import io
import os
from pathlib import Path

import numpy as np
import pytest
from family import PAGED, write_page
from PIL import Image
from screen_reader import spoken_tree

TREES = Path(__file__).parent / "trees"
# a window of 1280 x 800 at 200 %, and a sheet of A4 within its margins
ZOOMED, PAPER = {"width": 640, "height": 400}, {"width": 718, "height": 1047}
# what reaches over the side of the window, and controls whose words are cut
CUT = """() => [...document.querySelectorAll("main *, footer *")].filter((one) => {
  if (one.closest(".fr-hidden, svg, [hidden]") || !one.checkVisibility()) return false;
  const { left, right } = one.getBoundingClientRect();
  return right > innerWidth + 1 || left < -1
    || (one.matches("button, label, select, summary") && one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0);
}).map((one) => `${one.tagName}.${one.className}: ${one.textContent}`)"""
# explanations of terms that do not fit into the window
HIDDEN_TIPS = """async () => {
  const found = [];
  for (const term of document.querySelectorAll(".fr-term")) {
    if (!term.checkVisibility()) continue;
    term.focus();
    await new Promise(requestAnimationFrame);
    const tip = document.getElementById(term.getAttribute("aria-describedby"));
    const { left, right, top } = tip.getBoundingClientRect();
    if (left < 0 || right > innerWidth || top + scrollY < 0) found.push([term.textContent, left, right, top + scrollY]);
  }
  document.activeElement.blur();
  return found;
}"""


@pytest.fixture(scope="module", params=PAGED, ids=lambda case: case.name)
def shown(request, browser, tmp_path_factory):
    """Each page, opened once: (case, page). A test leaves the window and the media as they were."""
    path = write_page(request.param, tmp_path_factory.mktemp("aids") / f"{request.param.name}.html")
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    page.goto(path.as_uri())
    page.wait_for_selector(".fr-still", state="detached")
    if request.param.name == "attribute":
        page.wait_for_selector("html[data-live=ready]", timeout=120_000)
        # a live page opens with a face that has moved a little
        page.wait_for_function("Number(document.querySelector('.fr-key').dataset.distance) > 0", timeout=120_000)
    before = ""
    while (now := spoken_tree(page, "main")) != before:
        before = now
        page.wait_for_timeout(400)
    yield request.param, page
    page.close()


@pytest.fixture
def page(shown):
    _, page = shown
    yield page
    page.set_viewport_size({"width": 1200, "height": 900})
    page.emulate_media(media="screen", forced_colors="none", color_scheme="light")


@pytest.mark.browser
def test_a_screen_reader_gets_what_was_agreed(shown, page):
    case, _ = shown
    spoken, path = spoken_tree(page, "main"), TREES / f"{case.name}.txt"
    if os.environ.get("FR_EXPLORE_TREES") == "write":
        path.write_text(spoken, encoding="utf-8")
    agreed = path.read_text(encoding="utf-8")
    change = "\n".join(
        difflib.unified_diff(agreed.splitlines(), spoken.splitlines(), "agreed", "now", lineterm="", n=1)
    )
    assert spoken == agreed, f"{change}\nIf this is better, write the trees again: FR_EXPLORE_TREES=write"


def _lines(name: str) -> list[str]:
    return (TREES / f"{name}.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("case", PAGED, ids=lambda case: case.name)
def test_every_control_has_a_name_and_every_slider_its_value_in_words(case):
    lines = [line.strip() for line in _lines(case.name)]
    controls = (
        "button",
        "slider",
        "meter",
        "radio",
        "checkbox",
        "combobox",
        "listbox",
        "option",
        "image",
        "application",
    )
    assert [line for line in lines if line.split()[0] in controls and '"' not in line] == []
    spoken = [line for line in lines if line.startswith(("slider", "meter"))]
    assert [line for line in spoken if '" = "' not in line] == [], "a number alone has no unit: set aria-valuetext"
    assert any("[live polite]" in line for line in lines), "results are announced"
    levels = [int(line.split("level ")[1][0]) for line in lines if line.startswith("heading")]
    assert all(after <= before + 1 for before, after in zip([3, *levels], levels, strict=False))


@pytest.mark.browser
def test_nothing_is_cut_at_200_percent(page):
    page.set_viewport_size(ZOOMED)
    page.wait_for_timeout(200)  # a plot follows the width of its box in the next frame
    assert page.evaluate("document.documentElement.scrollWidth") <= ZOOMED["width"]
    assert page.evaluate(CUT) == []
    assert page.evaluate(HIDDEN_TIPS) == []


def _picture(locator) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(locator.screenshot())).convert("RGB")).astype(int)


def _drawn(pixels: np.ndarray) -> np.ndarray:
    """Which pixels differ from the corner, which is the background."""
    return abs(pixels - pixels[0, 0]).max(axis=-1) > 30


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_forced_colours_leave_tracks_bars_choices_focus_and_map(shown, page, theme):
    page.emulate_media(forced_colors="active", color_scheme=theme)
    page.evaluate("document.activeElement.blur()")
    sliders = [*page.locator("main .fr-track:visible").all(), *page.locator("main .fr-meter:visible").all()]
    for slider in sliders:
        assert _drawn(_picture(slider)).any(axis=0).mean() > 0.9, "a track reaches from end to end"
    for thumb in page.locator("main input[type=range]:visible:enabled").all()[:2]:
        before = _picture(thumb)
        thumb.focus()
        page.keyboard.press("Shift")  # the focus of the keyboard
        assert (abs(_picture(thumb) - before).max(axis=-1) > 30).sum() > 20, "the slider with the focus shows it"
        thumb.blur()
    for chosen in page.locator("main .fr-chip:has(:checked):visible").all():
        others = chosen.locator("xpath=..").locator(".fr-chip:not(:has(:checked)):visible")
        if others.count():
            gap = abs(_picture(chosen)[5, 5] - _picture(others.first)[5, 5]).max()
            assert gap > 90, "a chosen button differs from the others"
    for map_ in page.locator("main .fr-map-box:visible").all():
        assert _drawn(_picture(map_)).mean() > 0.002


@pytest.mark.browser
def test_on_paper_there_is_what_can_be_read(shown, page):
    case, _ = shown
    page.emulate_media(media="print")
    page.set_viewport_size(PAPER)
    page.wait_for_timeout(200)
    assert page.locator("main button.fr-button:visible, footer button:visible, .fr-tip:visible").count() == 0
    assert page.evaluate(CUT) == []
    for mark in page.locator("main :is(.fr-fill, .fr-swatch, input[type=range]):visible").all():
        assert mark.evaluate("one => getComputedStyle(one).printColorAdjust") == "exact"
    if case.name == "attribute":
        parts = page.locator(".fr-key:visible, .fr-face:visible, .fr-map-box:visible, .fr-slider:visible")
        assert parts.count() >= 12
        ends = parts.evaluate_all("all => all.map((one) => one.getBoundingClientRect().bottom)")
        assert max(ends) <= PAPER["height"], "faces, verdict, sliders and map are on one sheet"
        assert page.pdf(format="A4").count(b"/Type /Page\n") == 1
