"""What a network's numbers depend on, read from the objects that it consists of.

A walk over the network collects one node for everything in it: tensors (parameters, buffers, plain attributes, those in
lists and closures), numbers and texts, hooks, and the code of methods and functions with the globals that they use.

- Each node has a token that is quick to read and compare: its value, or for a tensor its address, its version counter
  and a checksum of its beginning. The version counter does not see changes through `.data`: the checksum sees those of
  a whole tensor, and `probe` those of single weights.
- `Content.digest` hashes the nodes themselves. It is the same in another process and on another machine.
- torch, NumPy, the standard library and this library count as given: of them only the names are used, unless somebody
  replaced a method. Of other packages the code is read, but not the globals.
- An object whose inside cannot be read (a handle of a C library) is listed in `Content.opaque`.
"""

from __future__ import annotations

import contextvars
import ctypes
import enum
import functools
import hashlib
import inspect
import io
import logging
import pathlib
import re
import threading
import types
import weakref
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import torch

from .code import code_hash, global_names, is_given, origin, undecorated

__all__ = ["Content", "content"]

_HEAD = 4096  # bytes
_MOST = 100_000  # nodes; a network that refers to more is tied to something that is not a network
_ATOMS = frozenset(
    [bool, int, float, complex, str, bytes, type(None), type(...), torch.dtype, torch.device, torch.Size]
)
_IGNORED = (
    logging.Logger, io.IOBase, weakref.ref, contextvars.ContextVar, threading.Event, threading.Thread,
    type(threading.Lock()), type(threading.RLock()), torch.Generator, types.MappingProxyType,
)  # fmt: skip
# what nn.Module keeps for itself and what no output depends on
_BOOKKEEPING = frozenset(vars(torch.nn.Module())) - {"training", "_parameters", "_buffers", "_modules"}
_BOOKKEEPING |= {"_forward_hooks", "_forward_pre_hooks", "_initializing", "_backward_hooks"}
_SPECIAL = frozenset(["__call__", "__getattr__", "__getattribute__"])


class Content:
    """The nodes of a network: path -> (token, what to hash). `opaque` lists paths whose inside cannot be read."""

    def __init__(self) -> None:
        self.nodes: dict[str, tuple[Any, Callable[[], bytes] | None]] = {}
        self.opaque: list[str] = []

    def tokens(self, without: Iterable[str] = ()) -> dict[str, Any]:
        left_out = frozenset(without)
        return {path: token for path, (token, _) in self.nodes.items() if path not in left_out}

    def digest(self, without: Iterable[str] = ()) -> str:
        left_out, found = frozenset(without), hashlib.sha256()
        for path, (token, read) in self.nodes.items():
            if path not in left_out:
                found.update(f"{path}\0".encode(errors="surrogatepass") + (read() if read else repr(token).encode()))
        return found.hexdigest()


def content(thing: Any) -> Content:
    """Everything in `thing`, a network or an object that says with `_fingerprint_parts()` what it consists of."""
    walk = _Walk()
    try:
        walk.visit("", thing)
    except RecursionError:
        walk.found.opaque.append("an endless structure")
    return walk.found


