"""fr-explore's live widgets for Jupyter. `AttributeExplorer(faces, model)` is the laboratory."""

from ._environment import check_environment
from .attribute_explorer import AttributeExplorer
from .energy_playground import EnergyPlayground
from .photo_explorer import PhotoExplorer
from .photo_input import PhotoInput
from .prediction import Prediction

__all__ = ["AttributeExplorer", "EnergyPlayground", "PhotoExplorer", "PhotoInput", "Prediction", "check_environment"]
