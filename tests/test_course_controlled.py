"""Self-checks of notebooks 6 and 7: right answers in several forms pass, each typical wrong one gets its own hint."""

import importlib
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats
from scipy.spatial.distance import cdist
from sklearn.metrics import pairwise_distances

import fr_explore as fr
from fr_explore_widgets import course

ROOT = Path(__file__).parents[1]
NOTEBOOKS = ("06", "07")


def energy_by_angle(s):
    return [np.cos(np.arctan(s)) ** 2]


def energy_drawn(s):
    """Of real arrows with orthogonal noise, as the library has it."""
    arrows = np.hstack([np.full((6, 1), s), np.eye(6)])
    return fr.alignment_energy(arrows, arrows, fr.all_pairs(power=0))


def paired_by_scipy(before, after):
    return [np.mean(after - before), stats.sem(after - before)]


def paired_by_pandas(before, after):
    d = pd.Series(after) - pd.Series(before)
    return torch.tensor([d.mean(), d.sem()])


def triplet_by_torch(vectors, who, margin):
    gaps = torch.cdist(torch.tensor(vectors), torch.tensor(vectors), compute_mode="donot_use_mm_for_euclid_dist")
    mine = torch.tensor(who[:, None] == who)
    return torch.relu(margin + (gaps * mine).amax(1) - gaps.masked_fill(mine, torch.inf).amin(1)).mean()


def triplet_by_loop(vectors, who, margin):
    gaps = pairwise_distances(vectors)
    return [np.mean([max(margin + g[who == w].max() - g[who != w].min(), 0) for g, w in zip(gaps, who, strict=True)])]


def own_and_other(vectors, who):
    gaps = cdist(vectors, vectors)
    mine = who[:, None] == who
    return np.where(mine, gaps, 0).max(1), np.where(mine, np.inf, gaps).min(1)


def no_hinge(vectors, who, margin):
    far, near = own_and_other(vectors, who)
    return (margin + far - near).mean()


def itself_as_nearest(vectors, who, margin):
    return (margin + own_and_other(vectors, who)[0] - cdist(vectors, vectors).min(1)).mean()


RIGHT = {
    "06a": [energy_by_angle, energy_drawn, lambda s: torch.tensor(1.0) / (1 + s * s)],
    "06b": [paired_by_scipy, paired_by_pandas, lambda b, a: ((a - b).mean(), np.std(a - b, ddof=1) / len(a) ** 0.5)],
    "06c": ["b", " B"],
    "07a": [triplet_by_torch, triplet_by_loop],
    "07b": [lambda a, b: (a - b) / (1 + b), lambda a, b: pd.Series([0.4 * (1 + a) / (0.4 * (1 + b)) - 1])],
    "07c": ["a", "A "],
}  # fmt: skip

# (wrong answer, a piece of its hint); the hints of CHECKS come on top of these
WRONG = {
    "06a": [
        (lambda s: s**2 / (1 + s**2), "cosine itself"),
        (lambda s: 1 / (1 + s), "Pythagoras"),
        (lambda s: (1 + s**2) ** -0.5, "Both arrows"),
        (lambda s: 0.5, "Right in 1 of 5 tries. With a drift"),
        (lambda s: [s, s], "one number"),
    ],
    "06b": [
        (lambda b, a: (np.mean(b - a), stats.sem(b - a)), "sign"),
        (lambda b, a: (np.mean(a - b), np.hypot(stats.sem(a), stats.sem(b))), "two groups"),
        (lambda b, a: (np.mean(a - b), np.std(a - b, ddof=1)), "single people"),
        (lambda b, a: (np.mean(a - b), np.std(a - b) / np.sqrt(len(a))), "n - 1"),
        (lambda b, a: np.mean(a - b), "2 numbers; got one number"),
        (lambda b, a: (np.median(a - b), stats.sem(a - b)), "median"),
        (lambda b, a: (np.mean(a / b), stats.sem(a / b)), "0.577"),
    ],
    "06c": [("a", "other scales"), ("c", "narrower range"), ("d", "letters")],
    "07a": [
        (no_hinge, "below zero"),
        (itself_as_nearest, "the picture itself"),
        (lambda v, w, m: max(0, no_hinge(v, w, m)), "after the mean"),
        (lambda v, w, m: triplet_by_torch(v, w, 0), "margin is missing"),
        (lambda v, w, m: len(v) * triplet_by_torch(v, w, m), "sum"),
        (lambda v, w, m: own_and_other(v, w)[0], "one number"),
        (lambda v, w, m: 0, "0.75"),
    ],
    "07b": [
        (lambda a, b: a - b, "both are small"),
        (lambda a, b: (1 + a) / (1 + b), "the change"),
        (lambda a, b: a, "length alone"),
        (lambda a, b: b, "does not change"),
    ],
    "07c": [("b", "by heart"), ("c", "any training"), ("brightness", "letters")],
}


