"""Build the engine's WebAssembly modules from their C sources: `python tools/build_engine.py [renderer ...]`.

`--check` builds into a temporary folder and compares byte for byte with the modules that are committed beside the
sources. The compiler is zig's clang from the package ziglang (development only), which brings clang, linker and nothing
to install. Its version is pinned, because another compiler may order the same instructions differently; the pictures
stay the same, their hashes are tested.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "fr_explore" / "engine"
FEATURES = "simd128+bulk_memory+nontrapping_fptoint"
# module -> its source, further features of WebAssembly, further flags
MODULES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "renderer": ("renderer.c", "", ()),
    "network": ("network.c", "", ()),
    "network_relaxed": ("network.c", "+relaxed_simd", ("-DRELAXED",)),
}
FLAGS = [
    "-std=c11", "-O3", "-Wall", "-Wextra", "-Werror", "-nostdlib",
    "-ffp-contract=off",  # a * b + c keeps both roundings, so that every compiler gives the same bits
    "-fno-sanitize=all",  # zig's default traps
    "-Wl,--no-entry", "-Wl,--strip-all", "-Wl,-z,stack-size=65536",
]  # fmt: skip


def build(name: str, out: Path) -> None:
    """Compile one module."""
    source, features, flags = MODULES[name]
    target = ["-target", "wasm32-freestanding", f"-mcpu=generic+{FEATURES}{features}"]
    command = [sys.executable, "-m", "ziglang", "cc", *target, *FLAGS, *flags, source, "-o", str(out)]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{source} does not build:\n{done.stdout}{done.stderr}")
    out.chmod(0o644)


def stale(name: str) -> bool:
    """Whether the committed module differs from what its sources build to."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "module.wasm"
        build(name, fresh)
        return fresh.read_bytes() != (FOLDER / f"{name}.wasm").read_bytes()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", choices=[*MODULES, []], help="all by default")
    parser.add_argument("--check", action="store_true", help="change nothing; fail if a committed module is stale")
    arguments = parser.parse_args()
    for name in arguments.modules or MODULES:
        if arguments.check and stale(name):
            raise SystemExit(f"{name}.wasm is not what its sources build to: run python tools/build_engine.py {name}.")
        if not arguments.check:
            build(name, FOLDER / f"{name}.wasm")
        print(f"{name}.wasm: {(FOLDER / f'{name}.wasm').stat().st_size} bytes")


if __name__ == "__main__":
    main()
