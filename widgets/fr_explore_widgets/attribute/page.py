"""What `AttributeExplorer` becomes without a browser or a kernel: words, tables, a picture, a page with its sliders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from fr_explore.attributes import check_attributes

from ..core.export import Exports
from ..core.page import Offline, Pixels
from ..core.picture import Part, Plot
from ..core.session import History, Place, State
from .engine import Engine, to_bytes

if TYPE_CHECKING:
    from .model_view import Judge

__all__ = ["ExplorerExports"]


class ExplorerExports(Exports):
    """The hooks of `core/export.py`, from the engine and the present state."""

    title = "Attribute explorer"
    _engine: Engine
    _state: State
    _history: History
    distances: Mapping[str, float]
    energies: Mapping[str, Any]
    retention: Mapping[str, Any]
    frame: bytes
    reply: Mapping[str, Any]

    def _judges(self) -> list[Judge]:
        return [self._engine.judges[name] for name in (self._state.model, self._state.compare) if name]

    def _words(self) -> str:
        engine, state = self._engine, self._state
        now, reference = (_describe(engine, p) for p in ((state.identity, state.strengths), engine.reference_of(state)))
        lines = [f"{now}, compared with {reference}."]
        for judge in self._judges():
            distance, limit = self.distances.get(judge.name, np.nan), judge.card.threshold
            same = judge.card.same_person(distance)
            verdict = (
                "" if pd.isna(same) else f", threshold {limit:g}: judged {'the same' if same else 'a different'} person"
            )
            lines.append(f"{judge.card.title}: distance {distance:.3f}{verdict}.")
        return " ".join(lines)

    def _tables(self) -> dict[str, pd.DataFrame]:
        engine, state = self._engine, self._state
        who, _ = engine.reference_of(state)
        now = []
        for judge in self._judges():
            limit, distance = judge.card.threshold, self.distances.get(judge.name, np.nan)
            gallery = judge.gallery
            natural = gallery.natural_variation_of(state.identity) if gallery else None
            now.append({
                "identity": state.identity, "reference_identity": who, "pinned": state.reference is not None,
                "model": judge.name, "metric": judge.card.metric, "distance": distance, "threshold": limit,
                "same_person": judge.card.same_person(distance), "natural_variation": natural,
                "between_people": gallery.between_people() if gallery else None, **state.strengths,
            })  # fmt: skip
        steps = [{"step": i, "identity": s.identity, **s.strengths} for i, s in enumerate(self._history.states)]
        tables = {"now": pd.DataFrame(now), "history": pd.DataFrame(steps)}
        if self.energies.get("rows"):
            tables["energies"] = pd.DataFrame(self.energies["rows"]).rename(columns={"name": "attribute"})
        if self.retention.get("name"):
            name, samples = self.retention["name"], self.retention["samples"]
            tables["sweep"] = pd.DataFrame(samples, columns=["strength", "distance"]).assign(attribute=name)
        if (gallery := self._judges()[0].gallery) is not None:
            tables["map"] = gallery.table()
        return tables

    def _picture(self, kept: bool) -> Sequence[Sequence[Part]]:
        engine, state = self._engine, self._state
        rows: list[list[Part]] = [[self._words()]]
        if not (kept and getattr(engine.faces, "private", False)):
            places: dict[str, Place] = {"Reference": engine.reference_of(state)}
            places |= {"Now": (state.identity, state.strengths)}
            places |= {f"Snapshot {name}": place for name, place in state.snapshots.items()}
            pictures = {name: engine.picture(place) for name, place in places.items() if name != "Now"}
            pictures["Now"] = np.frombuffer(self.frame, np.uint8).reshape(*self.reply["shape"], 3)
            rows.insert(0, [(pictures[name], f"{name}: {_describe(engine, p)}") for name, p in places.items()])
        if found := self.energies.get("rows"):
            rows.append([_energy_plot(engine, found, key) for key in ("magnitude", "energy")])
        return rows

    def _offline(self, attributes: Iterable[str] | None = None, steps: int = 11) -> Offline:
        """A page with `steps` strengths for each slider of `attributes` (all by default); the others rest."""
        engine, state = self._engine, self._state
        names = check_attributes(list(attributes or engine.faces.attributes), engine.faces.attributes)
        if steps < 2:
            raise ValueError(f"steps = {steps}: give each slider at least 2 strengths.")
        axes = {name: _grid(engine, state, name, steps) for name in names}
        who, at = engine.reference_of(state)
        pixels = engine.picture((state.identity, state.strengths))
        traits: dict[str, Any] = {"frame": Pixels(pixels), "reference_frame": Pixels(engine.picture((who, at)))}
        if (gallery := self._judges()[0].gallery) is not None:
            side = gallery.thumbs.shape[1]
            traits["sprite"] = Pixels(gallery.thumbs.reshape(-1, side, 3))
        setup = engine.describe()
        for record in setup["attributes"]:
            record["fixed"] = record["name"] not in axes
        traits["setup"] = setup
        return Offline(
            traits=traits,
            axes=axes,
            start={name: state.strengths[name] for name in names},
            answers=self._answers(axes),
            count=sum(map(len, axes.values())),
            what=f"{steps} steps of {len(names)} attributes, one at a time",
            reduce="give fewer attributes= or steps=",
        )

    def _answers(self, axes: Mapping[str, list[float]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        engine, now = self._engine, self._state
        who, at = engine.reference_of(now)
        tag = {"client": "", "seq": 0, "serial": 0, "moved": None, "drag": False}
        reference = {"place": engine.places[who], "strengths": dict(at), "pinned": now.reference is not None}
        reference["shape"] = list(engine.picture((who, at)).shape[:2])
        for name, values in axes.items():
            for value in values:
                state = replace(now, strengths={**now.strengths, name: value})
                face = engine.render((state.identity, state.strengths))
                reply = {"place": engine.places[state.identity], "strengths": dict(state.strengths)}
                told: dict[str, Any] = {
                    "frame": Pixels(to_bytes(face.pixels)),
                    "reply": {**tag, **reply, "shape": list(face.pixels.shape[:2])},
                }
                more = {"fresh": False, "reference": reference, "compare": now.compare, "can": {}}
                for key, judge in zip(("figures", "second"), self._judges(), strict=False):
                    reading = engine.reading(judge, state, engine.measure(judge, state, face, engine.size))
                    told[key] = {**tag, **reading, **(more if key == "figures" else {})}
                yield {n: state.strengths[n] for n in axes}, told


def _grid(engine: Engine, state: State, name: str, steps: int) -> list[float]:
    """Evenly over the range, with the neutral and the present strength among them."""
    record = engine.faces.attributes[name]
    values = {*np.linspace(record.low, record.high, steps).tolist(), float(record.neutral), state.strengths[name]}
    return sorted(round(value, 9) for value in values)


def _describe(engine: Engine, place: Place) -> str:
    moved = [
        f"{record.label} {place[1][name]:g} {record.unit}".strip()
        for name, record in engine.faces.attributes.items()
        if abs(place[1][name] - record.neutral) > 1e-9
    ]
    return f"identity {place[0]}, {', '.join(moved) or 'neutral'}"


def _energy_plot(engine: Engine, rows: Sequence[Mapping[str, Any]], key: str) -> Plot:
    known = [row for row in rows if row[key] is not None]
    names = [engine.faces.attributes[row["name"]].label for row in known]
    bars = [([i], [row[key]], engine.faces.attributes[row["name"]].color, "") for i, row in enumerate(known)]
    nulls = [row["null"] for row in known]
    dashed = key == "energy" and None not in nulls
    lines = [(list(range(len(known))), nulls, "#767676", "null")] if dashed else []
    return Plot(y_label=key, bars=bars, lines=lines, names=names, low=0.0)
