"""The one place that turns what people write for `device=` into a torch device, or says what this machine has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

__all__ = ["torch_device"]

_ALIASES = {"gpu": "cuda", "nvidia": "cuda", "metal": "mps"}


def torch_device(device: Any = "auto") -> torch.device:
    """The torch device for "auto" (an NVIDIA GPU if there is one, else the CPU), a name in any case, or a device.

    "gpu" is an NVIDIA GPU. ValueError for anything that is not a device of this machine, with those that are.
    """
    import torch

    if device is None or (isinstance(device, str) and device.strip().lower() == "auto"):
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    kind, *number = str(device).strip().lower().split(":")
    try:
        chosen = torch.device(":".join([_ALIASES.get(kind, kind), *number]))
    except RuntimeError:
        raise ValueError(f"device {device!r} is not one that torch knows: {_advice()}.") from None
    if chosen.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(
            f"device {str(device)!r} is not available, torch {torch.__version__} sees no CUDA GPU: {_advice()}; for a "
            "GPU, check the driver with `nvidia-smi`."
        )
    if chosen.type == "mps" and not torch.backends.mps.is_available():
        raise ValueError(f"device {str(device)!r} is not available, this machine has no Apple GPU: {_advice()}.")
    try:
        if chosen.type == "meta":  # holds no numbers
            raise RuntimeError
        torch.zeros(1, device=chosen)
    except (RuntimeError, AssertionError, ImportError, NotImplementedError):  # torch's words differ for each kind
        raise ValueError(f"device {str(device)!r} is not available on this machine: {_advice()}.") from None
    return chosen


def _advice() -> str:
    """The devices of this machine, as the end of a sentence."""
    import torch

    names = ["auto", "cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    names += ["mps"] if torch.backends.mps.is_available() else []
    return f"use one of {', '.join(map(repr, names))}"
