"""One's own pictures in a widget: what the kernel keeps of them, and the way from file and camera in a real browser."""

import base64
import gc
import io
import json
import os
import subprocess
import sys
import weakref

import nbformat
import numpy as np
import pytest
from lab import Notebook, until
from pages import CONTRAST, CONTROLS, NAMELESS
from PIL import Image
from skimage import data

import fr_explore as fr
from fr_explore_widgets import AttributeExplorer, PhotoExplorer, PhotoInput
from fr_explore_widgets.core.base import WidgetError

ASTRONAUT = data.astronaut()
PORTRAIT = ASTRONAUT[:240, 100:340]


def saved(pixels, kind="JPEG", **options) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


JPEG = saved(PORTRAIT, quality=95)
NOBODY = saved(data.coffee()[:200, :200], "PNG")


def ask(widget, seq, action, **parts):
    """What the browser does: all traits in one message."""
    upload = {"upload": memoryview(parts.pop("upload"))} if "upload" in parts else {}
    widget.set_state({**upload, "request": {"client": "a", "seq": seq, "action": action, **parts}})


# the kernel's half -----------------------------------------------------------------------------------------------


def test_bytes_of_the_browser_become_photographs():
    w = PhotoInput()
    seen = []
    w.observe(lambda change: seen.append(change["new"]), "photos")
    ask(w, 1, "add", name="anna.jpg", size=len(JPEG), upload=JPEG)
    assert (w.error, w.photos) == ({}, None)
    ask(w, 2, "update_photos")
    assert w.items == [
        {"key": 1, "name": "anna", "ok": True, "person": "", "note": "One face found.", "todo": ""}
    ]  # a file's name does not say who it is
    assert w.photos.identities == ("anna",)
    assert seen == [w.photos]
    assert w.reply == {"client": "a", "seq": 2}
    thumb = np.frombuffer(w.sprite, np.uint8).reshape(96, 96, 3)
    np.testing.assert_allclose(thumb / 255, w.photos.render("anna", size=96).pixels, atol=0.5 / 255 + 1e-6)


def test_several_pictures_are_shown_at_once():
    """Each new set of photographs is a new search for faces and a new explorer: one for all that came together."""
    w = PhotoInput()
    changes = []
    w.observe(lambda change: changes.append(change["new"].identities), "photos")
    for seq, content in enumerate([JPEG, NOBODY, JPEG], 1):
        ask(w, seq, "add", name="", size=len(content), upload=content)
    assert [item["ok"] for item in w.items] == [True, False, True]
    ask(w, 4, "update_photos")
    ask(w, 5, "update_photos")
    assert changes == [("you 1", "you 3")]
    ask(w, 6, "add", name="", size=len(JPEG), upload=JPEG)
    w.add(PORTRAIT)  # whatever is waiting comes with the next change
    assert changes[1:] == [("you 1", "you 3", "you 4", "you 5")]


def test_the_message_itself_is_not_kept():
    w = PhotoInput()
    ask(w, 1, "add", name="anna.jpg", size=len(JPEG), upload=JPEG)
    assert w.upload == b""
    ask(w, 2, "add", name="anna.jpg", size=len(JPEG), upload=JPEG)  # the same bytes are a message of their own
    assert [item["name"] for item in w.items] == ["anna", "anna 2"]


