"""After a change of who the avatars are, make again what rests on them: `python tools/remake.py [stage ...]`.

    train       the controlled networks, and the second all-varied one that `controlled.py --twin` compares with
    science     the tables in benchmarks/results
    pictures    the sheets in docs, and the pictures with which the notebooks open
    notebooks   their committed outputs

Stages run in this order, the commands of a stage two at a time, each on one core; on two cores `train` takes about an
hour, the others a quarter of an hour each. The output of each command goes to build/remake. At the end, the sentences
that state a figure are printed as the tables have them now: bring the texts in line, until the tests pass, and give
PREDICTIONS.md its outcomes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fr_explore.models.controlled.cards import REGIMES

ROOT = Path(__file__).parents[1]
LOGS = ROOT / "build" / "remake"
TWIN = "build/remake/twin"
LONGEST = ("triplet", "degraded")  # first, so that the two that run at a time end together
STAGES: dict[str, tuple[str, ...]] = {
    "train": (
        *(f"tools/train_controlled.py {regime}" for regime in (*LONGEST, *sorted(set(REGIMES) - set(LONGEST)))),
        f"tools/train_controlled.py --seed 1 --out {TWIN} all-varied",
    ),
    "science": (
        "benchmarks/finetuning.py --networks dlib sface --targets brightness illumination head_angle glasses --seed 0",
        f"benchmarks/controlled.py --twin {TWIN}/all-varied.safetensors",
        "benchmarks/controlled.py --spread 0.3",
        "benchmarks/directions.py",
        "benchmarks/power.py",
        "benchmarks/paper_check.py",
        "benchmarks/dose_response.py",
        "benchmarks/shape.py --controlled",
        "benchmarks/shape.py --models",
    ),
    "pictures": (
        "tools/stills.py",
        "tools/contact_sheet.py --out docs/people.png --people 48 --size 160",
        "tools/contact_sheet.py --out docs/people-dark.png --people 24 --lamp dark --size 224 --seed 1",
        "tools/contact_sheet.py --out docs/attributes.png --every --size 80 --identities 0 1 2 3 4 5 6 7",
        "tools/contact_sheet.py --out docs/contact-sheet.png",
    ),
    "notebooks": ("tools/build_notebooks.py --run",),
}


def run(command: str) -> bool:
    """Run a command with its output in a file; whether it succeeded."""
    start, log = time.monotonic(), LOGS / f"{command.replace('/', '-').replace(' ', '_')[:80]}.txt"
    with open(log, "w", encoding="utf-8") as out:
        code = subprocess.call(
            [sys.executable, *command.split()],
            cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
    took = time.monotonic() - start
    print(f"{took / 60:5.1f} min  {command}{f': FAILED, see {log.relative_to(ROOT)}' if code else ''}", flush=True)
    return not code


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stages", nargs="*", metavar="stage", help=f"of {', '.join(STAGES)}; all, if none is named")
    parser.add_argument("--list", action="store_true", help="print the commands and run nothing")
    args = parser.parse_args()
    if unknown := sorted(set(args.stages) - set(STAGES)):
        parser.error(f"unknown stage {', '.join(unknown)}: choose from {', '.join(STAGES)}.")
    chosen = [name for name in STAGES if name in (args.stages or STAGES)]
    if args.list:
        print("\n".join(f"python {command}" for name in chosen for command in STAGES[name]))
        return 0
    LOGS.mkdir(parents=True, exist_ok=True)
    for name in chosen:
        with ThreadPoolExecutor(2) as pool:
            if not all(pool.map(run, STAGES[name])):
                return 1  # what follows would rest on it
    return subprocess.call([sys.executable, "tests/project/test_stated_figures.py"], cwd=ROOT)


if __name__ == "__main__":
    sys.exit(main())
