"""Weights that are fetched on first use: found, downloaded, verified, moved into place.

- One folder, `folder()`, under the library's cache (FR_EXPLORE_CACHE).
- A file counts only when its size and its SHA-256 are those of the record; nothing else is ever loaded, and
  nothing takes its place: no valid file, no model.
- A download goes to a .part file beside the target, goes on where a break left it (also in a later process), and
  is moved into place only after it was verified. Two processes take turns by a lock.
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

__all__ = ["WeightsFile", "clear", "fault", "fetch", "fetched", "folder"]

_TIMEOUT = (10, 60)  # seconds to connect, and between two pieces of data


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """A published file of weights.

    Parameters
    ----------
    model : the model that needs it, by its name in `list_models()`.
    name : file name; url : where it is published.
    size : bytes; sha256 : hexadecimal.
    """

    model: str
    name: str
    url: str
    size: int
    sha256: str


def folder() -> Path:
    """Where fetched weights are kept, and where a file that was brought by hand belongs."""
    return cache.folder() / "weights"


def fetched() -> list[Path]:
    """The files of weights in `folder()`, unfinished ones (.part) included."""
    return sorted(path for path in folder().glob("*") if path.is_file() and path.suffix != ".lock")


def clear() -> int:
    """Delete the fetched weights and return how many bytes that freed."""
    files = fetched()
    freed = sum(path.stat().st_size for path in files)
    for path in files:
        path.unlink(missing_ok=True)
    return freed


def fault(path: Path, file: WeightsFile) -> str | None:
    """What is wrong with a file on disk, in words, or None where it is the published one."""
    size = path.stat().st_size
    if size != file.size:
        short = "it is cut short" if size < file.size else "it is another file"
        return f"{path.name} has {size:,} bytes, expected {file.size:,}: {short}"
    found = pooch.file_hash(str(path))
    if found != file.sha256:
        return f"{path.name} has SHA-256 {found}, expected {file.sha256}: it is damaged or another file"
    return None


def fetch(
    file: WeightsFile, *, also: Iterable[Path] = (), progress: bool = True, attempts: int = 5, pause: float = 1.0
) -> Path:
    """The verified file on this machine, downloaded now if need be.

    Parameters
    ----------
    also : other folders where a copy may lie already, such as torch's own; used in place when it is valid.
    progress : show a progress bar in bytes.
    attempts : how often the server is asked before giving up, a broken download being taken up where it ended; a
        server that cannot be reached at all is asked twice.
    pause : seconds before the second attempt; doubled with each further one.

    Raises
    ------
    FileNotFoundError : the file is not here and cannot be fetched. The text names the file, the address, the
        folder to put it in, and how to check it.
    ValueError : what the server sent is complete, and not the published file.
    """
    target = folder() / file.name
    damage = None
    for path in (target, *(place / file.name for place in also)):
        if path.is_file():
            found = fault(path, file)
            if found is None:
                return path
            damage = damage or found
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(target.with_suffix(".lock")):
            if not (target.is_file() and fault(target, file) is None):  # another process may have brought it
                _download(file, target, progress, attempts, pause)
    except OSError as error:  # of the connection and of the disk alike
        raise FileNotFoundError(_missing(file, target, damage, error)) from error
    return target


def _download(file: WeightsFile, target: Path, progress: bool, attempts: int, pause: float) -> None:
    part = target.with_name(f"{target.name}.part")
    with tqdm(
        total=file.size, unit="B", unit_scale=True, unit_divisor=1024, desc=file.name, disable=not progress
    ) as bar:
        for attempt in range(1, attempts + 1):
            resumed = part.is_file() and part.stat().st_size > 0
            try:
                _receive(file, part, bar)
            except requests.RequestException as error:
                status = error.response.status_code if error.response is not None else None
                refused = status is not None and 400 <= status < 500
                offline = status is None and bar.n == 0 and attempt == 2
                if attempt == attempts or refused or offline:
                    raise
                time.sleep(pause * 2 ** (attempt - 1))
                continue
            found = fault(part, file)
            if found is None:
                part.replace(target)
                return
            part.unlink()  # pieces of two different files may have met in it: once more, from the start
            if not resumed:
                raise ValueError(
                    f"{file.url} sent something else than the weights of {file.model!r}: {found}. It was thrown "
                    "away. A proxy or a login page of the network may have answered: fetch the file by another way "
                    f"and put it in {target.parent}."
                )
    raise requests.ConnectionError(f"no valid copy of {file.name} after {attempts} attempts")


def _receive(file: WeightsFile, part: Path, bar: tqdm) -> None:
    """Append what is missing to the part file; RequestException where the connection breaks."""
    have = part.stat().st_size if part.is_file() else 0
    if have >= file.size:
        return
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with requests.get(file.url, headers=headers, stream=True, timeout=_TIMEOUT) as response:
        response.raise_for_status()
        if response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            mode = "ab"
        else:  # this server sends whole files only
            have, mode = 0, "wb"
        bar.n = have
        with part.open(mode) as out:
            for piece in response.iter_content(1 << 18):
                out.write(piece)
                have += len(piece)
                bar.update(len(piece))
                if have > file.size:
                    return
    if have < file.size and "Content-Length" not in response.headers:
        raise requests.ConnectionError(f"the connection ended after {have:,} of {file.size:,} bytes")


def _missing(file: WeightsFile, target: Path, damage: str | None, error: OSError) -> str:
    reason = f"{type(error).__name__}: {error}"
    here = f"the copy on this machine is not usable ({damage})" if damage else "they are not on this machine"
    return (
        f"the weights of {file.model!r}: {here}, and they could not be fetched ({reason}). On a machine that is "
        f"online, get {file.name} ({file.size:,} bytes) from {file.url}, put it in {target.parent}, and check it "
        f"with `fr-explore fetch {file.model}` (SHA-256 {file.sha256})."
    )
