"""One line for each figure, which `run_all.py` gathers into its table."""

from __future__ import annotations

import json

__all__ = ["MARK", "figure"]

MARK = "#figure "


def figure(name: str, ours: float, unit: str, baseline: float | None = None, against: str = "") -> None:
    """Record a figure, beside its baseline where it has one.

    `unit` : of both, smaller being better but for rates such as "images/s"; `against` says what the baseline is.
    """
    better = None if baseline is None or not ours else (ours / baseline if "/s" in unit else baseline / ours)
    row = {"name": name, "ours": ours, "unit": unit, "baseline": baseline, "against": against, "ratio": better}
    print(MARK + json.dumps(row), flush=True)
