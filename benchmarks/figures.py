"""Benchmarks print one line for each figure; `run_all.py` collects these lines into its table."""

from __future__ import annotations

import json

__all__ = ["MARK", "figure"]

MARK = "#figure "


def figure(
    name: str,
    ours: float | str,
    unit: str = "",
    baseline: float | None = None,
    against: str = "",
    target: str = "",
    met: bool = True,
) -> None:
    """Record a figure, with its baseline and its target if there are any.

    ours : a number, or text for the table.
    unit : of `ours` and `baseline`. Smaller is better, except for rates such as "images/s".
    against : what the baseline is.
    target : what was promised; `met` says whether it was reached.
    """
    better = None
    if baseline is not None and not isinstance(ours, str) and ours:
        better = ours / baseline if "/s" in unit else baseline / ours
    row = {"name": name, "ours": ours, "unit": unit, "baseline": baseline, "against": against, "ratio": better}
    row |= {"target": target, "met": bool(met)}
    print(MARK + json.dumps(row), flush=True)
