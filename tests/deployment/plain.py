"""Plain CloudFormation out of what Copilot rendered: templates that deploy without Copilot.

What is known of an environment is filled in: parameters, conditions that depend on them alone, and
what Copilot's own functions would find out at deployment. Those functions and their roles go, and
so does what only Copilot's commands use.
"""

import re
from collections.abc import Mapping
from typing import Any

from tests.deployment.rendered import APP, Rendered, Template

_ROLES = frozenset(
    {
        "CloudformationExecutionRole",
        "DynamicDesiredCountFunctionRole",
        "EnvControllerRole",
        "EnvironmentManagerRole",
        "RulePriorityFunctionRole",
    }
)
_TYPES = ("Custom::", "AWS::Lambda::Function", "AWS::CloudFormation::Stack")
_BALANCED = ("websocket", "api")  # in the order of their rules: /ws is in /
_IMAGE = {"Type": "String", "Description": "The image, with its registry and tag."}
_CERTIFICATE = {
    "Type": "String",
    "Default": "",
    "Description": "A certificate of ACM, for HTTPS; without one there is HTTP only.",
}
_LISTENER = {
    "Type": "String",
    "Default": "HTTP",
    "AllowedValues": ["HTTP", "HTTPS"],
    "Description": "Which listener leads here; HTTPS needs the environment's Certificate.",
}
_REMOVE = object()


def environment(rendered: Rendered, env: str) -> Template:
    """Network, cluster and load balancer, with all that the services would have asked for."""
    private = rendered.service(env, "worker")["Resources"]["Service"]["Properties"]
    public_ip = private["NetworkConfiguration"]["AwsvpcConfiguration"]["AssignPublicIp"]
    known = rendered.environment_parameters(env) | {"ALBWorkloads": ",".join(_BALANCED)}
    known["NATWorkloads"] = "worker" if public_ip == "DISABLED" else ""
    template = dict(rendered.environment(env))
    has_certificate = {"Fn::Not": [{"Fn::Equals": [{"Ref": "Certificate"}, ""]}]}
    template["Conditions"] = template["Conditions"] | {"ExportHTTPSListener": has_certificate}
    plain = _Filling(known, {"HTTPSCert": {"Ref": "Certificate"}}).fill(template)
    return _finish(plain, {"Certificate": _CERTIFICATE}, f"{APP} {env}: network and load balancer")


def addons(rendered: Rendered, env: str) -> Template:
    """The table, the bucket, the queues and what watches them, as Copilot merged them."""
    given = rendered.addons(env)
    stack = rendered.environment(env)["Resources"]["AddonsStack"]["Properties"]["Parameters"]
    open_ = {
        name: parameter | ({"Default": stack[name]} if name in stack else {})
        for name, parameter in given["Parameters"].items()
        if name not in ("App", "Env")
    }
    template = _Filling({"App": APP, "Env": env}, {}).fill(given)
    return _finish(template, open_, f"{APP} {env}: what the services share")


def access(rendered: Rendered, env: str, service: str) -> Template:
    """The service's permissions, exported for its task role."""
    known = {"App": APP, "Env": env, "Name": service}
    template = _Filling(known, {}).fill(rendered.service_addons(env, service))
    for name, output in template["Outputs"].items():
        output["Export"] = {"Name": f"{APP}-{env}-{service}-{name}"}
    return _finish(template, {}, f"{APP} {env}: what the service {service} may do")


def service(rendered: Rendered, env: str, name: str) -> Template:
    """Tasks, scaling and, where there is one, the load balancer's rule."""
    known = rendered.parameters(env, name)
    key = known.pop("ArtifactKeyARN")
    known.pop("ContainerImage")
    instead: dict[str, Any] = {
        f"EnvControllerAction.{output}": {"Fn::ImportValue": exported}
        for output, exported in _exports(rendered, env).items()
    }
    listener = {"Fn::ImportValue": {"Fn::Sub": f"{APP}-{env}-${{Listener}}ListenerArn"}}
    instead["EnvControllerAction.HTTPListenerArn"] = listener
    instead["HTTPRulePriorityAction.Priority"] = 1 + (*_BALANCED, name).index(name)
    instead["DynamicDesiredCountAction.DesiredCount"] = _REMOVE  # scaling has it
    policy = f"{APP}-{env}-{name}-AccessPolicy"
    instead["AddonsStack.Outputs.AccessPolicy"] = {"Fn::ImportValue": policy}
    filling = _Filling(known | {"ArtifactKeyARN": key, "AddonsTemplateURL": "beside"}, instead)
    template = filling.fill(rendered.service(env, name))
    for policy_ in template["Resources"]["ExecutionRole"]["Properties"]["Policies"]:
        document = policy_["PolicyDocument"]
        document["Statement"] = [one for one in document["Statement"] if one["Resource"] != [key]]
    parameters = {"ContainerImage": _IMAGE}
    if name in _BALANCED:
        parameters["Listener"] = _LISTENER
    return _finish(template, parameters, f"{APP} {env}: the service {name}")


