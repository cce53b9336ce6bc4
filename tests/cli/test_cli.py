"""The command line: what it prints, what it returns."""

import errno
import importlib.metadata
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fr_explore import cli
from fr_explore.base import cache
from fr_explore.cli import registry_commands
from fr_explore.models import facenet, weights
from fr_explore.models.presets import PRESETS

MODEL = "controlled/drift"  # in closed form, so fast


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


def test_entries_of_version_0_1_are_never_read_and_can_be_deleted_alone(capsys, folder):
    name = cache.key("one")
    cache.store(name, np.zeros((1000, 128), np.float32), {"model": "dlib"})
    (folder / f"embeddings-{cache.FORMAT}").rename(folder / "embeddings")  # where 0.1 kept them
    assert cache.load(name, (1000, 128)) is None
    cache.store(name, np.ones((1000, 128), np.float32), {"model": "dlib"})
    out = run(capsys, "cache", "list")[1]
    assert "of earlier versions, never read: 0.5 MiB; fr-explore cache clear --outdated" in out
    assert run(capsys, "cache", "clear", "--outdated") == (0, "embeddings: 0.5 MiB freed\n", "")
    assert "earlier" not in run(capsys, "cache", "list")[1]
    np.testing.assert_array_equal(cache.load(name, (1000, 128)), np.ones((1000, 128)))


def test_empty_cache(capsys):
    assert "embeddings: 0.0 MiB" in run(capsys, "cache", "list")[1]


@pytest.mark.parametrize(
    "arguments", [(), ("cache",), ("fetch",), ("dance",), ("embed", "x"), ("energy", "x", "--workers", "-2")]
)
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


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> str:
    """A store written by `fr-explore embed`."""
    path = str(tmp_path_factory.mktemp("store") / "run.zarr")
    words = ["embed", "avatars:3", "--model", MODEL, "--attributes", "age,hue", "--curves", "6", "--out", path]
    assert cli.main([*words, "--quiet"]) == 0
    return path


def test_energy_as_text_and_as_json(capsys, store, tmp_path):
    status, out, _ = run(capsys, "energy", store, "--null-draws", "5", "--neighborhood", "knn:3", "--quiet")
    assert status == 0
    assert out.splitlines()[0] == f"{MODEL}, knn:3; 0: all move alike, 1: random"
    table = tmp_path / "rows.csv"
    words = ["energy", store, "--null-draws", "5", "--neighborhood", "knn:3", "--quiet", "--json", "--out", str(table)]
    status, out, _ = run(capsys, *words)
    data = json.loads(out)
    assert {row["attribute"] for row in data["summary"]} == {"age", "hue"}
    assert len(data["rows"]) == 6 == len(pd.read_csv(table))
    assert data["attrs"]["model"] == MODEL
    one = json.loads(run(capsys, *words, "--attribute", "hue")[1])
    assert [r["energy"] for r in one["rows"]] == [r["energy"] for r in data["rows"] if r["attribute"] == "hue"]


def test_progress_goes_to_standard_error(capsys, store):
    _, out, err = run(capsys, "energy", store, "--null-draws", "0", "--neighborhood", "knn:3", "--json")
    json.loads(out)
    assert "energies" in err


