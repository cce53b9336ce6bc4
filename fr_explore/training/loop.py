"""The state of a fine-tuning run, its loss and its checks; `finetune` explains the method."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from ..base.distance import normalized
from ..base.shapes import Float
from ..models.base import Model
from ..population.verification import verification
from .augment import Augmented

if TYPE_CHECKING:
    import torch

__all__ = ["CHECK_COPIES", "Run", "train", "triplet_loss"]

CHECK_COPIES = 2  # copies of each held-out picture
WARM_UP = 20  # steps until the full learning rate: Adam estimates its step sizes from few gradients at first
SMALLEST = 1e-3  # lower bound of a tensor's root mean square; without it, a tensor of zeros would never change
LOSSES = ("loss", "triplet", "preservation")


class Adam:
    """Adam (D. P. Kingma and J. Ba, ICLR 2015), with a learning rate for each tensor.

    `torch.optim.Adam` would import torch's compiler: 150 MB, which a notebook on Binder does not have.
    """

    def __init__(self, tensors: Sequence[torch.Tensor]) -> None:
        import torch

        self.tensors = tensors
        self.state = {
            "means": [torch.zeros_like(tensor) for tensor in tensors],
            "squares": [torch.zeros_like(tensor) for tensor in tensors],
            "steps": [torch.zeros(()) for _ in tensors],
        }

    def step(self, loss: torch.Tensor, rates: list[float]) -> None:
        """Move each tensor down the gradient of the loss; tensors that the loss does not depend on stay."""
        import torch

        gradients = torch.autograd.grad(loss, self.tensors, allow_unused=True)
        with torch.no_grad():
            for tensor, gradient, rate, mean, square, steps in zip(
                self.tensors, gradients, rates, *self.state.values(), strict=True
            ):
                if gradient is not None:
                    steps += 1
                    mean.lerp_(gradient, 1 - 0.9)
                    square.mul_(0.999).addcmul_(gradient, gradient, value=1 - 0.999)
                    size = (square.sqrt() / (1 - 0.999 ** steps.item()) ** 0.5).add_(1e-8)
                    tensor.addcdiv_(mean, size, value=-(rate / (1 - 0.9 ** steps.item())))


@dataclass(slots=True)
class Run:
    """A training run at some step: all that a checkpoint holds, enough to resume a killed run exactly.

    Batches are drawn from the seed and the number of the step, so no generator's state has to be saved.
    """

    student: Model
    optimizer: Adam
    rates: list[float]
    recipe: dict[str, Any]
    path: Path | None
    step: int
    rows: list[dict[str, float]]
    best: dict[str, Any]
    sums: np.ndarray

    @classmethod
    def begin(cls, model: Model, recipe: dict[str, Any], path: Path | None) -> Run:
        """A run at its start, or at the step of its checkpoint if there is one."""
        student = Model(copy.deepcopy(model.module), model.card, str(model.device))
        tensors = [tensor for tensor in student.module.parameters() if tensor.requires_grad]
        scales = [float(tensor.detach().square().mean().sqrt()) for tensor in tensors]
        rates = [recipe["learning_rate"] * max(scale, SMALLEST) for scale in scales]
        run = cls(student, Adam(tensors), rates, recipe, path, 0, [], {}, np.zeros(len(LOSSES)))
        if path is not None and path.is_file():
            run._load(path)
        return run

    def _load(self, path: Path) -> None:
        import torch

        try:
            state = torch.load(path, map_location=self.student.device, weights_only=True)
            recipe = state["recipe"]
        except Exception as error:  # torch.load has no common error class for invalid files
            raise ValueError(
                f"{path} is not a checkpoint of fr.finetune ({type(error).__name__}): delete it."
            ) from error
        other = [key for key, value in self.recipe.items() if recipe.get(key) != value]
        if other:
            found = ", ".join(f"{key} = {recipe.get(key)!r} there, {self.recipe[key]!r} here" for key in other)
            raise ValueError(f"{path} is the checkpoint of another run ({found}): delete it or give another path.")
        self.student.module.load_state_dict(state["weights"])
        self.optimizer.state = state["optimizer"]
        self.step, self.rows, self.best = state["step"], state["rows"], state["best"]

    def save(self) -> None:
        """Write the checkpoint to a temporary file, then move it: a kill leaves the old checkpoint or the new one."""
        if self.path is None:
            return
        import torch

        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_name(f"{self.path.name}.{os.getpid()}.part")
        state = {"recipe": self.recipe, "rows": self.rows, "step": self.step, "best": self.best}
        state |= {"weights": self.student.module.state_dict(), "optimizer": self.optimizer.state}
        try:
            torch.save(state, part)
            part.replace(self.path)
        finally:
            part.unlink(missing_ok=True)

    def record(self, check: dict[str, float]) -> None:
        """Add a check to the history, and keep its weights if its AUC is within the tolerance of the best so far."""
        first = not self.rows
        means = np.full(len(LOSSES), np.nan) if first else self.sums / (self.step - self.rows[-1]["step"])
        self.rows.append({"step": self.step, **dict(zip(LOSSES, means.tolist(), strict=True)), **check})
        self.sums[:] = 0
        enough = max(row["auc"] for row in self.rows) - self.recipe["tolerance"]
        if not first and (not self.best or check["auc"] >= min(enough, self.best["auc"])):
            weights = {name: tensor.detach().clone() for name, tensor in self.student.module.state_dict().items()}
            self.best = {"step": self.step, "auc": check["auc"], "weights": weights}

    @property
    def finished(self) -> bool:
        since = sum(row["step"] > self.best["step"] for row in self.rows) if self.best else 0
        return bool(self.best) and (self.step >= self.recipe["steps"] or since >= self.recipe["patience"])

    def history(self) -> pd.DataFrame:
        table = pd.DataFrame(self.rows)
        table["kept"] = table["step"] == self.best.get("step", 0)
        table.attrs = {name: self.recipe[name] for name in ("parent", "augment")}
        return table


def train(
    run: Run,
    model: Model,
    learn: Augmented,
    check: Augmented,
    on_check: Callable[[pd.DataFrame], object] | None,
    progress: bool,
) -> None:
    """Train until the run is finished, with regular checks, each followed by a checkpoint."""
    import torch

    steps, every, seed = (run.recipe[name] for name in ("steps", "check_every", "seed"))
    targets = _targets(model, learn)
    spread = float(torch.pdist(targets[:, 0]).mean())  # of first base pictures: each pair shows two people
    if not run.rows:
        run.record(_verify(run.student, check, seed))
    with tqdm(total=steps, initial=run.step, unit="step", desc="train", disable=not progress) as bar:
        while not run.finished:
            run.sums += _step(run, model, learn, targets / spread, spread)
            run.step += 1
            bar.update()
            if run.step % every == 0 or run.step == steps:
                run.record(_verify(run.student, check, seed))
                run.save()
                bar.set_postfix(auc=f"{run.rows[-1]['auc']:.3f}", movement=f"{run.rows[-1]['movement']:.3f}")
                if on_check is not None:
                    on_check(run.history())


def _step(run: Run, model: Model, learn: Augmented, targets: torch.Tensor, spread: float) -> tuple[float, float, float]:
    """One step of the optimizer; returns loss, triplet and preservation, with all lengths divided by `spread`."""
    import torch

    recipe = run.recipe
    rng = np.random.default_rng([recipe["seed"], run.step, 2])
    who = rng.choice(len(learn.people), recipe["people"], replace=False)
    which = rng.integers(recipe["pictures"], size=len(who))
    shown = [learn.views(i, j, recipe["views"] - 1, rng) for i, j in zip(who, which, strict=True)]
    with torch.no_grad():
        crops = model.align([face for views in shown for face in views])
    vectors = _vectors(run.student, crops).unflatten(0, (len(who), recipe["views"])) / spread
    triplet = triplet_loss(vectors, recipe["margin"])
    preservation = (vectors - targets[who, which][:, None]).square().sum(-1).mean()
    loss = triplet + recipe["preserve"] * preservation
    if not torch.isfinite(loss):
        raise ValueError(f"the loss is {loss.item()} at step {run.step}: give a smaller learning_rate.")
    warm, left = min(1.0, (run.step + 1) / WARM_UP), 1 - run.step / recipe["steps"]
    run.optimizer.step(loss, [rate * warm * left for rate in run.rates])
    return loss.item(), triplet.item(), preservation.item()


def _vectors(model: Model, crops: torch.Tensor) -> torch.Tensor:
    """Embeddings whose Euclidean distance orders pairs as the model's own metric does."""
    import torch

    vectors = model.forward(crops)
    return torch.nn.functional.normalize(vectors) if model.card.metric == "cosine" else vectors


