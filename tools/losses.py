"""The losses of the trained controlled models: additive angular margin (ArcFace), and triplets."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

__all__ = ["MarginLoss", "TripletLoss", "in_groups"]


class MarginLoss(nn.Module):
    """Cross-entropy over the angles to one learned centre per identity, with `margin` added to the own angle.

        loss = -log( exp(s cos(θ_y + m)) / (exp(s cos(θ_y + m)) + sum_{j != y} exp(s cos θ_j)) )

    θ_j is the angle between an embedding and centre j, y its identity, s the scale, m the margin. Source: J. Deng,
    J. Guo, N. Xue, S. Zafeiriou, "ArcFace", CVPR 2019.

    Parameters
    ----------
    identities : number of centres. dim : length of the embeddings.
    scale : s. margin : m in radians; a plain attribute, which a training may increase from 0.
    seed : of the initial centres.
    """

    def __init__(self, identities: int, dim: int, scale: float = 32.0, margin: float = 0.3, seed: int = 0) -> None:
        super().__init__()
        if identities < 2 or scale <= 0 or not 0 <= margin < math.pi / 2:
            raise ValueError(
                f"identities = {identities}, scale = {scale}, margin = {margin}: give at least 2 identities, a scale "
                "above 0 and a margin from 0 to less than pi / 2."
            )
        draw = torch.Generator().manual_seed(seed)
        self.centres = nn.Parameter(F.normalize(torch.randn(identities, dim, generator=draw)))
        self.scale, self.margin = scale, margin

    def forward(self, embeddings: torch.Tensor, identities: torch.Tensor) -> torch.Tensor:
        """Mean loss of embeddings (n, dim), of any norm, with their identities (n,), integers."""
        cosine = F.linear(F.normalize(embeddings), F.normalize(self.centres))
        own = cosine.gather(1, identities[:, None]).clamp(-1 + 1e-6, 1 - 1e-6)
        # beyond pi - margin the cosine would increase again: a straight line continues to fall there
        turned = torch.cos(torch.acos(own) + self.margin)
        beyond = own - math.sin(self.margin) * self.margin
        target = torch.where(own > -math.cos(self.margin), turned, beyond)
        return F.cross_entropy(self.scale * cosine.scatter(1, identities[:, None], target), identities)


class TripletLoss(nn.Module):
    """Mean over all triplets of a batch that violate the margin, of normalised embeddings.

        loss = mean of margin + |a - p| - |a - n| over anchors a, other pictures p of the same identity and pictures n
        of others, where it is positive

    Source: A. Hermans, L. Beyer, B. Leibe, "In Defense of the Triplet Loss for Person Re-Identification",
    arXiv 1703.07737 (their "batch all", which does not collapse from random weights as the hardest triplets may).

    Parameters
    ----------
    margin : in units of the embeddings' length; a plain attribute, which a training may increase from 0.
    """

    def __init__(self, margin: float = 0.3) -> None:
        super().__init__()
        self.margin = margin

    def forward(self, embeddings: torch.Tensor, identities: torch.Tensor) -> torch.Tensor:
        """Loss of embeddings (n, dim), of any norm, with their identities (n,); 0 if no triplet violates the margin."""
        unit = F.normalize(embeddings)
        apart = (2 - 2 * unit @ unit.T).clamp(min=1e-8).sqrt()
        same = identities[:, None] == identities
        genuine = same & ~torch.eye(len(unit), dtype=torch.bool, device=unit.device)
        losses = (self.margin + apart[:, :, None] - apart[:, None, :]).clamp(min=0)
        losses = losses * (genuine[:, :, None] & ~same[:, None, :])
        return losses.sum() / (losses > 0).sum().clamp(min=1)


def in_groups(identities: int, images: int, together: int, rng: np.random.Generator) -> np.ndarray:
    """A random order of all pictures in which `together` pictures of one identity follow each other."""
    pictures = rng.permuted(np.arange(identities * images).reshape(identities, images), axis=1)
    return rng.permutation(pictures.reshape(-1, together)).ravel()
