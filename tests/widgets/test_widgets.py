"""The Python half of the widgets: what they do without a browser, and what they send to one."""

import importlib.metadata
import json
import re
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fr_explore.faces.base import Face
from fr_explore_widgets import AttributeExplorer, check_environment
from fr_explore_widgets.attribute.engine import Engine
from fr_explore_widgets.attribute.samples import Gallery, collect
from fr_explore_widgets.core import bundle
from fr_explore_widgets.core.faces import THUMB, pick, thumbnail
from fr_explore_widgets.core.session import History, State

ROOT = Path(__file__).parents[2]
FRONT = ROOT / "widgets" / "fr_explore_widgets"


@pytest.fixture(scope="module")
def explorer(avatars, dlib_model):
    widget = AttributeExplorer(avatars, dlib_model, variations=2).wait(60)
    yield widget
    widget.close()


@pytest.fixture
def w(explorer):
    """The explorer with a neutral face of the first identity."""
    explorer.set(identity=0)
    explorer.reset()
    return explorer


@pytest.fixture
def ask(request):
    """Send a request as a browser of this test does: a new value of the trait."""

    def ask(widget, seq, client="browser", **fields):
        widget.request = {"client": f"{client} {request.node.name}", "seq": seq, **fields}

    return ask


# --- the explorer from Python -----------------------------------------------------------------------------------------


def test_setting_a_slider_moves_the_true_distance(w, avatars, dlib_model):
    w.set(age=60)
    here, there = dlib_model.embed([avatars.render(0, {"age": 60}), avatars.render(0)])
    assert w.strengths["age"] == 60
    assert w.strengths["hue"] == avatars.attributes["hue"].neutral
    assert w.distance == pytest.approx(np.linalg.norm(here - there), abs=1e-5)
    assert w.distance > 0
    w.reset()
    assert w.distance == 0
    assert w.strengths == {name: a.neutral for name, a in avatars.attributes.items()}


def test_the_browser_gets_the_rendered_picture_and_the_values_together(w, avatars):
    w.set(head_angle=12)
    pixels = np.frombuffer(w.frame, np.uint8).reshape(*w.reply["shape"], 3)
    expected = avatars.render(0, {"head_angle": 12}).pixels
    assert np.abs(pixels / 255 - expected).max() <= 0.5 / 255 + 1e-6
    assert w.reply["strengths"] == w.strengths
    assert w.reply["moved"] == "head_angle"
    assert np.array_equal(
        np.frombuffer(w.reference_frame, np.uint8),
        (avatars.render(0).pixels * 255 + 0.5).astype(np.uint8).ravel(),
    )
    assert w.reply["serial"] == w.figures["serial"]
    for trait in (w.setup, w.reply, w.figures, w.gallery, w.state):
        json.dumps(trait)


@pytest.mark.parametrize(
    ("strengths", "text"),
    [
        ({"age": 300}, r"age = 300 is out of range: give a number from 18 to 75 years"),
        ({"age": float("nan")}, r"age = nan is out of range"),
        ({"agee": 30}, r"unknown attribute 'agee'\. Did you mean 'age'"),
        ({"identity": 99}, r"unknown identity 99: choose from 0, 1, 2\."),
    ],
)
def test_a_wrong_value_is_named_and_changes_nothing(w, strengths, text):
    w.set(age=50)
    before = (w.identity, w.strengths, w.distance, w.state)
    with pytest.raises(ValueError, match=text):
        w.set(**strengths)
    assert (w.identity, w.strengths, w.distance, w.state) == before


def test_identity_and_strengths_can_be_assigned_and_observed(w):
    seen = []

    def note(change):
        seen.append((change["name"], change["new"]))

    w.observe(note, ["identity", "distance"])
    w.identity = 2
    w.strengths = {"age": 70}
    w.unobserve(note, ["identity", "distance"])
    assert ("identity", 2) in seen
    assert seen[-1] == ("distance", w.distance)
    assert w.strengths["age"] == 70
    with pytest.raises(ValueError, match="unknown identity 7"):
        w.identity = 7
    with pytest.raises(ValueError, match="age = 5 is out of range"):
        w.strengths = {"age": 5}
    assert (w.identity, w.strengths["age"]) == (2, 70)


