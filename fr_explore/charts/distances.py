"""Tables of distances -> densities, cumulative distributions and thresholds."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from ..base.distance import same_person
from .channels import quantity, variant
from .style import DIFFERENT, INK, SAME, WIDTH, Chart, Table, check_columns, color_of, finish, inline, label_of

__all__ = ["distance_cdfs", "genuine_impostor"]

PLOT = WIDTH - 60
TITLES = {"euclidean": "distance between two faces (Euclidean)", "cosine": "distance between two faces (1 − cos)"}
CDF = 220  # height of the cumulative distributions
NEAR = 130  # within this many pixels of an edge, a bracket's label points inwards
KINDS = {"genuine": ("same person", SAME), "impostor": ("different people", DIFFERENT)}


def distance_cdfs(curves: pd.DataFrame):
    """Cumulative distributions of the distances within each modality and across, with the KS gaps as brackets.

    The densities of the same distances are shown above them. If an attribute shapes the space, faces that share it are
    closer together than faces that do not: the curve within a modality is to the left of the one across.

    Parameters
    ----------
    curves : the table of `fr.modality_distances`: pairs, distance, cdf, density; attrs ks, attribute, metric.

    Raises ValueError for a table without rows, without one of the columns, or without attrs["ks"].
    """
    table: Table = check_columns(curves, ["pairs", "distance", "cdf", "density"], "fr.modality_distances(...)")
    if "ks" not in table.attrs:
        raise ValueError("the table lacks attrs['ks']: pass the table of fr.modality_distances(...) unchanged.")
    name = table.attrs.get("attribute", "attribute")
    words = {"within positive": "both with it", "within negative": "both without it", "across": "one with, one without"}
    table = table.assign(label=table["pairs"].map(words))
    # pairs within: the attribute's colour, solid with it and dashed without; pairs across: the text's colour
    hue, order = color_of(name), list(words.values())
    legend = alt.Legend(title=None, orient="top", symbolSize=500, symbolStrokeWidth=2, labelLimit=200, columnPadding=20)
    color = alt.Color("label:N", scale=alt.Scale(domain=order, range=[hue, hue, INK]), legend=legend)
    dashes = alt.Scale(domain=order, range=[[1, 0], [6, 3], [1, 0]])
    tooltip = [
        alt.Tooltip("label:N", title="pairs"),
        alt.Tooltip("distance:Q", format=".3g"),
        alt.Tooltip("cdf:Q", title="share at or below", format=".1%"),
    ]
    line = alt.Chart(inline(table)).mark_line(strokeWidth=2)
    base = line.encode(color=color, strokeDash=alt.StrokeDash("label:N", scale=dashes, legend=legend), tooltip=tooltip)
    domain = float(table["distance"].min()), float(table["distance"].max())
    x = _distance_axis(table, domain)
    density = alt.Y("density:Q", title="density", axis=alt.Axis(labels=False, ticks=False, grid=False))
    share = quantity(alt.Y, "cdf", "share of pairs", (0, 1), format="%", tickCount=5)
    bare = variant(x, axis=alt.Axis(labels=False, ticks=False), title=None)
    upper = base.encode(x=bare, y=density).properties(width=PLOT, height=100)
    lower = alt.layer(base.encode(x=x, y=share), *_brackets(table.attrs["ks"], hue, x, domain))
    chart = alt.vconcat(upper, lower.properties(width=PLOT, height=CDF), spacing=10).resolve_scale(x="shared")
    people = f"{table.attrs['n']} people in each group" if "n" in table.attrs else None
    title = f"Are faces with and without {label_of(name)!r} apart?"
    return finish(chart, title, table.attrs.get("model"), people)


def genuine_impostor(distances: pd.DataFrame, threshold: float | None = None):
    """Densities of the distances of genuine and impostor pairs, with the threshold and its two error rates.

    Parameters
    ----------
    distances : the table of `fr.pair_distances`: pair ("genuine" or "impostor"), distance.
    threshold : same person at or below; the pairs on its wrong side are shaded and counted. The model's own is
        `model.card.threshold`, the best one for these pairs `fr.overlap(...).threshold`.

    Raises ValueError for a missing column or a table without genuine or without impostor pairs.
    """
    table: Table = check_columns(distances, ["pair", "distance"], "fr.pair_distances(...)")
    samples = {kind: table.loc[table["pair"] == kind, "distance"].to_numpy() for kind in KINDS}
    empty = [kind for kind, values in samples.items() if not len(values)]
    if empty:
        raise ValueError(f"the table has no {empty[0]} pairs: pass the table of fr.pair_distances(...).")
    bars = _histograms(samples, max(float(table["distance"].max()), threshold or 0) or 1.0)
    x = _distance_axis(table, bars[["from", "to"]], field="from")
    room = 1.16 if threshold is None else 1.34  # for the words above the bars
    top = bars["density"].max() * room
    y = quantity(alt.Y, "density", "density", (0, top), labels=False, ticks=False, grid=False)
    colors = alt.Scale(domain=[label for label, _ in KINDS.values()], range=[color for _, color in KINDS.values()])
    encoded = {
        "x": x, "x2": "to:Q", "y": y, "color": alt.Color("kind:N", scale=colors, legend=None),
        "tooltip": [alt.Tooltip("kind:N", title="pairs"), alt.Tooltip("from:Q", format=".3f"),
                    alt.Tooltip("to:Q", format=".3f"), alt.Tooltip("density:Q", format=".3f")],
    }  # fmt: skip
    outline = alt.Chart(inline(bars)).mark_line(interpolate="step-after", strokeWidth=1.5)
    layers = [
        alt.Chart(inline(bars)).mark_rect(opacity=0.4).encode(y2=alt.Y2Datum(0), **encoded),
        outline.encode(x=x, y=y, color=encoded["color"]),
        *([] if threshold is None else _threshold_layers(samples, bars, threshold, encoded)),
        *_kind_names(bars, threshold, x, y),
    ]
    words = f"{len(samples['genuine']):,} same-person and {len(samples['impostor']):,} different-person pairs"
    return finish(alt.layer(*layers).properties(width=PLOT, height=240), "Same person or not?", words)


def _histograms(samples: dict[str, np.ndarray], top: float) -> Table:
    """Densities of both kinds over the same bins from 0 to `top`: 20 to 80 of them, by the smaller sample.

    The width is 2 IQR / n^(1/3), Freedman and Diaconis 1981.
    """
    few = min(samples.values(), key=len)
    low, high = np.quantile(few, [0.25, 0.75])
    width = 2 * (high - low) / len(few) ** (1 / 3)
    bins = int(np.clip(np.ceil(top / width), 20, 80)) if width > 0 else 80
    edges = np.linspace(0, top, bins + 1)
    frames = []
    for kind, (label, _) in KINDS.items():
        height = np.histogram(samples[kind], edges, density=True)[0]
        frames.append(pd.DataFrame({"kind": label, "from": edges[:-1], "to": edges[1:], "density": height}))
    return pd.concat(frames, ignore_index=True)


def _kind_names(bars: Table, threshold: float | None, x: alt.X, y: alt.Y) -> list[Chart]:
    """The name of each kind above its highest bar, to one side of the threshold's line."""
    layers = []
    for _, rows in bars.groupby("kind", sort=False):
        peak = rows.loc[[rows["density"].idxmax()]]
        peak = peak.assign(**{"from": (peak["from"] + peak["to"]) / 2})
        away = np.inf if threshold is None else PLOT * (peak["from"].item() - threshold) / bars["to"].max()
        side: dict[str, Any] = {"align": "center"}
        if abs(away) < 66:
            side = {"align": "left", "dx": 8 - away} if away >= 0 else {"align": "right", "dx": -8 - away}
        name = alt.Chart(inline(peak)).mark_text(dy=-10, fontSize=13, fontWeight=600, **side)
        layers.append(name.encode(x=x, y=y, text="kind:N"))
    return layers


