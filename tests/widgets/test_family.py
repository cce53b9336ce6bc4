"""What every widget must satisfy: exports, requests, restart, reopening, leaks, accessibility.

`family.py` lists the widgets. The browser tests drive a real JupyterLab (and a Notebook 7) in Chromium.
"""

import base64
import io
import json
import re
import sys
import threading
import time
import types
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
import traitlets
from family import CASES, PAGED, saved_output, write_page
from lab import Notebook, until
from pages import violations
from PIL import Image

from fr_explore_widgets.core import bundle, snapshot
from fr_explore_widgets.core.base import LabWidget, WidgetError
from fr_explore_widgets.core.page import Offline, Pixels
from fr_explore_widgets.core.picture import Plot, compose, png, small_png, ticks
from fr_explore_widgets.core.snapshot import LIMIT

HOSTILE = '</script><img src=x onerror="window.hurt = 1"><b>\'&amp;\u2028'


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.name)
def made(request):
    """Each widget, in this process: (case, widget)."""
    names: dict = {}
    exec(request.param.cell, names)
    widget = names["w"]
    if hasattr(widget, "wait"):
        widget.wait(120)
    yield request.param, widget
    widget.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A case's exported page, made once."""
    made: dict[str, object] = {}

    def page(case):
        if case.name not in made:
            made[case.name] = write_page(case, tmp_path_factory.mktemp(case.name) / "page.html")
        return made[case.name]

    return page


# --- exports, without a browser ---------------------------------------------------------------------------------------


def test_columns_of_exported_tables_have_names(made, tmp_path):
    _, w = made
    for path in w.to_csv(tmp_path / "out.csv"):
        table = pd.read_csv(path)
        assert not any(re.fullmatch(r"\d+|Unnamed.*", str(name)) for name in table)
        assert path.name.startswith("out")


def test_the_exported_picture_is_opaque_on_white(made, tmp_path):
    _, w = made
    with Image.open(io.BytesIO(w.to_png())) as image:
        assert image.mode == "RGB"
        pixels = np.asarray(image)
    assert (pixels[:8] == 255).all()
    assert (pixels < 128).any(), "something is drawn"
    assert w.to_png(tmp_path / "w.png").read_bytes() == w.to_png()


def test_a_saved_notebook_keeps_a_small_picture_and_words(made):
    _, w = made
    kept = saved_output(w)
    assert len(kept["text/html"]) <= 150_000
    assert len(kept["text/plain"]) > 20
    pictures = re.findall('src="data:image/png;base64,([^"]*)"', kept["text/html"])
    assert len(pictures) == w.keeps_picture, w.traceback
    assert all(len(base64.b64decode(picture)) <= LIMIT for picture in pictures)


def test_the_picture_of_a_saved_notebook_waits_until_nobody_uses_the_widget(monkeypatch):
    monkeypatch.setattr(snapshot, "QUIET_SECONDS", 0.2)
    monkeypatch.setattr(snapshot, "display", lambda *_, **__: None)
    updated = threading.Event()
    monkeypatch.setattr(snapshot.DisplayHandle, "update", lambda *_, **__: updated.set())
    static = snapshot.StaticOutput("token", lambda: (b"", "words"))
    static.postpone()  # nothing waits
    static.show()
    static.later()
    began = time.monotonic()
    while time.monotonic() - began < 0.5:  # a drag: requests, but no new state
        static.postpone()
        assert not updated.wait(0.02)
    assert updated.wait(10)
    assert time.monotonic() - began >= 0.6


def test_a_bookmark_is_text_and_restores_the_state(made):
    _, w = made
    text = w.bookmark
    assert json.loads(text) == w.state
    w.bookmark = text
    assert w.bookmark == text


