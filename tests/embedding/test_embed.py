"""Embeddings of lattices and pictures: labels, cache, resuming after an interruption, pictures without a face."""

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from PIL import Image
from skimage import data
from toy import Squares, toy_model

import fr_explore as fr
from fr_explore.base import cache
from fr_explore.models.base import Model

TESTS = Path(__file__).parents[1]


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FR_EXPLORE_CACHE", str(tmp_path))
    return tmp_path


class Counting(Model):
    """A model that counts the pictures it embeds, and is interrupted once it has embedded `limit` of them."""

    limit, seen, pause = float("inf"), 0, 0.0

    def forward(self, crops):
        if self.seen >= self.limit:
            raise KeyboardInterrupt
        self.seen += len(crops)
        time.sleep(self.pause)
        return super().forward(crops)


def counting_model(limit: float = float("inf")):
    """The toy model, the same at each call, as one that counts; twice, as model and as counter."""
    toy = toy_model()
    model = Counting(toy.module, toy.card, "cpu")
    model.limit = limit
    return model, model


class Pictures:
    """A set of tiny pictures without files: the name of each decides its pixels."""

    private = False

    def __init__(self, names: list[str]) -> None:
        self.table = pd.DataFrame({"file": names, "identity": "somebody"})

    def content(self, i: int) -> str:
        return self.table.file[i]

    def face(self, i: int, size: int = 160) -> fr.Face:
        rng = np.random.default_rng(list(self.table.file[i].encode()))
        return fr.Face(rng.random((8, 8, 3), np.float32))


# lattices


@pytest.fixture(scope="module")
def lattice(avatars):
    return fr.sample_lattice(avatars, ["age", "hue"], curves=4, seed=0)


@pytest.fixture(scope="module")
def embeddings(lattice, dlib_model):
    return fr.embed(lattice, dlib_model, size=96, progress=False, cache=False)


def test_embeddings_are_those_of_the_faces(lattice, embeddings, dlib_model):
    assert embeddings.dims == ("identity", "attribute", "curve", "step", "dim")
    assert embeddings.shape == (*lattice.shape, 128)
    assert embeddings.dtype == np.float32
    for i, a, c, s in [(0, 0, 0, 0), (1, 1, 2, 1), (2, 0, 1, 2), (2, 1, 0, 0)]:
        face = lattice.faces.render(lattice.identities[i], lattice.strengths(i, a, c, s), size=96)
        np.testing.assert_allclose(embeddings[i, a, c, s], dlib_model.embed(face)[0], atol=1e-5)


def test_labels_and_facts(lattice, embeddings):
    assert embeddings.step.values.tolist() == [-1, 0, 1]
    assert embeddings.attribute.values.tolist() == ["age", "hue"]
    assert embeddings.sel(attribute="age").step_size == lattice.faces.attributes["age"].step
    assert embeddings.attrs["metric"] == "euclidean"
    assert embeddings.attrs["model"] == "dlib"
    assert embeddings.attrs["threshold"] == 0.6
    assert all(isinstance(value, (str, int, float)) for value in embeddings.attrs.values())


def test_first_energies(embeddings):
    """The whole chain from strengths to a table, with the real avatars and the real network."""
    table = fr.alignment(fr.vector_field(embeddings), neighborhood=fr.knn(2), null_draws=20, seed=0)
    assert table.identity.tolist() == [0, 0, 1, 1, 2, 2]
    assert table.attribute.tolist() == ["age", "hue"] * 3
    assert table.energy.between(0, 2).all()
    assert (table.magnitude > 0).all()


def test_second_call_reads_the_cache(own_cache):
    lattice, faces = fr.sample_lattice(Squares(), ["age", "hue"], curves=3), 3 * 3 * 5
    model, counter = counting_model()
    first = fr.embed(lattice, model, size=64, progress=False)
    assert (counter.seen, cache.size() > 0) == (faces, True)
    xr.testing.assert_identical(first, fr.embed(lattice, model, size=64, progress=False))
    assert counter.seen == faces
    fr.embed(lattice, model, size=64, progress=False, cache=False)
    fr.embed(lattice, model, size=72, progress=False)
    assert counter.seen == 3 * faces


