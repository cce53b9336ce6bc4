"""Results on disk: what comes back, from which files, and what is refused."""

import contextlib
import dataclasses
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from toy import toy_model

import fr_explore as fr
from fr_explore.scale import results

GOLDEN = Path(__file__).parents[1] / "golden" / "results-1.zarr.zip"


def example() -> dict:
    rng = np.random.default_rng(0)
    embeddings = xr.DataArray(
        rng.normal(size=(2, 2, 5, 3, 4)).astype(np.float32),
        dims=("identity", "attribute", "curve", "step", "dim"),
        coords={
            "identity": ["a", "b <é>"], "attribute": ["age", "hue"], "step": [-1, 0, 1],
            "unit": ("attribute", ["years", ""]),
        },
        name="embedding",
        attrs={"metric": "euclidean", "model": "toy", "threshold": 0.6},
    )  # fmt: skip
    field = fr.vector_field(embeddings)
    return {"embeddings": embeddings, "field": field, "energies": fr.alignment(field, "knn:2", null_draws=3)}


@pytest.mark.parametrize("name", ["run.zarr", "run.zarr.zip"])
def test_round_trip(tmp_path, name):
    nouns = example()
    card = fr.ModelCard(name="toy", title="A toy", input_size=8, dim=4, metric="euclidean", weaknesses=("none", "many"))
    lattice = fr.sample_lattice(fr.Avatars(identities=2, seed=3), ["age"], curves=4, seed=5)
    path = fr.save_results(tmp_path / name, **nouns, models=[card], lattice=lattice, about="for the test")
    back = fr.load_results(path)
    xr.testing.assert_identical(back["embeddings"].load(), nouns["embeddings"])
    xr.testing.assert_identical(back["field"].load(), nouns["field"])
    pd.testing.assert_frame_equal(back["energies"], nouns["energies"], check_dtype=False)
    assert back["energies"].attrs == nouns["energies"].attrs
    np.testing.assert_array_equal(back["lattice"], lattice.base)
    assert back.attrs["schema"] == 1
    assert back.attrs["about"] == "for the test"
    assert back.attrs["models"]["toy"]["weaknesses"] == ["none", "many"]
    assert back.attrs["lattice"]["seed"] == 5
    assert back.attrs["lattice"]["faces"] == "Avatars(identities=2, seed=3)"
    assert set(back.attrs["versions"]) >= {"python", "numpy", "xarray", "fr-explore"}
    assert path.is_file() == name.endswith(".zip")
    assert [entry.name for entry in tmp_path.iterdir()] == [name]  # nothing temporary is left


def test_what_is_loaded_can_be_used_as_what_was_saved(tmp_path):
    nouns = example()
    back = fr.load_results(fr.save_results(tmp_path / "x.zarr", embeddings=nouns["embeddings"]))
    table = fr.alignment(fr.vector_field(back["embeddings"]), "knn:2", null_draws=3)
    pd.testing.assert_frame_equal(table, nouns["energies"])


def test_a_file_of_the_first_schema_is_read_years_later():
    """Written once by `python tests/test_results.py`, and not again."""
    back, nouns = fr.load_results(GOLDEN), example()
    assert back.attrs["schema"] == 1
    assert back.attrs["models"]["dlib"]["licence"].startswith("CC0 1.0")
    xr.testing.assert_identical(back["embeddings"], nouns["embeddings"])
    assert list(back["energies"].columns) == ["attribute", "energy", "identity"]
    assert back["energies"]["energy"].tolist() == [0.25, 0.5]
    assert back["energies"].attrs == {"neighborhood": "knn:10", "seed": 0}


@settings(max_examples=10, deadline=None)
@given(
    st.dictionaries(
        st.text(min_size=1, max_size=8),
        st.lists(st.one_of(st.floats(width=64), st.integers(-(2**62), 2**62), st.booleans()), min_size=3, max_size=3),
        min_size=1,
        max_size=3,
    ),
    st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=3, max_size=3),
)  # fmt: skip
def test_any_table_of_numbers_and_text(tmp_path_factory, columns, words):
    safe = {f"c{i}": np.array(values) for i, values in enumerate(columns.values())}
    table = pd.DataFrame({**safe, "words": [word.rstrip("\0") for word in words]})
    table.attrs = {"names": list(columns)}
    folder = tmp_path_factory.mktemp("any")
    back = fr.load_results(fr.save_results(folder / "t.zarr", t=table))["t"]
    pd.testing.assert_frame_equal(back, table, check_dtype=False)
    assert back.attrs == table.attrs


