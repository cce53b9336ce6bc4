"""`fr-explore lab`: open the course in JupyterLab, in any folder."""

from __future__ import annotations

import shutil
import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

__all__ = ["lab", "lay_out", "packaged"]

PACKAGE = Path(__file__).parent.parent
FIRST = "00-first-light.ipynb"


def lab(options: Namespace) -> tuple[str, Any]:
    """Serve the folder on the loopback interface; JupyterLab requires its token, which is part of the address."""
    notebooks, fresh = lay_out(Path(options.folder))
    if fresh:
        print(f"fr-explore: the notebooks are in {notebooks}", file=sys.stderr)
    root = notebooks.parent if notebooks.name == "notebooks" else notebooks
    first = (notebooks / FIRST).relative_to(root)
    command = [
        sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={root}", "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={options.port}", f"--LabApp.default_url=/lab/tree/{first.as_posix()}",
        *(["--no-browser"] if options.no_browser else []),
    ]  # fmt: skip
    if subprocess.call(command):
        raise RuntimeError(f"JupyterLab ended with an error: see above, or try `{' '.join(command[:3])} --debug`.")
    return f"The notebooks remain in {notebooks}", {"notebooks": str(notebooks)}


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
