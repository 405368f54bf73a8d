"""Projects over REST: what a caller gets, and what is refused."""

import pytest

from agenticai_core.queues import MemoryQueue
from agenticai_core.rows import load

PROJECTS = "/api/projects"
BODY = {"name": "Bike workshop", "type": "api", "description": "Customers bring bikes."}


def test_a_project_is_created_stored_and_its_first_task_sent(api, services):
    answer = api.post(PROJECTS, json=BODY | {"token_budget": 5000, "approval": "required"})

    assert answer.status_code == 201
    project = answer.json()["project"]
    assert project["id"].startswith("proj_")
    assert {name: project[name] for name in BODY} == BODY
    assert (project["token_budget"], project["approval"]) == (5000, "required")
    assert answer.headers["Location"] == f"{PROJECTS}/{project['id']}"
    stored = load(services.store, project["id"]).project
    assert (stored.name, stored.owner_id) == ("Bike workshop", "alice")
    assert isinstance(services.queue, MemoryQueue)
    assert [(agent.value, pid) for agent, pid, _, _ in services.queue.sent] == [
        ("pm", project["id"])
    ]


def test_without_a_description_the_name_describes_it(api):
    project = api.post(PROJECTS, json={"name": "Test Project", "type": "api"}).json()["project"]

    assert project["description"] == "Test Project"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "   "}, "name"),
        ({"name": "n" * 101}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"name": 7}, "name"),
        ({"type": "desktop"}, "type"),
        ({"description": " \n "}, "description"),
        ({"description": "d" * 20_001}, "description"),
        ({"description": "nul \x00"}, "description"),
        ({"approval": "maybe"}, "approval"),
        ({"token_budget": 0}, "token_budget"),
        ({"token_budget": True}, "token_budget"),
        ({"token_budget": "9"}, "token_budget"),
        ({"owner_id": "bob"}, "owner_id"),
    ],
)
def test_a_bad_field_is_named(api, services, change, field):
    answer = api.post(PROJECTS, json=BODY | change)

    assert answer.status_code == 422
    details = answer.json()["error"]["details"]
    assert details["field"] == field
    assert [problem["field"] for problem in details["errors"]] == [field]
    assert services.queue.sent == []


def test_the_longest_description_is_taken(api):
    assert api.post(PROJECTS, json=BODY | {"description": "ü" * 20_000}).status_code == 201


def test_a_wrong_type_is_told_the_right_ones(api):
    error = api.post(PROJECTS, json=BODY | {"type": "desktop"}).json()["error"]

    assert error["code"] == "VALIDATION_ERROR"
    allowed = ["api", "web", "mobile", "data", "microservice"]
    assert error["details"]["allowed_values"] == allowed
    assert error["message"] == f"'type' must be one of {', '.join(allowed)}"


def test_every_bad_field_is_listed(api):
    details = api.post(PROJECTS, json={"type": "x", "colour": "red"}).json()["error"]["details"]

    assert {problem["field"]: problem["message"] for problem in details["errors"]} == {
        "name": "is required",
        "type": "must be one of api, web, mobile, data, microservice",
        "colour": "is not a known field",
    }


def test_a_project_is_shown_with_its_etag(api, project_id):
    answer = api.get(f"{PROJECTS}/{project_id}")

    assert answer.status_code == 200
    assert answer.json()["project"]["id"] == project_id
    assert answer.headers["ETag"] == '"1"'


def test_lists_are_paged_and_end(api):
    made = [
        api.post(PROJECTS, json=BODY | {"name": f"Number {n}"}).json()["project"]["id"]
        for n in range(5)
    ]
    seen, cursor = [], None
    for _ in range(3):
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = api.get(PROJECTS, params=query).json()
        seen += [project["id"] for project in page["projects"]]
        cursor = page["next_cursor"]

    assert seen == made[::-1]
    assert cursor is None


def test_lists_are_filtered_by_type_and_status(api, built_id):
    web = api.post(PROJECTS, json=BODY | {"type": "web"}).json()["project"]["id"]

    def ids(**query):
        return [project["id"] for project in api.get(PROJECTS, params=query).json()["projects"]]

    assert ids(type="web") == [web]
    assert ids(status="active") == [built_id]
    assert ids(type="web", status="active") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"status": "odd"}, "status"),
        ({"type": "odd"}, "type"),
    ],
)
def test_a_bad_query_is_named(api, query, field):
    answer = api.get(PROJECTS, params=query)

    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["field"] == field


