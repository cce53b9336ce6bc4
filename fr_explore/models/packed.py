"""A model for a page: the part of its card that a page needs, and its network packed for the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..engine.network import Precision
from .base import Model

__all__ = ["CARD_FIELDS", "PackedModel", "packed"]

# how to crop, normalise and compare; the page's host reads these names (engine/types.d.ts)
CARD_FIELDS = ("name", "title", "input_size", "dim", "metric", "color_order", "mean", "std", "template", "normalized")
CARD_FIELDS += ("threshold",)


@dataclass(frozen=True)
class PackedModel:
    """The card's fields of `CARD_FIELDS`, and the bytes of the network."""

    card: dict[str, Any]
    network: bytes


def packed(model: Model, precision: Precision = "float16") -> PackedModel:
    """Pack a model for a page, with its weights in the given precision.

    "float16" nearly halves the weights, and moves distances by about 0.01 %; "int8" nearly quarters them, and moves
    distances by about 0.5 %.

    Raises
    ------
    ValueError : the network has no description for the engine, or faces are not aligned by a template.
    """
    card, describe = model.card, getattr(model.module, "describe", None)
    if describe is None:
        raise ValueError(
            f"{card.name!r} cannot run in a page: its network has no `describe()`, which returns it as a "
            "fr_explore.engine.network.Network. dlib, SFace and the trained controlled models have one."
        )
    if card.template is None:
        raise ValueError(f"{card.name!r} cannot run in a page: pages align faces by a template, and its card has none.")
    return PackedModel({name: getattr(card, name) for name in CARD_FIELDS}, describe().pack(precision))
