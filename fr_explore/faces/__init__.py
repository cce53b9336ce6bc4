"""Face sources: attribute strengths in, images out."""

from .adjust import adjust
from .avatars.source import Avatars
from .base import Face, FaceSource

__all__ = ["Avatars", "Face", "FaceSource", "adjust"]
