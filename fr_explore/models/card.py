"""`ModelCard`: what must be known to use a face-recognition model rightly."""

from __future__ import annotations

from dataclasses import dataclass, fields
from html import escape
from typing import Any, Literal

import numpy as np

from ..base.distance import MODEL_METRICS, check_metric, same_person

__all__ = ["ModelCard"]


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What must be known to use a model rightly: preprocessing, metric, threshold, licence, weaknesses.

    Parameters
    ----------
    input_size : side of the square crop, in pixels.
    color_order : what the network was trained on; crops are always given as RGB and turned round if need be.
    mean, std : the network sees (255 * crop - mean) / std, per channel of its own colour order.
    template : (5, 2) where the five landmarks lie in the crop, in pixels (order as in `Face`, a pixel's centre at
        +0.5): the crop is turned, scaled and shifted to fit.
    box_margin : for a model trained on the boxes of a face detector, not turned upright: how many pixels of the
        crop lie outside of the face's box, left and right together. See `models.box`. With neither a template nor
        a box margin the whole picture is resized to the input size.
    dim : length of the embedding; normalized : whether it is divided by its Euclidean norm.
    metric : "euclidean" (|x - y|) or "cosine" (1 - cos), the distance that `threshold` refers to.
    threshold : the published largest distance at which two faces count as the same person, or None: calibrate
        one with `fr.verification`. `same_person(distance)` applies it.
    weights : where the weights come from; weights_sha256 : what they must hash to, when they are known.
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
        if self.template is not None and np.shape(self.template) != (5, 2):
            raise ValueError(
                f"template of model {self.name!r} has shape {np.shape(self.template)}: give (5, 2) pixels."
            )
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

    def same_person(self, distance: Any) -> Any:
        """Whether `distance`, one or an array of them, is at most `threshold`; missing where either is missing.

        See `base.distance.same_person`.
        """
        return same_person(distance, self.threshold)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{field.name.replace('_', ' ')}</th>"
            f"<td style='text-align:left'>{escape(_words(getattr(self, field.name)))}</td></tr>"
            for field in fields(self)
        )
        return f"<table><caption><b>{escape(self.title)}</b></caption>{rows}</table>"


def _words(value: object) -> str:
    return "; ".join(map(str, value)) if isinstance(value, tuple) else str(value)
