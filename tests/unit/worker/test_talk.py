"""A whole creation with a scripted model: what users say into it, and what a retry does again."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from tests.fakes import notes
from tests.fakes.models import ScriptedModel, file_block

from agenticai_core import events, projects, runs, steering
from agenticai_core.errors import WrongState
from agenticai_core.files.memory import MemoryFiles
from agenticai_core.models import Event, Failure, Outcome, Project, Scores, TestReport
from agenticai_core.queues import MemoryQueue
from agenticai_core.settings import Settings
from agenticai_worker.agents import qa
from agenticai_worker.llm.base import LanguageModel, PermanentModelError, Prompt
from agenticai_worker.llm.template.model import TemplateModel
from agenticai_worker.prompts import render
from agenticai_worker.quality import Quality
from agenticai_worker.run import Worker
from agenticai_worker.runner import run_task

from .conftest import LossyStore, World
from .test_runner import FakeSandbox

FILES = list(notes.FILES)
FIFTH = FILES[4]


class Killed(BaseException):
    """What kills the process: nothing in it can catch this."""


class House(World):
    """Runs every task that is sent, as the four agents' workers would."""

    model: LanguageModel
    asked: Counter[tuple[str, str]]
    prompts: list[Prompt]
    interfere: Callable[[Prompt], None]

    def work(self, most: int = 50) -> None:
        for _ in range(most):
            if not self.queue.sent:
                return
            _, project_id, task_id, _ = self.queue.sent.pop(0)
            self.task_id = task_id
            settings = Settings(sandbox_require="none")
            worker = Worker(self.services, settings, self.model, FakeSandbox())
            run_task(worker, project_id, task_id)

    def answer(self, prompt: Prompt) -> Any:
        path = prompt.values.get("path", "")
        self.asked[prompt.name, path] += 1
        self.prompts.append(prompt)
        self.interfere(prompt)
        if prompt.name == "plan":
            return notes.PLAN
        if prompt.name == "analyze":
            return notes.ANALYSIS
        return file_block(path, {**notes.FILES, **notes.PACKAGE}[path])

    def say(self, text: str) -> None:
        steering.send_message(self.services, "me", self.project_id, text)

    def update(self, **changes: Any) -> Project:
        body = projects.ProjectChanges.model_validate(changes)
        return projects.update_project(self.services, "me", self.project_id, body)


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> House:
    report = TestReport(passed=3, coverage=0.9, sandbox="none")
    monkeypatch.setattr(qa, "run_tests", lambda *_: report)
    monkeypatch.setattr(qa, "measure", lambda *_: Quality(scores=Scores(test_coverage=0.9)))
    house = House(LossyStore(), MemoryFiles(), MemoryQueue(), Settings())
    house.asked, house.prompts, house.interfere = Counter(), [], lambda _: None
    house.model = ScriptedModel(house.answer)
    return house


def at_file(path: str, act: Callable[[], None]) -> Callable[[Prompt], None]:
    """Does ``act`` whenever the model is asked to generate ``path``."""

    def interfere(prompt: Prompt) -> None:
        if prompt.name == "generate" and prompt.values["path"] == path:
            act()

    return interfere


