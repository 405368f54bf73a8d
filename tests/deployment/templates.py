"""``python -m tests.deployment.templates FOLDER``: what `make templates` writes."""

import argparse
import json
import shutil
import tempfile
from pathlib import Path

from cfn_flip import to_yaml
from tests.deployment import plain
from tests.deployment.rendered import APP, ENVIRONMENTS, SERVICES, Rendered, Template, render_apart

LARGEST = 51_200  # bytes that CloudFormation takes without a bucket


def write_templates(rendered: Rendered, folder: Path) -> None:
    """One folder for each environment, and a README.md with the order of deployment."""
    shutil.rmtree(folder, ignore_errors=True)
    for env in ENVIRONMENTS:
        (folder / env).mkdir(parents=True)
        for name, template in in_order(rendered, env).items():
            text = to_yaml(json.dumps(template))
            (folder / env / f"{name}.yml").write_text(text)
    (folder / "README.md").write_text(_readme(rendered))


def in_order(rendered: Rendered, env: str) -> dict[str, Template]:
    """Every template of an environment by the name of its file, as they are to be deployed."""
    templates = {
        "addons": plain.addons(rendered, env),
        "environment": plain.environment(rendered, env),
    }
    for service in SERVICES:
        templates[f"{service}-access"] = plain.access(rendered, env, service)
        templates[service] = plain.service(rendered, env, service)
    return templates


def stack_name(env: str, name: str) -> str:
    return f"{APP}-{env}" if name == "environment" else f"{APP}-{env}-{name}"


def _readme(rendered: Rendered) -> str:
    parts = [_HEAD]
    for env in ENVIRONMENTS:
        commands = [_command(env, name) for name in in_order(rendered, env)]
        parts.append(f"\n## {env}\n\n```sh\n" + "\n".join(commands) + "\n```\n")
    return "".join(parts)


def _command(env: str, name: str) -> str:
    command = (
        f"aws cloudformation deploy --stack-name {stack_name(env, name)}"
        f" --template-file {env}/{name}.yml --capabilities CAPABILITY_IAM"
        f" --tags copilot-application={APP} copilot-environment={env}"
    )
    image = f' --parameter-overrides ContainerImage="$REGISTRY/{APP}-{name}:$TAG"'
    return command + image if name in SERVICES else command


_HEAD = f"""# {APP} as plain CloudFormation

Made by `make templates` from what AWS Copilot renders; do not edit. These templates deploy the same
system without Copilot: they hold no function and no bucket of Copilot's, and everything that it
would find out at deployment is filled in.

Build and push the images first, for linux/arm64, to a registry that the account can read:

```sh
export REGISTRY=<account>.dkr.ecr.<region>.amazonaws.com TAG=<version>
for service in {" ".join(SERVICES)}; do
  image=$REGISTRY/{APP}-$service:$TAG
  docker build --platform linux/arm64 -f docker/$service.Dockerfile -t $image .
  docker push $image
done
```

Then deploy an environment from this folder, in this order; run again, the same commands update it.
Names of stacks matter: exports are derived from them.

HTTPS: give `environment` the parameter `Certificate` (an ARN of ACM), and `api` and `websocket` the
parameter `Listener=HTTPS`; point your domain to the load balancer.

Secrets that a task definition names have to be SecureString parameters with the tags
`copilot-application` and `copilot-environment`.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="what is in it is replaced")
    folder: Path = parser.parse_args().folder
    with tempfile.TemporaryDirectory() as temporary:
        write_templates(render_apart(Path(temporary)), folder)
    written = len(list(folder.glob("*/*.yml")))
    print(f"{written} templates are in {folder}, the order of deployment in its README.md")


if __name__ == "__main__":
    main()
