from .attribute.widget import AttributeExplorer
from .core.environment import check_environment
from .energy.widget import EnergyPlayground
from .field.widget import FieldExplorer
from .macroscale.widget import MacroscaleExplorer
from .photo.explorer import PhotoExplorer
from .photo.widget import PhotoInput
from .prediction.widget import Prediction
from .verification.widget import VerificationExplorer

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
