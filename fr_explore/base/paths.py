"""Paths and names of files: what callers pass, how names are shown, and which file a name in a table means.

- A name is what the file system says, which need not be valid text. `shown` gives the text for tables and messages.
- Tables travel between systems. A name that no file has exactly means the one file that differs from it in letter case,
  Unicode form (Macs store é as two characters), spaces at its ends or backslashes only.
"""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path

__all__ = ["Names", "as_path", "is_system_file", "loose", "shown"]

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")  # s3://bucket, or s3:/bucket after pathlib; not C:/
_UNKNOWN = re.compile(r"^(~[^/\\]*)[/\\]|(?:^|[/\\])(\$\w+|\$\{\w+\})(?=[/\\]|$)")
_UNPRINTABLE = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_SYSTEM = {"thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx"}


def as_path(value: str | bytes | os.PathLike, what: str = "path") -> Path:
    """Return a caller's path, with ~ and environment variables replaced; `what` names it in messages.

    Raises
    ------
    TypeError : not a path.
    ValueError : an address such as s3://bucket, an empty name, an unknown user or variable.
    """
    try:
        text = os.path.expanduser(os.fsdecode(value))
    except TypeError:
        raise TypeError(f"{what} is of type {type(value).__name__}: give a path as text or pathlib.Path.") from None
    if not text or "\0" in text:
        raise ValueError(f"{what} = {text!r} is not a name of a file or folder; '.' is the current folder.")
    if os.path.lexists(text):
        return Path(text)
    if _ADDRESS.match(text):
        raise ValueError(
            f"{what} = {text!r} is an address, but only files on this machine can be used: download or mount it, and "
            "give its path."
        )
    text = os.path.expandvars(text)
    if unknown := _UNKNOWN.search(text):
        raise ValueError(f"{what} = {text!r}: {unknown[1] or unknown[2]} is not known on this machine.")
    return Path(text)


def shown(name: str) -> str:
    """The name of a file as text that can be printed, encoded and kept in one line: é in NFC, bytes as \\xe9."""

    def escape(match: re.Match[str]) -> str:
        code = ord(match[0])
        return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else ascii(match[0])[1:-1]

    return _UNPRINTABLE.sub(escape, unicodedata.normalize("NFC", name))


def is_system_file(name: str) -> bool:
    """Whether a name is hidden, or one that Windows or a Mac leaves in folders of pictures."""
    return name.startswith(".") or name.lower() in _SYSTEM


class Names:
    """Finds the files of a folder by their names in a table; each folder is listed once and no file is opened."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._listed: dict[str, tuple[set[str], dict[str, list[str]]]] = {}  # exact names, and those by `loose`

    def find(self, name: str) -> str:
        """Return the name on disk, relative to the folder; raise LookupError with the reason if there is none."""
        for parts in (name.split("/"), re.split(r"[/\\]", name)):
            found = ""
            for part in parts:
                if part not in ("", "."):
                    entry = self._entry(found, part)
                    if entry is None:
                        break
                    found = f"{found}/{entry}" if found else entry
            else:
                return found
        raise LookupError("file not found")

    def listed(self, below: str) -> set[str]:
        """Return the names in a folder below this one; raise LookupError if it cannot be listed or leads out."""
        return self._list(below)[0]

    def _entry(self, below: str, part: str) -> str | None:
        exact, spellings = self._list(below)
        if part in exact:
            return part
        found = spellings.get(loose(part), [])
        if len(found) > 1:
            raise LookupError(f"not found, and it could mean any of {', '.join(map(repr, map(shown, sorted(found))))}")
        return found[0] if found else None

    def _list(self, below: str) -> tuple[set[str], dict[str, list[str]]]:
        if below in self._listed:
            return self._listed[below]
        path, exact, spellings = self._folder / below, set[str](), dict[str, list[str]]()
        if not path.resolve().is_relative_to(self._folder.resolve()):
            raise LookupError("a link that leads out of the folder: copy its files into the folder")
        try:
            exact.update(os.listdir(path))
        except NotADirectoryError:
            pass  # nothing is below a file
        except OSError as error:
            raise LookupError(f"its folder cannot be listed: {error.strerror or error}") from None
        for name in exact:
            for key in {loose(name), loose(shown(name))}:
                spellings.setdefault(key, []).append(name)
        return self._listed.setdefault(below, (exact, spellings))


def loose(name: str) -> str:
    """What all spellings of a name have in common."""
    if re.search("[\udc80-\udcff]", name):  # not UTF-8: most likely from an old Windows or Linux system
        name = name.encode("utf-8", "surrogateescape").decode("latin-1")
    return unicodedata.normalize("NFKC", name).casefold().strip()
