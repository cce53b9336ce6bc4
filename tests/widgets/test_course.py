"""The course's self-checks: right answers pass in several forms; each typical wrong answer gets its own hint."""

import importlib
import math
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr
from course_rows import RIGHT as LATER_RIGHT
from course_rows import WRONG as LATER_WRONG
from course_rows import loop_by_library, loop_by_search
from scipy import stats
from scipy.spatial.distance import cdist, cosine, euclidean, pdist, squareform

import fr_explore as fr
from fr_explore_widgets import Prediction, course
from fr_explore_widgets.course import comparing

ROOT = Path(__file__).parents[2]
NOTEBOOKS = [f"{number:02}" for number in range(12)]
FURTHEST = dict(zip("abcdefghij", (0.1, 0.25, 0.3, 0.35, 0.42, 0.5, 0.65, 0.8, 0.9, 0.95), strict=True))
OTHERS = np.array([0.42, 0.4, 0.9])


def same(a, b, threshold):
    return euclidean(a, b) <= threshold


def torch_cosine(a, b):
    return 1 - torch.nn.functional.cosine_similarity(torch.tensor(a), torch.tensor(b), dim=0)


def rates_by_loop(genuine, impostor, threshold):
    return [sum(d > threshold for d in genuine) / len(genuine), sum(d <= threshold for d in impostor) / len(impostor)]


def sorted_threshold(impostor, rate):
    ordered = sorted(impostor)
    k = int(rate * len(ordered) + 1e-9)
    return ordered[0] / 2 if k == 0 else (ordered[k - 1] + ordered[k]) / 2


def at_a_distance(impostor, rate):
    k = int(rate * len(impostor) + 1e-9)
    return np.sort(impostor)[k - 1] if k else 0


def scales_by_loop(points, who):
    inside, outside = [], []
    for i in range(len(points)):
        for j in range(len(points)):
            if i != j:
                (inside if who[i] == who[j] else outside).append(euclidean(points[i], points[j]))
    return xr.DataArray([np.mean(inside), np.mean(outside)])


def by_library(points, who):
    found = fr.overlap(points, who, metric="euclidean")
    return found.genuine_mean, found.impostor_mean


def nearest(points):
    return [int(np.argsort(row)[1]) for row in squareform(pdist(points))]


def entropy_by_pandas(label, who):
    share = pd.Series(label > 0).groupby(who).mean()
    return share.map(lambda p: stats.entropy([p, 1 - p])).mean()


def straight(points):
    return euclidean(points[0], points[-1]) / sum(euclidean(a, b) for a, b in pairwise(points))


def central(below, middle, above):
    return torch.tensor(np.linalg.norm(above - below)), list((above - below) / np.linalg.norm(above - below))


def energy_by_matrix(directions, neighbors):
    gram = 1 - directions @ directions.T
    return float(np.mean([gram[i, list(js)].mean() for i, js in enumerate(neighbors)]))


def closed_form(u):
    n, m2 = len(u), float(np.linalg.norm(np.mean(u, 0)) ** 2)
    return 1 - (n * m2 - 1) / (n - 1)


def by_pairs(u):
    return fr.alignment_energy(np.arange(len(u))[:, None], u, fr.all_pairs(power=0))


def grouped(distances, groups, threshold):
    return pd.Series(distances <= threshold).groupby(groups).mean()


# exercise: right answers, and after "context" the further arguments that the notebook passes
RIGHT = {
    "00a": [same, lambda a, b, t: ((a - b) ** 2).sum() ** 0.5 <= t, lambda a, b, t: int(not np.linalg.norm(a - b) > t)],
    "00b": [9, 9.0, np.int64(9), "context", (FURTHEST, OTHERS)],
    "01a": [cosine, torch_cosine, lambda a, b: np.array([1 - a @ b / np.sqrt((a @ a) * (b @ b))])],
    "01b": [rates_by_loop, lambda g, i, t: np.array([(g > t).mean(), (i <= t).mean()])],
    "01c": [sorted_threshold, at_a_distance],
    "02a": [scales_by_loop, by_library],
    "02b": [nearest, lambda points: torch.tensor(nearest(points))],
    "03a": [lambda a, b: stats.ks_2samp(a, b).statistic, lambda a, b: [stats.ks_2samp(b, a).statistic]],
    "03b": [
        entropy_by_pandas,
        lambda label, who: importlib.import_module("fr_explore.population.labels").intra_entropy(who, label),
    ],
    "03c": ["b", "B", " b "],
    "04a": [straight],
    "04b": [central, lambda b, m, a: (float(np.linalg.norm(b - a)), (a - b) / np.linalg.norm(b - a))],
    "04c": [lambda a, b: np.einsum("id,id->i", a, b).mean(), lambda a, b: np.trace(a @ b.T) / len(a)],
    "05a": [energy_by_matrix],
    "05b": [closed_form, by_pairs],
    "05c": ["b", "B"],
    "09a": [lambda r, n: 1 - (1 - r) ** n, lambda r, n: stats.binom.sf(0, n, r)],
    "09b": [lambda n, chance=0.05: 1 - chance ** (1 / n), lambda n, chance: stats.beta.ppf(1 - chance, 1, n)],
    "09c": [grouped, lambda d, g, t: [(d[g == k] <= t).mean() for k in sorted(set(g))]],
} | LATER_RIGHT

