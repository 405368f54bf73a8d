"""`make templates`: the same system as plain CloudFormation."""

import json
import re
import subprocess
import sys
import uuid
from pathlib import Path

import boto3
import pytest
from tests.deployment.rendered import ENVIRONMENTS, SERVICES, Rendered, Template
from tests.deployment.templates import LARGEST, in_order, stack_name, write_templates
from tests.deployment.test_rendered import fill, find
from tests.deployment.test_services import ACCOUNT

# The emulator does not know them. What they watch is tried elsewhere.
NOT_EMULATED = ("AWS::Budgets::", "AWS::CloudWatch::")


@pytest.fixture(scope="module")
def written(rendered: Rendered, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cloudformation")
    write_templates(rendered, folder)
    return folder


def test_cfn_lint_finds_nothing(written: Path) -> None:
    linter = Path(sys.executable).with_name("cfn-lint")
    # Copilot names dependencies that a reference implies.
    command = [linter, "--ignore-checks", "W3005", "--template", *sorted(written.glob("*/*.yml"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_nothing_of_copilots_is_left(written: Path) -> None:
    paths = list(written.glob("*/*.yml"))
    assert len(paths) == len(ENVIRONMENTS) * (2 + 2 * len(SERVICES))
    for path in paths:
        text = path.read_text()
        assert len(text) < LARGEST
        for word in ("AWS::Lambda", "Custom::", "TemplateURL", "EnvController", ACCOUNT, "offline"):
            assert word not in text, f"{word} in {path.name}"


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_what_a_stack_imports_an_earlier_one_exports(rendered: Rendered, env: str) -> None:
    exported: set[str] = set()
    for name, template in in_order(rendered, env).items():
        imported = {
            fill(value, env).replace("${Listener}", "HTTP")
            for value in find(parameters_filled(template), "Fn::ImportValue")
        }
        assert imported <= exported, name
        for output in template.get("Outputs", {}).values():
            exported.add(
                json.dumps(output["Export"]["Name"])
                .replace("${AWS::StackName}", stack_name(env, name))
                .removeprefix('{"Fn::Sub": ')
                .strip('"}')
            )


def parameters_filled(template: Template) -> Template:
    filled: Template = json.loads(json.dumps(template).replace("${Listener}", "HTTP"))
    return filled


@pytest.mark.parametrize(("env", "nat"), [("prod", 2), ("test", 0)])
def test_an_environment_has_what_its_services_need(rendered: Rendered, env: str, nat: int) -> None:
    resources = in_order(rendered, env)["environment"]["Resources"]
    types = [resource["Type"] for resource in resources.values()]
    assert types.count("AWS::EC2::NatGateway") == nat
    assert types.count("AWS::ElasticLoadBalancingV2::LoadBalancer") == 1
    assert "AWS::EFS::FileSystem" not in types
    https = resources["HTTPSListener"]["Properties"]
    assert https["SslPolicy"].startswith("ELBSecurityPolicy-TLS13-1-2")
    assert https["Certificates"] == [{"CertificateArn": {"Ref": "Certificate"}}]


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_the_gateways_rule_comes_before_the_apis(rendered: Rendered, env: str) -> None:
    templates = in_order(rendered, env)
    first, second = (
        templates[name]["Resources"]["HTTPListenerRule"]["Properties"]["Priority"]
        for name in ("websocket", "api")
    )
    assert first < second


@pytest.mark.parametrize("service", SERVICES)
def test_tasks_are_those_that_copilot_would_run(rendered: Rendered, service: str) -> None:
    plain = in_order(rendered, "prod")[service]["Resources"]
    theirs = rendered.service("prod", service)["Resources"]
    ours, copilots = (
        [
            container["Name"]
            for container in side["TaskDefinition"]["Properties"]["ContainerDefinitions"]
        ]
        for side in (plain, theirs)
    )
    assert ours == [service if name == {"Ref": "WorkloadName"} else name for name in copilots]
    parameters = rendered.parameters("prod", service)
    assert plain["TaskDefinition"]["Properties"]["Cpu"] == parameters["TaskCPU"]
    assert plain["TaskDefinition"]["Properties"]["Memory"] == parameters["TaskMemory"]
    policies = [one["PolicyName"] for one in plain["TaskRole"]["Properties"]["Policies"]]
    assert "AWSDistroOpenTelemetryPolicy" in policies
    assert plain["TaskRole"]["Properties"]["ManagedPolicyArns"] == [
        {"Fn::ImportValue": f"agenticai-prod-{service}-AccessPolicy"}
    ]


def test_the_emulator_creates_the_shared_resources(rendered: Rendered, emulator: str) -> None:
    env = f"t{uuid.uuid4().hex[:8]}"
    template = json.loads(
        json.dumps(in_order(rendered, "test")["addons"]).replace("-test-", f"-{env}-")
    )
    template["Resources"] = {
        name: one
        for name, one in template["Resources"].items()
        if not one["Type"].startswith(NOT_EMULATED)
    }
    cloudformation = boto3.client("cloudformation", endpoint_url=emulator)
    name = stack_name(env, "addons")
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template))
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
    assert outputs["TableName"] == f"agenticai-{env}-data"
    assert outputs["BucketName"].startswith(f"agenticai-{env}-code-")
    for agent in ("pm", "dev", "qa", "ops"):
        queue = outputs[f"{agent.capitalize()}QueueUrl"]
        assert queue.endswith(f"/agenticai-{env}-{agent}-queue")


def test_the_readme_deploys_everything_in_order(rendered: Rendered, written: Path) -> None:
    text = (written / "README.md").read_text()
    deployed = re.findall(r"deploy --stack-name (\S+) --template-file (\S+)", text)
    assert deployed == [
        (stack_name(env, name), f"{env}/{name}.yml")
        for env in ENVIRONMENTS
        for name in in_order(rendered, env)
    ]
    assert all((written / path).is_file() for _, path in deployed)
    for service in SERVICES:
        assert f'ContainerImage="$REGISTRY/agenticai-{service}:$TAG"' in text
