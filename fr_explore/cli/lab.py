"""`fr-explore lab`: open the course in JupyterLab, in any folder."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import subprocess
import sys
import webbrowser
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..base.paths import as_path

__all__ = ["lab", "lay_out", "packaged"]

PACKAGE = Path(__file__).parent.parent
FIRST = "00-first-light.ipynb"
# JupyterLab's short names of the settings that `lab` makes; it refuses a setting that is given twice
SHORT = {"ip": "ServerApp.ip", "port": "ServerApp.port", "notebook-dir": "ServerApp.root_dir"}


def lab(options: Namespace) -> tuple[str, Any]:
    """Serve the folder on the loopback interface; JupyterLab requires its token, which is part of the address.

    Options that are not ours go to JupyterLab, and replace the settings made here.
    """
    notebooks, fresh = lay_out(as_path(options.folder, "folder"))
    if fresh:
        print(f"fr-explore: the notebooks are in {notebooks}", file=sys.stderr)
    root = notebooks.parent if notebooks.name == "notebooks" else notebooks
    first = (notebooks / FIRST).relative_to(root)
    settings = {
        "ServerApp.root_dir": root, "ServerApp.ip": "127.0.0.1", "ServerApp.port": options.port,
        "LabApp.default_url": f"/lab/tree/{first.as_posix()}",
    }  # fmt: skip
    given = {SHORT.get(name, name) for name in (word.lstrip("-").partition("=")[0] for word in options.passed)}
    command = [sys.executable, "-m", "jupyterlab"]
    command += [f"--{name}={value}" for name, value in settings.items() if name not in given]
    command += ["--no-browser"] if options.no_browser or not _has_browser() else []
    command += ["--allow-root"] if options.allow_root else []
    command += options.passed
    if subprocess.call(command):
        raise RuntimeError(_advice(command, options.port))
    return f"The notebooks remain in {notebooks}", {"notebooks": str(notebooks)}


def _has_browser() -> bool:
    try:
        webbrowser.get()
    except webbrowser.Error:
        print("fr-explore: no web browser is installed here: open the address that follows.", file=sys.stderr)
        return False
    return True


def _advice(command: Sequence[str], port: int) -> str:
    """Why JupyterLab may have refused to start, and what to do."""
    if hasattr(os, "geteuid") and os.geteuid() == 0 and "--allow-root" not in command:
        return "JupyterLab does not run as root unless you allow it: add --allow-root, or use another account."
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return f"port {port}: {error.strerror}: choose another one with --port, from 1024 to 65535."
    return f"JupyterLab ended with an error: see above, or try `{' '.join(command[:3])} --debug`."


def lay_out(folder: Path) -> tuple[Path, bool]:
    """The notebooks' folder, and whether they were copied there now. Existing files are never changed."""
    folder = folder.expanduser().resolve()
    for place in (folder, folder / "notebooks"):
        if (place / FIRST).is_file():
            return place, False
    target = folder / "notebooks"
    if target.exists() and any(target.iterdir()):
        raise FileExistsError(f"{str(target)!r} is not the course folder and is not empty: choose another folder.")
    source = packaged()
    for path in sorted(source.rglob("*")):
        below = path.relative_to(source)
        if path.is_file() and not any(part.startswith(".") or part == "__pycache__" for part in below.parts):
            (target / below).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / below)
    return target, True


def packaged() -> Path:
    """The notebooks of this installation: in the wheel, or in the repository that it was installed from."""
    for place in (PACKAGE / "notebooks", PACKAGE.parent / "notebooks"):
        if (place / FIRST).is_file():
            return place
    raise FileNotFoundError("this installation has no notebooks: pip install --force-reinstall fr-explore.")