def test_a_pinned_reference_stays_when_the_identity_changes(w, avatars, dlib_model):
    w.set(age=60)
    w.pin()
    assert w.distance == 0
    w.set(identity=1, age=35)
    a, b = dlib_model.embed([avatars.render(0, {"age": 60}), avatars.render(1)])
    assert w.distance == pytest.approx(np.linalg.norm(a - b), abs=1e-5)
    assert w.figures["reference"]["place"] == 0
    w.unpin()
    assert w.distance == 0


def test_undo_and_redo(w):
    w.set(age=60)
    w.set(hue=20)
    w.set(identity=1)
    w.undo()
    assert (w.identity, w.strengths["hue"]) == (0, 20)
    w.undo()
    assert (w.strengths["age"], w.strengths["hue"]) == (60, 0)
    w.redo()
    assert w.strengths["hue"] == 20
    w.set(age=20)  # a new step forgets what was undone
    assert not w.figures["can"]["redo"]
    w.undo()
    assert w.strengths["age"] == 60


def test_state_is_plain_json_and_restores_all_of_it(w):
    w.set(age=60)
    w.pin()
    w.set(identity=2, hue=-5)
    kept, distance_then = json.loads(json.dumps(w.state)), w.distance
    w.reset()
    w.state = kept
    assert (w.identity, w.strengths["hue"], w.distance) == (2, -5, distance_then)
    assert w.figures["reference"]["pinned"]
    with pytest.raises(ValueError, match=r"version 7, this release reads version 1"):
        w.state = {"version": 7}
    with pytest.raises(ValueError, match=r"state lacks identity, strengths"):
        w.state = {"version": 1}


# --- requests of a browser -----------------------------------------------------------------------------------------


def test_a_drag_is_no_step_of_undo_and_a_stale_request_is_dropped(w, ask, tmp_path):
    def steps():
        return len(pd.read_csv(w.to_csv(tmp_path / "x.csv")[1]))

    before = steps()
    ask(w, 1, action="set", values={"age": 40}, moved="age", phase="drag")
    ask(w, 2, action="set", values={"age": 50}, moved="age", phase="drag")
    w.wait(30)  # the figures of a drag follow its picture
    assert steps() == before
    assert w.state["strengths"]["age"] == 35  # the bookmark keeps what was committed
    ask(w, 1, action="set", values={"age": 41}, moved="age", phase="drag")
    assert w.strengths["age"] == 50
    ask(w, 3, action="set", values={"age": 50}, moved="age", phase="commit")
    assert steps() == before + 1
    assert w.state["strengths"]["age"] == 50
    assert w.figures["seq"] == 3


def test_each_browser_counts_for_itself(w, ask):
    ask(w, 9, "one", action="set", values={"age": 40}, phase="commit")
    ask(w, 1, "two", action="set", values={"hue": 10}, phase="commit")
    assert (w.strengths["age"], w.strengths["hue"]) == (40, 10)


@pytest.mark.parametrize(
    ("request_", "check"),
    [
        ({"action": "identity", "place": 2}, lambda w: w.identity == 2),
        ({"action": "pin"}, lambda w: w.state["reference"] is not None),
        ({"action": "reset"}, lambda w: w.strengths["age"] == 35),
        ({"action": "undo"}, lambda w: w.strengths["age"] == 35),
    ],
)
def test_buttons(w, request_, check, ask):
    w.set(age=60)
    ask(w, 1, **request_)
    assert w.error == {}
    assert check(w)


