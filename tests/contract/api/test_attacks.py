"""What an attacker with a key of their own tries: to bring down, slow down or confuse the service.

Who may see what is in test_access.py and test_authorisation.py.
"""

import asyncio
from typing import Any

import pytest
from tests.contract.api.conftest import promote

from agenticai_api.middleware.transport import HttpsOnly
from agenticai_core import documents

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