def test_nothing_is_overwritten_and_nothing_half_written(tmp_path):
    path = fr.save_results(tmp_path / "x.zarr", t=pd.DataFrame({"a": [1]}))
    with pytest.raises(FileExistsError, match="exists: give another name"):
        fr.save_results(path, t=pd.DataFrame({"a": [2]}))
    with pytest.raises(ValueError, match=r"'a' of t holds neither numbers nor text throughout"):
        fr.save_results(tmp_path / "y.zarr", t=pd.DataFrame({"a": [object(), 1]}))
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.zarr"]


@pytest.mark.parametrize(
    ("given", "text"),
    [({}, "no results to save"), ({"t": [1]}, "t is a list"), ({"a b": pd.DataFrame()}, "cannot name")],
)
def test_what_cannot_be_saved(tmp_path, given, text):
    with pytest.raises(ValueError, match=text):
        fr.save_results(tmp_path / "x.zarr", given)


def test_other_files_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file or folder"):
        fr.load_results(tmp_path / "nothing.zarr")
    (tmp_path / "text.zip").write_text("no zip")
    with pytest.raises(ValueError, match="is not a readable store of results"):
        fr.load_results(tmp_path / "text.zip")
    example()["embeddings"].to_dataset().astype({"embedding": "f4"}).drop_vars(
        ["identity", "attribute", "unit"]
    ).to_zarr(tmp_path / "other.zarr", zarr_format=2, consolidated=False)
    with pytest.raises(ValueError, match="it names no schema"):
        fr.load_results(tmp_path / "other.zarr")


def edit(path: Path, change) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_a_newer_schema_says_what_to_do(tmp_path):
    path = fr.save_results(tmp_path / "x.zarr", t=pd.DataFrame({"a": [1]}))
    edit(path / ".zattrs", lambda attrs: attrs.update(schema=2))
    with pytest.raises(
        ValueError, match=r"has schema 2, this version of fr-explore reads up to 1: pip install --upgrade"
    ):
        fr.load_results(path)


class Boom:
    """Unpickling it leaves a trace."""

    def __reduce__(self):
        return Path.touch, (Path("boom"),)


def trapped(tmp_path) -> Path:
    """A store of ours, one array of which was changed to hold a pickle."""
    path = fr.save_results(tmp_path / "x.zarr", t=pd.DataFrame({"a": ["x", "y"]}))
    codecs = [{"id": "vlen-utf8"}, {"id": "pickle"}]
    edit(path / "t" / "a" / ".zarray", lambda m: m.update(dtype="|O", filters=codecs, compressor=None, fill_value=""))
    (path / "t" / "a" / "0").write_bytes(pickle.dumps(Boom()))
    return path


