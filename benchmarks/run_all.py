"""Run every benchmark of this folder, one after the other, each in a process of its own.

    python benchmarks/run_all.py            # all of them
    python benchmarks/run_all.py alignment  # some, by name

Figures are ratios to a baseline of the same run: on a busy machine they hold, the milliseconds do not.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path(__file__).parent
ARGUMENTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "extraction": ((), ("--memory",)),
}


def main() -> int:
    names = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "run_all")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of: {', '.join(names)}")
    chosen = parser.parse_args().names or names
    if unknown := sorted(set(chosen) - set(names)):
        parser.error(f"no benchmark {', '.join(unknown)}: choose from {', '.join(names)}.")
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    failed = []
    for name in chosen:
        for arguments in ARGUMENTS.get(name, ((),)):
            command = [sys.executable, str(FOLDER / f"{name}.py"), *arguments]
            print(f"\n== {name} {' '.join(arguments)}".rstrip(), flush=True)
            start = time.perf_counter()
            if subprocess.run(command, check=False).returncode:
                failed.append(" ".join([name, *arguments]))
            print(f"-- {time.perf_counter() - start:.0f} s", flush=True)
    if failed:
        print(f"\nfailed: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
