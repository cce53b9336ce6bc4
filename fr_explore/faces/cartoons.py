"""`Cartoons`: faces of flat regions whose colours are linear in eleven coordinates.

Six coordinates are the identity; five are the paper's attributes of the face and its light. Each coordinate changes
the colour of its own regions, so it can be recovered exactly from the pixels. Models in closed form
(`controlled/...`) use this: the whole way from strengths over pictures to embeddings is known.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping, Sequence
from functools import lru_cache

import numpy as np

from ..attributes import ATTRIBUTES, Attribute, check_strengths
from .base import Face, NumberedIdentities, check_size, paired

__all__ = ["ATTRIBUTE_NAMES", "IDENTITY_SIZE", "Cartoons", "coverage", "palette", "reading", "standardised"]

ATTRIBUTE_NAMES = ("head_angle", "age", "hair_color", "illumination", "expression")
IDENTITY_SIZE = 6
_FINE = 4  # samples along the side of a pixel, for smooth edges
# region -> its colour when all coordinates are 0; later regions cover earlier ones
_COLORS = {
    "background": (0.88, 0.90, 0.92), "shirt": (0.50, 0.50, 0.50), "hair": (0.45, 0.34, 0.25),
    "skin": (0.72, 0.56, 0.46), "left cheek": (0.72, 0.56, 0.46), "right cheek": (0.72, 0.56, 0.46),
    "lines": (0.58, 0.43, 0.35), "brows": (0.35, 0.28, 0.24), "eyes, left": (0.55, 0.55, 0.58),
    "eyes, right": (0.55, 0.55, 0.58), "nose": (0.64, 0.48, 0.39), "mouth": (0.60, 0.25, 0.24),
    "smile": (0.67, 0.39, 0.33),
}  # fmt: skip
_REGIONS = tuple(_COLORS)
_TONE = (0.16, 0.16, 0.16)
# for each coordinate: region -> colour that one unit adds
_MOVES: tuple[dict[str, tuple[float, float, float]], ...] = (
    dict.fromkeys(("skin", "left cheek", "right cheek", "lines", "nose", "smile"), _TONE),
    {"nose": (0.08, 0.08, 0.08)},
    {"brows": (0.20, 0.15, 0.12)},
    {"shirt": (0.35, 0.0, 0.0)},
    {"shirt": (0.0, 0.35, 0.0)},
    {"shirt": (0.0, 0.0, 0.35)},
    {"eyes, left": (0.4, 0.4, 0.4), "eyes, right": (-0.4, -0.4, -0.4)},
    {"lines": (-0.13, -0.12, -0.10)},
    {"hair": (0.40, 0.30, 0.20)},
    {"left cheek": (-0.10, -0.10, -0.10), "right cheek": (0.10, 0.10, 0.10)},
    {"smile": (-0.05, -0.17, -0.13)},
)
_LANDMARKS = np.array([(0.36, 0.44), (0.64, 0.44), (0.50, 0.57), (0.38, 0.73), (0.62, 0.73)], np.float32)


def palette() -> tuple[np.ndarray, np.ndarray]:
    """Colours of the regions at the origin (regions, 3), and what coordinates add to them (coordinates, regions, 3)."""
    moves = np.array([[move.get(region, (0.0, 0.0, 0.0)) for region in _REGIONS] for move in _MOVES])
    return np.array(list(_COLORS.values())), moves


def reading() -> np.ndarray:
    """Matrix (regions * 3, coordinates) that recovers the coordinates from the regions' colours minus `palette()[0]`.

    Each coordinate is read only from its own regions (the skin's tone only from the region "skin"), so that the other
    coordinates contribute no rounding error.
    """
    moves = palette()[1].reshape(len(_MOVES), -1)
    own = moves.copy()
    own[0] *= np.repeat([region == "skin" for region in _REGIONS], 3)
    weights = np.linalg.solve(own @ moves.T, own)
    weights[np.abs(weights) < 1e-12] = 0
    return weights.T


@lru_cache(maxsize=8)
def coverage(size: int) -> np.ndarray:
    """Share of each pixel that each region covers: (size, size, regions), with sum 1 over the regions."""
    place = (np.arange(size * _FINE) + 0.5) / (size * _FINE)
    x, y = np.meshgrid(place, place)
    side = np.abs(x - 0.5)

    def disc(cx: float, cy: float, rx: float, ry: float) -> np.ndarray:
        return ((side - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 <= 1

    skin = disc(0, 0.50, 0.30, 0.37)
    eyes = disc(0.14, 0.44, 0.075, 0.05)
    bend = 0.06 * (side / 0.14) ** 2  # a smile lifts the corners of the mouth
    inside = {
        "shirt": disc(0, 1.08, 0.46, 0.22),
        "hair": disc(0, 0.42, 0.38, 0.38) & (y < 0.66),
        "skin": skin & (y > 0.20),
        "left cheek": skin & disc(0.21, 0.60, 0.085, 0.10) & (x < 0.5),
        "right cheek": skin & disc(0.21, 0.60, 0.085, 0.10) & (x > 0.5),
        "lines": (side < 0.16) & ((np.abs(y - 0.245) < 0.018) | (np.abs(y - 0.30) < 0.018)),
        "brows": (np.abs(side - 0.14) < 0.085) & (np.abs(y - 0.365) < 0.022),
        "eyes, left": eyes & ((x < 0.36) | ((x > 0.5) & (x < 0.64))),
        "eyes, right": eyes & (((x > 0.36) & (x < 0.5)) | (x > 0.64)),
        "nose": (side < 0.02 + 0.12 * (y - 0.46)) & (y > 0.47) & (y < 0.62),
        "mouth": (side < 0.08) & (np.abs(y - 0.745) < 0.022),
        "smile": (side >= 0.08) & (side < 0.16) & (np.abs(y - 0.745 + bend) < 0.026),
    }
    label = np.zeros(x.shape, int)
    for number, region in enumerate(_REGIONS[1:], 1):
        label[inside[region]] = number
    shares = [(label == number).reshape(size, _FINE, size, _FINE).mean((1, 3)) for number in range(len(_REGIONS))]
    return np.stack(shares, -1)


def standardised(strengths: Mapping[str, float] | None) -> np.ndarray:
    """The five attributes as coordinates: -1 to 1 over each attribute's range."""
    values = check_strengths(strengths, ATTRIBUTE_NAMES)
    ends = [(ATTRIBUTES[name].low, ATTRIBUTES[name].high) for name in ATTRIBUTE_NAMES]
    return np.array([(2 * values[n] - low - high) / (high - low) for n, (low, high) in zip(values, ends, strict=True)])


class Cartoons(NumberedIdentities):
    """Faces of flat regions, for models in closed form.

    Parameters
    ----------
    identities : number of identities; each is a point on the unit sphere in six dimensions.
    seed : seed of the identities.

    Examples
    --------
    >>> fr.load_model("controlled/drift").embed(fr.Cartoons(identities=2).render(0, {"age": 60})).shape
    (1, 11)
    """

    def __init__(self, identities: int = 12, seed: int = 0) -> None:
        super().__init__(identities, seed)
        draws = np.stack([np.random.default_rng([seed, i]).standard_normal(IDENTITY_SIZE) for i in self.identities])
        self.codes = draws / np.linalg.norm(draws, axis=1, keepdims=True)

    @property
    def attributes(self) -> Mapping[str, Attribute]:
        """The paper's five attributes of the face and its light, by name."""
        return {name: ATTRIBUTES[name] for name in ATTRIBUTE_NAMES}

    @property
    def fingerprint(self) -> str:
        """Changes whenever the same request would give other pixels."""
        parts = (self.codes.tobytes(), *(part.tobytes() for part in palette()), coverage(32).tobytes())
        return hashlib.sha256(b"cartoons 1" + b"".join(parts)).hexdigest()[:16]

    def render(self, identity: Hashable, strengths: Mapping[str, float] | None = None, size: int = 160) -> Face:
        """Render one face; arguments as in `Avatars.render`. Models in closed form are most exact at size 160."""
        code, side = self.codes[self._number(identity)], check_size(size)
        colors, moves = palette()
        coordinates = np.concatenate([code, standardised(strengths)])
        pixels = coverage(side) @ (colors + np.tensordot(coordinates, moves, 1))
        return Face(pixels.astype(np.float32), _LANDMARKS * side)

    def render_batch(
        self, identities: Sequence[Hashable], strengths: Sequence[Mapping[str, float]], size: int = 160
    ) -> list[Face]:
        """Render many faces; the pixels equal those of `render`."""
        return [self.render(identity, values, size) for identity, values in paired(identities, strengths)]
