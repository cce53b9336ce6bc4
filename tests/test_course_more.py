"""Self-checks of notebooks 8 and 10: right answers in several forms pass, each typical wrong one gets its own hint."""

import importlib
import itertools
import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

import fr_explore as fr
from fr_explore_widgets import course

ROOT = Path(__file__).parents[1]
NOTEBOOKS = ("08", "10")


def p_by_scipy(gaps):
    found = stats.permutation_test((gaps,), np.mean, permutation_type="samples", n_resamples=np.inf)
    return found.pvalue


def p_by_library(gaps):
    rows = [{"identity": i, "model": m, "energy": e} for i, g in enumerate(gaps) for m, e in (("a", g), ("b", 0.0))]
    return fr.compare(pd.DataFrame(rows), between="model")["p"]


def people_by_trial(tests, level):
    return next(n for n in itertools.count(1) if tests * 2 / 2**n <= level)


def share_by_scipy(n, r):
    ranks = range(n)
    return [np.mean([stats.pearsonr(ranks, order).statistic >= r for order in itertools.permutations(ranks)])]


def cost_by_name(pictures, models, seconds, cores, dim):
    work = pd.Timedelta(seconds=pictures * seconds / cores) * models
    return np.array([work / pd.Timedelta(hours=1), pictures * models * np.zeros(dim, "f4").nbytes / 1e9])


def recall_by_sets(exact, found):
    return torch.tensor([len({*a} & {*b}) / len(a) for a, b in zip(exact, found, strict=True)]).mean()


def recall_by_comparison(exact, found):
    return [(exact[:, :, None] == found[:, None]).any(2).mean()]


RIGHT = {
    "08a": [p_by_scipy, p_by_library],
    "08b": [people_by_trial, lambda m, level: np.int64(math.ceil(1 + math.log2(m / level)))],
    "08c": [share_by_scipy],
    "10a": [cost_by_name, lambda n, m, c, w, d: [n * m * c / w / 3600, 4e-9 * n * m * d]],
    "10b": [lambda b: (b / 8) ** 0.5, lambda b: np.floor(np.sqrt(b / 8))],
    "10c": [recall_by_sets, recall_by_comparison],
}

# (wrong answer, a piece of its hint); the hints of CHECKS come on top of these
WRONG = {
    "08a": [
        (lambda g: p_by_scipy(g) / 2, "One end only"),
        (lambda g: stats.ttest_1samp(g, 0).pvalue, "t test"),
        (lambda g: 1 - p_by_scipy(g), "nearer to 0"),
        (lambda g: p_by_scipy(g) - 2 / 2 ** len(g), "that happened"),
        (lambda g: g, "one number; got"),
        (lambda g: 0.5, "two of the four tosses"),
    ],
    "08b": [
        (lambda m, level: people_by_trial(m / 2, level), "all signs minus"),
        (lambda m, level: people_by_trial(1, level), "number of tests"),
        (lambda m, level: 1 + np.log2(m / level), "whole"),
        (lambda m, level: people_by_trial(m, level) - 1, "all signs minus"),
        (lambda m, level: 100, "six give 1/32"),
    ],
    "08c": [
        (lambda n, r: np.mean(np.abs([_rho(o) for o in itertools.permutations(range(n))]) >= r), "Both ends"),
        (lambda n, r: sum(_rho(o) >= r for o in itertools.permutations(range(n))), "how many orders"),
        (lambda n, r: 1 - share_by_scipy(n, r)[0], "below"),
        (lambda n, r: 0, "1/6"),
    ],
    "10a": [
        (lambda n, m, c, w, d: (n * m * c / 3600, n * m * d * 4e-9), "cores"),
        (lambda n, m, c, w, d: (n * m * c / w, n * m * d * 4e-9), "seconds"),
        (lambda n, m, c, w, d: (n * m * c / w / 3600, n * m * d * 8e-9), "float64"),
        (lambda n, m, c, w, d: (n * m * c / w / 3600, n * m * d * 4 / 1024**3), "GiB"),
        (lambda n, m, c, w, d: (n * m * c / w / 3600, n * d * 4e-9), "one model only"),
        (lambda n, m, c, w, d: n * m * c / w / 3600, "2 numbers; got one number"),
        (lambda *job: (1, 1), "0.01 hours"),
    ],
    "10b": [
        (lambda b: np.sqrt(b / 4), "float32"),
        (lambda b: b / 8, "That many numbers"),
        (lambda b: (b / 8) ** 0.25, "10 points"),
    ],
    "10c": [
        (lambda e, f: (e == f).mean(), "place by place"),
        (lambda e, f: (np.sort(e) == np.sort(f)).all(1).mean(), "spoils a point"),
        (lambda e, f: 1 - recall_by_sets(e, f), "missed"),
        (lambda e, f: recall_by_sets(e, f) * e.shape[1], "As a share"),
        (lambda e, f: 0.123, "0.75"),
    ],
}


def _rho(order):
    return stats.pearsonr(range(len(order)), order).statistic


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
    assert check.judge(lambda *_: next(results)) == course.Feedback("wrong", mistake.hint)


@pytest.mark.parametrize("name", ALL)
def test_stubs_are_not_yet_and_crashes_are_told(name):
    def stub(*_):
        raise NotImplementedError("do this")

    def crash(*_):
        raise KeyError("x")

    assert course.check(name, stub) == course.Feedback("not yet", "Not yet: do this")
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
    assert ALL["08a"].truth([1.0, 1.0]) == 0.5
    assert ALL["08b"].truth(1, 0.05) == 6
    assert ALL["08c"].truth(4, 0.75) == pytest.approx(1 / 6)
    assert ALL["10a"].truth(1000, 1, 0.036, 1, 250) == pytest.approx((0.01, 0.001))
    assert ALL["10b"].truth(800) == 10
    assert ALL["10c"].truth(np.array([[1, 2], [3, 4]]), np.array([[2, 5], [4, 3]])) == 0.75


def test_one_order_of_eight_in_seventeen_reaches_a_rank_correlation_of_six_tenths():
    assert 1 / ALL["08c"].truth(8, 0.6) == pytest.approx(17, abs=0.5)


def test_the_published_medians_are_those_of_the_benchmark():
    text = (ROOT / "benchmarks" / "paper_check.py").read_text(encoding="utf-8")
    for model in ("FaceNet", "ArcFace"):
        found = [re.search(rf'"{model}": \[([\d., ]+)\]', source).group(1) for source in (text, source_of("08"))]
        assert found[0] == found[1]
