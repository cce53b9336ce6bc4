"""Tests in hosts that `make test` does not start; `make test-hosts` installs and runs them."""

import importlib.util
import os

import cdn
import pytest
import servers


@pytest.fixture(scope="session")
def hosts():
    """On a build machine a missing host is a failure, not a test that was left out."""
    lacks = [name for name in ("marimo", "jupyterhub", "myst_nb") if importlib.util.find_spec(name) is None]
    problem = f"not installed: {', '.join(lacks)}. Run make test-hosts." if lacks else ""
    problem = problem or servers.missing_proxy() or cdn.missing()
    if problem:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(problem)
