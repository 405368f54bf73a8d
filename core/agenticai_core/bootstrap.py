"""Where the adapters meet: one function that connects, called once by each process."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import boto3
from botocore.config import Config

from agenticai_core.files.base import Files
from agenticai_core.files.s3 import S3Files
from agenticai_core.holdings import Allowance
from agenticai_core.key_cache import KeyCache
from agenticai_core.metrics import count_requests
from agenticai_core.models import Agent
from agenticai_core.queues import SqsQueue, TaskQueue
from agenticai_core.secrets.base import Secrets
from agenticai_core.secrets.memory import MemorySecrets
from agenticai_core.secrets.ssm import SsmSecrets
from agenticai_core.server_secret import CURSOR_NAME, ServerSecret
from agenticai_core.settings import Settings
from agenticai_core.store.base import Store
from agenticai_core.store.dynamo import DynamoStore

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Standard mode retries throttling, 5xx and connection faults with back-off and jitter.
AWS_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 4},
    connect_timeout=2,
    read_timeout=5,
    max_pool_connections=32,
)


@dataclass(frozen=True)
class Services:
    """What use cases work on. ``ping`` names what cannot be reached; a task that was written but
    perhaps not sent is due for the sweeper after ``sweep_seconds``."""

    store: Store
    files: Files
    queue: TaskQueue
    ping: Callable[[], dict[str, str]] = dict
    sweep_seconds: float = 15.0
    heartbeat_seconds: float = 30.0
    secrets: Secrets = field(default_factory=MemorySecrets)
    cursor_secret: ServerSecret = field(default_factory=lambda: ServerSecret(name=CURSOR_NAME))
    key_cache: KeyCache = field(default_factory=KeyCache)
    server_secret: ServerSecret = field(default_factory=ServerSecret)
    allowance: Allowance = field(default_factory=Allowance)
    issuer: str = "agenticai/local"  # of tokens; another environment's are no good here


def connect(settings: Settings) -> Services:
    """Clients for the table, the bucket, the queues and the secrets; no request is made yet."""
    session = boto3.session.Session(region_name=settings.region)
    dynamo = session.client("dynamodb", endpoint_url=settings.endpoint_url, config=AWS_CONFIG)
    s3 = session.client("s3", endpoint_url=settings.endpoint_url, config=AWS_CONFIG)
    ssm = session.client("ssm", endpoint_url=settings.endpoint_url, config=AWS_CONFIG)
    sqs = session.client("sqs", endpoint_url=settings.endpoint_url, config=AWS_CONFIG)
    for client in (dynamo, s3, sqs):
        count_requests(client)

    def ping() -> dict[str, str]:
        looks: dict[str, Callable[[], object]] = {
            "table": lambda: dynamo.describe_table(TableName=settings.table),
            "bucket": lambda: s3.head_bucket(Bucket=settings.bucket),
        }
        for agent in Agent:
            url = settings.queue_url(agent)
            looks[f"{agent.value}-queue"] = lambda url=url: sqs.get_queue_attributes(  # type: ignore[misc]
                QueueUrl=url, AttributeNames=["QueueArn"]
            )
        return {name: _answer(look) for name, look in looks.items()}

    return Services(
        store=DynamoStore(dynamo, settings.table),
        files=S3Files(s3, settings.bucket, _signer(session, settings)),
        queue=SqsQueue(sqs, settings),
        ping=ping,
        secrets=SsmSecrets(ssm, f"/{settings.app}/{settings.env}"),
        sweep_seconds=settings.sweep_seconds,
        heartbeat_seconds=settings.heartbeat_seconds,
        cursor_secret=ServerSecret(settings.cursor_secret.get_secret_value(), name=CURSOR_NAME),
        server_secret=ServerSecret(settings.jwt_secret.get_secret_value()),
        allowance=Allowance(
            projects=settings.max_projects,
            templates=settings.max_templates,
            keys=settings.max_keys,
        ),
        issuer=f"{settings.app}/{settings.env}",
    )


def _signer(session: boto3.session.Session, settings: Settings) -> "S3Client":
    """For URLs that are given away: the bucket's address as it is seen from outside."""
    address = settings.s3_public_url or settings.endpoint_url
    # An address of one's own has no names of buckets below it.
    style: Literal["path", "auto"] = "path" if address else "auto"
    config = Config(signature_version="s3v4", s3={"addressing_style": style})
    return session.client("s3", endpoint_url=address, config=AWS_CONFIG.merge(config))


def check(services: Services) -> dict[str, str]:
    """Each part that the services need -> "ok", or why it is not."""
    return services.ping()


def _answer(look: Callable[[], object]) -> str:
    try:
        look()
    except Exception as error:  # whatever it is, it is the answer
        return f"{type(error).__name__}: {error}"
    return "ok"
