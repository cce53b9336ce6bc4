"""What people hand over as a network: a torch module made of it, or one sentence that says what to do.

Other frameworks are recognised by the name of their package, which is not imported.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

__all__ = ["as_module", "read_network"]

_LOAD = "build the network, load these weights into it with network.load_state_dict(...), and pass the network"
_EXPORT = "export it to an .onnx file and give the path of that file"
# package of the object's class, or of one of its base classes -> what to do
_FRAMEWORKS = {
    "fr_explore": "a model is ready to use as it is; to give its network another card, pass model.module",
    "keras": f"{_EXPORT}, for example with tf2onnx",
    "tensorflow": f"{_EXPORT}, for example with tf2onnx",
    "onnxruntime": "give the path of the .onnx file that the session was made from",
    "onnx": "save it with onnx.save and give the path of the .onnx file",
    "sklearn": "a face network maps pictures to embeddings: give such a network; estimators work on its embeddings",
    "insightface": "give the path of the .onnx file of its recognition network, such as w600k_r50.onnx",
    "jax": _EXPORT, "flax": _EXPORT, "paddle": _EXPORT, "mxnet": _EXPORT, "openvino": _EXPORT, "cv2": _EXPORT,
}  # fmt: skip
_FILES = {
    ".h5": "Keras", ".keras": "Keras", ".pb": "TensorFlow", ".tflite": "TensorFlow Lite", ".mlmodel": "Core ML",
    ".caffemodel": "Caffe", ".params": "MXNet", ".pdparams": "Paddle", ".engine": "TensorRT", ".xml": "OpenVINO",
}  # fmt: skip


def as_module(network: Any) -> Any:
    """The torch module to run; an exported program is unpacked, a function wrapped, a parallel wrapper taken off.

    ValueError or TypeError for anything that is not a network, and for one without weights yet.
    """
    if isinstance(network, (torch.nn.DataParallel, torch.nn.parallel.DistributedDataParallel)):
        network = network.module  # the same network, on one device
    if isinstance(network, torch.export.ExportedProgram):
        network = network.module()
    if isinstance(network, torch.nn.Module):
        _check_weights(network)
        return network
    what = f"{'the class' if isinstance(network, type) else 'an object of class'} {_name(network)}"
    if isinstance(network, Mapping):
        tensors = {key: value for key, value in network.items() if isinstance(value, torch.Tensor)}
        kind = "a state dict" if tensors and len(tensors) == len(network) else "a checkpoint"
        names = list(map(str, network))
        prefix = " (without 'module.' in their names)" if all(name.startswith("module.") for name in names) else ""
        raise TypeError(f"{kind} ({', '.join(names[:4])}, ...) holds weights, not a network: {_LOAD}{prefix}.")
    if isinstance(network, type):
        raise TypeError(f"{what} is not a network yet: make one, load its weights, and pass it: {network.__name__}().")
    if isinstance(network, (bytes, bytearray)):
        raise TypeError(f"{len(network):,} bytes are not a network: write them to a file and give its path.")
    for base in type(network).__mro__:
        if advice := _FRAMEWORKS.get(base.__module__.partition(".")[0]):
            raise TypeError(f"{what} is not a torch network: {advice}.")
    if inspect.isroutine(network) or (callable(network) and not hasattr(network, "fit")):
        return _Function(network)
    raise TypeError(
        f"{what} is not a network: give a torch module or a function from crops (n, 3, size, size) to embeddings "
        "(n, dim), with its card, the path of an .onnx file, or a name from fr.list_models()."
    )


def read_network(path: Path) -> Any:
    """The network in a file of TorchScript (.pt, .pth) or torch.export (.pt2); ValueError says what else is in it."""
    suffix = path.suffix.lower()
    if suffix in _FILES:
        raise ValueError(f"{path.name} is a file of {_FILES[suffix]}: {_EXPORT}.")
    if path.is_dir():
        raise ValueError(f"{str(path)!r} is a folder: give the path of the .onnx file in it.")
    if not path.is_file():
        raise FileNotFoundError(f"no file {str(path)!r}: give the path of an .onnx file, or a name: fr.list_models().")
    if suffix == ".safetensors":
        raise ValueError(f"{path.name} holds weights, not a network: {_LOAD}.")
    readers = [torch.export.load] if suffix == ".pt2" else [torch.jit.load, _weights]
    for reader in readers:
        try:
            found = reader(path)
        except Exception:  # neither reader has a common error class for files of another kind
            continue
        if isinstance(found, (torch.jit.ScriptModule, torch.export.ExportedProgram)):
            return found
        raise ValueError(f"{path.name} holds weights, not a network: {_LOAD}.")
    raise ValueError(
        f"{path.name} is neither TorchScript nor an exported program nor weights alone. If you trust it, load the "
        "network yourself with torch.load(path, weights_only=False), which runs code from the file, and pass it."
    )


def _weights(path: Path) -> Any:
    return torch.load(path, map_location="cpu", weights_only=True)


def _name(thing: Any) -> str:
    kind = thing if isinstance(thing, type) else type(thing)
    return f"{kind.__module__}.{kind.__qualname__}"


def _check_weights(network: Any) -> None:
    for name, tensor in [*network.named_parameters(), *network.named_buffers()]:
        if torch.nn.parameter.is_lazy(tensor):
            raise ValueError(f"{name} of the network has no size yet: run the network once, then load its weights.")
        if tensor.is_meta:
            raise ValueError(
                f"{name} of the network is on torch's meta device, without numbers: load the weights first, with "
                "network.load_state_dict(weights, assign=True)."
            )


class _Function(torch.nn.Module):
    """A function from crops to embeddings, which may be NumPy arrays."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function

    def forward(self, crops: torch.Tensor) -> Any:
        return self.function(crops)
