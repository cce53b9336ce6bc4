"""The vocabulary of attributes: what can be changed about a face, in which unit and over which range.

A strength is a number in the attribute's own unit. Strengths are passed as a mapping from attribute name to value;
an attribute that is missing from the mapping keeps its neutral value.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "ATTRIBUTES",
    "AVATAR_ATTRIBUTES",
    "IMAGE_ATTRIBUTES",
    "PAPER_ATTRIBUTES",
    "PHOTOGRAPH_ATTRIBUTES",
    "Attribute",
    "check_attributes",
    "check_strengths",
]


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a face or of its picture.

    Parameters
    ----------
    name, label, unit : identifier, displayed name, and unit of the strengths ("" for a plain ratio).
    low, high, neutral : range of the strength, and the value at which the attribute has no effect.
    step : default half-width of the finite difference; large enough to exceed rendering noise, small enough for the
        embedding's path to be nearly straight.
    group : what the attribute changes: the "face", the "light" on it, or the finished "image".
    color, shape : colour and mark in every chart and widget; the colour has a contrast of at least 3 : 1 on light and
        on dark backgrounds.
    help : one line for the slider's tooltip.
    """

    name: str
    label: str
    unit: str
    low: float
    high: float
    neutral: float
    step: float
    group: Literal["face", "light", "image"]
    color: str
    shape: str
    help: str

    @property
    def middle(self) -> tuple[float, float]:
        """The middle half of the range, where the identity is most likely to be preserved."""
        quarter = (self.high - self.low) / 4
        return self.low + quarter, self.high - quarter


_TABLE = (
    # the eight attributes of the paper
    Attribute("head_angle", "head angle", "°", -30, 30, 0, 2, "face", "#3b7dd8", "circle",
              "Turns the head to its left or right (yaw)."),
    Attribute("age", "age", "years", 18, 75, 35, 5, "face", "#c2571a", "square",
              "From young adult to old: shape and skin change, hair colour does not."),
    Attribute("hair_color", "hair colour", "", -1, 1, 0, 0.15, "face", "#9a6b34", "diamond",
              "Darker or lighter than this person's own hair and brows (0)."),
    Attribute("illumination", "illumination", "°", -70, 70, 0, 8, "light", "#a67c00", "triangle-up",
              "Moves the main lamp around the head, left to right."),
    Attribute("expression", "expression", "", 0, 1, 0, 0.1, "face", "#c43d7e", "cross",
              "From a neutral face to a smile."),
    Attribute("brightness", "brightness", "×", 0.5, 1.5, 1, 0.1, "image", "#2f8f4e", "triangle-down",
              "Multiplies all pixel values; values above white are clipped."),
    Attribute("contrast", "contrast", "×", 0.5, 1.5, 1, 0.1, "image", "#6f7b8a", "triangle-right",
              "Scales the pixel values around the mean grey of the picture."),
    Attribute("hue", "hue", "°", -45, 45, 0, 6, "image", "#8a5cd6", "triangle-left",
              "Rotates every colour around the grey axis."),
    # further attributes of avatars
    Attribute("head_pitch", "head pitch", "°", -20, 20, 0, 0.75, "face", "#1f8a9e", "circle",
              "Tilts the head up or down."),
    Attribute("mouth_open", "mouth opening", "", 0, 1, 0, 0.1, "face", "#d0524f", "cross",
              "Opens the jaw."),
    Attribute("skin_tone", "skin tone", "", -1, 1, 0, 0.15, "face", "#b0693f", "diamond",
              "Darker or lighter than this person's own skin (0)."),
    Attribute("glasses", "glasses", "", 0, 1, 0, 0.15, "face", "#5a73b8", "square",
              "Fades in a pair of dark-rimmed glasses (opacity)."),
    Attribute("facial_hair", "facial hair", "", -1, 1, 0, 0.15, "face", "#7a6a58", "triangle-down",
              "From shaven (-1) over this person's own (0) to a full growth of this person's shape (1)."),
    Attribute("makeup", "make-up", "", 0, 1, 0, 0.1, "face", "#d1477f", "triangle-right",
              "Adds eyeliner, lipstick and blush to this person's own."),
    Attribute("background", "background", "", -1, 1, 0, 0.15, "image", "#708090", "diamond",
              "Tone of the plain background: dark (-1), grey (0) or light (1)."),
    Attribute("light_strength", "light strength", "×", 0.4, 1.6, 1, 0.15, "light", "#b5830f", "triangle-up",
              "Strength of the main lamp relative to the fill light."),
    Attribute("saturation", "saturation", "×", 0, 2, 1, 0.15, "image", "#a14fb5", "triangle-left",
              "From grey to vivid colours."),
    Attribute("blur", "blur", "px", 0, 3, 0, 0.3, "image", "#5b8c7a", "circle",
              "Gaussian blur; its standard deviation refers to a picture 160 px wide."),
    Attribute("noise", "noise", "", 0, 0.15, 0, 0.015, "image", "#7d7f3a", "square",
              "Adds a fixed grain pattern of this standard deviation in the pixel values."),
)  # fmt: skip

