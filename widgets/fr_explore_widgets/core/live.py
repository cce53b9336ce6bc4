"""The engine, people and networks for a page that draws faces and runs networks itself.

`shared/live.js` unpacks them in the page. What a page computes differs from the kernel only by the precision of the
networks' weights: `ERROR` is by how much.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fr_explore.engine.network import Precision
from fr_explore.models.packed import packed

from .engine import compressed, engine_parts

__all__ = ["ERROR", "Late", "Live", "Recurring", "live", "note", "refusal"]

# by how much the weights move a distance, as a share of it, in 95 of 100 cases
ERROR: Mapping[str, float] = {"float32": 0.0, "float16": 0.002, "int8": 0.03}


class Recurring(bytes):
    """Bytes that other pages have too; pages that share files hold them once (`page.shared_files`)."""


class Late(Recurring):
    """Of these, what a page can do without at first: pages that share files load it when somebody uses them."""


@dataclass(frozen=True, eq=False)
class Live:
    """`data`: what the page is given. `contents`: what takes its space, in words, with the number of bytes."""

    data: dict[str, Any]
    contents: Mapping[str, int]


def refusal(faces: Any, models: Sequence[Any] = ()) -> str:
    """Why a page cannot compute these faces or models itself, in a sentence; "" if it can."""
    if faces is not None and not hasattr(faces, "packed"):
        return f"a page can draw avatars only, and these faces are {type(faces).__name__}."
    for model in models:
        card, module = model.card, getattr(model, "module", None)
        if not hasattr(module, "describe") or card.template is None:
            return f"{card.name} has no form for a page (no `describe()`, or no template that aligns faces)."
    return ""


def live(
    faces: Any, identities: Sequence[Hashable], models: Mapping[str, Any] | None = None, precision: Precision = "int8"
) -> Live:
    """The engine with some identities of a source, and with models under the names that the page uses.

    faces : None for a page that draws nobody.
    """
    if precision not in ERROR:
        raise ValueError(f"precision = {precision!r}: choose from {', '.join(ERROR)}.")
    parts = {name: Recurring(part) if isinstance(part, bytes) else part for name, part in engine_parts().items()}
    data: dict[str, Any] = {"parts": parts, "models": []}
    contents = {"the engine": sum(len(part) for part in parts.values() if isinstance(part, bytes))}
    if faces is not None:
        head, people = faces.packed(identities)
        coded = [_blob(person) for person in people]
        data |= {"head": _blob(head), "people": coded}
        contents["head and hair"] = len(data["head"]["data"])
        contents[f"{len(coded)} people"] = sum(len(person["data"]) for person in coded)
    for name, model in (models or {}).items():
        found = packed(model, precision)
        blob = _blob(found.network)
        data["models"].append({"card": found.card | {"name": name}, **blob, "data": Late(blob["data"])})
        contents[f"the network {name} as {precision}"] = len(data["models"][-1]["data"])
    return Live(data, contents)


def note(networks: str, precision: Precision) -> str:
    """What a live page computes, and how exactly: a sentence for the reader."""
    error = ERROR[precision]
    near = f"95 of 100 distances are within {100 * error:g} % of the notebook's" if error else "distances are exact"
    return (
        f"Live: this page draws the faces and runs {networks} ({precision}: {near}). Nothing leaves it, and it needs "
        "no network."
    )


def _blob(blob: bytes) -> dict[str, Any]:
    key, data = compressed(blob)
    return {"key": key, "data": Recurring(data)}
