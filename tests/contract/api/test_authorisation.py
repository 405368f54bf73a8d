"""Who may do what, over every operation that the OpenAPI document names.

Nothing here lists the routes: a new one is tested by being there. What it has to say is how an
id in its path is made (`OWNED`), and if it needs no key or another scope than its method tells.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import jwt
import pytest
from fastapi.routing import iter_route_contexts

from agenticai_api.main import create_app
from agenticai_core import auth
from agenticai_core.auth import tokens
from agenticai_core.bootstrap import Services
from agenticai_core.files.memory import MemoryFiles
from agenticai_core.queues import MemoryQueue
from agenticai_core.settings import Settings
from agenticai_core.store.memory import MemoryStore
from agenticai_core.templates import builtin

LONG_AGO = 1_700_000_000
NEED_NO_KEY = {"GET /health", "GET /health/ready"}
PAGES = {"/openapi.json", "/docs", "/docs/{name}"}  # not in the document
ADMIN = ("/api/keys", "/api/audit")
OTHER_SCOPE: dict[str, auth.Scope] = {"POST /api/ws-tickets": "read", "POST /api/tokens": "read"}
ANY_SCOPE = {"GET /api/me", "POST /api/tokens"}
# What they make has scopes, and nobody hands on what they do not have.
HAND_ON = {"POST /api/keys", "POST /api/keys/{key_id}/rotate"}
# What every owner may look at, whoever made it.
SHARED: set[str] = set()


@dataclass(frozen=True)
class Operation:
    """One method of one path, with a request that is right but for its credentials."""

    method: str
    path: str
    parameters: tuple[str, ...]  # of the path
    options: dict[str, Any]  # the body and the query, as httpx takes them

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def scope(self) -> auth.Scope:
        if self.name in OTHER_SCOPE:
            return OTHER_SCOPE[self.name]
        if self.path.startswith(ADMIN):
            return "admin"
        return "read" if self.method == "GET" else "write"


def read_operations(document: dict[str, Any]) -> list[Operation]:
    return [
        Operation(
            method.upper(),
            path,
            tuple(one["name"] for one in given.get("parameters", []) if one["in"] == "path"),
            {"params": query_of(given)} | body_of(document, given),
        )
        for path, methods in document["paths"].items()
        for method, given in methods.items()
    ]


def query_of(given: dict[str, Any]) -> dict[str, Any]:
    wanted = [
        one for one in given.get("parameters", []) if one["in"] == "query" and one.get("required")
    ]
    return {one["name"]: one["schema"]["examples"][0] for one in wanted}


def body_of(document: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """The first example that the document has of the body."""
    content = given.get("requestBody", {}).get("content", {})
    if not content:
        return {}
    if "application/json" not in content:
        return {"content": b"text", "headers": {"Content-Type": next(iter(content))}}
    schema = content["application/json"]["schema"]
    for choice in [schema, *schema.get("anyOf", [])]:
        name = choice.get("$ref", "").removeprefix("#/components/schemas/")
        if name:
            return {"json": document["components"]["schemas"][name].get("examples", [{}])[0]}
    return {"json": {}}


def plain_app() -> Any:
    services = Services(store=MemoryStore(), files=MemoryFiles(), queue=MemoryQueue())
    return create_app(services, Settings())


OPERATIONS = read_operations(plain_app().openapi())
GUARDED = [one for one in OPERATIONS if one.name not in NEED_NO_KEY]
CREATE_TEMPLATE = next(one for one in OPERATIONS if one.name == "POST /api/templates")
WITH_ID = [one for one in GUARDED if one.parameters and one.name not in SHARED]


def each(operations: list[Operation]) -> Any:
    return pytest.mark.parametrize("operation", operations, ids=lambda one: one.name)


@dataclass
class World:
    """What alice owns, and a way to ask for it with any headers."""

    api: Any
    nobody: Any
    services: Services
    project_id: str

    def ask(self, operation: Operation, headers: dict[str, str], path: str = "") -> httpx.Response:
        options = dict(operation.options)
        options["headers"] = options.get("headers", {}) | headers
        answer: httpx.Response = self.nobody.request(
            operation.method, path or self.address(operation), **options
        )
        return answer

    def address(self, operation: Operation) -> str:
        """The path with ids of what alice owns."""
        return operation.path.format(**{name: OWNED[name](self) for name in operation.parameters})

    def key_with(self, *scopes: auth.Scope, owner: str = "alice") -> dict[str, str]:
        return {"X-API-Key": auth.create_api_key(self.services.store, owner, "k", scopes)[1]}

    def revoked_key(self) -> dict[str, str]:
        scopes: tuple[auth.Scope, ...] = ("read", "write", "admin")
        key, secret = auth.create_api_key(self.services.store, "alice", "old", scopes)
        auth.revoke_api_key(self.services, "alice", key.id)
        return {"X-API-Key": secret}

    def forged_token(
        self, secret: bytes | None = None, algorithm: str = "HS256", **changes: Any
    ) -> dict[str, str]:
        """A token of alice's, with other claims; signed with our own secret if with no other."""
        key = self.key_with("read", "write", "admin")["X-API-Key"]
        good = tokens.exchange(self.services, auth.authenticate(self.services, key)).text
        claims = jwt.decode(good, options={"verify_signature": False}) | changes
        if secret is None:
            secret = tokens._secret(self.services)
        return {"Authorization": f"Bearer {jwt.encode(claims, secret or None, algorithm)}"}

    def token_of_a_revoked_key(self) -> dict[str, str]:
        key, secret = auth.create_api_key(self.services.store, "alice", "old", ("read", "write"))
        token = tokens.exchange(self.services, auth.authenticate(self.services, secret)).text
        auth.revoke_api_key(self.services, "alice", key.id)
        return {"Authorization": f"Bearer {token}"}

    def modification(self) -> str:
        body = {"request": "Add tests"}
        answer = self.api.post(f"/api/projects/{self.project_id}/modify", json=body)
        identity: str = answer.json()["modification"]["id"]
        return identity

    def template(self) -> str:
        new = CREATE_TEMPLATE.options["json"]
        identity: str = self.api.post("/api/templates", json=new).json()["template"]["id"]
        return identity

    def key(self) -> str:
        identity: str = self.api.get("/api/keys").json()["keys"][0]["id"]
        return identity


