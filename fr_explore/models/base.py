"""`Model`: a network used as its card says."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from ..base.devices import torch_device as pick_device
from ..base.optional import import_torch
from ..base.shapes import Float, Float32, Shaped
from ..faces.base import Face
from ..faces.detector_crop import box_crops, face_boxes
from .align import aligned_crops
from .card import ModelCard
from .checks import check_crops, check_finite, check_landmarks

if TYPE_CHECKING:
    import torch

__all__ = ["Model", "Precision", "pick_device"]

Precision: TypeAlias = Literal["float32", "bfloat16"]


class Model:
    """A torch network with its card: `embed(faces)` returns float32 (n, dim).

    Parameters
    ----------
    module : maps crops (n, 3, input_size, input_size), normalised as the card says, to (n, dim), or to several tensors
        of which one is (n, dim). It is probed with three pictures; see `probe`.
    card : the model's facts.
    device : where the network runs; see `base.devices.torch_device`.
    precision : "float32", or "bfloat16" to run the network under torch's autocast in 16 bits. That is faster on
        hardware with bfloat16 arithmetic (the cosine to the float32 embedding is at least 0.999) but too coarse for
        finite differences along one attribute. Weights, crops and embeddings stay float32.
    """

    def __init__(
        self,
        module: Callable,
        card: ModelCard,
        device: Any = "auto",
        precision: Precision = "float32",
    ) -> None:
        torch = import_torch(f"the model {card.name!r}")

        from . import given, probe
        from .content import content

        if precision not in ("float32", "bfloat16"):
            raise ValueError(f"precision {precision!r}: give 'float32' or 'bfloat16'.")
        self.card = card
        self.precision: Precision = precision
        self.device = pick_device(device)
        module = given.as_module(module)
        with suppress(NotImplementedError):  # an exported program has no modes
            module.eval()
        # channels_last makes convolutions faster on CPUs and GPUs alike, with the same numbers
        self.output, self.input_type, self.layout = (), torch.float32, torch.channels_last
        self.module = module.to(self.device).to(memory_format=self.layout)
        kind = probe.weight_type(self.module)
        if precision == "bfloat16" and kind not in (None, torch.float32):
            raise ValueError(f"precision 'bfloat16' is for weights in float32, these are {kind}: leave precision out.")
        before = content(self).tokens()
        probe.check(self)
        # what the network itself changes when it runs, such as a counter, is not what it depends on
        after = content(self).tokens()
        self._written = frozenset(path for path, token in after.items() if before.get(path) != token)
        self._known: tuple[dict, torch.Tensor, str, str] | None = None
        self.uncached: str | None = None

    def __repr__(self) -> str:
        precision = f", precision={self.precision!r}" if self.precision != "float32" else ""
        return (
            f"Model({self.card.name!r}, dim={self.card.dim}, metric={self.card.metric!r}, "
            f"device={str(self.device)!r}{precision})"
        )

    @property
    def fingerprint(self) -> str:
        """A hash of everything that the embeddings depend on; part of the key of every cached embedding.

        Each use compares the network's content (weights, attributes, hooks, code) and its embedding of a fixed picture
        with those of the last use, which takes about as long as embedding one face. If something cannot be read, or
        changed unseen, `uncached` says what, and nothing is cached.
        """
        from . import probe
        from .content import content

        with self.evaluating():
            found, answer = content(self), probe.answer(self)
        tokens, known = found.tokens(self._written), self._known
        if known and known[0] == tokens and probe.agree(self, known[1], answer):
            return known[3]
        inside = found.digest(self._written)
        unseen = known is not None and known[0] == tokens and known[2] == inside
        if unseen:
            self.uncached = "its embedding of the same picture changed, but nothing that can be seen in the network did"
        elif found.opaque:
            self.uncached = f"what is inside {found.opaque[0]} of the network cannot be read"
        parts = f"{inside}{probe.sketch(answer)}{answer.tolist() if unseen else ''}"
        fingerprint = hashlib.sha256(parts.encode()).hexdigest()[:16]
        self._known = tokens, answer, inside, fingerprint
        return fingerprint

    def _fingerprint_parts(self) -> dict[str, Any]:
        """The card, the precision, the network, and methods that were replaced."""
        replaced = {name: part for name, part in vars(self).items() if callable(part) and name != "module"}
        parts = {"class": type(self), "card": repr(self.card), "precision": self.precision, "output": self.output}
        return parts | {"module": self.module} | replaced

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_known": None}  # addresses in memory mean nothing elsewhere

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """The network in evaluation mode, also in the middle of a training loop."""
        training = [part for part in self.module.modules() if getattr(part, "training", False)]
        for part in training:
            part.training = False
        try:
            yield
        finally:
            for part in training:
                part.training = True

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
        known = check_landmarks(landmarks, card)
        if card.box_margin is not None:
            return box_crops(pixels, face_boxes(np.stack(known), card.box_margin / size), size)
        return aligned_crops(pixels, np.stack(known), np.array(card.template), size)

    def crops(self, faces: Face | Sequence[Face]) -> Float[np.ndarray, "n size size 3"]:
        """The same crops as an array, channels last."""
        return self.align(faces).permute(0, 2, 3, 1).contiguous().cpu().numpy()

    def forward(self, crops: Float[torch.Tensor, "n 3 size size"]) -> Float[torch.Tensor, "n dim"]:
        """Embeddings (n, dim) of aligned RGB crops in [0, 1]; differentiable with respect to the crops."""
        return self.embedding_of(self.output_of(self.normalised(crops)), len(crops))

    def normalised(self, crops: torch.Tensor) -> torch.Tensor:
        """Crops as the network sees them: colour order, mean and std of the card."""
        import torch

        if self.card.color_order == "BGR":
            crops = crops.flip(1)
        shift, gain = (values.view(3, 1, 1) for values in self._scaling())
        return torch.addcmul(shift, crops, gain).contiguous(memory_format=torch.channels_last)

    def _scaling(self) -> tuple[torch.Tensor, torch.Tensor]:
        """(255 crop - mean) / std = shift + gain crop, per channel of the network's colour order."""
        import torch

        mean, std = (torch.tensor(values, device=self.device) for values in (self.card.mean, self.card.std))
        return -mean / std, 255 / std

    def output_of(self, normalised: torch.Tensor) -> Any:
        """Whatever the network returns for normalised crops; it gets them in the type of its weights."""
        import torch

        from .probe import weight_type

        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bfloat16"):
            normalised = normalised.to(weight_type(self.module) or self.input_type)
            return self.module(normalised.contiguous(memory_format=self.layout))

    def embedding_of(self, output: Any, count: int) -> torch.Tensor:
        """The embeddings (count, dim) in what the network returned."""
        import torch

        from .probe import leaf

        vectors = leaf(output, self.output)
        if vectors is None or vectors.shape != (count, self.card.dim):
            raise ValueError(
                f"the network of {self.card.name!r} returned shape {None if vectors is None else tuple(vectors.shape)} "
                f"for {count} pictures, but it returned ({count}, {self.card.dim}) when it was loaded: load it again."
            )
        vectors = vectors.float()
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
        ValueError : a face without landmarks where the model needs them, or an array of another shape or range.
        NotFiniteError : the network gave NaN or infinity for some faces (a ValueError).

        >>> load_model("dlib").embed(faces.render(0)).shape
        (1, 128)
        """
        import torch

        if isinstance(faces, Face):
            faces = [faces]
        if isinstance(faces, np.ndarray):
            check_crops(faces, self.card)
        size = self.card.input_size
        out = np.empty((len(faces), self.card.dim), np.float32)
        # every batch reuses this memory: beside a fast network, allocating it costs more than the arithmetic
        buffer = torch.empty((min(batch_size, len(faces)), size, size * 3), device=self.device)
        with torch.inference_mode(), self.evaluating():
            for start in range(0, len(faces), batch_size):
                batch = faces[start : start + batch_size]
                if isinstance(batch, np.ndarray):
                    vectors = self.embedding_of(self.output_of(self._normalised(batch, buffer)), len(batch))
                else:
                    vectors = self.forward(self.align(batch))
                out[start : start + len(batch)] = vectors.cpu().numpy()
        return check_finite(out, self.card)

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
        shift, gain = (values.repeat(size) for values in self._scaling())
        torch.addcmul(shift, rows, gain / 255 if crops.dtype == np.uint8 else gain, out=rows)
        return rows.view(crops.shape).permute(0, 3, 1, 2)