def _exports(rendered: Rendered, env: str) -> dict[str, str]:
    outputs = rendered.environment(env)["Outputs"]
    return {
        name: output["Export"]["Name"]["Fn::Sub"].replace("${AWS::StackName}", f"{APP}-{env}")
        for name, output in outputs.items()
        if "Export" in output
    }


def _finish(template: Template, parameters: dict[str, Any], description: str) -> Template:
    resources = {
        name: {key: value for key, value in resource.items() if key != "Metadata"}
        for name, resource in template["Resources"].items()
    }
    gone = {name for name, one in resources.items() if _is_copilots(name, one)}
    for name in gone:
        del resources[name]
    for resource in resources.values():
        _forget(resource, gone)
    outputs = {
        name: output
        for name, output in template["Outputs"].items()
        if "Export" in output and not _refers(output["Value"], gone)
    }
    finished = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": description,
        "Parameters": parameters,
        "Conditions": template.get("Conditions", {}),
        "Resources": resources,
        "Outputs": outputs,
    }
    return {name: section for name, section in finished.items() if section}


def _is_copilots(name: str, resource: Mapping[str, Any]) -> bool:
    return name in _ROLES or resource["Type"].startswith(_TYPES)


def _forget(resource: dict[str, Any], gone: set[str]) -> None:
    """Depend on what is left only."""
    waits = resource.get("DependsOn", [])
    left = [one for one in ([waits] if isinstance(waits, str) else waits) if one not in gone]
    if left:
        resource["DependsOn"] = left
    else:
        resource.pop("DependsOn", None)


def _refers(node: Any, names: set[str]) -> bool:
    if isinstance(node, dict):
        target = node.get("Ref") or (node.get("Fn::GetAtt") or [None])[0]
        return target in names or any(_refers(value, names) for value in node.values())
    return isinstance(node, list) and any(_refers(value, names) for value in node)


class _Filling:
    """Puts in what is known. ``instead``: values for "Resource" and "Resource.Attribute"."""

    def __init__(self, known: Mapping[str, str], instead: Mapping[str, Any]) -> None:
        self._known = known
        self._instead = instead
        self._conditions: dict[str, Any] = {}

    def fill(self, template: Template) -> Template:
        given = template.get("Conditions", {})
        self._conditions = given
        open_ = {name: rule for name, rule in given.items() if self._holds(rule) is None}
        sections = {
            section: {
                name: self._value(
                    {k: v for k, v in one.items() if k != "Condition"} | self._if(one)
                )
                for name, one in template.get(section, {}).items()
                if self._holds({"Condition": one.get("Condition")}) is not False
            }
            for section in ("Resources", "Outputs")
        }
        text = str(sections)
        used = {name: self._value(rule) for name, rule in open_.items() if f"'{name}'" in text}
        return {**sections, "Conditions": used}

    def _if(self, one: Mapping[str, Any]) -> dict[str, str]:
        """The condition, where it stays open."""
        name = one.get("Condition")
        return {"Condition": name} if name and self._holds({"Condition": name}) is None else {}

    def _holds(self, rule: Any) -> bool | None:
        """None: it depends on what is not known here."""
        ((kind, value),) = rule.items()
        if kind == "Condition":
            return True if value is None else self._holds(self._conditions[value])
        if kind == "Fn::Equals":
            left, right = (self._value(side) for side in value)
            open_ = isinstance(left, dict) or isinstance(right, dict)
            return None if open_ else str(left).lower() == str(right).lower()
        parts = [self._holds(part) for part in value]
        if kind == "Fn::Not":
            return None if parts[0] is None else not parts[0]
        assert kind == "Fn::And", kind
        return False if False in parts else None if None in parts else True

    def _value(self, node: Any) -> Any:
        if isinstance(node, list):
            values = [self._value(value) for value in node]
            return [value for value in values if value is not _REMOVE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((kind, value),) = node.items()
            if kind == "Ref":
                return self._reference(value)
            if kind == "Fn::GetAtt":
                return self._instead.get(".".join(value), node)
            if kind == "Fn::Sub" and isinstance(value, str):
                return self._text(value)
            if kind == "Fn::If":
                return self._choice(value)
        values = {key: self._value(value) for key, value in node.items() if value is not None}
        return {key: value for key, value in values.items() if value is not _REMOVE}

    def _reference(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _REMOVE
        return self._known.get(name, self._instead.get(name, {"Ref": name}))

    def _text(self, text: str) -> Any:
        def known(found: re.Match[str]) -> str:
            return self._known.get(found[1], found[0])

        filled = re.sub(r"\$\{([^}!]+)\}", known, text)
        return {"Fn::Sub": filled} if "${" in filled else filled

    def _choice(self, value: list[Any]) -> Any:
        holds = self._holds({"Condition": value[0]})
        if holds is not None:
            return self._value(value[1] if holds else value[2])
        sides = [self._value(side) for side in value[1:]]
        kept = [{"Ref": "AWS::NoValue"} if side is _REMOVE else side for side in sides]
        return {"Fn::If": [value[0], *kept]}
