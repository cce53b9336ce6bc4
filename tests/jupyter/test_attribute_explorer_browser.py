"""`AttributeExplorer` in a real JupyterLab, and as a page opened from disk without a kernel."""

import itertools

import pytest
from lab import Notebook, until

pytestmark = pytest.mark.browser

CELL = (
    "import dataclasses, fr_explore as fr\n"
    "from fr_explore_widgets import AttributeExplorer\n"
    "faces = fr.Avatars(identities=3, seed=0)\n"
    "model = fr.load_model('dlib', device='cpu')\n"
    "card = dataclasses.replace(model.card, name='cosine', title='dlib by cosine', metric='cosine', threshold=0.07)\n"
    "w = AttributeExplorer(faces, [model, fr.load_model('dlib', card=card, device='cpu')], variations=2)\n"
    "w"
)


# whether the page itself draws the face of a move
OWN = """() => new Promise((done) => {
  const root = document.querySelector(".fr-explorer"), input = root.querySelector("input[data-attribute=age]");
  root.addEventListener("fr-drawn", ({ detail }) => done(Boolean(detail.drawn)), { once: true });
  input.valueAsNumber += input.valueAsNumber > 60 ? -20 : 1;
  input.dispatchEvent(new Event("input", { bubbles: true }));
})"""


@pytest.fixture(scope="module")
def opened(jupyterlab, browser):
    with Notebook(jupyterlab, browser, jupyterlab.write("attribute.ipynb", [CELL]), height=1500) as notebook:
        notebook.run_all()
        notebook.wait_for(".fr-map-note .fr-term", 120)
        yield notebook


@pytest.fixture
def lab(opened):
    opened.execute("w.set(identity=0, model='dlib', compare=False); w.reset(); w.forget(); w.wait()")
    yield opened
    assert opened.errors == []
    assert opened.value("w.error") == {}


DRAG = """async () => {
  const root = document.querySelector(".fr-explorer"), input = root.querySelector("input[data-attribute=age]");
  const seen = [], pixels = () => root.querySelectorAll(".fr-pair canvas")[1].toDataURL();
  root.addEventListener("fr-drawn", ({ detail }) => seen.push([detail.shape[0], Boolean(detail.drawn)]));
  for (let i = 0; i < 20; i += 1) {
    input.valueAsNumber = 40 + i;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise((done) => setTimeout(done, 20));
  }
  await new Promise((done) => setTimeout(done, 1000));
  const own = pixels(), dragged = seen.length;
  input.dispatchEvent(new Event("change", { bubbles: true }));
  while (seen.at(-1)[1]) await new Promise((done) => setTimeout(done, 50));
  return [seen, dragged, own === pixels()];
}"""


def test_a_drag_is_drawn_by_the_page_and_its_end_by_the_kernel_with_the_same_bits(lab):
    page = lab.page
    until(lambda: lab.value("w.packed"), 90)
    page.wait_for_function("() => globalThis.frExploreBlobs?.size >= 6")  # the engine's four files, the head, a person
    until(lambda: page.evaluate(OWN), 60)
    seen, dragged, same = page.evaluate(DRAG)
    assert all(drawn for _, drawn in seen[:dragged]), "no picture of a drag came from the kernel"
    assert [seen[0][0], seen[dragged - 1][0]] == [80, 160], "small in motion, whole when it pauses"
    assert seen[-1] == [160, False]
    assert same
    until(lambda: lab.value("w.state['strengths']['age']") == 59)
    assert page.locator("input[data-attribute=age]").input_value() == "59"
    here = lab.value("float(abs(w.distance - w.sweep('age', [59, 60])['distance'][0]))")
    assert here < 1e-5
    until(lambda: page.locator(".fr-map-box").first.get_attribute("data-tangent") == "true")
    kept = "caches.open('fr-explore-1').then((cache) => cache.keys()).then((keys) => keys.length)"
    until(lambda: page.evaluate(kept) >= 6)  # a page that is loaded again asks the kernel for none of them


# whether a face in motion is there when its event has been handled, and its pixels
AT_ONCE = """(age) => {
  const root = document.querySelector(".fr-explorer"), input = root.querySelector("input[data-attribute=age]");
  let drawn = false;
  const note = ({ detail }) => { drawn = detail.drawn && detail.strengths.age === age; };
  root.addEventListener("fr-drawn", note, { once: true });
  input.valueAsNumber = age;
  input.dispatchEvent(new Event("input", { bubbles: true }));
  const canvas = root.querySelectorAll(".fr-pair canvas")[1];
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const hex = (byte) => byte.toString(16).padStart(2, "0");
  return drawn && Array.from(data, (byte, i) => (i % 4 < 3 ? hex(byte) : "")).join("");
}"""


