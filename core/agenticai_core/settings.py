"""Settings from the environment, read once by each service's bootstrap."""

import re
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from agenticai_core.models import Agent
from agenticai_core.server_secret import MIN_BYTES


def _check_origin(origin: str) -> str:
    # "*" too: an API key is a credential, and any page could ask a person for one.
    if not _ORIGIN.fullmatch(origin):
        raise ValueError("an origin looks like https://console.example or http://localhost:8000")
    return origin


def _check_strength(secret: SecretStr) -> SecretStr:
    if 0 < len(secret.get_secret_value().encode()) < MIN_BYTES:
        raise ValueError(f"has to be at least {MIN_BYTES} bytes; leave it out to have one made")
    return secret


_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?")
Origin = Annotated[str, AfterValidator(_check_origin)]
StrongSecret = Annotated[SecretStr, AfterValidator(_check_strength)]


class Settings(BaseSettings):
    """Every variable is named in docs/architecture.md. Times are in seconds."""

    model_config = SettingsConfigDict(
        env_prefix="AGENTICAI_",
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,  # a weak secret is one all the same
    )

    app: str = "agenticai"
    env: str = "local"
    log_level: str = Field("INFO", validation_alias="LOG_LEVEL")
    log_format: Literal["json", "console"] = "json"
    metrics: Literal["emf", "off"] = "off"  # lines that CloudWatch makes metrics of
    otlp_endpoint: str = Field("", validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT")  # "": no traces
    region: str = Field("us-east-1", validation_alias="AWS_REGION")
    endpoint_url: str | None = Field(None, validation_alias="AWS_ENDPOINT_URL")
    table: str = Field("agenticai-local-data", validation_alias="DYNAMODB_TABLE_NAME")
    bucket: str = Field("agenticai-local-code-000000000000", validation_alias="S3_BUCKET_NAME")
    s3_public_url: str | None = None  # the bucket's endpoint in URLs given away; None: the same
    queue_url_pm: str = Field("", validation_alias="SQS_QUEUE_URL_PM")
    queue_url_dev: str = Field("", validation_alias="SQS_QUEUE_URL_DEV")
    queue_url_qa: str = Field("", validation_alias="SQS_QUEUE_URL_QA")
    queue_url_ops: str = Field("", validation_alias="SQS_QUEUE_URL_OPS")

    cursor_secret: SecretStr = SecretStr("")  # signs page cursors; "": the secret store keeps one
    jwt_secret: StrongSecret = SecretStr("")  # signs tokens; "": the secret store keeps one

    model: str = "template"  # "template", "gemini:<model>", "replay:<file>"
    gemini_api_key: SecretStr | None = Field(None, validation_alias="GEMINI_API_KEY")
    gemini_endpoint: str | None = None  # another server that speaks Gemini's REST format
    model_timeout: float = 120.0
    # USD per million tokens; unset: what `prices` has
    model_price_input: float | None = Field(None, ge=0)
    model_price_output: float | None = Field(None, ge=0)

    lease_seconds: float = 90.0
    heartbeat_seconds: float = 30.0
    sweep_seconds: float = 15.0
    sqs_wait_seconds: int = 20
    retry_base_seconds: float = 1.0
    max_retries: int = 5  # of transient failures, per task
    drain_seconds: float = 80.0
    drain_file: str | None = None  # raised by the node's parent process on SIGTERM
    health_file: str | None = None  # touched by the worker whenever it has polled

    sandbox_python: str | None = None  # interpreter of the curated environment; None: our own
    sandbox_root: Path | None = None  # a file system for what runs; for a worker that is root
    # The weakest sandbox that QA accepts; unset: strong in the environment "prod", else basic.
    sandbox_require: Literal["strong", "basic", "none"] | None = None

    allowed_origins: tuple[Origin, ...] = ()
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()  # whose X-Forwarded-* is believed
    https_redirect: bool = False  # for a service behind a load balancer that ends TLS
    request_timeout: float = 30.0  # API: until an answer starts
    body_timeout: float = 20.0  # API: until a request's body is there
    rate_limit: int = Field(100, ge=1)  # requests per second and API key, over all instances
    rate_burst: int = Field(200, ge=1)
    monthly_quota: int = Field(100_000, ge=1)  # requests per owner
    max_projects: int = Field(1000, ge=1)  # per owner, those being deleted left out
    max_templates: int = Field(200, ge=1)
    max_keys: int = Field(100, ge=1)  # that are neither revoked nor expired
    auth_failure_rate: int = Field(20, ge=1)  # failed authentications per second and address
    auth_failure_burst: int = Field(40, ge=1)
    instance_beat_seconds: float = Field(10.0, gt=0)  # API: an instance that misses three is dead
    poll_min_seconds: float = 0.25  # gateway: between two looks at the heads
    poll_max_seconds: float = 2.0
    ping_seconds: float = 20.0
    # Between two looks at the key of a socket or a stream. What authentication remembers is 2.5 s
    # old at most: together less than the 5 s within which a revoked key is out.
    recheck_seconds: float = Field(2.0, gt=0, lt=2.5)

    @property
    def required_sandbox(self) -> Literal["strong", "basic", "none"]:
        return self.sandbox_require or ("strong" if self.env == "prod" else "basic")

    def queue_url(self, agent: Agent) -> str:
        url: str = getattr(self, f"queue_url_{agent.value}")
        return url
