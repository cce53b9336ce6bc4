"""`fr-explore doctor`: what of this installation works, and what to do about what does not."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["doctor"]

CORE = ("numpy", "scipy", "pandas", "xarray", "scikit-learn", "torch", "altair", "pillow", "facenet-pytorch")
LAB = ("jupyterlab", "anywidget", "ipywidgets")
EXTRAS = {"zarr": "zarr", "dask": "distributed", "ann": "faiss-cpu", "onnx": "onnxruntime", "parquet": "pyarrow",
          "umap": "umap-learn", "report": "vl-convert-python"}  # fmt: skip

Finding = tuple[str, str, str]  # "ok", "missing" (not needed by all) or "fault"; what; details


def doctor(options: Namespace) -> tuple[str, Any]:
    """Raises RuntimeError, for the exit status, where something that everybody needs is broken."""
    findings: list[Finding] = [("ok", "Python", f"{platform.python_version()}, {platform.platform()}")]
    findings += [_package(name, "fault") for name in (*CORE, *LAB)]
    findings += [_package(name, "missing", extra) for extra, name in EXTRAS.items()]
    findings += [_checked(*check) for check in CHECKS.items()]
    lines = [f"{state:8s}{what:20s}{details}" for state, what, details in findings]
    faults = [f"{what} ({details})" for state, what, details in findings if state == "fault"]
    data = [{"state": state, "what": what, "details": details} for state, what, details in findings]
    if faults:
        print("\n".join(lines), file=sys.stderr)
        raise RuntimeError(f"{len(faults)} fault{'s' * (len(faults) > 1)}: {'; '.join(faults)}")
    return "\n".join(lines), data


def _package(name: str, otherwise: str, extra: str = "") -> Finding:
    try:
        return "ok", name, importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        what = f'pip install "fr-explore[{extra}]"' if extra else "pip install --force-reinstall fr-explore"
        return otherwise, name, f"not installed: {what}"


def _checked(what: str, check: Callable[[], str]) -> Finding:
    try:
        return "ok", what, check()
    except Exception as error:  # whatever is broken here is what the reader wants to know
        return "fault", what, f"{type(error).__name__}: {error}"


def _devices() -> str:
    import torch

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return f"{cores} cores, {torch.get_num_threads()} threads; GPU: {', '.join(gpus) or 'none'}"


def _cache() -> str:
    from ..base import cache

    place = next(path for path in (cache.folder(), *cache.folder().parents) if path.exists())
    if not place.is_dir() or not os.access(place, os.W_OK):
        raise PermissionError(f"{place} cannot be written: set FR_EXPLORE_CACHE to a folder that can")
    return (
        f"{cache.folder()}, {cache.size() / 2**20:,.0f} MiB used, {shutil.disk_usage(place).free / 2**30:,.0f} GiB free"
    )


def _faces() -> str:
    import fr_explore as fr

    face = fr.Avatars(1).render(0, size=64)
    return f"an avatar renders, {face.pixels.shape[0]} x {face.pixels.shape[1]} px"


def _model() -> str:
    import numpy as np

    import fr_explore as fr

    vectors = fr.load_model("dlib", device="cpu").embed(np.zeros((1, 150, 150, 3), np.uint8))
    return f"dlib embeds, {vectors.shape[1]} numbers"


def _widgets() -> str:
    from importlib.util import find_spec

    found = find_spec("fr_explore_widgets")
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError("fr_explore_widgets is missing: pip install --force-reinstall fr-explore")
    count = len(list(Path(found.submodule_search_locations[0]).glob("*.js")))
    return f"{count} front-end files; anywidget {importlib.metadata.version('anywidget')}"


def _notebooks() -> str:
    from .lab import packaged

    return f"{len(list(packaged().glob('[0-9]*.ipynb')))} in {packaged()}"


CHECKS: dict[str, Callable[[], str]] = {
    "processors": _devices, "cache": _cache, "avatars": _faces, "model": _model, "widgets": _widgets,
    "notebooks": _notebooks,
}  # fmt: skip
