import numpy as np
import pytest
import xarray as xr

import fr_explore as fr
from fr_explore import cache, embedding


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


def test_first_energies(avatars, dlib_model, own_cache):
    """The whole way from strengths to a table, on the real parts."""
    lattice = fr.sample_lattice(avatars, ["age", "hue"], curves=8, seed=0)
    field = fr.vector_field(fr.embed(lattice, dlib_model, size=96, progress=False))
    table = fr.alignment(field, neighborhood=fr.knn(3), null_draws=20, seed=0)
    assert table.identity.tolist() == [0, 0, 1, 1, 2, 2]
    assert table.attribute.tolist() == ["age", "hue"] * 3
    assert table.energy.between(0, 2).all()
    assert (table.magnitude > 0).all()
