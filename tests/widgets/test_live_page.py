"""Live pages from disk, without a kernel or a network: the same answers as the kernel's, in Chromium and in Firefox."""

import base64
import json
import re

import numpy as np
import pytest
from lab import until

import fr_explore as fr
from fr_explore_widgets import AttributeExplorer, FieldExplorer, VerificationExplorer
from fr_explore_widgets.core.bookmark import read_bookmark
from fr_explore_widgets.core.page import shared_files

pytestmark = pytest.mark.browser

READY = "html[data-live=ready]"
STRONG = {"age": 66.0, "hue": 12.0, "illumination": -30.0, "blur": 0.7}
# sends a request as a view does, and returns the traits of the answer
SEND = """async (request) => {
  const model = globalThis.frExploreModel;
  const text = (view) => btoa(Array.from(new Uint8Array(view.buffer), (one) => String.fromCharCode(one)).join(""));
  model.set("request", { client: "test", ...request });
  model.save_changes();
  for (let i = 0; i < 400; i++) {
    const [figures, error, second] = ["figures", "error", "second"].map((name) => model.get(name) ?? {});
    const answers = (answer) => answer.client === "test" && answer.seq === request.seq;
    if (answers(error)) return { error };
    const whole = !figures.compare || answers(second);
    if (answers(figures) && whole && (!request.moved || model.get("tangent")?.serial === figures.serial)) {
      const names = ["reply", "figures", "second", "snapshots", "gallery", "second_gallery", "tangent", "state"];
      return { frame: text(model.get("frame")), ...Object.fromEntries(names.map((name) => [name, model.get(name)])) };
    }
    await new Promise((done) => setTimeout(done, 10));
  }
  return { late: true };
}"""
REQUESTS = [
    {"action": "reset"},
    {"action": "set", "values": {"age": 66.0}, "moved": "age"},
    {"action": "set", "values": STRONG},
    {"action": "store", "snapshot": "A"},
    {"action": "identity", "place": 2},
    {"action": "store", "snapshot": "B"},
    {"action": "pin"},
    {"action": "identity", "place": 1},
    {"action": "models", "model": "second", "compare": "first"},
    {"action": "set", "values": {"head_angle": -20.0}, "moved": "head_angle"},
    {"action": "undo"},
    {"action": "undo"},
    {"action": "redo"},
    {"action": "models", "model": "first", "compare": None},
    {"action": "recall", "snapshot": "A"},
    {"action": "unpin"},
    {"action": "forget"},
    {"action": "reset"},
]


@pytest.fixture(scope="module")
def networks():
    names = {"first": "controlled/all-varied", "second": "controlled/fixed-hue"}
    return {name: fr.load_model(model, device="cpu") for name, model in names.items()}


@pytest.fixture(scope="module")
def explorer(networks):
    w = AttributeExplorer(fr.Avatars(identities=3, seed=4), networks, variations=2).wait(60)
    yield w
    w.close()


@pytest.fixture(scope="module")
def written(explorer, tmp_path_factory):
    """A live page with exact weights, the printed report of its size, and the state in it."""
    path = tmp_path_factory.mktemp("live") / "page.html"
    explorer.reset()
    return explorer.to_html(path, precision="float32")


def near(got, wanted, name):
    """Numbers within 1e-4, everything else equal; the kernel may send more entries than the page."""
    if isinstance(wanted, dict):
        for key in wanted.keys() - {"serial", "fresh", "phase", "drawn"}:
            near(got[key], wanted[key], f"{name}.{key}")
    elif isinstance(wanted, (list, tuple)):
        assert len(got) == len(wanted), name
        for i, (one, other) in enumerate(zip(got, wanted, strict=True)):
            near(one, other, f"{name}[{i}]")
    elif isinstance(wanted, float):
        assert got == pytest.approx(wanted, rel=1e-3, abs=1e-4), name
    else:
        assert got == wanted, name


