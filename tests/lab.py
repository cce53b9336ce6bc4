"""A real JupyterLab in a real Chromium, for the browser tests and the latency benchmark.

`Lab` starts a server of its own on the loopback interface, with a token and with settings in a temporary folder;
`Notebook` opens a notebook in a page, runs it, and asks its kernel for values.
"""

from __future__ import annotations

import ast
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client import BlockingKernelClient
from playwright.sync_api import Browser, Locator, Page, TimeoutError, sync_playwright

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
KERNELSPEC = {"name": "python3", "display_name": "Python 3", "language": "python"}


def find_chromium() -> str | None:
    """The path of an installed Chromium, or None."""
    return next(filter(None, map(shutil.which, CHROMIUM)), None)


def missing_chromium() -> str:
    """What to do without one."""
    return (
        f"the browser tests need Chromium, and none of {', '.join(CHROMIUM)} is on the PATH: apt-get install chromium "
        "(Debian), snap install chromium (Ubuntu), brew install --cask chromium (macOS)."
    )


def until(true: Callable[[], Any], seconds: float = 20.0) -> Any:
    """Wait until `true()` holds, and return it; on failure the last falsy value is shown."""
    end = time.monotonic() + seconds
    while not (value := true()):
        assert time.monotonic() < end, f"still {value!r} after {seconds:g} s"
        time.sleep(0.05)
    return value


@contextmanager
def chromium(flags: Sequence[str] = ()) -> Iterator[Browser]:
    """The system's Chromium, headless, with `flags` of its own; RuntimeError with what to install if there is none."""
    path = find_chromium()
    if path is None:
        raise RuntimeError(missing_chromium())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*FLAGS, *flags])
        try:
            yield browser
        finally:
            browser.close()


