"""From an import to the first distance, without torch; and a kernel's own memory after the first notebook's widget.

    python benchmarks/first_light.py
    python benchmarks/first_light.py --kernels 10     # at once, as on a small hub: memory of each, first pictures

Own memory is what a kernel does not share with others (private and written to), so that many kernels on one machine
need that much each. It is read from Linux. Time is that of the processor, which other work changes little.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
from figures import figure
from jupyter_client.manager import start_new_kernel

FIRST_DISTANCE = """
import time
wall = time.perf_counter()
import fr_explore as fr
from fr_explore.base.distance import distance
faces, model = fr.Avatars(identities=12, seed=0), fr.load_model("dlib", device={device!r})
first, second = model.embed([faces.render(0), faces.render(1)])
distance(first, second, model.card.metric)
import sys
print(time.process_time(), time.perf_counter() - wall, "torch" in sys.modules)
"""
OWN = """
import sys
sys.modules["pyarrow"] = None  # an extra, which pandas would import (25 MB)
def own():
    with open("/proc/self/smaps_rollup") as file:
        print("MB", sum(int(line.split()[1]) for line in file if line.startswith("Private_Dirty")) / 1000)
"""
# the first cells of notebook 0, as in the notebook
FIRST_LIGHT = """
import fr_explore as fr
from fr_explore_widgets import AttributeExplorer, Prediction, course
faces, model = fr.Avatars(identities=12, seed=0), fr.load_model("dlib", device={device!r})
explorer = AttributeExplorer(faces, model)
display(explorer)
import time
print("picture at", time.time())
explorer.wait()
explorer.set(age=60)
time.sleep(2)  # idle: what the last jobs used is given back
own()
"""


def first_distance(device: str) -> tuple[float, float]:
    """Processor and wall seconds, the best of five processes."""
    found = []
    for _ in range(5):
        code = FIRST_DISTANCE.format(device=device)
        said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
        assert (said[2] == "True") == (device != "engine")
        found.append((float(said[0]), float(said[1])))
    return min(found)[0], min(wall for _, wall in found)


def first_light(client: Any, device: str) -> tuple[float, float]:
    """A kernel's own megabytes after first light, and when its first picture was ready, in seconds since the epoch."""
    said: list[str] = []

    def heard(message: dict) -> None:
        content = message["content"]
        said.append(content.get("text", "") + "\n".join(content.get("traceback", [])))

    client.execute_interactive(OWN + FIRST_LIGHT.format(device=device), timeout=1200, output_hook=heard)
    number, at = (re.search(rf"{word} ([\d.]+)", "".join(said)) for word in ("MB", "picture at"))
    assert number is not None, "".join(said)
    assert at is not None, "".join(said)
    return float(number[1]), float(at[1])


@contextmanager
def kernels(count: int) -> Iterator[list]:
    """Clients of new kernels, which start at once."""
    with ThreadPoolExecutor(count) as pool:
        started = list(pool.map(lambda _: start_new_kernel(kernel_name="python3"), range(count)))
    try:
        yield [client for _, client in started]
    finally:
        for manager, client in started:
            client.stop_channels()
            manager.shutdown_kernel(now=True)


def classroom(count: int) -> None:
    """As many kernels at once, as on a small hub, each from its start to its first picture."""
    began = time.time()
    with kernels(count) as clients, ThreadPoolExecutor(count) as pool:
        own, at = np.transpose(list(pool.map(lambda client: first_light(client, "cpu"), clients)))
    waited = np.sort(at - began)
    print(f"{count} kernels on {os.cpu_count()} cores (load {os.getloadavg()[0]:.1f} at the end)")
    print(f"own memory of each: {', '.join(f'{one:.0f}' for one in own)} MB, in sum {own.sum():.0f} MB")
    print(f"first pictures {', '.join(f'{one:.0f}' for one in waited)} s after their common start")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kernels", type=int, help="start that many kernels at once, and measure only them")
    if (count := parser.parse_args().kernels) is not None:
        return classroom(count)
    engine, torch = first_distance("engine"), first_distance("cpu")
    print(f"import to first distance: {engine[0]:.2f} s of the processor in the engine, {torch[0]:.2f} s with torch;")
    print(f"on the clock {engine[1]:.2f} s and {torch[1]:.2f} s")
    figure("import to first distance, without torch", engine[0], "s", torch[0], "with torch", "1.5 s", engine[0] <= 1.5)
    for device, name in (("cpu", "with torch"), ("engine", "in the engine")):
        with kernels(1) as (client,):
            memory, _ = first_light(client, device)
        print(f"a kernel's own memory after first light, dlib {name}: {memory:.0f} MB")
        figure(f"kernel's own memory after first light, {name}", memory, "MB", target="500 MB", met=memory <= 500)


if __name__ == "__main__":
    main()