def test_an_exception_is_shown_until_the_next_success(w, dlib_model, monkeypatch, ask):
    w.set(age=50)
    with monkeypatch.context() as patch:
        patch.setattr(dlib_model, "embed", lambda faces, batch_size=32: 1 / 0)
        ask(w, 1, action="set", values={"age": 60}, moved="age", phase="commit")
        assert w.error["what"] == "The model could not embed this face."
        assert w.error["why"] == "ZeroDivisionError: division by zero"
        assert "move a slider" in w.error["todo"]
        assert w.error["client"].startswith("browser")
        assert w.error["seq"] == 1
        assert "ZeroDivisionError" in w.traceback
        assert w.strengths["age"] == 50
        with pytest.raises(Exception, match="could not embed"):
            w.set(age=61)
        assert w.strengths["age"] == 50
    ask(w, 2, action="set", values={"age": 60}, moved="age", phase="commit")
    assert w.error == {}
    assert w.strengths["age"] == 60


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        ({"action": "set", "values": {"age": 900}}, "ValueError: age = 900 is out of range"),
        ({"action": "dance"}, "ValueError: unknown action 'dance'."),
        ({}, "ValueError: unknown action ''."),
    ],
)
def test_an_invalid_request_is_reported_and_changes_nothing(w, request_, why, ask):
    ask(w, 1, **request_)
    assert w.error["why"].startswith(why)
    ask(w, 2, action="set", values={"age": 44}, phase="commit")
    assert (w.error, w.strengths["age"]) == ({}, 44)


def test_an_embedding_that_is_not_finite_is_an_error_not_a_distance(w, dlib_model, monkeypatch, ask):
    monkeypatch.setattr(
        dlib_model, "embed", lambda faces, batch_size=32: np.full((len(faces), 128), np.nan, np.float32)
    )
    ask(w, 1, action="set", values={"age": 60}, phase="commit")
    assert w.error["why"] == "ValueError: the embedding contains NaN or infinity."
    assert np.isfinite(w.distance)


