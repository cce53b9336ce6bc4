"""Import optional packages; every error message names the extra to install."""

from __future__ import annotations

import importlib
from types import ModuleType

__all__ = ["import_extra"]


def import_extra(module: str, extra: str, purpose: str) -> ModuleType:
    """Import an optional module; if it is missing, ImportError says what needs it and how to install it.

    Parameters
    ----------
    module : name to import, such as "umap".
    extra : the optional dependency group of fr-explore that contains it.
    purpose : what needs the module, as the start of a sentence: "A UMAP projection".
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        # an installed package that lacks one of its own dependencies is a different problem: show that error
        if error.name != module.partition(".")[0]:
            raise
        raise ImportError(
            f'{purpose} needs the package {module!r}, which is not installed: pip install "fr-explore[{extra}]".'
        ) from None
