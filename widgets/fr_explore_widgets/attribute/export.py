"""What `AttributeExplorer` exports: a sweep, tables, words, an image, and a page whose sliders need no kernel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from fr_explore.attributes import Attribute, check_attributes
from fr_explore.faces.base import Face

from ..core.faces import to_bytes
from ..core.page import Offline, Pixels
from ..core.picture import INK, Part, Plot
from ..core.session import History, Place, State
from .engine import Engine
from .picture import map_image

__all__ = ["answer", "offline", "page_traits", "picture", "retention", "sweep_table", "tables", "words"]

CHUNK = 8  # faces of a sweep rendered and embedded at a time


def retention(strengths: Sequence[float], distances: Sequence[float], threshold: float | None) -> float | None:
    """Share of the range of `strengths` (ascending) in which the distance is at most the threshold.

    Distances are interpolated linearly between samples. None without a threshold or with a single sample.
    """
    if threshold is None or len(strengths) < 2:
        return None
    x, margin = np.asarray(strengths, float), threshold - np.asarray(distances, float)
    low, high = np.minimum(margin[:-1], margin[1:]), np.maximum(margin[:-1], margin[1:])
    # of a segment that crosses the threshold, the part with a positive margin
    with np.errstate(invalid="ignore", divide="ignore"):
        same = np.where(low >= 0, 1.0, np.where(high <= 0, 0.0, high / (high - low)))
    return float((same * np.diff(x)).sum() / (x[-1] - x[0]))


def sweep_table(engine: Engine, state: State, attribute: str, steps: int | Sequence[float]) -> pd.DataFrame:
    """See `AttributeExplorer.sweep`."""
    (name,) = check_attributes(attribute, engine.faces.attributes)
    record, view = engine.faces.attributes[name], engine.shown_by(state)[0]
    values = (
        np.linspace(record.low, record.high, steps) if isinstance(steps, int) else np.sort(np.asarray(steps, float))
    )
    if len(values) < 2:
        raise ValueError(f"steps = {steps!r}: a sweep needs at least two strengths.")
    recipes = [engine.check_strengths({**state.strengths, name: value}) for value in values.tolist()]
    chunks = [recipes[i : i + CHUNK] for i in range(0, len(recipes), CHUNK)]
    vectors = [view.embed(engine.render_batch([state.identity] * len(chunk), chunk)) for chunk in chunks]
    reference = engine.vector(view, engine.reference_of(state))
    distances = np.array([view.distance(vector, reference) for vector in np.concatenate(vectors)])
    limit = view.card.threshold
    table = pd.DataFrame({"identity": [state.identity] * len(values), "attribute": name, "unit": record.unit})
    table = table.assign(strength=values, distance=distances, threshold=np.nan if limit is None else float(limit))
    table["same_person"] = view.card.same_person(distances)
    share = retention(values.tolist(), distances.tolist(), limit)
    table.attrs = {"metric": view.card.metric, "model": view.name, "retention": share}
    return table


def words(engine: Engine, state: State, distances: Mapping[str, float]) -> str:
    """The faces, and each model's distance and verdict, in sentences."""
    lines = [f"{_describe(engine, state.face)}, compared with {_describe(engine, engine.reference_of(state))}."]
    for view in engine.shown_by(state):
        distance = distances.get(view.name, np.nan)
        same = view.card.same_person(distance)
        verdict = f"judged {'the same' if same else 'a different'} person" if not pd.isna(same) else ""
        verdict = verdict and f", threshold {view.card.threshold:g}: {verdict}"
        lines.append(f"{view.card.title}: distance {distance:.3f}{verdict}.")
    return " ".join(lines)


def tables(
    engine: Engine,
    state: State,
    history: History,
    distances: Mapping[str, float],
    energies: Mapping[str, Any],
    retention: Mapping[str, Any],
) -> dict[str, pd.DataFrame]:
    """What is shown now, the history, and the energies, the last sweep and the map where they are known."""
    who, _ = engine.reference_of(state)
    now = []
    for view in engine.shown_by(state):
        gallery, distance = view.gallery, distances.get(view.name, np.nan)
        places, people = engine.places, engine.people()
        between = gallery and gallery.between_people([people[places[one]] for one in gallery.identities])
        now.append({
            "identity": state.identity, "reference_identity": who, "pinned": state.reference is not None,
            "model": view.name, "metric": view.card.metric, "distance": distance, "threshold": view.card.threshold,
            "same_person": view.card.same_person(distance),
            "natural_variation": gallery.natural_variation().get(state.identity) if gallery else None,
            "between_people": between, **state.strengths,
        })  # fmt: skip
    steps = [{"step": i, "identity": past.identity, **past.strengths} for i, past in enumerate(history.states)]
    found = {"now": pd.DataFrame(now), "history": pd.DataFrame(steps)}
    if energies.get("rows"):
        found["energies"] = pd.DataFrame(energies["rows"]).rename(columns={"name": "attribute"})
    if retention.get("name"):
        samples = pd.DataFrame(retention["samples"], columns=["strength", "distance"])
        found["sweep"] = samples.assign(attribute=retention["name"])
    if (gallery := engine.shown_by(state)[0].gallery) is not None:
        found["map"] = gallery.table()
    return found


def picture(
    engine: Engine, state: State, text: str, energies: Sequence[Mapping[str, Any]], now: np.ndarray | None
) -> list[list[Part]]:
    """Rows of parts for `core.picture.compose`. Without `now`, the pixels of the current face, no face is shown."""
    rows: list[list[Part]] = [[text]]
    if now is not None:
        places: dict[str, Place] = {"Reference": engine.reference_of(state), "Now": state.face}
        places |= {f"Snapshot {name}": place for name, place in state.snapshots.items()}
        faces = [(now if name == "Now" else engine.picture(at), name, at) for name, at in places.items()]
        shown: list[Part] = [(pixels, f"{name}: {_describe(engine, at)}") for pixels, name, at in faces]
        rows = [[text], shown + _maps(engine, state)]
    if energies:
        rows.append([_energy_plot(engine, energies, key) for key in ("magnitude", "energy")])
    return rows


