"""`AttributeExplorer` on a face source and models whose distances are known in closed form."""

import base64
import contextlib
import gzip
import hashlib
import io
import json
import re
import threading
import time
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from family import saved_output
from hypothesis import given
from hypothesis import strategies as st
from lab import until
from PIL import Image

import fr_explore as fr
from fr_explore.faces.base import Face
from fr_explore.models.packed import packed
from fr_explore_widgets import AttributeExplorer
from fr_explore_widgets.attribute.display import REST
from fr_explore_widgets.attribute.export import retention
from fr_explore_widgets.core.engine import compressed
from fr_explore_widgets.core.job_queue import JobQueue

NAMES = ("age", "hue", "brightness")
SPAN = {name: fr.ATTRIBUTES[name].high - fr.ATTRIBUTES[name].low for name in NAMES}


class Plain:
    """Faces of one colour: red encodes the identity, green the age, blue the hue. A small picture is a bit too red."""

    fingerprint = "plain"
    attributes: ClassVar = {name: fr.ATTRIBUTES[name] for name in NAMES}
    identities = ("ann", "bob", "cy")

    def render(self, identity, strengths=None, size=160):
        at = {name: fr.ATTRIBUTES[name].neutral for name in NAMES} | dict(strengths or {})
        share = {name: (at[name] - fr.ATTRIBUTES[name].low) / SPAN[name] for name in NAMES}
        red = 0.2 + 0.2 * self.identities.index(identity) + (160 - size) / 1000
        color = np.array([red, share["age"], 0.5 * share["hue"]], np.float32)
        return Face(np.broadcast_to(color, (size, size, 3)).copy())

    def render_batch(self, identities, strengths, size=160):
        return [self.render(i, s, size) for i, s in zip(identities, strengths, strict=True)]


class Mean:
    """A model whose embedding is the mean colour."""

    def __init__(self, name="mean", metric="euclidean", threshold=0.5, scale=1.0):
        self.card = fr.ModelCard(
            name=name, title=name.title(), input_size=8, dim=3, metric=metric, threshold=threshold,
            licence="CC0", weaknesses=("sees no shape",),
        )  # fmt: skip
        self.scale = scale

    def embed(self, faces, batch_size=32):
        return np.stack([face.pixels[0, 0] * self.scale for face in faces])


@pytest.fixture
def models():
    return [Mean(), Mean("double", threshold=0.8, scale=2.0)]


@pytest.fixture
def faces():
    return Plain()


@pytest.fixture
def w(faces, models):
    widget = AttributeExplorer(faces, models, variations=2).wait(20)
    yield widget
    widget.close()


def ask(widget, seq, client="page", **request):
    widget.request = {"client": client, "seq": seq, **request}


def years(by):
    return by / SPAN["age"]


# --- a drag -----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def held(widget):
    """Background jobs of the widget wait until the block ends."""
    gate = threading.Event()
    widget.jobs.start("hold", (gate.wait(20) for _ in range(1)), -1)
    yield
    gate.set()
    widget.wait(20)


def test_what_a_cell_sets_while_figures_are_published_is_checked_and_shown(w):
    """The background thread is in the middle of publishing a drag's figures when the cell sets the sliders."""
    publishing, resume = threading.Event(), threading.Event()

    def stop_there(change):
        if threading.current_thread() is not threading.main_thread():
            publishing.set()
            assert resume.wait(20)

    w.observe(stop_there, "distance")
    ask(w, 1, action="set", values={"age": 50}, moved="age", phase="drag")
    assert publishing.wait(20)
    with pytest.raises(ValueError, match="age = 200"):
        w.strengths = {"age": 200}
    threading.Timer(0.2, resume.set).start()  # the setter waits for the lock, which the background thread holds
    w.strengths = {"age": 30}
    w.wait(20)
    assert w.strengths["age"] == w.state["strengths"]["age"] == w.reply["strengths"]["age"] == 30
    assert w.distance == pytest.approx(years(abs(30 - fr.ATTRIBUTES["age"].neutral)), abs=1e-5)


