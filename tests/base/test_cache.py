import io
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from fr_explore.base import cache

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


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def flipped(data: bytes) -> bytes:
    """One bit of one number, which only the checksum can tell."""
    at = data.index(VALUES.tobytes()[8:16])
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def bare(data: bytes) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, VALUES)
    return buffer.getvalue()


@pytest.mark.parametrize("damage", [cut, flipped, bare, lambda data: b"", lambda data: b"not an array at all"])
def test_a_damaged_entry_is_thrown_away(own_folder, damage):
    name = cache.key("x")
    cache.store(name, VALUES)
    (path,) = own_folder.rglob("*.npz")
    path.write_bytes(damage(path.read_bytes()))
    assert cache.load(name, (3, 4)) is None
    assert not path.exists()


def test_pickles_are_never_loaded(own_folder):
    name = cache.key("x")
    cache.store(name, VALUES)
    (path,) = own_folder.rglob("*.npz")
    np.savez(path, array=np.array([{"a": 1}], dtype=object), about=np.array("{}"))
    assert cache.entries().empty
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


def test_nothing_is_read_from_a_folder_that_is_a_file(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("FR_EXPLORE_CACHE", str(tmp_path / "file"))
    assert cache.load(cache.key("x"), (3, 4)) is None
    assert (cache.size(), cache.clear(), len(cache.entries())) == (0, 0, 0)


def child(code: str, folder: Path, **options) -> subprocess.Popen:
    """A real process with its own interpreter, on the same cache folder."""
    head = "import itertools, resource, sys\nimport numpy as np\nfrom fr_explore.base import cache\n"
    environment = {**os.environ, "FR_EXPLORE_CACHE": str(folder), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", head + textwrap.dedent(code)],
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        **options,
    )


def test_a_full_disk_leaves_no_part(own_folder):
    """The system itself refuses to let the file grow."""
    process = child(
        """
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        cache.store(cache.key("x"), np.zeros(10_000))
        print(cache.load(cache.key("x"), (10_000,)))
        """,
        own_folder,
    )
    assert process.communicate(timeout=60)[0] == "None\n"
    assert not [path for path in own_folder.rglob("*") if path.is_file()]


def test_two_processes_share_one_cache(own_folder):
    """Both write and read the same keys at the same time; neither ever sees anything but whole, right entries."""
    code = """
        for i in range(120):
            name, right = cache.key("shared", i % 30), np.full((200, 128), i % 30, np.float32)
            found = cache.load(name, right.shape)
            assert found is None or (found == right).all()
            cache.store(name, right, {"model": "m"})
            if i == 60:
                cache.clear()
        print("done")
        """
    processes = [child(code, own_folder) for _ in range(2)]
    assert [process.communicate(timeout=60)[0] for process in processes] == ["done\n", "done\n"]
    table = cache.entries()
    assert len(table) == 30
    assert not list(own_folder.rglob("*.part"))


def test_a_kill_at_any_moment_leaves_whole_entries_only(own_folder):
    rng = np.random.default_rng(0)
    code = """
        print("ready", flush=True)
        for i in itertools.count():
            cache.store(cache.key("killed", i % 50), np.full((4000, 128), i % 50, np.float32))
        """
    for _ in range(6):
        process = child(code, own_folder)
        assert process.stdout.readline() == "ready\n"
        time.sleep(rng.uniform(0.005, 0.06))
        process.kill()
        process.communicate(timeout=60)
        for i in range(50):
            found = cache.load(cache.key("killed", i), (4000, 128))
            assert found is None or (found == i).all()
        # nothing damaged had to be thrown away: what is there under its name is whole
        assert len(cache.entries()) == len(list(own_folder.rglob("*.npz")))
    assert len(cache.entries()) > 0
    cache.clear()
    assert not [path for path in own_folder.rglob("*") if path.is_file()]  # what the killed ones left behind, too


def test_listing_and_clearing(own_folder):
    assert cache.entries().empty
    cache.store(cache.key("old"), VALUES, {"model": "dlib", "source": "Avatars, 0"})
    (path,) = own_folder.rglob("*.npz")
    os.utime(path, (time.time() - 3 * 86400,) * 2)
    cache.store(cache.key("new"), VALUES[:2], {"model": "mine", "source": "a.jpg"})
    table = cache.entries()
    assert table.model.tolist() == ["mine", "dlib"]
    assert table.source.tolist() == ["a.jpg", "Avatars, 0"]
    assert table.faces.tolist() == [2, 3]
    assert table.dim.tolist() == [4, 4]
    assert table.bytes.sum() == cache.size()
    assert table.key.tolist() == [cache.key("new"), cache.key("old")]
    assert (table.stored.iloc[0] - table.stored.iloc[1]).days in (2, 3)
    assert cache.clear(older_than_days=2) == table.bytes.iloc[1]
    assert cache.entries().model.tolist() == ["mine"]