def test_a_page_answers_as_the_kernel(explorer, written, open_page):
    """Every action, with one and with two models: pictures to the bit, figures, map, tangent and snapshots."""
    page = open_page(written, offline=True)
    page.wait_for_selector(READY, state="attached")
    for seq, request in enumerate(REQUESTS, 1):
        got = page.evaluate(SEND, {"seq": seq, "phase": "commit", **request})
        explorer.request = {"client": "page", "seq": seq, "phase": "commit", **request}
        explorer.wait(60)
        assert base64.b64decode(got["frame"]) == explorer.frame, request
        wanted = {name: getattr(explorer, name) for name in ("reply", "figures", "snapshots", "gallery")}
        if explorer.figures["compare"]:
            wanted |= {name: getattr(explorer, name) for name in ("second", "second_gallery")}
        if request.get("moved"):
            wanted["tangent"] = explorer.tangent
        for name, value in wanted.items():
            plain = json.loads(json.dumps(value))
            near(got[name], {k: v for k, v in plain.items() if k not in ("client", "seq")}, f"{request} {name}")
        # a page's state is a state of the notebook
        state = explorer.state
        explorer.bookmark = json.dumps(got["state"])
        assert explorer.state == state, request


def test_a_drag_shows_the_small_face_of_the_kernel_and_a_slider_at_rest_the_whole_one(explorer, written, open_page):
    explorer.reset()
    page = open_page(written, offline=True)
    page.wait_for_selector(READY, state="attached")
    request = {"action": "set", "values": {"age": 61.0}}
    frames = [explorer.frame]
    for seq, phase in enumerate(("commit", "drag"), 100):
        explorer.request = {"client": "page", "seq": seq, "phase": phase, **request}
        explorer.wait(60)
        frames.append(explorer.frame)
    page.evaluate(SEND, {"seq": 1, "action": "reset", "phase": "commit"})
    got = page.evaluate(SEND, {"seq": 2, "phase": "drag", **request})
    assert base64.b64decode(got["frame"]) == frames[2]
    assert len(frames[2]) == 3 * explorer.setup["drag_size"] ** 2
    assert got["figures"]["distance"] == pytest.approx(explorer.distance, abs=1e-4)
    page.wait_for_function("all => frExploreModel.get('frame').byteLength === all", arg=len(frames[1]))
    whole = page.evaluate("Array.from(new Uint8Array(frExploreModel.get('frame').buffer))")
    assert bytes(whole) == frames[1]


def test_the_first_face_has_moved_a_little(networks, tmp_path, open_page):
    """An untouched page greets as an untouched widget does; its state begins at the neutral face."""
    w = AttributeExplorer(fr.Avatars(identities=2, seed=1), networks["first"], variations=2).wait(60)
    page = open_page(w.to_html(tmp_path / "page.html", precision="float32"))
    page.wait_for_function("() => frExploreModel.get('tangent')?.name && frExploreModel.get('figures').path")
    w.request = {"client": "page", "seq": 1, "action": "greet"}
    w.wait(60)
    for name in ("figures", "tangent"):
        wanted = json.loads(json.dumps(getattr(w, name)))
        got = page.evaluate("name => frExploreModel.get(name)", name)
        near(got, {key: value for key, value in wanted.items() if key not in ("client", "seq")}, name)
    # the link restores what is seen
    name = w.setup["main"][0]
    assert page.evaluate("frExploreModel.get('state').strengths") == {name: w.reply["strengths"][name]}
    page.locator("[data-action=reset]").click()
    page.wait_for_function("() => frExploreModel.get('figures').distance < 1e-6")
    w.close()