def _as_numpy(value):
    """The state as it is set from arrays: their numbers and texts are NumPy's."""
    if isinstance(value, dict):
        return {key: _as_numpy(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_as_numpy(one) for one in value]
    return np.array(value)[()] if isinstance(value, (bool, int, float, str)) else value


def test_a_state_of_numpys_numbers_can_be_sent(made):
    _, w = made
    before = w.bookmark
    w.state = _as_numpy(w.state)
    assert w.bookmark == before


class Small(LabWidget):
    """A minimal widget: it keeps the numbers that it receives."""

    title = HOSTILE
    values = traitlets.Dict().tag(sync=True)
    reply = traitlets.Dict().tag(sync=True)

    def set(self, **values):
        with self._lock:
            self.values = {**self.values, **values}
            time.sleep(0)
            self.state = {"version": 1, "values": dict(self.values), "sum": sum(self.values.values())}

    def _handle(self, request):
        if request["action"] == "fail":
            raise WidgetError("It went wrong.", "Do it again.") from OSError("disk full")
        self.set(**request["values"])
        self.reply = {"client": request["client"], "seq": request["seq"]}


def test_a_thousand_concurrent_requests_and_cells_corrupt_nothing():
    w, rounds = Small(), 1000
    torn = []
    w.observe(
        lambda change: (
            torn.append(change["new"])
            if sum(change["new"].get("values", {}).values()) != change["new"].get("sum", 0)
            else None
        ),
        "state",
    )
    go = threading.Barrier(3)

    def browser(client):
        go.wait()
        for seq in range(1, rounds + 1):
            w.request = {"client": client, "seq": seq, "action": "set", "values": {client: seq}}

    def cell():
        go.wait()
        for i in range(1, rounds + 1):
            w.set(cell=i)

    threads = [threading.Thread(target=browser, args=(name,)) for name in ("one", "two")]
    threads.append(threading.Thread(target=cell))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert torn == []
    assert w.error == {}
    assert w.values["cell"] == rounds
    # two browsers set the same trait: one may overwrite the other's last request, but no state is ever half written
    assert max(w.values["one"], w.values["two"]) == rounds
    assert w.state["sum"] == sum(w.values.values())


def test_a_state_from_before_a_restart_is_restored_or_refused_with_a_reason():
    w = Small()
    w.request = {"client": "a", "seq": 1, "action": "restore", "state": {"version": 1, "values": {}, "sum": 0}}
    assert w.state["version"] == 1
    w.request = {"client": "a", "seq": 2, "action": "restore", "state": 7}
    assert w.error["what"] == "The earlier state does not fit this widget."
    w.request = {"client": "a", "seq": 3, "action": "fail"}
    assert (w.error["why"], w.error["todo"]) == ("OSError: disk full", "Do it again.")


def test_a_widget_that_no_page_shows_becomes_idle_and_reopens(monkeypatch):
    import gc
    import weakref

    from ipywidgets import HBox

    monkeypatch.setattr("fr_explore_widgets.core.base.ROLL_CALL_SECONDS", 0.05)
    w = Small()
    name = w.model_id
    w.unseen += 1
    w.here = w.roll  # another page still shows it
    time.sleep(0.2)
    assert not w.resting
    w.unseen += 1
    until(lambda: w.resting, 5)
    w.set(x=2)
    assert w.values == {"x": 2}
    assert w.model_id == name  # reading the id, as a box does, reopens it
    assert not w.resting
    box = HBox([w])
    w.unseen += 1
    time.sleep(0.2)
    assert not w.resting, "a box could not reopen it"
    box.close()
    w.unseen += 1
    until(lambda: w.resting, 5)
    gone, w, box = weakref.ref(w), None, None
    gc.collect()
    assert gone() is None, "an idle widget is kept alive by the user's reference only"


def test_in_colab_the_view_names_its_widget_manager(monkeypatch):
    """Colab's module exists nowhere else: the stand-in has what anywidget reads from it."""
    colab, shown = types.ModuleType("google.colab.output"), []
    colab.enable_custom_widget_manager = lambda: None
    colab._widgets = types.SimpleNamespace(_installed_url="colab/manager.js")
    monkeypatch.setitem(sys.modules, "google.colab.output", colab)
    monkeypatch.setattr("fr_explore_widgets.core.base.display", lambda *data, **more: shown.append((data, more)))
    w = Small()
    w._ipython_display_()
    (((data,), more),) = shown
    mime = "application/vnd.jupyter.widget-view+json"
    assert data[mime]["model_id"] == w.model_id
    assert data["text/plain"].endswith("run the cell for the live widget.")
    assert more["metadata"][mime]["colab"]["custom_widget_manager"]["url"] == "colab/manager.js"
    w.close()


# --- pages ------------------------------------------------------------------------------------------------------------


class Paged(Small):
    """A page with a grid of answers; each answer contains its place in the grid."""

    files = "prediction"
    frame = traitlets.Bytes().tag(sync=True)
    label = traitlets.Unicode(HOSTILE).tag(sync=True)

    def _offline(self, steps=3):
        axes = {"x": list(range(steps)), "place": [0, 1]}
        grey = np.full((8, 8, 3), 128, np.uint8)
        answers = (
            ({"x": x, "place": p}, {"reply": {"seq": 0, "x": x, "place": p}, "frame": Pixels(grey)})
            for x in axes["x"]
            for p in axes["place"]
        )
        start = {"x": 0, "place": 0}
        return Offline(
            axes=axes,
            start=start,
            answers=answers,
            count=2 * steps,
            what=f"{steps} steps",
            reduce="give fewer steps=",
        )


def test_the_size_of_a_page_is_printed_and_limited(tmp_path, capsys):
    w = Paged()
    path = w.to_html(tmp_path / "page.html", steps=5)
    assert re.match(r"page\.html: 10 answers \(5 steps\), about 0\.\d MB, about \d+ s\.", capsys.readouterr().out)
    with pytest.raises(ValueError, match=r"page\.html would be about \d+\.\d MB for 1000 steps.*: give fewer steps="):
        w.to_html(tmp_path / "page.html", steps=1000, max_megabytes=0.1)
    text = path.read_text(encoding="utf-8")
    assert text.count("</script>") == 3
    assert "<img src=x" not in text
    assert text.count("/9j/") == 1, "equal pictures are stored once"


def test_plots_draw_their_lines():
    assert ticks(0, 1) == [0, 0.25, 0.5, 0.75, 1]
    assert ticks(-3, 9) == [-3, 0, 3, 6, 9] or ticks(-3, 9)[0] >= -3
    empty = np.asarray(compose("x", [[Plot()]]))
    line = np.asarray(compose("x", [[Plot(lines=[([0, 1], [0, 1], "#ff0000", "up")])]]))
    assert ((line[..., 0] > 200) & (line[..., 1] < 60)).sum() > 100
    assert not ((empty[..., 0] > 200) & (empty[..., 1] < 60)).any()
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8))
    assert len(png(noise)) > 300_000
    assert len(small_png(noise, 50_000)) <= 50_000


