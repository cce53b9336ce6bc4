"""Models whose dependence on attributes is known: analytic ones in closed form, trained ones by their training data."""

from __future__ import annotations

__all__ = ["REGIMES"]

# regime -> what it does, in words; the same seeds, architecture and budget everywhere
REGIMES = {
    "all-varied": "all eight attributes vary within identities",
    "fixed-brightness": "brightness is neutral in every training picture, the other seven vary",
    "fixed-hue": "hue is neutral in every training picture, the other seven vary",
    "fixed-head_angle": "the head angle is neutral in every training picture, the other seven vary",
    "fixed-illumination": "illumination is neutral in every training picture, the other seven vary",
    "tied-hair_color": "hair colour has one random value per identity, the other seven vary",
    "tied-hue": "hue has one random value per identity, the other seven vary",
}
