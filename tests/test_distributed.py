"""Stores larger than memory and work on a Dask cluster: equal to the serial numbers, also when workers are killed."""

import os
import signal
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
from fr_explore import distributed


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
            values, remarks = work(*given)
            sizes.append(len(values))
            return values, remarks

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
    import fr_explore.embedding as embedding

    work = embedding._identity_vectors

    def stop(lattice, model, identity, **options):
        if identity == 1:
            raise KeyboardInterrupt
        return work(lattice, model, identity, **options)

    monkeypatch.setattr(embedding, "_identity_vectors", stop)
    with pytest.raises(KeyboardInterrupt):
        fill(lattice, tmp_path / "run.zarr")
    assert complete(tmp_path / "run.zarr") == [1, 0, 0]
    monkeypatch.undo()
    xr.testing.assert_equal(fill(lattice, tmp_path / "run.zarr").load(), serial)


def test_another_run_does_not_mix_in(lattice, tmp_path):
    fill(lattice, tmp_path / "run.zarr")
    other = fr.sample_lattice(Squares(), ["age", "hue"], curves=20, seed=1)
    with pytest.raises(ValueError, match="holds embeddings of another lattice, other pictures, another model"):
        fill(other, tmp_path / "run.zarr")
    with pytest.raises(ValueError, match=r"name one, such as store='run\.zarr'"):
        fr.embed(lattice, toy_model(), client=object())


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


def kill_one(client, when) -> tuple[threading.Thread, list[int]]:
    """kill -9 for the worker that is busy first, once `when()`."""
    killed: list[int] = []
    pids = client.run(os.getpid)

    def work() -> None:
        while not when():
            time.sleep(0.005)
        busy = next((w for w, tasks in client.processing().items() if tasks), next(iter(pids)))
        killed.append(pids[busy])
        os.kill(pids[busy], signal.SIGKILL)

    thread = threading.Thread(target=work)
    thread.start()
    return thread, killed


class Slow(Squares):
    def render_batch(self, identities, strengths, size=160):
        time.sleep(0.3)
        return super().render_batch(identities, strengths, size)


@pytest.mark.slow
def test_kill_nine_costs_nothing_but_time(client, tmp_path):
    """During extraction and during energies, with the model and the faces on the worker that dies."""
    lattice = fr.sample_lattice(Slow(("a", "b", "c", "d", "e", "f")), ["age", "hue"], curves=20, seed=0)
    expected = fr.embed(lattice, toy_model(), size=16, progress=False, cache=False)
    path = tmp_path / "run.zarr"
    thread, killed = kill_one(client, lambda: path.exists() and sum(complete(path)) >= 2)
    found = fill(lattice, path, client=client)
    thread.join()
    assert len(killed) == 1
    assert killed[0] not in client.run(os.getpid).values()  # Dask has started another in its place
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * float(np.linalg.norm(expected, axis=-1).max()))

    table = fr.alignment(fr.vector_field(found), "knn:3", null_draws=4000)
    started = time.monotonic()
    thread, killed = kill_one(client, lambda: time.monotonic() - started > 0.3)
    shared = fr.alignment(path, "knn:3", null_draws=4000, client=client, progress=False)
    thread.join()
    assert len(killed) == 1
    pd.testing.assert_frame_equal(shared, table, rtol=1e-9)


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
