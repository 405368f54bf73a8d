"""The SDK over real HTTP: bodies, pages, errors, and what is tried again."""

import httpx
import pytest
from starlette.responses import Response

from agenticai_client.errors import ApiError, ConnectionFailed
from agenticai_client.sdk import Client


def test_create_sends_what_was_given_and_the_key(system):
    with system.client() as client:
        project = client.create_project("Salon", "api", "Dogs", approval="required")
    request = system.seen[0]
    assert project["id"] in system.projects
    assert request.body == {
        "name": "Salon",
        "type": "api",
        "description": "Dogs",
        "approval": "required",
    }
    assert request.headers["x-api-key"] == "agk_test"
    assert request.headers["user-agent"].startswith("agenticai/")


def test_lists_read_page_after_page_newest_first(system):
    made = [system.add_project(f"p{n}")["id"] for n in range(7)]
    system.pages = 3
    with system.client() as client:
        assert [project["id"] for project in client.list_projects()] == made[::-1]
        system.seen.clear()
        assert len(list(client.list_projects(limit=4))) == 4
    assert [request.query["limit"] for request in system.seen] == ["4", "1"]


def test_lists_pass_filters_on(system):
    system.add_project(status="failed")
    system.add_project(status="active")
    with system.client() as client:
        found = list(client.list_projects(status="failed", type="api"))
    assert [project["status"] for project in found] == ["failed"]


def test_the_other_calls_reach_their_routes(system):
    project_id = system.add_project()["id"]
    with system.client() as client:
        client.update_project(project_id, name="New")
        client.approve(project_id)
        client.reject(project_id, "Smaller")
        client.cancel(project_id)
        assert client.get_project(project_id)["name"] == "New"
        assert client.files(project_id)["main.py"]["size"] == 15
        assert client.read_file(project_id, "tests/test_main.py").startswith(b"def")
        assert client.archive(project_id).startswith(b"PK")
        assert client.docs(project_id) == "# Salon"
        assert client.create_key("ci", ("read",))["secret"] == "agk_new"
        assert client.list_keys()[0]["id"] == "key_1"
        assert client.revoke_key("key_1")["key"]["revoked_at"]
        assert client.ready()["status"] == "ready"
        assert client.health()["version"] == "0.1.0"
        client.delete_project(project_id)
        with pytest.raises(ApiError) as gone:
            client.get_project(project_id)
    assert gone.value.status == 404
    bodies = {request.path.rsplit("/", 1)[1]: request.body for request in system.seen}
    assert bodies["reject"] == {"feedback": "Smaller"}


def test_ids_and_paths_cannot_leave_their_place_in_the_address(system):
    with system.client() as client, pytest.raises(ApiError):
        client.get_project("../keys?x=1")
    assert system.seen[0].path.startswith("/api/projects/")


def test_an_error_carries_everything_the_system_said(system):
    system.refuse(
        422,
        "VALIDATION_ERROR",
        message="Invalid project type",
        hint="Use api",
        details={"field": "type"},
    )
    with system.client() as client, pytest.raises(ApiError) as caught:
        client.create_project("x", "api", "y")
    error = caught.value
    assert (error.code, error.status, error.message) == (
        "VALIDATION_ERROR",
        422,
        "Invalid project type",
    )
    assert (error.hint, error.details, error.request_id) == ("Use api", {"field": "type"}, "req_1")


@pytest.mark.parametrize(
    "answer",
    [
        Response("<html>Bad gateway</html>", 500),
        Response("[]", 200, media_type="application/json"),
        Response("hello", 200),
        Response(status_code=301, headers={"Location": "http://127.0.0.1:9/"}),
        Response('{"error": "text"}', 500),
    ],
)
def test_an_answer_that_is_not_ours_is_an_error_too(system, answer):
    system.answers.append(answer)
    with system.client() as client, pytest.raises(ApiError) as caught:
        client.get_project("proj_1")
    assert caught.value.code == f"HTTP_{answer.status_code}"
    assert caught.value.hint


def test_429_is_tried_again_after_the_time_it_names_even_for_posts(system):
    system.refuse(429, "RATE_LIMITED", headers={"Retry-After": "1"})
    with system.client() as client:
        assert client.create_project("x", "api", "y")["id"]
    first, second = system.seen
    assert 0.9 < second.at - first.at < 5


