from .avatars.source import Avatars as Avatars
from .base import Face as Face
from .base import FaceSource as FaceSource
from .cartoons import Cartoons as Cartoons
from .image_attributes import adjust as adjust
from .image_attributes import apply_image_attributes as apply_image_attributes
from .photographs.source import Photographs as Photographs
