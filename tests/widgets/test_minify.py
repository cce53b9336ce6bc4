"""What a page receives means what the source says."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from fr_explore_widgets.core import bundle
from fr_explore_widgets.core.minify import minify
from fr_explore_widgets.core.shake import shaken

FRONT = Path(bundle.__file__).parents[1]
ESBUILD = FRONT.parent / "node_modules" / ".bin" / "esbuild"
SHARED = [f"shared/{path.name}" for path in sorted((FRONT / "shared").glob("*.js"))]
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


def test_only_what_is_used_is_joined():
    files = {
        "main.js": 'import { a } from "./a.js";\nimport { b } from "./other.js";\nexport const two = a();\n// b\n',
        "a.js": 'import { c, d } from "./c.js";\nexport function a() {\n  return c;\n}\n'
        "/** Uses d. */\nexport function unused(\n  x,\n) {\n  return d + helper(x);\n}\n"
        "function helper(x) {\n  return x;\n}\nexport const TABLE = {\n  a: 1;\n};\nconst effect = new Map();\n",
        "other.js": "export const b = 1;\n",
        "c.js": "export const c = 1;\nexport const d = [\n  2,\n];\nexport class E {\n  f() {\n  }\n}\n",
    }
    assert shaken("main.js", [], files.__getitem__) == {
        "main.js": 'import { a } from "./a.js";\nexport const two = a();\n// b\n',
        "a.js": 'import { c } from "./c.js";\nexport function a() {\n  return c;\n}\n/** Uses d. */\n'
        "const effect = new Map();\n",
        "c.js": "export const c = 1;\n",
    }
    assert shaken("main.js", ["c.js"], files.__getitem__)["c.js"] == files["c.js"]


@pytest.mark.parametrize("name", WIDGETS)
def test_nothing_that_a_front_end_uses_is_left_out(name):
    """esbuild, which drops what is unused as well, keeps no function of a shared module that ours lacks."""
    if not ESBUILD.is_file():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("esbuild is missing: run npm ci in widgets/")
    command = [ESBUILD, "--bundle", "--format=esm", FRONT / name / "index.js"]
    whole = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    kept = set(re.findall(r"^(?:async )?function\*? (\w+?)\d*\(", whole, re.MULTILINE))
    ours = set(re.findall(r"\bfunction\*? ?(\w+?)\d*\(", bundle.script(name)))
    assert kept - ours == set()
    lost = [
        text for text in map(bundle.read, SHARED) for text in re.findall(r"^export function (\w+)", text, re.MULTILINE)
    ]
    assert len([one for one in lost if one not in kept]) > 3, "the test can fail: there is something to leave out"
