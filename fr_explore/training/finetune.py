"""Targeted fine-tuning: teach a model that one attribute does not matter, and change as little else as possible.

What is learnt from
-------------------
Each attribute is augmented alone. A base picture stands at a random point of attribute space; its copies differ
from it in the augmented attribute only. A batch holds several people with one base picture each and some copies of
it, so a picture is pulled towards its own copies and pushed from other people. Two base pictures of one person are
never compared: nothing teaches invariance to any other attribute, and the one that is taught is taught everywhere
in attribute space, not only on neutral faces.

    loss = triplet + preserve * preservation
    triplet       mean of max(0, margin + d(x, farthest copy) - d(x, nearest other person))     all distances over D
    preservation  mean of |f(x) - f0(b)|² / D² over base pictures b and their copies x, b among them
    f, f0         the model in training and as it was given
    D             mean distance between base pictures of different people under f0

Preservation says where a person belongs: where the given model has the picture that was not augmented. It holds the
base pictures and brings the copies there; the triplets see to it that no two people meet on the way, and are silent
where people lie half a mean distance farther apart than a person's own copies.

Batch-hard triplets: A. Hermans, L. Beyer, B. Leibe, "In Defense of the Triplet Loss for Person Re-Identification",
arXiv 1703.07737. With preserve = 10 the pull of a triplet is balanced when a picture has moved by D/20.

How the weights move
--------------------
- All weights that require a gradient move: whoever freezes some (`requires_grad_(False)`) keeps them.
- The network stays in evaluation mode. Batch normalisation keeps its running statistics, which small batches of
  augmented pictures would spoil, and trains its scale and shift; dropout is off. dlib's network has no batch
  normalisation left: its affine maps are folded into the convolutions.
- That folding leaves weights whose sizes differ by a factor of 70 from layer to layer. Adam moves every weight by
  about its learning rate, so each tensor gets its own: `learning_rate` times its root mean square.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ..faces.base import FaceSource
from ..models.base import Model
from ..models.card import ModelCard
from .augment import Augment, Augmented, augmented_ranges
from .loop import SHOWN, Run, train

if TYPE_CHECKING:
    import torch

__all__ = ["FineTuned", "finetune"]

COPIES = 6  # renderings of each base picture with other strengths, for an attribute that has to be rendered
FORMAT = 1  # of checkpoints


class FineTuned(Model):
    """A fine-tuned model. Its card says what was done; `recipe` says it as plain values, `history` how it went.

    Parameters
    ----------
    history : one row per check, the first of the model as it was given: step, loss, triplet, preservation (means
        since the check before), auc and tar (at FAR 1 %) of held-out people, movement (mean distance of a held-out
        picture to its copies, over the mean distance between people), kept (True for the weights that are in use).
    recipe : parent, parent_fingerprint, augment, faces, people, seed, learning rate and so on.
    """

    def __init__(
        self,
        parent: Model,
        module: torch.nn.Module,
        card: ModelCard,
        history: pd.DataFrame,
        recipe: dict[str, Any],
    ) -> None:
        half = parent.precision == "bfloat16"
        super().__init__(module, card, str(parent.device), "bfloat16" if half else "float32")
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
    """A copy of the model, trained so that the augmented attributes move its embeddings less.

    Parameters
    ----------
    model : a model with a torch network, on the device where it shall be trained; it stays as it is.
    faces : people to learn from, such as `fr.Avatars(identities=64, seed=1)`.
    augment : attribute -> (low, high), the strengths to vary it over, or True for its whole range; one or more names
        stand for their whole ranges.
    steps : at most so many; people, views : in each step so many people, with a base picture and views - 1 copies.
    pictures : base pictures of each person, at random points of attribute space.
    held_out : share of the people kept for checks, the last ones of the source.
    learning_rate : of Adam, relative to each tensor's root mean square; it rises over 20 steps and then falls evenly
        to 0. margin, preserve : see the top of this module.
    check_every : steps between two checks of the held-out people; tolerance : a check whose AUC lies no further than
        this below the best one so far is good, since an AUC of some 20 people is no better known. The weights of the
        last good check are kept; patience : so many checks in a row that are not good end the training. Where none
        is, those of the best check after training began are kept.
    size : side of the rendered pictures, in pixels.
    seed : of base points, strengths and batches. The same call gives the same weights on the same machine.
    checkpoint : file to write at each check, and to go on from where it is there; also how a model is kept for later.
    on_check : called with the history so far at each check, say to draw `fr.charts.training(history)`.
    progress : show bars for rendering and for training.

    Raises
    ------
    ValueError : a network without trainable weights (an .onnx file), an unknown attribute or range, too few people,
        a checkpoint of another run, a loss that is no number.

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
            f"{count} people, of whom held_out = {held_out} keeps {kept_back} for checks, in batches of people = "
            f"{people} with views = {views} for steps = {steps}: at least 2 are needed for checks, a batch's number "
            "for training, 2 people and 2 views in a batch, and 1 step; give more identities or a smaller batch."
        )
    recipe = {
        "format": FORMAT, "parent": model.card.name, "parent_fingerprint": model.fingerprint,
        "augment": {name: list(span) for name, span in ranges.items()}, "faces": type(faces).__name__,
        "faces_fingerprint": faces.fingerprint, "identities": count, "held_out": kept_back, "people": people,
        "views": views, "pictures": pictures, "learning_rate": learning_rate, "margin": margin, "preserve": preserve,
        "steps": steps, "check_every": check_every, "patience": patience, "tolerance": tolerance, "size": size,
        "seed": seed,
    }  # fmt: skip
    run = Run.begin(model, recipe, None if checkpoint is None else Path(checkpoint))
    if not run.finished:
        given = {"pictures": pictures, "size": size, "seed": seed, "progress": progress}
        learn = Augmented(faces, range(count - kept_back), ranges, copies=COPIES, **given)
        check = Augmented(faces, range(count - kept_back, count), ranges, copies=SHOWN, **given)
        train(run, model, learn, check, on_check, progress)
    return _result(run, model)


