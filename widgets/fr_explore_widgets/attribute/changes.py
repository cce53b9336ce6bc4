"""How the shown state changes: what a display is given, and what is on its way to its figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fr_explore.faces.base import Face

from ..core.session import State

__all__ = ["Change", "Shown"]


@dataclass(frozen=True, slots=True)
class Change:
    """How a state came about.

    moved : the only attribute that changed, if one did. phase : "drag", "step" (exact, but not a step of undo) or
    "commit". drawn : the page draws this face of a drag itself. fresh : the path on the map starts again. record : a
    commit becomes a step of undo. tag : of the request.
    """

    moved: str | None = None
    phase: str = "commit"
    drawn: bool = False
    fresh: bool = False
    record: bool = True
    tag: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shown:
    """A rendered face on its way to its figures. `tag` goes into every trait published about it."""

    state: State
    face: Face
    size: int
    tag: Mapping[str, Any]
