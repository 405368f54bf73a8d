"""Dead letters on the emulator's queues: looked at, judged by the table, sent again or removed."""

import json

import pytest
from typer.testing import CliRunner

from agenticai_client.cli import app
from agenticai_core import runs
from agenticai_core.models import Agent, ProjectType, Task, TaskStatus
from agenticai_core.queues import celery_message
from agenticai_core.rows import parse, task_item
from agenticai_core.store import keys
from agenticai_core.store.base import Put


def dead_queue(environment, agent):
    return environment.variables[f"SQS_QUEUE_URL_{agent.name}"].replace("-queue", "-dlq")


def bury(environment, agent, body):
    """Put a letter where SQS would; the id that it gets."""
    sqs = environment.place.sqs
    return sqs.send_message(QueueUrl=dead_queue(environment, agent), MessageBody=body)["MessageId"]


def message(agent, project_id, task_id):
    return json.dumps(celery_message(agent, "some-queue", project_id, task_id))


def waiting(environment, url):
    """Bodies of all messages that can be received, which stay hidden afterwards."""
    bodies = []
    while found := environment.place.sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=60, WaitTimeSeconds=0
    ).get("Messages"):
        bodies += [one["Body"] for one in found]
    return bodies


@pytest.fixture
def project(environment):
    """A project whose first task, one for PM, is queued. Its own message is taken out."""
    new = runs.NewProject(name="Salon", type=ProjectType.API, description="Dogs")
    made = runs.create_project(environment.services, "me", new)
    waiting(environment, environment.variables["SQS_QUEUE_URL_PM"])
    return made


def first_task(environment, project):
    rows = environment.services.store.query(keys.project_pk(project.id), prefix="TASK#").items
    return parse(Task, rows[0])


def end(environment, task, status=TaskStatus.SUCCEEDED):
    ended = task.model_copy(update={"status": status})
    environment.services.store.write(Put(task_item(ended)))


def test_an_empty_environment_has_no_letters(environment):
    rows = environment.read("dlq", "list")["queues"]
    assert [row["agent"] for row in rows] == [agent.value for agent in Agent]
    assert all(row["waiting"] == 0 and row["oldest_seconds"] is None for row in rows)
    assert environment.read("dlq", "show") == {"letters": []}


def test_letters_are_counted_with_their_age(environment):
    bury(environment, Agent.DEV, "one")
    bury(environment, Agent.DEV, "two")
    dev = environment.read("dlq", "list", "--agent", "dev")["queues"]
    assert [(row["agent"], row["waiting"]) for row in dev] == [("dev", 2)]
    assert 0 <= dev[0]["oldest_seconds"] < 60
    assert "dev" in environment.run("dlq", "list").stdout


def test_a_letter_is_explained_and_stays(environment, project):
    task = first_task(environment, project)
    bury(environment, Agent.PM, message(Agent.PM, project.id, task.id))
    for _ in range(2):  # the second look finds it at once
        (letter,) = environment.read("dlq", "show", "--agent", "pm")["letters"]
        assert (letter["project_id"], letter["task_id"]) == (project.id, task.id)
        assert (letter["project_status"], letter["task_status"]) == ("queued", "queued")
        assert (letter["worth"], letter["body"]) == ("wakes", None)
    assert project.id in environment.run("dlq", "show").stdout


def test_worth_is_what_the_table_says(environment, project):
    task = first_task(environment, project)
    for body in (
        message(Agent.PM, project.id, task.id),
        message(Agent.PM, project.id, "run_x.9.plan"),
        message(Agent.PM, "proj_gone", "run_x.1.plan"),
        "no JSON at all",
        json.dumps({"body": json.dumps([[1, 2], {}, {}]), "headers": {"task": "pm.run"}}),
    ):
        bury(environment, Agent.PM, body)
    bury(environment, Agent.QA, message(Agent.QA, project.id, task.id))
    end(environment, task)
    letters = environment.read("dlq", "show")["letters"]
    assert sorted(one["worth"] for one in letters) == [
        "ended", "gone", "gone", "gone", "unreadable", "unreadable"
    ]  # fmt: skip
    reasons = {one["reason"] for one in letters}
    assert reasons == {
        "its task has ended as succeeded",
        "the project has no such task",
        "the project is deleted",
        "its task is one for pm",
        "it holds no ids of a project and a task",
    }


