"""Messages, retries and decisions on one modification, over REST."""

import pytest

from agenticai_core import events, rows, runs
from agenticai_core.models import Failure, Outcome, TaskStatus
from agenticai_core.store.base import Put


def end_task(services, project_id, outcome, checkpoint=None):
    """The task under way ends like this."""
    task_id = rows.load(services.store, project_id).project.active_task
    task = rows.load(services.store, project_id, task_id).task
    running = task.model_copy(
        update={"status": TaskStatus.RUNNING, "fence": 1, "checkpoint": checkpoint or {}}
    )
    services.store.write(Put(rows.task_item(running)))
    runs.advance(services, project_id, task.id, 1, outcome)


def told(services, project_id, type_):
    log = events.read(services.store, project_id, 0, limit=1000)
    return [event.data for event in log if event.type == type_]


# ---- messages -----------------------------------------------------------------------------------


def test_a_message_is_told_and_kept_for_the_run(api, services, project_id):
    answer = api.post(f"/api/projects/{project_id}/messages", json={"text": "In euros, please"})

    assert answer.status_code == 202, answer.text
    assert answer.json()["project"]["id"] == project_id
    assert rows.load(services.store, project_id).project.messages == ("In euros, please",)
    assert told(services, project_id, "message") == [{"text": "In euros, please"}]


