"""Keys over REST: rotate, show again, end at once."""

import pytest
from tests.contract.api.conftest import Api

from agenticai_core import auth
from agenticai_core.bootstrap import Services
from agenticai_core.store import keys
from agenticai_core.store.base import Update

NAMED = {"Idempotency-Key": "4d3e4f1c-5b0a-4f7e-9d58-1c2b3a4d5e6f"}
READER = {"name": "reader", "scopes": ["read"]}


def create(api: Api, **body: object) -> dict[str, object]:
    answer = api.post("/api/keys", json=READER | body)
    assert answer.status_code == 201, answer.text
    made: dict[str, object] = answer.json()
    return made


def status_with(nobody: Api, secret: object) -> int:
    return nobody.get("/api/projects", headers={"X-API-Key": str(secret)}).status_code


def own_key_id(api: Api) -> str:
    identity: str = api.get("/api/me").json()["credential"]["key_id"]
    return identity


def test_a_rotated_key_and_its_successor_are_good_for_a_while(api: Api, nobody: Api) -> None:
    old = create(api)

    answer = api.post(f"/api/keys/{old['key']['id']}/rotate")  # type: ignore[index]

    assert answer.status_code == 201
    told = answer.json()
    assert told["key"]["name"] == "reader"
    assert told["key"]["scopes"] == ["read"]
    assert told["key"]["expires_at"] is None
    assert told["replaced"]["id"] == old["key"]["id"]  # type: ignore[index]
    assert told["replaced"]["expires_at"] > told["replaced"]["created_at"]
    assert [status_with(nobody, one["secret"]) for one in (old, told)] == [200, 200]
    listed = {key["id"]: key for key in api.get("/api/keys").json()["keys"]}
    assert listed[told["replaced"]["id"]]["expires_at"] == told["replaced"]["expires_at"]


def test_with_no_overlap_the_old_key_is_out_at_once(api: Api, nobody: Api) -> None:
    old = create(api)
    assert status_with(nobody, old["secret"]) == 200

    path = f"/api/keys/{old['key']['id']}/rotate"  # type: ignore[index]
    assert api.post(path, json={"overlap_seconds": 0}).status_code == 201

    assert status_with(nobody, old["secret"]) == 401
    again = api.post(path, json={"overlap_seconds": 0})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "WRONG_STATE")


@pytest.mark.parametrize("overlap", [-1, 7 * 24 * 3600 + 1, 1.5, "60", None, True])
def test_an_overlap_that_is_none_is_refused(api: Api, overlap: object) -> None:
    path = f"/api/keys/{own_key_id(api)}/rotate"

    answer = api.post(path, json={"overlap_seconds": overlap})

    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["field"] == "overlap_seconds"


def test_another_owners_key_is_not_rotated(api: Api, stranger: Api) -> None:
    assert stranger.post(f"/api/keys/{own_key_id(api)}/rotate").status_code == 404
    assert api.get("/api/me").json()["credential"]["expires_at"] is None


def test_the_same_request_shows_the_same_secret_and_makes_one_key(api: Api, nobody: Api) -> None:
    answers = [api.post("/api/keys", json=READER, headers=NAMED) for _ in range(2)]

    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["Idempotent-Replayed"] == "true"
    assert status_with(nobody, answers[0].json()["secret"]) == 200
    assert len(api.get("/api/keys").json()["keys"]) == 2


def test_a_rotation_that_comes_again_is_the_same(api: Api) -> None:
    path = f"/api/keys/{create(api)['key']['id']}/rotate"  # type: ignore[index]

    answers = [api.post(path, headers=NAMED) for _ in range(2)]

    assert answers[0].json() == answers[1].json()
    assert [answer.status_code for answer in answers] == [201, 201]
    other = api.post(path, json={"overlap_seconds": 5}, headers=NAMED)
    assert other.json()["error"]["code"] == "IDEMPOTENCY_KEY_REUSED"


def test_a_key_hands_on_no_scope_that_it_lacks(api: Api, nobody: Api, key_of: object) -> None:
    admin = create(api, scopes=["admin"])
    headers = {"X-API-Key": str(admin["secret"])}

    for scopes in (["read"], ["admin", "write"]):
        body = {"name": "more", "scopes": scopes}
        answer = nobody.post("/api/keys", json=body, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "NOT_ALLOWED")
    stronger = nobody.post(f"/api/keys/{own_key_id(api)}/rotate", headers=headers)
    assert stronger.status_code == 403
    assert len(api.get("/api/keys").json()["keys"]) == 2


def test_the_last_admin_key_stays(api: Api) -> None:
    answer = api.delete(f"/api/keys/{own_key_id(api)}")

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "LAST_ADMIN_KEY")
    assert "rotate" in answer.json()["error"]["hint"]
    assert api.get("/api/me").status_code == 200


def test_a_key_may_revoke_itself_when_another_stays(api: Api) -> None:
    create(api, scopes=["admin"])

    assert api.delete(f"/api/keys/{own_key_id(api)}").status_code == 200

    assert api.get("/api/me").status_code == 401


def test_an_expired_key_is_refused_with_a_reason(api: Api, nobody: Api, services: Services) -> None:
    key, secret = auth.create_api_key(services.store, "alice", "old")
    past = {"expires_at": "2020-01-01T00:00:00.000000Z"}
    services.store.write(Update(keys.api_key(key.hash), set=past))

    answer = nobody.get("/api/me", headers={"X-API-Key": secret})

    assert answer.status_code == 401
    assert "expired" in answer.json()["error"]["message"]


def test_no_answer_holds_a_hash(api: Api, services: Services) -> None:
    made = create(api)
    rotated = api.post(f"/api/keys/{made['key']['id']}/rotate")  # type: ignore[index]
    listed, told = api.get("/api/keys"), api.get("/api/audit")

    hashes = [key.hash for key in auth.list_api_keys(services.store, "alice")]
    shown = rotated.text + listed.text + told.text
    assert len(hashes) == 3
    assert not [one for one in hashes if one in shown]
    assert str(made["secret"]) not in shown