# attributes of photographs only: a photograph can be moved, relit, covered or degraded, but not posed
_PHOTOGRAPH_TABLE = (
    Attribute("rotation", "picture rotation", "°", -30, 30, 0, 3, "image", "#2b86c5", "circle",
              "Rotates the picture in its plane, about the face; positive values turn clockwise."),
    Attribute("zoom", "zoom", "×", 0.8, 1.25, 1, 0.04, "image", "#7a68d8", "square",
              "Enlarges or reduces the picture about the face; the frame crops it."),
    Attribute("shift", "shift", "", -0.25, 0.25, 0, 0.03, "image", "#388f8a", "diamond",
              "Moves the face sideways by a share of the frame's width; the frame crops it."),
    Attribute("side_light", "side light", "", -1, 1, 0, 0.1, "light", "#b8741a", "triangle-up",
              "Lights the face from the left (below 0) or right of the picture and darkens the other side."),
    Attribute("sunglasses", "sunglasses", "", 0, 1, 0, 0.1, "face", "#7c7c8f", "square",
              "Fades in dark lenses drawn over the eyes (opacity)."),
    Attribute("mask", "face mask", "", 0, 1, 0, 0.1, "face", "#3f8fb0", "cross",
              "Fades in a mask drawn over nose, mouth and chin (opacity)."),
    Attribute("jpeg_quality", "JPEG quality", "", 5, 100, 100, 5, "image", "#b5566f", "triangle-down",
              "Compresses the picture; 100 leaves it unchanged."),
    Attribute("resolution", "resolution", "×", 0.1, 1, 1, 0.05, "image", "#5f8a3c", "triangle-right",
              "Reduces the picture to this share of its width, then enlarges it again."),
)  # fmt: skip

ATTRIBUTES: dict[str, Attribute] = {record.name: record for record in (*_TABLE, *_PHOTOGRAPH_TABLE)}
PAPER_ATTRIBUTES: tuple[str, ...] = tuple(ATTRIBUTES)[:8]
AVATAR_ATTRIBUTES: tuple[str, ...] = tuple(a.name for a in _TABLE)
# what can be done to any finished picture: not the background, which only a renderer knows
IMAGE_ATTRIBUTES: tuple[str, ...] = tuple(a.name for a in _TABLE if a.group == "image" and a.name != "background")
PHOTOGRAPH_ATTRIBUTES: tuple[str, ...] = (*IMAGE_ATTRIBUTES, *(a.name for a in _PHOTOGRAPH_TABLE))


def check_attributes(names: str | Iterable[str], allowed: Iterable[str] = ATTRIBUTES) -> tuple[str, ...]:
    """Return `names` as a tuple; raise ValueError for a name that is not in `allowed`, with the names that are."""
    names = (names,) if isinstance(names, str) else tuple(names)
    allowed = tuple(allowed)
    for name in names:
        if name not in allowed:
            near = difflib.get_close_matches(str(name), allowed, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"unknown attribute {name!r}.{hint} Choose from: {', '.join(allowed)}.")
    return names


def check_strengths(strengths: Mapping[str, float] | None, allowed: Iterable[str] = ATTRIBUTES) -> dict[str, float]:
    """Return the strength of every allowed attribute as a float; attributes not given get their neutral value.

    Raises
    ------
    ValueError : unknown attribute, or a value that is not a finite number in the attribute's range.
    """
    allowed = tuple(allowed)
    given = dict(strengths or {})
    check_attributes(given, allowed)
    values = {}
    for name in allowed:
        record = ATTRIBUTES[name]
        value = given.get(name, record.neutral)
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        # a small tolerance: rounding in neutral + 3 * step must not raise an error
        slack = 1e-9 * (record.high - record.low)
        if not record.low - slack <= number <= record.high + slack:  # also catches NaN
            unit = f" {record.unit}" if record.unit else ""
            raise ValueError(
                f"{name} = {value!r} is out of range: give a number from {record.low:g} to {record.high:g}{unit}."
            )
        values[name] = min(max(number, record.low), record.high)
    return values
