"""A kernel behind a thin line: 200 ms away with 1 Mbit/s, as over a mobile network; and one out of patience's reach."""

import copy

import pytest
from delay import delayed
from lab import Notebook, until

pytestmark = pytest.mark.browser
CELL = """import fr_explore as fr
from fr_explore_widgets import AttributeExplorer
faces, model = fr.Avatars(identities=12, seed=0), fr.load_model("dlib", device="cpu")
w = AttributeExplorer(faces, model, variations=2)
w"""
SLIDER = ".fr-explorer input[data-attribute=age]"


@pytest.fixture
def far(jupyterlab, browser):
    """A notebook with an explorer that is opened over a fast line: (notebook, proxy, move the slider and wait)."""
    with delayed(jupyterlab.url) as proxy:
        lab = copy.copy(jupyterlab)
        lab.url = proxy.url
        with Notebook(lab, browser, lab.write("far.ipynb", [CELL])) as notebook:
            notebook.run_all()
            notebook.wait_for(".fr-map-note .fr-term", 120)
            distance = notebook.page.locator(".fr-key").first

            def move() -> None:
                old = distance.get_attribute("data-distance")
                notebook.page.locator(SLIDER).first.press("ArrowRight")
                until(lambda: distance.get_attribute("data-distance") != old, 120)

            move()
            yield notebook, proxy, move
            assert notebook.errors == []
            proxy.delay, proxy.rate = 0.0, float("inf")


def test_answers_pass_between_large_blobs_and_silence_is_explained(far):
    notebook, proxy, move = far
    page = notebook.page
    proxy.delay, proxy.rate = 0.2, 125_000
    # the first of another block of people: 2 MB of heads and people are packed, asked for and sent meanwhile
    page.locator(".fr-explorer input[type=radio]").nth(5).check(force=True)
    needed = []
    for _ in range(8):
        before = proxy.sent
        move()
        needed.append((proxy.sent - before) / 1e3)
    print(f"kB on the line until a slider is answered: {', '.join(f'{one:.0f}' for one in needed)}")
    assert sum(needed) > 8 * 90, "blobs were sent meanwhile"
    # an answer has 80 kB; whole blobs of 2 MB would pass before it
    assert max(needed) < 600
    until(lambda: notebook.value("w.distance") == float(page.locator(".fr-key").first.get_attribute("data-distance")))
    assert page.locator(".fr-explorer .fr-error:visible").count() == 0
    # a round trip of five seconds is longer than a page waits without a word
    proxy.delay, proxy.rate = 2.5, float("inf")
    page.locator(SLIDER).first.press("End")
    banner = notebook.wait_for(".fr-explorer .fr-banner[role=status]:visible", 20)
    assert "the connection is slow" in banner.inner_text()
    page.locator(".fr-explorer .fr-banner:visible").wait_for(state="detached", timeout=60_000)
    proxy.delay = 0.0
    until(lambda: notebook.value("w.strengths['age']") == float(page.locator(SLIDER).first.input_value()))
    until(lambda: notebook.value("w.distance") == float(page.locator(".fr-key").first.get_attribute("data-distance")))
