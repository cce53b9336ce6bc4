"""The exports of a `FieldExplorer`: tables, words, a picture, and the answers of a page without a kernel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from fr_explore.attributes import ATTRIBUTES
from fr_explore.geometry.neighbors import as_neighborhood

from ..core import live
from ..core.page import Offline, Pixels
from ..core.picture import Plot
from .curve import Pictures
from .payload import cell_payload, curve_view, neighbors
from .scales import Scales, spelled
from .state import places

__all__ = ["offline", "picture", "tables", "words"]

PICTURED = 24  # curves of a cell whose faces are stored
# the upper edges and the colours of the energy classes
CLASSES = ((0.5, "#5b3fb5"), (0.9, "#8f7fc0"), (1.1, "#8f8f8f"), (2.01, "#b06a00"))


def scale_words(state: Mapping[str, Any]) -> str:
    """The scale in words."""
    scale, kind = state["scale"], state["kind"]
    near = {"knn": f"among the {scale:g} nearest", "ball": f"within a radius of {scale:g} mean distances"}
    return near.get(kind) or f"with the neighbourhood {as_neighborhood(spelled(kind, scale)).words}"


def words(scales: Scales, state: Mapping[str, Any]) -> str:
    """The figures of a state in words."""
    identity, attribute, scale = places(scales, state)
    profile = scales.profile(identity, attribute, state["kind"])
    return (
        f"Field of {state['attribute']} for identity {state['identity']}, {scales.curves} curves. Alignment energy "
        f"E = {profile.energy[scale]:.2f} {scale_words(state)}; coverage {profile.coverage[scale]:.0%}; magnitude "
        f"{scales.magnitude(identity, attribute):.2f} of the mean distance between two points."
    )


def tables(scales: Scales, state: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """`energies`: this identity at all scales; `points`: each curve at the current scale, in the current plane."""
    identity, chosen, scale = places(scales, state)
    rows = []
    for attribute, name in enumerate(scales.attributes):
        for kind in scales.kinds:
            profile = scales.profile(identity, attribute, kind)
            for value, energy, coverage in zip(scales.grid[kind], profile.energy, profile.coverage, strict=True):
                row = {"identity": state["identity"], "attribute": name, "neighborhood": spelled(kind, value)}
                rows.append(row | {"kind": kind, "scale": value, "energy": energy, "coverage": coverage})
    cell = scales.cell(identity, chosen)
    plane = scales.planes(identity, chosen)[state["plane"]]
    points = pd.DataFrame({"identity": state["identity"], "attribute": state["attribute"], "curve": cell.curve})
    points = points.assign(x=plane.xy[:, 0], y=plane.xy[:, 1], magnitude=cell.magnitude)
    points["neighborhood"] = spelled(state["kind"], state["scale"])
    points["energy"] = scales.points(identity, chosen, state["kind"])[scale]
    return {"energies": pd.DataFrame(rows), "points": points}


def picture(scales: Scales, state: Mapping[str, Any], three: np.ndarray | None) -> list[list[Any]]:
    """The words, the points in the plane by energy, E and coverage over the scale, and the faces of a curve."""
    identity, attribute, scale = places(scales, state)
    kind, profile = state["kind"], scales.profile(identity, attribute, state["kind"])
    plane = scales.planes(identity, attribute)[state["plane"]]
    energy, low, series = scales.points(identity, attribute, kind)[scale], -0.01, []
    for high, color in CLASSES:
        here = (energy > low) & (energy <= high)
        series.append((plane.xy[here, 0].tolist(), plane.xy[here, 1].tolist(), color, ""))
        low = high
    top = min(2.0, max(1.1, float(np.nanmax(profile.energy, initial=0)) * 1.05))
    grid = [float(value) for value in scales.grid[kind]]
    record = ATTRIBUTES.get(state["attribute"])
    there = np.isfinite(profile.energy)
    lines = [
        (np.array(grid)[there].tolist(), profile.energy[there].tolist(), record.color if record else "#111111", "E"),
        (grid, profile.coverage.tolist(), "#8f8f8f", "coverage"),
        ([grid[0], grid[-1]], [1.0, 1.0], "#8f8f8f", "null"),
    ]
    label = {"knn": "k nearest neighbours", "ball": "radius in mean distances"}.get(kind, spelled(kind, 1))
    chart = Plot(label, "E", lines=lines, marks=[(float(state["scale"]), "#111111", "")], low=0.0, high=top)
    seen = "no direction"
    if np.isfinite(plane.seen):
        seen = f"{plane.variance:.0%} of the points' variance, {plane.seen:.0%} of the directions' squared length"
    cloud = (Plot(points=series, axes=False, size=(320, 320)), f"The plane shows {seen}.")
    rows: list[list[Any]] = [[words(scales, state)], [cloud, chart]]
    if three is not None:
        side = len(three) // 3
        named = ("one step below", f"curve {state['curve']}", "one step above")
        rows.append([(three[k * side : (k + 1) * side], name) for k, name in enumerate(named)])
    return rows


def offline(scales: Scales, pictures: Pictures | None, state: Mapping[str, Any], curves: int | None) -> Offline:
    """All cells, and the neighbours of all curves.

    The page draws the faces of all curves itself. Where it cannot, or with `curves`, those of evenly spaced curves of
    each cell are stored.
    """
    shape = len(scales.identities), len(scales.attributes)
    cells = list(np.ndindex(shape))
    alive = None
    if pictures is not None and curves is None and not live.refusal(pictures.lattice.faces):
        alive = live.live(pictures.lattice.faces, pictures.people)
        alive.data["lattice"], pictures = pictures.for_page(), None  # the page draws all faces itself
    most = min(PICTURED if curves is None else curves, scales.curves)
    pictured = set(np.linspace(0, scales.curves - 1, most).round().astype(int).tolist())
    if state["curve"] is not None:
        pictured.add(state["curve"])
    identity, attribute, _ = places(scales, state)
    axes = {"what": [0, 1], "identity": list(range(shape[0])), "attribute": list(range(shape[1]))}
    axes |= {"kind": list(range(len(scales.kinds))), "curve": list(range(scales.curves))}
    kind = scales.kinds.index(state["kind"])

    def answers() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        # those with faces first: they determine the page's size and time
        for c in sorted(range(scales.curves), key=lambda c: c not in pictured):
            for i, a in cells:
                traits = neighbors(scales, i, a, c) | curve_view(pictures if c in pictured else None, i, a, c)
                if pictures and "frame" in traits:
                    traits["frame"] = Pixels(np.frombuffer(traits["frame"], np.uint8).reshape(-1, pictures.size, 3))
                yield {"what": 1, "identity": i, "attribute": a, "kind": 0, "curve": c}, traits
        for i, a in cells:
            for k, name in enumerate(scales.kinds):
                place = {"what": 0, "identity": i, "attribute": a, "kind": k, "curve": 0}
                yield place, cell_payload(scales, i, a, name)

    # an answer without faces has about a sixth of the size
    count = len(cells) * (len(pictured) + (scales.curves - len(pictured)) // 6 + 2 * len(scales.grid["knn"]) // 6)
    faces = "faces drawn in the page" if alive else f"faces of {len(pictured)}"
    what = f"{shape[0]} identities, {shape[1]} attributes, {scales.curves} curves, {faces}"
    keys = [(i, a, name) for i, a in cells for name in scales.kinds]
    nulls = {f"{i},{a},{name}": list(scales.null_steps(i, a, name)) for i, a, name in keys if scales.draws}
    energies = {}
    for a, name in {(a, name) for _, a, name in keys}:
        energies[f"{a},{name}"] = [scales.profile(i, a, name).energy.tolist() for i in range(shape[0])]
    return Offline(
        traits={"nulls": nulls, "identity_energies": energies},
        axes=axes,
        start={"what": 0, "identity": identity, "attribute": attribute, "kind": kind, "curve": 0},
        answers=answers(),
        count=count,
        what=what,
        reduce="give fewer curves=, or a field of fewer identities or attributes",
        live=alive,
        note="Live: this page draws the faces itself. Nothing leaves it, and it needs no network." if alive else "",
    )
