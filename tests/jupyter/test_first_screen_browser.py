"""The first screen of `AttributeExplorer` in a real JupyterLab: what is on it, where, and that nothing moves."""

import pytest
from lab import Notebook, until

pytestmark = pytest.mark.browser

CELL = (
    "import dataclasses, fr_explore as fr\n"
    "from fr_explore_widgets import AttributeExplorer\n"
    "faces = fr.Avatars(identities=12, seed=0)\n"
    "model = fr.load_model('dlib', device='cpu')\n"
    "card = dataclasses.replace(model.card, name='cosine', title='dlib by cosine', metric='cosine', threshold=0.07)\n"
    "w = AttributeExplorer(faces, [model, fr.load_model('dlib', card=card, device='cpu')], variations=2)\n"
    "w"
)
PARTS = (".fr-keys", ".fr-pair", ".fr-pages", ".fr-people", ".fr-ab", ".fr-maps", ".fr-map-canvas", ".fr-foot")
RECTS = """(names) => Object.fromEntries(names.map((name) => {
  const { left, top, right, bottom } = document.querySelector(`.fr-explorer ${name}`).getBoundingClientRect();
  return [name, [left, top, right, bottom].map(Math.round)];
}))"""
SHARP = "(c) => [c.width, c.height].join() === [c.clientWidth, c.clientHeight].map((n) => n * devicePixelRatio).join()"


def rects(page, *names):
    return page.evaluate(RECTS, list(names or PARTS))


def visible_sliders(page):
    return [one for one in page.locator(".fr-explorer input[type=range]").all() if one.is_visible()]


@pytest.fixture(scope="module")
def opened(jupyterlab, browser):
    """The notebook as a reader first sees it; `early` are the places of the parts before the map."""
    with Notebook(jupyterlab, browser, jupyterlab.write("first.ipynb", [CELL]), width=1280, height=800) as notebook:
        notebook.run_all()
        notebook.wait_for(".fr-explorer .fr-hint")
        notebook.early = rects(notebook.page)
        notebook.wait_for(".fr-map-note .fr-term", 120)
        yield notebook
        assert notebook.errors == []
        assert notebook.value("w.error") == {}


def test_everything_is_on_the_first_screen_and_stays_where_it_was(opened):
    page = opened.page
    box = page.locator(".fr-explorer").bounding_box()
    assert box["width"] <= 1100
    assert box["height"] <= 540
    assert box["y"] + box["height"] <= 800 - 24  # above JupyterLab's status bar
    shown = visible_sliders(page)
    assert len(shown) == 8
    for one in [
        page.locator(".fr-pair canvas").nth(1),
        page.locator(".fr-key"),
        page.locator(".fr-map-canvas"),
        *shown,
    ]:
        place = one.bounding_box()
        assert place["y"] >= box["y"]
        assert place["y"] + place["height"] <= 776
    assert rects(page) == opened.early, "the map and the natural variation came in"
    overlapping = page.evaluate(
        """() => {
          const parts = [".fr-faces", ".fr-sliders", ".fr-maps"].map((s) => document.querySelector(s));
          return parts.some((part) => [...part.querySelectorAll("*")].some((n) =>
            n.checkVisibility() && !n.closest(".fr-hidden, .fr-one-line, .fr-people, [data-page=more], .fr-ab-words") &&
            n.getBoundingClientRect().right > part.getBoundingClientRect().right + 1));
        }"""
    )
    assert not overlapping


def test_it_shows_a_moved_face_with_its_trail_and_an_invitation_until_a_hand_moves_it(opened):
    page = opened.page
    assert page.locator(".fr-hint").is_visible()
    first = visible_sliders(page)[0]
    assert float(first.input_value()) == opened.value("w.strengths['head_angle']") > 10
    hint, thumb = page.locator(".fr-hint").bounding_box(), first.bounding_box()
    assert hint["y"] + hint["height"] <= thumb["y"] + thumb["height"] / 2
    until(lambda: int(page.locator(".fr-map-box").get_attribute("data-trail")) >= 5)
    until(lambda: page.locator(".fr-map-box").get_attribute("data-tangent") == "true")
    assert opened.value("w.distance") > 0.05
    first.press("ArrowRight")
    page.locator(".fr-hint").wait_for(state="hidden")
    until(lambda: opened.value("w.state['strengths']['head_angle']") > 20)
    assert rects(page) == opened.early


def test_snapshots_and_the_estimate_move_nothing(opened):
    page = opened.page
    for name in "AB":
        page.locator(f"[data-action=store{name}]").click()
        until(lambda name=name: name in opened.value("w.snapshots"))
    page.locator(".fr-recall").nth(1).wait_for()
    assert rects(page) == opened.early
    before = rects(page, *PARTS[:-1])
    page.locator(".fr-depends summary").click()
    page.locator(".fr-bars tbody tr").nth(7).wait_for(timeout=120_000)
    page.locator(".fr-depends summary").click()
    assert rects(page, *PARTS[:-1]) == before
    opened.execute("w.forget()")


def test_a_theme_is_followed_at_once_and_the_map_keeps_its_shape(opened):
    page = opened.page
    for theme in ("Dark", "Light"):
        opened.change_theme(theme)
        until(lambda theme=theme: page.locator(".fr-explorer").get_attribute("data-theme") == theme.lower(), 2)
        until(lambda: page.locator(".fr-map-canvas").evaluate(SHARP), 2)
        assert rects(page) == opened.early


def test_two_models_have_two_verdicts_and_two_maps_on_the_same_screen(opened):
    page = opened.page
    page.locator("select[data-action=compare]").select_option("cosine")
    until(lambda: page.locator(".fr-map-note .fr-term").count() == 2, 90)
    until(lambda: len(opened.value("w.distances")) == 2)
    lines = [one.bounding_box() for one in page.locator(".fr-key").all()]
    maps = [one.bounding_box() for one in page.locator(".fr-map-canvas").all()]
    assert lines[0]["y"] + lines[0]["height"] <= lines[1]["y"]
    assert maps[0]["y"] == maps[1]["y"]
    assert maps[0]["x"] + maps[0]["width"] <= maps[1]["x"]
    assert all(min(one["width"], one["height"]) >= 180 for one in maps)
    box = page.locator(".fr-explorer").bounding_box()
    assert box["height"] <= 540
    assert box["y"] + box["height"] <= 776
    limits = page.locator(".fr-key .fr-head").all_inner_texts()
    assert ["0.60" in limits[0], "0.07" in limits[1]] == [True, True]
    for key, name in zip(page.locator(".fr-key").all(), ("dlib", "cosine"), strict=True):
        until(lambda k=key, n=name: float(k.get_attribute("data-distance")) == opened.value(f"w.distances[{n!r}]"))
    opened.execute("w.set(compare=False)")


def test_on_a_phone_verdict_faces_and_sliders_share_one_screen(opened):
    page, root = opened.page, opened.page.locator(".fr-explorer")
    root.evaluate("node => { node.style.width = '380px'; }")
    too_wide = "node => [...node.querySelectorAll(':not(.fr-hidden)')].filter(n => n.scrollWidth > 380).length"
    assert root.evaluate(too_wide) == 0
    top = root.bounding_box()["y"]
    ends = [page.locator(part).bounding_box() for part in (".fr-keys", ".fr-pair", ".fr-pages")]
    assert [one["y"] for one in ends] == sorted(one["y"] for one in ends)
    assert ends[-1]["y"] + ends[-1]["height"] - top <= 720
    assert len(visible_sliders(page)) == 8
    root.evaluate("node => { node.style.width = ''; }")
