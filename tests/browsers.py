"""The installed browsers, headless: Chromium through Playwright, Firefox through Mozilla's own driver."""

from __future__ import annotations

import importlib.util
import os
import shutil
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, sync_playwright

__all__ = ["chromium", "find_chromium", "firefox", "missing_chromium", "missing_firefox", "until"]

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
FIREFOX = ("firefox-esr", "firefox")


def find_chromium() -> str | None:
    """The path of an installed Chromium, or None."""
    return next(filter(None, map(shutil.which, CHROMIUM)), None)


def missing_chromium() -> str:
    """The error message when there is no Chromium: how to install one."""
    return (
        f"The browser tests need Chromium, but none of {', '.join(CHROMIUM)} is on the PATH. Install it: "
        "apt-get install chromium (Debian), snap install chromium (Ubuntu), brew install --cask chromium (macOS)."
    )


def missing_firefox() -> str | None:
    """The error message when Firefox or its driver is missing; None if both are there."""
    if not any(map(shutil.which, FIREFOX)):
        return (
            f"The tests in a second browser need Firefox, but none of {', '.join(FIREFOX)} is on the PATH. Install it: "
            "apt-get install firefox-esr (Debian), snap install firefox (Ubuntu), brew install --cask firefox (macOS)."
        )
    if importlib.util.find_spec("marionette_driver") is None:
        return "Playwright cannot drive an installed Firefox; Mozilla's driver can: pip install marionette_driver."
    return None


@contextmanager
def firefox() -> Iterator[Any]:
    """The system's Firefox, headless, as a `Marionette` with a session. Without Firefox: RuntimeError, what to do."""
    if problem := missing_firefox():
        raise RuntimeError(problem)
    with warnings.catch_warnings():  # Mozilla's packages use what Python has deprecated
        warnings.simplefilter("ignore")
        from marionette_driver.marionette import Marionette

        path = next(filter(None, map(shutil.which, FIREFOX)))
        driver = Marionette(bin=path, headless=True, gecko_log=os.devnull, port=0)  # a free one: tests run side by side
        try:
            driver.start_session()
            driver.timeout.script = 60
            yield driver
        finally:
            driver.cleanup()


def until(true: Callable[[], Any], seconds: float = 40.0) -> Any:
    """Wait until `true()` returns something true, and return it. The failure shows the last false value."""
    end = time.monotonic() + seconds
    while not (value := true()):
        assert time.monotonic() < end, f"still {value!r} after {seconds:g} s"
        time.sleep(0.05)
    return value


@contextmanager
def chromium(flags: Sequence[str] = ()) -> Iterator[Browser]:
    """The system's Chromium, headless, with additional `flags`. Without Chromium: RuntimeError with what to install."""
    path = find_chromium()
    if path is None:
        raise RuntimeError(missing_chromium())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*FLAGS, *flags])
        try:
            yield browser
        finally:
            browser.close()
