"""Distances between the steps of a sweep -> a matrix: does the path bend, does it come back?"""

from __future__ import annotations

import altair as alt
import xarray as xr

from .style import Table, finish, inline, label_of

__all__ = ["sweep_distances"]

SIDE = 360


def sweep_distances(path: xr.DataArray):
    """The distance between the embeddings of any two steps along one attribute.

    A straight path is dark along the diagonal and lighter the further from it, and stripes run parallel to it. A path
    that comes back has a dark corner far from the diagonal.

    Parameters
    ----------
    path : from `fr.sweep_distances`.

    Raises ValueError for any other array.
    """
    if path.dims != ("strength", "strength_2") or "bend" not in path.attrs:
        raise ValueError(
            f"the array has dimensions {path.dims}: this chart draws the result of fr.sweep_distances(...)."
        )
    table: Table = path.to_dataframe().reset_index()
    label, unit = label_of(path.attrs["attribute"]), path.attrs["unit"]
    axis = alt.Axis(title=f"{label} ({unit})" if unit else label, labelAngle=0, labelOverlap=True, format=".3~g",
                    ticks=False)  # fmt: skip
    order = [float(value) for value in path["strength"].values]
    color = alt.Color("distance:Q", title="distance", scale=alt.Scale(scheme="viridis", domainMin=0))
    tooltip = [alt.Tooltip("strength:Q", title="from"), alt.Tooltip("strength_2:Q", title="to"),
               alt.Tooltip("distance:Q", format=".3f")]  # fmt: skip
    cells = alt.Chart(inline(table)).mark_rect().encode(
        x=alt.X("strength:O", sort=order, axis=axis), y=alt.Y("strength_2:O", sort=order[::-1], axis=axis),
        color=color, tooltip=tooltip,
    )  # fmt: skip
    words = f"the path is {path.attrs['bend']:.2f} times as long as the distance between its ends"
    return finish(cells.properties(width=SIDE, height=SIDE), f"The path along {label}", words)
