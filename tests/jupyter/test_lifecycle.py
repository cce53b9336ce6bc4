"""AttributeExplorer in a real JupyterLab, operated by mouse and keys, and the end of its kernel."""

import os
import shutil
import signal
import time
from pathlib import Path

import pytest
from lab import Notebook, until

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
CELLS = (
    "import fr_explore as fr\n"
    "from fr_explore_widgets import AttributeExplorer\n"
    "faces = fr.Avatars(identities=3, seed=0)\n"
    "model = fr.load_model('dlib', device='cpu')\n"
    "embed = model.embed\n"
    "w = AttributeExplorer(faces, model, variations=2)",
    "w",
)
PIXELS = "canvas => canvas.toDataURL()"


@pytest.fixture(scope="module")
def opened(jupyterlab, browser):
    """One notebook with the explorer, shared by the tests that keep its kernel."""
    with Notebook(jupyterlab, browser, jupyterlab.write("explorer.ipynb", CELLS)) as notebook:
        notebook.run_all()
        notebook.wait_for(".fr-explorer")
        notebook.wait_for(".fr-map-note .fr-term")
        yield notebook


@pytest.fixture
def explorer(opened):
    """The notebook with the explorer reset: identity 0, every attribute neutral."""
    opened.execute("model.embed = embed; w.set(identity=0); w.reset(); w.calls = 0")
    opened.page.wait_for_function("document.querySelector('.fr-sentence').textContent.includes('itself')")
    yield opened
    assert opened.errors == []


def slider(notebook, name):
    return notebook.page.locator(f".fr-explorer input[data-attribute={name}]").first


def shown_distance(notebook):
    return float(notebook.page.locator(".fr-key").first.get_attribute("data-distance"))


def test_a_slider_moves_picture_distance_and_trace(explorer):
    page = explorer.page
    live, reference = (page.locator(".fr-pair canvas").nth(i) for i in (1, 0))
    before, pinned = live.evaluate(PIXELS), reference.evaluate(PIXELS)
    assert before == pinned

    def trail():
        return int(page.locator(".fr-map-box").get_attribute("data-trail"))

    box = slider(explorer, "age").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.3 * box["width"], middle)
    page.mouse.down()
    for share in (0.4, 0.5, 0.6, 0.7, 0.8):
        steps = trail()
        page.mouse.move(box["x"] + share * box["width"], middle)
        until(lambda steps=steps: trail() > steps)
    page.mouse.up()
    age = float(slider(explorer, "age").input_value())
    assert age > 50
    # wait until the kernel has answered the last request, or its answer could arrive after the next test's reset
    until(lambda: explorer.value("w.state['strengths']['age']") == age)
    until(lambda: abs(shown_distance(explorer) - explorer.value("w.distance")) < 1e-9 and shown_distance(explorer) > 0)
    assert live.evaluate(PIXELS) != before
    assert reference.evaluate(PIXELS) == pinned
    assert trail() >= 3
    x, y = explorer.value("tuple(w.figures['point'])")
    assert page.locator(".fr-map-box").get_attribute("data-point") == f"{x},{y}"
    assert page.locator(".fr-meter").get_attribute("aria-valuenow") == str(shown_distance(explorer))
    assert f"{shown_distance(explorer):.3f}" in page.locator(".fr-lab > [role=status]").text_content()


def test_the_slider_gets_the_keys_even_in_command_mode(explorer):
    page = explorer.page
    explorer.command("notebook:enter-command-mode")
    cell = "window.jupyterapp.shell.currentWidget.content.activeCellIndex"
    active = page.evaluate(cell)
    age = slider(explorer, "age")
    age.focus()
    for key, value in (("ArrowRight", 36), ("ArrowUp", 37), ("ArrowLeft", 36), ("End", 75), ("Home", 18)):
        age.press(key)
        assert float(age.input_value()) == value
        until(lambda value=value: explorer.value("w.strengths['age']") == value)
    assert age.get_attribute("aria-valuetext") == "18 years"
    assert page.evaluate(cell) == active
    # presses within a second are one step of undo
    page.wait_for_timeout(1100)
    for _ in range(3):
        age.press("ArrowRight")
    until(lambda: explorer.value("w.strengths['age']") == 21)
    age.press("Control+z")
    until(lambda: float(age.input_value()) == 18)
    until(lambda: explorer.value("w.strengths['age']") == 18)  # published with the figures, after the picture
    age.press("Control+Shift+z")
    until(lambda: explorer.value("w.strengths['age']") == 21)
    help_text = explorer.value("faces.attributes['age'].help")
    assert page.locator(".fr-note").text_content() == help_text
    assert page.locator(f"#{age.get_attribute('aria-describedby')}").text_content() == help_text


