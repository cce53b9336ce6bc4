"""Fields -> arrows in a plane, and a matrix of the similarity between attributes' fields."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import xarray as xr

from ..geometry.projection import Projection, pca
from .channels import tips, variant
from .style import Chart, Table, check_columns, color_of, finish, inline, label_of

__all__ = ["field_quiver", "field_similarity"]


def field_quiver(
    field: xr.Dataset,
    identity: Any = None,
    attributes: Any = None,
    length: str = "direction",
    plane: Projection | None = None,
    curves: int = 150,
    seed: int = 0,
):
    """The field of one identity as arrows at its base points, in a plane, one panel per attribute.

    Arrows are projected without subtracting a mean. An arrow that looks short points mostly out of the plane; the
    subtitle gives the share of the points' variance and of the arrows' squared length that the plane shows.

    Parameters
    ----------
    field : Dataset of `fr.vector_field`.
    identity, attributes : which to draw; by default the first identity and all attributes, at most eight panels.
    length : "direction": all arrows have the same length before projection; or "magnitude": the distance that the
        embedding moves, on one scale for all attributes.
    plane : a projection of your own, such as `fr.pca(...)` of the directions; by default PCA of the drawn points.
    curves, seed : the maximum number of arrows per panel, a random sample.

    Raises ValueError for an unknown identity, attribute or length, a plane without two axes, or a field without arrows.
    """
    if length not in ("direction", "magnitude"):
        raise ValueError(f"unknown length {length!r}: choose 'direction' or 'magnitude'.")
    chosen, identity = _choose(field, identity, attributes)
    names = [str(name) for name in np.atleast_1d(chosen["attribute"].values)]
    points = chosen["point"].transpose("attribute", "curve", "dim").values
    plane = plane or pca(points[np.isfinite(points).all(-1)])
    if len(plane.axes) != 2:
        raise ValueError(f"the plane has {len(plane.axes)} axes: give one with two, such as fr.pca(points, dims=2).")
    arrows, share = _arrows(chosen, names, plane, length, curves, seed)
    if arrows.empty:
        raise ValueError("no curve has a point and a direction, so there is no arrow to draw: nothing moves.")
    panels = [_quiver_panel(arrows, name, names) for name in names]
    per_row = min(len(panels), 3)
    chart = alt.concat(*panels, columns=per_row, spacing=16) if len(panels) > 1 else panels[0]
    one = f" of {label_of(names[0])}" if len(names) == 1 else ""
    model = f", {field.attrs['model']}" if field.attrs.get("model") else ""
    title = f"Field{one} at identity {identity}{model}"
    return finish(chart, title, f"{plane.caption} and {100 * share:.0f} % of the arrows")


def field_similarity(matrix: xr.DataArray | pd.DataFrame):
    """How similarly two attributes move the same faces: 0 the same way, 1 unrelated, 2 opposite ways.

    Parameters
    ----------
    matrix : the result of `fr.field_similarity`, (identity, attribute, attribute_2), or its mean over identities,
        (attribute, attribute_2). Or a square DataFrame with the attributes as index and columns.

    Raises ValueError for other dimensions or columns.
    """
    table = _cells(matrix)
    labels = list(dict.fromkeys(table["row"]))
    side = max(30, min(48, 420 // len(labels)))
    scale = alt.Scale(domain=[0, 1, 2], range=["#17708c", "#e6e2da", "#b3541e"], clamp=True, interpolate="lab")
    # squares: browsers lose the gradient of an SVG when the host changes its theme
    squares: dict[str, Any] = {"type": "symbol", "symbolType": "square", "symbolSize": 200, "symbolStrokeWidth": 0}
    legend = alt.Legend(title="mean of 1 − cos", values=[0, 0.5, 1, 1.5, 2], **squares)
    band = alt.Scale(domain=labels, paddingInner=0.05, paddingOuter=0)
    bare: dict[str, Any] = {"domain": False, "ticks": False, "grid": False}
    tooltip = [
        alt.Tooltip("row:N", title="attribute"),
        alt.Tooltip("column:N", title="and"),
        alt.Tooltip("value:Q", title="mean of 1 − cos", format=".3f"),
    ]
    # the diagonal is always 0 and would be the most prominent part of the chart
    base = alt.Chart(inline(table[table["row"] != table["column"]])).encode(
        x=alt.X("column:N", scale=band, title=None, axis=alt.Axis(orient="top", labelAngle=-40, **bare)),
        y=alt.Y("row:N", scale=band, title=None, axis=alt.Axis(**bare)),
        tooltip=tooltip,
    )
    cells = base.mark_rect().encode(color=alt.Color("value:Q", scale=scale, legend=legend))
    words = base.mark_text(fontSize=11).encode(
        text=alt.Text("value:Q", format=".2f"),
        # cells are dark at both ends of the scale and light in the middle, in any theme
        color=alt.condition("abs(datum.value - 1) > 0.6", alt.value("#ffffff"), alt.value("#1c1c1c")),
    )
    chart = alt.layer(cells, words).properties(width=side * len(labels), height=side * len(labels))
    title = "Which attributes move the faces the same way?"
    return finish(chart, title, "0 the same way", "1 unrelated", "2 opposite ways")


def _choose(field: xr.Dataset, identity: Any, attributes: Any) -> tuple[xr.Dataset, Any]:
    """The field of one identity and some attributes; ValueError if the field does not contain them."""
    missing = [name for name in ("point", "direction", "magnitude") if name not in field]
    if missing:
        raise ValueError(f"the field lacks {', '.join(missing)}: this chart draws the result of fr.vector_field(...).")
    known = {name: field[name].values.tolist() for name in ("identity", "attribute")}
    identity = known["identity"][0] if identity is None else identity
    attributes = known["attribute"][:8] if attributes is None else attributes
    wanted = [attributes] if isinstance(attributes, str) else list(attributes)
    for name, values, there in (("identity", [identity], known["identity"]), ("attribute", wanted, known["attribute"])):
        absent = [value for value in values if value not in there]
        if absent or not values:
            shown = ", ".join(map(str, there[:12])) + (", ..." if len(there) > 12 else "")
            raise ValueError(f"{name} {absent[0] if absent else values!r} is not in the field: choose from {shown}.")
    return field.sel(identity=identity, attribute=wanted), identity


def _arrows(
    field: xr.Dataset, names: list[str], plane: Projection, length: str, curves: int, seed: int
) -> tuple[Table, float]:
    """Tails, tips and angles, one row per arrow; and the share of the arrows' squared length that the plane shows."""
    rng = np.random.default_rng(seed)
    frames = []
    for k, name in enumerate(names):
        at = {key: field[key].isel(attribute=k).values for key in ("point", "direction", "magnitude")}
        there = np.flatnonzero(np.isfinite(at["point"]).all(-1) & np.isfinite(at["direction"]).all(-1))
        there = np.sort(rng.permutation(there)[:curves])
        tail, vector = plane.transform(at["point"][there]), plane.project_vectors(at["direction"][there])
        frames.append(pd.DataFrame({
            "label": label_of(name), "curve": there, "x": tail[:, 0], "y": tail[:, 1], "u": vector[:, 0],
            "v": vector[:, 1], "magnitude": at["magnitude"][there],
        }))  # fmt: skip
    arrows: Table = pd.concat(frames, ignore_index=True)
    if arrows.empty:
        return arrows, 0.0
    share = float((arrows["u"] ** 2 + arrows["v"] ** 2).mean())
    if length == "magnitude":
        arrows[["u", "v"]] = arrows[["u", "v"]].mul(arrows["magnitude"], axis=0)
    # the longest arrow has a ninth of the panel's width; arrows are centred on their base points
    span = max(np.ptp(arrows["x"]), np.ptp(arrows["y"])) or 1.0
    unit = span / 9 / (np.hypot(arrows["u"], arrows["v"]).max() or 1.0)
    for axis, vector in (("x", "u"), ("y", "v")):
        arrows[f"{axis}1"] = arrows[axis] - unit * arrows[vector] / 2
        arrows[f"{axis}2"] = arrows[axis] + unit * arrows[vector] / 2
    arrows["angle"] = np.degrees(np.arctan2(arrows["u"], arrows["v"]))
    return arrows, share