def test_sliders_and_links(explorer, written, open_page, firefox):
    """Two sliders at once in Chromium; the copied link restores the state there, in Firefox, and in a notebook."""
    explorer.reset()
    page = open_page(written, offline=True)
    page.wait_for_selector(READY, state="attached")
    key = page.locator(".fr-key").first
    page.locator("[data-action=reset]").click()
    for name, press in (("age", "End"), ("hue", "Home")):
        page.locator(f"input[data-attribute={name}]").press(press)
        wanted = {"age": {"age": 75.0}, "hue": {"hue": -45.0}}[name]
        explorer.set(**wanted)
        page.wait_for_function(
            "wanted => Math.abs(document.querySelector('.fr-key').dataset.distance - wanted) < 1e-4",
            arg=explorer.distance,
        )
    page.locator("footer [data-action=copy]").click()
    link = page.evaluate("location.href")
    assert read_bookmark(link)["strengths"] == {"age": 75.0, "hue": -45.0}
    again = open_page(written)
    again.goto("about:blank")
    explorer.bookmark = link
    firefox.navigate(link)
    script = """const done = arguments[0];
      const look = () => document.documentElement.dataset.live === "ready" &&
          document.querySelector("input[data-attribute=age]").value === "75" && frExploreModel.get("figures").serial > 1
        ? done(Number(document.querySelector(".fr-key").dataset.distance)) : setTimeout(look, 20);
      look();"""
    found = firefox.execute_async_script(script, sandbox=None)
    assert found == pytest.approx(explorer.distance, abs=1e-4)
    assert float(key.get_attribute("data-distance")) == pytest.approx(found, abs=1e-4)


def test_the_path_of_a_sweep(explorer, written, open_page):
    """The sweep offers its path; the page's is the kernel's, and belongs to its face."""
    explorer.reset()
    page = open_page(written, offline=True)
    page.wait_for_selector(READY, state="attached")
    page.locator("[data-action=reset]").click()
    fold = page.locator(".fr-path")
    assert fold.is_hidden()
    page.emulate_media(reduced_motion="reduce")  # nine steps
    page.locator("[data-sweep=age]").click()
    page.locator(".fr-path summary").click(timeout=30_000)
    page.wait_for_function("() => frExploreModel.get('path')?.distances", timeout=30_000)
    explorer.request = {"client": "page", "seq": 1001, "action": "path", "moved": "age"}
    explorer.wait(60)
    wanted = {key: value for key, value in explorer.path.items() if key not in ("client", "seq")}
    near(page.evaluate("frExploreModel.get('path')"), json.loads(json.dumps(wanted)), "path")
    assert page.locator(".fr-path rect").count() == 15 * 15
    assert f"is {explorer.path['bend']:.2f} times as long" in page.locator(".fr-path svg").get_attribute("aria-label")
    page.locator("input[data-attribute=age]").press("End")  # any strength of its own attribute
    page.wait_for_function("() => frExploreModel.get('figures').moved === 'age'")
    assert fold.is_visible()
    page.locator("input[data-attribute=hue]").press("Home")
    page.wait_for_function("() => frExploreModel.get('figures').moved === 'hue'")
    assert fold.is_hidden()


def test_what_the_model_depends_on(explorer, written, open_page):
    """The estimate of the page is the kernel's; it can be stopped."""
    explorer.reset()
    page = open_page(written)
    page.wait_for_selector(READY, state="attached")
    button = page.locator("[data-action=estimate]")
    page.locator(".fr-depends summary").click()
    page.locator("[data-action=stop]").click()
    button.wait_for()
    assert not page.evaluate("frExploreModel.get('energies').rows")
    button.click()
    done = "() => { const e = frExploreModel.get('energies'); return e.rows && e.done === e.all; }"
    page.wait_for_function(done, timeout=120_000)
    rows = page.evaluate("frExploreModel.get('energies').rows")
    table = explorer.estimate().set_index("name")
    assert [row["name"] for row in rows] == list(table.index)
    for row in rows:
        for column in ("energy", "magnitude", "spread"):
            assert row[column] == pytest.approx(table.loc[row["name"], column], rel=2e-3, abs=2e-4), row
        assert row["null"] == pytest.approx(table.loc[row["name"], "null"], abs=0.1)  # a mean of draws in the kernel


