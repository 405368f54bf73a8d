"""What an attacker with a key of their own tries: to bring down, slow down or confuse the service.

Who may see what is in test_access.py and test_authorisation.py.
"""

import asyncio
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Thread
from typing import Any

import jwt
import pytest
from tests.contract.api.conftest import NEW_PROJECT, Api
from tests.fakes.promoted import promote

from agenticai_api.main import create_app
from agenticai_api.middleware.transport import HttpsOnly
from agenticai_core import documents
from agenticai_core.holdings import Allowance
from agenticai_core.settings import Settings

NEW_TEMPLATE: dict[str, Any] = {
    "name": "Greeter",
    "description": "A program that greets.",
    "category": "cli",
    "type": "api",
}


# ---- bodies -------------------------------------------------------------------------------------


def nested(depth: int) -> bytes:
    return b"[" * depth


def test_a_deep_body_that_is_not_called_json_breaks_nothing(api, app, built_id):
    # The key of a request makes us read its body, whatever its type is said to be.
    named = {"Idempotency-Key": "deep", "Content-Type": "text/plain"}
    for path, methods in app.openapi()["paths"].items():
        if "post" not in methods:
            continue
        address = path.format(
            project_id=built_id, modification_id="mod_1", key_id="key_1", template_id="tmpl_1"
        )
        answer = api.post(address, content=nested(100_000), headers=named)
        assert answer.status_code < 500, (path, answer.text)


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x", "type": "api", "tags": ["!"] * 200_000},
        {"name": "x", "type": "api", "dependencies": ["!"] * 200_000},
        {"name": "x", "type": "api", "environment_vars": {f"!{n}": "" for n in range(60_000)}},
        {f"unknown{n}": 1 for n in range(50_000)},
    ],
    ids=["tags", "dependencies", "environment", "unknown"],
)
def test_many_mistakes_are_not_all_told(api, body):
    refused(api.post("/api/projects", json=body))


@pytest.mark.parametrize("field", ["files", "variables", "tech_stack", "tags"])
def test_many_mistakes_in_a_template_are_not_all_told(api, field):
    refused(api.post("/api/templates", json=NEW_TEMPLATE | {"files": []} | {field: [{}] * 250_000}))


def test_many_values_for_a_template_are_not_all_told(api):
    body = {
        "template_id": "x",
        "project_name": "x",
        "variables": {f"{n}": n for n in range(60_000)},
    }
    refused(api.post("/api/projects/from-template", json=body))


def refused(answer: Any) -> None:
    """In few words. What is too long is not looked into: that would take seconds."""
    assert answer.status_code == 422, answer.text[:300]
    assert len(answer.content) < 50_000
    told = answer.json()["error"]["details"]["errors"]
    assert len(told) <= 100
    if not any("not a known field" in problem["message"] for problem in told):
        assert any("at most" in problem["message"] for problem in told)


# ---- templates ----------------------------------------------------------------------------------


def nestings(depth: int) -> list[str]:
    return [
        "{{" + "(" * depth + "1" + ")" * depth + "}}",
        "{{" + "not " * depth + "1}}",
        "{% if 1 %}" * depth + "{% endif %}" * depth,
    ]


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_a_deep_template_is_stored_or_refused_at_every_depth(api, kind):
    def create(depth: int) -> int:
        file = {"path": "a.py", "content": nestings(depth)[kind]}
        return int(api.post("/api/templates", json=NEW_TEMPLATE | {"files": [file]}).status_code)

    stored, refused_at = 1, 8000
    while refused_at - stored > 1:
        depth = (stored + refused_at) // 2
        stored, refused_at = (depth, refused_at) if create(depth) == 201 else (stored, depth)

    assert {create(depth) for depth in range(stored - 12, stored + 12)} == {201, 422}


# ---- documents ----------------------------------------------------------------------------------


