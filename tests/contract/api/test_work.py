"""Modifications, decisions and events over REST."""

import pytest

from agenticai_core import events, rows, runs
from agenticai_core.models import EventDraft, Outcome, TaskStatus
from agenticai_core.store.base import Put


def test_a_modification_is_taken_in_listed_and_shown(api, built_id):
    at = f"/api/projects/{built_id}"
    answer = api.post(f"{at}/modify", json={"request": "Add user authentication"})

    assert answer.status_code == 202
    modification = answer.json()["modification"]
    assert modification["request"] == "Add user authentication"
    assert modification["requested_by"] == "alice"
    assert answer.headers["Location"] == f"{at}/modifications/{modification['id']}"
    listed = api.get(f"{at}/modifications").json()
    assert [one["id"] for one in listed["modifications"]] == [modification["id"]]
    assert listed["next_cursor"] is None
    shown = api.get(answer.headers["Location"])
    assert shown.status_code == 200
    assert shown.json()["modification"]["id"] == modification["id"]


def test_modifications_are_paged(api, built_id):
    at = f"/api/projects/{built_id}"
    made = {
        api.post(f"{at}/modify", json={"request": f"Add field {n}"}).json()["modification"]["id"]
        for n in range(3)
    }
    first = api.get(f"{at}/modifications", params={"limit": 2}).json()
    second = api.get(
        f"{at}/modifications", params={"limit": 2, "cursor": first["next_cursor"]}
    ).json()

    assert [len(page["modifications"]) for page in (first, second)] == [2, 1]
    assert {one["id"] for page in (first, second) for one in page["modifications"]} == made
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    "body", [{}, {"request": ""}, {"request": " "}, {"request": None}, {"request": "a" * 20_001}]
)
def test_a_modification_needs_words(api, built_id, body):
    answer = api.post(f"/api/projects/{built_id}/modify", json=body)

    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["field"] == "request"


def test_an_unknown_modification_is_not_found(api, built_id):
    answer = api.get(f"/api/projects/{built_id}/modifications/mod_none")

    assert answer.status_code == 404


def test_a_run_is_cancelled(api, project_id):
    answer = api.post(f"/api/projects/{project_id}/cancel")

    assert answer.status_code == 200
    assert answer.json()["project"]["status"] == "cancelled"


@pytest.mark.parametrize("action", ["approve", "reject"])
def test_what_does_not_wait_cannot_be_decided(api, built_id, action):
    answer = api.post(f"/api/projects/{built_id}/{action}")

    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "WRONG_STATE"


def test_cancelling_nothing_is_refused(api, built_id):
    assert api.post(f"/api/projects/{built_id}/cancel").status_code == 409


@pytest.mark.parametrize(
    ("action", "body", "field"),
    [
        ("reject", {"feedback": "f" * 4001}, "feedback"),
        ("approve", {"run": 7}, "run"),
        ("approve", {"comment": "fine"}, "comment"),
        ("reject", {"feedback": ""}, "feedback"),
        ("reject", {"reason": "no"}, "reason"),
    ],
)
def test_a_decision_with_a_bad_field_is_refused(api, built_id, action, body, field):
    answer = api.post(f"/api/projects/{built_id}/{action}", json=body)

    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["field"] == field


def test_events_are_read_by_cursor_up_to_the_head(api, services, built_id):
    drafts = [EventDraft(id=f"test/{n}", type="file_written", data={"n": n}) for n in range(5)]
    head = events.append(services.store, built_id, drafts)
    at = f"/api/projects/{built_id}/events"

    seen, after = [], 0
    while after < head:
        page = api.get(at, params={"after": after, "limit": 2}).json()
        assert page["head"] == head
        seen += page["events"]
        after = page["next_after"]

    assert [event["seq"] for event in seen] == list(range(1, head + 1))
    assert [event["id"] for event in seen[-5:]] == [draft.id for draft in drafts]
    assert {event["project_id"] for event in seen} == {built_id}
    assert api.get(at, params={"after": head}).json() == {
        "events": [],
        "next_after": head,
        "head": head,
    }


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"after": -1}, "after"),
        ({"after": "x"}, "after"),
        ({"after": 10**12}, "after"),
        ({"limit": 0}, "limit"),
        ({"limit": 501}, "limit"),
    ],
)
def test_a_bad_event_query_is_named(api, project_id, query, field):
    answer = api.get(f"/api/projects/{project_id}/events", params=query)

    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["field"] == field


@pytest.fixture
def waiting_id(api, services):
    """A project whose plan waits for its owner."""
    body = {"name": "Shop", "type": "api", "description": "Sells bikes.", "approval": "required"}
    project_id = api.post("/api/projects", json=body).json()["project"]["id"]
    task_id = rows.load(services.store, project_id).project.active_task
    task = rows.load(services.store, project_id, task_id).task
    running = task.model_copy(update={"status": TaskStatus.RUNNING, "fence": 1})
    services.store.write(Put(rows.task_item(running)))
    runs.advance(services, project_id, task.id, 1, Outcome(outputs={"plan": "plans/x.json"}))
    return project_id


def test_an_approved_plan_goes_on(api, waiting_id):
    at = f"/api/projects/{waiting_id}"
    run = api.get(at).json()["project"]["active_run"]

    answer = api.post(f"{at}/approve", json={"run": run})

    assert answer.status_code == 200, answer.text
    assert answer.json()["project"]["status"] == "generating"


def test_another_run_than_the_one_that_was_meant_is_not_approved(api, waiting_id):
    at = f"/api/projects/{waiting_id}"

    answer = api.post(f"{at}/approve", json={"run": "mod_other"})

    assert answer.status_code == 409
    assert api.get(at).json()["project"]["status"] == "awaiting_approval"


@pytest.mark.parametrize(
    ("body", "status"), [({"feedback": "Smaller"}, "planning"), (None, "cancelled")]
)
def test_a_rejected_plan_is_made_again_or_ends(api, waiting_id, body, status):
    answer = api.post(f"/api/projects/{waiting_id}/reject", json=body)

    assert answer.status_code == 200, answer.text
    assert answer.json()["project"]["status"] == status
