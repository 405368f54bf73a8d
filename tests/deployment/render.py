"""``python -m tests.deployment.render FOLDER``: what Copilot makes of copilot/, without AWS.

A process of its own, because moto's proxy changes the process that it runs in. Writes
``<environment>/…`` below FOLDER, under Copilot's own file names.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cfn_flip import load_yaml
from tests.deployment.offline_aws import ACCOUNT, REGION, Connect, offline_aws
from tests.deployment.rendered import APP, ENVIRONMENTS, ROOT, SERVICES, copy_workspace

_COPILOT = Path(sys.executable).with_name("copilot")


def render(source: Path, out: Path, domain: str = "", envs: Sequence[str] = ENVIRONMENTS) -> None:
    """Package everything of ``source`` into ``out``. Raises RuntimeError with what Copilot said.

    ``domain``: that of the application, as if it had been given to `copilot app init`.
    """
    with tempfile.TemporaryDirectory() as folder:
        workspace = copy_workspace(Path(folder) / "workspace", source)
        with application(Path(folder), workspace, out, domain, envs) as (environment, _):
            for env in envs:
                for service in SERVICES:
                    _package(environment, workspace, out / env, "svc", service, env)


@contextmanager
def application(
    home: Path,
    workspace: Path | None = None,
    out: Path | None = None,
    domain: str = "",
    envs: Sequence[str] = ENVIRONMENTS,
) -> Iterator[tuple[dict[str, str], Connect]]:
    """An AWS in which the application and its environments are, for processes to package in.

    The environments' own templates go to ``out``.
    """
    workspace, out = workspace or ROOT, out or home / "environments"
    with offline_aws(home) as (environment, connect):
        _create_application(connect, domain)
        for env in envs:
            _package(environment, workspace, out / env, "env", env)
            _deploy_environment(connect, env, out / env)
        yield environment, connect


def copilot(environment: dict[str, str], workspace: Path, arguments: list[str]) -> None:
    """Run Copilot. Raises RuntimeError with what it said."""
    done = subprocess.run(
        [_COPILOT, *arguments],
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


def _package(
    environment: dict[str, str], workspace: Path, out: Path, kind: str, name: str, env: str = ""
) -> None:
    where = ["--env", env, "--tag", "latest"] if env else []
    arguments = [kind, "package", "--name", name, *where, "--output-dir", str(out)]
    copilot(environment, workspace, arguments)


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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("source", type=Path, nargs="?", default=ROOT)
    parser.add_argument("domain", nargs="?", default="")
    parser.add_argument("envs", nargs="*")
    given = parser.parse_args()
    render(given.source, given.folder, given.domain, given.envs or ENVIRONMENTS)
