"""The state of a fine-tuning run, its loss and its checks; see `finetune` for what they mean."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from ..models.base import Model
from ..population.verification import verification
from .augment import Augmented

__all__ = ["SHOWN", "Run", "train"]

SHOWN = 2  # copies of each held-out picture
WARM = 20  # steps until the full learning rate: Adam's first ones have little to estimate their size from
SMALLEST = 1e-3  # a tensor's root mean square counts as at least this, so that one of zeros moves too


class Adam:
    """Adam (Kingma and Ba 2015) by torch's own step, for groups of one tensor and one learning rate each.

    Making a `torch.optim.Adam` imports torch's compiler: 150 MB, which a notebook on Binder does not have.
    """

    def __init__(self, groups: list[dict[str, Any]]) -> None:
        import torch

        self.param_groups = groups
        tensors = [group["params"][0] for group in groups]
        self.state = {
            "means": [torch.zeros_like(tensor) for tensor in tensors],
            "squares": [torch.zeros_like(tensor) for tensor in tensors],
            "steps": [torch.zeros(()) for _ in tensors],
        }

    def zero_grad(self) -> None:
        for group in self.param_groups:
            group["params"][0].grad = None

    def step(self) -> None:
        import torch
        from torch.optim.adam import adam

        settings: dict[str, Any] = {"amsgrad": False, "beta1": 0.9, "beta2": 0.999, "weight_decay": 0, "eps": 1e-8}
        with torch.no_grad():
            for group, mean, square, step in zip(self.param_groups, *self.state.values(), strict=True):
                (tensor,) = group["params"]
                if tensor.grad is not None:
                    adam(
                        [tensor],
                        [tensor.grad],
                        [mean],
                        [square],
                        [],
                        [step],
                        lr=group["lr"],
                        maximize=False,
                        **settings,
                    )

    def state_dict(self) -> dict[str, Any]:
        return self.state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.state = state


@dataclass(slots=True)
class Run:
    """A training run at some step: all that a checkpoint holds, so that a killed run goes on exactly.

    Batches are drawn from `seed` and the number of the step, so there is no state of a generator to keep.
    """

    student: Model
    optimizer: Any
    recipe: dict[str, Any]
    path: Path | None
    step: int
    rows: list[dict[str, float]]
    best: dict[str, Any]
    sums: np.ndarray

    @classmethod
    def begin(cls, model: Model, recipe: dict[str, Any], path: Path | None) -> Run:
        """At the start, or where the checkpoint ends."""

        student = Model(copy.deepcopy(model.module), model.card, str(model.device))
        groups = []
        for tensor in student.module.parameters():
            if tensor.requires_grad:
                scale = float(tensor.detach().square().mean().sqrt())
                groups.append({"params": [tensor], "first": recipe["learning_rate"] * max(scale, SMALLEST)})
        run = cls(student, Adam(groups), recipe, path, 0, [], {}, np.zeros(3))
        if path is not None and path.is_file():
            run._load(path)
        return run

    def _load(self, path: Path) -> None:
        import torch

        try:
            state = torch.load(path, map_location=self.student.device, weights_only=True)
            recipe = state["recipe"]
        except Exception as error:  # torch.load has no one class of error for a file that is not its own
            raise ValueError(f"{path} is no checkpoint of fr.finetune ({type(error).__name__}): delete it.") from error
        other = [key for key, value in self.recipe.items() if recipe.get(key) != value]
        if other:
            said = ", ".join(f"{key} = {recipe.get(key)!r} there, {self.recipe[key]!r} here" for key in other)
            raise ValueError(f"{path} is the checkpoint of another run ({said}): delete it or give another path.")
        self.student.module.load_state_dict(state["weights"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.rows, self.best = state["step"], state["rows"], state["best"]

    def save(self) -> None:
        """Written beside its place, then moved: a kill leaves the old checkpoint or the new one."""
        if self.path is None:
            return
        import torch

        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_name(f"{self.path.name}.{os.getpid()}.part")
        state = {"recipe": self.recipe, "weights": self.student.module.state_dict(), "rows": self.rows,
                 "optimizer": self.optimizer.state_dict(), "step": self.step, "best": self.best}  # fmt: skip
        try:
            torch.save(state, part)
            part.replace(self.path)
        finally:
            part.unlink(missing_ok=True)

    def note(self, found: dict[str, float]) -> None:
        """Take down a check; its weights are kept where they verify as well as any check before."""
        first = not self.rows
        names = ("loss", "triplet", "preservation")
        means = [float("nan")] * 3 if first else (self.sums / (self.step - self.rows[-1]["step"])).tolist()
        self.rows.append({"step": self.step, **dict(zip(names, means, strict=True)), **found})
        self.sums[:] = 0
        enough = max(row["auc"] for row in self.rows) - self.recipe["tolerance"]
        if not first and (not self.best or found["auc"] >= min(enough, self.best["auc"])):
            weights = {name: tensor.detach().clone() for name, tensor in self.student.module.state_dict().items()}
            self.best = {"step": self.step, "auc": found["auc"], "weights": weights}

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
    """Train until the run is finished, with a check and a checkpoint every so often."""
    import torch

    steps, every, seed = (run.recipe[name] for name in ("steps", "check_every", "seed"))
    targets = _targets(model, learn)
    spread = float(torch.pdist(targets[:, 0]).mean())  # first base pictures: each pair shows two people
    if not run.rows:
        run.note(_verify(run.student, check, seed))
    with tqdm(total=steps, initial=run.step, unit="step", desc="train", disable=not progress) as bar:
        while not run.finished:
            run.sums += _step(run, model, learn, targets / spread, spread)
            run.step += 1
            bar.update()
            if run.step % every == 0 or run.step == steps:
                run.note(_verify(run.student, check, seed))
                run.save()
                bar.set_postfix(auc=f"{run.rows[-1]['auc']:.3f}", movement=f"{run.rows[-1]['movement']:.3f}")
                if on_check is not None:
                    on_check(run.history())


def _step(run: Run, model: Model, learn: Augmented, targets: Any, spread: float) -> tuple[float, float, float]:
    """One step of the optimizer; gives loss, triplet and preservation. All lengths over `spread`."""
    import torch

    recipe = run.recipe
    rng = np.random.default_rng([recipe["seed"], run.step, 2])
    who = rng.choice(len(learn.people), recipe["people"], replace=False)
    which = rng.integers(recipe["pictures"], size=len(who))
    shown = [learn.views(i, j, recipe["views"] - 1, rng) for i, j in zip(who, which, strict=True)]
    with torch.no_grad():
        crops = model.align([face for some in shown for face in some])
    vectors = _vectors(run.student, crops).unflatten(0, (len(who), recipe["views"])) / spread
    triplet = _triplet(vectors, recipe["margin"])
    preservation = (vectors - targets[who, which][:, None]).square().sum(-1).mean()
    loss = triplet + recipe["preserve"] * preservation
    if not torch.isfinite(loss):
        raise ValueError(f"the loss is {loss.item()} at step {run.step}: give a smaller learning_rate.")
    run.optimizer.zero_grad()
    loss.backward()
    for group in run.optimizer.param_groups:
        group["lr"] = group["first"] * min(1.0, (run.step + 1) / WARM) * (1 - run.step / recipe["steps"])
    run.optimizer.step()
    return loss.item(), triplet.item(), preservation.item()


def _vectors(model: Model, crops: Any) -> Any:
    """Embeddings whose Euclidean distance orders pairs as the model's own metric does."""
    import torch

    vectors = model.forward(crops)
    return torch.nn.functional.normalize(vectors) if model.card.metric == "cosine" else vectors


