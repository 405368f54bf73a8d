"""Changes reach files that a user has edited, or are refused; nothing of theirs is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenticai_worker.llm.base import PermanentModelError
from agenticai_worker.llm.template.patch import merge

BEFORE = "".join(f"line {n}\n" for n in range(20))


def test_a_users_line_elsewhere_survives() -> None:
    after = BEFORE.replace("line 3\n", "line three\n")
    now = BEFORE.replace("line 15\n", "mine\n")
    merged = merge("a.txt", BEFORE, after, now)
    assert merged == after.replace("line 15\n", "mine\n")


def test_several_places_change_at_once() -> None:
    after = BEFORE.replace("line 3\n", "").replace("line 12\n", "line 12\nand a half\n")
    now = "mine\n" + BEFORE
    assert merge("a.txt", BEFORE, after, now) == "mine\n" + after


def test_what_the_user_did_already_is_not_done_again() -> None:
    after = BEFORE.replace("line 3\n", "line three\n")
    now = after.replace("line 15\n", "mine\n")
    assert merge("a.txt", BEFORE, after, now) == now


@pytest.mark.parametrize("line", [2, 3, 4])
def test_lines_that_both_changed_are_refused(line: int) -> None:
    after = BEFORE.replace("line 3\n", "line three\n")
    now = BEFORE.replace(f"line {line}\n", "mine\n")
    with pytest.raises(PermanentModelError, match=r"a\.txt has been edited") as refused:
        merge("a.txt", BEFORE, after, now)
    assert refused.value.code == "EDITED_BY_HAND"


_texts = st.lists(st.sampled_from(("a", "b", "", "  c")), max_size=12).map("\n".join)


@given(_texts, _texts)
def test_an_untouched_file_becomes_the_new_one(before: str, after: str) -> None:
    assert merge("a.txt", before, after, before) == after
    assert merge("a.txt", before, before, after) == after


@given(_texts, _texts, _texts)
def test_no_line_of_the_users_is_lost(before: str, after: str, now: str) -> None:
    added = [f"mine {n}" for n, _ in enumerate(now.split("\n"))]
    mine = "\n".join(f"{line}\n{own}" for line, own in zip(now.split("\n"), added, strict=True))
    try:
        merged = merge("a.txt", before, after, mine)
    except PermanentModelError as error:
        assert error.code == "EDITED_BY_HAND"
    else:
        assert [line for line in merged.split("\n") if line.startswith("mine")] == added