def test_redrive_sends_what_wakes_a_task_and_keeps_the_rest(environment, project):
    task = first_task(environment, project)
    body = message(Agent.PM, project.id, task.id)
    bury(environment, Agent.PM, body)
    bury(environment, Agent.PM, "unreadable")
    done = environment.read("dlq", "redrive", "--yes")
    assert {name: done[name] for name in ("sent", "dropped", "kept")} == {
        "sent": 1,
        "dropped": 0,
        "kept": 1,
    }
    assert waiting(environment, environment.variables["SQS_QUEUE_URL_PM"]) == [body]
    assert waiting(environment, dead_queue(environment, Agent.PM)) == ["unreadable"]


def test_what_is_worth_nothing_goes_only_when_told_so(environment, project):
    task = first_task(environment, project)
    end(environment, task, TaskStatus.CANCELLED)
    bury(environment, Agent.PM, message(Agent.PM, project.id, task.id))
    bury(environment, Agent.PM, "unreadable")
    assert environment.read("dlq", "redrive", "--yes")["kept"] == 2
    assert environment.read("dlq", "redrive", "--yes", "--drop-ended")["dropped"] == 1
    assert environment.read("dlq", "redrive", "--yes", "--drop-unreadable")["dropped"] == 1
    assert environment.read("dlq", "show") == {"letters": []}
    assert waiting(environment, environment.variables["SQS_QUEUE_URL_PM"]) == []


def test_one_letter_alone_can_be_sent(environment, project):
    task = first_task(environment, project)
    body = message(Agent.PM, project.id, task.id)
    bury(environment, Agent.PM, body)
    chosen = bury(environment, Agent.PM, body)
    done = environment.read("dlq", "redrive", "--message", chosen, "--yes")
    assert [one["message"] for one in done["letters"]] == [chosen]
    assert len(environment.read("dlq", "show")["letters"]) == 1
    missing = environment.run("dlq", "redrive", "--message", "nobody", "--yes", code=3)
    assert "There is no dead letter 'nobody'" in missing.stderr


def test_nothing_is_done_without_a_yes(environment, project):
    task = first_task(environment, project)
    bury(environment, Agent.PM, message(Agent.PM, project.id, task.id))
    environment.run("dlq", "redrive", code=1, input="n\n")
    assert environment.read("dlq", "redrive", "--dry-run")["sent"] == 1
    assert "Nothing was changed" in environment.run("dlq", "redrive", "--dry-run").stdout
    assert len(environment.read("dlq", "show")["letters"]) == 1
    assert waiting(environment, environment.variables["SQS_QUEUE_URL_PM"]) == []


def test_a_message_that_workers_give_up_arrives_here(environment):
    """By SQS itself: three receives that nobody finishes, and the fourth moves it."""
    sqs, url = environment.place.sqs, environment.variables["SQS_QUEUE_URL_OPS"]
    sqs.send_message(QueueUrl=url, MessageBody="given up")
    received = [
        sqs.receive_message(QueueUrl=url, VisibilityTimeout=0, WaitTimeSeconds=0).get("Messages")
        for _ in range(4)
    ]
    assert [bool(messages) for messages in received] == [True, True, True, False]
    (letter,) = environment.read("dlq", "show", "--agent", "ops")["letters"]
    assert (letter["worth"], letter["body"]) == ("unreadable", "given up")


def test_the_environment_can_be_named(environment, monkeypatch):
    bury(environment, Agent.DEV, "one")
    named = ("--app", environment.variables["AGENTICAI_APP"], "--env", "local")
    environment.enter()
    for name in environment.variables:
        if name.startswith(("DYNAMODB", "S3_", "SQS_", "AGENTICAI_")):
            monkeypatch.delenv(name)
    result = CliRunner().invoke(app, ["dlq", "show", *named, "--json"])
    assert result.exit_code == 0, result.output
    assert [one["agent"] for one in json.loads(result.stdout)["letters"]] == ["dev"]
    bare = CliRunner().invoke(app, ["dlq", "show"])
    assert bare.exit_code == 5
    assert "SQS_QUEUE_URL_PM is not set" in bare.stderr
    assert "--app agenticai --env test" in bare.stderr
    half = CliRunner().invoke(app, ["dlq", "show", "--app", "agenticai"])
    assert "name an environment together" in half.stderr
    absent = CliRunner().invoke(app, ["dlq", "show", "--app", "nobody", "--env", "local"])
    assert absent.exit_code == 3, absent.output
