"""The table, the bucket and the queues, made from the very templates that are deployed."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from agenticai_core.models import Agent
from agenticai_local.errors import LocalError

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "copilot" / "environments" / "addons"
REGION = "us-east-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}


def create_resources(
    endpoint_url: str, app: str = "agenticai", env: str = "local"
) -> dict[str, str]:
    """Create or update what the templates describe; the environment variables that name it.

    Works on the emulator at ``endpoint_url`` only. Raises `LocalError` when a stack fails.
    """
    outputs: dict[str, str] = {}
    cloudformation = _client("cloudformation", endpoint_url)
    for name in ("table", "bucket", "queues"):
        template = (TEMPLATES / f"{name}.yml").read_text()
        outputs |= _deploy(cloudformation, f"{app}-{env}-{name}", template, app, env)
    _switch_ttl_on(_client("dynamodb", endpoint_url), outputs["TableName"])
    return _variables(endpoint_url, app, env, outputs)


def _client(service: Any, endpoint_url: str) -> Any:
    """A client for the emulator, whatever the user's own AWS profile and proxies say."""
    session = boto3.session.Session(
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
    )
    config = Config(proxies={}, retries={"mode": "standard"}, connect_timeout=2, read_timeout=20)
    return session.client(service, endpoint_url=endpoint_url, config=config)


def _deploy(client: Any, stack: str, template: str, app: str, env: str) -> dict[str, str]:
    """Create the stack, or update it where it exists; its outputs."""
    values = {"App": app, "Env": env}
    request = {
        "StackName": stack,
        "TemplateBody": template,
        "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in values.items()],
    }
    try:
        client.create_stack(**request)
    except client.exceptions.AlreadyExistsException:
        _update(client, request)
    described = _settled(client, stack)
    if described["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        reason = described.get("StackStatusReason", "no reason given")
        raise LocalError(
            f"The stack {stack} ended as {described['StackStatus']}: {reason}",
            hint="Start with an empty state: make up FRESH=1",
        )
    return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}


def _update(client: Any, request: Mapping[str, Any]) -> None:
    try:
        client.update_stack(**request)
    except ClientError as error:
        if "No updates are to be performed" not in str(error):
            raise


def _settled(client: Any, stack: str, seconds: float = 30) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while True:
        described: dict[str, Any] = client.describe_stacks(StackName=stack)["Stacks"][0]
        if not described["StackStatus"].endswith("_IN_PROGRESS") or time.monotonic() > deadline:
            return described
        time.sleep(0.02)


def _switch_ttl_on(client: Any, table: str) -> None:
    """The emulator's CloudFormation leaves the TTL of the template off."""
    status = client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    if status["TimeToLiveStatus"] == "DISABLED":
        client.update_time_to_live(
            TableName=table, TimeToLiveSpecification={"AttributeName": "ttl", "Enabled": True}
        )


def _variables(endpoint_url: str, app: str, env: str, outputs: Mapping[str, str]) -> dict[str, str]:
    """What `agenticai_core.settings.Settings` reads."""
    queues = {
        # The address as the services reach it: the emulator's own name for itself may differ.
        f"SQS_QUEUE_URL_{agent.name}": endpoint_url
        + urlsplit(outputs[f"{agent.value.capitalize()}QueueUrl"]).path
        for agent in Agent
    }
    return {
        **CREDENTIALS,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": endpoint_url,
        "AGENTICAI_APP": app,
        "AGENTICAI_ENV": env,
        "DYNAMODB_TABLE_NAME": outputs["TableName"],
        "S3_BUCKET_NAME": outputs["BucketName"],
        **queues,
    }
