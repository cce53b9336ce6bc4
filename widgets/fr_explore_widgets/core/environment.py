"""Why does a widget not show? `check_environment` looks at what must fit together and says it in plain words."""

from __future__ import annotations

import json
import sys
from importlib import metadata
from pathlib import Path

import pandas as pd

__all__ = ["check_environment"]

# the front end's lifecycle is measured for these versions; the same bounds stand in pyproject.toml
_NEEDED = {"anywidget": ((0, 9, 20), (0, 12)), "ipywidgets": ((8, 1), (9,)), "jupyterlab": ((4, 2), (5,))}
# the classic notebook before 7 loads widgets in another way
_OTHER_HOSTS = {"notebook": ((7,), (8,))}
_LAB_EXTENSIONS = ("anywidget", "@jupyter-widgets/jupyterlab-manager")


def check_environment() -> pd.DataFrame:
    """One row per thing that a widget needs: `part`, `found`, `ok`, and in `todo` what to do if it is not.

    Where all is well and a widget still does not show, the page holds an older front end: reload it. In a notebook that
    is not trusted only the widget's picture shows: run the cell. It looks at the files of JupyterLab and Notebook 7 in
    this environment, and cannot see what VS Code or Colab load of their own: VS Code asks once whether it may fetch
    anywidget's front end (setting `jupyter.widgetScriptSources`).

    >>> check_environment()["ok"].all()
    True
    """
    rows = [_package(name, *bounds) for name, bounds in _NEEDED.items()]
    rows += [_package(name, *bounds) for name, bounds in _OTHER_HOSTS.items() if _installed(name)]
    rows += [_extension(name, Path(sys.prefix)) for name in _LAB_EXTENSIONS]
    return pd.DataFrame(rows, columns=["part", "found", "ok", "todo"])


def _installed(name: str) -> bool:
    return any(metadata.distributions(name=name))


def _package(name: str, low: tuple[int, ...], high: tuple[int, ...]) -> tuple[str, str, bool, str]:
    wanted = f'pip install "{name}>={_dotted(low)},<{_dotted(high)}", then restart the server and reload the page'
    try:
        found = metadata.version(name)
    except metadata.PackageNotFoundError:
        return name, "missing", False, wanted
    release = tuple(int(part) for part in found.split(".")[:3] if part.isdigit())
    ok = low <= release < high
    return name, found, ok, "" if ok else wanted


def _extension(name: str, prefix: Path) -> tuple[str, str, bool, str]:
    """The front-end half, which JupyterLab loads: its version must be that of the package."""
    label = f"JupyterLab extension {name}"
    package = prefix / "share/jupyter/labextensions" / name / "package.json"
    if not package.is_file():
        owner = "anywidget" if name == "anywidget" else "jupyterlab_widgets"
        todo = (
            f"pip install --force-reinstall --no-deps {owner} in the environment that runs the server, reload the page"
        )
        return label, f"not in {prefix}", False, todo
    found = str(json.loads(package.read_text(encoding="utf-8"))["version"])
    if name != "anywidget" or found == metadata.version("anywidget"):
        return label, found, True, ""
    return (
        label,
        found,
        False,
        f"server and kernel differ: install anywidget {found} for the kernel, or restart the server",
    )


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
