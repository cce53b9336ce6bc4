"""Prediction: commit, reveal and score without a page, and the widget in a real browser and a real JupyterLab."""

import json
import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lab import Notebook
from pages import CONTRAST, CONTROLS, NAMELESS
from scipy.stats import kendalltau

from fr_explore_widgets import Prediction
from fr_explore_widgets.core.base import WidgetError

NAMES = ["age", "hue", "contrast", "head_angle", "my own"]
X = (0.1, 0.2, 0.4, 0.8)


def number(**options):
    return Prediction("How far does it move?", **options)


def ranking(**options):
    return Prediction("Which moves it most?", "ranking", NAMES, **options)


def curve(**options):
    return Prediction("E over the radius?", "curve", x=X, x_label="radius", **options)


def test_a_number_is_scored_by_its_errors():
    p = number(unit="years", low=0, high=100)
    p.commit(np.float32(40))
    assert (p.guess, p.tries, p.score) == (40.0, 1, None)
    assert p.reveal(50) == {"absolute_error": 10.0, "relative_error": 0.2} == p.score
    assert p.result["words"] == ["You said 40 years, it is 50 years: 10 years too low, 20 % of the truth."]


@pytest.mark.parametrize(
    ("guess", "truth", "words"),
    [
        (0.5, 0.0, "You said 0.5, it is 0: 0.5 too high."),
        (0.62, 0.62, "You said 0.62, it is 0.62: exactly right."),
        (-1, -2, "You said -1, it is -2: 1 too high, 50 % of the truth."),
    ],
)
def test_words_for_a_number(guess, truth, words):
    p = number()
    p.commit(guess)
    assert p.reveal(truth)["relative_error"] == (None if truth == 0 else pytest.approx(abs(guess - truth) / abs(truth)))
    assert p.result["words"] == [words]


def test_per_cents_differ_by_percentage_points():
    p = number(unit="%")
    p.commit(20)
    p.reveal(83.34)
    assert p.result["words"] == ["You said 20 %, it is 83.34 %: 63.3 percentage points too low."]


@given(st.permutations(NAMES), st.permutations(NAMES))
def test_rankings_are_scored_as_scipy_does(guess, truth):
    p = ranking()
    p.commit(guess)
    score = p.reveal(truth)
    tau = kendalltau([guess.index(n) for n in NAMES], [truth.index(n) for n in NAMES]).statistic
    assert score["kendall_tau"] == pytest.approx(tau, abs=1e-12)
    assert score["swaps"] == round((1 - tau) / 2 * 10)
    # as many exchanges of neighbours turn the guess into the truth
    left, count = [truth.index(n) for n in guess], 0
    while left != sorted(left):
        i = next(i for i in range(4) if left[i] > left[i + 1])
        left[i], left[i + 1], count = left[i + 1], left[i], count + 1
    assert score["swaps"] == count


def test_a_ranking_takes_values_and_leaves_ties_open():
    p = ranking()
    p.commit(NAMES)
    values = pd.Series({"hue": 3.0, "age": 3.0, "my own": 9.0, "contrast": 1.0, "head_angle": 0.5})
    assert p.reveal(values) == {"kendall_tau": pytest.approx(1 - 2 * 4 / 9), "swaps": 4, "pairs": 9}
    assert p.state["truth"] == {
        "order": ["my own", "age", "hue", "contrast", "head_angle"],
        "values": [9.0, 3.0, 3.0, 1.0, 0.5],
    }
    assert p.result["words"] == ["4 of 9 pairs in the wrong order."]
    q = ranking(ascending=True)
    q.commit(NAMES)
    assert q.reveal(values)["swaps"] == 9 - 4
    assert q.state["truth"]["order"] == ["head_angle", "contrast", "age", "hue", "my own"]
    assert p.setup["labels"][3] == "head angle"
    assert p.setup["colors"][4] == ""


