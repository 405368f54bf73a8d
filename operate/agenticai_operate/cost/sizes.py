"""How large each service is, from the manifests that deploy it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from agenticai_operate.errors import BadManifest, NotConfigured

WORKER = "worker"
_SIZE = re.compile(r"(?P<name>[a-z][a-z0-9-]*)=(?P<cpu>\d+)/(?P<memory>\d+)(x(?P<count>\d+))?")
_HINT = "Run it in a checkout, where copilot/ is, or name that folder: --copilot DIR"


@dataclass(frozen=True)
class Service:
    """One service as its manifest has it in one environment; ``cpu`` in 1/1024 vCPU, ``memory``
    in MB, both of a whole task with its sidecars."""

    name: str
    kind: str
    cpu: int
    memory: int
    tasks: int  # at least; more while there is more to do
    spot: int = 0  # of these
    arm: bool = False
    private: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)  # those with plain values


@dataclass(frozen=True)
class Layout:
    """Everything that is deployed to an environment and never sleeps."""

    services: tuple[Service, ...]
    alarms: int  # metrics that alarms look at: what AWS charges for
    dashboards: int

    @property
    def variables(self) -> dict[str, str]:
        """What workers are configured by: they poll, sweep and ask models."""
        workers = (service for service in self.services if service.name == WORKER)
        return {name: value for worker in workers for name, value in worker.variables.items()}

    @property
    def balanced(self) -> bool:
        return any(service.kind == "Load Balanced Web Service" for service in self.services)

    @property
    def private(self) -> bool:
        return any(service.private for service in self.services)


def read_layout(folder: Path, env: str) -> Layout:
    """What the folder ``copilot/`` deploys. Raises `NotConfigured` where there is none."""
    manifests = sorted(folder.glob("*/manifest.yml"))
    if not manifests:
        raise NotConfigured(f"There are no manifests in {folder}/", hint=_HINT)
    known = sorted(path.parent.name for path in folder.glob("environments/*/manifest.yml"))
    if known and env not in known:
        raise NotConfigured(
            f"There is no environment '{env}'", hint=f"There are: {', '.join(known)}"
        )
    kinds = list(addon_kinds(folder / "environments"))
    return Layout(
        services=tuple(_service(path, env) for path in manifests),
        alarms=sum(map(_watched, _alarms(folder))),
        dashboards=kinds.count("AWS::CloudWatch::Dashboard"),
    )


def addon_kinds(folder: Path) -> Iterator[str]:
    """The type of each resource in the templates of ``addons/``."""
    for resource in _addons(folder):
        yield str(resource["Type"])


def _addons(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("**/addons/*.yml")):
        if not path.name.endswith("parameters.yml"):
            template = yaml.load(path.read_text(encoding="utf-8"), _CloudFormation)  # noqa: S506 (a SafeLoader)
            yield from template.get("Resources", {}).values()


def _alarms(folder: Path) -> Iterator[dict[str, Any]]:
    """The environment's own; those of services come and go with how they scale and deploy."""
    for resource in _addons(folder / "environments"):
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            yield resource["Properties"]


def _watched(alarm: Mapping[str, Any]) -> int:
    metrics = alarm.get("Metrics")
    return sum("MetricStat" in metric for metric in metrics) if metrics else 1


def resize(layout: Layout, wanted: list[str]) -> Layout:
    """The layout with the sizes of ``worker=1024/2048x2``: CPU units, MB and number of tasks."""
    services = {service.name: service for service in layout.services}
    for text in wanted:
        match = _SIZE.fullmatch(text)
        if match is None or match["name"] not in services:
            raise BadManifest(
                f"'{text}' is no size of a service",
                hint=f"NAME=CPU/MEMORYxTASKS, with NAME one of {', '.join(services)}:"
                " --size worker=1024/2048x2",
            )
        old = services[match["name"]]
        tasks = int(match["count"] or old.tasks)
        services[old.name] = replace(
            old,
            cpu=int(match["cpu"]),
            memory=int(match["memory"]),
            tasks=tasks,
            spot=tasks if old.spot >= old.tasks else min(old.spot, tasks),
        )
    return replace(layout, services=tuple(services.values()))


def _service(path: Path, env: str) -> Service:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    own = (document.get("environments") or {}).get(env) or {}
    manifest = _merged(document, own)
    if "range" in _map(own.get("count")) and "spot" in _map(manifest["count"]):
        del manifest["count"]["spot"]  # Copilot takes one of the two, the environment's own
    try:
        tasks, spot = _tasks(manifest.get("count", 1))
        return Service(
            name=manifest["name"],
            kind=manifest["type"],
            cpu=int(manifest["cpu"]),
            memory=int(manifest["memory"]),
            tasks=tasks,
            spot=spot,
            arm="arm64" in str(manifest.get("platform", "")),
            private=_placement(manifest) == "private",
            variables=_variables(manifest),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadManifest(
            f"{path} cannot be reckoned with: {error}",
            hint="It needs name, type, cpu, memory and count (a number, or a range with a minimum)",
        ) from error


def _placement(manifest: Mapping[str, Any]) -> str:
    vpc = _map(_map(manifest.get("network")).get("vpc"))
    return str(vpc.get("placement", "public"))


def _variables(manifest: Mapping[str, Any]) -> dict[str, str]:
    given = _map(manifest.get("variables"))
    return {name: str(value) for name, value in given.items() if not isinstance(value, dict)}


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _tasks(count: Any) -> tuple[int, int]:
    """The least number of tasks, and how many of these are Spot, of a manifest's ``count``."""
    if isinstance(count, int):
        return count, 0
    if "spot" in count:
        return int(count["spot"]), int(count["spot"])
    limits = count["range"]
    if isinstance(limits, str):
        return int(limits.split("-")[0]), 0
    least = int(limits["min"])
    on_demand = int(limits.get("spot_from", least + 1)) - 1
    return least, max(0, least - on_demand)


def _merged(base: Any, own: Any) -> Any:
    """What Copilot makes of a manifest and its part for one environment: maps merge, others win."""
    if not (isinstance(base, dict) and isinstance(own, dict)):
        return own
    return base | {
        name: _merged(base[name], value) if name in base else value for name, value in own.items()
    }


class _CloudFormation(yaml.SafeLoader):
    """Takes ``!Ref`` and its like for plain values: only the types of resources matter here."""


def _plain(loader: yaml.SafeLoader, _: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node)
    assert isinstance(node, yaml.MappingNode)  # noqa: S101 (there is no fourth kind)
    return loader.construct_mapping(node)


_CloudFormation.add_multi_constructor("!", _plain)
