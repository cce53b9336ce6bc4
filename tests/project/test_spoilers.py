"""No notebook gives an answer away before the guess, and the rules that say so find what does."""

import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import build_notebooks as build  # noqa: E402  (a tool, not a package)
import check_notebooks  # noqa: E402
import spoilers as rules  # noqa: E402

sys.path.pop(0)
SOURCES = sorted((ROOT / "notebooks" / "source").glob("[0-9][0-9]-*.py"))
TRUTH = "t = far(3)\ncourse.reveal(guess, t)"
LATER = "## 2. Later"
ASK = 'guess = Prediction("How far?")\nguess'


def found(*sources, tags=None):
    """Spoilers of a notebook: a text that starts with "# " or "<" or ends in a full stop is Markdown."""
    cells = []
    for i, source in enumerate(sources):
        prose = source.startswith(("#", "<")) or source.endswith(".")
        make = nbformat.v4.new_markdown_cell if prose else nbformat.v4.new_code_cell
        cells.append(make(source, metadata={"tags": (tags or {}).get(i, [])}))
    return list(rules.spoilers(cells))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_no_notebook_shows_an_answer_before_its_guess(path):
    assert list(rules.spoilers(build.versions(path)["student"].cells)) == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_every_prediction_is_revealed(path):
    code = "\n".join(cell.source for cell in build.versions(path)["student"].cells if cell.cell_type == "code")
    asked = code.count("= Prediction(")
    assert asked >= 1
    assert code.count("course.reveal(") == asked


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_committed_students_show_only_what_waits(path):
    notebook = nbformat.read(build.target(path, "student"), as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code" and "course.after(" in cell.source:
            assert "This waits for your guess" in cell.outputs[0]["data"]["text/plain"]


@pytest.mark.parametrize(
    "cells",
    [
        (TRUTH, "course.after(guess, t)"),
        (
            TRUTH,
            "with course.after(guess):\n    for x in t:\n        print(x)",
        ),
        (
            TRUTH,
            "<details><summary>After your guess</summary>\n\nIt is 3.\n</details>",
        ),
        (TRUTH, LATER, "other = 3\nother"),
        (TRUTH, LATER, "t = 4", "t"),
        (TRUTH, LATER, "print('nothing')"),
    ],
)
def test_what_waits_is_accepted(cells):
    assert found(ASK, *cells) == []


@pytest.mark.parametrize(
    ("cells", "what"),
    [
        ((TRUTH, "t"), "`t`, shown before `guess`"),
        (("t = far(3)", "print('near three')", "course.reveal(guess, t)"), "cell 2: shown before `guess`"),
        (("course.reveal(guess, 3)", "It is three."), "cell 2: text after the reveal of `guess` is not folded"),
        (
            (TRUTH, LATER, "half = t / 2", "half"),
            "cell 4: `half`, shown before",
        ),
        (
            (TRUTH, LATER, "a = []\nfor x in t:\n    a.append(x)\na"),
            "`a`, shown",
        ),
        ((TRUTH, LATER, "def f():\n    return t\n\nf()"), "`f`, shown"),
        ((TRUTH, LATER, "if there:\n    display(t)"), "`t`, shown"),
        ((TRUTH, LATER, "handle = display(t)"), "`t`, shown"),
        (
            (TRUTH, "## 2. B", "two = Prediction('B?')\ntwo", "course.after(two, t)"),
            "`t`, shown before `guess`",
        ),
    ],
)
def test_a_spoiler_is_found(cells, what):
    [problem] = found(ASK, *cells)
    assert what in problem


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_a_notebook_promises_the_time_that_it_takes(path):
    assert check_notebooks.too_hasty(build.versions(path)["student"]) == []


def test_a_promise_of_too_few_minutes_is_found():
    text = "# 1. A\n\n*About 20 minutes. Before this: nothing.*\n" + "word " * 3000
    hasty = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])
    assert check_notebooks.too_hasty(hasty) == ["says 20 minutes and takes about 25"]


def test_an_optional_part_has_minutes_of_its_own():
    head = "# 1. A\n\n*About 5 minutes{}. Before this: nothing.*\n"
    more = "## 2. If there is time: more\n" + "word " * 1000
    for said, expected in {
        ", and 10 more for the optional part": [],
        "": ["says 5 minutes and takes about 5 and 10"],
    }.items():
        texts = (head.format(said), more, "## Take away")
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text) for text in texts])
        assert check_notebooks.too_hasty(notebook) == expected


def test_an_author_may_say_that_a_cell_gives_nothing_away():
    assert found(ASK, "print('the same for everybody')", tags={1: ["open"]}) == []