def test_a_store_that_would_run_code_is_refused_unread(tmp_path, monkeypatch):
    """Also if numcodecs is set to unpickle, as its older versions do."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("numcodecs.pickles.ALLOW_UNSAFE_PICKLE_DECODE", True)
    path = trapped(tmp_path)
    with pytest.raises(ValueError, match="t/a asks for pickle, vlen-utf8, which can run code"):
        fr.load_results(path)
    assert not (tmp_path / "boom").exists()
    with contextlib.suppress(TypeError, ValueError, AttributeError):  # raised only after the code has run
        zarr.open_array(str(path / "t" / "a"), mode="r")[:]
    assert (tmp_path / "boom").exists()  # the trap works, so the refusal prevents something


def test_damage_is_named(tmp_path):
    path = fr.save_results(tmp_path / "x.zarr.zip", **example())
    data = bytearray(path.read_bytes())
    data[len(data) // 2 :] = b"\0" * (len(data) - len(data) // 2)
    path.write_bytes(data)
    with pytest.raises(ValueError, match="is not a readable store of results"):
        fr.load_results(path)
    path.write_bytes(b"")
    with pytest.raises(ValueError, match="is not a readable store of results"):
        fr.load_results(path)


@pytest.mark.parametrize("name", ["../escaped/.zgroup", "../../escaped/.zgroup", "/absolute/.zarray"])
def test_names_in_an_archive_cannot_leave_it(tmp_path, name):
    path = fr.save_results(tmp_path / "in" / "in" / "x.zarr.zip", t=pd.DataFrame({"a": [1]}))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, json.dumps({"zarr_format": 2}))
    with contextlib.suppress(ValueError):
        fr.load_results(path)
    assert [entry.name for entry in tmp_path.rglob("*")] == ["in", "in", "x.zarr.zip"]


ODD_NAMES = [
    "age/young",
    "a\\b",
    ".",
    "",
    ".zattrs",
    "x" * 300,
    "con",
    "NUL.txt",
    "a:b",
    " a ",
    "Male",
    "male",
    "_0",
    "é",
    "1",
]


@pytest.mark.parametrize("name", ["x.zarr", "x.zarr.zip"])
def test_names_that_no_file_could_have(tmp_path, name):
    table = pd.DataFrame({column: [k, k + 1] for k, column in enumerate(ODD_NAMES)})
    values = xr.DataArray(
        np.arange(6.0).reshape(2, 3), dims=("a/b", "image"),
        coords={"a/b": ["x", "y"], "is/it": ("image", [1, 2, 3])}, name="the/values",
    )  # fmt: skip
    back = fr.load_results(fr.save_results(tmp_path / name, t=table, values=values, both=values.to_dataset()))
    pd.testing.assert_frame_equal(back["t"], table)
    xr.testing.assert_identical(back["values"].load(), values)
    xr.testing.assert_identical(back["both"].load(), values.to_dataset())


def test_a_label_with_a_slash_reaches_the_store(tmp_path):
    for k in range(2):
        fr.Avatars(2, seed=0).render(k, size=40).to_image().save(tmp_path / f"{k}.png")
    (tmp_path / "t.csv").write_text("file,identity,young/old\n0.png,a,1\n1.png,b,0\n")
    images = dataclasses.replace(fr.read_labelled(tmp_path, "t.csv"), landmarks=np.full((2, 5, 2), 20) + np.eye(5, 2))
    for _ in range(2):
        found = fr.embed(images, toy_model(), store=tmp_path / "run.zarr", progress=False)
        assert found["young/old"].values.tolist() == [1, -1]


def test_a_zip_with_the_folder_of_the_store_inside(tmp_path):
    nouns = example()
    fr.save_results(tmp_path / "run.zarr", **nouns)
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX" / "._.zgroup").write_bytes(b"\0")
    with zipfile.ZipFile(tmp_path / "sent.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(tmp_path.rglob("*")):
            if path.name != "sent.zip":
                archive.write(path, path.relative_to(tmp_path))
    back = fr.load_results(tmp_path / "sent.zip")
    assert set(back) == set(nouns)
    xr.testing.assert_identical(back["embeddings"], nouns["embeddings"])
    table = fr.alignment(tmp_path / "sent.zip", "knn:2", null_draws=3, progress=False)
    pd.testing.assert_frame_equal(table, nouns["energies"])


def test_files_of_the_system_in_a_store(tmp_path):
    nouns = example()
    path = fr.save_results(tmp_path / "x.zarr", **nouns)
    for folder in (path, path / "embeddings", path / "embeddings" / "embedding"):
        for name in (".DS_Store", "._a", "Thumbs.db", "desktop.ini"):
            (folder / name).write_bytes(b"\0\1")
    xr.testing.assert_identical(fr.load_results(path)["embeddings"].load(), nouns["embeddings"])


def test_paths(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RUNS", str(tmp_path))
    table = pd.DataFrame({"a": [1]})
    assert fr.save_results("~/x.zarr", t=table) == tmp_path / "x.zarr"
    assert set(fr.load_results("$RUNS/x.zarr")) == {"t"}
    assert results.writable("~/out.csv") == tmp_path / "out.csv"
    for call in (fr.load_results, results.writable, lambda path: fr.save_results(path, t=table)):
        with pytest.raises(ValueError, match="is an address, but only files on this machine"):
            call("s3://bucket/x.zarr")
    long = fr.save_results(tmp_path / ("x" * 250 + ".zip"), t=table)
    assert set(fr.load_results(long)) == {"t"}


def test_without_zarr_the_extra_is_named(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(ImportError, match=r'Saving results needs .*pip install "fr-explore\[zarr\]"'):
        fr.save_results(tmp_path / "x.zarr", t=pd.DataFrame({"a": [1]}))


if __name__ == "__main__":  # the fixture
    GOLDEN.unlink(missing_ok=True)
    energies = pd.DataFrame({"attribute": ["age", "hue"], "energy": [0.25, 0.5], "identity": ["a", "a"]})
    energies.attrs = {"neighborhood": "knn:10", "seed": 0}
    card = fr.load_model("dlib", device="cpu")
    fr.save_results(GOLDEN, embeddings=example()["embeddings"], energies=energies, models=[card])
    print(GOLDEN, GOLDEN.stat().st_size, results.SCHEMA)
