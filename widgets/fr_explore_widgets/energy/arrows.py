"""The arrows of the playground in Python, the same numbers as in the browser (arrows.js)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..core.base import check_version

__all__ = ["COUNTS", "arrows", "check_settings", "neighborhood"]

COUNTS = {"ring": 24, "grid": 36, "random": 36}
CHOICES = {
    "layout": tuple(COUNTS),
    "pattern": ("parallel", "tangential", "radial", "opposed"),
    "rule": ("ball", "knn", "all", "all_weighted"),
}
RANGES = {
    "order": (0, 1),
    "radius": (0, 2),
    "k": (1, 20),
    "dim": (2, 128),
    "seed": (0, 2**30),
    "selected": (0, 35),
}
WHOLE = ("k", "dim", "seed", "selected")
DEFAULTS: dict[str, Any] = {
    "version": 1, "layout": "ring", "pattern": "tangential", "order": 0.8, "rule": "ball", "radius": 0.6, "k": 4,
    "include_self": False, "dim": 2, "seed": 0, "selected": 3,
}  # fmt: skip


def check_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """Complete settings, in a fixed order; ValueError names the setting, its value and the valid ones."""
    check_version(given, DEFAULTS["version"])
    unknown = sorted(set(given) - set(DEFAULTS))
    if unknown:
        raise ValueError(f"setting {unknown[0]!r} is unknown: choose from {', '.join(DEFAULTS)}.")
    settings = {**DEFAULTS, **given}
    for name, choices in CHOICES.items():
        if settings[name] not in choices:
            raise ValueError(f"{name} = {settings[name]!r}: choose from {', '.join(choices)}.")
    for name, (low, high) in RANGES.items():
        value, kind = settings[name], "a whole number" if name in WHOLE else "a number"
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not low <= value <= high or (name in WHOLE and value != int(value)):
            raise ValueError(f"{name} = {value!r}: give {kind} from {low} to {high}.")
        settings[name] = int(value) if name in WHOLE else float(value)
    settings["include_self"] = bool(settings["include_self"])
    # with `include_self`, k counts the point itself
    settings["k"] = max(settings["k"], 1 + settings["include_self"])
    settings["selected"] %= COUNTS[settings["layout"]]
    return settings


def neighborhood(settings: Mapping[str, Any]) -> str:
    """The neighbourhood as `fr.alignment_energy` takes it, such as "ball:0.6"."""
    if settings["rule"] == "all_weighted":
        return "all_pairs"
    names = {"ball": f"ball:{settings['radius']:g}", "knn": f"knn:{settings['k']}", "all": "all_pairs:0"}
    return names[settings["rule"]] + (":self" if settings["include_self"] else "")


def arrows(settings: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 2) and directions (n, dim): order * (ordered arrow) + (1 - order) * noise, scaled to unit length."""
    n, dim, order = COUNTS[settings["layout"]], settings["dim"], settings["order"]
    points = _place(settings["layout"], settings["seed"], n)
    drift = np.zeros((n, dim))
    drift[:, :2] = _ordered(settings["pattern"], points)
    # drawn one dimension at a time, so that another dimension does not change the others
    noise = _normal(2 * settings["seed"] + 2, n * dim).reshape(dim, n).T / np.sqrt(dim)
    v = order * drift + (1 - order) * noise
    length = np.linalg.norm(v, axis=1, keepdims=True)
    return points, np.divide(v, length, out=np.zeros_like(v), where=length > 1e-12)


def _place(layout: str, seed: int, n: int) -> np.ndarray:
    if layout == "ring":  # clockwise from the top
        angle = 2 * np.pi * np.arange(n) / n
        return 0.85 * np.column_stack([np.sin(angle), np.cos(angle)])
    if layout == "grid":
        side = round(n**0.5)
        at = 1.7 * np.arange(side) / (side - 1) - 0.85
        return np.column_stack([np.tile(at, side), -np.repeat(at, side)])
    return 1.8 * _uniform(2 * seed + 1, 2 * n).reshape(n, 2) - 0.9


def _ordered(pattern: str, points: np.ndarray) -> np.ndarray:
    if pattern == "parallel":
        return np.tile([1.0, 0.0], (len(points), 1))
    if pattern == "opposed":  # each opposes the nearest earlier point
        signs: list[float] = []
        for i, point in enumerate(points):
            d = ((points[:i] - point) ** 2).sum(1)
            signs.append(-signs[int(np.argmax(d <= d.min() + 1e-9))] if i else 1.0)
        return np.column_stack([signs, np.zeros(len(points))])
    unit = points / np.linalg.norm(points, axis=1, keepdims=True)
    return unit if pattern == "radial" else np.column_stack([unit[:, 1], -unit[:, 0]])


def _uniform(seed: int, n: int) -> np.ndarray:
    """Uniform numbers in [0, 1): a 32-bit Weyl sequence through two multiply-and-shift rounds (mulberry32)."""
    mask, at, out = 0xFFFFFFFF, seed & 0xFFFFFFFF, np.empty(n)
    for i in range(n):
        at = (at + 0x6D2B79F5) & mask
        t = ((at ^ (at >> 15)) * (at | 1)) & mask
        t = ((t + (((t ^ (t >> 7)) * (t | 61)) & mask)) & mask) ^ t
        out[i] = (t ^ (t >> 14)) / 2**32
    return out


def _normal(seed: int, n: int) -> np.ndarray:
    """Standard normal numbers, one for each pair of uniform ones (Box and Muller)."""
    u = _uniform(seed, 2 * n).reshape(n, 2)
    return np.sqrt(-2 * np.log(1 - u[:, 0])) * np.cos(2 * np.pi * u[:, 1])
