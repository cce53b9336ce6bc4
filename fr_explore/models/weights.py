"""Weights that are downloaded on first use.

- They are kept in one folder, `folder()`, in the library's cache (FR_EXPLORE_CACHE).
- A file is used only if its size and SHA-256 are those of its record. There is no fallback: no valid file, no model.
- A download is written to a .part file, resumes after a broken connection (in a later process too), and is moved into
  place only after verification. A lock makes sure that two processes download a file once. `pooch.retrieve` offers
  verification and the move, but neither resuming nor the lock, so only its hash is used here.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pooch
import requests
from filelock import FileLock
from tqdm.auto import tqdm

from ..base import cache

__all__ = ["WeightsFile", "clear", "fault", "fetch", "fetched", "folder", "found", "verified"]

_TIMEOUT = (10, 60)  # seconds to connect, and between two pieces of data


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """A published file of weights.

    Parameters
    ----------
    model : the model that needs it, by its name in `list_models()`.
    name : file name. url : where it is published.
    size : in bytes. sha256 : hexadecimal.
    """

    model: str
    name: str
    url: str
    size: int
    sha256: str


def folder() -> Path:
    """Where downloaded weights are kept; also the place for a file that you copy by hand."""
    return cache.folder() / "weights"


def fetched() -> list[Path]:
    """The files of weights in `folder()`, including unfinished ones (.part)."""
    return sorted(path for path in folder().glob("*") if path.is_file() and path.suffix != ".lock")


def found(file: WeightsFile, also: Iterable[Path] = ()) -> list[Path]:
    """Copies of a file on this machine, in `folder()` or other folders, that have its size; they are not verified."""
    paths = (place / file.name for place in (folder(), *also))
    return [path for path in paths if path.is_file() and path.stat().st_size == file.size]


def clear() -> int:
    """Delete the downloaded weights and return how many bytes that freed."""
    freed = 0
    for path in fetched():
        freed += path.stat().st_size
        path.unlink(missing_ok=True)
    return freed


def fault(path: Path, sha256: str, size: int | None = None) -> str | None:
    """How a file on disk differs from the published one, in words; None if it does not."""
    found = path.stat().st_size
    if size is not None and found != size:
        kind = "it is incomplete" if found < size else "it is another file"
        return f"{path.name} has {found:,} bytes, expected {size:,}: {kind}"
    digest = pooch.file_hash(str(path))
    if digest != sha256:
        return f"{path.name} has SHA-256 {digest}, expected {sha256}: it is damaged or another file"
    return None


def verified(path: Path, sha256: str | None, remedy: str) -> Path:
    """`path` if its SHA-256 is the given one; otherwise ValueError, which ends with the remedy."""
    if damage := fault(path, str(sha256)):
        raise ValueError(f"{damage}; {remedy}.")
    return path


def fetch(
    file: WeightsFile, *, also: Iterable[Path] = (), progress: bool = True, attempts: int = 5, pause: float = 1.0
) -> Path:
    """The verified file on this machine, downloaded if necessary.

    Parameters
    ----------
    also : other folders that may hold a copy, such as torch's own. A valid copy is used where it is.
    progress : show a progress bar in bytes.
    attempts : how many requests to make before giving up; each resumes where the previous one broke off. A server
        that cannot be reached at all gets two.
    pause : seconds before the second attempt; doubled before each further one.

    Raises
    ------
    FileNotFoundError : the file is not on this machine and could not be downloaded. The message names the file, its
        address, the folder to copy it to, and the command that checks it.
    ValueError : the server sent a complete file, but not the published one.
    """
    target = folder() / file.name
    damage = None
    for path in (target, *(place / file.name for place in also)):
        if path.is_file():
            found = fault(path, file.sha256, file.size)
            if found is None:
                return path
            damage = damage or found
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(target.with_suffix(".lock")):
            # another process may have downloaded it in the meantime
            if not (target.is_file() and fault(target, file.sha256, file.size) is None):
                _download(file, target, progress, attempts, pause)
    except OSError as error:  # of the network and of the disk
        state = f"the copy on this machine is not usable ({damage})" if damage else "they are not on this machine"
        raise FileNotFoundError(
            f"the weights of {file.model!r}: {state}, and they could not be fetched ({type(error).__name__}: {error}). "
            f"On a machine with internet access, download {file.name} ({file.size:,} bytes) from {file.url}, copy it "
            f"to {target.parent}, and check it with `fr-explore fetch {file.model}` (SHA-256 {file.sha256})."
        ) from error
    return target


def _download(file: WeightsFile, target: Path, progress: bool, attempts: int, pause: float) -> None:
    part = target.with_name(f"{target.name}.part")
    bar = tqdm(total=file.size, unit="B", unit_scale=True, unit_divisor=1024, desc=file.name, disable=not progress)
    with bar:
        for attempt in range(1, attempts + 1):
            resumed = part.is_file() and part.stat().st_size > 0
            try:
                _receive(file, part, bar)
            except requests.RequestException as error:
                refused = error.response is not None and 400 <= error.response.status_code < 500
                offline = error.response is None and bar.n == 0 and attempt == 2
                if attempt == attempts or refused or offline:
                    raise
                time.sleep(pause * 2 ** (attempt - 1))
                continue
            found = fault(part, file.sha256, file.size)
            if found is None:
                part.replace(target)
                return
            part.unlink()  # if resumed, it may mix two different files: start again from the beginning
            if not resumed:
                raise ValueError(
                    f"{file.url} did not send the weights of {file.model!r}: {found}. The download was deleted. "
                    "A proxy or a login page of the network may have answered: download the file in another way and "
                    f"copy it to {target.parent}."
                )
    raise requests.ConnectionError(f"no valid copy of {file.name} after {attempts} attempts")


def _receive(file: WeightsFile, part: Path, bar: tqdm) -> None:
    """Append the missing bytes to the .part file; RequestException if the connection breaks."""
    have = part.stat().st_size if part.is_file() else 0
    if have >= file.size:
        return
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with requests.get(file.url, headers=headers, stream=True, timeout=_TIMEOUT) as response:
        response.raise_for_status()
        if not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            have = 0  # this server sends whole files only
        bar.n = have
        with part.open("ab" if have else "wb") as out:
            for piece in response.iter_content(1 << 18):
                out.write(piece)
                have += len(piece)
                bar.update(len(piece))
                if have > file.size:
                    return
    if have < file.size and "Content-Length" not in response.headers:
        raise requests.ConnectionError(f"the connection ended after {have:,} of {file.size:,} bytes")
