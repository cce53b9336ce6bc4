"""Stores larger than memory and work on a Dask cluster: equal to the serial numbers, also when workers are killed."""

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.parse

import numpy as np
import pandas as pd
import psutil
import pytest
import xarray as xr
import zarr
from toy import Squares, toy_model

import fr_explore as fr
from fr_explore.scale import distributed


@pytest.fixture(scope="module")
def lattice():
    return fr.sample_lattice(Squares(), ["age", "hue"], curves=20, seed=0)


@pytest.fixture(scope="module")
def serial(lattice):
    return fr.embed(lattice, toy_model(), size=16, progress=False, cache=False)


@pytest.fixture(scope="module")
def client():
    with fr.local_cluster(workers=2, memory="3 GiB") as client:
        yield client


def fill(lattice, path, **more):
    return fr.embed(lattice, toy_model(), size=16, progress=False, store=path, **more)


def complete(path) -> list[int]:
    return np.asarray(zarr.open_group(str(path), mode="r")["complete"]).tolist()


def test_a_store_holds_what_memory_would(lattice, serial, tmp_path):
    found = fill(lattice, tmp_path / "run.zarr")
    assert zarr.open_group(str(tmp_path / "run.zarr"))["embeddings/embedding"].chunks == (1, 2, 20, 3, 8)
    xr.testing.assert_identical(found.load(), serial)
    again = fr.load_results(tmp_path / "run.zarr")
    assert again.attrs["models"]["toy"]["dim"] == 8
    assert again.attrs["lattice"]["curves"] == 20
    table = fr.alignment(tmp_path / "run.zarr", "knn:3", null_draws=4, progress=False)
    expected = fr.alignment(fr.vector_field(serial), "knn:3", null_draws=4)
    pd.testing.assert_frame_equal(table, expected, rtol=1e-9)
    assert table.attrs == expected.attrs


def test_only_one_identity_is_in_memory(lattice, tmp_path, monkeypatch):
    """What one task gives is a third of the whole, and the whole is not allocated."""
    sizes, write = [], distributed._write

    def watched(work, *rest):
        def measured(*given):
            values = work(*given)
            sizes.append(len(values))
            return values

        return write(measured, *rest)

    monkeypatch.setattr(distributed, "_write", watched)
    found = fill(lattice, tmp_path / "run.zarr")
    assert sizes == [1, 1, 1]
    assert not isinstance(found.variable._data, np.ndarray)  # read when needed


def test_a_restart_does_what_is_left(lattice, serial, tmp_path, monkeypatch):
    calls, cls = [], type(toy_model())
    embed = cls.embed
    monkeypatch.setattr(cls, "embed", lambda self, faces, *a: calls.append(len(faces)) or embed(self, faces, *a))
    path = tmp_path / "run.zarr"
    fill(lattice, path)
    whole = sum(calls)
    root = zarr.open_group(str(path), mode="r+")
    root["complete"][1] = 0  # as after a kill: the chunk may be there or not, its mark is not
    root["embeddings/embedding"][1] = np.nan
    calls.clear()
    xr.testing.assert_equal(fill(lattice, path).load(), serial)
    assert sum(calls) * 3 == whole
    assert complete(path) == [1, 1, 1]


def test_an_interrupted_run_keeps_what_is_done(lattice, serial, tmp_path, monkeypatch):
    render_batch = Squares.render_batch

    def stop(self, identities, strengths, size=160):
        if identities[0] == self.identities[1]:
            raise KeyboardInterrupt
        return render_batch(self, identities, strengths, size)

    monkeypatch.setattr(Squares, "render_batch", stop)
    with pytest.raises(KeyboardInterrupt):
        fill(lattice, tmp_path / "run.zarr")
    assert complete(tmp_path / "run.zarr") == [1, 0, 0]
    told = pytest.warns(UserWarning, match="is unfinished, 1 of 3 parts are complete: the others give NaN")
    with told, pytest.warns(UserWarning, match="no point has a neighbour"):
        table = fr.alignment(tmp_path / "run.zarr", "knn:3", progress=False)
    assert table["energy"].isna().tolist() == [False] * 2 + [True] * 4
    monkeypatch.undo()
    xr.testing.assert_equal(fill(lattice, tmp_path / "run.zarr").load(), serial)


def test_another_run_does_not_mix_in(lattice, tmp_path):
    fill(lattice, tmp_path / "run.zarr")
    other = fr.sample_lattice(Squares(), ["age", "hue"], curves=20, seed=1)
    with pytest.raises(ValueError, match="holds embeddings of another lattice, other pictures, another model"):
        fill(other, tmp_path / "run.zarr")
    with pytest.raises(ValueError, match=r"name one, such as store='run\.zarr'"):
        fr.embed(lattice, toy_model(), client=object())


