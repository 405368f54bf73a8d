"""Dev: one unit per file, changes inside the approved impact, repairs of what is diagnosed."""

import pytest
from tests.fakes import notes
from tests.fakes.models import ScriptedModel, edit_block, file_block
from tests.fakes.work import FakeWork, make_modification

from agenticai_core.content import put_document, put_plan, put_tree, read_manifest, read_tree
from agenticai_core.files.memory import MemoryFiles
from agenticai_core.models import Action, Impact, TestFailure, TestReport
from agenticai_core.plans import PlannedFile
from agenticai_worker.agents import AGENTS
from agenticai_worker.agents.dev import failing_files, find_diagnosis_problem
from agenticai_worker.llm.base import Prompt
from agenticai_worker.prompts.schemas import Diagnosis
from agenticai_worker.work import PermanentFailure, TransientFailure

TOOLS = None  # Dev uses none
REPORT = TestReport(
    passed=3,
    failed=1,
    failures=(TestFailure(test="tests/test_notes.py::test_health", message="app/main.py:28: no"),),
)


def make_work(replies, action: Action, tree=None, **documents: object) -> FakeWork:
    files = MemoryFiles()
    inputs = {"plan": put_plan(files, "proj_1", notes.PLAN)}
    if tree is not None:
        inputs["manifest"] = put_tree(files, "proj_1", {p: t.encode() for p, t in tree.items()})
    for name, document in documents.items():
        inputs[name] = put_document(files, "proj_1", document)
    return FakeWork(
        ScriptedModel(replies),
        action,
        inputs,
        files=files,
        modification=make_modification(notes.REQUEST),
    )


def read(work: FakeWork, key: str) -> dict[str, str]:
    tree = read_tree(work.files, "proj_1", read_manifest(work.files, key))
    return {path: content.decode() for path, content in tree.items()}


# ---- generating ---------------------------------------------------------------------------------


def write_planned(prompt: Prompt) -> str:
    return file_block(prompt.values["path"], notes.FILES[prompt.values["path"]])


def test_every_planned_file_is_written_in_order_and_told() -> None:
    work = make_work(write_planned, Action.GENERATE)
    outcome = AGENTS[Action.GENERATE](work, TOOLS)
    assert read(work, outcome.outputs["manifest"]) == notes.FILES
    told = work.told("file_written")
    assert [event["path"] for event in told] == list(notes.FILES)
    assert told[2] == {"path": "app/main.py", "size": len(notes.MAIN), "n": 3, "of": 6}
    assert list(work.prompts[2].values["written"]) == ["requirements.txt", "app/__init__.py"]
    assert len({event.id for event in work.events}) == len(work.events)


def test_a_rerun_goes_on_after_the_last_file() -> None:
    def fail_at_main(prompt: Prompt) -> str:
        if prompt.values["path"] == "tests/__init__.py":
            raise TransientFailure("503")
        return write_planned(prompt)

    work = make_work(fail_at_main, Action.GENERATE)
    with pytest.raises(TransientFailure):
        AGENTS[Action.GENERATE](work, TOOLS)
    work.model = ScriptedModel(write_planned)
    outcome = AGENTS[Action.GENERATE](work, TOOLS)
    assert read(work, outcome.outputs["manifest"]) == notes.FILES
    assert [prompt.values["path"] for prompt in work.model.prompts] == [
        "tests/__init__.py",
        "tests/test_notes.py",
        "README.md",
    ]
    assert len(work.told("file_written")) == 6


def test_packaging_files_are_left_to_ops() -> None:
    work = make_work(write_planned, Action.GENERATE)
    plan = notes.PLAN.model_copy(
        update={"files": (*notes.PLAN.files, PlannedFile(path="Dockerfile", purpose="x"))}
    )
    work.task.inputs["plan"] = put_plan(work.files, "proj_1", plan)
    outcome = AGENTS[Action.GENERATE](work, TOOLS)
    assert "Dockerfile" not in read(work, outcome.outputs["manifest"])


def test_a_file_that_does_not_parse_is_asked_for_again() -> None:
    def replies(prompt: Prompt) -> str:
        if prompt.values["path"] == "app/main.py" and not prompt.complaint:
            return file_block("app/main.py", "def f(:")
        return write_planned(prompt)

    work = make_work(replies, Action.GENERATE)
    outcome = AGENTS[Action.GENERATE](work, TOOLS)
    assert read(work, outcome.outputs["manifest"]) == notes.FILES
    (again,) = [prompt for prompt in work.prompts if prompt.complaint]
    assert "not valid Python" in again.complaint


# ---- applying -----------------------------------------------------------------------------------


def apply_work(replies, impact: Impact = notes.ANALYSIS.impact, tree=notes.FILES) -> FakeWork:
    work = make_work(replies, Action.APPLY, tree, old_plan=notes.PLAN, impact=impact)
    work.task.inputs["plan"] = put_plan(work.files, "proj_1", notes.ANALYSIS.plan)
    return work


def make_change(prompt: Prompt) -> str:
    path = prompt.values["path"]
    if path == "app/colours.py":
        return file_block(path, notes.COLOURS)
    old, new = notes.EDITS[path][0]
    return edit_block(path, old, new)