def test_a_curve_is_scored_where_the_truth_is_defined():
    p = curve()
    p.commit(np.array([0.5, 0.5, 0.5, 0.5]))
    score = p.reveal(np.array([np.nan, 0.6, 0.4, 0.9]))
    assert score == {"mean_absolute_distance": pytest.approx(0.2), "largest": pytest.approx(0.4), "at": 0.8}
    assert p.state["truth"] == [None, 0.6, 0.4, 0.9]
    assert p.result["words"] == ["On average 0.2 away, 20 % of the axis; farthest at radius 0.8, by 0.4."]


def test_a_choice_is_right_or_not():
    p = Prediction("Which?", "choice", NAMES)
    with pytest.raises(ValueError, match="choice 'blur': give one of age, hue"):
        p.commit("blur")
    p.commit("head_angle")
    assert p.reveal("hue") == {"right": False}
    assert p.result["words"] == ["You chose head angle; it is hue."]
    assert p.read_codes(p.code).guesses == ["head_angle"]
    assert p._tables()["tries"].iloc[0].to_dict() == {
        "try": 1, "after_reveal": False, "part": 1, "guess": "head_angle", "truth": "hue"
    }  # fmt: skip
    p.retry()
    p.commit("hue")
    assert (p.score, p.result["words"][-1]) == ({"right": True}, "Right: hue.")


def test_nothing_is_revealed_before_a_guess():
    p = number()
    with pytest.raises(WidgetError, match="No guess is committed, so nothing is revealed"):
        p.reveal(0.5)
    assert p.state["truth"] is None
    assert p.error["what"] == "No guess is committed, so nothing is revealed."
    p.commit(1)
    assert p.error == {}


def test_a_committed_guess_stays_and_a_new_try_is_counted():
    p = number()
    p.commit(1)
    with pytest.raises(WidgetError, match=r"already committed. p.retry\(\) opens a new try"):
        p.commit(2)
    assert p.guess == 1
    p.retry()
    assert (p.guess, p.tries) == (None, 1)
    with pytest.raises(WidgetError, match="A try is already open"):
        p.retry()
    p.commit(2)
    p.reveal(4)
    p.retry()
    assert p.score is None
    p.commit(4)
    # the truth had been seen: the score is there at once, and the try says so
    assert p.score == {"absolute_error": 0, "relative_error": 0}
    assert [t["after_reveal"] for t in p.state["tries"]] == [False, False, True]
    assert len(p.result["words"]) == p.tries == 3


def test_the_state_cannot_be_changed_in_place():
    p = number()
    p.commit(1)
    kept = json.loads(json.dumps(p.state))
    p.retry()
    p.commit(5)
    assert kept["tries"] == [{"guess": 1.0, "after_reveal": False}]


@pytest.mark.parametrize(
    ("make", "guess", "truth"),
    [(number, 1, 2), (ranking, NAMES, dict(zip(NAMES, range(5), strict=True))), (curve, [0, 0, 1, 1], [None, 1, 0, 2])],
)
def test_a_prediction_is_restored_from_its_state(make, guess, truth):
    p = make()
    p.commit(guess)
    p.reveal(truth)
    p.retry()
    p.commit(guess)
    kept = json.loads(json.dumps(p.state))
    q = make(state=kept)
    assert (q.state, q.result, q.score, q.tries) == (p.state, p.result, p.score, 2)
    r = make()
    r.state = kept
    assert (r.guess, r.result) == (p.guess, p.result)


@pytest.mark.parametrize(
    ("state", "text"),
    [
        ({"version": 2, "tries": [], "open": True, "truth": None}, "state has version 2, this release reads version 1"),
        ({"version": 1, "open": True}, "state lacks tries, truth"),
        ({"version": 1, "tries": [{"guess": "x", "after_reveal": False}], "open": False, "truth": None}, "guess 'x'"),
    ],
)
def test_a_state_that_does_not_fit_is_refused(state, text):
    p = number()
    p.commit(3)
    with pytest.raises(ValueError, match=text):
        p.state = state
    assert p.guess == 3
    with pytest.raises(ValueError, match=text):
        number(state=state)


