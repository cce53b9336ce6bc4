"""The state of a `FieldExplorer`: the part of the field, the plane and the scale that it shows."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from ..core.base import check_version
from .planes import PLANES
from .scales import Scales, spelled

__all__ = ["VERSION", "check", "first", "places"]

VERSION = 1
LENGTHS = ("direction", "magnitude")
START = {"knn": 10.0, "ball": 0.6}  # other kinds have one scale


def first(scales: Scales, curve: int | None) -> dict[str, Any]:
    """The state of a new widget."""
    return check(scales, {"identity": scales.identities[0], "attribute": scales.attributes[0], "curve": curve})


def check(scales: Scales, given: Mapping[str, Any]) -> dict[str, Any]:
    """The complete state; ValueError for an unknown part, name or scale lists the valid ones.

    A missing `scale`, or None, becomes the scale of the grid nearest to 10 neighbours or 0.6 mean distances.
    """
    check_version(given, VERSION)
    state = {"version": VERSION, "plane": "points", "kind": "knn", "scale": None, "length": "direction", "curve": None}
    state |= {"identity": None, "attribute": None}
    unknown = sorted(set(given) - set(state))
    if unknown:
        raise ValueError(f"state {', '.join(unknown)} is unknown: choose from {', '.join(state)}.")
    state |= given
    _one_of("identity", state["identity"], scales.identities)
    _one_of("attribute", state["attribute"], scales.attributes)
    _one_of("plane", state["plane"], PLANES)
    _one_of("kind", state["kind"], scales.kinds)
    _one_of("length", state["length"], LENGTHS)
    state["scale"] = _scale(state["kind"], state["scale"], scales.grid[state["kind"]])
    curve = state["curve"]
    if curve is not None and not (isinstance(curve, int) and 0 <= curve < scales.curves):
        raise ValueError(f"curve = {curve!r}: give a whole number from 0 to {scales.curves - 1}, or None.")
    return state


def places(scales: Scales, state: Mapping[str, Any]) -> tuple[int, int, int]:
    """Indices of the identity, the attribute and the scale."""
    identity, attribute = scales.identities.index(state["identity"]), scales.attributes.index(state["attribute"])
    return identity, attribute, scales.grid[state["kind"]].index(state["scale"])


def _scale(kind: str, value: Any, grid: list[Any]) -> Any:
    if value is None:
        return min(grid, key=lambda one: abs(one - START.get(kind, one)))
    found = [one for one in grid if abs(one - value) <= 1e-9 * max(1, abs(one))]
    if not found:
        near = sorted(sorted(grid, key=lambda one: abs(one - value))[:2])
        name = {"knn": "ks", "ball": "radii"}.get(kind)
        if name is None:
            raise ValueError(f"scale = {value!r}: {spelled(kind, 1)} has one scale, give None.")
        raise ValueError(
            f"scale = {value!r} is not one of this widget's {name}; the nearest are "
            f"{' and '.join(f'{n:g}' for n in near)}. FieldExplorer(field, {name}=[...]) sets others."
        )
    return found[0]


def _one_of(name: str, value: Any, among: Any) -> None:
    if value in list(among):
        return
    near = difflib.get_close_matches(str(value), [str(one) for one in among], n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    some = ", ".join(map(str, list(among)[:12])) + (", ..." if len(among) > 12 else "")
    raise ValueError(f"unknown {name} {value!r}.{hint} Choose from: {some}.")
