"""One way to ask for an optional package, so that every message names the extra to install."""

from __future__ import annotations

import importlib
from types import ModuleType

__all__ = ["import_extra"]


def import_extra(module: str, extra: str, purpose: str) -> ModuleType:
    """The module, imported now; where it is missing, ImportError says what needs it and how to install it.

    Parameters
    ----------
    module : name to import, such as "umap".
    extra : the optional dependency group of fr-explore that brings it.
    purpose : what the caller wanted to do, as the start of a sentence: "A UMAP projection".
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        # a package that is there, but lacks one of its own dependencies, is another fault: show that one
        if error.name != module.partition(".")[0]:
            raise
        raise ImportError(
            f'{purpose} needs the package {module!r}, which is not installed: pip install "fr-explore[{extra}]".'
        ) from None
