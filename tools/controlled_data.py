"""The training data of the controlled models: avatars under a regime, rendered once and adjusted in every epoch.

- Strengths of the paper's eight attributes are drawn uniformly over their whole ranges, with the same draws in every
  regime. A regime then sets one attribute to neutral (`fixed`) or to one value per identity (`tied`).
- The regime `degraded` damages every picture like a photograph: blur, noise and JPEG, of other strength in each epoch.
- Image attributes are closed forms of the pixels: the rendered pictures are kept without them, and every epoch draws
  new strengths. Regimes that differ only in image attributes share their pictures: the cache is keyed by content.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm.auto import tqdm

import fr_explore as fr
from fr_explore.base import cache
from fr_explore.faces.image_attributes import LUMA, apply_image_attributes
from fr_explore.faces.photographs.edits import compress
from fr_explore.models.align import aligned_crops
from fr_explore.models.controlled.cards import SIZE, TEMPLATE

NAMES = fr.PAPER_ATTRIBUTES
IMAGE = ("hue", "contrast", "brightness")  # in the order of application
PICTURE = 80  # side of the rendered picture: about as many pixels per face as the crop has
TOGETHER = 16  # identities in one file
DAMAGE = {"blur": (0, 3), "noise": (0, 0.08), "jpeg_quality": (20, 95)}  # of the regime `degraded`, uniform


@dataclass(frozen=True)
class People:
    """Which avatars, and how many pictures of each."""

    identities: int
    images: int
    seed: int

    def strengths(self, regime: str, epoch: int = 0) -> np.ndarray:
        """(identities, images, 8) strengths under a regime; those of image attributes change with the epoch."""
        low, high, neutral = (
            np.array([getattr(fr.ATTRIBUTES[n], f) for n in NAMES]) for f in ("low", "high", "neutral")
        )
        shape = (self.identities, self.images, len(NAMES))
        chance = np.random.default_rng([self.seed, 1]).random(shape)
        redrawn = np.random.default_rng([self.seed, 2, epoch]).random(shape)
        image = np.isin(NAMES, IMAGE)
        values = low + (high - low) * np.where(image, redrawn, chance)
        kind, _, name = regime.partition("-")
        if kind == "fixed":
            values[..., NAMES.index(name)] = neutral[NAMES.index(name)]
        elif kind == "tied":
            k = NAMES.index(name)
            values[..., k] = (low[k] + (high[k] - low[k]) * chance[:, 0, k])[:, None]
        return values

    def damage(self, regime: str, epoch: int = 0) -> np.ndarray | None:
        """(identities, images, 3) strengths of DAMAGE under a regime that has any; they change with the epoch."""
        if regime != "degraded":
            return None
        low, high = np.array(list(DAMAGE.values())).T
        chance = np.random.default_rng([self.seed, 5, epoch]).random((self.identities, self.images, len(DAMAGE)))
        return low + (high - low) * chance


def rendered(people: People, regime: str, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Aligned crops (n, 64, 64, 3) uint8 without image attributes, and each picture's mean colour (n, 3).

    Each file holds some identities; files that exist are not rendered again.
    """
    values = people.strengths(regime)
    for name in IMAGE:
        values[..., NAMES.index(name)] = fr.ATTRIBUTES[name].neutral
    mark = fr.Avatars(people.identities, people.seed).fingerprint
    jobs = []
    for start in range(0, people.identities, TOGETHER):
        some = values[start : start + TOGETHER]
        key = cache.key("controlled 1", mark, PICTURE, SIZE, TEMPLATE, start, some)
        jobs.append((folder / f"{key}.npz", people.identities, people.seed, start, some))
    missing = [job for job in jobs if not job[0].is_file()]
    folder.mkdir(parents=True, exist_ok=True)
    shown = {"total": len(missing), "desc": f"render {regime}", "unit": "file"}
    for job in tqdm(missing, **shown):
        _render(job)
    files = [np.load(job[0]) for job in jobs]
    return np.concatenate([f["crops"] for f in files]), np.concatenate([f["means"] for f in files])


