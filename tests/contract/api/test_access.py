"""Keys: what a good one opens, what is looked at first, and how one is made and revoked.

That every route refuses what it should is in `test_authorisation`.
"""

import pytest

from agenticai_core import auth


@pytest.mark.parametrize("identity", ["a%23b", "x" * 65, "a%2Fb", "%00", "a b", "ü"])
def test_what_is_no_id_is_not_found(api, identity):
    assert api.get(f"/api/projects/{identity}").status_code == 404
    assert api.delete(f"/api/keys/{identity}").status_code == 404


def test_lists_hold_the_callers_own_only(api, stranger, built_id):
    assert stranger.get("/api/projects").json()["projects"] == []
    assert len(stranger.get("/api/keys").json()["keys"]) == 1


def test_the_key_is_looked_at_before_the_request(nobody):
    answers = [
        nobody.post("/api/projects", json={"type": "odd"}),
        nobody.get("/api/projects", params={"limit": 0}),
        nobody.put("/api/projects/proj_1", json={}, headers={"If-Match": "odd"}),
    ]

    assert [answer.status_code for answer in answers] == [401, 401, 401]


def test_a_bearer_token_is_as_good_as_the_header(api, nobody):
    answer = nobody.get("/api/projects", headers={"Authorization": f"Bearer {api.key}"})

    assert answer.status_code == 200


def test_a_revoked_key_opens_nothing(api, nobody, services):
    key, secret = auth.create_api_key(services.store, "alice", "old")
    assert nobody.get("/api/projects", headers={"X-API-Key": secret}).status_code == 200

    assert api.delete(f"/api/keys/{key.id}").status_code == 200

    assert nobody.get("/api/projects", headers={"X-API-Key": secret}).status_code == 401


def test_a_created_key_works_and_only_its_answer_holds_the_secret(api, nobody):
    answer = api.post("/api/keys", json={"name": "build server", "scopes": ["read", "read"]})

    assert answer.status_code == 201
    secret, key = answer.json()["secret"], answer.json()["key"]
    assert (key["name"], key["scopes"], key["owner_id"]) == ("build server", ["read"], "alice")
    assert nobody.get("/api/projects", headers={"X-API-Key": secret}).status_code == 200
    listed = api.get("/api/keys")
    assert key["id"] in [one["id"] for one in listed.json()["keys"]]
    assert secret not in listed.text
    assert auth.hash_key(secret) not in listed.text + answer.text


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": "x", "scopes": []}, "scopes"),
        ({"name": "x", "scopes": ["root"]}, "scopes.0"),
        ({"name": "x", "owner_id": "bob"}, "owner_id"),
    ],
)
def test_a_bad_key_request_is_refused(api, body, field):
    answer = api.post("/api/keys", json=body)

    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["field"] == field


def test_another_owners_key_cannot_be_revoked(api, stranger):
    key_id = api.get("/api/keys").json()["keys"][0]["id"]

    assert stranger.delete(f"/api/keys/{key_id}").status_code == 404
    assert api.get("/api/keys").json()["keys"][0]["revoked_at"] is None