def test_documents_read_only_so_much_code(api, services, project_id, monkeypatch):
    read: list[int] = []

    def count(source: bytes) -> None:
        read.append(len(source))

    monkeypatch.setattr(documents, "read_outline", count)
    costly = b"x = f'" + b"{1}" * 20_000 + b"'\n"  # which Python's parser takes a second for
    tree = {f"module_{n:03}.py": costly + b"#%d\n" % n for n in range(100)}
    promote(services, project_id, tree | {"large.py": b"x = 1\n" * 15_000})

    assert api.get(f"/api/projects/{project_id}/docs").status_code == 200

    assert len(read) > 1
    assert sum(read) <= 512 * 1024
    assert max(read) <= 64 * 1024


# ---- targets ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target", [b"@evil.example/api", b".evil.example/", b":80@evil.example", b"http://evil.example"]
)
def test_a_redirect_to_https_never_leaves_the_host(target):
    # Servers hand such targets on as they came.
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "path": target.decode(),
        "raw_path": target,
        "query_string": b"",
        "headers": [(b"host", b"good.example")],
        "state": {"request_id": "req_1"},
    }
    asyncio.run(HttpsOnly(None)(scope, None, send))

    assert sent[0]["status"] == 403
    assert b"location" not in dict(sent[0]["headers"])


# ---- how much one may have ----------------------------------------------------------------------


@pytest.fixture
def small(key_of, services):
    """Owners may have two of each."""
    few = replace(services, allowance=Allowance(projects=2, templates=2, keys=3))
    return Api(create_app(few, Settings()), key_of("carol", "read", "write", "admin"))


FILES = {"files": [{"path": "a.py", "content": "print()"}]}


@pytest.mark.parametrize(
    ("route", "body", "kind"),
    [("projects", NEW_PROJECT, "project"), ("templates", NEW_TEMPLATE | FILES, "template")],
)
def test_an_owner_has_only_so_many(small, stranger, route, body, kind):
    def create(**headers: str) -> Any:
        return small.post(f"/api/{route}", json=body, headers=headers)

    first = create(**{"Idempotency-Key": "first"})
    assert [first.status_code, create().status_code] == [201, 201]
    full = create()

    assert (full.status_code, full.json()["error"]["code"]) == (409, "LIMIT_REACHED")
    assert create(**{"Idempotency-Key": "first"}).json() == first.json()  # has been made already
    assert stranger.post(f"/api/{route}", json=body).status_code == 201  # has room of their own
    identity = first.json()[kind]["id"]
    assert small.delete(f"/api/{route}/{identity}").status_code == 200
    small.delete(f"/api/{route}/{identity}")  # makes no second room
    assert [create().status_code, create().status_code] == [201, 409]


def test_requests_at_once_get_no_more_than_is_allowed(small):
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda _: small.post("/api/projects", json=NEW_PROJECT), range(8))
        assert Counter(answer.status_code for answer in answers) == {201: 2, 409: 6}


def test_an_owner_has_only_so_many_keys_however_they_are_made(small):
    def create() -> Any:
        return small.post("/api/keys", json={"name": "more", "scopes": ["read"]})

    def rotate(identity: str, overlap: int) -> int:
        path = f"/api/keys/{identity}/rotate"
        return int(small.post(path, json={"overlap_seconds": overlap}).status_code)

    identity = create().json()["key"]["id"]
    assert [create().status_code, create().status_code] == [201, 409]
    assert rotate(identity, 3600) == 409  # the old one would stay beside the new one
    assert rotate(identity, 0) == 201
    keys = small.get("/api/keys").json()["keys"]
    live = [key["id"] for key in keys if key["name"] == "more" and not key["expires_at"]]
    assert small.delete(f"/api/keys/{live[0]}").status_code == 200
    assert create().status_code == 201


