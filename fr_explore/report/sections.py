"""The sections of a report, in the order of a reader's questions: the results, the faces, how to repeat it."""

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
from .measure import LEVEL, Findings, dimension_rows
from .page import details, figure, section, table

__all__ = ["sections"]

SHOWN = 12  # number of identities whose faces are shown


def sections(lattice: Lattice, findings: list[Findings], command: str) -> list[str]:
    """All sections as HTML, with consecutive numbers for figures and tables."""
    numbers = _Numbers()
    return [
        _found(lattice, findings, numbers),
        _faces(lattice, numbers),
        _scale(findings, numbers),
        _maps(findings, numbers),
        _similarity(findings, numbers),
        _dimension(findings, numbers),
        _verified(lattice, findings, numbers),
        _cards(findings),
        _again(lattice, findings, command),
    ]


class _Numbers:
    """Numbers the figures and tables of a report."""

    def __init__(self) -> None:
        self._figures, self._tables = count(1), count(1)

    def figure(self, content: str, caption: str) -> str:
        return figure(content, caption, next(self._figures))

    def chart(self, chart: Any, words: str, caption: str) -> str:
        number = next(self._figures)
        return figure(svg(chart, number, escape(words)), caption, number)

    def table(self, rows: pd.DataFrame, caption: str) -> str:
        return table(rows, caption, next(self._tables))


def _found(lattice: Lattice, findings: list[Findings], numbers: _Numbers) -> str:
    people, _, curves, _ = lattice.shape
    scale = scale_words(findings[0].energies.attrs["neighborhood"])
    draws = findings[0].energies.attrs["null_draws"]
    lead = "".join(f'<p class="lead">{escape(_sentence(found))}</p>' for found in findings)
    meaning = (
        "The alignment energy E says whether an attribute moves all faces of a person the same way in the embedding "
        "space. At 0 they all move alike, so the model depends on the attribute; near 1 they have no common direction, "
        "as in random movements."
    )
    caption = (
        f"n = {people} identities with {curves} base points each, the same faces for every model. Marks: median over "
        f"identities of E among the {scale}. Bars: its {LEVEL:.0%} percentile bootstrap interval over resampled "
        "identities; it holds for other people from the same source, not for other sources. "
    )
    caption += (
        f"Dashed: the null, the mean E of {draws} random fields on the same points."
        if draws
        else "Dashed: E = 1, the mean for random fields; none were drawn."
    )
    chart = comparison({found.name: found.summary for found in findings})
    words = "Energy of each attribute, one panel for each model; its numbers are in Table 1"
    parts = [lead, f"<p>{escape(meaning)}</p>", numbers.chart(chart, words, caption)]
    parts.append(numbers.table(_energy_rows(findings), _energy_caption(people, draws)))
    if len(findings) > 1:
        parts.append(numbers.table(_differences(findings), _difference_caption(people)))
    return section("Results", *parts)


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
        f"Energies, medians over n = {people} identities. Magnitude: how far the embedding moves from one step below "
        "to one step above, over the mean distance of the person's faces; a low E with a small magnitude is a small "
        "effect."
    )
    if not draws:
        return f"{words} No random fields were drawn, so there is no test against them."
    return (
        f"{words} z: standard deviations of the null between E and its mean. Below null: identities whose E is lower "
        f"than that of {draws} random fields; one-sided p, corrected over all identities and attributes of the model "
        f"at a false discovery rate of {1 - LEVEL:.0%} (Benjamini and Hochberg). The smallest possible p is "
        f"1/{draws + 1}."
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
        f"two-sided, Holm over all rows; the smallest possible p of n identities, uncorrected, is 2/2^n = "
        f"{2 / 2**people:.2g}."
    )


def _faces(lattice: Lattice, numbers: _Numbers) -> str:
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
        step = f"± {lattice.steps[last] * lattice.step_sizes[name]:g} {lattice.faces.attributes[name].unit}".strip()
        strips.append(
            f'<div>{escape(label_of(name))}<br><span class="soft">{escape(step)}</span></div>'
            f'<div class="row">{images}</div>'
        )
    caption = (
        f"Three curves of identity {lattice.identities[0]} along each attribute: one step below the base point, the "
        "base point, one step above. Base points are drawn uniformly from the ranges of the attributes."
    )
    neutral = picture([row], "the identities at neutral strengths")
    return section(
        "The faces",
        numbers.figure(neutral, f"The identities{more}, all attributes neutral."),
        numbers.figure(f'<div class="strips">{"".join(strips)}</div>', caption),
    )


