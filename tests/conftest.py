"""What several test modules share: the real avatars and the real network, one thread, a cache of their own."""

import pytest
import shape_checks

shape_checks.install("fr_explore")


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
