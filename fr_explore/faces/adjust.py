"""Image attributes: brightness, contrast, hue, saturation, blur and noise of any picture.

`adjust` is the engine. Order: blur, hue and saturation, contrast, brightness, noise, and one clip to [0, 1] at the end.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.ndimage import gaussian_filter

from ..attributes import IMAGE_ATTRIBUTES, check_strengths

__all__ = ["adjust", "color_matrix", "grain"]

LUMA = np.array([0.2126, 0.7152, 0.0722])  # ITU-R BT.709


def color_matrix(hue: float = 0.0, saturation: float = 1.0) -> np.ndarray:
    """Matrix (3, 3) that turns colours about the grey axis by `hue` degrees, then scales their distance from grey.

    The turn is Rodrigues' formula about (1, 1, 1) / sqrt(3), so greys stay what they are and turns add up; grey of a
    colour, for the saturation, is its BT.709 luma.
    """
    angle = np.radians(hue)
    cross = np.array([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3)
    turn = np.cos(angle) * np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) / 3
    grey = np.outer(np.ones(3), LUMA)
    return (grey + saturation * (np.eye(3) - grey)) @ turn


def grain(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """One fixed grain pattern: standard normal values of the given shape."""
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def adjust(pixels: np.ndarray, strengths: Mapping[str, float] | None = None, seed: int = 0) -> np.ndarray:
    """`pixels` with the image attributes applied.

    Parameters
    ----------
    pixels : float (h, w, 3), RGB in [0, 1].
    strengths : of image attributes only; neutral where not given.
    seed : of the grain, the same pattern at every strength of the noise.

    Returns float32 (h, w, 3) in [0, 1]. ValueError for another shape or a strength that `check_strengths` refuses.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ValueError(f"pixels have shape {pixels.shape}: give one RGB picture (height, width, 3).")
    values = check_strengths(strengths, IMAGE_ATTRIBUTES)
    out = np.asarray(pixels, dtype=np.float32)
    if values["blur"] > 0:
        sigma = values["blur"] * out.shape[1] / 160
        out = gaussian_filter(out, (sigma, sigma, 0), mode="nearest")
    if values["hue"] != 0 or values["saturation"] != 1:
        out = out @ color_matrix(values["hue"], values["saturation"]).T.astype(np.float32)
    if values["contrast"] != 1:
        mean = np.float32((out @ LUMA.astype(np.float32)).mean())
        out = mean + np.float32(values["contrast"]) * (out - mean)
    if values["brightness"] != 1:
        out = out * np.float32(values["brightness"])
    if values["noise"] > 0:
        out = out + np.float32(values["noise"]) * grain(out.shape, seed)
    return np.clip(out, 0, 1)
