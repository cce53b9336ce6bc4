"""Corrections of p-values for multiple tests."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["adjust_p_values"]


def adjust_p_values(p: Any, method: str = "holm") -> np.ndarray:
    """p-values corrected for multiple testing; NaN stays NaN and is not counted.

    method : "holm" (Holm 1979) or "bonferroni" (family-wise error), "fdr" (Benjamini and Hochberg 1995), or "none".
    """
    from scipy.stats import false_discovery_control

    p = np.asarray(p, dtype=np.float64)
    if method not in ("holm", "bonferroni", "fdr", "none"):
        raise ValueError(f"correction {method!r} is unknown: choose 'holm', 'bonferroni', 'fdr' or 'none'.")
    known = np.isfinite(p)
    m, adjusted = int(known.sum()), p.copy()
    if m == 0 or method == "none":
        return adjusted
    if method == "fdr":
        adjusted[known] = false_discovery_control(p[known])
    elif method == "bonferroni":
        adjusted[known] = np.minimum(p[known] * m, 1)
    else:
        order = np.argsort(p[known], kind="stable")
        ranked = np.maximum.accumulate(p[known][order] * np.arange(m, 0, -1))
        adjusted[np.flatnonzero(known)[order]] = np.minimum(ranked, 1)
    return adjusted
