"""What Copilot makes of copilot/ is valid: for CloudFormation, for Fargate, and in itself."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.deployment.rendered import APP, ENVIRONMENTS, SERVICES, Rendered, Template

# What cfn-lint says of Copilot's own templates, and why it does not matter.
COPILOTS_OWN = {
    "W1001": "it attaches the addons' policy without asking whether there are addons: there are",
    "W2001": "it declares parameters for features that a service does not use",
    "W3005": "it names dependencies that a reference implies",
    "W3011": "its two roles are kept by DeletionPolicy alone",
    "W3037": "its roles name actions that have other names by now, and patterns",
    "W8001": "it declares conditions for features that a service does not use",
    "E3676": "its HTTPS listener takes the certificates from elsewhere, and is off without one",
}

# CPU units to MB: AWS, "Task CPU and memory" of Fargate.
FARGATE: dict[int, range | list[int]] = {
    256: [512, 1024, 2048],
    512: range(1024, 4097, 1024),
    1024: range(2048, 8193, 1024),
    2048: range(4096, 16385, 1024),
    4096: range(8192, 30721, 1024),
}
EACH = [(env, service) for env in ENVIRONMENTS for service in SERVICES]


def test_cfn_lint_finds_nothing_that_is_ours(rendered: Rendered) -> None:
    paths = sorted(rendered.folder.glob("*/*.yml"))
    assert len(paths) == len(ENVIRONMENTS) * (2 + 2 * len(SERVICES))
    linter = Path(sys.executable).with_name("cfn-lint")
    command = [linter, "--template", *paths, "--format", "parseable"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = [line.split(":") for line in done.stdout.splitlines()]
    rules = {(parts[5], Path(parts[0]).name) for parts in found}
    assert {rule for rule, _ in rules} == set(COPILOTS_OWN)
    # Addons are all our own.
    assert not [name for _, name in rules if "addons" in name]


@pytest.mark.parametrize(("env", "service"), EACH)
def test_every_import_is_exported_by_the_environment(
    rendered: Rendered, env: str, service: str
) -> None:
    exported = set(exports(rendered.environment(env), env)) | set(
        exports(rendered.addons(env), env)
    )
    for template in (rendered.service(env, service), rendered.service_addons(env, service)):
        imported = {fill(value, env, service) for value in find(template, "Fn::ImportValue")}
        assert imported <= exported
        assert imported


@pytest.mark.parametrize(("env", "service"), EACH)
def test_cpu_and_memory_are_a_size_of_fargate(rendered: Rendered, env: str, service: str) -> None:
    parameters = rendered.parameters(env, service)
    cpu, memory = int(parameters["TaskCPU"]), int(parameters["TaskMemory"])
    assert memory in FARGATE[cpu]


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_the_nodes_share_the_memory_of_their_task(rendered: Rendered, env: str) -> None:
    containers = rendered.containers(env, "worker")
    limits = [when(container["Memory"], env) for container in containers.values()]
    assert sum(limits) == int(rendered.parameters(env, "worker")["TaskMemory"])


@pytest.mark.parametrize("service", SERVICES)
def test_the_dockerfile_and_its_target_exist(repo_root: Path, service: str) -> None:
    manifest = yaml.safe_load((repo_root / "copilot" / service / "manifest.yml").read_text())
    build = manifest["image"]["build"]
    assert build["context"] == "."
    text = (repo_root / build["dockerfile"]).read_text()
    assert re.search(rf"^FROM \S+ AS {build.get('target', 'build')}$", text, re.MULTILINE)


@pytest.mark.parametrize("path", ["*/overrides", "environments/overrides"])
def test_no_folder_of_overrides_is_empty(repo_root: Path, path: str) -> None:
    """Copilot fails on one."""
    folders = list((repo_root / "copilot").glob(path))
    assert folders
    assert all((folder / "cfn.patches.yml").is_file() for folder in folders)


def test_no_function_runs_on_a_runtime_that_is_going_away(rendered: Rendered) -> None:
    for path in rendered.folder.glob("*/*.yml"):
        assert "nodejs20.x" not in path.read_text(), path.name


def exports(template: Template, env: str) -> Iterator[str]:
    for output in template["Outputs"].values():
        if "Export" in output:
            yield fill(output["Export"]["Name"], env)


def find(node: Any, key: str) -> Iterator[Any]:
    """Every value under ``key``, however deep."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name == key:
                yield value
            yield from find(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from find(value, key)


def fill(value: Any, env: str, service: str = "") -> str:
    """What ``!Sub`` gives, for names."""
    text = value["Fn::Sub"] if isinstance(value, dict) else value
    known = dict.fromkeys(("App", "AppName"), APP)
    known |= dict.fromkeys(("Env", "EnvName", "EnvironmentName"), env)
    known |= dict.fromkeys(("Name", "WorkloadName"), service)
    known["AWS::StackName"] = f"{APP}-{env}"
    return re.sub(r"\$\{([^}]+)\}", lambda found: known[found[1]], text)


def when(value: Any, env: str) -> Any:
    """The side of ``!If [IsProd, …]`` that holds."""
    if isinstance(value, dict) and "Fn::If" in value:
        condition, yes, no = value["Fn::If"]
        assert condition == "IsProd"
        return yes if env == "prod" else no
    return value
