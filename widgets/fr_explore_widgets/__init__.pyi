from ._environment import check_environment
from .attribute_explorer import AttributeExplorer
from .energy_playground import EnergyPlayground
from .field_explorer import FieldExplorer
from .macroscale_explorer import MacroscaleExplorer
from .photo_explorer import PhotoExplorer
from .photo_input import PhotoInput
from .prediction import Prediction
from .verification_explorer import VerificationExplorer

__all__ = [
    "AttributeExplorer",
    "EnergyPlayground",
    "FieldExplorer",
    "MacroscaleExplorer",
    "PhotoExplorer",
    "PhotoInput",
    "Prediction",
    "VerificationExplorer",
    "check_environment",
]