def test_faces_of_an_earlier_renderer_are_read_and_not_resumed(lattice, serial, tmp_path, monkeypatch):
    fill(lattice, tmp_path / "run.zarr")
    monkeypatch.setattr(lattice.faces, "fingerprint", "as today's renderer draws them")
    with pytest.raises(ValueError, match=r"as an earlier version of fr-explore drew them.*load_results still reads"):
        fill(lattice, tmp_path / "run.zarr")
    xr.testing.assert_equal(fr.load_results(tmp_path / "run.zarr")["embeddings"].load(), serial)


def test_a_cluster_gives_the_serial_numbers(client, lattice, serial, tmp_path):
    found = fill(lattice, tmp_path / "run.zarr", client=client)
    np.testing.assert_allclose(found, serial, rtol=0, atol=1e-5 * float(np.linalg.norm(serial, axis=-1).max()))
    for null in ("gaussian", "permutation"):
        field = fr.vector_field(found)
        table, details = fr.alignment(field, "knn:3", null_draws=4, null=null, point_energies=True)
        for source in (tmp_path / "run.zarr", field):
            shared, points = fr.alignment(
                source, "knn:3", null_draws=4, null=null, point_energies=True, client=client, progress=False
            )
            pd.testing.assert_frame_equal(shared, table, rtol=1e-9)
            xr.testing.assert_allclose(points, details, rtol=1e-9)


def test_fewer_identities_than_threads(client, lattice, serial):
    """Attributes go to workers of their own, and draws stay those of the whole."""
    field = fr.vector_field(serial.isel(identity=[1]))
    table = fr.alignment(field, "knn:3", null_draws=4, null="permutation")
    shared = fr.alignment(field, "knn:3", null_draws=4, null="permutation", client=client, progress=False)
    pd.testing.assert_frame_equal(shared, table, rtol=1e-9)


def kill_one(client, task: str, when=lambda: True) -> tuple[threading.Thread, list[int]]:
    """kill -9 for a worker that works on such a task, once there is one and `when()`."""
    killed: list[int] = []
    pids = client.run(os.getpid)

    def busy() -> list[str]:
        return [w for w, keys in client.processing().items() if any(key.startswith(task) for key in keys)]

    def work() -> None:
        while not killed:
            time.sleep(0.005)
            worker = next(iter(busy()), None)
            if worker is None or not when():
                continue
            pid = pids[worker]
            os.kill(pid, signal.SIGSTOP)  # so that it cannot finish its task between the look and the kill
            time.sleep(0.1)  # what it had finished has arrived
            if worker in busy():
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
            else:
                os.kill(pid, signal.SIGCONT)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread, killed


def lost_tasks(client) -> str:
    """What the worker that died last was at, in the scheduler's words: a kill after the work loses nothing."""
    deaths = [event for _, event in client.get_events("all") if event["action"] == "remove-worker"]
    assert not deaths[-1]["expected"]
    return " ".join(map(str, deaths[-1]["processing-tasks"]))


class Slow(Squares):
    def render_batch(self, identities, strengths, size=160):
        time.sleep(0.15)
        return super().render_batch(identities, strengths, size)


@pytest.mark.slow
def test_kill_nine_costs_nothing_but_time(client, tmp_path):
    """During extraction and during energies, with the model and the faces on the worker that dies."""
    lattice = fr.sample_lattice(Slow(("a", "b", "c", "d", "e", "f")), ["age", "hue"], curves=20, seed=0)
    expected = fr.embed(lattice, toy_model(), size=16, progress=False, cache=False)
    path = tmp_path / "run.zarr"
    thread, killed = kill_one(client, "_write", lambda: path.exists() and sum(complete(path)) >= 2)
    found = fill(lattice, path, client=client)
    thread.join(10)
    assert len(killed) == 1
    assert "_write" in lost_tasks(client)
    assert killed[0] not in client.run(os.getpid).values()  # Dask has started another in its place
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * float(np.linalg.norm(expected, axis=-1).max()))

    table = fr.alignment(fr.vector_field(found), "knn:3", null_draws=4000)
    client.wait_for_workers(2)
    thread, killed = kill_one(client, "_part")
    shared = fr.alignment(path, "knn:3", null_draws=4000, client=client, progress=False)
    thread.join(10)
    assert len(killed) == 1
    assert "_part" in lost_tasks(client)
    pd.testing.assert_frame_equal(shared, table, rtol=1e-9)


def folders(path) -> list:
    return [entry for entry in path.iterdir() if entry.name.startswith("unfinished")]


SLOW_ENERGIES = """
import sys, time
import fr_explore as fr
from fr_explore.scale import distributed

def slow(*rest, work=distributed._part):
    time.sleep(0.2)
    return work(*rest)

distributed._part = slow
fr.alignment(sys.argv[1], "knn:3", null_draws=4, point_energies=sys.argv[2] == "points", progress=False)
"""