def fail(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


def log(house: House) -> list[Event]:
    return events.read(house.store, house.project_id, 0, limit=10_000)


# ---- retry --------------------------------------------------------------------------------------


def kill_three_times(house: House) -> None:
    house.interfere = at_file(FIFTH, fail(Killed()))
    for _ in range(3):
        with pytest.raises(Killed):
            house.work()
        house.expire()
        house.queue.send(house.task.agent, house.project_id, house.task_id, 0)
    house.work()


def test_no_finished_file_is_asked_for_again(house: House) -> None:
    house.create()
    kill_three_times(house)
    assert house.project.failure is not None
    assert house.project.failure.code == "WORKER_LOST"
    assert house.project.failed_task == house.task_id

    house.interfere = lambda _: None
    steering.retry_project(house.services, "me", house.project_id)
    house.work()

    project = house.project
    assert (project.status, project.revision) == ("active", 1), project.failure
    generated = {path: house.asked["generate", path] for path in FILES}
    assert generated == {path: 1 for path in FILES} | {FIFTH: 4}
    assert house.asked["plan", ""] == 1
    assert house.told("project_retried") == [
        {"from": "generate", "units": 4, "failure": "WORKER_LOST"}
    ]
    written = Counter(data["path"] for data in house.told("file_written"))
    assert set(written.values()) == {1}
    ids = [event.id for event in log(house)]
    assert len(ids) == len(set(ids))


def test_what_has_expired_since_is_asked_for_again(house: House) -> None:
    house.create()
    kill_three_times(house)
    house.files.delete_prefix("tmp/")

    house.interfere = lambda _: None
    steering.retry_project(house.services, "me", house.project_id)
    house.work()

    assert house.project.status == "active"
    assert house.asked["generate", FILES[0]] == 2


def test_a_failure_of_the_model_goes_on_where_it_stopped(house: House) -> None:
    house.create()
    house.interfere = at_file(FIFTH, fail(PermanentModelError("no", code="MODEL_REFUSED")))
    house.work()
    house.interfere = lambda _: None

    steering.retry_project(house.services, "me", house.project_id)
    house.work()

    assert house.project.status == "active"
    assert house.asked["generate", FILES[0]] == 1


def test_a_failure_of_the_work_begins_with_the_plan(house: House) -> None:
    house.create()
    house.interfere = at_file(FIFTH, fail(PermanentModelError("no", code="FILE_NOT_KNOWN")))
    house.work()
    house.interfere = lambda _: None

    steering.retry_project(house.services, "me", house.project_id)
    house.work()

    assert house.project.status == "active"
    assert house.asked["plan", ""] == house.asked["generate", FILES[0]] == 2


def test_a_budget_that_was_raised_lets_the_rest_be_written(house: House) -> None:
    house.create(token_budget=100_000)
    house.interfere = at_file(FILES[3], lambda: house.update(token_budget=1) and None)
    house.work()
    assert house.project.failure is not None
    assert house.project.failure.code == "BUDGET_EXCEEDED"
    assert house.asked["generate", FIFTH] == 0

    house.interfere = lambda _: None
    house.update(token_budget=None)
    steering.retry_project(house.services, "me", house.project_id)
    house.work()

    assert house.project.status == "active"
    assert {house.asked["generate", path] for path in FILES} == {1}


def test_a_second_failure_can_be_tried_again_too(house: House) -> None:
    house.create()
    house.interfere = at_file(FIFTH, fail(PermanentModelError("no", code="MODEL_REFUSED")))
    house.work()
    steering.retry_project(house.services, "me", house.project_id)
    house.work()
    assert house.project.status == "failed"
    house.interfere = lambda _: None

    steering.retry_project(house.services, "me", house.project_id)
    house.work()

    assert house.project.status == "active"
    assert house.asked["generate", FILES[0]] == 1
    with pytest.raises(WrongState):
        steering.retry_project(house.services, "me", house.project_id)


# ---- secrets ------------------------------------------------------------------------------------


class Listening(TemplateModel):
    """The built-in engine; keeps the prompts as a language model would read them."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def generate(self, prompt: Prompt, *rest: Any, **options: Any) -> Any:
        rendered = render(prompt)
        self.heard.append(rendered.system + rendered.user)
        return super().generate(prompt, *rest, **options)


def test_a_secret_reaches_no_prompt_file_event_or_row(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    model = house.model = Listening()
    house.create(
        description="Shelves hold books. A book has a title and a price.",
        environment_vars={"SMTP_PASSWORD": "canary-7f3a"},
        deployment_config={"platform": "aws"},
    )
    house.work()

    assert house.project.status == "active", house.project.failure
    paths = {data["path"] for data in house.told("file_written")}
    assert {"copilot/api/manifest.yml", ".env.example"} <= paths
    everything = [*model.heard, str(house.store.__dict__), str(house.files.__dict__)]
    assert "SMTP_PASSWORD" in "".join(everything)
    printed = capsys.readouterr()
    assert not [t for t in (*everything, printed.out, printed.err) if "canary-7f3a" in t]


# ---- messages -----------------------------------------------------------------------------------


def test_a_message_is_in_every_call_that_follows(house: House) -> None:
    house.create()
    house.interfere = at_file(FILES[1], lambda: house.say("In euros"))
    house.work()

    assert house.project.status == "active"
    said = [(p.values.get("path"), tuple(p.values["messages"])) for p in house.prompts[1:]]
    assert [messages for _, messages in said[:2]] == [(), ()]
    assert {messages for _, messages in said[2:]} == {("In euros",)}
    assert house.told("message") == [{"text": "In euros"}]
    assert house.told("message_not_used") == []
    assert house.project.messages == ()


def test_a_message_before_the_plan_reaches_it(house: House) -> None:
    house.create()
    house.say("In euros")
    house.work()

    assert house.prompts[0].values["messages"] == ("In euros",)
    assert house.told("message_not_used") == []


def test_a_message_that_comes_after_the_last_call_is_told_as_not_used(house: House) -> None:
    house.create()
    last = list(notes.PACKAGE)[-1]

    def late(prompt: Prompt) -> None:
        if prompt.values.get("path") == last:
            house.say("Too late")

    house.interfere = late
    house.work()

    assert house.project.status == "active"
    told = house.told("message_not_used")
    assert [one["text"] for one in told] == ["Too late"]
    types = [event.type for event in log(house)]
    assert types.index("message_not_used") < types.index("project_active")


@pytest.mark.parametrize("end", ["cancel", "fail"])
def test_a_run_that_ends_otherwise_tells_it_too(house: House, end: str) -> None:
    house.create()
    house.say("Hello")
    if end == "cancel":
        runs.cancel(house.services, "me", house.project_id)
    else:
        lease = house.taken()
        outcome = Outcome(failure=Failure(code="TIMEOUT", message="late"))
        runs.advance(house.services, house.project_id, house.task_id, lease.task.fence, outcome)

    assert [one["text"] for one in house.told("message_not_used")] == ["Hello"]
    assert house.project.messages == ()


def test_the_built_in_engine_heeds_what_is_said_before_it_plans(house: House) -> None:
    house.model = TemplateModel()
    house.create(description="Shelves hold books. A book has a title and a price.")
    house.say("Add suppliers with a name")
    house.work()

    assert house.project.status == "active", house.project.failure
    assert "Supplier" in house.told("plan_ready")[0]["entities"]
    assert house.told("message_not_used") == []


def test_the_built_in_engine_says_what_it_did_not_use(house: House) -> None:
    house.model = TemplateModel()
    house.create(
        description="Shelves hold books. A book has a title and a price.", approval="required"
    )
    house.work()
    house.say("Add suppliers with a name")
    runs.approve(house.services, "me", house.project_id)
    house.work()

    assert house.project.status == "active", house.project.failure
    told = house.told("message_not_used")
    assert [one["text"] for one in told] == ["Add suppliers with a name"]
    assert "ask for a modification" in told[0]["reason"]
    types = [event.type for event in log(house)]
    assert types.index("message_not_used") < types.index("tests_started")
