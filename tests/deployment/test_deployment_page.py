"""docs/deployment.md: what it tells one to type exists, and runs where it can run here."""

import os
import re
import shlex
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.deployment.cost_table import filled
from tests.deployment.rendered import SERVICES, Rendered, copy_workspace, render_apart
from tests.deployment.test_services import our_containers

from agenticai_core import auth
from agenticai_core.bootstrap import connect
from agenticai_core.settings import Settings
from agenticai_local.resources import create_resources

COPILOT = Path(sys.executable).with_name("copilot")


@pytest.fixture(scope="module")
def page(repo_root: Path) -> str:
    return (repo_root / "docs" / "deployment.md").read_text()


def commands(page: str) -> list[str]:
    """The lines of its shell blocks, continued ones as one."""
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", page, re.DOTALL | re.MULTILINE)
    inline = re.findall(r"`((?:copilot|make) [^`]+)`", re.sub(r"\s+", " ", page))
    return [line.strip() for block in blocks for line in joined(block)] + inline


def joined(block: str) -> list[str]:
    return block.replace("\\\n", " ").splitlines()


def test_copilot_knows_every_command_and_flag(page: str) -> None:
    used: dict[str, set[str]] = {}
    for line in commands(page):
        found = re.match(r"copilot ((?:app|env|svc|secret) [a-z]+)(.*)", line)
        if found:
            used.setdefault(found[1], set()).update(re.findall(r"--[a-z-]+", found[2]))
    assert len(used) > 8
    for command, flags in used.items():
        done = subprocess.run(
            [COPILOT, *command.split(), "--help"], capture_output=True, text=True, check=True
        )
        assert f"copilot {command}" in done.stdout
        assert flags <= set(re.findall(r"--[a-z-]+", done.stdout))


def test_every_make_target_exists(page: str, repo_root: Path) -> None:
    targets = re.findall(r"^([a-z-]+):", (repo_root / "Makefile").read_text(), re.MULTILINE)
    named = {line.split()[1] for line in commands(page) if line.startswith("make ")}
    assert {"setup", "smoke", "templates"} <= named
    assert named <= set(targets)


def test_every_file_that_it_names_exists(page: str, repo_root: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page):
        assert (repo_root / "docs" / link).is_file(), link
    paths = re.findall(r"[ `(]((?:copilot|docs|tests|docker)/[\w./-]+)", page)
    assert paths
    for path in paths:
        assert (repo_root / path).exists(), path


def test_every_anchor_is_a_heading(page: str, repo_root: Path) -> None:
    for file, anchor in re.findall(r"\]\(([\w./-]*)#([\w-]+)\)", page):
        text = (repo_root / "docs" / file).read_text() if file else page
        headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
        slugs = {re.sub(r"[^\w -]", "", name).lower().replace(" ", "-") for name in headings}
        assert anchor in slugs, f"{file}#{anchor}"


def test_exports_that_it_asks_for_are_there(page: str, rendered: Rendered) -> None:
    names = re.findall(r"Name=='agenticai-test-(\w+)'", page)
    outputs = rendered.addons("test")["Outputs"]
    assert names
    assert set(names) <= set(outputs)


def test_the_model_key_reaches_all_four_nodes(page: str, tmp_path: Path) -> None:
    (fragment,) = re.findall(r"```yaml\n(environments:.*?)```", page, re.DOTALL)
    workspace = copy_workspace(tmp_path / "workspace")
    path = workspace / "copilot" / "worker" / "manifest.yml"
    changed = merged(yaml.safe_load(path.read_text()), yaml.safe_load(fragment))
    path.write_text(yaml.safe_dump(changed, sort_keys=False))
    rendered = render_apart(tmp_path / "rendered", str(workspace), "", "prod")
    for container in our_containers(rendered, "prod", "worker").values():
        (secret,) = container["Secrets"]
        assert secret["Name"] == "GEMINI_API_KEY"
        assert secret["ValueFrom"] == "/copilot/agenticai/prod/secrets/GEMINI_API_KEY"
        given = {variable["Name"]: variable["Value"] for variable in container["Environment"]}
        assert given["AGENTICAI_MODEL"].startswith("gemini:")


def merged(base: Any, own: Any) -> Any:
    if not (isinstance(base, dict) and isinstance(own, dict)):
        return own
    return base | {key: merged(base.get(key), value) for key, value in own.items()}


def test_the_first_key_is_good(page: str, emulator: str, monkeypatch: pytest.MonkeyPatch) -> None:
    app = f"page{uuid.uuid4().hex[:8]}"
    table = create_resources(emulator, app=app, env="test")["DYNAMODB_TABLE_NAME"]
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator)
    (line,) = [line for line in commands(page) if line.startswith("agenticai first-key ")]
    program, *words = shlex.split(line.replace("--app agenticai", f"--app {app}"))
    done = subprocess.run(
        [Path(sys.executable).with_name(program), *words],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=True,
    )
    monkeypatch.setenv("DYNAMODB_TABLE_NAME", table)
    known = auth.authenticate(connect(Settings()), done.stdout.strip())
    assert (known.owner_id, "admin" in known.scopes) == ("me", True)


def test_its_costs_are_what_the_command_says(page: str) -> None:
    """If not: python -m tests.deployment.cost_table docs/deployment.md"""
    assert filled(page) == page


def test_the_tables_of_services_say_their_sizes(page: str, rendered: Rendered) -> None:
    for env in ("test", "prod"):
        parameters = rendered.parameters(env, "worker")
        assert f"{env} {parameters['TaskCPU']}/{parameters['TaskMemory']}" in page
    for service in ("api", "websocket"):
        size = rendered.parameters("prod", service)
        (row,) = re.findall(rf"^\| `{service}` \|.*$", page, re.MULTILINE)
        assert f"{size['TaskCPU']} CPU units, {size['TaskMemory']} MB" in row


def test_it_counts_the_metrics_that_the_services_alarms_look_at(
    page: str, rendered: Rendered
) -> None:
    looked_at = 0
    for service in SERVICES:
        for resource in rendered.service("test", service)["Resources"].values():
            properties = resource.get("Properties", {})
            if resource["Type"] == "AWS::CloudWatch::Alarm":
                looked_at += metrics(properties.get("Metrics"))
            tracked = properties.get("TargetTrackingScalingPolicyConfiguration")
            if tracked:  # an alarm for more and one for less
                custom = tracked.get("CustomizedMetricSpecification", {})
                looked_at += 2 * metrics(custom.get("Metrics"))
    assert f"they look at {looked_at} metrics" in page


def metrics(queries: list[dict[str, Any]] | None) -> int:
    return sum("MetricStat" in query for query in queries) if queries else 1


def test_the_look_at_the_sandbox_says_its_level(page: str) -> None:
    (module,) = re.findall(r'"python -m (agenticai_worker\.sandbox)"', page)
    done = subprocess.run(
        [sys.executable, "-m", module], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[0] in ("strong", "basic")
