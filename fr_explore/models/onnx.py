"""A network from an .onnx file, run by ONNX Runtime behind the same `Model`.

- The card decides colour order, normalisation, alignment and metric. The file decides the layout of its input
  (channels first or last), the input size, the batch size if it is fixed, and the length of the embedding.
- ONNX Runtime computes no derivatives: asking for a gradient or a tangent through the network raises an error.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..base.devices import torch_device
from ..base.optional import import_extra
from ..base.shapes import Float, Float32, Shaped
from ..faces.base import Face
from .base import Model
from .card import ModelCard
from .presets import PRESETS

__all__ = ["OnnxModel", "OnnxNetwork", "load"]

_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


def load(path: Path, card: ModelCard, device: Any = "auto", precision: str = "float32") -> OnnxModel:
    """The model in a file.

    A preset takes its input size, template and `dim` from the file; a card of your own must agree with the file.

    Raises
    ------
    ImportError : onnxruntime is not installed. FileNotFoundError : no such file.
    ValueError : the file holds no network from one picture to one vector, or the card contradicts it.
    """
    if precision != "float32":
        raise ValueError(f"precision {precision!r}: an .onnx file runs in the precision that it was exported in.")
    network = OnnxNetwork(path, device, card.input_size, card.dim)
    found = {"input_size": network.size, "dim": network.dim}
    if card in PRESETS.values():
        old, new = card.input_size, network.size
        template = tuple((x * new / old, y * new / old) for x, y in card.template or ())
        card = dataclasses.replace(card, template=template, **found)
    stated = {"input_size": card.input_size, "dim": card.dim}
    if stated != found:
        wrong = [key for key in found if stated[key] != found[key]]
        says, has = (", ".join(f"{key} = {facts[key]}" for key in wrong) for facts in (stated, found))
        raise ValueError(f"card {card.name!r} says {says}, but {path.name} has {has}: correct the card.")
    return OnnxModel(network, card, network.device)


class OnnxModel(Model):
    """A model whose network runs in ONNX Runtime."""

    def embed(
        self, faces: Face | Sequence[Face] | Shaped[np.ndarray, "n size size 3"], batch_size: int = 32
    ) -> Float32[np.ndarray, "n dim"]:
        # ONNX Runtime has threads of its own, and torch's idle threads would keep the cores busy by spinning
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            return super().embed(faces, batch_size)
        finally:
            torch.set_num_threads(threads)


class OnnxNetwork(torch.nn.Module):
    """An .onnx file as a torch module (n, 3, size, size) -> (n, dim) without derivatives.

    Parameters
    ----------
    path : the file.
    device : "auto" and "cuda" use a GPU if ONNX Runtime supports it; "cpu" does not.
    size : side of the input, for a file that leaves it open.
    wanted : length of the embedding, which decides between several outputs of one row per picture.
    digest : of the file when it was first opened; ValueError if it is another one now.
    """

    dim: int
    _output: str

    def __init__(
        self, path: Path, device: Any = "auto", size: int = 112, wanted: int | None = None, digest: str | None = None
    ) -> None:
        super().__init__()
        runtime = import_extra("onnxruntime", "onnx", "A model from an .onnx file")
        if not path.is_file():
            raise FileNotFoundError(f"no file {str(path)!r}: give the path of an .onnx file.")
        self.path = path
        self.device, providers = _providers(runtime, device)
        options = runtime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        try:
            self.session = runtime.InferenceSession(str(path), options, providers=providers)
        except Exception as error:  # onnxruntime's errors have no common base class
            reason = str(error).splitlines()[0]
            raise ValueError(f"{path.name} is not an ONNX network that onnxruntime can run: {reason}") from error
        self.digest, self.coarse = _digest(path)
        if digest not in (None, self.digest):
            raise ValueError(f"{path.name} was changed after it was loaded: load it again.")
        self._read_input(size)
        self._read_output(wanted)

    def __reduce__(self) -> tuple:
        """A session cannot be pickled: a copy, in this process or another one, opens the file again."""
        return type(self), (self.path.absolute(), self.device, self.size, self.dim, self.digest)

    def _fingerprint_parts(self) -> dict[str, Any]:
        return {"digest": self.digest, "size": self.size, "output": self._output}

    def _read_input(self, size: int) -> None:
        inputs = self.session.get_inputs()
        shape = inputs[0].shape if len(inputs) == 1 else None
        if shape is None or len(shape) != 4 or inputs[0].type not in _TYPES or 3 not in (shape[1], shape[3]):
            found = "; ".join(f"{x.name} {x.type} {x.shape}" for x in inputs)
            raise ValueError(
                f"{self.path.name} has the inputs ({found}): a face network needs exactly one, of floats, with the "
                "shape (n, 3, size, size) or (n, size, size, 3)."
            )
        self.channels_first = shape[1] == 3
        sides = {side for side in (shape[2:] if self.channels_first else shape[1:3]) if isinstance(side, int)}
        if len(sides) > 1:
            raise ValueError(f"{self.path.name} takes pictures of shape {shape}, but they must be square.")
        self.size = sides.pop() if sides else size
        self.batch = shape[0] if isinstance(shape[0], int) else None
        self._input, self._type = inputs[0].name, _TYPES[inputs[0].type]

    def _read_output(self, wanted: int | None) -> None:
        probe = np.zeros((self.batch or 1, 3, self.size, self.size), np.float32)
        # the embedding has one row per picture and several columns; some files add its norm, or classes
        found = {}
        for output in self.session.get_outputs():
            vectors = self._run(probe, output.name)
            if vectors.ndim == 2 and len(vectors) == len(probe) and vectors.shape[1] > 1:
                found[output.name] = vectors.shape[1]
        fits = [name for name, dim in found.items() if dim == wanted] or list(found)
        if not fits:
            raise ValueError(f"{self.path.name} has no output of the shape (n, dim), so it does not embed pictures.")
        if len(fits) > 1:
            shapes = ", ".join(f"{name}: (n, {found[name]})" for name in fits)
            raise ValueError(f"{self.path.name} has several outputs ({shapes}): export it with the embedding alone.")
        self._output, self.dim = fits[0], found[fits[0]]

    def _run(self, pictures: np.ndarray, output: str) -> np.ndarray:
        pictures = np.ascontiguousarray(pictures if self.channels_first else pictures.transpose(0, 2, 3, 1), self._type)
        return self.session.run([output], {self._input: pictures})[0]

    def vectors(self, pictures: Float[np.ndarray, "n 3 size size"]) -> Float32[np.ndarray, "n dim"]:
        """Embeddings (n, dim) of normalised pictures (n, 3, size, size), in runs of the file's own batch size."""
        step = self.batch or max(len(pictures), 1)
        out = np.empty((len(pictures), self.dim), np.float32)
        for start in range(0, len(pictures), step):
            batch = pictures[start : start + step]
            count = len(batch)
            if count < step:
                batch = np.pad(batch, [(0, step - count), (0, 0), (0, 0), (0, 0)])
            found = self._run(batch, self._output)
            if found.shape != (len(batch), self.dim):
                raise ValueError(f"its output has the shape {found.shape} for {len(batch)} pictures")
            out[start : start + step] = found[:count]
        return out

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return _Run.apply(x, self)


