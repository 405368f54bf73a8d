"""All four agents on Gemini's wire format: a project, then a change, with faults on the way."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.fakes import notes
from tests.fakes.gemini import FakeGemini, serve
from tests.fakes.work import FakeWork, make_modification

from agenticai_core.content import read_manifest, read_tree
from agenticai_core.files.memory import MemoryFiles
from agenticai_core.models import Action, Outcome
from agenticai_worker.agents import AGENTS, Tools
from agenticai_worker.llm.base import LanguageModel
from agenticai_worker.llm.gemini import GeminiModel
from agenticai_worker.llm.replay import RecordingModel, ReplayModel
from agenticai_worker.sandbox.local import LocalSandbox
from agenticai_worker.work import TransientFailure

CREATE = (Action.PLAN, Action.GENERATE, Action.TEST, Action.PACKAGE)
MODIFY = (Action.ANALYZE, Action.APPLY, Action.TEST)


@pytest.fixture(scope="module")
def tools() -> Tools:
    return Tools(LocalSandbox())


@dataclass
class Pipeline:
    """Runs tasks one after the other, as the runner and the workflow do between them."""

    model: LanguageModel
    tools: Tools
    files: MemoryFiles = field(default_factory=MemoryFiles)
    inputs: dict[str, str] = field(default_factory=dict)
    works: list[FakeWork] = field(default_factory=list)
    retries: int = 0

    def run(self, action: Action) -> Outcome:
        work = FakeWork(
            self.model,
            action,
            dict(self.inputs),
            files=self.files,
            modification=make_modification(notes.REQUEST),
            task_id=f"task_{len(self.works)}",
        )
        self.works.append(work)
        outcome = self._until_done(work)
        self.inputs |= outcome.outputs
        return outcome

    def _until_done(self, work: FakeWork) -> Outcome:
        for _ in range(5):
            try:
                return AGENTS[work.task.action](work, self.tools)
            except TransientFailure:
                self.retries += 1
        raise AssertionError("too many transient failures")

    def tree(self) -> dict[str, str]:
        manifest = read_manifest(self.files, self.inputs["manifest"])
        tree = read_tree(self.files, "proj_1", manifest)
        return {path: content.decode() for path, content in tree.items()}

    def events(self) -> list[str]:
        return [event.type for work in self.works for event in work.events]


@pytest.fixture
def fake() -> Iterator[FakeGemini]:
    with serve(FakeGemini(notes.answer)) as server:
        yield server


@pytest.fixture
def model(fake: FakeGemini) -> Iterator[GeminiModel]:
    made = GeminiModel("gemini-2.5-flash", fake.key, fake.url)
    yield made
    made.close()


def check_created(pipeline: Pipeline, outcomes: dict[Action, Outcome]) -> None:
    assert pipeline.tree() == {**notes.FILES, **notes.PACKAGE}
    tested = outcomes[Action.TEST]
    assert tested.tests_passed, tested.test_results
    assert tested.test_results["passed"] == 4
    assert (tested.scores.test_coverage or 0) > 0.85
    types = pipeline.events()
    assert types.count("file_written") == len(notes.FILES) + len(notes.PACKAGE)
    assert types.index("plan_ready") < types.index("tests_passed")


def check_modified(pipeline: Pipeline, outcomes: dict[Action, Outcome]) -> None:
    assert outcomes[Action.ANALYZE].impact == notes.ANALYSIS.impact
    assert outcomes[Action.APPLY].modified_files == (
        "app/colours.py",
        "app/main.py",
        "tests/test_notes.py",
    )
    tested = outcomes[Action.TEST]
    assert tested.tests_passed, tested.test_results
    assert tested.test_results["passed"] == 5
    assert "def list_notes" in pipeline.tree()["app/main.py"]


def run_both(pipeline: Pipeline) -> None:
    check_created(pipeline, {action: pipeline.run(action) for action in CREATE})
    check_modified(pipeline, {action: pipeline.run(action) for action in MODIFY})


def test_a_project_and_a_change_with_faults_on_the_way(
    fake: FakeGemini, model: GeminiModel, tools: Tools
) -> None:
    fake.faults = {1: "malformed", 4: "truncated", 6: "429", 8: "500", 15: "truncated", 18: "503"}
    pipeline = Pipeline(model, tools)
    run_both(pipeline)
    assert pipeline.retries == 3
    assert {call.fault for call in fake.calls if call.fault} == set(fake.faults.values())
    planned = [call for call in fake.calls if "Task: plan" in call.prompt]
    assert len(planned) == 2
    assert "Invalid JSON" in planned[1].prompt
    assert sum(work.usage.total for work in pipeline.works) > 1000


def test_a_failing_test_leads_to_a_repair(
    fake: FakeGemini, model: GeminiModel, tools: Tools
) -> None:
    fake.answer = notes.answer_with_a_bug
    pipeline = Pipeline(model, tools)
    pipeline.run(Action.PLAN)
    pipeline.run(Action.GENERATE)
    first = pipeline.run(Action.TEST)
    assert first.tests_passed is False
    assert first.test_results["failed"] == 1
    assert "test_a_missing_note_is_not_found" in first.test_results["failures"][0]["test"]
    repaired = pipeline.run(Action.REPAIR)
    assert repaired.modified_files == ("app/main.py",)
    assert pipeline.run(Action.TEST).tests_passed
    diagnosing = next(call.prompt for call in fake.calls if "Task: diagnose" in call.prompt)
    assert "400 == 404" in diagnosing


def test_without_faults_each_unit_takes_one_call(
    fake: FakeGemini, model: GeminiModel, tools: Tools
) -> None:
    pipeline = Pipeline(model, tools)
    for action in (Action.PLAN, Action.GENERATE, Action.PACKAGE, Action.ANALYZE, Action.APPLY):
        pipeline.run(action)
    assert len(fake.calls) == 1 + len(notes.FILES) + len(notes.PACKAGE) + 1 + 3


def test_a_recorded_run_replays_without_the_service(
    fake: FakeGemini, model: GeminiModel, tools: Tools, tmp_path: Path
) -> None:
    actions = (Action.PLAN, Action.GENERATE, Action.PACKAGE, Action.ANALYZE, Action.APPLY)
    recorded = Pipeline(RecordingModel(model, tmp_path / "run.jsonl"), tools)
    for action in actions:
        recorded.run(action)
    calls = len(fake.calls)
    replayed = Pipeline(ReplayModel(tmp_path / "run.jsonl"), tools)
    for number, action in enumerate(actions):
        replayed.works.extend([] if number else recorded.works[:1])  # other task ids, other nonces
        replayed.run(action)
    assert replayed.tree() == recorded.tree()
    assert len(fake.calls) == calls
