"""The environment's templates: valid, and equal to what the code reads, names and computes with."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cfn_flip import dump_yaml, load_yaml

from agenticai_core.models import Agent
from agenticai_core.queues import TIME_LIMITS, VISIBILITY, queue_name
from agenticai_core.settings import Settings
from agenticai_core.store import keys


@pytest.fixture(scope="module")
def addons(repo_root: Path) -> dict[str, dict[str, Any]]:
    folder = repo_root / "copilot" / "environments" / "addons"
    return {path.stem: load_yaml(path.read_text()) for path in sorted(folder.glob("*.yml"))}


@pytest.fixture
def table(addons: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return addons["table"]["Resources"]["DataTable"]


@pytest.fixture
def bucket(addons: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return addons["bucket"]["Resources"]["CodeBucket"]


def local_name(value: dict[str, str]) -> str:
    """What ``!Sub`` gives for the local environment."""
    known = {"App": "agenticai", "Env": "local", "AWS::AccountId": "000000000000"}
    return re.sub(r"\$\{([^}]+)\}", lambda found: known[found[1]], value["Fn::Sub"])


def key_names(schema: list[dict[str, str]]) -> dict[str, str]:
    return {part["KeyType"]: part["AttributeName"] for part in schema}


def merge(addons: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """One template, as Copilot makes it of the folder."""
    merged: dict[str, Any] = {"AWSTemplateFormatVersion": "2010-09-09"}
    for template in addons.values():
        for section in ("Parameters", "Conditions", "Resources", "Outputs"):
            merged.setdefault(section, {}).update(template.get(section, {}))
    return merged


def lint(*paths: Path) -> tuple[int, str]:
    linter = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run([linter, "--", *paths], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_cfn_lint_finds_nothing(addons: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    merged = tmp_path / "addons.yml"
    merged.write_text(dump_yaml(merge(addons)))
    assert lint(merged) == (0, "")


def test_what_a_machine_of_ones_own_needs_stands_alone(repo_root: Path) -> None:
    folder = repo_root / "copilot" / "environments" / "addons"
    assert lint(*(folder / f"{name}.yml" for name in ("table", "bucket", "queues"))) == (0, "")


def test_copilot_can_merge_them(addons: dict[str, dict[str, Any]]) -> None:
    """Copilot puts all of them into one stack: parameters agree, other names are unique."""
    known: dict[str, Any] = {}
    for template in addons.values():
        assert {"App", "Env"} <= set(template["Parameters"])
        for name, parameter in template["Parameters"].items():
            # Copilot gives the two; what is not in addons.parameters.yml needs a default.
            assert ("Default" in parameter) is (name not in ("App", "Env"))
            assert known.setdefault(name, parameter) == parameter
    for section in ("Resources", "Outputs", "Conditions"):
        names = [name for template in addons.values() for name in template.get(section, {})]
        assert len(names) == len(set(names))


def test_every_output_is_exported_under_its_own_name(addons: dict[str, dict[str, Any]]) -> None:
    for template in addons.values():
        for name, output in template.get("Outputs", {}).items():
            assert output["Export"]["Name"] == {"Fn::Sub": f"${{App}}-${{Env}}-{name}"}


def test_the_table_has_the_keys_that_the_code_writes(table: dict[str, Any]) -> None:
    properties = table["Properties"]
    indexes = {
        index["IndexName"]: key_names(index["KeySchema"])
        for index in properties["GlobalSecondaryIndexes"]
    }
    assert key_names(properties["KeySchema"]) == {"HASH": "PK", "RANGE": "SK"}
    assert set(keys.by_owner("o", "t", "p")) == set(indexes["GSI1"].values())
    assert set(keys.by_status("active", "p")) == set(indexes["GSI2"].values())
    assert set(keys.by_due("t", "p", "task")) == set(indexes["GSI2"].values())
    used = {"PK", "SK"} | {name for index in indexes.values() for name in index.values()}
    defined = {a["AttributeName"]: a["AttributeType"] for a in properties["AttributeDefinitions"]}
    assert defined == dict.fromkeys(used, "S")
    for index in properties["GlobalSecondaryIndexes"]:
        assert index["Projection"] == {"ProjectionType": "ALL"}


def test_the_table_is_safe_to_keep_data_in(table: dict[str, Any]) -> None:
    properties = table["Properties"]
    assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain"
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    assert properties["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert properties["SSESpecification"]["SSEEnabled"] is True


def test_the_settings_defaults_are_the_local_names(
    table: dict[str, Any], bucket: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DYNAMODB_TABLE_NAME", "S3_BUCKET_NAME"):
        monkeypatch.delenv(name, raising=False)
    settings = Settings()
    assert settings.table == local_name(table["Properties"]["TableName"])
    assert settings.bucket == local_name(bucket["Properties"]["BucketName"])


def test_the_bucket_is_private_encrypted_and_versioned(
    addons: dict[str, dict[str, Any]], bucket: dict[str, Any]
) -> None:
    properties = bucket["Properties"]
    assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert all(properties["PublicAccessBlockConfiguration"].values())
    assert len(properties["PublicAccessBlockConfiguration"]) == 4
    (encryption,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    policy = addons["bucket"]["Resources"]["CodeBucketPolicy"]["Properties"]["PolicyDocument"]
    (statement,) = policy["Statement"]
    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_no_lifecycle_rule_expires_living_code(bucket: dict[str, Any]) -> None:
    rules = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
    expiring = {rule["Prefix"] for rule in rules if "ExpirationInDays" in rule}
    old_versions = {rule["Prefix"] for rule in rules if "NoncurrentVersionExpiration" in rule}
    assert expiring == {"tmp/", "archives/"}
    assert old_versions == {"tmp/", "archives/", "projects/"}
    assert keys.archive_key("p", "s").startswith("archives/")  # built again when asked for
    assert keys.unit_key("p", "t", "u", "s").startswith("tmp/")
    assert keys.mirror_key("p", "main.py").startswith("projects/")
    for key in (keys.object_key("p", "s"), keys.plan_key("p", "s")):
        assert not key.startswith(tuple(expiring | old_versions))


@pytest.mark.parametrize("agent", Agent)
def test_queues_give_an_agent_its_time_and_then_redrive(
    addons: dict[str, dict[str, Any]], agent: Agent
) -> None:
    resources, name = addons["queues"]["Resources"], agent.value.capitalize()
    queue = resources[f"{name}Queue"]["Properties"]
    dead = resources[f"{name}DeadLetterQueue"]["Properties"]
    assert local_name(queue["QueueName"]) == queue_name("agenticai", "local", agent)
    assert local_name(dead["QueueName"]) == f"agenticai-local-{agent.value}-dlq"
    assert queue["VisibilityTimeout"] == VISIBILITY[agent] > TIME_LIMITS[agent][1]
    assert queue["MessageRetentionPeriod"] == 4 * 86400
    assert dead["MessageRetentionPeriod"] == 14 * 86400
    assert queue["SqsManagedSseEnabled"] is dead["SqsManagedSseEnabled"] is True
    assert queue["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": [f"{name}DeadLetterQueue", "Arn"]},
        "maxReceiveCount": 3,
    }
