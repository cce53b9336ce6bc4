"""Frame rate while a map of 5,000 points with arrows pans, compared with an empty canvas in the same run.

FieldExplorer runs in a real JupyterLab in Chromium. The mouse drags the map, and requestAnimationFrame gives the times
of the frames. "drawn" counts the frames in which the map was painted at a new position. The empty canvas is cleared in
every frame and dragged in the same way: it shows the limit of the machine. "slow 5 %" is the rate of the slowest frame
in twenty. Usage: python benchmarks/map_frames.py [--points 5000] [--moves 150]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
from figures import figure

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from field_scale import FIELD
from lab import Lab, Notebook, chromium

TARGET = 30
ROUNDS = 3

EMPTY = """
() => {
  const canvas = document.createElement("canvas");
  canvas.id = "empty";
  canvas.style = "position: fixed; left: 100px; top: 100px; width: 560px; height: 500px; z-index: 99; display: none";
  [canvas.width, canvas.height] = [560, 500];
  document.body.append(canvas);
  canvas.addEventListener("pointermove", () => requestAnimationFrame(() => {
    canvas.getContext("2d").clearRect(0, 0, 560, 500);
    canvas.dataset.zoom = "1";
  }));
}
"""
BEGIN = """
(selector) => {
  const node = document.querySelector(selector);
  const now = { times: [], drawn: 0, on: true };
  window.frames_ = now;
  now.watch = new MutationObserver((found) => { now.drawn += found.length; });
  now.watch.observe(node, { attributes: true, attributeFilter: ["data-zoom"] });
  const tick = (time) => { now.times.push(time); if (now.on) requestAnimationFrame(tick); };
  requestAnimationFrame(tick);
}
"""
END = "() => { const now = window.frames_; now.on = false; now.watch.disconnect(); return [now.times, now.drawn]; }"


def drag(page, target: str, watched: str, moves: int) -> tuple[np.ndarray, float]:
    """Milliseconds between frames while the mouse drags in circles, and the number of drawn frames per second."""
    box = page.locator(target).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 10, y)
    page.evaluate(BEGIN, watched)
    for i in range(moves):
        page.mouse.move(x + 90 * np.cos(i / 8), y + 60 * np.sin(i / 8))
    times, drawn = page.evaluate(END)
    page.mouse.up()
    return np.diff(times), 1000 * drawn / (times[-1] - times[0])


def measure(points: int, moves: int) -> dict[str, tuple[list[float], list[float]]]:
    """For the map and the empty canvas: milliseconds between frames, and drawn frames per second of each round."""
    found: dict[str, tuple[list[float], list[float]]] = {"map": ([], []), "empty": ([], [])}
    with (
        tempfile.TemporaryDirectory() as home,
        chromium() as browser,
        Lab(Path(home), Path(home) / "nb") as lab,
        Notebook(
            lab, browser, lab.write("map.ipynb", [FIELD.format(points=points).replace(".wait()", "")]), height=1000
        ) as notebook,
    ):
        page = notebook.page
        notebook.run_all()
        notebook.wait_for(".fr-field[data-energy]", 300)
        page.locator(".fr-map-canvas").scroll_into_view_if_needed()
        page.evaluate(EMPTY)
        page.wait_for_timeout(1000)
        for _ in range(ROUNDS):
            for name, target, watched in (("map", ".fr-map-canvas", ".fr-map-box"), ("empty", "#empty", "#empty")):
                page.evaluate(f"document.getElementById('empty').style.display = '{'none' if name == 'map' else ''}'")
                gaps, drawn = drag(page, target, watched, moves)
                found[name][0].extend(gaps.tolist())
                found[name][1].append(drawn)
                page.wait_for_timeout(500)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--points", type=int, default=5000)
    parser.add_argument("--moves", type=int, default=150)
    arguments = parser.parse_args()
    found = measure(arguments.points, arguments.moves)
    print(f"{'frames a second':<24}{'mean':>8}{'slow 5 %':>10}{'drawn':>8}")
    rates = {}
    for name, (gaps, drawn) in found.items():
        rates[name] = 1000 / np.mean(gaps)
        title = f"{arguments.points} points" if name == "map" else "empty canvas"
        print(f"{title:<24}{rates[name]:8.1f}{1000 / np.percentile(gaps, 95):10.1f}{np.mean(drawn):8.1f}")
    figure(
        f"map of {arguments.points:,} points while it pans", rates["map"], "frames/s", rates["empty"], "empty canvas",
        f">= {TARGET} a second", rates["map"] >= TARGET,
    )  # fmt: skip
    print(f"target: at least {TARGET} a second; {os.cpu_count()} cores")
    return int(rates["map"] < TARGET)


if __name__ == "__main__":
    sys.exit(main())
