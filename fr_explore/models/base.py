"""`Model`: a network used as its card says."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from ..base.shapes import Float, Float32, Shaped
from ..faces.base import Face
from .align import aligned_crops
from .card import ModelCard
from .detector_crop import box_crops, face_boxes

if TYPE_CHECKING:
    import torch

__all__ = ["Model", "Precision", "pick_device"]

Precision: TypeAlias = Literal["float32", "bfloat16"]


class Model:
    """A torch network with its card: `embed(faces)` returns float32 (n, dim).

    Parameters
    ----------
    module : maps crops (n, 3, input_size, input_size), normalised as the card says, to (n, dim).
    card : the model's facts.
    device : where the network runs; see `pick_device`.
    precision : "float32", or "bfloat16" to run the network under torch's autocast in 16 bits. That is faster on
        hardware with bfloat16 arithmetic (the cosine to the float32 embedding is at least 0.999) but too coarse for
        finite differences along one attribute. Weights, crops and embeddings stay float32.
    """

    def __init__(
        self,
        module: torch.nn.Module,
        card: ModelCard,
        device: str = "auto",
        precision: Precision = "float32",
    ) -> None:
        import torch

        if precision not in ("float32", "bfloat16"):
            raise ValueError(f"precision {precision!r}: give 'float32' or 'bfloat16'.")
        self.card = card
        self.precision: Precision = precision
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
        """A hash of the card, the precision and all weights; part of the key of every cached embedding."""
        import torch

        digest = hashlib.sha256(f"{self.card!r}{self.precision}".encode())
        for name, tensor in self.module.state_dict().items():
            digest.update(f"{name}{tuple(tensor.shape)}{tensor.dtype}".encode())
            digest.update(tensor.detach().cpu().contiguous().flatten().view(dtype=torch.uint8).numpy().tobytes())
        return digest.hexdigest()[:16]

    def align(self, faces: Face | Sequence[Face]) -> Float[torch.Tensor, "n 3 size size"]:
        """Aligned RGB crops (n, 3, input_size, input_size) in [0, 1]: what the network sees of each face."""
        import torch

        faces = [faces] if isinstance(faces, Face) else list(faces)
        size = self.card.input_size
        crops = torch.empty((len(faces), 3, size, size), device=self.device)
        by_shape: dict[tuple[int, ...], list[int]] = {}
        for i, face in enumerate(faces):
            by_shape.setdefault(face.pixels.shape, []).append(i)
        for indices in by_shape.values():
            stack = torch.from_numpy(np.stack([faces[i].pixels for i in indices])).permute(0, 3, 1, 2)
            crops[indices] = self._crop(stack.to(self.device), [faces[i].landmarks for i in indices])
        return crops

    def _crop(self, pixels: torch.Tensor, landmarks: Sequence[np.ndarray | None]) -> torch.Tensor:
        card, size = self.card, self.card.input_size
        if card.template is None and card.box_margin is None:
            from torch.nn.functional import interpolate

            return interpolate(pixels, (size, size), mode="bilinear", antialias=True, align_corners=False)
        known = [points for points in landmarks if points is not None]
        if len(known) < len(landmarks):
            raise ValueError(
                f"a face has no landmarks, and {card.name!r} aligns faces by them: use a face source that provides "
                f"landmarks, or pass aligned crops as an array (n, {size}, {size}, 3)."
            )
        if card.box_margin is not None:
            return box_crops(pixels, face_boxes(np.stack(known), card.box_margin / size), size)
        return aligned_crops(pixels, np.stack(known), np.array(card.template), size)

    def forward(self, crops: Float[torch.Tensor, "n 3 size size"]) -> Float[torch.Tensor, "n dim"]:
        """Embeddings (n, dim) of aligned RGB crops in [0, 1]; differentiable with respect to the crops."""
        import torch

        if self.card.color_order == "BGR":
            crops = crops.flip(1)
        normalised = torch.addcmul(self._shift, crops, self._gain)
        return self._run_network(normalised.contiguous(memory_format=torch.channels_last))

    def _run_network(self, normalised: torch.Tensor) -> torch.Tensor:
        import torch

        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bfloat16"):
            vectors = self.module(normalised).float()
        if vectors.shape[1:] != (self.card.dim,):
            raise ValueError(
                f"the network of {self.card.name!r} returned shape {tuple(vectors.shape)}, but its card says "
                f"dim = {self.card.dim}: correct the card."
            )
        return torch.nn.functional.normalize(vectors) if self.card.normalized else vectors

    def embed(
        self, faces: Face | Sequence[Face] | Shaped[np.ndarray, "n size size 3"], batch_size: int = 32
    ) -> Float32[np.ndarray, "n dim"]:
        """Embed faces, aligning them by their landmarks, or an array of aligned crops.

        Parameters
        ----------
        faces : one `Face`, a sequence of faces, or an array (n, input_size, input_size, 3) of aligned RGB crops,
            either uint8 or float in [0, 1].
        batch_size : how many crops the network processes at once. It decides how much memory is needed; the
            embeddings agree to float32 rounding.

        Returns
        -------
        float32 (n, dim).

        Raises
        ------
        ValueError : a face without landmarks where the model needs them, an array of another shape or range, or a
            network whose output does not have the length that the card gives.

        >>> load_model("dlib").embed(faces.render(0)).shape
        (1, 128)
        """
        import torch

        if isinstance(faces, Face):
            faces = [faces]
        if isinstance(faces, np.ndarray):
            self._check_crops(faces)
        size = self.card.input_size
        out = np.empty((len(faces), self.card.dim), np.float32)
        # every batch reuses this memory: beside a fast network, allocating it costs more than the arithmetic
        buffer = torch.empty((min(batch_size, len(faces)), size, size * 3), device=self.device)
        with torch.inference_mode():
            for start in range(0, len(faces), batch_size):
                batch = faces[start : start + batch_size]
                if isinstance(batch, np.ndarray):
                    vectors = self._run_network(self._normalised(batch, buffer))
                else:
                    vectors = self.forward(self.align(batch))
                out[start : start + len(batch)] = vectors.cpu().numpy()
        return out

    def _normalised(self, crops: np.ndarray, buffer: torch.Tensor) -> torch.Tensor:
        """Network input (n, 3, size, size) for aligned crops (n, size, size, 3), computed in `buffer`."""
        import torch

        size = self.card.input_size
        given = torch.from_numpy(np.require(crops, requirements=["C", "W"]))
        if self.card.color_order == "BGR":
            given = given.flip(3)
        # whole rows of pixels at a time: arithmetic over three channels alone would not be vectorised
        rows = buffer[: len(crops)]
        rows.copy_(given.reshape(rows.shape))
        shift, gain = (values.flatten().repeat(size) for values in (self._shift, self._gain))
        torch.addcmul(shift, rows, gain / 255 if crops.dtype == np.uint8 else gain, out=rows)
        return rows.view(crops.shape).permute(0, 3, 1, 2)

    def _check_crops(self, crops: np.ndarray) -> None:
        size = self.card.input_size
        if crops.ndim != 4 or crops.shape[1:] != (size, size, 3):
            raise ValueError(
                f"crops have shape {crops.shape}: {self.card.name!r} takes aligned crops (n, {size}, {size}, 3); "
                "to have pictures aligned, pass Face records with landmarks."
            )
        if crops.dtype == np.uint8:
            return
        low, high = (float(crops.min()), float(crops.max())) if crops.size else (0.0, 0.0)
        if crops.dtype.kind != "f" or not (low >= 0 and high <= 1):  # also catches NaN
            raise ValueError(
                f"crops are {crops.dtype} from {low:g} to {high:g}: give uint8, or float in [0, 1] "
                "(divide 8-bit values by 255; clip values that an edit moved outside)."
            )


def pick_device(device: str = "auto") -> torch.device:
    """The torch device for "auto" (a GPU if there is one, else the CPU) or for an explicit name."""
    import torch

    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    chosen = torch.device(device)
    if chosen.type == "cuda" and not torch.cuda.is_available():
        raise RuntimeError(
            f"device {device!r} is not available, torch {torch.__version__} sees no CUDA GPU: use device='auto' or "
            "'cpu', or check the driver with `nvidia-smi`."
        )
    return chosen