def page_traits(engine: Engine, state: State, attributes: Sequence[str]) -> dict[str, Any]:
    """The traits of a page in which the sliders of `attributes` work: pictures as JPEG, and the setup."""
    setup = engine.describe()
    for record in setup["attributes"]:
        record["fixed"] = record["name"] not in attributes
    traits: dict[str, Any] = {
        "frame": Pixels(engine.picture(state.face)),
        "reference_frame": Pixels(engine.picture(engine.reference_of(state))),
        "setup": setup,
    }
    if (gallery := engine.shown_by(state)[0].gallery) is not None:
        traits["sprite"] = Pixels(gallery.thumbs.reshape(-1, gallery.thumbs.shape[1], 3))
    return traits


def offline(engine: Engine, state: State, attributes: Iterable[str] | None, steps: int, why: str) -> Offline:
    """A page that replays stored answers, because of `why`; see `AttributeExplorer._offline`."""
    names = check_attributes(list(attributes or engine.faces.attributes), engine.faces.attributes)
    if steps < 2:
        raise ValueError(f"steps = {steps}: give each slider at least 2 strengths.")
    axes = {name: _grid(engine, state, name, steps) for name in names}
    return Offline(
        traits=page_traits(engine, state, names),
        axes=axes,
        start={name: state.strengths[name] for name in names},
        answers=_answers(engine, state, axes),
        count=sum(map(len, axes.values())),
        what=f"{steps} steps of {len(names)} attributes, one at a time",
        reduce="give fewer attributes= or steps=",
        note=f"This page replays {steps} stored steps of each slider, one slider at a time: {why}",
    )


def _answers(
    engine: Engine, now: State, axes: Mapping[str, list[float]]
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """For each strength of each axis, the traits that the kernel would publish on a commit."""
    for name, values in axes.items():
        for value in values:
            state = replace(now, strengths={**now.strengths, name: value})
            face = engine.render(state.face)
            yield (
                {name: state.strengths[name] for name in axes},
                {"frame": Pixels(to_bytes(face.pixels)), **answer(engine, state, face)},
            )


def answer(engine: Engine, state: State, face: Face) -> dict[str, Any]:
    """The traits that the kernel would publish about a face on a commit, without its picture."""
    who, at = engine.reference_of(state)
    tag = {"client": "", "seq": 0, "serial": 0, "moved": None, "drag": False}
    reference = {"place": engine.places[who], "strengths": dict(at), "pinned": state.reference is not None}
    reference["shape"] = list(engine.picture((who, at)).shape[:2])
    reply = {"place": engine.places[state.identity], "strengths": dict(state.strengths)}
    traits: dict[str, Any] = {"reply": {**tag, **reply, "shape": list(face.pixels.shape[:2])}}
    for key, view in zip(("figures", "second"), engine.shown_by(state), strict=False):
        traits[key] = {**tag, **engine.read(view, state, face, engine.size)}
    traits["figures"] |= {"fresh": False, "reference": reference, "compare": state.compare, "can": {}}
    return traits


def _grid(engine: Engine, state: State, name: str, steps: int) -> list[float]:
    """Strengths spaced evenly over the range, including the neutral and the current one."""
    record = engine.faces.attributes[name]
    values = {*np.linspace(record.low, record.high, steps).tolist(), float(record.neutral), state.strengths[name]}
    return sorted(round(value, 9) for value in values)


def _describe(engine: Engine, place: Place) -> str:
    moved = [
        f"{record.label} {_shown(record, place[1][name])}"
        for name, record in engine.faces.attributes.items()
        if abs(place[1][name] - record.neutral) > 1e-9
    ]
    return f"identity {place[0]}, {', '.join(moved) or 'neutral'}"


def _shown(record: Attribute, value: float) -> str:
    """A strength as the page shows it: with at most one decimal, unless the whole range is smaller."""
    places = 3 if record.high - record.low < 0.5 else 1
    figure = f"{value:.{places}f}".rstrip("0").rstrip(".") or "0"
    if record.unit == "×":
        return f"× {figure}"
    return f"{figure}{record.unit}" if record.unit == "°" else f"{figure} {record.unit}".strip()


def _maps(engine: Engine, state: State) -> list[Part]:
    """The map of each model that has one, with its caption."""
    found: list[Part] = []
    moved = [name for name, record in engine.faces.attributes.items() if state.strengths[name] != record.neutral]
    color = engine.faces.attributes[moved[0]].color if len(moved) == 1 else INK
    for view in engine.shown_by(state):
        if view.gallery is not None:
            reading = engine.reading(view, state, engine.vector(view, state.face))
            image = map_image(view.gallery, reading, list(engine.places), color)
            found.append((image, f"{view.card.title}: {view.gallery.plane.caption}"))
    return found


def _energy_plot(engine: Engine, rows: Sequence[Mapping[str, Any]], key: str) -> Plot:
    known = [row for row in rows if row[key] is not None]
    records = [engine.faces.attributes[row["name"]] for row in known]
    bars = [([i], [row[key]], record.color, "") for i, (row, record) in enumerate(zip(known, records, strict=True))]
    nulls = [row["null"] for row in known]
    dashed = key == "energy" and None not in nulls
    lines = [(list(range(len(known))), nulls, "#767676", "null")] if dashed else []
    return Plot(y_label=key, bars=bars, lines=lines, names=[record.label for record in records], low=0.0)
