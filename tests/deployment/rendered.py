"""What Copilot rendered, as the tests read it."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cfn_flip import to_json

ROOT = Path(__file__).resolve().parents[2]
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


def copy_workspace(folder: Path, source: Path = ROOT) -> Path:
    """What Copilot reads, to be changed."""
    for name in ("copilot", "docker"):
        shutil.copytree(source / name, folder / name)
    return folder


def render_apart(folder: Path, *arguments: str) -> Rendered:
    """Render into ``folder`` in a process of its own: `tests.deployment.render` has to be in one.

    ``arguments``: where copilot/ is, the application's domain, the environments. Raises
    RuntimeError with what Copilot said.
    """
    done = subprocess.run(
        [sys.executable, "-m", "tests.deployment.render", str(folder), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return Rendered(folder)
