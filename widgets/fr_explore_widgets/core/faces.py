"""Small helpers for widgets that show faces or render some in the background."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from fr_explore.attributes import PAPER_ATTRIBUTES

__all__ = ["THUMB", "first_page", "main_attributes", "middle_strengths", "pick", "thumbnail", "to_bytes"]

THUMB = 48
MOST_MAIN = 8


def main_attributes(attributes: Mapping[str, Any]) -> list[str]:
    """The attributes of the paper that a source has; of a source with none of them, its first ones."""
    return [name for name in PAPER_ATTRIBUTES if name in attributes] or list(attributes)[:MOST_MAIN]


def pick(identities: Sequence[Hashable], most: int) -> list[Hashable]:
    """At most `most` identities, spread evenly over the sequence."""
    count = min(most, len(identities))
    return [identities[int(i)] for i in np.linspace(0, len(identities) - 1, count).round()]


def first_page(attributes: Mapping[str, Any]) -> list[str]:
    """The attributes whose sliders a widget shows first: the main ones, then others while there is room."""
    names = list(dict.fromkeys([*main_attributes(attributes), *attributes]))
    return names if len(names) <= MOST_MAIN + 2 else names[:MOST_MAIN]


def middle_strengths(attributes: Mapping[str, Any], rng: np.random.Generator) -> dict[str, float]:
    """Random strengths of the paper's attributes (of all, if a source has none) over the middle half of each range.

    The others stay neutral: half a mask or half a pair of glasses is not a natural variation of a person.
    """
    names = [name for name in attributes if name in PAPER_ATTRIBUTES] or list(attributes)
    return {name: float(rng.uniform(*attributes[name].middle)) for name in names}


def to_bytes(pixels: np.ndarray) -> np.ndarray:
    """uint8 (h, w, 3) of float pixels in [0, 1], for display only."""
    return (np.clip(pixels, 0, 1) * 255 + 0.5).astype(np.uint8)


def thumbnail(pixels: np.ndarray, side: int = THUMB) -> np.ndarray:
    """uint8 (side, side, 3): the mean over the source pixels within each small pixel."""
    return np.asarray(Image.fromarray(to_bytes(pixels)).resize((side, side), Image.Resampling.BOX))