@pytest.mark.parametrize(
    ("make", "guess", "text"),
    [
        (number, "far", r"guess 'far': give a finite number"),
        (number, math.inf, r"guess inf: give a finite number"),
        (lambda: number(low=0, high=1), 2, r"guess 2: give a number from 0 to 1"),
        (lambda: number(low=0), -1, r"guess -1: give a number from 0 to inf"),
        (ranking, NAMES[:4], r"give each of age, hue, contrast, head_angle, my own once"),
        (ranking, [*NAMES[:4], "age"], r"give each of age"),
        (ranking, "age", r"ranking 'age': give each"),
        (curve, [0, 1], r"guess has 2 values: give 4, one for each radius"),
        (curve, [0, 1, 2, 0], r"guess 2: give numbers from 0 to 1"),
    ],
)
def test_a_guess_that_does_not_fit_is_refused(make, guess, text):
    p = make()
    with pytest.raises(ValueError, match=text):
        p.commit(guess)
    assert (p.tries, p.guess) == (0, None)


@pytest.mark.parametrize(
    ("make", "guess", "truth", "text"),
    [
        (number, 1, math.nan, "truth nan: give a finite number"),
        (ranking, NAMES, {"age": 1}, "give each of age"),
        (curve, [0, 0, 0, 0], [math.nan] * 4, "it is defined nowhere"),
    ],
)
def test_a_truth_that_does_not_fit_is_refused(make, guess, truth, text):
    p = make()
    p.commit(guess)
    with pytest.raises(ValueError, match=text):
        p.reveal(truth)
    assert p.score is None


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"kind": "word"}, "kind = 'word': choose from number, choice, ranking, curve"),
        ({"kind": "ranking"}, "options = None: a ranking needs at least two"),
        ({"kind": "ranking", "options": ["a", "a"]}, "all different"),
        ({"kind": "curve"}, "x = None: a curve needs at least two places"),
        ({"kind": "curve", "x": [1, 1]}, "in ascending order"),
        ({"low": 1, "high": 0}, "low = 1, high = 0: give low < high"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(arguments, text):
    with pytest.raises(ValueError, match=text):
        Prediction("What?", **arguments)


def test_the_truth_may_be_kept_in_the_kernel():
    asked = []
    p = number(truth=lambda: asked.append(1) or 8)
    assert p.setup["has_truth"] is True
    assert "8" not in json.dumps([p.setup, p.state, p.result])
    p.commit(6)
    assert asked == []
    assert p.reveal() == {"absolute_error": 2.0, "relative_error": 0.25}
    q = number()
    q.commit(1)
    with pytest.raises(WidgetError, match="There is no truth to reveal"):
        q.reveal()


def test_the_browser_commits_and_a_bad_guess_is_told_inside_the_widget():
    p = number(low=0, high=1, truth=0.5)
    p.request = {"client": "a", "seq": 1, "action": "commit", "guess": 7}
    assert (p.error["what"], p.error["todo"]) == ("The guess is not valid.", "Change it and commit again.")
    assert "give a number from 0 to 1" in p.error["why"]
    p.request = {"client": "a", "seq": 2, "action": "commit", "guess": 0.25}
    assert (p.guess, p.error, p.reply) == (0.25, {}, {"client": "a", "seq": 2})
    p.request = {"client": "a", "seq": 3, "action": "commit", "guess": 0.5}
    assert p.guess == 0.25
    assert "already committed" in p.error["what"]
    p.request = {"client": "a", "seq": 4, "action": "reveal"}
    assert p.score == {"absolute_error": 0.25, "relative_error": 0.5}
    p.request = {"client": "a", "seq": 5, "action": "retry"}
    assert p.guess is None


@pytest.fixture
def opened(open_page, tmp_path):
    """Show a prediction in its present state, on a page without a kernel."""

    def open_widget(p, width=640, theme="light"):
        page = open_page(p.to_html(tmp_path / "page.html"), width, 700, theme)
        page.wait_for_selector(".fr-prediction")
        return page

    return open_widget


@pytest.mark.browser
def test_a_curve_is_drawn_by_hand(opened):
    page = opened(curve())
    box = page.locator(".fr-board").bounding_box()
    page.mouse.move(box["x"] + 46, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 14, box["y"] + 20, steps=12)
    page.mouse.up()
    assert page.locator(".fr-guess-dot").count() == 4
    assert page.locator("[data-action=commit]").is_enabled()
    page.locator(".fr-board").focus()
    low, high = (float(page.locator(".fr-board").get_attribute(f"aria-value{end}")) for end in ("min", "max"))
    values = []
    for _ in X:
        values.append(float(page.locator(".fr-board").get_attribute("aria-valuenow")))
        page.keyboard.press("ArrowLeft")
    values.reverse()
    assert low <= values[0] < values[1] < values[2] < values[3] <= high


@pytest.mark.browser
def test_a_ranking_is_ordered_by_hand(opened):
    page = opened(ranking())
    grip = page.locator("[data-option=age]")
    box = grip.bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 16)
    page.mouse.down()
    page.mouse.move(box["x"] + 40, box["y"] + 16 + 2 * 36, steps=8)
    page.mouse.up()
    assert grip.get_attribute("aria-label").startswith("age, place 3 of 5")
    assert page.locator("[data-option=hue]").get_attribute("aria-label").startswith("hue, place 1 of 5")
    page.wait_for_function("getComputedStyle(document.querySelector('[data-option=age]').parentElement).top === '72px'")


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [380, 1200])
def test_it_fits_its_width_at_every_stage(opened, theme, width):
    guesses = {
        number: (1, 2),
        (lambda: Prediction("Which?", "choice", NAMES)): ("age", "hue"),
        ranking: (NAMES, NAMES[::-1]),
        curve: ([0, 0, 0, 0], [1, 1, 1, 1]),
    }
    for make, (guess, truth) in guesses.items():
        p = make()
        for stage in ("open", "committed", "revealed"):
            if stage == "committed":
                p.commit(guess)
            elif stage == "revealed":
                p.reveal(truth)
            page = opened(p, width, theme)
            if p.code:  # the guesses of the class: the same one twice
                page.locator(".fr-class summary").click()
                page.locator(".fr-codes").fill(f"{p.code} {p.code}")
                assert page.locator(".fr-class [role=status]").inner_text().startswith("2 guesses")
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.locator(".fr-prediction").get_attribute("data-theme") == theme
            assert page.locator(".fr-prediction").get_attribute("data-stage") == stage
            assert page.locator(CONTROLS).evaluate_all(NAMELESS) == []
            worst = page.evaluate(CONTRAST)
            assert worst["ratio"] >= 4.5, (stage, worst)
            page.context.close()