@pytest.mark.parametrize("kind", ["table", "points"])
def test_energies_go_on_where_the_main_process_was_killed(kind, tmp_path, monkeypatch):
    """kill -9 of the process that called: the same call computes the other identities only, and gives the same."""
    path = tmp_path / "run.zarr"
    found = fill(fr.sample_lattice(Squares(tuple("abcdef")), ["age", "hue"], curves=20, seed=0), path)
    how = {"null_draws": 4, "point_energies": kind == "points"}
    expected = fr.alignment(fr.vector_field(found), "knn:3", **how)
    process = subprocess.Popen([sys.executable, "-c", SLOW_ENERGIES, str(path), kind])
    while len(list(path.glob("unfinished-*/*.json"))) < 2:
        assert process.poll() is None
        time.sleep(0.005)
    process.kill()
    process.wait()
    kept = len(list(path.glob("unfinished-*/*.json")))
    assert 2 <= kept < 6
    assert list(fr.load_results(path)) == ["embeddings"]  # a store with work in progress reads as ever
    calls, part = [], distributed._part
    monkeypatch.setattr(distributed, "_part", lambda *rest: calls.append(rest[-1]) or part(*rest))
    fr.alignment(path, "knn:4", null_draws=4, progress=False)  # another question starts from nothing
    assert len(calls) == 6
    calls.clear()
    again = fr.alignment(path, "knn:3", **how, progress=False)
    assert len(calls) == 6 - kept
    if kind == "points":
        xr.testing.assert_equal(again[1], expected[1])
        assert again[1].attrs == expected[1].attrs
        again, expected = again[0], expected[0]
    pd.testing.assert_frame_equal(again, expected, check_exact=True)
    assert again.attrs == expected.attrs
    assert folders(path) == []


def test_what_is_kept_of_energies_is_no_stumbling_block(lattice, tmp_path, monkeypatch):
    """Damaged parts, a full disk and embeddings that have changed cost time and never a number."""
    path, part, asked = tmp_path / "run.zarr", distributed._part, []
    fill(lattice, path)
    expected = fr.alignment(path, "knn:3", progress=False)

    def stop(*rest):
        asked.append(rest[-1])
        if len(asked) == 3:
            raise KeyboardInterrupt
        return part(*rest)

    monkeypatch.setattr(distributed, "_part", stop)
    with pytest.raises(KeyboardInterrupt):
        fr.alignment(path, "knn:3", progress=False)
    (folder,) = folders(path)
    (folder / "0.json").write_text("[")  # as after a power cut
    pd.testing.assert_frame_equal(fr.alignment(path, "knn:3", progress=False), expected, check_exact=True)
    assert len(asked) == 3 + 2
    monkeypatch.setattr(distributed, "_keep", lambda *rest: (_ for _ in ()).throw(OSError("disk full")))
    pd.testing.assert_frame_equal(fr.alignment(path, "knn:3", progress=False), expected, check_exact=True)
    monkeypatch.setattr(zarr, "open_group", lambda *a, opened=zarr.open_group, **k: opened(*a, **k) if k["mode"] == "r"
                        else (_ for _ in ()).throw(PermissionError("read only")))  # fmt: skip
    pd.testing.assert_frame_equal(fr.alignment(path, "knn:3", progress=False), expected, check_exact=True)


def test_profiles_from_a_store_and_on_a_cluster(client, lattice, serial, tmp_path):
    path = tmp_path / "run.zarr"
    fill(lattice, path)
    field = fr.vector_field(serial)
    for radii in (None, [0.5, 1.0]):
        expected = fr.alignment_profile(field, radii, null_draws=3)
        for source, where in ((path, None), (path, client), (field, client)):
            found = fr.alignment_profile(source, radii, null_draws=3, client=where, progress=False)
            pd.testing.assert_frame_equal(found, expected, rtol=1e-9)
            assert found.attrs == expected.attrs


def test_errors_of_workers_reach_the_caller(client, lattice, tmp_path):
    field = fr.vector_field(fr.embed(lattice, toy_model(), size=16, progress=False))
    with pytest.raises(ValueError, match="knn:25 needs more than 25 points, there are 20"):
        fr.alignment(field, "knn:25", client=client, progress=False)


def test_the_cluster_listens_on_loopback_only_and_asks_for_a_key(client):
    addresses = [client.scheduler.address, *client.scheduler_info()["workers"]]
    assert {urllib.parse.urlparse(address).hostname for address in addresses} == {"127.0.0.1"}
    assert {urllib.parse.urlparse(address).scheme for address in addresses} == {"tls"}
    here = psutil.Process()
    for process in (here, *here.children(recursive=True)):
        for socket in process.net_connections("inet"):
            assert socket.status != psutil.CONN_LISTEN or socket.laddr.ip == "127.0.0.1", socket
    from distributed import Client

    with pytest.raises((OSError, TypeError, ValueError, RuntimeError)):
        Client(client.scheduler.address.replace("tls", "tcp"), timeout=1)


def test_workers_have_a_limit_and_one_thread(client):
    client.wait_for_workers(2)  # one may just have been killed
    limits = [worker["memory_limit"] for worker in client.scheduler_info()["workers"].values()]
    assert limits == [3 * 2**30] * 2
    assert set(client.nthreads().values()) == {1}
