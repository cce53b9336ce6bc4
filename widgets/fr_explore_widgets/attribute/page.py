"""A live page of an `AttributeExplorer`: what `live.js` needs to answer as the kernel does."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

from fr_explore.attributes import check_attributes
from fr_explore.engine.network import Precision

from ..core import live
from ..core.faces import pick
from ..core.page import Offline
from ..core.session import State
from .display import MOST_IDENTITIES
from .engine import Engine, ModelView
from .export import answer, page_traits
from .samples import FIRST, Gallery, collect, estimate_lattice

__all__ = ["offline", "refusal"]


def refusal(engine: Engine, state: State) -> str:
    """Why there is no live page of what `state` shows; "" if there is."""
    return live.refusal(engine.faces, [view.model for view in engine.shown_by(state)])


def offline(
    whole: Engine, state: State, attributes: Iterable[str] | None, precision: Precision, variations: int, seed: int
) -> Offline:
    """See `AttributeExplorer._offline`. Models that cannot run in a page are left out."""
    names = check_attributes(list(attributes or whole.faces.attributes), whole.faces.attributes)
    able = [name for name, view in whole.views.items() if not live.refusal(whole.faces, [view.model])]
    chosen = pick(list(whole.places), MOST_IDENTITIES)
    people = [*chosen, *dict.fromkeys(who for who in _shown(state) if who not in chosen)]
    engine = whole.part(people, able)
    found = live.live(engine.faces, people, {name: engine.views[name].model for name in able}, precision)
    for entry, view in zip(found.data["models"], engine.views.values(), strict=True):
        entry.update(_map(engine, view, chosen, variations, seed))
    lattice, rows = estimate_lattice(engine, seed)
    found.data["lattice"] = {
        "attributes": list(lattice.attributes), "steps": [lattice.step_sizes[name] for name in lattice.attributes],
        "people": [engine.places[lattice.identities[row]] for row in rows],
        "names": lattice.base.attribute.values.tolist(), "base": lattice.base.values[rows].tolist(), "first": FIRST,
    }  # fmt: skip
    found.data.update(identities=people, state=state.to_dict())
    setup = page_traits(engine, state, names)
    for record in setup["setup"]["models"]:
        record["margin"] = live.ERROR[precision]
    shown = [found.data["models"][able.index(view.name)] for view in engine.shown_by(state)]
    galleries = dict(zip(("gallery", "second_gallery"), (entry["gallery"] for entry in shown), strict=False))
    stored, frames = engine.snapshots(state)
    energies = {"energies": shown[0]["energies"], "snapshots": stored, "snapshot_frame": frames}
    answers = answer(engine, state, engine.render(state.face))
    for trait in answers.values():
        trait["serial"] = 1  # of an untouched widget
    if state.reference is None and dict(state.strengths) == engine.neutral:
        name, steps = engine.greeting(state)
        views = engine.shown_by(state)
        path = [views[0].project(engine.vector(views[0], step.face)) for step in steps]
        moved, face = steps[-1], engine.render(steps[-1].face)
        reads = {view.name: engine.read(view, moved, face, engine.size) for view in views}
        found.data["greeting"] = {"name": name, "value": moved.strengths[name], "path": path, "reads": reads}
    finer = "" if precision == "int8" else 'precision="int8", '
    return Offline(
        traits=setup | galleries | energies | answers | {"retention": {}, "path": {}, "tangent": {}},
        what=f"{len(people)} people and {len(able)} networks",
        reduce=f"give {finer}a source of fewer identities or fewer models, or live=False",
        live=found,
        note=_note(whole, able, precision),
    )


def _shown(state: State) -> list[Hashable]:
    return [state.identity, *(place[0] for place in [state.reference, *state.snapshots.values()] if place)]


def _map(engine: Engine, view: ModelView, people: list[Hashable], variations: int, seed: int) -> dict[str, Any]:
    """A model's map, computed now unless it is known, and the neutral embeddings of its people."""
    if view.gallery is None:
        *_, view.gallery = (one for one in collect(engine, view, people, variations, seed) if isinstance(one, Gallery))
    gallery = view.gallery
    return {
        "gallery": gallery.for_browser(engine.places),
        "order": [engine.places[identity] for identity in gallery.identities],
        "plane": {"mean": gallery.plane.mean.tolist(), "axes": gallery.plane.axes.tolist()},
        "neutral": gallery.vectors[:, 0].tolist(),
        "energies": view.energies or {},
    }


def _note(engine: Engine, able: list[str], precision: Precision) -> str:
    networks = " and ".join(engine.views[name].card.title for name in able)
    left = [name for name in engine.views if name not in able]
    rest = f" Not in this page, because they need the notebook: {', '.join(left)}." if left else ""
    return live.note(networks, precision) + rest