def test_keys_that_ended_do_not_pile_up(small):
    made = [small.post("/api/keys", json={"name": "more", "scopes": ["read"]}) for _ in range(1)]
    while made[-1].status_code == 201:
        small.delete(f"/api/keys/{made[-1].json()['key']['id']}")
        made.append(small.post("/api/keys", json={"name": "more", "scopes": ["read"]}))
        assert len(made) <= 30
    assert made[-1].json()["error"]["details"] == {"limit": 30}


def test_a_template_fits_into_a_row(api):
    choices = [f"{n:02}" + "\U0001f600" * 60 for n in range(50)]
    variables = [{"name": f"v{n}", "choices": choices} for n in range(40)]
    body = json.dumps(NEW_TEMPLATE | FILES | {"variables": variables}, ensure_ascii=False)
    answer = api.post(
        "/api/templates", content=body.encode(), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422
    assert answer.json()["error"]["details"] == {"field": "variables"}


# ---- the same request, many times at once -------------------------------------------------------


def test_the_same_request_at_once_is_answered_by_what_it_has_changed(api, services, built_id):
    promote(services, built_id, {"other.py": b"x = 1\n"})
    path = f"/api/projects/{built_id}/rollback"

    def roll_back(key: str) -> Any:
        return api.post(path, json={"revision": 1}, headers={"Idempotency-Key": key})

    reads = services.store.get
    answers: list[Any] = []

    def overtake(key: Any) -> Any:
        """Between the look for an earlier answer and the look at the project."""
        found = reads(key)
        if key.pk.startswith("IDEMPOTENCY#") and not answers:
            answers.append(None)
            answers[0] = Thread(target=lambda: answers.append(roll_back("same")))
            answers[0].start()
            answers[0].join()
        return found

    services.store.get = overtake
    late = roll_back("same")

    assert answers[1].status_code == 201
    assert (late.status_code, late.json()) == (201, answers[1].json())
    assert late.headers["Idempotent-Replayed"] == "true"
    assert roll_back("another").status_code == 409


# ---- paths --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e/%2e%2e/x",
        "a%00.py",
        "a%0d%0aSet-Cookie:%20x",
        ".git/config",
        ".g%E2%80%8Cit/config",  # a zero-width character, which some file systems leave out
        "GIT~1/config",
        "photo%E2%80%AEgpj.exe",  # shown as "photoexe.jpg"
        "a%E2%80%A8b.py",  # a line separator
        "a%C2%85b.py",
        "x" * 5000,
    ],
)
def test_no_route_takes_a_path_that_misleads(api, built_id, path):
    root = f"/api/projects/{built_id}"
    answers = [
        api.put(f"{root}/files/{path}", content=b"x"),
        api.delete(f"{root}/files/{path}"),
        api.get(f"{root}/files/{path}"),
        api.get(f"{root}/revisions/1/files/{path}"),
        api.get(f"{root}/diff?from=0&to=1&path={path}"),
    ]
    # No route has a path with a line break in it.
    assert {answer.status_code for answer in answers} <= {404 if "%0a" in path else 422, 422}
    assert len(api.get(f"{root}/revisions").json()["revisions"]) == 1


# ---- secrets ------------------------------------------------------------------------------------


def test_a_key_in_an_address_is_not_logged(api, capsys):
    for path in (f"/api/{api.key}", f"/api/projects/{api.key}", f"/api/projects?cursor={api.key}"):
        assert api.get(path).status_code >= 400
    out = capsys.readouterr().out
    assert "agk_***" in out
    assert api.key not in out


def test_a_token_that_outlives_the_calendar_is_refused(app, services, api):
    secret = services.server_secret.value(services.secrets)
    token = api.post("/api/tokens").json()["token"]
    claims = jwt.decode(token, options={"verify_signature": False}) | {"exp": 10**18}
    answer = Api(app).get(
        "/api/me", headers={"Authorization": f"Bearer {jwt.encode(claims, secret, 'HS256')}"}
    )
    assert answer.status_code == 401
