"""Targeted fine-tuning: teach a model that one attribute does not matter, and change as little else as possible.

The training data
-----------------
Each attribute is augmented alone. A base picture is at a random point of attribute space; its copies differ from it in
the augmented attribute only. A batch holds one base picture and some copies of it for each of several people, so a
picture is pulled towards its own copies and pushed away from other people. Two base pictures of one person are never
compared: nothing teaches invariance to any other attribute, and invariance to the augmented one is taught everywhere in
attribute space, not only on neutral faces.

    loss = triplet + preserve * preservation
    triplet       mean of max(0, margin + d(x, farthest copy) - d(x, nearest other person)), all distances over D
    preservation  mean of |f(x) - f0(b)|² / D² over base pictures b and their copies x, including b
    f, f0         the model being trained, and the given model
    D             mean distance between base pictures of different people under f0

Preservation says where a person belongs: at the given model's embedding of the picture without augmentation. It keeps
base pictures there and brings the copies there. The triplets keep any two people apart on the way; they are 0 for
people whose distance exceeds that of a person's own copies by half a mean distance.

Batch-hard triplets: A. Hermans, L. Beyer, B. Leibe, "In Defense of the Triplet Loss for Person Re-Identification",
arXiv 1703.07737. With preserve = 10, the pull of a triplet is balanced once a picture has moved by D/20.

The weights
-----------
- All weights that require a gradient are trained; freeze the others with `requires_grad_(False)`.
- The network stays in evaluation mode. Batch normalisation keeps its running statistics, which small batches of
  augmented pictures would spoil, and trains its scale and shift; dropout is off. dlib's network has no batch
  normalisation left: its affine maps are folded into the convolutions.
- Because of that folding, the sizes of the weights differ by a factor of 70 from layer to layer. Adam moves every
  weight by about its learning rate, so each tensor gets its own: `learning_rate` times its root mean square.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ..base.paths import as_path
from ..faces.base import FaceSource
from ..models.base import Model
from ..models.card import ModelCard
from ..models.engine import EngineModel
from .augment import Augment, Augmented, augmented_ranges
from .loop import CHECK_COPIES, Run, train

if TYPE_CHECKING:
    import torch

__all__ = ["FineTuned", "finetune"]

COPIES = 6  # renderings of each base picture with other strengths, for an attribute that needs rendering
FORMAT = 1  # of checkpoints


class FineTuned(Model):
    """A fine-tuned model, with a card that says what was done.

    Parameters
    ----------
    history : one row per check, the first for the given model: step; loss, triplet and preservation (means since the
        previous check); auc and tar (at FAR 1 %) of held-out people; movement (mean distance of a held-out picture to
        its copies, over the mean distance between people); kept (True for the weights in use).
    recipe : parent, parent_fingerprint, augment, faces, people, seed, learning rate and so on, as plain values.
    """

    def __init__(
        self, parent: Model, module: torch.nn.Module, card: ModelCard, history: pd.DataFrame, recipe: dict[str, Any]
    ) -> None:
        super().__init__(module, card, str(parent.device), parent.precision)
        self.history, self.recipe = history, recipe


def finetune(
    model: Model,
    faces: FaceSource,
    augment: Augment,
    *,
    steps: int = 200,
    people: int = 8,
    views: int = 4,
    pictures: int = 4,
    held_out: float = 0.2,
    learning_rate: float = 1e-3,
    margin: float = 0.5,
    preserve: float = 10.0,
    check_every: int = 25,
    patience: int = 4,
    tolerance: float = 0.005,
    size: int = 160,
    seed: int = 0,
    checkpoint: str | Path | None = None,
    on_check: Callable[[pd.DataFrame], object] | None = None,
    progress: bool = True,
) -> FineTuned:
    """A copy of the model, trained to be less sensitive to the augmented attributes.

    Parameters
    ----------
    model : a model with a torch network, on the device to train on; it is not changed.
    faces : people to learn from, such as `fr.Avatars(identities=64, seed=1)`.
    augment : attribute -> (low, high), the range of strengths, or True for the attribute's whole range; or one or more
        names, for their whole ranges.
    steps : the maximum number of steps. people, views : each step shows that many people, each by a base picture and
        views - 1 copies.
    pictures : base pictures per person, at random points of attribute space.
    held_out : share of the people kept for checks, the last ones of the source.
    learning_rate : of Adam, relative to each tensor's root mean square; it rises over 20 steps, then falls linearly to
        0. margin, preserve : see the top of this module.
    check_every : steps between two checks on the held-out people. tolerance : a check is good if its AUC is at most
        this much below the best one so far; the AUC of about 20 people is not known more precisely. The weights of the
        last good check are kept; if there is none, those of the best check after training began. patience : the
        training stops after that many checks in a row that are not good.
    size : side of the rendered pictures, in pixels.
    seed : of base points, strengths and batches. The same call gives the same weights on the same machine.
    checkpoint : a file to write at each check, and to resume from if it exists; it also keeps the finished model.
    on_check : called at each check with the history so far, for example to draw `fr.charts.training(history)`.
    progress : show progress bars for rendering and for training.

    Raises
    ------
    ValueError : a network without trainable weights (an .onnx file), an unknown attribute or range, too few people,
        the checkpoint of another run, or a loss that is not finite.

    >>> brighter = finetune(load_model("dlib"), fr.Avatars(identities=64, seed=1), augment={"brightness": True})
    >>> brighter.card.name
    'dlib+brightness'
    """
    _check_trainable(model)
    ranges = augmented_ranges(augment, faces)
    count = len(faces.identities)
    kept_back = round(held_out * count)
    if kept_back < 2 or count - kept_back < people or people < 2 or views < 2 or min(steps, check_every) < 1:
        raise ValueError(
            f"{count} people (held_out = {held_out} keeps {kept_back} of them for checks), people = {people}, views = "
            f"{views}, steps = {steps}, check_every = {check_every}: at least 2 people are needed for checks, a whole "
            "batch for training, 2 people and 2 views in a batch, and 1 step; give more identities or a smaller batch."
        )
    recipe = {
        "format": FORMAT, "parent": model.card.name, "parent_fingerprint": model.fingerprint,
        "augment": {name: list(span) for name, span in ranges.items()}, "faces": type(faces).__name__,
        "faces_fingerprint": faces.fingerprint, "identities": count, "held_out": kept_back, "people": people,
        "views": views, "pictures": pictures, "learning_rate": learning_rate, "margin": margin, "preserve": preserve,
        "steps": steps, "check_every": check_every, "patience": patience, "tolerance": tolerance, "size": size,
        "seed": seed,
    }  # fmt: skip
    run = Run.begin(model, recipe, None if checkpoint is None else as_path(checkpoint, "checkpoint"))
    if not run.finished:
        given = {"pictures": pictures, "size": size, "seed": seed, "progress": progress}
        learn = Augmented(faces, range(count - kept_back), ranges, copies=COPIES, **given)
        check = Augmented(faces, range(count - kept_back, count), ranges, copies=CHECK_COPIES, **given)
        train(run, model, learn, check, on_check, progress)
    return _result(run, model)


def _check_trainable(model: Model) -> None:
    if isinstance(model, EngineModel):
        model.forward(None)  # says why it cannot be trained
    if not any(tensor.requires_grad for tensor in model.module.parameters()):
        raise ValueError(
            f"model {model.card.name!r} has no weights that torch could train: a network from an .onnx file runs in "
            "ONNX Runtime, which computes no derivatives. Load the network itself: fr.load_model(module, card=...)."
        )


def _result(run: Run, model: Model) -> FineTuned:
    run.student.module.load_state_dict(run.best["weights"])
    history = run.history()
    recipe = {**run.recipe, "steps_done": run.step, "kept_step": run.best["step"]}
    return FineTuned(model, run.student.module, _card(model.card, recipe, history), history, recipe)


def _card(card: ModelCard, recipe: dict[str, Any], history: pd.DataFrame) -> ModelCard:
    """The parent's card, updated: what was done, and which facts no longer hold."""
    augment, faces, held_out = recipe["augment"], recipe["faces"], recipe["held_out"]
    names = [name.replace("_", " ") for name in augment]
    spans = [f"{name} {low:g} to {high:g}" for name, (low, high) in zip(names, augment.values(), strict=True)]
    before, after = history.iloc[0], history[history["kept"]].iloc[0]
    auc, tar = (f"{before[name]:.3f} -> {after[name]:.3f}" for name in ("auc", "tar"))
    return replace(
        card,
        name="+".join([card.name, *augment]),
        title=f"{card.title}, fine-tuned on {' and '.join(names)}",
        trained_on=f"{card.trained_on}; then {recipe['identities'] - held_out} people of {faces} with "
        f"{', '.join(spans)} varied alone, {int(after['step'])} steps, seed {recipe['seed']}",
        accuracy=f"{held_out} held-out people of {faces}: AUC {auc}, TAR at FAR 1 % {tar}; before fine-tuning "
        f"{card.accuracy}",
        threshold_source=f"{card.threshold_source}; not recalibrated after fine-tuning",
        loss=f"{card.loss}; then batch-hard triplets",
        weights=f"fr.finetune of {recipe['parent']} (fingerprint {recipe['parent_fingerprint']}): batch-hard triplets "
        f"with margin {recipe['margin']:g}, preservation times {recipe['preserve']:g}",
        weights_sha256=None,
        weaknesses=(*card.weaknesses, f"fine-tuned on {faces}, not on photographs: verify on your own pairs"),
    )
