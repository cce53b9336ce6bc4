"""The pattern of strands of hair: lighter and darker ones, and ragged tips."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from .smooth import smooth

__all__ = ["pattern"]

AZIMUTHS, LENGTHS = 1024, 32  # cells across the strands and along them


@lru_cache(maxsize=64)
def pattern(seed: int) -> np.ndarray:
    """Return a pattern (AZIMUTHS, LENGTHS) with mean 0 and standard deviation 1."""
    rng = np.random.default_rng(seed)
    out = np.zeros((AZIMUTHS, LENGTHS))
    for wide, share in ((1.2, 0.5), (4, 0.7), (14, 0.5)):
        layer = smooth(rng.standard_normal(out.shape), (wide, 5), wrap=True)
        out += share * layer / layer.std()
    return (out / out.std()).astype(np.float32)