@pytest.mark.parametrize("cursor", ["x", "%00", "eyJhIjoxfQ==", "ä"])
def test_a_made_up_cursor_is_refused(api, project_id, cursor):
    for path in (PROJECTS, f"{PROJECTS}/{project_id}/modifications"):
        answer = api.get(path, params={"cursor": cursor})

        assert answer.status_code == 422
        assert answer.json()["error"]["code"] == "INVALID_CURSOR"


def test_a_cursor_serves_its_owner_only(api, stranger):
    for _ in range(2):
        api.post(PROJECTS, json=BODY)
    cursor = api.get(PROJECTS, params={"limit": 1}).json()["next_cursor"]

    answer = stranger.get(PROJECTS, params={"cursor": cursor})

    assert answer.status_code == 422 or answer.json()["projects"] == []


def test_an_update_changes_what_is_given_and_nothing_else(api, project_id):
    answer = api.put(f"{PROJECTS}/{project_id}", json={"name": "South", "token_budget": 9})

    assert answer.status_code == 200
    project = answer.json()["project"]
    assert (project["name"], project["token_budget"]) == ("South", 9)
    assert (project["description"], project["approval"]) == (BODY["description"], "auto")
    assert answer.headers["ETag"] == '"2"'
    assert api.get(f"{PROJECTS}/{project_id}").json()["project"] == project


def test_null_lifts_the_token_budget(api, project_id):
    api.put(f"{PROJECTS}/{project_id}", json={"token_budget": 9})

    other = api.put(f"{PROJECTS}/{project_id}", json={"name": "South"}).json()["project"]
    lifted = api.put(f"{PROJECTS}/{project_id}", json={"token_budget": None})

    assert other["token_budget"] == 9
    assert lifted.status_code == 200
    assert lifted.json()["project"]["token_budget"] is None
    assert lifted.json()["project"]["name"] == "South"


@pytest.mark.parametrize("field", ["name", "description", "approval"])
def test_null_changes_nothing_and_is_refused(api, project_id, field):
    answer = api.put(f"{PROJECTS}/{project_id}", json={field: None})

    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["field"] == field


def test_the_type_is_no_field_of_an_update(api, project_id):
    answer = api.put(f"{PROJECTS}/{project_id}", json={"type": "web"})

    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["field"] == "type"


@pytest.mark.parametrize("tag", ['"1"', 'W/"1"', "*", None])
def test_an_update_on_the_stored_version_is_made(api, project_id, tag):
    headers = {"If-Match": tag} if tag else {}
    answer = api.put(f"{PROJECTS}/{project_id}", json={"name": "South"}, headers=headers)

    assert answer.status_code == 200


@pytest.mark.parametrize("tag", ['"0"', '"2"', '"abc"', "1", '"1", "2"', ""])
def test_an_update_on_any_other_version_is_refused(api, project_id, tag):
    answer = api.put(f"{PROJECTS}/{project_id}", json={"name": "South"}, headers={"If-Match": tag})

    assert answer.status_code == 412
    assert answer.json()["error"]["code"] == "PRECONDITION_FAILED"
    assert api.get(f"{PROJECTS}/{project_id}").json()["project"]["name"] == BODY["name"]


def test_of_two_updates_on_one_version_the_second_is_refused(api, project_id):
    tag = api.get(f"{PROJECTS}/{project_id}").headers["ETag"]

    codes = [
        api.put(
            f"{PROJECTS}/{project_id}", json={"name": name}, headers={"If-Match": tag}
        ).status_code
        for name in ("First", "Second")
    ]

    assert codes == [200, 412]
    assert api.get(f"{PROJECTS}/{project_id}").json()["project"]["name"] == "First"


def test_a_deleted_project_is_on_its_way_out(api, project_id):
    answer = api.delete(f"{PROJECTS}/{project_id}")

    assert answer.status_code == 200
    assert answer.json()["project"]["status"] == "deleting"
