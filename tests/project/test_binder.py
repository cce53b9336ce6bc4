"""Binder: its files agree with the project, its steps run in a clean environment, its links lead to notebooks."""

import os
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
import tomllib
import venv
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import launch_links  # noqa: E402  (a tool, not a package)

sys.path.pop(0)
CONDA_NAMES = {"torch": "pytorch-cpu"}  # name in the project -> name on conda-forge, if they differ
VERSIONS = [Version(f"{a}.{b}.{c}") for a in range(31) for b in (*range(31), 64, 99) for c in (0, 1, 3, 20)]


def environment():
    entries = yaml.safe_load((ROOT / "binder" / "environment.yml").read_text())["dependencies"]
    pip = next(entry["pip"] for entry in entries if isinstance(entry, dict))
    conda = [entry for entry in entries if isinstance(entry, str)]
    listed = [entry.replace("python=", "python==") for entry in [*conda, *pip]]
    return {requirement.name: requirement for requirement in map(Requirement, listed)}


def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def stricter(theirs, ours):
    """Whether the project allows every version that environment.yml allows."""
    return all(version in ours for version in VERSIONS if version in theirs)


@pytest.mark.parametrize("requirement", project()["dependencies"])
def test_every_requirement_is_in_the_environment_with_a_version_that_fits(requirement):
    wanted = Requirement(requirement)
    installed = environment().get(CONDA_NAMES.get(wanted.name, wanted.name))
    assert installed is not None, f"binder/environment.yml lacks {wanted.name}"
    assert stricter(installed.specifier, wanted.specifier), f"{installed} allows versions that {wanted} excludes"


@pytest.mark.parametrize("path", ["binder/postBuild", "Makefile"])
def test_the_package_with_networks_comes_without_its_requirements(path):
    (wanted,) = project()["optional-dependencies"]["models"]
    assert f"--no-deps '{wanted}'" in (ROOT / path).read_text()


def test_the_comparison_of_versions_can_fail():
    assert stricter(Requirement("x>=2.5").specifier, Requirement("x>=2.4").specifier)
    assert not stricter(Requirement("x>=2.3").specifier, Requirement("x>=2.4").specifier)
    assert not stricter(Requirement("x").specifier, Requirement("x<0.12").specifier)


def test_python_is_given_and_supported():
    given = re.search(r"- python=(\S+)", (ROOT / "binder" / "environment.yml").read_text())
    assert given
    assert Version(given[1]) in Requirement(f"python{project()['requires-python']}").specifier


@pytest.mark.parametrize("path", launch_links.notebooks())
def test_a_launch_link_names_repository_tag_and_notebook(path):
    parts = urlsplit(launch_links.link(path))
    assert parts.netloc == "mybinder.org"
    kind, host, owner, name, tag = parts.path.strip("/").split("/")
    assert (kind, host) == ("v2", "gh")
    assert f"/{owner}/{name}" == urlsplit(project()["urls"]["Repository"]).path
    assert tag == f"v{project()['version']}"
    inside = parse_qs(parts.query)["urlpath"][0]
    assert inside.startswith("lab/tree/")
    assert (ROOT / unquote(inside.removeprefix("lab/tree/"))).is_file()


def test_readme_has_current_links_and_its_badge_opens_the_first_notebook():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert launch_links.with_table(text) == text, "run python tools/launch_links.py --fix"
    badge = re.search(rf"{re.escape(launch_links.BADGE)}\)\]\((\S+)\)", text)
    assert badge
    assert badge[1] == launch_links.link("notebooks/00-first-light.ipynb")
    with pytest.raises(ValueError, match="lacks the markers"):
        launch_links.with_table("# a README without markers")


def test_start_sets_one_thread_and_runs_the_command():
    done = subprocess.run(
        [ROOT / "binder" / "start", sys.executable, "-c", "import os; print(os.environ['OMP_NUM_THREADS'])"],
        env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "1\n"


NO_NETWORK = """
import socket
def refuse(self, address, connect=socket.socket.connect):
    if self.family != socket.AF_UNIX and not str(address[0]).startswith("127."):
        raise OSError(f"no network here, but something tried to reach {address}")
    return connect(self, address)
socket.socket.connect = refuse
"""


def post_build(checkout, env):
    command = ["bash", checkout / "binder" / "postBuild"]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


@pytest.fixture
def clean(tmp_path):
    """A checkout, and an environment with the requirements, as conda would install them, but without the project."""
    checkout, prefix = tmp_path / "checkout", tmp_path / "env"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, checkout / name)
    venv.create(prefix)
    site = next(prefix.glob("lib/python*/site-packages"))
    # a folder in a .pth file is searched for modules, pip among them, but its own .pth files (the editable project's)
    # are not read
    (site / "requirements.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (site / "sitecustomize.py").write_text(NO_NETWORK)
    env = {
        "PATH": f"{prefix / 'bin'}:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "FR_EXPLORE_CACHE": str(tmp_path / "cache"),
    }
    return checkout, env


@pytest.mark.slow
@pytest.mark.notebook  # filling the caches executes a notebook
def test_post_build_installs_the_project_and_fills_the_caches_without_a_network(clean, tmp_path):
    checkout, env = clean
    done = post_build(checkout, env)
    assert done.returncode == 0, done.stderr[-3000:]
    say = "import fr_explore, fr_explore_widgets; print(fr_explore.__file__)"
    found = subprocess.run(
        ["python", "-c", say], env=env, cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert str(tmp_path / "env") in found, "postBuild did not install the project: it was imported from elsewhere"
    assert len(list((tmp_path / "cache").rglob("*"))) > 1, "the cache is empty"


@pytest.mark.slow
def test_post_build_stops_at_the_first_failure(clean, tmp_path):
    checkout, env = clean
    (checkout / "pyproject.toml").write_text("not a project")
    done = post_build(checkout, env)
    assert done.returncode != 0
    assert "TOML" in done.stderr
    assert not (tmp_path / "cache").exists(), "it continued to the notebook"


def test_the_network_guard_can_fail(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", NO_NETWORK + "socket.create_connection(('192.0.2.1', 80), 1)"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "no network here" in done.stderr
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = NO_NETWORK + f"socket.create_connection({server.getsockname()!r}, 5)"
        subprocess.run([sys.executable, "-c", code], check=True)
