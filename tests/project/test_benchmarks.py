"""The table of all benchmarks hides nothing, and README has no figure of its own."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# a speed, a time, a memory or a rate; sizes of downloads and of machines are none
FIGURE = re.compile(
    r"\d[\d.,]*\s?(ms|µs|s|seconds?|minutes?|hours?|fps|GiB|MiB|x faster|times|images? a second|frames? a second)\b"
    r"|\d\s?(×|x) (faster|slower|the)\b|\btwice as (fast|slow)"
)


@pytest.fixture
def run_all(tmp_path, monkeypatch):
    """The module, as if its folder held four benchmarks: one for each way to end."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    spec = importlib.util.spec_from_file_location("run_all", ROOT / "benchmarks" / "run_all.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    call = f"import sys; sys.path.insert(0, {str(ROOT / 'benchmarks')!r}); from figures import figure\n"
    bodies = {
        "good": "figure('quick', 0.5, 's', 2.0, 'a | slow one', '<= 1 s', True); print('all went well')",
        "short": "figure('slow', 30.0, 'frames/s', 60.0, 'empty', '>= 50', False); sys.exit(1)",
        "quiet": "figure('exits with 0', '3 of 4', target='4', met=False)",
        "broken": "figure('before', 1, 's', target='<= 0', met=False); open(__file__ + 'x')",
        "endless": "print('#figure {\"na', flush=True); import time; time.sleep(60)",
    }
    for name, body in bodies.items():
        (tmp_path / "benchmarks").mkdir(exist_ok=True)
        (tmp_path / "benchmarks" / f"{name}.py").write_text(call + body)
    monkeypatch.setattr(module, "FOLDER", tmp_path / "benchmarks")
    monkeypatch.setattr(module, "BRIEF", dict.fromkeys(bodies, ()))
    monkeypatch.setattr(module, "LIMIT", 2)
    return module


def test_misses_failures_and_time_outs_show(run_all, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(sys, "argv", ["run_all.py"])
    assert run_all.main() == 1
    text = (tmp_path / "benchmarks" / "RESULTS.md").read_text()
    rows = [[cell.strip() for cell in line.strip("| ").split("|")] for line in text.splitlines() if line[:1] == "|"]
    assert rows[0] == ["benchmark", "figure", "ours", "baseline", "ratio", "target", "peak memory", "machine"]
    assert [row[:6] for row in rows[2:]] == [
        ["good", "quick", "0.5 s", "2 s (a / slow one)", "4.00", "<= 1 s: met"],
        ["short", "slow", "30 frames/s", "60 frames/s (empty)", "0.50", ">= 50: **missed**"],
        ["quiet", "exits with 0", "3 of 4", "–", "–", "4: **missed**"],
        ["broken", "**failed, status 1**", "–", "–", "–", "–"],
        ["broken", "before", "1 s", "–", "–", "<= 0: **missed**"],
        ["endless", "**stopped after 2 s**", "–", "–", "–", "–"],
    ]
    assert "FileNotFoundError" in text  # why
    assert str(tmp_path) not in text
    for words in ("all went well", "missed a target", "cores", "Python"):
        assert words in text
    monkeypatch.setattr(run_all, "TOTAL_LIMIT", 0)
    assert run_all.main() == 1
    assert capsys.readouterr().out.count("**not run: no time left**") == 5


def test_some_by_name_leave_the_table_alone(run_all, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "argv", ["run_all.py", "good"])
    assert run_all.main() == 0
    assert not (tmp_path / "benchmarks" / "RESULTS.md").exists()
    monkeypatch.setattr(sys, "argv", ["run_all.py", "god"])
    with pytest.raises(SystemExit):
        run_all.main()


def test_no_host_is_named(run_all):
    import platform

    assert platform.node() not in run_all.machine()


def test_readme_leaves_figures_to_the_table():
    """Speed and memory depend on the machine: only RESULTS.md, which names the machine, gives them."""
    text = re.sub(r"```.*?```", "", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    assert "benchmarks/RESULTS.md" in text
    found = [line for line in text.splitlines() if FIGURE.search(line) and "notebooks of 30 to 45 minutes" not in line]
    assert found == []


@pytest.mark.parametrize(
    "line", ["a slider answers in 23 ms", "1.8 times as fast", "60 frames a second", "peaks at 1.2 GiB", "3x faster"]
)
def test_the_rule_can_fail(line):
    assert FIGURE.search(line)
