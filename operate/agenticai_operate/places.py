"""Which environment a command works on, and clients for what is in it."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
from botocore.client import BaseClient
from pydantic import ValidationError

from agenticai_core.bootstrap import AWS_CONFIG
from agenticai_core.models import Agent
from agenticai_core.queues import queue_name
from agenticai_core.settings import Settings
from agenticai_core.store.dynamo import DynamoStore
from agenticai_operate.errors import NotConfigured

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

_HINT = (
    "Set {names} as the services have them, or name the environment:"
    " --app agenticai --env test (and AWS_ENDPOINT_URL for a local one)"
)


@dataclass(frozen=True)
class Place:
    """An environment. Its names come from the variables that the services read, or from
    ``app`` and ``env`` as the templates make them."""

    settings: Settings
    session: boto3.session.Session
    named: bool  # by app and env

    @cached_property
    def dynamo(self) -> "DynamoDBClient":
        client: DynamoDBClient = self._client("dynamodb")
        return client

    @cached_property
    def s3(self) -> "S3Client":
        client: S3Client = self._client("s3")
        return client

    @cached_property
    def sqs(self) -> "SQSClient":
        client: SQSClient = self._client("sqs")
        return client

    @cached_property
    def store(self) -> DynamoStore:
        return DynamoStore(self.dynamo, self.table)

    @property
    def table(self) -> str:
        if self.named:
            return f"{self.settings.app}-{self.settings.env}-data"
        self._expect("table", "DYNAMODB_TABLE_NAME")
        return self.settings.table

    @cached_property
    def bucket(self) -> str:
        if self.named:
            account = self._client("sts").get_caller_identity()["Account"]
            return f"{self.settings.app}-{self.settings.env}-code-{account}"
        self._expect("bucket", "S3_BUCKET_NAME")
        return self.settings.bucket

    def queue_url(self, agent: Agent) -> str:
        if self.named:
            name = queue_name(self.settings.app, self.settings.env, agent)
            return self.url_of(name)
        self._expect(f"queue_url_{agent.value}", f"SQS_QUEUE_URL_{agent.name}")
        return self.settings.queue_url(agent)

    def url_of(self, queue: str) -> str:
        """A queue's address as it is reached from here: an emulator may call itself otherwise."""
        url: str = self.sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        endpoint = self.settings.endpoint_url
        return endpoint.rstrip("/") + urlsplit(url).path if endpoint else url

    def _expect(self, field: str, variable: str) -> None:
        if field not in self.settings.model_fields_set:
            raise NotConfigured(
                f"{variable} is not set, so it is not clear which environment is meant",
                hint=_HINT.format(names=variable),
            )

    def _client(self, service: Any) -> Any:
        client: BaseClient = self.session.client(
            service, endpoint_url=self.settings.endpoint_url, config=AWS_CONFIG
        )
        return client


def find_place(app: str | None = None, env: str | None = None) -> Place:
    """Raises `NotConfigured` where one of the two is missing, or a variable makes no sense."""
    if (app is None) != (env is None):
        raise NotConfigured("--app and --env name an environment together", hint="Give both")
    try:
        settings = Settings()
    except ValidationError as error:
        raise NotConfigured(
            f"The environment's variables make no sense: {error.errors()[0]['msg']}",
            hint="docs/architecture.md lists them, with what they may be",
        ) from error
    if app is not None and env is not None:
        settings = settings.model_copy(update={"app": app, "env": env})
    session = boto3.session.Session(region_name=settings.region)
    return Place(settings, session, named=app is not None)