@pytest.mark.browser
def test_a_page_whose_script_fails_shows_its_picture_and_words(browser, tmp_path):
    path = Paged().to_html(tmp_path / "page.html", steps=3)
    path.write_text(path.read_text(encoding="utf-8").replace('type="application/json">{', 'type="application/json">?'))
    page = browser.new_page()
    page.goto(path.as_uri())
    page.wait_for_selector(".fr-still img")
    page.close()


@pytest.mark.browser
@pytest.mark.parametrize("case", PAGED, ids=[case.name for case in PAGED])
def test_a_page_without_scripts_shows_picture_words_and_advice(case, open_page, pages):
    for theme, width in (("light", 400), ("dark", 1280)):
        page = open_page(pages(case), width, 800, theme=theme, java_script_enabled=False)
        still = page.locator(".fr-still")
        assert "scripts are off here" in still.inner_text()
        image = still.locator("img")
        assert image.bounding_box()["width"] >= 360
        assert len(image.get_attribute("alt")) > 20
        assert still.locator("p").last.inner_text() == image.get_attribute("alt")
        assert page.locator("main").bounding_box()["width"] <= width


@pytest.mark.browser
def test_markup_in_names_is_escaped_and_the_grid_answers(open_page, tmp_path):
    w = Paged()
    w.to_html(tmp_path / "page.html", steps=3)
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    # the page's model without the widget: what a widget's front end sees
    head, opens, tail = text.partition("$shared_page.openPage($widget")
    assert opens
    (tmp_path / "page.html").write_text(f"{head}$shared_page.openPage({{ render() {{}} }}{tail}")
    page = open_page(tmp_path / "page.html")
    page.wait_for_selector(".fr-still", state="detached")
    page.evaluate("window.model = frExploreModel")
    assert page.evaluate("model.get('label')") == HOSTILE
    assert page.title() == HOSTILE.replace("\u2028", page.title()[-1])
    assert page.evaluate("window.hurt") is None
    ask = """async (request) => {
      const done = new Promise((resolve) => {
        model.on("change:reply", () => resolve(model.get("reply")));
        model.on("change:error", () => model.get("error").what && resolve(model.get("error")));
      });
      model.set("request", { client: "a", seq: 4, ...request });
      model.save_changes();
      return done;
    }"""
    reply = page.evaluate(ask, {"action": "set", "values": {"x": 1.7}, "moved": "x", "phase": "commit"})
    assert (reply["x"], reply["place"], reply["seq"], reply["moved"]) == (2, 0, 4, "x")
    assert page.evaluate(ask, {"action": "identity", "place": 1})["place"] == 1
    assert page.evaluate(ask, {"action": "undo"})["place"] == 0
    assert page.evaluate("[model.get('frame').byteLength, model.get('frame').getUint8(5)]") == [192, 128]
    assert page.evaluate(ask, {"action": "dance"})["what"] == "This page has no kernel."