def _threshold_layers(samples: dict, bars: Table, threshold: float, encoded: dict[str, Any]) -> list[Chart]:
    """The threshold's line, the bars on its wrong side, and their share of the pairs."""
    accepted = {kind: np.asarray(same_person(values, threshold), bool) for kind, values in samples.items()}
    same = bars["kind"] == "same person"
    wrong = pd.concat([
        bars[same & (bars["to"] > threshold)].assign(**{"from": lambda t: t["from"].clip(lower=threshold)}),
        bars[~same & (bars["from"] < threshold)].assign(to=lambda t: t["to"].clip(upper=threshold)),
    ])  # fmt: skip
    notes: list[tuple[Any, int, str]] = [
        ("right", -8, f"false match {100 * accepted['impostor'].mean():.3g} %"),
        ("left", 8, f"false non-match {100 * (~accepted['genuine']).mean():.3g} %"),
    ]
    at = alt.XDatum(threshold)
    layers: list[Chart] = [
        alt.Chart(inline(wrong)).mark_rect(opacity=0.75).encode(y2=alt.Y2Datum(0), **encoded),
        alt.Chart().mark_rule(color=INK, strokeWidth=1.5).encode(x=at),
        alt.Chart().mark_text(color=INK, dy=-8, text=f"threshold {threshold:.3g}").encode(x=at, y=alt.value(0)),
    ]
    for align, dx, text in notes:
        note = alt.Chart().mark_text(align=align, dx=dx, dy=12, text=text)
        layers.append(note.encode(x=at, y=alt.value(0)))
    return layers