def test_a_face_in_motion_is_drawn_within_the_sliders_event_with_the_kernels_bits(lab):
    ages = iter(range(20, 70))
    until(lambda: lab.page.evaluate(AT_ONCE, next(ages)), 60)  # the page's own thread has its data
    lab.page.wait_for_timeout(500)
    got = lab.page.evaluate(AT_ONCE, 71)
    assert got == lab.value(
        "__import__('fr_explore_widgets').core.faces.to_bytes(faces.render(0, {'age': 71}, 80).pixels).tobytes().hex()"
    )


# a commit, and what the key figure says until the kernel has told its distance
COMMIT = """async (value) => {
  const root = document.querySelector(".fr-explorer"), input = root.querySelector("input[data-attribute=age]");
  const key = root.querySelector(".fr-key"), seen = [];
  const watch = new MutationObserver(() => {
    const [text, distance] = [key.querySelector(".fr-figure").textContent, Number(key.dataset.distance)];
    if (seen.at(-1)?.[0] !== text) seen.push([text, distance]);
  });
  watch.observe(key, { subtree: true, characterData: true, childList: true });
  const told = new Promise((done) => root.addEventListener("fr-told", done, { once: true }));
  input.valueAsNumber = value;
  input.dispatchEvent(new Event("change", { bubbles: true }));
  await told;
  watch.disconnect();
  return [seen, Number(key.dataset.distance)];
}"""


def test_while_the_kernel_is_slow_the_page_shows_its_own_distance(lab):
    page = lab.page
    until(lambda: page.evaluate(OWN), 90)
    lab.execute(
        "import time\nread = w._engine.read\ndef slow(*given):\n    time.sleep(1)\n    return read(*given)\n"
        "w._engine.read = slow"
    )
    ages = itertools.cycle(range(40, 70))
    try:
        until(lambda: any(text.startswith("~") for text, _ in page.evaluate(COMMIT, next(ages))[0]), 90)
        seen, exact = page.evaluate(COMMIT, 72)
        told = lab.value("w.distance")
    finally:
        lab.execute("w._engine.read = read")
    (text, own), *_ = seen
    assert text.startswith("~")
    assert exact == told
    assert abs(own - exact) < 0.03 * exact + 0.005


def test_a_sweep_by_its_button_and_its_end_by_escape(lab):
    page = lab.page
    button = page.locator("[data-sweep=head_angle]")
    button.click()
    assert button.get_attribute("aria-label") == "Stop the sweep of head angle"
    until(lambda: int(page.locator(".fr-map-box").first.get_attribute("data-trail")) > 4)
    button.press("Escape")
    until(lambda: button.get_attribute("aria-label") == "Sweep head angle")
    angle = float(page.locator("input[data-attribute=head_angle]").input_value())
    assert angle > -30
    until(lambda: abs(lab.value("w.state['strengths']['head_angle']") - angle) < 1)
    page.keyboard.press("Control+z")
    until(lambda: lab.value("w.strengths['head_angle']") == 0)


def test_a_whole_sweep_says_how_much_of_the_range_keeps_the_identity(lab):
    page = lab.page
    page.locator("[data-sweep=illumination]").click()
    told = page.locator(".fr-note")
    until(lambda: "Identity kept over" in told.text_content(), 90)
    until(lambda: lab.value("w.strengths['illumination']") == 0)
    share = lab.value("w.sweep('illumination').attrs['retention']")
    assert ("the whole range" in told.text_content()) == (share == 1)
    assert page.locator(".fr-slider:has([data-attribute=illumination]) .fr-strip").is_visible()
    lab.execute("w.undo(); w.wait()")  # a sweep does not count as a step: undo returns to the state before it
    assert lab.value("w.strengths['illumination']") == 0


def test_two_models_on_one_face(lab):
    page = lab.page
    page.locator("select[data-action=compare]").select_option("cosine")
    until(lambda: page.locator(".fr-key").count() == 2)
    page.locator("input[data-attribute=age]").press("End")
    until(lambda: lab.value("w.strengths['age']") == 75)

    def shown():
        keys = page.locator(".fr-key").evaluate_all("all => all.map(n => Number(n.dataset.distance))")
        return keys == [lab.value("w.distances['dlib']"), lab.value("w.distances['cosine']")]

    until(shown)
    until(lambda: page.locator(".fr-map .fr-map-note .fr-term").count() == 2, 90)
    page.locator("select[data-action=model]").select_option("cosine")
    until(lambda: lab.value("w.figures['model']") == "cosine")
    until(lambda: page.locator(".fr-key").count() == 1)
    assert "CC0" in page.locator(".fr-facts").text_content()


def test_snapshots(lab):
    page = lab.page
    page.locator("[data-action=storeA]").click()
    until(lambda: page.locator(".fr-recall").first.is_visible())
    page.locator("input[data-attribute=expression]").press("End")
    until(lambda: lab.value("w.strengths['expression']") == 1)
    page.locator("[data-action=storeB]").click()
    until(lambda: "A to B" in page.locator(".fr-ab-words").text_content())
    assert "expression" in page.locator(".fr-ab-words").text_content()
    page.locator(".fr-recall").first.click()
    until(lambda: lab.value("w.strengths['expression']") == 0)


