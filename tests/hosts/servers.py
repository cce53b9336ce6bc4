"""Other hosts than JupyterLab, as servers on loopback: marimo, and JupyterHub behind a prefix."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODULES = ROOT / "build" / "hosts" / "node_modules" / ".bin"
PROXY = shutil.which("configurable-http-proxy", path=os.pathsep.join([str(MODULES), os.environ["PATH"]]))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serving(command: Sequence[str], url: str, folder: Path, seconds: float = 120) -> Iterator[str]:
    """Run a server until the block ends, and give its address once it answers. Its settings and log are in `folder`."""
    homes = {
        name: str(folder / "home") for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "JUPYTER_CONFIG_DIR", "IPYTHONDIR")
    }
    log = folder / "log.txt"
    with open(log, "w", encoding="utf-8") as written:
        server = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **homes}, stdout=written, stderr=subprocess.STDOUT
        )
        try:
            end = time.monotonic() + seconds
            while not _answers(url):
                if server.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"{command[:4]} does not answer at {url}:\n{log.read_text()[-3000:]}")
                time.sleep(0.2)
            yield url
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=5).close()
        return True
    except OSError:  # also an error's page: the hub's proxy answers before the hub is there
        return False


@contextmanager
def marimo(notebook: Path, mode: str) -> Iterator[str]:
    """`marimo run` or `marimo edit` with a notebook."""
    port = free_port()
    options = ["--headless", "--no-token", "--host", "127.0.0.1", "--port", str(port)]
    command = [sys.executable, "-m", "marimo", mode, *options, str(notebook)]
    with serving(command, f"http://127.0.0.1:{port}/", notebook.parent) as url:
        yield url


HUB = """
c.JupyterHub.bind_url = {url!r}
c.JupyterHub.hub_port = {hub}
c.JupyterHub.db_url = "sqlite:///:memory:"
c.JupyterHub.cookie_secret = b"0" * 32
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = "only on loopback"
c.DummyAuthenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = {home!r}
c.Spawner.cmd = [{python!r}, "-m", "jupyterhub.singleuser"]
c.Spawner.args = ["--LabApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly", "--allow-root"]
c.Spawner.env_keep = ["PATH", "PYTHONPATH", "OMP_NUM_THREADS", "FR_EXPLORE_CACHE", "LANG"]
c.Spawner.start_timeout = c.Spawner.http_timeout = 180
c.ConfigurableHTTPProxy.command = [{proxy!r}]
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api}"
c.ConfigurableHTTPProxy.auth_token = "0123456789abcdef"
"""


@contextmanager
def hub(folder: Path) -> Iterator[str]:
    """JupyterHub behind the prefix /teaching/lab/; the home of each user is a folder of `folder`."""
    url = f"http://127.0.0.1:{free_port()}/teaching/lab/"
    home = str(folder / "{username}")
    text = HUB.format(url=url, hub=free_port(), api=free_port(), home=home, python=sys.executable, proxy=PROXY)
    (folder / "hub.py").write_text(text, encoding="utf-8")
    with serving([sys.executable, "-m", "jupyterhub", "-f", "hub.py"], f"{url}hub/login", folder) as _:
        yield url


def missing_proxy() -> str | None:
    """What to do if JupyterHub's proxy is not installed."""
    if PROXY and shutil.which("node"):
        return None
    return "JupyterHub needs configurable-http-proxy, from npm, and node: make test-hosts installs the proxy."
