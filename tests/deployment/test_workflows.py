"""What brings a commit to AWS: the workflows' promises, and their scripts run on a real repository
with stand-ins for `copilot`, `gh`, `aws` and `make` that write down how they were called."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from cfn_flip import load_yaml

SCRIPTS = ("deploy", "try", "rollback")
COPILOT = """#!/usr/bin/env bash
echo "copilot $* ($(git rev-parse HEAD))" >>"$CALLS"
[ "$*" != "${FAILS:-}" ]
"""
# `make setup` makes the environment that holds Copilot, as the real one does.
MAKE = """#!/usr/bin/env bash
echo "make $* key=${AGENTICAI_API_KEY:-}" >>"$CALLS"
if [ "$1" = -C ]; then mkdir -p "$2/.venv/bin" && cp "$COPILOT" "$2/.venv/bin/copilot"; fi
"""
GH = """#!/usr/bin/env bash
case "$2" in
    *environment=test*) cat "$DEPLOYMENTS" ;;
    */statuses) cat "$STATUSES/$(basename "$(dirname "$2")")" ;;
esac
"""
AWS = """#!/usr/bin/env bash
echo "aws $*" >>"$CALLS"
echo agk_smoke
"""


class Checkout:
    """A repository with two commits of the scripts, and what they called."""

    def __init__(self, repo_root: Path, folder: Path) -> None:
        self.folder = folder / "repository"
        self._programs, self._calls = folder / "bin", folder / "calls"
        shutil.copytree(repo_root / ".github", self.folder / ".github")
        (self.folder / "copilot").mkdir()
        shutil.copy(repo_root / "copilot" / ".workspace", self.folder / "copilot")
        (self.folder / ".gitignore").write_text(".venv\n")
        for name, text in {"make": MAKE, "gh": GH, "aws": AWS}.items():
            self._program(self._programs / name, text)
        self._program(self.folder / ".venv" / "bin" / "copilot", COPILOT)
        self._git("init", "-q")
        self.commits = [self._commit(), self._commit()]
        (folder / "statuses").mkdir()
        self.env = {
            "PATH": f"{self._programs}:{os.environ['PATH']}",
            "CALLS": str(self._calls),
            "COPILOT": str(self.folder / ".venv" / "bin" / "copilot"),
            "DEPLOYMENTS": str(folder / "deployments"),
            "STATUSES": str(folder / "statuses"),
            "GITHUB_REPOSITORY": "owner/name",
            "TMPDIR": str(folder),
        }

    def deployed(self, *deployments: tuple[str, str]) -> None:
        """What GitHub remembers, newest first: commits and their deployments' statuses."""
        lines = []
        for number, (commit, statuses) in enumerate(deployments):
            lines.append(f"{number} {commit}\n")
            path = Path(self.env["STATUSES"]) / str(number)
            path.write_text("".join(f"{status}\n" for status in statuses.split()))
        Path(self.env["DEPLOYMENTS"]).write_text("".join(lines))

    def run(self, script: str, **env: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [self.folder / ".github" / script, "test"],
            env={**self.env, **env},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    @property
    def calls(self) -> list[str]:
        return self._calls.read_text().splitlines() if self._calls.exists() else []

    def _program(self, path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def _commit(self) -> str:
        identity = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
        self._git("add", ".")
        self._git(*identity, "commit", "-q", "--allow-empty", "-m", "A commit")
        return self._git("rev-parse", "HEAD")

    def _git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self.folder), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return done.stdout.strip()


@pytest.fixture
def checkout(repo_root: Path, tmp_path: Path) -> Checkout:
    return Checkout(repo_root, tmp_path)


def copilot_calls(commit: str) -> list[str]:
    services = [
        f"copilot svc deploy --name {service} --env test --tag {commit[:12]} ({commit})"
        for service in ("worker", "websocket", "api")
    ]
    return [f"copilot env deploy --name test ({commit})", *services]


# ---- the scripts --------------------------------------------------------------------------------


def test_deploy_brings_the_environment_and_then_each_service(checkout: Checkout) -> None:
    done = checkout.run("deploy")
    assert done.returncode == 0, done.stderr
    assert checkout.calls == copilot_calls(checkout.commits[1])


def test_deploy_stops_at_what_fails(checkout: Checkout) -> None:
    commit = checkout.commits[1]
    done = checkout.run("deploy", FAILS=f"svc deploy --name worker --env test --tag {commit[:12]}")
    assert done.returncode != 0
    assert checkout.calls == copilot_calls(commit)[:2]


def test_try_runs_the_smoke_test_with_a_key_that_no_log_shows(checkout: Checkout) -> None:
    done = checkout.run("try")
    assert done.returncode == 0, done.stderr
    asked, ran = checkout.calls
    assert "--name /copilot/agenticai/test/secrets/smoke-key" in asked
    assert ran == "make smoke key=agk_smoke"
    assert done.stdout == "::add-mask::agk_smoke\n"


def test_rollback_deploys_the_last_commit_that_was_good(checkout: Checkout) -> None:
    old, new = checkout.commits
    checkout.deployed((new, "failure in_progress"), (old, "inactive success in_progress"))
    done = checkout.run("rollback")
    assert done.returncode == 0, done.stderr
    assert checkout.calls[0].startswith("make -C ")
    assert checkout.calls[1:] == copilot_calls(old)


def test_rollback_goes_back_to_no_commit_that_failed(checkout: Checkout) -> None:
    old, new = checkout.commits
    checkout.deployed((new, "failure"), (old, "failure in_progress"))
    done = checkout.run("rollback")
    assert done.returncode == 1
    assert "nothing was deployed to test with success" in done.stderr
    assert checkout.calls == []


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_scripts_ask_for_the_environment(repo_root: Path, script: str) -> None:
    path = repo_root / ".github" / script
    done = subprocess.run([path], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode != 0
    assert f"usage: .github/{script} ENVIRONMENT" in done.stderr


# ---- the workflows ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def workflows(repo_root: Path) -> dict[str, dict[Any, Any]]:
    folder = repo_root / ".github" / "workflows"
    return {path.stem: yaml.safe_load(path.read_text()) for path in folder.glob("*.yml")}


def test_every_push_and_pull_request_is_tested_by_what_runs_here(
    workflows: dict[str, dict[Any, Any]],
) -> None:
    deploy = workflows["deploy"]
    triggers = deploy[True]  # YAML 1.1 reads the key "on" so
    assert triggers == {"push": {"branches": ["**"]}, "pull_request": None}
    assert ".ci/run" in [step.get("run") for step in deploy["jobs"]["test"]["steps"]]
    assert "if" not in deploy["jobs"]["test"]


def test_only_main_is_deployed_and_prod_after_test(workflows: dict[str, dict[Any, Any]]) -> None:
    jobs = workflows["deploy"]["jobs"]
    assert jobs["to-test"]["needs"] == "test"
    assert jobs["to-test"]["if"] == "github.event_name == 'push' && github.ref == 'refs/heads/main'"
    assert jobs["to-prod"]["needs"] == "to-test"  # which is left out elsewhere, and this with it
    assert [jobs[name]["with"]["environment"] for name in ("to-test", "to-prod")] == [
        "test",
        "prod",
    ]
    # The job's environment: GitHub asks for an approval where the environment wants one.
    assert workflows["environment"]["jobs"]["deploy"]["environment"] == "${{ inputs.environment }}"


def test_what_failed_is_rolled_back(workflows: dict[str, dict[Any, Any]]) -> None:
    steps = workflows["environment"]["jobs"]["deploy"]["steps"]
    runs = [step.get("run", "").partition(" ")[0] for step in steps]
    assert [run for run in runs if run.startswith(".github/")] == [
        ".github/deploy",
        ".github/try",
        ".github/rollback",
    ]
    assert steps[-1]["if"] == "failure() && steps.deploy.outcome != 'skipped'"


def test_the_workflows_have_no_keys_and_few_permissions(
    repo_root: Path, workflows: dict[str, dict[Any, Any]]
) -> None:
    for name, workflow in workflows.items():
        text = (repo_root / ".github" / "workflows" / f"{name}.yml").read_text()
        assert "secrets." not in text, "AWS is reached by a role, and its keys are in AWS"
        assert workflow["permissions"] == {"contents": "read"}
        granted = [job.get("permissions", {}) for job in workflow["jobs"].values()]
        assert {scope for job in granted for scope, right in job.items() if right == "write"} <= {
            "id-token"
        }
    assert "permissions" not in workflows["deploy"]["jobs"]["test"]


def test_actions_are_pinned_to_full_versions(workflows: dict[str, dict[Any, Any]]) -> None:
    used = [
        step["uses"]
        for workflow in workflows.values()
        for job in workflow["jobs"].values()
        for step in job.get("steps", ())
        if "uses" in step
    ]
    assert len(used) >= 5
    assert [one for one in used if not re.fullmatch(r"[\w-]+/[\w-]+@v\d+\.\d+\.\d+", one)] == []


def test_the_role_lasts_as_long_as_the_job(
    repo_root: Path, workflows: dict[str, dict[Any, Any]]
) -> None:
    job = workflows["environment"]["jobs"]["deploy"]
    (taken,) = [step for step in job["steps"] if "configure-aws" in step.get("uses", "")]
    template = load_yaml((repo_root / ".github" / "role.yml").read_text())
    most = template["Resources"]["DeployRole"]["Properties"]["MaxSessionDuration"]
    assert taken["with"]["role-duration-seconds"] == most == job["timeout-minutes"] * 60


# ---- the role -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def role(repo_root: Path) -> dict[str, Any]:
    template = load_yaml((repo_root / ".github" / "role.yml").read_text())
    properties: dict[str, Any] = template["Resources"]["DeployRole"]["Properties"]
    return properties


def test_only_this_repository_and_environment_may_take_on_the_role(role: dict[str, Any]) -> None:
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    issuer = "token.actions.githubusercontent.com"
    assert trust["Condition"] == {
        "StringEquals": {
            f"{issuer}:aud": "sts.amazonaws.com",
            f"{issuer}:sub": {"Fn::Sub": "repo:${Repository}:environment:${Env}"},
        }
    }


def test_the_role_reaches_no_other_environment(role: dict[str, Any]) -> None:
    (policy,) = role["Policies"]
    everywhere = set()
    for statement in policy["PolicyDocument"]["Statement"]:
        actions = statement["Action"]
        assert not any("*" in one for one in (actions if isinstance(actions, list) else [actions]))
        if statement["Resource"] == "*":
            everywhere.add(statement["Sid"])
    assert everywhere == {"ReadStacks", "LogInToTheRegistry"}


def test_the_role_may_read_the_key_that_the_smoke_test_asks_for(
    checkout: Checkout, role: dict[str, Any]
) -> None:
    checkout.run("try")
    asked = re.search(r"--name (\S+)", checkout.calls[0])
    statements = role["Policies"][0]["PolicyDocument"]["Statement"]
    (may,) = [one for one in statements if one["Sid"] == "ReadTheSmokeTestsKey"]
    arn = may["Resource"]["Fn::Sub"].replace("${App}", "agenticai").replace("${Env}", "test")
    assert asked is not None
    assert arn.endswith(f":parameter{asked[1]}")


def test_cfn_lint_finds_nothing(repo_root: Path) -> None:
    linter = Path(sys.executable).with_name("cfn-lint")
    command = [linter, "--", repo_root / ".github" / "role.yml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