class _Walk:
    def __init__(self) -> None:
        self.found, self.seen, self.kept = Content(), {}, []
        self.copies = False  # whether objects were made for this walk alone

    def add(self, path: str, token: Any, read: Callable[[], bytes] | None = None) -> None:
        while path in self.found.nodes:  # two things of one name, such as an attribute that hides a weight
            path += "'"
        self.found.nodes[path] = token, read

    def visit(self, path: str, x: Any) -> None:
        kind = type(x)
        if kind in _ATOMS or (kind is tuple and _ATOMS.issuperset(map(type, x))):
            self.add(path, (kind, x))
            return
        if isinstance(x, _IGNORED):
            return
        if id(x) in self.seen:
            self.add(path, ("as", self.seen[id(x)]))
            return
        self.seen[id(x)] = path
        self.kept.append(x)  # a freed object's id would be given to another one
        if len(self.seen) > _MOST:
            self.found.opaque[:] = [f"more than {_MOST:,} objects"]
        elif hasattr(kind, "_fingerprint_parts"):
            self.items(path, x._fingerprint_parts())
        elif isinstance(x, (np.generic, enum.Enum, types.CodeType, pathlib.PurePath, np.dtype, re.Pattern)):
            self.add(path, code_hash(x) if isinstance(x, types.CodeType) else repr(x))
        else:
            self.compound(path, x)

    def compound(self, path: str, x: Any) -> None:
        if isinstance(x, torch.Tensor):
            self.tensor(path, x)
        elif isinstance(x, np.ndarray):
            self.array(path, x)
        elif isinstance(x, torch.nn.Module):
            self.module(path, x)
        elif isinstance(x, types.ModuleType):
            self.add(path, x.__name__)
        elif isinstance(x, type):
            self.type(path, x)
        elif isinstance(x, types.FunctionType):
            self.function(path, x)
        elif isinstance(x, types.MethodType):
            self.items(path, {"function": x.__func__, "self": x.__self__})
        elif isinstance(x, types.BuiltinFunctionType):
            self.add(path, f"{x.__module__}.{x.__qualname__}")
            owner = x.__self__
            if not isinstance(owner, types.ModuleType | None) and type(owner).__module__ != "pybind11_builtins":
                self.visit(f"{path}.self", x.__self__)
        elif isinstance(x, functools.partial):
            self.items(path, {"function": x.func, "args": x.args, "keywords": x.keywords})
        elif hasattr(x, "__wrapped__") and callable(x):
            self.visit(f"{path}.wrapped", x.__wrapped__)
        elif isinstance(x, dict):
            self.items(path, {repr(key): part for key, part in x.items()}, type(x))
        elif isinstance(x, (list, tuple)):
            self.items(path, dict(enumerate(x)), type(x))
        elif isinstance(x, (set, frozenset)):
            self.items(path, dict(enumerate(sorted(x, key=repr))), type(x))
        else:
            self.object(path, x)

    def items(self, path: str, parts: Mapping[Any, Any], kind: type = object) -> None:
        self.add(f"{path}#", (kind.__qualname__, len(parts)))
        for name, part in list(parts.items()):
            self.visit(f"{path}.{name}", part)

    def tensor(self, path: str, x: torch.Tensor) -> None:
        if flatten := getattr(x, "__tensor_flatten__", None):  # a subclass that consists of other tensors
            names, rest = flatten()
            self.items(path, {name: getattr(x, name) for name in names} | {"class": type(x), "rest": rest})
            return
        x = x.detach()
        if x.layout is torch.strided and not (x.is_quantized or self.copies):
            token = x.data_ptr(), _version(x), x.dtype, tuple(x.shape), x.stride(), _head(x)
            self.add(path, token, functools.partial(_tensor_bytes, x))
            return
        # a copy, whose address says nothing
        parts = [x.int_repr(), x.dequantize()] if x.is_quantized else [x.to_dense()]
        self.add(path, (str(x.layout), x.dtype, [_tensor_bytes(part).hex() for part in parts]))

    def array(self, path: str, x: np.ndarray) -> None:
        if x.dtype.hasobject:
            self.items(path, dict(enumerate(x.ravel().tolist())))
        else:
            self.add(path, (x.dtype.str, x.shape, hashlib.sha256(np.ascontiguousarray(x).tobytes()).hexdigest()))

    def module(self, path: str, x: torch.nn.Module) -> None:
        if isinstance(x, torch.jit.ScriptModule):
            self.add(path, x, functools.partial(_script_bytes, x))
            self.items(f"{path}.tensors", dict(x.named_parameters()) | dict(x.named_buffers()))
            return
        if type(x).__name__ == "OptimizedModule" and "_orig_mod" in x._modules:  # torch.compile
            self.visit(path, x._modules["_orig_mod"])
            return
        self.type(f"{path}:class", type(x))
        graph = isinstance(x, torch.fx.GraphModule)  # its class holds its code
        for name, value in list(vars(x).items()):
            if name in _BOOKKEEPING:
                continue
            if name in ("_parameters", "_buffers", "_modules"):
                for key, part in value.items():
                    self.visit(f"{path}.{key}", part)
            elif not graph or isinstance(value, torch.Tensor):
                self.visit(f"{path}.{name}", value)
        hooks = [*x._forward_hooks.values(), *x._forward_pre_hooks.values()]
        if hooks:
            self.items(f"{path}:hooks", dict(enumerate(hooks)))

    def object(self, path: str, x: Any) -> None:
        """Any other object: its class and attributes, or what pickle would save of it."""
        self.type(f"{path}:class", type(x))
        slots = [name for kind in type(x).__mro__ for name in _names(vars(kind).get("__slots__", ()))]
        parts = {
            name: getattr(x, name) for name in slots if name not in ("__dict__", "__weakref__") and hasattr(x, name)
        }
        parts |= getattr(x, "__dict__", {})
        if parts or hasattr(x, "__dict__"):
            self.items(path, parts)
            return
        try:
            made = x.__reduce_ex__(4)
        except Exception:  # each C library raises its own
            self.found.opaque.append(f"{path.lstrip('.')} (an object of class {type(x).__module__}.{type(x).__name__})")
            return
        before, self.copies = self.copies, True
        self.items(path, {i: part for i, part in enumerate(made if isinstance(made, tuple) else [made]) if i})
        self.copies = before

    def type(self, path: str, kind: type) -> None:
        self.add(path, f"{kind.__module__}.{kind.__qualname__}")
        key = -id(kind)
        if key in self.seen:
            return
        self.seen[key] = path
        for base in kind.__mro__[:-1]:
            if base is torch.nn.Module or base.__module__ == "builtins":
                continue
            given = is_given(base.__module__)
            for name, value in list(vars(base).items()):
                if name == "__init__" or (name.startswith("__") and name not in _SPECIAL):
                    continue
                value = undecorated(value)
                if isinstance(value, types.FunctionType):
                    if not (given and origin(value) == "given"):
                        self.visit(f"{path}.{base.__name__}.{name}", value)
                elif not (given or inspect.isdatadescriptor(value) or type(value).__name__ == "instancemethod"):
                    self.visit(f"{path}.{base.__name__}.{name}", value)

    def function(self, path: str, x: types.FunctionType) -> None:
        whose = origin(x)
        self.add(path, f"{x.__module__}.{x.__qualname__}" if whose == "given" else code_hash(x.__code__))
        cells = [cell.cell_contents for cell in x.__closure__ or () if _filled(cell)]
        for name, part in (("defaults", x.__defaults__), ("keywords", x.__kwdefaults__), ("cells", cells)):
            if part:
                self.visit(f"{path}.{name}", part)
        if whose == "own":
            used = sorted(global_names(x.__code__) & x.__globals__.keys())
            for name in used:
                self.visit(f"{path}:{name}", x.__globals__[name])


