"""The Dockerfiles and compose.yaml as files: what they promise, and that the code agrees."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from agenticai_core.models import Agent
from agenticai_local import emulator
from agenticai_local.environment import service_environment
from agenticai_local.resources import CREDENTIALS, REGION

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "docker"
DOCKERFILES = sorted(DOCKER.glob("*.Dockerfile"))
LOCKS = ("api", "websocket", "worker", "core", "build")
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
EMULATOR = "http://emulator:4566"
PIN = re.compile(r"^([\w.-]+)(?:\[[\w,-]+\])?==([\w.!+-]+)", re.MULTILINE)


def pins(lock: str) -> set[tuple[str, str]]:
    return set(PIN.findall((ROOT / "requirements" / f"{lock}.lock").read_text()))


def compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
    return content


def test_every_service_has_a_dockerfile() -> None:
    names = {path.name.removesuffix(".Dockerfile") for path in DOCKERFILES}
    assert names == {"api", "websocket", "worker", "emulator", "setup"}


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_an_image_is_built_from_locks_and_runs_without_privileges(path: Path) -> None:
    text = path.read_text()
    lines = text.splitlines()
    last = (
        text[text.rindex("\nFROM ") :] if path.stem != "worker" else text[text.index("AS base") :]
    )
    bases = set(re.findall(r"^FROM (\S+)", text, re.MULTILINE))
    assert "ARG BASE_IMAGE=python:3.13-slim" in lines
    assert bases <= {"${BASE_IMAGE}", "base"}
    for install in re.findall(r"pip install [^\\\n]*", text):
        assert "--require-hashes" in install or "--no-deps --no-index" in install
    assert "\nUSER 10001:10001\n" in last
    assert "\nSTOPSIGNAL SIGTERM\n" in last
    assert "\nHEALTHCHECK " in last
    assert "pip install" not in last
    assert f"\nARG VERSION={VERSION}\n" in last
    for label in ("title", "description", "version", "licenses"):
        assert f"org.opencontainers.image.{label}=" in last
    assert not re.search(r"amd64|x86_64|arm64|aarch64|https?://(?!127)|# syntax", text)


@pytest.mark.parametrize("lock", LOCKS)
def test_what_is_shipped_is_what_was_tested(lock: str) -> None:
    assert pins(lock) <= pins("dev")
    text = (ROOT / "requirements" / f"{lock}.lock").read_text()
    assert text.count("==") <= text.count("--hash=")


def test_a_service_installs_no_more_than_its_own() -> None:
    def names(lock: str) -> set[str]:
        return {name for name, _ in pins(lock)}

    assert not {"celery", "google-generativeai", "ruff", "bandit"} & names("api")
    assert not {"celery", "google-generativeai", "fastapi"} & names("websocket")
    assert not {"fastapi", "uvicorn", "websockets"} & names("worker")
    assert not {"pytest", "moto", "typer"} & (names("api") | names("websocket") | names("worker"))
    assert names("core") <= names("api") & names("websocket") & names("worker")


def test_the_services_are_told_what_make_up_tells_them() -> None:
    queue_root = f"{EMULATOR}/{emulator.ACCOUNT}/agenticai-local"
    queues = {f"SQS_QUEUE_URL_{agent.name}": f"{queue_root}-{agent}-queue" for agent in Agent}
    resources = {
        **CREDENTIALS,
        **queues,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": EMULATOR,
        "AGENTICAI_APP": "agenticai",
        "AGENTICAI_ENV": "local",
        "DYNAMODB_TABLE_NAME": "agenticai-local-data",
        "S3_BUCKET_NAME": f"agenticai-local-code-{emulator.ACCOUNT}",
    }
    told = service_environment(resources, 8000, 8080)
    wanted = {
        k: v for k, v in told.items() if k.startswith(("AGENTICAI_", "SQS_", "DYNAMO", "S3_"))
    }
    del wanted["AGENTICAI_API_PORT"], wanted["AGENTICAI_WEBSOCKET_PORT"]  # 8000, 8080 inside
    given = compose()["x-environment"]
    origins = given["AGENTICAI_ALLOWED_ORIGINS"].replace("${AGENTICAI_API_PORT:-8000}", "8000")
    assert {**given, "AGENTICAI_ALLOWED_ORIGINS": origins.strip()}.items() >= wanted.items()
    assert given.items() >= CREDENTIALS.items()


def test_the_emulator_is_started_as_make_up_starts_it() -> None:
    text = (DOCKER / "emulator.Dockerfile").read_text()
    block = text[text.index("ENV PYTHONDONTWRITEBYTECODE") : text.index("\nUSER")]
    given = (
        dict(re.findall(r"(\w+)=(\S+)", block)) | compose()["services"]["emulator"]["environment"]
    )
    wanted = emulator.emulator_spec(ROOT, Path("/state"), 4566).env
    differs = {"BIND_HOST": "0.0.0.0", "MINISTACK_HOST": "emulator"}
    image = {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}
    expected = {k: v for k, v in {**wanted, **differs}.items() if k not in image}
    assert {k: v for k, v in given.items() if k not in image} == expected


def test_nothing_listens_beyond_this_machine_and_nothing_secret_is_written_down() -> None:
    services = compose()["services"]
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert len(ports) == 3
    assert all(port.startswith("127.0.0.1:") for port in ports)
    worker = services["worker-qa"]["environment"]
    assert worker["GEMINI_API_KEY"] is None
    example = (DOCKER / ".env.example").read_text().splitlines()
    assert not [line for line in example if line and not line.startswith("#")]
    assert "docker/.env" in (ROOT / ".gitignore").read_text().splitlines()


def test_only_workers_are_given_the_models_key() -> None:
    for name, service in compose()["services"].items():
        assert ("GEMINI_API_KEY" in service.get("environment", {})) == name.startswith("worker-")


def test_services_start_after_their_resources_are_there() -> None:
    for name, service in compose()["services"].items():
        needs = service.get("depends_on", {})
        if name not in ("emulator", "setup"):
            assert needs["setup"]["condition"] == "service_completed_successfully"
            assert service["restart"] == "unless-stopped"
        if name != "emulator":
            assert needs["emulator"]["condition"] == "service_healthy"