def checks(number):
    return importlib.import_module(f"fr_explore_widgets.course.checks_{number}").CHECKS


ALL = {f"{number}{letter}": check for number in NOTEBOOKS for letter, check in checks(number).items()}
MISTAKES = [(name, k) for name, check in ALL.items() for k in range(len(check.mistakes))]


def source_of(number):
    return next((ROOT / "notebooks" / "source").glob(f"{number}-*.py")).read_text(encoding="utf-8")


def test_every_exercise_has_a_check_and_rows_here():
    asked = set()
    for number in NOTEBOOKS:
        text = source_of(number)
        asked |= set(re.findall(r'course\.check\("(\w+)"', text))
        assert text.count('tags=["exercise"]') == text.count("course.check(") >= 2
    assert asked == set(ALL) == set(RIGHT) == set(WRONG)


@pytest.mark.parametrize(("name", "k"), [(name, k) for name, answers in RIGHT.items() for k in range(len(answers))])
def test_right_answers_pass_in_any_form(name, k):
    found = course.check(name, RIGHT[name][k])
    assert found.status == "right", found
    assert found.text.startswith("Right")


@pytest.mark.parametrize(("name", "k"), [(name, k) for name, rows in WRONG.items() for k in range(len(rows))])
def test_wrong_answers_get_their_hint(name, k):
    answer, hint = WRONG[name][k]
    found = course.check(name, answer)
    assert found.status == "wrong"
    assert hint in found.text


@pytest.mark.parametrize(("name", "k"), MISTAKES)
def test_each_known_mistake_is_told_from_the_truth_and_from_the_others(name, k):
    check = ALL[name]
    mistake = check.mistakes[k]
    results = iter([mistake.does(*case) for case in check._cases(())])
    found = check.judge((lambda *_: next(results)) if check.cases else next(results))
    assert found == course.Feedback("wrong", mistake.hint)


@pytest.mark.parametrize("name", ALL)
def test_stubs_are_not_yet_and_crashes_are_told(name):
    def stub(*_):
        raise NotImplementedError("do this")

    def crash(*_):
        raise KeyError("x")

    assert course.check(name, stub) == course.Feedback("not yet", "Not yet: do this")
    assert course.check(name, ...).status == "not yet"
    assert "KeyError" in course.check(name, crash).text
    assert "return" in course.check(name, lambda *_: None).text


@pytest.mark.parametrize("name", ALL)
def test_no_hint_leaks_the_solution(name):
    blocks = re.findall(r"# BEGIN SOLUTION: .*\n((?:.*\n)*?) *# END SOLUTION", source_of(name[:2]))
    lines = [line.strip() for block in blocks for line in block.splitlines() if len(line.strip()) > 12]
    assert lines
    for text in (ALL[name].otherwise, *(mistake.hint for mistake in ALL[name].mistakes)):
        assert not any(line.removeprefix("return ") in text for line in lines)
        assert "np." not in text
        assert text.endswith((".", "?"))


def test_the_examples_that_hints_give_are_true():
    assert ALL["06a"].truth(1.0) == pytest.approx(0.5)
    assert ALL["06b"].truth([0, 0, 0], [1, 2, 3]) == pytest.approx((2, 0.577), abs=1e-3)
    line = np.array([[0.0], [1.0], [2.0], [4.0]])
    assert ALL["07a"].truth(line, np.array([0, 0, 1, 1]), 1.0) == pytest.approx(0.75)
    assert ALL["07b"].truth(1.0, 1.0) == pytest.approx(0)


def test_the_exercise_of_notebook_6_is_what_the_library_finds():
    model = fr.load_model("controlled/drift-noise")
    lattice = fr.sample_lattice(fr.Cartoons(identities=1, seed=1), ["age"], curves=40, seed=0)
    field = fr.vector_field(fr.embed(lattice, model, progress=False, cache=False))
    energy = fr.alignment(field, neighborhood=fr.all_pairs(power=0))["energy"].item()
    assert energy == pytest.approx(ALL["06a"].truth(0.5), abs=0.03)
