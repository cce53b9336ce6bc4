"""What waits for a guess, in JupyterLab: after Run All only the question is shown; the commit brings all the rest."""

import pytest
from lab import Notebook, until

pytestmark = pytest.mark.browser

CELLS = (
    "from fr_explore_widgets import EnergyPlayground, Prediction, course\n"
    "guess = Prediction('How far?', low=0, high=10)\n"
    "guess",
    "course.reveal(guess, 7.25)",
    "with course.after(guess):\n    print('it is', 7.25)",
    "course.after(guess, EnergyPlayground('tangential'))",
)


def test_run_all_shows_the_question_and_the_commit_the_answers(browser, jupyterlab):
    with Notebook(jupyterlab, browser, jupyterlab.write("waiting.ipynb", CELLS)) as notebook:
        notebook.run_all()
        page = notebook.page
        notebook.wait_for(".fr-prediction")
        until(lambda: page.get_by_text("This waits for your guess").count() == 3)
        assert page.get_by_text("7.25").count() == 2  # in the code of two cells
        assert page.locator(".fr-energy").count() == 0
        page.locator("input[type=number]").fill("5")
        page.locator("[data-action=commit]").click()
        page.wait_for_selector(".fr-prediction[data-stage=revealed]")
        until(lambda: page.get_by_text("This waits for your guess").count() == 0)
        assert page.locator(".jp-OutputArea").get_by_text("it is 7.25", exact=True).count() == 1
        assert page.locator(".jp-OutputArea").get_by_text("✓ You said 5, it is 7.25").count() == 1
        notebook.wait_for(".fr-energy")
        assert notebook.errors == []