def _quiver_panel(arrows: Table, name: str, names: list[str]) -> Chart:
    """One attribute's arrows; both axes have the same scale, so that angles are true."""
    rows = arrows[arrows["label"] == label_of(name)]
    columns = min(len(names), 3)
    side = {1: 400, 2: 264, 3: 170}[columns]
    scales, half = _square(arrows)
    # a head is never longer than its arrow, so that a small movement looks small
    pixels = np.hypot(rows["x2"] - rows["x1"], rows["y2"] - rows["y1"]) * side / (2 * half)
    rows = rows.assign(head=np.minimum(26 if columns < 3 else 16, (0.5 * pixels) ** 2))
    alone = len(names) == 1
    look: dict[str, Any] = {"labels": False, "ticks": False, "grid": False}
    x = alt.X("x1:Q", scale=scales["x"], title="first axis" if alone else None, axis=alt.Axis(**look))
    y = alt.Y("y1:Q", scale=scales["y"], title="second axis" if alone else None, axis=alt.Axis(**look))
    name_tip, magnitude = tips(arrows, ".3g", "magnitude")
    tooltip = [name_tip, alt.Tooltip("curve:Q"), magnitude]
    color = color_of(name, names)
    shafts = alt.Chart(inline(rows)).mark_rule(strokeWidth=1.3, color=color, opacity=0.85)
    heads = alt.Chart(inline(rows)).mark_point(shape="triangle", filled=True, color=color, opacity=0.9)
    # the base point is visible even if its arrow is too short
    dots = alt.Chart(inline(rows)).mark_circle(size=7, color=color, opacity=0.6)
    angle = alt.Angle("angle:Q", scale=alt.Scale(domain=[-180, 180], range=[-180, 180]))
    turned = heads.encode(angle=angle, size=alt.Size("head:Q", scale=None))
    layers = [
        dots.encode(x=variant(x, "x"), y=variant(y, "y"), tooltip=tooltip),
        shafts.encode(x=x, y=y, x2="x2:Q", y2="y2:Q", tooltip=tooltip),
        turned.encode(x=variant(x, "x2"), y=variant(y, "y2"), tooltip=tooltip),
    ]
    title = alt.Title(label_of(name), anchor="middle", fontSize=12, fontWeight="normal", offset=4)
    panel = alt.layer(*layers).properties(width=side, height=side)
    return panel if alone else panel.properties(title=title)


