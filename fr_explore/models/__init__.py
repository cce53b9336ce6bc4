"""Models: aligned faces in, embeddings out."""

from .base import Model
from .card import ModelCard
from .registry import fetch_model, list_models, load_model

__all__ = ["Model", "ModelCard", "fetch_model", "list_models", "load_model"]
