"""A project's environment on the emulator: the table, the bucket and the queues hold no value."""

import boto3
import pytest

from agenticai_core import environment, housekeeping, projects, runs
from agenticai_core.bootstrap import Services, connect
from agenticai_core.rows import load
from agenticai_core.settings import Settings

CANARY = "canary-7f3a"


@pytest.fixture
def services(emulator_settings: Settings) -> Services:
    return connect(emulator_settings)


def everything(settings: Settings) -> str:
    """All rows, all objects and all messages."""

    def client(name: str):
        return boto3.client(name, endpoint_url=settings.endpoint_url)

    rows = client("dynamodb").scan(TableName=settings.table)["Items"]
    bucket = client("s3")
    keys = bucket.list_objects_v2(Bucket=settings.bucket).get("Contents", [])
    objects = [
        bucket.get_object(Bucket=settings.bucket, Key=one["Key"])["Body"].read() for one in keys
    ]
    queue = client("sqs").receive_message(QueueUrl=settings.queue_url_pm)
    assert rows
    assert queue["Messages"]
    return f"{rows} {objects} {queue}"


def test_values_are_a_secret_alone_and_go_with_the_project(
    services: Services, emulator_settings: Settings
) -> None:
    new = runs.NewProject.model_validate(
        {
            "name": "N",
            "type": "api",
            "description": "d",
            "environment_vars": {"SMTP_PASSWORD": CANARY, "PORT": "25"},
        }
    )
    made = runs.create_project(services, "me", new)
    changes = projects.ProjectChanges.model_validate(
        {"environment_vars": {"PORT": None, "SMTP_PASSWORD": "***", "KEY": f"{CANARY}-ü\n2"}}
    )
    projects.update_project(services, "me", made.id, changes)

    stored = load(services.store, made.id).project
    assert (stored.environment, stored.environment_version) == (("KEY", "SMTP_PASSWORD"), 2)
    assert environment.unseal(services, stored) == {
        "KEY": f"{CANARY}-ü\n2",
        "SMTP_PASSWORD": CANARY,
    }
    assert CANARY not in everything(emulator_settings)
    name = environment.secret_name(made.id)
    ssm = boto3.client("ssm", endpoint_url=emulator_settings.endpoint_url)
    full = f"/{emulator_settings.app}/{emulator_settings.env}/{name}"
    assert ssm.get_parameter(Name=full)["Parameter"]["Type"] == "SecureString"

    runs.delete_project(services, "me", made.id)
    housekeeping.remove_project(services, made.id)

    assert services.secrets.get(name) is None
