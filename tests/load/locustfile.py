"""What users do with the REST API. `run.py` starts it; `API_KEY` holds their key."""

import os
import random
from typing import Any

import gevent
from locust import FastHttpUser, constant_pacing, constant_throughput, task

BODY = {"name": "Load", "type": "api", "description": "Rooms have a name and a size."}


class _Caller(FastHttpUser):
    abstract = True
    spread = 0.0  # s within which each begins, at a moment of its own
    network_timeout = connection_timeout = 10.0

    def on_start(self) -> None:
        self.headers = {"X-API-Key": os.environ["API_KEY"]}
        self.project = os.environ["PROJECT_ID"]
        gevent.sleep(random.uniform(0, self.spread))

    def get(self, path: str, name: str) -> None:
        self.client.get(path, name=f"GET {name}", headers=self.headers)


class Steady(_Caller):
    """One request a second: mostly reading, now and then a new project."""

    spread = 1.0
    wait_time = constant_throughput(1)

    @task(6)
    def show(self) -> None:
        self.get(f"/api/projects/{self.project}", "/api/projects/{id}")

    @task(4)
    def events(self) -> None:
        self.get(f"/api/projects/{self.project}/events", "/api/projects/{id}/events")

    @task(3)
    def list(self) -> None:
        self.get("/api/projects", "/api/projects")

    @task(3)
    def files(self) -> None:
        self.get(f"/api/projects/{self.project}/files", "/api/projects/{id}/files")

    @task(1)
    def update(self) -> None:
        self._send("PUT", f"/api/projects/{self.project}", {"description": "Rooms have a name."})

    @task(1)
    def create(self) -> None:
        self._send("POST", "/api/projects", BODY)

    def _send(self, method: str, path: str, body: dict[str, Any]) -> None:
        name = f"{method} {path.replace(self.project, '{id}')}"
        self.client.request(method, path, name=name, json=body, headers=self.headers)


class _Once(_Caller):
    """One request."""

    abstract = True
    wait_time = constant_pacing(3600)

    @task
    def show(self) -> None:
        self.get(f"/api/projects/{self.project}", "/api/projects/{id}")


class Burst(_Once):
    """At any moment of ten seconds, less the time for the answer to come."""

    spread = 9.0


class AtOnce(_Once):
    """At the same moment as everybody else's."""