def _version(x: torch.Tensor) -> int:
    return -1 if x.is_inference() else x._version


def _head(x: torch.Tensor) -> int:
    """A checksum of the first numbers in memory: an optimiser changes them along with the others."""
    if x.device.type != "cpu" or not x.numel():
        return 0
    span = 1 + sum((size - 1) * stride for size, stride in zip(x.shape, x.stride(), strict=True))
    return zlib.crc32(ctypes.string_at(x.data_ptr(), min(span * x.element_size(), _HEAD)))


def _tensor_bytes(x: torch.Tensor) -> bytes:
    x = x.cpu().contiguous()
    digest = hashlib.sha256(f"{x.dtype}{tuple(x.shape)}".encode())
    digest.update(x.reshape(-1).view(torch.uint8).numpy().data)
    return digest.digest()


def _script_bytes(x: torch.jit.ScriptModule) -> bytes:
    """TorchScript: code and constants as torch would save them, without its running numbers and line numbers."""
    file, found = io.BytesIO(), set()
    torch.jit.save(x, file)
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            if not name.endswith((".debug_pkl", "serialization_id")):
                plain = re.sub(rb"[./]?___torch_mangle_\d+", b"", name.encode() + b"\0" + archive.read(name))
                found.add(hashlib.sha256(plain).hexdigest())
    return repr(sorted(found)).encode()


def _filled(cell: types.CellType) -> bool:
    try:
        return cell.cell_contents is not ...
    except ValueError:  # a variable that is not set yet
        return False


def _names(slots: Any) -> tuple[str, ...]:
    return (slots,) if isinstance(slots, str) else tuple(slots)
