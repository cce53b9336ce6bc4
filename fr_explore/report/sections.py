"""The sections of a report, in the order in which a reader asks: what was found, on which faces, how to repeat it."""

from __future__ import annotations

from html import escape
from itertools import count
from typing import Any

import pandas as pd

from .. import charts
from ..charts.style import label_of, scale_words
from ..lattice import Lattice
from ..scale.results import provenance
from ..statistics import compare
from .figures import comparison, picture, svg
from .measure import LEVEL, Findings
from .page import details, figure, section, table

__all__ = ["sections"]

SHOWN = 12  # identities in the strip of faces


def sections(lattice: Lattice, findings: list[Findings], command: str) -> list[str]:
    """All sections as HTML; figures and tables are numbered through."""
    figures, tables = count(1), count(1)
    return [
        _found(lattice, findings, figures, tables),
        _faces(lattice, figures),
        _scale(findings, figures),
        _maps(findings, figures),
        _similarity(findings, figures),
        _verified(lattice, findings, figures, tables),
        _cards(findings),
        _again(lattice, findings, command),
    ]


def _found(lattice: Lattice, findings: list[Findings], figures: Any, tables: Any) -> str:
    people, _, curves, _ = lattice.shape
    scale = scale_words(findings[0].energies.attrs["neighborhood"])
    draws = findings[0].energies.attrs["null_draws"]
    lead = "".join(f'<p class="lead">{escape(_sentence(found))}</p>' for found in findings)
    meaning = (
        "The alignment energy E says whether an attribute moves all faces of a person the same way in the embedding "
        "space: 0, all alike, the model depends on it; about 1, no common direction, as for random movements."
    )
    sure = (
        f"n = {people} identities with {curves} base points each, the same faces for every model. Marks: median over "
        f"identities of E among the {scale}. Bars: its {LEVEL:.0%} percentile bootstrap interval, identities drawn "
        "anew; they speak of other people from the same source, not of other sources."
    )
    chart = comparison({found.name: found.summary for found in findings})
    null = (
        f"Dashed: the null, the mean E of {draws} random fields on the same points."
        if draws
        else "Dashed: E = 1, which random fields have on average; none were drawn."
    )
    parts = [lead, f"<p>{escape(meaning)}</p>"]
    parts.append(
        figure(
            svg(chart, 0, "Energy of each attribute, one panel for each model; its numbers are in Table 1"),
            f"{sure} {null}",
            next(figures),
        )
    )
    parts.append(table(_energy_rows(findings), _energy_caption(people, draws), next(tables)))
    if len(findings) > 1:
        parts.append(table(_differences(findings), _difference_caption(people), next(tables)))
    return section("What was found", *parts)


def _sentence(found: Findings) -> str:
    known: Any = found.summary.dropna(subset=["energy"])
    if known.empty:
        return f"{found.name}: nothing moves along any of these attributes."
    first, last = known.iloc[0], known.iloc[-1]
    words = f"{found.name} depends most on {label_of(first['attribute']).lower()} (E = {_interval(first)})"
    if len(known) == 1:
        return f"{words}."
    return f"{words} and least on {label_of(last['attribute']).lower()} (E = {_interval(last)})."


def _interval(row: Any) -> str:
    known = row["low"] == row["low"]
    return f"{row['energy']:.2f} [{row['low']:.2f}, {row['high']:.2f}]" if known else f"{row['energy']:.2f}"


def _energy_rows(findings: list[Findings]) -> pd.DataFrame:
    rows = []
    for found in findings:
        for row in found.summary.to_dict("records"):
            entry = {"model": found.name, "attribute": label_of(row["attribute"]), f"E [{LEVEL:.0%}]": _interval(row)}
            entry |= {"null": f"{row['null_mean']:.3f}", "z": f"{row['z']:.1f}"} if row["z"] == row["z"] else {}
            entry["magnitude"] = f"{row['magnitude']:.3f}"
            entry["below null"] = f"{int(row['below'])} of {int(row['identities'])}" if "below" in row else "not tested"
            rows.append(entry)
    return pd.DataFrame(rows).fillna("–")


