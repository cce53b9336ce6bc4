"""From an import to the first distance, without torch; and a kernel's own memory after the first notebook's widget.

    python benchmarks/first_light.py

Own memory is what a kernel does not share with others (private and written to), so that many kernels on one machine
need that much each. It is read from Linux. Time is that of the processor, which other work changes little.
"""

from __future__ import annotations

import re
import subprocess
import sys

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
explorer.wait()
explorer.set(age=60)
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


def own_memory(device: str) -> float:
    """Megabytes of a kernel after first light."""
    manager, client = start_new_kernel(kernel_name="python3")
    said: list[str] = []

    def heard(message: dict) -> None:
        content = message["content"]
        said.append(content.get("text", "") + "\n".join(content.get("traceback", [])))

    try:
        client.execute_interactive(OWN + FIRST_LIGHT.format(device=device), timeout=300, output_hook=heard)
    finally:
        manager.shutdown_kernel(now=True)
    number = re.search(r"MB ([\d.]+)", "".join(said))
    assert number, "".join(said)
    return float(number[1])


def main() -> None:
    engine, torch = first_distance("engine"), first_distance("cpu")
    print(f"import to first distance: {engine[0]:.2f} s of the processor in the engine, {torch[0]:.2f} s with torch;")
    print(f"on the clock {engine[1]:.2f} s and {torch[1]:.2f} s")
    figure("import to first distance, without torch", engine[0], "s", torch[0], "with torch", "1.5 s", engine[0] <= 1.5)
    for device, name in (("cpu", "with torch"), ("engine", "in the engine")):
        memory = own_memory(device)
        print(f"a kernel's own memory after first light, dlib {name}: {memory:.0f} MB")
        figure(f"kernel's own memory after first light, {name}", memory, "MB", target="500 MB", met=memory <= 500)


if __name__ == "__main__":
    main()
