"""Models in closed form, for which the result of `fr.alignment` is known.

They read coordinates from a picture of `fr.Cartoons`: a code z of six numbers and length 1 for the identity, and t_k
in [-1, 1] for each of the five attributes, scaled to its range. h_k is the step in these units: step / half the range.
Each embedding f begins with z (scaled in `clusters`), and v is f(one step up) - f(one step down). A lattice draws t_k
uniformly from -(1 - h_k) to 1 - h_k.

    drift        f = (z, a t), a = 0.2, 0.4, ..., 1                    |v| = 2 h a           E = 0
    ignored      the same without age                                  age: |v| = 0, no direction
    drift-noise  f = (z, sum_k t_k (s_k u_k + n_k)), u_k and n_k unit vectors, n_k a pseudo-random function of head
                 angle and illumination; s = 1/2, 1, 2 for age, hair colour, expression
                                                                       E = 1 / (1 + s^2)
                 head angle and illumination change n alone            E = 1
    rotation     f = (z, cos a_k t_k, sin a_k t_k), a = pi / 1, 2, 4, 8, 16
                                                                       |v| = 2 sin(h a)
                                                                       E = 1 - (sin a' / a')^2, a' = (1 - h) a
    curved       f = (z, t_k, c_k t_k^2 / 2), c = 0.5, 1, 2, 4, 8      |v| = 2 h sqrt(1 + (c t)^2)
                                                                       E = 1 - (arsinh c' / c')^2, c' = (1 - h) c
    clusters     f = (z, r t) / sqrt(1 + r^2 |t|^2), r = 0.1           cos of two faces = (z·z' + r^2 t·t') / norms

a and c are in the order head angle, age, hair colour, illumination, expression. E is the expected energy if all other
curves are neighbours, as in a `fr.ball` of large radius. At a smaller scale, rotation and curved have less energy: it
grows with the scale.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.ndimage import minimum_filter
from torch import nn

from ...base.shapes import Float, Float64
from ...faces.cartoons import ATTRIBUTE_NAMES, IDENTITY_SIZE, coverage, palette, reading

__all__ = ["AMPLITUDES", "ANGLES", "CLUSTER", "DRIFTS", "SLOPES", "AnalyticModel"]

AMPLITUDES = (0.2, 0.4, 0.6, 0.8, 1.0)
ANGLES = tuple(math.pi / 2**k for k in range(5))
SLOPES = (0.5, 1.0, 2.0, 4.0, 8.0)
DRIFTS = {"age": 0.5, "hair_color": 1.0, "expression": 2.0}
CLUSTER = 0.1
_NOISE = 256  # dimensions of the noise
_TURNS = 300.0  # how fast the noise changes with head angle and illumination: different faces have unrelated noise
_EDGE = 3  # pixels this close to another region are not read, because resizing a picture mixes them


class AnalyticModel(nn.Module):
    """(n, 3, 160, 160) in [0, 1] -> (n, dim): the coordinates of a cartoon, mapped by one of the formulas above."""

    regions: torch.Tensor
    colors: torch.Tensor
    inverse: torch.Tensor
    drifts: torch.Tensor
    turns: torch.Tensor
    phases: torch.Tensor

    def __init__(self, formula: str) -> None:
        super().__init__()
        self.formula = formula
        pure = minimum_filter(coverage(160) >= 1, (_EDGE, _EDGE, 1)).astype(np.float64)
        self.register_buffer("regions", torch.from_numpy(pure / pure.sum((0, 1))))
        self.register_buffer("colors", torch.from_numpy(palette()[0].ravel()))
        self.register_buffer("inverse", torch.from_numpy(reading()))
        rng = np.random.default_rng(0)
        drifts, _ = np.linalg.qr(rng.standard_normal((_NOISE, len(DRIFTS))))
        self.register_buffer("drifts", torch.from_numpy(drifts.T.copy()))
        self.register_buffer("turns", torch.from_numpy(rng.normal(0, _TURNS, (len(DRIFTS), _NOISE, 2))))
        self.register_buffer("phases", torch.from_numpy(rng.uniform(0, 2 * math.pi, (len(DRIFTS), _NOISE))))

    def coordinates(self, pictures: Float[torch.Tensor, "n 3 160 160"]) -> Float64[torch.Tensor, "n 11"]:
        """(n, 11) float64: identity code and attributes, read from pictures (n, 3, 160, 160).

        Computed in double precision: an attribute that the formula ignores leaves no trace in the float32 result.
        """
        means = torch.einsum("nchw,hwr->nrc", pictures.double(), self.regions).flatten(1)
        return (means - self.colors) @ self.inverse

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        formulas = {
            "drift": self._drift,
            "ignored": self._ignored,
            "drift-noise": self._drift_noise,
            "rotation": self._rotation,
            "curved": self._curved,
            "clusters": self._clusters,
        }
        z, t = self.coordinates(pictures).split([IDENTITY_SIZE, len(ATTRIBUTE_NAMES)], 1)
        return torch.cat([z, formulas[self.formula](t)], 1).float()

    def _drift(self, t: torch.Tensor) -> torch.Tensor:
        return t * t.new_tensor(AMPLITUDES)

    def _ignored(self, t: torch.Tensor) -> torch.Tensor:
        kept = [i for i, name in enumerate(ATTRIBUTE_NAMES) if name != "age"]
        return self._drift(t)[:, kept]

    def _drift_noise(self, t: torch.Tensor) -> torch.Tensor:
        place = t[:, [ATTRIBUTE_NAMES.index(name) for name in ("head_angle", "illumination")]]
        moved = t[:, [ATTRIBUTE_NAMES.index(name) for name in DRIFTS]]
        noise = torch.cos(torch.einsum("kdp,np->nkd", self.turns, place) + self.phases)
        noise = nn.functional.normalize(noise, dim=2)
        common = self.drifts * t.new_tensor(list(DRIFTS.values()))[:, None]
        return torch.einsum("nk,nkd->nd", moved, common + noise)

    def _rotation(self, t: torch.Tensor) -> torch.Tensor:
        angle = t * t.new_tensor(ANGLES)
        return torch.cat([torch.cos(angle), torch.sin(angle)], 1)

    def _curved(self, t: torch.Tensor) -> torch.Tensor:
        return torch.cat([t, t**2 * t.new_tensor(SLOPES) / 2], 1)

    def _clusters(self, t: torch.Tensor) -> torch.Tensor:
        return CLUSTER * t  # not of unit length: the card asks for normalisation
