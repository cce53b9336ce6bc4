"""The project's English: `tools/plain_english.py` finds each known unidiomatic phrase, and nothing in good prose."""

import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import check_prose  # noqa: E402  (a tool, not a package)
import plain_english  # noqa: E402

sys.path.pop(0)

REWRITES = [
    ("The page is told of it", "The kernel sends it to the page"),
    ("it tells the page its figures", "it publishes its figures"),
    ("The maps are made anew", "The maps are recomputed"),
    ("A call that was stopped goes on from there", "A call that was stopped resumes"),
    ("-1 is no number of processes", "invalid number of processes: -1"),
    ("The folder holds something else than the course", "The folder is not the course folder"),
    ("It moves under the hand", "It moves under the pointer"),
    ("The visitor may turn the view", "The user may turn the view"),
    ("The threshold stands on its card", "The threshold is given by its card"),
    ("The name stands in the table", "The name is in the table"),
    ("looked at before the work", "checked for writability before computing"),
    ("the work whose result it shall hold", "the work whose result it will contain"),
    ("pictures that are nobody's business", "private pictures"),
    ("a block ends after a file whose name hashes so", "content-defined chunk boundaries"),
    ("Take down a check", "Record an evaluation"),
    ("mend the cause", "fix the cause"),
    ("mended", "fixed"),
    ("a hair wider", "with a small tolerance"),
    ("a busy thread is felt under a slider", "a busy thread makes the slider lag"),
    ("a widget at rest", "an idle widget"),
    ("Displayed again, it wakes.", "Displayed again, it reopens."),
    ("on people drawn anew", "on resampled people (bootstrap)"),
    ("These are no fifteen independent observations", "These are not fifteen independent observations"),
    ("On the right stands the distance", "The distance is shown on the right"),
    ("A guess that may be wrong teaches more than none", "Even a wrong guess teaches more than not guessing"),
    ("judged the same person where it is", "judged the same person if it is"),
    ("pairs sound like much, but they are twelve people", "pairs sound like a lot, but come from twelve people"),
    ("as large a KS, the observed one counted in;", "as large a KS, including the observed one;"),
    ("given how widely chance alone spreads it", "within chance variation"),
    ("Head angle has hardly a plateau", "Head angle hardly has a plateau"),
    ("a zero of its own making", "a spurious zero"),
    ("A balance is trusted after it has weighed", "We trust a scale once it has weighed something known"),
    ("at right angles to each other, nearly.", "nearly at right angles to each other."),
    ("regime less all-varied", "regime minus all-varied"),
    ("So far as predicted", "So far, as predicted"),
    ("people whom no training saw", "people never used in training"),
    ("how much the comparison can bear", "how much weight the comparison deserves"),
    ("does not hang on the radius", "does not depend on the radius"),
    ("Who compares two models has a choice.", "Anyone who compares two models has a choice."),
    ("By whom are errors borne?", "Who bears the errors?"),
    ("A wrong card makes no error message", "A wrong card raises no error"),
    ("they would be the end of many computers", "they would exhaust most computers' memory"),
    # more of these kinds
    ("It holds that a = b", "Here a = b"),
    ("In it lies the asset", "The asset is there"),
    ("the sum of what is finished", "the sum of the finished parts"),
    ("the file that is not there", "the missing file"),
    ("It imports nothing of ours", "It imports no other package of fr_explore"),
    ("what the user is asked for", "what the user must enter"),
]


@pytest.mark.parametrize(("phrase", "rewrite"), REWRITES, ids=[phrase for phrase, _ in REWRITES])
def test_a_phrase_is_found_and_its_rewrite_passes(phrase, rewrite):
    assert list(plain_english.phrases(phrase))
    assert list(plain_english.phrases(rewrite)) == []


@pytest.mark.parametrize(
    "text",
    [
        "There is no network, and it is no longer needed.",
        "The difference is no larger than 1e-6 on the other hand-written set.",
        "Who bears the errors? A stand-in stands for the photograph, and a stub stands in for the model.",
        "It makes no difference; hold on to the reference.",
        "None of the four methods matters more. Nobody told the model about age.",
    ],
)
def test_idiomatic_prose_passes(text):
    assert list(plain_english.phrases(text)) == []


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("a.py", 'x = 1\n\n\ndef f():\n    """Values are\n    told."""\n', 5),
        ("a.py", "anew = told = 3  # it goes\n# on\n", 1),
        ("a.py", 'message = (\n    f"the page is "\n    "told {x}"\n)\n', 2),
        ("a.js", "const anew = 1; // `anew`\n/**\n * A view at\n * rest.\n */\n", 3),
        ("a.js", "const url = 'https://anew.org', text = 'drawn anew';\n", 1),
        ("a.css", ".anew { color: red; }\n/* at rest */\n", 2),
        ("a.md", "# A\n\n`anew` ```\nanew\n```\n\n    It goes\n    on.\n", 7),
    ],
)
def test_only_prose_is_searched_and_the_line_is_right(tmp_path, name, text, line):
    (tmp_path / name).write_text(text)
    assert [where for where, _, _ in plain_english.in_file(tmp_path / name)] == [line]


def test_the_command_prints_what_it_finds(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(check_prose, "ROOT", tmp_path)
    (tmp_path / "a.py").write_text("# made anew\n")
    assert check_prose.main([str(tmp_path)]) == 1
    assert capsys.readouterr().out == "a.py:1: 'anew': again, recomputed, resampled\n"
    (tmp_path / "a.py").write_text("# recomputed\n")
    assert check_prose.main([str(tmp_path)]) == 0


@pytest.mark.parametrize(
    ("data", "metadata", "found"),
    [
        ({"text/html": '<img src="x">'}, {}, 1),
        ({"text/html": '<img alt="A face" src="x">'}, {}, 0),
        ({"image/png": "eA=="}, {}, 1),
        ({"image/png": "eA=="}, {"image/png": {"alt": ""}}, 1),
        ({"image/png": "eA=="}, {"image/png": {"alt": "A chart"}}, 0),
    ],
)
def test_every_picture_of_an_output_has_its_words(data, metadata, found):
    output = nbformat.v4.new_output("display_data", data, metadata=metadata)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", outputs=[output])])
    assert len(list(check_prose.of_outputs(notebook))) == found