def test_a_thousand_changes_by_a_cell_and_a_page_lose_none(w):
    """500 requests of a page on a thread, 500 changes by the cell, each read back at once and as a whole."""
    answered = set()
    w.observe(lambda change: answered.add(change["new"].get("seq")), "reply")

    def page():
        for seq in range(1, 501):
            ask(w, seq, action="set", values={"hue": seq % 45}, moved="hue", phase="commit" if seq % 7 == 0 else "drag")
            time.sleep(0.001)

    thread = threading.Thread(target=page)
    thread.start()
    lost = []
    for i in range(500):
        age = 20 + i % 50
        if i % 2:
            w.set(age=age)
        else:
            w.strengths = {"age": age}
        now = w.strengths
        if now["age"] != age or set(now) != set(NAMES):
            lost.append((age, now))
        time.sleep(0.001)
    thread.join()
    assert lost == []
    assert answered >= set(range(1, 501))
    ask(w, 501, action="set", values={"hue": 5}, moved="hue")
    w.wait(20)
    assert w.strengths == w.state["strengths"] == w.reply["strengths"] == {"age": 69, "hue": 5, "brightness": 1}
    assert w.distance == w.figures["distance"] == w.sweep("age", [69, 75])["distance"][0]
    pixels = Plain().render(w.identity, w.strengths).pixels
    assert bytes(w.frame) == (pixels * 255 + 0.5).astype(np.uint8).tobytes()
    assert w.error == {}


def test_a_drag_overtaken_by_a_cell_ends_with_figures_of_both(w):
    """The figures of the drag come after the cell's and are dropped; the cell's figures include the drag's value."""
    serials = []
    with held(w):
        ask(w, 1, action="set", values={"hue": 30}, moved="hue", phase="drag")
        w.set(age=50)
        w.observe(lambda change: serials.append(change["new"]["serial"]), "figures")
    assert serials == [], "nothing older was published"
    assert (w.strengths["hue"], w.strengths["age"]) == (30, 50)
    assert w.state["strengths"] == w.strengths == w.reply["strengths"]
    assert w.figures["serial"] == w.reply["serial"]
    assert w.distance == w.figures["distance"] == w.sweep("age", [50, 75])["distance"][0]


def test_a_drag_is_rendered_smaller_and_its_figures_are_corrected_for_that(w):
    ask(w, 1, action="set", values={"age": 50}, moved="age", phase="drag")
    assert w.reply["shape"] == [80, 80]
    assert w.reply["drag"]
    assert len(w.frame) == 3 * 80 * 80
    w.wait(20)
    assert w.figures["drag"]
    assert w.distance == pytest.approx(years(15), abs=1e-6)
    ask(w, 2, action="set", values={"age": 50}, moved="age", phase="commit")
    assert w.reply["shape"] == [160, 160]
    assert w.distance == pytest.approx(years(15), abs=1e-6)


def test_only_the_newest_figures_of_a_quick_drag_are_computed(w):
    serials = []
    w.observe(lambda change: serials.append(change["new"]["serial"]), "figures")
    with held(w):
        for seq in range(1, 21):
            ask(w, seq, action="set", values={"age": 30 + seq}, moved="age", phase="drag")
    assert serials == [w.reply["serial"]]
    assert w.strengths["age"] == 50
    assert w.distance == pytest.approx(years(15), abs=1e-6)


def test_a_drag_that_fails_is_reported_to_the_page_that_asked(w, models):
    models[0].embed = lambda faces, batch_size=32: 1 / 0
    ask(w, 7, action="set", values={"age": 50}, moved="age", phase="drag")
    w.wait(20)
    assert (w.error["client"], w.error["seq"]) == ("page", 7)
    assert w.error["why"] == "ZeroDivisionError: division by zero"


def test_a_step_of_a_sweep_is_exact_and_no_step_of_undo(w):
    ask(w, 1, action="set", values={"age": 60}, moved="age", phase="step")
    assert w.reply["shape"] == [160, 160]
    assert w.distance == pytest.approx(years(25), abs=1e-6)
    assert not w.figures["can"]["undo"]
    assert w.state["strengths"]["age"] == 35
    assert w.figures["seq"] == 1


# --- pictures that the page draws itself ------------------------------------------------------------------------------


def test_a_page_gets_keys_and_then_the_blobs_that_it_lacks():
    widget = AttributeExplorer(fr.Avatars(identities=3, seed=0), Mean(), variations=2, size=64)
    sent = []
    widget.send = lambda content, buffers=None: sent.append((content, buffers))
    widget._handle_custom_msg({"kind": "pack", "place": 1}, [])
    until(lambda: widget.packed)
    keys, faces = widget.packed, widget._engine.faces
    assert list(keys["people"]) == ["1"], "the first person is packed alone: a page soon draws"
    files = [f"{keys['parts']}-{name}" for name in keys["files"]]
    assert sent == [], "a page compares the keys with its cache first"
    wanted = [*keys["people"]["1"], files[0]]
    widget._handle_custom_msg({"kind": "blobs", "keys": wanted}, [])
    assert [(content["kind"], content["key"]) for content, _ in sent] == [("blob", key) for key in wanted]
    blobs = [gzip.decompress(buffers[0]) for _, buffers in sent[:2]]
    assert blobs == [faces.packed([1])[0], *faces.packed([1])[1]]
    for key, blob in zip(wanted, blobs, strict=False):
        assert key == hashlib.sha256(blob).hexdigest()[: len(key)]
    widget._handle_custom_msg({"kind": "pack", "place": 2}, [])
    until(lambda: len(widget.packed["people"]) == 3)  # the others follow together
    people = widget.packed["people"]
    assert people["1"] == keys["people"]["1"]
    assert people["0"][0] == people["2"][0]
    assert widget._display._supply.blob(people["2"][1]) == compressed(faces.packed([2])[1][0])[1]
    assert "packed" not in widget.state
    widget.close()