@pytest.mark.parametrize(("precision", "share", "limit"), [("int8", 0.03, 12), ("float16", 0.002, 20)])
def test_a_real_network_in_a_page(dlib_model, tmp_path, open_page, capsys, precision, share, limit):
    w = AttributeExplorer(fr.Avatars(identities=2, seed=0), dlib_model, variations=2).wait(120)
    path = w.to_html(tmp_path / "page.html", precision=precision)
    report = capsys.readouterr().out
    assert re.search(rf"about [\d.]+ MB with the engine .*2 people .*the network dlib as {precision} [\d.]+ MB", report)
    assert path.stat().st_size / 1e6 < limit
    page = open_page(path)
    page.wait_for_selector(READY, state="attached")
    assert f"95 of 100 distances are within {100 * share:g} % of the notebook's" in page.locator("footer").inner_text()
    off = []
    moves = [(name, value) for name in ("age", "head_angle", "illumination") for value in (-1, -0.5, 0.5, 1)]
    for seq, (name, value) in enumerate(moves, 1):
        record = w._engine.faces.attributes[name]
        end = record.high if value > 0 else record.low
        strengths = {name: record.neutral + abs(value) * (end - record.neutral)}
        page.evaluate(SEND, {"seq": 2 * seq, "action": "reset"})
        got = page.evaluate(SEND, {"seq": 2 * seq + 1, "action": "set", "values": strengths})
        w.reset()
        w.set(**strengths)
        off.append(abs(got["figures"]["distance"] / w.distance - 1))
    w.close()
    assert np.quantile(off, 0.95) <= share


def test_what_cannot_run_in_a_page_is_replayed(open_page, tmp_path, networks):
    class Mine:
        """A network of one's own."""

        def __init__(self, model):
            self.card, self.embed = model.card, model.embed

    w = AttributeExplorer(fr.Avatars(identities=2, seed=0), Mine(networks["first"]), variations=2).wait(60)
    with pytest.raises(
        ValueError, match=r"live = True: controlled/all-varied has no form for a page .*Give live=False"
    ):
        w.to_html(tmp_path / "page.html", live=True)
    page = open_page(w.to_html(tmp_path / "page.html", attributes=["age"], steps=3))
    page.locator("input[data-attribute=age]").press("End")
    w.set(age=75)
    page.wait_for_function("w => Math.abs(frExploreModel.get('figures').distance - w) < 1e-6", arg=w.distance)
    assert (
        "replays 3 stored steps of each slider, one slider at a time: controlled" in page.locator("footer").inner_text()
    )
    page.locator("footer [data-action=copy]").click()
    w.reset()
    w.bookmark = page.evaluate("location.href")
    assert w.strengths["age"] == 75
    w.close()
    with pytest.raises(ValueError, match=r"precision = 'int4': choose from float32, float16, int8\."):
        AttributeExplorer(fr.Avatars(identities=2, seed=0), networks["first"], variations=2).to_html(
            tmp_path / "x.html", precision="int4"
        )


def test_without_webassembly_the_page_says_so(written, browser, tmp_path):
    strict = tmp_path / "strict.html"
    strict.write_text(written.read_text(encoding="utf-8").replace("'wasm-unsafe-eval' ", "", 1), encoding="utf-8")
    context = browser.new_context()
    page = context.new_page()
    page.goto(strict.as_uri())
    page.locator(".fr-error", has_text="its engine does not run here").wait_for()
    assert "forbids WebAssembly" in page.locator(".fr-error").inner_text()
    assert page.locator(".fr-key").first.get_attribute("data-distance") == "0"
    context.close()


