"""The command line: what it prints, what it returns."""

import importlib.metadata
import subprocess
import sys

import pytest

from fr_explore import cache, cli
from fr_explore.models import facenet, weights
from fr_explore.models.presets import PRESETS


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FR_EXPLORE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path / "cache"


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    status = cli.main(arguments)
    return status, *capsys.readouterr()


def test_models_with_licences(capsys):
    status, out, _ = run(capsys, "models")
    assert status == 0
    for name in ("dlib", "facenet-vggface2", "facenet-casia-webface", "CC0", "MIT", "calibrate", *PRESETS):
        assert name in out


def test_fetch_of_what_is_there_already(capsys):
    status, out, _ = run(capsys, "fetch", "dlib")
    assert status == 0
    assert out.startswith("dlib: verified, ")
    assert out.strip().endswith(".dat")


def test_fetch_offline_fails_with_the_way_out(capsys, monkeypatch, folder):
    import dataclasses

    file = facenet.FILES["facenet-vggface2"]
    monkeypatch.setitem(facenet.FILES, file.model, dataclasses.replace(file, url="http://127.0.0.1:9/x.pt"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    status, out, err = run(capsys, "fetch", "facenet-vggface2", "--quiet")
    assert (status, out) == (1, "")
    assert err.startswith("fr-explore: the weights of 'facenet-vggface2': they are not on this machine")
    assert str(folder / "weights") in err


def test_misspelt_model_before_any_download(capsys):
    status, out, err = run(capsys, "fetch", "dlib", "facenet-vgface2")
    assert (status, out) == (1, "")
    assert "Did you mean 'facenet-vggface2'?" in err


def test_cache_listed_and_cleared(capsys, folder):
    import numpy as np

    cache.store(cache.key("one"), np.zeros((1000, 128), np.float32), {"model": "dlib"})
    weights.folder().mkdir(parents=True)
    (weights.folder() / "net.pt").write_bytes(bytes(2**21))
    status, out, _ = run(capsys, "cache", "list")
    assert status == 0
    assert str(folder) in out
    assert "dlib: 1,000 faces in 1 files, 0.5 MiB" in out
    assert "net.pt: 2.0 MiB" in out
    assert run(capsys, "cache", "clear") == (0, "embeddings: 0.5 MiB freed\n", "")
    assert cache.size() == 0
    assert (weights.folder() / "net.pt").exists()
    assert "weights: 2.0 MiB freed" in run(capsys, "cache", "clear", "--weights")[1]
    assert weights.fetched() == []


def test_empty_cache(capsys):
    assert "embeddings: 0.0 MiB" in run(capsys, "cache", "list")[1]


@pytest.mark.parametrize("arguments", [(), ("cache",), ("fetch",), ("dance",)])
def test_wrong_use(capsys, arguments):
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert "usage: fr-explore" in capsys.readouterr().err


def test_help_stays_light():
    code = "import sys; from fr_explore import cli\n"
    code += "try: cli.main(['--help'])\nexcept SystemExit: print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("False")


def test_the_command_is_declared():
    import tomllib
    from pathlib import Path

    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]
    assert project["scripts"] == {"fr-explore": "fr_explore.cli:main"}
    assert importlib.metadata.version("fr-explore") == project["version"]
