"""The line counter counts code only, in every language of the project."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import count_lines  # noqa: E402  (a tool, not a package)

sys.path.pop(0)

PYTHON = '''"""Docstring
of two lines."""

import os  # a comment beside code

# a comment


def f():
    """One line."""
    text = """a string
    # of two lines"""
    return os, (
        text,
    )
'''
SCRIPT = """// a comment
/* one
   of two lines */
const url = "http://example.org"; // beside code

/** JSDoc. */
const text = `a
// b`;
"""


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [
        ("a.py", PYTHON, 7),
        ("a.js", SCRIPT, 3),
        ("a.c", "int a; /* x */\n// y\n#include <z.h>\n", 2),
        ("a.css", "/* a */\n.b {\n  background: url(//c);\n}\n", 3),
        ("empty.py", "", 0),
    ],
)
def test_comments_docstrings_and_blank_lines_do_not_count(tmp_path, name, text, lines):
    (tmp_path / name).write_text(text)
    assert count_lines.count(tmp_path / name) == lines


def test_the_command_prints_kinds_and_files_that_add_up(capsys):
    count_lines.main(["--files"])
    printed = capsys.readouterr().out
    files = re.findall(r"^ *(\d+)  (\S+)$", printed, re.MULTILINE)
    assert "fr_explore/geometry/alignment.py" in {name for _, name in files}
    assert int(re.search(r"^total (\d+)$", printed, re.MULTILINE).group(1)) == sum(int(lines) for lines, _ in files)
