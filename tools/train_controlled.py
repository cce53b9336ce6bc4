"""Train the controlled models: `python tools/train_controlled.py [regime ...]`, by default all of them.

For each regime, the pictures are rendered (in the cache folder; regimes share pictures that are the same), the network
is trained with a checkpoint after every epoch and evaluated on held-out people, and its weights are written in fp16,
with the facts of its card. A run that is killed resumes when it is started again, and gives the same weights. A GPU is
used if there is one.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from controlled_data import NAMES, People, batches, rendered
from losses import MarginLoss, TripletLoss, in_groups
from safetensors.torch import load_file, save_file
from sklearn.metrics import roc_auc_score
from tqdm.auto import tqdm

import fr_explore as fr
from fr_explore.base import cache
from fr_explore.models.base import pick_device
from fr_explore.models.controlled.cards import DIM, REGIMES
from fr_explore.models.controlled.trained import ControlledNet

ASSETS = Path(fr.__file__).parent / "assets" / "controlled"
TRAIN = People(identities=2400, images=8, seed=20261)
HELD_OUT = People(identities=300, images=6, seed=20262)
TOGETHER = 4  # pictures of one person in a batch of triplets
MARGIN = "softmax with a margin on angles (ArcFace's), over the avatars"
# regimes with another loss than the margin on angles, and how their cards name it
LOSSES = {"triplet": "triplets with a margin on distances, all that violate it in batches of 16 avatars x 4 pictures"}


@dataclass(frozen=True)
class Recipe:
    """Everything besides the regime that determines the weights; the same for every regime."""

    train: People = TRAIN
    held_out: People = HELD_OUT
    epochs: int = 12
    batch: int = 64
    rate: float = (
        2e-3  # peak of the learning rate, which rises linearly over the first tenth, then follows a cosine to 0
    )
    decay: float = 5e-3
    scale: float = 24.0
    margin: float = 0.3  # rises from 0 over the first 30 % of the steps
    seed: int = 0


class Training:
    """Network, centres and optimiser between two epochs. Random draws depend only on the epoch: no state to keep."""

    def __init__(self, recipe: Recipe, regime: str, folder: Path, device: torch.device) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.regime, self.device = recipe, regime, device
        self.net = ControlledNet(DIM).to(device).to(memory_format=torch.channels_last)
        self.triplets = regime in LOSSES
        self.loss = TripletLoss() if self.triplets else MarginLoss(
            recipe.train.identities, DIM, recipe.scale, recipe.margin, recipe.seed
        )  # fmt: skip
        self.loss.to(device)
        weights = [*self.net.parameters(), *self.loss.parameters()]
        self.optimizer = torch.optim.AdamW(weights, recipe.rate, weight_decay=recipe.decay)
        self.epoch, self.seconds = 0, 0.0
        name = hashlib.sha256(f"{recipe} {regime}".encode()).hexdigest()[:16]
        self.path = folder / f"{regime}-{name}.pt"
        if self.path.is_file():
            state = torch.load(self.path, map_location=device, weights_only=True)
            self.net.load_state_dict(state["net"])
            self.loss.load_state_dict(state["loss"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.epoch, self.seconds = state["epoch"], state["seconds"]

    def save(self) -> None:
        """Write to a temporary file, then move it: a kill leaves the checkpoint of the last epoch or of this one."""
        part = self.path.with_suffix(f".{os.getpid()}.part")
        state = {"net": self.net.state_dict(), "loss": self.loss.state_dict(), "epoch": self.epoch,
                 "optimizer": self.optimizer.state_dict(), "seconds": self.seconds}  # fmt: skip
        torch.save(state, part)
        part.replace(self.path)

    def run_epoch(self, crops: np.ndarray, means: np.ndarray) -> None:
        """One pass over all pictures, with new strengths of the image attributes."""
        recipe, start, total = self.recipe, time.perf_counter(), 0.0
        rng, people = np.random.default_rng([recipe.seed, 3, self.epoch]), recipe.train
        order = rng.permutation(len(crops))
        if self.triplets:
            order = in_groups(people.identities, people.images, min(TOGETHER, people.images), rng)
        values, damage = people.strengths(self.regime, self.epoch), people.damage(self.regime, self.epoch)
        steps = math.ceil(len(order) / recipe.batch)
        self.net.train()
        bar = tqdm(batches(crops, means, values, damage, order, recipe.batch, self.device), total=steps, unit="step",
                   desc=f"{self.regime}, epoch {self.epoch + 1} of {recipe.epochs}", mininterval=5)  # fmt: skip
        for number, (shown, rows) in enumerate(bar):
            self._set_rate((self.epoch * steps + number) / (recipe.epochs * steps))
            who = torch.from_numpy(rows // recipe.train.images).to(self.device)
            loss = self.loss(self.net(shown), who)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            total += loss.item() * len(rows)
        self.epoch += 1
        self.seconds += time.perf_counter() - start
        print(
            f"{self.regime}: epoch {self.epoch}, mean loss {total / len(order):.3f}, {self.seconds:.0f} s", flush=True
        )
        self.save()

    def _set_rate(self, done: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.rate * min(done / 0.1, 0.5 + 0.5 * math.cos(math.pi * done))
        self.loss.margin = self.recipe.margin * min(1.0, done / 0.3)


def check(net: torch.nn.Module, people: People, regime: str, shown_as: str, folder: Path, device) -> dict[str, float]:
    """Verification of held-out people, with pictures drawn as in the regime `shown_as`."""
    crops, means = rendered(people, shown_as, folder)
    net.eval()
    with torch.inference_mode():
        values, damage = people.strengths(shown_as), people.damage(shown_as)
        some = batches(crops, means, values, damage, np.arange(len(crops)), 64, device)
        vectors = torch.cat([torch.nn.functional.normalize(net(shown)) for shown, _ in some]).cpu().numpy()
    who = np.repeat(np.arange(people.identities), people.images)
    found = fr.verification(vectors, identities=who, metric="cosine", target=0.01, at_far=(0.01,), draws=200)
    tar = found.tar_at_far.iloc[0]
    return {
        "pictures": shown_as, "auc": float(roc_auc_score(found.pairs["same"], -found.pairs["distance"])),
        "tar_at_far_1_percent": float(tar["tar"]), "tar_low": float(tar["tar_low"]),
        "tar_high": float(tar["tar_high"]), "eer": found.eer, "threshold": found.threshold,
    }  # fmt: skip


def export(training: Training, out: Path) -> ControlledNet:
    """Write the weights in fp16, and return the network that users will load from them."""
    out.mkdir(parents=True, exist_ok=True)
    half = {n: t.detach().cpu().contiguous() for n, t in training.net.state_dict().items() if "num_batches" not in n}
    path = out / f"{training.regime}.safetensors"
    save_file({n: t.half() for n, t in half.items()}, path)
    path.chmod(0o644)  # safetensors makes it readable by its owner only
    net = ControlledNet(DIM).to(training.device)
    net.load_state_dict({n: t.float() for n, t in load_file(path).items()}, strict=False)
    return net


def make(regime: str, recipe: Recipe, folder: Path, out: Path, until: int | None = None) -> None:
    """Train one regime, from its checkpoint if there is one, and write weights and facts; stop after `until` epochs."""
    device = pick_device()
    (folder / "renders").mkdir(parents=True, exist_ok=True)
    training = Training(recipe, regime, folder, device)
    stop = recipe.epochs if until is None else until
    if training.epoch < stop:
        start = time.perf_counter()
        crops, means = rendered(recipe.train, regime, folder / "renders")
        rendering = time.perf_counter() - start
        while training.epoch < stop:
            training.run_epoch(crops, means)
        share = rendering / (time.perf_counter() - start)
        print(f"{regime}: rendering took {rendering:.0f} s, {share:.1%} of the time", flush=True)
    if training.epoch < recipe.epochs:
        return
    net = export(training, out)
    where = folder / "renders"
    own = "all-varied" if training.triplets else regime  # another loss, the same pictures
    checks = [check(net, recipe.held_out, regime, shown, where, device) for shown in dict.fromkeys([own, "all-varied"])]
    file = out / f"{regime}.safetensors"
    facts = {
        "regime": regime, "says": REGIMES[regime], "attributes": list(NAMES), "loss": LOSSES.get(regime, MARGIN),
        "recipe": asdict(recipe),
        "avatars": fr.Avatars(1, recipe.train.seed).fingerprint, "parameters": sum(p.numel() for p in net.parameters()),
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(), "verification": checks,
        "training_seconds": round(training.seconds),
    }  # fmt: skip
    (out / f"{regime}.json").write_text(json.dumps(facts, indent=1) + "\n")
    for row in checks:
        print(f"{regime} on pictures {row['pictures']}: AUC {row['auc']:.4f}, TAR at FAR 1 % "
              f"{row['tar_at_far_1_percent']:.3f}", flush=True)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("regimes", nargs="*", metavar="regime", help=f"of {', '.join(REGIMES)}")
    parser.add_argument("--cache", type=Path, default=cache.folder() / "controlled", help="renders and checkpoints")
    parser.add_argument("--out", type=Path, default=ASSETS, help="where weights and cards go")
    parser.add_argument(
        "--seed", type=int, default=0, help="of the initial weights and the order of pictures; shipped models have 0"
    )
    args = parser.parse_args()
    unknown = set(args.regimes) - set(REGIMES)
    if unknown:
        parser.error(f"unknown regime {', '.join(sorted(unknown))}: choose from {', '.join(REGIMES)}")
    torch.set_num_threads(1)  # the same order of summation on any machine; to use two cores, train two regimes at once
    for regime in args.regimes or REGIMES:
        make(regime, Recipe(seed=args.seed), args.cache, args.out)


if __name__ == "__main__":
    main()