def test_the_page_from_disk_slides_without_a_kernel(lab, browser, tmp_path):
    lab.execute(
        f"w.set(age=50); w.to_html({str(tmp_path / 'x.html')!r}, attributes=['age', 'hue'], steps=4, live=False)"
    )
    distances = lab.value("w.sweep('age', [18, 37, 56, 75])['distance'].tolist()")
    context = browser.new_context(offline=True)
    page = context.new_page()
    wrong = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto((tmp_path / "x.html").as_uri())
    age = page.locator("input[data-attribute=age]")
    age.wait_for()
    before = page.locator(".fr-pair canvas").nth(1).evaluate("canvas => canvas.toDataURL()")
    age.press("End")
    key = page.locator(".fr-key").first
    until(lambda: abs(float(key.get_attribute("data-distance")) - distances[3]) < 1e-5)
    assert page.locator(".fr-pair canvas").nth(1).evaluate("canvas => canvas.toDataURL()") != before
    age.press("Home")
    until(lambda: abs(float(key.get_attribute("data-distance")) - distances[0]) < 1e-5)
    assert not page.locator("[data-action=storeA]").is_visible()
    # sliders without answers in the page are disabled
    assert page.locator("input[data-attribute=hue]").is_enabled()
    for still in ("input[data-attribute=blur]", "[data-sweep=blur]"):
        assert page.locator(still).is_disabled()
    assert wrong == []
    context.close()


# every value that the cell sets is read back at once; the page's requests are handled on another thread of the kernel
INTERLEAVED = """
import time
_before, _wrong, _n, _end = w.calls, [], 0, time.monotonic() + 400
while (_n < 500 or w.calls - _before < 500) and time.monotonic() < _end:
    _hue = float(_n % 61 - 30)
    w.strengths = {**w.strengths, 'hue': _hue}
    if w.strengths['hue'] != _hue:
        _wrong.append(_n)
    _n += 1
    time.sleep(0.03)  # the server drops output of more than 1 MB a second
"""
DRAGGING = """async () => {
  const input = document.querySelector(".fr-explorer input[data-attribute=head_angle]");
  globalThis.dragging = true;
  for (let i = 0; globalThis.dragging; i += 1) {
    input.valueAsNumber = -30 + ((i * 7) % 61);
    input.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise((done) => setTimeout(done, 16));
  }
  input.valueAsNumber = 12;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}"""


def test_a_cell_and_a_user_change_the_face_a_thousand_times_and_agree(jupyterlab, browser):
    small = CELL.replace("variations=2", "variations=2, size=64")
    with Notebook(jupyterlab, browser, jupyterlab.write("both.ipynb", [small, INTERLEAVED]), height=1500) as notebook:
        page = notebook.page
        page.evaluate("window.jupyterapp.commands.execute('notebook:run-cell-and-select-next')")
        notebook.wait_for(".fr-map-note .fr-term", 120)
        page.evaluate(f"() => {{ globalThis.dragged = ({DRAGGING})(); }}")
        page.evaluate("window.jupyterapp.commands.execute('notebook:run-cell')")  # returns when the cell has ended
        page.evaluate("globalThis.dragging = false; globalThis.dragged")
        until(lambda: notebook.value("w.strengths['head_angle'], w.reply['drag']") == (12.0, False))
        writes, requests, wrong = notebook.value("_n, w.calls - _before, _wrong")
        print(f"{writes} writes of a cell, {requests} requests of the page")
        assert wrong == []
        assert min(writes, requests) >= 500
        # the same state in traits, page, picture and distance
        hue = notebook.value("w.strengths['hue']")
        until(lambda: notebook.value("w.state['strengths'] == w.strengths == w.reply['strengths']"))
        for name, value in (("head_angle", 12), ("hue", hue)):
            until(lambda n=name, v=value: float(page.locator(f"input[data-attribute={n}]").input_value()) == v)
        notebook.execute(
            "import numpy as np\n"
            "_face = faces.render(0, w.strengths, size=64)\n"
            "_ends = model.embed([_face, faces.render(0, size=64)])\n"
            "_gap = float(np.linalg.norm(_ends[0] - _ends[1]))"
        )
        assert notebook.value("w.frame == (np.clip(_face.pixels, 0, 1) * 255 + 0.5).astype(np.uint8).tobytes()")
        assert notebook.value("abs(w.distance - _gap) < 1e-5")
        shown = float(page.locator(".fr-key").first.get_attribute("data-distance"))
        assert shown == notebook.value("w.distance")
        assert notebook.value("w.error") == {}
        assert notebook.errors == []
