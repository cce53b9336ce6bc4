"""Fine-tuning: its curves while it runs, and each attribute before and after it."""

from __future__ import annotations

import altair as alt
import pandas as pd

from .channels import DASHED, attribute_axis, attribute_channels, fill_where, quantity, quartiles, tips, variant
from .style import GREY, INK, NULL_WORD, WIDTH, Chart, Table, apart, check_columns, color_of, finish, inline, label_of

__all__ = ["before_after", "training"]

PLOT = WIDTH - 130  # the names of the lines are to the right of it
ROW = 30


def training(history: pd.DataFrame):
    """The progress of a fine-tuning: verification of held-out people, movement by the attribute, and the loss.

    For live curves, redraw it at each check: `on_check=lambda history: handle.update(training(history))`.
    The horizontal dashed line is the original model, the vertical line the check whose weights are kept.

    Parameters
    ----------
    history : of `fr.finetune`: step, auc, movement, triplet, preservation, kept.

    Raises ValueError for a table without rows or without one of the columns.
    """
    needed = ["step", "auc", "movement", "triplet", "preservation", "kept"]
    table: Table = check_columns(history, needed, "fr.finetune(...).history").sort_values("step")
    names = [str(name) for name in table.attrs.get("augment", [])]
    hue = color_of(names[0]) if len(names) == 1 else INK
    panels = [
        _panel(table, {"auc": "AUC"}, "same person? (AUC)", INK, 90, zero=False),
        _panel(table, {"movement": "movement"}, "copies move", hue, 90),
        _panel(table, {"triplet": "triplet", "preservation": "preservation"}, "loss", INK, 70, axis=True),
    ]
    chart = alt.vconcat(*panels, spacing=12).resolve_scale(x="shared", strokeDash="independent")
    words = " and ".join(map(label_of, names)) or "the attribute"
    title = f"Fine-tuning {table.attrs.get('parent', 'a model')} on {words}"
    return finish(chart, title, "held-out people; movement over their mean distance")


def _panel(table: Table, lines: dict[str, str], title: str, color: str, height: int, *, zero=True, axis=False) -> Chart:
    """One quantity over the steps, with the name of each line at its end."""
    rows = table.melt(["step", "kept"], list(lines), "name", "value").dropna(subset=["value"])
    rows = rows.assign(word=rows["name"].map(lines))
    steps = (0, max(1, table["step"].max()))
    x = quantity(alt.X, "step", "step" if axis else None, steps, tickCount=6, labels=axis, ticks=axis)
    top = 1.06 * max(1e-9, float(rows["value"].max()))
    y = quantity(alt.Y, "value", title, (0, top), tickCount=3)
    if not zero:
        y = variant(y, scale=alt.Scale(zero=False, padding=6))
    tooltip = [alt.Tooltip("step:Q"), alt.Tooltip("word:N", title="quantity"), alt.Tooltip("value:Q", format=".4f")]
    patterns = alt.Scale(domain=list(lines.values()), range=[[1, 0], [6, 3]][: len(lines)])
    base = alt.Chart(inline(rows))
    line = base.mark_line(strokeWidth=2, color=color)
    layers: list[Chart] = [
        line.encode(x=x, y=y, strokeDash=alt.StrokeDash("word:N", scale=patterns, legend=None)),
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
        places = ends.assign(place=apart(ends["value"], 14 * top / height, 0, top))
        text = alt.Chart(inline(places)).mark_text(align="left")
        layers.append(text.encode(x=alt.value(PLOT + 8), y=variant(y, "place", axis=alt.Undefined), text="word:N"))
    elif len(given):
        word = alt.Chart(inline(given)).mark_text(align="left", opacity=0.75, fontStyle="italic")
        layers.append(word.encode(x=alt.value(PLOT + 8), y=y, text=alt.value("before")))
    return alt.layer(*layers).properties(width=PLOT, height=height)


def before_after(table: pd.DataFrame, target: str | None = None):
    """Each attribute's energy and magnitude before (hollow) and after (filled) a change of the model.

    Medians over identities, with a line from the lower to the upper quartile. If fine-tuning made the model invariant
    to its target, the target's energy moves towards the null at 1 and its magnitude towards 0.

    Parameters
    ----------
    table : concatenated tables of `fr.alignment` with a column `model` of two values, the original model first:
        identity, attribute, model, energy, magnitude.
    target : the attribute that was augmented; shown at the top.

    Raises ValueError for a missing column, another number of models, or a target that is not in the table.
    """
    needed = ["identity", "attribute", "model", "energy", "magnitude"]
    rows: Table = check_columns(table, needed, "pd.concat([before.assign(model=...), after.assign(model=...)])")
    models = list(dict.fromkeys(rows["model"]))
    if len(models) != 2:
        raise ValueError(f"the column 'model' contains {models}: give two models, the original one first.")
    rows = rows.assign(when=rows["model"].map(dict(zip(models, ("before", "after"), strict=True))))
    names = list(dict.fromkeys(rows["attribute"]))
    if target is not None and target not in names:
        raise ValueError(f"target {target!r} is not in the table: choose from {', '.join(map(str, names))}.")
    names = sorted(names, key=lambda name: name != target)  # the target at the top, the others in their order
    y = attribute_axis([label_of(name) for name in names], domain=False, labelFontSize=13)
    rule = alt.Chart().mark_rule(**DASHED).encode(x=alt.XDatum(1.0))
    word = alt.Chart().mark_text(**NULL_WORD, align="left", dx=4).encode(x=alt.XDatum(1.0), y=alt.value(6))
    energy = quantity(alt.X, "energy", "alignment energy E", (0, 1.12 * max(1.0, rows["energy"].max())))
    far = 1.06 * max(1e-9, rows["magnitude"].max())
    move = quantity(alt.X, "magnitude", "movement / mean distance", (0, far), tickCount=4)
    left = alt.layer(*_pairs(rows, "energy", energy, y, names), rule, word).properties(width=250)
    right = alt.layer(*_pairs(rows, "magnitude", move, variant(y, axis=None), names)).properties(width=170)
    panels = [panel.properties(height=ROW * len(names)) for panel in (left, right)]
    words = f"{models[0]} (hollow) and {models[1]} (filled)", f"{rows['identity'].nunique()} identities"
    title = f"What did fine-tuning{f' on {label_of(target)}' if target else ''} change?"
    return finish(alt.hconcat(*panels, spacing=20), title, *words)


def _pairs(rows: Table, value: str, x: alt.X, y: alt.Y, names: list) -> list[Chart]:
    """Two medians of each attribute, one above the other in its row, each with a line between its quartiles."""
    middle = quartiles(rows, ["attribute", "when"], value)
    middle["label"] = [label_of(name) for name in middle["attribute"]]
    middle["across"] = [0.4 if when == "after" else -0.4 for when in middle["when"]]
    marks = attribute_channels(names)
    shift = alt.YOffset("across:Q", scale=alt.Scale(domain=[-1, 1], range=[0, ROW]))
    name, *numbers = tips(middle, ".3f", value, "lower", "upper")
    base = alt.Chart(inline(middle)).encode(y=y, yOffset=shift)
    line = base.mark_rule(strokeWidth=1.5).encode(x=variant(x, "lower"), x2="upper:Q", color=marks["color"])
    dots = base.mark_point(size=70, strokeWidth=2, opacity=1).encode(
        x=x, tooltip=[name, alt.Tooltip("when:N"), *numbers]
    )
    return [line, dots.encode(**marks, **fill_where("when", ["before", "after"], marks["color"]))]
