"""Make the resources and an API key: ``python -m agenticai_local.bootstrap``.

A process of its own, so that the supervisor never has AWS variables in its environment. Reads one
JSON object ``{endpoint_url, app, env, api_key}`` from standard input and writes ``{variables,
api_key}`` to standard output; the key is the given one where the table knows it.
"""

import json
import os
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass

from agenticai_core import auth
from agenticai_core.bootstrap import Services, connect
from agenticai_core.errors import NotAuthenticated
from agenticai_core.settings import Settings
from agenticai_core.store.base import Store
from agenticai_local.environment import base_environment
from agenticai_local.errors import LocalError
from agenticai_local.resources import create_resources

_SECONDS = 60


@dataclass(frozen=True)
class Bootstrapped:
    variables: dict[str, str]  # what the services' settings are read from
    api_key: str


def run_bootstrap(endpoint_url: str, app: str, env: str, api_key: str | None) -> Bootstrapped:
    """Run this module in a clean environment. Raises `LocalError` with what it said."""
    request = {"endpoint_url": endpoint_url, "app": app, "env": env, "api_key": api_key}
    done = subprocess.run(
        [sys.executable, "-m", "agenticai_local.bootstrap"],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        env=base_environment(),
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or ["no message"]
        raise LocalError(
            f"The table, the bucket and the queues could not be made: {said[-1]}",
            hint="Start with an empty state: make up FRESH=1",
        )
    return Bootstrapped(**json.loads(done.stdout))


def prepare(endpoint_url: str, app: str, env: str, api_key: str | None) -> Bootstrapped:
    """Make them from this process, whose environment then names them."""
    variables = create_resources(endpoint_url, app, env)
    os.environ.update(variables)
    with redirect_stdout(sys.stderr):  # what is logged is not the answer
        services = connect(Settings())
        secret = _known(services, api_key) or _new_key(services.store)
    return Bootstrapped(variables, secret)


def main() -> None:
    print(json.dumps(asdict(prepare(**json.load(sys.stdin)))))


def _known(services: Services, secret: str | None) -> str | None:
    if secret is None:
        return None
    try:
        auth.authenticate(services, secret)
    except NotAuthenticated:
        return None
    return secret


def _new_key(store: Store) -> str:
    _, secret = auth.create_api_key(store, "local", "local", ("read", "write", "admin"))
    return secret


if __name__ == "__main__":
    main()
