"""What a page is given of the engine, without a browser."""

import gzip
import hashlib
import os
import re
import shutil
import subprocess

import pytest
import wasmtime

from fr_explore_widgets.core.engine import compressed, engine_parts


def test_a_blob_and_its_key():
    key, data = compressed(b"a person" * 1000)
    assert gzip.decompress(data) == b"a person" * 1000
    assert len(data) < 200
    assert key == hashlib.sha256(b"a person" * 1000).hexdigest()[:16]
    assert compressed(b"a person" * 1000) == (key, data)  # no time of day in it


def test_the_parts():
    parts = engine_parts()
    assert set(parts) == {"id", "worker", "renderer", "network", "network_relaxed"}
    for name in ("renderer", "network"):
        wasmtime.Module.validate(wasmtime.Engine(), gzip.decompress(parts[name]))
    assert sum(len(data) for name, data in parts.items() if name != "id") < 80_000


def test_the_worker_is_one_classic_script(tmp_path):
    """Chromium refuses module workers in a page from disk."""
    script = gzip.decompress(engine_parts()["worker"]).decode()
    assert not re.search(r"^\s*(import|export)\b", script, re.MULTILINE)
    if shutil.which("node") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("Node checks the syntax: apt-get install nodejs")
    (tmp_path / "worker.cjs").write_text(script)
    done = subprocess.run(["node", "--check", "worker.cjs"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
