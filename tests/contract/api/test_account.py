"""Who I am, what I used, what was done; tokens and tickets over REST."""

from typing import Any

import jwt
import pytest
from tests.contract.api.conftest import NEW_PROJECT, Api

from agenticai_core import audit, auth, usage
from agenticai_core.bootstrap import Services
from agenticai_core.models import Usage
from agenticai_core.store import keys
from agenticai_core.store.base import Update

CALL = Usage(input_tokens=100, output_tokens=20, cost_microusd=1_500_000)


def token_of(api: Api, **body: Any) -> dict[str, Any]:
    answer = api.post("/api/tokens", json=body)
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


def bearer(token: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {token['token']}"}


# ---- me -----------------------------------------------------------------------------------------


def test_me_tells_the_key_and_the_limits(api: Api, services: Services) -> None:
    key = auth.list_api_keys(services.store, "alice")[0]

    assert api.get("/api/me").json() == {
        "owner_id": "alice",
        "credential": {
            "type": "key",
            "key_id": key.id,
            "key_name": "test",
            "scopes": ["read", "write", "admin"],
            "expires_at": None,
        },
        "limits": {"requests_per_second": 100, "burst": 200, "requests_per_month": 100_000},
    }


def test_me_tells_the_token(api: Api, nobody: Api) -> None:
    token = token_of(api, scopes=["write"])

    told = nobody.get("/api/me", headers=bearer(token)).json()["credential"]

    assert (told["type"], told["scopes"]) == ("token", ["write"])
    assert told["expires_at"] == token["expires_at"]
    assert told["key_id"] == api.get("/api/me").json()["credential"]["key_id"]


# ---- tokens -------------------------------------------------------------------------------------


def test_a_token_opens_what_its_scopes_open(api: Api, nobody: Api) -> None:
    token = token_of(api, scopes=["read"])

    assert nobody.get("/api/projects", headers=bearer(token)).status_code == 200
    refused = nobody.post("/api/projects", json=NEW_PROJECT, headers=bearer(token))
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "NOT_ALLOWED")


def test_a_token_is_no_key_header(api: Api, nobody: Api) -> None:
    """It may be sent so as well: one function knows both."""
    token = token_of(api)

    assert nobody.get("/api/me", headers={"X-API-Key": token["token"]}).status_code == 200


def test_a_body_is_not_needed(api: Api) -> None:
    answer = api.post("/api/tokens")

    assert answer.status_code == 201
    assert answer.json()["scopes"] == ["read", "write", "admin"]
    claims = jwt.decode(answer.json()["token"], options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 900


@pytest.mark.parametrize(
    "body",
    [
        {"ttl_seconds": 59},
        {"ttl_seconds": 3601},
        {"ttl_seconds": "900"},
        {"scopes": []},
        {"scopes": ["root"]},
        {"owner_id": "bob"},
    ],
)
def test_a_bad_wish_is_refused(api: Api, body: dict[str, Any]) -> None:
    assert api.post("/api/tokens", json=body).status_code == 422


def test_a_key_hands_no_scope_to_a_token_that_it_lacks(nobody: Api, key_of: Any) -> None:
    headers = {"X-API-Key": key_of("alice", "read")}

    answer = nobody.post("/api/tokens", json={"scopes": ["write"]}, headers=headers)

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "NOT_ALLOWED")


def test_a_token_makes_neither_tokens_nor_keys(api: Api, nobody: Api) -> None:
    headers = bearer(token_of(api))
    own = api.get("/api/me").json()["credential"]["key_id"]

    answers = [
        nobody.post("/api/tokens", headers=headers),
        nobody.post("/api/keys", json={"name": "n"}, headers=headers),
        nobody.post(f"/api/keys/{own}/rotate", headers=headers),
    ]

    assert [answer.status_code for answer in answers] == [403] * 3
    assert {answer.json()["error"]["code"] for answer in answers} == {"API_KEY_REQUIRED"}
    assert len(api.get("/api/keys").json()["keys"]) == 1


def test_a_token_ends_at_once_with_its_key(api: Api, nobody: Api, services: Services) -> None:
    key, secret = auth.create_api_key(services.store, "alice", "old")
    answer = nobody.post("/api/tokens", headers={"X-API-Key": secret})
    headers = bearer(answer.json())
    assert nobody.get("/api/me", headers=headers).status_code == 200

    api.delete(f"/api/keys/{key.id}")

    assert nobody.get("/api/me", headers=headers).status_code == 401


# ---- tickets ------------------------------------------------------------------------------------


def test_a_ticket_is_what_the_caller_may(api: Api, nobody: Api, services: Services) -> None:
    token = token_of(api, scopes=["read"])

    answer = nobody.post("/api/ws-tickets", headers=bearer(token))

    assert answer.status_code == 201
    inside = auth.redeem_ticket(services, answer.json()["ticket"])
    assert (inside.owner_id, inside.scopes) == ("alice", ("read",))
    assert inside.expires_at == token["expires_at"]


def test_a_ticket_for_one_project(api: Api, services: Services, project_id: str) -> None:
    answer = api.post("/api/ws-tickets", json={"project_id": project_id})

    assert auth.redeem_ticket(services, answer.json()["ticket"]).project_id == project_id


