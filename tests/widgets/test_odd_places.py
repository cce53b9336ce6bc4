"""Where nothing can be written and the locale is not UTF-8, faces, figures and pictures appear all the same."""

import os
import subprocess
import sys
import zlib

import pytest
from ipywidgets.embed import embed_data

from fr_explore_widgets import EnergyPlayground

SCRIPT = """
import locale, os, tempfile
tempfile._candidate_tempdir_list = lambda: ["/dev/null/tmp"]  # no folder for temporary files
assert locale.getpreferredencoding(False).upper() not in ("UTF-8", "UTF8"), locale.getpreferredencoding(False)
import fr_explore as fr
from fr_explore_widgets import AttributeExplorer
faces, model = fr.Avatars(identities=2, seed=0), fr.load_model("dlib", device="engine")
explorer = AttributeExplorer(faces, model, variations=2)
explorer.set(age=60)
assert explorer.wait(120)
assert explorer.distance > 0
assert explorer.to_png()[:4] == bytes([137, 80, 78, 71])
embeddings = fr.embed(fr.sample_lattice(faces, attributes=["age"], curves=2, seed=0), model, progress=False)
assert embeddings.sizes["identity"] == 2
print("done")
"""


def test_nothing_is_writable_and_the_locale_is_not_utf_8():
    odd = {"HOME": "/dev/null/home", "FR_EXPLORE_CACHE": "/dev/null/cache", "XDG_CACHE_HOME": "/dev/null/xdg"}
    odd |= {"TMPDIR": "/dev/null/tmp", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    said = subprocess.run([sys.executable, "-c", SCRIPT], env={**os.environ, **odd}, capture_output=True, text=True)
    assert said.stdout == "done\n", said.stderr[-2000:]


def test_a_page_that_embeds_a_widget_gets_its_module():
    """embed_minimal_html leaves out what equals a default; anywidget's module is one."""
    w = EnergyPlayground()
    state = embed_data([w], drop_defaults=True)["manager_state"]["state"][w.model_id]["state"]
    assert "export default" in state["_esm"]
    assert state["_anywidget_id"]
    w.close()


def test_a_saved_state_is_live_only_on_request(capsys):
    w = EnergyPlayground()
    assert (w._page, w._page_id) == (b"", "")
    with pytest.raises(ValueError, match=r"the saved state of .* is 0\.\d MB, more than max_megabytes=0\.01: "):
        w.keep_live(max_megabytes=0.01)
    assert w._page == b""
    w.keep_live()
    module = zlib.decompress(w.get_state("_page")["_page"], -zlib.MAX_WBITS).decode()
    assert "\nexport const kept = " in module
    assert module.endswith("export default $widget;\n")
    w.close()
