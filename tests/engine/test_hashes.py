"""The same bits in every host: pinned hashes of pictures in wasmtime and in Node; `tests/widgets` has the browsers."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from pin_hashes import PATH, cases, hashed

from fr_explore.engine.host import Renderer
from fr_explore.faces.avatars.source import Avatars, head_blob, person_blob

PINNED = json.loads(PATH.read_text())
HASHES = ("picture", "bytes", "landmarks")
SCRIPT = Path(__file__).with_name("hashes.mjs")
MODULE = Path(__file__).parents[2] / "fr_explore" / "engine" / "renderer.wasm"


def test_the_pinned_cases_are_those_of_the_script():
    assert [{k: v for k, v in case.items() if k not in HASHES} for case in PINNED] == cases()


def test_wasmtime_reproduces_the_pinned_pictures():
    renderer = Renderer()
    for case in PINNED:
        assert hashed(renderer, case) == {name: case[name] for name in HASHES}, case


def test_avatars_are_these_pictures():
    case = PINNED[1]
    from pin_hashes import digest

    face = Avatars(12, case["seed"]).render(case["identity"], case["parameters"], case["size"])
    assert digest(face.pixels) == case["picture"]


def test_node_reproduces_the_pinned_pictures(tmp_path):
    node = shutil.which("node")
    if node is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("install Node.js to compare another host")
    (tmp_path / "head").write_bytes(head_blob())
    for case in PINNED:
        (tmp_path / f"person{case['identity']}").write_bytes(person_blob(case["seed"], case["identity"]))
    command = [node, str(SCRIPT), str(MODULE), str(PATH), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [{name: case[name] for name in HASHES} for case in PINNED]
