"""The models with known dependence on attributes: their cards, and how to load them.

The analytic models (`controlled/drift`, ...) read the coordinates of `fr.Cartoons` from the pixels and map them by a
formula; see `analytic`. The trained models (`controlled/all-varied`, ...) are one small network trained under several
regimes; see `trained`. `tools/train_controlled.py` writes their weights, each with the facts of its card, to
`assets/controlled`.
"""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..card import ModelCard
from ..weights import verified

if TYPE_CHECKING:
    import torch

__all__ = ["CARDS", "DIM", "FOLDER", "FORMULAS", "REGIMES", "SIZE", "TEMPLATE", "fetch", "load", "needs"]

# of the trained networks: side of the crop, length of the embedding, and positions of the landmarks in the crop, which
# is wider than usual to show the hair
SIZE, DIM = 64, 128
TEMPLATE = ((22.5, 29.0), (41.5, 29.0), (32.0, 39.75), (23.5, 49.25), (40.5, 49.25))

# regime -> its description; seeds, architecture and budget are the same in all of them
REGIMES = {
    "all-varied": "all eight attributes vary within identities",
    "fixed-brightness": "brightness is neutral in every training picture, the other seven vary",
    "fixed-hue": "hue is neutral in every training picture, the other seven vary",
    "fixed-head_angle": "the head angle is neutral in every training picture, the other seven vary",
    "fixed-illumination": "illumination is neutral in every training picture, the other seven vary",
    "tied-hair_color": "hair colour has one random value per identity, the other seven vary",
    "tied-hue": "hue has one random value per identity, the other seven vary",
    "degraded": "all eight attributes vary within identities, and every picture has blur, noise and JPEG artefacts",
    "triplet": "all eight attributes vary within identities; the loss compares triplets",
}
# name -> its description, dim, metric, known result
FORMULAS: dict[str, tuple[str, int, Literal["euclidean", "cosine"], str]] = {
    "drift": ("every attribute moves all faces the same way", 11, "euclidean", "E = 0"),
    "drift-noise": (
        "age, hair colour and expression: a common drift s times as long as noise; the other two: noise alone",
        262, "euclidean", "E = 1 / (1 + s^2): age .8 (s = 1/2), hair colour .5 (s = 1), expression .2 (s = 2); else 1",
    ),
    "rotation": ("every attribute turns the embedding on a circle of its own", 16, "euclidean",
                 "E = 1 - (sin a / a)^2 over all pairs, from -a to a the angles turned"),
    "ignored": ("age is ignored, the others drift", 10, "euclidean", "age: |v| = 0, no direction; the others E = 0"),
    "curved": ("every attribute moves the embedding on a parabola of its own", 16, "euclidean",
               "E = 1 - (arsinh(c) / c)^2 over all pairs, c the slope at the end"),
    "clusters": ("identities as tight clusters on a sphere", 11, "cosine",
                 "cosines within and between identities; see AnalyticModel"),
}  # fmt: skip
FOLDER = Path(str(resources.files("fr_explore"))) / "assets" / "controlled"
_LICENCE = "MIT, as fr-explore"


def _analytic_card(formula: str) -> ModelCard:
    says, dim, metric, known = FORMULAS[formula]
    return ModelCard(
        name=f"controlled/{formula}", title=f"In closed form: {formula}", input_size=160, dim=dim, metric=metric,
        mean=(0.0, 0.0, 0.0), std=(255.0, 255.0, 255.0), normalized=metric == "cosine",
        accuracy=f"known: {known}", loss="none",
        trained_on=f"nothing, a formula: {says}", weights="none", licence=_LICENCE,
        weaknesses=("reads fr.Cartoons only: of any other picture it makes meaningless numbers",),
    )  # fmt: skip


def _trained_card(regime: str) -> ModelCard:
    facts = json.loads((FOLDER / f"{regime}.json").read_text())
    train, tested = facts["recipe"]["train"], facts["recipe"]["held_out"]
    found = [
        f"on pictures '{row['pictures']}': AUC {row['auc']:.3f}, TAR at FAR 1 % {row['tar_at_far_1_percent']:.3f} "
        f"[{row['tar_low']:.3f}, {row['tar_high']:.3f}]"
        for row in facts["verification"]
    ]
    return ModelCard(
        name=f"controlled/{regime}", title=f"Small network trained on avatars: {regime}", input_size=SIZE,
        dim=DIM, metric="cosine", template=TEMPLATE, normalized=True,
        threshold=round(facts["verification"][-1]["threshold"], 3),
        threshold_source=f"FAR 1 % on {tested['identities']} held-out avatars whose eight attributes all vary",
        accuracy=f"{tested['identities']} held-out avatars, {'; '.join(found)}",
        loss=facts["loss"],
        trained_on=f"{facts['says']}; {train['images']} pictures each of {train['identities']} avatars (seed "
        f"{train['seed']}), training seed {facts['recipe']['seed']}",
        weights=f"in the package, fp16; re-made by tools/train_controlled.py {regime}",
        weights_sha256=facts["sha256"], licence=_LICENCE,
        citation="margin loss: J. Deng, J. Guo, N. Xue, S. Zafeiriou, ArcFace, CVPR 2019",
        weaknesses=(
            "trained on generated faces only: no use on people",
            "trained on pictures of 80 px: those of 160 px verify as well, but the threshold accepts about twice as "
            "many impostors there",
        ),
    )  # fmt: skip


CARDS = {f"controlled/{name}": _analytic_card(name) for name in FORMULAS}
CARDS |= {f"controlled/{name}": _trained_card(name) for name in REGIMES if (FOLDER / f"{name}.json").is_file()}


def needs(name: str) -> str | None:
    """What must be done before the weights can be used: nothing, they are in this package."""
    return None


def fetch(name: str, progress: bool = True) -> Path:
    """The verified file of weights, or for an analytic model the file of its formula. Nothing is downloaded."""
    regime = name.removeprefix("controlled/")
    if regime in FORMULAS:
        return Path(__file__).with_name("analytic.py")
    remedy = f"reinstall fr-explore, or make the file again with `python tools/train_controlled.py {regime}`"
    return verified(FOLDER / f"{regime}.safetensors", CARDS[name].weights_sha256, remedy)


def load(name: str, path: Path | None = None) -> torch.nn.Module:
    """The formula, or the trained network in float32, from its own file or from another file of the same layout."""
    regime = name.removeprefix("controlled/")
    if regime in FORMULAS:
        from .analytic import AnalyticModel

        return AnalyticModel(regime)
    from safetensors.torch import load_file

    from .trained import ControlledNet

    network = ControlledNet(CARDS[name].dim)
    weights = {key: tensor.float() for key, tensor in load_file(path or fetch(name)).items()}
    network.load_state_dict(network.state_dict() | weights)
    return network
