"""The engine behind the agents: it plans, writes, changes and repairs like any other model."""

import pytest
from tests.fakes.work import FakeWork, make_modification, make_project
from tests.unit.engine_render import plans

from agenticai_core.content import put_document, put_tree, read_manifest, read_tree
from agenticai_core.models import Action, Impact, Outcome, TestFailure, TestReport
from agenticai_core.plans import Plan
from agenticai_worker.agents import AGENTS
from agenticai_worker.llm.base import PermanentModelError, Prompt
from agenticai_worker.llm.template.model import TemplateModel
from agenticai_worker.llm.template.write.project import render, render_deployment
from agenticai_worker.work import PermanentFailure

PROJECT = make_project(
    name="Orchard",
    description="Trees with a species and a planting year. Harvests of trees in kg with a date.",
)
LOGGING = "Add request logging"
BROKEN = TestReport(failed=1, failures=(TestFailure(test="tests/a.py::test", message="no"),))


class House:
    """One project through the agents, each with what the ones before it have stored."""

    def __init__(self) -> None:
        self.inputs: dict[str, str] = {}
        self.work = FakeWork(TemplateModel(), project=PROJECT)

    def run(self, action: Action, request: str = LOGGING) -> Outcome:
        if action is Action.ANALYZE:
            self.inputs.pop("old_plan", None)  # a modification begins with the plan alone
        self.work = FakeWork(
            TemplateModel(),
            action,
            self.inputs,
            files=self.work.files,
            project=PROJECT,
            modification=make_modification(request),
        )
        outcome = AGENTS[action](self.work, None)
        self.inputs |= outcome.outputs
        return outcome

    @property
    def plan(self) -> Plan:
        return self.work.document("plan", Plan)

    @property
    def tree(self) -> dict[str, str]:
        manifest = read_manifest(self.work.files, self.inputs["manifest"])
        tree = read_tree(self.work.files, PROJECT.id, manifest)
        return {path: content.decode() for path, content in tree.items()}

    def store(self, tree: dict[str, str]) -> None:
        content = {path: text.encode() for path, text in tree.items()}
        self.inputs["manifest"] = put_tree(self.work.files, PROJECT.id, content)

    def report(self) -> None:
        self.inputs["report"] = put_document(self.work.files, PROJECT.id, BROKEN)


@pytest.fixture
def house() -> House:
    """A project that has been planned, written and packaged."""
    house = House()
    for action in (Action.PLAN, Action.GENERATE, Action.PACKAGE):
        assert house.run(action).failure is None
    return house


def test_a_description_becomes_a_packaged_project(house: House) -> None:
    assert {entity.name for entity in house.plan.entities} == {"Tree", "Harvest"}
    assert house.tree == {**render(house.plan), **render_deployment(house.plan)}


def test_a_change_is_told_before_it_is_made(house: House) -> None:
    before = house.tree
    impact = house.run(Action.ANALYZE).impact
    assert impact is not None and impact.understood
    assert house.tree == before
    done = house.run(Action.APPLY)
    changed = {path for path in house.tree if before.get(path) != house.tree[path]}
    assert changed == {*impact.affected_files, *impact.new_files} == set(done.modified_files)
    assert house.tree == {**render(house.plan), **render_deployment(house.plan)}


def test_a_users_edits_survive_a_change(house: House) -> None:
    mine = "\n## Mine\n\nDo not lose this.\n"
    own = "def mine() -> int:\n    return 1\n"
    application = house.tree["app/application.py"] + "\n\nMINE = 1\n"
    house.store(
        house.tree
        | {
            "README.md": house.tree["README.md"] + mine,
            "app/application.py": application,
            "app/mine.py": own,
        }
    )
    house.run(Action.ANALYZE)
    house.run(Action.APPLY)
    tree = house.tree
    assert tree["README.md"].endswith(mine)
    assert "LOG_LEVEL" in tree["README.md"]
    assert "MINE = 1" in tree["app/application.py"]
    assert "request_log.install(app)" in tree["app/application.py"]
    assert tree["app/mine.py"] == own


