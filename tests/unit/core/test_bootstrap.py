"""What is reachable, as the readiness check tells it; and AWS' errors as the ports tell them."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from agenticai_core.bootstrap import check, connect
from agenticai_core.errors import NotFound, Unavailable
from agenticai_core.files.s3 import S3Files
from agenticai_core.models import Agent
from agenticai_core.settings import Settings
from agenticai_core.store.base import (
    ConditionFailed,
    Key,
    Put,
    StoreConflict,
    StoreUnavailable,
    absent,
)
from agenticai_core.store.dynamo import DynamoStore

CANCELED = "TransactionCanceledException"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    with mock_aws():
        for agent in Agent:
            url = boto3.client("sqs").create_queue(QueueName=f"{agent.value}-queue")["QueueUrl"]
            monkeypatch.setenv(f"SQS_QUEUE_URL_{agent.value.upper()}", url)
        yield Settings()


def test_each_part_is_ok_or_says_why_not(aws: Settings) -> None:
    boto3.client("s3").create_bucket(Bucket=aws.bucket)
    parts = check(connect(aws))
    assert parts.keys() == {"table", "bucket", "pm-queue", "dev-queue", "qa-queue", "ops-queue"}
    assert "ResourceNotFoundException" in parts.pop("table")
    assert set(parts.values()) == {"ok"}


class Fails:
    """A client all of whose calls end in one error."""

    def __init__(self, code: str, status: int = 400, reasons: list[str] | None = None) -> None:
        self._answer: Any = {
            "Error": {"Code": code, "Message": "no"},
            "ResponseMetadata": {"HTTPStatusCode": status},
            "CancellationReasons": [{"Code": reason} for reason in reasons or []],
        }

    def __getattr__(self, name: str) -> Any:
        def call(**_: object) -> None:
            raise ClientError(self._answer, name)

        return call


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        (Fails("ConditionalCheckFailedException"), ConditionFailed),
        (Fails("TransactionConflictException"), StoreConflict),
        (Fails(CANCELED, reasons=["None", "TransactionConflict"]), StoreConflict),
        (Fails(CANCELED, reasons=["ThrottlingError"]), StoreUnavailable),
        (Fails("ProvisionedThroughputExceededException"), StoreUnavailable),
        (Fails("Strange", status=503), StoreUnavailable),
        (Fails("ValidationException"), ClientError),
        (Fails(CANCELED, reasons=["ValidationError"]), ClientError),
    ],
)
def test_errors_of_the_table(client: Any, expected: type[Exception]) -> None:
    store = DynamoStore(client, "t")
    with pytest.raises(expected):
        store.write(Put({"PK": "a", "SK": "b"}, absent()), Put({"PK": "a", "SK": "c"}))


def test_a_failed_condition_goes_before_a_conflict_and_is_named() -> None:
    reasons = ["None", "ConditionalCheckFailed", "TransactionConflict"]
    store = DynamoStore(Fails(CANCELED, reasons=reasons), "t")  # type: ignore[arg-type]
    with pytest.raises(ConditionFailed) as failure:
        store.write(*(Put({"PK": "a", "SK": str(n)}) for n in range(3)))
    assert failure.value.failed == {1}


def test_a_table_that_is_not_reachable_is_unavailable() -> None:
    # Nothing listens on port 9; the client gives up after its own retries.
    client = boto3.client("dynamodb", endpoint_url="http://127.0.0.1:9")
    with pytest.raises(StoreUnavailable):
        DynamoStore(client, "t").get(Key("a", "b"))


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        (Fails("NoSuchKey", 404), NotFound),
        (Fails("404", 404), NotFound),
        (Fails("SlowDown", 503), Unavailable),
        (Fails("InternalError", 500), Unavailable),
        (Fails("AccessDenied", 403), ClientError),
    ],
)
def test_errors_of_the_bucket(client: Any, expected: type[Exception]) -> None:
    with pytest.raises(expected):
        S3Files(client, "b").get("key")
