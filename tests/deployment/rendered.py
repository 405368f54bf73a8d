"""What Copilot rendered, as the tests read it."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cfn_flip import to_json

APP = "agenticai"
ENVIRONMENTS = ("prod", "test")
SERVICES = ("api", "websocket", "worker")

Template = dict[str, Any]  # with Fn::… in their long form


@dataclass(frozen=True)
class Rendered:
    """The templates of all environments and services. ``folder`` holds one for each environment.

    Templates are read once and shared: do not change them.
    """

    folder: Path

    def environment(self, env: str) -> Template:
        """The environment's own stack: network, cluster, load balancer."""
        return _read(self.folder / env / f"{env}.env.yml")

    def addons(self, env: str) -> Template:
        """All of copilot/environments/addons, merged as Copilot merges them."""
        return _read(self.folder / env / "env.addons.yml")

    def service(self, env: str, name: str) -> Template:
        return _read(self.folder / env / f"{name}-{env}.stack.yml")

    def service_addons(self, env: str, name: str) -> Template:
        """copilot/<name>/addons, merged."""
        return _read(self.folder / env / f"{name}.addons.stack.yml")

    def parameters(self, env: str, name: str) -> dict[str, str]:
        """The parameters that Copilot gives to the service's stack."""
        path = self.folder / env / f"{name}-{env}.params.json"
        values: dict[str, str] = json.loads(path.read_text())["Parameters"]
        return values

    def environment_parameters(self, env: str) -> dict[str, str]:
        path = self.folder / env / f"{env}.env.params.json"
        values: dict[str, str] = json.loads(path.read_text())["Parameters"]
        return values

    def containers(self, env: str, name: str) -> dict[str, Template]:
        """The service's container definitions by name."""
        resources = self.service(env, name)["Resources"]
        definitions = resources["TaskDefinition"]["Properties"]["ContainerDefinitions"]
        return {
            name if container["Name"] == {"Ref": "WorkloadName"} else container["Name"]: container
            for container in definitions
        }


@cache
def _read(path: Path) -> Template:
    template: Template = json.loads(to_json(path.read_text()))
    return template