def _render(job: tuple) -> None:
    path, identities, seed, start, values = job
    faces = fr.Avatars(identities, seed)
    rows = [(start + i, dict(zip(NAMES, values[i, j].tolist(), strict=True))) for i, j in np.ndindex(values.shape[:2])]
    shown = faces.render_batch([i for i, _ in rows], [recipe for _, recipe in rows], PICTURE)
    pixels = torch.from_numpy(np.stack([face.pixels for face in shown])).permute(0, 3, 1, 2)
    crops = aligned_crops(pixels, np.stack([face.landmarks for face in shown]), np.array(TEMPLATE), SIZE)
    whole = (crops.permute(0, 2, 3, 1).numpy() * 255 + 0.5).astype(np.uint8)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
        np.savez(file, crops=whole, means=pixels.mean((2, 3)).numpy())
    os.replace(file.name, path)


def hue_matrix(hue: float) -> np.ndarray:
    """Matrix (3, 3) that rotates colours by `hue` degrees about the grey axis, as `engine/adjust.c` does."""
    angle = np.radians(hue)
    cross = np.array([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3)
    return np.cos(angle) * np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) / 3


def adjusted(crops: torch.Tensor, means: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Crops (n, 3, h, w) in [0, 1] with hue, contrast and brightness (n, 3), as `apply_image_attributes` gives them.

    `means` (n, 3): the mean colours of the whole pictures; contrast is stretched about their grey values.
    """
    grey = torch.tensor(LUMA, dtype=crops.dtype, device=crops.device)
    turns = np.stack([hue_matrix(hue) for hue in values[:, 0].tolist()])
    turns = torch.from_numpy(turns).to(crops)
    contrast, brightness = values[:, 1].view(-1, 1, 1, 1), values[:, 2].view(-1, 1, 1, 1)
    out = torch.einsum("nij,njhw->nihw", turns, crops)
    centre = (torch.einsum("nij,nj->ni", turns, means) @ grey).view(-1, 1, 1, 1)
    return ((centre + contrast * (out - centre)) * brightness).clamp(0, 1)


def damaged(crops: torch.Tensor, strengths: np.ndarray, seeds: np.ndarray) -> torch.Tensor:
    """Crops (n, 3, h, w) in [0, 1] with strengths (n, 3) of DAMAGE; a seed for each picture's grain."""
    found = []
    for crop, (blur, noise, quality), seed in zip(crops, strengths.tolist(), seeds.tolist(), strict=True):
        pixels = np.ascontiguousarray(crop.permute(1, 2, 0).cpu().numpy())
        found.append(compress(apply_image_attributes(pixels, {"blur": blur, "noise": noise}, seed), round(quality)))
    return torch.from_numpy(np.stack(found)).permute(0, 3, 1, 2).to(crops)


def batches(
    crops: np.ndarray, means: np.ndarray, values: np.ndarray, damage: np.ndarray | None, order: np.ndarray,
    size: int, device: torch.device,
) -> Iterator[tuple[torch.Tensor, np.ndarray]]:  # fmt: skip
    """Normalised network input and the rows of `crops` that it shows, in the given order."""
    columns = [NAMES.index(name) for name in IMAGE]
    flat = values.reshape(-1, len(NAMES))[:, columns]
    for start in range(0, len(order), size):
        rows = order[start : start + size]
        some = torch.from_numpy(crops[rows]).to(device).permute(0, 3, 1, 2).float() / 255
        wanted = torch.from_numpy(flat[rows]).to(some)
        shown = adjusted(some, torch.from_numpy(means[rows]).to(some), wanted)
        if damage is not None:
            shown = damaged(shown, damage.reshape(-1, len(DAMAGE))[rows], rows)
        yield (shown * 2 - 1).contiguous(memory_format=torch.channels_last), rows