def test_lines_edited_by_hand_are_not_overwritten(house: House) -> None:
    text = house.tree["app/application.py"].replace("errors.install(app)", "errors.install(app)  #")
    house.store(house.tree | {"app/application.py": text})
    house.run(Action.ANALYZE)
    with pytest.raises(PermanentFailure) as refused:
        house.run(Action.APPLY)
    assert refused.value.failure.code == "EDITED_BY_HAND"
    assert house.tree["app/application.py"] == text


def test_a_file_edited_by_hand_is_not_deleted(house: House) -> None:
    request = "Remove harvests"
    path = "app/services/harvests_service.py"
    house.store(house.tree | {path: house.tree[path] + "\n# mine\n"})
    impact = house.run(Action.ANALYZE, request).impact
    assert impact is not None and impact.understood, impact
    with pytest.raises(PermanentFailure) as refused:
        house.run(Action.APPLY, request)
    assert refused.value.failure.code == "EDITED_BY_HAND"


def test_a_removed_entity_takes_its_files_along(house: House) -> None:
    house.run(Action.ANALYZE, "Remove harvests")
    house.run(Action.APPLY, "Remove harvests")
    assert not [path for path in house.tree if "harvest" in path]
    assert house.tree == {**render(house.plan), **render_deployment(house.plan)}


def test_what_is_not_understood_changes_nothing(house: House) -> None:
    before = house.tree
    outcome = house.run(Action.ANALYZE, "Make it more purple")
    assert outcome.failure is not None
    assert outcome.failure.code == "REQUEST_NOT_UNDERSTOOD"
    assert house.tree == before


def test_what_is_there_already_changes_nothing(house: House) -> None:
    house.run(Action.ANALYZE)
    house.run(Action.APPLY)
    outcome = house.run(Action.ANALYZE)
    assert outcome.failure is not None
    assert outcome.failure.message


def test_a_damaged_file_is_repaired(house: House) -> None:
    whole = house.tree
    house.store(whole | {"app/rows.py": "broken = 1\n"})
    house.report()
    done = house.run(Action.REPAIR)
    assert done.modified_files == ("app/rows.py",)
    assert house.tree == whole


def test_no_cause_is_made_up(house: House) -> None:
    house.report()
    with pytest.raises(PermanentFailure) as refused:
        house.run(Action.REPAIR)
    assert refused.value.failure.code == "CAUSE_NOT_FOUND"


def test_a_repair_never_undoes_a_users_edit(house: House) -> None:
    house.run(Action.ANALYZE)
    house.run(Action.APPLY)
    edited = house.tree | {"app/application.py": house.tree["app/application.py"] + "\nMINE = 1\n"}
    house.store(edited)
    house.report()
    with pytest.raises(PermanentFailure) as refused:
        house.run(Action.REPAIR)
    assert refused.value.failure.code == "EDITED_BY_HAND"
    assert "app/application.py" in refused.value.failure.message
    assert house.tree == edited


def test_unknown_prompts_and_files_are_refused() -> None:
    model = TemplateModel()
    with pytest.raises(PermanentModelError, match="knows no prompt"):
        model.generate(Prompt("sing", {}))
    with pytest.raises(PermanentModelError, match="does not write"):
        model.generate(Prompt("generate", {"plan": plans.SMALL, "path": "app/other.py"}))


def test_the_answer_is_streamed_in_pieces() -> None:
    heard: list[str] = []
    prompt = Prompt("generate", {"plan": plans.SMALL, "path": "app/errors.py"}, nonce="n")
    answer = TemplateModel().generate(prompt, on_text=heard.append)
    assert "".join(heard) == answer.text
    assert len(heard) > 1
    assert (answer.usage.total, TemplateModel().count_tokens(prompt)) == (0, 0)


def test_estimates_name_risk_and_steps(house: House) -> None:
    impact = house.run(Action.ANALYZE, "Add authentication").impact
    assert isinstance(impact, Impact)
    assert impact.steps
    assert "app/auth.py" in impact.new_files
    assert impact.estimated_time.endswith(" s")
