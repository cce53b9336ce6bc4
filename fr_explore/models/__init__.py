"""Models: aligned faces in, embeddings out."""

from .base import Model
from .card import ModelCard
from .presets import PRESETS
from .registry import fetch_model, list_models, load_model

__all__ = ["PRESETS", "Model", "ModelCard", "fetch_model", "list_models", "load_model"]
