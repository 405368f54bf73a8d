"""Who may do what: keys, scopes, and other owners' projects."""

import pytest

from agenticai_core import auth

# Every route that takes a key: method, path, body, scope.
PROJECT_ROUTES = [
    ("GET", "/api/projects/{id}", None, "read"),
    ("PUT", "/api/projects/{id}", {"name": "Mine now"}, "write"),
    ("DELETE", "/api/projects/{id}", None, "write"),
    ("POST", "/api/projects/{id}/modify", {"request": "Add tests"}, "write"),
    ("GET", "/api/projects/{id}/modifications", None, "read"),
    ("GET", "/api/projects/{id}/modifications/mod_1", None, "read"),
    ("POST", "/api/projects/{id}/approve", None, "write"),
    ("POST", "/api/projects/{id}/reject", {}, "write"),
    ("POST", "/api/projects/{id}/cancel", None, "write"),
    ("GET", "/api/projects/{id}/files", None, "read"),
    ("GET", "/api/projects/{id}/files/main.py", None, "read"),
    ("GET", "/api/projects/{id}/archive", None, "read"),
    ("GET", "/api/projects/{id}/events", None, "read"),
    ("GET", "/api/projects/{id}/docs", None, "read"),
]
OTHER_ROUTES = [
    ("GET", "/api/projects", None, "read"),
    ("POST", "/api/projects", {"name": "One", "type": "api"}, "write"),
    ("GET", "/api/keys", None, "admin"),
    ("POST", "/api/keys", {"name": "one"}, "admin"),
    ("DELETE", "/api/keys/key_1", None, "admin"),
]
ROUTES = PROJECT_ROUTES + OTHER_ROUTES
OPEN = {"/health", "/health/ready"}


def test_the_table_above_names_every_route(app):
    described = {
        (method.upper(), path)
        for path, methods in app.openapi()["paths"].items()
        for method in methods
        if path not in OPEN
    }

    def template(path):
        for given, name in (("{id}", "{project_id}"), ("mod_1", "{modification_id}")):
            path = path.replace(given, name)
        return path.replace("main.py", "{path}").replace("key_1", "{key_id}")

    assert {(method, template(path)) for method, path, _, _ in ROUTES} == described


@pytest.mark.parametrize(("method", "path", "body", "_"), PROJECT_ROUTES)
def test_another_owners_project_is_not_there(api, stranger, built_id, method, path, body, _):
    before = api.get(f"/api/projects/{built_id}").json()

    answer = stranger.request(method, path.replace("{id}", built_id), json=body)

    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "NOT_FOUND"
    assert api.get(f"/api/projects/{built_id}").json() == before


@pytest.mark.parametrize(("method", "path", "body", "_"), PROJECT_ROUTES)
def test_it_looks_the_same_as_one_that_never_was(stranger, built_id, method, path, body, _):
    def message(identity):
        answer = stranger.request(method, path.replace("{id}", identity), json=body)
        return answer.json()["error"]["message"].replace(identity, "…")

    assert message(built_id) == message("proj_" + "0" * 26)


@pytest.mark.parametrize("identity", ["a%23b", "x" * 65, "a%2Fb", "%00", "a b", "ü"])
def test_what_is_no_id_is_not_found(api, identity):
    assert api.get(f"/api/projects/{identity}").status_code == 404
    assert api.delete(f"/api/keys/{identity}").status_code == 404


def test_lists_hold_the_callers_own_only(api, stranger, built_id):
    assert stranger.get("/api/projects").json()["projects"] == []
    assert len(stranger.get("/api/keys").json()["keys"]) == 1


@pytest.mark.parametrize(("method", "path", "body", "_"), ROUTES)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": "agk_wrong"},
        {"X-API-Key": ""},
        {"Authorization": "Bearer agk_wrong"},
        {"Authorization": "Basic YWxpY2U6cHc="},
    ],
)
def test_no_route_answers_without_a_good_key(nobody, method, path, body, headers, _):
    answer = nobody.request(method, path.replace("{id}", "proj_1"), json=body, headers=headers)

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "NOT_AUTHENTICATED"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


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


@pytest.mark.parametrize(("method", "path", "body", "needed"), ROUTES)
def test_a_key_without_the_scope_is_refused(nobody, key_of, method, path, body, needed):
    others = [scope for scope in ("read", "write", "admin") if scope != needed]
    headers = {"X-API-Key": key_of("alice", *others)}

    answer = nobody.request(method, path.replace("{id}", "proj_1"), json=body, headers=headers)

    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "NOT_ALLOWED"
    assert answer.json()["error"]["details"]["required_scope"] == needed


@pytest.mark.parametrize(("method", "path", "body", "needed"), ROUTES)
def test_a_key_with_just_the_scope_gets_through(nobody, key_of, method, path, body, needed):
    headers = {"X-API-Key": key_of("alice", needed)}

    answer = nobody.request(method, path.replace("{id}", "proj_1"), json=body, headers=headers)

    assert answer.status_code not in (401, 403)


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