# every view adds the shared style again, so on a page with several widgets it also follows this widget's own rules:
# the elements whose style that changes
SHARED = "".join(path.read_text(encoding="utf-8") for path in Path(bundle.__file__).parents[1].glob("shared/*.css"))
RESTYLED = """(css) => {
  const all = [...document.querySelectorAll(".fr-lab, .fr-lab *")];
  // a custom property is text, whose white space is not sent
  const value = (one, name) => getComputedStyle(one).getPropertyValue(name).replace(/\\s+/g, "");
  const read = () => all.map((one) => Object.fromEntries(
    [...getComputedStyle(one)].map((name) => [name, value(one, name)])));
  const before = read();
  document.body.append(Object.assign(document.createElement("style"), { textContent: css }));
  const after = read();
  document.body.lastElementChild.remove();
  return all.flatMap((one, i) => {
    const changed = Object.keys(before[i]).filter((name) => before[i][name] !== after[i][name]);
    return changed.length ? [`${one.tagName}.${one.getAttribute("class")}: ${changed.slice(0, 3).join(", ")}`] : [];
  });
}"""


@pytest.mark.browser
@pytest.mark.parametrize("case", PAGED, ids=[case.name for case in PAGED])
def test_a_page_opens_from_disk_and_its_sliders_respond_to_touch(case, open_page, pages):
    path = pages(case)
    assert path.stat().st_size <= 15e6
    page = open_page(path, 380, 800, has_touch=True, is_mobile=True)
    page.wait_for_selector(case.root)
    assert page.locator(".fr-still").count() == 0
    if case.slider:
        slider = page.locator(case.slider).first
        slider.scroll_into_view_if_needed()
        before, box = slider.input_value(), slider.bounding_box()
        page.touchscreen.tap(box["x"] + 0.1 * box["width"], box["y"] + box["height"] / 2)
        until(lambda: slider.input_value() != before, 10)
    page.wait_for_timeout(300)
    assert page.locator(".fr-error:visible").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 380
    for width in (380, 1200):
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_for_timeout(200)
        assert page.evaluate(RESTYLED, SHARED) == []


# --- in JupyterLab ----------------------------------------------------------------------------------------------------


def of(cases):
    """The cases as parameters: in parallel runs, all tests of one widget share a process."""
    return [pytest.param(case, id=case.name, marks=pytest.mark.xdist_group(f"family-{case.name}")) for case in cases]


@pytest.fixture(scope="module", params=of(CASES))
def opened(request, jupyterlab, browser):
    """One notebook per widget, with two views of it."""
    case = request.param
    name = jupyterlab.write(f"{case.name}.ipynb", [case.cell, "w", "w"])
    with Notebook(jupyterlab, browser, name, height=1600) as notebook:
        notebook.run_all()
        notebook.wait_for(case.root, 180)
        until(lambda: notebook.page.locator(case.root).count() == 2, 60)
        notebook.execute("w.wait(120) if hasattr(w, 'wait') else None")
        yield case, notebook
        assert notebook.errors == []


SLIDING = pytest.mark.parametrize("opened", of(case for case in CASES if case.slider), indirect=True)
ASKING = pytest.mark.parametrize("opened", of(case for case in CASES if case.slider and case.asks), indirect=True)


BURST = """async (input) => {
  input.step = "any";
  const [low, high] = [Number(input.min), Number(input.max)];
  let [frames, running] = [0, true];
  const count = () => running && requestAnimationFrame(count) && (frames += 1);
  count();
  for (let i = 1; i <= 200; i += 1) {
    input.valueAsNumber = low + (high - low) * ((i * 0.6180339) % 1);
    input.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise((done) => setTimeout(done, 5));
  }
  input.dispatchEvent(new Event("change", { bubbles: true }));
  running = false;
  return [input.valueAsNumber, frames];
}"""


