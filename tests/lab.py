"""A real JupyterLab in a real Chromium, for the browser tests and the benchmarks.

`Lab` starts a server on the loopback interface, with its own token and its settings in a temporary folder.
`Notebook` opens a notebook in a page, runs it, and asks its kernel for values. The fixtures `jupyterlab` and `browser`
of conftest.py give each test process one server and one browser.
"""

from __future__ import annotations

import ast
import json
import os
import re
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import nbformat
from browsers import chromium, find_chromium, firefox, missing_chromium, missing_firefox, until
from jupyter_client import BlockingKernelClient
from playwright.sync_api import Browser, Error, Locator, Page, TimeoutError

__all__ = ["Lab", "Notebook", "chromium", "find_chromium", "firefox", "missing_chromium", "missing_firefox", "until"]

KERNELSPEC = {"name": "python3", "display_name": "Python 3", "language": "python"}
OPEN = """async (path) => {
  const notebook = await window.jupyterapp.commands.execute("docmanager:open", { path, factory: "Notebook" });
  await notebook.context.ready;
  window.jupyterapp.shell.activateById(notebook.id);
}"""
IDLE = "() => window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"


class Lab:
    """A JupyterLab server that stops at the end of its `with` block. Notebooks are in `folder`, settings in `home`."""

    def __init__(self, home: Path, folder: Path) -> None:
        self.home, self.folder = home, folder
        self.token = secrets.token_hex(16)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{probe.getsockname()[1]}"

    def __enter__(self) -> Lab:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.reset_settings()
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

    def open(self, browser: Browser, width: int = 1200, height: int = 1000) -> Page:
        """JupyterLab without a notebook, in a context of its own that the caller closes."""
        page = browser.new_context(viewport={"width": width, "height": height}).new_page()
        page.goto(f"{self.url}/lab?token={self.token}&reset", timeout=120_000)
        page.wait_for_function("() => window.jupyterapp?.restored.then(() => true)", timeout=120_000)
        page.evaluate("window.jupyterapp.shell.collapseLeft()")
        return page

    def get(self, path: str) -> Any:
        """GET from the server's REST interface, as parsed JSON."""
        with self._request("GET", path) as answer:
            return json.load(answer)

    def write(self, name: str, cells: Sequence[str]) -> str:
        """Write a notebook of code cells into the server's folder. Returns its name, numbered if `name` exists."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        number = 2
        while path.exists():
            path = (self.folder / name).with_stem(f"{Path(name).stem}-{number}")
            number += 1
        notebook = nbformat.v4.new_notebook(metadata={"kernelspec": KERNELSPEC})
        notebook.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
        nbformat.write(notebook, path)
        return path.relative_to(self.folder).as_posix()

    def reset_settings(self) -> None:
        """The light theme and no notifications, whatever an earlier test has set."""
        settings = self.home / "settings" / "@jupyterlab" / "apputils-extension"
        settings.mkdir(parents=True, exist_ok=True)
        silent = {"fetchNews": "false", "checkForUpdates": False}
        (settings / "notification.jupyterlab-settings").write_text(json.dumps(silent))
        (settings / "themes.jupyterlab-settings").write_text(json.dumps({"theme": "JupyterLab Light"}))

    def end_kernel(self, notebook: str) -> None:
        """Shut down the kernel of a notebook, if it has one."""
        for session in self._sessions(notebook):
            self._request("DELETE", f"api/sessions/{session['id']}").close()

    @contextmanager
    def kernel(self, notebook: str) -> Iterator[BlockingKernelClient]:
        """A second client of the kernel that runs `notebook`."""
        sessions = self._sessions(notebook)
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

    def _sessions(self, notebook: str) -> list[dict[str, Any]]:
        return [session for session in self.get("api/sessions") if session["path"] == notebook]

    def _request(self, method: str, path: str) -> Any:
        headers = {"Authorization": f"token {self.token}"}
        request = urllib.request.Request(f"{self.url}/{path}", headers=headers, method=method)
        return urllib.request.urlopen(request, timeout=30)

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
    """One notebook in JupyterLab. At the end of the `with` block it closes and its kernel shuts down."""

    def __init__(
        self,
        lab: Lab,
        where: Browser | Page,
        name: str,
        width: int = 1200,
        height: int = 1000,
        host: str = "lab/tree",
        keep_kernel: bool = False,
    ) -> None:
        """In a browser it opens in a page of its own; in a page of `Lab.open`, which is quicker, as a tab.

        `host` is the server's path of the application: "lab/tree" for JupyterLab, "notebooks" for Notebook 7.
        """
        self.lab, self.name, self.keep_kernel = lab, name, keep_kernel
        self.errors: list[str] = []
        self.is_tab = isinstance(where, Page)
        if isinstance(where, Page):
            self.page = where
            self.page.on("pageerror", self._note_error)
            self.page.evaluate(OPEN, name)
        else:
            lab.reset_settings()
            self.page = where.new_context(viewport={"width": width, "height": height}).new_page()
            self.page.on("pageerror", self._note_error)
            self.page.goto(f"{lab.url}/{host}/{name}?token={lab.token}&reset", timeout=120_000)
        self.context = self.page.context
        self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=120_000)
        self.page.wait_for_function(IDLE, timeout=120_000)
        # more room, and nothing beside the notebook that could catch a key
        if host == "lab/tree" and not self.is_tab:
            self.page.evaluate("window.jupyterapp.shell.collapseLeft()")

    def __enter__(self) -> Notebook:
        return self

    def __exit__(self, *_: object) -> None:
        if self.is_tab:
            self.page.evaluate("window.jupyterapp.shell.currentWidget.dispose()")
            self.page.remove_listener("pageerror", self._note_error)
        else:
            self.context.close()
        if not self.keep_kernel:
            self.lab.end_kernel(self.name)

    def command(self, name: str) -> None:
        """Start one of JupyterLab's commands without waiting until it is done."""
        self.page.evaluate("(name) => { window.jupyterapp.commands.execute(name); }", name)

    def run_all(self) -> None:
        """Run every cell and wait until the last one is done."""
        self.page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")

    def wait_for(self, selector: str, seconds: float = 60) -> Locator:
        """The first element that matches, once it is visible. The failure shows what the cells printed."""
        found = self.page.locator(selector).first
        try:
            found.wait_for(timeout=1000 * seconds)
        except TimeoutError as problem:
            printed = "\n".join(self.page.locator(".jp-OutputArea-output").all_inner_texts())[-3000:]
            raise AssertionError(
                f"{selector} did not appear within {seconds:g} s. Errors of the page: {self.errors}. "
                f"The cells printed:\n{printed}"
            ) from problem
        return found

    def save(self) -> None:
        """Save the notebook and wait until it is on disk."""
        path = self.lab.folder / self.name
        before = path.stat().st_mtime_ns
        self.command("docmanager:save")
        until(lambda: path.stat().st_mtime_ns != before)

    def change_theme(self, theme: Literal["Light", "Dark"]) -> None:
        """Change JupyterLab's theme and wait until JupyterLab has changed it completely."""
        name = f"JupyterLab {theme}"
        self.page.evaluate("(theme) => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", name)
        # JupyterLab raises an error of its own when the theme changes again before its splash screen is gone
        self.page.wait_for_function(
            "(name) => document.body.dataset.jpThemeName === name && !document.getElementById('jupyterlab-splash')",
            arg=name,
        )

    def restart(self) -> None:
        """Restart the kernel without asking."""
        self.page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")

    def content(self) -> nbformat.NotebookNode:
        """The notebook as the page has it, outputs included."""
        text = self.page.evaluate("JSON.stringify(window.jupyterapp.shell.currentWidget.content.model.toJSON())")
        return nbformat.reads(text, as_version=4)

    def value(self, expression: str) -> Any:
        """The value of a Python expression in the notebook's kernel, for values with a literal form."""
        return ast.literal_eval(self._ask("", expression))

    def execute(self, code: str) -> None:
        """Run statements in the notebook's kernel, as another cell would."""
        self._ask(code, "None")

    def _note_error(self, error: Error) -> None:
        # JupyterLab raises this for each message that a kernel had not answered when the test ended it
        if not re.search(r"Canceled future for \w+ message before replies were done", error.message):
            self.errors.append(str(error))

    def _ask(self, code: str, expression: str) -> str:
        with self.lab.kernel(self.name) as client:
            message = client.execute(code, silent=True, user_expressions={"x": expression}, reply=True, timeout=60)
        content = message["content"]
        result = content["user_expressions"]["x"] if content["status"] == "ok" else content
        if result["status"] != "ok":
            raise RuntimeError(f"{code or expression}: {result['ename']}: {result['evalue']}")
        return result["data"]["text/plain"]
