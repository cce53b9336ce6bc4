"""Models by name: `load_model` and `list_models`. To add one, write a module with CARDS, load and fetch, list it here.

`CARDS` maps names to cards, `load(name)` gives the torch network, and `fetch(name, progress=True)` brings the weights
to this machine, verified, and gives their path.
"""

from __future__ import annotations

import difflib
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from .base import Model
from .card import ModelCard
from .controlled import cards as controlled
from .presets import PRESETS, preset

if TYPE_CHECKING:
    import pandas as pd
    import torch

__all__ = ["Model", "ModelCard", "fetch_model", "list_models", "load_model"]

# name -> module of this package that knows it
_MODULES = {"dlib": "dlib", "facenet-vggface2": "facenet", "facenet-casia-webface": "facenet"}
_MODULES |= dict.fromkeys(controlled.CARDS, "controlled.cards")
_COLUMNS = ["title", "input_size", "dim", "metric", "threshold", "threshold_source", "accuracy", "licence", "weights"]


def load_model(
    model: str | Path | torch.nn.Module,
    card: ModelCard | str | None = None,
    device: str = "auto",
    precision: Literal["float32", "bfloat16"] = "float32",
) -> Model:
    """A face-recognition model, ready to embed.

    Parameters
    ----------
    model : a name from `list_models()`; or the path of an .onnx file, or your own torch network, together with its
        `card`.
    card : the facts of your own network, or for an .onnx file also the name of a preset: "arcface", "adaface" or
        "sface". For a named model it replaces the model's card (say, with a calibrated threshold).
    device : "auto" (a GPU where there is one), "cpu", "cuda", "cuda:1", ...
    precision : "float32", or "bfloat16" for speed where the hardware has it; see `Model`.

    Raises
    ------
    ValueError : unknown name, a network without a card, or a card that does not fit the file.
    FileNotFoundError : weights that are not on this machine and cannot be fetched. They are never replaced by random
        ones.

    >>> load_model("dlib")
    Model('dlib', dim=128, metric='euclidean', device='cpu')
    """
    if isinstance(model, (str, Path)) and str(model).lower().endswith(".onnx"):
        from . import onnx as onnx_file

        return onnx_file.load(Path(model), _card_for(card, str(model)), device, precision)
    if not isinstance(model, (str, Path)):
        return Model(model, _card_for(card, "a network of your own"), device, precision)
    name = check_name(str(model))
    if isinstance(card, str):
        card = preset(card)
    module = _module(name)
    return Model(module.load(name), card or module.CARDS[name], device, precision)


def fetch_model(model: str, progress: bool = True) -> Path:
    """Bring a model's weights to this machine ahead of need, verified, and give the path of the file."""
    name = check_name(model)
    return _module(name).fetch(name, progress)


def list_models() -> pd.DataFrame:
    """The models that `load_model` knows by name, one row each; licences included."""
    import pandas as pd

    cards = [_module(name).CARDS[name] for name in _MODULES]
    rows = {card.name: [getattr(card, column) for column in _COLUMNS] for card in cards}
    return pd.DataFrame.from_dict(rows, orient="index", columns=_COLUMNS).rename_axis("name")


def check_name(model: str) -> str:
    """`model` if it is known; ValueError names what would work."""
    if model not in _MODULES:
        near = difflib.get_close_matches(model, _MODULES, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(
            f"unknown model {model!r}.{hint} Choose from: {', '.join(_MODULES)}; or give the path of an .onnx file, or "
            "a torch network, with its card."
        )
    return model


def _card_for(card: ModelCard | str | None, what: str) -> ModelCard:
    if card is None:
        raise ValueError(
            f"{what} needs a card, because preprocessing and metric are part of the model: load_model(..., "
            "card=ModelCard(name=..., title=..., input_size=..., dim=..., metric=...)), or for an .onnx file the name "
            f"of a preset: {', '.join(PRESETS)}."
        )
    return preset(card) if isinstance(card, str) else card


def _module(name: str):
    return importlib.import_module(f".{_MODULES[name]}", __package__)