def test_pages_of_a_site_share_files(explorer, networks, tmp_path, browser, firefox):
    """Engine, people, networks and modules are stored once; a page that lost them says so."""
    explorer.reset()
    explorer.set(age=66)
    lattice = fr.sample_lattice(explorer._engine.faces, ["age"], curves=3, seed=2)
    field = FieldExplorer(fr.vector_field(fr.embed(lattice, networks["first"], progress=False)), lattice, size=48)
    whole = explorer.to_html(tmp_path / "whole.html", precision="float32")
    for name in "ab":
        (tmp_path / "site" / name).mkdir(parents=True)
    with shared_files(tmp_path / "site" / "shared"):
        one = explorer.to_html(tmp_path / "site" / "a" / "one.html", precision="float32")
        files = set((tmp_path / "site" / "shared").iterdir())
        explorer.to_html(tmp_path / "site" / "a" / "two.html", precision="float32")
        assert set((tmp_path / "site" / "shared").iterdir()) == files
        field.to_html(tmp_path / "site" / "b" / "field.html")
    assert explorer.to_html(tmp_path / "again.html", precision="float32").read_bytes() == whole.read_bytes()
    total = sum(path.stat().st_size for path in files) + one.stat().st_size
    assert total == pytest.approx(whole.stat().st_size, rel=0.01)
    assert one.stat().st_size < 0.2 * total
    head = [json.loads(re.search(r'id="data"[^>]*>(.*?)</script>', p.read_text())[1])["live"]["parts"] for p in (one,)]
    assert head[0]["renderer"].keys() == {"$file"}
    assert "script-src 'self' file: 'unsafe-inline'" in one.read_text(encoding="utf-8")
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.goto(one.as_uri())
    page.wait_for_selector(READY, state="attached")
    until(lambda: page.evaluate("frExploreModel.get('figures').distance") == pytest.approx(explorer.distance, abs=1e-4))
    page.goto((tmp_path / "site" / "b" / "field.html").as_uri())
    page.locator(".fr-lab").wait_for()
    alone = tmp_path / "alone.html"
    alone.write_bytes(one.read_bytes())
    page.goto(alone.as_uri())
    page.locator(".fr-still p", has_text="keep the site's folders together").wait_for()
    context.close()
    firefox.navigate(one.as_uri())
    script = """const [done] = arguments;
      const look = () => document.documentElement.dataset.live === "ready"
        ? done(frExploreModel.get("figures").distance) : setTimeout(look, 20);
      look();"""
    assert firefox.execute_async_script(script, sandbox=None) == pytest.approx(explorer.distance, abs=1e-4)
    field.close()
    explorer.reset()


def test_bookmarks_that_cannot_be_read():
    with pytest.raises(ValueError, match=r"bookmark 'state=5' cannot be read .*Copy this state"):
        read_bookmark("state=5")
    with pytest.raises(ValueError, match="it is not an object"):
        read_bookmark("5")
    with pytest.raises(ValueError, match="cannot be read"):
        read_bookmark("file:///x.html#state=abc")


def test_a_field_draws_the_faces_of_every_curve(networks, tmp_path, open_page):
    """The three faces of a curve to the bit, as the kernel draws them."""
    lattice = fr.sample_lattice(fr.Avatars(identities=2, seed=3), ["age", "hue"], curves=6, seed=2)
    w = FieldExplorer(fr.vector_field(fr.embed(lattice, networks["first"], progress=False)), lattice, size=48)
    page = open_page(w.to_html(tmp_path / "field.html"))
    place = {"what": 1, "identity": 1, "attribute": 1, "kind": 0, "curve": 4}
    got = page.evaluate(
        """async (values) => {
          const model = globalThis.frExploreModel;
          model.set("request", { client: "test", seq: 1, action: "view_curve", values });
          model.save_changes();
          const answered = () => model.get("curve_view").client === "test" && model.get("curve_view").strengths;
          while (!answered()) await new Promise((done) => setTimeout(done, 10));
          const bytes = new Uint8Array(model.get("frame").buffer);
          return [btoa(Array.from(bytes, (one) => String.fromCharCode(one)).join("")), model.get("curve_view")];
        }""",
        place,
    )
    w.request = {"client": "page", "seq": 1, "action": "view_curve", "values": place}
    assert base64.b64decode(got[0]) == w.frame
    assert got[1]["strengths"] == pytest.approx(w.curve_view["strengths"])
    w.close()