@pytest.mark.parametrize(
    ("content", "note", "todo"),
    [
        (NOBODY, "No face found.", "one upright, frontal"),
        (b"this is not a picture", "It cannot be read: not a picture in a format that Pillow reads.", "JPEG or PNG"),
        (JPEG[: len(JPEG) // 2], "It cannot be read: damaged: image file is truncated", "JPEG or PNG"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "It cannot be read: HEIC, which Pillow reads only with", "JPEG or PNG"),
    ],
)
def test_a_picture_without_a_face_shows_the_reason(content, note, todo):
    w = PhotoInput()
    ask(w, 1, "add", name="cup: of 1.png", size=len(content), upload=content)
    (item,) = w.items
    assert (item["name"], item["ok"], w.photos, w.error) == ("cup: of 1", False, None, {})
    assert item["note"].startswith(note)
    assert todo in item["todo"]
    with pytest.raises(ValueError, match=r"cup: of 1 2: (No face found|It cannot be read)"):
        w.add(content, "cup: of 1.png")
    assert len(w.items) == 1


def test_several_faces_and_small_ones_are_said():
    w = PhotoInput()
    w.add(np.concatenate([PORTRAIT, np.pad(PORTRAIT[::2, ::2], ((60, 60), (0, 0), (0, 0)))], axis=1), "two")
    assert w.items[0]["note"] == "2 faces: the largest is used."
    w.add(np.pad(PORTRAIT[::3, ::3], ((40, 40), (40, 40), (0, 0))), "small")
    assert w.items[1]["note"].startswith("One face found. It is small, ")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([None, None, "", None], ["you 1", "you 2", "you 3", "you 4"]),
        (["anna.jpg", "x/y/anna.png", "C:\\pictures\\anna.jpg"], ["anna", "anna 2", "anna 3"]),
        (["you 1.jpg", None], ["you 1", "you 2"]),
        (["a" * 90 + ".jpg", "../../.hidden"], ["a" * 40, ".hidden"]),
    ],
)
def test_names(given, expected):
    w = PhotoInput()
    assert [w.add(PORTRAIT, name) for name in given] == expected
    assert w.photos.identities == tuple(expected)


def test_a_path_and_a_name_that_is_free_again(tmp_path):
    (tmp_path / "anna.jpg").write_bytes(JPEG)
    w = PhotoInput()
    assert w.add(tmp_path / "anna.jpg") == w.add(str(tmp_path / "anna.jpg")).removesuffix(" 2") == "anna"
    w.remove("anna")
    assert [item["name"] for item in w.items] == ["anna 2"]
    assert w.add(JPEG, "anna") == "anna"
    with pytest.raises(ValueError, match=r"no picture is named 'bob': choose from 'anna 2', 'anna'"):
        w.remove("bob")


def test_requests_of_the_list_and_a_click_that_came_twice():
    w = PhotoInput()
    for _ in range(3):
        w.add(PORTRAIT)
    ask(w, 1, "remove", key=2)
    ask(w, 2, "remove", key=2)
    assert w.photos.identities == ("you 1", "you 3")
    assert len(w.sprite) == 2 * 96 * 96 * 3
    ask(w, 3, "discard")
    assert (w.photos, w.items, w.sprite) == (None, [], b"")


def test_half_a_message_is_refused():
    w = PhotoInput()
    ask(w, 1, "add", name="anna.jpg", size=len(JPEG) + 1, upload=JPEG)
    assert w.error["what"] == "The picture arrived incomplete."
    assert (w.items, w.upload) == ([], b"")


def test_a_closed_widget_keeps_nothing_and_takes_nothing():
    w = PhotoInput()
    w.add(PORTRAIT)
    photos = weakref.ref(w.photos)
    w.close()
    gc.collect()
    assert (photos(), w.photos, w.items, w.sprite) == (None, None, [], b"")
    with pytest.raises(WidgetError, match=r"closed and keeps no pictures\. Create a new PhotoInput"):
        w.add(PORTRAIT)


def test_the_explorer_follows_the_pictures(dlib_model):
    w = PhotoExplorer(dlib_model, variations=2)
    assert (w.explorer, w.photos, w.children) == (None, None, (w.input,))
    w.add(PORTRAIT)
    first = w.explorer.wait(60)
    assert w.children == (w.input, first)
    assert w.photos is w.input.photos
    first.set(mask=1)
    assert first.distance > 0.1
    assert first.gallery["between"] is None  # one person: no other people to compare with
    with pytest.raises(ValueError, match="No face found"):
        w.add(NOBODY)
    assert w.explorer is first
    w.add(PORTRAIT[:, ::-1], "mirrored.png")
    second = w.explorer.wait(60)
    assert second is not first
    assert first.comm is None  # closed
    assert second.identity == "mirrored"
    second.set(identity="you 1")
    w.add(PORTRAIT, "third")
    w.input.remove("mirrored")
    assert w.explorer.identity == "third"
    w.input.remove("third")
    assert w.explorer.identity == "you 1"
    w.close()
    assert w.explorer is None