@pytest.mark.browser
def test_in_jupyterlab_by_keys_from_the_guess_to_the_truth(browser, jupyterlab):
    cells = (
        "from fr_explore_widgets import Prediction\n"
        "p = Prediction('How many?', low=0, high=10)\n"
        "q = Prediction('Which?', 'ranking', ['age', 'hue'], truth=lambda: ['hue', 'age'])\n"
        "p",
        "q",
    )
    with Notebook(jupyterlab, browser, jupyterlab.write("prediction.ipynb", cells)) as notebook:
        notebook.run_all()
        page = notebook.page
        first, second = (notebook.page.locator(".fr-prediction").nth(i) for i in (0, 1))
        notebook.wait_for(".fr-prediction[data-kind=ranking]")
        first.locator("input[type=number]").focus()
        page.keyboard.type("4")
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        # the focus moves with the reply, which follows the state that shows the button
        page.wait_for_function("document.activeElement.dataset.action === 'retry'")
        assert notebook.value("p.guess") == 4
        notebook.execute("p.reveal(5)")
        page.wait_for_selector(".fr-prediction[data-stage=revealed]")
        assert first.locator(".fr-status").inner_text() == "You said 4, it is 5: 1 too low, 20 % of the truth."
        second.locator("[data-option=hue]").focus()
        page.keyboard.press("ArrowUp")
        second.locator("[data-action=commit]").click()
        second.locator("[data-action=reveal]").click()
        second.locator(".fr-truth").wait_for()
        assert notebook.value("(q.guess, q.score['swaps'])") == (["hue", "age"], 0)
        # keys in the widget are not commands of the notebook
        assert page.locator(".jp-Cell").count() == 2
        notebook.execute("q.retry()")
        second.locator("[data-action=commit]").wait_for()
        assert second.locator(".fr-tries").inner_text().startswith("Try 1: Every pair is in the right order")
        page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
        page.wait_for_selector(".fr-prediction .fr-banner:visible", timeout=20_000)
        assert second.locator("[data-action=commit]").is_disabled()
        assert notebook.errors == []


