"""``python -m tests.deployment.render FOLDER``: what Copilot makes of copilot/, without AWS.

A process of its own, because moto's proxy changes the process that it runs in. Writes
``<environment>/…`` below FOLDER, under Copilot's own file names.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from cfn_flip import load_yaml
from tests.deployment.offline_aws import ACCOUNT, REGION, Connect, offline_aws
from tests.deployment.rendered import APP, ENVIRONMENTS, SERVICES

_ROOT = Path(__file__).resolve().parents[2]
_COPILOT = Path(sys.executable).with_name("copilot")


def render(source: Path, out: Path, domain: str = "") -> None:
    """Package everything of ``source`` into ``out``. Raises RuntimeError with what Copilot said.

    ``domain``: that of the application, as if it had been given to `copilot app init`.
    """
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder) / "workspace"
        for name in ("copilot", "docker"):
            shutil.copytree(source / name, workspace / name)
        with offline_aws(Path(folder)) as (environment, connect):
            _create_application(connect, domain)
            for env in ENVIRONMENTS:
                _package(environment, connect, workspace, env, out / env)


def _package(
    environment: dict[str, str], connect: Connect, workspace: Path, env: str, out: Path
) -> None:
    def copilot(*arguments: str) -> None:
        done = subprocess.run(
            [_COPILOT, *arguments, "--output-dir", str(out)],
            cwd=workspace,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"copilot {' '.join(arguments)}\n{done.stderr or done.stdout}")

    copilot("env", "package", "--name", env)
    _deploy_environment(connect, env, out)
    for service in SERVICES:
        copilot("svc", "package", "--name", service, "--env", env, "--tag", "latest")


def _create_application(connect: Connect, domain: str) -> None:
    """What `copilot app init` and `copilot env init` leave behind, as far as packaging reads it."""
    put = connect("ssm").put_parameter
    stacks = connect("cloudformation")
    about: dict[str, Any] = {"name": APP, "account": ACCOUNT, "version": "1.0"}
    about |= {"domain": domain, "domainHostedZoneID": "Z0000000000000" if domain else ""}
    put(Name=f"/copilot/applications/{APP}", Type="String", Value=json.dumps(about))
    stacks.create_stack_set(
        StackSetName=f"{APP}-infrastructure",
        TemplateBody=_stack(
            Outputs={
                "KMSKeyARN": {"Value": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/offline"},
                "PipelineBucket": {"Value": f"{APP}-artifacts"},
            }
        ),
    )
    stacks.create_stack_instances(
        StackSetName=f"{APP}-infrastructure", Accounts=[ACCOUNT], Regions=[REGION]
    )
    for env in ENVIRONMENTS:
        role = f"arn:aws:iam::{ACCOUNT}:role/{APP}-{env}"
        about = {
            "app": APP,
            "name": env,
            "region": REGION,
            "accountID": ACCOUNT,
            "registryURL": "",
            "executionRoleARN": f"{role}-CFNExecutionRole",
            "managerRoleARN": f"{role}-EnvManagerRole",
        }
        put(
            Name=f"/copilot/applications/{APP}/environments/{env}",
            Type="String",
            Value=json.dumps(about),
        )
        stacks.create_stack(
            StackName=f"{APP}-{env}", TemplateBody=_stack(Metadata={"Version": "bootstrap"})
        )


def _deploy_environment(connect: Connect, env: str, out: Path) -> None:
    """Services are packaged against the stack of their environment."""
    template = load_yaml((out / f"{env}.env.yml").read_text())
    parameters = json.loads((out / f"{env}.env.params.json").read_text())["Parameters"]
    connect("cloudformation").update_stack(
        StackName=f"{APP}-{env}",
        TemplateBody=_stack(
            Metadata=template["Metadata"],
            Parameters={name: {"Type": "String"} for name in parameters},
        ),
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
    )


def _stack(**sections: Any) -> str:
    return json.dumps({"Resources": {}, **sections})


if __name__ == "__main__":
    render(_ROOT, Path(sys.argv[1]))
