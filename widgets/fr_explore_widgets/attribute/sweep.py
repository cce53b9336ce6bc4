"""An attribute run through its range: distances to the reference, and the share of it that keeps the identity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from fr_explore.attributes import check_attributes

from ..core.session import State

__all__ = ["retention", "sweep_table"]

_AT_ONCE = 8


def retention(strengths: Sequence[float], distances: Sequence[float], threshold: float | None) -> float | None:
    """Share of the range of `strengths` (ascending) where the distance lies below the threshold.

    Between two samples the distance is taken as a straight line. None without a threshold or with one sample.
    """
    if threshold is None or len(strengths) < 2:
        return None
    x, gap = np.asarray(strengths, float), threshold - np.asarray(distances, float)
    low, high = np.minimum(gap[:-1], gap[1:]), np.maximum(gap[:-1], gap[1:])
    # of a piece that crosses the threshold, the part above 0 counts
    with np.errstate(invalid="ignore", divide="ignore"):
        below = np.where(low > 0, 1.0, np.where(high <= 0, 0.0, high / (high - low)))
    return float((below * np.diff(x)).sum() / (x[-1] - x[0]))


def sweep_table(engine: Any, state: State, attribute: str, steps: int | Sequence[float]) -> pd.DataFrame:
    """See `AttributeExplorer.sweep`."""
    (name,) = check_attributes(attribute, engine.faces.attributes)
    record, judge = engine.faces.attributes[name], engine.judge_of(state)
    values = (
        np.linspace(record.low, record.high, steps) if isinstance(steps, int) else np.sort(np.asarray(steps, float))
    )
    if len(values) < 2:
        raise ValueError(f"steps = {steps!r}: at least two strengths make a sweep.")
    recipes = [engine.check_strengths({**state.strengths, name: value}) for value in values.tolist()]
    vectors = [
        judge.embed(engine.render_some([state.identity] * len(some), some))
        for some in (recipes[i : i + _AT_ONCE] for i in range(0, len(recipes), _AT_ONCE))
    ]
    reference = engine.vector(judge, engine.reference_of(state))
    distances = np.array([judge.distance(vector, reference) for vector in np.concatenate(vectors)])
    limit = judge.card.threshold
    table = pd.DataFrame({"identity": [state.identity] * len(values), "attribute": name, "unit": record.unit})
    table = table.assign(strength=values, distance=distances, threshold=np.nan if limit is None else float(limit))
    table["same_person"] = judge.card.same_person(distances)
    share = retention(values.tolist(), distances.tolist(), limit)
    table.attrs = {"metric": judge.card.metric, "model": judge.name, "retention": share}
    return table