def test_an_interrupted_run_resumes_and_loses_at_most_one_block(own_cache):
    lattice, faces = fr.sample_lattice(Squares(), ["age", "hue"], curves=40), 3 * 40 * 5
    model, first = counting_model(limit=300)
    with pytest.raises(KeyboardInterrupt):
        fr.embed(lattice, model, size=8, progress=False)
    model, second = counting_model()
    resumed = fr.embed(lattice, model, size=8, progress=False)
    assert faces <= first.seen + second.seen <= faces + 16 * 5
    fresh = fr.embed(lattice, model, size=8, progress=False, cache=False)
    np.testing.assert_allclose(resumed, fresh, atol=1e-6)


def test_progress_bar_counts_faces(own_cache, capsys):
    fr.embed(fr.sample_lattice(Squares(), ["age", "hue"], curves=3), toy_model(), size=8)
    assert "45/45" in capsys.readouterr().err  # 3 identities x 3 curves x (1 + 2 attributes x 2)


def test_what_cannot_be_embedded(lattice, dlib_model):
    with pytest.raises(TypeError, match=r"cannot embed a Avatars: give a lattice .* or pictures"):
        fr.embed(lattice.faces, dlib_model)
    with pytest.raises(ValueError, match="cache = 'no': give True, False or 'auto'"):
        fr.embed(lattice, dlib_model, cache="no")


# photographs and data sets


def test_embeddings_of_photographs_are_not_stored_unless_requested(own_cache):
    photos, model = fr.Photographs({"eileen": data.astronaut()[:240, 100:340]}, progress=False), toy_model()
    lattice = fr.sample_lattice(photos, ["rotation", "mask"], curves=2)
    off = fr.embed(lattice, model, progress=False)
    assert off.identity.values.tolist() == ["eileen"]
    fr.embed(photos, model, progress=False)
    assert cache.size() == 0
    on = fr.embed(lattice, model, progress=False, cache=True)
    assert cache.entries().source.tolist() == ["Photographs, eileen"]
    xr.testing.assert_allclose(off, on, atol=1e-5)
    fr.embed(photos, model, progress=False, cache=True)
    assert set(cache.entries().source) == {"Photographs, eileen", "eileen, ..."}


@pytest.fixture(scope="module")
def album(tmp_path_factory):
    """Twelve pictures of four avatars, with a table; two more that show no face."""
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


@pytest.fixture(scope="module")
def images(album):
    return fr.read_labelled(album, "table.csv").take(slice(12))


@pytest.fixture(scope="module")
def picture_embeddings(images, dlib_model):
    return fr.embed(images, dlib_model, progress=False, cache=False)


def test_embeddings_of_pictures(images, picture_embeddings, dlib_model):
    found = picture_embeddings
    assert found.dims == ("image", "dim")
    assert found.shape == (12, 128)
    assert found.dtype == np.float32
    assert found.file.values.tolist() == images.table.file.tolist()
    assert found.identity.values.tolist() == images.table.identity.tolist()
    assert found.smiling.values.tolist() == images.labels.smiling.tolist()
    assert (found.attrs["metric"], found.attrs["model"], found.attrs["left_out"]) == ("euclidean", "dlib", 0)
    assert all(isinstance(value, (str, int, float)) for value in found.attrs.values())
    faces = [images.face(i) for i in range(0, 12, 4)]
    np.testing.assert_allclose(found.values[::4], dlib_model.embed(faces), atol=1e-5)


def test_pictures_feed_the_macroscale_and_verification(images, picture_embeddings):
    found = picture_embeddings
    labels = images.labels.loc[found.file.values]
    table = fr.macroscale(found, found.identity.values, labels, permutations=5)
    assert table.attribute.tolist() == ["smiling", "bald"]
    assert table.intra_entropy.tolist() == pytest.approx([np.log(3) - np.log(2) * 2 / 3, 0])
    assert fr.verification(found, draws=20).threshold > 0


