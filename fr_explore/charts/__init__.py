"""Charts: a tidy table in, an `altair` chart out; only medians, quartiles and histograms are computed here.

They follow the notebook's light or dark theme, fit its width, and show names and values as tooltips.
"""

from .attributes import ks_against_entropy
from .display import enable_offline_display
from .distances import distance_cdfs, genuine_impostor
from .energy import energy_by_attribute
from .field import field_quiver, field_similarity
from .persistence import persistence
from .scales import profile
from .style import side_by_side
from .sweeps import sweep_distances
from .training import before_after, training

__all__ = [
    "before_after",
    "distance_cdfs",
    "energy_by_attribute",
    "field_quiver",
    "field_similarity",
    "genuine_impostor",
    "ks_against_entropy",
    "persistence",
    "profile",
    "side_by_side",
    "sweep_distances",
    "training",
]

enable_offline_display()
