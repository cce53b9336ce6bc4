"""What a page receives means what the source says."""

import os
import subprocess
from pathlib import Path

import pytest

from fr_explore_widgets.core import bundle
from fr_explore_widgets.core.minify import minify

FRONT = Path(bundle.__file__).parents[1]
ESBUILD = FRONT.parent / "node_modules" / ".bin" / "esbuild"
WIDGETS = sorted(path.parent.name for path in FRONT.glob("*/index.js"))


@pytest.mark.parametrize(
    ("script", "short"),
    [
        ("const a = 1;\nlet b = [ 2, 3 ];", "const a=1;let b=[2,3];"),
        ("a = b\nc()", "a=b\nc()"),
        ("f(\n  x,\n  y\n)", "f(x,y)"),
        ("a + +b - -c", "a+ +b- -c"),
        ("x = 'a  b' + \"c  d\"", "x='a  b'+\"c  d\""),
        ("`a  ${ b + `c  ${d } ` }  e`", "`a  ${b+`c  ${d} `}  e`"),
        ("x = `{ ${ { a: 1 }.a } }`", "x=`{ ${{a:1}.a} }`"),
        ('t.replace(/[ /]  \'/g, "") / 2 / n', 't.replace(/[ /]  \'/g,"")/2/n'),
        ("a(); // b()\nc() /* d */ + e", "a();c()+e"),
        ("return /a b/;", "return/a b/;"),
        ("for (const [ k, v ] of all) {\n  go\n}", "for(const[k,v]of all){go}"),
    ],
)
def test_only_spaces_that_mean_nothing_are_left_out(script, short):
    assert minify(script) == short


def test_a_text_that_does_not_end_is_an_error():
    with pytest.raises(ValueError, match="a text does not end: 'x = `a"):
        minify("x = `a ${b")
    with pytest.raises(ValueError, match="a text does not end"):
        minify("x = `a")


@pytest.mark.parametrize("name", WIDGETS)
def test_a_parser_reads_the_same_program(name):
    """esbuild, which parses the language, prints the same program for both."""
    if not ESBUILD.is_file():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("esbuild is missing: run npm ci in widgets/")
    whole = bundle.join(f"{name}/index.js", bundle.read)
    printed = [
        subprocess.run([ESBUILD, "--minify-whitespace"], input=text, capture_output=True, text=True, check=True).stdout
        for text in (whole, bundle.script(name))
    ]
    assert printed[0] == printed[1]
    assert len(bundle.script(name)) < 0.95 * len(bundle.bare(whole))
