"""Models by name: `load_model` and `list_models`. To add one, write a module with `CARD` and `load()`, list it here."""

from __future__ import annotations

import difflib
import importlib
from typing import TYPE_CHECKING

from .base import Model, ModelCard

if TYPE_CHECKING:
    import pandas as pd
    import torch

__all__ = ["Model", "ModelCard", "list_models", "load_model"]

# name -> module of this package that holds its CARD and load()
_MODULES = {"dlib": "dlib_resnet"}


def load_model(model: str | torch.nn.Module, card: ModelCard | None = None, device: str = "auto") -> Model:
    """A face-recognition model, ready to embed.

    Parameters
    ----------
    model : a name from `list_models()`, or your own torch network together with its `card`.
    card : the facts of your own network; for a named model, replaces its card (say, with a calibrated threshold).
    device : "auto" (a GPU where there is one), "cpu", "cuda", "cuda:1", ...

    Raises
    ------
    ValueError : unknown name, or a network without a card.
    FileNotFoundError : weights that are not on this machine. They are never replaced by random ones.

    >>> load_model("dlib")
    Model('dlib', dim=128, metric='euclidean', device='cpu')
    """
    if not isinstance(model, str):
        if card is None:
            raise ValueError(
                "a network of your own needs a card, because preprocessing and metric are part of the model: "
                "load_model(network, card=ModelCard(name=..., title=..., input_size=..., dim=..., metric=...))."
            )
        return Model(model, card, device)
    if model not in _MODULES:
        near = difflib.get_close_matches(model, _MODULES, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"unknown model {model!r}.{hint} Choose from: {', '.join(_MODULES)}.")
    module = _module(model)
    return Model(module.load(), card or module.CARD, device)


def list_models() -> pd.DataFrame:
    """The models that `load_model` knows by name, one row each; licences included."""
    import pandas as pd

    cards = [_module(name).CARD for name in _MODULES]
    columns = [
        "title",
        "input_size",
        "dim",
        "metric",
        "threshold",
        "threshold_source",
        "accuracy",
        "licence",
        "weights",
    ]
    rows = {card.name: [getattr(card, column) for column in columns] for card in cards}
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("name")


def _module(name: str):
    return importlib.import_module(f".{_MODULES[name]}", __package__)
