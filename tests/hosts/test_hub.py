"""JupyterHub behind a prefix: two users, each with a widget that moves, and what a kernel needs for itself."""

import re

import nbformat
import pytest
import servers
from lab import KERNELSPEC, until

CELLS = [
    "import fr_explore as fr\nfrom fr_explore_widgets import AttributeExplorer\n"
    'faces, model = fr.Avatars(identities=12, seed=0), fr.load_model("dlib", device="cpu")\n'
    "w = AttributeExplorer(faces, model)\nw",
    "import time\nw.wait()\ntime.sleep(2)  # idle\n"
    'lines = open("/proc/self/smaps_rollup").read().splitlines()\n'
    'print("OWN", sum(int(line.split()[1]) for line in lines if line.startswith("Private_Dirty")) // 1000, "MB")',
]
MOVE = """(slider, value) => {
  slider.value = value;
  for (const name of ["input", "change"]) slider.dispatchEvent(new Event(name, { bubbles: true }));
}"""
# more than half of it is torch itself, in its CUDA build
MOST_MB = 500

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("hosts")]


def test_two_users_move_their_own_widgets(browser, tmp_path, capsys):
    for user in ("ada", "bob"):
        (tmp_path / user).mkdir()
        notebook = nbformat.v4.new_notebook(metadata={"kernelspec": KERNELSPEC})
        notebook.cells = [nbformat.v4.new_code_cell(cell) for cell in CELLS]
        nbformat.write(notebook, tmp_path / user / "light.ipynb")
    with servers.hub(tmp_path) as url:
        pages = {user: signed_in(browser, url, user) for user in ("ada", "bob")}
        for page in pages.values():
            page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
        for page in pages.values():
            page.locator(".fr-explorer .fr-key").first.wait_for(timeout=120_000)
        before = {user: key_of(page) for user, page in pages.items()}
        slider = pages["ada"].locator(".fr-explorer input[data-attribute=age]").first
        slider.evaluate(MOVE, 75)
        until(lambda: key_of(pages["ada"]) != before["ada"])
        assert key_of(pages["bob"]) == before["bob"]
        pages["bob"].locator(".fr-explorer input[data-attribute=age]").first.evaluate(MOVE, 30)
        until(lambda: key_of(pages["bob"]) != before["bob"])
        assert key_of(pages["bob"]) != key_of(pages["ada"])
        for user, page in pages.items():
            text = until(lambda page=page: re.search(r"OWN (\d+) MB", page.locator(".jp-Notebook").inner_text()), 120)
            with capsys.disabled():
                print(f"\n{user}: a kernel's own memory after first light, {text[1]} MB (500 wanted)")
            assert int(text[1]) <= MOST_MB
            page.context.close()


def key_of(page):
    return page.locator(".fr-explorer .fr-key").first.inner_text()


def signed_in(browser, url, user):
    page = browser.new_context(viewport={"width": 1200, "height": 1000}).new_page()
    page.goto(f"{url}hub/login?next=/teaching/lab/hub/spawn/{user}")
    page.fill("input[name=username]", user)
    page.fill("input[name=password]", "only on loopback")
    page.click("#login_submit")
    page.wait_for_url(re.compile(rf"/teaching/lab/user/{user}/"), timeout=240_000)
    page.goto(f"{url}user/{user}/lab/tree/light.ipynb?reset")
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=240_000)
    idle = "() => window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
    page.wait_for_function(idle, timeout=240_000)
    return page
