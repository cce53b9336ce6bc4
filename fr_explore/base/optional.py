"""Import optional packages, and torch, which some machines cannot have; every error message says what to install."""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

__all__ = ["has_torch", "import_extra", "import_torch"]


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


def has_torch() -> bool:
    """Whether torch is installed; it is not imported."""
    return importlib.util.find_spec("torch") is not None


def import_torch(purpose: str) -> ModuleType:
    """Import torch; if it is missing, ImportError says what needs it, and what runs without it."""
    if not has_torch():
        raise ImportError(
            f"{purpose} needs torch, which is not installed: pip install torch. Without it, avatars and "
            "fr.load_model('dlib', device='engine') run all the same."
        )
    return importlib.import_module("torch")