def _targets(model: Model, learn: Augmented) -> Any:
    """Where the given model puts the base pictures: (people, pictures, dim)."""
    import torch

    rng = np.random.default_rng(0)  # of the grain, which base pictures have none of
    with torch.no_grad():
        rows = [
            _vectors(model, model.align([learn.views(i, j, 0, rng)[0] for j in range(learn.pictures)]))
            for i in range(len(learn.people))
        ]
    return torch.stack(rows)


def _triplet(vectors: Any, margin: float) -> Any:
    """Batch-hard triplet loss of (people, views, dim)."""
    import torch

    people, views, _ = vectors.shape
    flat = vectors.flatten(0, 1)
    # differences, not products: distances between copies are small, and their gradient must not be rounding
    gap = torch.cdist(flat, flat, compute_mode="donot_use_mm_for_euclid_dist")
    who = torch.arange(people, device=gap.device).repeat_interleave(views)
    same = who[:, None] == who
    farthest = gap.masked_fill(~same, 0).amax(1)
    nearest = gap.masked_fill(same, float("inf")).amin(1)
    return (margin + farthest - nearest).clamp(min=0).mean()


def _auc(genuine: np.ndarray, impostor: np.ndarray) -> float:
    """Share of pairs (genuine, impostor) in which the genuine distance is smaller; half for ties."""
    ordered = np.sort(impostor)
    ranks = [np.searchsorted(ordered, genuine, side=side) for side in ("left", "right")]
    return float(1 - np.mean(ranks) / len(ordered))


def _verify(model: Model, check: Augmented, seed: int) -> dict[str, float]:
    """Verification of held-out people, over base pictures and copies, and how far the copies lie from theirs."""
    rng = np.random.default_rng([seed, 3])  # the same strengths at every check
    each = (1 + SHOWN) * check.pictures
    faces = [
        face for i in range(len(check.people)) for j in range(check.pictures) for face in check.views(i, j, SHOWN, rng)
    ]
    vectors = model.embed(faces)
    who = np.repeat(np.arange(len(check.people)), each)
    found = verification(vectors, identities=who, metric=model.card.metric, at_far=(0.01,), draws=0)
    auc = _auc(*(found.pairs.loc[found.pairs["same"] == same, "distance"].to_numpy() for same in (True, False)))
    if model.card.metric == "cosine":
        vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    sets = vectors.astype(np.float64).reshape(-1, 1 + SHOWN, vectors.shape[1])
    moved = np.linalg.norm(sets[:, 1:] - sets[:, :1], axis=-1).mean()
    first = sets[:: check.pictures, 0]
    apart = np.linalg.norm(first[:, None] - first, axis=-1)[np.triu_indices(len(first), 1)].mean()
    return {"auc": auc, "tar": float(found.tar_at_far["tar"].iloc[0]), "movement": float(moved / apart)}
