"""What the services get in their tasks is what their code asks for."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic_settings import BaseSettings
from tests.deployment.rendered import APP, ENVIRONMENTS, SERVICES, Rendered, Template
from tests.deployment.test_rendered import EACH, fill, when

from agenticai_core.models import Agent
from agenticai_core.queues import queue_name
from agenticai_core.settings import Settings
from agenticai_websocket.settings import GatewaySettings

ACCOUNT = "123456789012"
COLLECTOR = "aws-otel-collector"
# In every environment there has to be one of these, whatever the defaults say.
REQUIRED = {
    "AGENTICAI_APP",
    "AGENTICAI_ENV",
    "AWS_REGION",
    "DYNAMODB_TABLE_NAME",
    "LOG_LEVEL",
    "S3_BUCKET_NAME",
    *(f"SQS_QUEUE_URL_{agent.name}" for agent in Agent),
}


def known_variables(model: type[BaseSettings]) -> set[str]:
    prefix = model.model_config["env_prefix"]
    return {
        str(field.validation_alias or f"{prefix}{name}").upper()
        for name, field in model.model_fields.items()
    }


KNOWN = known_variables(Settings) | known_variables(GatewaySettings) | {"AGENTICAI_API_PORT"}


def environment(rendered: Rendered, env: str, service: str, container: Template) -> dict[str, str]:
    addons = rendered.addons(env)
    exported = {fill(o["Export"]["Name"], env): o["Value"] for o in addons["Outputs"].values()}

    def value(given: Any) -> str:
        if isinstance(given, str):
            return given
        if given == {"Ref": "AWS::Region"}:
            return "us-east-1"
        if "Fn::ImportValue" in given:
            return resource_name(addons, exported[fill(given["Fn::ImportValue"], env)], env)
        if "Fn::GetAtt" in given:
            return "lb.example.com"
        return fill(given, env, service)

    return {variable["Name"]: value(variable["Value"]) for variable in container["Environment"]}


def resource_name(addons: Template, value: Any, env: str) -> str:
    """What an output of the environment's addons stands for."""
    resource = addons["Resources"][value["Ref"]]
    properties = resource["Properties"]
    (name,) = (properties[k] for k in ("TableName", "BucketName", "QueueName") if k in properties)
    known = {"App": APP, "Env": env, "AWS::AccountId": ACCOUNT}
    text = re.sub(r"\$\{([^}]+)\}", lambda found: known[found[1]], name["Fn::Sub"])
    return f"https://sqs/{ACCOUNT}/{text}" if "QueueName" in properties else text


def our_containers(rendered: Rendered, env: str, service: str) -> dict[str, Template]:
    containers = rendered.containers(env, service)
    return {name: one for name, one in containers.items() if name != COLLECTOR}


