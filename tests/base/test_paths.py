"""Paths of callers, names of files as text, and names in tables that mean a file."""

import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fr_explore as fr
from fr_explore.base import cache
from fr_explore.base.paths import Names, as_path, is_system_file, loose, shown
from fr_explore.cli import main

ODD = "jos\udce9 \n.png"  # what Python makes of a name in Latin-1


def test_home_and_variables(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DATA", str(tmp_path / "data"))
    assert as_path("~/faces") == tmp_path / "home" / "faces"
    assert as_path(Path("~")) == tmp_path / "home"
    assert as_path("$DATA/x") == as_path("${DATA}/x") == tmp_path / "data" / "x"
    assert as_path(b"a/b") == as_path(os.fsencode("a/b")) == Path("a/b")
    assert as_path("price$.csv") == Path("price$.csv")
    (tmp_path / "$DATA").mkdir()
    assert as_path("$DATA") == Path("$DATA")  # there is one of this name


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        ("s3://bucket/run.zarr", ValueError, "'s3://bucket/run.zarr' is an address, but only files on this machine"),
        (Path("gs://bucket/a"), ValueError, "'gs:/bucket/a' is an address"),
        ("file:///tmp/a", ValueError, "is an address"),
        ("", ValueError, "store = '' is not a name of a file or folder"),
        ("a\0b", ValueError, "is not a name of a file or folder"),
        ("$NO_SUCH_VARIABLE/run", ValueError, "NO_SUCH_VARIABLE is not known on this machine"),
        ("~no_such_user/run", ValueError, "~no_such_user is not known on this machine"),
        (3, TypeError, "store is of type int: give a path"),
    ],
)
def test_what_is_not_a_path(value, kind, message):
    with pytest.raises(kind, match=message.replace("$", r"\$")):
        as_path(value, "store")


@given(st.text(st.characters(), max_size=20))
def test_shown_names_can_be_written_anywhere(name):
    text = shown(name)
    text.encode("utf-8")
    assert len(text.splitlines()) <= 1
    assert shown(text) == text
    plain = unicodedata.normalize("NFC", name)
    assert text == plain or any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in plain)


def test_shown():
    assert shown(ODD) == "jos\\xe9 \\n.png"
    assert shown("jose\u0301") == "jos\u00e9"
    assert [
        name for name in (".DS_Store", "._a.jpg", "Thumbs.db", "a.jpg", "__MACOSX") if not is_system_file(name)
    ] == ["a.jpg"]


def make(folder: Path, *names: str) -> Names:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    return Names(folder)


@pytest.mark.parametrize(
    ("disk", "table"),
    [
        ("a.png", "a.png"),
        ("sub/a.png", "./sub//a.png"),
        ("sub/a.png", "sub\\a.png"),
        ("sub\\a.png", "sub\\a.png"),  # a zip of Windows, unpacked on Linux
        ("Bob.JPG", "bob.jpg"),
        ("Jose\u0301/x.png", "Jos\u00e9/x.png"),
        ("Jos\u00e9/x.png", "jose\u0301/X.PNG"),
        ("a.png ", "a.png"),
        ("Bild\u202f1.png", "Bild 1.png"),
        (ODD, "jos\u00e9 \n.png"),
        (ODD, shown(ODD)),
        ("con.png", "con.png"),
    ],
)
def test_spellings(tmp_path, disk, table):
    assert make(tmp_path, disk, "other.png").find(table) == disk


def test_names_that_are_not_found(tmp_path):
    names = make(tmp_path, "A.png", "a.PNG", "b.png", "file.png")
    assert names.find("a.PNG") == "a.PNG"  # exact names come first
    for name, reason in {
        "a.png": r"it could mean any of 'A.png', 'a.PNG'",
        "c.png": "^file not found$",
        "b.png/x": "^file not found$",
        "no/x": "^file not found$",
        "x" * 300: "^file not found$",
        "b.jpg": "^file not found$",
    }.items():
        with pytest.raises(LookupError, match=reason):
            names.find(name)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "out").symlink_to(tmp_path)
    with pytest.raises(LookupError, match="a link that leads out of the folder"):
        Names(tmp_path / "in").find("out/b.png")


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12))
def test_all_spellings_of_a_name_are_alike(name):
    spellings = [name, name.upper().lower(), *(unicodedata.normalize(form, name) for form in ("NFC", "NFD"))]
    assert {loose(one) for one in (name, *spellings[2:], f" {name} ")} == {loose(name)}


CALLS = {
    "embed": lambda path: fr.embed(fr.sample_lattice(fr.Avatars(1), ["age"], curves=1), None, store=path),
    "load_results": fr.load_results,
    "save_results": lambda path: fr.save_results(path, table=pd.DataFrame({"a": [1]})),
    "alignment": lambda path: fr.alignment(path, "knn:2"),
    "read_celeba": fr.read_celeba,
    "read_lfw": fr.read_lfw,
    "pairs": lambda path: fr.read_lfw(os.curdir, path),
    "read_labelled": lambda path: fr.read_labelled(path, "t.csv"),
    "table": lambda path: fr.read_labelled(os.curdir, path),
    "read_lattice": fr.read_lattice,
    "Photographs": fr.Photographs,
    "Photographs of one": lambda path: fr.Photographs({"anna": [path]}),
    "load_model": lambda path: fr.load_model(path),
    "report": lambda path: fr.report(["dlib"], fr.Avatars(2), path),
    "cache": lambda path: os.environ.__setitem__("FR_EXPLORE_CACHE", path) or cache.folder(),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_every_function_refuses_addresses_in_words(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FR_EXPLORE_CACHE", str(tmp_path))
    folder = tmp_path / "Anna"
    folder.mkdir()
    (folder / "Anna_0001.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"'s3://bucket/faces.onnx' is an address, but only files on this machine"):
        CALLS[name]("s3://bucket/faces.onnx")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["Anna", "Anna_0001.png"]


@pytest.mark.parametrize(
    "words",
    [
        ["energy", "s3://b/x"], ["embed", "s3://b/x", "--model", "dlib", "--out", "x"], ["lab", "s3://b/x"],
        ["report", "dlib", "--out", "s3://b/x.html"], ["macroscale", "s3://b/x"],
    ],
)  # fmt: skip
def test_commands_refuse_addresses_in_one_line(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 1
    assert "is an address, but only files on this machine can be used" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_terminal_that_lacks_a_letter(tmp_path):
    """Standard output in ASCII, and a folder whose name is not UTF-8."""
    place = tmp_path / "jos\udce9"
    code = "import sys; from fr_explore.cli import main; sys.exit(main(['cache', 'list']))"
    environment = os.environ | {"FR_EXPLORE_CACHE": str(place), "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"jos\\udce9" in done.stdout