def test_the_explorer_is_a_part_of_one_widget(dlib_model, tmp_path):
    """The page finds the explorer by its id; the two close and reopen together."""
    w = PhotoExplorer(dlib_model, variations=2)
    assert w.get_state("below") == {"below": ""}
    w.add(PORTRAIT)
    inner = w.explorer.wait(60)
    assert w.get_state("below") == {"below": inner.model_id}
    assert [path.name for path in w.to_csv(tmp_path / "w.csv")][:2] == ["w.csv", "w-now.csv"]
    for one in (inner, w):  # their views are gone, and no other page answers; the explorer's reports it first
        one.roll += 1
        one._rest(one.roll)
    assert (inner.resting, w.resting) == (True, True)
    w.open()
    assert (inner.resting, w.resting) == (False, False)
    assert w.below == inner.model_id
    w.close()
    assert inner.resting


def test_who_is_who():
    """Two pictures of one name are one person; without a name nobody knows, and naming repeats no search for faces."""
    w = PhotoInput()
    for seq, name in enumerate(("me.jpg", "me again.jpg"), 1):
        ask(w, seq, "add", name=name, size=len(JPEG), upload=JPEG)
    ask(w, 3, "update_photos")
    assert [w.photos.person(name) for name in w.photos.identities] == [None, None]
    changes = []
    w.observe(lambda change: changes.append(change["new"]), "photos")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fr, "Photographs", None)
        ask(w, 4, "name", key=1, person=" Anna  Maria ")
        ask(w, 5, "name", key=2, person="anna maria")
        ask(w, 6, "name", key=2, person="anna maria")  # nothing new
    assert w.error == {}
    assert [item["person"] for item in w.items] == ["Anna Maria"] * 2
    assert [changes[-1].person(name) for name in changes[-1].identities] == ["Anna Maria"] * 2
    assert len(changes) == 2
    w.say_who({"me": ""})
    assert [w.photos.person(name) for name in w.photos.identities] == [None, "Anna Maria"]
    with pytest.raises(ValueError, match="no picture is named 'nobody': choose from 'me', 'me again'"):
        w.say_who({"me": "X", "nobody": "Y"})
    assert w.items[0]["person"] == ""
    assert w.add(PORTRAIT, "Anna Maria") == "Anna Maria"
    assert w.photos.person("Anna Maria") == "Anna Maria"
    assert w._tables()["pictures"]["person"].tolist() == ["", "Anna Maria", "Anna Maria"]


def test_two_pictures_of_one_person_are_never_two_people(dlib_model):
    w = PhotoExplorer(dlib_model, variations=2)
    w.add(PORTRAIT)
    w.add(PORTRAIT[:, ::-1])
    first = w.explorer.wait(60)
    assert first.setup["people"] == [None, None]
    assert first.gallery["between"] is None  # they may be one person
    first.set(identity="you 1")
    first.set(mask=0.5)
    first.pin()
    first.set(identity="you 2")
    w.say_who({"you 1": "Anna", "you 2": "Anna"})
    assert w.explorer is not first
    assert w.explorer.setup["people"] == [0, 0]
    assert w.explorer.state == first.state  # with the reference that was pinned
    w.say_who({"you 2": "Bob"})
    last = w.explorer.wait(60)
    assert last.setup["people"] == [0, 1]
    assert last.gallery["between"] > 0
    w.close()


def test_nothing_of_a_discarded_picture_stays_in_memory(dlib_model):
    w = PhotoExplorer(dlib_model, variations=2)
    w.add(JPEG)
    w.explorer.wait(60)
    gone = [weakref.ref(w.photos), weakref.ref(w.explorer)]
    w.discard()
    gc.collect()
    assert [one() for one in gone] == [None, None]
    assert w.children == (w.input,)


WRITES_NOTHING = """
import os, sys
opened, flags = [], os.O_WRONLY | os.O_RDWR | os.O_CREAT
sys.dont_write_bytecode = True
import torch._dynamo  # torch 2.6 writes a module of its own when it first loads this
import fr_explore as fr
from fr_explore_widgets import PhotoExplorer
model = fr.load_model("dlib", device="cpu")
jpeg = open(sys.argv[1], "rb").read()
def hook(event, args):
    if event == "open" and (args[2] & flags or (args[1] and set(args[1]) & set("wax+"))):
        opened.append(str(args[0]))
    elif event in ("os.rename", "os.link", "os.symlink"):
        opened.append(f"{event} {args[0]}")
sys.addaudithook(hook)
w = PhotoExplorer(model, variations=2)
w.add(jpeg)
w.explorer.wait(120)
w.explorer.set(mask=1)
assert w.explorer.distance > 0.1
w.close()
print([one for one in opened if one != os.devnull])
open("control.txt", "w").close()
print(opened[-1])
"""