def _pair(figures: list[str]) -> str:
    return f'<div class="pair">{"".join(figures)}</div>'


def _scale(findings: list[Findings], numbers: _Numbers) -> str:
    drawn = []
    for found in findings:
        caption = (
            f"{found.name}. Energy over the scale: the neighbours of a point are all points within the radius. Lines: "
            f"median over n = {found.profile['identity'].nunique()} identities, bands: quartiles. Below: the share of "
            "points that have a neighbour; if it is small, E means little."
        )
        drawn.append(numbers.chart(charts.profile(found.profile), f"Energy over the scale, {found.name}", caption))
    return section("Scale of the energy", *drawn)


def _maps(findings: list[Findings], numbers: _Numbers) -> str:
    drawn = []
    for found in findings:
        names = found.summary.dropna(subset=["energy"])["attribute"]
        if names.empty:
            continue
        ends = list(dict.fromkeys([names.iloc[0], names.iloc[-1]]))
        caption = (
            f"{found.name}. The field of identity {found.field['identity'].values[0]}: arrows are at the base points "
            "and show where the attribute moves the embedding, all of the same length before projection. Shown: the "
            "attributes of lowest and highest E."
        )
        chart = charts.field_quiver(found.field, attributes=ends, curves=80)
        drawn.append(numbers.chart(chart, f"Field in the plane, {found.name}", caption))
    return section("Maps", *drawn)


def _similarity(findings: list[Findings], numbers: _Numbers) -> str:
    drawn = []
    for found in findings:
        caption = (
            f"{found.name}. Mean over curves and identities of 1 − cos between the movements of two attributes: 0 the "
            "same way, 1 unrelated, 2 opposite ways."
        )
        chart = charts.field_similarity(found.similarity)
        drawn.append(numbers.chart(chart, f"Similarity of fields, {found.name}", caption))
    return section("Which attributes move faces alike", _pair(drawn))


def _dimension(findings: list[Findings], numbers: _Numbers) -> str:
    caption = (
        "Intrinsic dimension of the base faces' embeddings, in chords for every model: dimensions in different metrics "
        "cannot be compared. An estimate depends on n; the last column says which sphere, with as many points, would "
        "give it. Fewer than 200 points give no estimate."
    )
    return section("Dimension", numbers.table(dimension_rows(findings), caption))


def _verified(lattice: Lattice, findings: list[Findings], numbers: _Numbers) -> str:
    rows, drawn = [], []
    for found in findings:
        result = found.verification
        caption = (
            f"{found.name}. Distances of {result.attrs['genuine']:,} pairs of the same person and of "
            f"{result.attrs['impostor']:,} of different people, and the threshold of the equal error rate."
        )
        chart = charts.genuine_impostor(found.distances, result.threshold)
        drawn.append(numbers.chart(chart, f"Distances, {found.name}", caption))
        for row in result.rates.to_dict("records"):
            rows.append({
                "model": found.name, "threshold": f"{row['name']}, {row['threshold']:.3g}",
                "false match": _rate(row, "far"), "false non-match": _rate(row, "frr"),
            })  # fmt: skip
    people, _, curves, _ = lattice.shape
    caption = (
        f"Error rates on the base faces, n = {people} identities x {curves} faces. All their attributes vary, which is "
        "harder than photographs taken under similar conditions. Two faces count as the same person if their distance "
        f"is at most the threshold. In brackets: {LEVEL:.0%} bootstrap intervals over resampled people; they are too "
        "short for few identities."
    )
    return section("Verification", _pair(drawn), numbers.table(pd.DataFrame(rows), caption))


def _rate(row: Any, name: str) -> str:
    return f"{row[name]:.2%} [{row[f'{name}_low']:.2%}, {row[f'{name}_high']:.2%}]"


def _cards(findings: list[Findings]) -> str:
    parts = []
    for found in findings:
        card = found.card
        facts = {
            "title": card.title, "licence": card.licence, "trained on": card.trained_on, "loss": card.loss,
            "accuracy": card.accuracy,
            "input": f"{card.input_size} x {card.input_size} px, {card.dim} numbers, {card.metric} metric",
            "threshold": f"{card.threshold if card.threshold is not None else 'none'}; {card.threshold_source}",
            "weaknesses": "; ".join(card.weaknesses) or "none listed", "weights": card.weights,
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
        "created": facts["created"],
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