def test_requests_from_several_threads_end_on_a_state_that_agrees_with_itself(w, avatars, dlib_model, ask):
    """Handlers run in parallel with cells: in any order, values, picture and distance belong together."""

    def drag(client):
        for seq in range(1, 6):
            ask(w, seq, client, action="set", values={"age": 30.0 + 5 * seq}, phase="drag")

    threads = [threading.Thread(target=drag, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for hue in (5, 10):
        w.set(hue=hue)
    for thread in threads:
        thread.join()
    w.wait(60)
    w.set(age=w.reply["strengths"]["age"])  # a release: exact figures of the last request
    assert w.error == {}
    assert w.strengths["hue"] == 10
    here, there = dlib_model.embed([avatars.render(0, w.strengths), avatars.render(0)])
    assert w.distance == pytest.approx(np.linalg.norm(here - there), abs=1e-5)
    assert w.reply["strengths"] == w.strengths


def test_a_kernel_answers_a_ping(w):
    w.ping = 41
    assert w.pong == 41


# --- the map and the gallery ------------------------------------------------------------------------------------------


def test_the_map_is_fitted_on_the_gallery_and_says_how_much_it_shows(w, dlib_model, avatars):
    engine = Engine(avatars, {"dlib": dlib_model}, 160)
    *_, gallery = collect(engine, engine.views["dlib"], avatars.identities, variations=2, seed=0)
    assert gallery.vectors.shape == (3, 3, 128)
    points = gallery.vectors.reshape(-1, 128).astype(float)
    centred = points - points.mean(0)
    variances = np.linalg.eigvalsh(np.cov(centred.T))[::-1]
    share = variances[:2].sum() / variances.sum()
    assert w.gallery["caption"] == f"PCA projection, shows {100 * share:.0f} % of the variance"
    shown = np.array([p[:2] for p in w.gallery["points"]])
    assert shown.mean(0) == pytest.approx([0, 0], abs=1e-4)
    assert (shown**2).sum() / (centred**2).sum() == pytest.approx(share, rel=1e-3)
    # the current point lies where its identity's neutral face lies
    assert w.figures["point"] == pytest.approx(shown[0], abs=1e-3)
    assert len(w.sprite) == 3 * 3 * THUMB**2
    # typical distances
    vectors = gallery.vectors
    assert w.gallery["natural"]["1"] == pytest.approx(np.linalg.norm(vectors[1, 1] - vectors[1, 2]), rel=1e-6)
    pairs = [np.linalg.norm(vectors[i, 0] - vectors[j, 0]) for i, j in ((0, 1), (0, 2), (1, 2))]
    assert w.gallery["between"] == pytest.approx(np.median(pairs), rel=1e-6)


class Circle:
    """A source and a model in one: the embedding of identity i lies on a circle, whatever the metric."""

    attributes: Mapping = {}
    identities = tuple("abcd")

    def render_batch(self, identities, strengths, size=160):
        return [Face(np.full((size, size, 3), self.identities.index(i) / 4, np.float32)) for i in identities]

    def embed(self, faces, batch_size=32):
        turns = np.array([face.pixels[0, 0, 0] for face in faces]) * 2 * np.pi
        return np.stack([np.cos(turns), np.sin(turns), 0 * turns], 1).astype(np.float32) * 3

    def __init__(self, metric):
        self.card = type("Card", (), {"metric": metric})()


@pytest.mark.parametrize(("metric", "quarter"), [("euclidean", 3 * np.sqrt(2)), ("cosine", 1.0)])
def test_the_gallery_follows_the_metric_of_the_card(metric, quarter):
    both = Circle(metric)
    engine = Engine(both, {"circle": both}, 8)
    *progress, gallery = collect(engine, engine.views["circle"], both.identities, variations=2, seed=0)
    assert progress[-1] == (12, 12)
    assert gallery.between_people() == pytest.approx(quarter, rel=1e-6)
    assert gallery.natural_variation() == pytest.approx(dict.fromkeys("abcd", 0), abs=1e-12)
    radius = 3 if metric == "euclidean" else 1
    assert np.linalg.norm(gallery.project(gallery.vectors), axis=-1) == pytest.approx(radius, rel=1e-5)
    assert gallery.plane.explained == pytest.approx(1)
    # a step on the map has no mean to subtract, and lies wholly in this plane
    low, high = gallery.vectors[0, 0], gallery.vectors[1, 0]
    flat, share = gallery.project_step(low, high)
    assert flat == pytest.approx(gallery.project(high) - gallery.project(low), abs=1e-5)
    assert share == pytest.approx(1)
    assert gallery.nearest(low)[0] == ("a", pytest.approx(0, abs=1e-6))
    assert [identity for identity, _ in gallery.nearest(low, 4)][-1] == "c"


def test_identities_are_picked_evenly():
    assert pick(list("abc"), 24) == list("abc")
    assert pick(range(101), 3) == [0, 50, 100]


def test_a_thumbnail_is_the_mean_of_what_it_covers():
    pixels = np.zeros((160, 160, 3), np.float32)
    pixels[:80] = 1
    small = thumbnail(pixels, 16)
    assert small.shape == (16, 16, 3)
    assert (small[:8] == 255).all()
    assert (small[8:] == 0).all()


def test_a_failed_gallery_is_reported_and_the_sliders_still_work(avatars, dlib_model, monkeypatch):
    def refuse(*_, **__):
        raise OSError("disk full")

    monkeypatch.setattr(avatars, "render_batch", refuse)
    widget = AttributeExplorer(avatars, dlib_model)
    with pytest.raises(OSError, match="disk full"):
        widget.wait(30)
    assert widget.gallery == {"failed": "OSError: disk full"}
    widget.set(age=60)
    assert widget.distance > 0
    assert widget.figures["point"] is None
    widget.close()


def test_closing_stops_the_gallery_and_too_few_variations_are_refused(avatars, dlib_model):
    widget = AttributeExplorer(avatars, dlib_model, variations=400)
    with pytest.raises(TimeoutError, match=r"not ready after 0\.05 s"):
        widget.wait(0.05)
    widget.close()
    assert widget.wait(0) is widget, "no work is left"
    with pytest.raises(ValueError, match="variations = 1: give at least 2"):
        AttributeExplorer(avatars, dlib_model, variations=1)


# --- history and state ------------------------------------------------------------------------------------------------


def test_quick_commits_of_one_attribute_are_one_step():
    a, b, c, d = (State(0, {"age": float(age)}) for age in range(4))
    history = History([a])
    history.commit(b, "age", now=10.0)
    history.commit(c, "age", now=10.5)
    assert history.states == [a, c]
    history.commit(d, "age", now=12.0)
    assert history.states == [a, c, d]
    history.commit(b, "hue", now=12.1)
    history.commit(b, "hue", now=12.2)  # the same state again is not a step
    assert history.states == [a, c, d, b]
    assert history.step(-1) == d
    assert history.step(-9) == a
    assert not history.can_undo
    assert history.can_redo


@given(st.lists(st.sampled_from(["commit", "undo", "redo"]), max_size=40))
def test_history_behaves_like_a_list_with_a_cursor(moves):
    history = History([State(0, {"n": 0.0})])
    model, place = [0.0], 0
    for count, move in enumerate(moves, 1):
        if move == "commit":
            history.commit(State(0, {"n": float(count)}))
            model, place = [*model[: place + 1], float(count)], place + 1
        else:
            by = -1 if move == "undo" else 1
            place = min(max(place + by, 0), len(model) - 1)
            assert history.step(by).strengths["n"] == model[place]
    assert [state.strengths["n"] for state in history.states] == model


def test_history_forgets_the_oldest_beyond_its_limit(monkeypatch):
    monkeypatch.setattr("fr_explore_widgets.core.session.LIMIT", 3)
    history = History([State(0, {"n": 0.0})])
    for n in range(1, 6):
        history.commit(State(0, {"n": float(n)}))
    assert [state.strengths["n"] for state in history.states] == [3, 4, 5]
    assert history.step(-1).strengths["n"] == 4


# --- the front end's files and the environment ------------------------------------------------------------------------


WIDGETS = sorted(path.parent.name for path in FRONT.glob("*/index.js"))


@pytest.mark.parametrize("name", WIDGETS)
def test_the_front_end_is_one_module_with_one_export(name):
    script = bundle.script(name)
    assert re.findall(r"^export\b", script, re.MULTILINE) == ["export"]
    assert not re.search(r"^import\b|(?<!\{)\bimport\(", script, re.MULTILINE)
    assert set(re.findall(r"\w+://[^\"]+", script)) <= {"http://www.w3.org/2000/svg"}  # a name, not an address


def test_little_is_sent():
    """All front ends together, as one page would get them; the packed size is what travels to a notebook.

    AttributeExplorer brings the engine's host, so that a drag needs no kernel; the engine itself travels once, by hash.
    """
    travel = [name for name in WIDGETS if (FRONT / name / "widget.py").is_file()]  # the camera's page is only a file
    sent = sum(len(bundle.packed(name)[0]) for name in travel)
    files = [path.read_text(encoding="utf-8") for path in FRONT.rglob("*") if path.suffix in (".js", ".css")]
    print(f"{len(travel)} widgets: {sent} bytes sent, {sum(map(len, files))} as written")
    assert sent < 160_000


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("// one\n  a = b / c; // kept\n\n\t// two\n", "a = b / c; // kept\n"),
        ("/** words\n * more */\nf();\n/* x */ g(); /* y */\n", "f();\n/* x */ g(); /* y */\n"),
        ("const f = (/** @type {A} */ a) => /** @type {B} */ (a.b);\n", "const f = (a) => (a.b);\n"),
        ("/* one */\n.a {\n  top: 0; /* kept */\n}\n", ".a {\ntop: 0; /* kept */\n}\n"),
    ],
)
def test_comments_that_fill_lines_are_not_sent(text, bare):
    assert bundle.bare(text) == bare