# exercise: (wrong answer, part of its hint), besides the mistakes in CHECKS
WRONG = {
    "00a": [(lambda a, b, t: euclidean(a, b) < t, "exactly the threshold"), (lambda a, b, t: a - b, "one number")],
    "00b": [
        (5, "farthest other person"),
        (6, "Take half of it"),
        (8, "mean of the other people"),
        (4, "threshold"),
        (1, "stay nearer"),
        (99, "count the attributes"),
        ("age", "cannot be read as numbers"),
    ],
    "01a": [(lambda a, b: math.acos(1 - cosine(a, b)), "radians"), (lambda a, b: 1 - np.corrcoef(a, b)[0, 1], "mean")],
    "01b": [(lambda g, i, t: ((i <= t).mean(), (g > t).mean()), "wrong order"), (lambda g, i, t: 0.5, "2 numbers")],
    "01c": [
        (lambda i, r: np.sort(i)[int(r * len(i) + 1e-9)], "One impostor too many"),
        (lambda i, r: 0, "rejecting"),
        (np.quantile, "A quantile lies between"),
    ],
    "02a": [
        (lambda p, w: (cdist(p, p)[w[:, None] == w].mean(), cdist(p, p)[w[:, None] != w].mean()), "with itself"),
        (lambda p, w: np.nan * np.ones(2), "not a number"),
    ],
    "02b": [(lambda p: cdist(p, p).argmin(1), "Every point chose itself"), (lambda p: p, "numbers; got an array")],
    "03a": [(lambda a, b: abs(a.mean() - b.mean()), "means"), (lambda a, b: stats.ks_2samp(a, b).pvalue, "2.5")],
    "03b": [(lambda y, w: stats.entropy([np.mean(y > 0), np.mean(y < 0)]), "all pictures together")],
    "03c": [("a", "steadier"), ("c", "Another metric"), ("d", "letters")],
    "04a": [(lambda p: 1 / straight(p), "Upside down"), (lambda p: 0.5, "5")],
    "04b": [
        (lambda b, m, a: (np.linalg.norm(a - m), (a - m) / np.linalg.norm(a - m)), "forward"),
        (lambda *x: 1, "got"),
    ],
    "04c": [
        (lambda a, b: (a @ b.T).mean(), "every arrow with all others"),
        (lambda a, b: (a * b).sum(1), "one number"),
    ],
    "05a": [(lambda u, near: np.mean([np.mean(1 - u[[*j, i]] @ u[i]) for i, j in enumerate(near)]), "own neighbours")],
    "05b": [
        (lambda u: 1 - np.sum(u.mean(0) ** 2), "with itself"),
        (lambda u: np.linalg.norm(u.mean(0)), "magnetisation"),
    ],
    "05c": [("a", "magnitude"), ("c", "chance")],
    "09a": [(lambda r, n: r * n, "expected number"), (lambda r, n: 0, "3/4")],
    "09b": [(lambda n, c=0.05: 3 / n, "approximation"), (lambda n, c: 0, "observed")],
    "09c": [(lambda d, g, t: [((g == k) & (d <= t)).mean() for k in sorted(set(g))], "a small group looks safe")],
} | LATER_WRONG


def checks(number):
    return importlib.import_module(f"fr_explore_widgets.course.checks_{number}").CHECKS


ALL = {f"{number}{letter}": check for number in NOTEBOOKS for letter, check in checks(number).items()}
CONTEXT = {"00b": (FURTHEST, OTHERS)}
MISTAKES = [(name, hint) for name, check in ALL.items() for hint in check.mistakes]