def _brackets(ks: dict[str, dict[str, float]], hue: str, x: alt.X, domain: tuple[float, float]) -> list[Chart]:
    """The widest gap of each modality as a vertical bar with caps, and its value.

    Cumulative distributions rise, so there is room above and to the left of the left bar, and below and to the right of
    the right one.
    """
    words = {"positive": "with it", "negative": "without it"}
    layers: list[Chart] = []
    for place, (name, gap) in enumerate(sorted(ks.items(), key=lambda item: item[1]["distance"])):
        low, high = sorted((gap["within"], gap["across"]))
        ends = pd.DataFrame({"distance": gap["distance"], "cdf": [low, high]})
        text = f"KS {gap['value']:.3f} {words[name]}"
        tooltip = alt.value(f"{text}, at distance {gap['distance']:.3g}")
        bar = alt.Chart(inline(ends)).mark_line(strokeWidth=3, color=hue)
        caps = alt.Chart(inline(ends)).mark_tick(orient="horizontal", size=12, thickness=2.5, color=hue, opacity=1)
        layers += [mark.encode(x=x, y="cdf:Q", tooltip=tooltip) for mark in (bar, caps)]
        at = PLOT * (gap["distance"] - domain[0]) / (domain[1] - domain[0])
        if place == 0:
            side, pixel = ("right", at - 8) if at > NEAR else ("left", 4)
            level = max(8, CDF * (1 - high) - (6 if at > NEAR else 18))
        else:
            side, pixel = ("left", at + 8) if at < PLOT - NEAR else ("right", PLOT - 4)
            level = min(CDF - 8, CDF * (1 - low) + (8 if at < PLOT - NEAR else 18))
        anchor: Any = side
        word = alt.Chart().mark_text(text=text, align=anchor, fontWeight=600)
        layers.append(word.encode(x=alt.value(pixel), y=alt.value(level)))
    return layers


def _distance_axis(table: Table, values: Any, field: str = "distance") -> alt.X:
    title = TITLES.get(table.attrs.get("metric", ""), "distance between two faces")
    return quantity(alt.X, field, title, (np.min(values), np.max(values)), tickCount=8)