def _targets(model: Model, learn: Augmented) -> torch.Tensor:
    """Embeddings of the base pictures by the given model, (people, pictures, dim)."""
    import torch

    rng = np.random.default_rng(0)  # for the noise of grain, which base pictures do not have
    with torch.no_grad():
        rows = [
            _vectors(model, model.align([learn.views(i, j, 0, rng)[0] for j in range(learn.pictures)]))
            for i in range(len(learn.people))
        ]
    return torch.stack(rows)


def triplet_loss(vectors: Float[torch.Tensor, "people views dim"], margin: float) -> Float[torch.Tensor, ""]:
    """Batch-hard triplet loss of embeddings (people, views, dim): mean of max(0, margin + farthest - nearest).

    For each embedding, `farthest` is the largest distance to the same person and `nearest` the smallest distance to
    another person. A. Hermans, L. Beyer, B. Leibe, arXiv 1703.07737.
    """
    import torch

    people, views, _ = vectors.shape
    flat = vectors.flatten(0, 1)
    # from differences, not products: the distances between copies are so small that rounding would spoil the gradient
    gap = torch.cdist(flat, flat, compute_mode="donot_use_mm_for_euclid_dist")
    who = torch.arange(people, device=gap.device).repeat_interleave(views)
    same = who[:, None] == who
    farthest = gap.masked_fill(~same, 0).amax(1)
    nearest = gap.masked_fill(same, float("inf")).amin(1)
    return (margin + farthest - nearest).clamp(min=0).mean()