def test_modules_are_joined_once_and_in_order():
    files = {
        "main.js": 'import { b } from "./b.js";\nimport {\n  a,\n} from "./a.js";\n'
        "export const two = a + b;\nexport default { two };\n",
        "a.js": "const hidden = 1;\nexport const a = hidden;\n",
        "b.js": 'import { a } from "./a.js";\nexport function b() {\n  return a;\n}\n',
    }
    joined = bundle.join("main.js", files.__getitem__)
    assert joined.count("const hidden") == 1
    assert joined.index("const $a =") < joined.index("const $b =") < joined.index("const two")
    assert "return { b };" in joined
    assert joined.count("export") == 1


@pytest.mark.parametrize(
    ("files", "text"),
    [
        ({"main.js": 'import * as b from "./b.js";\n'}, "is not supported; write import"),
        (
            {"main.js": 'import { b } from "./b.js";\nb();\n', "b.js": "export { b };\n"},
            "export a function, a class or a const",
        ),
        (
            {"main.js": 'import { b } from "./b.js";\nb();\n', "b.js": 'import { m } from "./main.js";\nm();\n'},
            r"main\.js -> b\.js -> main\.js: modules import each other in a circle",
        ),
    ],
)
def test_unsupported_modules_are_refused(files, text):
    with pytest.raises(ValueError, match=text):
        bundle.join("main.js", files.__getitem__)


