"""The files that only the repository's host reads: workflows and issue forms fit their schemas and call what exists."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
FORMS = [path for path in sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml")) if path.name != "config.yml"]


def checked(schema, *files):
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.github-workflows", WORKFLOWS),
        ("custom.github-workflows-require-timeout", WORKFLOWS),
        ("vendor.github-issue-forms", FORMS),
        ("vendor.github-issue-config", [ROOT / ".github/ISSUE_TEMPLATE/config.yml"]),
    ],
)
def test_files_fit_their_schemas(schema, files):
    assert files
    result = checked(schema, *files)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_faulty_workflow_is_found(tmp_path):
    path = tmp_path / "faulty.yml"
    path.write_text(WORKFLOWS[0].read_text(encoding="utf-8").replace("runs-on:", "run-on:"), encoding="utf-8")
    result = checked("vendor.github-workflows", path)
    assert result.returncode == 1
    assert "run-on" in result.stdout


def steps():
    for path in WORKFLOWS:
        for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values():
            yield from ((path.name, step) for step in job["steps"])


def test_workflows_call_targets_of_the_makefile_and_trust_no_checkout_with_a_token():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    called = {target for _, step in steps() for target in re.findall(r"\bmake ([a-z-]+)", step.get("run", ""))}
    assert called >= {"lint", "test-unit", "test-lowest", "site"}
    assert called <= targets
    checkouts = [step for _, step in steps() if step.get("uses", "").startswith("actions/checkout@")]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_only_publishing_may_ask_for_an_identity_token():
    for path in WORKFLOWS:
        workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert workflow["permissions"] == {"contents": "read"}
        asking = {name for name, job in workflow["jobs"].items() if "id-token" in job.get("permissions", {})}
        assert asking <= {"publish", "deploy"}


def test_bug_reports_ask_for_the_doctor_and_refuse_photographs():
    form = (ROOT / ".github/ISSUE_TEMPLATE/bug.yml").read_text(encoding="utf-8")
    doctor = next(field for field in yaml.safe_load(form)["body"] if field.get("id") == "doctor")
    assert doctor["validations"]["required"] is True
    assert "do not attach photographs of people" in form
