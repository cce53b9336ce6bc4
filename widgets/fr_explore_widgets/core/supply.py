"""What a page in Jupyter needs to draw faces itself while a slider is dragged: sent on request, once per page.

`packed` holds the keys of the engine, of the head and the blob of each person packed so far, and of networks; keys are
hashes of the content. The page looks in its memory and in its browser's cache (`engine/store.js`), and asks for what it
lacks. The answers are custom messages, because a trait would become part of the widget's state, which is sent again
when the notebook is opened.

The first person that a page asks for is packed alone, with a head that has only what this person wears: that is soon
done and small. The others follow when a page asks for one of them, in blocks that share a head. A page asks for a
network only where the kernel's figures take long (`attribute/guess.js`).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any

from fr_explore.models.packed import packed

from .engine import compressed, engine_parts
from .live import refusal

__all__ = ["Supply"]

BLOCK = 24  # identities that share a head
Keys = tuple[str, list[str]]  # of a head, and of its people
# compressed blobs of this process by key, and the keys by source and people; shared by its widgets
_BLOBS: dict[str, bytes] = {}
_KEYS: dict[Any, Keys] = {}


class Supply:
    """The blobs of a face source, and of models by name, packed in the background."""

    def __init__(self, faces: Any, identities: Sequence[Hashable], models: Mapping[str, Any]) -> None:
        self._faces, self._identities, self._models = faces, identities, models
        self._people: dict[int, tuple[str, str]] = {}
        self._networks: dict[str, tuple[dict[str, Any], str] | None] = {}
        self.able = not refusal(faces)

    def answer(
        self,
        content: Mapping[str, Any],
        send: Callable[..., None],
        start: Callable[[str, Iterator], None],
        publish: Callable[[dict[str, Any]], None],
    ) -> None:
        """Answer a page that wants the keys of a person or of a model, or blobs, each in a message of its own.

        A page may ask for `size` bytes of a blob from byte `from` on, so that other messages pass between its pieces.

        start : takes a name and the steps of the packing, and runs them in the background. publish : takes all keys.
        """
        place, model = content.get("place"), content.get("model")
        if content.get("kind") == "pack" and self.able:
            if place is not None and place not in self._people:
                start(f"pack {place}", self._pack(place, publish))
            if model is not None and model in self._models and model not in self._networks:
                start(f"pack {model}", self._pack_model(model, publish))
        for key in content.get("keys", ()) if content.get("kind") == "blobs" else ():
            blob, first = self.blob(key), int(content.get("from", 0))
            piece = blob[first : first + int(content.get("size", len(blob)))]
            send({"kind": "blob", "key": key, "all": len(blob)}, [piece])

    def _pack(self, place: int, publish: Callable[[dict[str, Any]], None]) -> Iterator[None]:
        yield
        block = [place]
        if self._people:
            first = place - place % BLOCK
            block = list(range(first, min(first + BLOCK, len(self._identities))))
        head, found = self._keys([self._identities[one] for one in block])
        for one, person in zip(block, found, strict=True):
            self._people.setdefault(one, (head, person))
        publish(self._keys_of_all())

    def _pack_model(self, name: str, publish: Callable[[dict[str, Any]], None]) -> Iterator[None]:
        """A model that cannot run in a page gets None."""
        yield
        model = self._models[name]
        self._networks[name] = None
        if not refusal(None, [model]):
            found = packed(model, "int8")
            key, data = compressed(found.network)
            _BLOBS[key] = data
            self._networks[name] = found.card | {"name": name}, key
        publish(self._keys_of_all())

    def _keys_of_all(self) -> dict[str, Any]:
        parts = engine_parts()
        files = {name: part for name, part in parts.items() if name != "id"}
        _BLOBS.update({f"{parts['id']}-{name}": part for name, part in files.items()})
        people = {str(one): keys for one, keys in self._people.items()}
        return {"parts": parts["id"], "files": list(files), "people": people, "models": dict(self._networks)}

    def blob(self, key: str) -> bytes:
        """A packed blob; KeyError for a key that this process never gave."""
        return _BLOBS[key]

    def _keys(self, identities: Sequence[Hashable]) -> Keys:
        what = (self._faces.fingerprint, tuple(identities))
        if what not in _KEYS:
            head, people = self._faces.packed(identities)
            found = [compressed(blob) for blob in (head, *people)]
            _BLOBS.update(found)
            _KEYS[what] = found[0][0], [key for key, _ in found[1:]]
        return _KEYS[what]
