"""Three fixed pictures that every network embeds when it is loaded, alone and together, and one at each later use.

What is checked once: the output has one row of `dim` numbers per picture, which depends on that picture and on no
other in the batch. Later uses compare one picture's embedding with the last one: a change that `content` cannot see.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Protocol

import numpy as np
import torch

from .card import ModelCard

__all__ = ["agree", "answer", "check", "leaf", "pictures", "sketch", "weight_type"]

_TRAINING = (
    "batch normalisation in training mode, which network.eval() doesn't reach in a plain list: use "
    "torch.nn.ModuleList, or export the network again in evaluation mode"
)
_COARSE = (torch.float16, torch.bfloat16, torch.int8, torch.uint8)


class Model(Protocol):
    """What `base.Model` shows to its probe."""

    card: ModelCard
    device: torch.device
    precision: Any
    module: torch.nn.Module
    output: tuple
    input_type: torch.dtype
    layout: torch.memory_format

    def normalised(self, crops: torch.Tensor) -> torch.Tensor: ...
    def output_of(self, normalised: torch.Tensor) -> Any: ...
    def embedding_of(self, output: Any, count: int) -> torch.Tensor: ...


@functools.lru_cache(4)
def pictures(size: int) -> np.ndarray:
    """Three crops (3, size, size, 3) in [0, 1] with little in common: dark, bright and striped, with noise."""
    rng = np.random.default_rng(0)
    ramp = np.linspace(0, 1, size, dtype=np.float32)
    planes = np.stack([0.4 * ramp, 1 - 0.5 * ramp[::-1], 0.5 + 0.4 * np.sin(25 * ramp)])
    both = planes[:, :, None, None] * np.array([1, 0.8, 0.6], np.float32) * (0.6 + 0.4 * ramp[None, None, :, None])
    return np.clip(both + 0.3 * (rng.random((3, size, size, 3), np.float32) - 0.5), 0, 1).astype(np.float32)


def weight_type(module: torch.nn.Module) -> torch.dtype | None:
    """The type of the first weights, and so of the input; None for a module that lists none."""
    return next((x.dtype for x in module.parameters() if x.is_floating_point()), None)


def check(model: Model) -> None:
    """Probe a model that is being loaded, and let it remember where its output has the embedding.

    ValueError with what to do if the network fails, does not return one embedding per picture, or mixes
    the pictures of a batch. UserWarning if some numbers are NaN or infinite.
    """
    crops, name = pictures(model.card.input_size), f"the network of {model.card.name!r}"
    batches = {3: [0, 1, 2], 1: [0], 2: [1, 2]}
    outputs, errors = _run(model, crops, batches)
    for kind, layout in _other_inputs(model):
        if outputs:
            break
        model.input_type, model.layout = kind, layout
        model.module.to(memory_format=layout)
        outputs, found = _run(model, crops, batches)
        errors = found if outputs else errors
    _check_runs(model, name, outputs, errors)
    model.output = _choose(model, name, outputs)
    rows = {n: _rows(model, outputs[n], n) for n in batches}
    if broken := int((~torch.isfinite(rows[3])).any(1).sum()):
        warnings.warn(
            f"{name} gave NaN or infinity for {broken} of 3 test pictures: an overflow in 16 bits, weights that hold "
            "NaN, or a broken export. fr.embed leaves such faces out or stops.",
            stacklevel=4,
        )
        return
    parts = torch.cat([rows[1], rows[2]])
    if not _close(parts, rows[3], 5e-2 if coarse(model) else 1e-2):
        again = _rows(model, _outputs(model, crops[:1]), 1)
        if not _close(again, rows[1], 1e-3):
            raise ValueError(f"{name} embeds the same picture differently each time: switch dropout off.")
        raise ValueError(
            f"{name} embeds a picture differently alone and in a batch. It may average over the batch, have a fixed "
            f"shape in a reshape, or hold {_TRAINING}."
        )
    if _close(rows[3][:1].expand(3, -1), rows[3], 1e-6):
        raise ValueError(
            f"{name} gives the same embedding for three very different pictures, so it ignores its input: check its "
            "weights, and that mean and std of the card count from 0 to 255."
        )


def _outputs(model: Model, crops: np.ndarray) -> Any:
    with torch.inference_mode():
        return model.output_of(model.normalised(torch.from_numpy(crops).permute(0, 3, 1, 2).to(model.device)))


def _other_inputs(model: Model) -> Iterator[tuple[torch.dtype, torch.memory_format]]:
    """Types and memory layouts to try if the first ones fail: `x.view(len(x), -1)` needs channels first."""
    # a network that lists no weights doesn't say their type
    kinds = (
        [torch.float32] if weight_type(model.module) else [torch.float32, torch.float16, torch.bfloat16, torch.float64]
    )
    for kind in kinds:
        for layout in (torch.channels_last, torch.contiguous_format):
            yield kind, layout


def _run(
    model: Model, crops: np.ndarray, batches: Mapping[int, list[int]]
) -> tuple[dict[int, Any], dict[int, Exception]]:
    """The outputs, and the errors, by number of pictures."""
    outputs, errors = {}, {}
    for n, rows in batches.items():
        try:
            outputs[n] = _outputs(model, crops[rows])
        except Exception as error:  # whatever a network of any make raises
            errors[n] = error
    return outputs, errors


def answer(model: Model) -> torch.Tensor:
    """The embedding of one of the pictures, on the CPU."""
    return _rows(model, _outputs(model, pictures(model.card.input_size)[:1]), 1)[0]


def _rows(model: Model, output: Any, count: int) -> torch.Tensor:
    return model.embedding_of(output, count).detach().float().cpu()


def coarse(model: Model) -> bool:
    """Whether rounding alone may move an embedding by percents: 16 bits, or whole numbers."""
    kinds = {x.dtype for x in model.module.state_dict().values() if isinstance(x, torch.Tensor)}
    quantised = any("quantized" in type(part).__module__ for part in model.module.modules())
    low = model.precision != "float32" or model.input_type in _COARSE or getattr(model.module, "coarse", False)
    return low or quantised or not kinds.isdisjoint(_COARSE[:3])


def agree(model: Model, a: torch.Tensor, b: torch.Tensor) -> bool:
    """Whether two answers of one network are equal but for rounding."""
    exact = model.device.type == "cpu" and not coarse(model)
    return a.shape == b.shape and bool((a.isnan() == b.isnan()).all()) and _close(a, b, 1e-4 if exact else 1e-2)


def _close(a: torch.Tensor, b: torch.Tensor, share: float) -> bool:
    a, b = a.nan_to_num(), b.nan_to_num()
    return bool((a - b).abs().max() <= share * max(float(a.abs().max()), float(b.abs().max()), 1e-30))


def sketch(row: torch.Tensor) -> str:
    """An embedding in five coarse numbers, which rounding hardly ever changes: part of a fingerprint."""
    row = row.double()
    if not torch.isfinite(row).all():
        return "not finite"
    norm = float(row.norm()) or 1.0
    angles = torch.arange(1, len(row) + 1, dtype=torch.float64) * torch.tensor([[1.0], [2.3], [3.7], [5.1]])
    return repr([round(float(x), 2) for x in torch.cos(angles) @ row / norm] + [round(4 * np.log2(norm))])


def leaves(output: Any, path: tuple = ()) -> Iterator[tuple[tuple, torch.Tensor]]:
    """The tensors in a network's output with the way to each: through tuples, lists, mappings and dataclasses."""
    if isinstance(output, np.ndarray):
        output = torch.from_numpy(output)
    if isinstance(output, torch.Tensor):
        yield path, output
        return
    parts: Any = ()
    if isinstance(output, Mapping):
        parts = output.items()
    elif isinstance(output, (list, tuple)):
        parts = enumerate(output)
    elif is_dataclass(output) and not isinstance(output, type):
        parts = [(field.name, getattr(output, field.name)) for field in fields(output)]
    for key, part in parts:
        yield from leaves(part, (*path, key))