def test_a_burst_ends_at_the_exact_last_value(explorer):
    """200 events, 5 ms apart: the newest value wins, and only few of them reach the model."""
    last = slider(explorer, "head_angle").evaluate(
        """async (input) => {
          input.step = "any";
          for (let i = 1; i <= 200; i += 1) {
            input.valueAsNumber = -30 + 60 * ((i * 0.6180339) % 1);
            input.dispatchEvent(new Event("input", { bubbles: true }));
            await new Promise((done) => setTimeout(done, 5));
          }
          input.dispatchEvent(new Event("change", { bubbles: true }));
          return input.valueAsNumber;
        }"""
    )
    until(lambda: explorer.value("w.strengths['head_angle']") == last)
    until(lambda: explorer.value("w.state['strengths']['head_angle']") == last)
    assert float(slider(explorer, "head_angle").input_value()) == last
    calls = explorer.value("w.calls")
    assert 2 <= calls <= 60, f"{calls} calls for 200 events"


def test_an_exception_in_the_model_appears_in_the_widget_and_disappears(explorer):
    alert = explorer.page.locator(".fr-explorer .fr-error[role=alert]")
    assert alert.is_hidden()
    explorer.execute(
        "def broken(faces, batch_size=32):\n    raise RuntimeError('out of memory: 3 < 4')\nmodel.embed = broken"
    )
    slider(explorer, "age").press("ArrowRight")
    alert.wait_for(timeout=5000)
    assert "The model could not embed this face." in alert.text_content()
    assert "RuntimeError: out of memory: 3 < 4" in alert.text_content()
    assert "move a slider" in alert.text_content()
    assert "in broken" in explorer.value("w.traceback")
    explorer.execute("model.embed = embed")
    slider(explorer, "age").press("ArrowRight")
    alert.wait_for(state="hidden", timeout=5000)
    until(lambda: explorer.value("w.strengths['age']") == 37)


def test_python_moves_the_sliders(explorer):
    explorer.execute("w.set(age=60, hue=-10)")
    until(lambda: slider(explorer, "age").input_value() == "60")
    assert slider(explorer, "hue").get_attribute("aria-valuetext") == "minus 10 degrees"
    until(lambda: shown_distance(explorer) == explorer.value("w.distance"))
    explorer.page.locator("[data-action=reset]").click()
    until(lambda: explorer.value("w.strengths['age'], w.distance") == (35.0, 0.0))
    until(lambda: slider(explorer, "age").input_value() == "35")


def test_another_identity_is_compared_with_the_pinned_face(explorer):
    page = explorer.page
    page.locator("[data-action=pin]").click()
    until(lambda: page.locator("[data-action=unpin]").get_attribute("aria-pressed") == "true")
    page.get_by_role("radio", name="identity 1").check(force=True)
    until(lambda: explorer.value("w.identity") == 1)
    sentence = page.locator(".fr-sentence")
    until(lambda: "two" in sentence.text_content().lower())
    judged_same = explorer.value("bool(model.card.same_person(w.distance))")
    assert ("false match" in sentence.text_content()) == judged_same
    page.locator("[data-action=unpin]").click()
    until(lambda: "itself" in sentence.text_content())
    assert explorer.value("w.state['reference']") is None


