"""A store follows its pictures: after any change it holds what an embedding without a store would give."""

import os
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from toy import toy_model

import fr_explore as fr
from fr_explore.embedding import embed
from fr_explore.faces.datasets import labelled
from fr_explore.faces.datasets.labelled import LabelledImages
from fr_explore.faces.photographs.detect import Detection

POINTS = np.array([[11, 13], [21, 13], [16, 18], [12, 23], [20, 23]], np.float32)


@pytest.fixture(autouse=True)
def two_at_a_time(monkeypatch):
    monkeypatch.setattr(embed, "_CHUNK", 2)


@pytest.fixture
def counted(monkeypatch):
    """A model, and the pictures that were read for it."""
    faces, plain = [], LabelledImages.face
    monkeypatch.setattr(LabelledImages, "face", lambda self, i, size: faces.append(i) or plain(self, i, size))
    return toy_model(), faces


def paint(path: Path, seed: int) -> None:
    """A picture whose file always has the same size and time."""
    noise = np.random.default_rng(seed).integers(0, 256, (32, 32, 3), np.uint8)
    Image.fromarray(noise).save(path, "BMP")
    os.utime(path, (1, 1))


def pictures(folder: Path, names: dict[str, str] | list[str], **more) -> LabelledImages:
    people = names if isinstance(names, dict) else dict.fromkeys(names, "x")
    table = pd.DataFrame({"file": list(people), "identity": list(people.values())})
    points = None if "choose" in more else np.repeat(POINTS[None], len(table), 0) + more.pop("shift", 0)
    return LabelledImages(folder, table, landmarks=points, **more)


def stored(images, model, path, **more):
    return fr.embed(images, model, store=path, size=32, progress=False, **more)


