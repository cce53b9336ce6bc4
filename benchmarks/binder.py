"""The course as Binder runs it: one core, 2 GB, no GPU, nothing cached.

    python benchmarks/binder.py                  time to the first map, then memory and time of every notebook
    python benchmarks/binder.py --map            only the first
    python benchmarks/binder.py --notebooks 05   only notebooks whose name starts with 05

Everything runs in a process held to one core and one thread; a kernel whose resident memory passes 2 GB is killed, as
a container's would be (RLIMIT_DATA would count address space too that is reserved and never touched: a gigabyte in
05). The peak is the kernel's largest resident set. "torch" is the same for a kernel that only imports torch: a CUDA
build takes more than the CPU build that Binder installs, so the difference is what counts. The limit for the
difference is 500 MB, that for the map 15 s from the kernel's start.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
from figures import figure

ROOT = Path(__file__).parent.parent
LIMIT_MB, SECONDS, MEMORY = 500, 15, 2 * 1024**3
FIRST_MAP = """
import fr_explore as fr
from fr_explore_widgets import AttributeExplorer
explorer = AttributeExplorer(fr.Avatars(identities=12, seed=0), fr.load_model("dlib"))
explorer.wait(120)
"""
PEAK = "print([line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')][0])"


def kill_beyond(pid: int, most: int) -> None:
    """End a process, and this one with it, once its resident memory is more than `most` bytes."""
    try:
        while (process := psutil.Process(pid)).memory_info().rss <= most:
            time.sleep(0.01)
        process.kill()
        print(f"killed: more than {most / 1024**2:.0f} MB resident", file=sys.stderr, flush=True)
        os._exit(1)  # nobody else would notice: the client waits for a reply
    except psutil.NoSuchProcess:
        pass


def run_cells(cells: list[str], folder: Path) -> dict[str, float]:
    """Run cells in a fresh kernel: seconds from its start to the end of the last one, and its peak memory in MB."""
    from jupyter_client.manager import start_new_kernel

    start = time.perf_counter()
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(folder), startup_timeout=120)
    threading.Thread(target=kill_beyond, args=(manager.provisioner.pid, MEMORY), daemon=True).start()
    try:
        for cell in cells:
            reply = client.execute_interactive(cell, timeout=600, output_hook=lambda message: None)
            if reply["content"]["status"] != "ok":
                raise RuntimeError(f"{reply['content']['ename']}: {reply['content']['evalue']}\nin the cell\n{cell}")
        seconds, said = time.perf_counter() - start, []
        client.execute_interactive(PEAK, output_hook=lambda message: said.append(message["content"].get("text", "")))
        return {"seconds": seconds, "peak": int("".join(said)) / 1024}
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def as_binder(item: str) -> dict[str, float]:
    """One item in a process with Binder's limits, on a cold cache; NaN if it fails, which its own words say."""
    with tempfile.TemporaryDirectory() as cold:
        threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        env = {**os.environ, **threads, "FR_EXPLORE_CACHE": cold, "CUDA_VISIBLE_DEVICES": ""}
        command = [sys.executable, __file__, "--item", item]
        done = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        return {"seconds": math.nan, "peak": math.nan}
    return json.loads(done.stdout.splitlines()[-1])


def inside(item: str) -> None:
    """What `as_binder` starts."""
    import nbformat

    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    if item in ("torch", "map"):
        cells, folder = [{"torch": "import torch", "map": FIRST_MAP}[item]], ROOT
    else:
        path = Path(item)
        cells = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
        folder = path.parent
    print(json.dumps(run_cells(cells, folder)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--map", action="store_true", help="only the time to the first interactive map")
    parser.add_argument("--notebooks", default="", help="only notebooks whose name starts with this text")
    parser.add_argument("--item", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.item:
        return inside(args.item)
    base, good = as_binder("torch"), True
    print(f"{'one core, one thread, 2 GB':38}{'seconds':>9}{'peak MB':>9}{'beyond torch':>14}")
    print(f"{'import torch':38}{base['seconds']:9.1f}{base['peak']:9.0f}")
    items = [] if args.notebooks else [("first map of the explorer (<= 15 s)", "map", SECONDS)]
    if not args.map:
        paths = sorted((ROOT / "notebooks" / "solutions").glob(f"{args.notebooks or '[0-9]'}*.ipynb"))
        items += [(path.stem, str(path), 120) for path in paths]
    for title, item, most in items:
        row = as_binder(item)
        beyond = row["peak"] - base["peak"]
        fits = row["seconds"] <= most and beyond <= LIMIT_MB
        good &= fits
        figure(title.partition(" (")[0], row["seconds"], "s", target=f"<= {most} s", met=row["seconds"] <= most)
        figure("  its memory beyond torch's", beyond, "MB", target=f"<= {LIMIT_MB} MB", met=beyond <= LIMIT_MB)
        verdict = "" if fits else "   over its limit, or failed"
        print(f"{title:38}{row['seconds']:9.1f}{row['peak']:9.0f}{beyond:14.0f}{verdict}", flush=True)
    sys.exit(not good)


if __name__ == "__main__":
    main()
