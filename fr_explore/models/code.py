"""The code of functions and methods: a hash of what it does, which globals it uses, and whose it is."""

from __future__ import annotations

import dis
import functools
import pathlib
import sys
import sysconfig
import types
from hashlib import sha256
from typing import Any, Literal

import numpy as np
import torch

__all__ = ["code_hash", "global_names", "is_given", "origin", "undecorated"]

_ROOT = str(pathlib.Path(__file__).parents[1])
_STANDARD = sysconfig.get_paths()["stdlib"]
_GIVEN = (_ROOT, *(str(pathlib.Path(module.__file__ or "").parent) for module in (torch, np)))


@functools.lru_cache(4096)
def code_hash(code: types.CodeType) -> str:
    """A hash of what a function does; not of where it is, nor of its docstring's line numbers."""
    parts = [code.co_code, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars]
    constants = [code_hash(x) if isinstance(x, types.CodeType) else _stable(x) for x in code.co_consts]
    return sha256(repr([*parts, constants]).encode(errors="surrogatepass")).hexdigest()


def _stable(x: Any) -> str:
    return repr(sorted(map(repr, x))) if isinstance(x, frozenset) else repr(x)


@functools.lru_cache(4096)
def global_names(code: types.CodeType) -> frozenset[str]:
    """The names that a function, and the functions in it, look up in the globals."""
    names = {step.argval for step in dis.get_instructions(code) if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    return frozenset(names).union(*(global_names(x) for x in code.co_consts if isinstance(x, types.CodeType)))


def origin(function: types.FunctionType) -> Literal["given", "package", "own"]:
    """Where a function comes from: "given", another "package", or the user's "own" code."""
    file = function.__code__.co_filename
    if file.startswith(_GIVEN) or file.startswith("<frozen"):
        return "given"
    if "site-packages" in file or "dist-packages" in file:
        return "package"
    return "given" if file.startswith(_STANDARD) else "own"


@functools.cache
def is_given(name: str) -> bool:
    root = name.partition(".")[0]
    return root in ("torch", "numpy", "fr_explore") or root in sys.stdlib_module_names - {"__main__"}


def undecorated(value: Any) -> Any:
    """The function behind a method's decorator."""
    if isinstance(value, (staticmethod, classmethod)):
        return value.__func__
    if isinstance(value, (property, functools.cached_property)):
        return value.fget if isinstance(value, property) else value.func
    return value
