"""What a page in Jupyter needs to draw faces itself while a slider is dragged: sent on request, once per page.

`packed` holds the keys of the engine, the head and the people; keys are hashes of the content. The page looks
in its memory and in its browser's cache (`engine/store.js`), and asks for what it lacks. The answers are custom
messages, because a trait would become part of the widget's state, which is sent again when the notebook is opened.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any

from .engine import compressed, engine_parts
from .live import refusal

__all__ = ["Supply"]

# compressed blobs of this process by key, shared by its widgets; and the keys by source and people
_BLOBS: dict[str, bytes] = {}
_KEYS: dict[Any, str] = {}


class Supply:
    """The blobs of a face source, packed in the background."""

    def __init__(self, faces: Any, identities: Sequence[Hashable]) -> None:
        self._faces, self._identities = faces, identities
        self.able = not refusal(faces)

    def pack(self) -> Iterator[dict[str, Any]]:
        """Yields after each person, and the keys for the page last."""
        faces, parts = self._faces, engine_parts()
        people = []
        for who in self._identities:
            people.append(_known((faces.fingerprint, who), lambda who=who: faces.packed([who])[1][0]))
            yield {}
        head = _known((faces.fingerprint, tuple(self._identities)), lambda: faces.packed(self._identities)[0])
        files = {name: part for name, part in parts.items() if name != "id"}
        _BLOBS.update({f"{parts['id']}-{name}": part for name, part in files.items()})
        yield {"parts": parts["id"], "files": list(files), "head": head, "people": people}

    def blob(self, key: str) -> bytes:
        """A packed blob; KeyError for a key that this process never gave."""
        return _BLOBS[key]


def _known(what: Any, make: Any) -> str:
    if what not in _KEYS:
        key, data = compressed(make())
        _BLOBS[key], _KEYS[what] = data, key
    return _KEYS[what]