def test_429_that_asks_for_too_long_is_given_to_the_caller(system):
    system.refuse(429, "RATE_LIMITED", headers={"Retry-After": "3600"})
    with system.client() as client, pytest.raises(ApiError) as caught:
        client.get_project("x")
    assert caught.value.retry_after == 3600
    assert len(system.seen) == 1


def test_retry_after_may_be_a_date(system):
    system.refuse(429, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"})
    project = system.add_project()
    with system.client() as client:
        assert client.get_project(project["id"])
    assert len(system.seen) == 2


def test_a_passing_fault_is_tried_again_where_twice_does_no_harm(system):
    project = system.add_project()
    with system.client() as client:
        for call in (
            lambda: client.get_project(project["id"]),
            lambda: client.update_project(project["id"], name="Salon"),
            lambda: client.modify(project["id"], "Add a field"),
        ):
            system.refuse(503, headers={"Retry-After": "0"})
            assert call()
        system.refuse(503, headers={"Retry-After": "0"})
        with pytest.raises(ApiError) as caught:
            client.approve(project["id"])
    assert caught.value.transient
    asked = [request.method for request in system.seen]
    assert asked == ["GET", "GET", "PUT", "PUT", "POST", "POST", "POST"]
    first, again, approval = (request.headers for request in system.seen[-3:])
    assert first["idempotency-key"] == again["idempotency-key"]
    assert "idempotency-key" not in approval


def test_each_creation_has_a_name_of_its_own_unless_the_caller_has_one(system):
    with system.client() as client:
        for _ in range(2):
            client.create_project("x", "api", "y")
        client.create_project("x", "api", "y", idempotency_key="mine")
    names = [request.headers["idempotency-key"] for request in system.seen]
    assert names[0] != names[1]
    assert names[2] == "mine"
    assert "idempotency_key" not in system.seen[2].body


def test_retries_end(system):
    for _ in range(10):
        system.refuse(503, headers={"Retry-After": "0"})
    with system.client() as client, pytest.raises(ApiError):
        client.get_project("x")
    assert len(system.seen) == 4


def test_nobody_there_is_said_with_a_hint(unused_port):
    with (
        Client(f"http://127.0.0.1:{unused_port}", "k") as client,
        pytest.raises(ConnectionFailed) as caught,
    ):
        client.health()
    assert f"127.0.0.1:{unused_port}" in caught.value.message
    assert "make up" in (caught.value.hint or "")
    assert not caught.value.sent
    assert isinstance(caught.value.__cause__, httpx.ConnectError)


def test_follow_a_project_to_its_end(system):
    with system.client() as client:
        project = client.create_project("Salon", "api", "Dogs")
        events = list(client.follow_project(project["id"]))
    assert [event["seq"] for event in events] == list(range(1, 8))
    assert events[-1]["type"] == "project_active"


def test_follow_a_project_at_rest_gives_its_history_without_a_socket(system):
    project = system.add_project()
    for _ in range(250):
        system.append(project["id"], "file_written")
    with system.client() as client:
        events = list(client.follow_project(project["id"], after=10))
    assert [event["seq"] for event in events] == list(range(11, 251))
    assert system.sockets == []


def test_an_old_end_in_the_log_does_not_end_work_that_goes_on(system):
    project = system.add_project()
    system.append(project["id"], "project_active")
    with system.client() as client:
        client.modify(project["id"], "Add a field")
        kinds = [event["type"] for event in client.follow_project(project["id"])]
    assert kinds == ["project_active", "modification_started", "modification_complete"]


def test_follow_a_modification(system):
    project = system.add_project()
    system.append(project["id"], "modification_complete", {"modification_id": "mod_0"})
    with system.client() as client:
        modification = client.modify(project["id"], "Add a field")
        events = list(client.follow_modification(project["id"], modification["id"]))
    assert events[-1]["data"] == {"modification_id": "mod_1"}
    assert len(events) == 3


def test_the_end_of_another_modification_ends_nothing(system):
    """Read when the one that is followed has settled already."""
    project = system.add_project()
    system.append(project["id"], "modification_complete", {"modification_id": "mod_0"})
    system.append(project["id"], "modification_complete", {"modification_id": "mod_1"})
    system.modifications["mod_1"] = {"id": "mod_1", "status": "applied"}
    with system.client() as client:
        events = list(client.follow_modification(project["id"], "mod_1"))
    assert [event["data"]["modification_id"] for event in events] == ["mod_0", "mod_1"]
