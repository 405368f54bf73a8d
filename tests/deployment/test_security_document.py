"""docs/security.md says what is so: its tables, the tests it names, and what Copilot adds."""

import re
from pathlib import Path
from typing import Any

import pytest
from tests.deployment.iam.table import DOCUMENT, with_tables
from tests.deployment.rendered import ENVIRONMENTS, SERVICES, Rendered

TEXT = DOCUMENT.read_text()
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", TEXT)


def test_the_tables_are_the_policies() -> None:
    hint = "run: python -m tests.deployment.iam.table"
    assert with_tables(TEXT) == TEXT, hint


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_the_tests_that_it_names_are_there(repo_root: Path, path: str, name: str) -> None:
    assert re.search(rf"^(async )?def {name}\(", (repo_root / path).read_text(), re.MULTILINE)


def test_every_attack_names_one() -> None:
    tables = [part for part in TEXT.split("\n\n") if part.startswith("| attack |")]
    rows = [row for table in tables for row in table.splitlines()[2:]]
    assert len(rows) > 20
    assert [row for row in rows if not re.search(r"::test_\w+` \|$", row)] == []


@pytest.mark.parametrize("env", ENVIRONMENTS)
@pytest.mark.parametrize("service", SERVICES)
def test_the_task_role_has_our_policy_and_what_copilot_adds(
    rendered: Rendered, env: str, service: str
) -> None:
    """A new version of Copilot that gives more would be seen here."""
    role = rendered.service(env, service)["Resources"]["TaskRole"]["Properties"]
    (attached,) = [arn for arn in role["ManagedPolicyArns"] if "AddonsStack" in str(arn)]
    assert attached == {"Fn::GetAtt": ["AddonsStack", "Outputs.AccessPolicy"]}
    assert list(rendered.service_addons(env, service)["Resources"]) == ["AccessPolicy"]
    added = {(effect, family) for policy in role["Policies"] for effect, family in kinds(policy)}
    assert added == {
        ("Deny", "iam"),
        ("Allow", "logs"),
        ("Allow", "ssmmessages"),
        ("Allow", "xray"),
    }


def kinds(policy: dict[str, Any]) -> set[tuple[str, str]]:
    """Effect and service of every action of a policy."""
    found = set()
    for statement in policy["PolicyDocument"]["Statement"]:
        actions = statement["Action"]
        for action in actions if isinstance(actions, list) else [actions]:
            found.add((statement["Effect"], action.partition(":")[0]))
    return found
