"""The committed modules are what their sources build to, import nothing, and give the same bits on every machine."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import build_engine  # noqa: E402  (the tools are not a package)

COMPILER = find_spec("ziglang") is not None


@pytest.fixture
def compiler():
    if not COMPILER:
        # a build machine without the compiler must not look as if it had compared
        (pytest.fail if os.environ.get("CI") else pytest.skip)("pip install 'fr-explore[dev]' brings the compiler")


@pytest.mark.parametrize("name", build_engine.MODULES)
@pytest.mark.usefixtures("compiler")
def test_a_module_is_what_its_sources_build_to(name):
    assert not build_engine.stale(name)


@pytest.mark.usefixtures("compiler")
def test_the_comparison_can_fail(monkeypatch, tmp_path):
    monkeypatch.setattr(build_engine, "FOLDER", tmp_path)
    monkeypatch.setattr(build_engine, "MODULES", {"tiny": ("tiny.c", "", ())})
    source = 'int __attribute__((export_name("f"))) f(int x) { return x + %d; }'
    (tmp_path / "tiny.c").write_text(source % 1)
    build_engine.build("tiny", tmp_path / "tiny.wasm")
    assert not build_engine.stale("tiny")
    (tmp_path / "tiny.c").write_text(source % 2)
    assert build_engine.stale("tiny")
    (tmp_path / "tiny.c").write_text("int f(int x) { return y; }")
    with pytest.raises(SystemExit, match=r"tiny\.c does not build:"):
        build_engine.stale("tiny")


def test_the_renderer_imports_nothing_and_exports_what_its_readme_says():
    import wasmtime

    module = wasmtime.Module(wasmtime.Engine(), (ROOT / "fr_explore" / "engine" / "renderer.wasm").read_bytes())
    assert module.imports == []
    text = (ROOT / "fr_explore" / "engine" / "README.md").read_text()
    listed = {line.split("(")[0].strip("| `") for line in text.splitlines() if line.startswith("| `")}
    assert {export.name for export in module.exports} == listed | {"memory"}


def test_the_renderer_runs_without_relaxed_simd():
    """Relaxed SIMD gives other bits on other machines."""
    import wasmtime

    config = wasmtime.Config()
    config.wasm_relaxed_simd = False
    wasmtime.Module(
        wasmtime.Engine(config), (ROOT / "fr_explore" / "engine" / "renderer.wasm").read_bytes()
    )  # a module with a relaxed instruction is invalid here