OFFLINE = [
    (lambda: Prediction("How far?", unit="cm", truth=12.5), ["9.75", "0", "12.5"]),
    (lambda: Prediction("How far?", low=-2e-5, high=1e6, truth=0), ["0.5"]),
    (
        lambda: Prediction(
            "Which?", "ranking", ["age", "hue", "contrast"], truth={"age": 0.2, "hue": 0.2, "contrast": 0.7}
        ),
        [""],
    ),
    (lambda: Prediction("How?", "curve", x=[0, 1.5, 3], y_label="E", truth=[0.25, None, 0.1]), [""]),
    (lambda: Prediction("Which?", "choice", ["age", "hue"], truth="hue"), [""]),
]


@pytest.mark.browser
@pytest.mark.parametrize(("make", "guesses"), OFFLINE, ids=["number", "zero", "ranking", "curve", "choice"])
def test_a_page_scores_in_the_words_of_the_library(opened, tmp_path, make, guesses):
    p = make()
    page = opened(p)
    # the truth is not readable in the source before the guess
    source = (tmp_path / "page.html").read_text(encoding="utf-8")
    kept = json.loads(re.search(r'<script id="data" [^>]*>(.*?)</script>', source, re.DOTALL)[1])["traits"]
    assert kept["state"]["truth"] is None
    assert list(kept["truth"]) == ["$bytes"]
    for guess in guesses:
        if guess:
            page.locator("input[type=number]").fill(guess)
        if p.setup["kind"] == "curve":
            page.locator(".fr-board").focus()
            for key in ("ArrowUp", "ArrowRight", "ArrowUp", "ArrowUp", "ArrowRight", "ArrowUp"):
                page.keyboard.press(key)
        if p.setup["kind"] == "choice":
            page.locator("input[type=radio]").first.check()
        page.locator("[data-action=commit]").click()
        if page.locator("[data-action=reveal]").is_visible():
            page.locator("[data-action=reveal]").click()
        told = page.locator(".fr-status").text_content()
        made = json.loads(page.evaluate("JSON.stringify(frExploreModel.get('state').tries.at(-1).guess)"))
        twin = make()
        twin.commit(made)
        twin.reveal()
        assert told == twin.result["words"][-1]
        page.locator("[data-action=retry]").click()
    assert page.locator(".fr-tries li").last.text_content().endswith(told)


@pytest.mark.browser
def test_a_page_without_the_truth_says_who_has_it(opened):
    page = opened(Prediction("How far?"))
    page.locator("input[type=number]").fill("3")
    page.locator("[data-action=commit]").click()
    assert "the notebook that created it reveals it" in page.locator(".fr-status").text_content()
    assert page.locator("[data-action=reveal]").is_hidden()