def _square(arrows: Table) -> tuple[dict[str, alt.Scale], float]:
    """Scales of both axes that include all arrows, with the same units per pixel, and half their extent."""
    ends = {axis: arrows[[f"{axis}1", f"{axis}2"]].to_numpy() for axis in "xy"}
    half = 0.52 * max(np.ptp(values) for values in ends.values()) or 1.0
    scales = {}
    for axis, values in ends.items():
        middle = (values.min() + values.max()) / 2
        scales[axis] = alt.Scale(domain=[float(middle - half), float(middle + half)], nice=False, zero=False)
    return scales, float(half)


def _cells(matrix: xr.DataArray | pd.DataFrame) -> Table:
    """The matrix as rows `row`, `column`, `value`."""
    if isinstance(matrix, xr.DataArray):
        if "identity" in matrix.dims:
            matrix = matrix.mean("identity")
        if matrix.dims != ("attribute", "attribute_2"):
            raise ValueError(
                f"the matrix has dimensions {matrix.dims}: this chart draws the result of fr.field_similarity(...)."
            )
        matrix = pd.DataFrame(matrix.values, matrix["attribute"].values, matrix["attribute_2"].values)
    check_columns(matrix, matrix.index, "fr.field_similarity(...)")
    square: Table = matrix.astype(float).set_axis(map(label_of, matrix.index)).set_axis(map(label_of, matrix), axis=1)
    return square.rename_axis("row").reset_index().melt("row", var_name="column")
