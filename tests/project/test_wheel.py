"""The wheel has the packages, the course and every front-end file and asset, works alone, and leaves nothing behind."""

import json
import os
import re
import site
import socket
import subprocess
import sys
import time
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# JupyterLab 4.2 writes a file there when it starts
LABS_OWN = Path("etc/jupyter/labconfig")
REPOSITORY = "https://github.com/fr-explore/fr-explore"
# what only a copy of the repository has
COPY_ONLY = re.compile(
    r"\bmake (?:help|lab|test|lint|format|notebooks|bench|slides|site|clean)\b|\b(?:benchmarks|tools|tests|binder)/"
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    # the build back end is installed, so the build needs neither isolation nor network
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = out.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def names(wheel) -> set[str]:
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
    assert not [name for name in names if name.startswith("fr_explore/notebooks/source")]


def _course(wheel: Path) -> dict[str, str]:
    """The texts of the course: path below notebooks/ -> what a reader sees (without outputs)."""
    texts = {}
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.startswith("fr_explore/notebooks/"):
                text = archive.read(name).decode()
                if name.endswith(".ipynb"):
                    text = "\n\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])
                texts[name.removeprefix("fr_explore/notebooks/")] = text
    return texts


def _names_of_a_copy(text: str) -> list[str]:
    """A link to the repository may name its files: everybody can follow it."""
    return COPY_ONLY.findall(re.sub(rf"\[[^\]]*\]\({re.escape(REPOSITORY)}[^)]*\)", "", text))


def test_the_course_names_only_what_an_installed_user_has(wheel):
    assert _names_of_a_copy("run `make lab`, see benchmarks/power.py") == ["make lab", "benchmarks/"]
    assert _names_of_a_copy(f"see [power.py]({REPOSITORY}/blob/main/benchmarks/power.py) and make the most of it") == []
    course = _course(wheel)
    assert "GUIDE.md" in course
    assert {name: found for name, text in course.items() if (found := _names_of_a_copy(text))} == {}


def test_links_between_files_of_the_course_lead_somewhere(wheel):
    course, broken = _course(wheel), []
    for name, text in course.items():
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
            path = os.path.normpath(Path(name).parent / target)
            if not re.match(r"[a-z]+:", target) and path not in course:
                broken.append((name, target))
    assert broken == []


def test_links_to_the_repository_name_files_of_it(wheel):
    linked = {
        name for text in _course(wheel).values() for name in re.findall(rf"{REPOSITORY}/blob/main/([^)#]+)", text)
    }
    assert linked, "no link found: has the address changed?"
    assert [name for name in linked if not (ROOT / name).is_file()] == []


class Installed:
    """The wheel in a virtual environment of its own, beside the packages of the one that runs the tests."""

    def __init__(self, wheel: Path, folder: Path) -> None:
        self.prefix, self.home = folder / "v", folder / "home"
        self.home.mkdir()
        venv.create(self.prefix, symlinks=True)
        self.before = self.files()
        self.uv("install", "--no-deps", str(wheel))
        self.package = next(self.prefix.rglob("fr_explore/__init__.py")).parent
        share = Path(sys.prefix) / "share" / "jupyter"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "PYTHON"))},
            "HOME": str(self.home),
            "PYTHONPATH": os.pathsep.join([str(self.package.parent), *site.getsitepackages()]),
            "JUPYTERLAB_DIR": str(share / "lab"),
            "JUPYTER_PATH": str(share),
            "FR_EXPLORE_CACHE": str(self.home / "cache"),
        }

    def uv(self, action: str, *words: str) -> None:
        command = [
            sys.executable,
            "-m",
            "uv",
            "pip",
            action,
            "--quiet",
            "--offline",
            "--python",
            str(self.prefix),
            *words,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def files(self) -> set[str]:
        """Without the lock of uv, which installs here."""
        found = (path.relative_to(self.prefix) for path in self.prefix.rglob("*") if not path.is_dir())
        return {str(path) for path in found if path.name != ".lock"}

    def start(self, *words: str) -> subprocess.Popen:
        command = [str(self.prefix / "bin" / words[0]), *words[1:]]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env=self.environment, cwd=self.home, stdout=pipe, stderr=pipe, text=True)

    def run(self, *words: str) -> str:
        process = self.start(*words)
        out, errors = process.communicate(timeout=240)
        assert process.returncode == 0, out + errors
        return out


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Installed:
    return Installed(wheel, tmp_path_factory.mktemp("installed"))


def test_the_doctor_finds_an_installed_wheel_in_order(installed):
    report = installed.run("fr-explore", "doctor")
    assert f"12 in {installed.package / 'notebooks'}" in report
    assert "fault" not in report


def test_the_tables_that_the_notebooks_read_come_with_the_wheel(installed):
    lines = [
        "from fr_explore_widgets import course",
        "print(course.measured.__code__.co_filename)",
        "print(len(course.measured('controlled')))",
    ]
    file, rows = installed.run("python", "-c", "; ".join(lines)).split()
    assert Path(file).is_relative_to(installed.prefix)
    assert int(rows) == len((ROOT / "benchmarks/results/controlled.csv").read_text().splitlines()) - 1


def test_the_lab_serves_the_course_and_changes_no_settings_of_jupyter(installed):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--no-browser", "--allow-root", f"--port={port}", "--IdentityProvider.token=known"]
    process = installed.start("fr-explore", "lab", "class", *options)

    def ask(path: str, method: str = "GET") -> bytes:
        headers = {"Authorization": "token known"}
        request = urllib.request.Request(f"http://127.0.0.1:{port}/{path}", headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read()

    try:
        end = time.monotonic() + 120
        while True:
            try:
                served = json.loads(ask("api/contents/notebooks"))
                break
            except OSError:
                assert process.poll() is None, process.communicate()
                assert time.monotonic() < end, "JupyterLab did not answer within two minutes"
                time.sleep(0.2)
        assert b"jupyter-config-data" in ask("lab/tree/notebooks/00-first-light.ipynb")
        ask("api/shutdown", "POST")
        out, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, errors
    assert out.strip() == f"The notebooks remain in {installed.home / 'class' / 'notebooks'}"
    listed = {item["name"] for item in served["content"]}
    assert listed == {path.name for path in (installed.package / "notebooks").iterdir()}
    # JupyterLab keeps a mark and its workspaces there; settings would be files of this kind
    assert list(installed.home.rglob("*config*.*")) == []
    assert {path.name for path in installed.prefix.glob("etc/jupyter/*")} <= {LABS_OWN.name}


def test_uninstalling_leaves_nothing_behind(installed):
    compiled = [path for path in installed.files() if "fr_explore" in path and path.endswith(".pyc")]
    assert compiled, "the tests before this one have imported it"
    installed.uv("uninstall", "fr-explore")
    left = installed.files() - installed.before
    assert {name for name in left if LABS_OWN not in Path(name).parents} == set()
    assert not installed.package.exists()
