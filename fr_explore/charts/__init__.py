"""Charts: a tidy table in, an `altair` chart out; nothing is estimated here.

They follow the notebook's light or dark theme, fit its width, and answer to the pointer with names and values.
"""

from .energy import energy_by_attribute
from .style import side_by_side

__all__ = ["energy_by_attribute", "side_by_side"]