def test_dark_theme_and_narrow_column(explorer):
    page = explorer.page
    root = page.locator(".fr-explorer")
    assert root.get_attribute("data-theme") == "light"
    for theme in ("Dark", "Light"):
        explorer.change_theme(theme)
        until(lambda theme=theme: root.get_attribute("data-theme") == theme.lower())
    root.evaluate("node => { node.style.width = '380px'; }")
    too_wide = "node => [...node.querySelectorAll(':not(.fr-hidden)')].filter(n => n.scrollWidth > 380).length"
    assert root.evaluate(too_wide) == 0
    lefts = root.evaluate("n => ['.fr-key', '.fr-pair', '.fr-sliders'].map(s => n.querySelector(s).offsetTop)")
    assert lefts == sorted(lefts)
    root.evaluate("node => { node.style.width = ''; }")


@pytest.mark.parametrize("end", ["shut down", "killed"])
def test_the_widget_reports_the_end_of_its_kernel(jupyterlab, browser, end):
    cells = (
        "import os\nimport numpy as np\nfrom fr_explore_widgets import VerificationExplorer",
        "VerificationExplorer(np.eye(8), np.arange(8) // 2)",
    )
    with Notebook(jupyterlab, browser, jupyterlab.write(f"{end.replace(' ', '-')}.ipynb", cells)) as notebook:
        notebook.run_all()
        notebook.wait_for(".fr-lab")
        kernel = notebook.value("os.getpid()")
        before = time.monotonic()
        if end == "killed":  # as by the system when memory runs out
            os.kill(kernel, signal.SIGKILL)
        else:
            notebook.command("kernelmenu:shutdown")
        banner = notebook.page.locator(".fr-banner:not([hidden])")
        banner.wait_for(timeout=10_000)
        assert time.monotonic() - before < 5
        assert "The kernel is gone" in banner.inner_text()


def test_reopened_with_its_kernel_still_running_it_resumes(jupyterlab, browser):
    """The tab was closed, the kernel was not: the widget shows the same state and responds."""
    name = jupyterlab.write("again.ipynb", CELLS)
    with Notebook(jupyterlab, browser, name, keep_kernel=True) as notebook:
        notebook.run_all()
        notebook.wait_for(".fr-map-note .fr-term")
        slider(notebook, "age").press("End")
        until(lambda: notebook.value("w.strengths['age']") == 75.0)  # the first face shown has moved already
        until(lambda: shown_distance(notebook) == pytest.approx(notebook.value("w.distance"), abs=1e-9))
        notebook.save()
        distance = shown_distance(notebook)
    with Notebook(jupyterlab, browser, name) as notebook:
        notebook.wait_for(".fr-explorer")
        age = slider(notebook, "age")
        until(lambda: age.is_enabled() and age.input_value() == "75")
        assert shown_distance(notebook) == distance
        age.press("Home")
        until(lambda: age.input_value() == "18" and notebook.value("w.strengths['age']") == 18.0)
        until(lambda: shown_distance(notebook) == pytest.approx(notebook.value("w.distance"), abs=1e-9))
        assert notebook.page.locator(".fr-banner:visible, .fr-error:visible").count() == 0
        assert notebook.errors == []


def test_in_the_first_notebook_a_slider_responds_while_cells_still_run(jupyterlab, browser):
    """`notebooks/00-first-light.ipynb` as a student uses it. test_notebooks.py checks the rest of it."""
    name = "00-first-light.ipynb"
    shutil.copy(ROOT / "notebooks" / name, jupyterlab.folder / name)
    with Notebook(jupyterlab, browser, name, height=1400) as notebook:
        notebook.command("notebook:run-all-cells")
        notebook.wait_for(".fr-explorer", 120)
        age = notebook.page.locator("input[data-attribute=age]").first
        drawn = notebook.page.locator(".fr-explorer").first.get_attribute("data-drawn")
        age.press("Home" if age.input_value() == "75" else "End")
        until(lambda: notebook.page.locator(".fr-explorer").first.get_attribute("data-drawn") != drawn)
        errors = notebook.page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr']")
        assert errors.all_inner_texts() == []
        assert notebook.page.locator(".fr-error:visible").count() == 0
        assert notebook.errors == []