def test_a_page_gets_a_network_in_pieces_where_it_can_run_there():
    models = {"dlib": fr.load_model("dlib", device="cpu"), "mean": Mean()}
    widget = AttributeExplorer(fr.Avatars(identities=1, seed=0), models, variations=2, size=64)
    sent = []
    widget.send = lambda content, buffers=None: sent.append((content, buffers))
    for name in ("dlib", "mean", "unknown"):
        widget._handle_custom_msg({"kind": "pack", "model": name}, [])
    until(lambda: len(widget.packed.get("models", {})) == 2)
    assert widget.packed["models"]["mean"] is None
    card, key = widget.packed["models"]["dlib"]
    assert (card["name"], card["metric"], card["dim"]) == ("dlib", "euclidean", 128)
    whole = widget._display._supply.blob(key)
    for first in range(0, len(whole), 10**6):
        widget._handle_custom_msg({"kind": "blobs", "keys": [key], "from": first, "size": 10**6}, [])
    assert b"".join(buffers[0] for _, buffers in sent) == whole
    assert {content["all"] for content, _ in sent} == {len(whole)}
    assert gzip.decompress(whole) == packed(models["dlib"], "int8").network
    widget.close()


def test_a_source_that_no_page_can_draw_gives_no_keys(w):
    w._handle_custom_msg({"kind": "pack", "place": 0}, [])
    w.wait(20)
    assert w.packed == {}


def test_of_a_drag_that_the_page_draws_only_figures_are_sent(w):
    before = bytes(w.frame)
    ask(w, 1, action="set", values={"age": 50}, moved="age", phase="drag", drawn=True)
    w.wait(20)
    assert (w.reply["drawn"], w.reply["strengths"]["age"], bytes(w.frame) == before) == (True, 50, True)
    assert w.distance == pytest.approx(years(15), abs=1e-6)
    ask(w, 2, action="set", values={"age": 50}, moved="age", phase="commit", drawn=True)
    assert (w.reply["drawn"], bytes(w.frame) == before) == (False, False), "the released face is the kernel's"


# --- several models ---------------------------------------------------------------------------------------------------


def test_the_browser_gets_the_facts_of_the_cards(w):
    first, second = w.setup["models"]
    assert (first["name"], second["name"]) == ("mean", "double")
    assert first["licence"] == "CC0"
    assert first["weaknesses"] == ["sees no shape"]
    json.dumps(w.setup)


def test_another_model_judges_the_same_face(w):
    w.set(age=50)
    w.set(model="double")
    assert w.distance == pytest.approx(2 * years(15), abs=1e-6)
    assert w.figures["model"] == "double"
    assert w.strengths["age"] == 50
    w.wait(20)
    assert w.gallery["caption"].startswith("PCA projection")
    w.undo()
    assert w.figures["model"] == "mean"
    assert w.distance == pytest.approx(years(15), abs=1e-6)


def test_two_models_side_by_side(w):
    w.set(age=50, compare="double")
    assert w.distances == pytest.approx({"mean": years(15), "double": 2 * years(15)}, abs=1e-6)
    w.wait(20)
    assert w.second["model"] == "double"
    assert w.second["point"] is not None
    assert w.second_gallery["caption"].startswith("PCA projection")
    ask(w, 1, action="set", values={"age": 40}, moved="age", phase="drag")
    w.wait(20)
    assert w.second["serial"] == w.figures["serial"]
    assert w.distances["double"] == pytest.approx(2 * years(5), abs=1e-6)
    ask(w, 2, action="models", model="mean", compare=None)
    assert w.error == {}
    assert w.distances == pytest.approx({"mean": years(5)}, abs=1e-6)
    assert w.second_gallery == {}


def test_a_second_model_given_as_an_object():
    widget = AttributeExplorer(Plain(), Mean(), compare=Mean("double", scale=2.0), variations=2)
    assert set(widget.distances) == {"mean", "double"}
    assert widget.state["compare"] == "double"
    widget.close()


