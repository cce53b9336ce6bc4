"""Checks the shapes that annotations state (`fr_explore/base/shapes.py`) in every call that the tests make.

`install` puts a hook into the import system: once a module of the package has run, each of its functions and methods
whose annotations name a shape is replaced by one that checks arguments and result after each call.
"""

import functools
import importlib.abc
import importlib.machinery
import inspect
import sys
import types
import typing

import jaxtyping
import numpy as np

from fr_explore.base import shapes

NAMES = {name: getattr(jaxtyping, name) for name in shapes.__all__}


class ShapeError(AssertionError):
    """An array does not have the shape that the annotation states."""


def install(package: str) -> None:
    """Check all modules of the package that are imported from now on."""
    sys.meta_path.insert(0, _Finder(package))


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, package: str) -> None:
        self.package = package

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] != self.package:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


class _Loader(importlib.machinery.SourceFileLoader):
    def exec_module(self, module: types.ModuleType) -> None:
        super().exec_module(module)
        for name, value in list(vars(module).items()):
            if inspect.isfunction(value) and value.__module__ == module.__name__:
                setattr(module, name, checked(value))
            if inspect.isclass(value) and value.__module__ == module.__name__:
                for key, method in list(vars(value).items()):
                    if inspect.isfunction(method):
                        setattr(value, key, checked(method))


def checked(function: types.FunctionType) -> types.FunctionType:
    """The function, with a check after each call if an annotation names a shape."""
    written = {name: text for name, text in function.__annotations__.items() if isinstance(text, str)}
    if not any(f"{shape}[" in text for text in written.values() for shape in NAMES):
        return function
    signature = inspect.signature(function)
    annotations = functools.cache(lambda: {name: _evaluated(text, function) for name, text in written.items()})

    @functools.wraps(function)
    def call(*args, **kwargs):
        result = function(*args, **kwargs)
        bound = signature.bind(*args, **kwargs)
        with jaxtyping.jaxtyped("context"):
            for name, value in [*bound.arguments.items(), ("return", result)]:
                if not fits(value, annotations().get(name)):
                    where = f"{function.__module__}.{function.__qualname__}: {name}"
                    raise ShapeError(f"{where} is {described(value)}, its annotation is {written[name]}.")
        return result

    return call


def _evaluated(text: str, function: types.FunctionType) -> object:
    """An annotation as an object; None if it needs a name that only type checkers import."""
    try:
        return eval(text, {**function.__globals__, "torch": sys.modules.get("torch"), **NAMES})
    except (NameError, AttributeError):
        return None


def fits(value: object, annotation: object) -> bool:
    """Whether a value has the shapes of an annotation; what names no shape fits, except as a member of a union."""
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, part) and (_is_shape(part) or _is_instance(value, part)) for part in parts)
    if origin is tuple and isinstance(value, tuple) and Ellipsis not in parts:
        return len(value) == len(parts) and all(map(fits, value, parts))
    if origin is list and isinstance(value, list):
        return all(fits(one, parts[0]) for one in value)
    if origin is dict and isinstance(value, dict):
        return all(fits(one, parts[1]) for one in value.values())
    if not _is_shape(annotation):
        return True
    array = value if hasattr(value, "shape") else np.asarray(value)
    if isinstance(array, np.ndarray) and array.dtype == np.longdouble:  # a type that jaxtyping does not know
        array = array.astype(np.float64)
    return isinstance(array, typing.cast(type, annotation))


def described(value: object) -> str:
    """Shape and type of a value, or of the members of a tuple or a list."""
    if isinstance(value, (tuple, list)) and any(hasattr(one, "shape") for one in value):
        return f"[{', '.join(map(described, value))}]"
    return f"{np.shape(value)} {getattr(value, 'dtype', type(value).__name__)}"


def _is_shape(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, jaxtyping.AbstractArray)


def _is_instance(value: object, annotation: object) -> bool:
    plain = typing.get_origin(annotation) or annotation
    return not isinstance(plain, type) or isinstance(value, plain)