@pytest.mark.browser
@SLIDING
def test_a_burst_needs_a_request_per_frame_at_most_and_ends_at_the_exact_value(opened):
    """However fast the machine is. link.test.js shows that one request is in flight and stale values are dropped."""
    case, notebook = opened
    notebook.execute("w.calls, states = 0, []\nw.observe(lambda change: states.append(change['new']), 'state')")
    last, frames = notebook.page.locator(case.slider).first.evaluate(BURST)
    until(lambda: notebook.value(case.value) == last)
    calls = notebook.value("w.calls")
    print(f"{case.name}: {calls} calls for 200 events in {frames} frames")
    if case.asks:
        assert 1 <= calls <= frames + 1
    else:
        assert (calls, notebook.value("len(states)")) == (0, 1)  # the page computes; the kernel hears of the release


@pytest.mark.browser
@SLIDING
def test_two_views_agree(opened):
    case, notebook = opened
    first, second = (notebook.page.locator(case.slider).nth(i) for i in (0, 1))
    low, high = (float(second.get_attribute(end)) for end in ("min", "max"))
    for key, value in (("End", high), ("Home", low)):
        first.press(key)
        # the burst removed the step from the first view's slider
        until(lambda value=value: abs(float(second.input_value()) - value) <= 0.01 * (high - low))
        until(lambda: abs(float(first.input_value()) - float(second.input_value())) <= 0.01 * (high - low))
        if case.shows:
            shown = notebook.page.locator(f"{case.root} {case.shows}")
            until(lambda shown=shown: len(set(shown.all_text_contents())) == 1)


@pytest.mark.browser
@SLIDING
def test_a_slider_does_not_wait_for_a_cell(opened):
    case, notebook = opened
    slider = notebook.page.locator(case.slider).first
    notebook.execute("import time, threading\nbusy = threading.Event()")
    slider.press("Home")
    low = float(slider.input_value())
    until(lambda: notebook.value(case.value) == low)
    notebook.execute(
        "log = []\ndef note(change): log.append((time.monotonic(), change['name']))\nw.observe(note, 'state')"
    )
    with notebook.lab.kernel(notebook.name) as client:
        client.execute(f"import json\nt0 = time.monotonic(); time.sleep(4); t1 = time.monotonic(); v1 = {case.value}")
        time.sleep(0.5)
        slider.press("End")
        client.get_shell_msg(timeout=60)
    assert notebook.value("v1") == float(slider.get_attribute("max")), "the kernel did not answer while the cell slept"
    notebook.execute("w.unobserve(note, 'state')")


FAILURE = """([input, root]) => new Promise((done) => {
  const box = document.querySelector(root + " .fr-error");
  const began = performance.now();
  const look = () => box.hidden || !box.textContent ? requestAnimationFrame(look) : done(performance.now() - began);
  input = document.querySelector(input);
  input.stepUp();
  input.dispatchEvent(new Event("input", { bubbles: true }));
  input.dispatchEvent(new Event("change", { bubbles: true }));
  look();
})"""


@pytest.mark.browser
@ASKING
def test_an_exception_appears_within_a_second_with_advice(opened):
    case, notebook = opened
    notebook.page.locator(case.slider).first.press("Home")
    notebook.page.wait_for_timeout(500)
    notebook.execute("def broken(request):\n    raise RuntimeError('out of memory: 3 < 4')\nw._handle = broken")
    took = notebook.page.evaluate(FAILURE, [case.slider, case.root])
    alert = notebook.page.locator(f"{case.root} .fr-error[role=alert]").first
    print(f"{case.name}: shown after {took:.0f} ms")
    assert took < 1000
    assert "RuntimeError: out of memory: 3 < 4" in alert.text_content()
    assert "Try another change" in alert.text_content()
    notebook.execute("del w._handle")
    notebook.page.locator(case.slider).first.press("ArrowRight")
    alert.wait_for(state="hidden", timeout=5000)


@pytest.mark.browser
def test_axe_finds_nothing_serious_in_light_and_dark(opened):
    case, notebook = opened
    page, root = notebook.page, notebook.page.locator(case.root).first
    assert root.get_attribute("data-theme") == "light"
    assert violations(page, case.root) == []
    for theme in ("Dark", "Light"):
        notebook.change_theme(theme)
        until(lambda theme=theme: root.get_attribute("data-theme") == theme.lower())
        assert violations(page, case.root) == [], theme


