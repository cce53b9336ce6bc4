"""`AttributeExplorer`: slide an attribute and see the face, its embedding and the model's verdict change.

The path of a drag, from the slider to the figures:
 1. shared/slider.js, sliders.js: an `input` event shows the value beside the slider and calls `onMove`.
 2. index.js sends {action: "set", values, moved, phase: "drag"} by shared/link.js: one request in flight, newest wins.
 3. core/base.py `_on_request` takes the widget's lock and calls `_handle` (below), which asks engine.py `after` for the
    next state (core/session.py).
 4. display.py `show` renders a half-size face (engine.py `render`) and publishes `frame` and `reply` in one message.
 5. index.js `showReply` paints the picture (shared/dom.js) and settles the request: link.js may send the next one.
 6. core/job_queue.py runs `_figures` of the newest face: engine.py `read` embeds it and compares it with the reference.
 7. display.py `_publish` sets `figures` for the page and `distance` for Python observers, unless newer ones were set.
 8. index.js `showFigures` updates the key figure (key.js, shared/words.js) and the path on the map (map.js,
    shared/map.js).
 9. On release the same happens with phase "commit": full size, figures at once, a step of undo, the tangent, the state.
Once the page has what it needs (core/supply.py), it draws the faces of a drag itself (hand.js); link.js then sends few
requests, which bring only figures. If these take long, the page shows its own distance until they come (guess.js).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import traitlets

from fr_explore.engine.network import Precision

from ..core.base import reply_tag
from ..core.job_queue import BackgroundWidget
from ..core.page import Offline
from ..core.picture import Part
from ..core.session import State
from . import export, page
from .changes import Change
from .display import Display
from .engine import Engine, as_models
from .measurements import ENERGIES
from .samples import energies_from

__all__ = ["AttributeExplorer"]


class AttributeExplorer(BackgroundWidget):
    """The live laboratory: sliders, the face beside a reference, the distance, and the embedding's path on a map.

    Parameters
    ----------
    faces : a face source, such as `fr.Avatars()`; its `attributes` become the sliders.
    model : from `fr.load_model`, or several, as a sequence or a mapping from names, to choose from in the widget.
        Metric, threshold, licence and weaknesses come from their cards.
    identity : the first one of the source by default.
    compare : a second model, or the name of one of `model`, shown beside the first on the same face.
    energies : the table of `fr.alignment` for the first model, or a mapping from models' names to tables. Without it a
        quick estimate from a small lattice is computed when the reader asks what the model depends on.
    size : side of the rendered picture in pixels, for display and for the model.
    variations : varied faces per identity in the map's gallery (at least 2), from which the natural variation of an
        identity is measured; seed : of their random strengths, and of the estimate's lattice.

    The gallery is rendered in the background: `wait()` returns when the map is ready. A page first shows a face that
    has moved a little, until a slider is moved or Python code changes the widget. `identity` and `strengths` can be
    set, `distance` and every other trait observed, and `state` is everything shown as plain JSON:

    >>> w = AttributeExplorer(faces, model)
    >>> w.set(age=60)
    >>> w.strengths["age"], model.card.same_person(w.distance)
    (60.0, True)
    >>> w.sweep("age").attrs["retention"]
    1.0
    """

    files = "attribute"
    title = "Attribute explorer"
    awaited = ENERGIES
    _face_traits = ("frame", "reference_frame", "snapshot_frame", "sprite")
    late = "the map was not ready after {timeout:g} s: wait longer, or give fewer variations."

    identity = traitlets.Any()
    strengths = traitlets.Dict()
    distance = traitlets.Float(math.nan)
    distances = traitlets.Dict()  # model's name -> distance; the second model's is set after the first's

    setup = traitlets.Dict().tag(sync=True)
    reply = traitlets.Dict().tag(sync=True)
    figures = traitlets.Dict().tag(sync=True)
    second = traitlets.Dict().tag(sync=True)
    reference_frame = traitlets.Bytes().tag(sync=True)
    snapshots = traitlets.Dict().tag(sync=True)
    snapshot_frame = traitlets.Bytes().tag(sync=True)
    gallery = traitlets.Dict().tag(sync=True)
    second_gallery = traitlets.Dict().tag(sync=True)
    sprite = traitlets.Bytes().tag(sync=True)
    tangent = traitlets.Dict().tag(sync=True)
    energies = traitlets.Dict().tag(sync=True)
    retention = traitlets.Dict().tag(sync=True)
    path = traitlets.Dict().tag(sync=True)
    packed = traitlets.Dict().tag(sync=True)  # keys of what a page needs to draw the faces itself

    def __init__(
        self,
        faces: Any,
        model: Any,
        identity: Hashable | None = None,
        *,
        compare: Any = None,
        energies: Any = None,
        size: int = 160,
        variations: int = 5,
        seed: int = 0,
    ) -> None:
        if variations < 2:
            raise ValueError(f"variations = {variations}: give at least 2, a variation is a distance between two.")
        models = as_models(model)
        if compare is not None and not isinstance(compare, str):
            models |= as_models(compare) if compare.card.name not in models else {}
            compare = next(name for name, one in models.items() if one.card.name == compare.card.name)
        self._engine = engine = Engine(faces, models, size)
        self._private = engine.private
        tables = energies if isinstance(energies, Mapping) else {next(iter(models)): energies}
        for name, table in tables.items():
            if table is not None:
                engine.views[engine.check_model(name) or ""].energies = energies_from(table, faces.attributes)
        who = next(iter(engine.places)) if identity is None else identity
        first = engine.check(State(who, {}, compare=compare))
        self._assigned: dict[str, Any] = {}  # traits that the widget is setting itself
        self._display = Display(self, engine, first, variations, seed)
        super().__init__(setup=engine.describe())
        with self._lock:
            self._display.show(first, Change(fresh=True))
        self._display.prepare()
        self.on_msg(lambda _, content, buffers: self._display.give(content, self.send))

    # --- what the user does, each one step of undo --------------------------------------------------------------------

    def set(
        self, identity: Hashable | None = None, *, model: str | None = None, compare: str | bool | None = None,
        **strengths: float,
    ) -> None:  # fmt: skip
        """Move sliders, `w.set(age=60)`; choose an identity, a model, or a second model `compare` by their names.

        `compare=False` removes the second model. Raises ValueError, and changes nothing, for an unknown attribute,
        identity or model, or a value out of range.
        """
        with self._lock:
            options: dict[str, Any] = {"values": strengths}
            if identity is not None:
                options["identity"] = identity
            if model:
                options["model"] = model
            if compare is not None or model == self._display.state.compare:
                options["compare"] = compare or None
            self._act("set", options, Change(moved=next(iter(strengths)) if len(strengths) == 1 else None))

    def reset(self) -> None:
        """Set every attribute to neutral and the reference to this identity's neutral face."""
        self._act("reset")

    def pin(self) -> None:
        """Keep the current face as the reference, also when the identity changes."""
        self._act("pin")

    def unpin(self) -> None:
        """Make the current identity's neutral face the reference again."""
        self._act("unpin")

    def store(self, snapshot: str) -> None:
        """Store the current face as snapshot "A" or "B", to compare the two."""
        self._act("store", {"snapshot": snapshot})

    def recall(self, snapshot: str) -> None:
        """Show a stored face again; ValueError if there is none."""
        self._act("recall", {"snapshot": snapshot})

    def forget(self) -> None:
        """Empty both snapshots."""
        self._act("forget")

    def undo(self) -> None:
        """Go one step back in the history."""
        with self._lock:
            self._display.walk(-1)

    def redo(self) -> None:
        """Go one step forward in the history."""
        with self._lock:
            self._display.walk(1)

    def _act(self, action: str, options: Mapping[str, Any] | None = None, change: Change | None = None) -> None:
        with self._lock:
            now = self._display.state if change and change.tag else self._display.settled
            state = self._engine.after(now, action, options or {})
            self._display.show(state, change or Change(fresh=action == "reset"))

    def _handle(self, request: Mapping[str, Any]) -> None:
        action, tag = request.get("action", ""), reply_tag(request)
        if action == "estimate":
            self._display.measurements.estimate(tag)
        elif action == "path":
            self._display.measurements.path(request["moved"], tag)
        elif action == "greet":
            self._display.greet(tag)
        elif action in ("undo", "redo"):
            self._display.walk(-1 if action == "undo" else 1, tag)
        else:
            phase = request.get("phase", "commit")
            drawn = bool(request.get("drawn"))
            change = Change(request.get("moved"), phase, drawn, fresh=action == "reset", tag=tag)
            self._act(action, request, change)

    # --- measurements -------------------------------------------------------------------------------------------------

    def sweep(self, attribute: str, steps: int | Sequence[float] = 33) -> pd.DataFrame:
        """Vary one attribute over its range, with the others at their current strengths; the widget does not change.

        One row for each strength: identity, attribute, unit, strength, distance to the reference, threshold and
        same_person (missing without a threshold). attrs["retention"] is the share of the range in which the model
        still judges the same person, or None.
        """
        with self._lock:
            self._display.dismiss()
            table = export.sweep_table(self._engine, self._display.state, attribute, steps)
            self.retention = {"name": attribute, "samples": table[["strength", "distance"]].to_numpy().tolist()}
        return table

    def estimate(self) -> pd.DataFrame:
        """Magnitude and energy of each attribute for the current model, estimated now unless they are known."""
        self._display.measurements.estimate()
        self.jobs.wait()
        if "rows" not in self.energies:
            raise RuntimeError(f"no estimate: {self.energies.get('failed', 'the widget was closed')}")
        return pd.DataFrame(self.energies["rows"])

    # --- traits -------------------------------------------------------------------------------------------------------

    def assign(self, name: str, value: Any) -> None:
        """Set `identity`, `strengths`, `state` or another trait to a value that is already shown."""
        self._assigned[name] = value
        try:
            self.set_trait(name, value)
        finally:
            self._assigned.pop(name, None)

    def _is_shown(self, name: str, value: Any) -> bool:
        """Whether the widget is assigning this value itself. The same value from elsewhere changes nothing either."""
        return name in self._assigned and bool(self._assigned[name] == value)

    @traitlets.validate("identity", "strengths", "state")
    def _check(self, proposal: Mapping[str, Any]) -> Any:
        name, value = proposal["trait"].name, proposal["value"]
        if self._is_shown(name, value):
            return value
        if name == "state":
            return self._engine.check(State.from_dict(value)).to_dict()
        return self._engine.check_identity(value) if name == "identity" else self._engine.check_strengths(value)

    @traitlets.observe("identity", "strengths", "state")
    def _on_set(self, change: Mapping[str, Any]) -> None:
        name, value = change["name"], change["new"]
        if self._is_shown(name, value):
            return
        if name == "state":
            with self._lock:
                self._display.show(self._engine.check(State.from_dict(value)), Change(fresh=True))
        elif name == "identity":
            self.set(identity=value)
        else:
            self.set(**value)

    def _show_pictures(self) -> None:
        # as the page has them: otherwise a picture that has not changed since would not be sent with its figures
        self._trait_values |= {"frame": b"", "reference_frame": b""}
        self._display.show(self._display.state, Change(record=False))
        self.send_state(("snapshot_frame", "sprite"))

    # --- exports ------------------------------------------------------------------------------------------------------

    def _words(self) -> str:
        return export.words(self._engine, self._display.state, self.distances)

    def _tables(self) -> dict[str, pd.DataFrame]:
        known = {"energies": self.energies, "retention": self.retention}
        return export.tables(self._engine, self._display.state, self._display.history, self.distances, **known)

    def _picture(self, kept: bool) -> Sequence[Sequence[Part]]:
        now = None
        if not (kept and self._engine.private):  # the page draws the faces of a drag: they are not in `frame`
            drawn, face = self.reply.get("drawn"), self._display.state.face
            pixels = np.frombuffer(self.frame, np.uint8)
            now = self._engine.picture(face) if drawn else pixels.reshape(*self.reply["shape"], 3)
        rows = self.energies.get("rows", [])
        return export.picture(self._engine, self._display.state, self._words(), rows, now)

    def _offline(
        self,
        attributes: Iterable[str] | None = None,
        steps: int = 11,
        live: bool | None = None,
        precision: Precision = "int8",
    ) -> Offline:
        """A live page, which draws the faces and runs the networks itself, where these can run in a page.

        attributes : whose sliders work, all by default.
        live : True: raise ValueError if the page cannot be live; False: store `steps` strengths for each slider, which
            makes a small page.
        precision : of a live page's networks, "int8", "float16" or "float32"; their distances differ from the kernel's
            by 3 %, 0.2 % and nothing.
        """
        display, state = self._display, self._display.settled
        why = "it was written with live=False." if live is False else page.refusal(self._engine, state)
        if why and live:
            raise ValueError(f"live = True: {why} Give live=False for a page that replays stored answers.")
        if why:
            return export.offline(self._engine, state, attributes, steps, why)
        return page.offline(self._engine, state, attributes, precision, display.variations, display.seed)