def leaf(output: Any, path: tuple) -> torch.Tensor | None:
    """The tensor at this place of an output."""
    return next((tensor for place, tensor in leaves(output) if place == path), None)


def _check_runs(model: Model, name: str, outputs: dict[int, Any], errors: dict[int, Exception]) -> None:
    if not errors:
        return
    n, error = next(iter(errors.items()))
    size, reason = model.card.input_size, (str(error).strip() or repr(error)).splitlines()[0]
    if "when training" in reason:
        raise ValueError(f"{name} holds {_TRAINING}.") from error
    if outputs:
        raise ValueError(
            f"{name} runs on batches of {next(iter(outputs))} but not of {n}: its batch size is fixed "
            f"({type(error).__name__}: {reason}). Reshape to (len(x), -1), and export it with a dynamic batch size: "
            "dynamic_shapes=({0: torch.export.Dim.AUTO},) for torch.export.export and torch.onnx.export."
        ) from error
    raise ValueError(
        f"{name} fails on {n} pictures of shape ({n}, 3, {size}, {size}), normalised as the card says "
        f"({type(error).__name__}: {reason}). Check input_size of the card, or wrap the network in a torch module "
        "that takes such pictures."
    ) from error


def _choose(model: Model, name: str, outputs: dict[int, Any]) -> tuple:
    """The one place in the output that has a row of `dim` floating-point numbers per picture."""
    dim, found, shown = model.card.dim, [], {}
    for n, output in outputs.items():
        tensors = dict(leaves(output))
        shown[n] = {path: tuple(x.shape) for path, x in tensors.items()}
        found.append({path for path, x in tensors.items() if x.shape == (n, dim) and x.is_floating_point()})
    fits = set.intersection(*found)
    if len(fits) == 1:
        return fits.pop()
    if not shown[3]:
        raise ValueError(f"{name} returned an object of class {type(outputs[3]).__name__} without tensors: wrap it.")
    if len(shown[3]) > 1:
        parts = ", ".join(f"{'.'.join(map(str, path))}: {shape}" for path, shape in shown[3].items())
        raise ValueError(
            f"{name} returned several tensors for 3 pictures ({parts}), and {len(fits) or 'none'} of them with "
            f"the shape (n, {dim}) that its card says: correct dim of the card, or wrap the network in a module that "
            "returns the embedding alone."
        )
    if found[1]:  # right for one picture alone
        shapes = ", ".join(f"{next(iter(shape.values()))} for {n}" for n, shape in sorted(shown.items()))
        raise ValueError(
            f"{name} does not return one row per picture, but the shapes {shapes}: its reshape has a fixed number of "
            "rows, or it mixes the batch. Use x.flatten(1), and export it with a dynamic batch size."
        )
    ((path, shape),) = shown[3].items()
    kind = dict(leaves(outputs[3]))[path].dtype
    words = "correct the card" if kind.is_floating_point else f"{kind} is not floating point"
    if shape[:2] == (3, dim) and len(shape) > 2:
        words = "add torch.nn.Flatten() to the network"
    raise ValueError(f"{name} returned shape {shape}, but its card says dim = {dim}: {words}.")