CONTROLS = """(root) => {
  const radios = new Set();
  return [...document.querySelector(root).querySelectorAll(
    "a[href], button, input, select, textarea, [tabindex]")].filter((node) => {
    if (node.disabled || node.tabIndex < 0 || !node.checkVisibility({ visibilityProperty: true })) return false;
    if (node.type !== "radio") return true;
    if (radios.has(node.name)) return false; // arrow keys reach the others of the group
    radios.add(node.name);
    return true;
  }).length;
}"""
REACHED = """(root) => {
  const box = document.querySelector(root);
  window.frReached ??= new Set();
  const at = document.activeElement;
  if (box.contains(at)) window.frReached.add(at.type === "radio" ? at.name : at);
  return [window.frReached.size, box.contains(at)];
}"""


@pytest.mark.browser
def test_keys_reach_every_control_and_there_is_a_live_region(opened):
    case, notebook = opened
    page = notebook.page
    assert page.locator(f"{case.root} [aria-live], {case.root} [role=status]").count() > 0
    wanted = page.evaluate(CONTROLS, case.root)
    root = page.locator(case.root).first
    root.evaluate("root => { root.tabIndex = -1; root.focus(); window.frReached = undefined; }")
    reached = 0
    for _ in range(wanted + 20):
        page.keyboard.press("Tab")
        reached, inside = page.evaluate(REACHED, case.root)
        if reached >= wanted or not inside:
            break
    root.evaluate("root => root.removeAttribute('tabindex')")
    assert wanted > 0
    assert reached >= wanted


WIDE = """([root, width]) => {
  const node = document.querySelector(root);
  node.style.width = width + "px";
  const found = [node, ...node.querySelectorAll("*")].filter((one) => {
    if (one.closest(".fr-hidden, svg, [hidden]")) return false;
    const box = one.getBoundingClientRect();
    return box.width > 0 && box.right > node.getBoundingClientRect().right + 1;
  });
  const names = found.map((one) => one.tagName + "." + one.className).slice(0, 5);
  node.style.width = "";
  return names;
}"""


@pytest.mark.browser
def test_nothing_is_cut_off_at_380_px_and_at_200_percent_zoom(opened):
    case, notebook = opened
    notebook.page.evaluate("document.activeElement?.blur()")  # an open explanation is placed for the present width
    assert notebook.page.evaluate(WIDE, [case.root, 380]) == []
    # a notebook of 1,100 px at 200 % zoom
    assert notebook.page.evaluate(WIDE, [case.root, 550]) == []


@pytest.mark.browser
def test_nothing_is_animated_under_reduced_motion(opened):
    case, notebook = opened
    notebook.page.emulate_media(reduced_motion="reduce")
    moving = notebook.page.evaluate(
        """(root) => [...document.querySelector(root).querySelectorAll("*")].filter((node) => {
          const style = getComputedStyle(node);
          return [style.transitionDuration, style.animationDuration].some((d) =>
            d.split(", ").some((one) => Number.parseFloat(one) > 0));
        }).map((node) => node.tagName + "." + node.className).slice(0, 5)""",
        case.root,
    )
    notebook.page.emulate_media(reduced_motion="no-preference")
    assert moving == []


@pytest.mark.browser
def test_restart_and_reopening(opened, browser):
    """The last test of its notebook: it ends the kernel."""
    case, notebook = opened
    page = notebook.page
    said = page.locator(".fr-static p")
    before = said.first.text_content()
    if case.state:
        notebook.execute(case.state)
        until(lambda: said.first.text_content() != before, 30)
    kept, words = notebook.value("w.state"), said.first.text_content()
    assert page.locator(".fr-static:visible").count() == 0, "the live view must hide the picture"
    notebook.save()
    began = time.monotonic()
    notebook.restart()
    banner = notebook.wait_for(f"{case.root} .fr-banner[role=status]:visible", 30)
    print(f"{case.name}: banner after {time.monotonic() - began:.1f} s")
    assert time.monotonic() - began < 5
    first = page.locator(case.root).first
    assert case.inert or case.alive
    if case.inert:
        assert "run the cell again" in banner.text_content().lower()
        assert first.locator(case.inert).count() > 0
        usable = first.locator(case.inert).locator("visible=true").and_(first.locator(":enabled"))
        assert usable.evaluate_all("all => all.map((one) => one.outerHTML)") == []
    if kept:
        assert json.loads(page.locator(f"{case.root} .fr-bookmark input").first.input_value()) == kept
        if case.alive:
            before = first.locator(case.shows).first.text_content()
            first.locator(case.alive).first.press("Enter" if "action" in case.alive else "ArrowLeft")
            until(lambda: first.locator(case.shows).first.text_content() != before, 5)
        notebook.run_all()
        page.locator(f"{case.root} [data-action=restore]").first.click(timeout=60_000)
        until(lambda: notebook.value("w.state") == kept, 30)
        if case.slider:
            until(lambda: page.locator(f"{case.slider}:enabled").count() == 2)
    # the saved notebook, opened with a kernel that does not know its widget
    notebook.lab.end_kernel(notebook.name)
    with Notebook(notebook.lab, browser, notebook.name) as again:
        again.wait_for(".fr-static:visible", 60)
        missing = again.page.get_by_text("model not found")  # JupyterLab's message, which the picture's style hides
        until(lambda: missing.count() == 2)
        assert all(one.is_hidden() for one in missing.all())
        assert again.page.locator(case.root).count() == 0
        assert words in again.page.locator(".fr-static").first.text_content()
        picture = again.page.locator(".fr-static img")
        assert picture.count() == (2 if kept or case.name != "photos" else 0)