def assert_follows(images, model, path, **more):
    """The store gives what there is without it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        right = fr.embed(images, model, cache=False, size=32, progress=False)
        found = stored(images, model, path, **more)
    assert found.file.values.tolist() == right.file.values.tolist()
    assert found.identity.values.tolist() == right.identity.values.tolist()
    np.testing.assert_allclose(found.values, right.values, atol=1e-6)
    for name in ("left_out", "problems", "images"):
        assert found.attrs[name] == right.attrs[name]
    kept = fr.load_results(path)["embeddings"]
    assert kept.file.values[kept.usable.values].tolist() == right.file.values.tolist()


@pytest.fixture
def five(tmp_path):
    for k in range(5):
        paint(tmp_path / f"{k}.bmp", k)
    return pictures(tmp_path, [f"{k}.bmp" for k in range(5)])


def test_only_what_has_changed_is_computed(five, counted, tmp_path):
    model, faces = counted
    run = tmp_path / "run.zarr"
    stored(five, model, run)
    assert len(faces) == 5
    stored(five, model, run)
    assert len(faces) == 5
    paint(tmp_path / "3.bmp", 33)  # as large and as old as the one before
    found = stored(five, model, run)
    assert len(faces) == 6
    assert len({row.tobytes() for row in found.values}) == 5
    assert_follows(five, model, run)


def test_repaired_and_vanished_pictures(five, tmp_path):
    model, run, whole = toy_model(), tmp_path / "run.zarr", (tmp_path / "1.bmp").read_bytes()
    (tmp_path / "1.bmp").write_bytes(whole[:500])
    (tmp_path / "4.bmp").unlink()
    for _ in range(2):  # the second call knows the reasons, too
        with pytest.warns(
            UserWarning, match=r"2 of 5 pictures are left out: 1.bmp: damaged: .*; 4.bmp: file not found\."
        ):
            found = stored(five, model, run)
        assert found.file.values.tolist() == ["0.bmp", "2.bmp", "3.bmp"]
        assert found.attrs["problems"].splitlines()[1] == "4.bmp: file not found"
    (tmp_path / "1.bmp").write_bytes(whole)
    (tmp_path / "0.bmp").unlink()
    assert_follows(five, model, run)
    paint(tmp_path / "0.bmp", 0)
    paint(tmp_path / "4.bmp", 4)
    assert_follows(five, model, run)


def test_no_face_is_final_for_a_content_and_other_reasons_are_tried_again(five, monkeypatch, tmp_path):
    """A file that needs a plug-in can be read later; a file without a face has none on the next day."""
    looked = []

    def find_faces(pixels):
        looked.append(int(pixels[0, 0, 0]))
        return [] if len(looked) == 1 else [Detection((0, 0, 32, 32), POINTS, 1.0)]

    monkeypatch.setattr(labelled, "find_faces", find_faces)
    images, model, run = pictures(tmp_path, ["0.bmp", "1.bmp"], choose="largest"), toy_model(), tmp_path / "run.zarr"
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    for _ in range(2):
        with pytest.warns(UserWarning, match="1 of 2 pictures are left out: 0.bmp: no face found"):
            assert stored(images, model, run).file.values.tolist() == ["1.bmp"]
        assert len(looked) == 2
    paint(tmp_path / "0.bmp", 7)
    assert stored(images, model, run).sizes["image"] == 2
    monkeypatch.setattr(LabelledImages, "face", lambda self, i, size: (_ for _ in ()).throw(ValueError("no plug-in")))
    paint(tmp_path / "1.bmp", 8)
    with pytest.warns(UserWarning, match="1.bmp: no plug-in"):
        stored(images, model, run)
    monkeypatch.undo()
    monkeypatch.setattr(labelled, "find_faces", find_faces)
    assert stored(images, model, run).sizes["image"] == 2


@pytest.mark.parametrize("change", ["landmarks", "choose", "detector"])
def test_what_decides_the_portrait_is_in_the_store(five, change, monkeypatch, tmp_path):
    near, far = (Detection((0, 0, 20, 20), POINTS + shift, 1.0) for shift in (0, -9))
    monkeypatch.setattr(labelled, "find_faces", lambda pixels: [far, near])
    names, run, model = ["0.bmp", "1.bmp"], tmp_path / "run.zarr", toy_model()
    first = pictures(tmp_path, names) if change == "landmarks" else pictures(tmp_path, names, choose="largest")
    before = stored(first, model, run).values
    if change == "detector":
        monkeypatch.setattr(labelled, "DETECTOR", "a better one")
        monkeypatch.setattr(labelled, "find_faces", lambda pixels: [near])
    more = {"landmarks": {"shift": 3}, "choose": {"choose": "central"}, "detector": {"choose": "largest"}}[change]
    monkeypatch.setattr(Detection, "offset", lambda self, width, height: self is far)
    second = pictures(tmp_path, names, **more)
    assert_follows(second, model, run)
    assert np.abs(stored(second, model, run).values - before).max() > 1e-3


def test_added_and_removed_pictures(five, counted, tmp_path):
    model, faces = counted
    run, images = tmp_path / "run.zarr", five
    stored(images.take(slice(0, 3)), model, run)
    paint(tmp_path / "9.bmp", 9)
    more = pictures(tmp_path, {"9.bmp": "new", **{f"{k}.bmp": "renamed" for k in range(5)}})
    faces.clear()
    stored(more, model, run)
    assert len(faces) == 3
    assert_follows(more, model, run)
    faces.clear()
    with pytest.warns(UserWarning, match=r"^9.bmp, 2.bmp: no longer among the pictures of .*run.zarr"):
        found = stored(images.take([0, 1, 3, 4]), model, run)
    assert faces == []
    assert found.file.values.tolist() == ["0.bmp", "1.bmp", "3.bmp", "4.bmp"]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".fr-explore")]


def test_other_pictures_models_and_sizes_are_refused(five, tmp_path):
    run = tmp_path / "run.zarr"
    stored(five, toy_model(), run)
    with pytest.raises(
        ValueError, match=r"holds embeddings of other pictures: 3 of its 5 are not among these, such as"
    ):
        stored(five.take([0, 1]), toy_model(), run)
    for model, size in ((toy_model(seed=1), 32), (toy_model(), 40)):
        with pytest.raises(ValueError, match="other pictures, another model or another size"):
            fr.embed(five, model, store=run, size=size, progress=False)
    assert stored(five, toy_model(), run).sizes["image"] == 5


def test_a_store_of_another_folder_with_the_same_names(five, tmp_path):
    (tmp_path / "b").mkdir()
    for k in range(5):
        paint(tmp_path / "b" / f"{k}.bmp", 50 + k)
    stored(five, toy_model(), tmp_path / "run.zarr")
    assert_follows(pictures(tmp_path / "b", five.table.file.tolist()), toy_model(), tmp_path / "run.zarr")


def test_a_call_that_was_stopped_leaves_no_wrong_row(five, monkeypatch, tmp_path):
    """The old picture comes back after a stop between its successor's hash and embedding."""
    model, run, old = toy_model(), tmp_path / "run.zarr", (tmp_path / "2.bmp").read_bytes()
    stored(five, model, run)
    paint(tmp_path / "2.bmp", 22)

    def stopped(*given, **more):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(LabelledImages, "face", stopped)
        with pytest.raises(KeyboardInterrupt):
            stored(five, model, run)
    assert not np.asarray(zarr.open_group(str(run), mode="r")["content"])[2].any()
    (tmp_path / "2.bmp").write_bytes(old)
    assert_follows(five, model, run)


CHANGES = st.lists(st.tuples(st.sampled_from(["paint", "cut", "remove", "rename"]), st.integers(0, 4)), max_size=5)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(CHANGES, min_size=1, max_size=3))
def test_any_changes(two_at_a_time, tmp_path_factory, rounds):
    folder, model = tmp_path_factory.mktemp("any"), toy_model()
    names = dict.fromkeys([f"{k}.bmp" for k in range(5)], "a")
    for k, name in enumerate(names):
        paint(folder / name, k)
    stored(pictures(folder, names), model, folder / "run.zarr")
    for number, changes in enumerate(rounds, 1):
        for kind, k in changes:
            path = folder / f"{k}.bmp"
            if kind == "paint":
                paint(path, 10 * number + k)
            elif kind == "rename":
                names[path.name] += "b"
            elif kind == "cut" and path.exists():
                path.write_bytes(path.read_bytes()[:900])
            elif kind == "remove" and k != 0:  # one is always there
                path.unlink(missing_ok=True)
        paint(folder / "0.bmp", number)
        assert_follows(pictures(folder, names), model, folder / "run.zarr")
