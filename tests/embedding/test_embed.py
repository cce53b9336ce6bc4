import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from PIL import Image
from skimage import data

import fr_explore as fr
from fr_explore.base import cache
from fr_explore.embedding import embed as embedding


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FR_EXPLORE_CACHE", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def lattice(avatars):
    return fr.sample_lattice(avatars, ["age", "illumination"], curves=3, seed=0)


def test_embeddings_are_those_of_the_faces(lattice, dlib_model, own_cache):
    embeddings = fr.embed(lattice, dlib_model, size=96, progress=False)
    assert embeddings.dims == ("identity", "attribute", "curve", "step", "dim")
    assert embeddings.shape == (*lattice.shape, 128)
    assert embeddings.dtype == np.float32
    for i, a, c, s in [(0, 0, 0, 0), (1, 1, 2, 1), (2, 0, 1, 2), (2, 1, 0, 0)]:
        face = lattice.faces.render(lattice.identities[i], lattice.strengths(i, a, c, s), size=96)
        np.testing.assert_allclose(embeddings[i, a, c, s], dlib_model.embed(face)[0], atol=1e-5)


def test_labels_and_facts(lattice, dlib_model, own_cache):
    embeddings = fr.embed(lattice, dlib_model, size=96, progress=False)
    assert embeddings.step.values.tolist() == [-1, 0, 1]
    assert embeddings.attribute.values.tolist() == ["age", "illumination"]
    assert embeddings.sel(attribute="age").step_size == lattice.faces.attributes["age"].step
    assert embeddings.attrs["metric"] == "euclidean"
    assert embeddings.attrs["model"] == "dlib"
    assert embeddings.attrs["threshold"] == 0.6
    assert all(isinstance(value, (str, int, float)) for value in embeddings.attrs.values())


def test_second_call_reads_the_cache(lattice, dlib_model, own_cache, monkeypatch):
    first = fr.embed(lattice, dlib_model, size=96, progress=False)
    assert cache.size() > 0

    def broken(*args, **kwargs):
        raise AssertionError("the network was asked again")

    monkeypatch.setattr(type(dlib_model), "embed", broken)
    xr.testing.assert_identical(first, fr.embed(lattice, dlib_model, size=96, progress=False))
    with pytest.raises(AssertionError, match="asked again"):
        fr.embed(lattice, dlib_model, size=96, progress=False, cache=False)
    with pytest.raises(AssertionError, match="asked again"):
        fr.embed(lattice, dlib_model, size=100, progress=False)


