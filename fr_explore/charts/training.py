"""Fine-tuning: its curves while it runs, and each attribute before and after it."""

from __future__ import annotations

import altair as alt
import pandas as pd

from .style import (
    GREY,
    INK,
    NULL_WORD,
    WIDTH,
    Chart,
    Table,
    apart,
    attribute_scales,
    check_columns,
    color_of,
    finish,
    inline,
    label_of,
)

__all__ = ["before_after", "training"]

PLOT = WIDTH - 130  # words stand to the right of it
ROW = 30
SOURCE = "fr.finetune(...).history"


def training(history: pd.DataFrame):
    """The course of a fine-tuning: verification of held-out people, movement by the attribute, and the loss.

    Draw it anew at each check and the curves are live: `on_check=lambda history: handle.update(training(history))`.
    The dashed line is the model as it was given, the upright one the check whose weights are kept.

    Parameters
    ----------
    history : of `fr.finetune`: step, auc, movement, triplet, preservation, kept.
    """
    needed = ["step", "auc", "movement", "triplet", "preservation", "kept"]
    table: Table = check_columns(history, needed, SOURCE).sort_values("step")
    names = [str(name) for name in table.attrs.get("augment", [])]
    hue = color_of(names[0]) if len(names) == 1 else INK
    words = " and ".join(map(label_of, names)) or "the attribute"
    last = float(max(1, table["step"].max()))
    panels = [
        _panel(table, {"auc": "AUC"}, "same person? (AUC)", last, INK, 90, zero=False),
        _panel(table, {"movement": "movement"}, "copies move", last, hue, 90),
        _panel(table, {"triplet": "triplet", "preservation": "preservation"}, "loss", last, INK, 70, axis=True),
    ]
    chart = alt.vconcat(*panels, spacing=12).resolve_scale(x="shared", strokeDash="independent")
    parent = str(table.attrs.get("parent", "a model"))
    return finish(chart, f"Fine-tuning {parent} on {words}", "held-out people; movement over their mean distance")


def _panel(
    table: Table, lines: dict[str, str], title: str, last: float, color: str, height: int, *, zero=True, axis=False
) -> Chart:
    """One quantity over the steps, with the word of each line at its end."""
    rows = table.melt(["step", "kept"], list(lines), "name", "value").dropna(subset=["value"])
    rows = rows.assign(word=rows["name"].map(lines))
    x = alt.X("step:Q", title="step" if axis else None, scale=alt.Scale(domain=[0, last], nice=False),
              axis=alt.Axis(tickCount=6, labels=axis, ticks=axis))  # fmt: skip
    top = 1.06 * max(1e-9, float(rows["value"].max()))
    scale = alt.Scale(domain=[0, top], nice=False) if zero else alt.Scale(zero=False, padding=6)
    y = alt.Y("value:Q", title=title, scale=scale, axis=alt.Axis(tickCount=3))
    tooltip = [alt.Tooltip("step:Q"), alt.Tooltip("word:N", title="quantity"), alt.Tooltip("value:Q", format=".4f")]
    patterns = [[1, 0], [6, 3]][: len(lines)]
    dashes = alt.StrokeDash("word:N", scale=alt.Scale(domain=list(lines.values()), range=patterns), legend=None)
    base = alt.Chart(inline(rows))
    layers: list[Chart] = [
        base.mark_line(strokeWidth=2, color=color).encode(x=x, y=y, strokeDash=dashes),
        base.mark_point(filled=True, size=36, color=color, opacity=1).encode(x=x, y=y, tooltip=tooltip),
    ]
    kept = rows[rows["kept"] & (rows["step"] > 0)].head(1)
    if len(kept):
        layers.append(alt.Chart(inline(kept)).mark_rule(strokeWidth=1, color=INK, opacity=0.5).encode(x=x))
    given = rows[rows["step"] == 0]
    if len(given):
        layers.append(alt.Chart(inline(given)).mark_rule(strokeDash=[4, 3], color=GREY).encode(y=y))
    if len(lines) > 1:
        ends = rows.groupby("word", sort=False).tail(1)
        gap = 14 * top / height
        text = alt.Chart(inline(ends.assign(place=apart(ends["value"], gap, 0, top)))).mark_text(align="left")
        place = alt.Y("place:Q", scale=scale, title=title)
        layers.append(text.encode(x=alt.value(PLOT + 8), y=place, text="word:N"))
    elif len(given):
        word = alt.Chart(inline(given)).mark_text(align="left", opacity=0.75, fontStyle="italic")
        layers.append(word.encode(x=alt.value(PLOT + 8), y=y, text=alt.value("before")))
    return alt.layer(*layers).properties(width=PLOT, height=height)


