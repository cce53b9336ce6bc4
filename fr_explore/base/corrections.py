"""p-values of many tests at once."""

from __future__ import annotations

import numpy as np

__all__ = ["adjust_p_values"]


def adjust_p_values(p, method: str = "holm") -> np.ndarray:
    """p-values corrected for their number: "holm", "bonferroni", "fdr" or "none"; NaN stays NaN and is not counted."""
    p = np.asarray(p, dtype=np.float64)
    if method not in ("holm", "bonferroni", "fdr", "none"):
        raise ValueError(f"correction {method!r} is unknown: choose 'holm', 'bonferroni', 'fdr' or 'none'.")
    known = np.isfinite(p)
    m, adjusted = int(known.sum()), p.copy()
    if m == 0 or method == "none":
        return adjusted
    order = np.argsort(p[known], kind="stable")
    ranked = p[known][order]
    if method == "bonferroni":
        ranked = ranked * m
    elif method == "holm":
        ranked = np.maximum.accumulate(ranked * np.arange(m, 0, -1))
    else:
        ranked = np.minimum.accumulate((ranked * m / np.arange(1, m + 1))[::-1])[::-1]
    back = np.empty(m)
    back[order] = np.minimum(ranked, 1)
    adjusted[known] = back
    return adjusted