def test_an_attribute_shifts_the_genuine_pairs(networks, tmp_path, open_page):
    """All strengths of an attribute that the kernel has not computed, as the kernel computes them afterwards."""
    w = VerificationExplorer(fr.Avatars(identities=3, seed=5), networks["first"], images=2, size=64, draws=20).wait(60)
    page = open_page(w.to_html(tmp_path / "pairs.html", precision="float32"))
    page.locator("select[data-control=attribute]").select_option("age")
    page.wait_for_function("() => frExploreModel.get('shifts').age?.done.every(Boolean)", timeout=60_000)
    text = "new Uint8Array(frExploreModel.get('shift_data').buffer)"
    got = page.evaluate(f"btoa(Array.from({text}, (one) => String.fromCharCode(one)).join(''))")
    w.set(attribute="age").wait(60)
    assert page.evaluate("frExploreModel.get('shifts')") == json.loads(json.dumps(w.shifts))
    np.testing.assert_allclose(
        np.frombuffer(base64.b64decode(got), "<f8"), np.frombuffer(w.shift_data, "<f8"), rtol=1e-3, atol=1e-5
    )
    assert page.evaluate("frExploreModel.get('progress')") == {}
    w.close()


def test_pairs_show_their_faces(networks, tmp_path, open_page):
    """The pairs nearest to the pointer, and to the threshold that a key moves: the kernel's, to the bit."""
    w = VerificationExplorer(fr.Avatars(identities=3, seed=5), networks["first"], images=2, size=64, draws=20).wait(60)
    page = open_page(w.to_html(tmp_path / "pairs.html", precision="float32"))

    def compare(seq):
        """With the kernel's answer to what the page asked."""
        page.wait_for_function("seq => frExploreModel.get('pairs_view').seq === seq", arg=seq)
        values = page.evaluate("frExploreModel.get('request').values")
        w.request = {"client": "k", "seq": seq, "action": "view_pairs", "values": values}
        assert w.error == {}
        got, wanted = page.evaluate("frExploreModel.get('pairs_view').pairs"), w.pairs_view["pairs"]
        for mine, kernels in zip(got, wanted, strict=True):
            assert mine == {**kernels, "distance": pytest.approx(kernels["distance"], abs=1e-5)}
        text = "new Uint8Array(frExploreModel.get('frame').buffer)"
        pixels = page.evaluate(f"btoa(Array.from({text}, (one) => String.fromCharCode(one)).join(''))")
        assert base64.b64decode(pixels) == w.frame
        return values["distance"], wanted

    box = page.locator(".fr-density").bounding_box()
    place = page.locator(".fr-pairs")
    assert place.inner_text().startswith("Point at the densities")
    height = place.bounding_box()["height"]
    page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + 100)
    near, first = compare(1)
    page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 100)
    far, second = compare(2)
    assert far > 5 * near
    assert first != second
    page.locator("[data-control=threshold]").press("Home")
    assert compare(3)[0] == 0
    words = page.locator(".fr-pair-faces figcaption").all_inner_texts()
    assert [one.rpartition(": ")[2] for one in words] == ["a false non-match", "told apart"]
    table = w._ready().table
    genuine = table.loc[table["same"], "distance"].to_numpy()
    peak = genuine[len(genuine) // 2]  # a bar with several pairs
    top = page.locator("[data-control=threshold]").evaluate("(input) => Number(input.max)")
    page.mouse.move(box["x"] + 9 + (box["width"] - 18) * peak / top, box["y"] + 100)
    compare(4)
    page.mouse.down()
    page.mouse.up()
    at, shown = compare(5)
    reach = page.evaluate("frExploreModel.get('request').values.reach")
    assert len(shown) > 2
    for same in (True, False):
        away = [abs(pair["distance"] - at) for pair in shown if pair["same"] == same]
        assert 1 <= len(away) <= 3
        assert away == sorted(away)
        assert max(away[1:], default=0) <= reach
    assert page.locator(".fr-pair-faces").count() == len(shown)
    assert place.bounding_box()["height"] == pytest.approx(height, abs=8)
    w.close()
    precomputed = VerificationExplorer(np.eye(4), ["a", "a", "b", "b"])
    assert precomputed.setup["size"] == 0
    precomputed.request = {"client": "k", "seq": 1, "action": "view_pairs", "values": {"distance": 0.0}}
    assert "precomputed, without faces" in precomputed.error["why"]