class _Run(torch.autograd.Function):
    """Raises an error in both directions of differentiation, which NumPy would cut off silently."""

    @staticmethod
    def forward(x: torch.Tensor, network: OnnxNetwork) -> torch.Tensor:
        return torch.from_numpy(network.vectors(x.detach().cpu().numpy())).to(x.device)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: torch.Tensor) -> None:
        ctx.file = inputs[1].path.name

    @staticmethod
    def backward(ctx: Any, *derivatives: torch.Tensor) -> Any:
        raise NotImplementedError(
            f"{ctx.file} runs in ONNX Runtime, which computes no derivatives: use finite differences "
            "(fr.vector_field), or load the network as a torch module: fr.load_model(module, card=...)."
        )

    jvp = backward


def _digest(path: Path) -> tuple[str, bool]:
    """SHA-256 of an .onnx file and of the files beside it that hold its weights; whether it computes in 8 bits.

    Tensors name such a file in an entry with the key "location", which is found without a parser of the format.
    """
    data, beside = path.read_bytes(), set()
    for entry in re.finditer(rb"\x0a\x08location\x12([\x80-\xff]*[\x00-\x7f])", data):
        length = sum((byte & 0x7F) << 7 * i for i, byte in enumerate(entry[1]))
        beside.add(data[entry.end() : entry.end() + length].decode(errors="replace"))
    digest = hashlib.sha256(data)
    for name in sorted(beside):
        if "\0" not in name and (path.parent / name).is_file():  # other entries may have the same key
            with (path.parent / name).open("rb") as file:
                digest.update(name.encode() + hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest(), b"DynamicQuantizeLinear" in data


def _providers(runtime: Any, device: Any) -> tuple[str, list]:
    gpu = "CUDAExecutionProvider" in runtime.get_available_providers()
    name = str(device or "auto").strip().lower()
    if name == "cpu" or (name == "auto" and not gpu):
        return "cpu", ["CPUExecutionProvider"]
    if not gpu:
        raise ValueError(
            f"device {str(device)!r} is not available, this onnxruntime has no CUDA: use device='auto' or 'cpu', or "
            "replace onnxruntime by onnxruntime-gpu."
        )
    chosen = torch_device(device)
    if chosen.type == "cpu":
        return "cpu", ["CPUExecutionProvider"]
    if chosen.type != "cuda":
        raise ValueError(f"device {str(device)!r}: ONNX Runtime uses 'cuda' or 'cpu' here.")
    index = chosen.index or 0
    return f"cuda:{index}", [("CUDAExecutionProvider", {"device_id": index}), "CPUExecutionProvider"]