def _energy_caption(people: int, draws: int) -> str:
    words = (
        f"Energies, medians over n = {people} identities. Magnitude: how far one step below to one step above moves "
        "the embedding, over the mean distance of the person's faces; low E with a small magnitude is a small effect."
    )
    if not draws:
        return f"{words} No random fields were drawn, so nothing is tested against them."
    return (
        f"{words} z: standard deviations of the null between E and its mean. Below null: identities whose E is lower "
        f"than {draws} random fields give; one-sided p, corrected over all identities and attributes of the model at a "
        f"false discovery rate of {1 - LEVEL:.0%} (Benjamini and Hochberg). No p lies below 1/{draws + 1}."
    )


def _differences(findings: list[Findings]) -> pd.DataFrame:
    whole = pd.concat([found.energies.assign(model=found.name) for found in findings], ignore_index=True)
    tested = compare(whole, "model", by=["attribute"], level=LEVEL)
    return pd.DataFrame({
        "attribute": tested["attribute"].map(label_of),
        "models": tested["first"] + " − " + tested["second"],
        f"difference [{LEVEL:.0%}]": [
            f"{d:+.2f} [{low:+.2f}, {high:+.2f}]"
            for d, low, high in zip(tested["difference"], tested["low"], tested["high"], strict=True)
        ],
        "p, corrected": [f"{p:.2g}" for p in tested["p_adjusted"]],
    })  # fmt: skip


def _difference_caption(people: int) -> str:
    return (
        f"Differences of E between models, paired by identity, n = {people}. p: sign flips of the differences, "
        f"two-sided, Holm over all rows; uncorrected, no p of n identities lies below 2/2^n = {2 / 2**people:.2g}."
    )


