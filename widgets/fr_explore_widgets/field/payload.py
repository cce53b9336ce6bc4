"""What the page of a `FieldExplorer` is sent: the facts, a sheet for each cell of the field, a curve looked at."""

from __future__ import annotations

from typing import Any

import numpy as np

from fr_explore.attributes import ATTRIBUTES

from ..core.base import WidgetError
from .curve import Pictures, near
from .scales import Scales, plain

__all__ = ["describe", "faces", "middle", "neighbors", "sheet"]


def describe(scales: Scales, pictures: Pictures | None) -> dict[str, Any]:
    """What never changes while a widget lives, as plain JSON."""
    field, attributes = scales.field, []
    for place, name in enumerate(scales.attributes):
        record = ATTRIBUTES.get(name)
        unit = str(field["unit"].values[place]) if "unit" in field.coords else record.unit if record else ""
        step = float(field["step_size"].values[place]) if "step_size" in field.coords else None
        kept = {"label": str(name), "color": "#6a53c4", "shape": "circle", "help": "", "low": 0.0, "high": 1.0}
        kept |= {"neutral": 0.0, "group": "face"} if record is None else {}
        own = {key: getattr(record, key) for key in (*kept, "neutral", "group")} if record else kept
        attributes.append({**own, "name": name, "unit": unit, "step": step})
    facts = {"metric": field.attrs.get("metric", "euclidean"), "dim": field.sizes["dim"], "curves": scales.curves}
    facts |= {"model": str(field.attrs.get("model_title", field.attrs.get("model", ""))), "grid": scales.grid}
    facts |= {"identities": scales.identities, "attributes": attributes, "draws": scales.draws}
    return facts | {"size": pictures.size if pictures else 0}


def sheet(scales: Scales, identity: int, attribute: int, kind: str) -> dict[str, Any]:
    """Traits with all that the page needs of one cell.

    `sheet_data` holds little-endian float32: for each plane (curves, 4) x, y and the arrow's u, v; then the magnitude
    (curves,) and the energies (scales, curves).
    """
    cell = scales.cell(identity, attribute)
    flat = scales.planes(identity, attribute)
    energies, profile = scales.points(identity, attribute, kind), scales.profile(identity, attribute, kind)
    parts = [*(np.hstack([p.xy, p.arrows]) for p in flat.values()), cell.magnitude, energies]
    head = {"identity": identity, "attribute": attribute, "kind": kind, "seq": 0, "client": ""}
    head |= {"planes": {name: [p.variance, p.seen] for name, p in flat.items()}, "known": int(cell.known.sum())}
    head |= {"magnitude": scales.magnitude(identity, attribute), "length": _median(cell.magnitude)}
    head |= {"energy": profile.energy.tolist(), "coverage": profile.coverage.tolist()}
    return {"sheet": plain(head), "sheet_data": b"".join(np.ascontiguousarray(a, "<f4").tobytes() for a in parts)}


def neighbors(scales: Scales, identity: int, attribute: int, curve: int) -> dict[str, Any]:
    """Traits: who the neighbours of a curve are, nearest first (int32), and how many of them at each scale."""
    order, counts = near(scales, identity, attribute, curve)
    head = {"identity": identity, "attribute": attribute, "curve": curve, "counts": counts}
    return {"near": head, "near_data": order.astype("<i4").tobytes()}


def faces(pictures: Pictures | None, identity: int, attribute: int, curve: int) -> dict[str, Any]:
    """Traits: the three faces of a curve, where there are pictures."""
    reply = {"identity": identity, "attribute": attribute, "curve": curve, "seq": 0, "client": "", "strengths": None}
    if pictures is None:
        return {"look": reply}
    try:
        pixels = pictures.faces(identity, attribute, curve)
    except Exception as problem:
        raise WidgetError("The faces of this curve could not be rendered.", "Look at another curve.") from problem
    return {"frame": pixels.tobytes(), "look": reply | {"strengths": pictures.strengths(identity, attribute, curve)}}


def middle(scales: Scales, identity: int, attribute: int) -> int | None:
    """The curve with a direction nearest to the middle of all points; None where none has one."""
    cell = scales.cell(identity, attribute)
    if not cell.known.any():
        return None
    distance = ((cell.points - cell.points[cell.known].mean(0)) ** 2).sum(1)
    return int(np.argmin(np.where(cell.known, distance, np.inf)))


def _median(magnitude: np.ndarray) -> float:
    there = magnitude[np.isfinite(magnitude)]
    return float(np.median(there)) if len(there) else float("nan")
