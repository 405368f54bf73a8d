"""Everything that can be asked of the system, once: each route, socket and background task."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import httpx
from tests.deployment.iam import calls
from tests.deployment.iam.proxy import RecordingProxy
from tests.deployment.iam.routes import asking_all_routes
from tests.fakes import notes
from tests.fakes.gemini import FakeGemini, Hold
from tests.fakes.house import SECOND_FILE, wait_for
from websockets.sync.client import ClientConnection, connect

from agenticai_client.errors import ApiError
from agenticai_client.sdk import Client
from agenticai_local.stack import LocalStack

Json = dict[str, Any]
CREDENTIALS = {
    "aws_access_key_id": "local",
    "aws_secret_access_key": "local",
    "region_name": calls.REGION,
}
NOTES = ("Notes", "api", notes.DESCRIPTION)
TEMPLATE: Json = {
    "name": "Greeter",
    "description": "A program that greets.",
    "category": "cli",
    "type": "api",
    "files": [
        {"path": "greeter.py", "content": 'def greet():\n    return "hello"\n'},
        {
            "path": "test_greeter.py",
            "content": "import greeter\n\n\ndef test_it():\n    assert greeter.greet()\n",
        },
    ],
}


class Flow:
    """``stack`` runs with a fake model; ``proxy`` is what the API reaches AWS through."""

    def __init__(self, stack: LocalStack, fake: FakeGemini, proxy: RecordingProxy) -> None:
        self._stack, self._fake, self._proxy = stack, fake, proxy
        self._client = Client(stack.api_url, stack.api_key, websocket_url=stack.websocket_url)

    def run(self) -> None:
        """Raises `AssertionError` when something is not as it should be, or a route is left."""
        with self._client, asking_all_routes(self._stack.api_url):
            self._client.health()
            self._client.ready()
            self._make_server_secret()
            project = self._create()
            self._read(project)
            self._lose_a_worker()
            self._stop_a_worker()
            self._change(project)
            self._edit(project)
            self._sockets(project)
            self._decide()
            self._fail_and_retry()
            self._stop()
            self._templates()
            self._account()
            self._delete(project)
            self._delete_while_packing()

    # ---- a project's life -----------------------------------------------------------------------

    def _create(self) -> str:
        hold = self._hold("generate", SECOND_FILE)
        made = self._client.create_project(*NOTES, tags=["a"], token_budget=10**6)
        project = str(made["id"])
        assert hold.reached.wait(60)
        self._client.send_message(project, "Keep it short.")
        hold.released.set()
        self._follow(project, "active")
        for secret in ("correct horse", "battery staple"):
            changed = {"tags": ["b"], "environment_vars": {"SMTP_PASSWORD": secret}}
            self._client.update_project(project, **changed)
        return project

    def _lose_a_worker(self) -> None:
        """What it had begun is noticed, and sent to another one, which goes on with it."""
        self._interrupt(lambda: self._stack.kill("worker-dev"))

    def _stop_a_worker(self) -> None:
        """It hands back what it holds."""
        self._interrupt(lambda: self._stack.stop_process("worker-dev"))

    def _interrupt(self, end_worker: Callable[[], None]) -> None:
        hold = self._hold("generate", SECOND_FILE)
        project = str(self._client.create_project(*NOTES)["id"])
        assert hold.reached.wait(60)
        end_worker()
        hold.released.set()
        if "worker-dev" not in self._stack.processes:
            self._stack.start_process("worker-dev")
        self._follow(project, "active")
        self._client.delete_project(project)

    def _read(self, project: str) -> None:
        client = self._client
        assert [one["id"] for one in client.list_projects(limit=1)] == [project]
        assert list(client.list_projects(status="active", tag="b"))
        client.get_project(project)
        assert list(client.list_revisions(project))
        client.get_revision(project, 1)
        path = next(iter(client.revision_files(project, 1)))
        client.read_file(project, path, 1)
        client.files(project)
        client.read_file(project, path)
        client.archive(project)
        client.archive(project)
        client.docs(project, html=True)
        client.diff(project, 0, 1)
        client.events(project)

    def _change(self, project: str) -> None:
        asked = self._client.modify(project, notes.REQUEST)
        waiting = self._client.modify(project, notes.REQUEST)  # sent by the end of the first
        list(self._client.follow_modification(project, asked["id"]))
        changed = self._client.get_modification(project, asked["id"])
        assert changed["status"] == "applied", changed
        self._until(project, waiting["id"], "failed", "applied", "rejected")
        assert list(self._client.list_modifications(project))
        self._client.rollback(project, 1)

    def _edit(self, project: str) -> None:
        self._client.write_file(project, "large.txt", b"x" * (1024 * 1024))
        self._client.read_file(project, "large.txt")  # by a link to the bucket
        self._client.delete_file(project, "large.txt")

    def _decide(self) -> None:
        client = self._client
        project = self._waiting()
        client.reject(project, "Use fewer files.")
        self._until_waiting(project)
        client.approve(project)
        self._follow(project, "active")
        first = client.modify(project, notes.REQUEST)["id"]
        second = client.modify(project, notes.REQUEST)["id"]
        client.cancel_modification(project, second)
        self._until(project, first, "awaiting_approval")
        client.reject_modification(project, first)
        third = client.modify(project, notes.REQUEST)["id"]
        self._until(project, third, "awaiting_approval")
        client.approve_modification(project, third)
        self._until(project, third, "applied")
        client.delete_project(project)

    def _fail_and_retry(self) -> None:
        client = self._client
        project = str(client.create_project(*NOTES, token_budget=1)["id"])
        self._follow(project, "failed")
        client.update_project(project, token_budget=None)
        client.retry(project)
        self._follow(project, "active")
        client.delete_project(project)

    def _stop(self) -> None:
        """Asked for twice under one name: of the second, nothing is kept, its secret neither."""
        once = {"approval": "required", "environment_vars": {"KEY": "x"}, "idempotency_key": "k2"}
        project, again = (self._client.create_project(*NOTES, **once)["id"] for _ in range(2))
        assert project == again
        self._until_waiting(project)
        self._client.cancel(project)
        self._follow(project, "cancelled")

    def _delete(self, project: str) -> None:
        self._client.delete_project(project)
        wait_for(lambda: self._is_gone(project), what="the deletion")

    def _delete_while_packing(self) -> None:
        """The project goes while its archive is being stored: what was stored goes as well."""
        project = str(self._client.create_project(*NOTES)["id"])
        self._follow(project, "active")
        with ThreadPoolExecutor(1) as pool, self._proxy.holding("PUT", "/archives/") as held:
            packed = pool.submit(self._client.archive, project)
            assert held.reached.wait(30)
            self._delete(project)
            held.released.set()
            error = packed.exception(timeout=30)
        assert isinstance(error, ApiError)
        assert error.status == 404

    # ---- templates, keys, usage -----------------------------------------------------------------

    def _templates(self) -> None:
        client = self._client
        assert list(client.list_templates())
        mine = client.create_template(**TEMPLATE)["id"]
        client.get_template(mine)
        client.update_template(mine, **TEMPLATE | {"tags": ["small"]})
        made = client.create_from_template(mine, "Hello")
        self._follow(made["id"], "active")
        client.delete_template(mine)

    def _account(self) -> None:
        client = self._client
        client.me()
        client.usage()
        key = {"X-API-Key": self._stack.api_key}
        months = httpx.get(f"{self._stack.api_url}/api/usage/months", headers=key, trust_env=False)
        assert months.status_code == 200
        assert list(client.audit())
        made = client.create_key("other", ("read", "write", "admin"), idempotency_key="k1")
        again = client.create_key("other", ("read", "write", "admin"), idempotency_key="k1")
        assert made == again
        rotated = client.rotate_key(made["key"]["id"])
        assert client.list_keys()
        client.revoke_key(rotated["key"]["id"])
        with Client(self._stack.api_url, "agk_wrong") as stranger:
            assert _refused(stranger) == 401

    def _make_server_secret(self) -> None:
        """Whoever needs it first makes it: here the API once, and the gateway once."""
        self._client.create_token()
        ssm = boto3.client("ssm", endpoint_url=self._stack.endpoint_url, **CREDENTIALS)
        ssm.delete_parameter(Name="/agenticai/local/jwt-secret")
        with self._socket("proj_none", {"Authorization": "Bearer e30.e30.e30"}) as socket:
            assert _next(socket, "error")["code"] == "NOT_AUTHENTICATED"
        self._stack.stop_process("api")  # it remembers the one that is gone
        self._stack.start_process("api")

    # ---- sockets --------------------------------------------------------------------------------

    def _sockets(self, project: str) -> None:
        ticket = self._client.create_ticket(project)["ticket"]
        token = self._client.create_token()["token"]
        key = {"X-API-Key": self._stack.api_key}
        with self._socket(f"{project}&after=0&client_id=reader", key) as socket:
            seq = _next(socket, "project_active")["seq"]
            socket.send(json.dumps({"type": "ack", "project_id": project, "seq": seq}))
            _next(socket, "ping")  # comes after a look at the socket's key
        with self._socket(f"{project}&client_id=reader", key) as socket:
            assert _next(socket, "subscribed")["after"] >= seq
        with self._socket(project, {"Authorization": f"Bearer {token}"}) as socket:
            _next(socket, "subscribed")
        with self._socket(project, {}, f"agenticai.ticket.{ticket}") as socket:
            _next(socket, "subscribed")

    def _socket(self, query: str, headers: dict[str, str], *more: str) -> ClientConnection:
        url = f"{self._stack.websocket_url}?project_id={query}"
        protocols: Any = ["agenticai.v1", *more]
        return connect(url, additional_headers=headers, subprotocols=protocols)

    # ---- waiting --------------------------------------------------------------------------------

    def _hold(self, task: str, path: str) -> Hold:
        return self._fake.hold(lambda prompt: notes.asked_for(prompt) == (task, path))

    def _follow(self, project: str, status: str) -> None:
        list(self._client.follow_project(project))
        found = self._client.get_project(project)
        assert found["status"] == status, found

    def _waiting(self) -> str:
        project = str(self._client.create_project(*NOTES, approval="required")["id"])
        self._until_waiting(project)
        return project

    def _until_waiting(self, project: str) -> None:
        wait_for(lambda: self._client.get_project(project)["status"] == "awaiting_approval")

    def _until(self, project: str, modification: str, *statuses: str) -> None:
        get = self._client.get_modification
        wait_for(lambda: get(project, modification)["status"] in statuses, what=str(statuses))

    def _is_gone(self, project: str) -> bool:
        try:
            self._client.get_project(project)
        except ApiError as error:
            return error.status == 404
        return False


def _next(socket: ClientConnection, kind: str) -> Json:
    """The next frame of this type."""
    while True:
        frame: Json = json.loads(socket.recv(timeout=20))
        if frame["type"] == kind:
            return frame


def _refused(client: Client) -> int:
    try:
        client.me()
    except ApiError as error:
        return error.status
    raise AssertionError("it was let in")
