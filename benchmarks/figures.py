"""One line for each figure, which `run_all.py` gathers into its table."""

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
    """Record a figure, beside its baseline and its target where it has them.

    `ours` : a number, or the text for the table. `unit` : of both, smaller being better but for rates such as
    "images/s". `against` says what the baseline is, `target` what was promised, `met` whether it was kept.
    """
    better = None
    if baseline is not None and not isinstance(ours, str) and ours:
        better = ours / baseline if "/s" in unit else baseline / ours
    row = {"name": name, "ours": ours, "unit": unit, "baseline": baseline, "against": against, "ratio": better}
    row |= {"target": target, "met": bool(met)}
    print(MARK + json.dumps(row), flush=True)