@pytest.mark.parametrize(
    ("models", "text"),
    [
        ([], "no model: give one, several, or a mapping"),
        ([Mean(), Mean()], "the models are called mean, mean: give a mapping from names of your own"),
    ],
)
def test_models_without_distinct_names_are_refused(models, text):
    with pytest.raises(ValueError, match=text):
        AttributeExplorer(Plain(), models)


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ({"model": "meen"}, "unknown model 'meen': choose from mean, double"),
        ({"compare": "mean"}, "compare = 'mean' is the model that is shown already"),
    ],
)
def test_an_unknown_model_changes_nothing(w, wanted, text):
    before = w.state
    with pytest.raises(ValueError, match=text):
        w.set(**wanted)
    assert w.state == before


def test_models_by_the_users_names():
    widget = AttributeExplorer(Plain(), {"a": Mean(), "b": Mean()}, variations=2)
    assert [card["name"] for card in widget.setup["models"]] == ["a", "b"]
    widget.close()


# --- snapshots --------------------------------------------------------------------------------------------------------


def test_two_snapshots_are_compared_and_kept_in_the_state(w):
    w.store("A")
    assert "distance" not in w.snapshots
    w.set(identity="bob", age=54)
    w.store("B")
    apart = np.hypot(0.2, years(19))
    assert w.snapshots["distance"] == pytest.approx(apart, abs=1e-6)
    assert w.snapshots["B"]["place"] == 1
    assert len(w.snapshot_frame) == 2 * 3 * 160 * 160
    kept = json.loads(json.dumps(w.state))
    w.forget()
    assert w.snapshots == {}
    w.undo()
    assert set(w.snapshots) == {"A", "B", "distance"}
    w.recall("A")
    assert (w.identity, w.strengths["age"]) == ("ann", 35)
    w.forget()
    w.state = kept
    assert w.snapshots["distance"] == pytest.approx(apart, abs=1e-6)
    w.set(model="double")
    assert w.snapshots["distance"] == pytest.approx(2 * apart, abs=1e-6)


def test_a_missing_snapshot(w):
    with pytest.raises(ValueError, match="snapshot 'A' is empty: store a face there first"):
        w.recall("A")
    with pytest.raises(ValueError, match="unknown snapshot 'C': there are A and B"):
        w.store("C")


def test_a_bookmark_of_the_first_release_is_read(w):
    w.state = {"version": 1, "identity": "cy", "strengths": {"age": 20}}
    assert (w.identity, w.strengths["age"], w.strengths["hue"]) == ("cy", 20, 0)
    assert w.state["model"] == "mean"


# --- sweeps -----------------------------------------------------------------------------------------------------------


def test_a_sweep_gives_the_distances_and_how_much_of_the_range_keeps_the_identity(w):
    w.pin()
    before = w.state
    table = w.sweep("age", steps=5)
    assert table["strength"].tolist() == [18, 32.25, 46.5, 60.75, 75]
    assert table["distance"].to_numpy() == pytest.approx(abs(table["strength"] - 35) / 57, abs=1e-6)
    assert table["same_person"].tolist() == [True, True, True, True, False]
    # the distance reaches 0.5 at 35 + 57 / 2 years; samples hit neither that nor the neutral age
    assert table.attrs["retention"] == pytest.approx((35 + 28.5 - 18) / 57, abs=1e-6)
    assert w.state == before
    assert w.retention["name"] == "age"
    assert len(w.retention["samples"]) == 5


def test_a_sweep_keeps_the_other_sliders(w):
    w.set(hue=45)
    assert w.sweep("age", [35, 40])["distance"].iloc[0] == pytest.approx(0.25, abs=1e-6)
    with pytest.raises(ValueError, match="at least two strengths"):
        w.sweep("age", [35])
    with pytest.raises(ValueError, match="unknown attribute 'agee'"):
        w.sweep("agee")


def test_the_path_of_a_sweep_is_that_of_the_library(w, faces, models):
    """Age moves the mean colour along a straight line, of the current face and its other sliders."""
    w.set(identity="bob", hue=20)
    ask(w, 1, action="path", moved="age")
    assert w.path["seq"] == 1  # at once: the request is answered before the faces are rendered
    w.wait(20)
    wanted = fr.sweep_distances(faces, models[0], "bob", "age", at={"hue": 20})
    assert w.path["distances"] == pytest.approx(wanted.values, abs=1e-6)
    assert w.path["strengths"] == pytest.approx(wanted["strength"].values)
    assert (w.path["bend"], w.path["reach"]) == pytest.approx((1, 1), abs=1e-5)
    assert (w.path["name"], w.path["model"], w.path["place"], w.path["at"]["hue"]) == ("age", "mean", 1, 20)
    json.dumps(w.path)
    ask(w, 2, action="path", moved="shoes")
    assert "shoes" in w.error["why"]
    assert w.path["name"] == "age"