def test_no_ticket_for_anothers_project(stranger: Api, project_id: str) -> None:
    for one in (project_id, "proj_none", "a b", ""):
        assert stranger.post("/api/ws-tickets", json={"project_id": one}).status_code == 404


def test_a_ticket_is_no_credential_here(api: Api, nobody: Api) -> None:
    ticket = api.post("/api/ws-tickets").json()["ticket"]

    for headers in ({"X-API-Key": ticket}, {"Authorization": f"Bearer {ticket}"}):
        assert nobody.get("/api/me", headers=headers).status_code == 401


# ---- usage --------------------------------------------------------------------------------------


def test_usage_is_told_by_month_and_project(api: Api, services: Services) -> None:
    write = services.store.write
    for project in ("proj_b", "proj_a", "proj_b"):
        write(usage.usage_write("alice", project, CALL, "2025-11"))
    write(usage.usage_write("alice", "proj_a", CALL, "2025-10"))
    write(usage.usage_write("bob", "proj_c", CALL, "2025-11"))
    write(Update(keys.usage("alice", "2025-11"), set={"month": "2025-11"}, add={"requests": 30}))

    told = api.get("/api/usage", params={"month": "2025-11"}).json()

    one = {"input_tokens": 100, "output_tokens": 20, "cost_usd": 1.5}
    two = {"input_tokens": 200, "output_tokens": 40, "cost_usd": 3.0}
    assert told == {
        "month": "2025-11",
        "requests": 30,
        "input_tokens": 300,
        "output_tokens": 60,
        "cost_usd": 4.5,
        "projects": [{"project_id": "proj_a"} | one, {"project_id": "proj_b"} | two],
    }


def test_usage_is_of_this_month_when_not_told(api: Api, services: Services) -> None:
    services.store.write(usage.usage_write("alice", "proj_a", CALL))

    told = api.get("/api/usage").json()

    assert (told["month"], told["input_tokens"]) == (usage.current_month(), 100)
    assert told["requests"] >= 1  # this one


@pytest.mark.parametrize("month", ["2025-13", "2025-1", "25-01", "2025-11-01", "", "٢٠٢٥-١١"])
def test_what_is_no_month_is_refused(api: Api, month: str) -> None:
    assert api.get("/api/usage", params={"month": month}).status_code == 422


def test_months_are_listed_newest_first(api: Api, services: Services) -> None:
    for month in ("2024-12", "2025-01", "2025-10", "2025-09"):
        for project in ("proj_a", "proj_b"):
            services.store.write(usage.usage_write("alice", project, CALL, month))
    services.store.write(usage.usage_write("bob", "proj_c", CALL, "2025-05"))

    months = api.get("/api/usage/months").json()["months"]

    assert months == [usage.current_month(), "2025-10", "2025-09", "2025-01", "2024-12"]


# ---- audit --------------------------------------------------------------------------------------


def test_the_audit_log_tells_who_did_what_newest_first(api: Api) -> None:
    me = api.get("/api/me").json()["credential"]["key_id"]
    made = api.post("/api/keys", json={"name": "reader", "scopes": ["read"]}).json()["key"]["id"]
    new = api.post(f"/api/keys/{made}/rotate").json()["key"]["id"]
    api.delete(f"/api/keys/{new}")

    entries = api.get("/api/audit").json()["entries"]

    assert [(one["action"], one["subject"], one["key_id"]) for one in entries] == [
        ("key_revoked", new, me),
        ("key_rotated", made, me),
        ("key_created", made, me),
        ("key_created", me, None),
    ]
    assert entries[1]["details"]["new_key_id"] == new
    assert entries[2]["details"] == {"name": "reader", "scopes": ["read"]}


def test_what_is_refused_or_repeated_is_not_in_it(api: Api) -> None:
    me = api.get("/api/me").json()["credential"]["key_id"]
    before = api.get("/api/audit").json()
    api.delete(f"/api/keys/{me}")
    api.delete("/api/keys/key_none")
    api.post("/api/tokens")
    assert api.get("/api/audit").json() == before

    for _ in range(3):
        api.post("/api/keys", json={"name": "n"}, headers={"Idempotency-Key": "a"})

    assert len(api.get("/api/audit").json()["entries"]) == len(before["entries"]) + 1


def test_pages_of_the_audit_log_have_everything_once(api: Api, services: Services) -> None:
    for number in range(7):
        entry = audit.new_entry("alice", "project_deleted", f"proj_{number}")
        services.store.write(audit.audit_write(entry))
    found, cursor = [], None
    while True:
        params = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = api.get("/api/audit", params=params).json()
        found += [entry["subject"] for entry in page["entries"]]
        if (cursor := page["next_cursor"]) is None:
            break

    assert found[:7] == [f"proj_{number}" for number in reversed(range(7))]
    assert len(found) == 8


def test_nobody_reads_anothers_audit_log(api: Api, stranger: Api) -> None:
    for _ in range(2):
        api.post("/api/keys", json={"name": "n"})
    cursor = api.get("/api/audit", params={"limit": 1}).json()["next_cursor"]

    assert len(stranger.get("/api/audit").json()["entries"]) == 1
    answer = stranger.get("/api/audit", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "INVALID_CURSOR")
