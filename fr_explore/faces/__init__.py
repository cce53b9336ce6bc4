"""Face sources: attribute strengths in, images out.

`avatars` renders parametric heads, `photographs` edits real pictures, `cartoons` draws faces whose attributes can be
read back exactly, and `datasets` reads labelled collections.
"""

from .avatars.source import Avatars
from .base import Face, FaceSource
from .cartoons import Cartoons
from .image_attributes import apply_image_attributes
from .image_attributes import apply_image_attributes as adjust  # its name in version 0.1
from .photographs.source import Photographs

__all__ = ["Avatars", "Cartoons", "Face", "FaceSource", "Photographs", "adjust", "apply_image_attributes"]