def test_a_path_that_does_not_move_or_fails_says_so(w):
    ask(w, 1, action="path", moved="brightness")
    w.wait(20)
    assert (w.path["bend"], w.path["reach"]) == (None, None)
    w._engine.views["mean"].model.embed = lambda faces, batch_size: 1 / 0
    ask(w, 2, action="path", moved="age")
    w.wait(20)
    assert w.path["failed"] == "ZeroDivisionError: division by zero"


def test_without_a_threshold_there_is_no_retention():
    widget = AttributeExplorer(Plain(), Mean(threshold=None), variations=2)
    table = widget.sweep("age", 3)
    assert table["same_person"].isna().all()
    assert table.attrs["retention"] is None
    widget.close()


@given(st.lists(st.floats(0, 1), min_size=2, max_size=12), st.floats(0.05, 0.95))
def test_retention_is_the_share_of_the_line_up_to_the_threshold(distances, threshold):
    x = np.linspace(3, 7, len(distances))
    fine = np.linspace(3, 7, 40_001)
    share = np.mean(np.interp(fine, x, distances) <= threshold)
    assert retention(x.tolist(), distances, threshold) == pytest.approx(share, abs=2e-3)


# --- the map ----------------------------------------------------------------------------------------------------------


def test_the_tangent_is_the_finite_difference_on_the_map(w):
    w.set(age=50)
    w.wait(20)
    step = fr.ATTRIBUTES["age"].step
    v = np.array([0, 2 * step / SPAN["age"], 0])
    # the map is linear: a step of the mean colour moves every point by the same vector
    low, high = (np.array(point) for point in (w.figures["reference_point"], w.figures["point"]))
    flat = (high - low) / 15 * 2 * step
    assert w.tangent["serial"] == w.figures["serial"]
    assert w.tangent["vector"] == pytest.approx(flat, abs=1e-5)
    assert w.tangent["share"] == pytest.approx(np.linalg.norm(flat) / np.linalg.norm(v), abs=1e-5)
    assert w.tangent["length"] == pytest.approx(np.linalg.norm(v), abs=1e-6)
    w.set(age=75)  # at the end of the range the step moves inwards
    w.wait(20)
    assert w.tangent["vector"] == pytest.approx(flat, abs=1e-5)


def test_the_nearest_identities_have_their_true_distances(w):
    assert [place for place, _ in w.figures["nearest"]] == [0, 1, 2]
    assert [far for _, far in w.figures["nearest"]] == pytest.approx([0, 0.2, 0.4], abs=1e-6)
    w.set(identity="cy")
    assert [place for place, _ in w.figures["nearest"]] == [2, 1, 0]


# --- magnitude and energy ---------------------------------------------------------------------------------------------


def table(**columns):
    return pd.DataFrame({"attribute": ["age", "hue"], "energy": [0.2, 0.9], "magnitude": [0.3, 0.1], **columns})


def test_a_table_of_energies_is_shown_at_once():
    found = pd.concat([table(identity="ann", null_mean=1.01, points=40), table(identity="bob", null_mean=0.99)])
    widget = AttributeExplorer(Plain(), Mean(), energies=found, variations=2)
    assert widget.energies["source"] == "table"
    assert widget.energies["identities"] == 2
    age = widget.energies["rows"][0]
    assert (age["name"], age["energy"], age["null"]) == ("age", 0.2, pytest.approx(1))
    ask(widget, 1, action="estimate")
    assert widget.energies["source"] == "table"
    assert (widget.energies["client"], widget.energies["seq"]) == ("page", 1)  # or the page would wait forever
    widget.close()