def test_photographs_from_embedding_to_rates_and_macroscale(capsys, tmp_path):
    """A folder of images with a table as a spreadsheet writes it; one shows no face, and one is missing."""
    from PIL import Image

    import fr_explore as fr

    people, faces = fr.Avatars(4, seed=0), []
    for i in people.identities:
        for k in range(3):
            people.render(i, {"age": 30 + 5 * k}).to_image().save(tmp_path / f"{i}-{k}.png")
            faces.append({"Bild": f"{i}-{k}.png", "Wer": f"1.{i}0", "bold": 1 if (i + k) % 2 else -1, "rare": ""})
    Image.new("RGB", (160, 160), "grey").save(tmp_path / "wall.png")
    faces += [{**faces[0], "Bild": "wall.png"}, {**faces[0], "Bild": "gone.png"}]
    faces[0]["rare"] = "yes"
    pd.DataFrame(faces).to_csv(tmp_path / "faces.csv", index=False, sep=";")
    path = str(tmp_path / "people.zarr")
    words = ["embed", str(tmp_path), "--table", "faces.csv", "--model", "dlib", "--out", path, "--quiet"]
    status, _, err = run(capsys, *words)
    assert (status, "faces.csv has no column" in err) == (1, True)
    words += ["--column", "file=Bild", "--column", "identity=Wer"]
    status, out, err = run(capsys, *words)
    assert (status, err) == (0, "")
    assert "next: fr-explore verify" in out
    last = "left out: 2 pictures, gone.png: file not found; wall.png: no face found"
    assert out.splitlines()[-1] == last
    assert run(capsys, *words)[1].splitlines()[-1] == last  # nothing left to compute
    stored = fr.load_results(path)["embeddings"]
    assert set(stored["identity"].values.tolist()) == {"1.00", "1.10", "1.20", "1.30"}
    status, out, _ = run(capsys, "verify", path)
    assert (status, out.splitlines()[-1]) == (0, "left out: 1 picture, wall.png")
    data = json.loads(run(capsys, "verify", path, "--json")[1])
    assert 0 <= data["eer"] <= 0.5
    assert data["pictures_left_out"] == ["wall.png"]
    status, out, err = run(capsys, "macroscale", path, "--json", "--permutations", "9")
    assert status == 0, err
    data = json.loads(out)
    assert {row["attribute"]: row["positive"] for row in data["rows"]} == {"bold": 6, "rare": 1}
    assert data["pictures_left_out"] == ["wall.png"]
    pairs = ["links;rechts;gleich", "0-0.png;0-1.png;ja", "0-0.png;1-0.png;nein", "wall.png;0-0.png;ja"]
    (tmp_path / "pairs.csv").write_text("\n".join(pairs))
    words = [
        "verify",
        path,
        "--pairs",
        str(tmp_path / "pairs.csv"),
        "--column",
        "first=links",
        "--column",
        "second=rechts",
    ]
    assert "has no column 'same'" not in run(capsys, *words)[2]  # the identities say it
    _, _, err = run(capsys, *words, "--column", "same=gleich")
    assert "pairs.csv, line 2, field 'gleich': 'ja', expected True or False" in err
    (tmp_path / "pairs.csv").write_text("\n".join(pairs).replace("ja", "same").replace("nein", "different"))
    status, out, _ = run(capsys, *words, "--column", "same=gleich")
    assert status == 0
    assert "left out: 1 pair that names a picture without an embedding" in out
    assert out.splitlines()[-1] == "left out: 1 picture, wall.png"
    status, _, err = run(capsys, *words, "--column", "person=links")
    assert (status, "--column person=links: rename first or second or same" in err) == (1, True)