def test_the_environment_of_this_test_run_is_suitable():
    table = check_environment()
    assert list(table.columns) == ["part", "found", "ok", "todo"]
    assert set(table["part"]) >= {"anywidget", "ipywidgets", "jupyterlab", "JupyterLab extension anywidget"}
    assert table["ok"].all(), table.to_string()


def test_an_unsuitable_environment_says_what_to_do(monkeypatch, tmp_path):
    versions = {"anywidget": "0.9.3", "ipywidgets": "8.1.5", "jupyterlab": "4.4.0rc1", "notebook": "6.5.4"}
    monkeypatch.setattr(importlib.metadata, "version", versions.__getitem__)
    monkeypatch.setattr(importlib.metadata, "distributions", lambda name: [name] * (name in versions))
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    table = check_environment().set_index("part")
    assert not table.loc["anywidget", "ok"]
    assert 'pip install "anywidget>=0.9.21,<0.12"' in table.loc["anywidget", "todo"]
    assert table.loc["jupyterlab", "ok"]
    assert 'pip install "notebook>=7,<8"' in table.loc["notebook", "todo"]
    assert "force-reinstall" in table.loc["JupyterLab extension anywidget", "todo"]
    package = tmp_path / "share/jupyter/labextensions/anywidget/package.json"
    package.parent.mkdir(parents=True)
    # the release 0.9.20 named its source map, which JupyterLab cannot load
    for entry in ("static/remoteEntry.1.js.map", "static/gone.js"):
        package.write_text(json.dumps({"version": "0.9.20", "jupyterlab": {"_build": {"load": entry}}}))
        found = check_environment().set_index("part").loc["JupyterLab extension anywidget"]
        assert found["found"] == f"0.9.20, loads {entry}"
        assert not found["ok"]
        assert "it names a file that JupyterLab cannot load: pip install --upgrade anywidget" in found["todo"]
    (package.parent / "entry.js").touch()
    package.write_text('{"version": "0.11.0", "jupyterlab": {"_build": {"load": "./entry.js"}}}')
    found = check_environment().set_index("part").loc["JupyterLab extension anywidget"]
    assert "server and kernel differ" in found["todo"]


def test_the_lock_of_the_front_end_serves_every_platform_and_any_registry():
    """`npm ci` refuses a lock that leaves out another platform's optional packages, as some mirrors make it do."""
    locked = json.loads((ROOT / "widgets/package-lock.json").read_text(encoding="utf-8"))["packages"]
    wanted = {name for facts in locked.values() for name in facts.get("optionalDependencies", {})}
    assert wanted
    assert {name for name in wanted if f"node_modules/{name}" not in locked} == set()
    assert [path for path, facts in locked.items() if "resolved" in facts] == []


def test_a_gallery_for_the_browser():
    vectors = np.random.default_rng(0).normal(size=(4, 3, 8))
    gallery = Gallery.fit("abcd", vectors, np.zeros((4, 2, 2, 3), np.uint8), "euclidean")
    plain = gallery.for_browser({"a": 5, "b": 6, "c": 7, "d": 8})
    assert plain["order"] == [5, 6, 7, 8]
    assert [p[3] for p in plain["points"]] == [1, 0, 0] * 4
    assert plain["thumb"] == 2
