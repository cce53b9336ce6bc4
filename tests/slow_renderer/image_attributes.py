"""Image attributes of any picture: blur, hue, saturation, contrast, brightness and noise.

`apply_image_attributes` applies them in this order and clips once, to [0, 1], at the end.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.ndimage import gaussian_filter

from fr_explore.attributes import IMAGE_ATTRIBUTES, check_strengths

__all__ = ["LUMA", "apply_image_attributes", "color_matrix", "grain"]

LUMA = np.array([0.2126, 0.7152, 0.0722])  # ITU-R BT.709


def color_matrix(hue: float = 0.0, saturation: float = 1.0) -> np.ndarray:
    """Matrix (3, 3) that rotates colours by `hue` degrees about the grey axis, then scales their distance from grey.

    The rotation is Rodrigues' formula about (1, 1, 1) / sqrt(3): it leaves greys unchanged, and rotations add up.
    For the saturation, the grey of a colour is its BT.709 luma.
    """
    angle = np.radians(hue)
    cross = np.array([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3)
    turn = np.cos(angle) * np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) / 3
    grey = np.outer(np.ones(3), LUMA)
    return (grey + saturation * (np.eye(3) - grey)) @ turn


def grain(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """A fixed grain pattern: standard normal values of the given shape."""
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def apply_image_attributes(
    pixels: np.ndarray, strengths: Mapping[str, float] | None = None, seed: int = 0
) -> np.ndarray:
    """Apply image attributes to a picture.

    Parameters
    ----------
    pixels : float (height, width, 3), RGB in [0, 1].
    strengths : of image attributes only; attributes not given keep their neutral value.
    seed : of the grain; the pattern is the same at every strength of the noise.

    Returns
    -------
    float32 (height, width, 3) in [0, 1].

    Raises
    ------
    ValueError : another shape, or a strength that `check_strengths` rejects.
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