def source_of(number):
    return next((ROOT / "notebooks" / "source").glob(f"{number}-*.py")).read_text(encoding="utf-8")


def test_every_exercise_of_every_source_has_a_check_and_rows_here():
    asked = set()
    for number in NOTEBOOKS:
        text = source_of(number)
        asked |= set(re.findall(r'course\.check\("(\w+)"', text))
        assert text.count('tags=["exercise"]') == text.count("course.check(") >= 2, number
    assert asked == set(ALL) == set(RIGHT) == set(WRONG)


@pytest.mark.parametrize("name", RIGHT)
def test_right_answers_pass_in_any_form(name):
    answers = RIGHT[name][: RIGHT[name].index("context")] if "context" in RIGHT[name] else RIGHT[name]
    for answer in answers:
        found = course.check(name, answer, *CONTEXT.get(name, ()))
        assert found.status == "right", found
        assert found.passed
        assert found.text.startswith("Right")


@pytest.mark.parametrize(("name", "answer", "hint"), [(n, *row) for n, rows in WRONG.items() for row in rows])
def test_wrong_answers_get_their_hint(name, answer, hint):
    found = course.check(name, answer, *CONTEXT.get(name, ()))
    assert found.status == "wrong"
    assert hint in found.text


@pytest.mark.parametrize(("name", "hint"), MISTAKES, ids=[f"{name}-{hint[:24]}" for name, hint in MISTAKES])
def test_each_known_mistake_gets_its_own_hint(name, hint):
    context = CONTEXT.get(name, ())
    check = replace(ALL[name], reads=None)  # a mistake returns what `reads` would extract
    results = [check.mistakes[hint](*case) for case in (check.cases() if check.cases else [context])]
    answer = iter(results)
    found = check.judge((lambda *_: next(answer)) if check.cases else results[0], context)
    assert found == course.Feedback("wrong", hint)


@pytest.mark.parametrize("name", ALL)
def test_a_stub_is_not_yet_and_a_crash_is_reported(name):
    def stub(*_):
        raise NotImplementedError("do this")

    def crash(*_):
        raise KeyError("x")

    context = CONTEXT.get(name, ())
    assert course.check(name, stub, *context) == course.Feedback("not yet", "Not yet: do this")
    assert course.check(name, ..., *context).status == "not yet"
    assert "KeyError" in course.check(name, crash, *context).text
    assert "return statement" in course.check(name, lambda *_: None, *context).text


@pytest.mark.parametrize("name", ALL)
def test_no_hint_leaks_the_solution(name):
    source = source_of(name[:2])
    lines = [
        line.strip()
        for block in re.findall(r"# BEGIN SOLUTION: .*\n((?:.*\n)*?) *# END SOLUTION", source)
        for line in block.splitlines()
        if len(line.strip()) > 12
    ]
    assert lines
    check = ALL[name]
    for text in (check.otherwise, *check.mistakes):
        assert not any(line.removeprefix("return ") in text for line in lines)
        assert "np." not in text
        assert text.endswith((".", "?", ".)"))


def test_the_examples_that_hints_give_are_true():
    assert ALL["06a"].truth(1.0) == pytest.approx(0.5)
    assert ALL["06b"].truth([0, 0, 0], [1, 2, 3]) == pytest.approx((2, 0.577), abs=1e-3)
    line = np.array([[0.0], [1.0], [2.0], [4.0]])
    assert ALL["07a"].truth(line, np.array([0, 0, 1, 1]), 1.0) == pytest.approx(0.75)
    assert ALL["07b"].truth(1.0, 1.0) == pytest.approx(0)
    assert ALL["08a"].truth([1.0, 1.0]) == 0.5
    assert ALL["08b"].truth(1, 0.05) == 6
    assert ALL["08c"].truth(4, 0.75) == pytest.approx(1 / 6)
    assert ALL["10a"].truth(1000, 1, 0.036, 1, 250) == pytest.approx((0.01, 0.001))
    assert ALL["10b"].truth(800) == 10
    assert ALL["10c"].truth(np.array([[1, 2], [3, 4]]), np.array([[2, 5], [4, 3]])) == 0.75


def test_the_exercise_of_notebook_6_is_what_the_library_finds():
    model = fr.load_model("controlled/drift-noise")
    lattice = fr.sample_lattice(fr.Cartoons(identities=1, seed=1), ["age"], curves=40, seed=0)
    field = fr.vector_field(fr.embed(lattice, model, progress=False, cache=False))
    energy = fr.alignment(field, neighborhood=fr.all_pairs(power=0))["energy"].item()
    assert energy == pytest.approx(ALL["06a"].truth(0.5), abs=0.03)