def test_nothing_is_written_to_disk(tmp_path):
    """No file is opened for writing by Python, and none is new in any place where this could be; a file that is
    written at the end shows that both would be noticed."""
    (tmp_path / "anna.jpg").write_bytes(JPEG)
    places = {name: tmp_path / name for name in ("HOME", "TMPDIR", "FR_EXPLORE_CACHE", "XDG_CACHE_HOME", "PWD")}
    for place in places.values():
        place.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", WRITES_NOTHING, str(tmp_path / "anna.jpg")],
        env={**os.environ, **{name: str(place) for name, place in places.items()}, "OMP_NUM_THREADS": "1"},
        cwd=places["PWD"], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n") == ["[]", "control.txt", ""]
    new = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert new == ["PWD/control.txt", "anna.jpg"]


def test_photographs_wait_for_a_page(monkeypatch):
    w = PhotoInput()
    w.add(JPEG)
    assert (len(w.sprite), w.get_state()["sprite"], w.get_state("sprite")) == (96 * 96 * 3, b"", {"sprite": b""})
    explorer = AttributeExplorer(w.photos, fr.load_model("dlib", device="engine"), variations=2).wait()
    waiting = explorer.get_state()
    faces = ("frame", "reference_frame", "sprite")
    assert {waiting[name] for name in faces} == {b""}
    before, sent = explorer.reply["serial"], []
    monkeypatch.setattr(explorer, "_send", lambda message, buffers=None: sent.append(message))
    for one in (w, explorer):
        one.set_state({"here": one.roll})  # what a view says when it opens
    assert w.get_state()["sprite"] == w.sprite
    state = explorer.get_state()
    assert all(len(state[name]) == len(getattr(explorer, name)) > 0 for name in faces)
    assert explorer.reply["serial"] > before  # the page paints again, so the pictures come with the figures
    for figures, picture in {"reply": "frame", "figures": "reference_frame"}.items():
        [message] = [one for one in sent if figures in one["state"]]
        assert [picture] in message["buffer_paths"]
    monkeypatch.undo()
    with pytest.raises(ValueError, match=r"shows photographs, and a saved state holds none of them: .* with to_html"):
        explorer.keep_live()
    explorer.close()