def _check_trainable(model: Model) -> None:
    if not any(tensor.requires_grad for tensor in model.module.parameters()):
        raise ValueError(
            f"model {model.card.name!r} has no weights that torch could train: a network from an .onnx file runs in "
            "ONNX Runtime, which gives no derivatives. Load the network itself: fr.load_model(module, card=...)."
        )


def _result(run: Run, model: Model) -> FineTuned:
    run.student.module.load_state_dict(run.best["weights"])
    history = run.history()
    recipe = {**run.recipe, "steps_done": run.step, "kept_step": run.best["step"]}
    card = _card(model.card, recipe, history)
    return FineTuned(model, run.student.module, card, history, recipe)


def _card(card: ModelCard, recipe: dict[str, Any], history: pd.DataFrame) -> ModelCard:
    """The parent's card, with what was done and what no longer holds."""
    names = [name.replace("_", " ") for name in recipe["augment"]]
    spans = ", ".join(
        f"{n} {low:g} to {high:g}" for n, (low, high) in zip(names, recipe["augment"].values(), strict=True)
    )
    before, after = history.iloc[0], history[history["kept"]].iloc[0]

    def change(name: str) -> str:
        return f"{before[name]:.3f} -> {after[name]:.3f}"

    return replace(
        card,
        name="+".join([card.name, *recipe["augment"]]),
        title=f"{card.title}, fine-tuned on {' and '.join(names)}",
        trained_on=(
            f"{card.trained_on}; then {recipe['identities'] - recipe['held_out']} people of {recipe['faces']} with "
            f"{spans} varied alone, {int(after['step'])} steps, seed {recipe['seed']}"
        ),
        accuracy=(
            f"{recipe['held_out']} held-out people of {recipe['faces']}: AUC {change('auc')}, TAR at FAR 1 % "
            f"{change('tar')}; before fine-tuning {card.accuracy}"
        ),
        threshold_source=f"{card.threshold_source}; not calibrated anew after fine-tuning",
        weights=f"fr.finetune of {recipe['parent']} (fingerprint {recipe['parent_fingerprint']}): batch-hard triplets "
        f"with margin {recipe['margin']:g}, preservation times {recipe['preserve']:g}",
        weights_sha256=None,
        weaknesses=(*card.weaknesses, f"fine-tuned on {recipe['faces']}, not on photographs: verify on your own pairs"),
    )  # fmt: skip