# How alice comes to own what a path's parameter names.
OWNED: dict[str, Callable[[World], str]] = {
    "project_id": lambda world: world.project_id,
    "modification_id": World.modification,
    "key_id": World.key,
    "template_id": World.template,
    "path": lambda _: "main.py",
    "number": lambda _: "1",
}
ABSENT = {"project_id": "proj_" + "0" * 26, "key_id": "key_" + "0" * 26}

# Credentials that open nothing.
REFUSED: dict[str, Callable[[World], dict[str, str]]] = {
    "no key": lambda _: {},
    "an empty key": lambda _: {"X-API-Key": ""},
    "an unknown key": lambda _: {"X-API-Key": "agk_" + "x" * 43},
    "an unknown bearer": lambda _: {"Authorization": "Bearer agk_" + "x" * 43},
    "a bearer that is no key": lambda _: {"Authorization": "Bearer wrong"},
    "a password": lambda _: {"Authorization": "Basic YWxpY2U6cHc="},
    "an expired token": lambda world: world.forged_token(exp=LONG_AGO),
    "a token for another audience": lambda world: world.forged_token(aud="agenticai/elsewhere"),
    "a token of another issuer": lambda world: world.forged_token(iss="somebody"),
    "a token signed with another secret": lambda world: world.forged_token(b"x" * 32),
    "a token signed in another way": lambda world: world.forged_token(algorithm="HS512"),
    "a token that is not signed": lambda world: world.forged_token(b"", "none"),
    "a token of a revoked key": World.token_of_a_revoked_key,
    "a revoked key": World.revoked_key,
    "a revoked bearer": lambda w: {"Authorization": f"Bearer {w.revoked_key()['X-API-Key']}"},
}


@pytest.fixture
def world(api, nobody, services, built_id) -> World:
    builtin.seed(services)
    return World(api, nobody, services, built_id)


def test_only_what_is_named_here_needs_no_key():
    named = NEED_NO_KEY | set(OTHER_SCOPE) | SHARED | ANY_SCOPE | HAND_ON
    assert {one.name for one in OPERATIONS} >= named


def test_every_route_is_in_the_document_or_a_known_page(app):
    described = {one.name for one in OPERATIONS}
    for route in iter_route_contexts(app.routes):
        names = {f"{method} {route.path_format}" for method in route.methods or ()}
        assert (names and names <= described) or route.path in PAGES, route


def test_the_document_says_what_needs_a_key(app):
    paths = app.openapi()["paths"]
    for one in OPERATIONS:
        needs_key = bool(paths[one.path][one.method.lower()].get("security"))
        assert needs_key == (one.name not in NEED_NO_KEY), one.name


@pytest.mark.parametrize("credentials", REFUSED.values(), ids=list(REFUSED))
@each(GUARDED)
def test_bad_credentials_open_nothing(world, operation, credentials):
    answer = world.ask(operation, credentials(world))

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "NOT_AUTHENTICATED"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_the_token_that_the_bad_ones_are_made_from_is_good(world):
    assert world.nobody.get("/api/projects", headers=world.forged_token()).status_code == 200


@each([one for one in GUARDED if one.name not in ANY_SCOPE])
def test_a_key_with_all_scopes_but_the_one_needed_is_refused(world, operation):
    others = [scope for scope in ("read", "write", "admin") if scope != operation.scope]

    answer = world.ask(operation, world.key_with(*others))

    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "NOT_ALLOWED"
    assert answer.json()["error"]["details"]["required_scope"] == operation.scope


@each(GUARDED)
def test_a_key_with_just_the_scope_needed_gets_through(world, operation):
    """And the request is one that gets somewhere, so that the refusals above mean something."""
    more: list[auth.Scope] = ["read", "write"] if operation.name in HAND_ON else []

    answer = world.ask(operation, world.key_with(operation.scope, *more))

    assert answer.status_code not in (401, 403, 404, 405, 422), answer.text
    assert answer.status_code < 500


@each(WITH_ID)
def test_what_another_owns_is_not_there(world, operation):
    address = world.address(operation)
    before = world.api.get(f"/api/projects/{world.project_id}").json()

    answer = world.ask(operation, world.key_with("read", "write", "admin", owner="bob"), address)

    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "NOT_FOUND"
    assert world.api.get(f"/api/projects/{world.project_id}").json() == before


@each([one for one in WITH_ID if set(one.parameters) & set(ABSENT)])
def test_it_looks_the_same_as_what_never_was(world, operation):
    bob = world.key_with("read", "write", "admin", owner="bob")
    owned = {name: OWNED[name](world) for name in operation.parameters}

    def error(ids):
        answer = world.ask(operation, bob, operation.path.format(**ids))
        told = answer.json()["error"]
        return answer.status_code, str(told).replace(ids[operation.parameters[0]], "…")

    assert error(owned) == error(owned | ABSENT)
