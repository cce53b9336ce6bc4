"""A small network and a small face source, for tests that need any model and any faces."""

from __future__ import annotations

import numpy as np

import fr_explore as fr
from fr_explore.attributes import ATTRIBUTES


class Squares:
    """Faces of 8 x 8 coloured squares: quick to render, different for each identity and strength."""

    def __init__(self, names=("a", "b", "c")) -> None:
        self.identities, self.fingerprint = tuple(names), f"squares {names!r}"
        self.attributes = {name: ATTRIBUTES[name] for name in ("age", "hue")}

    def render(self, identity, strengths=None, size=160):
        values = {name: a.neutral for name, a in self.attributes.items()} | dict(strengths or {})
        rng = np.random.default_rng(self.identities.index(identity))
        basis = rng.random((3, 8, 8, 3)).astype(np.float32)
        age, hue = (np.float32(values[n] / a.high) for n, a in self.attributes.items())
        small = 0.4 * basis[0] + 0.3 * abs(age) * basis[1] + 0.3 * abs(hue) * basis[2]
        return fr.Face(np.repeat(np.repeat(small, size // 8, 0), size // 8, 1))

    def render_batch(self, identities, strengths, size=160):
        return [self.render(i, s, size) for i, s in zip(identities, strengths, strict=True)]

    def __repr__(self) -> str:
        return f"Squares({self.identities!r})"


def toy_model(name: str = "toy", seed: int = 0, **card):
    """A network of two layers with fixed random weights: 8 x 8 pictures to eight numbers."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(192, 32), torch.nn.Tanh(), torch.nn.Linear(32, 8))
    with torch.no_grad():
        for weights in net.parameters():
            weights.copy_(torch.randn(weights.shape, generator=generator) / 8)
    facts = {"title": f"Toy {name}", "input_size": 8, "dim": 8, "metric": "euclidean", **card}
    return fr.load_model(net, card=fr.ModelCard(name=name, **facts), device="cpu")
