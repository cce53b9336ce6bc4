"""Run the benchmarks of this folder, each in its own process, and write one table.

    python benchmarks/run_all.py              # all in their brief form, under 15 minutes; writes RESULTS.md
    python benchmarks/run_all.py alignment    # only these, in their brief form; does not write RESULTS.md
    python benchmarks/run_all.py --list       # print the command of each benchmark

Compare ratios, not times: the baseline is measured in the same run, so a busy machine changes the ratio little. The
table marks missed targets, failed benchmarks and benchmarks that were stopped; each of them sets the exit status to 1.
Longer experiments (ten_lines, finetuning, controlled, directions, paper_check, dose_response) have their own commands,
described in their files.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from figures import MARK

FOLDER = Path(__file__).parent
# arguments of the brief form by name, in the order of the table
BRIEF: dict[str, tuple[str, ...]] = {
    "alignment": ("--points", "3000", "--repeat", "1"),
    "approximate": ("--brief",),
    "macroscale": ("--rounds", "1"),
    "shape": (),
    "power": ("--brief",),
    "extraction": ("--images", "64", "--rounds", "3"),
    "avatars": ("different", "speed", "first", "size"),
    "photographs": ("--avatars", "30"),
    "cluster": ("--brief", "--parts", "speed"),
    "slider_latency": ("--events", "100"),
    "field_scale": ("--events", "30"),
    "map_frames": ("--moves", "60"),
    "camera_page": ("--seconds", "8"),
    "live_page": ("--moves", "60"),
    "networks_page": ("--people", "12", "--steps", "2", "--runs", "20"),  # fewer moves have no 95th percentile
    "binder": ("--map",),
    "first_light": (),
}
TOTAL_LIMIT, LIMIT = 15 * 60, 4 * 60  # seconds, for all benchmarks and for each


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    available = [name for name in BRIEF if (FOLDER / f"{name}.py").is_file()]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of: {', '.join(available)}")
    parser.add_argument("--list", action="store_true", help="print the commands and run nothing")
    args = parser.parse_args()
    if unknown := sorted(set(args.names) - set(available)):
        parser.error(f"no benchmark {', '.join(unknown)}: choose from {', '.join(available)}.")
    chosen = args.names or available
    if args.list:
        print("\n".join(f"python benchmarks/{name}.py {' '.join(BRIEF[name])}".rstrip() for name in chosen))
        return 0
    start, runs = time.monotonic(), []
    for name in chosen:
        left = TOTAL_LIMIT - (time.monotonic() - start)
        print(f"\n== {name} {' '.join(BRIEF[name])}".rstrip(), flush=True)
        runs.append(run(name, min(LIMIT, left)) if left > 0 else {"name": name, "status": "not run: no time left"})
        print(f"-- {runs[-1].get('seconds', 0):.0f} s, {runs[-1]['status']}", flush=True)
    text = table(runs)
    print(f"\n{text}")
    if not args.names:
        (FOLDER / "RESULTS.md").write_text(text + outputs(runs), encoding="utf-8")
    return int(any(run["status"] != "ok" for run in runs))


def run(name: str, limit: float) -> dict[str, Any]:
    """Output, figures, seconds and peak memory of one benchmark, including its child processes."""
    start = time.monotonic()
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        command = [sys.executable, "-u", str(FOLDER / f"{name}.py"), *BRIEF[name]]
        process = subprocess.Popen(command, stdout=out, stderr=err, start_new_session=True)
        status = f"stopped after {limit:.0f} s"
        while time.monotonic() - start < limit:
            pid, code, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                status = "ok" if code == 0 else f"failed, status {os.waitstatus_to_exitcode(code)}"
                break
            time.sleep(0.1)
        else:
            os.killpg(process.pid, 9)
            _, code, usage = os.wait4(process.pid, 0)
        process.returncode = code
        out.seek(0)
        err.seek(0)
        lines, errors = out.read().splitlines(), err.read()
    figures = [json.loads(line.removeprefix(MARK)) for line in lines if line.startswith(MARK) and line.endswith("}")]
    if code in (0, 256) and "Traceback" not in errors and not all(figure["met"] for figure in figures):
        status = "missed a target"
    elif status != "ok":  # its error output, without this machine's folders
        lines += [f"...\n{errors[-2000:].strip()}".replace(str(FOLDER.parent), ".")]
    text = "\n".join(line for line in lines if not line.startswith(MARK))
    print(text, flush=True)
    seconds, peak = time.monotonic() - start, usage.ru_maxrss / 2**10
    return {"name": name, "status": status, "seconds": seconds, "peak": peak, "figures": figures, "text": text}


def machine() -> str:
    """Processor, cores, memory, system and the versions of the packages that matter most for speed."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
        memory = f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"
    except (OSError, StopIteration, ValueError):  # not Linux
        model, memory = platform.processor() or platform.machine(), "memory unknown"
    parts = ", ".join(f"{name} {version(name)}" for name in ("numpy", "torch"))
    return (
        f"{model}, {os.cpu_count()} cores, {memory}, {platform.system()}, Python {platform.python_version()}, {parts}"
    )


def table(runs: list[dict[str, Any]]) -> str:
    """Figures as a Markdown table."""
    here, today = machine(), datetime.date.today().isoformat()
    head = ["benchmark", "figure", "ours", "baseline", "ratio", "target", "peak memory", "machine"]
    rows = [head, ["---"] * len(head)]
    for run in runs:
        peak = f"{run['peak']:,.0f} MiB" if "peak" in run else "–"
        figures = run.get("figures", [])
        if run["status"] not in ("ok", "missed a target") or not figures:
            status = f"**{run['status']}**" if run["status"] != "ok" else "no figures; see below"
            rows.append([run["name"], status, *["–"] * 4, peak, "as above"])
        for one in figures:
            base, ours, unit = one["baseline"], one["ours"], one["unit"]
            kept = f"{one['target']}: {'met' if one['met'] else '**missed**'}" if one["target"] else "–"
            rows.append([
                run["name"], one["name"].strip(), ours if isinstance(ours, str) else f"{short(ours)} {unit}".strip(),
                f"{short(base)} {unit} ({one['against']})" if base is not None else "–",
                f"{one['ratio']:.2f}" if one["ratio"] else "–", kept, peak, "as above",
            ])  # fmt: skip
    lines = "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows)
    return (
        f"# Benchmarks\n\nWritten by `make bench` on {today}; README takes its figures only from here. "
        "A ratio above 1 means that fr-explore is better. Peak memory is that of the benchmark's largest process.\n\n"
        f"Machine: {here}, load {os.getloadavg()[0]:.1f} at the end.\n\n{lines}\n"
    )


def short(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}"


def outputs(runs: list[dict[str, Any]]) -> str:
    """The unedited output of each benchmark."""
    parts = [f"\n## {run['name']} {' '.join(BRIEF[run['name']])}".rstrip() + f"\n\n{run['status']}" for run in runs]
    return "".join(f"{part}\n\n```\n{run.get('text', '')}\n```\n" for part, run in zip(parts, runs, strict=True))


if __name__ == "__main__":
    sys.exit(main())