def test_verify_accepts_pairs_at_exactly_the_threshold(capsys, tmp_path):
    """Genuine pairs at 1, 2, 2, 3 and impostor pairs at 2, 4, 4, 5; a published threshold of 2, and one just below."""
    import xarray as xr

    import fr_explore as fr

    points = np.zeros((16, 2))
    points[1::2, 0] = [1, 2, 2, 3, 2, 4, 4, 5]
    table = {"first": range(0, 16, 2), "second": range(1, 16, 2), "same": [True] * 4 + [False] * 4}
    pd.DataFrame(table).to_csv(tmp_path / "pairs.csv", index=False)
    for name, threshold, rates in (("at", 2.0, [0.25, 0.25]), ("below", float(np.nextafter(2, 0)), [0, 0.75])):
        facts = {"metric": "euclidean", "threshold": threshold}
        path = str(tmp_path / f"{name}.zarr")
        fr.save_results(path, embeddings=xr.DataArray(points, dims=("image", "dim"), attrs=facts))
        data = json.loads(run(capsys, "verify", path, "--pairs", str(tmp_path / "pairs.csv"), "--json")[1])
        published = {row["name"]: row for row in data["rows"]}["published"]
        assert [published[key] for key in ("threshold", "far", "frr")] == [threshold, *rates]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("energy", "STORE", "--attribute", "nose"), "has no attribute nose: it has age, hue"),
        (("verify", "STORE"), "create it with `fr-explore embed ... without --attributes`"),
        (("energy", "nowhere.zarr"), "no such file or folder: 'nowhere.zarr'"),
        (("energy", "STORE", "--neighborhood", "knn:x"), "neighbourhood 'knn:x'"),
        (("embed", "avatars:3", "--model", "dlip", "--out", "x"), "Did you mean 'dlib'?"),
        (("embed", "avatars:3", "--model", "dlib", "--out", "x"), "add --attributes age,hue"),
        (("embed", "avatars:x", "--model", "dlib", "--out", "x"), "write avatars:12"),
        (("embed", "avatars:3", "--model", MODEL, "--card", "arcface", "--out", "x"), "--card is for .onnx files"),
        (
            ("embed", "avatars:3", "--model", MODEL, "--attributes", "age", "--out", "FILE"),
            "not a readable store of results",
        ),
        (("energy", "STORE", "--out", "nowhere/x.csv"), "there is no folder 'nowhere' for 'x.csv': make it"),
        (
            ("energy", "DAMAGED", "--neighborhood", "knn:3", "--quiet"),
            "is damaged, numbers of embedding cannot be read",
        ),
        (("energy", "DAMAGED", "--attribute", "age", "--quiet"), "is damaged, numbers of embedding cannot be read"),
        (("report", MODEL, "--out", "FOLDER"), "is a folder: give the name of a file"),
        (("report", MODEL, "--out", "nowhere/r.html"), "there is no folder 'nowhere' for 'r.html'"),
        (("lab", "FILE"), "Not a directory: check it, or choose another."),
    ],
)
def test_an_error_is_one_line_that_says_what_to_do(capsys, store, words, text, tmp_path):
    places = {
        "STORE": Path(store),
        "FILE": tmp_path / "notes.txt",
        "FOLDER": tmp_path,
        "DAMAGED": tmp_path / "cut.zarr",
    }
    places["FILE"].touch()
    shutil.copytree(store, places["DAMAGED"])
    os.truncate(places["DAMAGED"] / "embeddings" / "embedding" / "1.0.0.0.0", 100)
    before = sorted(tmp_path.iterdir())
    status, out, err = run(capsys, *[str(places.get(word, word)) for word in words])
    assert sorted(tmp_path.iterdir()) == before  # no half-written file
    assert (status, out) == (1, "")
    assert err.startswith("fr-explore: ")
    assert len(err.strip().splitlines()) == 1
    assert text in err


def test_debug_shows_the_trace(capsys):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        cli.main(["energy", "nowhere.zarr", "--debug"])


# a shell that runs the tests in the background lets its children ignore Ctrl-C
STOPPABLE = """import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from fr_explore.cli import main
sys.exit(main(sys.argv[1:]))"""


def test_ctrl_c_loses_nothing(tmp_path):
    """Stopped in the middle: status 130, one line; finished identities are kept, and the same command completes it."""
    import zarr

    path = tmp_path / "run.zarr"
    words = ["embed", "avatars:4", "--model", "dlib", "--attributes", "age", "--curves", "12", "--out", str(path)]
    command = [sys.executable, "-c", STOPPABLE, *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def done() -> np.ndarray:
        return np.asarray(zarr.open_group(str(path), mode="r")["complete"])

    deadline = time.monotonic() + 300
    while not path.exists() or not done().any():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert err.strip().splitlines()[-1].startswith("fr-explore: stopped; finished work is kept")
    kept = int(done().sum())
    assert 0 < kept < 4
    # in a process as before: here, the tests' shape checks are a part of the network's code
    assert subprocess.run([*command, "--quiet"], check=False).returncode == 0
    assert done().tolist() == [1] * 4


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "run.zarr"),
            "'run.zarr': No space left on device: free some disk space; the same command then continues.",
        ),
        (KeyError("x"), "KeyError: 'x' (--debug shows where)"),
    ],
)
def test_an_unforeseen_error_says_what_to_do(capsys, monkeypatch, error, text):
    def fail(options):
        raise error

    monkeypatch.setattr(registry_commands, "models", fail)
    assert run(capsys, "models") == (1, "", f"fr-explore: {text}\n")