def test_a_message_that_is_sent_again_is_said_once(api, services, project_id):
    at, key = f"/api/projects/{project_id}/messages", {"Idempotency-Key": "m1"}

    first = api.post(at, json={"text": "Hello"}, headers=key)
    again = api.post(at, json={"text": "Hello"}, headers=key)

    assert (again.status_code, again.json()) == (202, first.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(told(services, project_id, "message")) == 1


def test_without_a_run_nobody_hears(api, built_id):
    answer = api.post(f"/api/projects/{built_id}/messages", json={"text": "Hello"})

    assert answer.status_code == 409
    assert "/modify" in answer.json()["error"]["hint"]


def test_a_run_takes_twenty_messages(api, services, project_id):
    at = f"/api/projects/{project_id}/messages"
    codes = [api.post(at, json={"text": f"No {n}"}).status_code for n in range(21)]

    assert codes == [202] * 20 + [409]
    assert len(told(services, project_id, "message")) == 20


@pytest.mark.parametrize(
    "body", [{}, {"text": " "}, {"text": "x" * 2001}, {"text": None}, {"a": 1}]
)
def test_a_message_needs_words(api, project_id, body):
    answer = api.post(f"/api/projects/{project_id}/messages", json=body)

    assert answer.status_code == 422


@pytest.mark.parametrize("path", ["messages", "retry"])
def test_a_stranger_finds_nothing_to_talk_to(stranger, project_id, path):
    body = {"json": {"text": "Hello"}} if path == "messages" else {}

    assert stranger.post(f"/api/projects/{project_id}/{path}", **body).status_code == 404


# ---- retry --------------------------------------------------------------------------------------


def test_a_failure_of_circumstance_goes_on_where_it_stopped(api, services, project_id):
    end_task(services, project_id, Outcome(outputs={"plan": "plans/p"}))
    lost = Outcome(failure=Failure(code="WORKER_LOST", message="gone"))
    end_task(services, project_id, lost, checkpoint={"file:a.py": "tmp/a"})
    assert api.get(f"/api/projects/{project_id}").json()["project"]["status"] == "failed"

    answer = api.post(f"/api/projects/{project_id}/retry")

    assert answer.status_code == 202, answer.text
    project = answer.json()["project"]
    assert (project["status"], project["failure"]) == ("generating", None)
    stored = rows.load(services.store, project_id).project
    task = rows.load(services.store, project_id, stored.active_task).task
    assert (task.action, task.checkpoint) == ("generate", {"file:a.py": "tmp/a"})
    assert task.inputs["plan"] == "plans/p"
    assert stored.failed_task is None
    assert told(services, project_id, "project_retried") == [
        {"from": "generate", "units": 1, "failure": "WORKER_LOST"}
    ]


def test_another_failure_begins_with_the_plan(api, services, project_id):
    end_task(services, project_id, Outcome(outputs={"plan": "plans/p"}))
    end_task(services, project_id, Outcome(failure=Failure(code="FILE_NOT_KNOWN", message="what?")))

    project = api.post(f"/api/projects/{project_id}/retry").json()["project"]

    assert project["status"] == "queued"
    stored = rows.load(services.store, project_id).project
    task = rows.load(services.store, project_id, stored.active_task).task
    assert (task.action, task.checkpoint, task.inputs) == ("plan", {}, {"last_step": "1"})


def test_a_retry_that_is_sent_again_begins_one_run(api, services, project_id):
    end_task(services, project_id, Outcome(failure=Failure(code="TIMEOUT", message="late")))
    at, key = f"/api/projects/{project_id}/retry", {"Idempotency-Key": "r1"}

    first, again = (api.post(at, headers=key) for _ in range(2))

    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["project"]["active_run"] == again.json()["project"]["active_run"]
    assert len(told(services, project_id, "project_retried")) == 1
    assert api.post(at).status_code == 409  # it is under way


def test_what_has_not_failed_is_not_tried_again(api, project_id, built_id):
    assert api.post(f"/api/projects/{built_id}/retry").status_code == 409
    other = api.post("/api/projects", json={"name": "B", "type": "api"}).json()["project"]["id"]
    api.post(f"/api/projects/{other}/cancel")
    assert api.post(f"/api/projects/{other}/retry").status_code == 409


# ---- one modification ---------------------------------------------------------------------------


@pytest.fixture
def waiting(api, services, built_id):
    """A modification that waits for approval, and one behind it: their addresses."""
    at = f"/api/projects/{built_id}"
    api.put(at, json={"approval": "required"})
    made = [
        api.post(f"{at}/modify", json={"request": f"Add field {n}"}).json()["modification"]["id"]
        for n in range(2)
    ]
    end_task(services, built_id, Outcome(outputs={"plan": "plans/new", "old_plan": "plans/old"}))
    return [f"{at}/modifications/{one}" for one in made]


def status(api, address):
    return api.get(address).json()["modification"]["status"]


@pytest.mark.parametrize(
    ("action", "body", "after"),
    [
        ("approve", None, "applying"),
        ("reject", None, "rejected"),
        ("reject", {"feedback": "Name it otherwise"}, "analyzing"),
        ("cancel", None, "cancelled"),
    ],
)
def test_one_modification_is_decided_on(api, waiting, action, body, after):
    answer = api.post(f"{waiting[0]}/{action}", json=body)

    assert answer.status_code == 200, answer.text
    assert answer.json()["modification"]["status"] == after == status(api, waiting[0])


def test_one_that_waits_leaves_the_queue_alone(api, services, built_id, waiting):
    before = rows.load(services.store, built_id).project

    answer = api.post(f"{waiting[1]}/cancel")

    assert answer.json()["modification"]["status"] == "cancelled"
    after = rows.load(services.store, built_id).project
    assert after.waiting == ()
    assert (after.active_run, after.active_task) == (before.active_run, before.active_task)
    assert status(api, waiting[0]) == "awaiting_approval"
    api.post(f"{waiting[0]}/cancel")
    assert rows.load(services.store, built_id).project.active_run is None


@pytest.mark.parametrize("action", ["approve", "reject"])
def test_one_in_the_queue_cannot_be_decided_on_yet(api, waiting, action):
    answer = api.post(f"{waiting[1]}/{action}")

    assert answer.status_code == 409
    assert [status(api, one) for one in waiting] == ["awaiting_approval", "pending"]


@pytest.mark.parametrize("action", ["approve", "reject", "cancel"])
def test_one_that_has_ended_stays_as_it_is(api, waiting, action):
    api.post(f"{waiting[0]}/cancel")

    answer = api.post(f"{waiting[0]}/{action}")

    assert answer.status_code == 409
    assert status(api, waiting[0]) == "cancelled"


@pytest.mark.parametrize("action", ["approve", "reject", "cancel"])
def test_an_unknown_or_foreign_one_is_not_found(api, stranger, built_id, waiting, action):
    absent = f"/api/projects/{built_id}/modifications/mod_none/{action}"

    assert api.post(absent).status_code == 404
    assert stranger.post(f"{waiting[0]}/{action}").status_code == 404
    assert status(api, waiting[0]) == "awaiting_approval"


def test_feedback_is_kept_with_what_was_said_before(api, services, built_id, waiting):
    for word in ("Call it size", "As a number"):
        api.post(f"{waiting[0]}/reject", json={"feedback": word})
        end_task(services, built_id, Outcome(outputs={"plan": "plans/again"}))

    inputs = rows.load(services.store, built_id).project.run_inputs
    assert inputs["feedback"] == "Call it size\n\nAs a number"
