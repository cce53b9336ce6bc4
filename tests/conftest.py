"""Shared fixtures: an empty cache, avatars, a network, and one browser and one JupyterLab server per process."""

import os

import hypothesis
import pytest
import shape_checks

# its limit of 200 ms for an example tells how busy the machine is
hypothesis.settings.register_profile("busy", deadline=None)
hypothesis.settings.load_profile("busy")
shape_checks.install("fr_explore")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """For `--dist loadgroup`: keep a module in one process, unless its tests name groups; start the longest first."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
    items.sort(key=_rank)


def _rank(item):
    kinds = ("notebook", "browser")
    return next((rank for rank, kind in enumerate(kinds) if item.get_closest_marker(kind)), len(kinds))


@pytest.fixture(scope="session", autouse=True)
def _private_cache(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setenv("FR_EXPLORE_CACHE", str(tmp_path_factory.mktemp("cache")))
    yield
    patch.undo()


@pytest.fixture(scope="session")
def avatars():
    import fr_explore as fr

    return fr.Avatars(identities=3, seed=0)


@pytest.fixture(scope="session")
def dlib_model():
    import fr_explore as fr

    return fr.load_model("dlib", device="cpu")


@pytest.fixture(scope="session")
def sface_model():
    import fr_explore as fr

    return fr.load_model("sface", device="cpu")


@pytest.fixture(scope="session")
def people():
    """Photographs of four people, RGB arrays by name, from packages that state that they are in the public domain."""
    import public_domain

    if problem := public_domain.missing():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(problem)
    return public_domain.photographs()


@pytest.fixture(scope="session")
def camera(tmp_path_factory):
    """The file that the browser's camera plays. A test that uses the camera writes a Motion JPEG into it first."""
    return tmp_path_factory.mktemp("camera") / "camera.mjpeg"


@pytest.fixture(scope="session")
def browser(camera):
    """One headless Chromium for all browser tests of a process; each test opens its own contexts in it."""
    from lab import chromium, find_chromium, missing_chromium

    if find_chromium() is None:
        # a build machine without Chromium must not look as if it had run these tests
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing_chromium())
    memory = ["--js-flags=--expose-gc", "--enable-precise-memory-info"]
    video = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={camera}"]
    with chromium([*memory, *video]) as running:
        yield running


@pytest.fixture(scope="session")
def firefox():
    """One headless Firefox for the tests of a process that need a second browser, driven by Marionette."""
    import lab

    if problem := lab.missing_firefox():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(problem)
    with lab.firefox() as running:
        yield running


@pytest.fixture(scope="session")
def jupyterlab(tmp_path_factory):
    """One JupyterLab server for all browser tests of a process."""
    from lab import Lab

    home = tmp_path_factory.mktemp("lab")
    with Lab(home, home / "notebooks") as running:
        yield running


@pytest.fixture
def open_page(browser):
    """Open a page from disk: `open_page(path, width=1200, height=900, theme="light", **options of the context)`.

    The test fails if a page raises or logs an error, or requests anything but itself, and the `files` that it shares.
    """
    contexts, problems = [], []

    def opened(path, width=1200, height=900, theme="light", files=None, **options):
        viewport = {"width": width, "height": height}
        context = browser.new_context(viewport=viewport, color_scheme=theme, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        own = (
            path.as_uri(),
            "blob:",
            "data:",
            *([files.as_uri()] if files else []),
        )  # a page's workers are blobs of its own
        page.on("request", lambda request: None if request.url.startswith(own) else problems.append(request.url))
        page.goto(path.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert problems == []