# a minimal anywidget: what JupyterLab and anywidget keep of any widget
BARE = """import anywidget
class Bare(anywidget.AnyWidget):
    _esm = "export default { render({ el }) { el.innerHTML = '<b class=bare>bare</b>'; } }"
w = Bare()
display(w)"""
OURS = "from fr_explore_widgets import EnergyPlayground\nw = EnergyPlayground()\nw"
HOSTS = [pytest.param(host, marks=pytest.mark.xdist_group(f"memory of {host}")) for host in ("lab/tree", "notebooks")]
ALIVE = "len(__import__('ipywidgets').widgets.widget._instances)"


def memory_of_fifty_runs(lab, browser, host, cell, selector):
    """Kernel's resident memory and page's heap in MB after 5 runs of a cell and after 50 more; models still alive."""
    name = lab.write(f"again-{host[:3]}-{selector[1:]}.ipynb", [cell])
    with Notebook(lab, browser, name, host=host) as notebook:
        page = notebook.page
        own = len(notebook.errors)  # Notebook 7 raises errors of its own while it starts
        notebook.run_all()
        notebook.wait_for(selector, 120)
        process = psutil.Process(notebook.value("__import__('os').getpid()"))

        def again(times):
            for _ in range(times):
                # a class and a locator, because an element handle of Playwright would keep the old view in memory
                page.evaluate("(selector) => document.querySelector(selector).classList.add('old')", selector)
                notebook.run_all()
                page.locator(f"{selector}:not(.old)").wait_for(timeout=60_000)
            if selector != ".bare":  # nothing ever closes those
                until(lambda: notebook.value(ALIVE) <= 6, 60)
            page.wait_for_timeout(1000)
            notebook.execute("import gc; gc.collect()")
            heaps = []
            for _ in range(8):  # a leak is what no collection frees
                page.evaluate("gc()")
                heaps.append(page.evaluate("performance.memory.usedJSHeapSize") / 1e6)
                page.wait_for_timeout(250)
            return process.memory_info().rss / 1e6, min(heaps)

        before, after = again(5), again(50)
        assert notebook.errors[own:] == []
        return before, after, notebook.value(ALIVE)


@pytest.mark.browser
@pytest.mark.parametrize("host", HOSTS)
def test_running_a_cell_fifty_times_leaves_nothing_behind(jupyterlab, browser, host):
    """Compared with what the host keeps of fifty minimal anywidgets."""
    floor = memory_of_fifty_runs(jupyterlab, browser, host, BARE, ".bare")
    before, after, alive = memory_of_fifty_runs(jupyterlab, browser, host, OURS, ".fr-energy")
    least = floor[1][1] - floor[0][1]
    grown = after[1] - before[1]
    words = " -> ".join(f"kernel {kernel:.1f}, page {heap:.1f} MB" for kernel, heap in (before, after))
    print(f"{host}: {words}, {alive} models; page {grown:+.2f} MB, a bare anywidget {least:+.2f} MB")
    assert alive <= 6, "widgets of earlier runs are still alive"
    assert after[0] <= 1.1 * before[0]
    assert after[1] <= 1.1 * before[1]
    assert grown - least <= 0.05 * before[1], "more than the host keeps of any widget"
