"""Asking again: a reply that cannot be used never ends a run before three tries."""

import pytest
from tests.fakes.models import ScriptedModel, edit_block, file_block, malformed
from tests.fakes.notes import PLAN
from tests.fakes.work import FakeWork

from agenticai_core.plans import Plan
from agenticai_worker.agents.ask import BLOCK_TRIES, Scope, ask_blocks, ask_json
from agenticai_worker.llm.base import Generation, Prompt
from agenticai_worker.work import PermanentFailure

PROMPT = Prompt("plan", {}, max_output_tokens=1000)
TREE = {"a.py": "x = 1\n", "b.py": "y = 1\n"}


def ask(replies, check=lambda _: None):
    work = FakeWork(ScriptedModel(replies))
    return ask_json(work, PROMPT, Plan, check), work


def blocks(replies, required=("a.py",), allowed=("a.py",), tree=TREE, strict=True):
    work = FakeWork(ScriptedModel(replies))
    scope = Scope(frozenset(required), frozenset(allowed), strict)
    changes = ask_blocks(
        work, "unit", lambda now: Prompt("apply", {"tree": dict(now)}), tree, scope
    )
    return changes, work


# ---- JSON ---------------------------------------------------------------------------------------


def test_a_good_answer_is_asked_for_once() -> None:
    plan, work = ask([PLAN])
    assert plan == PLAN
    assert len(work.prompts) == 1


def test_a_malformed_answer_is_complained_about() -> None:
    plan, work = ask([malformed(), "{}", PLAN])
    assert plan == PLAN
    assert work.prompts[0].complaint == ""
    assert work.prompts[1].complaint == "not JSON"
    assert "summary: Field required" in work.prompts[2].complaint
    assert work.usage.input_tokens == 3 + 10 + 10


def test_a_cut_off_answer_gets_more_room() -> None:
    _, work = ask([malformed(truncated=True), PLAN])
    assert work.prompts[1].max_output_tokens == 2000
    assert "cut off" in work.prompts[1].complaint


def test_an_answer_that_fails_its_check_is_complained_about() -> None:
    found = iter(["no files", None])
    _, work = ask([PLAN, PLAN], lambda _: next(found))
    assert work.prompts[1].complaint == "no files"


def test_three_useless_answers_end_the_task_with_the_reason() -> None:
    with pytest.raises(PermanentFailure, match="not JSON") as caught:
        ask([malformed()] * 3)
    assert caught.value.failure.code == "MODEL_REPLY_UNUSABLE"
    assert "'plan'" in caught.value.failure.message
    assert caught.value.failure.hint


# ---- blocks -------------------------------------------------------------------------------------


def test_blocks_become_changes() -> None:
    changes, work = blocks([edit_block("a.py", "x = 1", "x = 2")])
    assert changes == {"a.py": "x = 2\n"}
    assert len(work.prompts) == 1


def test_each_try_has_a_nonce_of_its_own() -> None:
    _, work = blocks(["nothing", file_block("a.py", "x = 2")])
    first, second = (prompt.nonce for prompt in work.prompts)
    assert first != second
    assert len(first) == len(second) == 12


def test_only_what_failed_is_asked_again_on_the_new_tree() -> None:
    both = ("a.py", "b.py")
    first = file_block("a.py", "x = 2") + edit_block("b.py", "nowhere", "y = 2")
    changes, work = blocks([first, file_block("b.py", "y = 2")], both, both)
    assert changes == {"a.py": "x = 2\n", "b.py": "y = 2\n"}
    assert "b.py: a SEARCH part" in work.prompts[1].complaint
    assert "Kept from your earlier replies: a.py." in work.prompts[1].complaint
    assert work.prompts[1].values["tree"]["a.py"] == "x = 2\n"


def test_after_three_more_tries_the_whole_file_is_asked_for() -> None:
    bad = edit_block("a.py", "nowhere", "x = 2")
    changes, work = blocks([bad] * BLOCK_TRIES + [file_block("a.py", "x = 2")])
    assert changes == {"a.py": "x = 2\n"}
    assert [("whole" in prompt.complaint) for prompt in work.prompts] == [False] * 4 + [True]


def test_useless_blocks_to_the_end_fail_with_the_reason() -> None:
    with pytest.raises(PermanentFailure, match="not in the file") as caught:
        blocks([edit_block("a.py", "nowhere", "x")] * (BLOCK_TRIES + 1))
    assert caught.value.failure.code == "MODEL_REPLY_UNUSABLE"


def test_a_reply_that_touches_another_file_is_dropped_whole() -> None:
    first = file_block("a.py", "import b") + file_block("b.py", "y = 2")
    changes, work = blocks([first, file_block("a.py", "x = 3")])
    assert changes == {"a.py": "x = 3\n"}
    assert "b.py: this file may not be changed here" in work.prompts[1].complaint
    assert "Only these may change: a.py." in work.prompts[1].complaint


def test_insisting_on_another_file_fails_as_outside_the_impact() -> None:
    with pytest.raises(PermanentFailure, match=r"b\.py") as caught:
        blocks([file_block("a.py", "x = 2") + file_block("b.py", "y")] * (BLOCK_TRIES + 1))
    assert caught.value.failure.code == "EDIT_OUTSIDE_IMPACT"


def test_where_it_does_no_harm_blocks_for_other_files_are_ignored() -> None:
    reply = file_block("other.py", "z = 1") + file_block("a.py", "x = 2")
    changes, work = blocks([reply], strict=False)
    assert changes == {"a.py": "x = 2\n"}
    assert len(work.prompts) == 1


def test_a_missing_block_is_asked_for() -> None:
    _, work = blocks(
        [file_block("b.py", "y = 2"), file_block("a.py", "x = 2")], allowed=("a.py", "b.py")
    )
    assert "a.py: there is no block for it." in work.prompts[1].complaint


def test_a_file_may_be_kept_and_deleted() -> None:
    assert blocks(['<<<KEEP NONCE path="a.py">>>'])[0] == {}
    assert blocks(['<<<DELETE NONCE path="a.py">>>'])[0] == {"a.py": None}


def test_without_required_files_something_has_to_change() -> None:
    keep = '<<<KEEP NONCE path="a.py">>>'
    changes, work = blocks([keep, file_block("a.py", "x = 2")], required=())
    assert changes == {"a.py": "x = 2\n"}
    assert "changes nothing" in work.prompts[1].complaint


def test_a_cut_off_reply_keeps_its_whole_blocks_and_gets_more_room() -> None:
    both = ("a.py", "b.py")

    def replies(prompt: Prompt):
        if prompt.complaint:
            return file_block("b.py", "y = 2")
        text = file_block("a.py", "x = 2") + '<<<FILE NONCE path="b.py">>>\ny ='
        return Generation(None, text.replace("NONCE", prompt.nonce), truncated=True)

    changes, work = blocks(replies, both, both)
    assert changes == {"a.py": "x = 2\n", "b.py": "y = 2\n"}
    assert work.prompts[1].max_output_tokens == 2 * work.prompts[0].max_output_tokens
    assert "cut off" in work.prompts[1].complaint