def test_ctrl_c_during_energies(tmp_path, store):
    """Stopped in the middle: status 130, finished identities are kept in the store for the same command."""
    path = tmp_path / "run.zarr"
    shutil.copytree(store, path)
    words = ["energy", str(path), "--null-draws", "10000", "--neighborhood", "knn:3", "--json"]
    command = [sys.executable, "-c", STOPPABLE, *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 120
    while not list(path.glob("unfinished-*/*.json")):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, b"")
    assert err.decode().strip().splitlines()[-1].startswith("fr-explore: stopped; finished work is kept")
    assert 1 <= len(list(path.glob("unfinished-*/*.json"))) < 3


def test_doctor(capsys, monkeypatch):
    status, out, _ = run(capsys, "doctor", "--json")
    assert status == 0
    states = {row["what"]: row["state"] for row in json.loads(out)}
    assert states["torch"] == states["avatars"] == states["model"] == states["widgets"] == "ok"
    monkeypatch.setenv("FR_EXPLORE_CACHE", "/proc/nowhere")
    status, _, err = run(capsys, "doctor")
    if os.access("/proc", os.W_OK):  # root may write anywhere; the next test does not depend on it
        return
    assert (status, "set FR_EXPLORE_CACHE" in err) == (1, True)


def test_doctor_finds_a_fault(capsys, monkeypatch):
    from fr_explore.cli import doctor

    monkeypatch.setattr(doctor, "CORE", ("numpy", "no-such-package"))
    status, _, err = run(capsys, "doctor")
    assert status == 1
    assert "1 fault: no-such-package (not installed: pip install --force-reinstall fr-explore)" in err


def test_lab_lays_out_and_never_overwrites(tmp_path, monkeypatch, capsys):
    from fr_explore.cli import lab

    calls = []
    monkeypatch.setattr(lab.subprocess, "call", lambda command: calls.append(command) or 0)
    assert cli.main(["lab", str(tmp_path / "course"), "--no-browser"]) == 0
    first = tmp_path / "course" / "notebooks" / "00-first-light.ipynb"
    assert first.is_file()
    assert f"--ServerApp.root_dir={tmp_path / 'course'}" in calls[0]
    assert "--ServerApp.ip=127.0.0.1" in calls[0]  # and JupyterLab's token, which nothing here disables
    assert not [word for word in calls[0] if "token" in word or "password" in word]
    first.write_text("mine")
    assert cli.main(["lab", str(tmp_path / "course")]) == 0
    assert cli.main(["lab", str(first.parent)]) == 0
    assert first.read_text() == "mine"
    (tmp_path / "other" / "notebooks").mkdir(parents=True)
    (tmp_path / "other" / "notebooks" / "thesis.ipynb").write_text("mine")
    assert cli.main(["lab", str(tmp_path / "other")]) == 1
    assert "is not the course folder and is not empty: choose another folder" in capsys.readouterr().err
    assert len(calls) == 3


@pytest.fixture
def jupyter(monkeypatch):
    """The commands that would start JupyterLab, which ends with `status`."""
    from types import SimpleNamespace

    from fr_explore.cli import lab

    started = SimpleNamespace(commands=[], status=0)
    monkeypatch.setattr(lab.subprocess, "call", lambda command: started.commands.append(command) or started.status)
    monkeypatch.setattr(lab.webbrowser, "get", lambda: None)
    return started