def test_a_change_touches_the_approved_files_and_no_other() -> None:
    work = apply_work(make_change)
    outcome = AGENTS[Action.APPLY](work, TOOLS)
    after = read(work, outcome.outputs["manifest"])
    assert outcome.modified_files == ("app/colours.py", "app/main.py", "tests/test_notes.py")
    assert after["app/colours.py"] == notes.COLOURS
    assert "from app.colours import Colour" in after["app/main.py"]
    untouched = notes.FILES.keys() - set(outcome.modified_files)
    assert {path: after[path] for path in untouched} == {
        path: notes.FILES[path] for path in untouched
    }
    assert [(event["n"], event["of"]) for event in work.told("file_written")] == [
        (1, 3),
        (2, 3),
        (3, 3),
    ]


def test_each_file_sees_the_changes_before_it() -> None:
    work = apply_work(make_change)
    AGENTS[Action.APPLY](work, TOOLS)
    last = work.prompts[-1].values
    assert last["path"] == "tests/test_notes.py"
    assert "app.colours" in last["tree"]["app/main.py"]
    assert last["request"] == notes.REQUEST
    assert last["content"] == notes.TESTS


def test_an_affected_file_can_be_deleted() -> None:
    impact = Impact(understood=True, affected_files=("README.md",))
    work = apply_work(['<<<DELETE NONCE path="README.md">>>'], impact)
    outcome = AGENTS[Action.APPLY](work, TOOLS)
    assert "README.md" not in read(work, outcome.outputs["manifest"])
    assert outcome.modified_files == ("README.md",)
    assert work.told("file_deleted") == [{"path": "README.md", "n": 1, "of": 1}]


def test_a_file_that_an_earlier_turn_deleted_is_passed_over() -> None:
    impact = Impact(understood=True, affected_files=("README.md", "app/main.py"))
    both = '<<<DELETE NONCE path="README.md">>>\n' + file_block("app/main.py", "x = 1")
    work = apply_work([both], impact)
    outcome = AGENTS[Action.APPLY](work, TOOLS)
    assert outcome.modified_files == ("README.md", "app/main.py")


def test_edits_outside_the_impact_are_refused_to_the_end() -> None:
    def reply(prompt: Prompt) -> str:
        return make_change(prompt) + file_block("requirements.txt", "evil")

    work = apply_work(reply)
    with pytest.raises(PermanentFailure, match=r"requirements\.txt") as caught:
        AGENTS[Action.APPLY](work, TOOLS)
    assert caught.value.failure.code == "EDIT_OUTSIDE_IMPACT"


def test_a_change_that_changes_nothing_says_so() -> None:
    impact = Impact(understood=True, affected_files=("README.md",))
    with pytest.raises(PermanentFailure) as caught:
        AGENTS[Action.APPLY](apply_work(['<<<KEEP NONCE path="README.md">>>'], impact), TOOLS)
    assert caught.value.failure.code == "NOTHING_CHANGED"


def test_a_change_that_leaves_no_file_is_refused() -> None:
    impact = Impact(understood=True, affected_files=("README.md",))
    work = apply_work(['<<<DELETE NONCE path="README.md">>>'], impact, {"README.md": "# Notes\n"})
    with pytest.raises(PermanentFailure) as caught:
        AGENTS[Action.APPLY](work, TOOLS)
    assert caught.value.failure.code == "EMPTY_PROJECT"


# ---- repairing ----------------------------------------------------------------------------------


def diagnosis(*paths: str) -> Diagnosis:
    return Diagnosis(cause="The status is wrong.", paths=paths)


FIX = edit_block("app/main.py", '    return {"status": "ok"}', '    return {"status": "fine"}')


def test_a_repair_changes_what_was_diagnosed() -> None:
    work = make_work([diagnosis("app/main.py"), FIX], Action.REPAIR, notes.FILES, report=REPORT)
    outcome = AGENTS[Action.REPAIR](work, TOOLS)
    assert '"fine"' in read(work, outcome.outputs["manifest"])["app/main.py"]
    assert outcome.modified_files == ("app/main.py",)
    assert outcome.summary == "The status is wrong."
    assert work.prompts[0].values["failing"] == ("app/main.py", "tests/test_notes.py")
    assert work.prompts[1].values["paths"] == ("app/main.py",)


def test_a_repair_of_another_file_than_the_diagnosed_is_refused() -> None:
    other = file_block("README.md", "x")
    work = make_work(
        [diagnosis("app/main.py"), other, FIX], Action.REPAIR, notes.FILES, report=REPORT
    )
    outcome = AGENTS[Action.REPAIR](work, TOOLS)
    assert outcome.modified_files == ("app/main.py",)


def test_a_repair_of_a_modification_stays_inside_its_impact() -> None:
    work = make_work(
        [diagnosis("README.md"), diagnosis("app/main.py"), FIX],
        Action.REPAIR,
        notes.FILES,
        report=REPORT,
        impact=notes.ANALYSIS.impact,
    )
    AGENTS[Action.REPAIR](work, TOOLS)
    assert "outside of the approved impact: README.md" in work.prompts[1].complaint


@pytest.mark.parametrize(
    ("paths", "problem"),
    [((), "empty"), (("../x",), "Unsafe"), (tuple(f"f{n}.py" for n in range(20)), "more than")],
)
def test_diagnoses_that_cannot_be_acted_on(paths: tuple[str, ...], problem: str) -> None:
    assert problem in (find_diagnosis_problem(diagnosis(*paths), frozenset()) or "")


def test_failing_files_are_those_of_the_tests_and_their_messages() -> None:
    assert failing_files(REPORT, notes.FILES) == ("app/main.py", "tests/test_notes.py")
