"""What only the gateway can be told; everything shared comes from core's settings."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class GatewaySettings(BaseSettings):
    """Every variable is named in docs/architecture.md. Times are in seconds."""

    model_config = SettingsConfigDict(
        env_prefix="AGENTICAI_WEBSOCKET_", extra="ignore", frozen=True, populate_by_name=True
    )

    host: str = Field("127.0.0.1", validation_alias="AGENTICAI_HOST")
    port: int = 8080
    sockets: int = 200  # of one API key, in one process
    queue_events: int = 256  # frames that wait for one socket, at most
    queue_bytes: int = 1_000_000
    slow_seconds: float = 20.0  # a full queue may stay full for this long
    ack_seconds: float = 15.0  # until an unacknowledged event is sent again
    messages_per_second: float = 20.0  # from one client, sustained
    messages_burst: int = 100  # as many as there may be subscriptions, for a reconnect
    drain_seconds: float = 30.0  # over which the closes are spread at a shutdown
    goodbye_seconds: float = 5.0  # for the last frames of a socket that is being closed