def _auc(genuine: np.ndarray, impostor: np.ndarray) -> float:
    """Share of (genuine, impostor) pairs in which the genuine distance is smaller; ties count one half."""
    ordered = np.sort(impostor)
    ranks = [np.searchsorted(ordered, genuine, side=side) for side in ("left", "right")]
    return float(1 - np.mean(ranks) / len(ordered))


def _verify(model: Model, check: Augmented, seed: int) -> dict[str, float]:
    """Verification of held-out people, over base pictures and copies, and how far copies lie from their pictures."""
    rng = np.random.default_rng([seed, 3])  # the same strengths at every check
    people, pictures = len(check.people), check.pictures
    views = [check.views(i, j, CHECK_COPIES, rng) for i in range(people) for j in range(pictures)]
    vectors = model.embed([face for faces in views for face in faces])
    who = np.repeat(np.arange(people), (1 + CHECK_COPIES) * pictures)
    found = verification(vectors, identities=who, metric=model.card.metric, at_far=(0.01,), draws=0)
    distances, genuine = found.pairs["distance"].to_numpy(), found.pairs["same"].to_numpy(bool)
    sets = normalized(vectors, model.card.metric).astype(np.float64).reshape(len(views), 1 + CHECK_COPIES, -1)
    moved = np.linalg.norm(sets[:, 1:] - sets[:, :1], axis=-1).mean()
    first = sets[::pictures, 0]
    apart = np.linalg.norm(first[:, None] - first, axis=-1)[np.triu_indices(len(first), 1)].mean()
    return {
        "auc": _auc(distances[genuine], distances[~genuine]),
        "tar": float(found.tar_at_far["tar"].iloc[0]),
        "movement": float(moved / apart),
    }
