import numpy as np
import pytest

from fr_explore import cache

VALUES = np.arange(12, dtype=np.float32).reshape(3, 4)


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FR_EXPLORE_CACHE", str(tmp_path))
    return tmp_path


def test_round_trip():
    name = cache.key("x", VALUES)
    assert cache.load(name, (3, 4)) is None
    cache.store(name, VALUES)
    np.testing.assert_array_equal(cache.load(name, (3, 4)), VALUES)
    assert cache.size() > VALUES.nbytes
    assert cache.clear() > VALUES.nbytes
    assert cache.load(name, (3, 4)) is None


def test_key_tells_apart_what_differs():
    keys = [
        cache.key("a", VALUES), cache.key("b", VALUES), cache.key("a", VALUES + 1), cache.key("a", VALUES.T),
        cache.key("a", VALUES.astype(np.float64)), cache.key("a"), cache.key("a", "b"), cache.key("ab"),
    ]  # fmt: skip
    assert len(set(keys)) == len(keys)
    assert cache.key("a", VALUES) == cache.key("a", np.asfortranarray(VALUES))


@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY", b"not an array at all"])
def test_a_damaged_entry_is_thrown_away(own_folder, damage):
    name = cache.key("x")
    cache.store(name, VALUES)
    (path,) = own_folder.rglob("*.npy")
    path.write_bytes(path.read_bytes()[:90] if damage == b"\x93NUMPY" else damage)
    assert cache.load(name, (3, 4)) is None
    assert not path.exists()


def test_pickles_are_never_loaded(own_folder):
    name = cache.key("x")
    cache.store(name, VALUES)
    (path,) = own_folder.rglob("*.npy")
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    assert cache.load(name, (1,)) is None


def test_an_entry_of_another_shape_is_not_taken():
    name = cache.key("x")
    cache.store(name, VALUES)
    assert cache.load(name, (4, 3)) is None


def test_a_folder_that_cannot_be_written_costs_nothing(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("FR_EXPLORE_CACHE", str(tmp_path / "file"))
    cache.store(cache.key("x"), VALUES)
    assert not list(tmp_path.rglob("*.part"))


def test_a_failed_write_leaves_no_part(own_folder, monkeypatch):
    def full(*args, **kwargs):
        raise OSError("no space left on device")

    monkeypatch.setattr(np, "save", full)
    cache.store(cache.key("x"), VALUES)
    assert not [path for path in own_folder.rglob("*") if path.is_file()]