def test_an_executed_notebook_keeps_no_photograph(tmp_path):
    """nbclient keeps every widget's state, as `nbconvert --execute` does; avatars' pictures are among it."""
    from nbclient import NotebookClient

    Image.fromarray(PORTRAIT).save(tmp_path / "anna.png")
    cell = (
        "import fr_explore as fr\nfrom fr_explore_widgets import AttributeExplorer, PhotoInput\n"
        "model = fr.load_model('dlib', device='engine')\n"
        f"own = PhotoInput()\nown.add({str(tmp_path / 'anna.png')!r})\n"
        "for faces in (own.photos, fr.Avatars(2, seed=0)):\n"
        "    display(AttributeExplorer(faces, model, variations=2).wait())\n"
        "display(own)"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    NotebookClient(notebook, timeout=120).execute()
    models = notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"].values()
    kept = {}
    for one in models:
        for buffer in one.get("buffers", []):
            if (name := buffer["path"][0]) not in ("_code", "_page"):
                kept.setdefault(name, []).append(len(base64.b64decode(buffer["data"])))
    assert sorted(kept["sprite"])[:2] == [0, 0]
    assert {name: sum(size > 0 for size in sizes) for name, sizes in kept.items()} == {
        "frame": 1, "reference_frame": 1, "snapshot_frame": 0, "sprite": 1, "upload": 0,
    }  # fmt: skip


# in JupyterLab ---------------------------------------------------------------------------------------------------

CELLS = (
    "import fr_explore as fr\n"
    "from fr_explore_widgets import PhotoExplorer\n"
    "model = fr.load_model('dlib', device='cpu')\n"
    "w = PhotoExplorer(model, variations=2)",
    "w",
)
# remembers every track that a page was given
WATCH = """() => {
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
window.tracks = [];
navigator.mediaDevices.getUserMedia = async (wish) => {
  const stream = await ask(wish);
  window.tracks.push(...stream.getTracks());
  return stream;
};
}"""
STATES = "window.tracks.map((track) => track.readyState)"


@pytest.fixture(scope="module")
def folder(tmp_path_factory, camera):
    """Pictures on the computer of the person in front of the browser."""
    folder = tmp_path_factory.mktemp("pictures")
    large = Image.fromarray(ASTRONAUT).resize((2000, 1600))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: the file lies on its side
    large.transpose(Image.Transpose.ROTATE_90).save(folder / "astronaut.jpg", exif=exif)
    (folder / "cup.png").write_bytes(NOBODY)
    (folder / "notes.jpg").write_text("this is not a picture")
    (folder / "scan.tif").write_bytes(saved(PORTRAIT, "TIFF"))  # the kernel reads it, the browser does not
    camera.write_bytes(2 * saved(np.asarray(Image.fromarray(ASTRONAUT[:384]).resize((640, 480)))))
    return folder


@pytest.fixture(scope="module")
def opened(jupyterlab, browser, folder):
    with Notebook(jupyterlab, browser, jupyterlab.write("photos/photos.ipynb", CELLS), height=1400) as notebook:
        notebook.page.evaluate(WATCH)
        notebook.run_all()
        notebook.wait_for(".fr-photos")
        yield notebook


@pytest.fixture
def widget(opened):
    """The notebook with no picture in the widget."""
    opened.execute("w.discard()")
    opened.page.wait_for_function("document.querySelectorAll('.fr-photos li, .fr-explorer').length === 0")
    opened.page.evaluate("window.tracks = []")
    yield opened
    assert opened.errors == []


def choose(notebook, *files):
    notebook.page.set_input_files(".fr-photos input[type=file]", files)


@pytest.mark.browser
def test_a_file_reaches_the_explorer_reduced_and_upright(widget, folder):
    choose(widget, folder / "astronaut.jpg")
    widget.wait_for(".fr-explorer")
    widget.execute(
        "from fr_explore.faces.photographs.decode import decode\n"
        "sent = w.input._pictures[0].source\npixels = decode(sent)[0]"
    )
    assert widget.value("type(sent).__name__, sent[:3].hex(), pixels.shape") == ("bytes", "ffd8ff", (819, 1024, 3))
    assert widget.value("len(sent)") < (folder / "astronaut.jpg").stat().st_size
    shown = np.array(widget.value("pixels[::16, ::16].mean(-1).tolist()"))
    right = np.asarray(Image.fromarray(ASTRONAUT).resize((1024, 819)))[::16, ::16].mean(-1)
    assert np.abs(shown - right).mean() < 5
    assert widget.page.locator(".fr-shot").inner_text().split("\n")[0] == "astronaut"
    assert "astronaut: One face found." in widget.page.locator(".fr-photos .fr-hidden").text_content()
    widget.page.locator(".fr-chip input[value=more]").check(force=True)
    widget.page.locator("input[data-attribute=mask]").press("End")
    until(lambda: float(widget.page.locator(".fr-key").get_attribute("data-distance")) > 0.1)
    assert widget.value("w.explorer.strengths['mask']") == 1


@pytest.mark.browser
def test_the_saved_notebook_holds_no_picture(widget, folder):
    choose(widget, folder / "astronaut.jpg")
    widget.wait_for(".fr-map-note .fr-term")
    widget.page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
    path = widget.lab.folder / widget.name
    until(lambda: "widget-view" in path.read_text())
    until(lambda: json.loads(path.read_text()))
    assert len(path.read_text()) < 5000
    assert sorted(one.name for one in path.parent.rglob("*") if one.is_file()) in (
        [path.name],
        sorted([path.name, f"{path.stem}-checkpoint.ipynb"]),
    )


@pytest.mark.browser
def test_files_without_a_face_say_why_and_the_others_go_on(widget, folder):
    choose(widget, folder / "notes.jpg", folder / "cup.png", folder / "scan.tif")
    widget.wait_for(".fr-explorer")
    rows = widget.page.locator(".fr-photos li")
    until(lambda: rows.count() == 3)
    assert "not a picture in a format that Pillow reads" in rows.nth(0).inner_text()
    assert "No face found. Use a picture of one upright" in rows.nth(1).inner_text()
    assert widget.value("w.photos.identities") == ("scan",)
    widget.page.get_by_role("button", name="Remove cup").press("Enter")
    until(lambda: rows.count() == 2)
    assert widget.page.evaluate("document.activeElement.getAttribute('aria-label')") == "Remove notes"
    widget.page.get_by_role("button", name="Discard all").press("Enter")
    widget.page.wait_for_selector(".fr-explorer", state="detached")
    assert widget.value("w.photos is None and w.explorer is None")


@pytest.mark.browser
def test_a_dropped_file_is_taken_and_jupyter_does_not_store_it(widget, folder):
    widget.page.evaluate(
        """async (url) => {
          const blob = await (await fetch(url)).blob();
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([blob], "dropped.png", { type: "image/png" }));
          for (const type of ["dragenter", "dragover", "drop"]) {
            const event = new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer });
            document.querySelector(".fr-drop").dispatchEvent(event);
          }
        }""",
        "data:image/jpeg;base64," + base64.b64encode(JPEG).decode(),
    )
    widget.wait_for(".fr-explorer")
    assert widget.value("w.photos.identities") == ("dropped",)
    assert not list(widget.lab.folder.rglob("dropped*"))


@pytest.mark.browser
def test_the_camera_takes_a_picture_and_goes_off(widget):
    page = widget.page
    widget.context.grant_permissions(["camera"])
    page.get_by_role("button", name="Use the camera").press("Enter")
    take = page.get_by_role("button", name="Take picture")
    take.wait_for()
    page.wait_for_function("document.querySelector('.fr-photos video').videoWidth > 0")
    assert page.evaluate(STATES) == ["live"]
    take.press("Enter")
    page.get_by_role("button", name="Retake").wait_for()
    assert page.evaluate(STATES) == ["ended"]
    assert widget.value("w.input.items") == []
    page.get_by_role("button", name="Use this picture").press("Enter")
    widget.wait_for(".fr-explorer")
    assert widget.value("w.photos.identities") == ("you 1",)
    # a cell's output that goes away takes the light with it
    page.get_by_role("button", name="Use the camera").press("Enter")
    page.get_by_role("button", name="Stop camera").wait_for()
    assert page.evaluate(STATES) == ["ended", "live"]
    widget.command("notebook:clear-all-cell-outputs")
    until(lambda: page.evaluate(STATES) == ["ended", "ended"])
    widget.run_all()
    widget.wait_for(".fr-photos")


@pytest.mark.browser
def test_a_refused_camera_says_what_to_do(widget):
    widget.context.clear_permissions()
    widget.page.get_by_role("button", name="Use the camera").press("Enter")
    alert = widget.page.locator(".fr-photos .fr-error[role=alert]")
    alert.wait_for()
    assert "The browser did not allow the camera. Allow it for this page" in alert.inner_text()
    assert "choose a picture from a file" in alert.inner_text()
    assert widget.page.locator(".fr-camera").is_hidden()


@pytest.mark.browser
def test_themes_a_narrow_column_and_the_end_of_the_kernel(widget, folder):
    """Last: it ends the kernel."""
    choose(widget, folder / "astronaut.jpg", folder / "cup.png")
    widget.wait_for(".fr-explorer")
    root = widget.page.locator(".fr-photos")
    assert root.locator(CONTROLS).evaluate_all(NAMELESS) == []
    for theme in ("Dark", "Light"):
        widget.change_theme(theme)
        until(lambda theme=theme: root.get_attribute("data-theme") == theme.lower())
        worst = widget.page.evaluate(CONTRAST)
        assert worst["ratio"] >= 4.5, (theme, worst)
    root.evaluate("node => { node.style.width = '380px'; }")
    too_wide = "node => [...node.querySelectorAll(':not(.fr-hidden)')].filter(n => n.scrollWidth > 380).length"
    assert root.evaluate(too_wide) == 0
    widget.page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    banner = widget.page.locator(".fr-photos .fr-banner[role=status]")
    banner.wait_for(timeout=5000)
    assert "the pictures with it" in banner.inner_text()
    assert widget.page.locator(".fr-photos li").count() == 0
    assert widget.page.get_by_role("button", name="Choose pictures").is_disabled()