def before_after(table: pd.DataFrame, target: str | None = None):
    """Each attribute's energy and magnitude before (hollow) and after (filled) a change of the model.

    Medians over identities, with a line from the lower to the upper quartile. Where fine-tuning made the model
    invariant to its target, the target's energy moves towards the null at 1 and its magnitude towards 0.

    Parameters
    ----------
    table : tables of `fr.alignment` one under the other with a column `model` of two values, the one before first:
        identity, attribute, model, energy, magnitude.
    target : the attribute that was augmented; it stands on top.
    """
    needed = ["identity", "attribute", "model", "energy", "magnitude"]
    rows: Table = check_columns(table, needed, "pd.concat([before.assign(model=...), after.assign(model=...)])")
    models = list(dict.fromkeys(rows["model"]))
    if len(models) != 2:
        raise ValueError(f"column 'model' holds {models}: give two models, the one before first.")
    rows = rows.assign(when=rows["model"].map(dict(zip(models, ("before", "after"), strict=True))))
    names = list(dict.fromkeys(rows["attribute"]))
    if target is not None and target not in names:
        raise ValueError(f"target {target!r} is not in the table: choose from {', '.join(map(str, names))}.")
    names = sorted(names, key=lambda name: name != target)  # the target on top, the others as they come
    labels = [label_of(name) for name in names]
    axis = alt.Axis(ticks=False, domain=False, labelFontSize=13)
    y = alt.Y("label:N", sort=labels, title=None, scale=alt.Scale(padding=0), axis=axis)
    bare = y.copy()
    bare["axis"] = None
    rule = alt.Chart().mark_rule(strokeDash=[4, 3], strokeWidth=1.5, color=GREY).encode(x=alt.XDatum(1.0))
    word = alt.Chart().mark_text(**NULL_WORD, align="left", dx=4).encode(x=alt.XDatum(1.0), y=alt.value(6))
    energy = alt.X("energy:Q", title="alignment energy E",
                   scale=alt.Scale(domain=[0, 1.12 * max(1.0, float(rows["energy"].max()))], nice=False))  # fmt: skip
    far = 1.06 * max(1e-9, float(rows["magnitude"].max()))
    move = alt.X("magnitude:Q", title="movement / mean distance", scale=alt.Scale(domain=[0, far], nice=False),
                 axis=alt.Axis(tickCount=4))  # fmt: skip
    left = alt.layer(*_pairs(rows, "energy", energy, y, names), rule, word).properties(width=250)
    right = alt.layer(*_pairs(rows, "magnitude", move, bare, names)).properties(width=170)
    panels = [panel.properties(height=ROW * len(names)) for panel in (left, right)]
    words = f"{models[0]} (hollow) and {models[1]} (filled), {rows['identity'].nunique()} identities"
    title = f"What did fine-tuning{f' on {label_of(target)}' if target else ''} change?"
    return finish(alt.hconcat(*panels, spacing=20), title, words)


def _pairs(rows: Table, value: str, x: alt.X, y: alt.Y, names: list) -> list[Chart]:
    """Two medians of each attribute, one above the other in its row, each with a line between its quartiles."""
    by = rows.groupby(["attribute", "when"], sort=False)[value]
    middle: Table = pd.concat([by.median(), by.quantile(0.25), by.quantile(0.75)], axis=1)
    middle = middle.set_axis([value, "lower", "upper"], axis=1).reset_index()
    middle["label"] = [label_of(name) for name in middle["attribute"]]
    middle["across"] = [0.4 if when == "after" else -0.4 for when in middle["when"]]
    colors, shapes = attribute_scales(names)
    color = alt.Color("label:N", scale=colors, legend=None)
    shift = alt.YOffset("across:Q", scale=alt.Scale(domain=[-1, 1], range=[0, ROW]))
    fill = alt.FillOpacity("when:N", scale=alt.Scale(domain=["before", "after"], range=[0, 1]), legend=None)
    tooltip = [alt.Tooltip("label:N", title="attribute"), alt.Tooltip("when:N"),
               *(alt.Tooltip(f"{name}:Q", format=".3f") for name in (value, "lower", "upper"))]  # fmt: skip
    base = alt.Chart(inline(middle))
    span = x.copy()
    span["shorthand"] = "lower:Q"
    line = base.mark_rule(strokeWidth=1.5).encode(x=span, x2="upper:Q", y=y, yOffset=shift, color=color)
    dot = base.mark_point(size=70, strokeWidth=2, opacity=1)
    dots = dot.encode(
        x=x, y=y, yOffset=shift, color=color, fill=alt.Fill("label:N", scale=colors, legend=None), fillOpacity=fill,
        shape=alt.Shape("label:N", scale=shapes, legend=None), tooltip=tooltip,
    )  # fmt: skip
    return [line, dots]
