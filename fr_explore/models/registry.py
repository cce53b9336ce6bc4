"""Models by name: `load_model`, `fetch_model` and `list_models`.

To add a model, write a module with `CARDS`, `load`, `fetch` and `needs`, and add it to `_MODULES`. Importing it must
not import torch. `CARDS` maps names to cards, `load(name)` returns the torch network, `load_engine(name)`, if there is
one, its description for the engine, `fetch(name, progress=True)` brings the verified weights to this
machine and returns their path, and `needs(name)` says what must be done before, such as a download; None if they are
here.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..base.optional import has_torch, import_torch
from ..base.paths import as_path
from .base import Model, Precision
from .card import ModelCard
from .presets import PRESETS, preset

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ModelCard", "check_name", "fetch_model", "list_models", "load_model"]

_MODULES = ("dlib", "sface", "facenet", "controlled.cards")
_COLUMNS = ["title", "available", "input_size", "dim", "metric", "threshold", "threshold_source", "accuracy", "loss"]
_COLUMNS += ["licence", "weights"]


def load_model(
    model: str | Path | Callable,
    card: ModelCard | str | None = None,
    device: Any = "auto",
    precision: Precision = "float32",
) -> Model:
    """A face-recognition model, ready to embed.

    Parameters
    ----------
    model : a name from `list_models()`; or, together with its `card`, the path of an .onnx file, of TorchScript (.pt)
        or of an exported program (.pt2), a torch network, or a function from crops to embeddings.
    card : the facts of your own network; for an .onnx file also the name of a preset: "arcface", "adaface" or
        "sface". For a named model it replaces the model's card (for example, to use a calibrated threshold).
    device : "auto" (a GPU if there is one), "cpu", "cuda", "cuda:1", ..., or a torch device. Or "engine": dlib's
        network and SFace then run without torch, which is not even imported. Where torch is not installed, "auto" means
        that too. The embeddings are the same to 1e-5; what needs derivatives needs torch.
    precision : "float32", or "bfloat16" for speed on hardware that supports it; see `Model`.

    Raises
    ------
    ValueError : an unknown name, a network without a card, a card that does not match it, a device that this machine
        does not have, a network that the engine cannot run, or a network that fails on three test pictures or mixes
        them; see `models.probe`.
    ImportError : torch is not installed, and the model needs it.
    TypeError : something that is not a network, such as a state dict; the message says what to do with it.
    FileNotFoundError : the weights are not on this machine and could not be fetched. A network never runs with
        random weights instead.

    >>> load_model("dlib")
    Model('dlib', dim=128, metric='euclidean', device='cpu')
    """
    if str(device).strip().lower() == "engine" or (device in (None, "auto") and not has_torch()):
        return _in_engine(model, card, precision)
    import_torch(f"load_model({model!r}, device={device!r})")
    if not isinstance(model, (str, os.PathLike)):
        from .given import as_module

        return Model(as_module(model), _card_for(card, "a network of your own"), device, precision)
    path = as_path(model, "model")
    if str(model) not in _modules() and (path.suffix or path.exists()):
        from . import given, onnx

        if path.suffix.lower() == ".onnx":
            return onnx.load(path, _card_for(card, str(model)), device, precision)
        return Model(given.read_network(path), _card_for(card, str(model)), device, precision)
    name = check_name(str(model))
    module = _modules()[name]
    return Model(module.load(name), _card_for(card or module.CARDS[name], name), device, precision)


def _in_engine(model: Any, card: ModelCard | str | None, precision: Precision) -> Model:
    """The model in the engine; ValueError, or ImportError without torch, if only torch can run it."""
    from .engine import EngineModel

    known = isinstance(model, str) and (model in _modules() or not Path(model).suffix)
    module = _modules()[check_name(model)] if known else None
    if module is None or precision != "float32" or not hasattr(module, "load_engine"):
        import_torch(f"load_model({model!r}, precision={precision!r})")
        names = [name for name, found in _modules().items() if hasattr(found, "load_engine")]
        raise ValueError(f"{model!r} with precision {precision!r}: in float32, the engine runs {', '.join(names)}.")
    return EngineModel(functools.partial(module.load_engine, model), _card_for(card or module.CARDS[model], model))


def fetch_model(model: str, progress: bool = True) -> Path:
    """Bring a model's weights to this machine before they are needed, verify them, and return their path."""
    return _modules()[check_name(model)].fetch(model, progress)


def list_models() -> pd.DataFrame:
    """The models that `load_model` knows by name, one row each, with their licences.

    The column `available` is "now" if the weights are on this machine, and otherwise says what brings them: a package
    to install, or a download.
    """
    import pandas as pd

    rows = []
    for name, module in _modules().items():
        needed = module.needs(name)
        rows.append(asdict(module.CARDS[name]) | {"available": f"after {needed}" if needed else "now"})
    return pd.DataFrame(rows, columns=["name", *_COLUMNS]).set_index("name")


def check_name(model: str) -> str:
    """`model` if it is a known name; otherwise ValueError with the names that would work."""
    names = list(_modules())
    if model not in names:
        near = difflib.get_close_matches(model, names, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(
            f"unknown model {model!r}.{hint} Choose from: {', '.join(names)}; or give the path of an .onnx file, or "
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
    if not isinstance(card, (str, ModelCard)):
        raise TypeError(f"card {card!r} of {what}: give a ModelCard, or the name of a preset: {', '.join(PRESETS)}.")
    return preset(card) if isinstance(card, str) else card


@functools.cache
def _modules() -> dict[str, ModuleType]:
    """Name of each model -> the module that provides it."""
    modules = [importlib.import_module(f".{module}", __package__) for module in _MODULES]
    return {name: module for module in modules for name in module.CARDS}
