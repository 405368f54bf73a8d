"""Replies are recorded once, found again by their prompt, and missed out loud."""

from pathlib import Path

import pytest
from tests.fakes.models import ScriptedModel, file_block
from tests.fakes.notes import PLAN

from agenticai_core.models import TestFailure, TestReport
from agenticai_core.plans import Plan
from agenticai_worker.llm.base import PermanentModelError, Prompt
from agenticai_worker.llm.replay import RecordingModel, ReplayModel, replay_key

PROMPT = Prompt("plan", {"description": "notes"})


def record(path: Path, replies: list[object], prompts: list[Prompt], schema=None) -> None:
    model = RecordingModel(ScriptedModel(replies), path)
    for prompt in prompts:
        model.generate(prompt, schema)


def test_a_value_is_recorded_and_replayed(tmp_path: Path) -> None:
    record(tmp_path / "r.jsonl", [PLAN], [PROMPT], Plan)
    heard: list[str] = []
    replayed = ReplayModel(tmp_path / "r.jsonl").generate(PROMPT, Plan, heard.append)
    assert replayed.value == PLAN
    assert replayed.usage.total == 15
    assert heard == [PLAN.model_dump_json()]


def test_the_nonce_of_a_recording_becomes_that_of_the_prompt(tmp_path: Path) -> None:
    first = Prompt("generate", {"path": "a.py"}, nonce="aaaa11112222")
    record(tmp_path / "r.jsonl", [file_block("a.py", "x = 1")], [first])
    second = Prompt("generate", {"path": "a.py"}, nonce="bbbb33334444")
    text = ReplayModel(tmp_path / "r.jsonl").generate(second).text
    assert text == '<<<FILE bbbb33334444 path="a.py">>>\nx = 1\n<<<END bbbb33334444>>>\n'


def test_the_same_prompt_gets_its_replies_in_order_and_then_the_last(tmp_path: Path) -> None:
    record(tmp_path / "r.jsonl", ["one", "two"], [PROMPT, PROMPT])
    model = ReplayModel(tmp_path / "r.jsonl")
    assert [model.generate(PROMPT).text for _ in range(3)] == ["one", "two", "two"]


def test_a_missing_reply_names_the_prompt(tmp_path: Path) -> None:
    record(tmp_path / "r.jsonl", ["one"], [PROMPT])
    model = ReplayModel(tmp_path / "r.jsonl")
    with pytest.raises(PermanentModelError, match="'plan'") as caught:
        model.generate(Prompt("plan", {"description": "other"}))
    assert caught.value.code == "NO_RECORDED_REPLY"


def test_the_times_in_a_report_do_not_change_the_key() -> None:
    failure = TestFailure(test="t", message="at 0x7f")
    one = TestReport(failed=1, failures=(failure,), seconds=1.5, output="in 1.5 s")
    two = TestReport(failed=1, failures=(failure,), seconds=2.5, output="in 2.5 s")
    assert replay_key(Prompt("repair", {"report": one})) == replay_key(
        Prompt("repair", {"report": two})
    )
    other = one.model_copy(update={"failed": 2})
    assert replay_key(Prompt("repair", {"report": one})) != replay_key(
        Prompt("repair", {"report": other})
    )


def test_a_nonce_in_a_complaint_does_not_change_the_key() -> None:
    one = Prompt("generate", {}, nonce="aaaa", complaint="END aaaa is missing")
    two = Prompt("generate", {}, nonce="bbbb", complaint="END bbbb is missing")
    assert replay_key(one) == replay_key(two)
