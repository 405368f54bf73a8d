"""The services' policies, read from their addons, and whether they allow a call.

A small evaluator of what these policies use: Allow statements with wildcards and the conditions
below; AWS's own rules are in "Policy evaluation logic" of the IAM user guide. Anything else in a
policy is an error here, so that nothing is allowed by being overlooked.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from cfn_flip import load_yaml
from tests.deployment.iam.calls import ACCOUNT, APP, ENV, REGION, Call

ROOT = Path(__file__).resolve().parents[3]
SERVICES = ("api", "websocket", "worker")
_PSEUDO = {
    "App": APP,
    "Env": ENV,
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
}
_KEYS = {"Sid", "Effect", "Action", "Resource", "Condition"}
Context = Mapping[str, str]


@dataclass(frozen=True)
class Statement:
    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...]  # operator, key, values

    def allows(self, call: Call) -> bool:
        context = dict(call.context)
        return (
            _matches(call.action, self.actions)
            and _matches(call.resource, self.resources)
            and all(_OPERATORS[one](context, key, values) for one, key, values in self.conditions)
        )


def read_addon(service: str, root: Path = ROOT) -> dict[str, Any]:
    template: dict[str, Any] = load_yaml(
        (root / "copilot" / service / "addons" / f"{service}.yml").read_text()
    )
    return template


@cache
def read_statements(service: str, root: Path = ROOT) -> tuple[Statement, ...]:
    """What the service's task role may do, with names as they are in the local environment."""
    (policy,) = managed_policies(read_addon(service, root)).values()
    document = policy["Properties"]["PolicyDocument"]
    assert document["Version"] == "2012-10-17"
    resolve = Resolver(root)
    return tuple(_statement(resolve(one)) for one in document["Statement"])


def managed_policies(template: Mapping[str, Any]) -> dict[str, Any]:
    resources = template["Resources"].items()
    return {name: one for name, one in resources if one["Type"] == "AWS::IAM::ManagedPolicy"}


def _statement(given: Mapping[str, Any]) -> Statement:
    assert set(given) <= _KEYS, f"not understood here: {set(given) - _KEYS}"
    assert given["Effect"] == "Allow"
    conditions = tuple(
        (operator, key, _listed(value))
        for operator, keys in given.get("Condition", {}).items()
        for key, value in keys.items()
    )
    assert {operator for operator, _, _ in conditions} <= set(_OPERATORS)
    return Statement(given["Sid"], _listed(given["Action"]), _listed(given["Resource"]), conditions)


# ---- names --------------------------------------------------------------------------------------


class Resolver:
    """Does what CloudFormation does with the functions that the addons use."""

    def __init__(self, root: Path) -> None:
        self._exports = _read_exports(root)

    def __call__(self, value: Any) -> Any:
        match value:
            case {"Fn::Sub": str(text)}:
                return _sub(text)
            case {"Fn::Join": [separator, parts]}:
                return separator.join(self(parts))
            case {"Fn::ImportValue": name}:
                return self._exports[self(name)]
            case dict():
                return {key: self(inner) for key, inner in value.items()}
            case list():
                return [self(inner) for inner in value]
        return value


def _sub(text: str, own: Mapping[str, str] | None = None) -> str:
    known = {**_PSEUDO, **(own or {})}
    return re.sub(r"\$\{([^}]+)\}", lambda found: known[found[1]], text)


def _read_exports(root: Path) -> dict[str, str]:
    """What the environment's addons export of their resources' ARNs."""
    found: dict[str, str] = {}
    for path in (root / "copilot" / "environments" / "addons").glob("*.yml"):
        template = load_yaml(path.read_text())
        for output in template.get("Outputs", {}).values():
            match output:
                case {"Value": {"Fn::GetAtt": [resource, "Arn"]}, "Export": {"Name": name}}:
                    found[_sub(name["Fn::Sub"])] = _arn(template["Resources"][resource])
    return found


def _arn(resource: Mapping[str, Any]) -> str:
    """Formats: the service authorization reference, "Resource types" of each service."""
    properties = resource["Properties"]
    match resource["Type"]:
        case "AWS::DynamoDB::Table":
            name = _sub(properties["TableName"]["Fn::Sub"])
            return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"
        case "AWS::S3::Bucket":
            return f"arn:aws:s3:::{_sub(properties['BucketName']['Fn::Sub'])}"
        case "AWS::SQS::Queue":
            return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{_sub(properties['QueueName']['Fn::Sub'])}"
    return resource["Type"]


# ---- evaluation ---------------------------------------------------------------------------------


def _listed(value: Any) -> tuple[str, ...]:
    return tuple(value) if isinstance(value, list) else (value,)


def _matches(text: str, patterns: tuple[str, ...]) -> bool:
    """``*`` is any text and ``?`` any character; nothing in these names is a bracket."""
    return any(fnmatchcase(text, pattern) for pattern in patterns)


def _like(context: Context, key: str, values: tuple[str, ...]) -> bool:
    return key in context and _matches(context[key], values)


def _all_like(context: Context, key: str, values: tuple[str, ...]) -> bool:
    # True without the key, too: hence the condition Null beside it.
    return key not in context or _matches(context[key], values)


def _not_equals(context: Context, key: str, values: tuple[str, ...]) -> bool:
    # True without the key, as in IAM: "ssm:Overwrite" may be left out of a request that does not.
    return context.get(key) not in values


def _null(context: Context, key: str, values: tuple[str, ...]) -> bool:
    return (key not in context) == (values == ("true",))


_OPERATORS: dict[str, Callable[[Context, str, tuple[str, ...]], bool]] = {
    "StringNotEquals": _not_equals,
    "StringLike": _like,
    "ForAllValues:StringLike": _all_like,
    "Null": _null,
}
