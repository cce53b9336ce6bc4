"""`AttributeExplorer`: slide an attribute and see the face, its embedding and the model's verdict move."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

from ..core.session import State
from .actions import ExplorerActions
from .core import ENERGIES
from .engine import Engine
from .estimate import from_table
from .model_view import as_models
from .page import ExplorerExports
from .sweep import sweep_table

__all__ = ["AttributeExplorer"]


class AttributeExplorer(ExplorerExports, ExplorerActions):
    """The live laboratory: sliders, the face beside a reference, the distance, and the embedding's path on a map.

    Parameters
    ----------
    faces : a face source, such as `fr.Avatars()`; its `attributes` become the sliders.
    model : what `fr.load_model` gives, or several, as a sequence or a mapping from names, to choose among in the
        widget; metric, threshold, licence and weaknesses come from their cards.
    identity : the first one of the source by default.
    compare : a second model, or the name of one of `model`, shown beside the first on the same face.
    energies : the table of `fr.alignment` for the first model, or a mapping from models' names to tables; without it
        the page asks for a quick estimate from a small lattice, made in the background.
    size : side of the rendered picture in pixels, the same for the eye and for the model.
    variations : varied faces per identity in the map's gallery (at least 2), from which the natural variation of an
        identity is measured; seed : of their random strengths, and of the estimate's lattice.

    The gallery is rendered in the background: `wait()` returns when the map is there. `identity` and `strengths`
    can be set, `distance` and every other trait observed, and `state` keeps all of it as plain JSON:

    >>> w = AttributeExplorer(faces, model)
    >>> w.set(age=60)
    >>> w.strengths["age"], w.distance < model.card.threshold
    (60.0, True)
    >>> w.sweep("age").attrs["retention"]
    1.0
    """

    files = "attribute"
    awaited = ENERGIES
    late = "the map was not ready after {timeout:g} s: wait longer, or give fewer variations."

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
        models = as_models(model)
        if compare is not None and not isinstance(compare, str):
            models |= as_models(compare) if compare.card.name not in models else {}
            compare = next(name for name, one in models.items() if one.card.name == compare.card.name)
        engine = Engine(faces, models, size)
        tables = energies if isinstance(energies, Mapping) else {next(iter(models)): energies}
        for name, table in tables.items():
            if table is not None:
                engine.judges[engine.check_model(name) or ""].energies = from_table(table, faces.attributes)
        who = next(iter(engine.places)) if identity is None else identity
        super().__init__(engine, engine.check(State(who, {}, compare=compare)), variations, seed)
        self._prepare()

    def sweep(self, attribute: str, steps: int | Sequence[float] = 33) -> pd.DataFrame:
        """Run an attribute through its range, the others as they stand; nothing moves in the widget.

        One row for each strength: identity, attribute, unit, strength, distance to the reference, threshold and
        same_person (missing without a threshold). attrs["retention"] is the share of the range in which the model
        still judges the same person, or None.
        """
        with self._lock:
            table = sweep_table(self._engine, self._state, attribute, steps)
            self.retention = {"name": attribute, "samples": table[["strength", "distance"]].to_numpy().tolist()}
        return table

    def estimate(self) -> pd.DataFrame:
        """Magnitude and energy of each attribute for the present model, estimated now unless they are known."""
        self._estimate()
        self.jobs.wait()
        if "rows" not in self.energies:
            raise RuntimeError(f"no estimate: {self.energies.get('failed', 'the widget was closed')}")
        return pd.DataFrame(self.energies["rows"])
