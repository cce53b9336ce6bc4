"""Face sources: attribute strengths in, images out."""

from .base import Face, FaceSource

__all__ = ["Face", "FaceSource"]
