"""`Model`: a network that obeys its card."""

from __future__ import annotations

import contextlib
import functools
import hashlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from ..faces.base import Face
from .align import aligned_crops
from .card import ModelCard
from .detector_crop import box_crops, face_boxes

if TYPE_CHECKING:
    import torch

__all__ = ["Model", "ModelCard"]


class Model:
    """A torch network with its card: `embed(faces)` gives float32 (n, dim).

    Parameters
    ----------
    module : takes (n, 3, input_size, input_size), normalised as the card says, and gives (n, dim).
    card : the model's facts.
    device : where the network runs; see `pick_device`.
    precision : "float32", or "bfloat16" to let the network compute in 16 bits where torch's autocast does: faster
        on hardware that has them (embeddings keep a cosine of at least 0.999 to float32), and too coarse for
        finite differences along one attribute. Weights, crops and embeddings stay float32.
    """

    def __init__(
        self,
        module: torch.nn.Module,
        card: ModelCard,
        device: str = "auto",
        precision: Literal["float32", "bfloat16"] = "float32",
    ) -> None:
        import torch

        if precision not in ("float32", "bfloat16"):
            raise ValueError(f"precision {precision!r}: give 'float32' or 'bfloat16'.")
        self.card = card
        self.precision = precision
        self.device = pick_device(device)
        # channels_last makes convolutions faster on CPUs and GPUs alike, with the same numbers
        self.module = module.eval().to(self.device).to(memory_format=torch.channels_last)
        # (255 crop - mean) / std = shift + gain crop, per channel of the network's colour order
        mean, std = (torch.tensor(values, device=self.device).view(3, 1, 1) for values in (card.mean, card.std))
        self._shift, self._gain = -mean / std, 255 / std

    def __repr__(self) -> str:
        precision = f", precision={self.precision!r}" if self.precision != "float32" else ""
        return (
            f"Model({self.card.name!r}, dim={self.card.dim}, metric={self.card.metric!r}, "
            f"device={str(self.device)!r}{precision})"
        )

    @functools.cached_property
    def fingerprint(self) -> str:
        """Changes when the card, the precision or any weight does; the cache of embeddings relies on it."""
        digest = hashlib.sha256(f"{self.card!r}{self.precision}".encode())
        for name, tensor in self.module.state_dict().items():
            digest.update(f"{name}{tuple(tensor.shape)}{tensor.dtype}".encode())
            digest.update(tensor.detach().cpu().contiguous().flatten().view(dtype=_bytes()).numpy().tobytes())
        return digest.hexdigest()[:16]

    def align(self, faces: Face | Sequence[Face]) -> torch.Tensor:
        """Aligned RGB crops (n, 3, input_size, input_size) in [0, 1], as the network is shown them."""
        import torch

        faces = [faces] if isinstance(faces, Face) else list(faces)
        size = self.card.input_size
        crops = torch.empty((len(faces), 3, size, size), device=self.device)
        for indices in _by_shape(faces):
            stack = torch.from_numpy(np.stack([faces[i].pixels for i in indices])).permute(0, 3, 1, 2)
            crops[indices] = self._crop(stack.to(self.device), [faces[i].landmarks for i in indices])
        return crops

    def _crop(self, pixels: torch.Tensor, landmarks: Sequence[np.ndarray | None]) -> torch.Tensor:
        card = self.card
        if card.template is None and card.box_margin is None:
            from torch.nn.functional import interpolate

            return interpolate(pixels, (card.input_size,) * 2, mode="bilinear", antialias=True, align_corners=False)
        known = [points for points in landmarks if points is not None]
        if len(known) < len(landmarks):
            raise ValueError(
                f"a face has no landmarks, and {card.name!r} aligns by them: use a source that knows them, or pass "
                f"aligned crops as an array (n, {card.input_size}, {card.input_size}, 3)."
            )
        if card.box_margin is not None:
            boxes = face_boxes(np.stack(known), card.box_margin / card.input_size)
            return box_crops(pixels, boxes, card.input_size)
        return aligned_crops(pixels, np.stack(known), np.array(card.template), card.input_size)

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        """Embeddings (n, dim) of aligned RGB crops in [0, 1]; differentiable with respect to the crops."""
        import torch

        if self.card.color_order == "BGR":
            crops = crops.flip(1)
        normal = torch.addcmul(self._shift, crops, self._gain)
        return self._network(normal.contiguous(memory_format=torch.channels_last))

    def _network(self, normal: torch.Tensor) -> torch.Tensor:
        import torch

        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bfloat16"):
            vectors = self.module(normal).float()
        return torch.nn.functional.normalize(vectors) if self.card.normalized else vectors

    def embed(self, faces: Face | Sequence[Face] | np.ndarray, batch_size: int = 32) -> np.ndarray:
        """Embed faces, aligned by their landmarks, or an array of crops that are aligned already.

        Parameters
        ----------
        faces : one `Face`, a sequence of them, or an array (n, input_size, input_size, 3), RGB, either uint8 or
            float in [0, 1].
        batch_size : how many crops the network sees at once; memory grows with it, the numbers stay the same to
            float32 rounding.

        Returns
        -------
        float32 (n, dim).

        >>> load_model("dlib").embed(faces.render(0)).shape
        (1, 128)
        """
        import torch

        if isinstance(faces, Face):
            faces = [faces]
        if isinstance(faces, np.ndarray):
            self._check_crops(faces)
        out = np.empty((len(faces), self.card.dim), np.float32)
        space = self._space(min(batch_size, len(faces)))
        with torch.inference_mode(), _one_thread(getattr(self.module, "has_own_threads", False)):
            for start in range(0, len(faces), batch_size):
                some = faces[start : start + batch_size]
                if isinstance(some, np.ndarray):
                    vectors = self._network(self._shown(some, space))
                else:
                    vectors = self.forward(self.align(some))
                if vectors.shape[1:] != (self.card.dim,):
                    raise ValueError(
                        f"the network of {self.card.name!r} gave shape {tuple(vectors.shape)}, its card says "
                        f"dim = {self.card.dim}: correct the card."
                    )
                out[start : start + len(some)] = vectors.cpu().numpy()
        return out

    def _space(self, count: int) -> torch.Tensor:
        import torch

        return torch.empty((count, self.card.input_size, self.card.input_size, 3), device=self.device)

    def _shown(self, crops: np.ndarray, space: torch.Tensor) -> torch.Tensor:
        """What the network is shown of aligned crops (n, size, size, 3), written into `space`, which every batch
        uses again: next to a fast network, memory that is new each time costs more than the arithmetic."""
        import torch

        given = torch.from_numpy(np.require(crops, requirements=["C", "W"]))
        if self.card.color_order == "BGR":
            given = given.flip(3)
        count, size = crops.shape[:2]
        # whole rows of pixels at a time: over three channels alone the arithmetic would not vectorise
        rows = space[:count].view(count, size, size * 3)
        rows.copy_(given.reshape(count, size, size * 3))
        shift, gain = (values.flatten().repeat(size) for values in (self._shift, self._gain))
        torch.addcmul(shift, rows, gain / 255 if crops.dtype == np.uint8 else gain, out=rows)
        return space[:count].permute(0, 3, 1, 2)

    def _check_crops(self, crops: np.ndarray) -> None:
        size = self.card.input_size
        if crops.ndim != 4 or crops.shape[1:] != (size, size, 3):
            raise ValueError(
                f"crops have shape {crops.shape}: {self.card.name!r} takes (n, {size}, {size}, 3), aligned; "
                "to have pictures aligned, pass Face records with landmarks."
            )
        if crops.dtype == np.uint8:
            return
        low, high = (float(crops.min()), float(crops.max())) if crops.size else (0.0, 0.0)
        if crops.dtype.kind != "f" or not (low >= 0 and high <= 1):  # also catches NaN
            raise ValueError(
                f"crops are {crops.dtype} from {low:g} to {high:g}: give uint8, or float in [0, 1] "
                "(divide 8-bit values by 255; clip what an edit pushed outside)."
            )


def pick_device(device: str = "auto") -> torch.device:
    """The torch device for "auto" (a GPU where there is one, else the CPU) or for an explicit name."""
    import torch

    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    chosen = torch.device(device)
    if chosen.type == "cuda" and not torch.cuda.is_available():
        raise RuntimeError(
            f"device {device!r} was asked for, but torch {torch.__version__} sees no CUDA GPU here: use "
            "device='auto' or 'cpu', or check the driver with `nvidia-smi`."
        )
    return chosen


@contextlib.contextmanager
def _one_thread(wanted: bool) -> Iterator[None]:
    """Torch on one thread beside a runtime with threads of its own: torch's would go on spinning on its cores."""
    import torch

    threads = torch.get_num_threads()
    if wanted:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        if wanted:
            torch.set_num_threads(threads)


def _by_shape(faces: Sequence[Face]) -> Iterator[list[int]]:
    groups: dict[tuple[int, ...], list[int]] = {}
    for index, face in enumerate(faces):
        groups.setdefault(face.pixels.shape, []).append(index)
    yield from groups.values()


def _bytes():
    import torch

    return torch.uint8
