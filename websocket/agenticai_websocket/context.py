"""What every connection of one gateway shares."""

from dataclasses import dataclass

from agenticai_core.bootstrap import Services
from agenticai_core.settings import Settings
from agenticai_websocket.hub import Hub
from agenticai_websocket.settings import GatewaySettings


@dataclass(frozen=True)
class Context:
    services: Services
    settings: Settings
    options: GatewaySettings
    hub: Hub
