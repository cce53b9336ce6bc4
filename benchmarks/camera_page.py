"""The page that `PhotoExplorer.to_html` writes: pictures of a camera that it judges in a second, and what each costs.

Chromium's own test camera plays pictures of 640 x 480 px: the astronaut (NASA, public domain) alone, then beside an
avatar. A picture counts when its distance is shown: faces found, aligned, embedded. With one face, a slider edits it,
so that there is a distance. The processor time for a picture is that of the page's process, with all its workers: even
on one idle core, the rate is 1000 ms divided by it. `python benchmarks/camera_page.py`
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from figures import figure
from PIL import Image
from skimage import data

import fr_explore as fr
from fr_explore.faces.base import to_uint8
from fr_explore_widgets import PhotoExplorer

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from lab import chromium

LEAST = 10  # pictures a second
COUNT = """() => {
  globalThis.judged = 0;
  const root = document.querySelector(".fr-camera-page");
  const count = () => { globalThis.judged += 1; };
  new MutationObserver(count).observe(root, { attributes: true, attributeFilter: ["data-distance"] });
}"""


def pictures() -> dict[str, bytes]:
    """Motion JPEGs; the faces move a little from picture to picture."""
    faces = fr.Avatars(identities=1, seed=0)
    own = data.astronaut()[:300, 60:360]
    other = to_uint8(faces.render(faces.identities[0], size=300).pixels)
    found = {}
    for name, people in {"one face": [own], "two faces": [own, other]}.items():
        files = []
        for i in range(12):
            frame = np.full((480, 640, 3), 120, np.uint8)
            for place, person in enumerate(people):
                frame[80 + 2 * abs(i - 6) :][:300, 10 + 320 * place :][:, :300] = person
            buffer = io.BytesIO()
            Image.fromarray(frame).save(buffer, "JPEG", quality=92)
            files.append(buffer.getvalue())
        found[name] = b"".join(files)
    return found


def busy(browser: Any) -> float:
    """Seconds of processor time of the busiest page's process so far."""
    session = browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    times = []
    for process in processes:
        if process["type"] == "renderer":
            fields = Path(f"/proc/{process['id']}/stat").read_text().rpartition(")")[2].split()
            times.append((int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"))
    return max(times)


def measure(path: Path, name: str, camera: bytes, seconds: float) -> None:
    with tempfile.NamedTemporaryFile(suffix=".mjpeg") as file:
        file.write(camera)
        file.flush()
        flags = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={file.name}"]
        with chromium(flags) as browser:
            context = browser.new_context(offline=True, permissions=["camera"], viewport={"width": 1280, "height": 800})
            page = context.new_page()
            page.goto(path.as_uri())
            page.wait_for_selector("html[data-live=ready]", state="attached")
            page.locator("[data-action=camera]").click()
            page.locator("[data-pane=A][data-face=yes]").wait_for()
            if name == "one face":
                page.locator("input[data-attribute=brightness]").press("End")
            time.sleep(2)
            page.evaluate(COUNT)
            began, used = time.perf_counter(), busy(browser)
            time.sleep(seconds)
            count = page.evaluate("judged")
            took, used = time.perf_counter() - began, busy(browser) - used
    figure(
        f"camera page, {name}: pictures judged",
        count / took,
        "frames/s",
        target=f">= {LEAST}",
        met=count >= LEAST * took,
    )
    figure(f"camera page, {name}: processor time for a picture", 1000 * used / max(count, 1), "ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = PhotoExplorer(fr.load_model("dlib", device="cpu")).to_html(Path(folder) / "camera.html")
        figure(
            "camera page with dlib as int8",
            path.stat().st_size / 1e6,
            "MB",
            target="<= 12 MB",
            met=path.stat().st_size < 12e6,
        )
        for name, camera in pictures().items():
            measure(path, name, camera, args.seconds)


if __name__ == "__main__":
    main()
