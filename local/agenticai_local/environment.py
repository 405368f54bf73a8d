"""The environment of each process: what it needs, and nothing else of the user's."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from agenticai_core.models import Agent

_PASSED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "LOG_LEVEL")
# Only the workers talk to a model.
_MODEL = (
    "AGENTICAI_MODEL",
    "AGENTICAI_MODEL_TIMEOUT",
    "AGENTICAI_GEMINI_ENDPOINT",
    "GEMINI_API_KEY",
    "HTTPS_PROXY",
    "https_proxy",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
)
# Only Linux can keep a process from the network without help. On another system what is written
# runs as the user's own code would, with time and size limited.
_SANDBOX = {} if sys.platform == "linux" else {"AGENTICAI_SANDBOX_REQUIRE": "none"}
_LOOPBACK = "127.0.0.1,localhost"
# A laptop loses processes more often than a data centre and waits less for them.
_LOCAL = {
    "AGENTICAI_LEASE_SECONDS": "20",
    "AGENTICAI_HEARTBEAT_SECONDS": "5",
    "AGENTICAI_SWEEP_SECONDS": "3",
    "AGENTICAI_SQS_WAIT_SECONDS": "1",
    "AGENTICAI_DRAIN_SECONDS": "10",
    "AGENTICAI_WEBSOCKET_DRAIN_SECONDS": "1",
}


def base_environment(user: Mapping[str, str] = os.environ) -> dict[str, str]:
    """For every process. The user's own AWS account cannot be reached by accident."""
    return {
        **{name: user[name] for name in _PASSED if name in user},
        "PYTHONUNBUFFERED": "1",
        "NO_PROXY": _LOOPBACK,
        "no_proxy": _LOOPBACK,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def service_environment(
    variables: Mapping[str, str], api_port: int, websocket_port: int
) -> dict[str, str]:
    """For the API, the gateway and the workers; ``variables`` name the resources."""
    origins = ", ".join(f'"http://{host}:{api_port}"' for host in ("127.0.0.1", "localhost"))
    return {
        **base_environment(),
        **_LOCAL,
        **variables,
        "AGENTICAI_API_PORT": str(api_port),
        "AGENTICAI_WEBSOCKET_PORT": str(websocket_port),
        "AGENTICAI_ALLOWED_ORIGINS": f"[{origins}]",
    }


def worker_environment(
    services: Mapping[str, str],
    agent: Agent,
    sandbox_python: Path,
    run_folder: Path,
    user: Mapping[str, str] = os.environ,
) -> dict[str, str]:
    """A worker's: also the model and its key, and the interpreter of the curated environment."""
    return {
        **services,
        **{name: user[name] for name in _MODEL if name in user},
        **_SANDBOX,
        "AGENTICAI_SANDBOX_PYTHON": str(sandbox_python),
        "AGENTICAI_HEALTH_FILE": str(health_file(run_folder, agent)),
    }


def health_file(run_folder: Path, agent: Agent) -> Path:
    """Touched by the agent's worker whenever it has polled its queue."""
    return run_folder / f"{agent.value}.health"
