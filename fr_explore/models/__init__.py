"""Models: aligned faces in, embeddings out."""

from .base import Model, ModelCard
from .registry import list_models, load_model

__all__ = ["Model", "ModelCard", "list_models", "load_model"]
