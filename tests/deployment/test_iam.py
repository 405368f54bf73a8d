"""Least privilege: each service may do what it was recorded to do, and nothing else.

The recording (recorded_calls.json) is of the real services, each behind a proxy that notes what it
asks of AWS while everything that can be asked of the system is asked once. `make record-calls`
makes it anew; one test here does so too, in `make chaos`, and compares.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from itertools import product
from pathlib import Path

import pytest
from tests.deployment.iam import calls, recorder
from tests.deployment.iam.calls import Call, Request, read_calls
from tests.deployment.iam.policies import (
    SERVICES,
    Resolver,
    Statement,
    managed_policies,
    read_addon,
    read_statements,
)

TABLE = "arn:aws:dynamodb:us-east-1:000000000000:table/agenticai-local-data"
BUCKET = "arn:aws:s3:::agenticai-local-code-000000000000"
# The longest name that Copilot takes for an application, an environment or a service is 40.
LONG = 40
MAX_POLICY = 6144  # characters of a managed policy, white space left out (IAM quotas)


@pytest.fixture(scope="module")
def recorded() -> dict[str, set[Call]]:
    return calls.load(recorder.RECORDING.read_text())


def allowed(service: str, call: Call) -> bool:
    return any(statement.allows(call) for statement in read_statements(service))


# ---- the policies against the recording ---------------------------------------------------------


@pytest.mark.parametrize("service", SERVICES)
def test_nothing_that_a_service_does_is_missing(
    recorded: Mapping[str, set[Call]], service: str
) -> None:
    assert [call for call in sorted(recorded[service]) if not allowed(service, call)] == []


@pytest.mark.parametrize("service", SERVICES)
def test_nothing_that_a_service_may_do_is_spare(
    recorded: Mapping[str, set[Call]], service: str
) -> None:
    """Each action, resource and value of a condition is needed by a recorded call."""
    spare = [
        part
        for statement in read_statements(service)
        for part, narrowed in parts(statement)
        if not any(narrowed.allows(call) for call in recorded[service])
    ]
    assert spare == []


def parts(statement: Statement) -> list[tuple[str, Statement]]:
    """The statement with one of its actions, resources or accepted values alone."""
    found = [
        (f"{statement.sid}: {action}", replaced(statement, actions=(action,)))
        for action in statement.actions
    ]
    found += [
        (f"{statement.sid}: {resource}", replaced(statement, resources=(resource,)))
        for resource in statement.resources
    ]
    for at, (operator, key, values) in enumerate(statement.conditions):
        for value in values:
            conditions = list(statement.conditions)
            conditions[at] = (operator, key, (value,))
            narrowed = replaced(statement, conditions=tuple(conditions))
            found.append((f"{statement.sid}: {key} {value}", narrowed))
    return found


def replaced(statement: Statement, **changes: object) -> Statement:
    return Statement(**{**vars(statement), **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("service", SERVICES)
def test_no_policy_reaches_beyond_the_environment(service: str) -> None:
    """No action and no resource of everything, and every row by its leading key."""
    for statement in read_statements(service):
        assert not any("*" in action for action in statement.actions)
        assert not any(resource == "*" for resource in statement.resources)
        assert all("agenticai" in r and "local" in r for r in statement.resources)
        rows = {action for action in statement.actions if action.endswith("Item")}
        keys = {key for _, key, _ in statement.conditions}
        assert not rows or "dynamodb:LeadingKeys" in keys


FORBIDDEN = [
    # Whoever can write a key's row can make itself an administrator.
    ("worker", f"dynamodb:{action}", TABLE, {"dynamodb:LeadingKeys": "APIKEY#"})
    for action in ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query")
]
FORBIDDEN += [
    ("worker", "dynamodb:GetItem", TABLE, {"dynamodb:LeadingKeys": "TICKET#"}),
    ("worker", "dynamodb:Query", f"{TABLE}/index/GSI1", {"dynamodb:LeadingKeys": "OWNER#"}),
    ("worker", "ssm:GetParameter", "parameter/agenticai/local/jwt-secret", {}),
    ("worker", "ssm:GetParameter", "parameter/agenticai/local/projects/p/environment", {}),
    ("websocket", "dynamodb:PutItem", TABLE, {"dynamodb:LeadingKeys": "APIKEY#"}),
    ("websocket", "dynamodb:UpdateItem", TABLE, {"dynamodb:LeadingKeys": "PROJECT#"}),
    ("websocket", "s3:GetObject", f"{BUCKET}/objects/p/x", {}),
    ("websocket", "sqs:SendMessage", "agenticai-local-pm-queue", {}),
    ("websocket", "ssm:GetParameter", "parameter/agenticai/local/projects/p/environment", {}),
    ("api", "dynamodb:DeleteItem", TABLE, {"dynamodb:LeadingKeys": "PROJECT#"}),
    ("api", "sqs:ReceiveMessage", "agenticai-local-pm-queue", {}),
    ("api", "sqs:SendMessage", "agenticai-local-pm-dlq", {}),
    ("api", "ssm:PutParameter", "parameter/agenticai/local/jwt-secret", {"ssm:Overwrite": "true"}),
    ("api", "ssm:GetParameter", "parameter/agenticai/prod/jwt-secret", {}),
]
FORBIDDEN += [
    (service, action, TABLE, {})
    for service, action in product(SERVICES, ("dynamodb:Scan", "dynamodb:PutItem"))
]


@pytest.mark.parametrize(("service", "action", "resource", "context"), FORBIDDEN)
def test_what_matters_most_is_out_of_reach(
    service: str, action: str, resource: str, context: dict[str, str]
) -> None:
    kind = action.partition(":")[0]
    arn = resource if ":" in resource else f"arn:aws:{kind}:us-east-1:000000000000:{resource}"
    assert not allowed(service, Call(action, arn, tuple(context.items())))


# ---- the addons themselves ----------------------------------------------------------------------


@pytest.mark.parametrize("service", SERVICES)
def test_copilot_attaches_the_policy(service: str) -> None:
    """Parameters App, Env and Name, and an output that is the managed policy."""
    template = read_addon(service)
    assert list(template["Parameters"]) == ["App", "Env", "Name"]
    (policy,) = managed_policies(template)
    assert [output["Value"] for output in template["Outputs"].values()] == [{"Ref": policy}]
    assert list(template["Resources"]) == [policy]


@pytest.mark.parametrize("service", SERVICES)
def test_the_policy_fits_with_the_longest_names(service: str) -> None:
    (policy,) = managed_policies(read_addon(service)).values()
    document = Resolver(recorder.ROOT)(policy["Properties"]["PolicyDocument"])
    text = json.dumps(document, separators=(",", ":"))
    grown = text.count("agenticai") * (LONG - len("agenticai")) + text.count("local") * LONG
    assert len(text) + grown <= MAX_POLICY


def test_cfn_lint_finds_nothing(repo_root: Path) -> None:
    paths = [repo_root / "copilot" / name / "addons" / f"{name}.yml" for name in SERVICES]
    linter = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run([linter, "--", *paths], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


# ---- how requests are read ----------------------------------------------------------------------


def read(target: str, body: object) -> set[tuple[str, str, tuple[tuple[str, str], ...]]]:
    request = Request("POST", "/", "", target, json.dumps(body).encode(), 200)
    return {(call.action, call.resource, call.context) for call in read_calls(request)}


def keyed(entity: str) -> tuple[tuple[str, str], ...]:
    return (("dynamodb:LeadingKeys", entity),)


def test_a_transaction_needs_the_permission_of_each_part() -> None:
    def part(**fields: object) -> dict[str, object]:
        return {"TableName": "agenticai-local-data", **fields}

    key = {"PK": {"S": "APIKEY#1"}, "SK": {"S": "METADATA"}}
    body = {
        "TransactItems": [
            {"Put": part(Item={"PK": {"S": "PROJECT#1"}, "SK": {"S": "HEAD"}})},
            {"Update": part(Key=key)},
            {"Delete": part(Key=key)},
            {"ConditionCheck": part(Key=key)},
        ]
    }
    assert read("DynamoDB_20120810.TransactWriteItems", body) == {
        ("dynamodb:PutItem", TABLE, keyed("PROJECT#")),
        ("dynamodb:UpdateItem", TABLE, keyed("APIKEY#")),
        ("dynamodb:DeleteItem", TABLE, keyed("APIKEY#")),
        ("dynamodb:ConditionCheckItem", TABLE, keyed("APIKEY#")),
    }


def test_an_object_that_is_absent_needs_the_right_to_list() -> None:
    bucket = BUCKET.rpartition(":")[2]
    path = f"/{bucket}/archives/p/a.zip"
    there = read_calls(Request("HEAD", path, "", "", b"", 200))
    absent = read_calls(Request("HEAD", path, "", "", b"", 404))
    assert {call.action for call in there} == {"s3:GetObject"}
    assert {call.action for call in absent} == {"s3:GetObject", "s3:ListBucket"}


def test_deleting_a_version_is_another_right_than_deleting() -> None:
    body = b"<Delete><Object><Key>tmp/p/1</Key><VersionId>v</VersionId></Object></Delete>"
    (call,) = read_calls(Request("POST", "/bucket", "delete", "", body, 200))
    assert (call.action, call.resource) == ("s3:DeleteObjectVersion", "arn:aws:s3:::bucket/tmp/x")


@pytest.mark.parametrize("target", ["DynamoDB_20120810.Scan", "Kinesis_2013.PutRecord"])
def test_what_is_not_understood_is_an_error(target: str) -> None:
    with pytest.raises(ValueError, match="unknown"):
        read(target, {"TableName": "t"})


# ---- the recording against the services ---------------------------------------------------------


@pytest.mark.chaos
@pytest.mark.timeout(600)
def test_the_services_do_what_was_recorded(recorded: Mapping[str, set[Call]]) -> None:
    """Runs everything. What is new here is missing in the recording: `make record-calls`."""
    seen = recorder.record()
    assert {service: sorted(seen[service] - recorded[service]) for service in SERVICES} == {
        service: [] for service in SERVICES
    }