class Lab:
    """A JupyterLab server that ends with its `with` block. Notebooks live in `folder`, settings in `home`."""

    def __init__(self, home: Path, folder: Path, theme: str = "JupyterLab Light") -> None:
        self.home, self.folder, self.theme = home, folder, theme
        self.token = secrets.token_hex(16)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{probe.getsockname()[1]}"

    def __enter__(self) -> Lab:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._write_settings()
        port = self.url.rpartition(":")[2]
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}"]
        command += [
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={self.folder}",
            "--ServerApp.use_redirect_file=False",
        ]
        command += [f"--IdentityProvider.token={self.token}", "--LabApp.expose_app_in_browser=True"]
        command += ["--JupyterNotebookApp.expose_app_in_browser=True"]
        command += ["--LabApp.extension_manager=readonly", "--allow-root"]
        self._log = open(self.home / "jupyterlab.log", "w", encoding="utf-8")
        self._server = subprocess.Popen(command, env=self._environment(), stdout=self._log, stderr=subprocess.STDOUT)
        try:
            self._wait_until_up()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._server.terminate()
        try:
            self._server.wait(20)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        self._log.close()

    def get(self, path: str) -> Any:
        """A GET of the server's REST interface, as parsed JSON."""
        request = urllib.request.Request(f"{self.url}/{path}", headers={"Authorization": f"token {self.token}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def write(self, name: str, cells: Sequence[str]) -> str:
        """A notebook of code cells in the server's folder; returns its name."""
        notebook = nbformat.v4.new_notebook(metadata={"kernelspec": KERNELSPEC})
        notebook.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
        nbformat.write(notebook, self.folder / name)
        return name

    def end_kernels(self) -> None:
        """End every kernel of this server."""
        for session in self.get("api/sessions"):
            request = urllib.request.Request(
                f"{self.url}/api/sessions/{session['id']}",
                headers={"Authorization": f"token {self.token}"},
                method="DELETE",
            )
            urllib.request.urlopen(request, timeout=30).close()

    @contextmanager
    def kernel(self, notebook: str) -> Iterator[BlockingKernelClient]:
        """A second client of the kernel that runs `notebook`."""
        sessions = [s for s in self.get("api/sessions") if s["path"].endswith(notebook)]
        if not sessions:
            raise LookupError(f"{notebook} has no kernel yet: open and run it first.")
        client = BlockingKernelClient()
        client.load_connection_file(str(self.home / "runtime" / f"kernel-{sessions[0]['kernel']['id']}.json"))
        client.start_channels()
        try:
            client.wait_for_ready(timeout=30)
            yield client
        finally:
            client.stop_channels()

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "JUPYTER_CONFIG_DIR": str(self.home / "config"),
            "JUPYTER_DATA_DIR": str(self.home / "data"),
            "JUPYTER_RUNTIME_DIR": str(self.home / "runtime"),
            "JUPYTERLAB_SETTINGS_DIR": str(self.home / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(self.home / "workspaces"),
            "IPYTHONDIR": str(self.home / "ipython"),
        }

    def _write_settings(self) -> None:
        settings = self.home / "settings" / "@jupyterlab" / "apputils-extension"
        settings.mkdir(parents=True, exist_ok=True)
        silent = {"fetchNews": "false", "checkForUpdates": False}
        (settings / "notification.jupyterlab-settings").write_text(json.dumps(silent))
        (settings / "themes.jupyterlab-settings").write_text(json.dumps({"theme": self.theme}))

    def _wait_until_up(self, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self._server.poll() is not None:
                break
            try:
                self.get("api/status")
                return
            except OSError:  # not listening yet
                time.sleep(0.1)
        log = (self.home / "jupyterlab.log").read_text(encoding="utf-8")[-2000:]
        raise RuntimeError(f"JupyterLab did not start within {seconds:g} s. The end of its log:\n{log}")


class Notebook:
    """One notebook, open in a page of its own."""

    def __init__(
        self, lab: Lab, browser: Browser, name: str, width: int = 1200, height: int = 1000, host: str = "lab/tree"
    ) -> None:
        """`host` is the server's path of the application: "lab/tree" for JupyterLab, "notebooks" for Notebook 7."""
        self.lab, self.name = lab, name
        self.context = browser.new_context(viewport={"width": width, "height": height})
        self.page: Page = self.context.new_page()
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(f"{lab.url}/{host}/{name}?token={lab.token}&reset", timeout=120_000)
        self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=120_000)
        self.page.wait_for_function(
            "() => window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'",
            timeout=120_000,
        )
        # more room, and nothing beside the notebook that could catch a key
        if host == "lab/tree":
            self.page.evaluate("window.jupyterapp.shell.collapseLeft()")

    def __enter__(self) -> Notebook:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()

    def command(self, name: str) -> None:
        """Run one of JupyterLab's commands without waiting for its end."""
        self.page.evaluate("(name) => { window.jupyterapp.commands.execute(name); }", name)

    def run_all(self) -> None:
        """Run every cell and wait until the kernel is idle again."""
        self.page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")

    def wait_for(self, selector: str, seconds: float = 60) -> Locator:
        """The first element that matches, once it is visible; on failure the error says what the cells printed."""
        found = self.page.locator(selector).first
        try:
            found.wait_for(timeout=1000 * seconds)
        except TimeoutError as problem:
            printed = "\n".join(self.page.locator(".jp-OutputArea-output").all_inner_texts())[-3000:]
            raise AssertionError(
                f"{selector} did not show within {seconds:g} s. Errors of the page: {self.errors}. "
                f"The cells printed:\n{printed}"
            ) from problem
        return found

    def save(self) -> None:
        """Save the notebook and wait until it is on disk."""
        before = (self.lab.folder / self.name).stat().st_mtime_ns
        self.command("docmanager:save")
        end = time.monotonic() + 30
        while (self.lab.folder / self.name).stat().st_mtime_ns == before:
            if time.monotonic() > end:
                raise AssertionError(f"{self.name} was not saved within 30 s.")
            self.page.wait_for_timeout(100)

    def restart(self) -> None:
        """Restart the kernel without asking."""
        self.page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")

    def value(self, expression: str) -> Any:
        """The value of a Python expression in the notebook's kernel, for values with a literal form."""
        return ast.literal_eval(self._ask("", expression))

    def execute(self, code: str) -> None:
        """Run statements in the notebook's kernel, as another cell would."""
        self._ask(code, "None")

    def _ask(self, code: str, expression: str) -> str:
        with self.lab.kernel(self.name) as client:
            message = client.execute(code, silent=True, user_expressions={"x": expression}, reply=True, timeout=60)
        content = message["content"]
        result = content["user_expressions"]["x"] if content["status"] == "ok" else content
        if result["status"] != "ok":
            raise RuntimeError(f"{code or expression}: {result['ename']}: {result['evalue']}")
        return result["data"]["text/plain"]