def test_an_interrupted_run_goes_on_where_it_stopped(avatars, dlib_model, own_cache, monkeypatch):
    monkeypatch.setattr(embedding, "_BLOCK", 1)
    lattice = fr.sample_lattice(avatars, ["hue"], curves=2, seed=3)
    embed_faces, calls = type(dlib_model).embed, []

    def interrupted(self, faces, batch_size):
        if len(calls) == 3:
            raise KeyboardInterrupt
        calls.append(len(faces))
        return embed_faces(self, faces, batch_size)

    with monkeypatch.context() as patch:
        patch.setattr(type(dlib_model), "embed", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fr.embed(lattice, dlib_model, size=64, progress=False)
    counted = []
    monkeypatch.setattr(
        type(dlib_model), "embed", lambda self, faces, n: counted.append(len(faces)) or embed_faces(self, faces, n)
    )
    resumed = fr.embed(lattice, dlib_model, size=64, progress=False)
    assert sum(calls) + sum(counted) == 6 * 3  # six base points, three faces each, none twice
    fresh = fr.embed(lattice, dlib_model, size=64, progress=False, cache=False)
    np.testing.assert_allclose(resumed, fresh, atol=1e-6)


def test_progress_bar_counts_faces(lattice, dlib_model, own_cache, capsys):
    fr.embed(lattice, dlib_model, size=64)
    assert "45/45" in capsys.readouterr().err  # 3 identities x 3 curves x (1 + 2 attributes x 2)


def test_what_cannot_be_embedded(lattice, dlib_model):
    with pytest.raises(TypeError, match=r"cannot embed a Avatars: give a lattice .* or pictures"):
        fr.embed(lattice.faces, dlib_model)
    with pytest.raises(ValueError, match="cache = 'no': give True, False or 'auto'"):
        fr.embed(lattice, dlib_model, cache="no")


# photographs and data sets -----------------------------------------------------------------------------------------


@pytest.fixture
def photos():
    return fr.Photographs({"eileen": data.astronaut()[:240, 100:340]}, progress=False)


def test_embeddings_of_photographs_stay_off_the_disk_unless_asked_for(photos, dlib_model, own_cache):
    lattice = fr.sample_lattice(photos, ["rotation", "mask"], curves=2)
    off = fr.embed(lattice, dlib_model, progress=False)
    assert off.identity.values.tolist() == ["eileen"]
    fr.embed(photos, dlib_model, progress=False)
    assert cache.size() == 0
    on = fr.embed(lattice, dlib_model, progress=False, cache=True)
    assert cache.entries().source.tolist() == ["Photographs, eileen"]
    xr.testing.assert_allclose(off, on, atol=1e-5)
    fr.embed(photos, dlib_model, progress=False, cache=True)
    assert set(cache.entries().source) == {"Photographs, eileen", "eileen, ..."}


@pytest.fixture(scope="module")
def album(tmp_path_factory):
    """Twelve pictures of four avatars, with a table; two more that are of no use."""
    folder = tmp_path_factory.mktemp("album")
    faces = fr.Avatars(identities=4, seed=1)
    lines = ["file,identity,smiling,bald"]
    for i in range(12):
        name = f"{i:02d}.png"
        faces.render(i // 3, {"expression": i % 2, "head_angle": 5 * (i % 3)}, size=128).to_image().save(folder / name)
        lines.append(f"{name},person {i // 3},{1 if i % 2 else -1},{1 if i < 6 else -1}")
    Image.new("RGB", (40, 40), "grey").save(folder / "wall.png")
    (folder / "cut.png").write_bytes((folder / "00.png").read_bytes()[:3000])
    lines += ["wall.png,nobody,1,1", "cut.png,nobody,1,-1"]
    (folder / "table.csv").write_text("\n".join(lines))
    return folder


@pytest.fixture
def images(album):
    return fr.read_labelled(album, "table.csv").take(slice(12))


def test_embeddings_of_pictures(images, dlib_model, own_cache):
    found = fr.embed(images, dlib_model, progress=False)
    assert found.dims == ("image", "dim")
    assert found.shape == (12, 128)
    assert found.dtype == np.float32
    assert found.file.values.tolist() == images.table.file.tolist()
    assert found.identity.values.tolist() == images.table.identity.tolist()
    assert found.smiling.values.tolist() == images.labels.smiling.tolist()
    assert (found.attrs["metric"], found.attrs["model"], found.attrs["left_out"]) == ("euclidean", "dlib", 0)
    assert all(isinstance(value, (str, int, float)) for value in found.attrs.values())
    faces = [images.face(i) for i in range(12)]
    np.testing.assert_allclose(found.values, dlib_model.embed(faces), atol=1e-5)


def test_pictures_feed_the_macroscale_and_verification(images, dlib_model):
    found = fr.embed(images, dlib_model, progress=False)
    labels = images.labels.loc[found.file.values]
    table = fr.macroscale(found, found.identity.values, labels, permutations=5)
    assert table.attribute.tolist() == ["smiling", "bald"]
    assert table.intra_entropy.tolist() == pytest.approx([np.log(3) - np.log(2) * 2 / 3, 0])
    assert fr.verification(found, draws=20).threshold > 0


def test_what_has_no_face_is_left_out_with_its_reason(album, dlib_model, own_cache):
    images = fr.read_labelled(album, "table.csv")
    for _ in range(2):  # the second time from the cache
        with pytest.warns(
            UserWarning, match=r"2 of 14 pictures are left out: wall.png: no face found; cut.png: damaged"
        ):
            found = fr.embed(images, dlib_model, progress=False)
        assert len(found) == 12
        assert found.attrs["left_out"] == 2
        assert found.attrs["problems"].splitlines()[0] == "wall.png: no face found"
        assert not np.isnan(found.values).any()
    with pytest.raises(ValueError, match=r"none of 2 pictures shows a usable face: wall.png: no face found"):
        fr.embed(images.take([12, 13]), dlib_model, progress=False)


def counting(monkeypatch, model, limit=10**9):
    """The faces that the network sees from now on; KeyboardInterrupt after `limit` calls."""
    embed_faces, seen = type(model).embed, []

    def counted(self, faces, *args):
        if len(seen) == limit:
            raise KeyboardInterrupt
        seen.append(len(faces))
        return embed_faces(self, faces, *args)

    monkeypatch.setattr(type(model), "embed", counted)
    return seen


def test_pictures_are_embedded_once(images, dlib_model, own_cache, monkeypatch):
    first = fr.embed(images, dlib_model, progress=False)
    with monkeypatch.context() as patch:
        seen = counting(patch, dlib_model)
        xr.testing.assert_identical(fr.embed(images, dlib_model, progress=False), first)
        assert seen == []
        fr.embed(images, dlib_model, progress=False, size=120)
        assert sum(seen) == 12


def test_the_cache_follows_content_not_names(images, album, dlib_model, own_cache, tmp_path, monkeypatch):
    fr.embed(images, dlib_model, progress=False)
    for path in album.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    moved = fr.read_labelled(tmp_path, "table.csv").take(slice(12))
    with monkeypatch.context() as patch:
        seen = counting(patch, dlib_model)
        fr.embed(moved, dlib_model, progress=False)
        assert seen == []
        (tmp_path / "03.png").write_bytes((album / "09.png").read_bytes())
        changed = fr.embed(moved, dlib_model, progress=False)
        assert sum(seen) > 0
    np.testing.assert_allclose(changed[3], changed[9], atol=1e-5)


def test_new_pictures_spoil_one_block_only():
    names = [f"{i:06d}.jpg" for i in range(3000)]
    before = [tuple(names[a:b]) for a, b in embedding._picture_blocks(names)]
    assert sum(before, ()) == tuple(names)
    assert max(map(len, before)) <= 64
    more = [*names[:1500], "new.jpg", *names[1500:]]
    after = [tuple(more[a:b]) for a, b in embedding._picture_blocks(more)]
    assert len(set(after) - set(before)) <= 2


def test_interrupted_pictures_go_on_where_they_stopped(images, dlib_model, own_cache, monkeypatch):
    monkeypatch.setattr(embedding, "_IMAGES", 3)
    with monkeypatch.context() as patch:
        first = counting(patch, dlib_model, limit=2)
        with pytest.raises(KeyboardInterrupt):
            fr.embed(images, dlib_model, progress=False)
    with monkeypatch.context() as patch:
        second = counting(patch, dlib_model)
        resumed = fr.embed(images, dlib_model, progress=False)
    assert sum(first) + sum(second) == 12  # none twice
    np.testing.assert_allclose(resumed, fr.embed(images, dlib_model, progress=False, cache=False), atol=1e-5)


def test_a_killed_process_loses_nothing_it_had_finished(images, album, dlib_model, own_cache, monkeypatch):
    """A real process, killed for good as soon as two blocks are on the disk."""
    code = f"""
        import fr_explore as fr
        from fr_explore.embedding import embed as embedding
        embedding._IMAGES = 1
        images = fr.read_labelled({str(album)!r}, "table.csv").take(slice(12))
        fr.embed(images, fr.load_model("dlib", device="cpu"), progress=False)
        """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    deadline = time.monotonic() + 120
    while len(list(Path(own_cache).rglob("*.npz"))) < 2 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    process.kill()
    process.wait()
    kept = len(cache.entries())
    assert kept >= 2
    monkeypatch.setattr(embedding, "_IMAGES", 1)
    seen = counting(monkeypatch, dlib_model)
    assert fr.embed(images, dlib_model, progress=False).shape == (12, 128)
    assert sum(seen) == 12 - kept


def test_progress_bar_counts_pictures(images, dlib_model, own_cache, capsys):
    fr.embed(images, dlib_model)
    assert "12/12" in capsys.readouterr().err


def test_first_energies(avatars, dlib_model, own_cache):
    """The whole way from strengths to a table, on the real parts."""
    lattice = fr.sample_lattice(avatars, ["age", "hue"], curves=8, seed=0)
    field = fr.vector_field(fr.embed(lattice, dlib_model, size=96, progress=False))
    table = fr.alignment(field, neighborhood=fr.knn(3), null_draws=20, seed=0)
    assert table.identity.tolist() == [0, 0, 1, 1, 2, 2]
    assert table.attribute.tolist() == ["age", "hue"] * 3
    assert table.energy.between(0, 2).all()
    assert (table.magnitude > 0).all()