def test_the_loop_of_notebook_11_is_what_the_library_finds():
    for n, r in ((5, 1.0), (9, 2.0), (16, 0.5)):
        assert loop_by_library(n, r).tolist() == pytest.approx(loop_by_search(n, r), rel=1e-5)


def test_one_order_of_eight_in_seventeen_reaches_a_rank_correlation_of_six_tenths():
    assert 1 / ALL["08c"].truth(8, 0.6) == pytest.approx(17, abs=0.5)


def test_the_published_medians_are_those_of_the_benchmark():
    text = (ROOT / "benchmarks" / "paper_check.py").read_text(encoding="utf-8")
    for model in ("FaceNet", "ArcFace"):
        found = [re.search(rf'"{model}": \[([\d., ]+)\]', source).group(1) for source in (text, source_of("08"))]
        assert found[0] == found[1]


def test_an_answer_that_changes_its_arguments_harms_only_itself():
    def spoil(a, b):
        right = cosine(a, b)
        a[:] = b[:] = 1
        return right

    assert course.check("01a", spoil).passed


def test_unknown_exercises_are_named():
    with pytest.raises(ValueError, match=r"no exercise '01z': choose from 01a, 01b, 01c"):
        course.check("01z", 1)
    with pytest.raises(ValueError, match=r"notebook 77 has no exercises"):
        course.check("77a", 1)


def test_partly_right_says_how_much_and_nothing_else():
    found = course.check("09a", lambda r, n: 1 - (1 - r) ** n if n < 100 else 0.5)
    assert found.text.startswith("Right in 3 of 4 tries. ") or found.text.startswith("Right in 2 of 4 tries. ")


@pytest.mark.parametrize(
    ("got", "right", "ok"),
    [
        ([1, 2], np.array([1, 2]), True), (np.ones((2, 1)), [1, 1], True), (1 + 1e-5, 1, True), (1.01, 1, False),
        (True, 1, True), ("head angle", "head_angle", True), (["a", "b"], ["b", "a"], False),
        (pd.Series([1.0]), 1, True),
        (np.array(["a"]), ["a"], True), (object(), 1, False), ([1], [1, 2], False), (-1e-12, 0, True),
    ],
)  # fmt: skip
def test_results_are_compared_in_any_form(got, right, ok):
    assert comparing.same(got, right) is ok


def test_feedback_shows_itself_and_escapes_what_it_quotes():
    found = course.Feedback("wrong", "Your code stopped with ValueError: <b>")
    assert repr(found) == "→ Your code stopped with ValueError: <b>"
    page = found._repr_html_()
    assert 'role="status"' in page
    assert "&lt;b&gt;" in page


def test_reveal_waits_for_a_guess():
    guess = Prediction("How much?", low=0, high=1)
    assert course.reveal(guess, 0.5).status == "not yet"
    guess.commit(0.25)
    assert "0.25 too low" in course.reveal(guess, 0.5).text


def test_faces_are_shown_with_their_words(avatars):
    figure = course.show_faces([avatars.render(0, size=48)] * 2, ["one", 'a "b"'], alt="Two faces:")
    page = figure._repr_html_()
    assert page.count("<img") == page.count('alt="Two faces: ') == 2
    assert "&quot;b&quot;" in page
    assert repr(figure) == "Figure: Two faces:"
    assert "max-width: calc" not in page  # a row of three on a phone, if there are as many
    assert "max-width: calc" in course.show_faces([avatars.render(0, size=48)] * 3, alt="Three:")._repr_html_()
    with pytest.raises(ValueError, match="1 faces and 2 captions"):
        course.show_faces([avatars.render(0, size=48)], ["a", "b"], alt="x")


def test_snapshots_stay_in_range_and_only_add(avatars):
    who, strengths = course.snapshots(avatars, each=4, spread=1.0, seed=3)
    assert who.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    for name in fr.PAPER_ATTRIBUTES:
        record = avatars.attributes[name]
        assert all(record.low <= recipe[name] <= record.high for recipe in strengths)
    more = course.snapshots(fr.Avatars(identities=5, seed=0), each=4, spread=1.0, seed=3)[1]
    assert more[:12] == strengths
    still = course.snapshots(avatars, each=1, spread=0)[1]
    assert all(recipe[name] == pytest.approx(avatars.attributes[name].neutral) for recipe in still for name in recipe)