def test_lab_passes_options_on_and_gives_none_twice(tmp_path, jupyter):
    course = str(tmp_path / "course")
    plain = ["lab", course]
    assert (
        cli.main([*plain, "--allow-root", "--ip=0.0.0.0", "--ServerApp.token=secret", "--expose-app-in-browser"]) == 0
    )
    assert cli.main([*plain, "--no-browser", "--", "--notebook-dir", course, "--debug"]) == 0
    words = jupyter.commands[0]
    assert words[-3:] == ["--ip=0.0.0.0", "--ServerApp.token=secret", "--expose-app-in-browser"]
    assert "--allow-root" in words
    assert not [word for word in words if "127.0.0.1" in word]
    assert jupyter.commands[1][-4:] == ["--no-browser", "--notebook-dir", course, "--debug"]
    assert not [word for word in jupyter.commands[1] if "root_dir" in word]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["lab", "--ip", "0.0.0.0"], "unrecognized arguments: --ip; write options of JupyterLab as --name=value"),
        (["lab", "here", "there"], "unrecognized arguments: there; write"),
        (["lab", "--port", "99999"], "invalid port '99999': give a number from 1 to 65535"),
        (["models", "--ip=0.0.0.0"], "unrecognized arguments: --ip=0.0.0.0"),
    ],
)
def test_options_that_are_no_options(words, text, capsys, jupyter):
    with pytest.raises(SystemExit) as caught:
        cli.main(words)
    assert caught.value.code == 2
    assert text in capsys.readouterr().err
    assert not jupyter.commands


def test_lab_says_why_it_did_not_start(tmp_path, jupyter, monkeypatch, capsys):
    import socket

    from fr_explore.cli import lab

    jupyter.status = 1
    words = ["lab", str(tmp_path / "course")]
    monkeypatch.setattr(lab.os, "geteuid", lambda: 0)
    status, _, err = run(capsys, *words)
    assert (status, err.count("as root unless you allow it: add --allow-root")) == (1, 1)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        _, _, err = run(capsys, *words, "--allow-root", "--port", str(port))
        assert f"port {port}: Address already in use: choose another one with --port" in err
    monkeypatch.setattr(lab.os, "geteuid", lambda: 1000)
    _, _, err = run(capsys, *words, "--port", str(port))
    assert "JupyterLab ended with an error: see above" in err


def test_lab_without_a_browser_says_so_and_goes_on(tmp_path, jupyter, monkeypatch, capsys):
    from fr_explore.cli import lab

    def missing():
        raise lab.webbrowser.Error

    monkeypatch.setattr(lab.webbrowser, "get", missing)
    status, _, err = run(capsys, "lab", str(tmp_path / "course"))
    assert status == 0
    assert "no web browser is installed here: open the address that follows" in err
    assert "--no-browser" in jupyter.commands[0]


def test_help_teaches(capsys):
    for words in (["--help"], ["embed", "--help"], ["report", "--help"]):
        with pytest.raises(SystemExit) as caught:
            cli.main(words)
        assert caught.value.code == 0
        assert "fr-explore embed" in (out := capsys.readouterr().out) or "example:" in out


def test_a_closed_pipe_is_not_an_error():
    code = "import sys; from fr_explore.cli import main; sys.exit(main(['cache', 'list']))"
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code], **pipes) as process:
        process.stdout.close()
        assert process.stderr.read().decode() == ""
        assert process.wait() == 0


def test_a_notebook_that_calls_it_keeps_its_own_warnings(capsys):
    shown = warnings.showwarning
    assert run(capsys, "models")[0] == 0
    assert warnings.showwarning is shown


def test_the_command_is_declared():
    import tomllib

    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert project["scripts"] == {"fr-explore": "fr_explore.cli:main"}
    assert importlib.metadata.version("fr-explore") == project["version"]
