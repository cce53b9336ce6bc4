"""Downloading weights from a loopback server that breaks off, refuses, or sends another file."""

import hashlib
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from loopback import Site, serve

from fr_explore.models import weights

CONTENT = np.random.default_rng(0).integers(0, 256, 3_000_000, dtype=np.uint8).tobytes()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FR_EXPLORE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "cache" / "weights"


@pytest.fixture
def site():
    with serve(Site(CONTENT)) as site:
        yield site


def record(site: Site, content: bytes = CONTENT) -> weights.WeightsFile:
    return weights.WeightsFile(
        model="toy", name="toy.pt", url=site.url, size=len(content), sha256=hashlib.sha256(content).hexdigest()
    )


def fetch(site: Site, **options):
    return weights.fetch(record(site), progress=False, **{"pause": 0.01, **options})


def test_downloaded_once_then_kept(site, cache):
    path = fetch(site)
    assert path == cache / "toy.pt"
    assert path.read_bytes() == CONTENT
    assert fetch(site) == path
    assert site.asked == [None]
    assert {p.suffix for p in cache.iterdir()} <= {".pt", ".lock"}


def test_a_broken_download_resumes_where_it_ended(site):
    site.cuts = [1_000_000, 500_000]
    assert fetch(site).read_bytes() == CONTENT
    starts = [int(asked.removeprefix("bytes=").rstrip("-")) for asked in site.asked[1:]]
    assert len(starts) == 2
    assert 0 < starts[0] <= 1_000_000
    assert starts[0] < starts[1] <= 1_500_000


def test_a_server_without_ranges_is_read_from_the_start(site):
    site.cuts, site.ranges = [2_000_000], False
    assert fetch(site).read_bytes() == CONTENT
    assert len(site.asked) == 2


def test_a_later_process_resumes_from_the_part(site, cache):
    site.cuts = [1_500_000]
    with pytest.raises(FileNotFoundError):
        fetch(site, attempts=1)
    part = (cache / "toy.pt.part").stat().st_size
    assert 0 < part <= 1_500_000
    assert not (cache / "toy.pt").exists()
    assert fetch(site).read_bytes() == CONTENT
    assert site.asked[-1] == f"bytes={part}-"


def test_a_part_that_was_complete_needs_no_connection(site, cache):
    cache.mkdir(parents=True)
    (cache / "toy.pt.part").write_bytes(CONTENT)
    assert fetch(site).read_bytes() == CONTENT
    assert site.asked == []


@pytest.mark.parametrize("length", [1_000, 3_000_000, 3_000_010])
def test_a_part_of_another_file_is_discarded(site, cache, length):
    cache.mkdir(parents=True)
    (cache / "toy.pt.part").write_bytes(b"x" * length)
    assert fetch(site).read_bytes() == CONTENT
    assert site.asked[-1] is None


WRONG = {
    "other bytes": (bytes([CONTENT[0] ^ 1]) + CONTENT[1:], "has SHA-256 .*damaged or another file"),
    "a login page": (b"<html>please log in</html>", "has 26 bytes, expected 3,000,000: it is incomplete"),
    "longer": (CONTENT + bytes(1_000_000), "has .* bytes, expected 3,000,000: it is another file"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_file_is_refused_and_leaves_nothing(site, cache, what):
    site.content, message = WRONG[what]
    with pytest.raises(ValueError, match=f"did not send the weights of 'toy': toy.pt.part {message}"):
        fetch(site)
    assert [p for p in cache.iterdir() if p.suffix != ".lock"] == []


def test_a_busy_server_gets_another_request_and_a_refusal_does_not(site):
    site.failures = [503, 502]
    assert fetch(site).read_bytes() == CONTENT
    (weights.folder() / "toy.pt").unlink()
    site.failures, site.asked = [404, 404], []
    with pytest.raises(FileNotFoundError, match="404"):
        fetch(site)
    assert len(site.asked) == 1


def test_offline_the_error_names_file_folder_and_check(cache):
    with serve(Site(CONTENT)) as site:
        pass  # its port is closed now
    with pytest.raises(FileNotFoundError) as caught:
        fetch(site, attempts=2)
    said = str(caught.value)
    for part in (
        "'toy'",
        "toy.pt (3,000,000 bytes)",
        site.url,
        str(cache),
        "`fr-explore fetch toy`",
        "ConnectionError",
    ):
        assert part in said
    assert hashlib.sha256(CONTENT).hexdigest() in said


def test_a_damaged_copy_is_replaced_online_and_named_offline(site, cache):
    cache.mkdir(parents=True)
    (cache / "toy.pt").write_bytes(CONTENT[:-1])
    site.failures = [404]
    with pytest.raises(FileNotFoundError, match=r"not usable \(toy.pt has 2,999,999 bytes"):
        fetch(site)
    assert fetch(site).read_bytes() == CONTENT


def test_a_copy_elsewhere_is_used_in_place_if_valid(site, tmp_path):
    (tmp_path / "toy.pt").write_bytes(CONTENT)
    assert fetch(site, also=[tmp_path / "nowhere", tmp_path]) == tmp_path / "toy.pt"
    (tmp_path / "toy.pt").write_bytes(CONTENT[::-1])
    assert fetch(site, also=[tmp_path]) == weights.folder() / "toy.pt"
    assert len(site.asked) == 1


def test_a_folder_that_cannot_be_written(site, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("FR_EXPLORE_CACHE", str(tmp_path / "file"))
    with pytest.raises(FileNotFoundError, match="could not be fetched"):
        fetch(site)


def test_two_at_once_fetch_once(site):
    paths = []
    threads = [threading.Thread(target=lambda: paths.append(fetch(site))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(paths) == 3
    assert paths[0].read_bytes() == CONTENT
    assert len(site.asked) == 1


def test_a_process_killed_while_downloading_leaves_a_part_only(site, cache):
    site.released.clear()
    file = record(site)
    code = "import sys; from fr_explore.models.weights import *; a = sys.argv; "
    code += "fetch(WeightsFile(a[1], a[2], a[3], int(a[4]), a[5]))"
    arguments = [file.model, file.name, file.url, str(file.size), file.sha256]
    child = subprocess.Popen([sys.executable, "-c", code, *arguments], stderr=subprocess.DEVNULL)
    while child.poll() is None and not (cache / "toy.pt.part").exists():
        time.sleep(0.002)
    child.kill()
    child.wait()
    site.released.set()
    assert not (cache / "toy.pt").exists()
    assert weights.fetch(file, progress=False).read_bytes() == CONTENT


def test_progress_bar_counts_bytes(site, capsys):
    site.cuts = [1_000_000]
    weights.fetch(record(site), progress=True, pause=0.01)
    assert "toy.pt: 100%" in capsys.readouterr().err
