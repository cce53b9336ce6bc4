"""`ModelCard`: the facts needed to use a face-recognition model correctly."""

from __future__ import annotations

from dataclasses import dataclass, fields
from html import escape
from typing import Any, Literal

import numpy as np

from ..base.distance import MODEL_METRICS, check_metric, same_person

__all__ = ["ModelCard"]


@dataclass(frozen=True, slots=True)
class ModelCard:
    """The facts needed to use a model correctly: preprocessing, metric, threshold, licence, weaknesses.

    Parameters
    ----------
    input_size : side of the square crop, in pixels.
    color_order : the channel order that the network was trained on. Crops are always passed as RGB; `Model` reverses
        the channels if necessary.
    mean, std : the network sees (255 * crop - mean) / std, per channel in its own colour order. They count from 0 to
        255: for a network that was trained on pictures from 0 to 1, multiply both by 255.
    template : (5, 2) positions of the five landmarks in the crop, in pixels (order as in `Face`, pixel centres at
        +0.5). Pictures are rotated, scaled and shifted to match it.
    box_margin : for a model trained on the upright boxes of a face detector: how many pixels of the crop lie outside
        the face's box, left and right together; see `faces/detector_crop.py`. With neither a template nor a box margin,
        the whole picture is resized to the input size.
    dim : length of the embedding. normalized : whether the embedding is divided by its Euclidean norm.
    metric : "euclidean" (|x - y|) or "cosine" (1 - cos), the distance that `threshold` refers to.
    threshold : the largest distance at which two faces are judged the same person, as published, or None if none is;
        `fr.verification` calibrates one. `same_person(distance)` applies it.
    loss : what the network was trained to minimise.
    weights : where the weights come from. weights_sha256 : their SHA-256, if known.
    """

    name: str
    title: str
    input_size: int
    dim: int
    metric: Literal["euclidean", "cosine"]
    color_order: Literal["RGB", "BGR"] = "RGB"
    mean: tuple[float, float, float] = (127.5, 127.5, 127.5)
    std: tuple[float, float, float] = (127.5, 127.5, 127.5)
    template: tuple[tuple[float, float], ...] | None = None
    box_margin: float | None = None
    normalized: bool = False
    threshold: float | None = None
    threshold_source: str = "none published: calibrate on your own pairs"
    accuracy: str = "unknown"
    loss: str = "unknown"
    trained_on: str = "unknown"
    weights: str = "your own"
    weights_sha256: str | None = None
    licence: str = "unknown"
    citation: str = ""
    weaknesses: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_metric(self.metric, MODEL_METRICS, f"model {self.name!r}")
        if self.color_order not in ("RGB", "BGR"):
            raise ValueError(f"color_order {self.color_order!r} of model {self.name!r}: give 'RGB' or 'BGR'.")
        for name in ("input_size", "dim"):
            if not isinstance(value := getattr(self, name), (int, np.integer)) or value < 1:
                raise ValueError(f"{name} {value!r} of model {self.name!r}: give a whole number from 1 on.")
        if not isinstance(self.threshold, (int, float, np.number, type(None))):
            raise ValueError(f"threshold {self.threshold!r} of model {self.name!r}: give a distance, or None.")
        self._check_range()
        self._check_template()
        if self.box_margin is None:
            return
        if self.template is not None:
            raise ValueError(
                f"model {self.name!r} has both a template and a box_margin: give the one that it was trained with."
            )
        if not 0 <= self.box_margin < self.input_size:
            raise ValueError(
                f"box_margin {self.box_margin!r} of model {self.name!r}: give pixels of the crop, from 0 to less than "
                f"input_size = {self.input_size}."
            )

    def _check_range(self) -> None:
        """`mean` and `std` as three floats each, in units of 0 to 255."""
        for name in ("mean", "std"):
            values = getattr(self, name)
            if np.shape(values) != (3,) or not np.isfinite(np.asarray(values, float)).all():
                raise ValueError(f"{name} {values!r} of model {self.name!r}: give three numbers, one per channel.")
            object.__setattr__(self, name, tuple(map(float, values)))
        given = f"mean {self.mean} and std {self.std} of model {self.name!r}"
        if min(self.std) <= 0:
            raise ValueError(f"{given}: the network sees (255 * crop - mean) / std, so std must be positive.")
        small = {name for name in ("mean", "std") if 0 < max(getattr(self, name)) <= 1}
        if "mean" not in small and self.std == (1.0, 1.0, 1.0):
            return  # pixel values as they are, or with the mean taken off
        if small:
            factor = max(self.std) < 0.02  # the network multiplies by it
            units = {"mean": [255 * x for x in self.mean], "std": [1 / x if factor else 255 * x for x in self.std]}
            write = ", ".join(f"{name}={tuple(round(x, 4) for x in units[name])}" for name in sorted(small))
            what = "a factor, where we divide by std" if factor else "for pixels from 0 to 1, where ours go to 255"
            raise ValueError(f"{given} are {what}: write {write}.")
        if min(self.mean) < 0 or max(self.mean) > 255:
            raise ValueError(f"{given}: the mean of pixels from 0 to 255 is in that range too.")

    def _check_template(self) -> None:
        """`template` as pairs of floats, five distinct points in pixels of the crop."""
        if self.template is None:
            return
        if np.shape(self.template) != (5, 2):
            raise ValueError(f"template of model {self.name!r} has shape {np.shape(self.template)}: give (5, 2).")
        points = np.asarray(self.template, float)
        object.__setattr__(self, "template", tuple(map(tuple, points.tolist())))
        if not np.isfinite(points).all() or np.ptp(points, axis=0).min() == 0:
            raise ValueError(f"template of model {self.name!r} is {self.template}: give five distinct points.")
        if self.input_size > 1 and np.abs(points).max() <= 1:
            raise ValueError(
                f"template of model {self.name!r} is in shares of the crop ({self.template[0]}, ...): give pixels, "
                f"each number times input_size = {self.input_size}."
            )
        centre = points.mean(0)
        if centre.min() < 0 or centre.max() > self.input_size:
            raise ValueError(
                f"template of model {self.name!r} has its centre at {tuple(centre.round(1).tolist())}, outside "
                f"the crop of {self.input_size} pixels: scale it to this input_size."
            )

    def same_person(self, distance: Any) -> Any:
        """Whether each distance is at most `threshold`; missing where the distance or the threshold is missing.

        Takes and returns what `base.distance.same_person` does.
        """
        return same_person(distance, self.threshold)

    def _repr_html_(self) -> str:
        rows = ""
        for field in fields(self):
            value = getattr(self, field.name)
            text = "; ".join(map(str, value)) if isinstance(value, tuple) else str(value)
            rows += (
                f"<tr><th style='text-align:left'>{field.name.replace('_', ' ')}</th>"
                f"<td style='text-align:left'>{escape(text)}</td></tr>"
            )
        return f"<table><caption><b>{escape(self.title)}</b></caption>{rows}</table>"
