"""The commands that make again what rests on the avatars."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import remake  # noqa: E402  (a tool, not a package)


def test_its_commands_exist_with_their_options():
    commands = [command for stage in remake.STAGES.values() for command in stage]
    assert len(commands) == len(set(commands))
    for command in commands:
        source = (ROOT / command.split()[0]).read_text(encoding="utf-8")
        assert all(f'"{option}"' in source for option in re.findall(r"--[a-z-]+", command)), command


def test_every_shipped_network_and_table_is_made():
    commands = [command for stage in remake.STAGES.values() for command in stage]
    networks = {path.stem for path in (ROOT / "fr_explore/assets/controlled").glob("*.safetensors")}
    assert networks == {words[1] for command in commands if len(words := command.split()) == 2 and "train" in words[0]}
    sheets = {path.name for path in (ROOT / "docs").glob("*.png")}
    assert sheets == set(re.findall(r"docs/(\S+)", " ".join(commands)))
    for path in (ROOT / "benchmarks" / "results").glob("*.csv"):
        first = path.read_text(encoding="utf-8").splitlines()[0]
        made = first.split()[2] if first.startswith("# python") else f"benchmarks/{path.stem.split('_')[0]}.py"
        assert any(command.startswith(made) for command in commands), path.name


def test_commands_are_listed_and_unknown_stages_refused():
    def run(*arguments):
        command = [sys.executable, "tools/remake.py", *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    listed = run("--list", "notebooks", "science").stdout.splitlines()
    assert listed[0].startswith("python benchmarks/finetuning.py")  # in the order of the stages
    assert listed[-1] == "python tools/build_notebooks.py --run"  # their code is the same, their outputs are not
    refused = run("science", "paint")
    assert refused.returncode == 2
    assert "unknown stage paint: choose from train, science, pictures, notebooks." in refused.stderr
