"""The data that a `FieldExplorer` sends to its page: the facts, a payload for each cell of the field, and a curve."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from fr_explore.attributes import ATTRIBUTES
from fr_explore.geometry.neighbors import as_neighborhood

from ..core.base import WidgetError
from .curve import Pictures, neighbors_of
from .scales import Scales, plain, spelled

__all__ = ["cell_payload", "curve_view", "describe", "middle", "neighbors"]

# the style of an attribute without a record
UNKNOWN = {"color": "#6a53c4", "shape": "circle", "help": "", "low": 0.0, "high": 1.0, "neutral": 0.0, "group": "face"}


def describe(scales: Scales, pictures: Pictures | None, redrawn: bool = False) -> dict[str, Any]:
    """The constant facts, as plain JSON."""
    field, attributes = scales.field, []
    for place, name in enumerate(scales.attributes):
        record = ATTRIBUTES.get(name)
        unit = str(field["unit"].values[place]) if "unit" in field.coords else record.unit if record else ""
        step = float(field["step_size"].values[place]) if "step_size" in field.coords else None
        style = asdict(record) if record else UNKNOWN | {"label": str(name)}
        attributes.append(style | {"name": name, "unit": unit, "step": step})
    facts = {"dim": field.sizes["dim"], "curves": scales.curves, "grid": scales.grid}
    facts |= {"identities": scales.identities, "attributes": attributes}
    kinds = {kind: as_neighborhood(spelled(kind, grid[0])).words for kind, grid in scales.grid.items()}
    facts |= {"kinds": kinds | {"knn": "k nearest", "ball": "radius"}}
    return facts | {"size": pictures.size if pictures else 0, "redrawn": redrawn}


def cell_payload(scales: Scales, identity: int, attribute: int, kind: str) -> dict[str, Any]:
    """Traits with all data of one cell, one identity and attribute.

    `payload_data` contains little-endian float32: for each plane (curves, 4) x, y and the arrow's u, v; then the
    magnitude (curves,) and the energies (scales, curves).
    """
    cell = scales.cell(identity, attribute)
    flat = scales.planes(identity, attribute)
    energies, profile = scales.points(identity, attribute, kind), scales.profile(identity, attribute, kind)
    parts = [*(np.hstack([p.xy, p.arrows]) for p in flat.values()), cell.magnitude, energies]
    head = {"identity": identity, "attribute": attribute, "kind": kind, "seq": 0, "client": ""}
    head |= {"planes": {name: [p.variance, p.seen] for name, p in flat.items()}, "known": int(cell.known.sum())}
    head |= {"magnitude": scales.magnitude(identity, attribute)}
    head |= {"energy": profile.energy.tolist(), "coverage": profile.coverage.tolist()}
    return {"payload": plain(head), "payload_data": b"".join(np.ascontiguousarray(a, "<f4").tobytes() for a in parts)}


def neighbors(scales: Scales, identity: int, attribute: int, curve: int) -> dict[str, Any]:
    """Traits: the neighbours of a curve, nearest first (int32), and their number at each scale."""
    order, counts = neighbors_of(scales, identity, attribute, curve)
    head = {"identity": identity, "attribute": attribute, "curve": curve, "counts": counts}
    return {"neighbors": head, "neighbor_data": order.astype("<i4").tobytes()}


def curve_view(pictures: Pictures | None, identity: int, attribute: int, curve: int) -> dict[str, Any]:
    """Traits: the three faces of a curve, if there are pictures."""
    reply = {"identity": identity, "attribute": attribute, "curve": curve, "seq": 0, "client": "", "strengths": None}
    if pictures is None:
        return {"curve_view": reply}
    try:
        pixels = pictures.faces(identity, attribute, curve)
    except Exception as problem:
        raise WidgetError("The faces of this curve could not be rendered.", "Choose another curve.") from problem
    reply["strengths"] = pictures.strengths(identity, attribute, curve)
    return {"frame": pixels.tobytes(), "curve_view": reply}


def middle(scales: Scales, identity: int, attribute: int) -> int | None:
    """The curve with a direction nearest to the centre of the points; None if no curve has a direction."""
    cell = scales.cell(identity, attribute)
    if not cell.known.any():
        return None
    distance = ((cell.points - cell.points[cell.known].mean(0)) ** 2).sum(1)
    return int(np.argmin(np.where(cell.known, distance, np.inf)))