@pytest.mark.parametrize(("env", "service"), EACH)
def test_settings_read_from_a_task_name_the_environments_resources(
    rendered: Rendered, env: str, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for container in our_containers(rendered, env, service).values():
        given = environment(rendered, env, service, container)
        secrets = {secret["Name"] for secret in container.get("Secrets", [])}
        assert given.keys() >= REQUIRED
        ours = {
            name for name in given.keys() | secrets if not name.startswith(("COPILOT_", "OTEL_"))
        }
        assert ours <= KNOWN
        for name in KNOWN:
            monkeypatch.delenv(name, raising=False)
        for name, text in given.items():
            monkeypatch.setenv(name, text)
        settings = Settings()
        assert (settings.app, settings.env, settings.region) == (APP, env, "us-east-1")
        assert settings.table == f"{APP}-{env}-data"
        assert settings.bucket == f"{APP}-{env}-code-{ACCOUNT}"
        assert settings.endpoint_url is None
        for agent in Agent:
            assert settings.queue_url(agent).endswith(f"/{queue_name(APP, env, agent)}")


@pytest.mark.parametrize("env", ENVIRONMENTS)
@pytest.mark.parametrize("service", ["api", "websocket"])
def test_the_load_balancers_word_is_taken_for_where_requests_come_from(
    rendered: Rendered, env: str, service: str
) -> None:
    (container,) = our_containers(rendered, env, service).values()
    proxies = json.loads(
        environment(rendered, env, service, container)["AGENTICAI_TRUSTED_PROXIES"]
    )
    network = rendered.environment(env)["Resources"]["VPC"]["Properties"]["CidrBlock"]
    assert proxies == [network]


@pytest.mark.parametrize(("env", "service"), EACH)
def test_health_is_what_the_dockerfile_looks_at(
    rendered: Rendered, repo_root: Path, env: str, service: str
) -> None:
    """ECS does not read the Dockerfile's."""
    text = (repo_root / "docker" / f"{service}.Dockerfile").read_text()
    (command,) = re.findall(r"^HEALTHCHECK [^\n]*\\\n\s+CMD (\[.*\])$", text, re.MULTILINE)
    for container in our_containers(rendered, env, service).values():
        assert container["HealthCheck"]["Command"] == ["CMD", *json.loads(command)]


@pytest.mark.parametrize(
    ("service", "port", "rule", "health"),
    [("api", 8000, ["/*"], "/health"), ("websocket", 8080, ["/ws", "/ws/*"], "/ws/health")],
)
@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_one_load_balancer_leads_to_both(
    rendered: Rendered, repo_root: Path, env: str, service: str, port: int, rule: list[str],
    health: str,
) -> None:  # fmt: skip
    resources = rendered.service(env, service)["Resources"]
    (condition,) = resources["HTTPListenerRule"]["Properties"]["Conditions"]
    assert condition["PathPatternConfig"]["Values"] == rule
    first, second = (
        resources[name]["Properties"] for name in ("TargetGroup", "AlternateTargetGroup")
    )
    assert (first["Port"], first["HealthCheckPath"]) == (port, health)
    assert comparable(first) == comparable(second)
    assert f"EXPOSE {port}\n" in (repo_root / "docker" / f"{service}.Dockerfile").read_text()
    listener = {"Fn::GetAtt": ["EnvControllerAction", "HTTPListenerArn"]}
    assert resources["HTTPListenerRule"]["Properties"]["ListenerArn"] == listener


def comparable(group: Template) -> dict[str, Any]:
    attributes = {one["Key"]: str(one["Value"]).lower() for one in group["TargetGroupAttributes"]}
    matcher = {key: str(value) for key, value in group["Matcher"].items()}
    vpc = fill(group["VpcId"]["Fn::ImportValue"], "env")
    return group | {"TargetGroupAttributes": attributes, "Matcher": matcher, "VpcId": vpc}


@pytest.mark.parametrize("service", ["api", "websocket"])
def test_traffic_moves_by_tenths_in_prod(rendered: Rendered, service: str) -> None:
    resources = rendered.service("prod", service)["Resources"]
    properties = resources["Service"]["Properties"]
    deployment = properties["DeploymentConfiguration"]
    assert when(deployment["Strategy"], "prod") == "LINEAR"
    assert when(deployment["Strategy"], "test") == "ROLLING"
    linear = when(deployment["LinearConfiguration"], "prod")
    assert linear == {"StepPercent": 10, "StepBakeTimeInMinutes": 1}
    (balancer,) = properties["LoadBalancers"]
    assert when(balancer["AdvancedConfiguration"], "prod") == {
        "AlternateTargetGroupArn": {"Ref": "AlternateTargetGroup"},
        "ProductionListenerRule": {"Ref": "HTTPListenerRule"},
        "RoleArn": {"Fn::GetAtt": ["TrafficRole", "Arn"]},
    }
    (action,) = resources["HTTPListenerRule"]["Properties"]["Actions"]
    weights = {
        group["TargetGroupArn"]["Ref"]: group["Weight"]
        for group in action["ForwardConfig"]["TargetGroups"]
    }
    assert weights == {"TargetGroup": 1, "AlternateTargetGroup": 0}


@pytest.mark.parametrize(("env", "service"), EACH)
def test_a_bad_deployment_is_taken_back(rendered: Rendered, env: str, service: str) -> None:
    resources = rendered.service(env, service)["Resources"]
    deployment = resources["Service"]["Properties"]["DeploymentConfiguration"]
    assert deployment["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}
    assert deployment["Alarms"]["Enable"] is deployment["Alarms"]["Rollback"] is True
    alarms = {
        name: one["Properties"].get("AlarmName")
        for name, one in resources.items()
        if one["Type"] == "AWS::CloudWatch::Alarm"
    }
    given = deployment["Alarms"]["AlarmNames"]
    assert given in ([{"Ref": name} for name in alarms], list(alarms.values()))
    assert given


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_every_queue_has_a_node_of_its_own(rendered: Rendered, env: str) -> None:
    nodes = our_containers(rendered, env, "worker")
    assert {node["Command"][0] for node in nodes.values()} == {agent.value for agent in Agent}
    for name, node in nodes.items():
        assert node["Image"] == {"Ref": "ContainerImage"}
        assert node.get("Essential", True) is (name == "worker")
        assert node["RestartPolicy"]["Enabled"] is True
        assert node["StopTimeout"] == 120 > Settings().drain_seconds + 10
    # Only root can give generated code a user of its own; no other node runs any.
    assert {name for name, node in nodes.items() if "User" in node} == {"qa"}
    waits = {one["ContainerName"]: one["Condition"] for one in nodes["worker"]["DependsOn"]}
    assert waits == dict.fromkeys(nodes.keys() - {"worker"}, "HEALTHY")


def test_the_gateway_has_the_time_for_its_goodbyes(rendered: Rendered) -> None:
    (container,) = our_containers(rendered, "prod", "websocket").values()
    gateway = GatewaySettings()
    assert container["StopTimeout"] > gateway.drain_seconds + gateway.goodbye_seconds


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_workers_follow_the_backlog_of_all_queues(rendered: Rendered, env: str) -> None:
    resources = rendered.service(env, "worker")["Resources"]
    policy = resources["BacklogPolicy"]["Properties"]["TargetTrackingScalingPolicyConfiguration"]
    metrics = policy["CustomizedMetricSpecification"]["Metrics"]
    stats = {one["Id"]: one["MetricStat"] for one in metrics if "MetricStat" in one}
    (formula,) = (one["Expression"] for one in metrics if "Expression" in one)
    assert set(re.findall(r"[a-z_]{4,}", formula)) == set(stats)
    looked_at = {
        (stat["Metric"]["MetricName"], fill(stat["Metric"]["Dimensions"][0]["Value"], env))
        for stat in stats.values()
        if stat["Metric"]["Namespace"] == "AWS/SQS"
    }
    assert looked_at == {
        (f"ApproximateNumberOfMessages{kind}", queue_name(APP, env, agent))
        for kind in ("Visible", "NotVisible")
        for agent in Agent
    }
    assert len(metrics) <= 10  # of which CloudWatch makes one formula


@pytest.mark.parametrize("service", SERVICES)
def test_what_may_be_interrupted_runs_on_spot(rendered: Rendered, service: str) -> None:
    bases = {}
    for env in ENVIRONMENTS:
        strategy = rendered.service(env, service)["Resources"]["Service"]["Properties"][
            "CapacityProviderStrategy"
        ]
        bases[env] = sum(provider.get("Base", 0) for provider in strategy)
        assert {p["CapacityProvider"] for p in strategy if p["Weight"]} == {"FARGATE_SPOT"}
    assert bases == {"test": 0, "prod": 1 if service == "worker" else 2}


@pytest.mark.parametrize(("env", "service"), EACH)
def test_only_prod_is_private_and_logs_are_kept_for_days(
    rendered: Rendered, env: str, service: str
) -> None:
    resources = rendered.service(env, service)["Resources"]
    network = resources["Service"]["Properties"]["NetworkConfiguration"]["AwsvpcConfiguration"]
    assert network["AssignPublicIp"] == ("DISABLED" if env == "prod" else "ENABLED")
    assert rendered.parameters(env, service)["LogRetention"] == ("7" if env == "prod" else "3")
    assert resources["Service"]["Properties"]["EnableExecuteCommand"] is True


@pytest.mark.parametrize(("env", "service"), EACH)
def test_traces_go_to_a_collector_that_may_fail(rendered: Rendered, env: str, service: str) -> None:
    containers = rendered.containers(env, service)
    assert containers.pop(COLLECTOR)["Essential"] is False
    for container in containers.values():
        variable = {"Name": "OTEL_EXPORTER_OTLP_ENDPOINT", "Value": "http://127.0.0.1:4318"}
        assert variable in container["Environment"]


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_table_and_bucket_are_reached_without_a_gateway_that_costs(
    rendered: Rendered, env: str
) -> None:
    resources = rendered.environment(env)["Resources"]
    for name, service in (("TableEndpoint", "dynamodb"), ("BucketEndpoint", "s3")):
        properties = resources[name]["Properties"]
        assert properties["VpcEndpointType"] == "Gateway"
        assert properties["ServiceName"]["Fn::Sub"].endswith(f".{service}")
        assert len(properties["RouteTableIds"]) == 3
    for resource in resources.values():
        if resource["Type"] == "AWS::EC2::NatGateway":
            assert resource["Condition"] == "CreateNATGateways"


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_a_quiet_socket_outlives_its_pings(rendered: Rendered, env: str) -> None:
    resources = rendered.environment(env)["Resources"]
    listed = resources["PublicLoadBalancer"]["Properties"]["LoadBalancerAttributes"]
    attributes = {one["Key"]: one["Value"] for one in listed}
    assert int(attributes["idle_timeout.timeout_seconds"]) > 3 * Settings().ping_seconds
    assert attributes["routing.http.drop_invalid_header_fields.enabled"] == "true"
