"""A live page: its size, its start, from a slider's event to the painted face and its distance, and its memory.

The page is what `AttributeExplorer.to_html` writes for twelve avatars and dlib's network, opened from disk in Chromium
without a network. It is ready when its own first figures are shown. Then the age slider moves through `--moves` values,
one per picture; times end with the frame in which the picture, or the distance, is on the page, beside those of a bare
slider that only changes a text. Memory is that of the page's process and of its workers.
`python benchmarks/live_page.py`
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from figures import figure

import fr_explore as fr
from fr_explore_widgets import AttributeExplorer

import sys  # isort: skip

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from lab import chromium

FRAME = 1000 / 60
LARGEST = {"int8": 12, "float16": 20}  # MB
STARTS = 5

WATCH = """new MutationObserver((_, watch) => {
  if (document.documentElement?.dataset.live !== "ready") return;
  watch.disconnect();
  globalThis.readyAfter = performance.now();
}).observe(document, { attributes: true, subtree: true, childList: true });"""

MOVE = """async (moves) => {
  const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now()))));
  const root = document.querySelector(".fr-lab");
  const heard = (name) => new Promise((done) => root.addEventListener(name, done, { once: true }));
  const slider = document.querySelector("input[data-attribute=age]");
  const bare = document.body.appendChild(document.createElement("input"));
  const text = document.body.appendChild(document.createElement("p"));
  bare.type = "range";
  bare.oninput = () => { text.textContent = bare.value; };
  const times = { bare: [], picture: [], distance: [] };
  for (const value of moves) {
    let start = performance.now();
    bare.value = String(value);
    bare.dispatchEvent(new Event("input"));
    times.bare.push((await painted()) - start);
    const [drawn, told] = [heard("fr-drawn"), heard("fr-told")];
    start = performance.now();
    slider.value = String(value);
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    const wait = (event, name) => event.then(painted).then((end) => times[name].push(end - start));
    await Promise.all([wait(drawn, "picture"), wait(told, "distance")]);
  }
  return times;
}"""


def memory(page: Any) -> float:
    """Resident memory of the page's process in MB, without what it shares with other processes."""
    session = page.context.browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    own = []
    for process in processes:
        if process["type"] == "renderer":
            lines = Path(f"/proc/{process['id']}/smaps_rollup").read_text().splitlines()
            own.append(sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1e3)
    return max(own)


def measure(browser: Any, path: Path, moves: int) -> None:
    starts = []
    for start in range(STARTS):
        context = browser.new_context(offline=True, viewport={"width": 1280, "height": 800})
        page = context.new_page()
        page.add_init_script(WATCH)
        page.goto(path.as_uri())
        page.wait_for_function("() => globalThis.readyAfter")
        starts.append(page.evaluate("readyAfter"))
        if start < STARTS - 1:
            context.close()
    times = page.evaluate(MOVE, np.linspace(18, 75, moves).round().tolist())
    used = memory(page)
    context.close()
    best = min(starts) / 1000
    print(f"  ready after {' '.join(f'{one / 1000:.2f}' for one in starts)} s")
    figure("live page ready, best start", best, "s", target="<= 1.5 s", met=best <= 1.5)
    for name, values in times.items():
        low, middle, high = np.percentile(values, [0, 50, 95])
        print(f"  slider to {name}: median {middle:.1f} ms, p95 {high:.1f} ms, best {low:.1f} ms")
    bare, picture, told = (float(np.median(times[name])) for name in ("bare", "picture", "distance"))
    target = f"<= one frame ({FRAME:.0f} ms) later"
    figure(
        "slider to picture in a live page, median", picture, "ms", bare, "bare slider", target, picture - bare <= FRAME
    )
    figure("slider to distance in a live page, median", told, "ms", target="<= 60 ms", met=told <= 60)
    figure("memory of a live page", used, "MB", target="<= 200 MB", met=used <= 200)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moves", type=int, default=60)
    args = parser.parse_args()
    widget = AttributeExplorer(fr.Avatars(identities=12, seed=0), fr.load_model("dlib", device="cpu")).wait(300)
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        for precision, largest in LARGEST.items():
            path = widget.to_html(Path(folder) / f"{precision}.html", precision=precision)
            size = path.stat().st_size / 1e6
            name = f"live page with twelve people and dlib's network as {precision}"
            figure(name, size, "MB", target=f"<= {largest} MB", met=size <= largest)
            if precision == "int8":
                measure(browser, path, args.moves)


if __name__ == "__main__":
    main()
