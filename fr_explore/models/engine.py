"""`EngineModel`: a network that runs in the engine, as in a page, instead of in torch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from ..base.cores import cores
from ..base.shapes import Float32, Num, Shaped
from ..engine.network import Network
from ..engine.runner import Runner
from ..faces.base import Face
from .align import similarity_fit
from .base import Model
from .card import ModelCard
from .checks import check_crops, check_finite, check_landmarks

__all__ = ["EngineModel"]

_MOST = 4  # networks at work at the same time; each takes about 50 MB


@dataclass(frozen=True)
class _Engine:
    """What stands where another model has its torch device."""

    type: str = "engine"

    def __str__(self) -> str:
        return self.type


@dataclass(frozen=True)
class _Described:
    """What stands where another model has its torch network. It is read again when it is wanted: it has 22 MB."""

    describe: Callable[[], Network]


class EngineModel(Model):
    """A model whose network runs in the engine: on the CPU, in float32, with the same bits on every machine.

    It has the methods of `Model` that need no derivative, and none of them imports torch. Embeddings agree with torch's
    to 1e-5.
    """

    def __init__(self, describe: Callable[[], Network], card: ModelCard) -> None:
        if card.template is None:
            raise ValueError(f"{card.name!r} cannot run in the engine: its card has no template to align faces by.")
        self.card, self.precision, self.uncached = card, "float32", None
        self.device: Any = _Engine()
        self.module: Any = _Described(describe)
        self._packed = describe().pack("float32")
        self._fingerprint = hashlib.sha256(b"engine 1" + repr(card).encode() + self._packed).hexdigest()[:16]
        self._idle: list[Runner] = []

    @property
    def fingerprint(self) -> str:
        """A hash of card and weights; part of the key of every cached embedding."""
        return self._fingerprint

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_idle": []}  # an instance of the engine cannot leave its process

    def crops(self, faces: Face | Sequence[Face]) -> Float32[np.ndarray, "n size size 3"]:
        """Aligned RGB crops in [0, 1]: what the network sees of each face."""
        faces = [faces] if isinstance(faces, Face) else list(faces)
        check_landmarks([face.landmarks for face in faces], self.card)
        template, size = np.array(self.card.template), self.card.input_size
        return np.stack([_crop(face.pixels, face.landmarks, template, size) for face in faces])

    def embed(
        self, faces: Face | Sequence[Face] | Shaped[np.ndarray, "n size size 3"], batch_size: int = 32
    ) -> Float32[np.ndarray, "n dim"]:
        """Embed faces, or an array of aligned crops; see `Model.embed`. `batch_size`: faces aligned at a time."""
        if isinstance(faces, Face):
            faces = [faces]
        if isinstance(faces, np.ndarray):
            check_crops(faces, self.card)
        out = np.empty((len(faces), self.card.dim), np.float32)
        with ThreadPoolExecutor(max(1, min(cores(), _MOST, len(faces)))) as pool:
            for start in range(0, len(faces), batch_size):
                batch = faces[start : start + batch_size]
                crops = batch if isinstance(batch, np.ndarray) else self.crops(batch)
                out[start : start + len(batch)] = list(pool.map(self._vector, crops))
        if self.card.normalized:
            out /= np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12)
        return check_finite(out, self.card)

    def align(self, faces: Any) -> Any:
        """The same crops as a torch tensor (n, 3, size, size); it needs torch."""
        import torch

        return torch.from_numpy(self.crops(faces)).permute(0, 3, 1, 2)

    def forward(self, crops: Any) -> NoReturn:
        """The engine computes no derivatives: TypeError says what does."""
        raise TypeError(
            f"{self.card.name!r} runs in the engine, which computes no derivatives: load it in torch, "
            f"fr.load_model({self.card.name!r}, device='cpu')."
        )

    def _vector(self, crop: np.ndarray) -> np.ndarray:
        """The network's output for an aligned crop, uint8 or float in [0, 1]."""
        mean, std = np.array(self.card.mean, np.float32), np.array(self.card.std, np.float32)
        if self.card.color_order == "BGR":
            crop = crop[..., ::-1]
        gain = 1 / std if crop.dtype == np.uint8 else 255 / std
        with self._runner() as runner:
            return runner.run(crop.astype(np.float32) * gain - mean / std)[0, 0]

    @contextmanager
    def _runner(self) -> Iterator[Runner]:
        """Lend an instance of the engine; one that failed is not used again."""
        try:
            runner = self._idle.pop()
        except IndexError:
            runner = Runner(self._packed)
        yield runner
        self._idle.append(runner)


def _crop(
    pixels: Float32[np.ndarray, "height width 3"], landmarks: Any, template: Num[np.ndarray, "5 2"], size: int
) -> Float32[np.ndarray, "size size 3"]:
    """`align.aligned_crops` in NumPy, for one picture."""
    height, width = pixels.shape[:2]
    to_picture = similarity_fit(template, landmarks)
    samples = int(np.clip(np.ceil(np.hypot(*to_picture[:, 0]) - 0.05), 1, 4))
    centres = (np.arange(size * samples) + 0.5) / samples
    x, y = (row[0] * centres + (row[1] * centres + row[2])[:, None] - 0.5 for row in to_picture)
    x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    left, top = x.astype(int), y.astype(int)
    right, below = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    u, v = ((part - whole)[..., None].astype(np.float32) for part, whole in ((x, left), (y, top)))
    upper = pixels[top, left] * (1 - u) + pixels[top, right] * u
    lower = pixels[below, left] * (1 - u) + pixels[below, right] * u
    crop = upper * (1 - v) + lower * v
    return crop.reshape(size, samples, size, samples, 3).mean((1, 3)) if samples > 1 else crop