def test_pictures_without_a_face_are_left_out_with_the_reason(album, own_cache):
    images, model = fr.read_labelled(album, "table.csv").take(slice(9, 14)), toy_model()
    for _ in range(2):  # the second time from the cache
        with pytest.warns(
            UserWarning, match=r"2 of 5 pictures are left out: wall.png: no face found; cut.png: damaged"
        ):
            found = fr.embed(images, model, progress=False)
        assert len(found) == 3
        assert found.attrs["left_out"] == 2
        assert found.attrs["problems"].splitlines()[0] == "wall.png: no face found"
        assert not np.isnan(found.values).any()
    with pytest.raises(ValueError, match=r"none of 2 pictures shows a usable face: wall.png: no face found"):
        fr.embed(images.take([3, 4]), model, progress=False)


def test_pictures_are_embedded_once(own_cache):
    pictures = Pictures([f"{i}.png" for i in range(12)])
    model, counter = counting_model()
    first = fr.embed(pictures, model, progress=False)
    xr.testing.assert_identical(fr.embed(pictures, model, progress=False), first)
    assert counter.seen == 12
    fr.embed(pictures, model, progress=False, size=120)
    assert counter.seen == 24


def test_the_cache_follows_content_not_names(images, album, own_cache, tmp_path):
    model, counter = counting_model()
    fr.embed(images, model, progress=False)
    for path in album.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    moved = fr.read_labelled(tmp_path, "table.csv").take(slice(12))
    fr.embed(moved, model, progress=False)
    assert counter.seen == 12
    (tmp_path / "03.png").write_bytes((album / "09.png").read_bytes())
    changed = fr.embed(moved, model, progress=False)
    assert counter.seen > 12
    np.testing.assert_allclose(changed[3], changed[9], atol=1e-5)


def test_a_new_picture_changes_at_most_two_blocks(own_cache):
    """Blocks hold at most 64 pictures; their boundaries depend on the names and do not move when one is added."""
    names = [f"{i:06d}.jpg" for i in range(500)]
    model, counter = counting_model()
    fr.embed(Pictures(names), model, progress=False)
    assert counter.seen == 500
    fr.embed(Pictures([*names[:250], "new.jpg", *names[250:]]), model, progress=False)
    assert counter.seen <= 500 + 2 * 64


def test_interrupted_pictures_resume_and_lose_at_most_one_block(own_cache):
    pictures = Pictures([f"{i}.png" for i in range(300)])
    model, first = counting_model(limit=150)
    with pytest.raises(KeyboardInterrupt):
        fr.embed(pictures, model, progress=False)
    model, second = counting_model()
    resumed = fr.embed(pictures, model, progress=False)
    assert 300 <= first.seen + second.seen <= 300 + 64
    np.testing.assert_allclose(resumed, fr.embed(pictures, model, progress=False, cache=False), atol=1e-5)


def test_a_killed_process_loses_nothing_it_had_finished(own_cache):
    """A real process with a slow network, killed as soon as two blocks are on disk."""
    code = """
        import shape_checks
        import fr_explore as fr
        shape_checks.install("fr_explore")  # as here: what a method is wrapped in belongs to its fingerprint
        from test_embed import Pictures, counting_model
        model, counter = counting_model()
        counter.pause = 0.2
        fr.embed(Pictures([f"{i}.png" for i in range(300)]), model, progress=False)
        """
    path = os.pathsep.join([str(TESTS), str(Path(__file__).parent), *sys.path])
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path}
    )
    deadline = time.monotonic() + 120
    while len(list(own_cache.rglob("*.npz"))) < 2 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    process.kill()
    process.wait()
    finished = int(cache.entries().faces.sum())
    assert 0 < finished < 300
    model, counter = counting_model()
    assert fr.embed(Pictures([f"{i}.png" for i in range(300)]), model, progress=False).shape == (300, 8)
    assert counter.seen == 300 - finished


def test_progress_bar_counts_pictures(own_cache, capsys):
    fr.embed(Pictures([f"{i}.png" for i in range(12)]), toy_model())
    assert "12/12" in capsys.readouterr().err