def _faces(lattice: Lattice, figures: Any) -> str:
    people = lattice.identities[:SHOWN]
    row = lattice.faces.render_batch(list(people), [{}] * len(people), size=96)
    more = "" if len(people) == len(lattice.identities) else f", the first {len(people)} of {len(lattice.identities)}"
    strips, last = [], len(lattice.steps) - 1
    for a, name in enumerate(lattice.attributes):
        curves = [lattice.curve(0, a, c, size=72) for c in range(min(3, lattice.shape[2]))]
        images = "".join(
            picture([[curve[0], curve[last // 2], curve[last]]], f"{escape(label_of(name))}, curve {c}")
            for c, curve in enumerate(curves)
        )
        unit = lattice.faces.attributes[name].unit
        step = f"± {lattice.steps[last] * lattice.step_sizes[name]:g} {unit}".strip()
        strips.append(
            f'<div>{escape(label_of(name))}<br><span class="soft">{escape(step)}</span></div>'
            f'<div class="row">{images}</div>'
        )
    walked = (
        f"Three curves of identity {lattice.identities[0]} along each attribute: one step below the base point, the "
        "base point, one step above. Base points are drawn uniformly in the ranges of the attributes."
    )
    return section(
        "The faces",
        figure(picture([row], "the identities at neutral strengths"), f"The identities{more}, all attributes neutral.",
               next(figures)),
        figure(f'<div class="strips">{"".join(strips)}</div>', walked, next(figures)),
    )  # fmt: skip


def _pair(figures: list[str]) -> str:
    return f'<div class="pair">{"".join(figures)}</div>'


def _scale(findings: list[Findings], figures: Any) -> str:
    words = (
        "Energy over the scale: neighbours are all points within the radius. Lines: median over n = {n} identities, "
        "bands: quartiles. Below: the share of points that have a neighbour; where it is small, E says little."
    )
    drawn = []
    for found in findings:
        chart = charts.profile(found.profile)
        caption = f"{found.name}. {words.format(n=found.profile['identity'].nunique())}"
        number = next(figures)
        drawn.append(figure(svg(chart, number, f"Energy over the scale, {escape(found.name)}"), caption, number))
    return section("At which scale", *drawn)


def _maps(findings: list[Findings], figures: Any) -> str:
    drawn = []
    for found in findings:
        names = found.summary.dropna(subset=["energy"])["attribute"]
        ends = list(dict.fromkeys([names.iloc[0], names.iloc[-1]])) if len(names) else []
        if not ends:
            continue
        first = found.field["identity"].values[0]
        chart = charts.field_quiver(found.field, attributes=ends, curves=80)
        caption = (
            f"{found.name}. The field of identity {first}: arrows stand at the base points and show where the "
            "attribute moves the embedding, all of one length before projection. Shown: lowest and highest E."
        )
        number = next(figures)
        drawn.append(figure(svg(chart, number, f"Field in the plane, {escape(found.name)}"), caption, number))
    return section("Maps", *drawn)


def _similarity(findings: list[Findings], figures: Any) -> str:
    drawn = []
    for found in findings:
        number = next(figures)
        caption = (
            f"{found.name}. Mean over curves and identities of 1 − cos between the movements of two attributes: 0 the "
            "same way, 1 unrelated, 2 opposite."
        )
        picture_ = svg(charts.field_similarity(found.similarity), number, f"Similarity of fields, {escape(found.name)}")
        drawn.append(figure(picture_, caption, number))
    return section("Which attributes move faces alike", _pair(drawn))


def _verified(lattice: Lattice, findings: list[Findings], figures: Any, tables: Any) -> str:
    rows, drawn = [], []
    for found in findings:
        number, result = next(figures), found.verification
        chart = charts.genuine_impostor(found.distances, result.threshold)
        caption = (
            f"{found.name}. Distances of {result.attrs['genuine']:,} pairs of the same person and of "
            f"{result.attrs['impostor']:,} of different people, and the threshold of equal errors."
        )
        drawn.append(figure(svg(chart, number, f"Distances, {escape(found.name)}"), caption, number))
        for row in result.rates.to_dict("records"):
            rows.append({
                "model": found.name, "threshold": f"{row['name']}, {row['threshold']:.3g}",
                "false match": _rate(row, "far"), "false non-match": _rate(row, "frr"),
            })  # fmt: skip
    people, _, curves, _ = lattice.shape
    caption = (
        f"Error rates on the base faces, n = {people} identities x {curves} faces, whose attributes all vary: harder "
        f"than photographs taken alike. In brackets {LEVEL:.0%} bootstrap intervals, people drawn anew; with few "
        "identities they are too short."
    )
    return section("Verification", _pair(drawn), table(pd.DataFrame(rows), caption, next(tables)))


def _rate(row: Any, name: str) -> str:
    return f"{row[name]:.2%} [{row[f'{name}_low']:.2%}, {row[f'{name}_high']:.2%}]"


def _cards(findings: list[Findings]) -> str:
    parts = []
    for found in findings:
        card = found.card
        facts = {
            "title": card.title, "licence": card.licence, "trained on": card.trained_on, "accuracy": card.accuracy,
            "input": f"{card.input_size} x {card.input_size} px, {card.dim} numbers, {card.metric} metric",
            "threshold": f"{card.threshold if card.threshold is not None else 'none'}; {card.threshold_source}",
            "weaknesses": "; ".join(card.weaknesses) or "none named", "weights": card.weights,
            "SHA-256": card.weights_sha256 or "not recorded", "citation": card.citation or "none given",
        }  # fmt: skip
        parts.append(f"<h3>{escape(card.name)}</h3>{details(facts)}")
    return section("The models and their licences", *parts)


def _again(lattice: Lattice, findings: list[Findings], command: str) -> str:
    facts = provenance([], lattice)
    versions = ", ".join(f"{name} {number}" for name, number in facts["versions"].items())
    attrs = findings[0].energies.attrs
    steps = [
        f"{label_of(name)} {size:g} {lattice.faces.attributes[name].unit}".strip()
        for name, size in lattice.step_sizes.items()
    ]
    rows = {
        "made": facts["created"],
        "faces": f"{facts['lattice']['faces']}, fingerprint {facts['lattice']['faces_fingerprint']}",
        "lattice": f"{' x '.join(map(str, lattice.shape))} identities, attributes, curves, steps; seed {lattice.seed}",
        "steps": "; ".join(steps),
        "energy": f"{attrs['neighborhood']}, metric of each card, null {attrs['null']}, {attrs['null_draws']} draws, "
                  f"seed {attrs['seed']}",
        "models": "; ".join(f"{found.name} {found.fingerprint}" for found in findings),
        "versions": versions,
        "method": "Leroy, Mastropietro, Nurisso, Vaccarino: Attributes Shape the Embedding Space of Face Recognition "
                  "Models, ICML 2025, PMLR 267, arXiv 2507.11372",
    }  # fmt: skip
    return section("How to repeat it", f"<pre>{escape(command)}</pre>", details(rows))
