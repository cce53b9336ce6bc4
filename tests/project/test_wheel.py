"""The wheel contains the two packages, every front-end file and every asset, and nothing else."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def names(tmp_path_factory) -> set[str]:
    out = tmp_path_factory.mktemp("wheel")
    # the build back end is installed, so the build needs neither isolation nor network
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = out.glob("*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


def test_top_level_names(names):
    top = {name.split("/")[0] for name in names}
    packages = {name for name in top if not name.endswith((".dist-info", ".data"))}
    assert packages == {"fr_explore", "fr_explore_widgets"}
    # nothing outside the packages: an installation leaves the user's Jupyter server as it is
    assert not [name for name in names if ".data/" in name]


def test_every_source_and_asset_is_inside(names):
    missing = []
    for package in ("fr_explore", "widgets/fr_explore_widgets"):
        for path in (ROOT / package).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                inside = str(path.relative_to((ROOT / package).parent))
                missing += [inside] if inside not in names else []
    assert missing == []
    assert any(name.endswith(".js") for name in names)
    assert any(name.startswith("fr_explore/assets/") for name in names)


def test_it_has_no_tests_and_has_the_notebooks_for_the_command(names):
    assert not [name for name in names if "test" in name]
    inside = {name for name in names if name.endswith(".ipynb")}
    assert "fr_explore/notebooks/00-first-light.ipynb" in inside  # for `fr-explore lab`
    assert not [name for name in inside if not name.startswith("fr_explore/notebooks/")]
