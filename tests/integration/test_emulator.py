"""The emulator keeps what it is told, and gets its resources from the templates."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from agenticai_core import auth
from agenticai_core.bootstrap import check, connect
from agenticai_core.models import Agent
from agenticai_core.queues import VISIBILITY
from agenticai_core.settings import Settings
from agenticai_core.store.base import Key, Put
from agenticai_local.emulator import check_stop, emulator_spec, stopped_uncleanly
from agenticai_local.errors import UncleanStop
from agenticai_local.ports import HOST, free_port
from agenticai_local.processes import ManagedProcess, wait_until
from agenticai_local.resources import create_resources


def client(service: Any, endpoint_url: str | None) -> Any:
    return boto3.client(service, endpoint_url=endpoint_url)


def test_the_table_is_as_the_template_says(emulator_settings: Settings) -> None:
    dynamo = client("dynamodb", emulator_settings.endpoint_url)
    table = dynamo.describe_table(TableName=emulator_settings.table)["Table"]
    schemas = {index["IndexName"]: index["KeySchema"] for index in table["GlobalSecondaryIndexes"]}
    assert {part["AttributeName"] for part in table["KeySchema"]} == {"PK", "SK"}
    assert {part["AttributeName"] for part in schemas["GSI1"]} == {"GSI1PK", "GSI1SK"}
    assert {part["AttributeName"] for part in schemas["GSI2"]} == {"GSI2PK", "GSI2SK"}
    ttl = dynamo.describe_time_to_live(TableName=emulator_settings.table)
    assert ttl["TimeToLiveDescription"] == {"AttributeName": "ttl", "TimeToLiveStatus": "ENABLED"}


@pytest.mark.parametrize("agent", Agent)
def test_queues_redrive_to_their_own_dead_letter_queue(
    emulator_settings: Settings, agent: Agent
) -> None:
    sqs = client("sqs", emulator_settings.endpoint_url)
    answer = sqs.get_queue_attributes(
        QueueUrl=emulator_settings.queue_url(agent), AttributeNames=["All"]
    )
    attributes = answer["Attributes"]
    redrive = json.loads(attributes["RedrivePolicy"])
    assert redrive["maxReceiveCount"] == 3
    assert redrive["deadLetterTargetArn"].endswith(f"{emulator_settings.app}-local-{agent}-dlq")
    assert int(attributes["VisibilityTimeout"]) == VISIBILITY[agent]


def test_a_message_that_nobody_finishes_is_moved_aside(emulator_settings: Settings) -> None:
    sqs = client("sqs", emulator_settings.endpoint_url)
    url = emulator_settings.queue_url_pm
    sqs.send_message(QueueUrl=url, MessageBody="unreadable")
    for _ in range(3):
        taken = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=2, VisibilityTimeout=0)
        assert [message["Body"] for message in taken["Messages"]] == ["unreadable"]
    assert "Messages" not in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)
    aside = sqs.receive_message(QueueUrl=url.replace("-queue", "-dlq"), WaitTimeSeconds=2)
    assert [message["Body"] for message in aside["Messages"]] == ["unreadable"]


def test_the_bucket_keeps_versions(emulator_settings: Settings) -> None:
    s3 = client("s3", emulator_settings.endpoint_url)
    for content in (b"one", b"two"):
        s3.put_object(Bucket=emulator_settings.bucket, Key="projects/p/main.py", Body=content)
    versions = s3.list_object_versions(Bucket=emulator_settings.bucket)["Versions"]
    assert [version["IsLatest"] for version in versions] == [True, False]


def test_core_reaches_everything_that_was_made(emulator_settings: Settings) -> None:
    assert set(check(connect(emulator_settings)).values()) == {"ok"}


def test_resources_of_two_tests_are_apart(aws_resources: Callable[[], dict[str, str]]) -> None:
    one, other = aws_resources(), aws_resources()
    assert one["DYNAMODB_TABLE_NAME"] != other["DYNAMODB_TABLE_NAME"]
    assert one["SQS_QUEUE_URL_PM"] != other["SQS_QUEUE_URL_PM"]


def test_making_them_again_changes_nothing(
    emulator: str, emulator_variables: dict[str, str], emulator_settings: Settings
) -> None:
    store = connect(emulator_settings).store
    store.write(Put({"PK": "A", "SK": "B", "n": 1}))
    assert create_resources(emulator, emulator_settings.app) == emulator_variables
    assert store.get(Key("A", "B")) == {"PK": "A", "SK": "B", "n": 1}


class OwnEmulator:
    """An emulator that a test may stop and kill, always on the same folder."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.data = folder / "data"
        self.root, self.log = root, folder / "emulator.log"

    def start(self, monkeypatch: pytest.MonkeyPatch) -> Settings:
        port = free_port()
        self.spec = emulator_spec(self.root, self.data, port)
        self.spec.before_start()
        self.process = ManagedProcess(self.spec, self.log)
        self.process.start()
        assert wait_until(self.spec.ready, 30), self.process.last_lines()
        for name, value in create_resources(f"http://{HOST}:{port}").items():
            monkeypatch.setenv(name, value)
        return Settings()

    def stop(self) -> None:
        self.process.terminate()
        assert self.process.wait(30)

    def kill(self) -> None:
        self.process.kill_group()


@pytest.fixture
def own_emulator(repo_root: Path, tmp_path: Path) -> Any:
    own = OwnEmulator(repo_root, tmp_path)
    yield own
    own.kill()


def test_a_clean_stop_keeps_everything_even_on_another_port(
    own_emulator: OwnEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = connect(own_emulator.start(monkeypatch))
    _, secret = auth.create_api_key(services.store, "local", "local")
    services.files.put("objects/p/1", b"content")
    services.queue.send(Agent.DEV, "proj_1", "task_1")
    own_emulator.stop()
    assert not stopped_uncleanly(own_emulator.data)
    check_stop(own_emulator.data)

    settings = own_emulator.start(monkeypatch)
    services = connect(settings)
    assert auth.authenticate(services, secret).owner_id == "local"
    assert services.files.get("objects/p/1") == b"content"
    sqs = client("sqs", settings.endpoint_url)
    waiting = sqs.receive_message(QueueUrl=settings.queue_url_dev, WaitTimeSeconds=2)
    assert len(waiting["Messages"]) == 1
    assert set(check(services).values()) == {"ok"}


def test_a_killed_emulator_is_noticed_and_still_starts(
    own_emulator: OwnEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = connect(own_emulator.start(monkeypatch))
    services.files.put("objects/p/1", b"content")
    own_emulator.kill()
    with pytest.raises(UncleanStop, match="killed the last time") as caught:
        check_stop(own_emulator.data)
    assert "FRESH=1" in caught.value.hint

    services = connect(own_emulator.start(monkeypatch))
    assert set(check(services).values()) == {"ok"}
    own_emulator.stop()
    check_stop(own_emulator.data)


def test_killed_after_a_clean_stop_is_noticed_too(
    own_emulator: OwnEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, secret = auth.create_api_key(connect(own_emulator.start(monkeypatch)).store, "o", "n")
    own_emulator.stop()
    own_emulator.start(monkeypatch)
    own_emulator.kill()
    assert stopped_uncleanly(own_emulator.data)

    services = connect(own_emulator.start(monkeypatch))
    assert auth.authenticate(services, secret).owner_id == "o"  # as old as the last clean stop
