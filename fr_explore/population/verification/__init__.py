"""Same person or not: distances of genuine and impostor pairs, their overlap, error rates and thresholds."""

from .calibrate import Verification, verification
from .overlap import Overlap, overlap, overlap_of
from .pairs import pair_distances

__all__ = ["Overlap", "Verification", "overlap", "overlap_of", "pair_distances", "verification"]
