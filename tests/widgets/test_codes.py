"""The class's guesses: codes that survive a chat, in Python as in the page, and a prediction that may be skipped."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fr_explore_widgets import Prediction
from fr_explore_widgets.core.base import WidgetError
from fr_explore_widgets.prediction.codes import DIGITS, code_of, guess_of, read_codes

ROWS = json.loads((Path(__file__).parents[2] / "widgets/tests/prediction/codes.json").read_text(encoding="utf-8"))
NUMBER = Prediction("How far?", low=0, high=1).setup
NAMES = ["age", "hue", "contrast", "head_angle", "my own", "brightness", "blur", "noise"]
RANKING = Prediction("Which?", "ranking", NAMES).setup
CURVE = Prediction("How?", "curve", x=[0, 1, 2, 5], low=-1, high=2).setup


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["code"])
def test_codes_are_those_of_the_page(row):
    assert code_of(row["setup"], row["guess"]) == row["code"]
    assert guess_of(row["setup"], row["code"]) == row["read"]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_keeps_four_digits(value):
    read = guess_of(NUMBER, code_of(NUMBER, value))
    if abs(value) < 1e-16:
        assert read == 0
    elif abs(value) < 9.9995e15:
        assert read == pytest.approx(value, rel=0.0005001)
    else:
        assert read == pytest.approx(9.999e15 * (1 if value > 0 else -1))


@given(st.permutations(NAMES))
def test_an_order_is_kept(order):
    code = code_of(RANKING, order)
    assert guess_of(RANKING, code) == order
    assert len(code) == 9


@given(st.lists(st.floats(-1, 2), min_size=4, max_size=4))
def test_a_curve_is_kept_to_half_a_step(values):
    assert guess_of(CURVE, code_of(CURVE, values)) == pytest.approx(values, abs=0.5 * 3 / 31 + 1e-9)


@given(st.floats(0, 1), st.data())
def test_one_wrong_digit_and_two_exchanged_neighbours_are_found(value, data):
    code = code_of(NUMBER, value).replace("-", "")
    at = data.draw(st.integers(0, len(code) - 2))
    other = data.draw(st.sampled_from(DIGITS.replace(code[at], "")))
    with pytest.raises(ValueError, match="has a typing error: compare it with the widget"):
        guess_of(NUMBER, code[:at] + other + code[at + 1 :])
    if code[at] != code[at + 1]:
        with pytest.raises(ValueError, match="has a typing error"):
            guess_of(NUMBER, code[:at] + code[at + 1] + code[at] + code[at + 2 :])


def test_letters_that_look_like_figures_are_read_as_such():
    row = next(row for row in ROWS if "0" in row["code"] and "1" in row["code"])
    assert guess_of(row["setup"], row["code"].replace("0", "O").replace("1", "l").lower()) == row["read"]


def test_the_codes_of_a_chat_are_gathered_and_the_wrong_ones_named():
    a, b = code_of(NUMBER, 0.25), code_of(NUMBER, 0.6)
    wrong = a[:-1] + DIGITS[(DIGITS.index(a[-1]) + 1) % 32]
    other = code_of(RANKING, NAMES)
    found = read_codes(NUMBER, f"Ann (10:32): {a}\nBen: {b.lower()}!\nwell-done, everyone {wrong}, {other}")
    assert found.guesses == [0.25, 0.6]
    assert list(found.unread) == [wrong, other]
    assert "typing error" in found.unread[wrong]
    assert "another question" in found.unread[other]


def test_a_prediction_has_the_code_of_its_first_guess():
    p = Prediction("How far?", low=0, high=1)
    assert p.code is None
    p.commit(0.25)
    first = p.code
    assert p.read_codes(f"me: {first}").guesses == [0.25]
    p.reveal(0.5)
    p.retry()
    p.commit(0.5)
    assert p.code == first


def test_a_guess_may_be_skipped_and_says_so():
    p = Prediction("How far?", low=0, high=1)
    assert not p.answered
    p.request = {"client": "a", "seq": 1, "action": "skip"}
    assert (p.answered, p.guess, p.score, p.code) == (True, None, None, None)
    p.reveal(0.5)
    assert (p.state["truth"], p.score, p.result["words"]) == (0.5, None, [])
    with pytest.raises(WidgetError, match="already committed"):
        p.skip()
    q = Prediction("How far?", low=0, high=1, state=p.state)
    assert (q.answered, q.state["open"]) == (True, False)
    p.retry()
    p.commit(0.5)
    assert p.state["tries"] == [{"guess": 0.5, "after_reveal": True}]
    assert p.code is None
    kept = Prediction("How far?", truth=3)
    kept.skip()
    assert kept.state["truth"] == 3


def test_old_states_are_still_read():
    p = Prediction("How far?", state={"version": 1, "tries": [], "open": False, "truth": None})
    assert (p.state["open"], p.answered) == (True, False)