@pytest.mark.parametrize(
    ("energies", "text"),
    [
        (table().drop(columns="energy"), "energies: attribute, magnitude: give the table of fr.alignment"),
        ({"mean": 3}, "energies: int: give the table of fr.alignment"),
        (table(attribute=["nose", "ear"]), "none of the attributes nose, ear belongs to this source: age, hue"),
        ({"meen": table()}, "unknown model 'meen'"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(energies, text):
    with pytest.raises(ValueError, match=text):
        AttributeExplorer(Plain(), Mean(), energies=energies)


def test_the_estimate_of_a_linear_model_finds_all_arrows_parallel(w):
    progress = []
    w.observe(lambda change: progress.append(dict(change["new"])), "energies")
    found = w.estimate().set_index("name")
    assert set(found.index) == set(NAMES)
    assert found.loc[["age", "hue"], "energy"].to_numpy() == pytest.approx(0, abs=1e-3)
    assert found.loc[["age", "hue"], "null"].to_numpy() == pytest.approx(1, abs=0.2)
    assert found.loc["brightness", "energy"] is None or np.isnan(found.loc["brightness", "energy"])
    assert (w.energies["curves"], w.energies["identities"]) == (8, 3)
    first = next(one for one in progress if "rows" in one)
    assert first["curves"] == 4
    done = [one["done"] for one in progress if "done" in one]
    assert done == sorted(done)
    before = w.energies
    w.estimate()  # known: not computed again
    assert w.energies == before


def test_closing_ends_the_estimate(w, models):
    whole, calls = models[0].embed, []
    models[0].embed = lambda faces, batch_size=32: calls.append(time.sleep(0.02)) or whole(faces)

    def run():
        with pytest.raises(RuntimeError, match="no estimate: the widget was closed"):
            w.estimate()

    thread = threading.Thread(target=run)
    thread.start()
    until(lambda: calls)
    w.close()
    thread.join(20)
    so_far = len(calls)
    time.sleep(0.1)
    assert 0 < len(calls) == so_far


def test_the_kernel_estimates_when_a_page_asks_for_it(w, monkeypatch):
    monkeypatch.setattr("fr_explore_widgets.attribute.display.REST", dict.fromkeys(REST, 0.0))
    ask(w, 1, action="pin")
    w.wait(20)
    assert w.energies == {}, "pinning a face asks for no energies"
    ask(w, 2, action="estimate")
    until(lambda: w.energies.get("done") == w.energies.get("all", -1))
    assert {row["name"] for row in w.energies["rows"]} == set(NAMES)
    w.set(model="double")
    assert w.energies == {}


# --- the greeting -----------------------------------------------------------------------------------------------------


def test_a_page_is_greeted_with_a_face_that_has_moved_and_its_way_on_the_map(w):
    ask(w, 1, action="greet")
    moved = fr.ATTRIBUTES["age"].neutral + 30  # three quarters of the way to the farther end
    assert w.strengths == {"age": moved, "hue": 0, "brightness": 1}
    assert w.distance == w.figures["distance"] == pytest.approx(years(30), abs=1e-6)
    assert (w.figures["seq"], w.figures["moved"], w.figures["can"]["undo"]) == (1, "age", False)
    assert w.state["strengths"]["age"] == 35, "nobody has set anything"
    way = np.array(w.figures["path"])
    assert way[0] == pytest.approx(w.figures["reference_point"], abs=1e-6)
    assert way[-1] == pytest.approx(w.figures["point"], abs=1e-6)
    assert np.diff(way, axis=0) == pytest.approx(np.tile((way[-1] - way[0]) / 4, (4, 1)), abs=1e-5)


def test_a_greeting_before_the_map_gets_its_way_with_the_map():
    widget = AttributeExplorer(Plain(), [Mean(), Mean("double", scale=2.0)], variations=2, compare="double")
    ask(widget, 1, action="greet")
    widget.wait(20)
    assert len(widget.figures["path"]) == len(widget.second["path"]) == 5
    assert widget.figures["moved"] == "age"
    widget.close()


def test_a_slider_continues_from_the_greeting_but_python_code_from_what_it_set(w):
    ask(w, 1, action="greet")
    ask(w, 2, action="set", values={"hue": 10}, moved="hue")
    assert (w.strengths["age"], w.strengths["hue"]) == (65, 10)
    assert "path" not in w.figures
    w.undo()
    assert w.strengths["age"] == 35


@pytest.mark.parametrize(
    ("act", "age"),
    [(lambda w: w.set(hue=10), 35), (lambda w: w.sweep("hue", 3), 35), (lambda w: w.set(age=50), 50)],
)
def test_python_code_does_not_see_the_greeting(w, act, age):
    ask(w, 1, action="greet")
    assert w.strengths["age"] == 65
    act(w)
    assert w.strengths["age"] == w.reply["strengths"]["age"] == age
    ask(w, 2, action="greet")  # a second page: the widget was touched, so it shows the same face
    assert w.strengths["age"] == age
    assert (w.figures["seq"], "path" in w.figures) == (2, False)


# --- the job queue ----------------------------------------------------------------------------------------------------


def run_jobs(*jobs, last_request=lambda: -np.inf):
    """Start (name, steps, rank) while the queue is held up, and return the steps in the order in which they ran."""
    queue, gate, log = JobQueue(last_request, lambda problem: None), threading.Event(), []

    def steps(name, count):
        for i in range(count):
            log.append((name, i))
            yield

    queue.start("hold", (gate.wait(10) for _ in range(1)), -1)
    for name, count, rank in jobs:
        queue.start(name, steps(name, count), rank)
    gate.set()
    assert queue.wait(10)
    queue.stop()
    return log


def test_urgent_jobs_run_first_and_the_newest_of_a_name_replaces_the_others():
    log = run_jobs(("slow", 2, 3), ("soon", 2, 1), ("figures", 5, 0), ("figures", 1, 0))
    assert log == [("figures", 0), ("soon", 0), ("soon", 1), ("slow", 0), ("slow", 1)]


def test_jobs_wait_for_a_pause_between_requests_but_not_forever():
    begun = time.monotonic()
    queue, when = JobQueue(lambda: begun, lambda problem: None), {}

    def note(name):
        when[name] = time.monotonic() - begun
        yield

    queue.start("pause", note("pause"), 1, rest=0.3)
    queue.start("patience", note("patience"), 0, rest=60, patience=0.1)
    assert queue.wait(5)
    assert when["pause"] >= 0.3
    assert 0.1 <= when["patience"] < 0.3
    queue.stop()
    queue.start("late", note("late"))  # a stopped queue runs nothing
    assert queue.wait(0)
    assert "late" not in when


def test_a_job_that_fails_ends_and_the_others_continue():
    problems, done = [], []
    queue = JobQueue(lambda: -np.inf, problems.append)

    def fails():
        yield
        raise OSError("no")

    queue.start("bad", fails(), 0)
    queue.start("good", (done.append(i) for i in range(2)), 1)
    assert queue.wait(5)
    assert [str(problem) for problem in problems] == ["no"]
    assert done == [0, 1]
    assert not queue.has("bad")
    queue.stop()


# --- without a browser or a kernel ------------------------------------------------------------------------------------


def test_tables_have_names(w, tmp_path):
    w.set(identity="bob", age=50, compare="double")
    w.sweep("hue", 3)
    paths = w.wait(20).to_csv(tmp_path / "x.csv")
    assert [path.name for path in paths] == ["x.csv", "x-history.csv", "x-sweep.csv", "x-map.csv"]
    now = pd.read_csv(paths[0])
    assert now["model"].tolist() == ["mean", "double"]
    assert now["identity"].tolist() == ["bob", "bob"]
    assert now["distance"].to_numpy() == pytest.approx([years(15), 2 * years(15)], abs=1e-6)
    assert now["same_person"].tolist() == [True, True]
    assert now["age"].tolist() == [50, 50]
    assert pd.read_csv(paths[1])["age"].tolist() == [35, 50]
    places = pd.read_csv(paths[3])
    assert places.query("neutral")["identity"].tolist() == ["ann", "bob", "cy"]


def saved(widget, monkeypatch):
    """The words and the height in pixels of the picture that a notebook saves of a widget."""
    outputs = []
    monkeypatch.setattr("fr_explore_widgets.core.base.display", lambda *data, **more: None)
    monkeypatch.setattr("fr_explore_widgets.core.snapshot.display", lambda data, **more: outputs.append(data))
    widget._ipython_display_()
    source = re.search(r"base64,([^\"]+)", outputs[0]["text/html"])[1]
    with Image.open(io.BytesIO(base64.b64decode(source))) as image:
        return outputs[0]["text/plain"], image.height


def test_words_and_picture(w, monkeypatch):
    w.set(age=70)
    words, height = saved(w, monkeypatch)
    assert words == (
        "identity ann, age 70 years, compared with identity ann, neutral. "
        "Mean: distance 0.614, threshold 0.5: judged a different person."
    )
    assert height > 160, "the faces are shown"
    assert w.to_png().startswith(b"\x89PNG")


def test_the_picture_shows_the_map_and_values_as_the_page_does(w):
    w.set(age=50.25, hue=-13.125, brightness=1.1)
    assert "age 50.2 years, hue -13.1°, brightness × 1.1, compared" in w._words()
    whole = w.to_png()
    w._engine.views["mean"].gallery = None  # as before the map is computed
    with Image.open(io.BytesIO(whole)) as image, Image.open(io.BytesIO(w.to_png())) as without:
        assert image.height >= without.height + 100, "the map is beside the faces"


def test_a_picture_in_the_middle_of_a_drag_shows_the_face_that_the_page_has_drawn(w):
    w.set(age=40)
    ask(w, 1, action="set", values={"age": 60}, moved="age", phase="drag", drawn=True)
    w.wait(20)
    ours = w.to_png()
    w.set(age=60)
    assert w.to_png() == ours


def test_a_notebook_saves_no_private_face(faces, models, monkeypatch):
    faces.private = True
    w = AttributeExplorer(faces, models, variations=2).wait(20)
    assert saved(w, monkeypatch)[1] < 160
    with Image.open(io.BytesIO(w.to_png())) as image:
        assert image.height > 160
    w.close()


def test_a_page_has_an_answer_for_every_slider(w, tmp_path, capsys):
    w.set(age=50)
    page = w.to_html(tmp_path / "x.html", steps=5).read_text()
    assert "x.html: 17 answers (5 steps of 3 attributes, one at a time), about" in capsys.readouterr().out
    data = json.loads(re.search(r'<script id="data" type="application/json">(.*?)</script>', page, re.S)[1])
    assert data["axes"]["age"] == [18, 32.25, 35, 46.5, 50, 60.75, 75]
    assert data["start"]["age"] == 50
    for place, answer in data["answers"]:
        assert answer["reply"]["strengths"] == place
        expected = np.hypot((place["age"] - 35) / 57, 0.5 * place["hue"] / 90)
        assert answer["figures"]["distance"] == pytest.approx(expected, abs=1e-6)
    with pytest.raises(ValueError, match=r"more than max_megabytes=0.01: give fewer attributes= or steps="):
        w.to_html(tmp_path / "y.html", max_megabytes=0.01)
    with pytest.raises(ValueError, match="steps = 1: give each slider at least 2"):
        w.to_html(tmp_path / "y.html", steps=1)


def test_state_is_plain(w):
    w.pin()
    w.store("A")
    json.dumps([w.state, w.figures, w.reply, w.snapshots, w.gallery, w.energies, w.tangent])


@pytest.mark.parametrize("watched", ["distance", "strengths", "state"])
def test_an_observer_may_move_the_widget_while_it_publishes(w, watched):
    def brighten(change):
        w.strengths = {**w.strengths, "brightness": 1.5}

    w.observe(brighten, watched)
    w.set(age=60)
    assert (w.strengths["age"], w.strengths["brightness"]) == (60.0, 1.5)
    assert w.state["strengths"] == w.reply["strengths"] == w.strengths
    assert w.distance == w.distances["mean"] == w.figures["distance"]
    w.unobserve(brighten, watched)
    w.undo()
    assert w.strengths["brightness"] == 1.0


def test_the_widget_still_works_after_an_observer_raised(w):
    def refuse(change):
        raise RuntimeError("not today")

    w.observe(refuse, "strengths")
    with pytest.raises(RuntimeError, match="not today"):
        w.set(age=60)
    w.unobserve(refuse, "strengths")
    w.strengths = {"age": 30}
    assert w.reply["strengths"]["age"] == w.state["strengths"]["age"] == 30.0


def test_a_failed_drag_is_not_shown_after_a_newer_face_worked(w, models):
    whole = models[0].embed
    with held(w):
        ask(w, 1, action="set", values={"age": 50}, moved="age", phase="drag")
        w.set(age=60)
        models[0].embed = lambda faces, batch_size=32: 1 / 0
    assert not w.error
    models[0].embed = whole
    assert w.distance == pytest.approx(years(25), abs=1e-6)


# --- exactly at the threshold -----------------------------------------------------------------------------------------


def test_a_distance_exactly_at_the_threshold_is_the_same_person_everywhere(tmp_path):
    """Words, tables, sweep, retention and the exported page; the verdicts of the page are tested in JavaScript."""
    exact = AttributeExplorer(Plain(), Mean(), variations=2).sweep("age", [18, 75])["distance"].iloc[1]
    w = AttributeExplorer(Plain(), Mean(threshold=float(exact)), variations=2).wait(20)
    w.set(age=75)
    assert w.distance == exact
    assert "judged the same person" in saved_output(w)["text/plain"]
    assert pd.read_csv(w.to_csv(tmp_path / "x.csv")[0])["same_person"].tolist() == [True]
    table = w.sweep("age", [35, 75])
    assert table["same_person"].tolist() == [True, True]
    assert table.attrs["retention"] == 1
    assert retention([0, 1, 2], [0.5, 0.5, 0.6], 0.5) == 0.5
    page = w.to_html(tmp_path / "x.html", attributes=["age"], steps=2).read_text()
    data = json.loads(re.search(r'<script id="data" type="application/json">(.*?)</script>', page, re.S)[1])
    assert data["traits"]["setup"]["models"][0]["threshold"] == exact
    assert data["traits"]["figures"]["distance"] == exact
    assert max(answer["figures"]["distance"] for _, answer in data["answers"]) == exact
    w.close()
